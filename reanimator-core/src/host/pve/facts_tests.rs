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

use super::{ClusterQuestions, GuestQuestions, ProxmoxCluster, PveApi, backups_tests::node};
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
pub(super) enum Does {
    Answer(Value),
    Fail(ErrorKind, &'static str),
    /// As long as it is waited for.
    Hang,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    does: Mutex<BTreeMap<String, Does>>,
    asked: Mutex<Vec<String>>,
}

impl Table {
    pub(super) fn answer(&self, path: &str, data: Value) {
        self.set(path, Does::Answer(data));
    }

    pub(super) fn set(&self, path: &str, does: Does) {
        self.does.lock().unwrap().insert(path.to_owned(), does);
    }

    pub(super) fn asked(&self) -> Vec<String> {
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

pub(super) fn now() -> Timestamp {
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
        counters: None,
        rates: None,
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
async fn backups_that_the_login_may_not_see_are_not_said_to_be_none() {
    let (table, cluster) = cluster();
    table.answer("nodes/pve1/storage/local/content", json!([]));
    let backups = async |cluster: &ProxmoxCluster| {
        let read = cluster.guest_facts(&vm(), GuestQuestions::full(), now()).await.unwrap();
        let notes: Vec<String> = read.facts.unseen.into_iter().map(|note| note.what).collect();
        (read.facts.facts.backups.map(|backups| backups.count), notes)
    };
    assert_eq!(backups(&cluster).await.0, Some(0));
    table.answer("access/permissions", json!({"/storage": {"Datastore.Audit": 1}, "/vms": {"VM.Audit": 1}}));
    cluster.backup_places(&[], &[node("pve1", true)], true, now()).await.unwrap();
    let (count, notes) = backups(&cluster).await;
    assert_eq!(count, None);
    assert!(notes.contains(&"backups on local".to_owned()), "{notes:?}");
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

#[tokio::test]
async fn each_part_of_a_node_may_fail_by_itself() {
    let (table, cluster) = cluster();
    for (path, data) in [
        ("status", recording!("node_status")),
        ("hardware/pci", recording!("node_hardware_pci")),
        ("disks/list", recording!("node_disks")),
        ("disks/zfs", json!([{"name": "tank", "health": "DEGRADED"}, {"name": "rpool", "health": "ONLINE"}])),
        ("disks/zfs/tank", json!({"status": "One or more devices are faulted", "children": []})),
        ("network", recording!("node_network")),
        ("services", recording!("node_services")),
        ("subscription", recording!("node_subscription")),
        ("certificates/info", recording!("node_certs")),
        ("apt/versions", recording!("node_apt_versions")),
        ("apt/repositories", recording!("node_apt_repositories")),
        ("time", recording!("node_time")),
        ("dns", recording!("node_dns")),
        ("rrddata", recording!("node_rrddata")),
    ] {
        table.answer(&format!("nodes/pve1/{path}"), data);
    }
    let denied = "the login lacks Sys.Modify on /";
    table.set("nodes/pve1/hardware/usb", Does::Fail(ErrorKind::Denied, denied));
    table.answer(
        "nodes/pve1/apt/update",
        json!([{"Package": "pve-manager", "OldVersion": "9.1.8", "Version": "9.1.9"}]),
    );
    let read = cluster.node_facts("pve1", now()).await;
    assert_eq!((read.requests, table.asked().len()), (16, 16));
    let facts = &read.facts.facts;
    let pressure = facts.pressure.as_ref().unwrap();
    assert_eq!((pressure.minute["cpu"].some_percent, pressure.minute["cpu"].full_percent), (Some(4.45), None));
    assert_eq!(pressure.at, Some(Timestamp::from_second(1_795_227_900).unwrap()));
    assert_eq!((&facts.usb, facts.pci.as_ref().unwrap().len()), (&None, 5));
    let pools = facts.zfs.as_ref().unwrap();
    assert_eq!((pools[0].status.is_some(), pools[1].status.is_some()), (true, false));
    let unseen: Vec<_> = read.facts.unseen.iter().map(|each| each.what.as_str()).collect();
    assert_eq!(unseen, ["USB devices", "which updates are for security"]);
    let watched = facts.watched();
    assert_eq!((watched["Proxmox VE"].as_str(), watched["pending updates"].as_str()), ("9.1.8", "1"));
    assert_eq!((watched["ZFS pool tank"].as_str(), watched["subscription"].as_str()), ("DEGRADED", "notfound"));
    table.set("nodes/pve1/status", Does::Fail(ErrorKind::Unreachable, "no route to host"));
    let read = cluster.node_facts("pve1", now()).await;
    assert_eq!((read.requests, read.facts.unseen.len()), (1, 15));
}

#[tokio::test]
async fn a_cluster_is_read_whole_and_what_is_not_there_is_quiet() {
    let (table, cluster) = cluster();
    for (path, data) in [
        ("cluster/status", recording!("ok_cluster_status")),
        ("cluster/config/nodes", recording!("ok_config_nodes")),
        ("cluster/options", recording!("cluster_options")),
        ("cluster/sdn/zones", recording!("cluster_sdn_zones")),
        ("cluster/sdn/vnets", recording!("cluster_sdn_vnets")),
        ("cluster/resources", recording!("ok_cluster_resources")),
        ("cluster/ha/status/current", recording!("ok_ha_status")),
        ("cluster/ha/status/manager_status", json!({"manager_status": {}})),
        ("cluster/ha/groups", json!([{"group": "old", "nodes": "pve2:1"}])),
        ("cluster/tasks", recording!("cluster_tasks")),
        ("cluster/backup", recording!("cluster_backup")),
        ("cluster/backup-info/not-backed-up", recording!("cluster_backup_notbacked")),
        (
            "cluster/replication",
            json!([{"id": "100-0", "guest": 100, "source": "pve2", "target": "pve3"},
            {"id": "101-0", "guest": 101, "source": "pve9", "target": "pve3"}]),
        ),
        (
            "nodes/pve2/replication",
            json!([{"id": "100-0", "guest": "100", "source": "pve2", "target": "pve3",
            "last_sync": 1_795_229_000, "fail_count": 2, "error": "no space left", "duration": 4.217531}]),
        ),
    ] {
        table.answer(path, data);
    }
    let no_ceph = Does::Fail(ErrorKind::Conflict, "binary not installed: /usr/bin/ceph-mon");
    table.set("cluster/ceph/status", no_ceph);
    let read = cluster.cluster_facts(ClusterQuestions::All, now()).await;
    assert_eq!(read.requests as usize, table.asked().len());
    let facts = &read.facts.facts;
    assert_eq!((facts.expected_votes, facts.online_votes, &facts.ceph), (Some(2), Some(2), &None));
    let rules = facts.ha.as_ref().unwrap().rules.as_ref().unwrap();
    assert_eq!(rules[0].kind, "group");
    let jobs = facts.replication.as_ref().unwrap();
    assert_eq!((jobs[0].fail_count, jobs[0].duration_seconds, jobs[1].fail_count), (Some(2), Some(4.22), None));
    let unseen: Vec<_> = read.facts.unseen.iter().map(|each| each.what.as_str()).collect();
    assert_eq!(unseen, ["how replication from pve9 goes"]);
    assert!(facts.watched().contains_key("node pve2"));
    let state = cluster.cluster_facts(ClusterQuestions::State, now()).await;
    assert_eq!((state.requests, state.facts.facts.backup_jobs.is_none()), (3, true));
    let known = read.facts.facts.renewed_by(state.facts.facts);
    assert_eq!((known.expected_votes, known.ha.unwrap().rules.unwrap().len()), (Some(2), 1));
}

/// A node that stands alone, with what a round and what the walks ask of it.
fn lone_node() -> (Arc<Table>, ProxmoxCluster) {
    let (table, cluster) = cluster();
    table.answer("cluster/status", recording!("cluster_status"));
    table.answer("cluster/resources", recording!("cluster_resources"));
    table.answer("nodes/pve1/status", recording!("node_status"));
    (table, cluster)
}

#[tokio::test]
async fn ten_minutes_cost_a_node_no_more_than_twenty_requests_each() {
    let (table, cluster) = lone_node();
    let guests = cluster.observe(now()).await.unwrap().guests;
    table.asked();
    for minute in 0..10 {
        let start = now() + Duration::from_secs(60 * minute);
        for round in 1..=6 {
            cluster.observe(start + Duration::from_secs(10 * round)).await.unwrap();
        }
        let state = cluster.cluster_facts(ClusterQuestions::State, start + Duration::from_secs(60)).await;
        assert!(state.requests <= 3, "{}", state.requests);
        // A tenth of the guests each minute.
        let part: Vec<Guest> = guests.iter().skip(minute as usize % 5).take(1).cloned().collect();
        cluster.guests_in_background(&part, start).await;
        let asked = table.asked();
        let of = |wanted: &str| asked.iter().filter(|path| *path == wanted).count();
        assert_eq!((of("cluster/resources"), of("nodes/pve1/status"), of("cluster/status")), (6, 6, 1));
        assert!(asked.len() <= 20, "{} requests: {asked:?}", asked.len());
    }
}

#[tokio::test]
async fn a_node_is_read_bit_by_bit_where_much_was_asked_of_it() {
    let (table, cluster) = lone_node();
    table.answer("nodes/pve1/time", recording!("node_time"));
    table.set("nodes/pve1/hardware/usb", Does::Fail(ErrorKind::Denied, "the login lacks Sys.Modify on /"));
    let (mut read, mut all, mut seconds) = (None, Vec::new(), 0);
    let at = |seconds: u64| now() + Duration::from_secs(seconds);
    while read.is_none() {
        if seconds % 10 == 0 {
            cluster.observe(at(seconds)).await.unwrap();
        }
        table.asked();
        if seconds >= 60 && seconds % 20 == 0 {
            read = cluster.node_facts_in_turns("pve1", at(seconds)).await;
            let asked = table.asked();
            assert!(asked.len() <= 7, "{asked:?}");
            all.extend(asked);
        }
        seconds += 10;
        assert!(seconds < 300);
    }
    let read = read.unwrap();
    assert_eq!((read.at, all.len()), (at(60), 15), "{all:?}");
    let asked_once: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(asked_once.len(), 15, "what failed is not asked again either: {all:?}");
    // What was answered in the first turn is there, and the clock was compared when it was told.
    assert!(read.facts.cpu.is_some() && read.unseen.iter().any(|note| note.what == "USB devices"));
    assert_eq!(all.last().unwrap(), "nodes/pve1/time");
    assert_eq!(cluster.node_facts_in_turns("pve1", at(seconds + 600)).await.unwrap().at, at(seconds + 600));
}

#[tokio::test]
async fn the_state_of_a_cluster_is_told_while_the_rest_waits() {
    let (table, cluster) = lone_node();
    cluster.observe(now()).await.unwrap();
    // Somebody looks at a node: there is no room any more.
    for _ in 0..2 {
        cluster.node_facts("pve1", now()).await;
    }
    table.asked();
    let (_, whole) = cluster.cluster_facts_in_turns(now()).await;
    assert!(!whole);
    assert_eq!(table.asked(), ["cluster/ha/status/current", "cluster/ceph/status", "cluster/tasks"]);
    let (_, whole) = cluster.cluster_facts_in_turns(now() + Duration::from_secs(60)).await;
    assert!(whole);
    assert!(table.asked().contains(&"cluster/backup".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_is_not_waited_for_at_each_question() {
    let (table, cluster) = cluster();
    for path in ["status", "hardware/pci", "hardware/usb", "disks/list"] {
        table.set(&format!("nodes/pve1/{path}"), Does::Hang);
    }
    let read = cluster.node_facts("pve1", now()).await;
    assert_eq!((read.requests, read.facts.unseen.len()), (2, 15));
}

#[test]
fn a_node_without_pressure_has_none() {
    use crate::collect::pve::node::pressure;
    assert_eq!(pressure(&json!([{"time": 1_795_227_900, "cpu": 0.5}, {"time": 1_795_227_960}])).unwrap(), None);
    let odd = json!([{"time": -5, "pressurecpusome": 1}, {"time": 1e30, "pressurecpusome": 1},
        {"time": 60, "pressurecpusome": "nan"}, {"time": 60, "pressurecpusome": 4e9}, 7, null]);
    assert_eq!(pressure(&odd).unwrap_or_default(), None);
    assert!(pressure(&json!("no list")).is_err());
}

#[tokio::test]
async fn members_are_asked_at_once_when_a_node_changes() {
    let (table, cluster) = cluster();
    table.answer("cluster/status", recording!("ok_cluster_status"));
    table.answer("cluster/resources", recording!("ok_cluster_resources"));
    let ask = async |seconds: u64| {
        let seen = cluster.observe(now() + Duration::from_secs(seconds)).await.unwrap();
        let asked = table.asked().iter().filter(|path| *path == "cluster/status").count();
        (asked, seen.quorate, seen.nodes[1].online)
    };
    assert_eq!(ask(0).await, (1, Some(true), true));
    assert_eq!(ask(10).await, (0, Some(true), true));
    table.answer("cluster/status", recording!("pve3down_cluster_status"));
    table.answer("cluster/resources", recording!("pve3down_cluster_resources"));
    assert_eq!(ask(20).await, (1, Some(false), false));
    assert_eq!(ask(30).await, (0, Some(false), false));
    assert_eq!(ask(80).await, (1, Some(false), false), "a minute after it was asked");
    table.set("cluster/status", Does::Fail(ErrorKind::Timeout, "no answer"));
    assert_eq!(ask(140).await, (1, None, false));
    assert_eq!(ask(150).await, (1, None, false), "a failure is not kept");
}
