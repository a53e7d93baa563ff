//! One step, from its check to its end, with the journal between the parts.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    engine::{Engine, Wishes},
    gate::{Gate, Way},
};
use crate::{
    Error, ErrorKind, Result,
    action::{Check, Effect, EffectName, Said, effect, is_outdated, usual_limit},
    model::{Rule, Step, StepState},
};

/// How often a step asks a far side that does not answer whether its effect began, and how long it waits in between.
const FIND_TRIES: u32 = 30;
const FIND_EVERY: Duration = Duration::from_secs(10);
/// How often a step whose effect came too late for what was seen before looks again.
const LOOKS_AGAIN: u32 = 4;
/// How long a request that was sent may be on its way to the far side.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// What a step has left at least that another process has begun: it may have ended long ago.
const LEAST_TIME: Duration = Duration::from_secs(10);

/// What is the same for all steps of an operation.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) overrides: Vec<Rule>,
    pub(super) wishes: watch::Receiver<Wishes>,
}

/// What kept a step from going on.
enum Broken {
    /// The step itself.
    Step(Error),
    /// The journal: nothing more may be done.
    Journal(Error),
    /// It was asked to stop before anything was done.
    Stopped,
    /// As much goes on there as may: nothing was done.
    Full,
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

impl Engine {
    /// One step to its end. An error is one of the journal: the step's own failure is in the step. One that was asked to
    /// stop while it waited is as it was.
    pub(super) async fn take(&self, mut step: Step, terms: &Terms) -> Result<Step> {
        let before = step.clone();
        match self.carry_out(&mut step, terms).await {
            Ok((state, text)) => {
                step.state = state;
                step.outcome = Some(text);
            }
            Err(Broken::Journal(error)) => return Err(error),
            Err(Broken::Stopped | Broken::Full) => return Ok(before),
            Err(Broken::Step(error)) => {
                step.state = StepState::Failed;
                step.outcome = Some(crate::report(&error));
            }
        }
        step.ended_at = Some(self.fleet.now());
        self.fleet.store().write_step(&self.hold, &step).await?;
        let action = self.fleet.words_of(&step.action).await?;
        self.say(Some(step.number), &format!("{action}: {}", outcome(&step))).await?;
        Ok(step)
    }

    /// A step, again where the world had changed between the look at it and the effect: then nothing was done.
    async fn carry_out(&self, step: &mut Step, terms: &Terms) -> Result<(StepState, String), Broken> {
        for _ in 0..LOOKS_AGAIN {
            match self.attempt(step, terms).await {
                Err(Broken::Step(error)) if is_outdated(&step.action, &error) => {
                    let why = format!("looking again: {}", crate::report(&error));
                    self.say(Some(step.number), &why).await.map_err(Broken::Journal)?;
                    step.state = StepState::Pending;
                }
                other => return other,
            }
        }
        self.attempt(step, terms).await
    }

    async fn attempt(&self, step: &mut Step, terms: &Terms) -> Result<(StepState, String), Broken> {
        let gate = Gate { fleet: &self.fleet, hold: &self.hold, step: step.number, wishes: &terms.wishes };
        if step.state == StepState::Pending
            && gate.wait_for_slots(&step.action).await.map_err(Broken::Step)? == Way::Stopped
        {
            return Err(Broken::Stopped);
        }
        let effect = self.reach(step).await?;
        if step.state == StepState::Intended {
            self.find_again(effect.as_ref(), step).await?;
        }
        if step.state != StepState::Begun
            && let Some(already) = self.begin(effect.as_ref(), step, &gate, terms).await?
        {
            return Ok(already);
        }
        self.see_to_its_end(effect.as_ref(), step).await
    }

    /// Nobody noted whether it began: the far side is asked.
    async fn find_again(&self, effect: &dyn Effect, step: &mut Step) -> Result<(), Broken> {
        let before = step.before.clone().unwrap_or_default();
        let mut found = self.find(effect, &before).await?;
        if found.is_none() && self.is_young(step) {
            // What was sent in the last moment of another process may still be on its way.
            tokio::time::sleep(ON_ITS_WAY).await;
            found = self.find(effect, &before).await?;
        }
        match found {
            Some(handle) => self.write(step, StepState::Begun, Some(handle)).await,
            None => Ok(()),
        }
    }

    /// Checks and begins it; says so where nothing is to be done.
    async fn begin(
        &self,
        effect: &dyn Effect,
        step: &mut Step,
        gate: &Gate<'_>,
        terms: &Terms,
    ) -> Result<Option<(StepState, String)>, Broken> {
        loop {
            if gate.close(&step.action).await.map_err(Broken::Step)? == Way::Stopped {
                return Err(Broken::Stopped);
            }
            let intended = self.intend(effect, step, gate, terms).await;
            gate.open(&step.action).await.map_err(Broken::Journal)?;
            match intended {
                // What was known when the slots were taken was not so any more.
                Err(Broken::Full) if gate.wait().await == Way::Stopped => return Err(Broken::Stopped),
                Err(Broken::Full) => {}
                Ok(Some(already)) => return Ok(Some(already)),
                Ok(None) => break,
                Err(broken) => return Err(broken),
            }
        }
        let before = step.before.clone().unwrap_or_default();
        // Whoever was asleep between the intent and here may find that another has taken over.
        self.fleet.store().keep_operation(&self.hold, self.fleet.now(), self.lease).await.map_err(Broken::Journal)?;
        let handle = match effect.begin(&before).await {
            Ok(handle) => handle,
            Err(error) if error.kind().is_retryable() => self.seek(effect, &before, error).await?,
            Err(error) => return Err(Broken::Step(error)),
        };
        self.write(step, StepState::Begun, Some(handle)).await?;
        Ok(None)
    }

    /// The answer was lost; the request may not have been, and may still be on its way.
    async fn seek(&self, effect: &dyn Effect, before: &serde_json::Value, lost: Error) -> Result<String, Broken> {
        if let Some(handle) = self.find(effect, before).await? {
            return Ok(handle);
        }
        tokio::time::sleep(ON_ITS_WAY).await;
        self.find(effect, before).await?.ok_or(Broken::Step(lost))
    }

    /// Behind closed gates: the world is looked at, the rules are asked, and the intent is written down.
    async fn intend(
        &self,
        effect: &dyn Effect,
        step: &mut Step,
        gate: &Gate<'_>,
        terms: &Terms,
    ) -> Result<Option<(StepState, String)>, Broken> {
        match effect.check().await.map_err(Broken::Step)? {
            Check::Already(why) if step.state == StepState::Intended => return Ok(Some((StepState::Done, why))),
            Check::Already(why) => return Ok(Some((StepState::Already, why))),
            Check::Refused(why) => {
                let words = self.fleet.words_of(&step.action).await.map_err(Broken::Journal)?;
                let error = Error::new(ErrorKind::Conflict, words).because(why.join("; "));
                return Err(Broken::Step(error));
            }
            Check::Ready { before, .. } => step.before = Some(before),
        }
        if gate.ask(&step.action, &terms.overrides).await.map_err(Broken::Step)? == Way::Full {
            return Err(Broken::Full);
        }
        step.started_at.get_or_insert(self.fleet.now());
        self.write(step, StepState::Intended, None).await?;
        Ok(None)
    }

    /// Follows what has begun for as long as it may take, and looks at the world afterwards.
    async fn see_to_its_end(&self, effect: &dyn Effect, step: &mut Step) -> Result<(StepState, String), Broken> {
        let limit =
            step.limit_seconds.map_or_else(|| usual_limit(&step.action), |limit| Duration::from_secs(limit.into()));
        let passed = step.started_at.map_or(Duration::ZERO, |at| self.fleet.now().duration_since(at).unsigned_abs());
        let left = limit.saturating_sub(passed).max(LEAST_TIME.min(limit));
        let handle = step.handle.clone().unwrap_or_default();
        let before = step.before.clone().unwrap_or_default();
        let said = Lines { engine: self, step: step.number };
        let ending = async {
            let followed = effect.follow(&handle, &said).await;
            // Told of what ended badly too, and before the last look clears away what it is told from.
            let result = effect.result(&before).await;
            let text = match followed {
                Ok(()) => effect.confirm(&before).await,
                Err(error) => Err(error),
            };
            (text, result)
        };
        match tokio::time::timeout(left, ending).await {
            Ok((text, result)) => {
                step.result = result;
                Ok((StepState::Done, text.map_err(Broken::Step)?))
            }
            Err(_) => {
                let error = self.too_long(effect, step, limit).await;
                step.result = effect.result(&before).await;
                Err(Broken::Step(error))
            }
        }
    }

    /// Ends what takes too long, where it can be.
    async fn too_long(&self, effect: &dyn Effect, step: &Step, limit: Duration) -> Error {
        let error = Error::new(ErrorKind::Timeout, step.action.words());
        let limit = limit.as_secs();
        match effect.abort(step.handle.as_deref().unwrap_or_default()).await {
            Ok(true) => error.because(format!("it took longer than {limit} s, and was ended")),
            Ok(false) => error
                .because(format!("it takes longer than {limit} s; it cannot be ended, and goes on over there"))
                .next("look there, and give it a longer limit the next time"),
            Err(problem) => error
                .because(format!("it takes longer than {limit} s; ending it failed: {}", crate::report(&problem)))
                .next("look there whether it goes on"),
        }
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

    pub(super) async fn effect(&self, step: &Step) -> Result<Box<dyn Effect>> {
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
}

/// What came of a step, for people.
pub(super) fn outcome(step: &Step) -> &str {
    step.outcome.as_deref().unwrap_or("no word of it")
}
