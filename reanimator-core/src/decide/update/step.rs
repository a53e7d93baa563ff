//! What is to be done now in a run.

use std::collections::BTreeSet;

use crate::model::{OnFailure, TargetState, UpdatePhase, UpdateRun, UpdateState, UpdateTarget};

/// Something that is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// A machine's turn has come.
    Begin(u32),
    /// A machine is passed over, and why.
    Skip(u32, String),
    /// What is to be done with a machine.
    Go(u32, UpdatePhase),
    /// The run is over.
    End(UpdateState, Option<String>),
}

/// What is to be done now. `busy` are the machines with which something is being done by whoever asks.
pub fn next(run: &UpdateRun, busy: &BTreeSet<u32>) -> Vec<Move> {
    if run.state.is_over() {
        return Vec::new();
    }
    let going: Vec<Move> = run
        .targets
        .iter()
        .filter(|target| target.state == TargetState::Running && !busy.contains(&target.number))
        .filter_map(|target| Some(Move::Go(target.number, target.phase?)))
        .collect();
    let underway = run.targets.iter().any(|target| target.state == TargetState::Running);
    if let Some(why) = stopped(run) {
        let left = || run.targets.iter().filter(|target| target.state == TargetState::Pending);
        if left().next().is_some() {
            let skip = |target: &UpdateTarget| Move::Skip(target.number, format!("not begun: {why}"));
            return going.into_iter().chain(left().map(skip)).collect();
        }
        return if underway { going } else { vec![end(run)] };
    }
    let wave = run.targets.iter().filter(|target| !target.state.is_over()).map(|target| target.wave).min();
    let Some(wave) = wave else { return vec![end(run)] };
    let of_wave = run.targets.iter().filter(|target| target.wave == wave && target.state == TargetState::Pending);
    let begin = of_wave.map(|target| match barred(run, target) {
        Some(why) => Move::Skip(target.number, why),
        None => Move::Begin(target.number),
    });
    going.into_iter().chain(begin).collect()
}

/// Why no other machine begins.
fn stopped(run: &UpdateRun) -> Option<String> {
    if run.cancel {
        return Some("the update was stopped".to_owned());
    }
    let failed = run.targets.iter().find(|target| {
        target.failure.is_some()
            && target.state != TargetState::Skipped
            && (target.canary || run.wish.on_failure == OnFailure::Stop)
    });
    let Some(failed) = failed else {
        return no_canary(run).map(|canary| format!("{}, the canary, was passed over", canary.name));
    };
    let canary = if failed.canary { ", the canary," } else { "" };
    Some(format!("{}{canary} failed", failed.name))
}

/// A canary of a run whose canaries were all passed over: then nothing shows whether the rest would fare well.
fn no_canary(run: &UpdateRun) -> Option<&UpdateTarget> {
    let canaries = || run.targets.iter().filter(|target| target.canary);
    canaries().next().filter(|_| canaries().all(|target| target.state == TargetState::Skipped))
}

/// Why a machine is left alone although the run goes on: one that stands in for it has failed.
fn barred(run: &UpdateRun, target: &UpdateTarget) -> Option<String> {
    let failed = run.targets.iter().find(|other| {
        other.state == TargetState::Failed && !other.apart.is_disjoint(&target.apart) && other.number != target.number
    })?;
    let shared = failed.apart.intersection(&target.apart).next()?;
    let what = match shared.strip_prefix("set:") {
        Some(set) => format!("both are of the redundant set {set}"),
        None => "both are nodes of one cluster".to_owned(),
    };
    Some(format!("{} failed, and {what}", failed.name))
}

fn end(run: &UpdateRun) -> Move {
    let count = |is: fn(TargetState) -> bool| run.targets.iter().filter(|target| is(target.state)).count();
    let (failed, all) = (count(TargetState::is_bad), run.targets.len());
    let skipped = count(|state| state == TargetState::Skipped);
    let mut words = Vec::new();
    if failed > 0 {
        words.push(format!("{failed} of {all} machines failed"));
    }
    if skipped > 0 {
        words.push(format!("{skipped} of {all} machines were passed over"));
    }
    // Others waited for what the canary would show.
    let unshown = !run.cancel && no_canary(run).is_some() && run.targets.iter().any(|target| !target.canary);
    if unshown {
        words.push("the canary among them".to_owned());
    }
    let note = (!words.is_empty()).then(|| words.join(", "));
    let state = match (failed, run.cancel) {
        (1.., _) => UpdateState::Failed,
        (0, true) if skipped > 0 => UpdateState::Cancelled,
        (0, _) if unshown => UpdateState::Cancelled,
        (0, _) => UpdateState::Done,
    };
    Move::End(state, note)
}
