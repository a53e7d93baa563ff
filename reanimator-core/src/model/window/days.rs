//! Days of the week, as people write them.

use std::collections::BTreeSet;

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let whole = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let place = whole.iter().position(|name| text.len() >= 3 && name.starts_with(&text));
        Some(Self::ALL[place?])
    }
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

pub(super) fn all() -> BTreeSet<Day> {
    Day::ALL.into()
}

/// Days as people write them: `mon-fri,sun`, `sat`, `fri-mon`, `daily`.
///
/// # Errors
/// `Invalid` for what is no day.
pub fn parse_days(text: &str) -> Result<BTreeSet<Day>> {
    let refuse = || {
        Error::new(ErrorKind::Invalid, format!("read the days {text:?}"))
            .because("not all of that are days")
            .next("write mon-fri,sun or daily")
    };
    let mut days = BTreeSet::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        if matches!(part, "daily" | "all") {
            return Ok(all());
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let place = |text| Day::parse(text).and_then(|day| Day::ALL.iter().position(|each| *each == day));
        let (Some(first), Some(last)) = (place(first), place(last)) else { return Err(refuse()) };
        let many = (last + 7 - first) % 7;
        days.extend((first..=first + many).map(|place| Day::ALL[place % 7]));
    }
    if days.is_empty() { Err(refuse()) } else { Ok(days) }
}

/// The same back: `mon-fri,sun`.
pub(in crate::model) fn words(days: &BTreeSet<Day>) -> String {
    if days.len() == Day::ALL.len() {
        return "daily".to_owned();
    }
    let mut parts: Vec<(Day, Day)> = Vec::new();
    for day in days {
        match parts.last_mut() {
            Some((_, last)) if *last as u8 + 1 == *day as u8 => *last = *day,
            _ => parts.push((*day, *day)),
        }
    }
    let part = |(first, last): &(Day, Day)| match first == last {
        true => first.as_str().to_owned(),
        false => format!("{}-{}", first.as_str(), last.as_str()),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_said_again() {
        for (text, said) in [
            ("mon-fri", "mon-fri"),
            ("Monday,wed", "mon,wed"),
            ("fri-mon", "mon,fri-sun"),
            ("sun", "sun"),
            ("daily", "daily"),
            ("mon-sun", "daily"),
            ("sat, sun", "sat-sun"),
        ] {
            assert_eq!(words(&parse_days(text).unwrap()), said, "{text}");
        }
        for text in ["", ",", "mo", "mon-", "-fri", "someday", "mon-fri-sun"] {
            assert_eq!(parse_days(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }
}
