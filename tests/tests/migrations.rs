//! Guests of a look-alike cluster moved to other nodes, over the real HTTPS transport: each in its way, once, and told where
//! they are afterwards.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    host::pve::{PveApi as _, PveHttps},
    model::{
        Action, Guest, GuestChange, GuestKind, GuestStatus, HostId, MigrationMode, NewOperation, NewStep, Operation,
        OperationState, Step, StepState,
    },
    operation::{DryStep, Operations},
    transport::http::{Method, Request},
};
use reanimator_tests::cluster;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A cluster of three nodes, and a fleet that knows it.
struct Ward {
    sim: Sim,
    api: PveHttps,
    fleet: Fleet,
    operations: Operations,
    directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(50);
        let sim = Sim::start(Options { nodes: 3, guests: 12, task_time, ..Options::default() }).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        let api = cluster::api(&sim, 0);
        Self { operations: Operations::new(fleet.clone()), sim, api, fleet, directory }
    }

    /// Another process on the same data directory.
    async fn another(&self) -> Operations {
        Operations::new(Fleet::open(FleetOptions::new(self.directory.path())).await.unwrap())
    }

    async fn guest(&self, vmid: &str) -> Guest {
        self.fleet.guests().await.unwrap().into_iter().find(|guest| guest.vmid == vmid).unwrap()
    }

    async fn host(&self, node: &str) -> HostId {
        self.fleet.host(node).await.unwrap().host.id
    }

    async fn order(&self, order: Order) {
        self.sim.control().apply(order).await.unwrap();
    }

    /// Asks the cluster itself.
    async fn call(&self, method: Method, path: &str, params: &[(&str, &str)]) -> Value {
        let path = path.split('/').filter(|part| !part.is_empty());
        let request = Request::new(method, path);
        self.api.call(params.iter().fold(request, |request, (name, value)| request.param(*name, *value))).await.unwrap()
    }

    /// The node that a guest is on, as its cluster says.
    async fn node_of(&self, vmid: &str) -> String {
        let rows = self.call(Method::Get, "cluster/resources", &[("type", "vm")]).await;
        let row = rows.as_array().unwrap().iter().find(|row| row["vmid"].as_u64() == vmid.parse().ok()).unwrap();
        row["node"].as_str().unwrap().to_owned()
    }

    /// The kinds of the tasks about a guest, node by node, the oldest of each first.
    async fn tasks(&self, vmid: &str) -> Vec<String> {
        let mut tasks = Vec::new();
        for node in ["pve1", "pve2", "pve3"] {
            tasks.extend(self.tasks_on(node, vmid).await);
        }
        tasks
    }

    /// The same on one node, which may not be down.
    async fn tasks_on(&self, node: &str, vmid: &str) -> Vec<String> {
        let asked = [("vmid", vmid), ("source", "all"), ("limit", "500")];
        let rows = self.call(Method::Get, &format!("nodes/{node}/tasks"), &asked).await;
        rows.as_array().unwrap().iter().rev().map(|row| row["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn step(
        &self,
        vmid: &str,
        to: &str,
        mode: MigrationMode,
        local_disks: bool,
        storage: Option<&str>,
    ) -> NewStep {
        let (to, storage) = (self.host(to).await, storage.map(str::to_owned));
        let change = GuestChange::Migrate { to, mode, local_disks, storage };
        Action::Guest { id: self.guest(vmid).await.id, change }.into()
    }

    async fn to(&self, vmid: &str, to: &str) -> NewStep {
        self.step(vmid, to, MigrationMode::Auto, false, None).await
    }

    async fn carry_out(&self, step: NewStep) -> Operation {
        let asked = self.operations.ask(plan(step), &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn undo(&self, operation: &Operation) -> Operation {
        self.operations.undo(&operation.id, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&operation.id).await.unwrap()
    }

    async fn dry_run(&self, step: NewStep) -> DryStep {
        self.operations.dry_run(&plan(step), &Principal::local()).await.unwrap().steps.swap_remove(0)
    }
}

fn plan(step: NewStep) -> NewOperation {
    NewOperation { title: "a test".into(), steps: vec![step], ..NewOperation::default() }
}

fn outcome(step: &Step) -> &str {
    step.outcome.as_deref().unwrap()
}

#[tokio::test]
async fn a_vm_moves_while_it_runs_and_back_again() {
    let ward = Ward::open().await;
    let dry = ward.dry_run(ward.to("100", "pve2").await).await;
    assert_eq!(dry.calls, ["POST /nodes/pve1/qemu/100/migrate target=pve2&online=1"], "{dry:?}");
    assert_eq!(ward.tasks("100").await, Vec::<String>::new());

    let done = ward.carry_out(ward.to("100", "pve2").await).await;
    assert_eq!((done.state, outcome(&done.steps[0])), (OperationState::Done, "it is on pve2, and running"), "{done:?}");
    assert_eq!((ward.node_of("100").await.as_str(), ward.tasks("100").await), ("pve2", vec!["qmigrate".to_owned()]));
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.text.starts_with("migration finished successfully")), "{lines:?}");
    let again = ward.carry_out(ward.to("100", "pve2").await).await;
    assert_eq!((again.steps[0].state, outcome(&again.steps[0])), (StepState::Already, "it is on pve2 already"));

    let undone = ward.undo(&done).await;
    assert_eq!(undone.state, OperationState::Undone, "{undone:?}");
    assert_eq!((ward.node_of("100").await.as_str(), ward.tasks("100").await.len()), ("pve1", 2));
}

#[tokio::test]
async fn a_container_is_restarted_on_its_way_and_its_disks_go_along_where_asked() {
    let ward = Ward::open().await;
    let bare = ward.dry_run(ward.to("101", "pve1").await).await;
    assert_eq!(bare.refused.len(), 1, "{bare:?}");
    assert!(bare.refused[0].contains("has disks on storage of pve2: local-lvm:vm-101-disk-0"), "{bare:?}");

    let along = ward.step("101", "pve1", MigrationMode::Auto, true, None).await;
    let dry = ward.dry_run(along.clone()).await;
    assert_eq!(dry.calls, ["POST /nodes/pve2/lxc/101/migrate target=pve1&restart=1"], "{dry:?}");
    let done = ward.carry_out(along).await;
    assert_eq!(outcome(&done.steps[0]), "it is on pve1, and running", "{done:?}");
    let status = ward.call(Method::Get, "nodes/pve1/lxc/101/status/current", &[]).await;
    assert!(status["uptime"].as_u64().unwrap() < 60, "it was started anew: {status}");

    let undone = ward.undo(&done).await;
    assert_eq!(undone.state, OperationState::Undone, "{undone:?}");
    assert_eq!((ward.node_of("101").await.as_str(), ward.tasks("101").await), ("pve2", vec!["vzmigrate".into(); 2]));
}

#[tokio::test]
async fn what_does_not_run_moves_offline_and_each_mode_refuses_the_others() {
    let ward = Ward::open().await;
    let done = ward.carry_out(ward.step("103", "pve2", MigrationMode::Offline, false, None).await).await;
    assert_eq!(outcome(&done.steps[0]), "it is on pve2, and stopped", "{done:?}");
    for (vmid, to, mode, why) in [
        ("103", "pve1", MigrationMode::Live, "does not run: choose offline"),
        ("100", "pve2", MigrationMode::Restart, "is a VM"),
        ("100", "pve2", MigrationMode::Offline, "shut it down first, or choose live"),
        ("101", "pve1", MigrationMode::Live, "is a container"),
        ("101", "pve1", MigrationMode::Offline, "shut it down first, or choose restart"),
        ("102", "pve1", MigrationMode::Restart, "does not run: choose offline"),
    ] {
        let dry = ward.dry_run(ward.step(vmid, to, mode, true, None).await).await;
        assert!(dry.calls.is_empty() && dry.refused[0].contains(why), "{vmid} {mode:?}: {dry:?}");
    }
}

#[tokio::test]
async fn disks_of_its_node_go_to_the_storage_that_was_asked_for_and_back_to_theirs() {
    let ward = Ward::open().await;
    let mut guests = ward.fleet.guests().await.unwrap();
    // High availability chooses no storage.
    let managed = ward.call(Method::Get, "cluster/ha/resources", &[]).await.to_string();
    guests.retain(|guest| {
        let fits = guest.kind == GuestKind::Qemu && guest.status == GuestStatus::Running && guest.node != "pve1";
        fits && !managed.contains(&format!("vm:{}", guest.vmid))
    });
    let (vmid, node) = (guests[0].vmid.clone(), guests[0].node.clone());
    let disk = async |node: &str| {
        let config = ward.call(Method::Get, &format!("nodes/{node}/qemu/{vmid}/config"), &[]).await;
        config["scsi0"].as_str().unwrap().split(':').next().unwrap().to_owned()
    };
    assert_eq!(disk(&node).await, "local-lvm");
    let nowhere = ward.dry_run(ward.step(&vmid, "pve1", MigrationMode::Auto, true, Some("attic")).await).await;
    assert!(nowhere.refused[0].contains("cannot have its disks on attic"), "{nowhere:?}");
    let done = ward.carry_out(ward.step(&vmid, "pve1", MigrationMode::Live, true, Some("tank")).await).await;
    assert_eq!(outcome(&done.steps[0]), "it is on pve1, and running", "{done:?}");
    assert_eq!(disk("pve1").await, "tank");
    let undone = ward.undo(&done).await;
    assert_eq!(undone.state, OperationState::Undone, "{undone:?}");
    assert_eq!(disk(&node).await, "local-lvm");
}

#[tokio::test]
async fn what_proxmox_would_refuse_is_refused_before() {
    let ward = Ward::open().await;
    let refused = async |why: &str| {
        let dry = ward.dry_run(ward.to("100", "pve2").await).await;
        assert!(dry.calls.is_empty() && dry.refused.iter().any(|text| text.contains(why)), "{why}: {dry:?}");
    };
    let config = "nodes/pve1/qemu/100/config";
    ward.order(Order::new("locked").vmid(100)).await;
    refused("is locked by Proxmox: backup").await;
    ward.order(Order::new("clear")).await;
    ward.call(Method::Put, config, &[("serial1", "/dev/ttyS0")]).await;
    refused("uses devices of pve1: serial1").await;
    ward.call(Method::Put, config, &[("delete", "serial1")]).await;
    ward.call(Method::Put, config, &[("ide2", "local:iso/debian.iso,media=cdrom")]).await;
    refused("has a CD of pve1 in its drive").await;
    ward.call(Method::Put, config, &[("delete", "ide2")]).await;
    ward.call(Method::Put, "storage/shared-nfs", &[("nodes", "pve1,pve3")]).await;
    refused("uses storage that pve2 has not: shared-nfs").await;
    ward.call(Method::Put, "storage/shared-nfs", &[("delete", "nodes")]).await;
    for sid in ["vm:100", "ct:101"] {
        ward.call(Method::Post, "cluster/ha/resources", &[("sid", sid)]).await;
    }
    let apart =
        [("rule", "apart"), ("type", "resource-affinity"), ("affinity", "negative"), ("resources", "vm:100,ct:101")];
    ward.call(Method::Post, "cluster/ha/rules", &apart).await;
    refused("by a rule of high availability, because of ct:101 (resource-affinity)").await;
    ward.call(Method::Delete, "cluster/ha/rules/apart", &[]).await;
    ward.sim.control().node_down("pve2").await.unwrap();
    refused("cannot go to pve2: its cluster does not reach that node").await;
    assert_eq!(ward.tasks_on("pve1", "100").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_guest_of_high_availability_is_followed_to_where_it_arrives() {
    let ward = Ward::open().await;
    ward.call(Method::Post, "cluster/ha/resources", &[("sid", "vm:100")]).await;
    ward.order(Order::new("slow-manager").milliseconds(1_500)).await;
    let done = ward.carry_out(ward.to("100", "pve3").await).await;
    assert_eq!(outcome(&done.steps[0]), "it is on pve3, and running", "{done:?}");
    assert_eq!(ward.tasks("100").await, ["hamigrate", "qmigrate"]);
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.text.starts_with("starting migration of VM 100")), "{lines:?}");

    // The task of the wish ends well; what comes of it does not.
    ward.order(Order::new("slow-manager").milliseconds(3_000)).await;
    let asked = ward.operations.ask(plan(ward.to("100", "pve2").await), &Principal::local(), "local").await.unwrap();
    let carrying = tokio::spawn({
        let (operations, id) = (ward.operations.clone(), asked.id.clone());
        async move { operations.carry_out(&id).await.unwrap() }
    });
    while ward.operations.get(&asked.id).await.unwrap().steps[0].state != StepState::Begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ward.order(Order::new("task-fails").vmid(100)).await;
    let failed = carrying.await.unwrap();
    assert_eq!(failed.state, OperationState::Failed, "{failed:?}");
    let said = outcome(&failed.steps[0]);
    assert!(said.contains("Proxmox says: simulated failure") && said.contains("the guest is on pve3"), "{said}");
}

#[tokio::test]
async fn a_migration_that_fails_is_no_step_done_and_says_why_and_where_the_guest_is() {
    let ward = Ward::open().await;
    ward.order(Order::new("slow-task").vmid(100).milliseconds(1_500)).await;
    let asked = ward.operations.ask(plan(ward.to("100", "pve2").await), &Principal::local(), "local").await.unwrap();
    let carrying = tokio::spawn({
        let (operations, id) = (ward.operations.clone(), asked.id.clone());
        async move { operations.carry_out(&id).await.unwrap() }
    });
    while ward.operations.get(&asked.id).await.unwrap().steps[0].state != StepState::Begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It is locked meanwhile, as its cluster says.
    let status = ward.call(Method::Get, "nodes/pve1/qemu/100/status/current", &[]).await;
    assert_eq!(status["lock"], "migrate", "{status}");
    ward.sim.control().node_down("pve2").await.unwrap();
    let failed = carrying.await.unwrap();
    assert_eq!(failed.state, OperationState::Failed, "{failed:?}");
    let said = outcome(&failed.steps[0]);
    assert!(said.contains("No route to host") && said.contains("the guest is on pve1"), "{said}");
    assert_eq!(ward.node_of("100").await, "pve1");
}

/// The answer to the request is held back, and whoever sent it vanishes: another asks the cluster what became of it.
#[tokio::test]
async fn one_that_was_begun_by_who_vanished_is_found_again() {
    let ward = Ward::open().await;
    let begin = "/nodes/pve1/qemu/100/migrate";
    ward.order(Order::new("late").path(begin).milliseconds(2_000)).await;
    ward.order(Order::new("slow-task").vmid(100).milliseconds(500)).await;
    let asked = ward.operations.ask(plan(ward.to("100", "pve2").await), &Principal::local(), "local").await.unwrap();
    let first = ward.another().await;
    let vanishing = tokio::spawn({
        let id = asked.id.clone();
        async move { first.carry_out(&id).await }
    });
    while ward.tasks_on("pve1", "100").await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    vanishing.abort();
    assert!(vanishing.await.unwrap_err().is_cancelled());
    let left = ward.operations.get(&asked.id).await.unwrap();
    assert_eq!((left.steps[0].state, left.steps[0].handle.as_ref()), (StepState::Intended, None));
    ward.order(Order::new("clear")).await;
    let done = ward.operations.see_through(&asked.id, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!((ward.node_of("100").await.as_str(), ward.tasks("100").await.len()), ("pve2", 1));
}
