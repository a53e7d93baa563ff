//! Backups that are too old, found by themselves: the whole way from storages' listings to an alert that is raised once,
//! by a clock that begins now and is moved by hand.

use std::sync::Mutex;

use reanimator_core::{
    access::Principal,
    alert::Transition,
    clock::Clock,
    fleet::{Fleet, FleetOptions},
    host::pve::PveApi as _,
    model::{
        Action, AlertRule, BackupMode, GuestChange, NewOperation, OperationState, Resolution,
        attention::AttentionKind,
        facts::{Dated, cluster::ClusterFacts},
    },
    operation::Operations,
    store::{SqliteStore, Store},
    testkit::{ask_due_facts, one_round},
    transport::http::Request,
    workflows::alerts::AlertsLoop,
};

use super::*;

#[derive(Debug)]
struct Later(Mutex<Timestamp>);

impl Later {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Later {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

async fn fleet_on(store: &Arc<dyn Store>, clock: &Arc<Later>) -> Fleet {
    let options =
        FleetOptions { with_this_machine: false, clock: clock.clone(), ..FleetOptions::new(store.location()) };
    Fleet::with_store(options, Arc::clone(store)).await.unwrap()
}

struct Watching {
    sim: Sim,
    store: Arc<dyn Store>,
    fleet: Fleet,
    clock: Arc<Later>,
    alerts: AlertsLoop,
}

impl Watching {
    async fn start() -> Self {
        let options = Options { nodes: 3, guests: 12, login_delay: Duration::from_millis(50), ..Options::default() };
        let sim = Sim::start(options).await.unwrap();
        let clock = Arc::new(Later(Mutex::new(Timestamp::now())));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::temporary().await.unwrap());
        let fleet = fleet_on(&store, &clock).await;
        fleet.connect_proxmox(reanimator_tests::cluster::connection(&sim, 0)).await.unwrap();
        let alerts = AlertsLoop::new(fleet.clone());
        Self { sim, store, fleet, clock, alerts }
    }

    /// As a command line beside the server: its memory knows nothing.
    async fn another_process(&self) -> Fleet {
        fleet_on(&self.store, &self.clock).await
    }

    async fn order(&self, order: pve_sim::Order) {
        self.sim.control().apply(order).await.unwrap();
    }

    /// So many minutes go by; what the rule told in them, as `raised VMID: TEXT`.
    async fn minutes(&mut self, count: usize, rule: &str) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            self.clock.advance(Duration::from_secs(60));
            one_round(&self.fleet).await.unwrap();
            ask_due_facts(&self.fleet).await.unwrap();
            for transition in self.alerts.look().await.unwrap() {
                let alert = transition.alert();
                let word = match &transition {
                    Transition::Raised(_) => "raised",
                    Transition::Returned(_) => "returned",
                    Transition::Resolved(alert) if alert.resolution == Some(Resolution::Well) => "well",
                    Transition::Resolved(_) => "over",
                    Transition::Renewed(_) => continue,
                };
                if alert.rule == rule {
                    let of = alert.entity.rsplit(':').next().unwrap();
                    told.push(format!("{word} {of}: {}", alert.text));
                }
            }
        }
        told
    }
}

const TOO_OLD: &str =
    "raised 100: its newest backup is 10 days old, and the job nightly runs by the schedule \"daily\"";

fn nine_days_older() -> pve_sim::Order {
    pve_sim::Order::new("old-backups").vmid(100).milliseconds(9 * 86_400_000)
}

#[tokio::test]
async fn a_guest_that_nobody_looked_at_is_told_once_and_resolves_with_a_new_backup() {
    let mut watching = Watching::start().await;
    watching.order(nine_days_older()).await;
    assert_eq!(watching.minutes(8, "backup").await, [TOO_OLD]);
    assert_eq!(watching.minutes(20, "backup").await, Vec::<String>::new(), "once");
    let facts = watching.fleet.cluster_facts("sim1").await.unwrap();
    let backups = facts.facts.backups.unwrap();
    let places: Vec<String> = backups.places.iter().map(|place| place.words()).collect();
    assert_eq!(places, ["shared-nfs", "local of pve1", "local of pve2", "local of pve3"]);
    assert_eq!(facts.unseen, []);

    let guests = watching.fleet.guests().await.unwrap();
    let node = guests.iter().find(|guest| guest.vmid == "100").unwrap().node.clone();
    let api = api(&watching.sim, &[0]);
    let made = Request::post(["nodes", &node, "vzdump"]).param("vmid", "100").param("storage", "local");
    api.call(made).await.unwrap();
    let listing = || Request::get(["nodes", &node, "storage", "local", "content"]).param("content", "backup");
    for _ in 0..100 {
        if api.call(listing()).await.unwrap().as_array().is_some_and(|all| !all.is_empty()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let told = watching.minutes(70, "backup").await;
    assert!(matches!(told.as_slice(), [one] if one.starts_with("well 100: ")), "{told:?}");
}

#[tokio::test]
async fn a_storage_that_does_not_tell_neither_raises_nor_resolves() {
    let mut watching = Watching::start().await;
    watching.order(nine_days_older()).await;
    let silent = || pve_sim::Order::new("403").path("/nodes/pve3/storage/local/content");
    watching.order(silent()).await;
    assert_eq!(watching.minutes(10, "backup").await, Vec::<String>::new(), "a young one may lie there");
    let facts = watching.fleet.cluster_facts("sim1").await.unwrap();
    assert!(facts.unseen.iter().any(|note| note.what == "backups on local of pve3"), "{:?}", facts.unseen);
    watching.sim.control().clear().await;
    assert_eq!(watching.minutes(62, "backup").await, [TOO_OLD]);
    watching.order(silent()).await;
    assert_eq!(watching.minutes(70, "backup").await, Vec::<String>::new());
    watching.sim.control().clear().await;
    assert_eq!(watching.minutes(70, "backup").await, Vec::<String>::new(), "it is the same alert still");
}

#[tokio::test]
async fn guests_without_any_backup_are_told_once_their_job_had_its_chance() {
    let mut watching = Watching::start().await;
    assert_eq!(watching.minutes(8, "backup").await, Vec::<String>::new());
    watching.clock.advance(Duration::from_secs(49 * 3600));
    let told = watching.minutes(10, "backup").await;
    let none = "it has no backup yet, and the job nightly runs by the schedule \"daily\"";
    assert_eq!(told.iter().filter(|line| **line == format!("raised 105: {none}")).count(), 1, "{told:?}");
    assert_eq!(watching.minutes(10, "backup").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_own_backup_counts_at_once() {
    let mut watching = Watching::start().await;
    watching.order(nine_days_older()).await;
    assert_eq!(watching.minutes(8, "backup").await, [TOO_OLD]);
    let guests = watching.fleet.guests().await.unwrap();
    let id = guests.into_iter().find(|guest| guest.vmid == "100").unwrap().id;
    let change =
        GuestChange::BackUp { storage: "shared-nfs".to_owned(), mode: BackupMode::Snapshot, notes: String::new() };
    let steps = vec![Action::Guest { id, change }.into()];
    let plan = NewOperation { title: "a backup".to_owned(), steps, ..NewOperation::default() };
    let operations = Operations::new(watching.fleet.clone());
    let asked = operations.ask(plan, &Principal::local(), "local").await.unwrap();
    let done = operations.carry_out(&asked.id).await.unwrap();
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    let told = watching.minutes(4, "backup").await;
    assert!(matches!(told.as_slice(), [one] if one.starts_with("well 100: ")), "{told:?}");
}

#[tokio::test]
async fn another_process_that_asks_the_cluster_keeps_what_is_known() {
    let mut watching = Watching::start().await;
    watching.order(nine_days_older()).await;
    assert_eq!(watching.minutes(8, "backup").await, [TOO_OLD]);
    let known = |facts: Dated<ClusterFacts>| {
        let covered = facts.facts.backups.unwrap().covered.unwrap();
        covered.into_iter().map(|(vmid, duty)| (vmid, duty.since, duty.began)).collect::<Vec<_>>()
    };
    let before = known(watching.fleet.cluster_facts("sim1").await.unwrap());
    let other = watching.another_process().await;
    // Storages are not told to it now: nothing is forgotten for that, and it is said.
    watching.order(pve_sim::Order::new("403").path("/storage")).await;
    watching.clock.advance(Duration::from_secs(3600));
    let facts = other.refresh_cluster("sim1").await.unwrap();
    assert!(facts.unseen.iter().any(|note| note.what == "storages for backups"), "{:?}", facts.unseen);
    assert_eq!(facts.facts.backups.as_ref().unwrap().places.len(), 4);
    assert_eq!(known(facts), before);
    watching.sim.control().clear().await;
    let facts = watching.another_process().await.refresh_cluster("sim1").await.unwrap();
    assert_eq!(known(facts), before);
    assert_eq!(watching.minutes(10, "backup").await, Vec::<String>::new(), "it is the same alert still");
}

#[tokio::test]
async fn a_rule_that_looks_sixty_days_ahead_tells_of_certificates_that_far() {
    let mut watching = Watching::start().await;
    let rule = serde_json::json!({ "name": "far", "hosts": "all", "level": "notice",
        "condition": { "kind": "certificate", "within_days": 60 } });
    let rule: AlertRule = serde_json::from_value(rule).unwrap();
    watching.fleet.create_alert_rule(rule).await.unwrap();
    assert_eq!(watching.minutes(4, "far").await, Vec::<String>::new());
    let mut first_end = None;
    for host in watching.fleet.status().await.unwrap().hosts {
        let node = watching.fleet.facts(host.id.as_str()).await.unwrap().proxmox.unwrap().facts;
        let ends = node.certificates.unwrap().into_iter().filter_map(|certificate| certificate.not_after);
        first_end = ends.chain(first_end).min();
    }
    let left = first_end.unwrap().duration_since(watching.fleet.now());
    watching.clock.advance(left.unsigned_abs() - Duration::from_secs(45 * 86_400));
    let told = watching.minutes(5, "far").await;
    assert_eq!(told.iter().filter(|line| line.ends_with("expires in 44 days")).count(), 1, "{told:?}");
    let tables = watching.fleet.tables().await.unwrap();
    let attention = tables.overview.attention;
    assert!(attention.iter().all(|each| each.kind != AttentionKind::Certificate), "the overview waits: {attention:?}");
}
