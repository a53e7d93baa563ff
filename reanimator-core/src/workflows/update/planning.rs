//! What an update would come to: each machine is looked at as a run would look, and nothing is done.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;

use super::{
    choose,
    look::{self, Found},
    steps,
};
use crate::{
    Result,
    access::Principal,
    action::packages,
    fleet::Fleet,
    model::{
        RebootWish, UpdatePlan, UpdateRun, UpdateTarget, UpdateWish,
        update::{PlannedTarget, PlannedWave},
    },
};

/// Machines that are looked at at once.
const AT_ONCE: usize = 16;
/// How long one may take to say what is pending: somebody waits for the plan.
const LOOK_WITHIN: Duration = Duration::from_secs(45);

/// Plans a wish.
pub(super) async fn plan(fleet: &Fleet, wish: &UpdateWish, who: &Principal) -> Result<UpdatePlan> {
    let chosen = choose::choose(fleet, wish).await?;
    let run = UpdateRun::new(wish.clone(), who.who(), "plan", fleet.now());
    let mut looks = Vec::with_capacity(chosen.targets.len());
    for target in &chosen.targets {
        looks.push(planned(fleet, &run, target).boxed());
    }
    let planned: Vec<PlannedTarget> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut waves: Vec<PlannedWave> = Vec::new();
    for (target, planned) in chosen.targets.iter().zip(planned) {
        match waves.last_mut().filter(|wave| wave.number == target.wave) {
            Some(wave) => wave.targets.push(planned),
            None => waves.push(PlannedWave { number: target.wave, canary: target.canary, targets: vec![planned] }),
        }
    }
    let all = || waves.iter().flat_map(|wave| &wave.targets);
    let is_refused = |target: &&PlannedTarget| {
        !target.refused.is_empty() || target.objections.iter().any(|objection| look::holds(&run, objection))
    };
    Ok(UpdatePlan {
        wish: wish.clone(),
        machines: all().filter(|target| target.wanted > 0 || target.restart).count(),
        packages: all().map(|target| target.wanted).sum(),
        security: all().map(|target| target.security).sum(),
        restarts: all().filter(|target| target.restart).count(),
        refused: all().filter(is_refused).count(),
        passed_over: chosen.passed_over,
        waves,
    })
}

async fn planned(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> PlannedTarget {
    let mut planned = PlannedTarget {
        machine: target.machine.clone(),
        name: target.name.clone(),
        kind: target.kind,
        why: target.why.clone(),
        own: target.own,
        survey: None,
        wanted: 0,
        security: 0,
        restart: false,
        steps: Vec::new(),
        refused: Vec::new(),
        objections: Vec::new(),
        notes: Vec::new(),
    };
    match look::may_be_updated(fleet, run, target).await {
        Ok(found) => take_in(&mut planned, found),
        Err(error) => planned.refused.push(crate::report(&error)),
    }
    let survey = match tokio::time::timeout(LOOK_WITHIN, packages::survey(fleet, &target.machine)).await {
        Ok(Ok(survey)) => survey,
        Ok(Err(error)) => {
            planned.refused.push(crate::report(&error));
            return planned;
        }
        Err(_) => {
            planned.refused.push(format!("it did not say within {} s what is pending", LOOK_WITHIN.as_secs()));
            return planned;
        }
    };
    planned.notes.extend(age_of_lists(survey.refreshed_at, fleet.now()));
    match look::judge(fleet, run, target, &survey).await {
        Ok((found, _)) => {
            take_in(&mut planned, found);
            planned.wanted = survey.wanted_count(&run.wish.change());
            planned.security = survey.wanted_security(&run.wish.change()).unwrap_or(0);
        }
        Err(error) => planned.refused.push(crate::report(&error)),
    }
    let due = survey.restart_due(&run.wish.change());
    planned.restart = due && run.wish.reboot == RebootWish::IfNeeded;
    if planned.wanted > 0 || planned.restart {
        planned.steps = steps::words(run, target, planned.wanted, due);
    }
    planned.survey = Some(survey);
    planned
}

/// A plan fetches no lists: who reads it should know how old those are that it was made from.
fn age_of_lists(refreshed_at: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let Some(refreshed_at) = refreshed_at else {
        return Some("nobody knows how old its package lists are; a run fetches them first".to_owned());
    };
    let days = now.duration_since(refreshed_at).as_hours() / 24;
    (days >= 1).then(|| format!("its package lists are {days} days old; a run fetches them first"))
}

fn take_in(planned: &mut PlannedTarget, found: Found) {
    planned.refused.extend(found.refused);
    planned.objections.extend(found.objections);
    planned.notes.extend(found.notes);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn old_lists_are_told_of_and_fresh_ones_are_not() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let told = |at: &str| age_of_lists(Some(at.parse().unwrap()), now);
        assert_eq!(told("2026-11-26T01:00:00Z"), None);
        assert!(told("2026-11-23T11:00:00Z").unwrap().contains("3 days old"));
        assert!(age_of_lists(None, now).unwrap().contains("nobody knows"));
    }
}
