//! What a node says without `pvesh`: the tables of `qm list`, `pct list` and `pvesm status`, as rows of
//! `/cluster/resources`, so that one decoder reads both.
//!
//! These commands are asked only when `pvesh` is missing or broken; they know this one node only, and no CPU figures.

use serde_json::{Value, json};

/// Rows of `qm list`: `VMID NAME STATUS MEM(MB) BOOTDISK(GB) PID`.
pub fn qm_list(text: &str, node: &str) -> Vec<Value> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [vmid, name, status, memory, disk, ..] = cells.as_slice() else { return None };
        let megabytes = memory.parse::<u64>().ok();
        let gigabytes = disk.parse::<f64>().ok();
        Some(json!({
            "type": "qemu", "vmid": vmid.parse::<u32>().ok()?, "node": node, "name": name, "status": status,
            "maxmem": megabytes.map(|n| n.saturating_mul(1 << 20)),
            "maxdisk": gigabytes.map(|n| n * f64::from(1 << 30)),
        }))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Rows of `pct list`: `VMID Status Lock Name`, where `Lock` is mostly empty.
pub fn pct_list(text: &str, node: &str) -> Vec<Value> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let (vmid, status) = (cells.first()?.parse::<u32>().ok()?, cells.get(1)?);
        Some(json!({"type": "lxc", "vmid": vmid, "node": node, "status": status, "name": cells.get(2..)?.last()}))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Rows of `pvesm status`: `Name Type Status Total Used Available %`, in KiB. Whether a storage is shared is not told.
pub fn pvesm_status(text: &str, node: &str) -> Vec<Value> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [name, kind, status, total, used, ..] = cells.as_slice() else { return None };
        let bytes = |cell: &str| cell.parse::<u64>().ok().map(|kib| kib.saturating_mul(1024));
        Some(json!({
            "type": "storage", "storage": name, "node": node, "plugintype": kind,
            "status": if *status == "active" { "available" } else { "unavailable" },
            "maxdisk": bytes(total), "disk": bytes(used),
        }))
    };
    text.lines().skip(1).filter_map(row).collect()
}
