//! Machines that can be asked.
//!
//! [`Host`] is what every machine of the fleet can do: be observed. [`LinuxHost`] adds a shell,
//! [`ProxmoxHost`](pve::ProxmoxHost) adds the Proxmox API. A Proxmox node with a shell is both. What implements them stands over a transport, and knows
//! nothing of the fleet: no names of other hosts, no store.
//!
//! [`linux::LinuxMachine`] watches a Linux machine over any [`Transport`](crate::transport::Transport);
//! [`pve::ProxmoxCluster`] brings in everything of a Proxmox cluster at once.

pub mod linux;
pub mod pve;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    model::{Identity, Telemetry, Unseen},
    transport::{Command, Output},
};

/// A machine that can be observed.
#[async_trait]
pub trait Host: Send + Sync + std::fmt::Debug {
    /// What it can be asked for.
    fn capabilities(&self) -> Capabilities;

    /// Looks at it once.
    ///
    /// # Errors
    /// When it does not answer at all. A fact that could not be seen is in [`Observation::unseen`] instead.
    async fn observe(&self, now: Timestamp) -> Result<Observation>;

    /// Lets go of kept connections; the next observation makes new ones.
    async fn close(&self);
}

/// A machine with a POSIX shell.
#[async_trait]
pub trait LinuxHost: Host {
    /// Runs a command there.
    ///
    /// # Errors
    /// When it cannot be reached or the command exceeds its time limit.
    async fn run(&self, command: Command) -> Result<Output>;
}

/// What a host can be asked for. Asked first, then called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// It is a [`LinuxHost`].
    pub shell: bool,
    /// It is a `ProxmoxHost`.
    pub proxmox: bool,
}

/// What was seen of one host at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Figures.
    pub telemetry: Telemetry,
    /// Who it is; as known, which may be some minutes old.
    pub identity: Identity,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
    /// How far its clock is from ours in seconds (its minus ours), where more than a minute.
    pub clock_skew_seconds: Option<i64>,
}
