//! What a host or guest is made of and how it is: facts that change slowly, each section with its age.
//!
//! A section is asked for apart from the others and less often than figures. What could not be seen of it is named in
//! [`Dated::unseen`] with the reason; the rest is there all the same. A fact that was not seen is `None` or absent,
//! never zero and never an empty text.

pub mod cluster;
pub mod containers;
pub mod disks;
pub mod guest;
pub mod hardware;
pub mod license;
pub mod listeners;
pub mod network;
pub mod pve_node;
pub mod sensors;
pub mod system;
pub mod updates;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::host::Unseen;

/// Facts with the time at which they were seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dated<T> {
    /// When, by our clock.
    pub at: Timestamp,
    /// What could not be seen of them, and why.
    #[serde(default)]
    pub unseen: Vec<Unseen>,
    /// The facts, beside the other two in JSON.
    #[serde(flatten)]
    pub facts: T,
}

/// Facts just read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read<T> {
    /// The facts.
    pub facts: T,
    /// What could not be seen of them, and why.
    pub unseen: Vec<Unseen>,
}

impl<T> Read<T> {
    /// The same, seen at that time.
    pub fn at(self, at: Timestamp) -> Dated<T> {
        Dated { at, unseen: self.unseen, facts: self.facts }
    }
}

/// What of some facts is worth an entry in the timeline when it differs from last time: `disk sda` -> `Samsung ... 1.8 TiB`.
///
/// Names are stable and short; values are for people. Leave out what changes by itself all the time (temperatures,
/// counters, use).
pub trait Watched {
    /// The values by their names.
    fn watched(&self) -> BTreeMap<String, String>;
}

/// The sections of facts about a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// [`hardware::Hardware`].
    Hardware,
    /// [`sensors::Sensors`].
    Sensors,
    /// [`disks::Disks`].
    Disks,
    /// [`network::Network`].
    Network,
    /// [`system::System`].
    System,
    /// [`updates::Updates`].
    Updates,
    /// [`containers::Containers`].
    Containers,
    /// [`listeners::Listeners`].
    Listeners,
    /// [`pve_node::NodeInventory`]: what a node's Proxmox API says of it, its subscription too.
    Proxmox,
}

impl Section {
    /// Those that a shell tells.
    pub const BY_SHELL: [Self; 8] = [
        Self::Hardware,
        Self::Sensors,
        Self::Disks,
        Self::Network,
        Self::System,
        Self::Updates,
        Self::Containers,
        Self::Listeners,
    ];

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Hardware,
        Self::Sensors,
        Self::Disks,
        Self::Network,
        Self::System,
        Self::Updates,
        Self::Containers,
        Self::Listeners,
        Self::Proxmox,
    ];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Sensors => "sensors",
            Self::Disks => "disks",
            Self::Network => "network",
            Self::System => "system",
            Self::Updates => "updates",
            Self::Containers => "containers",
            Self::Listeners => "listeners",
            Self::Proxmox => "proxmox",
        }
    }

    /// How old it may get before it is asked for again.
    pub const fn every(self) -> Duration {
        match self {
            Self::Sensors | Self::System | Self::Containers | Self::Listeners => Duration::from_secs(60),
            Self::Hardware | Self::Disks | Self::Network | Self::Updates | Self::Proxmox => {
                Duration::from_secs(15 * 60)
            }
        }
    }
}

/// All that is known of a host beside its figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HostFacts {
    /// CPU, memory modules, firmware, buses.
    pub hardware: Option<Dated<hardware::Hardware>>,
    /// Temperatures, fans, power.
    pub sensors: Option<Dated<sensors::Sensors>>,
    /// Block devices and what is built of them.
    pub disks: Option<Dated<disks::Disks>>,
    /// Interfaces, routes, name servers.
    pub network: Option<Dated<network::Network>>,
    /// Units, time, boots, sessions.
    pub system: Option<Dated<system::System>>,
    /// Packages that could be newer.
    pub updates: Option<Dated<updates::Updates>>,
    /// Docker and Podman.
    pub containers: Option<Dated<containers::Containers>>,
    /// Sockets that wait for others, and whose they are.
    pub listeners: Option<Dated<listeners::Listeners>>,
    /// What a node's Proxmox API says of it, its subscription too.
    pub proxmox: Option<Dated<pve_node::NodeInventory>>,
}
