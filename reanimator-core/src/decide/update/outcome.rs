//! What a machine's state comes to when something has ended with it.

use jiff::Timestamp;

use crate::model::{
    OperationState, RebootWish, Safety, TargetState, UpdatePhase, UpdateTarget, UpdateWish, Vitals,
    facts::updates::PendingPackage, packages::PackageReport,
};

/// The most pending packages that a run keeps of each machine.
const KEPT: usize = 500;
/// Characters of a reason that are kept.
const LONGEST: usize = 2_000;
/// What is said of a node that failed while its guests were elsewhere.
const STAYS_EMPTY: &str = "it stays in maintenance, and its guests where they are";

/// What came of something that was done with a machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was looked whether it may be updated.
    Checked {
        /// Whether it may.
        verdict: Verdict,
        /// What shows that it is well now.
        vitals: Option<Vitals>,
        /// What else there is to say.
        notes: Vec<String>,
    },
    /// It was looked what is to be installed.
    Surveyed {
        /// Whether it still may be updated.
        verdict: Verdict,
        /// What would be installed.
        pending: Vec<PendingPackage>,
        /// Of those, the ones that close a security hole, where that is known.
        security: Option<u64>,
        /// Whether a restart is due, or wanted already.
        restart_due: bool,
        /// What else there is to say.
        notes: Vec<String>,
    },
    /// An operation is over.
    Ended {
        /// How.
        state: OperationState,
        /// Why, where it is not done.
        note: Option<String>,
        /// Whether it changed anything, as far as is known.
        begun: bool,
        /// What was installed, where it was that.
        report: Option<PackageReport>,
    },
    /// It is well.
    Well,
    /// It did not become well in time, and what is wrong.
    Unwell(Vec<String>),
}

/// Whether a machine may be updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Go,
    /// It is left alone, which is no failure: its windows are closed, somebody protects it.
    PassOver(String),
    /// It must not, and that is a failure.
    Refuse(String),
}

/// All phases in order; taking back comes last.
const PHASES: [UpdatePhase; 10] = [
    UpdatePhase::Check,
    UpdatePhase::Refresh,
    UpdatePhase::Survey,
    UpdatePhase::Safety,
    UpdatePhase::Evacuate,
    UpdatePhase::Upgrade,
    UpdatePhase::Restart,
    UpdatePhase::Health,
    UpdatePhase::Return,
    UpdatePhase::Tidy,
];

/// Takes in what came of the phase that a machine is in, and sets the phase that follows, or ends it.
pub fn apply(target: &mut UpdateTarget, wish: &UpdateWish, outcome: Outcome, now: Timestamp) {
    let Some(phase) = target.phase else { return };
    match outcome {
        Outcome::Checked { verdict, vitals, notes } => {
            target.vitals = vitals;
            target.notes.extend(notes);
            judge(target, wish, verdict, now);
        }
        Outcome::Surveyed { verdict, mut pending, security, restart_due, notes } => {
            // Of some managers it is known how many patches there are, and not which packages they are of.
            target.pending_count = (pending.len() as u64).max(security.unwrap_or(0));
            pending.truncate(KEPT);
            target.pending = pending;
            target.security_count = security;
            target.restart_due = restart_due;
            target.notes.extend(notes);
            let restarts = restart_due && wish.reboot == RebootWish::IfNeeded;
            if verdict == Verdict::Go && target.pending_count == 0 && !restarts {
                return finish(target, TargetState::Current, now);
            }
            judge(target, wish, verdict, now);
        }
        Outcome::Ended { state, note, begun, report } => {
            if let Some(step) = target.steps.iter_mut().rev().find(|step| step.phase == phase) {
                step.state = Some(state);
                step.ended_at = Some(now);
            }
            target.report = report.or(target.report.take());
            match state == OperationState::Done {
                true => done(target, wish, phase, now),
                false => failed(target, phase, note.unwrap_or_else(|| state.as_str().to_owned()), begun, now),
            }
        }
        // It is well where it went back to.
        Outcome::Well if target.failure.is_some() => take_back(target, now),
        Outcome::Well => go_on(target, wish, UpdatePhase::Health, now),
        Outcome::Unwell(what) => {
            failed(target, phase, what.join("; "), true, now);
        }
    }
}

fn judge(target: &mut UpdateTarget, wish: &UpdateWish, verdict: Verdict, now: Timestamp) {
    let Some(phase) = target.phase else { return };
    match verdict {
        Verdict::Go => go_on(target, wish, phase, now),
        Verdict::PassOver(why) => {
            target.failure = Some(short(why));
            finish(target, TargetState::Skipped, now);
        }
        Verdict::Refuse(why) => failed(target, phase, why, false, now),
    }
}

/// A phase has ended well.
fn done(target: &mut UpdateTarget, wish: &UpdateWish, phase: UpdatePhase, now: Timestamp) {
    match phase {
        UpdatePhase::Safety => target.has_snapshot = wish.safety == Safety::Snapshot,
        UpdatePhase::Evacuate => target.evacuated = true,
        UpdatePhase::Restart => target.restarted = true,
        UpdatePhase::Return => target.evacuated = false,
        UpdatePhase::Tidy => target.has_snapshot = false,
        // Whether it is what it was shows when it is looked at; its snapshot stays until then.
        UpdatePhase::RollBack => {
            (target.rolled_back, target.well_until) = (true, None);
            target.phase = Some(UpdatePhase::Health);
            return;
        }
        UpdatePhase::Check
        | UpdatePhase::Refresh
        | UpdatePhase::Survey
        | UpdatePhase::Upgrade
        | UpdatePhase::Health => {}
    }
    if target.failure.is_some() {
        return take_back(target, now);
    }
    go_on(target, wish, phase, now);
}

/// A phase has ended badly.
fn failed(target: &mut UpdateTarget, phase: UpdatePhase, why: String, begun: bool, now: Timestamp) {
    let why = short(why);
    match phase {
        // Nothing is lost by it.
        UpdatePhase::Tidy => {
            target.notes.push(format!("its snapshot is still there: {why}"));
            target.has_snapshot = false;
            return match target.failure {
                Some(_) => take_back(target, now),
                None => finish(target, TargetState::Updated, now),
            };
        }
        UpdatePhase::RollBack => {
            add(target, format!("going back to its snapshot failed too: {why}"));
            return finish(target, TargetState::Failed, now);
        }
        UpdatePhase::Health if target.rolled_back => {
            add(target, format!("it went back to its snapshot, and is not well there either: {why}"));
            if target.evacuated {
                target.notes.push(STAYS_EMPTY.to_owned());
            }
            return finish(target, TargetState::Failed, now);
        }
        UpdatePhase::Return if target.failure.is_some() => {
            add(target, format!("it was not taken out of maintenance: {why}"));
            return finish(target, TargetState::Failed, now);
        }
        UpdatePhase::Return => {
            add(target, format!("it is updated and well, and was not filled again: {why}"));
            return finish(target, TargetState::Failed, now);
        }
        UpdatePhase::Evacuate => target.evacuated = begun,
        _ => {}
    }
    let changed = match phase {
        UpdatePhase::Upgrade => begun,
        UpdatePhase::Restart | UpdatePhase::Health => true,
        _ => false,
    };
    add(target, format!("{}: {why}", words(phase)));
    if changed && target.has_snapshot && !target.own {
        target.phase = Some(UpdatePhase::RollBack);
        return;
    }
    if changed {
        if target.evacuated {
            target.notes.push(STAYS_EMPTY.to_owned());
        }
        if target.has_snapshot {
            target
                .notes
                .push("its snapshot is kept: Reanimator itself runs there, and does not roll itself back".to_owned());
        }
        return finish(target, TargetState::Failed, now);
    }
    take_back(target, now);
}

/// What is still to be taken back of a machine that failed and is otherwise as it was.
fn take_back(target: &mut UpdateTarget, now: Timestamp) {
    if target.evacuated {
        target.phase = Some(UpdatePhase::Return);
    } else if target.has_snapshot {
        target.phase = Some(UpdatePhase::Tidy);
    } else {
        let state = if target.rolled_back { TargetState::RolledBack } else { TargetState::Failed };
        finish(target, state, now);
    }
}

/// The first phase after `phase` that applies, or the end.
fn go_on(target: &mut UpdateTarget, wish: &UpdateWish, phase: UpdatePhase, now: Timestamp) {
    // That a restart is due may be known only now: then the node is emptied after all.
    let is_full = target.node.is_some() && wish.evacuate && !target.evacuated && !target.in_maintenance;
    if phase == UpdatePhase::Upgrade && is_full && applies(target, wish, UpdatePhase::Restart) {
        target.phase = Some(UpdatePhase::Evacuate);
        return;
    }
    match PHASES.into_iter().find(|next| *next > phase && applies(target, wish, *next)) {
        Some(next) => target.phase = Some(next),
        None => finish(target, TargetState::Updated, now),
    }
}

/// Whether a phase is for this machine.
pub fn applies(target: &UpdateTarget, wish: &UpdateWish, phase: UpdatePhase) -> bool {
    let may_restart = wish.reboot == RebootWish::IfNeeded;
    match phase {
        UpdatePhase::Check | UpdatePhase::Refresh | UpdatePhase::Survey | UpdatePhase::Health => true,
        UpdatePhase::Safety => {
            target.guest.is_some()
                && match wish.safety {
                    Safety::None => false,
                    // Reanimator does not roll itself back.
                    Safety::Snapshot => !target.own,
                    Safety::Backup { .. } => true,
                }
        }
        UpdatePhase::Evacuate => {
            let is_node = target.node.is_some() && !target.in_maintenance;
            is_node && wish.evacuate && may_restart && target.restart_due
        }
        UpdatePhase::Upgrade => target.pending_count > 0 && target.report.is_none(),
        UpdatePhase::Restart => {
            let wanted = target.report.as_ref().map(|report| report.reboot_wanted);
            may_restart && wanted.unwrap_or(target.pending_count == 0 && target.restart_due)
        }
        UpdatePhase::Return => target.evacuated,
        UpdatePhase::Tidy => target.has_snapshot,
        UpdatePhase::RollBack => false,
    }
}

/// What did not go well, before the reason.
fn words(phase: UpdatePhase) -> &'static str {
    match phase {
        UpdatePhase::Check => "it may not be updated",
        UpdatePhase::Refresh => "its package lists could not be fetched",
        UpdatePhase::Survey => "it cannot be updated as it is",
        UpdatePhase::Safety => "no way back could be made",
        UpdatePhase::Evacuate => "it could not be emptied",
        UpdatePhase::Upgrade => "its packages could not be upgraded",
        UpdatePhase::Restart => "it was not started anew, or did not come back",
        UpdatePhase::Health => "it is not well",
        UpdatePhase::Return | UpdatePhase::RollBack | UpdatePhase::Tidy => phase.as_str(),
    }
}

fn add(target: &mut UpdateTarget, why: String) {
    target.failure = Some(match target.failure.take() {
        Some(before) => format!("{before}; {why}"),
        None => why,
    });
}

fn finish(target: &mut UpdateTarget, state: TargetState, now: Timestamp) {
    target.state = state;
    target.phase = None;
    target.ended_at = Some(now);
}

fn short(text: String) -> String {
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
