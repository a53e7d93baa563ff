//! Whether the newest backup of a guest is too old, judged by the schedule of the job that is to make one. Pure.
//!
//! A backup is old once it is older than the longest time that the schedule allows between two runs, and a grace: as long
//! again, but no more than a day and no less than six hours. A run takes its time, a night may be an hour longer, and
//! storages are read once an hour. So a daily job has two days, a weekly one eight, one every six hours twelve hours.
//! Of several jobs the one that allows the least counts, and any backup counts, wherever it lies and whoever made it.
//!
//! What is not known is not told: a guest is judged only where every place for backups was seen, the storage of its job
//! among them, and where its node is there to be backed up. Nor is anybody late who had no chance to be on time: a job that
//! has begun to take a guest along has its time from then on, and so has one whose guest has no backup at all, from when
//! that was first seen.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::digest::BackupDigest;
use crate::{
    collect::pve::calendar,
    model::{
        attention::{AttentionKind, AttentionLevel::Warning, Trouble},
        facts::cluster::{BackupDuty, BackupJob, BackupSelection, is_past},
    },
};

/// What is allowed where nobody can tell from the schedule.
const WITHOUT_SCHEDULE: SignedDuration = SignedDuration::from_hours(7 * 24);

const LEAST_GRACE: SignedDuration = SignedDuration::from_hours(6);
const MOST_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// A backup job, as far as it says how old backups may get.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JobDigest {
    pub(super) schedule: Option<String>,
    pub(super) storage: Option<String>,
    pub(super) selection: BackupSelection,
    pub(super) allowed: Allowed,
    /// Whether it runs no more some day: nobody is owed a backup by it.
    pub(super) ends: bool,
}

/// How old a backup may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) age: SignedDuration,
    /// Whether the schedule says so.
    pub(super) by_schedule: bool,
}

/// How a guest stands with its backups.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing<'a> {
    /// No job takes it along.
    Uncovered,
    /// It is not known.
    Unseen,
    /// It has one that is young enough, or its job has had no chance yet.
    Well,
    /// Its newest was made too long ago.
    Old { made_at: Timestamp, duty: &'a BackupDuty, job: &'a JobDigest },
    /// It has none.
    Missing { duty: &'a BackupDuty, job: &'a JobDigest },
}

impl JobDigest {
    /// The part of that job.
    pub(super) fn of(job: &BackupJob) -> Self {
        Self {
            schedule: job.schedule.clone(),
            storage: job.storage.clone(),
            selection: job.selection.clone(),
            allowed: Allowed::by(job.schedule.as_deref()),
            ends: job.schedule.as_deref().is_some_and(calendar::ends),
        }
    }
}

impl Allowed {
    /// What that schedule allows.
    pub(super) fn by(schedule: Option<&str>) -> Self {
        match schedule.and_then(calendar::longest_gap) {
            Some(gap) => Self { age: gap + gap.clamp(LEAST_GRACE, MOST_GRACE), by_schedule: true },
            None => Self { age: WITHOUT_SCHEDULE, by_schedule: false },
        }
    }
}

/// Which job takes each of these guests (by number and node) along, and since when that is known. `before` is what was
/// known last time, `None` where nobody looked yet.
pub(super) fn duties<'g>(
    before: Option<&BTreeMap<String, BackupDuty>>,
    jobs: &BTreeMap<String, JobDigest>,
    guests: impl Iterator<Item = (&'g str, &'g str)>,
    now: Timestamp,
) -> BTreeMap<String, BackupDuty> {
    let duty = |(vmid, node): (&str, &str)| {
        let known = before.and_then(|before| before.get(vmid));
        let covers = |id: &String, job: &JobDigest| {
            // Who is in a pool that could not be asked is in it still.
            let unseen = job.selection.pool.is_some() && job.selection.pool_members.is_none();
            job.selection.covers(vmid, node) || (unseen && known.is_some_and(|known| known.job == *id))
        };
        let covering = jobs.iter().filter(|(id, job)| !job.ends && covers(id, job));
        let (id, job) = covering.min_by_key(|(id, job)| (job.allowed.age, *id))?;
        // What goes on under another name, or at another hour, keeps its time; what allows less or goes elsewhere begins.
        let goes_on = known.filter(|known| {
            known.storage == job.storage && Allowed::by(known.schedule.as_deref()).age <= job.allowed.age
        });
        let (since, began) = goes_on.map_or((now, before.is_some()), |known| (known.since, known.began));
        let (schedule, storage) = (job.schedule.clone(), job.storage.clone());
        Some((vmid.to_owned(), BackupDuty { job: id.clone(), schedule, storage, since, began }))
    };
    guests.filter_map(duty).collect()
}

/// How the guest of that number stands. `looked` is the newest backup that somebody saw at the guest itself, `away` says that
/// its node is not there.
pub(super) fn standing<'a>(
    backups: &'a BackupDigest,
    vmid: &str,
    looked: Option<Timestamp>,
    away: bool,
    now: Timestamp,
) -> Standing<'a> {
    let (Some(jobs), Some(known)) = (&backups.jobs, &backups.known) else { return Standing::Unseen };
    let Some(covered) = &known.covered else { return Standing::Unseen };
    let duty = covered.get(vmid);
    let Some((duty, job)) = duty.and_then(|duty| Some((duty, jobs.get(&duty.job)?))) else {
        // It may be in a pool that could not be asked.
        let unseen = |job: &JobDigest| job.selection.pool.is_some() && job.selection.pool_members.is_none();
        return if jobs.values().any(unseen) { Standing::Unseen } else { Standing::Uncovered };
    };
    let holds_its_backups = |storage: &String| known.places.iter().any(|place| place.storage == *storage);
    if away || !known.is_seen(now) || !job.storage.as_ref().is_some_and(holds_its_backups) {
        return Standing::Unseen;
    }
    let (newest, any) = known.newest(vmid, now);
    let late = |since: Timestamp| now.duration_since(since) > job.allowed.age;
    match newest.max(looked.filter(|at| is_past(*at, now))) {
        Some(made_at) if !late(made_at) || (duty.began && !late(duty.since)) => Standing::Well,
        Some(made_at) => Standing::Old { made_at, duty, job },
        // There are some, and their storage does not tell when they were made.
        None if any => Standing::Unseen,
        None if late(duty.since) => Standing::Missing { duty, job },
        None => Standing::Well,
    }
}

impl Standing<'_> {
    /// What is to be told of it.
    pub(super) fn trouble(&self, now: Timestamp) -> Option<Trouble> {
        let (duty, job, begin, since) = match self {
            Self::Uncovered | Self::Unseen | Self::Well => return None,
            Self::Old { made_at, duty, job } => {
                (duty, job, format!("its newest backup is {} old", age(*made_at, now)), *made_at)
            }
            Self::Missing { duty, job } => (duty, job, "it has no backup yet".to_owned(), duty.since),
        };
        let name = &duty.job;
        let judged = match (&job.schedule, job.allowed.by_schedule) {
            (Some(schedule), true) => format!("and the job {name} runs by the schedule \"{schedule}\""),
            _ => {
                let days = job.allowed.age.as_hours() / 24;
                format!("and {days} days are allowed for the job {name}, whose schedule is not understood")
            }
        };
        let trouble = Trouble::new(AttentionKind::BackupOld, Warning, format!("{begin}, {judged}"));
        let mut trouble = trouble.with("backup_job", name).since(Some(since));
        trouble = match self {
            Self::Old { made_at, .. } => {
                let hours = hours(*made_at, now);
                let trouble = trouble.with("trouble", "old").with("days", hours / 24);
                if hours < 48 { trouble.with("hours", hours) } else { trouble }
            }
            _ => trouble.with("trouble", "none"),
        };
        Some(match (&job.schedule, job.allowed.by_schedule) {
            (Some(schedule), true) => trouble.with("schedule", schedule),
            _ => trouble.with("allowed_days", job.allowed.age.as_hours() / 24),
        })
    }
}

fn hours(made_at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(made_at).as_hours()
}

/// `9 days`, `13 hours`: by the day from the second on.
fn age(made_at: Timestamp, now: Timestamp) -> String {
    match hours(made_at, now) {
        hours if hours < 48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn job(schedule: &str, selection: serde_json::Value) -> JobDigest {
        let selection = serde_json::from_value(selection).unwrap();
        let schedule = Some(schedule.to_owned());
        JobDigest::of(&BackupJob { enabled: true, schedule, selection, ..BackupJob::default() })
    }

    fn jobs<const N: usize>(jobs: [(&str, JobDigest); N]) -> BTreeMap<String, JobDigest> {
        jobs.into_iter().map(|(id, job)| (id.to_owned(), job)).collect()
    }

    const GUESTS: [(&str, &str); 3] = [("100", "pve1"), ("101", "pve1"), ("102", "pve2")];

    fn owed(duties: &BTreeMap<String, BackupDuty>) -> Vec<(&str, &str, i64, bool)> {
        let rows = duties.iter();
        rows.map(|(vmid, duty)| (vmid.as_str(), duty.job.as_str(), duty.since.as_second(), duty.began)).collect()
    }

    #[test]
    fn a_schedule_allows_its_longest_gap_and_a_grace() {
        let hours = |schedule| Allowed::by(Some(schedule)).age.as_hours();
        for (schedule, allowed) in
            [("daily", 48), ("sat 02:00", 8 * 24), ("*/6:00", 12), ("hourly", 7), ("mon..fri 22:30", 4 * 24)]
        {
            assert_eq!(hours(schedule), allowed, "{schedule}");
        }
        let week = Allowed { age: WITHOUT_SCHEDULE, by_schedule: false };
        assert_eq!([Allowed::by(None), Allowed::by(Some("now and then"))], [week, week]);
    }

    #[test]
    fn of_several_jobs_the_one_that_allows_the_least_counts() {
        let weekly = job("weekly", serde_json::json!({"all": true}));
        let daily = job("daily", serde_json::json!({"vmids": ["100"]}));
        let there = job("daily", serde_json::json!({"all": true, "node": "pve2"}));
        let all = jobs([("a-weekly", weekly), ("daily", daily), ("there", there)]);
        let first = duties(None, &all, GUESTS.into_iter(), at(1000));
        let expected = [("100", "daily", 1000, false), ("101", "a-weekly", 1000, false), ("102", "there", 1000, false)];
        assert_eq!(owed(&first), expected);
        // What goes on keeps its time; what is another thing begins.
        let moved = [("100", "pve1"), ("101", "pve2"), ("102", "pve2"), ("103", "pve1")];
        let second = duties(Some(&first), &all, moved.into_iter(), at(2000));
        let expected = [
            ("100", "daily", 1000, false),
            ("101", "there", 2000, true),
            ("102", "there", 1000, false),
            ("103", "a-weekly", 2000, true),
        ];
        assert_eq!(owed(&second), expected);
        let hourly = jobs([("daily", job("hourly", serde_json::json!({"vmids": ["100"]})))]);
        assert_eq!(owed(&duties(Some(&second), &hourly, moved.into_iter(), at(3000))), [("100", "daily", 3000, true)]);
    }

    #[test]
    fn a_duty_goes_on_under_another_name_or_hour_and_begins_at_another_storage() {
        let to = |name: &'static str, schedule: &str, storage: &str| {
            let job = job(schedule, serde_json::json!({"vmids": ["100"]}));
            jobs([(name, JobDigest { storage: Some(storage.to_owned()), ..job })])
        };
        let first = duties(None, &to("nightly-pve1", "21:00", "nas"), GUESTS.into_iter(), at(1000));
        let second = duties(Some(&first), &to("nightly-pve2", "22:00", "nas"), GUESTS.into_iter(), at(2000));
        assert_eq!(owed(&second), [("100", "nightly-pve2", 1000, false)]);
        assert_eq!(second["100"].schedule.as_deref(), Some("22:00"));
        let third = duties(Some(&second), &to("nightly-pve2", "22:00", "pbs"), GUESTS.into_iter(), at(3000));
        assert_eq!(owed(&third), [("100", "nightly-pve2", 3000, true)]);
        let once = to("once", "2026-12-24 02:00", "nas");
        assert!(
            duties(Some(&first), &once, GUESTS.into_iter(), at(4000)).is_empty(),
            "it owes nothing when it is over"
        );
    }

    #[test]
    fn who_was_in_a_pool_that_cannot_be_asked_is_in_it_still() {
        let pool = |members: serde_json::Value| {
            jobs([("prod", job("daily", serde_json::json!({"pool": "prod", "pool_members": members})))])
        };
        let first = duties(None, &pool(serde_json::json!(["100"])), GUESTS.into_iter(), at(1000));
        assert_eq!(owed(&first), [("100", "prod", 1000, false)]);
        let unseen = duties(Some(&first), &pool(serde_json::Value::Null), GUESTS.into_iter(), at(2000));
        assert_eq!(unseen, first);
        assert!(duties(Some(&first), &pool(serde_json::json!([])), GUESTS.into_iter(), at(2000)).is_empty());
        assert!(duties(None, &pool(serde_json::Value::Null), GUESTS.into_iter(), at(2000)).is_empty());
    }
}
