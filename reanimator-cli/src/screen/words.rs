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

/// A figure of the history in the unit that its name says.
pub(crate) fn figure(name: &str, value: f64) -> String {
    let is = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match name {
        _ if is(&["hosts", "guests"]) => format!("{value:.1}"),
        _ if is(&["percent", "pressure", "iowait", "steal", "busy"]) => format!("{value:.1} %"),
        _ if is(&["uptime"]) => span(value),
        _ if is(&["temperature"]) => format!("{value:.1} °C"),
        _ if is(&["received", "sent", "disk_read", "disk_written"]) && !is(&["ops"]) => {
            format!("{}/s", Bytes(value.max(0.0) as u64))
        }
        _ if is(&["used", "total"]) => Bytes(value.max(0.0) as u64).to_string(),
        _ => format!("{value:.2}"),
    }
}

/// A curve in one line, from the least to the most of what was seen; a gap is a blank.
pub(crate) fn curve(values: &[Option<f64>], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let seen = || values.iter().flatten().copied();
    let (least, most) = (seen().fold(f64::INFINITY, f64::min), seen().fold(f64::NEG_INFINITY, f64::max));
    let bar = |part: &[Option<f64>]| {
        let seen: Vec<f64> = part.iter().flatten().copied().collect();
        if seen.is_empty() {
            return ' ';
        }
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        let share = if most > least { (mean - least) / (most - least) } else { 0.0 };
        BARS[((share * 7.0).round() as usize).min(7)]
    };
    let size = values.len().div_ceil(width.max(1)).max(1);
    values.chunks(size).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_the_unit_that_fits() {
        assert_eq!([7.4, 99.0, 120.0, 7200.0, 864_000.0].map(span), ["7 s", "99 s", "2 min", "2 h", "10 d"]);
    }

    #[test]
    fn a_curve_shows_gaps_and_never_is_wider_than_asked() {
        assert_eq!(curve(&[Some(0.0), None, Some(7.0), Some(3.5)], 4), "▁ █▅");
        assert_eq!(curve(&[Some(5.0); 100], 10).chars().count(), 10);
        assert_eq!(curve(&[], 10), "");
    }

    #[test]
    fn figures_have_the_unit_of_their_name() {
        assert_eq!(figure("memory_used", 1_073_741_824.0), "1.0 GiB");
        assert_eq!(figure("network_received", 2048.0), "2.0 KiB/s");
        assert_eq!(figure("cpu_percent", 12.34), "12.3 %");
        assert_eq!(figure("load1", 1.0), "1.00");
    }

    #[test]
    fn no_share_of_nothing() {
        assert_eq!(share(Bytes(0), Bytes(0)), None);
        assert_eq!(share(Bytes(512), Bytes(1024)).as_deref(), Some("50 % of 1.0 KiB"));
    }
}
