//! What is told of a fleet as a whole, from its facts to the sentence.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    attention::{Away, Known, attention, unseen_backups},
    digest::{ClusterDigest, HostDigest},
    view::tests::host,
};
use crate::model::{
    ConnectionId, GuestId, GuestKind, GuestStatus, HostId, HostState, HostView,
    attention::Attention,
    dashboard::{ClusterRow, StorageRow, VmRow},
    facts::{
        Dated, HostFacts,
        cluster::{
            BackupDuty, BackupJob, BackupPlace, BackupSelection, ClusterBackups, ClusterFacts, NewestBackup,
            NotBackedUp, TaskFailure,
        },
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
    looked: BTreeMap<GuestId, Timestamp>,
}

impl Fleet {
    fn attention(&self) -> Vec<Attention> {
        attention(self.known(), at(NOW))
    }

    fn known(&self) -> Known<'_> {
        Known {
            views: &self.views,
            hosts: &self.hosts,
            storages: &self.storages,
            away: &self.away,
            clusters: &self.clusters,
            digests: &self.digests,
            guests: &self.guests,
            looked: &self.looked,
        }
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

const HOUR: i64 = 3_600;

/// A daily job to a storage for all guests, which lists these backups: by number, so many hours old.
fn daily(backups: &[(u32, i64)]) -> ClusterFacts {
    let job = BackupJob {
        id: "nightly".into(),
        enabled: true,
        schedule: Some("21:00".into()),
        storage: Some("nas".into()),
        selection: BackupSelection { all: true, ..BackupSelection::default() },
        ..BackupJob::default()
    };
    let made = |hours: &i64| NewestBackup { made_at: Some(at(NOW - hours * HOUR)), count: 2 };
    let place = BackupPlace {
        storage: "nas".into(),
        asked_at: Some(at(NOW - HOUR)),
        read_at: Some(at(NOW - HOUR)),
        guests: backups.iter().map(|(vmid, hours)| (vmid.to_string(), made(hours))).collect(),
        ..BackupPlace::default()
    };
    let duty = BackupDuty {
        job: "nightly".into(),
        schedule: Some("21:00".into()),
        storage: Some("nas".into()),
        since: at(NOW - 3 * DAY_SECONDS),
        began: false,
    };
    let covered = (100..105).map(|vmid: u32| (vmid.to_string(), duty.clone())).collect();
    let backups = ClusterBackups { places: vec![place], covered: Some(covered) };
    ClusterFacts { backup_jobs: Some(vec![job]), backups: Some(backups), ..ClusterFacts::default() }
}

/// What is told of guests, and of which it is not known.
fn of_backups(facts: &ClusterFacts, change: impl FnOnce(&mut Fleet)) -> (Vec<String>, Vec<String>) {
    let mut fleet = Fleet::of_cluster(HostState::Online, facts);
    fleet.guests = (100..105).map(guest).collect();
    change(&mut fleet);
    let told = fleet.told().into_iter().filter(|line| line.contains("guest10")).collect();
    let unseen = unseen_backups(&fleet.known(), at(NOW)).into_iter().map(|id| id.0).collect();
    (told, unseen)
}

fn change_place(facts: &mut ClusterFacts, change: impl FnOnce(&mut BackupPlace)) {
    change(&mut facts.backups.as_mut().unwrap().places[0]);
}

fn change_duty(facts: &mut ClusterFacts, vmid: &str, change: impl FnOnce(&mut BackupDuty)) {
    change(facts.backups.as_mut().unwrap().covered.as_mut().unwrap().get_mut(vmid).unwrap());
}

#[test]
fn a_backup_is_old_by_the_schedule_of_its_job_whoever_looked_at_the_guest() {
    // Two days are allowed: one between two runs, and one more.
    let facts = daily(&[(100, 49), (101, 47), (102, 9 * 24), (103, 1), (104, 1)]);
    let (told, unseen) = of_backups(&facts, |_| {});
    assert_eq!(
        told,
        [
            "Warning guest100: its newest backup is 2 days old, and the job nightly runs by the schedule \"21:00\" for \
             176400 s; backup_job=nightly days=2 schedule=21:00 trouble=old",
            "Warning guest102: its newest backup is 9 days old, and the job nightly runs by the schedule \"21:00\" for \
             777600 s; backup_job=nightly days=9 schedule=21:00 trouble=old",
        ]
    );
    assert!(unseen.is_empty(), "{unseen:?}");
    // Somebody saw a younger one at the guest itself; an older one there says nothing.
    let looked = |hours: i64| move |fleet: &mut Fleet| fleet.looked = [(guest(102).id, at(NOW - hours * HOUR))].into();
    assert_eq!(of_backups(&facts, looked(1)).0.len(), 1);
    assert_eq!(of_backups(&facts, looked(400)).0.len(), 2);
}

#[test]
fn short_schedules_are_judged_by_the_hour_and_odd_ones_by_the_week() {
    let with = |schedule: &str, hours: i64| {
        let mut facts = daily(&[(100, hours), (101, 1), (102, 1), (103, 1), (104, 1)]);
        facts.backup_jobs.as_mut().unwrap()[0].schedule = Some(schedule.into());
        of_backups(&facts, |_| {}).0
    };
    assert_eq!(with("*/6:00", 12), Vec::<String>::new());
    let told = with("*/6:00", 13).remove(0);
    assert!(told.starts_with("Warning guest100: its newest backup is 13 hours old, and the job nightly"), "{told}");
    assert!(told.ends_with("; backup_job=nightly days=0 hours=13 schedule=*/6:00 trouble=old"), "{told}");
    assert_eq!(with("sat 02:00", 8 * 24), Vec::<String>::new());
    assert_eq!(with("sat 02:00", 8 * 24 + 1).len(), 1);
    assert_eq!(with("every now and then", 7 * 24), Vec::<String>::new());
    let told = with("every now and then", 7 * 24 + 1).remove(0);
    let judged = "and 7 days are allowed for the job nightly, whose schedule is not understood";
    assert!(told.contains(judged) && told.contains("; allowed_days=7 backup_job=nightly days=7 trouble=old"), "{told}");
}

#[test]
fn a_guest_without_any_backup_is_told_once_its_job_had_a_chance() {
    let mut facts = daily(&[(100, 1), (102, 1), (103, 1), (104, 1)]);
    assert_eq!(
        of_backups(&facts, |_| {}).0,
        ["Warning guest101: it has no backup yet, and the job nightly runs by the schedule \"21:00\" for 259200 s; \
          backup_job=nightly schedule=21:00 trouble=none"]
    );
    change_duty(&mut facts, "101", |duty| duty.since = at(NOW - 47 * HOUR));
    let (told, unseen) = of_backups(&facts, |_| {});
    assert!(told.is_empty() && unseen.is_empty(), "{told:?} {unseen:?}");
}

#[test]
fn a_backup_from_the_future_is_none_and_hides_no_other() {
    let told = |hours: i64| {
        let mut facts = daily(&[(100, hours), (101, 1), (102, 1), (103, 1), (104, 1)]);
        let backups = facts.backups.as_mut().unwrap();
        let mut other = backups.places[0].clone();
        other.storage = "other".into();
        other.guests = [("100".to_owned(), NewestBackup { made_at: Some(at(NOW - 90 * HOUR)), count: 1 })].into();
        backups.places.push(other);
        of_backups(&facts, |_| {}).0
    };
    assert_eq!(told(-1), Vec::<String>::new(), "clocks are off by a little");
    assert!(matches!(told(-48).as_slice(), [one] if one.contains("guest100: its newest backup is 3 days old")));
}

#[test]
fn jobs_written_down_before_it_was_read_whom_they_take_tell_nothing() {
    let mut facts = daily(&[(100, 400), (101, 1), (102, 1), (103, 1), (104, 1)]);
    facts.backup_jobs.as_mut().unwrap()[0].selection = BackupSelection::default();
    let (told, unseen) = of_backups(&facts, |_| {});
    assert_eq!((told, unseen.len()), (Vec::new(), 5));
}

#[test]
fn who_may_be_in_a_pool_that_could_not_be_asked_is_not_known() {
    let mut facts = daily(&[(100, 400), (101, 1), (102, 1), (103, 1), (104, 1)]);
    let pool = BackupSelection { pool: Some("prod".into()), ..BackupSelection::default() };
    let jobs = facts.backup_jobs.as_mut().unwrap();
    jobs.push(BackupJob { id: "pool".into(), selection: pool, ..jobs[0].clone() });
    facts.backups.as_mut().unwrap().covered.as_mut().unwrap().remove("104");
    let (told, unseen) = of_backups(&facts, |_| {});
    assert_eq!((told.len(), unseen), (1, vec![guest(104).id.0]));
}

#[test]
fn a_job_that_began_to_take_a_guest_along_has_its_time_from_then_on() {
    let mut facts = daily(&[(100, 400), (101, 400), (102, 1), (103, 1), (104, 1)]);
    change_duty(&mut facts, "100", |duty| (duty.since, duty.began) = (at(NOW - 47 * HOUR), true));
    change_duty(&mut facts, "101", |duty| (duty.since, duty.began) = (at(NOW - 49 * HOUR), true));
    let told = of_backups(&facts, |_| {}).0;
    assert!(matches!(told.as_slice(), [one] if one.contains("guest101")), "{told:?}");
}

#[test]
fn what_is_not_known_is_never_called_old() {
    let facts = daily(&[(100, 400), (101, 1), (102, 1), (103, 1), (104, 1)]);
    let all: Vec<String> = (100..105).map(|vmid| guest(vmid).id.0).collect();
    let unseen = |change: &dyn Fn(&mut ClusterFacts)| {
        let mut facts = facts.clone();
        change(&mut facts);
        of_backups(&facts, |_| {})
    };
    let nothing = (Vec::new(), all.clone());
    let place = |change: fn(&mut BackupPlace)| unseen(&move |facts| change_place(facts, change));
    assert_eq!(place(|place| place.problem = Some("it does not answer".into())), nothing);
    assert_eq!(place(|place| place.read_at = Some(at(NOW - 4 * HOUR))), nothing, "read too long ago");
    assert_eq!(place(|place| place.read_at = None), nothing);
    assert_eq!(place(|place| place.storage = "other".into()), nothing, "its job's storage is not seen at all");
    assert_eq!(unseen(&|facts| facts.backup_jobs = None), nothing);
    assert_eq!(unseen(&|facts| facts.backups = None), nothing);
    assert_eq!(unseen(&|facts| facts.backups.as_mut().unwrap().covered = None), nothing);
    // One more place that does not tell may hold a younger one.
    let silent = BackupPlace { storage: "local".into(), node: Some("pve2".into()), ..BackupPlace::default() };
    assert_eq!(unseen(&|facts| facts.backups.as_mut().unwrap().places.push(silent.clone())), nothing);
    // Nobody can back up a guest whose node is away.
    let away = |fleet: &mut Fleet| fleet.away.nodes = [(ConnectionId::from("c1"), "pve1".to_owned())].into();
    assert_eq!(of_backups(&facts, away), nothing);
    // That a backup is there and nobody knows how old is no reason either.
    let undated = |place: &mut BackupPlace| place.guests.get_mut("100").unwrap().made_at = None;
    assert_eq!(place(undated), (Vec::new(), vec![all[0].clone()]));
}

#[test]
fn a_guest_that_no_job_takes_along_is_not_judged() {
    let mut facts = daily(&[(100, 400), (101, 1), (102, 1), (103, 1), (104, 1)]);
    facts.backups.as_mut().unwrap().covered.as_mut().unwrap().remove("100");
    assert_eq!(of_backups(&facts, |_| {}), (Vec::new(), Vec::new()));
    let mut facts = daily(&[(100, 400), (101, 1), (102, 1), (103, 1), (104, 1)]);
    facts.backup_jobs.as_mut().unwrap()[0].enabled = false;
    assert_eq!(of_backups(&facts, |_| {}), (Vec::new(), Vec::new()));
}
