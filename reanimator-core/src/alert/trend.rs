//! When a disk will be full, by its trend; and when a trend is none.
//!
//! The past is looked at through windows, from a quarter of an hour to a week: a log that runs wild fills a disk within the
//! hour, a mail store within months. In each window a line is laid through the points by the method of Theil and Sen, the
//! median of the slopes of all pairs, which a third of wild points does not move. The line counts where
//!
//! - enough of the window was seen,
//! - the growth is real: more than half a percent of the disk, and several times what the points stray from the line,
//! - it is no jump: no single step is a great part of it (somebody copied a film),
//! - it goes on: the last quarter grows as the whole does,
//! - it is not asked for more than it can tell: the disk would be full within a few times the window's length,
//! - it is not what always happens: what rose and fell again before (a log until its rotation, a backup until it is cleaned
//!   away) may do so again, and half as much more.
//!
//! Growth below saw teeth shows in the week alone: there the highest of each day is what a line is laid through.

use super::{Past, past::COARSE};

/// What is to be expected of something that may fill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// How full it is, in percent.
    pub percent: f64,
    /// By how much it usually rises and falls again, in percent.
    pub swing: f64,
    /// How it will go on.
    pub outlook: Outlook,
}

/// How a disk will go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outlook {
    /// It will be full.
    Full {
        /// In so many hours.
        hours: f64,
    },
    /// It does not grow, or not in a way that lasts.
    Steady,
    /// Too little was seen of it.
    Unknown,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// How many times a window's length a line through it may be followed, once a day of the past is known.
const FOLLOWED: f64 = 6.0;
/// The same while less is known: then nobody can tell what always happens.
const FOLLOWED_AT_FIRST: f64 = 1.0;
/// Less growth than this is none, in percent of the disk.
const LEAST_GROWTH: f64 = 0.5;
/// Growth is so many times greater than what points stray from the line.
const CLEARLY: f64 = 4.0;
/// No single step is a greater part of the growth.
const JUMP: f64 = 0.4;
/// What rose and fell before may rise by so much more.
const USUAL: f64 = 1.5;
/// Rises of less are noise, in percent.
const RIPPLE: f64 = 1.0;

/// A window: how long, how far apart its points are, both in seconds.
struct Window {
    length: i64,
    step: i64,
}

const BY_MINUTE: [Window; 2] = [Window { length: 15 * 60, step: 60 }, Window { length: HOUR, step: 120 }];
const BY_HALF_HOUR: [Window; 3] = [
    Window { length: 6 * HOUR, step: COARSE },
    Window { length: DAY, step: COARSE },
    Window { length: 3 * DAY, step: 2 * COARSE },
];

/// What is to be expected of something with this past.
///
/// ```
/// use reanimator_core::alert::{Outlook, Past, forecast};
/// let mut past = Past::default();
/// for minute in 0..300 {
///     let at = jiff::Timestamp::from_second(minute * 60)?;
///     past.push(at, 80.0 + 0.05 * minute as f64); // 3 % an hour
/// }
/// let Some(Outlook::Full { hours }) = forecast(&past).map(|forecast| forecast.outlook) else { panic!("it fills") };
/// assert!((1.0..2.5).contains(&hours));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forecast(past: &Past) -> Option<Forecast> {
    let (now, percent) = past.last()?;
    let all = past.coarse(now - 14 * DAY);
    let known = all.first().map_or(0.0, |first| now as f64 / 3600.0 - first.0);
    let followed = if known >= 24.0 { FOLLOWED } else { FOLLOWED_AT_FIRST };
    let mut looked = false;
    let mut soonest: Option<f64> = None;
    let mut see = |growth: Option<Option<f64>>, length: i64, followed: f64, ceiling: f64| {
        looked |= growth.is_some();
        let Some(slope) = growth.flatten() else { return };
        let hours = ((100.0 - percent) / slope).max(0.0);
        let told = hours <= followed * length as f64 / 3600.0 && percent > ceiling;
        if told {
            soonest = Some(soonest.map_or(hours, |known| known.min(hours)));
        }
    };
    let Usual { swing, ceiling } = usual(&all);
    for window in &BY_MINUTE {
        let points = thin(&past.minutes(now - window.length), window.step / 60);
        see(growth(&points, window), window.length, followed, ceiling);
    }
    for window in &BY_HALF_HOUR {
        let points = thin(&past.coarse(now - window.length), window.step / COARSE);
        see(growth(&points, window), window.length, followed, ceiling);
    }
    let days = highest_by_day(&all);
    let week = Window { length: 7 * DAY, step: DAY };
    let last_week: Vec<(f64, f64)> = days.iter().rev().take(7).rev().copied().collect();
    let top = last_week.last().map_or(percent, |last| last.1);
    // A day's highest is what will be at the top first.
    let by_day = growth(&last_week, &week).map(|slope| {
        let room = |slope: f64| slope * (100.0 - percent) / (100.0 - top).max(0.01);
        slope.filter(|_| top < 100.0).map(room)
    });
    let highest = usual(&days).ceiling;
    see(by_day, week.length, FOLLOWED, if top > highest { 0.0 } else { f64::INFINITY });
    let outlook = match soonest {
        Some(hours) => Outlook::Full { hours },
        None if looked => Outlook::Steady,
        None => Outlook::Unknown,
    };
    Some(Forecast { percent, swing, outlook })
}

/// By how much it grows in an hour, in percent: `None` where too little was seen, `Some(None)` where it does not grow.
fn growth(points: &[(f64, f64)], window: &Window) -> Option<Option<f64>> {
    let expected = usize::try_from(window.length / window.step).unwrap_or(usize::MAX);
    let (first, last) = (points.first()?, points.last()?);
    let span = last.0 - first.0;
    if points.len() < 5
        || points.len() * 10 < expected * 6
        || span * 3600.0 < 0.75 * (window.length - window.step) as f64
    {
        return None;
    }
    // What ends where it began is looked at no further.
    if last.1 - first.1 < LEAST_GROWTH {
        return Some(None);
    }
    let slope = theil_sen(points);
    let grown = slope * span;
    let offset = median(points.iter().map(|(at, value)| value - slope * at).collect());
    let stray = median(points.iter().map(|(at, value)| (value - slope * at - offset).abs()).collect());
    let step = points.windows(2).map(|pair| pair[1].1 - pair[0].1).fold(0.0, f64::max);
    let from = points.len() - (points.len() / 4).max(2);
    let late = (last.1 - points[from].1) / (last.0 - points[from].0);
    let real = grown >= LEAST_GROWTH && grown >= CLEARLY * stray;
    // Of few points each is a great part.
    let no_jump = step <= (JUMP * grown).max(2.5 * grown / points.len() as f64);
    Some((real && no_jump && late >= 0.5 * slope).then_some(slope))
}

/// The median of the slopes of all pairs.
fn theil_sen(points: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, (at, value)) in points.iter().enumerate() {
        let later = points[index + 1..].iter().filter(|later| later.0 > *at);
        slopes.extend(later.map(|later| (later.1 - value) / (later.0 - at)));
    }
    median(slopes)
}

/// The middle one; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Every so manieth point, the last one among them.
fn thin(points: &[(f64, f64)], every: i64) -> Vec<(f64, f64)> {
    let every = usize::try_from(every.max(1)).unwrap_or(1);
    let mut kept: Vec<(f64, f64)> = points.iter().rev().step_by(every).copied().collect();
    kept.reverse();
    kept
}

/// The highest of each day before today, and of today.
fn highest_by_day(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut days: Vec<(f64, f64)> = Vec::new();
    for (hour, value) in points {
        let day = (hour / 24.0).floor() * 24.0;
        match days.last_mut() {
            Some(last) if last.0 >= day => last.1 = last.1.max(*value),
            _ => days.push((day, *value)),
        }
    }
    days
}

/// What always happens to something.
struct Usual {
    /// By how much it rises and falls again, at most.
    swing: f64,
    /// How high it may come by that, in percent; 0 where nothing rose and fell, and where that alone would fill it.
    ceiling: f64,
}

fn usual(points: &[(f64, f64)]) -> Usual {
    let Some((_, first)) = points.first() else { return Usual { swing: 0.0, ceiling: 0.0 } };
    let (mut low, mut high, mut swing) = (*first, *first, 0.0_f64);
    for (_, value) in points {
        if *value < high - (0.5 * (high - low)).max(RIPPLE) {
            swing = swing.max(high - low);
            (low, high) = (*value, *value);
        } else if *value < low {
            (low, high) = (*value, *value);
        }
        high = high.max(*value);
    }
    let top = low + swing + RIPPLE;
    // Half as much more, but never so much that nothing is left to be told.
    let ceiling = (low + USUAL * swing + RIPPLE).min((top + 100.0) / 2.0);
    let comfort = swing >= RIPPLE && top < 99.0;
    Usual { swing, ceiling: if comfort { ceiling } else { 0.0 } }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    /// A past that a figure for each hour makes, seen every minute.
    fn past(hours: f64, percent: impl Fn(f64) -> f64) -> Past {
        let mut past = Past::default();
        for minute in 0..(hours * 60.0) as i64 {
            past.push(
                Timestamp::from_second(minute * 60).expect("a time"),
                percent(minute as f64 / 60.0).clamp(0.0, 100.0),
            );
        }
        past
    }

    fn hours(past: &Past) -> Option<f64> {
        match forecast(past).expect("something was seen").outlook {
            Outlook::Full { hours } => Some(hours),
            Outlook::Steady | Outlook::Unknown => None,
        }
    }

    #[test]
    fn growth_is_seen_whether_it_takes_an_hour_or_a_week() {
        for (known, slope, from, left) in
            [(30.0, 60.0, 60.0, 0.33), (50.0, 2.0, 60.0, 8.0), (100.0, 0.3, 60.0, 33.0), (200.0, 0.05, 88.0, 48.0)]
        {
            // Steady for most of the time where it is fast, from the beginning where it is slow.
            let begins = known - (100.0 - from - left * slope) / slope;
            let past = past(known, |hour| from + slope * (hour - begins.max(0.0)).max(0.0));
            let seen = hours(&past).unwrap_or_else(|| panic!("{slope} % an hour"));
            assert!((seen - left).abs() < 0.2 * left + 4.0, "{slope} % an hour: {seen} for {left}");
        }
    }

    #[test]
    fn what_rises_and_falls_again_is_no_growth() {
        let teeth = |hour: f64| 60.0 + 12.0 * (hour % 24.0) / 24.0;
        let backup =
            |hour: f64| if (2.0..4.0).contains(&(hour % 24.0)) { 60.0 + 7.0 * (hour % 24.0 - 2.0) } else { 60.0 };
        for length in [26.0, 36.0, 47.5, 70.0, 100.5, 167.9] {
            assert_eq!(hours(&past(length, teeth)), None, "teeth for {length} h");
            assert_eq!(hours(&past(length, backup)), None, "backups for {length} h");
        }
        for minute in 0..600 {
            let length = 72.0 + f64::from(minute) / 60.0;
            assert_eq!(hours(&past(length, backup)), None, "backups for {length} h");
        }
    }

    #[test]
    fn a_jump_is_no_growth() {
        for ago in [0.1, 0.5, 3.0, 12.0, 40.0] {
            let past = past(80.0, |hour| if hour > 80.0 - ago { 85.0 } else { 60.0 });
            assert_eq!(hours(&past), None, "a film was copied {ago} h ago");
        }
    }

    #[test]
    fn growth_below_teeth_is_seen_by_its_highest() {
        let grows = |hour: f64| 74.0 + 1.5 * hour / 24.0 + 10.0 * (hour % 24.0) / 24.0;
        let left = hours(&past(191.0, grows)).expect("its teeth will reach the top");
        assert!((20.0..80.0).contains(&left), "{left}");
    }

    #[test]
    fn what_was_hardly_seen_is_not_known() {
        assert_eq!(forecast(&Past::default()), None);
        let past = past(0.05, |_| 50.0);
        assert_eq!(forecast(&past).map(|forecast| forecast.outlook), Some(Outlook::Unknown));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn noise_is_never_growth(seed in proptest::collection::vec(-1.0..1.0_f64, 97), level in 20.0..80.0_f64, size in 0.0..3.0_f64) {
            let noise = |hour: f64| level + size * seed[((hour * 60.0) as usize * 31) % 97];
            prop_assert_eq!(hours(&past(60.0, noise)), None);
        }

        #[test]
        fn what_shrinks_is_never_full(slope in 0.01..5.0_f64, level in 50.0..99.0_f64) {
            prop_assert_eq!(hours(&past(50.0, |hour| level - slope * hour)), None);
        }

        #[test]
        fn steady_growth_is_told_before_the_end(slope in 0.2..20.0_f64, noise in 0.0..0.2_f64) {
            // A day and a half of calm, and then growth until a twentieth of the time is left.
            let takes = 50.0 / slope;
            let grows = |hour: f64| 50.0 + slope * (hour - 36.0).max(0.0) + noise * (hour * 977.0).sin();
            prop_assert!(hours(&past(36.0 + takes * 0.95, grows)).is_some());
        }

        #[test]
        fn nothing_makes_it_panic(values in proptest::collection::vec((0_i64..2_000_000, -10.0..200.0_f64), 0..200)) {
            let mut past = Past::default();
            values.iter().for_each(|(second, percent)| past.push(Timestamp::from_second(*second).expect("a time"), *percent));
            let seen = forecast(&past);
            prop_assert!(seen.is_none_or(|seen| (0.0..=100.0).contains(&seen.percent)));
        }
    }
}
