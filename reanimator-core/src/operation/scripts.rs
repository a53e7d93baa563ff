//! Prepared scripts among the steps of an operation: the version that is asked for, and who may run it.

use std::collections::BTreeMap;

use crate::{
    Error, ErrorKind, Result,
    access::Principal,
    fleet::Fleet,
    model::{Action, NewStep, Risk, Script, Step, StoredScript},
};

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
