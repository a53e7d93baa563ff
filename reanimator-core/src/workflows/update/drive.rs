//! Carries one update out: does what [`next`] says, writes down what it comes to, and asks again.
//!
//! Whatever is done with a machine is a task of its own; this one alone writes. An operation's id is written down before it
//! is asked for, so that whoever comes after a kill asks for none twice, and finds each again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{look, steps};
use crate::{
    Error, ErrorKind, Result, access,
    decide::update::{Move, Outcome, apply, next},
    fleet::{Fleet, TrailLine},
    model::{OperationId, TargetState, UpdateFilter, UpdatePhase, UpdateRun, UpdateState, UpdateStep, UpdateTarget},
    operation::Operations,
    store::UpdateHold,
};

/// How often the lease is renewed, and it is heard whether to stop.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether another update that touches the same ground is over.
const GROUND_EVERY: Duration = Duration::from_secs(1);
/// The most updates that are looked at for that.
const OTHERS: u32 = 200;
/// How many of those that are over are kept, the newest.
const KEPT: u32 = 200;

/// What carries one update out.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) fleet: Fleet,
    pub(super) operations: Operations,
    pub(super) hold: UpdateHold,
    pub(super) lease: Duration,
}

/// A task's end: of which machine, and what came of it; nothing where it was left at the end of this process.
type Ended = (u32, Result<Option<Outcome>>);

impl Driver {
    /// Carries it out from where it is. When the lease is lost, everything is left where it is.
    pub(super) async fn run(&self, run: UpdateRun, stop: &CancellationToken) -> Result<UpdateRun> {
        let (heard, cancel) = watch::channel(run.cancel);
        tokio::select! {
            biased;
            lost = self.keep(&heard) => Err(lost),
            done = self.go(run, cancel, stop) => done,
        }
    }

    async fn keep(&self, heard: &watch::Sender<bool>) -> Error {
        let mut kept_at = Instant::now();
        loop {
            match self.fleet.store().keep_update(&self.hold, self.fleet.now(), self.lease).await {
                Ok(cancel) => {
                    kept_at = Instant::now();
                    heard.send_if_modified(|known| std::mem::replace(known, cancel) != cancel);
                }
                Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => return error,
                Err(error) if kept_at.elapsed() > self.lease / 2 => return error,
                Err(error) => {
                    tracing::warn!(error = %crate::report(&error), "a lease is not renewed; it is tried again");
                }
            }
            tokio::time::sleep(KEEP_EVERY).await;
        }
    }

    async fn go(
        &self,
        mut run: UpdateRun,
        mut cancel: watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> Result<UpdateRun> {
        self.wait_for_ground(&mut run, &cancel, stop).await?;
        let mut tasks: JoinSet<Ended> = JoinSet::new();
        let mut busy = BTreeSet::new();
        loop {
            run.cancel = *cancel.borrow_and_update();
            let steps = next(&run, &busy);
            let none = steps.is_empty();
            for step in steps {
                self.take(&mut run, step, &mut busy, &mut tasks, stop).await?;
            }
            if run.state.is_over() {
                self.fleet.store().write_update(&self.hold, &run).await?;
                self.forget_old().await;
                return Ok(run);
            }
            if tasks.is_empty() && none {
                return Err(Error::new(ErrorKind::Internal, "go on with the update")
                    .on(run.id.as_str())
                    .because("it is not over, and nothing is to be done"));
            }
            if tasks.is_empty() {
                // Machines were passed over: what comes next is asked at once.
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {
                    while let Some(ended) = tasks.join_next().await {
                        self.take_in(&mut run, ended, &mut busy).await?;
                    }
                    return Err(left(&run));
                }
                Some(ended) = tasks.join_next() => self.take_in(&mut run, ended, &mut busy).await?,
                changed = cancel.changed() => {
                    if changed.is_err() {
                        return Err(left(&run));
                    }
                }
            }
        }
    }

    /// Does one of the things that are to be done now.
    async fn take(
        &self,
        run: &mut UpdateRun,
        step: Move,
        busy: &mut BTreeSet<u32>,
        tasks: &mut JoinSet<Ended>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let now = self.fleet.now();
        match step {
            Move::Begin(number) => {
                if run.state == UpdateState::Waiting {
                    (run.state, run.started_at, run.note) = (UpdateState::Running, Some(now), None);
                    self.fleet.store().write_update(&self.hold, run).await?;
                }
                let target = at(run, number)?;
                (target.state, target.phase) = (TargetState::Running, Some(UpdatePhase::Check));
                target.started_at = Some(now);
                self.write(target).await?;
                let target = target.clone();
                self.begin(run, target, UpdatePhase::Check, busy, tasks, stop).await
            }
            Move::Skip(number, why) => {
                let target = at(run, number)?;
                (target.state, target.failure, target.ended_at) = (TargetState::Skipped, Some(why), Some(now));
                self.write(target).await
            }
            Move::Go(number, phase) => {
                let target = at(run, number)?.clone();
                self.begin(run, target, phase, busy, tasks, stop).await
            }
            Move::End(state, note) => {
                // Noted first: twice after a kill in between, rather than never.
                let line = trail_line(run);
                let outcome = if state == UpdateState::Done { access::outcome(None) } else { state.as_str() };
                self.fleet.note(&line, outcome).await?;
                (run.state, run.note, run.ended_at) = (state, note, Some(now));
                Ok(())
            }
        }
    }

    /// Begins a phase of a machine as a task, written down before where an operation is asked for.
    async fn begin(
        &self,
        run: &mut UpdateRun,
        mut target: UpdateTarget,
        phase: UpdatePhase,
        busy: &mut BTreeSet<u32>,
        tasks: &mut JoinSet<Ended>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let now = self.fleet.now();
        let open = target.step(phase).filter(|step| step.state.is_none()).map(|step| step.operation.clone());
        let mut id = open.clone();
        if phase.is_operation() && id.is_none() {
            let operation = OperationId::generate();
            id = Some(operation.clone());
            target.steps.push(UpdateStep { phase, operation, state: None, asked_at: now, ended_at: None });
        }
        if phase == UpdatePhase::Health && target.well_until.is_none() {
            let within = SignedDuration::from_secs(run.wish.health.within_seconds.into());
            target.well_until = Some(now.saturating_add(within).unwrap_or(now));
        }
        if target != *at(run, target.number)? {
            self.write(&target).await?;
            *at(run, target.number)? = target.clone();
        }
        busy.insert(target.number);
        let head = UpdateRun { targets: Vec::new(), passed_over: Vec::new(), ..run.clone() };
        let task = Task { driver: self.clone(), run: head, target, phase, stop: stop.clone() };
        tasks.spawn(task.run(id));
        Ok(())
    }

    async fn take_in(
        &self,
        run: &mut UpdateRun,
        ended: std::result::Result<Ended, tokio::task::JoinError>,
        busy: &mut BTreeSet<u32>,
    ) -> Result<()> {
        let (number, outcome) =
            ended.map_err(|error| Error::new(ErrorKind::Internal, "update a machine").from_source(error))?;
        busy.remove(&number);
        let Some(outcome) = outcome? else { return Ok(()) };
        let (wish, snapshot, now) = (run.wish.clone(), run.snapshot_name(), self.fleet.now());
        let target = at(run, number)?;
        apply(target, &wish, outcome, now);
        if let Some(failure) = target.failure.as_mut().filter(|_| target.state.is_over() && target.has_snapshot) {
            failure.push_str("; its snapshot ");
            failure.push_str(&snapshot);
            failure.push_str(" is kept");
        }
        self.write(target).await
    }

    /// Removes the oldest of those that are over. That it cannot be done now is no fault of this run: the next does it.
    async fn forget_old(&self) {
        if let Err(error) = self.fleet.store().forget_updates(KEPT).await {
            tracing::warn!(error = %crate::report(&error), "old updates are not removed");
        }
    }

    async fn write(&self, target: &UpdateTarget) -> Result<()> {
        self.fleet.store().write_update_target(&self.hold, target).await
    }

    /// Waits while an earlier update touches the same ground.
    async fn wait_for_ground(
        &self,
        run: &mut UpdateRun,
        cancel: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> Result<()> {
        // One that has begun has its ground already.
        while run.state == UpdateState::Waiting && !*cancel.borrow() {
            let open = UpdateFilter { open: true, limit: OTHERS, ..UpdateFilter::default() };
            let others = self.fleet.store().updates(&open).await?;
            let Some(other) = others.iter().find(|other| other.id < run.id && other.clashes(run)) else { break };
            let note = format!("waits for update {}, which touches the same machines or their cluster", other.id);
            if run.note.as_ref() != Some(&note) {
                run.note = Some(note);
                self.fleet.store().write_update(&self.hold, run).await?;
            }
            tokio::select! {
                () = stop.cancelled() => return Err(left(run)),
                () = tokio::time::sleep(GROUND_EVERY) => {}
            }
        }
        Ok(())
    }
}

/// One phase of one machine.
struct Task {
    driver: Driver,
    /// The run without its machines.
    run: UpdateRun,
    target: UpdateTarget,
    phase: UpdatePhase,
    stop: CancellationToken,
}

impl Task {
    async fn run(self, id: Option<OperationId>) -> Ended {
        let outcome = self.outcome(id.as_ref()).await;
        (self.target.number, outcome)
    }

    async fn outcome(&self, id: Option<&OperationId>) -> Result<Option<Outcome>> {
        if self.phase.is_operation() {
            let no_id = || Error::new(ErrorKind::Internal, "ask for an operation").because("it has no id");
            return self.operate(id.ok_or_else(no_id)?).await;
        }
        // Whoever only looks is left at once at the end of this process.
        tokio::select! {
            () = self.stop.cancelled() => Ok(None),
            outcome = self.look() => Ok(Some(outcome)),
        }
    }

    async fn look(&self) -> Outcome {
        let (fleet, run, target) = (&self.driver.fleet, &self.run, &self.target);
        match self.phase {
            UpdatePhase::Survey => look::survey(fleet, run, target).await,
            UpdatePhase::Health => look::health(fleet, run, target).await,
            _ => look::check(fleet, run, target).await,
        }
    }

    /// Asks for the operation, unless it was asked for before, and waits until it is over, whichever process carries it out.
    async fn operate(&self, id: &OperationId) -> Result<Option<Outcome>> {
        let Driver { fleet, operations, .. } = &self.driver;
        if let Err(error) = steps::ask(operations, fleet, &self.run, &self.target, self.phase, id).await {
            // What the store refuses is not the machine's fault.
            return if error.kind() == ErrorKind::Storage { Err(error) } else { Ok(Some(steps::refused(&error))) };
        }
        match operations.see_through(id, &self.stop).await {
            Ok(operation) => Ok(Some(steps::outcome(&operation))),
            Err(error) if error.kind() == ErrorKind::Cancelled && self.stop.is_cancelled() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn at(run: &mut UpdateRun, number: u32) -> Result<&mut UpdateTarget> {
    run.targets
        .iter_mut()
        .find(|target| target.number == number)
        .ok_or_else(|| Error::new(ErrorKind::Internal, format!("find machine {number} of the update")))
}

fn left(run: &UpdateRun) -> Error {
    Error::new(ErrorKind::Cancelled, "carry the update out")
        .on(run.id.as_str())
        .because("this process ends")
        .next("a server that is started goes on with it, and so does `reanimator update resume`")
}

/// What stands in the audit trail of an update.
pub(super) fn trail_line(run: &UpdateRun) -> TrailLine {
    let names: Vec<&str> = run.targets.iter().take(5).map(|target| target.name.as_str()).collect();
    let more = run.targets.len().saturating_sub(names.len());
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    TrailLine {
        who: run.requested_by.clone(),
        from: run.requested_from.clone(),
        what: format!("update: {}{rest}", names.join(", ")),
        on: run.id.to_string(),
    }
}
