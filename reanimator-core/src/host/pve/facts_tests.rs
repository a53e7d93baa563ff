//! Facts read over an API that answers out of a table, counts, and hangs where it is told to.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{GuestQuestions, ProxmoxCluster, PveApi};
use crate::{
    Error, ErrorKind, Result,
    model::{ConnectionId, Guest, GuestKind, GuestStatus, facts::Watched},
    transport::http::Request,
};

macro_rules! recording {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/recordings/pve/",
            $name,
            ".json"
        )))
        .unwrap()["data"]
            .take()
    };
}

/// What a path does.
#[derive(Clone, Debug)]
enum Does {
    Answer(Value),
    Fail(ErrorKind, &'static str),
    /// As long as it is waited for.
    Hang,
}

#[derive(Debug, Default)]
struct Table {
    does: Mutex<BTreeMap<String, Does>>,
    asked: Mutex<Vec<String>>,
}

impl Table {
    fn answer(&self, path: &str, data: Value) {
        self.set(path, Does::Answer(data));
    }

    fn set(&self, path: &str, does: Does) {
        self.does.lock().unwrap().insert(path.to_owned(), does);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl PveApi for Table {
    async fn call(&self, request: Request) -> Result<Value> {
        let path = request.path.join("/");
        self.asked.lock().unwrap().push(path.clone());
        let does = self.does.lock().unwrap().get(&path).cloned();
        match does {
            Some(Does::Answer(data)) => Ok(data),
            Some(Does::Fail(kind, why)) => Err(Error::new(kind, format!("ask {request}")).because(why)),
            Some(Does::Hang) => {
                tokio::time::sleep(request.time_limit).await;
                Err(Error::new(ErrorKind::Timeout, format!("ask {request}")).because("no answer"))
            }
            None => Err(Error::new(ErrorKind::NotFound, format!("ask {request}")).because("not in the table")),
        }
    }

    fn label(&self) -> String {
        "table".to_owned()
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_230_000).unwrap()
}

fn guest(vmid: &str, kind: GuestKind, status: GuestStatus) -> Guest {
    Guest {
        id: crate::model::GuestId(format!("c1:{vmid}")),
        connection: ConnectionId::from("c1"),
        vmid: vmid.to_owned(),
        name: None,
        kind,
        node: "pve1".to_owned(),
        host_id: None,
        cluster: None,
        status,
        cpu_percent: None,
        cpus: None,
        memory: None,
        disk: None,
        uptime_seconds: None,
        tags: Vec::new(),
        template: false,
        linked_host: None,
        observed_at: None,
    }
}

fn vm() -> Guest {
    guest("100", GuestKind::Qemu, GuestStatus::Running)
}

fn container() -> Guest {
    guest("101", GuestKind::Lxc, GuestStatus::Running)
}

/// A cluster with a VM (with an agent) and a container, as they were recorded.
fn cluster() -> (Arc<Table>, ProxmoxCluster) {
    let table = Arc::new(Table::default());
    table.answer("storage", recording!("storage_list"));
    table.answer("nodes/pve1/storage/local/content", recording!("node_storage_content"));
    for (kind, vmid, config, pending, status, snapshots) in [
        (
            "qemu",
            "100",
            recording!("qemu_config"),
            recording!("qemu_pending"),
            recording!("qemu_status_running"),
            recording!("qemu_snapshots"),
        ),
        (
            "lxc",
            "101",
            recording!("lxc_config"),
            recording!("lxc_pending"),
            recording!("lxc_status"),
            recording!("lxc_snapshots"),
        ),
    ] {
        let at = format!("nodes/pve1/{kind}/{vmid}");
        table.answer(&format!("{at}/config"), config);
        table.answer(&format!("{at}/pending"), pending);
        table.answer(&format!("{at}/status/current"), status);
        table.answer(&format!("{at}/snapshot"), snapshots);
    }
    table.answer("nodes/pve1/lxc/101/interfaces", recording!("lxc_interfaces"));
    let agent = "nodes/pve1/qemu/100/agent";
    table.answer(&format!("{agent}/info"), json!({"result": {"version": "7.2.0"}}));
    table.answer(&format!("{agent}/get-osinfo"), json!({"result": {"pretty-name": "Debian GNU/Linux 12 (bookworm)"}}));
    table.answer(&format!("{agent}/get-fsinfo"), json!({"result": []}));
    table.answer(&format!("{agent}/get-host-name"), json!({"result": {"host-name": "db1"}}));
    let interfaces = json!({"result": [{"name": "ens18", "hardware-address": "bc:24:11:98:f3:13",
        "ip-addresses": [{"ip-address": "192.168.1.100", "ip-address-type": "ipv4", "prefix": 24}]}]});
    table.answer(&format!("{agent}/network-get-interfaces"), interfaces);
    let cluster = ProxmoxCluster::new(ConnectionId::from("c1"), Arc::clone(&table) as Arc<dyn PveApi>);
    (table, cluster)
}

#[tokio::test]
async fn a_vm_is_shown_under_the_names_of_the_contract() {
    let (table, cluster) = cluster();
    let read = cluster.guest_facts(&vm(), GuestQuestions::full(), now()).await.unwrap();
    assert_eq!(read.facts.unseen, []);
    assert_eq!((read.requests as usize, read.agent_silent), (table.asked().len(), false));
    let json = serde_json::to_value(&read.facts.facts).unwrap();
    for (path, value) in [
        ("/config/cores", json!(1)),
        ("/config/sockets", json!(1)),
        ("/config/memory", json!(768)),
        ("/config/ostype", json!("l26")),
        ("/config/bios", json!("seabios")),
        ("/runtime/cpu_percent", json!(55.96)),
        ("/runtime/mem_used_mb", json!(183.36)),
        ("/runtime/mem_total_mb", json!(512.0)),
        ("/runtime/uptime_seconds", json!(881)),
        ("/runtime/netin_bytes", json!(1426)),
        ("/runtime/netout_bytes", json!(72600)),
        ("/runtime/diskread_bytes", json!(null)),
        ("/disks/0/disk_name", json!("scsi0")),
        ("/disks/0/storage", json!("local")),
        ("/disks/0/volume", json!("100/vm-100-disk-0.qcow2")),
        ("/disks/0/dataset", json!(null)),
        ("/disks/0/size_gb", json!(1.0)),
        ("/disks/0/used_gb", json!(0.0)),
        ("/networks/0/id", json!("net0")),
        ("/networks/0/bridge", json!("vmbr0")),
        ("/networks/0/model", json!("virtio")),
        ("/networks/0/mac", json!("bc:24:11:98:f3:13")),
        ("/ip_addresses/ipv4", json!(["192.168.1.100"])),
        ("/ip_addresses/ipv6", json!([])),
        ("/ip_addresses/all", json!(["192.168.1.100"])),
        ("/snapshots/count", json!(1)),
        ("/snapshots/list/0/name", json!("before-upgrade")),
        ("/agent/enabled", json!(true)),
        ("/agent/version", json!("7.2.0")),
        ("/pending/0/key", json!("memory")),
        ("/backups/count", json!(0)),
    ] {
        assert_eq!(json.pointer(path), Some(&value), "{path}");
    }
    let watched = read.facts.facts.watched();
    assert_eq!(watched["memory"], "768 MiB");
    assert_eq!(watched["disk scsi0"], "local:100/vm-100-disk-0.qcow2, 1 GiB");
    assert_eq!(watched["network net0"], "virtio bc:24:11:98:f3:13 on vmbr0");
    assert_eq!(watched["addresses net0"], "192.168.1.100");
}

#[tokio::test]
async fn in_the_background_a_guest_costs_two_requests_and_is_identified_too() {
    let (table, cluster) = cluster();
    let mut all = cluster.guests_in_background(&[vm(), container()], now()).await;
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(table.asked().iter().filter(|path| *path != "storage").count(), 4);
    let [(_, vm_read), (_, container_read)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(vm_read.identity.macs, ["bc:24:11:98:f3:13"]);
    assert_eq!(vm_read.facts.facts.ip_addresses.source.as_deref(), Some("guest agent"));
    assert_eq!(container_read.facts.facts.ip_addresses.source.as_deref(), Some("container"));
    assert_eq!((&vm_read.facts.facts.snapshots, &vm_read.facts.facts.backups), (&None, &None));
    cluster.guests_in_background(&[vm()], now()).await;
    assert!(!table.asked().contains(&"storage".to_owned()), "kept from before");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_hangs_costs_one_short_wait_and_a_note() {
    let (table, cluster) = cluster();
    table.set("nodes/pve1/qemu/100/agent/network-get-interfaces", Does::Hang);
    let before = tokio::time::Instant::now();
    let read = cluster.guest_facts(&vm(), GuestQuestions::full(), now()).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(3));
    assert!(read.agent_silent);
    assert_eq!(table.asked().iter().filter(|path| path.contains("/agent/")).count(), 1);
    assert_eq!(read.facts.unseen.len(), 1, "{:?}", read.facts.unseen);
    assert_eq!(read.facts.unseen[0].what, "what the guest agent tells");
    let agent = read.facts.facts.agent.unwrap();
    assert_eq!((agent.enabled, agent.answered_at), (true, None));
    let read = cluster.guest_facts(&vm(), GuestQuestions::full().without_agent(), now()).await.unwrap();
    assert_eq!((read.agent_silent, read.facts.unseen[0].why.as_str()), (false, "it did not answer lately"));
    assert!(!table.asked().iter().any(|path| path.contains("/agent/")));
}

#[tokio::test]
async fn an_agent_that_lacks_one_command_is_asked_for_the_others() {
    let (table, cluster) = cluster();
    let lacks = Does::Fail(ErrorKind::Conflict, "the command guest-get-osinfo has not been found");
    table.set("nodes/pve1/qemu/100/agent/get-osinfo", lacks);
    let read = cluster.guest_facts(&vm(), GuestQuestions::full(), now()).await.unwrap();
    let agent = read.facts.facts.agent.unwrap();
    assert_eq!((agent.hostname.as_deref(), agent.system, read.agent_silent), (Some("db1"), None, false));
    assert_eq!(read.facts.unseen[0].what, "what the guest agent tells on get-osinfo");
}

#[tokio::test]
async fn what_a_guest_does_not_tell_is_a_note_and_a_node_that_is_gone_is_not_asked_on() {
    let (table, cluster) = cluster();
    table.set("nodes/pve1/lxc/101/pending", Does::Fail(ErrorKind::Denied, "the login lacks VM.Audit"));
    let read = cluster.guest_facts(&container(), GuestQuestions::full(), now()).await.unwrap();
    assert_eq!(read.facts.unseen.len(), 1);
    let facts = &read.facts.facts;
    assert_eq!((facts.disks[0].used_gb, &facts.agent), (Some(0.18), &None));
    table.set("nodes/pve1/lxc/101/pending", Does::Fail(ErrorKind::Unreachable, "no route to host"));
    table.asked();
    let read = cluster.guest_facts(&container(), GuestQuestions::full(), now()).await.unwrap();
    assert_eq!(table.asked(), ["nodes/pve1/lxc/101/config", "nodes/pve1/lxc/101/pending"]);
    assert!(read.facts.unseen.len() > 3 && read.facts.facts.backups.is_none());
    table.set("nodes/pve1/lxc/101/config", Does::Fail(ErrorKind::NotFound, "gone"));
    let error = cluster.guest_facts(&container(), GuestQuestions::full(), now()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
