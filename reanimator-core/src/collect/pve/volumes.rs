//! What lies on storages: how they are configured (`/storage`), and what is on one of a guest, or the backups of all
//! (`/nodes/{node}/storage/{storage}/content`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, cut, hundredths, time},
};
use crate::{
    Error, ErrorKind, Result,
    model::facts::{
        cluster::NewestBackup,
        guest::{GuestBackup, GuestBackups},
    },
    transport::http::Request,
};

pub(crate) use super::options::gib;

/// How many backups of a guest are listed.
const BACKUPS_LISTED: usize = 50;

/// How many rows of a listing of backups are read: as of a thousand guests with a hundred backups each.
const ROWS_READ: usize = 100_000;

/// How many guests a listing of backups may be about.
const GUESTS_LISTED: usize = 10_000;

/// Storages of these types are the same one on every node, whether their configuration says so or not.
const SHARED_TYPES: [&str; 11] =
    ["nfs", "cifs", "pbs", "cephfs", "glusterfs", "rbd", "iscsi", "iscsidirect", "zfs", "drbd", "esxi"];

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

/// What to ask for the backups of all guests on one storage. Proxmox VE leaves those out, without a word, which the login
/// may not use: it takes `Datastore.Allocate` on `/storage/{storage}`, or `Datastore.AllocateSpace` there and `VM.Backup` on
/// each guest.
pub fn all_backups_request(node: &str, storage: &str) -> Request {
    Request::get(["nodes", node, "storage", storage, "content"]).param("content", "backup")
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
    /// Whether all nodes see the same one.
    pub shared: bool,
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
                shared: row.flag("shared").unwrap_or(false)
                    || row.text("type").is_some_and(|kind| SHARED_TYPES.contains(&kind.as_str())),
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

/// Reads the newest backup of each guest out of a listing of all backups.
///
/// # Errors
/// When the answer is no list; when it is longer than anybody would believe: a part of it is not taken for all.
pub fn newest_backups(data: &Value) -> Result<BTreeMap<String, NewestBackup>> {
    let too_long = |what: String| Err(Error::new(ErrorKind::Invalid, "read the backups").because(what));
    let rows = lenient::rows(data, "the storage's content")?;
    if rows.len() > ROWS_READ {
        return too_long(format!("the storage lists more than {ROWS_READ}"));
    }
    let mut newest: BTreeMap<String, NewestBackup> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.text("content").is_none_or(|content| content == "backup")) {
        let Some(vmid) = row.count("vmid").map(|vmid| vmid.to_string()) else { continue };
        let known = newest.entry(vmid).or_default();
        known.count += 1;
        known.made_at = known.made_at.max(time(row.count("ctime")));
    }
    if newest.len() > GUESTS_LISTED {
        return too_long(format!("the storage lists those of more than {GUESTS_LISTED} guests"));
    }
    Ok(newest)
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
