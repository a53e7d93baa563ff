//! Operations on guests of a look-alike cluster, over the real HTTPS transport: each effect happens, happens once, and can be taken
//! back; whoever carries it out may vanish at any time.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use futures::future::{Either, select};
use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    ErrorKind, Fleet, FleetOptions,
    access::{Credential, Principal, Role},
    host::pve::PveApi as _,
    model::{
        Action, Guest, GuestChange, GuestStatus, NewOperation, NewStep, Operation, OperationFilter, OperationState,
        SnapshotVerb, Step, StepState,
    },
    operation::Operations,
    transport::http::Request,
};
use reanimator_tests::cluster;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A cluster, and a fleet that knows it.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(100);
        let sim = Sim::start(Options { nodes: 2, guests: 12, task_time, ..Options::default() }).await.unwrap();
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

    async fn guests(&self, status: GuestStatus) -> Vec<Guest> {
        let mut guests = self.fleet.guests().await.unwrap();
        guests.retain(|guest| guest.status == status && !guest.template);
        guests
    }

    async fn one(&self, status: GuestStatus) -> Guest {
        self.guests(status).await.swap_remove(0)
    }

    /// How often the cluster began to do something to a guest.
    async fn begun(&self, guest: &Guest, verb: &str) -> usize {
        let tasks = self.tasks(guest).await;
        tasks.iter().filter(|task| task["type"].as_str().unwrap().ends_with(verb)).count()
    }

    async fn tasks(&self, guest: &Guest) -> Vec<Value> {
        let asked = Request::get(["nodes", &guest.node, "tasks"])
            .param("vmid", guest.vmid.as_str())
            .param("source", "all")
            .param("limit", "500");
        cluster::api(&self.sim, 0).call(asked).await.unwrap().as_array().unwrap().clone()
    }

    async fn carry_out(&self, steps: Vec<NewStep>) -> Operation {
        let asked = self.operations.ask(plan(steps), &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }
}

fn plan(steps: Vec<NewStep>) -> NewOperation {
    NewOperation { title: "a test".into(), steps, ..NewOperation::default() }
}

fn step(guest: &Guest, change: GuestChange) -> NewStep {
    Action::Guest { id: guest.id.clone(), change }.into()
}

fn outcome(step: &Step) -> &str {
    step.outcome.as_deref().unwrap()
}

#[tokio::test]
async fn a_guest_is_started_once_and_told_so() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Stopped).await;
    let done = ward.carry_out(vec![step(&guest, GuestChange::Start)]).await;
    assert_eq!((done.state, done.percent), (OperationState::Done, 100.0), "{done:?}");
    assert_eq!(done.steps[0].state, StepState::Done);
    assert_eq!(outcome(&done.steps[0]), "it is running");
    assert_eq!(ward.begun(&guest, "start").await, 1);
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.step == Some(0)), "{lines:?}");

    let again = ward.carry_out(vec![step(&guest, GuestChange::Start)]).await;
    assert_eq!(again.steps[0].state, StepState::Already);
    assert_eq!(ward.begun(&guest, "start").await, 1, "what is there is not done again");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_sent_and_what_refused_and_does_nothing() {
    let ward = Ward::open().await;
    let (stopped, running) = (ward.one(GuestStatus::Stopped).await, ward.one(GuestStatus::Running).await);
    ward.sim.control().apply(Order::new("locked").vmid(running.vmid.parse().unwrap())).await.unwrap();
    let steps = vec![
        step(&stopped, GuestChange::Start),
        step(&running, GuestChange::Stop),
        step(&stopped, GuestChange::Reboot { limit_seconds: 5 }),
    ];
    let dry = ward.operations.dry_run(&plan(steps), &Principal::local()).await.unwrap();
    let kind = stopped.kind.as_str();
    assert_eq!(dry.steps[0].calls, [format!("POST /nodes/{}/{kind}/{}/status/start", stopped.node, stopped.vmid)]);
    assert!(dry.steps[1].refused[0].contains("is locked by Proxmox"), "{:?}", dry.steps[1]);
    assert!(dry.steps[2].refused[0].contains("does not run"), "{:?}", dry.steps[2]);
    assert_eq!(ward.begun(&stopped, "start").await, 0);
}

#[tokio::test]
async fn a_step_that_fails_stops_the_rest_and_says_why_in_proxmoxs_words() {
    let ward = Ward::open().await;
    let stopped = ward.guests(GuestStatus::Stopped).await;
    let running = ward.one(GuestStatus::Running).await;
    ward.sim.control().apply(Order::new("task-fails").vmid(stopped[0].vmid.parse().unwrap())).await.unwrap();
    let after = NewStep { after: vec![0], ..step(&running, GuestChange::Stop) };
    let done = ward.carry_out(vec![step(&stopped[0], GuestChange::Start), after]).await;
    assert_eq!(done.state, OperationState::Failed);
    assert!(outcome(&done.steps[0]).contains("Proxmox says:"), "{:?}", done.steps[0]);
    assert_eq!(done.steps[1].state, StepState::Skipped);
    assert_eq!(ward.begun(&running, "stop").await, 0);
}

#[tokio::test]
async fn what_was_done_is_taken_back_the_last_first() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Running).await;
    let done = ward.carry_out(vec![step(&guest, GuestChange::Stop)]).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    ward.operations.undo(&done.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&done.id).await.unwrap();
    assert_eq!(undone.state, OperationState::Undone, "{undone:?}");
    assert_eq!(undone.steps[1].undoes, Some(0));
    assert_eq!(outcome(&undone.steps[1]), "it is running");
    assert_eq!((ward.begun(&guest, "stop").await, ward.begun(&guest, "start").await), (1, 1));
}

#[tokio::test]
async fn a_snapshot_is_made_gone_back_to_and_deleted() {
    let ward = Ward::open().await;
    let mut guests = ward.guests(GuestStatus::Running).await;
    guests.retain(|guest| guest.kind.as_str() == "qemu");
    let guest = guests.swap_remove(0);
    let step = |verb| {
        let (guest, name, description) = (guest.id.clone(), "before".into(), "before the update".into());
        NewStep::from(Action::Snapshot { guest, name, verb, memory: false, description })
    };
    let dry = ward.operations.dry_run(&plan(vec![step(SnapshotVerb::RollBack)]), &Principal::local()).await.unwrap();
    assert!(dry.steps[0].refused[0].contains("has no snapshot before"), "{dry:?}");
    let made = ward.carry_out(vec![step(SnapshotVerb::Create)]).await;
    assert_eq!((made.state, outcome(&made.steps[0])), (OperationState::Done, "it is there"), "{made:?}");
    let again = ward.carry_out(vec![step(SnapshotVerb::Create)]).await;
    assert!(outcome(&again.steps[0]).contains("has a snapshot before already"), "{again:?}");
    let back = ward.carry_out(vec![step(SnapshotVerb::RollBack)]).await;
    assert_eq!((back.state, outcome(&back.steps[0])), (OperationState::Done, "it is what it was then"), "{back:?}");
    ward.operations.undo(&made.id, &Principal::local(), "local").await.unwrap();
    let undone = ward.operations.carry_out(&made.id).await.unwrap();
    assert_eq!((undone.state, outcome(&undone.steps[1])), (OperationState::Undone, "it is gone"), "{undone:?}");
    let gone = ward.carry_out(vec![step(SnapshotVerb::Delete)]).await;
    assert_eq!(gone.steps[0].state, StepState::Already, "{gone:?}");
    for (verb, times) in [("qmsnapshot", 1), ("qmrollback", 1), ("qmdelsnapshot", 1)] {
        assert_eq!(ward.begun(&guest, verb).await, times, "{verb}");
    }
}

#[tokio::test]
async fn what_destroys_is_refused_to_all_but_admins_and_noted() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Running).await;
    let access = ward.fleet.access();
    let token = access.create_token("ci", Role::Operator, ward.fleet.now()).await.unwrap();
    let operator = access.authenticate(Credential::Bearer(&token), ward.fleet.now()).await.unwrap();
    let delete = Action::Snapshot {
        guest: guest.id.clone(),
        name: "before".into(),
        verb: SnapshotVerb::Delete,
        memory: false,
        description: String::new(),
    };
    let steps = vec![step(&guest, GuestChange::Start), NewStep { after: vec![0], ..delete.into() }];
    let refused = ward.operations.ask(plan(steps), &operator, "192.0.2.1").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert_eq!(ward.operations.list(&OperationFilter { limit: 1, ..OperationFilter::default() }).await.unwrap(), []);
    let noted = access.audit(None, 1).await.unwrap().swap_remove(0).entry;
    assert_eq!((noted.who.as_str(), noted.from.as_str(), noted.outcome.as_str()), ("token:ci", "192.0.2.1", "denied"));
    assert!(noted.what.contains("delete snapshot before of guest"), "{noted:?}");
}

#[tokio::test]
async fn two_operations_never_act_on_one_guest_at_once() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Running).await;
    let vmid = guest.vmid.parse().unwrap();
    ward.sim.control().apply(Order::new("slow-task").vmid(vmid).milliseconds(1500)).await.unwrap();
    let first =
        ward.operations.ask(plan(vec![step(&guest, GuestChange::Stop)]), &Principal::local(), "local").await.unwrap();
    let second =
        ward.operations.ask(plan(vec![step(&guest, GuestChange::Start)]), &Principal::local(), "local").await.unwrap();
    let (one, other) = (ward.operations.clone(), ward.another().await);
    let one = tokio::spawn({
        let id = first.id.clone();
        async move { one.carry_out(&id).await.unwrap() }
    });
    // The first holds the guest before the second asks for it.
    while ward.operations.get(&first.id).await.unwrap().steps[0].state == StepState::Pending {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let other = tokio::spawn(async move { other.carry_out(&second.id).await.unwrap() });
    let (first, second) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!((first.state, second.state), (OperationState::Done, OperationState::Done));
    assert!(second.steps[0].started_at >= first.steps[0].ended_at, "{first:?} {second:?}");
    assert!(ward.operations.lines(&second.id, 0).await.unwrap()[0].text.starts_with("waits for operation"));
}

#[tokio::test]
async fn an_operation_that_is_stopped_says_what_stays_done() {
    let ward = Ward::open().await;
    let guests = ward.guests(GuestStatus::Running).await;
    let second = NewStep { after: vec![0], ..step(&guests[1], GuestChange::Stop) };
    let asked = ward
        .operations
        .ask(plan(vec![step(&guests[0], GuestChange::Stop), second]), &Principal::local(), "local")
        .await
        .unwrap();
    ward.sim
        .control()
        .apply(Order::new("slow-task").vmid(guests[0].vmid.parse().unwrap()).milliseconds(3000))
        .await
        .unwrap();
    let other = ward.another().await;
    let id = asked.id.clone();
    let running = tokio::spawn(async move { other.carry_out(&id).await.unwrap() });
    while ward.operations.get(&asked.id).await.unwrap().steps[0].state != StepState::Begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ward.operations.carry_out(&asked.id).await.unwrap_err().kind(), ErrorKind::Busy);
    ward.operations.cancel(&asked.id, &Principal::local(), "local").await.unwrap();
    let stopped = running.await.unwrap();
    assert_eq!(stopped.state, OperationState::Cancelled);
    assert_eq!(stopped.note.as_deref(), Some("stopped; 1 of 2 steps are done and stay so"));
    assert_eq!((ward.begun(&guests[0], "stop").await, ward.begun(&guests[1], "stop").await), (1, 0));
    assert_eq!(
        ward.operations.cancel(&asked.id, &Principal::local(), "local").await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[tokio::test]
async fn one_that_is_left_is_free_for_the_next_process_at_once() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Running).await;
    let slow = Order::new("slow-task").vmid(guest.vmid.parse().unwrap()).milliseconds(3000);
    ward.sim.control().apply(slow).await.unwrap();
    let steps = plan(vec![step(&guest, GuestChange::Stop)]);
    let asked = ward.operations.ask(steps, &Principal::local(), "local").await.unwrap();
    let stop = CancellationToken::new();
    let carrying = tokio::spawn({
        let (operations, id, stop) = (ward.operations.clone(), asked.id.clone(), stop.clone());
        async move { operations.carry_out_until(&id, &stop).await }
    });
    while ward.operations.get(&asked.id).await.unwrap().steps[0].state != StepState::Begun {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    assert_eq!(carrying.await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    let left = ward.operations.get(&asked.id).await.unwrap();
    assert_eq!((left.state, left.owner), (OperationState::Running, None));
    let done = ward.another().await.carry_out(&asked.id).await.unwrap();
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!((ward.begun(&guest, "stop").await, done.generation), (1, 2));
}

#[tokio::test]
async fn a_guest_that_was_not_rebooted_is_not_told_to_be() {
    let ward = Ward::open().await;
    let guest = ward.one(GuestStatus::Running).await;
    let reboot = || step(&guest, GuestChange::Reboot { limit_seconds: 30 });
    ward.sim.control().apply(Order::new("task-idle").vmid(guest.vmid.parse().unwrap())).await.unwrap();
    let idle = ward.carry_out(vec![reboot()]).await;
    assert_eq!(idle.state, OperationState::Failed, "{idle:?}");
    assert!(outcome(&idle.steps[0]).contains("has been running for"), "{idle:?}");
    let done = ward.carry_out(vec![reboot()]).await;
    assert_eq!((done.state, outcome(&done.steps[0])), (OperationState::Done, "it has started anew"), "{done:?}");
}

/// Whoever carries it out vanishes after each of many spans of time; another takes it over when the lease has ended. The
/// cluster counts: each effect began once.
#[tokio::test]
async fn who_carries_it_out_may_vanish_at_any_time_and_nothing_is_done_twice() {
    let ward = Ward::open().await;
    let guests = ward.guests(GuestStatus::Running).await;
    for (number, guest) in guests.iter().take(2).enumerate() {
        let asked = ward
            .operations
            .ask(plan(vec![step(guest, GuestChange::Stop)]), &Principal::local(), "local")
            .await
            .unwrap();
        let span = Duration::from_millis(20 + 150 * number as u64);
        let first = ward.another().await;
        let vanishing = Box::pin(first.carry_out(&asked.id));
        if let Either::Left((done, _)) = select(vanishing, Box::pin(tokio::time::sleep(span))).await {
            assert_eq!(done.unwrap().state, OperationState::Done);
        }
        let end = tokio::time::Instant::now() + Duration::from_secs(40);
        let done = loop {
            match ward.operations.carry_out(&asked.id).await {
                Ok(done) => break done,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Busy);
                    assert!(tokio::time::Instant::now() < end, "the lease never ended");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        };
        assert_eq!(done.state, OperationState::Done, "{done:?}");
        assert_eq!(ward.begun(guest, "stop").await, 1, "after {span:?}");
    }
}
