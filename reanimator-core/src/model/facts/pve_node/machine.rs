//! What a node is built of, as its API tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Bytes;

/// Processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeCpu {
    /// What they are.
    pub model: Option<String>,
    /// How many sockets.
    pub sockets: Option<u32>,
    /// Physical cores per socket.
    pub cores: Option<u32>,
    /// All logical CPUs.
    pub threads: Option<u32>,
    /// How fast they run now, in MHz.
    pub mhz: Option<f64>,
    /// Whether guests can run on the hardware itself.
    pub virtualization: Option<bool>,
    /// The flags worth knowing: `vmx`, `svm`, `aes`, `avx2`, `avx512f`.
    pub flags: Vec<String>,
}

/// A PCI device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodePciDevice {
    /// `0000:01:00.0`.
    pub address: String,
    /// Its class, `0x030000`.
    pub class: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is.
    pub device: Option<String>,
    /// The numbers of both: `10de:2204`.
    pub ids: Option<String>,
    /// The group in which it is handed to a guest.
    pub iommu_group: Option<u32>,
    /// Whether parts of it can be handed to guests.
    pub mediated: bool,
}

/// A USB device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeUsbDevice {
    /// Bus and device: `1-3`.
    pub address: String,
    /// Vendor and product: `046d:c52b`.
    pub ids: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is.
    pub device: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its speed in Mbit/s.
    pub speed_mbps: Option<f64>,
}

/// A whole disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeDisk {
    /// `nvme0n1`, `sda`.
    pub name: String,
    /// `nvme`, `ssd`, `hdd`, `usb`.
    pub kind: Option<String>,
    /// What it is.
    pub model: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// What its own tests say: `PASSED`, `OK`, `FAILED!`, `UNKNOWN`.
    pub health: Option<String>,
    /// How much of its life is used up, 0 to 100; none where it does not tell.
    pub wear_percent: Option<f64>,
    /// What it is used for: `LVM`, `ZFS`, `partitions`, `mounted`...
    pub used_for: Option<String>,
    /// Turns per minute; none for one without moving parts.
    pub rpm: Option<u32>,
}

impl NodeDisk {
    /// Whether its own tests say that it is failing.
    pub fn is_failing(&self) -> bool {
        self.health.as_deref().is_some_and(|health| health.to_ascii_uppercase().starts_with("FAIL"))
    }
}

impl fmt::Display for NodeDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model.as_deref().unwrap_or("disk"))?;
        if let Some(serial) = &self.serial {
            write!(f, " {serial}")?;
        }
        if let Some(size) = self.size_bytes {
            write!(f, ", {size}")?;
        }
        match &self.health {
            Some(health) => write!(f, ", {health}"),
            None => Ok(()),
        }
    }
}

/// A ZFS pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeZfsPool {
    /// Its name.
    pub name: String,
    /// `ONLINE`, `DEGRADED`, `FAULTED`...
    pub health: Option<String>,
    /// All of it, before redundancy.
    pub size_bytes: Option<Bytes>,
    /// Taken.
    pub allocated_bytes: Option<Bytes>,
    /// How scattered its free space is, 0 to 100.
    pub fragmentation_percent: Option<f64>,
    /// How many times over equal blocks are stored once: 1 is not at all.
    pub deduplication: Option<f64>,
    /// What its last or present scrub or resilver says.
    pub scan: Option<String>,
    /// What ZFS says is wrong.
    pub status: Option<String>,
    /// What ZFS advises.
    pub action: Option<String>,
    /// What ZFS says of damaged data.
    pub errors: Option<String>,
    /// Its devices that are not `ONLINE` or had errors. Seen only of a pool that is not `ONLINE`.
    pub troubled: Vec<NodeZfsDevice>,
}

/// A device of a ZFS pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeZfsDevice {
    /// Its name.
    pub name: String,
    /// `ONLINE`, `FAULTED`, `UNAVAIL`...
    pub state: Option<String>,
    /// Failed reads.
    pub read_errors: Option<u64>,
    /// Failed writes.
    pub write_errors: Option<u64>,
    /// Blocks that were not what was written.
    pub checksum_errors: Option<u64>,
    /// What ZFS says of it.
    pub message: Option<String>,
}

/// An interface as it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeInterface {
    /// `vmbr0`.
    pub name: String,
    /// `bridge`, `bond`, `vlan`, `eth`, `OVSBridge`...
    pub kind: Option<String>,
    /// Whether it is up.
    pub active: bool,
    /// Whether it comes up with the node.
    pub autostart: bool,
    /// Its addresses with their prefixes.
    pub addresses: Vec<String>,
    /// Its gateways.
    pub gateways: Vec<String>,
    /// `static`, `dhcp`, `manual`.
    pub method: Option<String>,
    /// The interfaces plugged into a bridge.
    pub bridge_ports: Vec<String>,
    /// Whether a bridge tells VLANs apart.
    pub vlan_aware: bool,
    /// The interfaces of a bond.
    pub bond_members: Vec<String>,
    /// How a bond works: `802.3ad`, `active-backup`.
    pub bond_mode: Option<String>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// The interface a VLAN is on.
    pub vlan_device: Option<String>,
    /// The largest packet it takes, in bytes, where it was chosen.
    pub mtu_bytes: Option<u32>,
    /// What people wrote about it.
    pub comments: Option<String>,
}

impl fmt::Display for NodeInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_deref().unwrap_or("interface"))?;
        if !self.addresses.is_empty() {
            write!(f, " {}", self.addresses.join(" "))?;
        }
        let members: Vec<&str> = self.bridge_ports.iter().chain(&self.bond_members).map(String::as_str).collect();
        if !members.is_empty() {
            write!(f, " of {}", members.join(" "))?;
        }
        f.write_str(if self.active { "" } else { ", down" })
    }
}
