//! Power and maintenance of nodes of a look-alike cluster, over real HTTPS and SSH: they go and come back, each effect once,
//! whoever carries it out.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    ErrorKind, Fleet, FleetOptions,
    access::Principal,
    fleet::NewHost,
    host::pve::{PveApi, PveHttps},
    model::{Action, HostChange, HostId, HostState, NewOperation, Operation, OperationState, Rule, StepState},
    operation::Operations,
    transport::{http::Request, ssh::fingerprint_of},
};
use reanimator_tests::cluster;
use serde_json::Value;

/// A cluster of three nodes, and a fleet that knows it.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(100);
        let options = Options { nodes: 3, guests: 9, ssh: true, task_time, ..Options::default() };
        let sim = Sim::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        let operations = Operations::new(fleet.clone());
        Self { sim, fleet, operations, directory }
    }

    /// Another process on the same data directory.
    async fn another(&self) -> Operations {
        Operations::new(Fleet::open(FleetOptions::new(self.directory.path())).await.unwrap())
    }

    async fn node(&self, name: &str) -> HostId {
        self.fleet.host(name).await.unwrap().host.id
    }

    /// Gives a node's record its shell too.
    async fn with_shell(&self, node: usize) {
        let ssh = self.sim.info().nodes[node].ssh.clone().unwrap();
        let mut new = NewHost::new(ssh.address);
        (new.port, new.user) = (ssh.port, ssh.user);
        new.auth.agent = false;
        new.auth.key = Some(ssh.key.into());
        new.accept_host_key = fingerprint_of(&ssh.host_key);
        let added = self.fleet.add_host(new).await.unwrap();
        assert_eq!(added.name, self.sim.info().nodes[node].name, "it is the node, and no other host");
    }

    /// The API of the cluster, at the third node.
    fn api(&self) -> PveHttps {
        cluster::api(&self.sim, 2)
    }

    async fn uptime(&self, node: &str) -> Option<u64> {
        let status = self.api().call(Request::get(["nodes", node, "status"])).await.ok()?;
        status["uptime"].as_u64()
    }

    /// Lets a node be woken through its cluster.
    async fn give_mac(&self, node: &str) {
        let request = Request::put(["nodes", node, "config"]).param("wakeonlan", "bc:24:11:00:00:02");
        self.api().call(request).await.unwrap();
    }

    async fn ask(&self, id: &HostId, change: HostChange) -> Operation {
        let steps = vec![Action::Host { id: id.clone(), change }.into()];
        // Guests run on the nodes here; that they keep a node on is tried elsewhere.
        let new = NewOperation { steps, overrides: vec![Rule::RunningGuests], ..NewOperation::default() };
        self.operations.ask(new, &Principal::local(), "local").await.unwrap()
    }

    async fn carry_out(&self, id: &HostId, change: HostChange) -> Operation {
        let asked = self.ask(id, change).await;
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn refused(&self, id: &HostId, change: HostChange) -> String {
        let steps = vec![Action::Host { id: id.clone(), change }.into()];
        let new = NewOperation { steps, ..NewOperation::default() };
        self.operations.dry_run(&new, &Principal::local()).await.unwrap().steps[0].refused.join("; ")
    }
}

fn outcome(operation: &Operation) -> &str {
    operation.steps[0].outcome.as_deref().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_shut_down_and_its_undo_wakes_it_through_another_node() {
    let ward = Ward::open().await;
    let node = ward.node("pve2").await;
    ward.give_mac("pve2").await;
    let done = ward.carry_out(&node, HostChange::Shutdown).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!(outcome(&done), "it does not answer any more, and its cluster calls it offline");
    assert_eq!(ward.uptime("pve2").await, None);
    let again = ward.carry_out(&node, HostChange::Shutdown).await;
    assert_eq!(again.steps[0].state, StepState::Already, "{again:?}");
    assert!(ward.refused(&node, HostChange::Reboot).await.contains("does not answer"));

    ward.operations.undo(&done.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&done.id).await.unwrap();
    assert_eq!((undone.state, undone.steps[1].outcome.as_deref()), (OperationState::Undone, Some("it answers")));
    assert!(ward.uptime("pve2").await.unwrap() < 60);
    let up = ward.carry_out(&node, HostChange::Wake { through: None }).await;
    assert_eq!((up.steps[0].state, outcome(&up)), (StepState::Already, "it answers already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_can_wake_says_what_is_missing() {
    let ward = Ward::open().await;
    let node = ward.node("pve2").await;
    assert_eq!(ward.carry_out(&node, HostChange::Shutdown).await.state, OperationState::Done);
    let failed = ward.carry_out(&node, HostChange::Wake { through: Some(ward.node("pve3").await) }).await;
    assert_eq!(failed.state, OperationState::Failed);
    assert!(outcome(&failed).contains("No wake on LAN MAC address defined for 'pve2'"), "{failed:?}");
    assert!(outcome(&failed).contains("under Options"), "{failed:?}");
    assert_eq!(ward.uptime("pve2").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_is_waited_for_until_it_is_another_boot_and_a_killed_one_is_found_again() {
    let ward = Ward::open().await;
    ward.with_shell(1).await;
    let node = ward.node("pve2").await;
    let before = ward.uptime("pve2").await.unwrap();
    let done = ward.carry_out(&node, HostChange::Reboot).await;
    assert_eq!((done.state, outcome(&done)), (OperationState::Done, "it has started anew, and answers"), "{done:?}");
    let after = ward.uptime("pve2").await.unwrap();
    assert!(after < before, "{after} {before}");

    // The answer is lost, since the node is gone before it: the reboot is found, and not asked for again.
    let late = Order::new("late").path("/nodes/pve2/status").milliseconds(600);
    ward.sim.control().apply(late).await.unwrap();
    let done = ward.carry_out(&node, HostChange::Reboot).await;
    assert_eq!((done.state, outcome(&done)), (OperationState::Done, "it has started anew, and answers"), "{done:?}");
    ward.sim.control().clear().await;

    // Killed while the node is away: another process finds the same reboot, and asks for no other.
    let asked = ward.ask(&node, HostChange::Reboot).await;
    let api = ward.api();
    let silent = async {
        while api.call(Request::get(["nodes", "pve2", "status"])).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        over = ward.operations.carry_out(&asked.id) => panic!("it was over too soon: {over:?}"),
        () = silent => {}
    }
    let other = ward.another().await;
    let over = loop {
        match other.carry_out(&asked.id).await {
            Ok(over) => break over,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "until the lease ends: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    assert_eq!((over.state, outcome(&over)), (OperationState::Done, "it has started anew, and answers"), "{over:?}");
    assert!(ward.uptime("pve2").await.unwrap() > 5, "it has not started anew once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_cannot_do_is_refused_with_a_reason() {
    let ward = Ward::open().await;
    let node = ward.node("pve2").await;
    let why = ward.refused(&node, HostChange::Suspend).await;
    assert!(why.contains("which cannot let it sleep: add its SSH access"), "{why}");
}

/// Makes a guest with disks on shared storage one of high availability, on the node where it is.
async fn look_after(ward: &Ward) -> (String, String) {
    let api = ward.api();
    let all = api.call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
    for guest in all.as_array().unwrap().iter().filter(|guest| guest["type"] == "qemu" && guest["status"] == "running")
    {
        let (node, vmid) = (guest["node"].as_str().unwrap(), guest["vmid"].to_string());
        let asked = api.call(Request::get(["nodes", node, "qemu", &vmid, "migrate"])).await.unwrap();
        if asked["local_disks"].as_array().unwrap().is_empty() {
            let sid = format!("vm:{vmid}");
            api.call(Request::post(["cluster", "ha", "resources"]).param("sid", &sid)).await.unwrap();
            return (sid, node.to_owned());
        }
    }
    panic!("no guest can be moved: {all}");
}

async fn place_of(api: &PveHttps, sid: &str) -> String {
    let status = api.call(Request::get(["cluster", "ha", "status", "current"])).await.unwrap();
    let found = status.as_array().unwrap().iter().find(|row: &&Value| row["sid"] == sid).unwrap();
    found["node"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_is_told_to_high_availability_which_empties_the_node_and_fills_it_again() {
    let ward = Ward::open().await;
    let (sid, name) = look_after(&ward).await;
    let node = ward.node(&name).await;
    let place = ward.sim.info().nodes.iter().position(|node| node.name == name).unwrap();
    // Another node's shell is as good as its own.
    ward.with_shell((place + 1) % 3).await;

    let entered = ward.carry_out(&node, HostChange::EnterMaintenance).await;
    assert_eq!(entered.state, OperationState::Done, "{entered:?}");
    assert!(outcome(&entered).starts_with("it is in maintenance; high availability keeps away from it"), "{entered:?}");
    assert_eq!(ward.fleet.host(&name).await.unwrap().host.state, HostState::Maintenance);
    assert_ne!(place_of(&ward.api(), &sid).await, name);
    let again = ward.carry_out(&node, HostChange::EnterMaintenance).await;
    assert_eq!(again.steps[0].state, StepState::Already, "{again:?}");

    ward.operations.undo(&entered.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&entered.id).await.unwrap();
    let text = undone.steps[1].outcome.as_deref().unwrap();
    assert_eq!(text, "it is not in maintenance; high availability uses it again", "{undone:?}");
    while place_of(&ward.api(), &sid).await != name {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_shell_maintenance_says_that_high_availability_was_not_told() {
    let ward = Ward::open().await;
    let (sid, name) = look_after(&ward).await;
    let node = ward.node(&name).await;
    let entered = ward.carry_out(&node, HostChange::EnterMaintenance).await;
    assert_eq!(entered.state, OperationState::Done, "{entered:?}");
    assert!(outcome(&entered).contains("high availability was not told: that takes a shell"), "{entered:?}");
    assert_eq!(place_of(&ward.api(), &sid).await, name);
    let left = ward.carry_out(&node, HostChange::LeaveMaintenance).await;
    assert_eq!(
        (left.state, outcome(&left)),
        (OperationState::Done, "it is not in maintenance; high availability uses it again")
    );
}
