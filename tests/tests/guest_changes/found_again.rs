//! Whoever carries a change out vanishes when the cluster has begun it and before it could say so: it is found again, and
//! nothing is begun twice.

use std::time::Duration;

use futures::future::join_all;
use pve_sim::Order;
use reanimator_core::{
    ErrorKind,
    model::{BackupMode, Guest, GuestChange, Operation, StepState},
    operation::Operations,
};

use crate::{
    grow,
    made::{back_up, copy, delete},
    scale, tag,
    ward::{Ward, are},
};

/// How long the cluster keeps its answer to what changes something.
const KEPT_BACK: u64 = 2_500;

#[tokio::test]
async fn each_change_that_began_unnoticed_is_found_and_not_begun_again() {
    let ward = Ward::open().await;
    let trials = trials(&ward).await;
    let first = ward.another().await;
    join_all(trials.iter().map(|trial| vanish(&ward, &first, trial))).await;
    ward.sim.control().clear().await;
    for Trial { guest, asked, kind } in &trials {
        let done = take_over(&ward.operations, asked).await;
        are(&done, "done", "done");
        if *kind != "config" {
            assert_eq!(ward.begun(guest, kind).await, 1, "{kind}");
        }
    }
    assert_eq!(ward.called("found-again").await.len(), 1);
}

/// A change of one guest, with the task that it shows up as.
struct Trial {
    guest: Guest,
    asked: Operation,
    kind: &'static str,
}

async fn trials(ward: &Ward) -> Vec<Trial> {
    let changes: [(u32, GuestChange, &str); 6] = [
        (100, scale(3, None), "qmconfig"),
        (101, back_up("shared-nfs", BackupMode::Snapshot), "vzdump"),
        (102, delete("db2"), "vzdestroy"),
        (103, grow("scsi0", 200), "resize"),
        (104, copy("found-again", None), "qmclone"),
        (105, tag(&["found-again"], &[]), "config"),
    ];
    let mut trials = Vec::new();
    for (vmid, change, kind) in changes {
        let guest = ward.guest(vmid).await;
        let asked = ward.ask(&guest, change).await;
        trials.push(Trial { guest, asked, kind });
    }
    trials
}

/// Carries one out until the cluster has begun it, whose answer never comes.
async fn vanish(ward: &Ward, operations: &Operations, trial: &Trial) {
    let Trial { guest, asked, kind } = trial;
    let path = format!("/nodes/{}/{}/{}", guest.node, guest.kind.as_str(), guest.vmid);
    let path = match *kind {
        "vzdump" => format!("/nodes/{}/vzdump", guest.node),
        "resize" => format!("{path}/resize"),
        "qmclone" => format!("{path}/clone"),
        "vzdestroy" => path,
        _ => format!("{path}/config"),
    };
    ward.fault(Order::new("late").path(&path).milliseconds(KEPT_BACK)).await;
    let (operations, id) = (operations.clone(), asked.id.clone());
    let carrying = tokio::spawn(async move { operations.carry_out(&id).await });
    while !has_begun(ward, guest, kind).await {
        assert!(!carrying.is_finished(), "{kind} ended before it began");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    carrying.abort();
    let left = ward.operations.get(&asked.id).await.unwrap();
    assert_eq!(left.steps[0].state, StepState::Intended, "{kind}");
}

async fn has_begun(ward: &Ward, guest: &Guest, kind: &str) -> bool {
    if kind == "config" {
        return ward.tags(guest).await.contains("found-again");
    }
    ward.begun(guest, kind).await > 0
}

/// Carries it out as soon as the lease of who vanished has ended.
async fn take_over(operations: &Operations, asked: &Operation) -> Operation {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        match operations.carry_out(&asked.id).await {
            Ok(done) => return done,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Busy);
                assert!(tokio::time::Instant::now() < end, "the lease never ended");
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
    }
}
