//! The operation of each phase: what is asked of the engine, and what came of it.

use crate::{
    Error, ErrorKind, Result,
    access::Principal,
    action::{Check, EffectName, effect},
    decide::update::{Outcome, applies},
    fleet::Fleet,
    model::{
        Action, BackupMode, GuestChange, GuestId, HostChange, Machine, MaintenanceWish, NewOperation, NewStep,
        Operation, OperationId, OperationState, Rule, Safety, SnapshotVerb, TargetKind, UpdatePhase, UpdateRun,
        UpdateTarget,
        packages::{PackageReport, PackagesChange},
    },
    operation::Operations,
    workflows::maintenance,
};

/// How long a guest may take to go down before it is started anew.
const DOWN_WITHIN: u32 = 300;

/// Asks for the operation of a phase under the id that was written down, unless it was asked for before.
pub(super) async fn ask(
    operations: &Operations,
    fleet: &Fleet,
    run: &UpdateRun,
    target: &UpdateTarget,
    phase: UpdatePhase,
    id: &OperationId,
) -> Result<()> {
    if fleet.store().operation(id).await?.is_some() {
        return Ok(());
    }
    let new = operation(fleet, run, target, phase).await?;
    let who = Principal::in_the_name_of(&run.requested_by);
    let from = format!("update {}", run.id);
    operations.ask_once(id, new, &who, &from).await.map(drop)
}

/// What an operation that is over comes to.
pub(super) fn outcome(operation: &Operation) -> Outcome {
    let begun = operation.steps.iter().any(|step| step.started_at.is_some());
    let report = |value: &serde_json::Value| serde_json::from_value::<PackageReport>(value.clone()).ok();
    let report = operation.steps.iter().find_map(|step| step.result.as_ref().and_then(report));
    Outcome::Ended { state: operation.state, note: operation.note.clone(), begun, report }
}

/// What a phase that could not even be asked for comes to.
pub(super) fn refused(error: &Error) -> Outcome {
    Outcome::Ended { state: OperationState::Failed, note: Some(crate::report(error)), begun: false, report: None }
}

/// What is asked for in a phase.
async fn operation(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget, phase: UpdatePhase) -> Result<NewOperation> {
    let overrides = overrides(run, target, phase);
    let maintenance = |wish| async move { maintenance::whole_plan(fleet, node(target)?, &wish).await };
    let steps = match phase {
        UpdatePhase::Evacuate => return maintenance(enter(run)).await,
        UpdatePhase::Return => {
            let leave = MaintenanceWish::Leave { wake: false, bring_back: true, overrides: run.wish.overrides.clone() };
            return maintenance(leave).await;
        }
        UpdatePhase::Refresh => vec![packages(target, PackagesChange::Refresh).into()],
        UpdatePhase::Upgrade => vec![packages(target, run.wish.change()).into()],
        UpdatePhase::Safety => vec![safety(run, target)?.into()],
        UpdatePhase::Restart => {
            vec![NewStep { limit_seconds: Some(run.wish.restart_within_seconds), ..restart(target).into() }]
        }
        UpdatePhase::RollBack => {
            let guest = guest(target)?;
            let back = snapshot(run, guest, SnapshotVerb::RollBack);
            // Without the memory of then it does not run.
            let start = Action::Guest { id: guest.clone(), change: GuestChange::Start };
            vec![back.into(), NewStep { after: vec![0], ..start.into() }]
        }
        UpdatePhase::Tidy => vec![snapshot(run, guest(target)?, SnapshotVerb::Delete).into()],
        UpdatePhase::Check | UpdatePhase::Survey | UpdatePhase::Health => {
            return Err(Error::new(ErrorKind::Internal, "ask for an operation").because("it is only looked then"));
        }
    };
    let title = format!("{} of {}", title(phase), target.name);
    Ok(NewOperation { title, steps, overrides })
}

fn title(phase: UpdatePhase) -> &'static str {
    match phase {
        UpdatePhase::Refresh => "update: package lists",
        UpdatePhase::Safety => "update: a way back",
        UpdatePhase::Upgrade => "update: packages",
        UpdatePhase::Restart => "update: restart",
        UpdatePhase::RollBack => "update: roll-back",
        UpdatePhase::Tidy => "update: snapshot",
        _ => "update",
    }
}

/// How a node is emptied.
pub(super) fn enter(run: &UpdateRun) -> MaintenanceWish {
    MaintenanceWish::Enter {
        targets: Vec::new(),
        stopped: false,
        local_disks: run.wish.local_disks,
        leave_behind: false,
        shutdown: false,
        overrides: run.wish.overrides.clone(),
    }
}

/// Rules that are not kept in a phase: those that an admin named; that our own machine is ours, where it is started anew as
/// planned; and where a guest goes back to what it was, what would keep it from running where it ran a moment ago. Each
/// stands in the audit trail.
fn overrides(run: &UpdateRun, target: &UpdateTarget, phase: UpdatePhase) -> Vec<Rule> {
    let ours: &[Rule] = match phase {
        UpdatePhase::Restart if target.own => &[Rule::OwnMachine],
        UpdatePhase::RollBack => &[Rule::Memory, Rule::Window, Rule::LastDns, Rule::LastDhcp],
        // Nobody notices that a snapshot is deleted, whatever the hour.
        UpdatePhase::Tidy => &[Rule::Window],
        _ => &[],
    };
    let mut overrides = run.wish.overrides.clone();
    overrides.extend(ours.iter().filter(|rule| !run.wish.overrides.contains(rule)));
    overrides
}

pub(super) fn packages(target: &UpdateTarget, change: PackagesChange) -> Action {
    Action::Packages { machine: target.machine.clone(), change }
}

/// A guest that is reached as such is started anew by its node, all else by itself.
pub(super) fn restart(target: &UpdateTarget) -> Action {
    match &target.machine {
        Machine::Host(id) => Action::Host { id: id.clone(), change: HostChange::Reboot },
        Machine::Guest(id) => {
            Action::Guest { id: id.clone(), change: GuestChange::Reboot { limit_seconds: DOWN_WITHIN } }
        }
    }
}

/// What makes its way back, where it has one.
pub(super) fn way_back(run: &UpdateRun, target: &UpdateTarget) -> Result<Option<Action>> {
    applies(target, &run.wish, UpdatePhase::Safety).then(|| safety(run, target)).transpose()
}

/// Why an action would be refused now, as a dry run says it; nothing where it would not.
pub(super) async fn refusals(fleet: &Fleet, action: &Action) -> Vec<String> {
    let name = EffectName::new(&OperationId::from("dry-run"), 0);
    match async { effect(fleet, action, &name).await?.check().await }.await {
        Ok(Check::Ready { .. } | Check::Already(_)) => Vec::new(),
        Ok(Check::Refused(why)) => why.iter().map(|why| format!("no way back could be made: {why}")).collect(),
        Err(error) => vec![format!("no way back could be made: {}", crate::report(&error))],
    }
}

fn safety(run: &UpdateRun, target: &UpdateTarget) -> Result<Action> {
    let guest = guest(target)?;
    Ok(match &run.wish.safety {
        Safety::Backup { storage } => Action::Guest {
            id: guest.clone(),
            change: GuestChange::BackUp {
                storage: storage.clone(),
                mode: BackupMode::Snapshot,
                notes: format!("before update {}", run.id),
            },
        },
        Safety::Snapshot | Safety::None => snapshot(run, guest, SnapshotVerb::Create),
    })
}

fn snapshot(run: &UpdateRun, guest: &GuestId, verb: SnapshotVerb) -> Action {
    let create = verb == SnapshotVerb::Create;
    Action::Snapshot {
        guest: guest.clone(),
        name: run.snapshot_name(),
        verb,
        memory: false,
        description: if create { format!("before update {}", run.id) } else { String::new() },
    }
}

fn guest(target: &UpdateTarget) -> Result<&GuestId> {
    target.guest.as_ref().ok_or_else(|| no_such(target, "it is no guest"))
}

fn node(target: &UpdateTarget) -> Result<&crate::model::HostId> {
    target.node.as_ref().ok_or_else(|| no_such(target, "it is no node"))
}

fn no_such(target: &UpdateTarget, cause: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("update {}", target.name)).because(cause)
}

/// What would be done with a machine, in words, as far as it is known before.
pub(super) fn words(run: &UpdateRun, target: &UpdateTarget, wanted: u64, restart_due: bool) -> Vec<String> {
    let mut words = vec!["fetch its package lists".to_owned()];
    let phases = [
        (
            UpdatePhase::Safety,
            match &run.wish.safety {
                Safety::Backup { storage } => format!("back it up to {storage}"),
                Safety::Snapshot | Safety::None => format!("make snapshot {}", run.snapshot_name()),
            },
        ),
        (UpdatePhase::Evacuate, "move its guests away".to_owned()),
        (UpdatePhase::Upgrade, format!("install {wanted} packages")),
        (
            UpdatePhase::Restart,
            if target.own {
                "start it anew; Reanimator goes on when it is back".to_owned()
            } else {
                "start it anew".to_owned()
            },
        ),
        (UpdatePhase::Health, format!("wait up to {} s until it is well", run.wish.health.within_seconds)),
        (UpdatePhase::Return, "bring its guests back".to_owned()),
        (UpdatePhase::Tidy, "delete the snapshot".to_owned()),
    ];
    // As it would be at each of these points.
    let mut then = UpdateTarget { pending_count: wanted, restart_due, ..target.clone() };
    for (phase, what) in phases {
        let is_due = match phase {
            UpdatePhase::Restart => restart_due && run.wish.reboot == crate::model::RebootWish::IfNeeded,
            _ => applies(&then, &run.wish, phase),
        };
        if !is_due {
            continue;
        }
        match phase {
            UpdatePhase::Safety => then.has_snapshot = run.wish.safety == Safety::Snapshot,
            UpdatePhase::Evacuate => then.evacuated = true,
            _ => {}
        }
        words.push(what);
    }
    if target.kind == TargetKind::Node && !then.evacuated && restart_due && !run.wish.evacuate {
        words.push("its guests stay on it".to_owned());
    }
    words
}
