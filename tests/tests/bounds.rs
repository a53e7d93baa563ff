//! What bounds operations on a look-alike cluster: rules and who may override them, how much goes on at once, how long a step may
//! take, and what is left of it when something is taken back.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    ErrorKind, Fleet, FleetOptions,
    access::{Credential, Principal, Role},
    fleet::{CapChange, SettingsChange},
    host::pve::PveApi as _,
    model::{
        Action, Guest, GuestChange, GuestId, GuestStatus, NewOperation, NewStep, Operation, OperationState, Rule,
        StepState,
    },
    operation::Operations,
    transport::http::Request,
};
use reanimator_tests::cluster;

/// A cluster, and a fleet that knows it.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    _directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(100);
        let sim = Sim::start(Options { nodes: 2, guests: 12, task_time, ..Options::default() }).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        Self { operations: Operations::new(fleet.clone()), sim, fleet, _directory: directory }
    }

    async fn guests(&self, status: GuestStatus, node: &str) -> Vec<Guest> {
        let mut guests = self.fleet.guests().await.unwrap();
        guests.retain(|guest| guest.status == status && !guest.template && guest.node == node);
        guests
    }

    async fn slow(&self, guest: &Guest, milliseconds: u64) {
        let order = Order::new("slow-task").vmid(guest.vmid.parse().unwrap()).milliseconds(milliseconds);
        self.sim.control().apply(order).await.unwrap();
    }

    async fn ask(&self, steps: Vec<NewStep>, overrides: Vec<Rule>) -> Operation {
        let new = NewOperation { steps, overrides, ..NewOperation::default() };
        self.operations.ask(new, &Principal::local(), "local").await.unwrap()
    }

    async fn lines(&self, operation: &Operation) -> Vec<String> {
        self.operations.lines(&operation.id, 0).await.unwrap().into_iter().map(|line| line.text).collect()
    }
}

fn step(guest: &Guest, change: GuestChange) -> NewStep {
    Action::Guest { id: guest.id.clone(), change }.into()
}

fn outcome(operation: &Operation) -> &str {
    operation.steps[0].outcome.as_deref().unwrap()
}

#[tokio::test]
async fn what_is_protected_is_left_alone_but_by_an_admin_who_says_so_and_an_undo_keeps_the_rule() {
    let ward = Ward::open().await;
    let guest = ward.guests(GuestStatus::Running, "pve1").await.swap_remove(0);
    ward.fleet.protect_guest(None, &guest.vmid, "the last of its kind", "ada").await.unwrap();
    let suspend = || vec![step(&guest, GuestChange::Suspend)];
    let kept = ward.ask(suspend(), Vec::new()).await;
    let kept = ward.operations.carry_out(&kept.id).await.unwrap();
    assert_eq!(kept.state, OperationState::Failed);
    assert!(outcome(&kept).contains("rule protected") && outcome(&kept).contains("override of protected"), "{kept:?}");

    let access = ward.fleet.access();
    let token = access.create_token("ci", Role::Operator, ward.fleet.now()).await.unwrap();
    let operator = access.authenticate(Credential::Bearer(&token), ward.fleet.now()).await.unwrap();
    let new = NewOperation { steps: suspend(), overrides: vec![Rule::Protected], ..NewOperation::default() };
    let denied = ward.operations.ask(new, &operator, "192.0.2.1").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied, "an override takes an admin");

    let passed = ward.ask(suspend(), vec![Rule::Protected]).await;
    let passed = ward.operations.carry_out(&passed.id).await.unwrap();
    assert_eq!(passed.state, OperationState::Done, "{passed:?}");
    assert!(ward.lines(&passed).await.iter().any(|line| line.contains("in spite of rule protected")));
    let trail = access.audit(None, 3).await.unwrap();
    assert!(trail.iter().any(|line| line.entry.what.contains("in spite of protected")), "{trail:?}");

    // What is disruptive to take back is held to the rule again.
    let stopped = ward.guests(GuestStatus::Stopped, "pve1").await.swap_remove(0);
    ward.fleet.protect_guest(None, &stopped.vmid, "it too", "ada").await.unwrap();
    let started = ward.ask(vec![step(&stopped, GuestChange::Start)], vec![Rule::Protected]).await;
    assert_eq!(ward.operations.carry_out(&started.id).await.unwrap().state, OperationState::Done);
    ward.operations.undo(&started.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&started.id).await.unwrap();
    assert_eq!(undone.steps[1].state, StepState::Failed, "{undone:?}");
    assert!(undone.note.as_deref().unwrap().contains("rule protected"), "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_goes_on_at_one_host_than_was_allowed_and_what_waits_says_for_what() {
    let ward = Ward::open().await;
    let caps = CapChange { per_host: Some(1), per_cluster: Some(8) };
    ward.fleet.change_settings(SettingsChange { caps, ..SettingsChange::default() }).await.unwrap();
    let guests = ward.guests(GuestStatus::Running, "pve1").await;
    assert!(guests.len() >= 2);
    for guest in &guests {
        ward.slow(guest, 700).await;
    }
    let steps = guests.iter().take(2).map(|guest| step(guest, GuestChange::Stop)).collect();
    let asked = ward.ask(steps, Vec::new()).await;
    let done = ward.operations.carry_out(&asked.id).await.unwrap();
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    let (first, second) = (&done.steps[0], &done.steps[1]);
    let apart = first.ended_at <= second.started_at || second.ended_at <= first.started_at;
    assert!(apart, "one after the other: {done:?}");
    let lines = ward.lines(&done).await;
    assert!(lines.iter().any(|line| line == "waits: 1 of at most 1 steps go on at host pve1 already"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_too_long_is_ended_over_there_and_has_failed() {
    let ward = Ward::open().await;
    let guest = ward.guests(GuestStatus::Running, "pve1").await.swap_remove(0);
    ward.slow(&guest, 60_000).await;
    let step = NewStep { limit_seconds: Some(1), ..step(&guest, GuestChange::Stop) };
    let asked = ward.ask(vec![step], Vec::new()).await;
    let failed = ward.operations.carry_out(&asked.id).await.unwrap();
    assert_eq!(failed.state, OperationState::Failed);
    assert!(outcome(&failed).contains("it took longer than 1 s, and was ended"), "{failed:?}");
    let upid = failed.steps[0].handle.as_deref().unwrap();
    let status = Request::get(["nodes", "pve1", "tasks", upid, "status"]);
    let status = cluster::api(&ward.sim, 0).call(status).await.unwrap();
    assert_eq!(status["status"], "stopped", "its task is ended, and not left: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_undo_acts_upon_is_its_own_for_as_long() {
    let ward = Ward::open().await;
    let source = ward.guests(GuestStatus::Stopped, "pve1").await.swap_remove(0);
    let clone: GuestChange = serde_json::from_value(serde_json::json!({ "do": "clone", "name": "copy" })).unwrap();
    let made = ward.ask(vec![step(&source, clone)], Vec::new()).await;
    let made = ward.operations.carry_out(&made.id).await.unwrap();
    assert_eq!(made.state, OperationState::Done, "{made:?}");
    // The fleet has not seen it yet; its cluster has.
    let rows =
        cluster::api(&ward.sim, 0).call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "copy").unwrap();
    let vmid = u32::try_from(row["vmid"].as_u64().unwrap()).unwrap();
    let id = GuestId::new(&source.connection, vmid);
    let copy = Guest { id, vmid: vmid.to_string(), name: Some("copy".into()), ..source.clone() };
    ward.slow(&copy, 1_500).await;
    let busy = ward.ask(vec![step(&copy, GuestChange::Start)], Vec::new()).await;
    let carrying = {
        let (operations, id) = (ward.operations.clone(), busy.id.clone());
        tokio::spawn(async move { operations.carry_out(&id).await.unwrap() })
    };
    while ward.operations.get(&busy.id).await.unwrap().steps[0].state == StepState::Pending {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ward.operations.undo(&made.id, &Principal::local(), "local").await.unwrap();
    ward.operations.carry_out(&made.id).await.unwrap();
    carrying.await.unwrap();
    let waited = format!("waits for operation {}, which acts on guest:{}", busy.id, copy.id);
    let lines = ward.lines(&made).await;
    assert!(lines.contains(&waited), "{lines:?}");
}
