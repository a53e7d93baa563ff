//! What can be done with hosts, and with what runs on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{super::ids::HostId, Risk};

/// What can be done with a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum HostChange {
    /// Shuts it down and switches it off.
    Shutdown,
    /// Starts it anew, and waits until it answers.
    Reboot,
    /// Lets it sleep.
    Suspend,
    /// Wakes it by a magic packet, and waits until it answers.
    Wake {
        /// Through which host of its segment. Defaults to one that is found: this machine, a node, an SSH host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<HostId>,
    },
    /// Has nothing new put on it, and nobody told of its silence. A node leaves high availability too, where it has a shell.
    EnterMaintenance,
    /// Takes that back.
    LeaveMaintenance,
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

/// What can be done with a container of Docker or Podman, or a project of Compose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ContainerVerb {
    /// Starts it.
    Start,
    /// Stops it.
    Stop,
    /// Stops and starts it.
    Restart,
    /// Fetches the newest image of the same name, and puts a container of it in its place.
    Update,
}

impl HostChange {
    pub(super) const fn risk(&self) -> Risk {
        match self {
            Self::Wake { .. } | Self::EnterMaintenance | Self::LeaveMaintenance => Risk::Low,
            Self::Shutdown | Self::Reboot | Self::Suspend => Risk::Disruptive,
        }
    }

    /// What it is, of host `name`; `host` gives the name of another.
    pub(super) fn words(&self, name: &str, host: impl Fn(&HostId) -> String) -> String {
        match self {
            Self::Shutdown => format!("shut down host {name}"),
            Self::Reboot => format!("reboot host {name}"),
            Self::Suspend => format!("suspend host {name}"),
            Self::Wake { through: None } => format!("wake host {name}"),
            Self::Wake { through: Some(other) } => format!("wake host {name} through {}", host(other)),
            Self::EnterMaintenance => format!("take host {name} into maintenance"),
            Self::LeaveMaintenance => format!("take host {name} out of maintenance"),
        }
    }
}

impl UnitVerb {
    pub(super) const fn risk(self) -> Risk {
        match self {
            Self::Start | Self::Enable | Self::Disable => Risk::Low,
            Self::Stop | Self::Restart => Risk::Disruptive,
        }
    }

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

impl ContainerVerb {
    pub(super) const fn risk(self) -> Risk {
        match self {
            Self::Start => Risk::Low,
            Self::Stop | Self::Restart | Self::Update => Risk::Disruptive,
        }
    }

    /// As people and Docker call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Update => "update",
        }
    }
}

/// A container's name without its engine: `web` of `podman:web`.
pub fn container_name(text: &str) -> &str {
    text.strip_prefix("docker:").or_else(|| text.strip_prefix("podman:")).unwrap_or(text)
}

impl fmt::Display for ContainerVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
