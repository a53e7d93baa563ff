//! Guests and storages of Proxmox clusters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ConnectionId, GuestId, HostId},
    telemetry::{Memory, Space},
    units::Bytes,
};

/// A VM or container on a Proxmox host, as it was last seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guest {
    /// Its id in the fleet.
    pub id: GuestId,
    /// The connection of its cluster.
    pub connection: ConnectionId,
    /// Its number, as text.
    pub vmid: String,
    /// Its name; not known for guests without fresh figures.
    pub name: Option<String>,
    /// VM or container.
    pub kind: GuestKind,
    /// The node it is on.
    pub node: String,
    /// The host that this node is.
    pub host_id: Option<HostId>,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// Whether it runs.
    pub status: GuestStatus,
    /// CPU in use of what it was given, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// CPUs it was given.
    pub cpus: Option<f64>,
    /// Main memory.
    pub memory: Option<Memory>,
    /// Root disk; VMs often report no use.
    pub disk: Option<Space>,
    /// What it has read, written, received and sent since it started.
    pub counters: Option<GuestCounters>,
    /// The same per second, lately.
    pub rates: Option<GuestRates>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// Tags.
    pub tags: Vec<String>,
    /// Whether it is a template.
    pub template: bool,
    /// The host of the fleet that this guest is.
    pub linked_host: Option<HostId>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

/// What a guest has read, written, received and sent since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestCounters {
    /// Read from all its disks.
    pub disk_read_bytes: Bytes,
    /// Written to all its disks.
    pub disk_written_bytes: Bytes,
    /// Received by all its interfaces.
    pub network_received_bytes: Bytes,
    /// Sent by all its interfaces.
    pub network_sent_bytes: Bytes,
}

/// What a guest reads, writes, receives and sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestRates {
    /// Read from all its disks.
    pub disk_read_bytes_per_second: f64,
    /// Written to all its disks.
    pub disk_written_bytes_per_second: f64,
    /// Received by all its interfaces.
    pub network_received_bytes_per_second: f64,
    /// Sent by all its interfaces.
    pub network_sent_bytes_per_second: f64,
}

/// VM or container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GuestKind {
    /// A virtual machine.
    Qemu,
    /// A container.
    Lxc,
}

impl GuestKind {
    /// The word the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }
}

/// Whether a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GuestStatus {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
    /// Its CPUs are held.
    Paused,
    /// Its node gives no fresh word.
    Unknown,
}

impl GuestStatus {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Unknown => "unknown",
        }
    }
}

/// A storage of a Proxmox cluster. A shared one is one storage, however many nodes see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Storage {
    /// Its id in the fleet: connection, node (unless shared), name.
    pub id: String,
    /// The connection of its cluster.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The nodes that have it.
    pub nodes: Vec<String>,
    /// `dir`, `zfspool`, `nfs`...
    #[serde(rename = "type")]
    pub storage_type: String,
    /// What it may hold: `images`, `rootdir`...
    pub content: Vec<String>,
    /// Whether all nodes see the same one.
    pub shared: bool,
    /// Whether it can be used now.
    pub active: bool,
    /// Room on it, where known: `total_bytes` and `used_bytes` beside the others in JSON.
    #[serde(flatten)]
    pub space: Option<Space>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_shows_its_room_beside_its_other_facts_and_is_read_again() -> serde_json::Result<()> {
        let space = Some(Space { total_bytes: Bytes(8), used_bytes: Bytes(2) });
        for space in [space, None] {
            let storage = Storage {
                id: "c1:local".into(),
                connection: "c1".into(),
                name: "local".into(),
                cluster: None,
                nodes: vec![],
                storage_type: "dir".into(),
                content: vec![],
                shared: false,
                active: true,
                space,
                observed_at: None,
            };
            let json = serde_json::to_value(&storage)?;
            assert_eq!(json.get("used_bytes"), space.map(|_| serde_json::json!(2)).as_ref());
            assert_eq!(serde_json::from_value::<Storage>(json)?, storage);
        }
        Ok(())
    }
}
