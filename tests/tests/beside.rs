//! Steps beside each other, on two look-alike clusters: what one of them is doing holds no other up that has nothing to do
//! with it, not even when its cluster falls silent; and what goes on with a guest speaks against what else is asked of it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    host::pve::PveApi as _,
    model::{
        Action, ConnectionId, Guest, GuestChange, GuestKind, GuestStatus, HostId, MaintenanceWish, MigrationMode,
        NewOperation, NewStep, Operation, OperationState, Rule, StepState,
    },
    operation::Operations,
    transport::http::Request,
    workflows::maintenance,
};
use reanimator_tests::cluster;
use tokio::task::JoinHandle;

/// Longer than any test takes.
const LONG: u64 = 60_000;

/// Two clusters of two nodes, and a fleet that knows them.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    clusters: [ConnectionId; 2],
    _directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(50);
        let options = Options { clusters: 2, nodes: 2, guests: 24, task_time, ..Options::default() };
        let sim = Sim::start(options).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        let connect = async |node: usize| fleet.connect_proxmox(cluster::connection(&sim, node)).await.unwrap().id;
        let clusters = [connect(0).await, connect(2).await];
        Self { operations: Operations::new(fleet.clone()), sim, fleet, clusters, _directory: directory }
    }

    /// VMs of a cluster that run, on no guard of high availability.
    async fn vms(&self, cluster: usize) -> Vec<Guest> {
        let managed = self.call(cluster, Request::get(["cluster", "ha", "resources"])).await;
        let mut guests = self.fleet.guests().await.unwrap();
        guests.retain(|guest| {
            let fits = guest.kind == GuestKind::Qemu && guest.status == GuestStatus::Running;
            fits && guest.connection == self.clusters[cluster] && !managed.contains(&format!("vm:{}", guest.vmid))
        });
        guests
    }

    /// Asks a cluster itself.
    async fn call(&self, number: usize, request: Request) -> String {
        let api = cluster::api(&self.sim, number * 2);
        api.call(request).await.unwrap().to_string()
    }

    async fn order(&self, order: Order) {
        self.sim.control().apply(order).await.unwrap();
    }

    /// Moves a guest to the other node of its cluster.
    async fn away(&self, guest: &Guest) -> NewStep {
        let (stem, number) = guest.node.split_at(guest.node.len() - 1);
        let to = self.host(&format!("{stem}{}", if number == "1" { 2 } else { 1 })).await;
        let change = GuestChange::Migrate { to, mode: MigrationMode::Auto, local_disks: true, storage: None };
        Action::Guest { id: guest.id.clone(), change }.into()
    }

    async fn host(&self, node: &str) -> HostId {
        self.fleet.host(node).await.unwrap().host.id
    }

    async fn ask(&self, step: NewStep) -> Operation {
        self.operations.ask(plan(step), &Principal::local(), "local").await.unwrap()
    }

    async fn carry_out(&self, step: NewStep) -> Operation {
        self.operations.carry_out(&self.ask(step).await.id).await.unwrap()
    }

    /// Begins a step that takes long.
    async fn begin(&self, guest: &Guest, step: NewStep) -> (Operation, JoinHandle<()>) {
        let slow = Order { cluster: Some(self.cluster_name(guest)), ..Order::new("slow-task") };
        self.order(slow.vmid(guest.vmid.parse().unwrap()).milliseconds(LONG)).await;
        let asked = self.ask(step).await;
        let (operations, id) = (self.operations.clone(), asked.id.clone());
        let task = tokio::spawn(async move { drop(operations.carry_out(&id).await) });
        while self.state(&asked).await != StepState::Begun {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (asked, task)
    }

    async fn state(&self, operation: &Operation) -> StepState {
        self.operations.get(&operation.id).await.unwrap().steps[0].state
    }

    /// What a cluster calls itself.
    fn cluster_name(&self, guest: &Guest) -> String {
        let node = self.sim.info().nodes.iter().find(|node| node.name == guest.node).unwrap();
        node.cluster.clone()
    }
}

fn plan(step: NewStep) -> NewOperation {
    NewOperation { title: "a test".into(), steps: vec![step], ..NewOperation::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_moves_while_another_is_on_its_way() {
    let ward = Ward::open().await;
    let vms = ward.vms(0).await;
    let (first, task) = ward.begin(&vms[0], ward.away(&vms[0]).await).await;
    let second = ward.carry_out(ward.away(&vms[1]).await).await;
    assert_eq!(second.state, OperationState::Done, "{second:?}");
    // So does a plan of more.
    let dry = ward.operations.dry_run(&plan(ward.away(&vms[2]).await), &Principal::local()).await.unwrap();
    assert!(!dry.steps[0].is_refused(&[]), "{dry:?}");
    assert_eq!(ward.state(&first).await, StepState::Begun, "the first was on its way all the time");
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_with_a_guest_is_told_by_its_rule() {
    let ward = Ward::open().await;
    let vm = ward.vms(0).await.swap_remove(0);
    ward.order(Order { cluster: Some(ward.cluster_name(&vm)), ..Order::new("locked") }.vmid(vm.vmid.parse().unwrap()))
        .await;
    let dry =
        ward.operations.dry_run(&plan(ward.away(&vm).await), &Principal::local()).await.unwrap().steps.swap_remove(0);
    let rules: Vec<Rule> = dry.objections.iter().map(|objection| objection.rule).collect();
    assert_eq!(rules, [Rule::Locked], "{dry:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_falls_silent_under_a_step_holds_no_other_cluster_up() {
    let ward = Ward::open().await;
    let (here, there) = (ward.vms(0).await.swap_remove(0), ward.vms(1).await.swap_remove(0));
    let (first, task) = ward.begin(&there, ward.away(&there).await).await;
    ward.order(Order { cluster: Some(ward.cluster_name(&there)), ..Order::new("595") }).await;

    let second = ward.carry_out(ward.away(&here).await).await;
    assert_eq!(second.state, OperationState::Done, "{second:?}");
    assert_eq!(ward.state(&first).await, StepState::Begun, "it was in flight all the time");
    // The silent one itself is another matter.
    let dry = ward.operations.dry_run(&plan(ward.away(&there).await), &Principal::local()).await.unwrap();
    assert!(!dry.steps[0].refused.is_empty(), "{dry:?}");
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_of_high_availability_with_disks_of_its_node_stays_before_anything_begins() {
    let ward = Ward::open().await;
    // Every third has its disk on shared storage.
    let local = |guest: &&Guest| guest.vmid.parse::<u32>().unwrap() % 3 != 1;
    let vms = ward.vms(0).await;
    let vm = vms.iter().find(local).unwrap();
    let sid = format!("vm:{}", vm.vmid);
    ward.call(0, Request::post(["cluster", "ha", "resources"]).param("sid", sid)).await;
    let dry = ward.operations.dry_run(&plan(ward.away(vm).await), &Principal::local()).await.unwrap();
    let ha = dry.steps[0].objections.iter().any(|objection| objection.rule == Rule::Ha);
    assert!(ha && !dry.steps[0].refused.is_empty(), "{dry:?}");

    let wish: MaintenanceWish = serde_json::from_str(r#"{"do":"enter","local_disks":true}"#).unwrap();
    let host = ward.host(&vm.node).await;
    let error = maintenance::plan(&ward.fleet, &host, &wish).await.unwrap_err();
    let said = reanimator_core::report(&error);
    assert!(said.contains("can go nowhere") && said.contains("copies no disks"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_that_would_stop_half_way_is_not_begun() {
    let ward = Ward::open().await;
    let host = ward.host("pve2").await;
    ward.fleet.protect_host("pve2", "the last of its kind", "ada").await.unwrap();
    let wish = r#"{"do":"enter","local_disks":true,"shutdown":true}"#;
    let wish: MaintenanceWish = serde_json::from_str(wish).unwrap();
    let dry = maintenance::dry_run(&ward.fleet, &host, &wish, &Principal::local()).await.unwrap();
    assert!(dry.dry_run.steps.last().unwrap().is_refused(&[]), "a dry run shows it: {dry:?}");
    let error = maintenance::ask(&ward.fleet, &host, &wish, &Principal::local(), "local").await.unwrap_err();
    let said = reanimator_core::report(&error);
    assert!(said.contains("shut down host pve2") && said.contains("protected"), "{said}");
    assert!(ward.operations.list(&Default::default()).await.unwrap().is_empty(), "nothing was begun");

    let anyway: MaintenanceWish = serde_json::from_str(
        r#"{"do":"enter","local_disks":true,"shutdown":true,"overrides":["protected"],"leave_behind":true}"#,
    )
    .unwrap();
    maintenance::ask(&ward.fleet, &host, &anyway, &Principal::local(), "local").await.unwrap();
}
