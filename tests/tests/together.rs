//! The whole thing: three real hosts, this machine and a Proxmox cluster of three nodes in one fleet, kept live by the
//! built program, with the same numbers in every frontend; a pulled plug; a killed server.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use pve_sim::{Options, Sim};
use reanimator_core::{Fleet, FleetOptions};
use reanimator_tests::lab::{self, LabHost};
use reanimator_tests::program::{Home, Server, document, python};
use serde_json::Value;

/// A figure that is older than this is not fresh: the loop comes round every 10 s.
const FRESH_SECONDS: f64 = 15.0;

/// How long a pulled plug may stay unnoticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// How long a host may take to be back: it is tried again less and less often, each minute at least.
const BACK_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_one_fleet_in_every_frontend_through_pulled_plugs_and_kills() {
    let lab = lab::hosts();
    assert!(lab.len() >= 3, "`lab up 3` starts three hosts: {lab:?}");
    let sim = Sim::start(Options { nodes: 3, ..Options::default() }).await.unwrap();
    let home = Home::new();
    let began = Instant::now();
    lab[..3].iter().for_each(|host| host.add_to(&home));
    let report = home.connect(&sim.info().url, &sim.info().token, &sim.info().fingerprint);
    assert_eq!(report["nodes"].as_array().unwrap().len(), 3);
    say("adding three hosts and a cluster by the command line", began);

    let began = Instant::now();
    let server = Server::start(&home, "first");
    let status = wait(&server, Duration::from_secs(30), |status| hosts(status).iter().all(is_fresh)).await;
    say("all seven hosts online and fresh after the server's start", began);
    let names: Vec<&str> = hosts(&status).iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 7, "this machine, three hosts and three nodes: {names:?}");
    assert_eq!(status["totals"]["hosts"]["online"], 7);
    assert_eq!(home.json(["match", "list"])["items"], serde_json::json!([]), "nobody is taken for somebody else");

    agree(&home, &server).await;
    a_pulled_plug(&home, &server, &lab[1]).await;
    a_killed_server(&home, server).await;
}

/// The command line, HTTP, Python and Rust say the same of every host and of the whole.
async fn agree(home: &Home, server: &Server) {
    let began = Instant::now();
    let python = python();
    let fleet = Fleet::open(FleetOptions::new(home.data_dir())).await.unwrap();
    loop {
        assert!(began.elapsed() < Duration::from_secs(180), "the frontends never showed one moment");
        let before = server.get("/api/v1/status");
        let mut told = vec![("command line", home.json(["status"]))];
        told.push(("Rust", serde_json::to_value(fleet.status().await.unwrap()).unwrap()));
        if let Some(python) = &python {
            let program = "import json, sys, reanimator\n\
                           print(json.dumps(reanimator.Fleet.open(sys.argv[1]).status()))";
            let data_dir = home.data_dir();
            let mut command = home.command(python, ["-c", program, data_dir.to_str().unwrap()]);
            told.push(("Python", document(&mut command)));
        }
        let after = server.get("/api/v1/status");
        // Hosts are seen all the time; only what was seen at the same moment can be the same.
        if told.iter().map(|(_, status)| status).chain([&after]).any(|status| moments(status) != moments(&before)) {
            continue;
        }
        for (frontend, status) in &told {
            same(&after["hosts"], &status["hosts"], frontend);
            same(&after["totals"], &status["totals"], frontend);
        }
        let frontends: Vec<&str> = told.iter().map(|(frontend, _)| *frontend).collect();
        say(&format!("the same numbers as HTTP in {}", frontends.join(", ")), began);
        return;
    }
}

/// One silent host is offline in time, harms no other, and comes back by itself.
async fn a_pulled_plug(home: &Home, server: &Server, host: &LabHost) {
    let pulled = host.unplug();
    let began = Instant::now();
    let status = wait(server, NOTICED_WITHIN, |status| {
        let others = hosts(status).iter().filter(|each| each["name"] != host.name.as_str());
        others.for_each(|other| assert!(is_fresh(other), "after {:?}: {other}", began.elapsed()));
        find(status, &host.name)["state"] == "offline"
    })
    .await;
    say("a pulled plug shown as offline, all others fresh meanwhile", began);
    assert_eq!(status["totals"]["hosts"]["offline"], 1);
    let silent = find(&status, &host.name);
    let message = silent["problem"]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("{}: could not ", host.name)), "{message}");
    assert!(silent["problem"]["next"].is_string() && silent["memory"]["total_bytes"].is_u64(), "{silent}");
    // Another process sees it too.
    let began = Instant::now();
    while find(&home.json(["status"]), &host.name)["state"] != "offline" {
        assert!(began.elapsed() < Duration::from_secs(10), "the command line does not see it");
    }

    drop(pulled);
    let began = Instant::now();
    wait(server, BACK_WITHIN, |status| is_fresh(find(status, &host.name))).await;
    say("back online by itself after the plug went in", began);
}

/// What a server has shown is there when it is killed in the next instant, and in the server after it.
async fn a_killed_server(home: &Home, mut server: Server) {
    for round in 1..=3 {
        let before = moments(&server.get("/api/v1/status"));
        // The very moment that something new is shown.
        let shown = wait(&server, Duration::from_secs(30), |status| moments(status) != before).await;
        server.kill();
        let stored = home.json(["status"]);
        keeps(&stored, &shown, "the store");

        let began = Instant::now();
        server = Server::start(home, &format!("round {round}").replace(' ', "-"));
        keeps(&server.get("/api/v1/status"), &shown, "the next server");
        let limit = Duration::from_secs(30);
        wait(&server, limit, |status| moments(status).iter().zip(&before).all(|(now, then)| now > then)).await;
        wait(&server, limit, |status| hosts(status).iter().all(is_fresh)).await;
        say("every host seen anew after a kill and a restart", began);
    }
}

/// Everything that was shown is there, or something newer.
fn keeps(status: &Value, shown: &Value, who: &str) {
    for host in hosts(shown) {
        let kept = find(status, host["name"].as_str().unwrap());
        let (was, is) = (host["observed_at"].as_str().unwrap(), kept["observed_at"].as_str().unwrap());
        let (was_at, is_at): (jiff::Timestamp, jiff::Timestamp) = (was.parse().unwrap(), is.parse().unwrap());
        assert!(is_at >= was_at, "{who} has {} as of {is}, and {was} was shown", host["name"]);
        if is_at == was_at {
            same(host, kept, who);
        }
    }
    assert_eq!(hosts(status).len(), hosts(shown).len());
}

/// Asks until it holds.
async fn wait(server: &Server, limit: Duration, mut holds: impl FnMut(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let status = server.get("/api/v1/status");
        if holds(&status) {
            return status;
        }
        assert!(began.elapsed() < limit, "not within {limit:?}: {status:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn hosts(status: &Value) -> &[Value] {
    status["hosts"].as_array().unwrap()
}

fn find<'a>(status: &'a Value, name: &str) -> &'a Value {
    hosts(status).iter().find(|host| host["name"] == name).unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

/// When each host was seen.
fn moments(status: &Value) -> Vec<String> {
    hosts(status).iter().map(|host| host["observed_at"].as_str().unwrap_or_default().to_owned()).collect()
}

fn is_fresh(host: &Value) -> bool {
    host["state"] == "online" && host["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS)
}

/// The same but for their ages; numbers may differ in the last digit that a computer keeps.
fn same(a: &Value, b: &Value, what: &str) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{what}: {a:?} has other fields than {b:?}");
            let fields = a.iter().filter(|(name, _)| *name != "age_seconds");
            fields.for_each(|(name, value)| same(value, &b[name], &format!("{what}, {name}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{what}");
            a.iter().zip(b).for_each(|(a, b)| same(a, b, what));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= a.abs() * 1e-12, "{what}: {a} is not {b}");
        }
        _ => assert_eq!(a, b, "{what}"),
    }
}

#[expect(clippy::print_stderr, reason = "what was measured is part of the result")]
fn say(what: &str, began: Instant) {
    eprintln!("{what}: {:.1} s", began.elapsed().as_secs_f64());
}
