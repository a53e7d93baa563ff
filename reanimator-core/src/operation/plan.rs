//! What an operation would do.

use serde::{Deserialize, Serialize};

use super::{MOST_STEPS, scenes::Scenes, scripts};
use crate::{
    Error, ErrorKind, Result,
    action::{Check, EffectName, effect},
    fleet::{Fleet, TrailLine},
    model::{Action, NewOperation, Objection, Operation, OperationId, Risk, Rule},
};

/// Characters that a title may have.
const LONGEST_TITLE: usize = 200;

/// Steps that a title or a line of the audit trail names.
const NAMED: usize = 3;

/// What would be done, had it not been a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// What it is, for people.
    pub title: String,
    /// The most that any of its steps may cost.
    pub risk: Risk,
    /// Step by step.
    pub steps: Vec<DryStep>,
}

/// What a step would do, as the world is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryStep {
    /// What it does.
    pub action: Action,
    /// The same for people.
    pub words: String,
    /// What it may cost.
    pub risk: Risk,
    /// What would be sent.
    pub calls: Vec<String>,
    /// Why nothing would be done, where what is wanted is there already.
    pub already: Option<String>,
    /// Why it would be refused; empty where it would not.
    pub refused: Vec<String>,
    /// What rules say against it, those too that would be overridden.
    pub objections: Vec<Objection>,
}

/// Refuses a plan that makes no sense.
pub(super) fn check(new: &NewOperation) -> Result<()> {
    let refuse = |cause: String, next: &str| {
        Err(Error::new(ErrorKind::Invalid, format!("begin \"{}\"", new.title)).because(cause).next(next))
    };
    if new.steps.is_empty() || new.steps.len() > MOST_STEPS {
        let cause = format!("it has {} steps, and 1 to {MOST_STEPS} are possible", new.steps.len());
        return refuse(cause, "choose fewer, or some");
    }
    for (number, step) in new.steps.iter().enumerate() {
        if let Some(after) = step.after.iter().find(|after| usize::try_from(**after).is_ok_and(|after| after >= number))
        {
            return refuse(format!("step {number} waits for step {after}, which comes no earlier"), "order the steps");
        }
    }
    Ok(())
}

/// What it is called: as it is asked for, else by its first steps.
pub(super) async fn title(fleet: &Fleet, new: &NewOperation) -> Result<String> {
    let given = new.title.trim();
    if !given.is_empty() {
        return Ok(given.chars().take(LONGEST_TITLE).collect());
    }
    let actions: Vec<&Action> = new.steps.iter().map(|step| &step.action).collect();
    list(fleet, &actions).await
}

/// What stands in the audit trail of an operation: its id, and what it does rather than what it is called.
pub(super) async fn trail_line(fleet: &Fleet, operation: &Operation) -> Result<TrailLine> {
    let actions: Vec<&Action> = operation.steps.iter().map(|step| &step.action).collect();
    Ok(TrailLine {
        who: operation.requested_by.clone(),
        from: operation.requested_from.clone(),
        what: format!("operation: {}{}", list(fleet, &actions).await?, in_spite_of(&operation.overrides)),
        on: operation.id.to_string(),
    })
}

/// The rules that are overridden, for the audit trail.
fn in_spite_of(overrides: &[Rule]) -> String {
    if overrides.is_empty() {
        return String::new();
    }
    let rules: Vec<&str> = overrides.iter().map(|rule| rule.as_str()).collect();
    format!(", in spite of {}", rules.join(", "))
}

/// The first few of some actions, in words.
async fn list(fleet: &Fleet, actions: &[&Action]) -> Result<String> {
    let mut words = Vec::with_capacity(NAMED);
    for action in actions.iter().take(NAMED) {
        words.push(fleet.words_of(action).await?);
    }
    let more = actions.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    Ok(format!("{}{rest}", words.join(", ")))
}

pub(super) async fn dry_run(fleet: &Fleet, new: &NewOperation) -> Result<DryRun> {
    let name = EffectName::new(&OperationId::from("dry-run"), 0);
    let mut steps = Vec::with_capacity(new.steps.len());
    let scenes = Scenes::of(fleet, new).await;
    for (place, step) in new.steps.iter().enumerate() {
        let action = step.action.clone();
        let checked = async { effect(fleet, &action, &name).await?.check().await }.await;
        let (mut calls, already, mut refused) = match checked {
            Ok(Check::Ready { calls, .. }) => (calls, None, Vec::new()),
            Ok(Check::Already(why)) => (Vec::new(), Some(why), Vec::new()),
            Ok(Check::Refused(why)) => (Vec::new(), None, why),
            Err(error) => (Vec::new(), None, vec![crate::report(&error)]),
        };
        let mut objections = Vec::new();
        if already.is_none() {
            match &scenes {
                Ok(scenes) => match scenes.objections(place) {
                    Some(told) => objections = told,
                    None => calls.push("(a large plan: the rules are asked when its turn comes)".to_owned()),
                },
                Err(error) => refused.push(crate::report(error)),
            }
        }
        let words = fleet.words_of(&action).await?;
        let risk = scripts::risk(fleet, &action).await?;
        steps.push(DryStep { words, risk, action, calls, already, refused, objections });
    }
    let risk = steps.iter().map(|step| step.risk).max().unwrap_or(Risk::None);
    Ok(DryRun { title: title(fleet, new).await?, risk, steps })
}

impl DryStep {
    /// Whether it would not be taken: it is refused, or a rule forbids it that is not overridden.
    pub fn is_refused(&self, overrides: &[Rule]) -> bool {
        let holds = |objection: &Objection| !(objection.can_override && overrides.contains(&objection.rule));
        !self.refused.is_empty() || self.objections.iter().any(holds)
    }
}
