//! Carrying one operation out, step by step, with a journal.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, task::JoinSet};

use super::plan;
use crate::{
    Error, ErrorKind, Result,
    action::{Check, Effect, EffectName, Said, effect, is_outdated},
    fleet::Fleet,
    model::{Operation, OperationState, Step, StepState},
    store::{OperationHold, Wish},
};

/// How often the lease is renewed, and wishes are heard.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether what is waited for is free.
const LOCK_EVERY: Duration = Duration::from_secs(1);
/// Steps that run beside each other.
const BESIDE: usize = 8;
/// How often a step asks a far side that does not answer whether its effect began, and how long it waits in between.
const FIND_TRIES: u32 = 30;
const FIND_EVERY: Duration = Duration::from_secs(10);
/// How often a step whose effect came too late for what was seen before looks again.
const LOOKS_AGAIN: u32 = 4;
/// How long a request that was sent may be on its way to the far side.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(super) struct Engine {
    fleet: Fleet,
    hold: OperationHold,
    lease: Duration,
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

    /// Renews the lease until that fails, and passes wishes on.
    async fn keep(&self, heard: &watch::Sender<Wishes>) -> Error {
        loop {
            match self.fleet.store().keep_operation(&self.hold, self.fleet.now(), self.lease).await {
                Ok(wishes) => {
                    heard.send_replace(Wishes {
                        cancel: wishes.contains(&Wish::Cancel),
                        undo: wishes.contains(&Wish::Undo),
                    });
                }
                Err(error) => return error,
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
            self.back(&mut operation).await?;
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
        let mut running = JoinSet::new();
        let mut taken = BTreeSet::new();
        loop {
            let stopped = wishes.borrow().cancel || wishes.borrow().undo || failed(operation).is_some();
            while running.len() < BESIDE {
                let Some(step) = next(operation, &taken, stopped) else { break };
                taken.insert(step.number);
                let (engine, step) = (self.clone(), step.clone());
                running.spawn(async move { engine.take(step).await });
            }
            let Some(step) = running.join_next().await else { break };
            let step = step.map_err(|error| Error::new(ErrorKind::Internal, "take a step").from_source(error))??;
            if let Some(place) = operation.steps.iter().position(|other| other.number == step.number) {
                operation.steps[place] = step;
            }
            operation.percent = percent(operation);
            self.fleet.store().write_operation(&self.hold, operation).await?;
        }
        let problem = failed(operation).map(|step| format!("step {}: {}", step.number + 1, words(step)));
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

    /// Takes back what was done, the last first.
    async fn back(&self, operation: &mut Operation) -> Result<()> {
        self.turn(operation, OperationState::Undoing, operation.note.clone()).await?;
        let done: Vec<Step> = operation.steps.iter().filter(|step| step.undoes.is_none()).cloned().collect();
        let mut kept = Vec::new();
        for step in done.iter().rev().filter(|step| step.state == StepState::Done) {
            let known = operation.steps.iter().position(|other| other.undoes == Some(step.number));
            let place = match known {
                Some(place) => place,
                None => {
                    let before = step.before.clone().unwrap_or_default();
                    let Some(action) = self.effect(step).await?.undo(&before) else {
                        kept.push(format!("{} cannot be taken back", step.action.words()));
                        continue;
                    };
                    let number = u32::try_from(operation.steps.len()).unwrap_or(u32::MAX);
                    let undo = Step { undoes: Some(step.number), ..Step::new(number, action, Vec::new()) };
                    self.fleet.store().write_step(&self.hold, &undo).await?;
                    operation.steps.push(undo);
                    operation.steps.len() - 1
                }
            };
            if operation.steps[place].state.is_over() {
                continue;
            }
            operation.steps[place] = self.take(operation.steps[place].clone()).await?;
            if operation.steps[place].state == StepState::Failed {
                let why = words(&operation.steps[place]);
                kept.push(format!("{} was not taken back: {why}", step.action.words()));
            }
        }
        let note = (!kept.is_empty()).then(|| kept.join("; "));
        self.end(operation, OperationState::Undone, note).await
    }

    /// One step to its end. An error is one of the journal: the step's own failure is in the step.
    async fn take(&self, mut step: Step) -> Result<Step> {
        let outcome = self.carry_out(&mut step).await;
        match outcome {
            Ok((state, text)) => {
                step.state = state;
                step.outcome = Some(text);
            }
            Err(Broken::Journal(error)) => return Err(error),
            Err(Broken::Step(error)) => {
                step.state = StepState::Failed;
                step.outcome = Some(crate::report(&error));
            }
        }
        step.ended_at = Some(self.fleet.now());
        self.fleet.store().write_step(&self.hold, &step).await?;
        let action = self.fleet.words_of(&step.action).await?;
        self.say(Some(step.number), &format!("{action}: {}", words(&step))).await?;
        Ok(step)
    }

    /// A step, again where the world had changed between the look at it and the effect: then nothing was done.
    async fn carry_out(&self, step: &mut Step) -> Result<(StepState, String), Broken> {
        for _ in 0..LOOKS_AGAIN {
            match self.attempt(step).await {
                Err(Broken::Step(error)) if is_outdated(&step.action, &error) => {
                    let why = format!("looking again: {}", crate::report(&error));
                    self.say(Some(step.number), &why).await.map_err(Broken::Journal)?;
                    step.state = StepState::Pending;
                }
                other => return other,
            }
        }
        self.attempt(step).await
    }

    async fn attempt(&self, step: &mut Step) -> Result<(StepState, String), Broken> {
        let effect = self.reach(step).await?;
        if step.state == StepState::Intended {
            // Nobody noted whether it began.
            let before = step.before.clone().unwrap_or_default();
            let mut found = self.find(effect.as_ref(), &before).await?;
            if found.is_none() && self.is_young(step) {
                // What was sent in the last moment of another process may still be on its way.
                tokio::time::sleep(ON_ITS_WAY).await;
                found = self.find(effect.as_ref(), &before).await?;
            }
            if let Some(handle) = found {
                self.write(step, StepState::Begun, Some(handle)).await?;
            }
        }
        if step.state != StepState::Begun {
            match effect.check().await.map_err(Broken::Step)? {
                Check::Already(why) if step.state == StepState::Intended => return Ok((StepState::Done, why)),
                Check::Already(why) => return Ok((StepState::Already, why)),
                Check::Refused(why) => {
                    let error = Error::new(ErrorKind::Conflict, step.action.words()).because(why.join("; "));
                    return Err(Broken::Step(error));
                }
                Check::Ready { before, .. } => step.before = Some(before),
            }
            step.started_at.get_or_insert(self.fleet.now());
            self.write(step, StepState::Intended, None).await?;
            let before = step.before.clone().unwrap_or_default();
            let handle = match effect.begin(&before).await {
                Ok(handle) => handle,
                // The answer was lost; the request may not have been.
                Err(error) if error.kind().is_retryable() => {
                    self.find(effect.as_ref(), &before).await?.ok_or(Broken::Step(error))?
                }
                Err(error) => return Err(Broken::Step(error)),
            };
            self.write(step, StepState::Begun, Some(handle)).await?;
        }
        let handle = step.handle.clone().unwrap_or_default();
        let said = Lines { engine: self, step: step.number };
        effect.follow(&handle, &said).await.map_err(Broken::Step)?;
        let before = step.before.clone().unwrap_or_default();
        let text = effect.confirm(&before).await.map_err(Broken::Step)?;
        Ok((StepState::Done, text))
    }

    /// The effect of a step. One that may have begun is waited for while its far side is silent.
    async fn reach(&self, step: &Step) -> Result<Box<dyn Effect>, Broken> {
        let mut tries = 0;
        loop {
            match self.effect(step).await {
                Ok(effect) => return Ok(effect),
                Err(error)
                    if step.state == StepState::Pending || !error.kind().is_retryable() || tries >= FIND_TRIES =>
                {
                    return Err(Broken::Step(error));
                }
                Err(_) => {
                    tries += 1;
                    tokio::time::sleep(FIND_EVERY).await;
                }
            }
        }
    }

    /// Whether the intent was written down so lately that the request may not have arrived yet.
    fn is_young(&self, step: &Step) -> bool {
        let Some(started_at) = step.started_at else { return true };
        self.fleet.now().duration_since(started_at).unsigned_abs() < ON_ITS_WAY
    }

    async fn effect(&self, step: &Step) -> Result<Box<dyn Effect>> {
        effect(&self.fleet, &step.action, &EffectName::new(&self.hold.id, step.number)).await
    }

    /// Asks the far side whether an effect began, until it says so.
    async fn find(&self, effect: &dyn Effect, before: &serde_json::Value) -> Result<Option<String>, Broken> {
        let mut tries = 0;
        loop {
            match effect.find(before).await {
                Ok(found) => return Ok(found),
                Err(error) if error.kind().is_retryable() && tries < FIND_TRIES => {
                    tries += 1;
                    tokio::time::sleep(FIND_EVERY).await;
                }
                Err(error) => return Err(Broken::Step(error)),
            }
        }
    }

    async fn write(&self, step: &mut Step, state: StepState, handle: Option<String>) -> Result<(), Broken> {
        step.state = state;
        step.handle = handle;
        self.fleet.store().write_step(&self.hold, step).await.map_err(Broken::Journal)
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

    async fn say(&self, step: Option<u32>, text: &str) -> Result<()> {
        self.fleet.store().say(&self.hold, step, text, self.fleet.now()).await.map(drop)
    }
}

/// What was wished of an operation.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    cancel: bool,
    undo: bool,
}

/// What kept a step from going on.
enum Broken {
    /// The step itself.
    Step(Error),
    /// The journal: nothing more may be done.
    Journal(Error),
}

/// What a step says, into the operation's log.
struct Lines<'a> {
    engine: &'a Engine,
    step: u32,
}

#[async_trait]
impl Said for Lines<'_> {
    async fn line(&self, text: &str) {
        if let Err(error) = self.engine.say(Some(self.step), text).await {
            tracing::warn!(error = %crate::report(&error), "a line of an operation is lost");
        }
    }
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

fn failed(operation: &Operation) -> Option<&Step> {
    operation.steps.iter().find(|step| step.undoes.is_none() && step.state == StepState::Failed)
}

fn words(step: &Step) -> &str {
    step.outcome.as_deref().unwrap_or("no word of it")
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
