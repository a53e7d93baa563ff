//! How full something was, as far back as a trend needs it: the last two hours by the minute, two weeks by the half hour.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Points by the minute that are kept.
const MINUTES: usize = 120;
/// Seconds of a coarse point.
pub(super) const COARSE: i64 = 30 * 60;
/// Coarse points that are kept: two weeks.
const COARSE_KEPT: usize = 14 * 48;

/// How full something was. About 10 KiB for two weeks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// By the minute since 1970: the last figure of each.
    minutes: VecDeque<(i64, f32)>,
    /// By the half hour since 1970: averages of those that are over.
    coarse: VecDeque<(i64, f32)>,
    /// The half hour that goes on: which, how many figures, their sum.
    going_on: Option<(i64, u32, f64)>,
}

impl Past {
    /// A past out of averages that somebody kept, in the order of time. What is no percentage is left out.
    pub fn of(averages: impl IntoIterator<Item = (Timestamp, f64)>) -> Self {
        let mut past = Self::default();
        for (at, percent) in averages {
            past.coarsely(at.as_second(), percent);
        }
        past
    }

    /// Takes a figure in, in percent. One that is older than the last, and what is no percentage, is left out.
    pub fn push(&mut self, at: Timestamp, percent: f64) {
        let second = at.as_second();
        if !self.coarsely(second, percent) {
            return;
        }
        let minute = second.div_euclid(60);
        match self.minutes.back_mut() {
            Some(last) if last.0 == minute => last.1 = percent as f32,
            Some(last) if last.0 > minute => {}
            _ => self.minutes.push_back((minute, percent as f32)),
        }
        while self.minutes.len() > MINUTES {
            self.minutes.pop_front();
        }
    }

    fn coarsely(&mut self, second: i64, percent: f64) -> bool {
        let span = second.div_euclid(COARSE);
        if !(0.0..=100.0).contains(&percent) || self.going_on.is_some_and(|(last, ..)| span < last) {
            return false;
        }
        self.going_on = match self.going_on {
            Some((last, count, sum)) if last == span => Some((span, count.saturating_add(1), sum + percent)),
            over => {
                if let Some((last, count, sum)) = over {
                    self.coarse.push_back((last, (sum / f64::from(count)) as f32));
                }
                Some((span, 1, percent))
            }
        };
        while self.coarse.len() > COARSE_KEPT {
            self.coarse.pop_front();
        }
        true
    }

    /// When the last figure was seen, in seconds since 1970, and what it was; only known of what was pushed.
    pub(super) fn last(&self) -> Option<(i64, f64)> {
        self.minutes.back().map(|(minute, percent)| (minute * 60, f64::from(*percent)))
    }

    /// Points by the minute from then on: hours since 1970, and percent.
    pub(super) fn minutes(&self, from_second: i64) -> Vec<(f64, f64)> {
        let later = self.minutes.iter().filter(|(minute, _)| minute * 60 >= from_second);
        later.map(|(minute, percent)| (*minute as f64 / 60.0, f64::from(*percent))).collect()
    }

    /// Points by the half hour from then on, the last one being the half hour that goes on.
    pub(super) fn coarse(&self, from_second: i64) -> Vec<(f64, f64)> {
        let going_on = self.going_on.map(|(span, count, sum)| (span, (sum / f64::from(count)) as f32));
        let all = self.coarse.iter().copied().chain(going_on);
        let later = all.filter(|(span, _)| span * COARSE >= from_second);
        later.map(|(span, percent)| ((span * COARSE) as f64 / 3600.0, f64::from(percent))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn it_is_bounded_and_keeps_the_order_of_time() {
        let mut past = Past::default();
        for second in (0..20 * 24 * 3600).step_by(60) {
            past.push(at(second), 50.0);
        }
        past.push(at(10), 1.0);
        past.push(at(30 * 24 * 3600), f64::NAN);
        assert_eq!((past.minutes.len(), past.coarse.len()), (MINUTES, COARSE_KEPT));
        assert_eq!(past.last(), Some((20 * 24 * 3600 - 60, 50.0)));
        assert!(past.coarse(0).iter().all(|(_, percent)| (percent - 50.0).abs() < 0.001));
    }

    #[test]
    fn half_hours_are_averages() {
        let mut past = Past::of([(at(0), 10.0), (at(600), 20.0), (at(1800), 40.0)]);
        past.push(at(3600), 60.0);
        assert_eq!(past.coarse(0), [(0.0, 15.0), (0.5, 40.0), (1.0, 60.0)]);
        assert_eq!(past.minutes(0), [(1.0, 60.0)]);
    }
}
