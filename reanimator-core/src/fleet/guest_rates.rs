//! Counters of guests turned into rates: pure.
//!
//! A cluster's nodes tell each other their guests' counters every ten seconds, and we look about as often: two looks
//! may meet the same counters, and the next one then sees twenty seconds' worth. So a rate is taken from one change of
//! the counters to the next, and holds in between.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::model::{Bytes, ClusterSnapshot, GuestCounters, GuestId, GuestRates};

/// After this long without any change a guest is idle: no node is silent that long and still online.
const IDLE_AFTER: Duration = Duration::from_secs(25);

/// The counters of each guest when they last changed, and the rates since the change before.
pub(super) type Marks = BTreeMap<GuestId, Mark>;

/// Counters at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    at: Timestamp,
    counters: GuestCounters,
    rates: Option<GuestRates>,
}

/// Gives the guests of a snapshot their rates.
pub(super) fn add(marks: &mut Marks, snapshot: &mut ClusterSnapshot) {
    let mut now = Marks::new();
    for guest in &mut snapshot.guests {
        let Some(counters) = guest.counters else { continue };
        let mark = next(marks.get(&guest.id), counters, snapshot.at);
        guest.rates = mark.rates;
        now.insert(guest.id.clone(), mark);
    }
    *marks = now;
}

fn next(before: Option<&Mark>, counters: GuestCounters, at: Timestamp) -> Mark {
    let fresh = Mark { at, counters, rates: None };
    let Some(before) = before else { return fresh };
    let seconds = at.duration_since(before.at).as_secs_f64();
    match before.counters == counters {
        true if seconds < IDLE_AFTER.as_secs_f64() => *before,
        true => Mark { rates: Some(GuestRates::default()), ..fresh },
        // It was restarted, or our clock was set back.
        false => Mark { rates: rates(&before.counters, &counters, seconds), ..fresh },
    }
}

fn rates(before: &GuestCounters, now: &GuestCounters, seconds: f64) -> Option<GuestRates> {
    if seconds <= 0.0 {
        return None;
    }
    let rate = |before: Bytes, now: Bytes| Some(now.0.checked_sub(before.0)? as f64 / seconds);
    Some(GuestRates {
        disk_read_bytes_per_second: rate(before.disk_read_bytes, now.disk_read_bytes)?,
        disk_written_bytes_per_second: rate(before.disk_written_bytes, now.disk_written_bytes)?,
        network_received_bytes_per_second: rate(before.network_received_bytes, now.network_received_bytes)?,
        network_sent_bytes_per_second: rate(before.network_sent_bytes, now.network_sent_bytes)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(read: u64) -> GuestCounters {
        GuestCounters { disk_read_bytes: Bytes(read), ..GuestCounters::default() }
    }

    /// The rate of reading after each look: at so many seconds, with so many bytes read.
    fn read(looks: &[(i64, u64)]) -> Vec<Option<f64>> {
        let mut mark: Option<Mark> = None;
        let look = |(seconds, bytes): &(i64, u64)| {
            let at = Timestamp::from_second(*seconds).unwrap_or_default();
            let now = next(mark.as_ref(), counters(*bytes), at);
            mark = Some(now);
            now.rates.map(|rates| rates.disk_read_bytes_per_second)
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn a_look_that_meets_the_same_counters_keeps_the_rate() {
        assert_eq!(
            read(&[(0, 0), (10, 1000), (20, 1000), (30, 3000), (40, 4000)]),
            [None, Some(100.0), Some(100.0), Some(100.0), Some(100.0)]
        );
    }

    #[test]
    fn a_guest_that_does_nothing_for_long_is_idle() {
        assert_eq!(read(&[(0, 0), (10, 1000), (20, 1000), (40, 1000)]), [None, Some(100.0), Some(100.0), Some(0.0)]);
    }

    #[test]
    fn a_restart_and_a_clock_set_back_have_no_rate() {
        assert_eq!(read(&[(0, 5000), (10, 100), (20, 1100)]), [None, None, Some(100.0)]);
        assert_eq!(read(&[(100, 0), (50, 100), (60, 1100)]), [None, None, Some(100.0)]);
    }
}
