//! A guest's disks and network cards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A disk, drive or mount point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestDisk {
    /// `scsi0`, `rootfs`, `mp0`, `unused1`.
    pub disk_name: String,
    /// What it is for.
    pub kind: GuestDiskKind,
    /// The storage it lies on; none for a device or folder of the node.
    pub storage: Option<String>,
    /// The volume on that storage, or the path on the node; none for an empty drive.
    pub volume: Option<String>,
    /// The ZFS dataset it is, where its storage is a ZFS pool.
    pub dataset: Option<String>,
    /// Its size in GiB.
    pub size_gb: Option<f64>,
    /// What is taken of its storage in GiB, where that is told.
    pub used_gb: Option<f64>,
    /// `raw`, `qcow2`...
    pub format: Option<String>,
    /// Where a container mounts it.
    pub mount_point: Option<String>,
    /// How writes are cached: `none`, `writeback`...
    pub cache: Option<String>,
    /// Whether it shows itself as one without moving parts.
    pub ssd: Option<bool>,
    /// Whether freed space is given back.
    pub discard: Option<bool>,
    /// Whether it has a thread of its own.
    pub iothread: Option<bool>,
    /// Whether it is read only.
    pub read_only: Option<bool>,
    /// Whether backups take it along; the default differs by kind and is not filled in.
    pub backup: Option<bool>,
    /// Whether replication takes it along.
    pub replicate: Option<bool>,
}

/// What a disk is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GuestDiskKind {
    /// A disk of a VM.
    #[default]
    Disk,
    /// A drive for CDs.
    Cdrom,
    /// The drive that cloud-init reads.
    CloudInit,
    /// The firmware's settings.
    Efi,
    /// The TPM's state.
    Tpm,
    /// The root of a container.
    RootFs,
    /// A volume mounted in a container.
    MountPoint,
    /// A folder or device of the node mounted in a container.
    BindMount,
    /// A volume that is kept and not attached.
    Unused,
}

impl fmt::Display for GuestDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.storage, &self.volume) {
            (Some(storage), Some(volume)) => write!(f, "{storage}:{volume}")?,
            (None, Some(volume)) => f.write_str(volume)?,
            (_, None) => f.write_str("empty")?,
        }
        match self.size_gb {
            Some(size) => write!(f, ", {size} GiB"),
            None => Ok(()),
        }
    }
}

/// A network card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestNetwork {
    /// `net0`.
    pub id: String,
    /// What a container calls it: `eth0`.
    pub name: Option<String>,
    /// The bridge it is plugged in; none for a VM behind its own NAT.
    pub bridge: Option<String>,
    /// `virtio`, `e1000`; `veth` for containers.
    pub model: Option<String>,
    /// Its hardware address, lower case.
    pub mac: Option<String>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// The VLANs it may carry, as written: `2;10-20`.
    pub trunks: Option<String>,
    /// Whether the firewall of Proxmox stands before it.
    pub firewall: bool,
    /// Whether its plug is pulled.
    pub link_down: bool,
    /// Its limit in MB/s.
    pub rate_mb_per_second: Option<f64>,
    /// The largest packet it takes, in bytes.
    pub mtu_bytes: Option<u32>,
    /// The IPv4 setting: an address with its prefix, `dhcp` or `manual`.
    pub ip: Option<String>,
    /// The IPv4 gateway.
    pub gateway: Option<String>,
    /// The IPv6 setting: an address with its prefix, `auto`, `dhcp` or `manual`.
    pub ip6: Option<String>,
    /// The IPv6 gateway.
    pub gateway6: Option<String>,
    /// IPv4 addresses seen on it from within.
    pub ipv4: Vec<String>,
    /// IPv6 addresses seen on it from within.
    pub ipv6: Vec<String>,
}

impl fmt::Display for GuestNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model.as_deref().unwrap_or("card"))?;
        if let Some(mac) = &self.mac {
            write!(f, " {mac}")?;
        }
        if let Some(bridge) = &self.bridge {
            write!(f, " on {bridge}")?;
        }
        if let Some(vlan) = self.vlan {
            write!(f, ", VLAN {vlan}")?;
        }
        f.write_str(if self.link_down { ", unplugged" } else { "" })
    }
}
