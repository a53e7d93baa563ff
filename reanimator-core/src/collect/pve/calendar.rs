//! When jobs of Proxmox VE run: its calendar events, and how far apart two runs of one may be.
//!
//! The words are those of the appendix "Calendar Events" of the documentation: days of the week, a date, a time, each of
//! which may be missing (`sat 02:00`, `mon..fri 22:30`, `*/6:00`, `*-*-01 03:00`), or one word (`daily`). Pure: what a
//! schedule allows does not depend on today. What is written otherwise is not read, and nothing is said of it.

use jiff::{SignedDuration, civil::Date};

/// Schedules are no longer than so.
const LONGEST: usize = 128;

/// After so many years a calendar is the same again: weekdays and leap years, from 1901 to 2099.
const CYCLE_YEARS: i16 = 28;
const CYCLE_DAYS: i64 = 10_227;

/// The longest time that this schedule allows between two runs, by the clock of the node: a night in which clocks change
/// may be an hour longer. `None` for what cannot be read, and for what ends, as one that names years.
///
/// ```
/// use jiff::SignedDuration;
/// use reanimator_core::collect::pve::calendar::longest_gap;
///
/// assert_eq!(longest_gap("sat 02:00"), Some(SignedDuration::from_hours(7 * 24)));
/// assert_eq!(longest_gap("mon..fri 22:30"), Some(SignedDuration::from_hours(3 * 24)));
/// assert_eq!(longest_gap("on sundays"), None);
/// ```
pub fn longest_gap(schedule: &str) -> Option<SignedDuration> {
    let schedule = schedule.trim().to_ascii_lowercase();
    if schedule.len() > LONGEST {
        return None;
    }
    let event = Event::read(word(&schedule).unwrap_or(&schedule))?;
    let times = event.times();
    let (first, last) = (*times.first()?, *times.last()?);
    let within = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    let between = event.days_apart()? * 86_400 + first - last;
    Some(SignedDuration::from_secs(within.max(between)))
}

/// Whether a schedule names years: after them it runs no more.
pub fn ends(schedule: &str) -> bool {
    let names_years = |word: &str| matches!(word.split('-').collect::<Vec<_>>()[..], [years, _, _] if years != "*");
    schedule.split_whitespace().any(names_years)
}

/// What one of the words that stand for a schedule means.
fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "minutely" => "*:*:00",
        "hourly" => "*:00",
        "daily" => "00:00",
        "weekly" => "mon 00:00",
        "monthly" => "*-01 00:00",
        "yearly" | "annually" => "01-01 00:00",
        "quarterly" => "01,04,07,10-01 00:00",
        "semiannually" | "semi-annually" => "01,07-01 00:00",
        _ => return None,
    })
}

/// A schedule taken apart. What is missing is every one there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Event {
    /// Monday is 0.
    weekdays: Vec<u32>,
    months: Vec<u32>,
    days: Vec<u32>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    seconds: Vec<u32>,
}

impl Event {
    fn read(text: &str) -> Option<Self> {
        let mut event = Self::default();
        let mut words = text.split_whitespace().peekable();
        // In this order, each once, and at least one.
        words.peek().filter(|word| **word != "utc")?;
        if let Some(days) = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())) {
            event.weekdays = weekdays(days)?;
        }
        if let Some(date) = words.next_if(|word| word.contains('-')) {
            (event.months, event.days) = date_of(date)?;
        }
        match words.next_if(|word| *word != "utc") {
            Some(time) => (event.hours, event.minutes, event.seconds) = time_of(time)?,
            None => (event.hours, event.minutes, event.seconds) = (vec![0], vec![0], vec![0]),
        }
        // Whether it is that clock or the node's does not change how far apart they are.
        words.next_if_eq(&"utc");
        words.next().is_none().then_some(event)
    }

    /// Seconds of a day at which it runs, in order.
    fn times(&self) -> Vec<i64> {
        let or_all = |known: &[u32], end: u32| if known.is_empty() { (0..end).collect() } else { known.to_vec() };
        let (hours, minutes, seconds) = (or_all(&self.hours, 24), or_all(&self.minutes, 60), or_all(&self.seconds, 60));
        let mut times = Vec::with_capacity(hours.len() * minutes.len() * seconds.len());
        for hour in hours {
            for minute in &minutes {
                times.extend(seconds.iter().map(|second| i64::from((hour * 60 + minute) * 60 + second)));
            }
        }
        times
    }

    /// How many days the furthest two days on which it runs one after the other are apart.
    fn days_apart(&self) -> Option<i64> {
        let fits = |known: &[u32], value: u32| known.is_empty() || known.contains(&value);
        let start = Date::new(2000, 1, 1).ok()?;
        let end = Date::new(2000 + CYCLE_YEARS, 1, 1).ok()?;
        let runs = |date: Date| {
            let weekday = u32::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
            let (month, day) = (u32::try_from(date.month()).unwrap_or(0), u32::try_from(date.day()).unwrap_or(0));
            fits(&self.weekdays, weekday) && fits(&self.months, month) && fits(&self.days, day)
        };
        let (mut first, mut last, mut furthest) = (None, 0, 0);
        let days = std::iter::successors(Some(start), |date| date.tomorrow().ok()).take_while(|date| *date < end);
        for (number, _) in (0_i64..).zip(days).filter(|(_, date)| runs(*date)) {
            match first {
                None => first = Some(number),
                Some(_) => furthest = furthest.max(number - last),
            }
            last = number;
        }
        Some(furthest.max(first? + CYCLE_DAYS - last))
    }
}

/// `sat`, `mon..fri`, `mon,wed`, with names cut to three letters or whole.
fn weekdays(text: &str) -> Option<Vec<u32>> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let day = |name: &str| {
        let number = NAMES.iter().position(|whole| *whole == name || whole[..3] == *name)?;
        u32::try_from(number).ok()
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            Some((from, to)) => {
                let (from, to) = (day(from)?, day(to)?);
                // `fri..mon` goes on over the end of the week.
                match from <= to {
                    true => all.extend(from..=to),
                    false => all.extend((from..=6).chain(0..=to)),
                }
            }
            None => all.push(day(part)?),
        }
    }
    Some(sorted(all))
}

/// `*-*-01`, `*-01`, `01,07-01`. One that names years runs no more after them.
fn date_of(text: &str) -> Option<(Vec<u32>, Vec<u32>)> {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        ["*", months, days] | [months, days] => Some((values(months, 1, 12)?, values(days, 1, 31)?)),
        _ => None,
    }
}

/// `21:00`, `*/6:00`, `8..17,22:0/15`, `30/10` (minutes of each hour), `12:05:30`.
fn time_of(text: &str) -> Option<(Vec<u32>, Vec<u32>, Vec<u32>)> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [minutes] => Some((Vec::new(), values(minutes, 0, 59)?, vec![0])),
        [hours, minutes] => Some((values(hours, 0, 23)?, values(minutes, 0, 59)?, vec![0])),
        [hours, minutes, seconds] => Some((values(hours, 0, 23)?, values(minutes, 0, 59)?, values(seconds, 0, 59)?)),
        _ => None,
    }
}

/// `*`, `*/6`, `5`, `8..17`, `0/15`, `8..17/2`, and several of them. Empty is every one.
fn values(text: &str, least: u32, most: u32) -> Option<Vec<u32>> {
    if text == "*" {
        return Some(Vec::new());
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once("..") {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (least, most),
            // What is repeated goes on to the end, what is not stands alone.
            None => (number(range)?, if step.is_some() { most } else { number(range)? }),
        };
        if from < least || from > to || to > most || step == Some(0) {
            return None;
        }
        all.extend((from..=to).step_by(usize::try_from(step.unwrap_or(1)).ok()?));
    }
    Some(sorted(all))
}

fn number(text: &str) -> Option<u32> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn sorted(mut all: Vec<u32>) -> Vec<u32> {
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minutes(schedule: &str) -> Option<i64> {
        longest_gap(schedule).map(|gap| gap.as_mins())
    }

    #[test]
    fn schedules_allow_what_the_documentation_says() {
        const DAY: i64 = 24 * 60;
        for (schedule, gap) in [
            ("21:00", DAY),
            ("daily", DAY),
            ("*/6:00", 6 * 60),
            ("0/5", 5),
            ("*/5", 5),
            ("*", 1),
            ("hourly", 60),
            ("minutely", 1),
            ("sat 02:00", 7 * DAY),
            ("Saturday 2:00", 7 * DAY),
            ("weekly", 7 * DAY),
            ("mon..fri 22:30", 3 * DAY),
            ("mon..fri", 3 * DAY),
            ("sat,sun", 6 * DAY),
            ("mon,wed,fri 1:00", 3 * DAY),
            ("monthly", 31 * DAY),
            ("*-*-01 03:00", 31 * DAY),
            ("*-05", 31 * DAY),
            ("*-31", 61 * DAY),
            ("quarterly", 92 * DAY),
            ("semiannually", 184 * DAY),
            ("yearly", 366 * DAY),
            ("sat *-1..7 15:00", 35 * DAY),
            ("02-29 12:00", 1461 * DAY),
            // Until a quarter to six, and again at ten; then through the night.
            ("mon..fri 8..17,22:0/15", 2 * DAY + 9 * 60 + 15),
            ("8..17,22:0/15", 9 * 60 + 15),
            ("fri 12..13:5/20", 7 * DAY - 100),
            ("12/2:05", 14 * 60),
            ("mon..wed 30/10", 4 * DAY + 40),
            ("22:00 UTC", DAY),
            // From Friday over the end of the week to Monday, and then not before Friday.
            ("fri..mon 22:00", 4 * DAY),
            ("sun..thu 22:00", 3 * DAY),
        ] {
            assert_eq!(minutes(schedule), Some(gap), "{schedule}");
        }
        assert_eq!(longest_gap("12:00:00/20"), Some(SignedDuration::from_secs(86_400 - 40)));
    }

    #[test]
    fn one_that_names_years_ends() {
        for (schedule, over) in [
            ("2026-12-24 02:00", true),
            ("sat 2026..2027-01-01 02:00", true),
            ("*-12-24 02:00", false),
            ("12-24 02:00", false),
            ("mon..fri 22:30", false),
            ("semi-annually", false),
        ] {
            assert_eq!(ends(schedule), over, "{schedule}");
        }
    }

    #[test]
    fn what_is_written_otherwise_or_ends_is_not_read() {
        for schedule in [
            "",
            " ",
            "on sundays",
            "25:00",
            "12:60",
            "2015-10-21",
            "2015..2030-*-01",
            "31-02",
            "*-32",
            "02-30",
            "mon mon",
            "12:00 mon",
            "*/0:00",
            "5..3:00",
            "12:",
            ":",
            "-",
            "..",
            "mon..",
            "utc",
            "12:00 12:00",
            "1:2:3:4",
            "+5:00",
            "99999",
            "ｍon",
            "mon,",
        ] {
            assert_eq!(longest_gap(schedule), None, "{schedule:?}");
        }
        assert_eq!(longest_gap(&"1,".repeat(500)), None);
    }

    /// Counts through a month, as a node would.
    fn walked(weekdays: &[u32], hours: &[u32], minute: u32) -> i64 {
        let (mut last, mut longest) = (None::<i64>, 0);
        for day in 0..30_i64 {
            for hour in hours {
                if weekdays.contains(&u32::try_from(day % 7).unwrap()) {
                    let at = day * 1440 + i64::from(hour * 60 + minute);
                    longest = last.map_or(longest, |last| longest.max(at - last));
                    last = Some(at);
                }
            }
        }
        longest
    }

    proptest! {
        #[test]
        fn the_gap_is_that_of_who_counts(
            days in proptest::collection::btree_set(0_u32..7, 1..7),
            hours in proptest::collection::btree_set(0_u32..24, 1..6),
            minute in 0_u32..60,
        ) {
            const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let (days, hours): (Vec<u32>, Vec<u32>) = (days.into_iter().collect(), hours.into_iter().collect());
            let names: Vec<&str> = days.iter().map(|day| NAMES[*day as usize]).collect();
            let texts: Vec<String> = hours.iter().map(ToString::to_string).collect();
            let schedule = format!("{} {}:{minute:02}", names.join(","), texts.join(","));
            prop_assert_eq!(minutes(&schedule), Some(walked(&days, &hours, minute)), "{}", schedule);
        }

        #[test]
        fn whatever_is_written_is_read_or_not_and_no_more(text in "[a-z0-9*/.,: -]{0,40}") {
            let gap = longest_gap(&text);
            prop_assert!(gap.is_none_or(|gap| gap.is_positive()), "{:?} {:?}", text, gap);
        }
    }
}
