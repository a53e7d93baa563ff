//! LVM, Linux software RAID and btrfs.

use serde::{Deserialize, Serialize};

use super::Health;
use crate::model::{
    attention::{AttentionKind, AttentionLevel, Trouble},
    units::Bytes,
};

/// From this use on a thin pool is worth a warning, in percent: when one is full, its guests stop.
const POOL_FULL_PERCENT: f64 = 90.0;

/// An LVM volume group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VolumeGroup {
    /// `pve`.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// What no volume has taken yet.
    pub free_bytes: Option<Bytes>,
    /// How many of its physical volumes are gone.
    pub missing_members: Option<u64>,
    /// What it is made of.
    pub physical_volumes: Vec<PhysicalVolume>,
    /// What is made of it.
    pub logical_volumes: Vec<LogicalVolume>,
}

/// A device of a volume group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PhysicalVolume {
    /// `/dev/sda3`; `[unknown]` when it is missing.
    pub path: String,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// What of it is free.
    pub free_bytes: Option<Bytes>,
    /// Whether it is gone.
    pub missing: bool,
}

/// An LVM volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LogicalVolume {
    /// `vm-100-disk-0`.
    pub name: String,
    /// Its layout: `linear`, `thin,pool`, `thin,sparse`, `raid,raid1`.
    pub kind: Option<String>,
    /// Its size; of a thin volume what it may grow to.
    pub size_bytes: Option<Bytes>,
    /// The thin pool it takes its room from.
    pub pool: Option<String>,
    /// What it is a snapshot of.
    pub origin: Option<String>,
    /// How full it is, where it is thin, a thin pool or a snapshot.
    pub data_percent: Option<f64>,
    /// How full the bookkeeping of a thin pool is.
    pub metadata_percent: Option<f64>,
    /// How far a mirror or RAID is in step.
    pub synced_percent: Option<f64>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// What LVM finds wrong with it: `partial`, `refresh needed`.
    pub trouble: Option<String>,
}

impl VolumeGroup {
    /// What is wrong with it, in sentences.
    pub fn problems(&self) -> Vec<String> {
        super::sentences(self.troubles())
    }

    /// What is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        let name = &self.name;
        let mut troubles = Vec::new();
        if let Some(missing) = self.missing_members.filter(|missing| *missing > 0) {
            let what = format!("volume group {name} is degraded: {}", missing_words(missing, self.members()));
            troubles.push(pool("group", name, "degraded", what).with("missing", missing));
        }
        for volume in &self.logical_volumes {
            let full_name = format!("{name}/{}", volume.name);
            if let Some(detail) = &volume.trouble {
                let what = format!("volume {full_name}: {detail}");
                troubles.push(pool("volume", &full_name, "volume", what).with("detail", detail));
            }
            let parts = [("data", volume.data_percent), ("metadata", volume.metadata_percent)];
            for (part, percent) in parts.into_iter().filter(|_| volume.is_pool()) {
                if let Some(percent) = percent.filter(|percent| *percent >= POOL_FULL_PERCENT) {
                    troubles.push(super::pool_full("thin", &full_name, part, percent));
                }
            }
        }
        troubles
    }

    pub(crate) fn judge(&self) -> Health {
        let full = |volume: &LogicalVolume| {
            volume.is_pool()
                && [volume.data_percent, volume.metadata_percent].iter().flatten().any(|percent| *percent >= 100.0)
        };
        if self.logical_volumes.iter().any(full) {
            Health::Failed
        } else if self.missing_members.is_some_and(|missing| missing > 0) {
            Health::Degraded
        } else if self.troubles().is_empty() {
            Health::Good
        } else {
            Health::Warning
        }
    }

    pub(crate) fn words(&self) -> String {
        let size = self.size_bytes.map_or_else(|| "size not seen".to_owned(), |size| size.to_string());
        match self.missing_members {
            Some(missing) if missing > 0 => format!("{size}, {}", missing_words(missing, self.members())),
            _ => size,
        }
    }

    fn members(&self) -> u64 {
        self.physical_volumes.len() as u64
    }
}

impl LogicalVolume {
    /// Whether it is a thin pool.
    pub fn is_pool(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.contains("thin") && kind.contains("pool"))
    }
}

/// `1 of 2 members is missing`; without the whole where that is not known.
/// Something that is broken already.
fn pool(pool_type: &str, name: &str, code: &str, what: String) -> Trouble {
    Trouble::new(AttentionKind::Pool, AttentionLevel::Critical, what)
        .with("pool", name)
        .with("type", pool_type)
        .with("trouble", code)
}

fn missing_words(missing: u64, of: u64) -> String {
    let whole = if of >= missing { format!(" of {of}") } else { String::new() };
    let verb = if missing == 1 { "is" } else { "are" };
    let noun = if whole.is_empty() && missing == 1 { "member" } else { "members" };
    format!("{missing}{whole} {noun} {verb} missing")
}

/// A software RAID of the Linux kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct MdArray {
    /// `md0`.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// `raid1`, `raid5`.
    pub level: Option<String>,
    /// `active`, `clean`, `inactive`, as the kernel names it.
    pub state: Option<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// Its devices.
    pub members: Vec<MdMember>,
    /// How many members it should have, spares left out.
    pub wanted_members: Option<u64>,
    /// How many of those are missing.
    pub missing_members: Option<u64>,
    /// What it does: `recovery`, `resync`, `check`, `reshape`; absent when idle.
    pub action: Option<String>,
    /// How far that is; absent while it waits.
    pub progress_percent: Option<f64>,
    /// How long it will take still.
    pub remaining_seconds: Option<u64>,
    /// How fast it goes.
    pub speed_bytes_per_second: Option<u64>,
    /// Sectors that differed in the last check.
    pub mismatch_count: Option<u64>,
    /// Whether it is no array of its own but holds others, with metadata of a BIOS.
    pub container: bool,
}

/// A device of a software RAID.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct MdMember {
    /// `sda1`.
    pub device: String,
    /// How it takes part.
    pub state: MemberState,
}

/// How a device takes part in a RAID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// It holds data, or is being filled.
    #[default]
    Active,
    /// It waits for another to fail.
    Spare,
    /// It failed.
    Failed,
    /// It takes the place of a member that still works.
    Replacement,
    /// It holds the journal.
    Journal,
}

impl MdArray {
    /// What is wrong with it, in sentences.
    pub fn problems(&self) -> Vec<String> {
        super::sentences(self.troubles())
    }

    /// What is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        let name = &self.name;
        let mut troubles = Vec::new();
        if self.is_inactive() {
            troubles.push(pool("raid", name, "inactive", format!("{name} is inactive")));
        }
        if let Some(missing) = self.missing_members.filter(|missing| *missing > 0) {
            let doing = match (&self.action, self.progress_percent) {
                (Some(action), Some(percent)) => format!("; {action} is at {percent:.0} %"),
                (Some(action), None) => format!("; {action} is due"),
                (None, _) => String::new(),
            };
            let words = missing_words(missing, self.wanted_members.unwrap_or(0));
            let what = format!("{name} is degraded: {words}{doing}");
            troubles.push(pool("raid", name, "degraded", what).with("missing", missing));
        }
        for member in self.members.iter().filter(|member| member.state == MemberState::Failed) {
            let trouble = pool("raid", name, "device", format!("{} in {name} failed", member.device));
            troubles.push(trouble.with("device", &member.device).with("state", "FAULTY"));
        }
        troubles
    }

    pub(crate) fn judge(&self) -> Health {
        if self.is_inactive() {
            Health::Failed
        } else if self.missing_members.is_some_and(|missing| missing > 0) {
            Health::Degraded
        } else if self.troubles().is_empty() {
            Health::Good
        } else {
            Health::Warning
        }
    }

    pub(crate) fn words(&self) -> String {
        let level = self.level.as_deref().unwrap_or("level not seen");
        match self.missing_members {
            Some(missing) if missing > 0 => {
                format!("{level}, {}", missing_words(missing, self.wanted_members.unwrap_or(0)))
            }
            _ if self.is_inactive() => format!("{level}, inactive"),
            _ => level.to_owned(),
        }
    }

    fn is_inactive(&self) -> bool {
        !self.container && self.state.as_deref() == Some("inactive")
    }
}

/// A btrfs file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Btrfs {
    /// Its UUID.
    pub uuid: String,
    /// How it is.
    pub health: Health,
    /// Its label.
    pub label: Option<String>,
    /// What its files take, once each.
    pub used_bytes: Option<Bytes>,
    /// What it is made of.
    pub devices: Vec<BtrfsDevice>,
}

/// A device of a btrfs file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BtrfsDevice {
    /// Its number in the file system.
    pub id: u64,
    /// `/dev/sdb`; absent when it is missing or `btrfs` could not be asked.
    pub path: Option<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// What of it is given out.
    pub allocated_bytes: Option<Bytes>,
    /// Whether it is gone.
    pub missing: bool,
    /// Errors since they were last set to zero: reads, writes, flushes, wrong checksums and generations together.
    pub errors: Option<u64>,
}

impl Btrfs {
    /// Its label, else its UUID.
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.uuid)
    }

    /// What is wrong with it, in sentences.
    pub fn problems(&self) -> Vec<String> {
        super::sentences(self.troubles())
    }

    /// What is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        let name = self.name();
        let mut troubles = Vec::new();
        if self.missing() > 0 {
            let words = missing_words(self.missing(), self.devices.len() as u64);
            let trouble = pool("btrfs", name, "degraded", format!("btrfs {name} is degraded: {words}"));
            troubles.push(trouble.with("missing", self.missing()));
        }
        for device in &self.devices {
            if let Some(errors) = device.errors.filter(|errors| *errors > 0) {
                let path = device.path.clone().unwrap_or_else(|| format!("device {}", device.id));
                let noun = if errors == 1 { "error" } else { "errors" };
                let trouble = pool("btrfs", name, "errors", format!("btrfs {name} counted {errors} {noun} on {path}"));
                let trouble = Trouble { level: AttentionLevel::Warning, ..trouble };
                troubles.push(trouble.with("device", path).with("count", errors));
            }
        }
        troubles
    }

    pub(crate) fn judge(&self) -> Health {
        match (self.missing(), self.troubles().is_empty()) {
            (0, true) => Health::Good,
            (0, false) => Health::Warning,
            _ => Health::Degraded,
        }
    }

    pub(crate) fn words(&self) -> String {
        let count = self.devices.len();
        let noun = if count == 1 { "device" } else { "devices" };
        match self.missing() {
            0 => format!("{count} {noun}"),
            missing => missing_words(missing, count as u64),
        }
    }

    fn missing(&self) -> u64 {
        self.devices.iter().filter(|device| device.missing).count() as u64
    }
}
