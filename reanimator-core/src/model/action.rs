//! Changes to the world, as data: they can be stored, shown, refused, and carried out later by another process.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ids::{GuestId, HostId},
    role::Role,
};

/// One change to the world: what, on what, with which bounds.
///
/// ```
/// use reanimator_core::model::{Action, GuestChange, Risk};
/// let action: Action = serde_json::from_str(r#"{"on":"guest","id":"c1:101","do":"shutdown","limit_seconds":60}"#)?;
/// assert_eq!(action.risk(), Risk::Disruptive);
/// assert_eq!(action.thing(), "guest:c1:101");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "on", rename_all = "kebab-case")]
pub enum Action {
    /// Something with a VM or container.
    Guest {
        /// Which one.
        id: GuestId,
        /// What.
        #[serde(flatten)]
        change: GuestChange,
    },
    /// Something with a snapshot of a VM or container.
    Snapshot {
        /// Of which one.
        guest: GuestId,
        /// What the snapshot is called: a letter, then letters, digits, `_` and `-`, up to 40.
        name: String,
        /// What.
        #[serde(rename = "do")]
        verb: SnapshotVerb,
        /// Whether the memory of a running VM is taken too. Defaults to not; only for making one.
        #[serde(default)]
        memory: bool,
        /// What people say of it. Defaults to nothing; only for making one.
        #[serde(default)]
        description: String,
    },
    /// Something with a systemd unit of a host.
    Unit {
        /// On which host.
        host: HostId,
        /// Which one: `nginx.service`.
        unit: String,
        /// What.
        #[serde(rename = "do")]
        verb: UnitVerb,
    },
}

/// What can be done with a VM or container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum GuestChange {
    /// Starts it.
    Start,
    /// Pulls its plug.
    Stop,
    /// Asks its system to shut down.
    Shutdown {
        /// How long it may take. Defaults to 60 seconds.
        #[serde(default = "minute")]
        limit_seconds: u32,
        /// Whether its plug is pulled when it takes longer. Defaults to not.
        #[serde(default)]
        then_stop: bool,
    },
    /// Asks its system to start anew.
    Reboot {
        /// How long it may take to go down. Defaults to 60 seconds.
        #[serde(default = "minute")]
        limit_seconds: u32,
    },
    /// Freezes it; its memory stays where it is.
    Suspend,
    /// Lets it go on.
    Resume,
}

fn minute() -> u32 {
    60
}

/// What can be done with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotVerb {
    /// Makes it.
    Create,
    /// Deletes it.
    Delete,
    /// Makes the guest what it was then; what came later is gone.
    RollBack,
}

/// What can be done with a systemd unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UnitVerb {
    /// Starts it.
    Start,
    /// Stops it.
    Stop,
    /// Stops and starts it.
    Restart,
    /// Has it started with the system from now on.
    Enable,
    /// Has it started with the system no more.
    Disable,
}

/// How much an action may cost those who use what it acts upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing: nobody notices.
    None,
    /// Hardly anything, and it can be taken back.
    Low,
    /// A service is away for a while.
    Disruptive,
    /// Something is gone for good.
    Destructive,
}

impl Risk {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }

    /// The least role that may take it.
    pub const fn needs(self) -> Role {
        match self {
            Self::None | Self::Low | Self::Disruptive => Role::Operator,
            Self::Destructive => Role::Admin,
        }
    }
}

impl Action {
    /// What it may cost.
    pub const fn risk(&self) -> Risk {
        match self {
            Self::Guest { change, .. } => change.risk(),
            Self::Snapshot { verb, .. } => match verb {
                SnapshotVerb::Create => Risk::Low,
                SnapshotVerb::Delete | SnapshotVerb::RollBack => Risk::Destructive,
            },
            Self::Unit { verb, .. } => match verb {
                UnitVerb::Start | UnitVerb::Enable | UnitVerb::Disable => Risk::Low,
                UnitVerb::Stop | UnitVerb::Restart => Risk::Disruptive,
            },
        }
    }

    /// What it acts upon, for locks: two operations never act on one thing at once.
    pub fn thing(&self) -> String {
        match self {
            Self::Guest { id, .. } | Self::Snapshot { guest: id, .. } => format!("guest:{id}"),
            Self::Unit { host, .. } => format!("host:{host}"),
        }
    }

    /// What it is, with the thing's id in place of its name: `shut down guest c1:101`.
    pub fn words(&self) -> String {
        self.words_for(match self {
            Self::Guest { id, .. } | Self::Snapshot { guest: id, .. } => &id.0,
            Self::Unit { host, .. } => host.as_str(),
        })
    }

    /// What it is, of a thing that people call `name`.
    pub fn words_for(&self, name: &str) -> String {
        match self {
            Self::Guest { change, .. } => format!("{change} guest {name}"),
            Self::Snapshot { name: snapshot, verb, .. } => match verb {
                SnapshotVerb::Create => format!("make snapshot {snapshot} of guest {name}"),
                SnapshotVerb::Delete => format!("delete snapshot {snapshot} of guest {name}"),
                SnapshotVerb::RollBack => format!("roll guest {name} back to snapshot {snapshot}"),
            },
            Self::Unit { unit, verb, .. } => format!("{verb} {unit} on {name}"),
        }
    }
}

impl GuestChange {
    const fn risk(&self) -> Risk {
        match self {
            Self::Start | Self::Resume => Risk::Low,
            Self::Stop | Self::Shutdown { .. } | Self::Reboot { .. } | Self::Suspend => Risk::Disruptive,
        }
    }
}

impl fmt::Display for GuestChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown { .. } => "shut down",
            Self::Reboot { .. } => "reboot",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        })
    }
}

impl UnitVerb {
    /// As `systemctl` calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }
}

impl fmt::Display for UnitVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn an_action_says_what_on_what_and_stays_readable_as_json() {
        let shutdown = Action::Guest {
            id: GuestId("c1:101".into()),
            change: GuestChange::Shutdown { limit_seconds: 60, then_stop: false },
        };
        let json = r#"{"on":"guest","id":"c1:101","do":"shutdown"}"#;
        assert_eq!(serde_json::from_str::<Action>(json).unwrap(), shutdown);
        assert_eq!(shutdown.words_for("mail"), "shut down guest mail");

        let unit = Action::Unit { host: "h1".into(), unit: "nginx.service".into(), verb: UnitVerb::Restart };
        let json = r#"{"on":"unit","host":"h1","unit":"nginx.service","do":"restart"}"#;
        assert_eq!(serde_json::to_string(&unit).unwrap(), json);
        assert_eq!((unit.words_for("web1"), unit.thing()), ("restart nginx.service on web1".into(), "host:h1".into()));
    }

    #[test]
    fn a_snapshot_is_made_lightly_and_neither_deleted_nor_gone_back_to_so() {
        let json = r#"{"on":"snapshot","guest":"c1:101","name":"before","do":"roll-back"}"#;
        let back: Action = serde_json::from_str(json).unwrap();
        assert_eq!((back.risk(), back.thing()), (Risk::Destructive, "guest:c1:101".into()));
        assert_eq!(back.words_for("mail"), "roll guest mail back to snapshot before");
        let make: Action = serde_json::from_str(&json.replace("roll-back", "create")).unwrap();
        assert_eq!((make.risk(), make.words_for("mail")), (Risk::Low, "make snapshot before of guest mail".into()));
    }

    #[test]
    fn what_disrupts_takes_an_operator() {
        assert!(Risk::None < Risk::Low && Risk::Disruptive < Risk::Destructive);
        assert_eq!(Risk::Disruptive.needs(), Role::Operator);
        assert_eq!(Risk::Destructive.needs(), Role::Admin);
    }
}
