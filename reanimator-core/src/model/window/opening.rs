//! When windows are open: over midnight, and over the days on which clocks are changed.
//!
//! A window opens on each of its days when the clock on the wall shows `from` for the first time, and closes when it shows
//! `to` for the first time after. A time that is left out when clocks go forward is there at the moment of the change; a
//! window that lies altogether in what is left out does not open that day.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{Day, Window, WindowState};
use crate::{Error, ErrorKind, Result};

/// As many days ahead as there can be without one on which it opens: a week, and as much again where one is left out.
const DAYS_AHEAD: u32 = 15;
/// Windows that follow each other without a gap, before it is called endless.
const LONGEST_CHAIN: usize = 64;

/// One time that a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// From then.
    pub opens_at: Timestamp,
    /// Until then, that moment no more.
    pub closes_at: Timestamp,
}

impl Window {
    /// The opening that `now` lies in.
    ///
    /// # Errors
    /// `Invalid` where its time zone is not known.
    pub fn opening_at(&self, now: Timestamp) -> Result<Option<Opening>> {
        Ok(self.openings(now)?.find(|opening| opening.opens_at <= now))
    }

    /// The first opening that begins after `now`.
    ///
    /// # Errors
    /// `Invalid` where its time zone is not known.
    pub fn next_opening(&self, now: Timestamp) -> Result<Option<Opening>> {
        Ok(self.openings(now)?.find(|opening| opening.opens_at > now))
    }

    /// The openings that are not over, as far as a fortnight goes.
    fn openings(&self, now: Timestamp) -> Result<impl Iterator<Item = Opening>> {
        let zone = self.time_zone()?;
        let today = zone.to_datetime(now).date();
        // One that began yesterday may go on.
        let first = today.yesterday().map_err(out_of_range)?.max(self.first_day.unwrap_or(Date::MIN));
        let mut day = Some(first);
        let days = std::iter::from_fn(move || {
            let this = day?;
            day = this.tomorrow().ok();
            Some(this)
        });
        let last = self.last_day.unwrap_or(Date::MAX);
        let opens = days
            .take(DAYS_AHEAD as usize)
            .filter(move |day| *day <= last && self.days.contains(&Day::from(day.weekday())));
        let openings = opens.filter_map(move |day| self.opening_on(day, &zone));
        Ok(openings.filter(move |opening| opening.closes_at > now))
    }

    fn opening_on(&self, day: Date, zone: &TimeZone) -> Option<Opening> {
        let closes_on = if self.to > self.from { day } else { day.tomorrow().ok()? };
        let opens_at = moment(day.to_datetime(self.from), zone)?;
        let closes_at = moment(closes_on.to_datetime(self.to), zone)?;
        (opens_at < closes_at).then_some(Opening { opens_at, closes_at })
    }
}

/// When the clock of the zone shows a time for the first time, or goes over it.
fn moment(wanted: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(wanted);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wanted).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wanted).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // By the old offset it lies at or behind the change, by less than the clock was moved.
            let behind = before.to_timestamp(wanted).ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.preceding(behind).next().map(|change| change.timestamp())
        }
    }
}

fn out_of_range(error: jiff::Error) -> Error {
    Error::new(ErrorKind::Invalid, "find a day of the calendar").from_source(error)
}

impl WindowState {
    /// What holds for something that these windows cover. Those that are not enabled do not count.
    ///
    /// # Errors
    /// `Invalid` where a time zone is not known.
    pub fn of<'a>(windows: impl IntoIterator<Item = &'a Window>, now: Timestamp) -> Result<Self> {
        let windows: Vec<&Window> = windows.into_iter().filter(|window| window.enabled).collect();
        let Some(first) = windows.first() else { return Ok(Self::None) };
        if let Some((window, closes_at)) = open_longest(&windows, now)? {
            return Ok(Self::Open { window: window.name.clone(), until: end_of_chain(&windows, closes_at)? });
        }
        let mut next: Option<(&Window, Timestamp)> = None;
        for window in &windows {
            let opens_at = window.next_opening(now)?.map(|opening| opening.opens_at);
            if let Some(opens_at) = opens_at.filter(|at| next.is_none_or(|(_, earliest)| *at < earliest)) {
                next = Some((window, opens_at));
            }
        }
        Ok(match next {
            Some((window, at)) => Self::Closed { window: window.name.clone(), until: Some(at) },
            None => Self::Closed { window: first.name.clone(), until: None },
        })
    }
}

/// The window that is open and closes last.
fn open_longest<'a>(windows: &[&'a Window], now: Timestamp) -> Result<Option<(&'a Window, Timestamp)>> {
    let mut longest: Option<(&Window, Timestamp)> = None;
    for window in windows {
        let closes_at = window.opening_at(now)?.map(|opening| opening.closes_at);
        if let Some(closes_at) = closes_at.filter(|at| longest.is_none_or(|(_, last)| *at > last)) {
            longest = Some((window, closes_at));
        }
    }
    Ok(longest)
}

/// When the last of those closes that each open before the one before has closed.
fn end_of_chain(windows: &[&Window], mut closes_at: Timestamp) -> Result<Option<Timestamp>> {
    for _ in 0..LONGEST_CHAIN {
        match open_longest(windows, closes_at)? {
            Some((_, later)) => closes_at = later,
            None => return Ok(Some(closes_at)),
        }
    }
    Ok(None)
}

/// Times of the day as people write them: `22:00`.
pub(in crate::model) mod time {
    use jiff::civil::Time;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::model) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.strftime("%H:%M"))
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        super::parse_time(&String::deserialize(deserializer)?).map_err(|error| D::Error::custom(crate::message(&error)))
    }
}

/// The same, where there may be none.
pub(crate) mod some_time {
    use jiff::civil::Time;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::time::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let time = text.map(|text| super::parse_time(&text)).transpose();
        time.map_err(|error| D::Error::custom(crate::message(&error)))
    }
}

/// A time of the day: `22:00`; `24:00` is midnight.
///
/// # Errors
/// `Invalid` for what is none.
pub fn parse_time(text: &str) -> Result<jiff::civil::Time> {
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() <= 2 && !text.starts_with(['+', '-']));
    let read = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (number(hour)?, number(minute)?);
        let hour = if (hour, minute) == (24, 0) { 0 } else { hour };
        jiff::civil::Time::new(hour, minute, 0, 0).ok()
    };
    read(text.trim()).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("read the time {text:?}"))
            .because("it is no time of the day")
            .next("write it as 22:00")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn window(days: &str, from: &str, to: &str) -> Window {
        Window {
            name: "w".into(),
            hosts: Some("all".into()),
            guests: None,
            days: super::super::parse_days(days).unwrap(),
            from: parse_time(from).unwrap(),
            to: parse_time(to).unwrap(),
            zone: "Europe/Berlin".into(),
            first_day: None,
            last_day: None,
            enabled: true,
            comment: String::new(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The opening at a time, as its two ends in UTC.
    fn open(window: &Window, now: &str) -> String {
        words(window.opening_at(at(now)).unwrap())
    }

    fn next(window: &Window, now: &str) -> String {
        words(window.next_opening(at(now)).unwrap())
    }

    fn words(opening: Option<Opening>) -> String {
        opening.map_or_else(String::new, |opening| format!("{} {}", opening.opens_at, opening.closes_at))
    }

    #[test]
    fn a_window_of_one_day_is_open_from_its_first_moment_and_closed_at_its_last() {
        let window = window("mon-fri", "12:00", "14:00");
        // A Thursday in winter: Berlin is an hour ahead.
        let thursday = "2026-11-26T11:00:00Z 2026-11-26T13:00:00Z";
        assert_eq!(open(&window, "2026-11-26T10:59:59Z"), "");
        assert_eq!(open(&window, "2026-11-26T11:00:00Z"), thursday);
        assert_eq!(open(&window, "2026-11-26T12:59:59Z"), thursday);
        assert_eq!(open(&window, "2026-11-26T13:00:00Z"), "");
        assert_eq!(next(&window, "2026-11-26T10:00:00Z"), thursday);
        // The next one of a Friday's evening is on Monday.
        assert_eq!(next(&window, "2026-11-27T20:00:00Z"), "2026-11-30T11:00:00Z 2026-11-30T13:00:00Z");
    }

    #[test]
    fn one_over_midnight_belongs_to_the_day_on_which_it_opens() {
        let window = window("fri", "22:00", "06:00");
        let friday = "2026-11-27T21:00:00Z 2026-11-28T05:00:00Z";
        assert_eq!(open(&window, "2026-11-27T02:00:00Z"), "", "the night before is Thursday's");
        assert_eq!(open(&window, "2026-11-28T02:00:00Z"), friday);
        assert_eq!(open(&window, "2026-11-28T05:00:00Z"), "");
        assert_eq!(next(&window, "2026-11-28T02:00:00Z"), "2026-12-04T21:00:00Z 2026-12-05T05:00:00Z");
        let whole_day = super::tests::window("sat", "00:00", "24:00");
        assert_eq!(open(&whole_day, "2026-11-28T12:00:00Z"), "2026-11-27T23:00:00Z 2026-11-28T23:00:00Z");
    }

    #[test]
    fn clocks_that_go_forward_leave_out_what_is_not_there() {
        // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00, at 01:00 UTC.
        let now = "2026-03-28T12:00:00Z";
        let change = "2026-03-29T01:00:00Z";
        assert_eq!(next(&window("sun", "02:30", "04:00"), now), format!("{change} 2026-03-29T02:00:00Z"));
        assert_eq!(next(&window("sun", "01:00", "02:30"), now), format!("2026-03-29T00:00:00Z {change}"));
        assert_eq!(next(&window("sun", "02:00", "04:00"), now), format!("{change} 2026-03-29T02:00:00Z"));
        // It lies altogether in what is left out: a week later it is there.
        let inside = window("sun", "02:10", "02:50");
        assert_eq!(next(&inside, now), "2026-04-05T00:10:00Z 2026-04-05T00:50:00Z");
        // A night is an hour shorter.
        assert_eq!(next(&window("sat", "22:00", "06:00"), now), "2026-03-28T21:00:00Z 2026-03-29T04:00:00Z");
    }

    #[test]
    fn clocks_that_go_back_open_and_close_the_first_time() {
        // On 25 October 2026 the clocks of Berlin go from 03:00 to 02:00, at 01:00 UTC.
        let now = "2026-10-24T12:00:00Z";
        assert_eq!(next(&window("sun", "02:10", "02:50"), now), "2026-10-25T00:10:00Z 2026-10-25T00:50:00Z");
        assert_eq!(next(&window("sun", "02:30", "03:30"), now), "2026-10-25T00:30:00Z 2026-10-25T02:30:00Z");
        assert_eq!(open(&window("sun", "02:10", "02:50"), "2026-10-25T01:20:00Z"), "", "it is 02:20 again");
    }

    #[test]
    fn dates_bound_it() {
        let bounded = Window {
            first_day: Some("2026-12-24".parse().unwrap()),
            last_day: Some("2026-12-26".parse().unwrap()),
            ..window("daily", "22:00", "02:00")
        };
        assert_eq!(next(&bounded, "2026-06-01T00:00:00Z"), "2026-12-24T21:00:00Z 2026-12-25T01:00:00Z");
        assert_eq!(open(&bounded, "2026-12-27T00:30:00Z"), "2026-12-26T21:00:00Z 2026-12-27T01:00:00Z");
        assert_eq!(next(&bounded, "2026-12-27T00:30:00Z"), "");
        let state = WindowState::of([&bounded], at("2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(state, WindowState::Closed { window: "w".into(), until: None });
        assert!(!state.lets() && state.to_string().contains("does not open any more"), "{state}");
    }

    #[test]
    fn what_several_windows_cover_is_open_while_one_of_them_is() {
        let named = |name: &str, window: Window| Window { name: name.into(), ..window };
        let (evening, night) =
            (named("evening", window("daily", "20:00", "23:00")), named("night", window("daily", "22:00", "06:00")));
        let state = |now| WindowState::of([&evening, &night], at(now)).unwrap();
        let until = |text| Some(at(text));
        assert_eq!(
            state("2026-11-26T19:30:00Z"),
            WindowState::Open { window: "evening".into(), until: until("2026-11-27T05:00:00Z") }
        );
        assert_eq!(
            state("2026-11-26T12:00:00Z"),
            WindowState::Closed { window: "evening".into(), until: until("2026-11-26T19:00:00Z") }
        );
        let off = Window { enabled: false, ..evening.clone() };
        assert_eq!(WindowState::of([&off], at("2026-11-26T12:00:00Z")).unwrap(), WindowState::None);
        let always = window("daily", "00:00", "00:00");
        let endless = WindowState::of([&always], at("2026-11-26T12:00:00Z")).unwrap();
        assert_eq!(endless, WindowState::Open { window: "w".into(), until: None });
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let nights = Window { last_day: Some("2027-01-31".parse().unwrap()), ..window("mon-fri", "22:00", "06:00") };
        let json = serde_json::to_value(&nights).unwrap();
        assert_eq!((&json["from"], &json["days"][0]), (&"22:00".into(), &"mon".into()));
        assert_eq!(serde_json::from_value::<Window>(json).unwrap(), nights);
        assert_eq!(nights.to_string(), "mon-fri 22:00-06:00 Europe/Berlin to 2027-01-31");
        for text in ["", "24:01", "25:00", "7", "7:5:1", "+7:00", "ab:cd", "12:60", "012:00"] {
            assert_eq!(parse_time(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        let nowhere = Window { zone: "Mars/Olympus".into(), ..nights };
        assert!(crate::report(&nowhere.check().unwrap_err()).contains("Mars/Olympus"));
    }
}
