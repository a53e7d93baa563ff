//! What was seen of a Proxmox cluster, or of a node that stands alone, at one time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    guest::{Guest, Storage},
    host::{GuestCounts, Identity, Problem, Unseen},
    ids::{ConnectionId, GuestId},
    telemetry::Telemetry,
};

/// A cluster at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterSnapshot {
    /// The connection it was seen over.
    pub connection: ConnectionId,
    /// Its name; a node that stands alone has none.
    pub cluster: Option<String>,
    /// Whether it has quorum; not known of a node that stands alone.
    pub quorate: Option<bool>,
    /// Its nodes, dead ones too.
    pub nodes: Vec<NodeSnapshot>,
    /// All guests, those of dead nodes as last known.
    pub guests: Vec<Guest>,
    /// All storages, shared ones once.
    pub storages: Vec<Storage>,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
    /// When, by our clock.
    pub at: Timestamp,
}

/// A node at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSnapshot {
    /// Its name in the cluster.
    pub name: String,
    /// Whether the cluster calls it online.
    pub online: bool,
    /// Its address in the cluster.
    pub ip: Option<String>,
    /// Its figures; `at` is when they were seen.
    pub telemetry: Telemetry,
    /// Who it is, as far as the API says.
    pub identity: Identity,
    /// Guests on it.
    pub guests: GuestCounts,
    /// Why it does not answer as it should.
    pub problem: Option<Problem>,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

/// What tells which machine a guest is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestIdentity {
    /// Hardware addresses from its configuration, lower case.
    pub macs: Vec<String>,
    /// `smbios1` UUID of a VM, lower case.
    pub smbios_uuid: Option<String>,
    /// A container's host name.
    pub hostname: Option<String>,
}

/// A guest and what tells which machine it is.
pub type IdentifiedGuest = (GuestId, GuestIdentity);
