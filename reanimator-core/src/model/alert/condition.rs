//! When a rule is met.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::super::attention::{AttentionKind, AttentionLevel};
use crate::{Error, ErrorKind, Result};

/// The longest time that something has to last, in seconds: a week.
const LONGEST: u64 = 7 * 24 * 60 * 60;
/// The furthest that a trend is followed, in hours: 30 days. The past that it is made of is a week.
const FURTHEST: u32 = 30 * 24;
/// How many days before its end a certificate may be told of: no public one holds for longer than 398, and one that a
/// Proxmox node makes for itself holds for two years.
const CERTIFICATE_DAYS: u32 = 730;
/// Figures and bounds are no greater than this: room for every amount of bytes.
const GREATEST: f64 = 1e18;

/// When a rule is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AlertCondition {
    /// A figure is beyond a level for a while. It resolves only beyond another level, so that a figure that trembles about
    /// one of them rings once.
    Threshold {
        /// The figure: a name of the history, or `memory_percent`, `swap_percent`, `disk_percent`.
        metric: String,
        /// Raised when it is there or beyond.
        enter: f64,
        /// Resolved when it is back there.
        leave: f64,
        /// For how many seconds, before it is raised. Defaults to 0.
        #[serde(default)]
        for_seconds: u64,
        /// Which way is bad. Defaults to above.
        #[serde(default)]
        direction: Direction,
    },
    /// It does not answer for a while.
    Offline {
        /// For how many seconds. Defaults to 120.
        #[serde(default = "two_minutes")]
        for_seconds: u64,
    },
    /// It will be full soon, by its trend.
    Filling {
        /// Within how many hours it would be full. Defaults to 72.
        #[serde(default = "three_days")]
        within_hours: u32,
        /// Only what is at least so full, in percent. Defaults to 30.
        #[serde(default = "thirty")]
        from_percent: f64,
    },
    /// Something needs somebody, as the dashboard tells.
    Attention {
        /// Of which kinds.
        kinds: BTreeSet<AttentionKind>,
        /// Only what is at least so bad. Defaults to warning.
        #[serde(default = "warning")]
        least: AttentionLevel,
        /// For how many seconds, before it is raised. Defaults to 0.
        #[serde(default)]
        for_seconds: u64,
    },
    /// A certificate is near its end.
    Certificate {
        /// Within how many days, up to 730. Defaults to 14.
        #[serde(default = "two_weeks")]
        within_days: u32,
    },
}

/// Which way is bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Too much is bad.
    #[default]
    Above,
    /// Too little is bad.
    Below,
}

const fn two_minutes() -> u64 {
    120
}

const fn three_days() -> u32 {
    72
}

const fn thirty() -> f64 {
    30.0
}

const fn warning() -> AttentionLevel {
    AttentionLevel::Warning
}

const fn two_weeks() -> u32 {
    14
}

impl AlertCondition {
    /// `threshold`, `offline`, `filling`, `attention`, `certificate`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Threshold { .. } => "threshold",
            Self::Offline { .. } => "offline",
            Self::Filling { .. } => "filling",
            Self::Attention { .. } => "attention",
            Self::Certificate { .. } => "certificate",
        }
    }

    /// For how many seconds it has to be so, before it is raised.
    pub const fn for_seconds(&self) -> u64 {
        match self {
            Self::Threshold { for_seconds, .. }
            | Self::Offline { for_seconds }
            | Self::Attention { for_seconds, .. } => *for_seconds,
            Self::Filling { .. } | Self::Certificate { .. } => 0,
        }
    }

    /// The figure that it looks at.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Self::Threshold { metric, .. } => Some(metric),
            _ => None,
        }
    }

    /// Refuses one that could never be met, or never be left. Whether its figure is kept is not looked at here.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: String, next: &str| {
            Err(Error::new(ErrorKind::Invalid, "take the condition of the alert rule").because(cause).next(next))
        };
        if self.for_seconds() > LONGEST {
            return refuse(format!("it waits for {} s", self.for_seconds()), "let it wait for a week at most");
        }
        match self {
            Self::Threshold { enter, leave, direction, .. } => {
                let sound = |level: &f64| level.is_finite() && level.abs() <= GREATEST;
                if !sound(enter) || !sound(leave) {
                    return refuse("a level is no number, or too great".to_owned(), "give levels as numbers");
                }
                let back = match direction {
                    Direction::Above => leave <= enter,
                    Direction::Below => leave >= enter,
                };
                if !back {
                    let next = "above: leave is at or below enter; below: at or above it";
                    return refuse(format!("it enters at {enter} and leaves at {leave}, which is further on"), next);
                }
                Ok(())
            }
            Self::Filling { within_hours, from_percent } => {
                if !(1..=FURTHEST).contains(within_hours) {
                    return refuse(format!("it looks {within_hours} hours ahead"), "look 1 to 720 hours ahead");
                }
                if !(0.0..=99.0).contains(from_percent) {
                    return refuse(format!("it begins at {from_percent} %"), "begin at 0 to 99 percent");
                }
                Ok(())
            }
            Self::Attention { kinds, .. } if kinds.is_empty() => {
                refuse("it names no kind of trouble".to_owned(), "name one or more: disk-health, failed-units, ...")
            }
            Self::Certificate { within_days } if !(1..=CERTIFICATE_DAYS).contains(within_days) => {
                refuse(format!("it looks {within_days} days ahead"), "look 1 to 730 days ahead")
            }
            Self::Offline { .. } | Self::Attention { .. } | Self::Certificate { .. } => Ok(()),
        }
    }
}

/// For people: `cpu_percent at or above 95 for 10 min, until 90`.
impl fmt::Display for AlertCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold { metric, enter, leave, direction, .. } => {
                let way = match direction {
                    Direction::Above => "above",
                    Direction::Below => "below",
                };
                write!(f, "{metric} at or {way} {enter}")?;
                lasting(f, self.for_seconds())?;
                write!(f, ", until {leave}")
            }
            Self::Offline { for_seconds } => {
                f.write_str("does not answer")?;
                lasting(f, *for_seconds)
            }
            Self::Filling { within_hours, from_percent } => {
                write!(f, "full within {within_hours} h by its trend, from {from_percent} % on")
            }
            Self::Attention { kinds, for_seconds, .. } => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                f.write_str(&kinds.join(", "))?;
                lasting(f, *for_seconds)
            }
            Self::Certificate { within_days } => write!(f, "a certificate ends within {within_days} days"),
        }
    }
}

fn lasting(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    match seconds {
        0 => Ok(()),
        seconds if seconds % 3600 == 0 => write!(f, " for {} h", seconds / 3600),
        seconds if seconds % 60 == 0 => write!(f, " for {} min", seconds / 60),
        seconds => write!(f, " for {seconds} s"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn read(text: &str) -> AlertCondition {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn conditions_say_themselves() {
        for (text, words) in [
            (
                r#"{"kind":"threshold","metric":"memory_percent","enter":95,"leave":90,"for_seconds":600}"#,
                "memory_percent at or above 95 for 10 min, until 90",
            ),
            (r#"{"kind":"offline"}"#, "does not answer for 2 min"),
            (r#"{"kind":"filling"}"#, "full within 72 h by its trend, from 30 % on"),
            (
                r#"{"kind":"attention","kinds":["failed-units","disk-health"],"for_seconds":90}"#,
                "disk-health, failed-units for 90 s",
            ),
            (r#"{"kind":"certificate"}"#, "a certificate ends within 14 days"),
        ] {
            let condition = read(text);
            condition.check().unwrap();
            assert_eq!(condition.to_string(), words);
        }
    }

    #[test]
    fn one_that_could_never_be_met_or_left_is_refused_by_its_fault() {
        for (text, word) in [
            (r#"{"kind":"threshold","metric":"load1","enter":5,"leave":6}"#, "further on"),
            (r#"{"kind":"threshold","metric":"load1","enter":5,"leave":4,"direction":"below"}"#, "further on"),
            (r#"{"kind":"threshold","metric":"load1","enter":5,"leave":4,"for_seconds":700000}"#, "week"),
            (r#"{"kind":"filling","within_hours":0}"#, "720"),
            (r#"{"kind":"filling","from_percent":100}"#, "99"),
            (r#"{"kind":"attention","kinds":[]}"#, "kind"),
            (r#"{"kind":"certificate","within_days":731}"#, "730"),
            (r#"{"kind":"certificate","within_days":0}"#, "730"),
        ] {
            let error = read(text).check().unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && crate::report(&error).contains(word), "{text}");
        }
    }
}
