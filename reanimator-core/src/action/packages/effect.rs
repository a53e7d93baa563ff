//! Fetching a machine's package lists, and upgrading its packages.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    super::{Check, Effect, EffectName, Said, host::job::Job},
    look,
    reach::{Reached, reach},
    refresh::NodeRefresh,
};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::{
        job::JobSpec,
        packages::{self, Changed},
    },
    fleet::Fleet,
    model::{
        Action, Machine, PackageReport, PackageSurvey, PackagesChange,
        facts::updates::{PackageManager, PendingPackage},
        packages::NAMED_LIMIT,
    },
};

/// How long an upgrade may take on its machine.
const UPGRADE_LIMIT: Duration = Duration::from_secs(5 * 3600 + 1800);
/// How long fetching lists may take.
const REFRESH_LIMIT: Duration = Duration::from_secs(45 * 60);
/// How much of what a manager says is kept.
const OUTPUT_LIMIT: u64 = 4 << 20;
/// The last words of a manager that a failure tells.
const LAST_LINES: usize = 8;
/// How often a machine is asked what changed, where it does not answer, and how long is waited in between.
const REPORT_TRIES: u32 = 6;
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Packages that an outcome names.
const NAMED: usize = 3;

/// The effect of a change of a machine's packages.
pub(in crate::action) async fn effect(
    fleet: &Fleet,
    machine: &Machine,
    change: &PackagesChange,
    name: &EffectName,
) -> Result<Box<dyn Effect>> {
    match (reach(fleet, machine).await, machine, change) {
        (Ok(reached), ..) => Ok(Box::new(PackagesEffect::new(fleet, reached, change, name))),
        (Err(error), Machine::Host(id), PackagesChange::Refresh) => match fleet.node_and_api(id).await {
            Ok((node, api)) => Ok(Box::new(NodeRefresh::new(node, api))),
            Err(_) => Err(error),
        },
        (Err(error), ..) => Err(error),
    }
}

/// What was seen just before: what is to be changed.
#[derive(Debug, Deserialize, Serialize)]
struct Before {
    manager: PackageManager,
    /// Packages that are to be upgraded.
    wanted: Vec<String>,
    /// Of those, the ones that close a security hole.
    security: Vec<String>,
}

impl Before {
    fn of(survey: &PackageSurvey, change: &PackagesChange) -> Self {
        let wanted = survey.wanted(change);
        let names = |packages: &[&PendingPackage]| packages.iter().map(|package| package.name.clone()).collect();
        let secure: Vec<&PendingPackage> = wanted.iter().copied().filter(|each| each.security == Some(true)).collect();
        Self { manager: survey.manager, wanted: names(&wanted), security: names(&secure) }
    }

    fn read(before: &Value) -> Option<Self> {
        Self::deserialize(before).ok()
    }
}

/// One change of one machine's packages.
struct PackagesEffect {
    fleet: Fleet,
    reached: Reached,
    change: PackagesChange,
    name: EffectName,
    /// For all but beginning, which takes the text that runs.
    job: Job,
    /// Why it failed, for the report.
    failure: Mutex<Option<String>>,
    /// What came of it, once it was asked.
    report: Mutex<Option<PackageReport>>,
}

impl PackagesEffect {
    fn new(fleet: &Fleet, reached: Reached, change: &PackagesChange, name: &EffectName) -> Self {
        let job = Job::new(&reached.machine, &reached.name, JobSpec::new(name.as_str(), ""));
        Self {
            fleet: fleet.clone(),
            reached,
            change: change.clone(),
            name: name.clone(),
            job,
            failure: Mutex::default(),
            report: Mutex::default(),
        }
    }

    fn spec(&self, manager: PackageManager) -> Result<JobSpec> {
        let text = packages::change_script(self.name.as_str(), manager, &self.change)?;
        let limit = match self.change {
            PackagesChange::Refresh => REFRESH_LIMIT,
            PackagesChange::Upgrade { .. } => UPGRADE_LIMIT,
        };
        let spec = JobSpec::new(self.name.as_str(), text).time_limit(limit);
        Ok(JobSpec { output_limit: OUTPUT_LIMIT, ..spec })
    }

    const fn is_upgrade(&self) -> bool {
        matches!(self.change, PackagesChange::Upgrade { .. })
    }

    fn words(&self) -> String {
        match self.change {
            PackagesChange::Refresh => format!("fetch the package lists of {}", self.reached.name),
            PackagesChange::Upgrade { .. } => format!("upgrade the packages of {}", self.reached.name),
        }
    }

    /// What changed, as the machine says now.
    async fn changed(&self, manager: PackageManager) -> Result<Changed> {
        let mut tries = 0;
        loop {
            let text = packages::report_script(self.name.as_str(), manager);
            match self.reached.ask(text, "see what an upgrade changed").await {
                Ok(text) => return packages::report(&text).map_err(|error| error.on(self.reached.name.clone())),
                Err(error) if error.kind().is_retryable() && tries < REPORT_TRIES => {
                    tries += 1;
                    tokio::time::sleep(REPORT_EVERY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What came of the upgrade, asked once.
    async fn report(&self, before: &Before) -> Result<PackageReport> {
        if let Some(report) = self.report.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(report);
        }
        let changed = self.changed(before.manager).await?;
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let report = put_together(before, changed, failure);
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        Ok(report)
    }

    /// Removes what it left on the machine. A failure is noted only: it is little, and named after the operation.
    async fn forget(&self, manager: PackageManager) {
        self.job.forget().await;
        let text = packages::forget_script(self.name.as_str(), manager);
        if let Err(error) = self.reached.ask(text, "remove what an upgrade noted").await {
            tracing::debug!(machine = self.reached.name, error = %crate::report(&error), "its notes stay there");
        }
    }

    /// The last words of the manager: its errors, else simply its last lines.
    async fn last_words(&self) -> String {
        let lines = self.job.last_lines(100).await;
        let is_error = |line: &&String| {
            let start = line.trim_start().to_lowercase();
            ["e:", "err:", "dpkg: error", "error", "fatal", "problem"].iter().any(|word| start.starts_with(word))
        };
        let mut told: Vec<&String> = lines.iter().filter(is_error).collect();
        if told.is_empty() {
            told = lines.iter().collect();
        }
        let from = told.len().saturating_sub(LAST_LINES);
        told[from..].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" | ")
    }
}

/// Why a change must not begin as things are.
fn refusals(survey: &PackageSurvey, change: &PackagesChange) -> Vec<String> {
    let mut refused = Vec::new();
    if !survey.is_root {
        refused.push("its packages are changed by root only: give its access sudo".to_owned());
    }
    if let Some(who) = &survey.busy {
        refused.push(format!("{who} is at work with its packages: wait until that has ended"));
    }
    let PackagesChange::Upgrade { security_only, exclude } = change else { return refused };
    if !survey.broken.is_empty() {
        let mend = survey.mend.as_ref().map(|mend| format!(": run `{mend}` there first")).unwrap_or_default();
        refused.push(format!("{}{mend}", survey.broken.join(", ")));
    }
    if let Some(unseen) = survey.unseen.iter().find(|unseen| unseen.what == "pending packages") {
        refused.push(format!("what is pending is not known: {}", unseen.why));
    }
    if *security_only && survey.security_count.is_none() {
        refused.push("its repositories do not tell which updates are for security".to_owned());
    }
    if survey.manager == PackageManager::Zypper && !exclude.is_empty() && *security_only {
        refused.push("zypper installs patches whole, and leaves no package out of them".to_owned());
    }
    if survey.rolls && !exclude.is_empty() {
        refused.push(
            "its distribution is upgraded as a whole, and no package is left out: ask without exclusions".to_owned(),
        );
    }
    if let Some(room) = survey.too_little_room() {
        refused.push(format!("{room}: make room first"));
    }
    refused
}

/// The report of an upgrade.
fn put_together(before: &Before, changed: Changed, failure: Option<String>) -> PackageReport {
    let mut packages = changed.packages.unwrap_or_default();
    let security: BTreeSet<&str> = before.security.iter().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = before.wanted.iter().map(String::as_str).collect();
    let tells = before.manager == PackageManager::Apt || !security.is_empty();
    for package in &mut packages {
        let known = wanted.contains(package.name.as_str());
        package.security = (tells && known).then(|| security.contains(package.name.as_str()));
    }
    let there: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let left = wanted.difference(&there).map(|name| (*name).to_owned()).collect();
    let changed_count = packages.len() as u64;
    packages.truncate(NAMED_LIMIT);
    PackageReport {
        manager: changed.manager,
        changed_count,
        kept_files: changed.kept_files,
        left,
        reboot_wanted: !changed.reboot_reasons.is_empty(),
        reboot_reasons: changed.reboot_reasons,
        services: changed.services,
        failures: failure.into_iter().collect(),
        changes: packages,
    }
}

/// `3 packages changed (1 for security): alpha 1.0 -> 1.1, ...; 1 configuration file kept; a restart is due`.
fn in_words(report: &PackageReport) -> String {
    let secure = report.changes.iter().filter(|change| change.security == Some(true)).count();
    let security = if secure > 0 { format!(" ({secure} for security)") } else { String::new() };
    let named: Vec<String> = report.changes.iter().take(NAMED).map(ToString::to_string).collect();
    let more = report.changed_count.saturating_sub(named.len() as u64);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut parts =
        vec![format!("{} changed{security}: {}{rest}", count(report.changed_count, "package"), named.join(", "))];
    if !report.left.is_empty() {
        parts.push(format!(
            "{} left as they were: {}",
            report.left.len(),
            report.left[..report.left.len().min(NAMED)].join(", ")
        ));
    }
    if !report.kept_files.is_empty() {
        parts.push(format!(
            "{} kept as it was changed here",
            count(report.kept_files.len() as u64, "configuration file")
        ));
    }
    if report.reboot_wanted {
        parts.push("a restart is due".to_owned());
    }
    if !report.services.is_empty() {
        parts.push(format!("{} to be started anew", count(report.services.len() as u64, "service")));
    }
    parts.join("; ")
}

#[async_trait]
impl Effect for PackagesEffect {
    async fn check(&self) -> Result<Check> {
        self.change.check()?;
        let survey = look(&self.fleet, &self.reached).await?;
        let refused = refusals(&survey, &self.change);
        if !refused.is_empty() {
            let named = |why: String| format!("{}: {why}", self.reached.name);
            return Ok(Check::Refused(refused.into_iter().map(named).collect()));
        }
        if survey.is_up_to_date(&self.change) {
            return Ok(Check::Already(format!("nothing is pending on {}", self.reached.name)));
        }
        let before = Before::of(&survey, &self.change);
        let mut calls = vec![format!("{} {}", survey.manager.as_str(), self.reached.way)];
        if self.is_upgrade() {
            let wanted = survey.wanted(&self.change);
            calls.extend(wanted.iter().map(|package| {
                let from = package.from.as_deref().unwrap_or("new");
                let security = if package.security == Some(true) { " (security)" } else { "" };
                format!("{} {from} -> {}{security}", package.name, package.to)
            }));
        }
        let before = serde_json::to_value(before)
            .map_err(|error| Error::new(ErrorKind::Internal, self.words()).from_source(error))?;
        Ok(Check::Ready { before, calls })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let manager = Before::read(before).map(|before| before.manager);
        let manager = manager.ok_or_else(|| {
            Error::new(ErrorKind::Internal, self.words()).because("what was seen before it is not known any more")
        })?;
        Job::new(&self.reached.machine, &self.reached.name, self.spec(manager)?).begin().await
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        self.job.find().await
    }

    async fn follow(&self, _handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let end = self.job.follow(said).await;
        let error = match end {
            Ok(end) if end.is_well() => return Ok(()),
            Ok(end) => {
                let last = self.last_words().await;
                let error = Error::new(ErrorKind::Protocol, self.words()).because(end.words());
                if last.is_empty() { error } else { error.noting(format!("its last words: {last}")) }
            }
            Err(error) => error,
        };
        let told = crate::message(&error);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        Err(error)
    }

    async fn result(&self, before: &Value) -> Option<Value> {
        let before = Before::read(before).filter(|_| self.is_upgrade())?;
        let report = match self.report(&before).await {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!(machine = self.reached.name, error = %crate::report(&error), "what an upgrade changed is not known");
                return None;
            }
        };
        if !report.failures.is_empty() {
            // Nobody looks again at what failed.
            self.forget(before.manager).await;
        }
        serde_json::to_value(report).ok()
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let Some(before) = Before::read(before) else { return Ok("done".to_owned()) };
        if !self.is_upgrade() {
            let survey = look(&self.fleet, &self.reached).await?;
            self.job.forget().await;
            let security =
                survey.security_count.map_or_else(String::new, |security| format!(", {security} for security"));
            return Ok(format!("the lists are fetched: {} packages pending{security}", survey.pending_count));
        }
        let report = self.report(&before).await?;
        self.forget(before.manager).await;
        if report.changed_count == 0 {
            return Err(Error::new(ErrorKind::Conflict, self.words())
                .because("the manager ended well, and no package is another than before")
                .next("look at what the operation said"));
        }
        Ok(in_words(&report))
    }

    async fn abort(&self, _handle: &str) -> Result<bool> {
        self.job.stop().await?;
        Ok(true)
    }

    /// An older version may not read what a newer one wrote: a snapshot takes an upgrade back, and nothing else.
    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::model::{Bytes, PackageChange, PackageRoom};

    fn survey() -> PackageSurvey {
        let text = "@@manager\napt\n@@user\n0\n@@pending\nInst alpha [1.0] (1.1 Debian-Security:12/stable-security [all])\n\
                    Inst beta [1.0] (1.1 Debian:12.1/stable [all])\n@@end";
        packages::survey(text, jiff::Timestamp::UNIX_EPOCH).unwrap()
    }

    fn upgrade(security_only: bool) -> PackagesChange {
        PackagesChange::Upgrade { security_only, exclude: Vec::new() }
    }

    #[test]
    fn an_upgrade_waits_for_a_machine_that_is_well() {
        assert_eq!(refusals(&survey(), &upgrade(true)), Vec::<String>::new());
        let because = |change: &dyn Fn(&mut PackageSurvey)| {
            let mut survey = survey();
            change(&mut survey);
            refusals(&survey, &upgrade(true)).join("; ")
        };
        assert!(because(&|survey| survey.is_root = false).contains("root only"));
        assert!(
            because(&|survey| survey.busy = Some("apt (process 7)".into())).starts_with("apt (process 7) is at work")
        );
        assert!(because(&|survey| survey.security_count = None).contains("do not tell"));
        let but_beta = PackagesChange::Upgrade { security_only: false, exclude: vec!["beta".into()] };
        assert_eq!(refusals(&survey(), &but_beta), Vec::<String>::new());
        let rolling = PackageSurvey { rolls: true, ..survey() };
        assert_eq!(refusals(&rolling, &upgrade(false)), Vec::<String>::new());
        assert!(refusals(&rolling, &but_beta).join("; ").starts_with("its distribution is upgraded as a whole"));
        let broken = because(&|survey| {
            survey.broken = vec!["alpha is half-installed".into()];
            survey.mend = Some("dpkg --configure -a".into());
        });
        assert_eq!(broken, "alpha is half-installed: run `dpkg --configure -a` there first");
        let full = because(&|survey| {
            survey.rooms = vec![PackageRoom { path: "/var".into(), free: Bytes(1 << 20), needed: Bytes(5 << 20) }];
        });
        assert_eq!(full, "/var has 1.0 MiB left, and 5.0 MiB are needed: make room first");
    }

    #[test]
    fn lists_are_fetched_also_where_something_is_broken() {
        let mut survey = survey();
        survey.broken = vec!["alpha is half-installed".into()];
        assert_eq!(refusals(&survey, &PackagesChange::Refresh), Vec::<String>::new());
    }

    #[test]
    fn a_report_tells_what_was_for_security_and_what_was_left() {
        let before = Before::of(&survey(), &upgrade(false));
        assert_eq!((before.wanted.len(), before.security.as_slice()), (2, &["alpha".to_owned()][..]));
        let alpha =
            PackageChange { name: "alpha".into(), from: Some("1.0".into()), to: Some("1.1".into()), security: None };
        let changed = Changed {
            manager: PackageManager::Apt,
            packages: Some(vec![alpha]),
            kept_files: vec!["/etc/a.dpkg-dist".into()],
            reboot_reasons: vec!["updated packages ask for it".into()],
            services: Vec::new(),
        };
        let report = put_together(&before, changed, None);
        assert_eq!((report.changes[0].security, report.left.as_slice()), (Some(true), &["beta".to_owned()][..]));
        assert_eq!(
            in_words(&report),
            "1 package changed (1 for security): alpha 1.0 -> 1.1; 1 left as they were: beta; \
             1 configuration file kept as it was changed here; a restart is due"
        );
    }
}
