//! The fleet in tables: one row per host, guest, storage, interface and cluster, with the names that dashboards know.
//!
//! `_gb` is GiB and `_mb` is MiB, as Proxmox counts. What was not seen is `null`, never zero.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::attention::{Attention, AttentionKind, AttentionLevel};
use super::{Bytes, ConnectionId, GuestId, GuestKind, GuestStatus, HostCounts, HostId, HostKind, HostState, Space};

/// An amount in GiB, to two decimals.
pub fn gib(bytes: Bytes) -> f64 {
    hundredths(bytes.0 as f64 / f64::from(1 << 30))
}

/// An amount in MiB, to two decimals.
pub fn mib(bytes: Bytes) -> f64 {
    hundredths(bytes.0 as f64 / f64::from(1 << 20))
}

/// A share in percent to one decimal, where there is a whole.
pub fn share(used: Bytes, total: Bytes) -> Option<f64> {
    (total.0 > 0).then(|| (used.0 as f64 / total.0 as f64 * 1000.0).round() / 10.0)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The whole fleet in a few figures. Shared storage, and the memory of a host that is a guest, are counted once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Hosts by state.
    pub hosts: HostCounts,
    /// Guests by state; templates are none.
    pub guests: GuestSums,
    /// All CPUs together.
    pub cpu: CpuSum,
    /// All main memory together.
    pub memory: RoomSum,
    /// Local file systems, and shared storages once.
    pub storage: RoomSum,
    /// Updates that wait on all hosts together.
    pub updates: UpdateCounts,
    /// What needs somebody, worst first.
    pub attention: Vec<Attention>,
    /// The oldest observation that went into the sums.
    pub observed_at: Option<Timestamp>,
}

/// Guests by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestSums {
    /// All.
    pub total: u32,
    /// Running.
    pub running: u32,
    /// Not running, or not known to.
    pub stopped: u32,
}

/// CPU over many hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CpuSum {
    /// Logical CPUs.
    pub threads: u32,
    /// In use, 0 to 100.
    pub used_percent: Option<f64>,
}

/// Room over many things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomSum {
    /// All of it, in GiB.
    pub total_gb: f64,
    /// In use, in GiB.
    pub used_gb: f64,
    /// In use, 0 to 100.
    pub used_percent: Option<f64>,
}

impl From<Space> for RoomSum {
    fn from(Space { total_bytes, used_bytes }: Space) -> Self {
        Self { total_gb: gib(total_bytes), used_gb: gib(used_bytes), used_percent: share(used_bytes, total_bytes) }
    }
}

/// Packages that could be newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateCounts {
    /// All.
    pub pending: u32,
    /// Those that mend a security hole.
    pub security: u32,
}

/// One host as a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRow {
    /// The host's id.
    pub id: HostId,
    /// Its name in the fleet.
    pub name: String,
    /// Its own name for itself.
    pub hostname: Option<String>,
    /// What it can be asked as.
    pub kind: HostKind,
    /// Whether it answers.
    pub state: HostState,
    /// The Proxmox cluster it is a node of.
    pub cluster: Option<String>,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Physical cores per socket.
    pub cpu_cores: Option<u32>,
    /// Sockets.
    pub cpu_sockets: Option<u32>,
    /// Logical CPUs.
    pub cpu_threads: Option<u32>,
    /// CPU in use, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Load over a minute.
    pub load_1m: Option<f64>,
    /// Main memory in GiB.
    pub ram_total_gb: Option<f64>,
    /// Main memory in use, in GiB.
    pub ram_used_gb: Option<f64>,
    /// Main memory in use, 0 to 100.
    pub ram_percent: Option<f64>,
    /// Local room in GiB.
    pub storage_total_gb: Option<f64>,
    /// Local room in use, in GiB.
    pub storage_used_gb: Option<f64>,
    /// Local room in use, 0 to 100.
    pub storage_percent: Option<f64>,
    /// The warmest sensor, in degrees Celsius.
    pub temperature_highest_c: Option<f64>,
    /// Operating system.
    pub os: Option<String>,
    /// Kernel release.
    pub kernel_version: Option<String>,
    /// Proxmox VE version.
    pub proxmox_version: Option<String>,
    /// Proxmox subscription.
    pub license_status: Option<String>,
    /// Packages that could be newer.
    pub updates_pending: Option<u32>,
    /// Those of them that mend a security hole.
    pub updates_security: Option<u32>,
    /// Whether it wants to be restarted.
    pub reboot_needed: Option<bool>,
    /// systemd units that failed.
    pub failed_units: Option<u32>,
    /// Containers running under Docker or Podman.
    pub containers_running: Option<u32>,
    /// Guests running on it.
    pub guests_running: Option<u32>,
    /// Guests on it.
    pub guests_total: Option<u32>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// What is wrong with it, in sentences.
    pub problems: Vec<String>,
    /// When its figures were seen.
    pub observed_at: Option<Timestamp>,
}

/// One guest as a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmRow {
    /// Its id in the fleet.
    pub id: GuestId,
    /// Its number.
    pub vmid: String,
    /// Its name.
    pub name: Option<String>,
    /// VM or container.
    pub kind: GuestKind,
    /// The node it is on.
    pub node: String,
    /// The host that this node is.
    pub node_id: Option<HostId>,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// Whether it runs.
    pub status: GuestStatus,
    /// Whether it is a template.
    pub template: bool,
    /// CPU in use of what it was given, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Main memory in use, 0 to 100.
    pub ram_percent: Option<f64>,
    /// Main memory in MiB.
    pub ram_total_mb: Option<f64>,
    /// Main memory in use, in MiB.
    pub ram_used_mb: Option<f64>,
    /// Room on its disks, in GiB.
    pub storage_total_gb: Option<f64>,
    /// In use of it, in GiB, where the storage or the guest tells.
    pub storage_used_gb: Option<f64>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// Its addresses, without those of its loopback.
    pub ip_addresses: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

/// One storage as a row: of a Proxmox cluster, or a file system of any host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorageRow {
    /// Its id in the fleet.
    pub id: String,
    /// The storage's name, or where the file system is mounted.
    pub name: String,
    /// The node, or the nodes that share it, joined by commas.
    pub node: String,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// `dir`, `zfspool`, `nfs`, `ext4`...
    #[serde(rename = "type")]
    pub storage_type: String,
    /// What it may hold, joined by commas; `null` for a file system.
    pub content: Option<String>,
    /// Whether several nodes see the same one.
    pub shared: bool,
    /// Whether it can be used now.
    pub active: bool,
    /// All of it, in GiB.
    pub total_gb: Option<f64>,
    /// In use, in GiB.
    pub used_gb: Option<f64>,
    /// What can still be taken, in GiB: on a file system less than what is not in use, where some is kept back for root.
    pub available_gb: Option<f64>,
    /// In use of all of it, 0 to 100.
    pub used_percent: Option<f64>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

/// One network interface as a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceRow {
    /// Its id in the fleet: the host's id and the interface's name.
    pub id: String,
    /// The host's name.
    pub node: String,
    /// The host's id.
    pub node_id: HostId,
    /// The interface's name.
    pub interface: String,
    /// `physical`, `bridge`, `bond`, `vlan`...
    #[serde(rename = "type")]
    pub interface_type: String,
    /// `up`, `down`...
    pub state: Option<String>,
    /// Hardware address.
    pub mac: Option<String>,
    /// Addresses with their prefixes.
    pub addresses: Vec<String>,
    /// The bridge or bond it is part of.
    pub master: Option<String>,
    /// VLAN number.
    pub vlan: Option<u32>,
    /// Speed in Mbit/s.
    pub speed_mbps: Option<u64>,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

/// One Proxmox cluster, or a node that stands alone, as a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterRow {
    /// The connection's id.
    pub id: ConnectionId,
    /// What the connection is called.
    pub name: String,
    /// The cluster's own name; a node that stands alone has none.
    pub cluster: Option<String>,
    /// Whether it answers.
    pub state: HostState,
    /// Proxmox VE version, the oldest of its nodes.
    pub version: Option<String>,
    /// Nodes.
    pub nodes_total: u32,
    /// Nodes that are online.
    pub nodes_online: u32,
    /// Whether it has quorum; not known of a node that stands alone.
    pub quorate: Option<bool>,
    /// Votes that are there, and all of them.
    pub votes: Option<Votes>,
    /// The HA manager's state; `null` where nothing is managed.
    pub ha_status: Option<String>,
    /// Ceph's health; `null` where there is none.
    pub ceph_health: Option<String>,
    /// Guests running.
    pub guests_running: u32,
    /// Guests.
    pub guests_total: u32,
    /// What is wrong with it, in sentences.
    pub problems: Vec<String>,
    /// When it was seen.
    pub observed_at: Option<Timestamp>,
}

/// Votes of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Votes {
    /// Of the nodes that are online.
    pub present: u32,
    /// Of all nodes.
    pub expected: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_for_people() {
        assert_eq!(gib(Bytes(1_610_612_736)), 1.5);
        assert_eq!(mib(Bytes(1_600_000)), 1.53);
        assert_eq!(share(Bytes(1), Bytes(3)), Some(33.3));
        assert_eq!(share(Bytes(1), Bytes(0)), None);
    }
}
