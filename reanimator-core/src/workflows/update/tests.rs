//! Updates of hosts that nobody answers at: stored, carried out, stopped, waited for.

use std::net::TcpListener;

use super::*;
use crate::{
    FleetOptions,
    fleet::NewHost,
    model::{OperationFilter, TargetState, UpdateState},
};

/// A fleet of two hosts at a port of this machine where nobody listens.
pub(super) async fn fleet(options: FleetOptions) -> Fleet {
    let fleet = Fleet::open(FleetOptions { with_this_machine: false, ..options }).await.unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for name in ["one", "two"] {
        let mut new = NewHost::new("127.0.0.1");
        (new.port, new.unchecked, new.name) = (port, true, Some(name.to_owned()));
        new.auth.agent = false;
        new.auth.password = Some("unused".to_owned().into());
        fleet.add_host(new).await.unwrap();
    }
    fleet
}

pub(super) fn wish() -> UpdateWish {
    UpdateWish { hosts: Some("all".into()), canary: 0, ..UpdateWish::default() }
}

#[tokio::test]
async fn who_does_not_answer_is_passed_over_and_nothing_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet(FleetOptions::new(directory.path())).await;
    let updates = Updates::new(fleet.clone());
    let asked = updates.ask(&wish(), &Principal::local(), "local").await.unwrap();
    assert_eq!((asked.title.as_str(), asked.targets.len()), ("update 2 machines: hosts all", 2));
    let over = updates.see_through(&asked.id, &CancellationToken::new()).await.unwrap();
    assert_eq!((over.state, over.note.as_deref()), (UpdateState::Done, Some("2 of 2 machines were passed over")));
    for target in &over.targets {
        assert_eq!((target.state, target.steps.len()), (TargetState::Skipped, 0));
        assert!(target.failure.as_deref().unwrap().starts_with("it does not answer"), "{target:?}");
    }
    let all = OperationFilter { limit: 10, ..OperationFilter::default() };
    assert!(Operations::new(fleet.clone()).list(&all).await.unwrap().is_empty());
    let trail = fleet.access().audit(None, 10).await.unwrap();
    let outcomes: Vec<&str> = trail.iter().map(|entry| entry.entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["ok", "started"], "{trail:?}");
    assert_eq!(updates.see_through(&asked.id, &CancellationToken::new()).await.unwrap().state, UpdateState::Done);
}

#[tokio::test]
async fn one_is_stopped_before_it_begins_and_one_that_shares_its_ground_waits() {
    let directory = tempfile::tempdir().unwrap();
    let updates = Updates::new(fleet(FleetOptions::new(directory.path())).await);
    let who = Principal::local();
    let first = updates.ask(&wish(), &who, "local").await.unwrap();
    let second = updates.ask(&wish(), &who, "local").await.unwrap();
    let stop = CancellationToken::new();
    let waiting = tokio::spawn({
        let (updates, id, stop) = (updates.clone(), second.id.clone(), stop.clone());
        async move { updates.see_through(&id, &stop).await }
    });
    let note = loop {
        if let Some(note) = updates.get(&second.id).await.unwrap().note {
            break note;
        }
        tokio::task::yield_now().await;
    };
    assert!(note.contains(first.id.as_str()), "{note}");
    updates.cancel(&first.id, &who, "local").await.unwrap();
    let over = updates.see_through(&first.id, &stop).await.unwrap();
    assert_eq!((over.state, over.targets[0].state), (UpdateState::Cancelled, TargetState::Skipped));
    assert_eq!(updates.cancel(&first.id, &who, "local").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(waiting.await.unwrap().unwrap().state, UpdateState::Done);
}

#[tokio::test]
async fn who_may_not_and_what_makes_no_sense_is_refused_before_anything_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let updates = Updates::new(fleet(FleetOptions::new(directory.path())).await);
    let refused = |wish: UpdateWish| {
        let updates = updates.clone();
        async move { updates.ask(&wish, &Principal::local(), "local").await.unwrap_err() }
    };
    assert_eq!(refused(UpdateWish { wave_size: 0, ..wish() }).await.kind(), ErrorKind::Invalid);
    assert_eq!(refused(UpdateWish { hosts: Some("nobody".into()), ..wish() }).await.kind(), ErrorKind::NotFound);
    let canary = refused(UpdateWish { canaries: vec!["nobody".into()], ..wish() }).await;
    assert!(crate::report(&canary).contains("canary"), "{canary}");
    assert!(updates.list(&UpdateFilter { limit: 10, ..UpdateFilter::default() }).await.unwrap().is_empty());
}
