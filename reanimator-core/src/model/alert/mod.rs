//! Alerts: what somebody has to be told of, and the rules that say when.
//!
//! An [`AlertRule`] says on what it looks and when it is met; an [`Alert`] is one matter that met one, from the moment it was
//! raised until it resolved. What moves between the two is the pure room [`alert`](crate::alert).

mod condition;
mod defaults;
mod rule;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attention::AttentionLevel;

pub use condition::{AlertCondition, Direction};
pub use defaults::default_rules;
pub use rule::{AlertRule, AlertRuleChange};

/// One matter that met a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its id; ids are in the order in which alerts were raised.
    pub id: String,
    /// The name of the rule that it met.
    pub rule: String,
    /// Which version of that rule: a rule that is changed begins anew.
    pub revision: u64,
    /// What kind of condition: `threshold`, `offline`, `filling`, `attention` or `certificate`.
    pub kind: String,
    /// How bad it is, as the rule says.
    pub level: AttentionLevel,
    /// What it is about: `host:ID`, `guest:ID`, `storage:ID`, `cluster:ID`.
    pub entity: String,
    /// Its name.
    pub name: String,
    /// Which of several matters of it: a disk, a certificate. Empty where there is but one.
    pub item: String,
    /// What, in an English sentence.
    pub text: String,
    /// What a sentence about it takes, as text.
    pub values: BTreeMap<String, String>,
    /// How far it is.
    pub state: AlertState,
    /// Since when it has been so.
    pub since: Timestamp,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When its text and value were last brought up to date.
    pub at: Timestamp,
    /// The figure that met the rule, where it is about one.
    pub value: Option<f64>,
    /// How often it came: more than once where it resolved and soon came back.
    pub times: u32,
    /// Who has acknowledged it.
    pub acknowledged_by: Option<String>,
    /// When that was.
    pub acknowledged_at: Option<Timestamp>,
    /// What that person said.
    pub comment: String,
    /// When it resolved.
    pub resolved_at: Option<Timestamp>,
    /// Why it resolved.
    pub resolution: Option<Resolution>,
}

impl Alert {
    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.state != AlertState::Resolved
    }

    /// What groups everything that is said of this matter.
    pub fn key(&self) -> String {
        format!("alert:{}:{}:{}", self.rule, self.entity, self.item)
    }
}

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// It goes on, and nobody has said that they know.
    Active,
    /// It goes on, and somebody knows.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// `active`, `acknowledged`, `resolved`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an alert resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// It is well again.
    Well,
    /// Its rule was changed, and looks anew.
    RuleChanged,
    /// Its rule was removed or switched off.
    RuleRemoved,
    /// Its rule does not look at it any more.
    NotCovered,
    /// It is not in the fleet any more.
    Gone,
}

impl Resolution {
    /// The same for people, behind the name of the thing.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Well => "is well again",
            Self::RuleChanged => "is looked at anew: the rule was changed",
            Self::RuleRemoved => "is not looked at any more: the rule was removed or switched off",
            Self::NotCovered => "is not looked at any more: the rule does not cover it now",
            Self::Gone => "is not in the fleet any more",
        }
    }
}

/// Which alerts are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that go on, or only those that are over. Defaults to all.
    pub open: Option<bool>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those about this: `host:ID`.
    pub entity: Option<String>,
    /// Only those raised before the one with this id: the next page.
    pub before: Option<String>,
    /// At most so many; the store gives 1,000 at most.
    pub limit: u32,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn states_and_resolutions_have_one_word_each() {
        for state in [AlertState::Active, AlertState::Acknowledged, AlertState::Resolved] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(serde_json::to_value(Resolution::RuleChanged).unwrap(), "rule-changed");
    }
}
