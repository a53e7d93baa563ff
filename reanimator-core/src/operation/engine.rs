//! Carrying one operation out, step by step, with a journal.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinSet};

use super::{
    plan,
    step::{Terms, outcome},
};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Action, HostChange, Operation, OperationState, Step, StepState},
    store::{OperationHold, Wish},
};

/// How often the lease is renewed, and wishes are heard.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether what is waited for is free.
const LOCK_EVERY: Duration = Duration::from_secs(1);
/// Steps that run beside each other.
const BESIDE: usize = 8;

#[derive(Clone)]
pub(super) struct Engine {
    pub(super) fleet: Fleet,
    pub(super) hold: OperationHold,
    pub(super) lease: Duration,
}

impl Engine {
    pub(super) fn new(fleet: Fleet, hold: OperationHold, lease: Duration) -> Self {
        Self { fleet, hold, lease }
    }

    /// Carries it out from where it is. The lease is kept meanwhile; when it is lost, everything stops where it is.
    pub(super) async fn run(&self, operation: Operation) -> Result<Operation> {
        let (heard, wishes) = watch::channel(Wishes { cancel: operation.cancel, undo: operation.undo });
        tokio::select! {
            biased;
            lost = self.keep(&heard) => Err(lost),
            done = self.go(operation, &wishes) => done,
        }
    }

    /// Renews the lease until another has it, or it cannot be renewed for so long that another may; and passes wishes on.
    async fn keep(&self, heard: &watch::Sender<Wishes>) -> Error {
        let mut kept_at = Instant::now();
        loop {
            match self.fleet.store().keep_operation(&self.hold, self.fleet.now(), self.lease).await {
                Ok(wishes) => {
                    kept_at = Instant::now();
                    heard.send_replace(Wishes {
                        cancel: wishes.contains(&Wish::Cancel),
                        undo: wishes.contains(&Wish::Undo),
                    });
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

    async fn go(&self, mut operation: Operation, wishes: &watch::Receiver<Wishes>) -> Result<Operation> {
        let undo = |operation: &Operation| wishes.borrow().undo && operation.state != OperationState::Undone;
        if operation.state.is_over() && !undo(&operation) {
            // Whoever ended it may have been killed before the store knew that it is over.
            self.fleet.store().write_operation(&self.hold, &operation).await?;
            return Ok(operation);
        }
        if !self.lock(&mut operation, wishes).await? {
            return Ok(operation);
        }
        if operation.state == OperationState::Waiting {
            operation.started_at = Some(self.fleet.now());
            self.turn(&mut operation, OperationState::Running, None).await?;
        }
        if operation.state == OperationState::Running {
            self.forward(&mut operation, wishes).await?;
        }
        if undo(&operation) {
            self.back(&mut operation, wishes).await?;
        }
        Ok(operation)
    }

    /// Waits until nothing else acts on the same things: then they are its own. One that has done nothing yet may be asked
    /// to stop meanwhile.
    async fn lock(&self, operation: &mut Operation, wishes: &watch::Receiver<Wishes>) -> Result<bool> {
        let things = operation.things();
        let waited_with = operation.note.clone();
        while let Some((thing, holder)) = self.fleet.store().lock_things(&self.hold, &things).await? {
            if wishes.borrow().cancel && operation.state == OperationState::Waiting {
                let note = Some("stopped before anything was done".into());
                self.end(operation, OperationState::Cancelled, note).await?;
                return Ok(false);
            }
            let note = format!("waits for operation {holder}, which acts on {thing}");
            if operation.note.as_ref() != Some(&note) {
                self.say(None, &note).await?;
                operation.note = Some(note);
                self.fleet.store().write_operation(&self.hold, operation).await?;
            }
            tokio::time::sleep(LOCK_EVERY).await;
        }
        // What is waited for is told no more; why it failed before it is undone stays.
        operation.note = waited_with.filter(|note| operation.state.is_over() || !note.starts_with("waits for"));
        Ok(true)
    }

    /// Takes the steps that are left, beside each other where the plan lets them.
    async fn forward(&self, operation: &mut Operation, wishes: &watch::Receiver<Wishes>) -> Result<()> {
        // Tasks of their own, each going on while this one writes: they share one store, and none may hold it up.
        let terms = Terms { overrides: operation.overrides.clone(), wishes: wishes.clone() };
        let mut running = JoinSet::new();
        let mut taken = BTreeSet::new();
        loop {
            let stopped = wishes.borrow().cancel || wishes.borrow().undo || failed(operation).is_some();
            while running.len() < BESIDE {
                let Some(step) = next(operation, &taken, stopped) else { break };
                taken.insert(step.number);
                let (engine, step, terms) = (self.clone(), step.clone(), terms.clone());
                running.spawn(async move { engine.take(step, &terms).await });
            }
            let Some(step) = running.join_next().await else { break };
            let step = step.map_err(|error| Error::new(ErrorKind::Internal, "take a step").from_source(error))??;
            if let Some(place) = operation.steps.iter().position(|other| other.number == step.number) {
                operation.steps[place] = step;
            }
            operation.percent = percent(operation);
            self.fleet.store().write_operation(&self.hold, operation).await?;
        }
        let problem = failed(operation).map(|step| format!("step {}: {}", step.number + 1, outcome(step)));
        let (state, note) = match problem {
            Some(problem) => (OperationState::Failed, Some(problem)),
            None if operation.steps.iter().all(|step| step.state.is_over()) => (OperationState::Done, None),
            None => (OperationState::Cancelled, Some(stopped_note(operation))),
        };
        for place in 0..operation.steps.len() {
            if !operation.steps[place].state.is_over() {
                operation.steps[place].state = StepState::Skipped;
                self.fleet.store().write_step(&self.hold, &operation.steps[place]).await?;
            }
        }
        if wishes.borrow().undo {
            return self.turn(operation, OperationState::Undoing, note).await;
        }
        self.end(operation, state, note).await
    }

    /// Takes back what was done, the last first. Rules that were overridden then are kept now: that was said of what was
    /// done, and not of this.
    async fn back(&self, operation: &mut Operation, wishes: &watch::Receiver<Wishes>) -> Result<()> {
        self.turn(operation, OperationState::Undoing, operation.note.clone()).await?;
        let mut kept = self.plan_back(operation).await?;
        // What is acted upon now may be another thing than before: a clone, a guest in another cluster.
        if !self.lock(operation, wishes).await? {
            return Ok(());
        }
        // It is seen through: it does not hear what made it be taken back.
        let terms = Terms { overrides: Vec::new(), wishes: watch::channel(Wishes::default()).1 };
        for place in 0..operation.steps.len() {
            if operation.steps[place].undoes.is_none() || operation.steps[place].state.is_over() {
                continue;
            }
            operation.steps[place] = self.take(operation.steps[place].clone(), &terms).await?;
            if operation.steps[place].state == StepState::Failed {
                let step = &operation.steps[place];
                let words = self.fleet.words_of(&step.action).await?;
                kept.push(format!("to {words} did not succeed: {}", outcome(step)));
            }
        }
        let note = (!kept.is_empty()).then(|| kept.join("; "));
        self.end(operation, OperationState::Undone, note).await
    }

    /// Writes down the steps that take others back, in order; says what nothing takes back.
    async fn plan_back(&self, operation: &mut Operation) -> Result<Vec<String>> {
        let done: Vec<Step> = operation.steps.iter().filter(|step| step.undoes.is_none()).cloned().collect();
        let mut kept = Vec::new();
        for step in backwards(&done) {
            if operation.steps.iter().any(|other| other.undoes == Some(step.number)) {
                continue;
            }
            let before = step.before.clone().unwrap_or_default();
            let Some(action) = self.effect(step).await?.undo(&before) else {
                kept.push(format!("{} cannot be taken back", self.fleet.words_of(&step.action).await?));
                continue;
            };
            let number = u32::try_from(operation.steps.len()).unwrap_or(u32::MAX);
            let undo = Step { undoes: Some(step.number), ..Step::new(number, action, Vec::new()) };
            self.fleet.store().write_step(&self.hold, &undo).await?;
            operation.steps.push(undo);
        }
        Ok(kept)
    }

    async fn turn(&self, operation: &mut Operation, state: OperationState, note: Option<String>) -> Result<()> {
        operation.state = state;
        operation.note = note;
        self.fleet.store().write_operation(&self.hold, operation).await
    }

    async fn end(&self, operation: &mut Operation, state: OperationState, note: Option<String>) -> Result<()> {
        operation.ended_at = Some(self.fleet.now());
        operation.percent = percent(operation);
        // Noted first: twice after a kill in between, rather than never.
        let line = plan::trail_line(&self.fleet, operation).await?;
        self.fleet.note(&line, if state == OperationState::Done { "ok" } else { state.as_str() }).await?;
        self.turn(operation, state, note).await?;
        let words = operation.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        self.say(None, &format!("{}{words}", state.as_str())).await
    }

    pub(super) async fn say(&self, step: Option<u32>, text: &str) -> Result<()> {
        self.fleet.store().say(&self.hold, step, text, self.fleet.now()).await.map(drop)
    }
}

/// What was wished of an operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    pub(super) cancel: bool,
    pub(super) undo: bool,
}

/// The next step that may be taken. What had begun is seen to its end, also when it is to stop.
fn next<'a>(operation: &'a Operation, taken: &BTreeSet<u32>, stopped: bool) -> Option<&'a Step> {
    let is_well = |number: &u32| {
        let step = operation.steps.iter().find(|step| step.number == *number);
        step.is_some_and(|step| step.state.is_well())
    };
    let may = |step: &&Step| {
        step.undoes.is_none()
            && !step.state.is_over()
            && !taken.contains(&step.number)
            && (!stopped || step.state != StepState::Pending)
            && step.after.iter().all(is_well)
    };
    operation.steps.iter().find(may)
}

/// What was done, in the order in which it is taken back: the last first. Hosts come before all else, as guests go back only
/// to one that is awake and takes them.
fn backwards(steps: &[Step]) -> Vec<&Step> {
    let mut done: Vec<&Step> = steps.iter().rev().filter(|step| step.state == StepState::Done).collect();
    done.sort_by_key(|step| match &step.action {
        Action::Host { change: HostChange::Shutdown | HostChange::Suspend, .. } => 0,
        Action::Host { change: HostChange::EnterMaintenance, .. } => 1,
        _ => 2,
    });
    done
}

fn failed(operation: &Operation) -> Option<&Step> {
    operation.steps.iter().find(|step| step.undoes.is_none() && step.state == StepState::Failed)
}

fn percent(operation: &Operation) -> f64 {
    let steps = operation.steps.iter().filter(|step| step.undoes.is_none());
    let (all, over) = steps.fold((0_u32, 0_u32), |(all, over), step| (all + 1, over + u32::from(step.state.is_over())));
    if all == 0 { 100.0 } else { f64::from(over) * 100.0 / f64::from(all) }
}

/// What stays done of an operation that was stopped.
fn stopped_note(operation: &Operation) -> String {
    let done = operation.steps.iter().filter(|step| step.state.is_well()).count();
    format!("stopped; {done} of {} steps are done and stay so", operation.steps.len())
}
