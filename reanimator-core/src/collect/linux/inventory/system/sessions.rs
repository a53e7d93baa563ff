//! Who is logged in at a terminal.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::super::{
    Answers,
    words::{clip, seconds, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        system::{Session, System},
    },
};

/// The most sessions that are told about.
const SESSIONS_LIMIT: usize = 200;

/// In UTC, as its times carry no zone.
pub(super) const QUESTION: &str = "TZ=UTC0 $T5 who";

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn parse(answers: &Answers, read: &mut Read<System>) {
    let now = values(answers.text("system"), "clock").find_map(seconds);
    match answers.get("system-sessions") {
        Some(answer) if answer.status == Some(0) => {
            let sessions = answer.text.lines().filter_map(|line| session(line, now));
            read.facts.sessions = Some(sessions.take(SESSIONS_LIMIT).collect());
        }
        Some(answer) => read.unseen.push(Unseen::new("sessions", answer.why(answers.root))),
        None => read.unseen.push(Unseen::new("sessions", "it was not asked")),
    }
}

/// `root pts/0 Nov 25 21:30 (192.0.2.7)` from coreutils in the C locale, `... 2026-11-25 21:30 (...)` in others,
/// `root pts/0 00:03 Nov 25 21:30:05 192.0.2.7` from busybox.
fn session(line: &str, now: Option<Timestamp>) -> Option<Session> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [user, terminal, rest @ ..] = &words[..] else { return None };
    let month = rest.iter().take(2).position(|word| MONTHS.contains(word));
    let (since, after) = match month {
        Some(at) => {
            let (day, time) = (rest.get(at + 1)?, rest.get(at + 2)?);
            (without_year(rest[at], day, time, now), at + 3)
        }
        None => {
            let (date, time) = (rest.first()?, rest.get(1)?);
            (Some(format!("{date}T{}:00", time.get(..5)?).parse::<DateTime>().ok()?), 2)
        }
    };
    let since = since.and_then(|since| Some(since.to_zoned(TimeZone::UTC).ok()?.timestamp()));
    let from = rest.get(after..).and_then(|words| words.last()).map(|from| from.trim_matches(['(', ')']));
    // `:0` is a screen of the machine itself.
    let from = from.filter(|from| !from.starts_with(':')).and_then(clip);
    Some(Session { user: clip(user)?, terminal: clip(terminal)?, from, since })
}

/// The latest such time that is not ahead of the machine's clock by more than a day.
fn without_year(month: &str, day: &str, time: &str, now: Option<Timestamp>) -> Option<DateTime> {
    let now = now?.to_zoned(TimeZone::UTC).datetime();
    let month = MONTHS.iter().position(|name| *name == month)? as i8 + 1;
    let (hour, minute) = time.get(..5)?.split_once(':')?;
    let (day, hour, minute) = (day.parse().ok()?, hour.parse().ok()?, minute.parse().ok()?);
    let latest = now.checked_add(jiff::Span::new().days(1)).ok()?;
    // Eight years back there was a 29th of February.
    (0..=8)
        .filter_map(|back| DateTime::new(now.year() - back, month, day, hour, minute, 0, 0).ok())
        .find(|at| *at <= latest)
}
