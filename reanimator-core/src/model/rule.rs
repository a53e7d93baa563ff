//! The rules by which nothing is harmed, and what they say against an action.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// A rule that an action must not break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A cluster keeps its quorum.
    Quorum,
    /// What high availability looks after stays where it may be, and is not taken from it.
    Ha,
    /// Guests that belong together or apart stay so, and pinned ones stay on their nodes.
    Affinity,
    /// A target answers, is in the cluster, and is not in maintenance.
    Target,
    /// A target has the memory that the guest needs, and its reserve.
    Memory,
    /// A target has as many processors as the VM.
    Processors,
    /// A target has the storages that the guest needs, with room on them.
    Storage,
    /// A target has the bridges that the guest's network cards hang on.
    Bridge,
    /// A guest with a device of its node stays on it.
    Passthrough,
    /// A guest with disks on storage of its node is not moved without them.
    LocalDisks,
    /// What Proxmox has locked is left alone.
    Locked,
    /// Proxmox itself says that it can be moved.
    Preconditions,
    /// A host with running guests is not switched off.
    RunningGuests,
    /// The last server that answers DNS is not taken away.
    LastDns,
    /// The last server that answers DHCP is not taken away.
    LastDhcp,
    /// The machine that Reanimator runs on is not switched off.
    OwnMachine,
    /// What Reanimator reaches others through is not switched off.
    OwnPath,
    /// What somebody has protected is left alone.
    Protected,
    /// What has maintenance windows is disturbed in them only.
    Window,
    /// No more is done to one host or cluster at once than was allowed.
    Cap,
}

/// What a rule says against an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Objection {
    /// Which rule.
    pub rule: Rule,
    /// Why, naming what it is about: `pve2 has 3.1 GiB of memory left, and guest mail needs 4`.
    pub why: String,
    /// Whether an admin may go on in spite of it.
    pub can_override: bool,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Quorum,
        Self::Ha,
        Self::Affinity,
        Self::Target,
        Self::Memory,
        Self::Processors,
        Self::Storage,
        Self::Bridge,
        Self::Passthrough,
        Self::LocalDisks,
        Self::Locked,
        Self::Preconditions,
        Self::RunningGuests,
        Self::LastDns,
        Self::LastDhcp,
        Self::OwnMachine,
        Self::OwnPath,
        Self::Protected,
        Self::Window,
        Self::Cap,
    ];

    /// As it stands in JSON, and as it is overridden by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quorum => "quorum",
            Self::Ha => "ha",
            Self::Affinity => "affinity",
            Self::Target => "target",
            Self::Memory => "memory",
            Self::Processors => "processors",
            Self::Storage => "storage",
            Self::Bridge => "bridge",
            Self::Passthrough => "passthrough",
            Self::LocalDisks => "local-disks",
            Self::Locked => "locked",
            Self::Preconditions => "preconditions",
            Self::RunningGuests => "running-guests",
            Self::LastDns => "last-dns",
            Self::LastDhcp => "last-dhcp",
            Self::OwnMachine => "own-machine",
            Self::OwnPath => "own-path",
            Self::Protected => "protected",
            Self::Window => "window",
            Self::Cap => "cap",
        }
    }

    /// What it asks for, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Quorum => "A cluster keeps its quorum.",
            Self::Ha => "What high availability looks after stays where it may be, and is not taken from it.",
            Self::Affinity => "Guests that belong together or apart stay so, and pinned ones stay on their nodes.",
            Self::Target => "A target answers, is in the cluster, and is not in maintenance.",
            Self::Memory => "A target has the memory that the guest needs, and its reserve.",
            Self::Processors => "A target has as many processors as the VM.",
            Self::Storage => "A target has the storages that the guest needs, with room on them.",
            Self::Bridge => "A target has the bridges that the guest's network cards hang on.",
            Self::Passthrough => "A guest with a device of its node stays on it.",
            Self::LocalDisks => "A guest with disks on storage of its node is not moved without them.",
            Self::Locked => "What Proxmox has locked is left alone.",
            Self::Preconditions => "Proxmox itself says that the guest can be moved.",
            Self::RunningGuests => "A host with running guests is not switched off.",
            Self::LastDns => "The last server that answers DNS is not taken away.",
            Self::LastDhcp => "The last server that answers DHCP is not taken away.",
            Self::OwnMachine => "The machine that Reanimator runs on is not switched off.",
            Self::OwnPath => "What Reanimator reaches others through is not switched off.",
            Self::Protected => "What somebody has protected is left alone.",
            Self::Window => "What has maintenance windows is disturbed in them only.",
            Self::Cap => "No more is done to one host or cluster at once than was allowed.",
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|rule| rule.as_str()).collect();
            Error::new(ErrorKind::Invalid, format!("read {text:?} as a rule"))
                .because("there is no such rule")
                .next(format!("use one of {}", all.join(", ")))
        })
    }
}

/// A rule, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleView {
    /// Which.
    pub id: Rule,
    /// What it asks for.
    pub sentence: String,
}

impl RuleView {
    /// All rules.
    pub fn all() -> Vec<Self> {
        Rule::ALL.into_iter().map(|id| Self { id, sentence: id.sentence().to_owned() }).collect()
    }
}

impl Objection {
    /// One that an admin may go on in spite of.
    pub fn new(rule: Rule, why: impl Into<String>) -> Self {
        Self { rule, why: why.into(), can_override: true }
    }

    /// One that nobody may, as it would come to nothing: the far side refuses it too.
    pub fn for_good(rule: Rule, why: impl Into<String>) -> Self {
        Self { can_override: false, ..Self::new(rule, why) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_called_the_same_everywhere() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{rule}\""));
            assert_eq!(rule.as_str().parse::<Rule>().unwrap(), rule);
            assert!(rule.sentence().ends_with('.'), "{rule}");
        }
    }
}
