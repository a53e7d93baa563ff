//! Maintenance windows: when what they cover may be disturbed.
//!
//! What at least one enabled window covers may be disturbed only while one of its windows is open; what none covers, at
//! any time. [`WindowState::of`] says which of these holds, from the windows and the time: pure.

mod days;
mod opening;

use std::{collections::BTreeSet, fmt};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

pub use days::{Day, parse_days};
pub(crate) use opening::some_time;
pub use opening::{Opening, parse_time};
pub(in crate::model) use {days::words as day_words, opening::time};

/// The longest name of a window, in characters.
const LONGEST_NAME: usize = 64;
/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;

/// A time of the week in which what it covers may be disturbed.
///
/// ```
/// use reanimator_core::model::Window;
/// let window: Window = serde_json::from_str(
///     r#"{"name":"nights","hosts":"group:web","days":["mon","tue"],"from":"22:00","to":"06:00","zone":"Europe/Berlin"}"#,
/// )?;
/// window.check()?;
/// let open = window.opening_at("2026-11-24T03:00:00Z".parse()?)?;
/// assert_eq!(open.map(|open| open.closes_at.to_string()).as_deref(), Some("2026-11-24T05:00:00Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its name, unique.
    pub name: String,
    /// Which hosts it covers, as in selectors: `group:web,!db1`. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Which guests it covers: names, numbers, ids, patterns, `tag:T`, `cluster:C`, `node:N`, `kind:K`; `a&b` for both, `!x`
    /// to take away. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<String>,
    /// On which days it opens. Defaults to all.
    #[serde(default = "days::all")]
    pub days: BTreeSet<Day>,
    /// When it opens, by the clock of its zone: `22:00`.
    #[serde(with = "opening::time")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "22:00"))]
    pub from: Time,
    /// When it closes: on the next day where that is not later than `from`.
    #[serde(with = "opening::time")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "06:00"))]
    pub to: Time,
    /// The time zone of its clock, as the IANA calls it: `Europe/Berlin`. Defaults to `UTC`.
    #[serde(default = "utc")]
    pub zone: String,
    /// The first day on which it opens. Defaults to any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub first_day: Option<Date>,
    /// The last day on which it opens. Defaults to any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub last_day: Option<Date>,
    /// Whether it counts. Defaults to so.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    pub comment: String,
}

/// What to change of a window; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct WindowChange {
    /// Which hosts it covers; none with an empty text.
    pub hosts: Option<String>,
    /// Which guests it covers; none with an empty text.
    pub guests: Option<String>,
    /// On which days it opens.
    pub days: Option<BTreeSet<Day>>,
    /// When it opens: `22:00`.
    #[serde(with = "opening::some_time")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "22:00"))]
    pub from: Option<Time>,
    /// When it closes.
    #[serde(with = "opening::some_time")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "06:00"))]
    pub to: Option<Time>,
    /// The time zone of its clock.
    pub zone: Option<String>,
    /// The first day on which it opens, as `2026-12-24`; any with an empty text.
    pub first_day: Option<String>,
    /// The last day on which it opens; any with an empty text.
    pub last_day: Option<String>,
    /// Whether it counts.
    pub enabled: Option<bool>,
    /// What people say of it.
    pub comment: Option<String>,
}

/// Whether something may be disturbed now, as far as windows go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum WindowState {
    /// No enabled window covers it: it may be disturbed at any time.
    None,
    /// One of its windows is open.
    Open {
        /// Which one.
        window: String,
        /// When none of its windows is open any more; none where they follow each other without end.
        until: Option<Timestamp>,
    },
    /// None of its windows is open: it may not be disturbed.
    Closed {
        /// The one that opens next, else one of those that cover it.
        window: String,
        /// When that is; none where none of them ever opens again.
        until: Option<Timestamp>,
    },
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn yes() -> bool {
    true
}

impl Window {
    /// Refuses one that could never be used. Whom it covers is not looked at here.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: String, next: &str| {
            Err(Error::new(ErrorKind::Invalid, format!("take the window {:?}", self.name)).because(cause).next(next))
        };
        let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        if self.name.is_empty() || self.name.chars().count() > LONGEST_NAME || !self.name.chars().all(fits) {
            let cause = "the name does not fit".to_owned();
            return refuse(cause, &format!("use 1 to {LONGEST_NAME} letters, digits and . _ -"));
        }
        if self.hosts.is_none() && self.guests.is_none() {
            return refuse("it covers nothing".to_owned(), "say which hosts or which guests it covers");
        }
        if self.days.is_empty() {
            return refuse("it opens on no day".to_owned(), "name the days: mon to sun");
        }
        if let (Some(first), Some(last)) = (self.first_day, self.last_day)
            && last < first
        {
            return refuse(format!("its last day {last} is before its first day {first}"), "change one of them");
        }
        if self.comment.chars().count() > LONGEST_COMMENT || self.comment.chars().any(char::is_control) {
            let cause = "the comment is too long, or has a line break".to_owned();
            return refuse(cause, &format!("use one line of up to {LONGEST_COMMENT} characters"));
        }
        self.time_zone().map(drop)
    }

    /// The time zone of its clock.
    ///
    /// # Errors
    /// `Invalid` where none is called so.
    pub fn time_zone(&self) -> Result<TimeZone> {
        TimeZone::get(&self.zone).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("read the time zone of the window {:?}", self.name))
                .because(format!("no time zone is called {:?}", self.zone))
                .next("use a name of the IANA's, such as Europe/Berlin or UTC")
                .from_source(error)
        })
    }

    /// With the change made.
    ///
    /// # Errors
    /// `Invalid` for a date that is none.
    pub fn with(self, change: WindowChange) -> Result<Self> {
        let set = |new: Option<String>, old: Option<String>| match new {
            Some(text) if text.trim().is_empty() => None,
            Some(text) => Some(text),
            None => old,
        };
        Ok(Self {
            hosts: set(change.hosts, self.hosts),
            guests: set(change.guests, self.guests),
            days: change.days.unwrap_or(self.days),
            from: change.from.unwrap_or(self.from),
            to: change.to.unwrap_or(self.to),
            zone: change.zone.unwrap_or(self.zone),
            first_day: date(change.first_day, self.first_day)?,
            last_day: date(change.last_day, self.last_day)?,
            enabled: change.enabled.unwrap_or(self.enabled),
            comment: change.comment.unwrap_or(self.comment),
            name: self.name,
        })
    }

    /// Whether it is open.
    ///
    /// # Errors
    /// `Invalid` where its time zone is not known.
    pub fn is_open(&self, now: Timestamp) -> Result<bool> {
        Ok(self.opening_at(now)?.is_some())
    }
}

fn date(text: Option<String>, old: Option<Date>) -> Result<Option<Date>> {
    match text.as_deref().map(str::trim) {
        None => Ok(old),
        Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("read the date {text:?}"))
                .because("it is none")
                .next("write it as 2026-12-24")
                .from_source(error)
        }),
    }
}

/// When it opens, for people: `mon-fri 22:00-06:00 Europe/Berlin`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, from, to) = (days::words(&self.days), self.from.strftime("%H:%M"), self.to.strftime("%H:%M"));
        write!(f, "{days} {from}-{to} {}", self.zone)?;
        self.first_day.iter().try_for_each(|day| write!(f, " from {day}"))?;
        self.last_day.iter().try_for_each(|day| write!(f, " to {day}"))
    }
}

impl WindowState {
    /// Whether it may be disturbed.
    pub const fn lets(&self) -> bool {
        matches!(self, Self::None | Self::Open { .. })
    }
}

/// The same for people, of something that stands before it: `mail` + ` may be disturbed until ...`.
impl fmt::Display for WindowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("may be disturbed at any time: no maintenance window covers it"),
            Self::Open { window, until: Some(until) } => {
                write!(f, "may be disturbed until {until:.0}: its maintenance window {window} is open")
            }
            Self::Open { window, until: None } => {
                write!(f, "may be disturbed: its maintenance window {window} is open")
            }
            Self::Closed { window, until: Some(until) } => {
                write!(f, "may not be disturbed now: its maintenance window {window} opens at {until:.0}")
            }
            Self::Closed { window, until: None } => {
                write!(f, "may not be disturbed: its maintenance window {window} does not open any more")
            }
        }
    }
}
