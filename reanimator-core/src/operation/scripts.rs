//! Prepared scripts among the steps of an operation: the version that is asked for, and who may run it.

use std::collections::BTreeMap;

use crate::{
    Error, ErrorKind, Result,
    access::Principal,
    fleet::Fleet,
    model::{Action, NewStep, Operation, Risk, Script, Step, StoredScript},
};

/// Secrets shorter than this are not looked for in what a script says.
const SHORTEST: usize = 4;

/// How much longer than its script a step may take: to start it, and to hear of its end.
const MARGIN: u32 = 120;

/// Writes down in each step which version of a script is asked for, and how long that may take: what is changed afterwards
/// is not run unseen.
pub(super) async fn pin(fleet: &Fleet, mut steps: Vec<NewStep>) -> Result<Vec<NewStep>> {
    for step in &mut steps {
        let Action::Script { script, version, .. } = &mut step.action else { continue };
        let Some(stored) = fleet.store().script(script).await? else { continue };
        version.get_or_insert(stored.version);
        step.limit_seconds.get_or_insert(stored.script.limit_seconds.saturating_add(MARGIN));
    }
    Ok(steps)
}

/// What an action may cost: of a script, what its definition says.
pub(super) async fn risk(fleet: &Fleet, action: &Action) -> Result<Risk> {
    let Action::Script { script, .. } = action else { return Ok(action.risk()) };
    Ok(fleet.store().script(script).await?.map_or_else(|| action.risk(), |stored| stored.script.risk))
}

/// Passes who may take all of some steps: by the role that their risk takes, and of scripts by what their definition says.
/// What a script is given is looked at here too, before anything is stored.
pub(super) async fn allow(fleet: &Fleet, steps: &[Step], who: &Principal, attempt: &str) -> Result<()> {
    let mut known: BTreeMap<&str, StoredScript> = BTreeMap::new();
    let mut risk = Risk::None;
    for step in steps {
        let Action::Script { script: name, parameters, .. } = &step.action else {
            risk = risk.max(step.action.risk());
            continue;
        };
        if !known.contains_key(name.as_str()) {
            known.insert(name, fleet.script(name).await?);
        }
        let Some(StoredScript { script, .. }) = known.get(name.as_str()) else { continue };
        may_run(script, who, attempt)?;
        script.environment(parameters)?;
    }
    who.require(risk.needs(), attempt)
}

/// Why somebody may not take an action, in the words of [`allow`].
pub(super) async fn denial(fleet: &Fleet, action: &Action, who: &Principal, attempt: &str) -> Result<Option<String>> {
    let allowed = match action {
        // One that is not there is refused by its effect.
        Action::Script { script, .. } => match fleet.store().script(script).await? {
            Some(stored) => may_run(&stored.script, who, attempt),
            None => Ok(()),
        },
        _ => who.require(action.risk().needs(), attempt),
    };
    Ok(allowed.err().map(|denied| crate::message(&denied)))
}

fn may_run(script: &Script, who: &Principal, attempt: &str) -> Result<()> {
    if script.may_run(&who.who(), who.role) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, attempt)
        .because(format!("{} may not run the script {}", who.who(), script.name))
        .next("ask an admin, who says in its definition who may"))
}

/// What stands in the place of a secret.
const STARS: &str = "***";

/// What nobody may read of what scripts are given, by their definitions.
pub(super) struct Secrets<'a> {
    fleet: &'a Fleet,
    /// Definitions that were looked up, none for those that are gone.
    known: BTreeMap<String, Option<StoredScript>>,
}

impl<'a> Secrets<'a> {
    pub(super) fn of(fleet: &'a Fleet) -> Self {
        Self { fleet, known: BTreeMap::new() }
    }

    /// The values of an action's secrets.
    pub(super) async fn in_action(&mut self, action: &Action) -> Result<Vec<String>> {
        let Action::Script { script, parameters, version, .. } = action else { return Ok(Vec::new()) };
        if !self.known.contains_key(script) {
            self.known.insert(script.clone(), self.fleet.store().script(script).await?);
        }
        // Of one that is gone or another by now nobody knows what was a secret.
        let stored = self.known.get(script).and_then(Option::as_ref);
        let stored = stored.filter(|stored| version.as_ref().is_none_or(|version| *version == stored.version));
        let is_secret = |name: &str| {
            let known = stored.and_then(|stored| stored.script.parameters.iter().find(|known| known.name == name));
            known.is_none_or(|known| known.secret)
        };
        Ok(parameters.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone()).collect())
    }

    /// The action as people may read it.
    pub(super) async fn masked(&mut self, mut action: Action) -> Result<Action> {
        let secrets = self.in_action(&action).await?;
        if let Action::Script { parameters, .. } = &mut action {
            for value in parameters.values_mut().filter(|value| secrets.contains(value)) {
                STARS.clone_into(value);
            }
        }
        Ok(action)
    }

    /// The operation as people may read it.
    pub(super) async fn hidden(&mut self, mut operation: Operation) -> Result<Operation> {
        for step in &mut operation.steps {
            let secrets = self.in_action(&step.action).await?;
            if secrets.is_empty() {
                continue;
            }
            step.action = self.masked(step.action.clone()).await?;
            step.outcome = step.outcome.take().map(|outcome| starred(&outcome, &secrets));
            operation.note = operation.note.take().map(|note| starred(&note, &secrets));
        }
        Ok(operation)
    }
}

/// A text with stars in the place of secrets. Those of a few characters stay: they are in any text.
pub(super) fn starred(text: &str, secrets: &[String]) -> String {
    let worth_it = secrets.iter().map(|secret| secret.trim()).filter(|secret| secret.chars().count() >= SHORTEST);
    worth_it.fold(text.to_owned(), |text, secret| text.replace(secret, STARS))
}
