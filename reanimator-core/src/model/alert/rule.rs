//! Rules: on what they look, how bad what meets them is, and how they are changed.

use serde::{Deserialize, Serialize};

use super::{super::attention::AttentionLevel, AlertCondition};
use crate::{Error, ErrorKind, Result};

/// The longest name of a rule, in characters.
const LONGEST_NAME: usize = 64;
/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;

/// When somebody is to be told, and of what.
///
/// ```
/// use reanimator_core::model::AlertRule;
/// let rule: AlertRule = serde_json::from_str(
///     r#"{"name":"busy","hosts":"group:web","condition":{"kind":"threshold","metric":"cpu_percent","enter":95,"leave":80}}"#,
/// )?;
/// rule.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Its name, unique.
    pub name: String,
    /// Whether it looks. Defaults to so.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How bad what meets it is. Defaults to warning.
    #[serde(default = "warning")]
    pub level: AttentionLevel,
    /// Which hosts it looks at, as in selectors: `group:web,!db1`. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Which guests: names, numbers, `tag:T`, `node:N`, `kind:K`. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<String>,
    /// Which storages of clusters and local file systems of hosts: names such as `local-zfs` or `/var`, patterns, `node:N`,
    /// `cluster:C`, `all`. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storages: Option<String>,
    /// Which clusters: names, patterns, `all`. Defaults to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<String>,
    /// When it is met.
    pub condition: AlertCondition,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    pub comment: String,
    /// Whether it came with the program. It may be changed and removed like any other. Cannot be chosen.
    #[serde(default)]
    pub built_in: bool,
    /// Rises with each change of what it looks at or of when it is met. Cannot be chosen.
    #[serde(default)]
    pub revision: u64,
}

/// What to change of a rule; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AlertRuleChange {
    /// Whether it looks.
    pub enabled: Option<bool>,
    /// How bad what meets it is.
    pub level: Option<AttentionLevel>,
    /// Which hosts; none with an empty text.
    pub hosts: Option<String>,
    /// Which guests; none with an empty text.
    pub guests: Option<String>,
    /// Which storages and file systems; none with an empty text.
    pub storages: Option<String>,
    /// Which clusters; none with an empty text.
    pub clusters: Option<String>,
    /// When it is met.
    pub condition: Option<AlertCondition>,
    /// What people say of it.
    pub comment: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn warning() -> AttentionLevel {
    AttentionLevel::Warning
}

impl AlertRule {
    /// Refuses one that could never be used. Whether its selectors and its figure are sound is not looked at here.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: &str, next: &str| {
            Err(Error::new(ErrorKind::Invalid, format!("take the alert rule {:?}", self.name))
                .because(cause)
                .next(next))
        };
        let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        if self.name.is_empty() || self.name.chars().count() > LONGEST_NAME || !self.name.chars().all(fits) {
            return refuse("the name does not fit", "use 1 to 64 letters, digits and . _ -");
        }
        if [&self.hosts, &self.guests, &self.storages, &self.clusters].into_iter().all(Option::is_none) {
            return refuse("it looks at nothing", "say which hosts, guests, storages or clusters it looks at");
        }
        if self.comment.chars().count() > LONGEST_COMMENT || self.comment.chars().any(char::is_control) {
            return refuse("the comment is too long, or has a line break", "use one line of up to 500 characters");
        }
        self.condition.check()
    }

    /// With the change made. The revision rises where that makes it look anew.
    #[must_use]
    pub fn with(self, change: AlertRuleChange) -> Self {
        let set = |new: Option<String>, old: Option<String>| match new {
            Some(text) if text.trim().is_empty() => None,
            Some(text) => Some(text),
            None => old,
        };
        let before = self.clone();
        let mut rule = Self {
            enabled: change.enabled.unwrap_or(self.enabled),
            level: change.level.unwrap_or(self.level),
            hosts: set(change.hosts, self.hosts),
            guests: set(change.guests, self.guests),
            storages: set(change.storages, self.storages),
            clusters: set(change.clusters, self.clusters),
            condition: change.condition.unwrap_or(self.condition),
            comment: change.comment.unwrap_or(self.comment),
            ..before.clone()
        };
        let unlike = |rule: &Self| Self { comment: before.comment.clone(), ..rule.clone() } != before;
        if unlike(&rule) {
            rule.revision = rule.revision.saturating_add(1);
        }
        rule
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn rule() -> AlertRule {
        serde_json::from_str(r#"{"name":"away","hosts":"all","condition":{"kind":"offline"}}"#).unwrap()
    }

    #[test]
    fn only_a_change_of_what_counts_lets_it_look_anew() {
        let change = |text: &str| rule().with(serde_json::from_str(text).unwrap());
        assert_eq!(change(r#"{"comment":"for the night"}"#).revision, 0);
        assert_eq!(change(r#"{"enabled":true}"#).revision, 0);
        assert_eq!(change(r#"{"level":"critical"}"#).revision, 1);
        assert_eq!(change(r#"{"hosts":"web*"}"#).hosts.as_deref(), Some("web*"));
        assert_eq!(change(r#"{"condition":{"kind":"offline","for_seconds":5}}"#).revision, 1);
        assert!(change(r#"{"hosts":""}"#).check().is_err());
    }

    #[test]
    fn one_that_could_never_be_used_is_refused_by_its_fault() {
        rule().check().unwrap();
        for (rule, word) in [
            (AlertRule { name: "a b".into(), ..rule() }, "letters"),
            (AlertRule { hosts: None, ..rule() }, "nothing"),
            (AlertRule { comment: "a\nb".into(), ..rule() }, "line"),
        ] {
            assert!(crate::report(&rule.check().unwrap_err()).contains(word));
        }
    }
}
