//! Updates of a look-alike's guests through their nodes, with the real apt and dpkg: snapshotted, rolled back where they are
//! not well, stopped by a canary, carried to their end although the server is killed again and again.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    fleet::NewHost,
    host::pve::PveApi as _,
    transport::{http::Request, ssh::fingerprint_of},
};
use reanimator_tests::{
    cluster,
    program::{Home, Server},
};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(240);
/// How often it is looked.
const EVERY: Duration = Duration::from_millis(100);

/// What is pending in a container of the look-alike, before anything is done.
const PENDING: [&str; 3] = ["greeter", "libgreet", "web"];

/// A look-alike's cluster whose nodes answer SSH, and a fleet that knows it by both.
struct Ward {
    sim: Sim,
    home: Home,
}

impl Ward {
    async fn open(nodes: u32, guests: u32) -> Self {
        let task_time = Duration::from_millis(100);
        let options = Options { nodes, guests, ssh: true, task_time, ..Options::default() };
        let (sim, home) = (Sim::start(options).await.unwrap(), Home::new());
        let fleet = Fleet::open(FleetOptions::new(home.data_dir())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        for node in &sim.info().nodes {
            let ssh = node.ssh.clone().unwrap();
            let mut new = NewHost::new(ssh.address);
            (new.port, new.user) = (ssh.port, ssh.user);
            new.auth.agent = false;
            new.auth.key = Some(ssh.key.into());
            new.accept_host_key = fingerprint_of(&ssh.host_key);
            assert_eq!(fleet.add_host(new).await.unwrap().name, node.name, "it is the node, and no other host");
        }
        fleet.close().await;
        Self { sim, home }
    }

    /// Numbers and names of the containers that run and can be snapshotted, in the order of their names.
    async fn containers(&self) -> Vec<(String, String)> {
        let api = cluster::api(&self.sim, 0);
        let rows = self.home.json(["guest", "list"])["items"].take();
        let mut all = Vec::new();
        for guest in rows.as_array().unwrap() {
            let text = |name: &str| guest[name].as_str().unwrap().to_owned();
            if guest["kind"] != "lxc" || guest["status"] != "running" || guest["template"] == true {
                continue;
            }
            let path = ["nodes", &text("node"), "lxc", &text("vmid"), "feature"].map(str::to_owned);
            let answer = api.call(Request::get(path).param("feature", "snapshot")).await.unwrap();
            if answer["hasFeature"] == true || answer["hasFeature"] == 1 {
                all.push((text("name"), text("vmid")));
            }
        }
        all.sort();
        all.into_iter().map(|(name, vmid)| (vmid, name)).collect()
    }

    async fn spoil(&self, vmid: &str) {
        let order = Order { fault: "spoil".to_owned(), vmid: Some(vmid.parse().unwrap()), ..Order::default() };
        self.sim.control().apply(order).await.unwrap();
    }

    async fn snapshots(&self, vmid: &str) -> Vec<String> {
        let api = cluster::api(&self.sim, 0);
        let node = self.sim.info().nodes[0].name.clone();
        let rows = api.call(Request::get(["nodes", &node, "lxc", vmid, "snapshot"])).await.unwrap();
        let names = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("update-")).collect()
    }

    /// How often the cluster began a kind of task about a guest.
    async fn begun(&self, vmid: &str, kind: &str) -> usize {
        let node = self.sim.info().nodes[0].name.clone();
        let asked =
            Request::get(["nodes", &node, "tasks"]).param("vmid", vmid).param("source", "all").param("limit", "500");
        let tasks = cluster::api(&self.sim, 0).call(asked).await.unwrap();
        tasks.as_array().unwrap().iter().filter(|task| task["type"] == kind).count()
    }

    /// What is pending in a container, by the names of packages.
    fn pending(&self, vmid: &str) -> Vec<String> {
        let plan = self.home.json(["update", "plan", "--guests", vmid]);
        let survey = &plan["waves"][0]["targets"][0]["survey"]["pending"];
        survey
            .as_array()
            .unwrap_or_else(|| panic!("{plan:#}"))
            .iter()
            .map(|each| each["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn until(server: &Server, id: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let run = server.get(&format!("/api/v1/updates/{id}"));
        if is(&run) {
            return run;
        }
        assert!(began.elapsed() < PATIENCE, "it stays: {run:#}");
        std::thread::sleep(EVERY);
    }
}

fn targets(run: &Value) -> &Vec<Value> {
    run["targets"].as_array().unwrap()
}

fn states(run: &Value) -> Vec<&str> {
    targets(run).iter().map(|target| target["state"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_not_well_goes_back_to_its_snapshot_and_the_rest_is_untouched() {
    let ward = Ward::open(1, 40).await;
    let containers = ward.containers().await;
    let [(first, _), (second, bad), (third, _)] = &containers[..3] else { panic!("{containers:?}") };
    ward.spoil(second).await;
    let all = [first.as_str(), second, third].join(",");
    let plan = ward.home.json(["update", "plan", "--guests", &all, "--snapshot"]);
    assert_eq!(
        (&plan["machines"], &plan["packages"], &plan["security"]),
        (&json!(3), &json!(9), &json!(3)),
        "{plan:#}"
    );
    assert_eq!(plan["waves"][0]["targets"].as_array().unwrap().len(), 1, "the canary goes alone");

    let nowhere = ward.home.json(["update", "plan", "--guests", first, "--backup", "nostore"]);
    let why = nowhere["waves"][0]["targets"][0]["refused"].to_string();
    assert!(nowhere["refused"] == 1 && why.contains("no way back could be made"), "{nowhere:#}");

    let words = ["update", "run", "--guests", &all, "--snapshot", "--at-once", "1", "--well-within", "3"];
    let run = ward.home.json_of_failure(words);
    assert_eq!(states(&run), ["updated", "rolled-back", "skipped"], "{run:#}");
    let why = targets(&run)[1]["failure"].as_str().unwrap();
    assert!(why.contains("web.service has failed"), "{why}");
    assert_eq!(targets(&run)[2]["failure"], format!("not begun: {bad} failed"));
    let changes = |target: &Value| -> BTreeMap<String, String> {
        let changes = target["report"]["changes"].as_array().unwrap().iter();
        changes.map(|each| (each["name"].as_str().unwrap().into(), each["to"].as_str().unwrap().into())).collect()
    };
    let expected: BTreeMap<String, String> = PENDING.map(|name| (name.to_owned(), "1.1".to_owned())).into();
    assert_eq!(changes(&targets(&run)[0]), expected);
    assert!(targets(&run)[0]["report"]["kept_files"].to_string().contains("greeter.conf"), "{run:#}");

    assert_eq!(ward.pending(first), [""; 0]);
    assert_eq!(ward.pending(second), PENDING, "it is what it was");
    assert_eq!(ward.pending(third), PENDING, "it is untouched");
    for (vmid, made) in [(first, 1), (second, 1), (third, 0)] {
        assert_eq!(ward.begun(vmid, "vzsnapshot").await, made, "{vmid}");
        assert_eq!(ward.snapshots(vmid).await, [""; 0], "{vmid}: none is left");
    }
    assert_eq!(ward.begun(second, "vzrollback").await, 1);
    let running = ward.containers().await;
    assert!(running.iter().any(|(vmid, _)| vmid == second), "it runs again: {running:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_stops_the_run_also_where_the_others_are_to_go_on() {
    let ward = Ward::open(1, 40).await;
    let containers = ward.containers().await;
    let (first, second) = (&containers[0].0, &containers[1].0);
    ward.spoil(second).await;
    assert_eq!(ward.pending(first), PENDING, "what is worked on is the look-alike's own");
    let (all, canary) = (format!("{first},{second}"), &containers[1].1);
    let words = ["update", "run", "--guests", &all, "--go-on", "--canary-on", canary, "--well-within", "3"];
    let run = ward.home.json_of_failure(words);
    // Without a snapshot there is no way back.
    assert_eq!(states(&run), ["failed", "skipped"], "{run:#}");
    assert_eq!(targets(&run)[1]["failure"], format!("not begun: {canary}, the canary, failed"));
    assert_eq!(ward.pending(first).len(), 3);
    assert_eq!(ward.pending(second), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_five_times_during_ten_machines_it_ends_right() {
    let ward = Ward::open(1, 120).await;
    let containers: Vec<_> = ward.containers().await.into_iter().take(10).collect();
    assert_eq!(containers.len(), 10);
    assert_eq!(ward.pending(&containers[0].0), PENDING, "what is worked on is the look-alike's own");
    let all = containers.iter().map(|(vmid, _)| vmid.clone()).collect::<Vec<_>>().join(",");
    let wish =
        json!({ "guests": all, "safety": { "by": "snapshot" }, "wave_size": 3, "health": { "within_seconds": 60 } });
    let mut server = Server::start_for(&ward.home, "start", "operator");
    let asked = server.post("/api/v1/updates", &wish);
    let id = asked["id"].as_str().unwrap().to_owned();
    // Each time in another phase of another machine.
    let over = |run: &Value| targets(run).iter().filter(|target| target["ended_at"].is_string()).count();
    for (kill, phase) in ["refresh", "safety", "upgrade", "health", "tidy"].into_iter().enumerate() {
        let done = kill * 2;
        let there = |run: &Value| over(run) >= done && targets(run).iter().any(|target| target["phase"] == phase);
        let run = until(&server, &id, |run| there(run) || over(run) > done + 3 || run["ended_at"].is_string());
        assert!(!run["ended_at"].is_string(), "it was over before kill {kill}: {run:#}");
        server.kill();
        server = Server::start_for(&ward.home, &format!("after-{kill}"), "operator");
    }
    let run = until(&server, &id, |run| run["ended_at"].is_string());
    assert_eq!((&run["state"], states(&run)), (&json!("done"), vec!["updated"; 10]), "{run:#}");
    for ((vmid, name), target) in containers.iter().zip(targets(&run)) {
        assert_eq!(target["report"]["changed_count"], 3, "{name}: {target:#}");
        let phases: Vec<&str> =
            target["steps"].as_array().unwrap().iter().map(|step| step["phase"].as_str().unwrap()).collect();
        assert_eq!(phases, ["refresh", "safety", "upgrade", "tidy"], "{name}: each was asked for once");
        for (kind, times) in [("vzsnapshot", 1), ("vzdelsnapshot", 1), ("vzrollback", 0)] {
            assert_eq!(ward.begun(vmid, kind).await, times, "{name}: {kind}");
        }
        assert_eq!(ward.snapshots(vmid).await, [""; 0], "{name}");
    }
    let operations = ward.home.json(["op", "list", "--limit", "500"]);
    assert_eq!(operations["items"].as_array().unwrap().len(), 40, "none was asked for twice");
    let trail = ward.home.json(["audit", "list", "--limit", "500"]).to_string();
    assert!(trail.contains(&id), "it stands in the audit trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_wants_a_restart_is_emptied_started_anew_and_filled_again_and_the_others_are_left_alone() {
    let ward = Ward::open(3, 18).await;
    let running = || async {
        let asked = Request::get(["cluster", "resources"]).param("type", "vm");
        let rows = cluster::api(&ward.sim, 0).call(asked).await.unwrap();
        let rows = rows.as_array().unwrap().iter().filter(|row| row["status"] == "running");
        rows.map(|row| (row["vmid"].as_u64().unwrap(), row["node"].as_str().unwrap().to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let before = running().await;
    let mark = r#"mkdir -p "$DPKG_ROOT/run" && touch "$DPKG_ROOT/run/reboot-required""#;
    ward.home.json(["exec", mark, "--on", "pve2"]);
    let plan = ward.home.json(["update", "plan", "--on", "pve*", "--local-disks"]);
    assert_eq!((&plan["restarts"], &plan["refused"]), (&json!(1), &json!(0)), "{plan:#}");
    let waves: Vec<usize> =
        plan["waves"].as_array().unwrap().iter().map(|wave| wave["targets"].as_array().unwrap().len()).collect();
    assert_eq!(waves, [1, 1, 1], "never two of one cluster");

    // Local disks bind its guests to it: without a word it is not touched.
    let refused = ward.home.json_of_failure(["update", "run", "--on", "pve2"]);
    let why = targets(&refused)[0]["failure"].as_str().unwrap();
    assert!(why.contains("a restart is due") && why.contains("can go nowhere"), "{why}");

    let run = ward.home.json(["update", "run", "--on", "pve*", "--local-disks"]);
    assert_eq!(states(&run), ["current", "updated", "current"], "{run:#}");
    let node = &targets(&run)[1];
    let phases: Vec<&str> =
        node["steps"].as_array().unwrap().iter().map(|step| step["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["refresh", "evacuate", "restart", "return"]);
    assert_eq!((&node["restarted"], &node["evacuated"]), (&json!(true), &json!(false)));
    assert_ne!(ward.home.json(["host", "show", "pve2"])["host"]["state"], "maintenance");
    let mut now = running().await;
    // A node that starts may start more guests than ran on it.
    now.retain(|vmid, _| before.contains_key(vmid));
    assert_eq!(now, before, "each is where it was");
}
