//! Everything a cluster has, with its figures: `/cluster/resources`.
//!
//! Cheap for the cluster (every node tells the others its figures every 10 s anyway) and complete as far as the login
//! may see: a login without rights gets bare node entries and nothing else. A node that is cut off keeps its guests
//! with their last known figures; a guest without fresh ones has the status `unknown` and nearly nothing else.

use serde_json::Value;

use super::lenient::{self, Fields};
use crate::{
    Result,
    model::{Bytes, GuestCounters, GuestKind, GuestStatus},
    transport::http::Request,
};

/// What to ask for.
pub fn request() -> Request {
    Request::get(["cluster", "resources"])
}

/// What a cluster has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// Nodes, by name.
    pub nodes: Vec<NodeRow>,
    /// Guests, by number.
    pub guests: Vec<GuestRow>,
    /// Storages, by name and node; a shared one stands here once per node.
    pub storages: Vec<StorageRow>,
    /// Nodes, guests and storages whose entry lacks what names them.
    pub nameless: usize,
}

/// Figures as every kind of resource has them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// CPU in use, as a share of 1.
    pub cpu: Option<f64>,
    /// CPUs.
    pub cpus: Option<f64>,
    /// Memory in use, in bytes.
    pub memory_used: Option<u64>,
    /// Memory there is, in bytes.
    pub memory_total: Option<u64>,
    /// Disk in use, in bytes.
    pub disk_used: Option<u64>,
    /// Disk there is, in bytes.
    pub disk_total: Option<u64>,
    /// Seconds since it started.
    pub uptime: Option<u64>,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// Whether the cluster sees it; not known when the cluster says `unknown`.
    pub online: Option<bool>,
    /// Its figures.
    pub figures: Figures,
}

/// One guest.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestRow {
    /// Its number.
    pub vmid: u32,
    /// VM or container.
    pub kind: GuestKind,
    /// The node it is on.
    pub node: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether it runs.
    pub status: GuestStatus,
    /// Its figures.
    pub figures: Figures,
    /// What it has read, written, received and sent since it started.
    pub counters: Option<GuestCounters>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is a template.
    pub template: bool,
}

/// One storage as one node has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageRow {
    /// Its name.
    pub name: String,
    /// The node.
    pub node: String,
    /// `dir`, `zfspool`, `nfs`...
    pub storage_type: Option<String>,
    /// What it may hold.
    pub content: Vec<String>,
    /// Whether all nodes see the same one.
    pub shared: bool,
    /// Whether it can be used.
    pub available: bool,
    /// Its figures.
    pub figures: Figures,
}

/// Reads the answer.
///
/// # Errors
/// When it is no list.
pub fn resources(data: &Value) -> Result<Resources> {
    let mut all = Resources::default();
    for row in lenient::rows(data, "the cluster's resources")? {
        let named = match row.text("type").as_deref() {
            Some("node") => keep(&mut all.nodes, node(row)),
            Some("qemu") => keep(&mut all.guests, guest(row, GuestKind::Qemu)),
            Some("lxc") => keep(&mut all.guests, guest(row, GuestKind::Lxc)),
            Some("storage") => keep(&mut all.storages, storage(row)),
            _ => true,
        };
        all.nameless += usize::from(!named);
    }
    all.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    all.guests.sort_by_key(|guest| guest.vmid);
    all.storages.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
    Ok(all)
}

fn keep<T>(rows: &mut Vec<T>, row: Option<T>) -> bool {
    let named = row.is_some();
    rows.extend(row);
    named
}

fn node(row: Fields<'_>) -> Option<NodeRow> {
    let online = match row.text("status").as_deref() {
        Some("online") => Some(true),
        Some("offline") => Some(false),
        _ => None,
    };
    Some(NodeRow { name: row.text("node")?, online, figures: figures(row) })
}

fn guest(row: Fields<'_>, kind: GuestKind) -> Option<GuestRow> {
    Some(GuestRow {
        vmid: row.count("vmid").and_then(|vmid| u32::try_from(vmid).ok())?,
        kind,
        node: row.text("node")?,
        name: row.text("name"),
        status: status(row.text("status").as_deref()),
        figures: figures(row),
        counters: counters(row),
        tags: words(row.text("tags")),
        template: row.flag("template").unwrap_or(false),
    })
}

fn storage(row: Fields<'_>) -> Option<StorageRow> {
    Some(StorageRow {
        name: row.text("storage")?,
        node: row.text("node")?,
        storage_type: row.text("plugintype"),
        content: words(row.text("content")),
        shared: row.flag("shared").unwrap_or(false),
        available: row.text("status").as_deref() == Some("available"),
        figures: figures(row),
    })
}

fn figures(row: Fields<'_>) -> Figures {
    Figures {
        cpu: row.number("cpu").filter(|share| *share >= 0.0),
        cpus: row.number("maxcpu").filter(|count| *count > 0.0),
        memory_used: row.count("mem"),
        memory_total: row.count("maxmem").filter(|bytes| *bytes > 0),
        disk_used: row.count("disk"),
        disk_total: row.count("maxdisk").filter(|bytes| *bytes > 0),
        uptime: row.count("uptime"),
    }
}

fn counters(row: Fields<'_>) -> Option<GuestCounters> {
    let bytes = |name| row.count(name).map(Bytes);
    Some(GuestCounters {
        disk_read_bytes: bytes("diskread")?,
        disk_written_bytes: bytes("diskwrite")?,
        network_received_bytes: bytes("netin")?,
        network_sent_bytes: bytes("netout")?,
    })
}

/// Whether a guest runs, from the word the API uses.
pub fn status(word: Option<&str>) -> GuestStatus {
    match word {
        Some("running") => GuestStatus::Running,
        Some("stopped") => GuestStatus::Stopped,
        Some("paused" | "suspended" | "prelaunch") => GuestStatus::Paused,
        _ => GuestStatus::Unknown,
    }
}

/// The words of a list in one text, in order: tags come with `;`, contents with `,`.
fn words(text: Option<String>) -> Vec<String> {
    let mut words: Vec<String> = text
        .unwrap_or_default()
        .split(|c: char| c == ';' || c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort();
    words.dedup();
    words
}
