//! One node in detail, and the nodes' certificates.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    lenient::{self, Fields},
    version::from_pveversion,
};
use crate::{Result, model::facts::pve_node::NodePressure, transport::http::Request};

/// What to ask for one node's figures. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn status_request(node: &str) -> Request {
    Request::get(["nodes", node, "status"])
}

/// What to ask for a node's last hour, minute by minute. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn history_request(node: &str) -> Request {
    Request::get(["nodes", node, "rrddata"]).param("timeframe", "hour").param("cf", "AVERAGE")
}

/// Reads the pressure of the last minute of a node's history that has any: Proxmox VE 9 writes it down, and nothing
/// where its kernel does not measure it.
///
/// # Errors
/// When the answer is no list.
pub fn pressure(data: &Value) -> Result<Option<NodePressure>> {
    let rows = lenient::rows(data, "the node's history")?;
    Ok(rows.into_iter().rev().find_map(|row| {
        let at = row.count("time").and_then(|second| Timestamp::from_second(i64::try_from(second).ok()?).ok())?;
        let minute = super::guest_live::pressure(row);
        (!minute.is_empty()).then_some(NodePressure { at: Some(at), minute })
    }))
}

/// What to ask for one node's interfaces.
pub fn network_request(node: &str) -> Request {
    Request::get(["nodes", node, "network"])
}

/// What to ask for all nodes with their certificates.
pub fn list_request() -> Request {
    Request::get(["nodes"])
}

/// What to ask for the certificates of a cluster's nodes. Needs `Sys.Audit` on `/`; a node that stands alone has none.
pub fn join_request() -> Request {
    Request::get(["cluster", "config", "join"])
}

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeStatus {
    /// CPU in use, as a share of 1 over all CPUs.
    pub cpu: Option<f64>,
    /// Share of time with nothing to do but wait for disks.
    pub wait: Option<f64>,
    /// Logical CPUs.
    pub cpus: Option<u32>,
    /// What CPU it is.
    pub cpu_model: Option<String>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Main memory.
    pub memory: Room,
    /// Swap.
    pub swap: Room,
    /// The root file system.
    pub root: Room,
    /// Seconds since it started.
    pub uptime: Option<u64>,
    /// `6.8.12-4-pve`.
    pub kernel: Option<String>,
    /// `x86_64`.
    pub architecture: Option<String>,
    /// `9.1.8`.
    pub version: Option<String>,
}

/// An amount of something, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// All of it.
    pub total: Option<u64>,
    /// In use.
    pub used: Option<u64>,
    /// What can still be taken.
    pub available: Option<u64>,
}

/// Reads a node's status.
///
/// # Errors
/// When it is no object.
pub fn node_status(data: &Value) -> Result<NodeStatus> {
    let fields = lenient::object(data, "the node's status")?;
    let cpu = fields.object("cpuinfo");
    let kernel = fields.object("current-kernel");
    let load: Vec<f64> = fields.list("loadavg").iter().filter_map(lenient::number).collect();
    Ok(NodeStatus {
        cpu: fields.number("cpu").filter(|share| *share >= 0.0),
        wait: fields.number("wait").filter(|share| *share >= 0.0),
        cpus: cpu.and_then(|cpu| cpu.count("cpus")).and_then(|count| u32::try_from(count).ok()),
        cpu_model: cpu.and_then(|cpu| cpu.text("model")),
        load: load.try_into().ok(),
        memory: room(fields.object("memory")),
        swap: room(fields.object("swap")),
        root: room(fields.object("rootfs")),
        uptime: fields.count("uptime"),
        kernel: kernel.and_then(|kernel| kernel.text("release")).or_else(|| release(&fields.text("kversion")?)),
        architecture: kernel.and_then(|kernel| kernel.text("machine")),
        version: fields.text("pveversion").and_then(|text| from_pveversion(&text)),
    })
}

fn room(fields: Option<Fields<'_>>) -> Room {
    let Some(fields) = fields else { return Room::default() };
    Room {
        total: fields.count("total"),
        used: fields.count("used"),
        available: fields.count("available").or_else(|| fields.count("avail")),
    }
}

/// `6.8.12-4-pve` in `Linux 6.8.12-4-pve #1 SMP ...`, as older versions say it.
fn release(kversion: &str) -> Option<String> {
    kversion.split_whitespace().nth(1).map(str::to_owned)
}

/// The hardware addresses that a node's interfaces are named after (`enx0011aabbccdd`); the API gives no others.
///
/// # Errors
/// When the answer is no list.
pub fn macs(data: &Value) -> Result<Vec<String>> {
    let mut macs: Vec<String> = lenient::rows(data, "the node's interfaces")?
        .into_iter()
        .flat_map(|row| {
            let others = row.list("altnames").iter().filter_map(lenient::text);
            row.text("iface").into_iter().chain(others).collect::<Vec<_>>()
        })
        .filter_map(|name| mac_in_name(&name))
        .collect();
    macs.sort();
    macs.dedup();
    Ok(macs)
}

fn mac_in_name(name: &str) -> Option<String> {
    let digits = name.strip_prefix("enx")?;
    let is_mac = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mac.then(|| {
        let pairs: Vec<String> =
            digits.to_ascii_lowercase().as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
        pairs.join(":")
    })
}

/// The certificate fingerprints of the nodes, by name, from [`list_request`] or [`join_request`].
pub fn fingerprints(data: &Value) -> BTreeMap<String, String> {
    let joining = Fields::of(data).map(|fields| fields.list("nodelist"));
    let rows = joining.or(data.as_array().map(Vec::as_slice)).unwrap_or_default();
    rows.iter()
        .filter_map(Fields::of)
        .filter_map(|row| {
            let name = row.text("node").or_else(|| row.text("name"))?;
            Some((name, row.text("ssl_fingerprint").or_else(|| row.text("pve_fp"))?))
        })
        .collect()
}
