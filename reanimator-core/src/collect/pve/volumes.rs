//! What lies on storages: how they are configured (`/storage`), and what is on one of a guest
//! (`/nodes/{node}/storage/{storage}/content`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, cut, hundredths, time},
};
use crate::{
    Result,
    model::facts::guest::{GuestBackup, GuestBackups},
    transport::http::Request,
};

pub(crate) use super::options::gib;

/// How many backups of a guest are listed.
const BACKUPS_LISTED: usize = 50;

/// What to ask for all storages' configurations. Shows those on which the login has `Datastore.Audit`.
pub fn storages_request() -> Request {
    Request::get(["storage"])
}

/// What to ask for a guest's volumes on one storage. Needs `Datastore.Audit` on `/storage/{storage}`.
pub fn content_request(node: &str, storage: &str, vmid: &str) -> Request {
    Request::get(["nodes", node, "storage", storage, "content"]).param("vmid", vmid)
}

/// What to ask for a guest's backups on one storage.
pub fn backups_request(node: &str, storage: &str, vmid: &str) -> Request {
    content_request(node, storage, vmid).param("content", "backup")
}

/// How a storage is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageConfig {
    /// `dir`, `zfspool`, `pbs`...
    pub kind: String,
    /// The ZFS pool or Ceph pool it is.
    pub pool: Option<String>,
    /// What it may hold.
    pub content: Vec<String>,
    /// The nodes that have it; empty: all.
    pub nodes: Vec<String>,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl StorageConfig {
    /// Whether `node` may find backups on it.
    pub fn has_backups_for(&self, node: &str) -> bool {
        let here = self.nodes.is_empty() || self.nodes.iter().any(|name| name == node);
        here && !self.disabled && self.content.iter().any(|content| content == "backup")
    }
}

/// Reads the storages' configurations, by name.
///
/// # Errors
/// When the answer is no list.
pub fn storages(data: &Value) -> Result<BTreeMap<String, StorageConfig>> {
    let words = |row: Fields<'_>, name: &str| {
        row.text(name).unwrap_or_default().split(',').filter_map(cut).take(LIST_LIMIT).collect()
    };
    let storage = |row: Fields<'_>| {
        Some((
            row.text("storage")?,
            StorageConfig {
                kind: row.text("type").unwrap_or_default(),
                pool: row.text("pool").as_deref().and_then(cut),
                content: words(row, "content"),
                nodes: words(row, "nodes"),
                disabled: row.flag("disable").unwrap_or(false),
            },
        ))
    };
    Ok(lenient::rows(data, "the storages")?.into_iter().filter_map(storage).take(LIST_LIMIT).collect())
}

/// A guest's volumes on one storage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volumes {
    /// Bytes taken by each volume, by its name with the storage's, where the storage tells.
    pub used: BTreeMap<String, u64>,
    /// Bytes of each volume, by its name.
    pub sizes: BTreeMap<String, u64>,
    /// Its backups there.
    pub backups: Vec<GuestBackup>,
}

/// Reads a storage's content. Rows of another guest are left out, whoever asked for them.
///
/// # Errors
/// When the answer is no list.
pub fn content(data: &Value, vmid: &str) -> Result<Volumes> {
    let mut volumes = Volumes::default();
    for row in lenient::rows(data, "the storage's content")?.into_iter().take(LIST_LIMIT) {
        let Some(id) = row.text("volid").filter(|_| row.text("vmid").as_deref() == Some(vmid)) else { continue };
        if row.text("content").as_deref() == Some("backup") {
            volumes.backups.extend(backup(&id, row));
            continue;
        }
        // A storage that cannot tell writes zero.
        volumes.used.extend(row.count("used").filter(|used| *used > 0).map(|used| (id.clone(), used)));
        volumes.sizes.extend(row.count("size").map(|size| (id, size)));
    }
    Ok(volumes)
}

fn backup(id: &str, row: Fields<'_>) -> Option<GuestBackup> {
    let (storage, volume) = id.split_once(':')?;
    Some(GuestBackup {
        storage: cut(storage)?,
        volume: cut(volume)?,
        made_at: time(row.count("ctime")),
        size_gb: row.count("size").map(gib),
        format: row.text("format").as_deref().and_then(cut),
        notes: row.text("notes").as_deref().and_then(cut),
        protected: row.flag("protected").unwrap_or(false),
        verified: row.object("verification").and_then(|seen| seen.text("state")).map(|state| state == "ok"),
    })
}

/// Sums up backups from all storages. One that several nodes see on a shared storage counts once.
pub fn backups(mut found: Vec<GuestBackup>, now: Timestamp) -> GuestBackups {
    found.sort_by(|a, b| (b.made_at, &a.storage, &a.volume).cmp(&(a.made_at, &b.storage, &b.volume)));
    found.dedup_by(|a, b| (&a.storage, &a.volume) == (&b.storage, &b.volume));
    let newest_at = found.iter().find_map(|backup| backup.made_at);
    GuestBackups {
        count: found.len(),
        total_gb: hundredths(found.iter().filter_map(|backup| backup.size_gb).fold(0.0, |sum, size| sum + size)),
        newest_at,
        newest_age_seconds: newest_at.map(|at| u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0)),
        list: found.into_iter().take(BACKUPS_LISTED).collect(),
    }
}
