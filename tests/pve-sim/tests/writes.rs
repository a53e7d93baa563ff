//! Changes: they take real state from one shape to another, through tasks.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Api, quick, start, start_with};
use pve_sim::{Options, Order};
use serde_json::json;

#[tokio::test]
async fn a_guest_starts_and_stops_through_tasks() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let stop = api.post("/nodes/pve1/qemu/100/status/stop", &[]).await.data();
    assert!(stop.as_str().unwrap().ends_with(":qmstop:100:root@pam!sim:"), "{stop}");
    assert_eq!(api.wait(&stop).await, "OK");
    let status = api.get("/nodes/pve1/qemu/100/status/current").await.data();
    assert_eq!((&status["status"], &status["uptime"]), (&json!("stopped"), &json!(0)));
    let start = api.post("/nodes/pve1/qemu/100/status/start", &[]).await.data();
    assert_eq!(api.wait(&start).await, "OK");
    let status = api.get("/nodes/pve1/qemu/100/status/current").await.data();
    assert_eq!(status["qmpstatus"], "running");
    let tasks = api.get("/nodes/pve1/tasks?vmid=100").await;
    assert_eq!(tasks.json()["total"], 2);
    let id = start.as_str().unwrap().replace('!', "%21").replace(':', "%3A");
    let log = api.get(&format!("/nodes/pve1/tasks/{id}/log")).await.data();
    assert_eq!(log[0]["t"], "TASK OK");
}

#[tokio::test]
async fn a_running_vm_takes_a_start_and_its_task_fails() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let upid = api.post("/nodes/pve1/qemu/100/status/start", &[]).await.data();
    assert_eq!(api.wait(&upid).await, "VM 100 already running");
    let errors = api.get("/nodes/pve1/tasks?errors=1").await.data();
    assert_eq!(errors[0]["status"], "VM 100 already running");
}

#[tokio::test]
async fn memory_of_a_running_vm_waits_for_a_restart() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let before = api.get("/nodes/pve1/qemu/100/config").await.data();
    let change = [("memory", "768"), ("tags", "one,two"), ("digest", before["digest"].as_str().unwrap())];
    let done = api.send("PUT", "/nodes/pve1/qemu/100/config", &change).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    let written = api.get("/nodes/pve1/qemu/100/config").await.data();
    assert_eq!((&written["memory"], &written["tags"]), (&json!("768"), &json!("one;two")));
    let live = api.get("/nodes/pve1/qemu/100/config?current=1").await.data();
    assert_eq!((&live["memory"], &live["tags"]), (&before["memory"], &json!("one;two")));
    let pending = api.get("/nodes/pve1/qemu/100/pending").await.data();
    let memory = pending.as_array().unwrap().iter().find(|entry| entry["key"] == "memory");
    assert_eq!(memory.unwrap()["pending"], "768");
    // The digest has changed, so the same change is refused now.
    let again = api.send("PUT", "/nodes/pve1/qemu/100/config", &change).await.unwrap();
    assert_eq!(again.reason, "checksum mismatch (file change by other user?)");
    let upid = api.post("/nodes/pve1/qemu/100/status/reboot", &[]).await.data();
    api.wait(&upid).await;
    let live = api.get("/nodes/pve1/qemu/100/config?current=1").await.data();
    assert_eq!(live["memory"], "768");
}

#[tokio::test]
async fn snapshots_bring_back_the_configuration() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let name = [("snapname", "clean"), ("description", "before")];
    let upid = api.post("/nodes/pve1/qemu/103/snapshot", &name).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
    let twice = api.post("/nodes/pve1/qemu/103/snapshot", &name).await;
    assert_eq!(twice.reason, "snapshot name 'clean' already used");
    let rename = [("name", "changed")];
    api.send("PUT", "/nodes/pve1/qemu/103/config", &rename).await.unwrap().data();
    let upid = api.post("/nodes/pve1/qemu/103/snapshot/clean/rollback", &[]).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
    let config = api.get("/nodes/pve1/qemu/103/config").await.data();
    assert_eq!(config["name"], "clone1");
    let gone = api.send("DELETE", "/nodes/pve1/qemu/103/snapshot/clean", &[]).await.unwrap();
    api.wait(&gone.data()).await;
    let list = api.get("/nodes/pve1/qemu/103/snapshot").await.data();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["before-upgrade", "current"]);
}

#[tokio::test]
async fn a_migration_moves_a_guest_and_locks_it_meanwhile() {
    let sim = start(3).await;
    let api = Api::of(&sim);
    let offline = api.post("/nodes/pve1/qemu/100/migrate", &[("target", "pve2")]).await;
    assert_eq!(offline.reason, "can't migrate running VM without --online");
    let nowhere = api.post("/nodes/pve1/qemu/100/migrate", &[("target", "pve9")]).await;
    assert_eq!(nowhere.reason, "no such cluster node 'pve9'");
    let slow = Order::new("slow-task").vmid(100).milliseconds(300);
    sim.control().apply(slow).await.unwrap();
    let params = [("target", "pve2"), ("online", "1")];
    let upid = api.post("/nodes/pve1/qemu/100/migrate", &params).await.data();
    let stop = api.post("/nodes/pve1/qemu/100/status/stop", &[]).await;
    assert_eq!(stop.reason, "VM is locked (migrate)");
    assert_eq!(api.wait(&upid).await, "OK");
    let old = api.get("/nodes/pve1/qemu/100/config").await;
    assert_eq!(old.reason, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist");
    let status = api.get("/nodes/pve2/qemu/100/status/current").await.data();
    assert_eq!(status["status"], "running");
    assert!(status["uptime"].as_u64().unwrap() > 60, "a live migration does not restart: {status}");
}

#[tokio::test]
async fn a_container_migrates_only_with_a_restart() {
    let sim = start(2).await;
    let api = Api::of(&sim);
    let plain = api.post("/nodes/pve2/lxc/101/migrate", &[("target", "pve1")]).await;
    assert_eq!(plain.reason, "can't migrate running container without --online or --restart");
    let params = [("target", "pve1"), ("restart", "1")];
    let upid = api.post("/nodes/pve2/lxc/101/migrate", &params).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
    let status = api.get("/nodes/pve1/lxc/101/status/current").await.data();
    assert!(status["uptime"].as_u64().unwrap() < 60, "{status}");
}

#[tokio::test]
async fn a_managed_guest_migrates_in_a_second_task() {
    let sim = start(2).await;
    let api = Api::of(&sim);
    api.post("/cluster/ha/resources", &[("sid", "vm:100")]).await.data();
    let params = [("target", "pve2"), ("online", "1")];
    let upid = api.post("/nodes/pve1/qemu/100/migrate", &params).await.data();
    assert!(upid.as_str().unwrap().contains(":hamigrate:100:"), "{upid}");
    assert_eq!(api.wait(&upid).await, "OK");
    // The manager begins it in its next round.
    let began = std::time::Instant::now();
    let real = loop {
        let tasks = api.get("/nodes/pve1/tasks?source=all&typefilter=qmigrate").await.data();
        if tasks[0]["upid"].is_string() {
            break tasks[0]["upid"].clone();
        }
        assert!(began.elapsed().as_secs() < 20, "the manager has not begun: {tasks}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(real.as_str().unwrap().contains(":qmigrate:100:root@pam:"), "{real}");
    assert_eq!(api.wait(&real).await, "OK");
    api.get("/nodes/pve2/qemu/100/config").await.data();
}

#[tokio::test]
async fn a_guest_is_made_cloned_backed_up_and_deleted() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let next = api.get("/cluster/nextid").await.data();
    let id = next.as_str().unwrap();
    let params = [
        ("vmid", id),
        ("name", "fresh"),
        ("memory", "1024"),
        ("scsi0", "local-lvm:4"),
        ("net0", "virtio,bridge=vmbr0"),
    ];
    let upid = api.post("/nodes/pve1/qemu", &params).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
    let config = api.get(&format!("/nodes/pve1/qemu/{id}/config")).await.data();
    assert_eq!(config["scsi0"], format!("local-lvm:vm-{id}-disk-0,size=4G"));
    assert!(config["net0"].as_str().unwrap().starts_with("virtio=BC:24:11:"), "{config}");
    let params = [("newid", "500"), ("name", "copy"), ("full", "1")];
    let upid = api.post("/nodes/pve1/qemu/104/clone", &params).await.data();
    assert_eq!(api.wait(&upid).await, "OK");
    let grow = [("disk", "scsi0"), ("size", "+2G")];
    let upid = api.send("PUT", "/nodes/pve1/qemu/500/resize", &grow).await.unwrap().data();
    assert_eq!(api.wait(&upid).await, "OK");
    let copy = api.get("/nodes/pve1/qemu/500/config").await.data();
    assert_eq!(copy["scsi0"], "local-lvm:vm-500-disk-0,size=10G");
    let upid = api.post("/nodes/pve1/vzdump", &[("vmid", "500"), ("storage", "local")]).await;
    assert_eq!(api.wait(&upid.data()).await, "OK");
    let backups = api.get("/nodes/pve1/storage/local/content?content=backup").await.data();
    assert_eq!(backups[0]["vmid"], 500);
    let gone = api.send("DELETE", "/nodes/pve1/qemu/500", &[("purge", "1")]).await.unwrap();
    assert_eq!(api.wait(&gone.data()).await, "OK");
    assert_eq!(api.get("/nodes/pve1/qemu/500/config").await.status, 500);
}

#[tokio::test]
async fn tokens_and_permissions_can_be_granted() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let made = api.post("/access/users/root@pam/token/watcher", &[("privsep", "1")]).await.data();
    let token = format!("root@pam!watcher={}", made["value"].as_str().unwrap());
    let watcher = Api::new(&sim.info().url, Some(&token));
    let refused = watcher.get("/nodes/pve1/status").await;
    assert_eq!(refused.reason, "Permission check failed (/nodes/pve1, Sys.Audit)");
    let grant = [("path", "/"), ("roles", "PVEAuditor"), ("tokens", "root@pam!watcher")];
    api.send("PUT", "/access/acl", &grant).await.unwrap().data();
    assert_eq!(watcher.get("/nodes/pve1/status").await.status, 200);
    let start = watcher.post("/nodes/pve1/lxc/102/status/start", &[]).await;
    assert_eq!(start.reason, "Permission check failed (/vms/102, VM.PowerMgmt)");
}

#[tokio::test]
async fn rules_take_what_the_documentation_names() {
    let sim = start(3).await;
    let api = Api::of(&sim);
    let rule = [
        ("rule", "keep-apart"),
        ("type", "resource-affinity"),
        ("resources", "vm:100,ct:101"),
        ("affinity", "negative"),
    ];
    api.post("/cluster/ha/rules", &rule).await.data();
    let list = api.get("/cluster/ha/rules?type=resource-affinity").await.data();
    assert_eq!(list[0]["affinity"], "negative");
    let bad = api.post("/cluster/ha/rules", &[("rule", "x"), ("colour", "red")]).await;
    assert_eq!(bad.status, 400);
    assert!(bad.json()["errors"]["colour"].is_string(), "{bad:?}");
}

#[tokio::test]
async fn a_ticket_logs_in_and_writing_needs_its_csrf_token() {
    let sim = start_with(Options { nodes: 2, ..quick() }).await;
    let info = sim.info();
    let mut api = Api::new(&info.url, None);
    let login = [("username", "root@pam"), ("password", info.password.as_str())];
    let ticket = api.post("/access/ticket", &login).await.data();
    assert_eq!(ticket["clustername"], "sim1");
    let cookie = format!("PVEAuthCookie={}", ticket["ticket"].as_str().unwrap().replace('+', "%2B"));
    api.headers.push(("Cookie", cookie));
    let path = "/nodes/pve1/qemu/100/status/stop";
    let refused = api.post(path, &[]).await;
    assert_eq!(
        (refused.status, refused.reason.as_str(), refused.text.as_str()),
        (401, "Permission denied - invalid csrf token", "")
    );
    let guard = ticket["CSRFPreventionToken"].as_str().unwrap().to_owned();
    api.headers.push(("CSRFPreventionToken", guard));
    assert_eq!(api.post(path, &[]).await.status, 200);
    // Another node of the cluster takes the ticket too; it renews itself.
    api.url.clone_from(&info.nodes[1].url);
    assert_eq!(api.get("/version").await.status, 200);
    let renew = [("username", "root@pam"), ("password", ticket["ticket"].as_str().unwrap())];
    assert_eq!(api.post("/access/ticket", &renew).await.status, 200);
}
