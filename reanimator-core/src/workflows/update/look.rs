//! Looks at machines: whether they may be updated, what is pending, and whether they are well. Nothing is changed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::steps;
use crate::{
    Error, ErrorKind, Result,
    action::{guard, packages},
    collect::linux::vitals,
    decide::update::{Outcome, Verdict, unwell},
    fleet::Fleet,
    model::{
        HostId, Machine, Objection, RebootWish, Rule, Safety, UpdateRun, UpdateTarget, Vitals,
        facts::{
            cluster::{CephFacts, ClusterNode},
            updates::PendingPackage,
        },
        packages::PackageSurvey,
    },
    transport::{Command, Output, http::Request},
    workflows::maintenance,
};

/// How long another package manager may be at work before a machine is refused.
const BUSY_WITHIN: Duration = Duration::from_secs(300);
/// How often it is looked whether it still is.
const BUSY_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked whether a machine is well; it must be twice in a row.
const WELL_EVERY: Duration = Duration::from_secs(2);
/// How long a look into a machine may take, and how much of what it says is kept.
const LOOK_WITHIN: Duration = Duration::from_secs(60);
const LOOK_BYTES: usize = 512 * 1024;
/// What Ceph complains of that makes it unwise to take a node away.
const CEPH_WORRIES: [&str; 6] =
    ["OSD_DOWN", "OSD_HOST_DOWN", "PG_AVAILABILITY", "PG_DEGRADED", "PG_DAMAGED", "MON_DOWN"];

/// What a look found, for a plan as for a run.
#[derive(Default)]
pub(super) struct Found {
    /// Why it is left alone, where that is no failure.
    pub(super) passed_over: Option<String>,
    /// Why it must not be updated.
    pub(super) refused: Vec<String>,
    /// What rules say, overridden or not.
    pub(super) objections: Vec<Objection>,
    /// What else there is to say.
    pub(super) notes: Vec<String>,
}

impl Found {
    fn verdict(&self, run: &UpdateRun) -> Verdict {
        if let Some(why) = &self.passed_over {
            return Verdict::PassOver(why.clone());
        }
        let held = self.objections.iter().filter(|each| holds(run, each)).map(|each| &each.why);
        let all: Vec<&str> = self.refused.iter().chain(held).map(String::as_str).collect();
        if all.is_empty() { Verdict::Go } else { Verdict::Refuse(all.join("; ")) }
    }
}

/// Whether an objection is not overridden.
pub(super) fn holds(run: &UpdateRun, objection: &Objection) -> bool {
    !(objection.can_override && run.wish.overrides.contains(&objection.rule))
}

/// Looks whether a machine may be updated, and what shows that it is well.
pub(super) async fn check(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Outcome {
    let mut found = match may_be_updated(fleet, run, target).await {
        Ok(found) => found,
        Err(error) => Found { refused: vec![crate::report(&error)], ..Found::default() },
    };
    let mut seen = None;
    if found.verdict(run) == Verdict::Go {
        match vitals_of(fleet, target).await {
            Ok(vitals) => seen = Some(vitals),
            Err(error) if error.kind().is_retryable() => {
                found.passed_over = Some(format!("it does not answer: {}", crate::report(&error)));
            }
            Err(error) => found.refused.push(crate::report(&error)),
        }
    }
    if found.verdict(run) == Verdict::Go
        && let Some(ailment) = command_fails(fleet, run, target).await
    {
        found.refused.push(format!("its check of health fails before anything is done: {ailment}"));
    }
    Outcome::Checked { verdict: found.verdict(run), vitals: seen, notes: found.notes }
}

/// What speaks against an update as such: people's will, rules, votes, Ceph, the age of its backup, and what would keep its
/// way back from being made.
pub(super) async fn may_be_updated(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Result<Found> {
    let mut found = Found::default();
    let way_back = steps::way_back(run, target)?;
    for action in [steps::packages(target, run.wish.change())].iter().chain(&way_back) {
        for objection in guard::objections(fleet, action, &[]).await? {
            match objection.rule {
                // It is waited for, when its turn comes.
                Rule::Cap => {}
                _ if found.objections.contains(&objection) => {}
                Rule::Window | Rule::Protected if holds(run, &objection) => {
                    found.passed_over.get_or_insert(objection.why.clone());
                    found.objections.push(objection);
                }
                _ => found.objections.push(objection),
            }
        }
    }
    if let Some(action) = &way_back {
        found.refused.extend(steps::refusals(fleet, action).await);
    }
    if let Some(node) = &target.node {
        found.refused.extend(cluster_worries(fleet, node).await?);
    }
    found.refused.extend(backup_too_old(fleet, run, target).await?);
    found.refused.extend(makes_no_snapshots(fleet, run, target).await?);
    Ok(found)
}

/// What of its cluster speaks against taking a node away: votes, and Ceph.
async fn cluster_worries(fleet: &Fleet, node: &HostId) -> Result<Vec<String>> {
    let Some(cluster) = fleet.cluster_of(node).await? else { return Ok(Vec::new()) };
    let facts = match fleet.ask_cluster(&cluster).await {
        Ok(facts) => facts.facts,
        // One that is seen by its own shell only, and was not asked yet.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut worries = Vec::new();
    if facts.quorate == Some(false) {
        worries.push("its cluster has no quorum".to_owned());
    }
    let unseen = |member: &&ClusterNode| {
        member.online == Some(false) && fleet.host_of_node(&cluster, &member.name).as_ref() == Some(node)
    };
    worries.extend(facts.nodes.iter().find(unseen).map(|_| "its cluster does not see it".to_owned()));
    worries.extend(facts.ceph.as_ref().and_then(ceph_worry));
    Ok(worries)
}

/// Why Ceph makes it unwise to disturb a node.
fn ceph_worry(ceph: &CephFacts) -> Option<String> {
    let health = ceph.health.as_deref()?;
    let checks: Vec<&str> = ceph.checks.iter().map(|check| check.name.as_str()).collect();
    let worry = health == "HEALTH_ERR" || checks.iter().any(|check| CEPH_WORRIES.contains(check));
    worry.then(|| format!("Ceph says {health}: {}", checks.join(", ")))
}

async fn backup_too_old(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Result<Option<String>> {
    let (Some(days), Some(guest)) = (run.wish.newest_backup_days, &target.guest) else { return Ok(None) };
    if matches!(run.wish.safety, Safety::Backup { .. }) {
        return Ok(None);
    }
    let newest = fleet.guest_details(None, guest.0.as_str()).await?.facts.facts.backups.and_then(|all| all.newest_at);
    Ok(too_old(newest, days, fleet.now()))
}

/// Whether a guest of which a snapshot is wished lies where none can be made.
async fn makes_no_snapshots(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Result<Option<String>> {
    let Some(id) = target.guest.as_ref().filter(|_| run.wish.safety == Safety::Snapshot && !target.own) else {
        return Ok(None);
    };
    let Some(guest) = fleet.guest_by_id(id).await? else { return Ok(None) };
    let way = fleet.way_to_guest(id).await?;
    let path = ["nodes", guest.node.as_str(), guest.kind.as_str(), way.vmid.as_str(), "feature"];
    let answer = way.api.call(Request::get(path).param("feature", "snapshot")).await?;
    let has = answer.get("hasFeature").is_some_and(|has| has.as_bool() == Some(true) || has.as_i64() == Some(1));
    Ok((!has).then(|| "no snapshot of it can be made where its disks are: wish a backup, or nothing".to_owned()))
}

fn too_old(newest: Option<Timestamp>, days: u32, now: Timestamp) -> Option<String> {
    let Some(newest) = newest else { return Some("it has no backup that is known".to_owned()) };
    let age = now.duration_since(newest);
    (age > SignedDuration::from_hours(i64::from(days) * 24))
        .then(|| format!("its newest backup is {} days old, and {days} are allowed", age.as_hours() / 24))
}

/// Looks what is to be installed, when the lists are fresh; another manager at work is waited for.
pub(super) async fn survey(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Outcome {
    let began = tokio::time::Instant::now();
    let survey = loop {
        match packages::survey(fleet, &target.machine).await {
            Ok(survey) if survey.busy.is_some() && began.elapsed() < BUSY_WITHIN => {
                tokio::time::sleep(BUSY_EVERY).await;
            }
            Ok(survey) => break survey,
            Err(error) => return surveyed(Verdict::Refuse(crate::report(&error)), Vec::new(), None, false, Vec::new()),
        }
    };
    let judged = judge(fleet, run, target, &survey).await;
    let (found, wanted) = match judged {
        Ok(judged) => judged,
        Err(error) => return surveyed(Verdict::Refuse(crate::report(&error)), Vec::new(), None, false, Vec::new()),
    };
    let change = run.wish.change();
    let (security, restart) = (survey.wanted_security(&change), survey.restart_due(&change));
    surveyed(found.verdict(run), wanted, security, restart, found.notes)
}

fn surveyed(
    verdict: Verdict,
    pending: Vec<PendingPackage>,
    security: Option<u64>,
    restart_due: bool,
    notes: Vec<String>,
) -> Outcome {
    Outcome::Surveyed { verdict, pending, security, restart_due, notes }
}

/// What a survey says for and against an update, and what it would install.
pub(super) async fn judge(
    fleet: &Fleet,
    run: &UpdateRun,
    target: &UpdateTarget,
    survey: &PackageSurvey,
) -> Result<(Found, Vec<PendingPackage>)> {
    let mut found = Found::default();
    let change = run.wish.change();
    let wanted: Vec<PendingPackage> = survey.wanted(&change).into_iter().cloned().collect();
    found.refused.extend(survey.busy.as_ref().map(|who| format!("{who} is at work with its packages")));
    if !survey.broken.is_empty() {
        let mend = survey.mend.as_ref().map(|mend| format!(": {mend}")).unwrap_or_default();
        found.refused.push(format!("its packages are broken ({}); mend that first{mend}", survey.broken.join("; ")));
    }
    if survey.wanted_count(&change) > 0 {
        found.refused.extend(survey.too_little_room());
    }
    if run.wish.security_only && survey.security_count.is_none() && survey.pending_count > 0 {
        found.refused.push("its distribution does not tell which packages close security holes".to_owned());
    }
    if !survey.held.is_empty() {
        found.notes.push(format!("held at their versions: {}", survey.held.join(", ")));
    }
    if !survey.removed.is_empty() {
        found.notes.push(format!("the upgrade removes {}", survey.removed.join(", ")));
    }
    let restarts = run.wish.reboot == RebootWish::IfNeeded && survey.restart_due(&change);
    if restarts && found.refused.is_empty() {
        may_restart(fleet, run, target, &mut found).await?;
    }
    if !restarts && survey.restart_due(&change) {
        found.notes.push("a restart is due, and is left to you".to_owned());
    }
    Ok((found, wanted))
}

/// What speaks against starting it anew.
async fn may_restart(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget, found: &mut Found) -> Result<()> {
    let empties = target.node.is_some() && run.wish.evacuate && !target.in_maintenance;
    let objections = guard::objections(fleet, &steps::restart(target), &[]).await?;
    let counts = |objection: &Objection| match objection.rule {
        Rule::Cap => false,
        // It comes last, and goes on when it is back.
        Rule::OwnMachine => !target.own,
        // What speaks for its guests speaks no more when they are elsewhere; whether they can go is asked below.
        Rule::RunningGuests | Rule::LastDns | Rule::LastDhcp | Rule::Window | Rule::Protected => !empties,
        _ => true,
    };
    for mut objection in objections.into_iter().filter(counts) {
        objection.why = format!("a restart is due: {}", objection.why);
        found.objections.push(objection);
    }
    if let Some(node) = target.node.as_ref().filter(|_| empties) {
        let planned = maintenance::whole_plan(fleet, node, &steps::enter(run)).await;
        found.refused.extend(planned.err().map(|error| format!("a restart is due: {}", crate::report(&error))));
    }
    Ok(())
}

/// Waits until a machine is well, twice in a row, or its time is over.
pub(super) async fn health(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Outcome {
    let until = target.well_until.unwrap_or_else(|| fleet.now());
    let mut times = 0;
    loop {
        let ailments = match ailments(fleet, run, target).await {
            Ok(ailments) => ailments,
            Err(error) => vec![crate::report(&error)],
        };
        times = if ailments.is_empty() { times + 1 } else { 0 };
        if times >= 2 {
            look_anew(fleet, target).await;
            return Outcome::Well;
        }
        if !ailments.is_empty() && fleet.now() >= until {
            return Outcome::Unwell(ailments);
        }
        tokio::time::sleep(WELL_EVERY).await;
    }
}

/// Has the fleet see what is installed now; else it would show for hours what was pending before.
async fn look_anew(fleet: &Fleet, target: &UpdateTarget) {
    let Machine::Host(id) = &target.machine else { return };
    if let Err(error) = fleet.refresh_facts(id.as_str()).await {
        tracing::debug!(host = %target.name, error = %crate::report(&error), "its facts are not asked anew");
    }
}

/// What is not as it should be.
async fn ailments(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Result<Vec<String>> {
    let now = vitals_of(fleet, target).await?;
    let before = target.vitals.clone().unwrap_or_default();
    let mut found = unwell(&before, &now, &run.wish.health);
    found.extend(command_fails(fleet, run, target).await);
    if let Some(node) = target.node.as_ref().filter(|_| found.is_empty()) {
        found.extend(cluster_worries(fleet, node).await?);
    }
    Ok(found)
}

async fn vitals_of(fleet: &Fleet, target: &UpdateTarget) -> Result<Vitals> {
    let said = run_inside(fleet, target, vitals::QUESTION).await?;
    let text = said.stdout.text();
    vitals::parse(&text).ok_or_else(|| {
        let start: String = text.trim().chars().take(200).collect();
        Error::new(ErrorKind::Protocol, "see what runs there")
            .on(target.name.clone())
            .because(if start.is_empty() { "it says nothing".to_owned() } else { format!("it says {start:?}") })
            .next("see whether a shell can be run there")
    })
}

/// Runs a text for `sh` as root in a machine.
async fn run_inside(fleet: &Fleet, target: &UpdateTarget, script: &str) -> Result<Output> {
    let command = Command::argv(["sh", "-c", script]).time_limit(LOOK_WITHIN).output_limit(LOOK_BYTES);
    packages::inside(fleet, &target.machine, command).await
}

/// Why the command that shows health does not end well; none where it does, or there is none.
async fn command_fails(fleet: &Fleet, run: &UpdateRun, target: &UpdateTarget) -> Option<String> {
    let command = run.wish.health.command.as_ref()?;
    match run_inside(fleet, target, command).await {
        Ok(said) if said.success() => None,
        Ok(said) => {
            let text = said.stdout.text() + &said.stderr.text();
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("without a word");
            let status = said.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}"));
            Some(format!("its check of health ended with {status}: {}", last.chars().take(300).collect::<String>()))
        }
        Err(error) => Some(crate::report(&error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_backup_that_is_too_old_or_not_there_speaks_against_it() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(too_old(at("2026-11-20T12:00:00Z"), 7, now), None);
        let why = "its newest backup is 8 days old, and 7 are allowed";
        assert_eq!(too_old(at("2026-11-18T11:00:00Z"), 7, now).as_deref(), Some(why));
        assert_eq!(too_old(None, 7, now).as_deref(), Some("it has no backup that is known"));
    }
}
