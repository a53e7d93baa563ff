//! Alerts through the real program, over hosts that answer real SSH: a disk that fills is announced before it is full, and
//! once, however often the server is killed; a host that falls silent is told of; who knows is remembered.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use linux_sim::{Fault, Options, Sim, SimHost};
use reanimator_core::{
    Fleet, FleetOptions,
    model::{
        AlertRuleChange, Connection, ConnectionId, Entity, EntityKind, EventKind, Host, HostId, Link, Reach, SshReach,
        Sudo,
    },
    store::{MetricRow, Sample},
};
use reanimator_tests::program::{Home, Server};
use serde_json::{Value, json};

/// How long something may take to be told: a host that is silent is known to be after half a minute.
const SOON: Duration = Duration::from_secs(120);
/// How full the disk is, and by how much it grows in an hour.
const FULL: f64 = 0.88;
const GROWS: f64 = 0.004;

async fn record(fleet: &Fleet, host: &SimHost) -> HostId {
    let reach = Reach::Ssh(SshReach {
        address: host.address.clone(),
        port: host.port,
        user: host.user.clone(),
        jumps: Vec::new(),
        use_agent: false,
        key_files: vec![host.key.display().to_string()],
        sudo: Sudo::None,
        host_key: Some(host.host_key.clone()),
    });
    let connection =
        Connection { id: ConnectionId::generate(), name: host.name.clone(), reach, credentials_changed_at: None };
    let host = Host {
        id: HostId::generate(),
        name: host.name.clone(),
        groups: Default::default(),
        tags: Default::default(),
        maintenance: false,
        links: vec![Link::Ssh { connection: connection.id.clone() }],
    };
    fleet.store().save_host_with_connection(&host, &connection, &[]).await.unwrap();
    host.id
}

/// Three days of a disk that filled up to where it is now.
async fn grow(fleet: &Fleet, host: &HostId, total: f64) {
    let now = Timestamp::now();
    let sample = |minutes: i64| {
        let share = FULL - GROWS * minutes as f64 / 60.0;
        let values = MetricRow::new(EntityKind::Storage).with("used", share * total).with("total", total);
        Sample { entity: Entity::Storage(format!("{host}:/")), at: now - SignedDuration::from_mins(minutes), values }
    };
    let samples: Vec<Sample> = (1..3 * 24 * 6).rev().map(|ten| sample(ten * 10)).collect();
    fleet.store().append_samples(&samples).await.unwrap();
}

/// Asks until there is an alert of that rule about that thing.
fn wait_for(server: &Server, rule: &str, entity: &str) -> Value {
    let began = Instant::now();
    loop {
        let open = server.get("/api/v1/alerts?open=true");
        let found =
            open["items"].as_array().unwrap().iter().find(|alert| alert["rule"] == rule && alert["entity"] == entity);
        if let Some(found) = found {
            return found.clone();
        }
        assert!(began.elapsed() < SOON, "no alert of {rule} about {entity}: {open}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn of_rule(server: &Server, rule: &str) -> Vec<Value> {
    server.get(&format!("/api/v1/alerts?rule={rule}"))["items"].as_array().unwrap().clone()
}

#[test]
fn a_disk_that_fills_is_announced_before_it_is_full_and_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sim = runtime.block_on(Sim::start(Options { hosts: 2, seed: 23, ..Options::default() })).unwrap();
    sim.fill(0, FULL, GROWS);
    let home = Home::new();
    let (filling, silent) = runtime.block_on(async {
        let fleet =
            Fleet::open(FleetOptions { with_this_machine: false, ..FleetOptions::new(home.data_dir()) }).await.unwrap();
        let (filling, silent) = (record(&fleet, &sim.hosts()[0]).await, record(&fleet, &sim.hosts()[1]).await);
        grow(&fleet, &filling, sim.figures(0).disk_kib.0 as f64 * 1024.0).await;
        let soon = json!({ "condition": { "kind": "offline", "for_seconds": 1 } });
        let soon: AlertRuleChange = serde_json::from_value(soon).unwrap();
        fleet.change_alert_rule("offline", soon).await.unwrap();
        fleet.close().await;
        (filling, silent)
    });
    let disk = format!("storage:{filling}:/");

    let server = Server::start_for(&home, "first", "operator");
    let alert = wait_for(&server, "disk-filling", &disk);
    assert!(alert["value"].as_f64().unwrap() < 89.0, "{alert}");
    assert!(alert["text"].as_str().unwrap().starts_with("it will be full in "), "{alert}");
    let hours: f64 = alert["values"]["hours"].as_str().unwrap().parse().unwrap();
    assert!((24.0..36.0).contains(&hours), "{alert}");
    let id = alert["id"].as_str().unwrap();
    let known = server.post(&format!("/api/v1/alerts/{id}/acknowledge"), &json!({ "comment": "a larger disk comes" }));
    assert_eq!((&known["state"], &known["acknowledged_by"]), (&json!("acknowledged"), &json!("token:first")));
    server.kill();

    // The next process tells of what is new, and of nothing twice.
    let server = Server::start_for(&home, "second", "operator");
    sim.fault(1, Fault::Silent);
    let offline = wait_for(&server, "offline", &format!("host:{silent}"));
    assert_eq!(offline["text"], "it does not answer");
    let filled = of_rule(&server, "disk-filling");
    assert_eq!(filled.len(), 1, "{filled:?}");
    assert_eq!((&filled[0]["id"], &filled[0]["state"]), (&json!(id), &json!("acknowledged")));
    assert_eq!((&filled[0]["times"], &filled[0]["comment"]), (&json!(1), &json!("a larger disk comes")));

    // A rule that is removed says so, by whichever program that was done.
    home.json(["alert", "rule", "remove", "offline"]);
    let began = Instant::now();
    let over = loop {
        let over = of_rule(&server, "offline").swap_remove(0);
        if over["state"] == "resolved" {
            break over;
        }
        assert!(began.elapsed() < SOON, "{over}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(over["resolution"], "rule-removed");
    server.kill();
    runtime.block_on(async {
        let fleet = Fleet::open(FleetOptions::new(home.data_dir())).await.unwrap();
        let events = fleet.store().events(0, 10_000).await.unwrap();
        let told = |kind: EventKind| {
            let of_kind = events.iter().filter(|each| each.event.kind == kind);
            of_kind.filter(|each| each.event.data["rule"] == "disk-filling").count()
        };
        assert_eq!((told(EventKind::AlertRaised), told(EventKind::AlertAcknowledged)), (1, 1));
        assert_eq!(told(EventKind::AlertResolved), 0);
        sim.stop().await;
    });
}
