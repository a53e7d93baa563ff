//! ZFS pools and datasets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Health;
use crate::model::{
    attention::{
        AttentionKind,
        AttentionLevel::{Critical, Warning},
        Trouble,
    },
    units::Bytes,
};

/// From this use on a pool is worth a warning, in percent: ZFS slows down where it is nearly full.
const POOL_FULL_PERCENT: f64 = 90.0;

/// A ZFS pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ZfsPool {
    /// `rpool`.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// In the words of ZFS: `ONLINE`, `DEGRADED`, `FAULTED`, `SUSPENDED`.
    pub state: String,
    /// Its size, parity included.
    pub size_bytes: Option<Bytes>,
    /// What of it is taken.
    pub used_bytes: Option<Bytes>,
    /// What of it is free.
    pub free_bytes: Option<Bytes>,
    /// How torn its free room is.
    pub fragmentation_percent: Option<f64>,
    /// How full it is.
    pub capacity_percent: Option<f64>,
    /// How often a block is used, on average: 1 without deduplication.
    pub dedup_ratio: Option<f64>,
    /// What ZFS says is wrong with it.
    pub status: Option<String>,
    /// The scrub or resilver that runs, or else the last one; absent where there was none yet.
    pub scan: Option<ZfsScan>,
    /// Damage to files, in the words of ZFS; absent where it knows of none.
    pub data_errors: Option<String>,
    /// What it is made of, as a list: a device belongs to the nearest one above it of smaller depth.
    pub devices: Vec<ZfsDevice>,
}

/// A scrub or resilver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ZfsScan {
    /// `scrub` or `resilver`.
    pub kind: String,
    /// Whether it still runs.
    pub running: bool,
    /// Whether it was broken off.
    pub cancelled: bool,
    /// When it ended; when it began, while it runs.
    pub at: Option<Timestamp>,
    /// Errors that it could not repair.
    pub errors: Option<u64>,
    /// How far it is, while it runs.
    pub progress_percent: Option<f64>,
}

/// A device of a pool, or a group of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ZfsDevice {
    /// `mirror-0`, `ata-WDC_WD40EFRX-part3`.
    pub name: String,
    /// 1 for what the pool is made of, 2 for what that is made of.
    pub depth: u32,
    /// `logs`, `cache`, `spares`, `special`; absent for data.
    pub role: Option<String>,
    /// `ONLINE`, `FAULTED`, `AVAIL`.
    pub state: String,
    /// Reads that failed.
    pub read_errors: Option<u64>,
    /// Writes that failed.
    pub write_errors: Option<u64>,
    /// Reads with wrong data.
    pub checksum_errors: Option<u64>,
    /// What ZFS adds: `too many errors`, `was /dev/sdb1`.
    pub note: Option<String>,
}

/// A ZFS file system or volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ZfsDataset {
    /// `rpool/data/vm-100-disk-0`.
    pub name: String,
    /// `filesystem` or `volume`.
    pub kind: String,
    /// What it and all below it take, snapshots included.
    pub used_bytes: Option<Bytes>,
    /// What it may still take.
    pub available_bytes: Option<Bytes>,
    /// What it itself shows.
    pub referenced_bytes: Option<Bytes>,
    /// Where it is mounted; absent for a volume, and where it is mounted nowhere.
    pub mount_point: Option<String>,
    /// The size of a volume.
    pub volume_size_bytes: Option<Bytes>,
    /// How many times smaller compression made it.
    pub compression_ratio: Option<f64>,
}

impl ZfsPool {
    /// What is wrong with it, in sentences.
    pub fn problems(&self) -> Vec<String> {
        super::sentences(self.troubles())
    }

    /// What is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        let name = &self.name;
        let say = |level, code: &str, what: String| {
            Trouble::new(AttentionKind::Pool, level, what).with("pool", name).with("type", "zfs").with("trouble", code)
        };
        let mut troubles = Vec::new();
        if !self.state.is_empty() && self.state != "ONLINE" {
            let what = format!("pool {name} is {}", self.state);
            troubles.push(say(Critical, "state", what).with("state", &self.state));
        }
        let damaged = self.data_errors.as_ref();
        troubles.extend(damaged.map(|errors| say(Critical, "data", format!("pool {name} has damaged data: {errors}"))));
        for device in &self.devices {
            let counts =
                [device.read_errors, device.write_errors, device.checksum_errors].map(Option::unwrap_or_default);
            let sum = counts.into_iter().fold(0, u64::saturating_add);
            let broken = !matches!(device.state.as_str(), "" | "ONLINE" | "AVAIL" | "INUSE");
            if broken {
                let what = format!("{} in pool {name} is {}", device.name, device.state);
                let trouble = say(Critical, "device", what).with("device", &device.name);
                troubles.push(trouble.with("state", &device.state));
            } else if sum > 0 {
                let noun = if sum == 1 { "error" } else { "errors" };
                let what = format!("{} in pool {name} had {sum} {noun}", device.name);
                troubles.push(say(Warning, "errors", what).with("device", &device.name).with("count", sum));
            }
        }
        let scan_errors = self.scan.as_ref().and_then(|scan| Some((&scan.kind, scan.errors?)));
        if let Some((kind, errors)) = scan_errors.filter(|(_, errors)| *errors > 0) {
            let noun = if errors == 1 { "error" } else { "errors" };
            let what = format!("the last {kind} of pool {name} left {errors} {noun}");
            troubles.push(say(Warning, "scan", what).with("scan", kind).with("count", errors));
        }
        if let Some(percent) = self.capacity_percent.filter(|percent| *percent >= POOL_FULL_PERCENT) {
            troubles.push(super::pool_full("zfs", name, "data", percent));
        }
        troubles
    }

    pub(crate) fn judge(&self) -> Health {
        match self.state.as_str() {
            "ONLINE" if self.troubles().is_empty() => Health::Good,
            "ONLINE" => Health::Warning,
            "DEGRADED" => Health::Degraded,
            "" => Health::Unknown,
            _ => Health::Failed,
        }
    }
}
