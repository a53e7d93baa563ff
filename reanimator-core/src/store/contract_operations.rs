//! What every store must keep to, continued: what operations hold, and for how long.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use crate::{
    ErrorKind,
    model::{Action, HostChange, NewOperation, Operation, OperationState, Step, StepState},
};

use super::{OperationHold, Slot, Store, contract::at};

const LEASE: Duration = Duration::from_secs(20);

/// An operation of two steps that a process holds since a time.
async fn held(store: &dyn Store, seconds: i64) -> (Operation, OperationHold) {
    let action = Action::Host { id: "h1".into(), change: HostChange::Reboot };
    let steps = vec![action.clone().into(), action.into()];
    let asked = Operation::new(NewOperation { steps, ..NewOperation::default() }, "ada", at(1));
    store.add_operation(&asked).await.unwrap();
    store.take_operation(&asked.id, "a process", None, at(seconds), LEASE).await.unwrap()
}

fn step(operation: &Operation, state: StepState) -> Step {
    Step { state, ..operation.steps[0].clone() }
}

pub(crate) async fn slots(store: &dyn Store) {
    let (one, holds_one) = held(store, 10).await;
    let (_, holds_two) = held(store, 10).await;
    let slots = [Slot { name: "host h1".into(), most: 1 }, Slot { name: "cluster c1".into(), most: 8 }];
    assert_eq!(store.take_slots(&holds_one, 0, &slots, at(11)).await.unwrap(), None);
    assert_eq!(
        store.take_slots(&holds_one, 0, &slots, at(11)).await.unwrap(),
        None,
        "what is its own it may take again"
    );
    let full = store.take_slots(&holds_two, 0, &slots, at(11)).await.unwrap();
    assert_eq!(full.as_ref(), Some(&slots[0]));
    // A process that died before its step began burdens nothing; one whose step may have begun does.
    store.keep_operation(&holds_two, at(59), LEASE).await.unwrap();
    assert_eq!(store.take_slots(&holds_two, 0, &slots, at(60)).await.unwrap(), None);
    store.write_step(&holds_two, &step(&one, StepState::Done)).await.unwrap();
    store.write_step(&holds_one, &step(&one, StepState::Begun)).await.unwrap();
    assert_eq!(store.take_slots(&holds_two, 1, &slots, at(60)).await.unwrap().as_ref(), Some(&slots[0]));
    let flying = store.steps_in_flight().await.unwrap();
    assert_eq!(flying.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&one.id]);
    store.write_step(&holds_one, &step(&one, StepState::Done)).await.unwrap();
    assert_eq!(store.take_slots(&holds_two, 1, &slots, at(60)).await.unwrap(), None, "a step that is over has none");
    assert_eq!(store.steps_in_flight().await.unwrap(), []);
}

pub(crate) async fn gates(store: &dyn Store) {
    let (one, holds_one) = held(store, 10).await;
    let (two, holds_two) = held(store, 10).await;
    let close =
        async |hold: &OperationHold, seconds| store.close_gate(hold, 0, "cluster c1", at(seconds), LEASE * 3).await;
    assert_eq!(close(&holds_one, 11).await.unwrap(), None);
    assert_eq!(close(&holds_one, 12).await.unwrap(), None, "it is behind it");
    assert_eq!(close(&holds_two, 12).await.unwrap(), Some(one.id.clone()));
    store.open_gate(&holds_two, 0, "cluster c1").await.unwrap();
    assert_eq!(close(&holds_two, 12).await.unwrap(), Some(one.id.clone()), "nobody opens what another has closed");
    // By itself when nobody carries its operation out any more, or when somebody knows that its process has died.
    assert_eq!(close(&holds_two, 31).await.unwrap(), None);
    assert_eq!(store.close_gate(&holds_two, 0, "other", at(12), LEASE).await.unwrap(), None);
    assert_eq!(store.close_gate(&holds_one, 0, "other", at(12), LEASE).await.unwrap(), Some(two.id.clone()));
    store.break_gate("other", &two.id).await.unwrap();
    assert_eq!(store.close_gate(&holds_one, 0, "other", at(12), LEASE).await.unwrap(), None);
}

pub(crate) async fn open_operations(store: &dyn Store) {
    let (one, holds_one) = held(store, 10).await;
    let (two, _) = held(store, 100).await;
    let open = store.open_operations(at(50)).await.unwrap();
    assert_eq!(open, [(one.id.clone(), None), (two.id.clone(), Some("a process".to_owned()))], "the oldest first");
    store.write_operation(&holds_one, &Operation { state: OperationState::Done, ..one.clone() }).await.unwrap();
    assert_eq!(store.open_operations(at(50)).await.unwrap().len(), 1);
    // Whoever was asleep while another took over may write nothing more.
    store.take_operation(&two.id, "another", None, at(200), LEASE).await.unwrap();
    let old = OperationHold { id: two.id, generation: 1 };
    assert_eq!(store.keep_operation(&old, at(201), LEASE).await.unwrap_err().kind(), ErrorKind::Conflict);
}

pub(crate) async fn what_scripts_are_given(store: &dyn Store) {
    let script = |value: &str| Action::Script {
        host: "h1".into(),
        script: "login".into(),
        parameters: [("password".to_owned(), value.to_owned())].into(),
        version: None,
    };
    let steps = vec![script("hunter2 and more").into(), script("another").into()];
    let asked = Operation::new(NewOperation { steps, ..NewOperation::default() }, "ada", at(1));
    store.add_operation(&asked).await.unwrap();
    let (read, hold) = store.take_operation(&asked.id, "a process", None, at(10), LEASE).await.unwrap();
    assert_eq!(read.steps, asked.steps);
    store.write_step(&hold, &Step { state: StepState::Begun, ..read.steps[1].clone() }).await.unwrap();
    let read = store.operation(&asked.id).await.unwrap().unwrap();
    assert_eq!((&read.steps[1].action, read.steps[1].state), (&script("another"), StepState::Begun));
}
