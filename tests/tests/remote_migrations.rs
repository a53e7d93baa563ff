//! Guests of one look-alike cluster moved to another, over the real HTTPS transport: with the other's token, which nobody is
//! shown, or not at all.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    fleet::{NewProxmox, ProxmoxSecret},
    host::pve::PveApi as _,
    model::{
        Action, ConnectionId, GuestChange, GuestId, HostId, NewOperation, NewStep, Operation, OperationState, Step,
        StepState,
    },
    operation::{DryStep, Operations},
    transport::http::{Method, Request},
};
use reanimator_tests::cluster;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Two clusters of two nodes, and a fleet that knows both.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    directory: tempfile::TempDir,
    /// The first one's connection.
    here: ConnectionId,
}

impl Ward {
    async fn open() -> Self {
        Self::with(|info| ProxmoxSecret::Token(info.token.clone().into())).await
    }

    /// Two clusters, the second of which is connected with something else.
    async fn with(second: impl Fn(&pve_sim::Info) -> ProxmoxSecret) -> Self {
        let task_time = Duration::from_millis(50);
        let options = Options { clusters: 2, nodes: 2, guests: 8, task_time, ..Options::default() };
        let sim = Sim::start(options).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        let info = sim.info();
        let connect = async |node: usize, auth: ProxmoxSecret| {
            let new = NewProxmox { auth, ..cluster::connection(&sim, node) };
            fleet.connect_proxmox(new).await.unwrap().id
        };
        let here = connect(0, ProxmoxSecret::Token(info.token.clone().into())).await;
        connect(2, second(info)).await;
        Self { operations: Operations::new(fleet.clone()), sim, fleet, directory, here }
    }

    fn secret(&self) -> &str {
        self.sim.info().token.split_once('=').unwrap().1
    }

    /// Asks a cluster itself: the one of the first node or of the third.
    async fn call(&self, node: usize, method: Method, path: &str, params: &[(&str, &str)]) -> Value {
        let api = cluster::api(&self.sim, node);
        let request = Request::new(method, path.split('/'));
        api.call(params.iter().fold(request, |request, (name, value)| request.param(*name, *value))).await.unwrap()
    }

    /// The nodes that guests of a number are on, in both clusters.
    async fn nodes_of(&self, vmid: u32) -> Vec<String> {
        let mut nodes = Vec::new();
        for node in [0, 2] {
            let rows = self.call(node, Method::Get, "cluster/resources", &[("type", "vm")]).await;
            let of_it = rows.as_array().unwrap().iter().filter(|row| row["vmid"] == vmid);
            nodes.extend(of_it.map(|row| row["node"].as_str().unwrap().to_owned()));
        }
        nodes
    }

    async fn host(&self, node: &str) -> HostId {
        self.fleet.host(node).await.unwrap().host.id
    }

    async fn step(&self, vmid: u32, change: impl Fn(HostId) -> GuestChange) -> NewStep {
        let change = change(self.host("c2-pve2").await);
        Action::Guest { id: GuestId::new(&self.here, vmid), change }.into()
    }

    async fn dry_run(&self, step: NewStep) -> DryStep {
        self.operations.dry_run(&plan(step), &Principal::local()).await.unwrap().steps.swap_remove(0)
    }

    async fn carry_out(&self, step: NewStep) -> Operation {
        let asked = self.operations.ask(plan(step), &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }
}

fn plan(step: NewStep) -> NewOperation {
    NewOperation { title: "a test".into(), steps: vec![step], ..NewOperation::default() }
}

fn outcome(step: &Step) -> &str {
    step.outcome.as_deref().unwrap()
}

/// To the shared storage and the only bridge there.
fn change(to: HostId, vmid: Option<u32>, keep: bool, online: bool) -> GuestChange {
    GuestChange::RemoteMigrate { to, storage: "shared-nfs".into(), bridge: "vmbr0".into(), vmid, keep, online }
}

#[tokio::test]
async fn a_running_vm_goes_over_to_the_other_cluster_and_back_and_the_token_is_shown_to_nobody() {
    let ward = Ward::open().await;
    let step = ward.step(100, |to| change(to, Some(900), false, true)).await;
    let dry = ward.dry_run(step.clone()).await;
    assert_eq!(dry.refused, Vec::<String>::new());
    assert!(dry.calls[0].starts_with("POST /nodes/pve1/qemu/100/remote_migrate target-vmid=900"), "{dry:?}");
    assert!(dry.calls[0].contains("apitoken=PVEAPIToken=root@pam!sim=***,fingerprint="), "{dry:?}");

    let done = ward.carry_out(step).await;
    assert_eq!(outcome(&done.steps[0]), "it is guest 900 on c2-pve2, and running", "{done:?}");
    assert_eq!((ward.nodes_of(900).await, ward.nodes_of(100).await), (vec!["c2-pve2".into()], vec!["c2-pve1".into()]));
    let config = ward.call(2, Method::Get, "nodes/c2-pve2/qemu/900/config", &[]).await;
    assert!(config["scsi0"].as_str().unwrap().starts_with("shared-nfs:vm-900-disk-0"), "{config}");
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    let audit = ward.fleet.access().audit(None, 100).await.unwrap();
    let all = format!("{dry:?} {done:?} {lines:?} {audit:?}");
    assert!(!all.contains(ward.secret()));
    let stored = std::fs::read_dir(ward.directory.path()).unwrap();
    for file in stored.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(ward.secret().len()).any(|part| part == ward.secret().as_bytes()), "{file:?}");
    }

    ward.operations.undo(&done.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&done.id).await.unwrap();
    assert_eq!(outcome(&undone.steps[1]), "it is guest 100 on pve1, and running", "{undone:?}");
    assert_eq!(ward.nodes_of(900).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_guest_that_is_kept_stays_stopped_and_takes_the_next_free_number_there() {
    let ward = Ward::open().await;
    let running = ward.dry_run(ward.step(101, |to| change(to, None, true, false)).await).await;
    assert!(running.refused[0].contains("runs: shut it down first, or let it move while it runs"), "{running:?}");
    let done = ward.carry_out(ward.step(101, |to| change(to, None, true, true)).await).await;
    let said = "it is guest 108 on c2-pve2, and running; its first stays on pve2, stopped";
    assert_eq!(outcome(&done.steps[0]), said, "{done:?}");
    ward.operations.undo(&done.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&done.id).await.unwrap();
    assert!(undone.note.as_ref().unwrap().contains("cannot be taken back"), "{undone:?}");
}

#[tokio::test]
async fn what_cannot_go_over_is_refused_before_with_what_to_do() {
    let ward = Ward::open().await;
    let refused = async |step: NewStep, why: &str| {
        let dry = ward.dry_run(step).await;
        assert!(dry.calls.is_empty() && dry.refused.iter().any(|text| text.contains(why)), "{why}: {dry:?}");
    };
    refused(ward.step(100, |to| change(to, Some(101), false, true)).await, "cannot be 101 there").await;
    let elsewhere = |storage: &str, bridge: &str, to| GuestChange::RemoteMigrate {
        to,
        storage: storage.into(),
        bridge: bridge.into(),
        vmid: Some(900),
        keep: false,
        online: true,
    };
    refused(ward.step(100, |to| elsewhere("attic", "vmbr0", to)).await, "cannot have its disks on attic").await;
    refused(ward.step(100, |to| elsewhere("tank", "vmbr9", to)).await, "cannot hang on vmbr9").await;
    let own = ward.host("pve2").await;
    let own = ward.step(100, |_| change(own.clone(), None, false, true)).await;
    refused(own, "Next: migrate it within its cluster instead").await;
    ward.call(0, Method::Post, "cluster/ha/resources", &[("sid", "vm:100")]).await;
    refused(ward.step(100, |to| change(to, Some(900), false, true)).await, "is managed by high availability").await;
}

#[tokio::test]
async fn a_cluster_that_is_connected_by_a_password_or_a_weak_token_is_no_target() {
    let by_password = |info: &pve_sim::Info| ProxmoxSecret::Password {
        user: info.user.clone(),
        password: info.password.clone().into(),
    };
    let ward = Ward::with(by_password).await;
    let dry = ward.dry_run(ward.step(100, |to| change(to, Some(900), false, true)).await).await;
    assert!(dry.refused[0].contains("sim2 is connected by a password"), "{dry:?}");
    assert!(dry.refused[0].contains("Next: give the connection a token"), "{dry:?}");

    // It may look, and nothing else.
    let grant = [("path", "/"), ("roles", "PVEAuditor"), ("tokens", "root@pam!stranger")];
    let ward = Ward::open().await;
    ward.call(2, Method::Put, "access/acl", &grant).await;
    let weak = ProxmoxSecret::Token(ward.sim.info().token_without_acl.clone().into());
    ward.fleet.set_proxmox_credentials("sim2", &weak).await.unwrap();
    let dry = ward.dry_run(ward.step(100, |to| change(to, Some(900), false, true)).await).await;
    for privilege in ["Sys.Incoming on /", "VM.Allocate on /vms/900", "SDN.Use on /sdn/zones/localnetwork/vmbr0"] {
        let lacks = format!("root@pam!stranger, which lacks {privilege}");
        assert!(dry.refused.iter().any(|text| text.contains(&lacks)), "{privilege}: {dry:?}");
    }
}

#[tokio::test]
async fn one_that_fails_on_the_other_side_leaves_the_guest_where_it_was() {
    let ward = Ward::open().await;
    ward.sim.control().apply(Order::new("slow-task").vmid(100).milliseconds(1_500)).await.unwrap();
    let step = ward.step(100, |to| change(to, Some(900), false, true)).await;
    let asked = ward.operations.ask(plan(step), &Principal::local(), "local").await.unwrap();
    let carrying = tokio::spawn({
        let (operations, id) = (ward.operations.clone(), asked.id.clone());
        async move { operations.carry_out(&id).await.unwrap() }
    });
    while ward.operations.get(&asked.id).await.unwrap().steps[0].state != StepState::Begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ward.sim.control().node_down("c2-pve2").await.unwrap();
    let failed = carrying.await.unwrap();
    assert_eq!(failed.state, OperationState::Failed, "{failed:?}");
    assert!(outcome(&failed.steps[0]).contains("No route to host"), "{failed:?}");
    assert_eq!(ward.nodes_of(100).await, ["pve1", "c2-pve1"], "each cluster has its own guest of that number");
    let status = ward.call(0, Method::Get, "nodes/pve1/qemu/100/status/current", &[]).await;
    assert_eq!((status["status"].as_str(), status.get("lock")), (Some("running"), None), "{status}");
}

/// Once it has gone over, its old cluster knows it no more: whoever goes on finds it by its task all the same.
#[tokio::test]
async fn one_that_was_begun_by_who_vanished_is_found_again_though_it_is_gone_here() {
    let ward = Ward::open().await;
    let begin = "/nodes/pve1/qemu/100/remote_migrate";
    ward.sim.control().apply(Order::new("late").path(begin).milliseconds(3_000)).await.unwrap();
    let step = ward.step(100, |to| change(to, Some(900), false, true)).await;
    let asked = ward.operations.ask(plan(step), &Principal::local(), "local").await.unwrap();
    let first = Operations::new(Fleet::open(FleetOptions::new(ward.directory.path())).await.unwrap());
    let vanishing = tokio::spawn({
        let id = asked.id.clone();
        async move { first.carry_out(&id).await }
    });
    while ward.nodes_of(900).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    vanishing.abort();
    assert!(vanishing.await.unwrap_err().is_cancelled());
    assert_eq!(ward.operations.get(&asked.id).await.unwrap().steps[0].state, StepState::Intended);
    let done = ward.operations.see_through(&asked.id, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome(&done.steps[0]), "it is guest 900 on c2-pve2, and running", "{done:?}");
    let asked = [("vmid", "100"), ("source", "all")];
    assert_eq!(ward.call(0, Method::Get, "nodes/pve1/tasks", &asked).await.as_array().unwrap().len(), 1);
}
