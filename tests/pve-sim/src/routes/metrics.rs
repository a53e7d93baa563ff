//! Figures over time: `/cluster/metrics/export` and every `rrddata`.

use serde_json::{Map, Value, json};

use super::Call;
use crate::figures::{self, round};
use crate::refusal::Answer;
use crate::state::{Guest, Kind};

/// How long points are kept for the export, in seconds.
const KEPT: f64 = 1800.0;

/// `/cluster/metrics/export`: points of ten seconds, of this node or of all.
pub(super) fn export(call: &mut Call<'_>) -> Answer {
    let last = round(call.now);
    let after = call.params.integer("start-time").unwrap_or(0) as f64;
    let first = if call.params.flag("history") { last - KEPT } else { last };
    let wanted = call.params.list("node-list");
    let local = call.params.flag("local-only");
    let mut points = Vec::new();
    let mut at = first;
    while at <= last {
        if at > after {
            for (index, node) in call.cluster.nodes.iter().enumerate() {
                let asked = if local { index == call.here } else { wanted.is_empty() || wanted.contains(&node.name) };
                if asked && node.up() {
                    of_node(call, index, at, &mut points);
                }
            }
        }
        at += 10.0;
    }
    Ok(json!({"data": points}).into())
}

fn of_node(call: &Call<'_>, index: usize, at: f64, points: &mut Vec<Value>) {
    let cluster = &call.cluster;
    let node = &cluster.nodes[index];
    let figures = figures::of_node(cluster, index, at);
    let mut put = |id: &str, metric: &str, kind: &str, value: Value| {
        points.push(json!({
            "id": id, "metric": metric, "type": kind, "timestamp": at as i64, "value": value,
        }));
    };
    let id = format!("node/{}", node.name);
    let gauges = [
        ("uptime", json!(figures.uptime)),
        ("cpu_avg1", json!(figures.load[0])),
        ("cpu_avg5", json!(figures.load[1])),
        ("cpu_avg15", json!(figures.load[2])),
        ("cpu_max", json!(node.hardware.cpus)),
        ("cpu_current", json!(figures.cpu)),
        ("cpu_iowait", json!(figures.wait)),
        ("mem_total", json!(node.hardware.memory)),
        ("mem_used", json!(figures.memory_used)),
        ("swap_total", json!(node.hardware.swap)),
        ("swap_used", json!(figures.swap_used)),
        ("disk_total", json!(node.hardware.root_disk)),
        ("disk_used", json!(figures.disk_used)),
    ];
    for (metric, value) in gauges {
        put(&id, metric, "gauge", value);
    }
    put(&id, "net_in", "derive", json!(figures.network_in));
    put(&id, "net_out", "derive", json!(figures.network_out));
    for guest in cluster.guests.values().filter(|guest| guest.node == index) {
        of_guest(call, guest, at, &mut put);
    }
    for (number, storage) in cluster.storages.iter().enumerate() {
        let id = format!("storage/{}/{}", node.name, storage.name);
        let used = figures::storage_used(cluster, number, index);
        put(&id, "disk_total", "gauge", json!(storage.total));
        put(&id, "disk_used", "gauge", json!(used));
    }
}

fn of_guest(call: &Call<'_>, guest: &Guest, at: f64, put: &mut impl FnMut(&str, &str, &str, Value)) {
    let id = guest.id();
    let figures = figures::of_guest(call.cluster, guest, at);
    if guest.running.is_some() {
        put(&id, "cpu_current", "gauge", json!(figures.cpu));
        put(&id, "mem_used", "gauge", json!(figures.memory));
        put(&id, "disk_read", "derive", json!(figures.disk_read));
        put(&id, "disk_write", "derive", json!(figures.disk_write));
        put(&id, "net_in", "derive", json!(figures.network_in));
        put(&id, "net_out", "derive", json!(figures.network_out));
        if guest.kind == Kind::Lxc {
            put(&id, "disk_used", "gauge", json!(guest.disk_used));
        }
    }
    put(&id, "uptime", "gauge", json!(figures.uptime));
    put(&id, "cpu_max", "gauge", json!(guest.cpus()));
    put(&id, "mem_total", "gauge", json!(guest.memory()));
    put(&id, "disk_total", "gauge", json!(guest.max_disk()));
}

/// The points of a time frame: how many, and the seconds between two.
fn frame(name: &str) -> (i64, i64) {
    match name {
        "hour" => (60, 60),
        "day" => (1440, 60),
        "week" => (336, 1800),
        "month" => (1488, 1800),
        "year" => (1460, 21_600),
        _ => (520, 604_800),
    }
}

/// Points of a time frame; those before `since` have nothing but their time.
fn points(call: &Call<'_>, since: f64, value_at: impl Fn(f64) -> Map<String, Value>) -> Value {
    let (count, step) = frame(&call.params.string("timeframe"));
    let last = call.now as i64 / step * step;
    (0..count)
        .map(|back| {
            let time = last - (count - 1 - back) * step;
            let mut point = if (time as f64) < since { Map::new() } else { value_at(time as f64) };
            point.insert("time".to_owned(), json!(time));
            Value::Object(point)
        })
        .collect()
}

/// `/nodes/{node}/rrddata`.
pub(super) fn node_rrddata(call: &mut Call<'_>) -> Answer {
    let node = &call.cluster.nodes[call.node];
    Ok(points(call, node.booted, |at| {
        let figures = figures::of_node(call.cluster, call.node, at);
        let before = figures::of_node(call.cluster, call.node, at - 60.0);
        crate::seed::map(json!({
            "cpu": figures.cpu,
            "iowait": figures.wait,
            "loadavg": figures.load[0],
            "maxcpu": node.hardware.cpus,
            "memtotal": node.hardware.memory,
            "memused": figures.memory_used as f64,
            "memavailable": (node.hardware.memory - figures.memory_used) as f64,
            "swaptotal": node.hardware.swap,
            "swapused": figures.swap_used,
            "roottotal": node.hardware.root_disk,
            "rootused": figures.disk_used as f64,
            "arcsize": 0,
            "netin": per_second(before.network_in, figures.network_in),
            "netout": per_second(before.network_out, figures.network_out),
            "pressurecpusome": figures.pressure[0],
            "pressureiosome": figures.pressure[1],
            "pressureiofull": figures.pressure[1] / 2.0,
            "pressurememorysome": figures.pressure[2],
            "pressurememoryfull": figures.pressure[2],
        }))
    })
    .into())
}

fn per_second(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64 / 60.0
}

/// `/nodes/{node}/qemu/{vmid}/rrddata`.
pub(super) fn qemu_rrddata(call: &mut Call<'_>) -> Answer {
    guest_rrddata(call, Kind::Qemu)
}

/// `/nodes/{node}/lxc/{vmid}/rrddata`.
pub(super) fn lxc_rrddata(call: &mut Call<'_>) -> Answer {
    guest_rrddata(call, Kind::Lxc)
}

fn guest_rrddata(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let since = guest.running.as_ref().map_or(f64::MAX, |running| running.since);
    Ok(points(call, since, |at| {
        let figures = figures::of_guest(call.cluster, guest, at);
        let before = figures::of_guest(call.cluster, guest, at - 60.0);
        let mut point = crate::seed::map(json!({
            "cpu": figures.cpu,
            "maxcpu": guest.cpus(),
            "mem": figures.memory as f64,
            "maxmem": guest.memory(),
            "disk": if kind == Kind::Lxc { guest.disk_used } else { 0 },
            "maxdisk": guest.max_disk(),
            "netin": per_second(before.network_in, figures.network_in),
            "netout": per_second(before.network_out, figures.network_out),
            "diskread": per_second(before.disk_read, figures.disk_read),
            "diskwrite": per_second(before.disk_write, figures.disk_write),
            "pressurecpusome": figures.pressure[0],
            "pressurecpufull": figures.pressure[0] / 2.0,
            "pressureiosome": figures.pressure[1],
            "pressureiofull": figures.pressure[1] / 2.0,
            "pressurememorysome": figures.pressure[2],
            "pressurememoryfull": figures.pressure[2],
        }));
        if kind == Kind::Qemu {
            point.insert("memhost".to_owned(), json!(figures.memory as f64));
        }
        point
    })
    .into())
}

/// `/nodes/{node}/storage/{storage}/rrddata`.
pub(super) fn storage_rrddata(call: &mut Call<'_>) -> Answer {
    let index = super::storage::index(call)?;
    let node = call.node;
    let booted = call.cluster.nodes[node].booted;
    Ok(points(call, booted, |_| {
        crate::seed::map(json!({
            "total": call.cluster.storages[index].total,
            "used": figures::storage_used(call.cluster, index, node) as f64,
        }))
    })
    .into())
}
