//! Updates by calendar, and machines that stand in for each other.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};

use super::{UpdateRun, UpdateWish};
use crate::{
    Error, ErrorKind, Result,
    model::{
        Notice, NoticeKind, NoticeLevel,
        window::{Day, Window},
    },
};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;
/// Characters of why one cannot be read that are kept.
const LONGEST_CAUSE: usize = 300;
/// Characters of an outcome that are kept.
const LONGEST_OUTCOME: usize = 1_000;

/// An update that is made again and again. It holds to maintenance windows as every change does: a machine that may not be
/// disturbed when its turn comes is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateSchedule {
    /// Its name, unique.
    pub name: String,
    /// What is wanted each time.
    pub wish: UpdateWish,
    /// On which days. Defaults to all.
    #[serde(default = "every_day")]
    pub days: BTreeSet<Day>,
    /// When, by the clock of its zone: `03:30`.
    #[serde(with = "crate::model::window::time")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "03:30"))]
    pub at: Time,
    /// The time zone of its clock, as the IANA calls it. Defaults to `UTC`.
    #[serde(default = "utc")]
    pub zone: String,
    /// Whether it is made. Defaults to so.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    pub comment: String,
    /// Who asked for it; filled in when it is stored.
    #[serde(default)]
    pub by: String,
    /// Times up to this one are done with; filled in when it is stored.
    #[serde(default)]
    pub done_until: Option<Timestamp>,
    /// What came of its last time; filled in when that has come. None before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<ScheduleOutcome>,
}

/// What came of a time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleOutcome {
    /// The time.
    pub at: Timestamp,
    /// Whether an update was made.
    pub made: bool,
    /// The update's id, or why none was made.
    pub text: String,
}

/// A schedule that is stored and cannot be read: no update is made by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnreadableSchedule {
    /// Its name.
    pub name: String,
    /// Why it cannot be read.
    pub cause: String,
    /// What to do about it.
    pub next: String,
}

impl UnreadableSchedule {
    /// One of that name, and why.
    pub fn new(name: String, cause: &str) -> Self {
        let next = format!("remove it with `reanimator update schedule delete {name}`, and make it anew");
        Self { name, cause: cause.chars().take(LONGEST_CAUSE).collect(), next }
    }
}

/// Machines that stand in for each other: never two of them are updated at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RedundantSet {
    /// Its name, unique.
    pub name: String,
    /// Which hosts, as in selectors. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Which guests. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<String>,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    pub comment: String,
}

fn every_day() -> BTreeSet<Day> {
    Day::ALL.into()
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn yes() -> bool {
    true
}

/// Refuses a name or a comment that could not be kept.
fn check_words(attempt: &str, name: &str, comment: &str) -> Result<()> {
    let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    let refuse = |cause: &str, next: String| Err(Error::new(ErrorKind::Invalid, attempt).because(cause).next(next));
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(fits) {
        return refuse("the name does not fit", format!("use 1 to {LONGEST_NAME} letters, digits and . _ -"));
    }
    if comment.chars().count() > LONGEST_COMMENT || comment.chars().any(char::is_control) {
        let next = format!("use one line of up to {LONGEST_COMMENT} characters");
        return refuse("the comment is too long, or has a line break", next);
    }
    Ok(())
}

impl UpdateSchedule {
    /// Refuses one that could never be made.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let attempt = format!("take the schedule {:?}", self.name);
        check_words(&attempt, &self.name, &self.comment)?;
        if self.days.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, attempt)
                .because("it is on no day")
                .next("name the days: mon to sun"));
        }
        self.calendar().time_zone()?;
        self.wish.check()
    }

    /// When it is made next, after `now`; none where it is not enabled.
    ///
    /// # Errors
    /// `Invalid` where its time zone is not known.
    pub fn next_at(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if !self.enabled {
            return Ok(None);
        }
        Ok(self.calendar().next_opening(now)?.map(|opening| opening.opens_at))
    }

    /// The last time before `now` at which it was to be made, where that is not done with yet.
    ///
    /// # Errors
    /// `Invalid` where its time zone is not known.
    pub fn due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if !self.enabled {
            return Ok(None);
        }
        let due = self.calendar().opening_at(now)?.map(|opening| opening.opens_at);
        Ok(due.filter(|due| self.done_until.is_none_or(|done| *due > done)))
    }

    /// The schedule when the time `due` is done with, whether an update was made or why not; and what people are told: that
    /// none was made, and that one was again.
    pub fn done_with(self, due: Timestamp, made: std::result::Result<&UpdateRun, &str>) -> (Self, Option<Notice>) {
        let text = made.map_or_else(ToOwned::to_owned, |run| run.id.to_string());
        let outcome =
            ScheduleOutcome { at: due, made: made.is_ok(), text: text.chars().take(LONGEST_OUTCOME).collect() };
        let failed_before = self.last_outcome.as_ref().is_some_and(|before| !before.made);
        let notice = |level, what: &str| {
            Notice::new(NoticeKind::UpdateEnded, level, format!("schedule {}: {what}", self.name), due)
                .keyed(format!("schedule:{}", self.name))
                .with("schedule", &self.name)
        };
        let notice = match outcome.made {
            false => Some(notice(NoticeLevel::Warning, "no update was made").saying(outcome.text.clone())),
            true if failed_before => Some(notice(NoticeLevel::Ok, "its updates are made again")),
            true => None,
        };
        (Self { done_until: Some(due), last_outcome: Some(outcome), ..self }, notice)
    }

    /// The same times as those at which a window opens that is open for a day.
    fn calendar(&self) -> Window {
        Window {
            name: self.name.clone(),
            hosts: None,
            guests: None,
            days: self.days.clone(),
            from: self.at,
            to: self.at,
            zone: self.zone.clone(),
            first_day: None,
            last_day: None,
            enabled: true,
            comment: String::new(),
        }
    }

    /// Its times in words: `mon-fri 03:30 Europe/Berlin`.
    pub fn times(&self) -> String {
        let days = crate::model::window::day_words(&self.days);
        format!("{days} {} {}", self.at.strftime("%H:%M"), self.zone)
    }
}

impl RedundantSet {
    /// Refuses one that means nobody.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let attempt = format!("take the redundant set {:?}", self.name);
        check_words(&attempt, &self.name, &self.comment)?;
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        if given(&self.hosts) || given(&self.guests) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Invalid, attempt)
            .because("nobody is in it")
            .next("say which hosts or which guests stand in for each other"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn schedule() -> UpdateSchedule {
        let text = serde_json::json!({
            "name": "nights", "wish": { "hosts": "all" }, "days": ["sat"], "at": "02:30", "zone": "Europe/Berlin",
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn it_is_made_once_at_each_of_its_times() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let schedule = schedule();
        schedule.check().unwrap();
        assert_eq!(schedule.times(), "sat 02:30 Europe/Berlin");
        let saturday = at("2026-11-28T01:30:00Z");
        assert_eq!(schedule.next_at(at("2026-11-26T12:00:00Z")).unwrap(), Some(saturday));
        assert_eq!(schedule.due(at("2026-11-28T01:29:59Z")).unwrap(), None);
        assert_eq!(schedule.due(at("2026-11-28T01:31:00Z")).unwrap(), Some(saturday));
        let done = UpdateSchedule { done_until: Some(saturday), ..schedule.clone() };
        assert_eq!(done.due(at("2026-11-28T01:31:00Z")).unwrap(), None);
        assert_eq!(done.next_at(saturday).unwrap(), Some(at("2026-12-05T01:30:00Z")));
        let off = UpdateSchedule { enabled: false, ..schedule };
        assert_eq!((off.due(at("2026-11-28T01:31:00Z")).unwrap(), off.next_at(saturday).unwrap()), (None, None));
    }

    #[test]
    fn a_time_without_an_update_is_told_of_and_so_is_the_next_with_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let run = UpdateRun::new(UpdateWish::default(), "ada", "schedule nights", at(3));
        let (schedule, told) = schedule().done_with(at(1), Ok(&run));
        assert_eq!((schedule.done_until, told), (Some(at(1)), None));
        let (schedule, told) = schedule.done_with(at(2), Err("nobody is meant"));
        let told = told.unwrap();
        assert_eq!((told.level, told.key.as_str()), (NoticeLevel::Warning, "schedule:nights"));
        assert_eq!(told.text, "nobody is meant");
        let (schedule, told) = schedule.done_with(at(3), Ok(&run));
        assert_eq!(told.unwrap().level, NoticeLevel::Ok);
        let outcome = ScheduleOutcome { at: at(3), made: true, text: run.id.to_string() };
        assert_eq!(schedule.last_outcome, Some(outcome));
    }

    #[test]
    fn what_could_never_be_made_is_refused() {
        for (field, value) in [
            ("name", serde_json::json!("a b")),
            ("zone", serde_json::json!("Nowhere")),
            ("days", serde_json::json!([])),
            ("wish", serde_json::json!({})),
        ] {
            let mut text = serde_json::to_value(schedule()).unwrap();
            text[field] = value;
            let schedule: UpdateSchedule = serde_json::from_value(text).unwrap();
            assert_eq!(schedule.check().unwrap_err().kind(), ErrorKind::Invalid, "{field}");
        }
        let nobody = RedundantSet { name: "dns".into(), hosts: None, guests: None, comment: String::new() };
        assert!(crate::report(&nobody.check().unwrap_err()).contains("nobody"));
        RedundantSet { guests: Some("tag:dns".into()), ..nobody }.check().unwrap();
    }
}
