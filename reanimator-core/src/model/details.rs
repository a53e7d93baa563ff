//! One host in full, with the names that the concept papers gave its facts.
//!
//! `_gb` is GiB and `_mb` MiB, as Proxmox counts; `sockets` is the number of sockets, `cores` the physical cores per
//! socket, `threads` all logical CPUs. What was not seen is `null`, and `unseen` says why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    GuestId, GuestKind, GuestRates, GuestStatus, HostId, HostKind, HostState, Unseen,
    facts::{
        Dated, cluster::ClusterFacts, containers::Containers, disks::Disks, guest::GuestFacts, hardware::Hardware,
        listeners::Listeners, network::Network, pve_node::NodeInventory, sensors::Sensors, system::System,
        updates::Updates,
    },
};

/// One host in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostDetails {
    /// The host's id.
    pub node_id: HostId,
    /// Its name in the fleet.
    pub name: String,
    /// Its own name for itself.
    pub hostname: Option<String>,
    /// What it can be asked as.
    pub kind: HostKind,
    /// Whether it answers.
    pub state: HostState,
    /// Operating system.
    pub os: Option<String>,
    /// Kernel release.
    pub kernel_version: Option<String>,
    /// Proxmox VE version.
    pub proxmox_version: Option<String>,
    /// What it is virtualised by; `none` on bare metal.
    pub virtualization: Option<String>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// Its processors.
    pub cpu: CpuDetails,
    /// Its main memory and swap.
    pub memory: MemoryDetails,
    /// Storages of a Proxmox node, and file systems; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Vec<StorageDetails>>,
    /// Interfaces; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Vec<InterfaceDetails>>,
    /// Its sensors.
    pub temperature: TemperatureDetails,
    /// Its Proxmox subscription; `null` on a machine that has none to have.
    pub license: Option<LicenseDetails>,
    /// The Proxmox cluster it is a node of.
    pub cluster: Option<String>,
    /// What is wrong with it, in sentences.
    pub problems: Vec<String>,
    /// What it is made of; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Dated<Hardware>>,
    /// Block devices and what is built of them; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<Dated<Disks>>,
    /// Interfaces with everything, routes and name servers; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_facts: Option<Dated<Network>>,
    /// Sockets that wait for others, and whose they are; absent where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Dated<Listeners>>,
    /// Temperatures, fans and power.
    pub sensors: Option<Dated<Sensors>>,
    /// Units, time, boots, sessions.
    pub system: Option<Dated<System>>,
    /// Packages that could be newer.
    pub updates: Option<Dated<Updates>>,
    /// Docker and Podman.
    pub containers: Option<Dated<Containers>>,
    /// Everything that a node's Proxmox API says of it.
    pub proxmox: Option<Dated<NodeInventory>>,
    /// Its cluster: members, votes, high availability, Ceph, replication, backups.
    pub cluster_details: Option<Dated<ClusterFacts>>,
    /// When its figures were seen.
    pub observed_at: Option<Timestamp>,
    /// What could not be seen of all this, and why.
    pub unseen: Vec<Unseen>,
}

/// Processors and what they do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CpuDetails {
    /// `Intel(R) Xeon(R) ...`.
    pub model: Option<String>,
    /// Physical cores per socket.
    pub cores: Option<u32>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// Logical CPUs.
    pub threads: Option<u32>,
    /// In use, 0 to 100.
    pub used_percent: Option<f64>,
    /// Load over a minute.
    pub load_1m: Option<f64>,
    /// Load over five minutes.
    pub load_5m: Option<f64>,
    /// Load over fifteen minutes.
    pub load_15m: Option<f64>,
}

/// Main memory and swap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemoryDetails {
    /// All of it, in GiB.
    pub total_gb: Option<f64>,
    /// In use, in GiB.
    pub used_gb: Option<f64>,
    /// What programs can still get, in GiB.
    pub available_gb: Option<f64>,
    /// Swap in GiB.
    pub swap_total_gb: Option<f64>,
    /// Swap in use, in GiB.
    pub swap_used_gb: Option<f64>,
    /// The ZFS cache, in GiB.
    pub arc_gb: Option<f64>,
    /// Where "used" came from.
    pub source: Option<String>,
}

/// One storage or file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorageDetails {
    /// The storage's name, or where the file system is mounted.
    pub name: String,
    /// `zfspool`, `dir`, `ext4`...
    #[serde(rename = "type")]
    pub storage_type: String,
    /// All of it, in GiB.
    pub total_gb: Option<f64>,
    /// In use, in GiB.
    pub used_gb: Option<f64>,
    /// What can still be taken, in GiB: on a file system less than what is not in use, where some is kept back for root.
    pub available_gb: Option<f64>,
    /// In use of all of it, 0 to 100.
    pub used_percent: Option<f64>,
    /// What a storage may hold, joined by commas; `null` for a file system.
    pub content: Option<String>,
    /// Whether other hosts see the same one.
    pub shared: bool,
    /// Whether it can be used now.
    pub active: bool,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceDetails {
    /// `eth0`.
    pub name: String,
    /// `physical`, `bridge`, `bond`, `vlan`...
    #[serde(rename = "type")]
    pub interface_type: String,
    /// `up`, `down`...
    pub state: Option<String>,
    /// Hardware address.
    pub mac: Option<String>,
    /// IPv4 addresses.
    pub ipv4: Vec<String>,
    /// IPv6 addresses.
    pub ipv6: Vec<String>,
    /// Speed in Mbit/s.
    pub speed_mbps: Option<u64>,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// The bridge or bond it is part of.
    pub master: Option<String>,
    /// VLAN number.
    pub vlan: Option<u32>,
}

/// Sensors of a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemperatureDetails {
    /// The warmest one, in degrees Celsius.
    pub highest_c: Option<f64>,
    /// All of them.
    pub readings: Vec<TemperatureReading>,
}

/// One sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemperatureReading {
    /// `coretemp`.
    pub chip: String,
    /// `Package id 0`.
    pub sensor: String,
    /// In degrees Celsius.
    pub temp_c: f64,
    /// From here on it is too warm.
    pub high_c: Option<f64>,
    /// From here on it breaks or switches itself off.
    pub critical_c: Option<f64>,
}

/// A Proxmox subscription in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenseDetails {
    /// `active`, `notfound`, `expired`...
    pub status: Option<String>,
    /// `community`, `basic`, `standard`, `premium`.
    pub level: Option<String>,
    /// The day on which it ends; `null` where there is none.
    pub expires: Option<String>,
}

/// Which parts of a host's details are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Include {
    /// What it is made of. Defaults to yes.
    pub hardware: bool,
    /// Storages, file systems and disks. Defaults to yes.
    pub storage: bool,
    /// Interfaces, routes and name servers. Defaults to yes.
    pub network: bool,
}

impl Default for Include {
    fn default() -> Self {
        Self { hardware: true, storage: true, network: true }
    }
}

/// One guest in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestDetails {
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
    /// Tags.
    pub tags: Vec<String>,
    /// The host of the fleet that this guest is.
    pub linked_host: Option<HostId>,
    /// What it reads, writes, receives and sends per second, lately.
    pub rates: Option<GuestRates>,
    /// When its figures were seen.
    pub observed_at: Option<Timestamp>,
    /// Everything else, with the time at which it was seen and what could not be.
    #[serde(flatten)]
    pub facts: Dated<GuestFacts>,
}
