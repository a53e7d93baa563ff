//! A node of a look-alike cluster goes through a whole maintenance: emptied over two targets, shut down, woken, filled again,
//! by a server that is killed on the way; and the plan's own refusals.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use pve_sim::{Options, Sim};
use reanimator_core::{
    host::pve::{PveApi as _, PveHttps},
    transport::http::Request,
};
use reanimator_tests::{
    cluster,
    program::{Home, Server},
};
use serde_json::{Value, json};

/// Longer than any part of it takes.
const STUCK_AFTER: Duration = Duration::from_secs(120);
/// The node that needs maintenance. The first one is the way to the cluster.
const NODE: &str = "pve2";

/// A cluster of three nodes, and a home in which a fleet knows it.
struct Ward {
    sim: Sim,
    home: Home,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(200);
        let options = Options { nodes: 3, guests: 18, task_time, ..Options::default() };
        let sim = Sim::start(options).await.unwrap();
        let home = Home::new();
        let info = sim.info();
        home.connect(&info.url, &info.token, &info.fingerprint);
        let ward = Self { sim, home };
        let mac = Request::put(["nodes", NODE, "config"]).param("wakeonlan", "bc:24:11:00:00:02");
        ward.api().call(mac).await.unwrap();
        ward
    }

    /// The API of the cluster, at the third node.
    fn api(&self) -> PveHttps {
        cluster::api(&self.sim, 2)
    }

    /// Where each guest that runs is.
    async fn running(&self) -> BTreeMap<u64, String> {
        let rows = self.api().call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
        let rows = rows.as_array().unwrap().iter().filter(|row| row["status"] == "running");
        rows.map(|row| (row["vmid"].as_u64().unwrap(), row["node"].as_str().unwrap().to_owned())).collect()
    }

    /// How many migrations the cluster began.
    async fn migrations(&self) -> usize {
        let mut count = 0;
        for node in ["pve1", "pve2", "pve3"] {
            let asked = Request::get(["nodes", node, "tasks"]).param("source", "all").param("limit", "5000");
            let Ok(tasks) = self.api().call(asked).await else { continue };
            let is_move = |task: &&Value| matches!(task["type"].as_str().unwrap(), "qmigrate" | "vzmigrate");
            count += tasks.as_array().unwrap().iter().filter(is_move).count();
        }
        count
    }

    async fn is_online(&self, node: &str) -> bool {
        let rows = self.api().call(Request::get(["cluster", "resources"]).param("type", "node")).await.unwrap();
        rows.as_array().unwrap().iter().any(|row| row["node"] == node && row["status"] == "online")
    }

    fn operation(&self, id: &str) -> Value {
        self.home.json(["op", "show", id])
    }

    /// Waits until an operation is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let operation = self.operation(id);
            if wanted(&operation) {
                return operation;
            }
            assert!(began.elapsed() < STUCK_AFTER, "it is stuck: {operation:#}");
            assert_ne!(operation["state"], "failed", "{operation:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn steps(operation: &Value) -> &Vec<Value> {
    operation["steps"].as_array().unwrap()
}

fn is_done(step: &Value) -> bool {
    step["state"] == "done" || step["state"] == "already"
}

fn begins(step: &Value) -> bool {
    step["state"] != "pending"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_emptied_shut_down_woken_and_filled_again_while_the_server_is_killed() {
    let ward = Ward::open().await;
    let before = ward.running().await;
    let there: BTreeSet<u64> = before.iter().filter(|(_, node)| *node == NODE).map(|(vmid, _)| *vmid).collect();
    assert!(there.len() >= 2, "there is something to move: {before:?}");

    let server = Server::start_for(&ward.home, "one", "operator");
    let wish = json!({ "do": "enter", "shutdown": true, "local_disks": true });
    let dry = server.post(&format!("/api/v1/hosts/{NODE}/maintenance?dry_run=true"), &wish);
    let targets: BTreeSet<&str> =
        dry["moves"].as_array().unwrap().iter().map(|each| each["to_name"].as_str().unwrap()).collect();
    assert_eq!(targets, BTreeSet::from(["pve1", "pve3"]), "{dry:#}");
    let refused = |step: &Value| {
        !step["refused"].as_array().unwrap().is_empty() || !step["objections"].as_array().unwrap().is_empty()
    };
    assert!(!steps(&dry).iter().any(refused), "{dry:#}");
    assert_eq!(ward.running().await, before, "a dry run does nothing");

    // Out, and killed when some are moved and others are not.
    let asked = server.post(&format!("/api/v1/hosts/{NODE}/maintenance"), &wish);
    let id = asked["id"].as_str().unwrap();
    let moves = |operation: &Value| {
        let all = steps(operation).iter().filter(|step| step["action"]["do"] == "migrate");
        all.filter(|step| begins(step)).count()
    };
    ward.until(id, |operation| moves(operation) >= 1).await;
    server.kill();
    assert!(!ward.operation(id)["ended_at"].is_string(), "it was killed on the way");

    let server = Server::start_for(&ward.home, "two", "operator");
    // Killed again when it is about to go off.
    ward.until(id, |operation| begins(steps(operation).last().unwrap())).await;
    server.kill();
    let server = Server::start_for(&ward.home, "three", "operator");
    let out = ward.until(id, |operation| operation["state"] == "done").await;
    assert!(steps(&out).iter().all(is_done), "{out:#}");
    let now = ward.running().await;
    assert!(!ward.is_online(NODE).await);
    assert_eq!(now.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "none was lost, all run");
    let used: BTreeSet<&String> = there.iter().map(|vmid| &now[vmid]).collect();
    assert_eq!(used.len(), 2, "they are spread over two targets: {now:?}");
    assert_eq!(ward.home.json(["host", "show", NODE])["host"]["state"], "maintenance");

    // Back, and killed while it wakes.
    let asked = server.post(
        &format!("/api/v1/hosts/{NODE}/maintenance"),
        &json!({ "do": "leave", "wake": true, "bring_back": true }),
    );
    let id = asked["id"].as_str().unwrap();
    ward.until(id, |operation| begins(&steps(operation)[0])).await;
    server.kill();
    let _server = Server::start_for(&ward.home, "four", "operator");
    let back = ward.until(id, |operation| operation["state"] == "done").await;
    assert!(steps(&back).iter().all(is_done), "{back:#}");
    assert!(ward.is_online(NODE).await);
    // A node that starts may start more guests than ran on it.
    let mut now = ward.running().await;
    now.retain(|vmid, _| before.contains_key(vmid));
    assert_eq!(now, before, "each is where it was");
    assert_eq!(ward.migrations().await, there.len() * 2, "each went once, and came once");

    let trail = ward.home.json(["audit", "list", "--limit", "100"]);
    let said = trail.to_string();
    for id in [out["id"].as_str().unwrap(), id] {
        assert!(said.contains(id), "both stand in the audit trail: {trail:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_guests_can_go_nowhere_is_not_emptied_unasked() {
    let ward = Ward::open().await;
    // Local disks bind guests to their node.
    let said = ward.home.refusal(["host", "maintenance", "enter", NODE, "--dry-run"]);
    assert!(said.contains("can go nowhere") && said.contains("has disks that only pve2 has"), "{said}");
    let own = ward.home.refusal(["host", "maintenance", "enter", NODE, "--to", NODE, "--dry-run"]);
    assert!(own.contains("among its own targets"), "{own}");
    let left = ward.home.json(["host", "maintenance", "enter", NODE, "--leave-behind", "--dry-run"]);
    let stays = left["stays"].as_array().unwrap();
    assert!(
        stays.iter().any(|stay| stay["is_well"] == false && !stay["refused"].as_array().unwrap().is_empty()),
        "{left:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_that_left_bit_by_bit_all_come_back() {
    let ward = Ward::open().await;
    let before = ward.running().await;
    let there: BTreeSet<u64> = before.iter().filter(|(_, node)| *node == NODE).map(|(vmid, _)| *vmid).collect();
    let enter = ["host", "maintenance", "enter", NODE, "--local-disks"];
    assert_eq!(ward.home.json(enter)["state"], "done");
    // Once more, when nothing is left to be moved.
    assert_eq!(ward.home.json(enter)["state"], "done");
    let leave = ["host", "maintenance", "leave", NODE, "--bring-back"];
    let dry = ward.home.json([&leave[..], &["--dry-run"]].concat());
    assert_eq!(dry["moves"].as_array().unwrap().len(), there.len(), "{dry:#}");
    assert_eq!(ward.home.json(leave)["state"], "done");
    assert_eq!(ward.running().await, before);
    let again = ward.home.json([&leave[..], &["--dry-run"]].concat());
    assert_eq!(again["moves"], json!([]), "what came back does not come back twice: {again:#}");
}
