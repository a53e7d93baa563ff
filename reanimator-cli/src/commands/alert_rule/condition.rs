//! When a rule is met, as it is typed.

use std::collections::BTreeSet;

use clap::{ArgGroup, Args};
use reanimator_core::{
    fleet::parse_span,
    model::{
        AlertCondition, Direction,
        attention::{AttentionKind, AttentionLevel},
    },
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::failure::{Failure, usage};

/// When a rule is met.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("condition").multiple(false))]
pub(crate) struct ConditionArgs {
    /// When a figure is beyond --enter: cpu_percent, memory_percent, disk_percent, load5, temperature_highest, ...
    #[arg(long, group = "condition", value_name = "FIGURE")]
    metric: Option<String>,
    /// When it does not answer
    #[arg(long, group = "condition", conflicts_with_all = ["enter", "leave", "below", "above"])]
    offline: bool,
    /// When it will be full soon, by its trend
    #[arg(long, group = "condition")]
    filling: bool,
    /// When it needs somebody: disk-health,pool,temperature,failed-units,backup-failed, ...
    #[arg(long, group = "condition", value_name = "KINDS", value_delimiter = ',', value_parser = word::<AttentionKind>)]
    attention: Vec<AttentionKind>,
    /// When a certificate is near its end
    #[arg(long, group = "condition")]
    certificate: bool,
    /// The level at which a figure is bad
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    enter: Option<f64>,
    /// The level at which it is well again [default: where it entered]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    leave: Option<f64>,
    /// Too little is bad, not too much
    #[arg(long)]
    below: bool,
    /// Too much is bad, not too little: what a rule begins with
    #[arg(long, conflicts_with = "below")]
    above: bool,
    /// For how long, before it is raised: 90s, 10m, 2h [default: 0s; 2m with --offline]
    #[arg(long = "for", value_name = "TIME", conflicts_with_all = ["filling", "certificate"], value_parser = seconds)]
    lasting: Option<u64>,
    /// How far ahead to look: 72h with --filling, 14d with --certificate
    #[arg(long, value_name = "TIME", conflicts_with_all = ["metric", "offline", "attention"], value_parser = seconds)]
    within: Option<u64>,
    /// With --filling, only what is at least so full
    #[arg(long, value_name = "PERCENT")]
    from_percent: Option<f64>,
    /// With --attention, only what is at least so bad: critical, warning, notice [default: warning]
    #[arg(long, value_name = "LEVEL", value_parser = word::<AttentionLevel>)]
    least: Option<AttentionLevel>,
}

/// One of the words of something that has a fixed set of them.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<u64, String> {
    // None at all is a time to wait, too.
    if matches!(text, "0" | "0s") {
        return Ok(0);
    }
    parse_span(text).map(|span| span.as_secs()).map_err(|error| reanimator_core::report(&error))
}

impl ConditionArgs {
    /// The kind of condition that is asked for by name.
    fn named(&self) -> Option<&'static str> {
        let named = [
            (self.metric.is_some(), "threshold"),
            (self.offline, "offline"),
            (self.filling, "filling"),
            (!self.attention.is_empty(), "attention"),
            (self.certificate, "certificate"),
        ];
        named.into_iter().find_map(|(given, kind)| given.then_some(kind))
    }

    /// What is given besides, each with the kinds of conditions that have it.
    fn parts(&self) -> Vec<(&'static str, &'static [&'static str])> {
        let parts: [(bool, &str, &[&str]); 8] = [
            (self.enter.is_some(), "--enter", &["threshold"]),
            (self.leave.is_some(), "--leave", &["threshold"]),
            (self.below, "--below", &["threshold"]),
            (self.above, "--above", &["threshold"]),
            (self.lasting.is_some(), "--for", &["threshold", "offline", "attention"]),
            (self.within.is_some(), "--within", &["filling", "certificate"]),
            (self.from_percent.is_some(), "--from-percent", &["filling"]),
            (self.least.is_some(), "--least", &["attention"]),
        ];
        parts.into_iter().filter_map(|(given, name, kinds)| given.then_some((name, kinds))).collect()
    }

    /// Whether anything is said of when a rule is met.
    pub(super) fn says_something(&self) -> bool {
        self.named().is_some() || !self.parts().is_empty()
    }

    /// The condition that is meant. Where it is of the same kind as the one `before`, what is not given stays as it was.
    pub(super) fn condition(&self, before: Option<&AlertCondition>) -> Result<AlertCondition, Failure> {
        let refuse = |cause: String, next: &str| usage("read when the rule is met", cause, next);
        let Some(kind) = self.named().or_else(|| before.map(AlertCondition::kind)) else {
            let next = "give --metric with --enter, --offline, --filling, --attention or --certificate";
            return Err(refuse("it does not say when it is met".to_owned(), next));
        };
        if let Some((name, _)) = self.parts().into_iter().find(|(_, kinds)| !kinds.contains(&kind)) {
            let next = "leave it out, or say by --metric, --filling, --attention or --certificate when it is met";
            return Err(refuse(format!("{name} says nothing of a rule of the kind {kind}"), next));
        }
        let before = before.filter(|before| before.kind() == kind);
        let for_seconds = |default| self.lasting.or(before.map(AlertCondition::for_seconds)).unwrap_or(default);
        let within = |per: u64, before: Option<u32>, default: u32| match self.within {
            Some(seconds) => u32::try_from(seconds.div_ceil(per)).unwrap_or(u32::MAX),
            None => before.unwrap_or(default),
        };
        Ok(match kind {
            "threshold" => return self.threshold(before, for_seconds(0)),
            "offline" => AlertCondition::Offline { for_seconds: for_seconds(120) },
            "filling" => {
                let (hours, percent) = match before {
                    Some(AlertCondition::Filling { within_hours, from_percent }) => {
                        (Some(*within_hours), Some(*from_percent))
                    }
                    _ => (None, None),
                };
                let from_percent = self.from_percent.or(percent).unwrap_or(30.0);
                AlertCondition::Filling { within_hours: within(3_600, hours, 72), from_percent }
            }
            "attention" => {
                let (kinds, least) = match before {
                    Some(AlertCondition::Attention { kinds, least, .. }) => (kinds.clone(), Some(*least)),
                    _ => (BTreeSet::new(), None),
                };
                let given: BTreeSet<AttentionKind> = self.attention.iter().copied().collect();
                let kinds = if given.is_empty() { kinds } else { given };
                let least = self.least.or(least).unwrap_or(AttentionLevel::Warning);
                AlertCondition::Attention { kinds, least, for_seconds: for_seconds(0) }
            }
            _ => {
                let days = match before {
                    Some(AlertCondition::Certificate { within_days }) => Some(*within_days),
                    _ => None,
                };
                AlertCondition::Certificate { within_days: within(86_400, days, 14) }
            }
        })
    }

    fn threshold(&self, before: Option<&AlertCondition>, for_seconds: u64) -> Result<AlertCondition, Failure> {
        let before = match before {
            Some(AlertCondition::Threshold { metric, enter, leave, direction, .. }) => {
                Some((metric, *enter, *leave, *direction))
            }
            _ => None,
        };
        let metric = self.metric.clone().or_else(|| before.map(|(metric, ..)| metric.clone()));
        let enter = self.enter.or_else(|| before.map(|(_, enter, ..)| enter));
        let (Some(metric), Some(enter)) = (metric, enter) else {
            let next = "give --enter with the level at which it is bad";
            return Err(usage("read when the rule is met", "a figure needs a level", next));
        };
        let leave = self.leave.or_else(|| before.map(|(_, _, leave, _)| leave)).unwrap_or(enter);
        let direction = match (self.below, self.above) {
            (true, _) => Direction::Below,
            (_, true) => Direction::Above,
            _ => before.map(|(.., direction)| direction).unwrap_or_default(),
        };
        Ok(AlertCondition::Threshold { metric, enter, leave, for_seconds, direction })
    }
}
