//! What hangs on what: hosts, their bridges, and the guests plugged into those.

use serde::{Deserialize, Serialize};

use super::{GuestId, GuestKind, GuestStatus, HostId, HostKind, HostState};

/// The network of the whole fleet as it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Topology {
    /// The hosts of the fleet, by name.
    pub hosts: Vec<TopologyHost>,
}

/// A host and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopologyHost {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: HostKind,
    /// How it is.
    pub state: HostState,
    /// The cluster it is a node of.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Its bridges, by name.
    #[serde(default)]
    pub bridges: Vec<TopologyBridge>,
    /// Guests on it that are plugged into none: without a network card, behind a NAT of their own, or not read yet.
    #[serde(default)]
    pub unplaced: Vec<TopologyGuest>,
}

/// A bridge of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TopologyBridge {
    /// `vmbr0`, `docker0`, the name of a network of a zone.
    pub name: String,
    /// What makes it.
    pub kind: BridgeKind,
    /// Whether it is switched on; null where nobody saw it.
    pub active: Option<bool>,
    /// Whether it keeps VLANs apart; null where nobody saw it.
    pub vlan_aware: Option<bool>,
    /// The interfaces plugged into it, without those of guests of Proxmox.
    pub ports: Vec<String>,
    /// The host's own addresses on it, with their prefixes.
    pub addresses: Vec<String>,
    /// The guests plugged into it, by number. Templates are none.
    pub guests: Vec<TopologyGuest>,
}

/// What makes a bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BridgeKind {
    /// The kernel's own.
    Linux,
    /// Open vSwitch.
    Ovs,
    /// A network of a software-defined zone of Proxmox.
    Vnet,
    /// Only the configuration of guests names it.
    #[default]
    Unknown,
}

impl BridgeKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Ovs => "ovs",
            Self::Vnet => "vnet",
            Self::Unknown => "unknown",
        }
    }
}

/// A guest and the network cards by which it hangs there. One with cards on several bridges is at each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopologyGuest {
    /// Its id in the fleet.
    pub id: GuestId,
    /// Its number, as text.
    pub vmid: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// VM or container.
    pub kind: GuestKind,
    /// Whether it runs.
    pub status: GuestStatus,
    /// Its network cards there.
    #[serde(default)]
    pub nics: Vec<TopologyNic>,
}

/// A network card of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TopologyNic {
    /// `net0`.
    pub name: String,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// Its addresses: those seen from within, else those it is configured to have.
    pub addresses: Vec<String>,
}
