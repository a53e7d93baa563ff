//! What a guest does and its snapshots: `/nodes/{node}/{qemu,lxc}/{vmid}/status/current` and `/snapshot`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, NOTES_LIMIT, cut, cut_at, hundredths, mib, time},
};
use crate::{
    Result,
    model::{
        GuestKind,
        facts::guest::{GuestHa, GuestRuntime, GuestSnapshot, GuestSnapshots, Stall},
    },
    transport::http::Request,
};

/// What to ask for what it does. Needs `VM.Audit` on `/vms/{vmid}`.
pub fn status_request(node: &str, kind: GuestKind, vmid: &str) -> Request {
    Request::get(["nodes", node, kind.as_str(), vmid, "status", "current"])
}

/// What to ask for its snapshots. Needs `VM.Audit` on `/vms/{vmid}`.
pub fn snapshots_request(node: &str, kind: GuestKind, vmid: &str) -> Request {
    Request::get(["nodes", node, kind.as_str(), vmid, "snapshot"])
}

/// What a guest does, and what a container takes of its root disk, in bytes.
///
/// # Errors
/// When the answer is no object.
pub fn runtime(data: &Value) -> Result<(GuestRuntime, Option<u64>)> {
    let fields = lenient::object(data, "the guest's status")?;
    let text = |name: &str| fields.text(name).as_deref().and_then(cut);
    let memory = |name: &str| fields.count(name).map(mib);
    let runtime = GuestRuntime {
        cpu_percent: fields
            .number("cpu")
            .filter(|share| (0.0..1e6).contains(share))
            .map(|share| hundredths(share * 100.0)),
        mem_used_mb: memory("mem"),
        mem_total_mb: fields.count("maxmem").filter(|bytes| *bytes > 0).map(mib),
        balloon_mb: memory("balloon"),
        swap_used_mb: memory("swap"),
        uptime_seconds: fields.count("uptime"),
        diskread_bytes: fields.count("diskread"),
        diskwrite_bytes: fields.count("diskwrite"),
        netin_bytes: fields.count("netin"),
        netout_bytes: fields.count("netout"),
        qmp_status: text("qmpstatus"),
        running_machine: text("running-machine"),
        running_qemu: text("running-qemu"),
        lock: text("lock"),
        ha: fields.object("ha").map(ha),
        pressure: pressure(fields),
    };
    // QEMU does not know what its guest takes, and writes zero.
    Ok((runtime, fields.count("disk").filter(|bytes| *bytes > 0)))
}

fn ha(fields: Fields<'_>) -> GuestHa {
    GuestHa {
        managed: fields.flag("managed").unwrap_or(false),
        state: fields.text("state").as_deref().and_then(cut),
        group: fields.text("group").as_deref().and_then(cut),
    }
}

/// `pressurecpusome`, `pressureiofull`... in percent, as a guest's status and a row of `rrddata` have them; what is
/// `null` was not measured.
pub fn pressure(fields: Fields<'_>) -> BTreeMap<String, Stall> {
    let percent = |name: String| fields.number(&name).filter(|share| (0.0..=100.0).contains(share)).map(hundredths);
    ["cpu", "io", "memory"]
        .into_iter()
        .map(|resource| {
            let stall = Stall {
                some_percent: percent(format!("pressure{resource}some")),
                full_percent: percent(format!("pressure{resource}full")),
            };
            (resource.to_owned(), stall)
        })
        .filter(|(_, stall)| *stall != Stall::default())
        .collect()
}

/// Reads the snapshots; the entry that stands for the present state gives only its parent.
///
/// # Errors
/// When the answer is no list.
pub fn snapshots(data: &Value) -> Result<GuestSnapshots> {
    let mut all = GuestSnapshots::default();
    for row in lenient::rows(data, "the guest's snapshots")?.into_iter().take(LIST_LIMIT) {
        let parent = row.text("parent").as_deref().and_then(cut);
        match row.text("name").as_deref().and_then(cut) {
            Some(name) if name == "current" => all.current_parent = parent,
            Some(name) => all.list.push(GuestSnapshot {
                name,
                parent,
                description: row.text("description").and_then(|text| cut_at(&text, NOTES_LIMIT)),
                taken_at: time(row.count("snaptime")),
                with_memory: row.flag("vmstate").unwrap_or(false),
                memory_gb: None,
            }),
            None => {}
        }
    }
    all.list.sort_by(|a, b| (a.taken_at, &a.name).cmp(&(b.taken_at, &b.name)));
    all.count = all.list.len();
    Ok(all)
}
