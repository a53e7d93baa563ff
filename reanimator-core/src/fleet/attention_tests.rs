//! What is told of a fleet as a whole, from its facts to the sentence.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    attention::{Away, Known, LastBackup, attention},
    digest::{ClusterDigest, HostDigest},
    view::tests::host,
};
use crate::model::{
    ConnectionId, GuestId, GuestKind, GuestStatus, HostId, HostState, HostView,
    attention::Attention,
    dashboard::{ClusterRow, StorageRow, VmRow},
    facts::{
        Dated, HostFacts,
        cluster::{BackupJob, ClusterFacts, NotBackedUp, TaskFailure},
        pve_node::{NodeCertificate, NodeInventory},
        sensors::{Sensors, Temperature},
        system::{FailedUnit, Reboot, System},
    },
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const DAY_SECONDS: i64 = 86_400;

/// A hundred days after the beginning.
const NOW: i64 = 100 * DAY_SECONDS;

fn online(name: &str) -> HostView {
    HostView { state: HostState::Online, observed_at: Some(at(NOW - 5)), ..host(name) }
}

fn dated<T: Default>(facts: T) -> Option<Dated<T>> {
    Some(Dated { at: at(NOW - 60), facts, ..Dated::default() })
}

fn storage(name: &str, used_percent: Option<f64>, active: bool) -> StorageRow {
    StorageRow {
        id: name.into(),
        name: name.into(),
        node: "pve1".into(),
        cluster: None,
        storage_type: "dir".into(),
        content: Some("images".into()),
        shared: false,
        active,
        total_gb: None,
        used_gb: None,
        available_gb: None,
        used_percent,
        observed_at: None,
    }
}

fn cluster(state: HostState) -> ClusterRow {
    ClusterRow {
        id: ConnectionId::from("c1"),
        name: "prod".into(),
        cluster: Some("prod".into()),
        state,
        version: None,
        nodes_total: 3,
        nodes_online: 3,
        quorate: Some(true),
        votes: None,
        ha_status: None,
        ceph_health: None,
        guests_running: 0,
        guests_total: 0,
        problems: vec![],
        observed_at: Some(at(NOW - 400)),
    }
}

fn guest(vmid: u32) -> VmRow {
    VmRow {
        id: GuestId::new(&ConnectionId::from("c1"), vmid),
        vmid: vmid.to_string(),
        name: Some(format!("guest{vmid}")),
        kind: GuestKind::Qemu,
        node: "pve1".into(),
        node_id: None,
        cluster: None,
        status: GuestStatus::Running,
        template: false,
        cpu_percent: None,
        ram_percent: None,
        ram_total_mb: None,
        ram_used_mb: None,
        storage_total_gb: None,
        storage_used_gb: None,
        uptime_seconds: None,
        ip_addresses: vec![],
        tags: vec![],
        observed_at: None,
    }
}

/// Everything that is told of these.
#[derive(Default)]
struct Fleet {
    views: Vec<HostView>,
    hosts: BTreeMap<HostId, HostDigest>,
    storages: Vec<StorageRow>,
    away: Away,
    clusters: Vec<ClusterRow>,
    digests: BTreeMap<ConnectionId, ClusterDigest>,
    guests: Vec<VmRow>,
    backups: Vec<LastBackup>,
}

impl Fleet {
    fn attention(&self) -> Vec<Attention> {
        let known = Known {
            views: &self.views,
            hosts: &self.hosts,
            storages: &self.storages,
            away: &self.away,
            clusters: &self.clusters,
            digests: &self.digests,
            guests: &self.guests,
            backups: &self.backups,
        };
        attention(known, at(NOW))
    }

    fn told(&self) -> Vec<String> {
        let line = |each: Attention| {
            let values = each.values.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
            let since = each.since.map(|since| format!(" for {} s", NOW - since.as_second())).unwrap_or_default();
            format!("{:?} {}: {}{since};{values}", each.level, each.name, each.what)
        };
        self.attention().into_iter().map(line).collect()
    }

    fn of_facts(view: HostView, facts: &HostFacts) -> Self {
        let hosts = [(view.id.clone(), HostDigest::of(facts))].into();
        Self { views: vec![view], hosts, ..Self::default() }
    }

    fn of_cluster(state: HostState, facts: &ClusterFacts) -> Self {
        let digests = [(ConnectionId::from("c1"), ClusterDigest::of(facts))].into();
        Self { clusters: vec![cluster(state)], digests, ..Self::default() }
    }
}

#[test]
fn the_worst_comes_first_then_the_newest_and_what_has_no_age_last() {
    let away = |name: &str, seconds| HostView {
        state: HostState::Offline,
        observed_at: Some(at(NOW - seconds)),
        ..host(name)
    };
    let fleet = Fleet {
        views: vec![
            away("long", 9_000),
            HostView { state: HostState::Unknown, observed_at: Some(at(NOW - 90)), ..host("lost") },
            HostView { state: HostState::Maintenance, ..host("service") },
            away("just", 60),
            HostView { observed_at: None, ..away("never", 0) },
            online("fine"),
        ],
        ..Fleet::default()
    };
    assert_eq!(
        fleet.told(),
        [
            "Critical just: it does not answer for 60 s;",
            "Critical long: it does not answer for 9000 s;",
            "Critical never: it does not answer;",
            "Warning lost: it has not been seen for a while for 90 s;",
        ]
    );
}

#[test]
fn certificates_are_told_thirty_days_before_they_expire_and_louder_from_the_seventh_on() {
    let certificate = |name: &str, days: i64, seconds: i64| NodeCertificate {
        file_name: Some(name.into()),
        not_after: Some(at(NOW + days * DAY_SECONDS + seconds)),
        ..NodeCertificate::default()
    };
    let node = NodeInventory {
        certificates: Some(vec![
            certificate("ca.pem", 3_650, 0),
            certificate("31.pem", 31, 0),
            certificate("30.pem", 30, 3_600),
            certificate("8.pem", 8, 0),
            certificate("7.pem", 7, 3_600),
            certificate("today.pem", 0, 3_600),
            certificate("old.pem", -1, 3_600),
            NodeCertificate { file_name: Some("unread.pem".into()), ..NodeCertificate::default() },
        ]),
        ..NodeInventory::default()
    };
    let facts = HostFacts { proxmox: dated(node), ..HostFacts::default() };
    assert_eq!(
        Fleet::of_facts(online("pve1"), &facts).told(),
        [
            "Critical pve1: the certificate old.pem has expired for 82800 s; certificate=old.pem days=-1",
            "Critical pve1: the certificate 7.pem expires in 7 days; certificate=7.pem days=7",
            "Critical pve1: the certificate today.pem expires within a day; certificate=today.pem days=0",
            "Warning pve1: the certificate 30.pem expires in 30 days; certificate=30.pem days=30",
            "Warning pve1: the certificate 8.pem expires in 8 days; certificate=8.pem days=8",
        ]
    );
}

#[test]
fn units_sensors_clocks_updates_and_restarts_are_told_with_their_figures() {
    let unit = |name: &str, since| FailedUnit { name: name.into(), since, ..FailedUnit::default() };
    let system = System {
        failed: Some(vec![unit("a.service", Some(at(NOW - 50))), unit("b.service", Some(at(NOW - 80)))]),
        reboot: Some(Reboot { needed: true, ..Reboot::default() }),
        ..System::default()
    };
    let reading = Temperature { chip: "acpitz".into(), celsius: 87.4, ..Temperature::default() };
    let sensors = Sensors { temperatures: vec![reading], ..Sensors::default() };
    let facts = HostFacts { system: dated(system), sensors: dated(sensors), ..HostFacts::default() };
    let mut fleet = Fleet::of_facts(HostView { clock_skew_seconds: Some(-300), ..online("web1") }, &facts);
    fleet.hosts.values_mut().for_each(|digest| digest.updates_security = Some(1));
    assert_eq!(
        fleet.told(),
        [
            "Warning web1: 2 units failed for 80 s; count=2 units=a.service, b.service",
            "Warning web1: a sensor reads 87 °C; celsius=87",
            "Warning web1: its clock is 300 s behind; seconds=-300",
            "Notice web1: 1 security update waits; count=1",
            "Notice web1: it wants to be restarted;",
        ]
    );
}

#[test]
fn a_part_that_was_not_seen_for_hours_of_a_host_that_answers_is_told() {
    let facts = HostFacts {
        system: dated(System::default()),
        proxmox: Some(Dated { at: at(NOW - 7 * 3_600), ..Dated::default() }),
        ..HostFacts::default()
    };
    let told = "Notice pve1: what is known of its proxmox is old for 25200 s; section=proxmox";
    assert_eq!(Fleet::of_facts(online("pve1"), &facts).told(), [told]);
    let away = HostView { state: HostState::Offline, ..host("pve1") };
    assert_eq!(Fleet::of_facts(away, &facts).told(), ["Critical pve1: it does not answer;"]);
}

#[test]
fn storages_are_told_from_85_percent_on_and_are_critical_from_95_on() {
    let storages = vec![
        storage("roomy", Some(84.9), true),
        storage("filling", Some(85.0), true),
        storage("full", Some(95.0), true),
        storage("gone", None, false),
    ];
    assert_eq!(
        Fleet { storages, ..Fleet::default() }.told(),
        [
            "Critical full on pve1: 95 % of it is full; percent=95",
            "Critical gone on pve1: it cannot be used;",
            "Warning filling on pve1: 85 % of it is full; percent=85",
        ]
    );
}

#[test]
fn what_root_alone_may_take_is_no_room_where_it_is_told_of() {
    let rows = |used, available| StorageRow {
        total_gb: Some(100.0),
        used_gb: Some(used),
        available_gb: Some(available),
        ..storage("root", Some(used), true)
    };
    let storages = vec![rows(81.0, 9.0)];
    let told = ["Warning root on pve1: 90 % of it is full; percent=90"];
    assert_eq!(Fleet { storages, ..Fleet::default() }.told(), told);
    assert!(Fleet { storages: vec![rows(81.0, 19.0)], ..Fleet::default() }.told().is_empty());
}

#[test]
fn what_follows_from_a_host_that_is_away_is_not_told_beside_it() {
    let system = System { reboot: Some(Reboot { needed: true, ..Reboot::default() }), ..System::default() };
    let facts = HostFacts { system: dated(system), ..HostFacts::default() };
    let away = HostView { state: HostState::Offline, ..host("pve2") };
    let of = |id: &str, node: &str, active| StorageRow { node: node.into(), ..storage(id, Some(99.0), active) };
    let (cluster, node) = (ConnectionId::from("c1"), "pve2".to_owned());
    let fleet = Fleet {
        storages: vec![
            of("c1:pve2:local", "pve2", false),
            of("pve2:/", "pve2", false),
            of("c1:nas", "pve1,pve2", false),
            of("c2:pve2:local", "pve2", false),
        ],
        away: Away { hosts: [away.id.clone()].into(), nodes: [(cluster, node)].into() },
        ..Fleet::of_facts(away, &facts)
    };
    assert_eq!(
        fleet.told(),
        [
            "Critical c1:nas on pve1,pve2: it cannot be used;",
            "Critical c2:pve2:local on pve2: it cannot be used;",
            "Critical pve2: it does not answer;",
        ]
    );
}

#[test]
fn backups_that_failed_today_and_guests_in_no_job_are_told() {
    let task = |kind: &str, subject: Option<&str>, ended: i64| TaskFailure {
        kind: Some(kind.into()),
        node: Some("pve1".into()),
        subject: subject.map(str::to_owned),
        ended_at: Some(at(NOW - ended)),
        error: "no space".into(),
        ..TaskFailure::default()
    };
    let bare = |vmid: &str, name: Option<&str>| NotBackedUp {
        vmid: vmid.into(),
        name: name.map(str::to_owned),
        ..NotBackedUp::default()
    };
    let facts = ClusterFacts {
        failed_tasks: Some(vec![
            task("vzdump", Some("105"), 60),
            task("qmstart", Some("106"), 60),
            task("vzdump", Some("105"), 4_000),
            task("vzdump", None, 90),
            task("vzdump", Some("107"), 2 * DAY_SECONDS),
        ]),
        not_backed_up: Some(vec![bare("100", Some("db1")), bare("101", None)]),
        ..ClusterFacts::default()
    };
    assert_eq!(
        Fleet::of_cluster(HostState::Online, &facts).told(),
        [
            "Warning prod: the backup of 105 failed for 60 s; error=no space guest=105",
            "Warning prod: the backup of pve1 failed for 90 s; error=no space guest=pve1",
            "Notice prod: 2 guests are in no backup job; count=2 guests=db1, 101",
        ]
    );
    let silent = Fleet::of_cluster(HostState::Offline, &ClusterFacts::default());
    assert_eq!(silent.told(), ["Critical prod: it does not answer for 400 s;"]);
}

#[test]
fn an_old_backup_is_told_of_a_guest_that_a_job_takes_along_and_that_was_looked_at_today() {
    let facts = ClusterFacts {
        backup_jobs: Some(vec![BackupJob { enabled: true, ..BackupJob::default() }]),
        not_backed_up: Some(vec![NotBackedUp { vmid: "103".into(), ..NotBackedUp::default() }]),
        ..ClusterFacts::default()
    };
    let backup = |vmid: u32, looked: i64, days: i64| LastBackup {
        guest: guest(vmid).id,
        looked_at: at(NOW - looked),
        made_at: at(NOW - days * DAY_SECONDS),
    };
    let mut fleet = Fleet::of_cluster(HostState::Online, &facts);
    fleet.guests = (100..105).map(guest).collect();
    fleet.backups = vec![backup(100, 60, 9), backup(101, 60, 6), backup(102, 2 * DAY_SECONDS, 9), backup(103, 60, 9)];
    let old = |told: Vec<String>| told.into_iter().filter(|line| line.contains("newest")).collect::<Vec<_>>();
    assert_eq!(old(fleet.told()), ["Warning guest100: its newest backup is 9 days old for 777600 s; days=9"]);
    // Where the guests without a job were not seen, nobody knows whether one takes it along.
    let unseen = ClusterFacts { not_backed_up: None, ..facts };
    fleet.digests.insert(ConnectionId::from("c1"), ClusterDigest::of(&unseen));
    assert_eq!(old(fleet.told()), Vec::<String>::new());
}
