//! Block devices and what is built of them: partitions, SMART, LVM, RAID, ZFS, btrfs, network mounts and swap.
//!
//! What is not as it should be says so twice: in a [`Health`] beside each thing that can break, and as sentences in
//! [`Disks::problems`].

mod smart;
mod volumes;
mod zfs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;
use crate::model::{
    attention::{AttentionKind, AttentionLevel, Trouble},
    units::Bytes,
};

pub use smart::{SelfTest, Smart};
pub use volumes::{Btrfs, BtrfsDevice, LogicalVolume, MdArray, MdMember, MemberState, PhysicalVolume, VolumeGroup};
pub use zfs::{ZfsDataset, ZfsDevice, ZfsPool, ZfsScan};

/// How something that holds data is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DiskHealth))]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Not seen.
    #[default]
    Unknown,
    /// Nothing is wrong.
    Good,
    /// It works, and somebody should look: worn, nearly full, a few errors.
    Warning,
    /// It works with less safety than it was built with.
    Degraded,
    /// It does not work, or says that it is about to stop.
    Failed,
}

/// Block devices and what is built of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Disks {
    /// Disks, partitions and whatever else is a block device, each once, parents before children.
    pub devices: Vec<BlockDevice>,
    /// What disks say of themselves.
    pub smart: Vec<Smart>,
    /// LVM volume groups.
    pub volume_groups: Vec<VolumeGroup>,
    /// Linux software RAID.
    pub md_arrays: Vec<MdArray>,
    /// ZFS pools.
    pub zfs_pools: Vec<ZfsPool>,
    /// ZFS file systems and volumes.
    pub zfs_datasets: Vec<ZfsDataset>,
    /// File systems of the type btrfs.
    pub btrfs: Vec<Btrfs>,
    /// What is mounted from other machines.
    pub network_mounts: Vec<NetworkMount>,
    /// Swap areas in use.
    pub swaps: Vec<Swap>,
}

/// One block device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BlockDevice {
    /// `sda1`, `pve-root`.
    pub name: String,
    /// `/dev/sda1`.
    pub path: String,
    /// `disk`, `part`, `lvm`, `raid1`, `crypt`, `loop`, `rom`, as `lsblk` names it.
    pub kind: String,
    /// The names of what it lies on: a partition's disk, a RAID's members. Empty for a whole disk.
    pub parents: Vec<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// `Samsung SSD 870`.
    pub model: Option<String>,
    /// `ATA`, `WDC`.
    pub vendor: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its world-wide name.
    pub wwn: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Whether it turns. A virtual disk often claims so.
    pub rotational: Option<bool>,
    /// `sata`, `nvme`, `usb`, `virtio`.
    pub transport: Option<String>,
    /// Whether its medium can be taken out.
    pub removable: Option<bool>,
    /// Whether it takes no writes.
    pub read_only: Option<bool>,
    /// What lies on it: `ext4`, `LVM2_member`, `swap`.
    pub fs_type: Option<String>,
    /// The label of that.
    pub label: Option<String>,
    /// The UUID of that.
    pub uuid: Option<String>,
    /// Where it is mounted; `[SWAP]` for swap.
    pub mount_points: Vec<String>,
    /// `mq-deadline`, `none`.
    pub scheduler: Option<String>,
}

/// A file system of another machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NetworkMount {
    /// `nas:/export/media`, `//nas/media`.
    pub source: String,
    /// Where it is mounted here.
    pub mount_point: String,
    /// `nfs4`, `cifs`.
    pub fs_type: String,
    /// The version of the protocol: `4.2`, `3.1.1`.
    pub version: Option<String>,
    /// Whether it is mounted for reading alone.
    pub read_only: bool,
}

/// A swap area.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SwapDevice))]
#[serde(default)]
pub struct Swap {
    /// `/dev/dm-0`, `/swapfile`.
    pub path: String,
    /// `partition` or `file`.
    pub kind: String,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// What of it is in use.
    pub used_bytes: Option<Bytes>,
    /// The higher, the sooner it is used.
    pub priority: Option<i64>,
}

impl Disks {
    /// What is degraded, failed, worn or nearly full, in sentences: `md0 is degraded: 1 of 2 members is missing`.
    pub fn problems(&self) -> Vec<String> {
        sentences(self.troubles())
    }

    /// What is degraded, failed, worn or nearly full.
    pub fn troubles(&self) -> Vec<Trouble> {
        let smart = self.smart.iter().flat_map(Smart::troubles);
        let groups = self.volume_groups.iter().flat_map(VolumeGroup::troubles);
        let arrays = self.md_arrays.iter().flat_map(MdArray::troubles);
        let pools = self.zfs_pools.iter().flat_map(ZfsPool::troubles);
        let btrfs = self.btrfs.iter().flat_map(Btrfs::troubles);
        smart.chain(groups).chain(arrays).chain(pools).chain(btrfs).collect()
    }

    /// The worst of what is known of anything here.
    pub fn health(&self) -> Health {
        let smart = self.smart.iter().map(|it| it.health);
        let groups = self.volume_groups.iter().map(|it| it.health);
        let arrays = self.md_arrays.iter().map(|it| it.health);
        let pools = self.zfs_pools.iter().map(|it| it.health);
        let btrfs = self.btrfs.iter().map(|it| it.health);
        smart.chain(groups).chain(arrays).chain(pools).chain(btrfs).max().unwrap_or_default()
    }

    /// The whole disks: what lies on nothing else and holds data for good. Not loops, RAM disks, optical drives,
    /// nor volumes of a ZFS pool.
    pub fn whole_disks(&self) -> impl Iterator<Item = &BlockDevice> {
        self.devices.iter().filter(|device| device.kind == "disk" && device.parents.is_empty() && !device.is_made_up())
    }

    /// What lies on that device: the partitions of a disk, the volumes of a partition.
    pub fn children_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a BlockDevice> {
        self.devices.iter().filter(move |device| device.parents.iter().any(|parent| parent == name))
    }
}

fn sentences(troubles: Vec<Trouble>) -> Vec<String> {
    troubles.into_iter().map(|trouble| trouble.what).collect()
}

/// A pool that is nearly full, or that part of it. One that is quite full stops what lies on it.
fn pool_full(pool_type: &str, pool: &str, part: &str, percent: f64) -> Trouble {
    let level = if percent >= 95.0 { AttentionLevel::Critical } else { AttentionLevel::Warning };
    let words = if pool_type == "zfs" { "pool" } else { "thin pool" };
    let of = if part == "metadata" { "the metadata of " } else { "" };
    Trouble::new(AttentionKind::PoolFull, level, format!("{of}{words} {pool} is {percent:.0} % full"))
        .with("pool", pool)
        .with("type", pool_type)
        .with("part", part)
        .with("percent", format!("{percent:.0}"))
}

impl BlockDevice {
    /// Whether it is in memory, a volume of a ZFS pool, or on other machines.
    fn is_made_up(&self) -> bool {
        ["zram", "ram", "zd", "rbd", "drbd", "nbd"].iter().any(|prefix| self.name.starts_with(prefix))
    }

    fn description(&self) -> String {
        let parts = [self.vendor.clone(), self.model.clone(), self.size_bytes.map(|size| size.to_string())];
        let mut words: Vec<String> = parts.into_iter().flatten().collect();
        words.extend(self.serial.as_ref().map(|serial| format!("serial {serial}")));
        if words.is_empty() { "present".to_owned() } else { words.join(" ") }
    }
}

impl Watched for Disks {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut watched = BTreeMap::new();
        for disk in self.whole_disks() {
            // Names such as `sda` are dealt anew at each start; a serial number stays with the disk.
            let name = disk.serial.as_ref().unwrap_or(&disk.name);
            watched.insert(format!("disk {name}"), disk.description());
        }
        for smart in self.smart.iter().filter(|smart| !smart.asleep) {
            let name = smart.serial.as_ref().unwrap_or(&smart.device);
            let counts = [
                ("reallocated sectors", smart.reallocated_sectors),
                ("pending sectors", smart.pending_sectors),
                ("uncorrectable sectors", smart.uncorrectable_sectors),
                ("media errors", smart.media_errors),
            ];
            for (what, count) in counts {
                watched.extend(count.map(|count| (format!("disk {name} {what}"), count.to_string())));
            }
            let passed = smart.passed.map(|passed| if passed { "passed" } else { "failed" }.to_owned());
            watched.extend(passed.map(|passed| (format!("disk {name} SMART"), passed)));
        }
        for group in &self.volume_groups {
            watched.insert(format!("volume group {}", group.name), group.words());
        }
        for array in &self.md_arrays {
            watched.insert(format!("RAID {}", array.name), array.words());
        }
        for pool in &self.zfs_pools {
            watched.insert(format!("ZFS pool {}", pool.name), pool.state.clone());
        }
        for file_system in &self.btrfs {
            watched.insert(format!("btrfs {}", file_system.name()), file_system.words());
        }
        for mount in &self.network_mounts {
            watched.insert(format!("mount {}", mount.mount_point), mount.source.clone());
        }
        watched
    }
}
