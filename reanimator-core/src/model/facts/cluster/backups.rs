//! The backups there are of a cluster's guests, and who is owed one: what tells whether a backup is too old.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::facts::Watched;

/// What was read of a place longer ago is not what is there: three turns of reading.
const HOLDS: SignedDuration = SignedDuration::from_hours(3);

/// The backups there are of a cluster's guests, by the places where they may lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ClusterBackups {
    /// Where backups may lie: each storage for them, and one that is a node's own once per node.
    pub places: Vec<BackupPlace>,
    /// Guests that a backup job takes along, by number; none where the jobs were never seen.
    pub covered: Option<BTreeMap<String, BackupDuty>>,
}

/// A storage for backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackupPlace {
    /// The storage's name.
    pub storage: String,
    /// The node whose own it is; none for one that nodes share.
    pub node: Option<String>,
    /// When it was last asked, with or without an answer.
    pub asked_at: Option<Timestamp>,
    /// When what is told here was last known to hold: it was read, or nobody could have written to it since.
    pub read_at: Option<Timestamp>,
    /// Why it is not known what lies there now.
    pub problem: Option<String>,
    /// The newest backup of each guest, by number.
    pub guests: BTreeMap<String, NewestBackup>,
}

/// The newest of a guest's backups in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NewestBackup {
    /// When it was made, where the storage tells.
    pub made_at: Option<Timestamp>,
    /// How many backups of it are there.
    pub count: u64,
}

/// That a job takes a guest along: of several jobs the one that allows the least time between two backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackupDuty {
    /// The job's name.
    pub job: String,
    /// Its schedule.
    pub schedule: Option<String>,
    /// The storage it writes to.
    pub storage: Option<String>,
    /// Since when that is known.
    pub since: Timestamp,
    /// Whether it began then. Else it was so already when somebody first looked.
    pub began: bool,
}

/// Whether a backup can have been made then: a clock may be off by a little, and a date in the future tells nothing.
pub(crate) fn is_past(made_at: Timestamp, now: Timestamp) -> bool {
    made_at.duration_since(now) <= SignedDuration::from_hours(1)
}

impl ClusterBackups {
    /// When the newest backup of that guest was made, as far as is known; and whether there is any at all.
    pub fn newest(&self, vmid: &str, now: Timestamp) -> (Option<Timestamp>, bool) {
        let found = self.places.iter().filter_map(|place| place.guests.get(vmid));
        let made_at = |backup: &NewestBackup| backup.made_at.filter(|at| is_past(*at, now));
        found.fold((None, false), |(newest, _), backup| (newest.max(made_at(backup)), true))
    }

    /// Whether there is a place for backups, and of each it is known what lies there.
    pub fn is_seen(&self, now: Timestamp) -> bool {
        !self.places.is_empty() && self.places.iter().all(|place| place.is_seen(now))
    }
}

impl BackupPlace {
    /// Whether it is known what lies there.
    pub fn is_seen(&self, now: Timestamp) -> bool {
        let holds = |at: Timestamp| now.duration_since(at).abs() <= HOLDS;
        self.problem.is_none() && self.read_at.is_some_and(holds)
    }

    /// `nas`, `local of pve1`.
    pub fn words(&self) -> String {
        match &self.node {
            Some(node) => format!("{} of {node}", self.storage),
            None => self.storage.clone(),
        }
    }
}

/// Backups come and go every day: none of that is a change of the cluster.
impl Watched for ClusterBackups {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
