//! Figures as people read them.

use jiff::Timestamp;
use reanimator_core::model::{Bytes, HostState, HostView};

use super::Cell;

/// Older than this, a figure is marked as stale: three rounds of the live loop.
pub(crate) const STALE_SECONDS: f64 = 30.0;

/// `12 %`
pub(crate) fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

/// `1.5 GiB of 8.0 GiB`, with the share first: `19 % of 8.0 GiB`.
pub(crate) fn share(used: Bytes, total: Bytes) -> Option<String> {
    (total.0 > 0).then(|| format!("{} of {total}", percent(used.0 as f64 * 100.0 / total.0 as f64)))
}

/// A span of time in its largest unit: `7 s`, `3 min`, `5 h`, `12 d`.
pub(crate) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// How old the figures of a host are, with the word for those that are too old.
pub(crate) fn age(host: &HostView) -> Cell {
    match host.age_seconds {
        None => Cell::from("never").dim(),
        Some(seconds) if seconds > STALE_SECONDS => Cell::from(format!("{} stale", span(seconds))).warn(),
        Some(seconds) => Cell::from(span(seconds)),
    }
}

/// The state of a host, by word and by colour.
pub(crate) fn state(state: HostState) -> Cell {
    let cell = Cell::from(state.as_str());
    match state {
        HostState::Online => cell.good(),
        HostState::Offline => cell.bad(),
        HostState::Unknown => cell.warn(),
        HostState::Maintenance => cell.dim(),
    }
}

/// A time of day for a list: `2026-11-21 04:01:36Z`.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Words in a row: `a, b`, or nothing.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    words.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// `1 host`, `3 hosts`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_the_unit_that_fits() {
        assert_eq!([7.4, 99.0, 120.0, 7200.0, 864_000.0].map(span), ["7 s", "99 s", "2 min", "2 h", "10 d"]);
    }

    #[test]
    fn no_share_of_nothing() {
        assert_eq!(share(Bytes(0), Bytes(0)), None);
        assert_eq!(share(Bytes(512), Bytes(1024)).as_deref(), Some("50 % of 1.0 KiB"));
    }
}
