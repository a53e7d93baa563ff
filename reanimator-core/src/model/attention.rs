//! What needs somebody: of what kind it is, how bad, since when, and the words and figures a sentence about it takes.
//!
//! Facts tell a [`Trouble`], which does not know whose it is; the fleet makes an [`Attention`] of it. `what` says it in
//! English; who speaks another language makes a sentence out of `kind` and `values`, and falls back to `what`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest text of a value or sentence, in characters: a host chooses some of them.
const TEXT_LIMIT: usize = 200;

/// Something that needs somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attention {
    /// What it is about: `host:ID`, `storage:ID`, `cluster:ID`, `guest:ID`.
    pub entity: String,
    /// Its name.
    pub name: String,
    /// What kind of trouble it is.
    pub kind: AttentionKind,
    /// How bad it is.
    pub level: AttentionLevel,
    /// What, in an English sentence.
    pub what: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What a sentence about it takes, as text: which of them, its kind says.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// Something wrong, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind it is.
    pub kind: AttentionKind,
    /// How bad it is.
    pub level: AttentionLevel,
    /// What, in an English sentence.
    pub what: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What a sentence about it takes.
    pub values: BTreeMap<String, String>,
}

/// What kind of trouble it is. The `values` that come with each, those with a question mark where they are known:
///
/// - `disk-health`: `disk`; `trouble` is `failed`, `attributes` or `warning` (with `detail`), `spare`, `self-test`,
///   `pending`, `uncorrectable`, `reallocated` or `media` (with `count`), or `worn` (with `percent`)
/// - `pool`: `pool`; `type` is `zfs`, `group`, `volume`, `raid` or `btrfs`; `trouble` is `state` (with `state`), `data`,
///   `device` (with `device`, `state`), `errors` (with `device`, `count`), `scan` (with `scan`, `count`), `degraded`
///   (with `missing`), `inactive` or `volume` (with `detail`)
/// - `pool-full`: `pool`, `percent`; `type` is `zfs` or `thin`, `part` is `data` or `metadata`
/// - `disk-full`: `percent`
/// - `temperature`: `celsius`, `sensor`?, `limit`?
/// - `failed-units`: `count`, `units` (the names of the first)
/// - `service`: `service`
/// - `certificate`: `certificate`, `days` that are left, negative where it has expired
/// - `backup-missing`: `count`, `guests` (the names of the first)
/// - `backup-old`: `backup_job` that is to make one, and its `schedule`, or `allowed_days` where that cannot be read;
///   `trouble` is `old` (with `days`, and with `hours` where it is less than two days old) or `none` where there is no
///   backup at all
/// - `backup-failed`: `guest` (its number, or the node where the task was about several), `error`
/// - `replication`: `job`, `count` (times in a row), `error`?; `since` is when it last succeeded
/// - `high-availability`: `resource`
/// - `ceph`: `health`, `checks`?
/// - `clock`: `seconds` that it is ahead, negative where it is behind
/// - `subscription`: `status` is `expired`, `invalid` or `suspended`
/// - `updates`: `count`
/// - `notify`: `target`, `count` (notices that wait), `error`
/// - `old-data`: `section`? of its facts, where the rest is not old
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AttentionKind {
    /// It does not answer.
    Offline,
    /// What is known of it is old.
    OldData,
    /// The cluster has lost quorum.
    NoQuorum,
    /// A disk is about to die, or not as it should be.
    DiskHealth,
    /// A pool, RAID, volume group or btrfs is not as it should be.
    Pool,
    /// A ZFS pool or thin pool is nearly full.
    PoolFull,
    /// A file system or storage is nearly full.
    DiskFull,
    /// A storage cannot be used.
    StorageUnusable,
    /// High availability of a guest is in error.
    HighAvailability,
    /// Ceph is not healthy.
    Ceph,
    /// A replication job fails.
    Replication,
    /// A service that Proxmox looks after failed.
    Service,
    /// A sensor is too warm.
    Temperature,
    /// Units of systemd failed.
    FailedUnits,
    /// A certificate expires soon or has expired.
    Certificate,
    /// A backup failed within a day.
    BackupFailed,
    /// The newest backup of a guest that a job takes along is old.
    BackupOld,
    /// Guests are in no backup job.
    BackupMissing,
    /// A clock is wrong.
    Clock,
    /// The subscription does not hold any more.
    Subscription,
    /// Notices do not reach a target.
    Notify,
    /// Security updates wait.
    Updates,
    /// It wants to be restarted.
    RestartWanted,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AttentionLevel {
    /// Something does not work.
    Critical,
    /// Something will not work for long.
    Warning,
    /// Worth knowing.
    Notice,
}

impl AttentionKind {
    /// Its name, as it is written everywhere: `disk-health`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::OldData => "old-data",
            Self::NoQuorum => "no-quorum",
            Self::DiskHealth => "disk-health",
            Self::Pool => "pool",
            Self::PoolFull => "pool-full",
            Self::DiskFull => "disk-full",
            Self::StorageUnusable => "storage-unusable",
            Self::HighAvailability => "high-availability",
            Self::Ceph => "ceph",
            Self::Replication => "replication",
            Self::Service => "service",
            Self::Temperature => "temperature",
            Self::FailedUnits => "failed-units",
            Self::Certificate => "certificate",
            Self::BackupFailed => "backup-failed",
            Self::BackupOld => "backup-old",
            Self::BackupMissing => "backup-missing",
            Self::Clock => "clock",
            Self::Subscription => "subscription",
            Self::Updates => "updates",
            Self::RestartWanted => "restart-wanted",
            Self::Notify => "notify",
        }
    }
}

impl AttentionLevel {
    /// `critical`, `warning`, `notice`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

impl Trouble {
    /// Something of that kind, said in that sentence.
    pub fn new(kind: AttentionKind, level: AttentionLevel, what: impl Into<String>) -> Self {
        Self { kind, level, what: cut(what.into()), since: None, values: BTreeMap::new() }
    }

    /// With a value for other sentences.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), cut(value.to_string()));
        self
    }

    /// With a value, where it is known.
    #[must_use]
    pub fn with_known(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Since then, where that is known.
    #[must_use]
    pub fn since(self, since: Option<Timestamp>) -> Self {
        Self { since, ..self }
    }

    /// Whose it is.
    pub fn of(self, entity: impl Into<String>, name: impl Into<String>) -> Attention {
        let Self { kind, level, what, since, values } = self;
        Attention { entity: entity.into(), name: name.into(), kind, level, what, since, values }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_levels_are_written_as_in_json() {
        for kind in [AttentionKind::Offline, AttentionKind::HighAvailability, AttentionKind::RestartWanted] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(serde_json::to_value(AttentionLevel::Notice).unwrap(), AttentionLevel::Notice.as_str());
    }

    #[test]
    fn a_trouble_becomes_somebodys_and_is_no_longer_than_it_should_be() {
        let long = "é".repeat(1000);
        let trouble = Trouble::new(AttentionKind::Pool, AttentionLevel::Critical, &long)
            .with("pool", &long)
            .with_known("state", None::<String>);
        let attention = trouble.of("host:1", "pve1");
        assert_eq!(attention.what.chars().count(), TEXT_LIMIT + 1);
        assert_eq!(attention.values["pool"].chars().count(), TEXT_LIMIT + 1);
        let json = serde_json::to_value(&attention).unwrap();
        assert_eq!((json["kind"].as_str(), json["values"].get("state")), (Some("pool"), None));
    }
}
