//! What an alert says, in an English sentence and in the values that other languages make one of.

use std::collections::BTreeMap;

use super::{Outlook, Subject, judge::Finding};
use crate::model::{Alert, AlertCondition, AlertRule, Direction};

/// The sentence of a matter, and what it is made of.
pub(super) fn of(rule: &AlertRule, subject: &Subject, finding: &Finding<'_>) -> (String, BTreeMap<String, String>) {
    let mut values = BTreeMap::new();
    let mut with = |name: &str, value: String| drop(values.insert(name.to_owned(), value));
    let text = match &rule.condition {
        AlertCondition::Threshold { metric, enter, leave, direction, .. } => {
            let value = subject.figures.get(metric).copied();
            with("metric", metric.clone());
            // Plain numbers: each language writes them its own way.
            value.into_iter().for_each(|value| with("value", plain(value)));
            with("enter", plain(*enter));
            with("leave", plain(*leave));
            let way = match direction {
                Direction::Above => "above",
                Direction::Below => "below",
            };
            with("direction", way.to_owned());
            let value = value.map_or_else(|| "?".to_owned(), |value| figure(metric, value));
            format!("{metric} is {value}, {way} {}", figure(metric, *enter))
        }
        AlertCondition::Offline { .. } => "it does not answer".to_owned(),
        AlertCondition::Filling { .. } => match subject.forecast.map(|forecast| (forecast.percent, forecast.outlook)) {
            Some((percent, Outlook::Full { hours })) => {
                with("percent", format!("{percent:.0}"));
                with("hours", format!("{:.0}", hours.max(1.0)));
                format!("it will be full in {}, by its trend: {percent:.0} % now", span(hours))
            }
            _ => "it will be full soon, by its trend".to_owned(),
        },
        AlertCondition::Attention { .. } | AlertCondition::Certificate { .. } => {
            let Some(trouble) = finding.trouble else { return (rule.comment.clone(), values) };
            values.clone_from(&trouble.values);
            values.insert("kind".to_owned(), trouble.kind.as_str().to_owned());
            trouble.what.clone()
        }
    };
    (text, values)
}

/// The title of what is said of an alert: `web1: it does not answer`.
///
/// ```
/// # use reanimator_core::{alert::said_of, model::Alert};
/// # fn example(alert: &Alert) -> String {
/// said_of(alert)
/// # }
/// ```
pub fn said_of(alert: &Alert) -> String {
    format!("{}: {}", alert.name, alert.text)
}

/// `95 %`, `3.2 GiB`, `12.5`.
fn figure(metric: &str, value: f64) -> String {
    let is = |end: &str| metric.ends_with(end);
    if is("_percent") || metric.starts_with("pressure_") || ["cpu_iowait", "cpu_steal", "disk_busy"].contains(&metric) {
        return format!("{value:.0} %");
    }
    if metric.starts_with("temperature") {
        return format!("{value:.0} °C");
    }
    let rate = ["network_received", "network_sent", "disk_read", "disk_written"].contains(&metric);
    if rate || is("_used") || is("_total") || metric == "used" || metric == "total" {
        return format!("{}{}", bytes(value), if rate { "/s" } else { "" });
    }
    if is("_seconds") {
        return format!("{value:.0} s");
    }
    plain(value)
}

/// A number with two decimals, without zeros at the end.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (value, 0);
    while value.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `40 minutes`, `7 hours`, `3 days`.
fn span(hours: f64) -> String {
    let (number, word) = match hours {
        hours if hours < 1.5 => ((hours * 60.0).max(1.0), "minute"),
        hours if hours < 48.0 => (hours, "hour"),
        hours => (hours / 24.0, "day"),
    };
    let number = number.round();
    format!("{number:.0} {word}{}", if (number - 1.0).abs() < 0.5 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_spans_are_said_as_people_say_them() {
        let said = [
            figure("cpu_percent", 95.4),
            figure("memory_used", 3.2 * 1073741824.0),
            figure("network_sent", 512.0),
            figure("load1", 12.5),
            figure("temperature_highest", 81.2),
        ];
        assert_eq!(said, ["95 %", "3.2 GiB", "512 B/s", "12.5", "81 °C"]);
        assert_eq!([span(0.5), span(1.6), span(47.0), span(72.0)], ["30 minutes", "2 hours", "47 hours", "3 days"]);
    }
}
