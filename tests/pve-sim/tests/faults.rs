//! Faults that are ordered: each is what a client would really meet.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Api, quick, start, start_with};
use pve_sim::{Options, Order};
use serde_json::{Value, json};

#[tokio::test]
async fn a_node_that_is_down_refuses_connections_and_comes_back() {
    let sim = start(3).await;
    let (api, info) = (Api::of(&sim), sim.info());
    let second = Api::new(&info.nodes[1].url, Some(&info.token));
    assert_eq!(second.get("/version").await.status, 200);
    sim.control().node_down("pve2").await.unwrap();
    assert!(second.send("GET", "/version", &[]).await.unwrap_err().is_connect());
    let through = api.get("/nodes/pve2/status").await;
    assert_eq!((through.status, through.text.as_str()), (595, ""));
    // Two of three are left, so writes go on, and its guests are still listed.
    let guests = api.get("/cluster/resources?type=vm").await.data();
    let there = guests.as_array().unwrap().iter().find(|guest| guest["vmid"] == 101).unwrap();
    assert_eq!((&there["node"], &there["status"]), (&json!("pve2"), &json!("running")));
    assert_eq!(api.post("/nodes/pve3/lxc/102/status/start", &[]).await.status, 200);
    sim.control().node_up("pve2").await.unwrap();
    assert_eq!(second.get("/version").await.status, 200);
    assert_eq!(api.get("/nodes/pve2/status").await.status, 200);
}

#[tokio::test]
async fn requests_meet_what_was_ordered_as_often_as_ordered() {
    let sim = start(2).await;
    let (api, control) = (Api::of(&sim), sim.control());
    for (fault, status) in [("595", 595), ("596", 596), ("401", 401), ("403", 403)] {
        let order = Order::new(fault).node("pve2").times(1);
        control.apply(order).await.unwrap();
        assert_eq!(api.get("/nodes/pve1/status").await.status, 200, "{fault} of another node");
        assert_eq!(api.get("/nodes/pve2/status").await.status, status);
        assert_eq!(api.get("/nodes/pve2/status").await.status, 200, "{fault} once only");
    }
    control.apply(Order::new("half-json").path("/cluster").times(1)).await.unwrap();
    let half = api.get("/cluster/resources").await;
    assert_eq!(half.status, 200);
    assert!(half.text.len() > 100 && serde_json::from_str::<Value>(&half.text).is_err());
    control.apply(Order::new("html").vmid(100).times(1)).await.unwrap();
    let page = api.get("/nodes/pve1/qemu/100/config").await;
    assert!(page.text.starts_with("<html>"), "{page:?}");
    control.apply(Order::new("slow").path("/version").milliseconds(300)).await.unwrap();
    let before = Instant::now();
    api.get("/version").await.data();
    assert!(before.elapsed() >= Duration::from_millis(300));
    control.clear().await;
    let before = Instant::now();
    api.get("/version").await.data();
    assert!(before.elapsed() < Duration::from_millis(300));
}

#[tokio::test]
async fn guests_lock_and_tasks_fail_on_order() {
    let sim = start(1).await;
    let (api, control) = (Api::of(&sim), sim.control());
    control.apply(Order::new("locked").vmid(100)).await.unwrap();
    let refused = api.post("/nodes/pve1/qemu/100/status/stop", &[]).await;
    assert_eq!((refused.status, refused.reason.as_str()), (500, "VM is locked (backup)"));
    control.clear().await;
    control.apply(Order::new("task-fails").vmid(100)).await.unwrap();
    let upid = api.post("/nodes/pve1/qemu/100/status/stop", &[]).await.data();
    assert_eq!(api.wait(&upid).await, "simulated failure");
    let status = api.get("/nodes/pve1/qemu/100/status/current").await.data();
    assert_eq!(status["status"], "running");
    let upid = api.post("/nodes/pve1/qemu/100/status/stop", &[]).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
}

#[tokio::test]
async fn a_new_certificate_is_served_and_listed() {
    let sim = start(2).await;
    let api = Api::of(&sim);
    let old = sim.info().nodes[1].fingerprint.clone();
    let order = Order::new("new-certificate").node("pve2");
    let answer = sim.control().apply(order).await.unwrap();
    assert_ne!(answer["fingerprint"], old);
    let nodes = api.get("/nodes").await.data();
    assert_eq!(nodes[1]["ssl_fingerprint"], answer["fingerprint"]);
    // The certificate's own text agrees with the fingerprint that is served.
    assert_eq!(served_fingerprint(&sim.info().nodes[1].url).await, answer["fingerprint"]);
}

/// Connects and computes the fingerprint of what is presented.
async fn served_fingerprint(url: &str) -> String {
    let client = {
        Api::new(url, None);
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true).build().unwrap()
    };
    let response = client.get(url).send().await.unwrap();
    let info = response.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(info.peer_certificate().unwrap());
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[tokio::test]
async fn the_control_address_takes_orders_as_json() {
    let sim = start(2).await;
    // Another test of this program may have done so already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::new();
    let post = |body: Value| client.post(&sim.info().control).body(body.to_string()).send();
    let done = post(json!({"fault": "quorum-lost"})).await.unwrap();
    assert_eq!(done.status(), 200);
    let api = Api::of(&sim);
    let cluster = &api.get("/cluster/status").await.data()[0];
    assert_eq!(cluster["quorate"], 0);
    for bad in [json!({"fault": "rain"}), json!({"fault": "node-down", "node": "pve9"}), json!(7)] {
        let refused = post(bad.clone()).await.unwrap();
        assert_eq!(refused.status(), 400, "{bad}");
    }
    post(json!({"fault": "clear"})).await.unwrap();
    assert_eq!(api.get("/cluster/status").await.data()[0]["quorate"], 1);
}

#[tokio::test]
async fn a_failed_login_is_held_back() {
    let sim = start_with(Options { login_delay: Duration::from_millis(400), ..quick() }).await;
    let api = Api::new(&sim.info().url, None);
    let before = Instant::now();
    let login = [("username", "root@pam"), ("password", "wrong")];
    let refused = api.post("/access/ticket", &login).await;
    assert_eq!((refused.status, refused.reason.as_str()), (401, "authentication failure"));
    assert!(before.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn it_stops_when_dropped() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    api.get("/version").await.data();
    drop(sim);
    for _ in 0..100 {
        if api.send("GET", "/version", &[]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it still answers");
}

#[tokio::test]
async fn a_fleet_is_many_clusters() {
    let sim = start_with(Options { clusters: 4, nodes: 4, guests: 20, ..quick() }).await;
    let nodes = &sim.info().nodes;
    assert_eq!(nodes.len(), 16);
    let fingerprints: std::collections::BTreeSet<&str> = nodes.iter().map(|node| node.fingerprint.as_str()).collect();
    assert_eq!(fingerprints.len(), 16);
    let last = Api::new(&nodes[15].url, Some(&sim.info().token));
    let status = last.get("/cluster/status").await.data();
    assert_eq!((&status[0]["name"], &status[4]["local"]), (&json!("sim4"), &json!(1)));
    // The address in the answer, with this port, is where the node answers.
    let ip = status[1]["ip"].as_str().unwrap();
    assert!(nodes[12].url.contains(ip), "{ip} is not in {}", nodes[12].url);
}

#[tokio::test]
async fn an_agent_hangs_when_told_to_and_others_are_not_there_at_all() {
    let sim = start_with(Options { nodes: 3, guests: 24, ..quick() }).await;
    let (api, control) = (Api::of(&sim), sim.control());
    let agent = "/nodes/pve1/qemu/100/agent/network-get-interfaces";
    assert_eq!(api.get("/nodes/pve1/qemu/100/agent/info").await.data()["result"]["version"], "7.2.0");
    control.apply(Order::new("slow").path("/nodes/pve1/qemu/100/agent").milliseconds(400)).await.unwrap();
    let before = Instant::now();
    api.get(agent).await;
    assert!(before.elapsed() >= Duration::from_millis(400));
    let before = Instant::now();
    api.get("/nodes/pve1/qemu/100/config").await.data();
    assert!(before.elapsed() < Duration::from_millis(400), "only the agent hangs");
    let guests = api.get("/cluster/resources?type=vm").await.data();
    let running =
        guests.as_array().unwrap().iter().filter(|guest| guest["type"] == "qemu" && guest["status"] == "running");
    let mut silent = 0;
    for guest in running.filter(|guest| guest["vmid"] != 100) {
        let path = format!("/nodes/{}/qemu/{}/agent/info", guest["node"].as_str().unwrap(), guest["vmid"]);
        let answer = api.get(&path).await;
        assert!(answer.status == 200 || answer.reason == "QEMU guest agent is not running", "{answer:?}");
        silent += usize::from(answer.status != 200);
    }
    assert!(silent > 0);
}

#[tokio::test]
async fn a_cluster_has_what_is_worth_a_look() {
    let sim = start_with(Options { nodes: 3, guests: 24, ..quick() }).await;
    let api = Api::of(&sim);
    let get = async |path: &str| api.get(path).await.data();
    let pool = get("/nodes/pve2/disks/zfs/tank").await;
    assert_eq!(
        (&pool["state"], &get("/nodes/pve1/disks/zfs").await[0]["health"]),
        (&json!("DEGRADED"), &json!("ONLINE"))
    );
    let disks = get("/nodes/pve2/disks/list").await;
    assert_eq!(
        (&disks[1]["wearout"], &disks[2]["health"], &disks[2]["wearout"]),
        (&json!(4), &json!("FAILED!"), &json!("N/A"))
    );
    for (node, status) in [("pve1", "notfound"), ("pve2", "active"), ("pve3", "expired")] {
        assert_eq!(get(&format!("/nodes/{node}/subscription")).await["status"], status);
    }
    let job = &get("/cluster/replication").await[0];
    let (vmid, source) = (job["guest"].as_u64().unwrap(), job["source"].as_str().unwrap());
    let state = &get(&format!("/nodes/{source}/replication")).await[0];
    assert_eq!((&state["guest"], &state["fail_count"]), (&json!(vmid.to_string()), &json!(2)));
    let pending = get(&format!("/nodes/{source}/qemu/{vmid}/pending")).await;
    let waits = |key: &str| pending.as_array().unwrap().iter().find(|each| each["key"] == key).unwrap().clone();
    assert!(waits("memory")["pending"].is_string() && waits("serial0")["delete"] == 1);
    assert_eq!(get("/cluster/ha/rules").await[0]["resources"], format!("vm:{vmid}"));
    let content = get("/nodes/pve1/storage/shared-nfs/content?content=backup&vmid=100").await;
    assert_eq!(content.as_array().unwrap().len(), 2);
    for (path, words) in [
        ("/cluster/ceph/status", "binary not installed: /usr/bin/ceph-mon"),
        ("/cluster/ha/groups", "cannot index groups: ha groups have been migrated to rules"),
    ] {
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.reason.as_str()), (500, words));
    }
}
