//! What a rule says of something at this moment, whatever was before.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Forecast, Outlook, Presence, Subject};
use crate::model::{
    AlertCondition, Direction,
    attention::{Attention, AttentionKind},
};

/// What is to be said of one matter now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It meets the rule.
    Bad,
    /// It neither meets the rule nor is it well.
    Between,
    /// It is well.
    Well,
    /// It was not seen.
    Unseen,
}

/// One matter that a rule sees in something.
#[derive(Clone, Debug)]
pub(super) struct Finding<'a> {
    /// Which of several; empty where there is but one.
    pub(super) item: Cow<'a, str>,
    pub(super) verdict: Verdict,
    /// Since when, where the thing itself knows.
    pub(super) since: Option<Timestamp>,
    pub(super) trouble: Option<&'a Attention>,
}

/// By these values a trouble is told from others of its kind.
const NAMES: [&str; 9] = ["disk", "pool", "certificate", "sensor", "service", "job", "resource", "guest", "section"];

/// So full that a disk is not called well because it grows no more, in percent: it may not grow because it is full.
const FULL_ANYWAY: f64 = 95.0;

/// A disk that has so much more room than when it was raised, beyond what it rises and falls by each day, is mended: in
/// percent of all.
const MENDED_BY: f64 = 3.0;

/// What a percentage is made of, where a rule may name it and the history does not keep it: the part and the whole.
pub fn derived_percent(metric: &str) -> Option<(&'static str, &'static str)> {
    match metric {
        "memory_percent" => Some(("memory_used", "memory_total")),
        "swap_percent" => Some(("swap_used", "swap_total")),
        "disk_percent" => Some(("disk_used", "disk_total")),
        _ => None,
    }
}

/// What the condition sees in the subject. What was raised and is not among them is [`absent`].
pub(super) fn judge<'a>(condition: &AlertCondition, subject: &'a Subject) -> Vec<Finding<'a>> {
    let alone = |verdict, since| vec![Finding { item: Cow::Borrowed(""), verdict, since, trouble: None }];
    match condition {
        AlertCondition::Threshold { metric, enter, leave, direction, .. } => {
            let value = subject.figures.get(metric).copied();
            alone(value.map_or(Verdict::Unseen, |value| beyond(value, *enter, *leave, *direction)), None)
        }
        AlertCondition::Offline { .. } => match subject.presence {
            Presence::Here => alone(Verdict::Well, None),
            Presence::Away { since } => alone(Verdict::Bad, since),
            Presence::Unknown | Presence::Maintenance => alone(Verdict::Unseen, None),
        },
        AlertCondition::Filling { within_hours, from_percent } => {
            let verdict = subject.forecast.map_or(Verdict::Unseen, |forecast| match forecast.outlook {
                Outlook::Full { hours } if forecast.percent >= *from_percent && hours <= f64::from(*within_hours) => {
                    Verdict::Bad
                }
                Outlook::Full { hours } if hours <= 1.5 * f64::from(*within_hours) => Verdict::Between,
                Outlook::Unknown => Verdict::Unseen,
                Outlook::Full { .. } | Outlook::Steady if forecast.percent >= FULL_ANYWAY => Verdict::Between,
                Outlook::Full { .. } | Outlook::Steady => Verdict::Well,
            });
            alone(verdict, None)
        }
        AlertCondition::Attention { kinds, least, .. } => {
            let wanted = |each: &&Attention| kinds.contains(&each.kind) && each.level <= *least;
            troubles(subject.troubles.iter().filter(wanted))
        }
        AlertCondition::Certificate { within_days } => {
            let days = |each: &Attention| each.values.get("days")?.parse::<i64>().ok();
            let near = |each: &&Attention| days(each).is_some_and(|days| days <= i64::from(*within_days));
            troubles(subject.certificates.iter().filter(near))
        }
    }
}

/// What is to be said of a matter that was raised and is seen no more.
pub(super) fn absent(condition: &AlertCondition, subject: &Subject, item: &str) -> Verdict {
    let is_of = |kind: AttentionKind| item.strip_prefix(kind.as_str()).is_some_and(|rest| !rest.starts_with('-'));
    match condition {
        AlertCondition::Attention { .. } if subject.unseen.iter().any(|kind| is_of(*kind)) => Verdict::Unseen,
        // Backups lie elsewhere: of a guest that is switched off they are seen as well.
        AlertCondition::Attention { .. } if is_of(AttentionKind::BackupOld) => Verdict::Well,
        AlertCondition::Attention { .. } | AlertCondition::Certificate { .. } => match subject.presence {
            // That a sensor is too warm is only told while sensors are read.
            Presence::Here
                if item.starts_with("temperature") && !subject.figures.contains_key("temperature_highest") =>
            {
                Verdict::Unseen
            }
            Presence::Here => Verdict::Well,
            // Of what does not answer nothing else is told.
            Presence::Away { .. } | Presence::Unknown | Presence::Maintenance => Verdict::Unseen,
        },
        AlertCondition::Threshold { .. } | AlertCondition::Offline { .. } | AlertCondition::Filling { .. } => {
            Verdict::Unseen
        }
    }
}

/// Whether a disk that was raised at that value has so much more room now that nobody need wait.
pub(super) fn is_mended(condition: &AlertCondition, subject: &Subject, raised_at: Option<f64>) -> bool {
    let filling = matches!(condition, AlertCondition::Filling { .. });
    // What falls each night has not been cleaned.
    let fell = |(then, now): (f64, Forecast)| now.percent <= then - MENDED_BY - now.swing;
    filling && raised_at.zip(subject.forecast).is_some_and(fell)
}

/// The figure that a condition is about, as it is now.
pub(super) fn value(condition: &AlertCondition, subject: &Subject) -> Option<f64> {
    match condition {
        AlertCondition::Threshold { metric, .. } => subject.figures.get(metric).copied(),
        AlertCondition::Filling { .. } => subject.forecast.map(|forecast| forecast.percent),
        AlertCondition::Offline { .. } | AlertCondition::Attention { .. } | AlertCondition::Certificate { .. } => None,
    }
}

fn beyond(value: f64, enter: f64, leave: f64, direction: Direction) -> Verdict {
    let (bad, well) = match direction {
        Direction::Above => (value >= enter, value <= leave),
        Direction::Below => (value <= enter, value >= leave),
    };
    match (bad, well) {
        // Where both levels are one, what is there is bad.
        (true, _) => Verdict::Bad,
        (false, true) => Verdict::Well,
        (false, false) => Verdict::Between,
    }
}

/// Troubles of the same thing are one matter, told by the worst of them.
fn troubles<'a>(all: impl Iterator<Item = &'a Attention>) -> Vec<Finding<'a>> {
    let mut found: Vec<Finding<'a>> = Vec::new();
    for trouble in all {
        let item = item(trouble);
        match found.iter_mut().find(|each| each.item == item) {
            Some(known) if known.trouble.is_some_and(|known| known.level <= trouble.level) => {}
            Some(known) => known.trouble = Some(trouble),
            None => found.push(Finding {
                item: item.into(),
                verdict: Verdict::Bad,
                since: trouble.since,
                trouble: Some(trouble),
            }),
        }
    }
    found
}

fn item(trouble: &Attention) -> String {
    let name = NAMES.iter().find_map(|name| trouble.values.get(*name));
    match name {
        Some(name) => format!("{} {name}", trouble.kind.as_str()),
        None => trouble.kind.as_str().to_owned(),
    }
}
