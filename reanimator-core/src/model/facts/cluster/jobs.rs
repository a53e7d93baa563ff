//! What a cluster does by itself: replication, backups, Ceph; and what of it failed.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Bytes;

/// A replication job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ReplicationJob {
    /// `100-0`.
    pub id: String,
    /// The guest, as text.
    pub vmid: Option<String>,
    /// The node it is on.
    pub source: Option<String>,
    /// The node it is copied to.
    pub target: Option<String>,
    /// When: `*/15`.
    pub schedule: Option<String>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Its limit in MB/s.
    pub rate_mb_per_second: Option<f64>,
    /// What people wrote about it.
    pub comment: Option<String>,
    /// When it last succeeded.
    pub last_sync: Option<Timestamp>,
    /// When it was last tried.
    pub last_try: Option<Timestamp>,
    /// When it is next due.
    pub next_sync: Option<Timestamp>,
    /// How long it took last time, in seconds.
    pub duration_seconds: Option<f64>,
    /// How often it failed in a row.
    pub fail_count: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
}

impl fmt::Display for ReplicationJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let off = if self.disabled { ", off" } else { "" };
        write!(f, "{} to {}, {}{off}", word(&self.vmid), word(&self.target), word(&self.schedule))
    }
}

/// A backup job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackupJob {
    /// Its name.
    pub id: String,
    /// Whether it is on.
    pub enabled: bool,
    /// When: `daily`, `sat 02:00`.
    pub schedule: Option<String>,
    /// Where to.
    pub storage: Option<String>,
    /// `snapshot`, `suspend`, `stop`.
    pub mode: Option<String>,
    /// Which guests, as text: their numbers, `all`, or `pool NAME`.
    pub guests: Option<String>,
    /// Guests it leaves out.
    pub excluded: Option<String>,
    /// Which guests, one by one.
    pub selection: BackupSelection,
    /// When it is next due.
    pub next_run: Option<Timestamp>,
    /// What people wrote about it.
    pub comment: Option<String>,
}

impl fmt::Display for BackupJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let off = if self.enabled { "" } else { ", off" };
        write!(f, "{} to {}, {}{off}", word(&self.guests), word(&self.storage), word(&self.schedule))
    }
}

/// Which guests a backup job takes along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackupSelection {
    /// All there are, but for those left out.
    pub all: bool,
    /// These, by number.
    pub vmids: BTreeSet<String>,
    /// Those of this pool.
    pub pool: Option<String>,
    /// Who is in that pool; not known where it could not be asked.
    pub pool_members: Option<BTreeSet<String>>,
    /// Not these.
    pub excluded: BTreeSet<String>,
    /// Only while they are on this node.
    pub node: Option<String>,
}

impl BackupSelection {
    /// Whether it takes along the guest of that number, which is on that node now. What is not known to be taken along is
    /// not.
    pub fn covers(&self, vmid: &str, node: &str) -> bool {
        let chosen = match (&self.pool, self.vmids.is_empty()) {
            // As Proxmox VE looks at them: the pool, then the numbers, then all.
            (Some(_), _) => self.pool_members.as_ref().is_some_and(|members| members.contains(vmid)),
            (None, false) => self.vmids.contains(vmid),
            (None, true) => self.all,
        };
        chosen && !self.excluded.contains(vmid) && self.node.as_ref().is_none_or(|only| only == node)
    }
}

/// A guest that no backup job takes along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NotBackedUp {
    /// Its number, as text.
    pub vmid: String,
    /// Its name.
    pub name: Option<String>,
    /// `qemu` or `lxc`.
    pub kind: Option<String>,
}

/// Ceph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CephFacts {
    /// `HEALTH_OK`, `HEALTH_WARN`, `HEALTH_ERR`.
    pub health: Option<String>,
    /// What is wrong.
    pub checks: Vec<CephCheck>,
    /// Monitors there are.
    pub monitors: Option<u32>,
    /// Monitors that see each other.
    pub monitors_in_quorum: Option<u32>,
    /// Disks there are.
    pub osds: Option<u32>,
    /// Disks that answer.
    pub osds_up: Option<u32>,
    /// Disks that hold data.
    pub osds_in: Option<u32>,
    /// All room on them, before redundancy.
    pub total_bytes: Option<Bytes>,
    /// Taken.
    pub used_bytes: Option<Bytes>,
    /// Groups that data is spread over.
    pub placement_groups: Option<u64>,
    /// Data that is not where it belongs, 0 to 100; none when all of it is.
    pub misplaced_percent: Option<f64>,
}

/// Something that Ceph warns of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CephCheck {
    /// `OSD_DOWN`, `POOL_NEARFULL`.
    pub name: String,
    /// `HEALTH_WARN`, `HEALTH_ERR`.
    pub severity: Option<String>,
    /// In a sentence.
    pub message: Option<String>,
}

/// A task that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskFailure {
    /// Its id in Proxmox.
    pub upid: String,
    /// The node it ran on.
    pub node: Option<String>,
    /// `vzdump`, `qmstart`.
    pub kind: Option<String>,
    /// What it was about, often a guest's number.
    pub subject: Option<String>,
    /// Who started it.
    pub user: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(vmids: &[&str]) -> BTreeSet<String> {
        vmids.iter().map(|vmid| (*vmid).to_owned()).collect()
    }

    #[test]
    fn a_job_takes_along_whom_it_names() {
        let all = BackupSelection { all: true, excluded: set(&["101"]), ..BackupSelection::default() };
        assert_eq!(["100", "101"].map(|vmid| all.covers(vmid, "pve1")), [true, false]);
        let listed = BackupSelection { vmids: set(&["100", "1050"]), ..BackupSelection::default() };
        assert_eq!(["100", "105", "1050"].map(|vmid| listed.covers(vmid, "pve1")), [true, false, true]);
        let node = BackupSelection { node: Some("pve2".to_owned()), ..listed };
        assert_eq!(["pve1", "pve2"].map(|name| node.covers("100", name)), [false, true]);
        let pool = BackupSelection { pool: Some("prod".to_owned()), ..BackupSelection::default() };
        assert!(!pool.covers("100", "pve1"), "nobody knows who is in it");
        let members = BackupSelection { pool_members: Some(set(&["100"])), ..pool };
        assert_eq!(["100", "101"].map(|vmid| members.covers(vmid, "pve1")), [true, false]);
        assert!(!BackupSelection::default().covers("100", "pve1"), "as in facts that an older version wrote down");
    }
}
