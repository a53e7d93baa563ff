//! `/cluster`: the whole cluster at a glance, and its options.
//!
//! `options` can be written; that is unrecorded.

use serde_json::{Map, Value, json};

use super::{Call, Handler, metrics};
use crate::figures::{self, round};
use crate::params::plain;
use crate::refusal::{Answer, Refusal};
use crate::seed::map;
use crate::state::{Guest, Kind, config_digest};

/// The handler for a path below `/cluster`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "") => index,
        ("GET", "status") => status,
        ("GET", "resources") => resources,
        ("GET", "tasks") => tasks,
        ("GET", "log") => log,
        ("GET", "nextid") => next_id,
        ("GET", "options") => options,
        ("PUT", "options") => set_options,
        ("GET", "config/nodes") => config_nodes,
        ("GET", "config/join") => config_join,
        ("GET", "metrics/export") => metrics::export,
        ("GET", "mapping/pci" | "mapping/usb" | "firewall/rules") => nothing,
        ("GET", "firewall/options") => firewall_options,
        _ => return None,
    })
}

fn nothing(_: &mut Call<'_>) -> Answer {
    Ok(json!([]).into())
}

fn firewall_options(_: &mut Call<'_>) -> Answer {
    Ok(json!({"digest": config_digest(&Map::new())}).into())
}

fn index(_: &mut Call<'_>) -> Answer {
    let names = [
        "acme",
        "backup",
        "backup-info",
        "bulk-action",
        "ceph",
        "config",
        "firewall",
        "ha",
        "jobs",
        "log",
        "mapping",
        "metrics",
        "notifications",
        "nextid",
        "options",
        "replication",
        "resources",
        "status",
        "tasks",
        "sdn",
    ];
    Ok(names.iter().map(|name| json!({"name": name})).collect::<Value>().into())
}

fn status(call: &mut Call<'_>) -> Answer {
    let cluster = &call.cluster;
    let mut list = Vec::new();
    if cluster.clustered() {
        list.push(json!({
            "id": "cluster",
            "type": "cluster",
            "name": cluster.name,
            "nodes": cluster.nodes.len(),
            "quorate": u8::from(cluster.quorate()),
            "version": cluster.nodes.len(),
        }));
    }
    for (index, node) in cluster.nodes.iter().enumerate() {
        list.push(json!({
            "id": format!("node/{}", node.name),
            "type": "node",
            "name": node.name,
            "nodeid": if cluster.clustered() { index + 1 } else { 0 },
            "ip": node.ip,
            "local": u8::from(index == call.here),
            "online": u8::from(node.up()),
            "level": "",
        }));
    }
    Ok(Value::Array(list).into())
}

fn resources(call: &mut Call<'_>) -> Answer {
    let wanted = call.params.text("type");
    let wants = |kind: &str| wanted.is_none_or(|wanted| wanted == kind);
    let mut list = Vec::new();
    if wanted.is_none() {
        list.extend(pools(call));
    }
    if wants("vm") {
        let guests = call.cluster.guests.values();
        list.extend(guests.filter(|guest| call.sees(guest)).map(|guest| guest_entry(call, guest)));
    }
    if wants("node") {
        for index in 0..call.cluster.nodes.len() {
            let mut entry = node_entry(call, index);
            entry["cgroup-mode"] = json!(2);
            list.push(entry);
        }
    }
    if wants("storage") {
        list.extend(storages(call));
    }
    if wanted.is_none() && call.may("/sdn/zones/localnetwork", &["SDN.Audit"]) {
        list.extend(call.cluster.nodes.iter().map(|node| {
            json!({
                "id": format!("network/{}/zone/localnetwork", node.name),
                "type": "network",
                "network": "localnetwork",
                "network-type": "zone",
                "node": node.name,
                "status": "ok",
            })
        }));
    }
    Ok(Value::Array(list).into())
}

/// A guest as resource lists and pools show it, with figures of the last round.
pub(super) fn guest_entry(call: &Call<'_>, guest: &Guest) -> Value {
    let figures = figures::of_guest(call.cluster, guest, round(call.now));
    let used = match guest.kind {
        Kind::Lxc if guest.running.is_some() => guest.disk_used.min(guest.max_disk()),
        _ => 0,
    };
    let mut entry = json!({
        "id": guest.id(),
        "type": guest.kind.word(),
        "vmid": guest.vmid,
        "name": guest.name(),
        "node": call.cluster.nodes[guest.node].name,
        "status": guest.status(),
        "template": u8::from(guest.template()),
        "cpu": figures.cpu,
        "maxcpu": guest.cpus(),
        "mem": figures.memory,
        "memhost": if guest.kind == Kind::Qemu { figures.memory } else { 0 },
        "maxmem": guest.memory(),
        "disk": used,
        "maxdisk": guest.max_disk(),
        "diskread": figures.disk_read,
        "diskwrite": figures.disk_write,
        "netin": figures.network_in,
        "netout": figures.network_out,
        "uptime": figures.uptime,
    });
    if let Some(tags) = guest.tags() {
        entry["tags"] = json!(tags);
    }
    if let Some(pool) = &guest.pool {
        entry["pool"] = json!(pool);
    }
    if let Some(lock) = &guest.lock {
        entry["lock"] = json!(lock);
    }
    if let Some(resource) = call.cluster.ha.resources.get(&sid(guest)) {
        entry["hastate"] = resource.get("state").cloned().unwrap_or(json!("started"));
    }
    entry
}

/// A guest's name in high availability: `vm:100` or `ct:101`.
pub(crate) fn sid(guest: &Guest) -> String {
    format!("{}:{}", guest.kind.title().to_lowercase(), guest.vmid)
}

/// A node as resource lists and `/nodes` show it.
pub(super) fn node_entry(call: &Call<'_>, index: usize) -> Value {
    let node = &call.cluster.nodes[index];
    let mut entry = json!({
        "id": format!("node/{}", node.name),
        "type": "node",
        "node": node.name,
        "level": "",
        "status": if node.up() { "online" } else { "offline" },
    });
    if !call.may(&format!("/nodes/{}", node.name), &["Sys.Audit"]) {
        return entry;
    }
    let figures = figures::of_node(call.cluster, index, round(call.now));
    entry["maxcpu"] = json!(node.hardware.cpus);
    entry["maxmem"] = json!(node.hardware.memory);
    entry["maxdisk"] = json!(node.hardware.root_disk);
    if node.up() {
        entry["cpu"] = json!(figures.cpu);
        entry["mem"] = json!(figures.memory_used);
        entry["disk"] = json!(figures.disk_used);
        entry["uptime"] = json!(figures.uptime);
    }
    entry
}

fn storages(call: &Call<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    for (index, storage) in call.cluster.storages.iter().enumerate() {
        let path = format!("/storage/{}", storage.name);
        if !call.may(&path, &["Datastore.Audit", "Datastore.AllocateSpace"]) {
            continue;
        }
        for (number, node) in call.cluster.nodes.iter().enumerate() {
            list.push(json!({
                "id": format!("storage/{}/{}", node.name, storage.name),
                "type": "storage",
                "storage": storage.name,
                "node": node.name,
                "plugintype": storage.plugin,
                "content": storage.content,
                "shared": u8::from(storage.shared),
                "status": "available",
                "disk": figures::storage_used(call.cluster, index, number),
                "maxdisk": storage.total,
            }));
        }
    }
    list
}

fn pools(call: &Call<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    for name in call.cluster.pools.keys() {
        if !call.may(&format!("/pool/{name}"), &["Pool.Audit"]) {
            continue;
        }
        let mut sums = (0.0, 0, 0, 0, 0);
        let members = call.cluster.guests.values();
        for guest in members.filter(|guest| guest.pool.as_deref() == Some(name)) {
            let figures = figures::of_guest(call.cluster, guest, round(call.now));
            sums.0 += figures.cpu * f64::from(guest.cpus());
            sums.1 += guest.cpus();
            sums.2 += figures.memory;
            sums.3 += guest.memory();
            sums.4 = figures.uptime.max(sums.4);
        }
        list.push(json!({
            "id": format!("/pool/{name}"),
            "type": "pool",
            "pool": name,
            "cpu": sums.0 / f64::from(sums.1.max(1)),
            "maxcpu": sums.1,
            "mem": sums.2,
            "maxmem": sums.3,
            "uptime": sums.4,
        }));
    }
    list
}

fn tasks(call: &mut Call<'_>) -> Answer {
    let all = call.may("/", &["Sys.Audit"]);
    let list: Vec<Value> = call
        .cluster
        .tasks
        .iter()
        .filter(|task| all || task.user == call.caller.user)
        .take(25 * call.cluster.nodes.len())
        .map(|task| task.in_cluster_list())
        .collect();
    Ok(Value::Array(list).into())
}

fn log(call: &mut Call<'_>) -> Answer {
    let most = call.params.integer("max").unwrap_or(50).max(1) as usize;
    let list: Vec<Value> = call
        .cluster
        .tasks
        .iter()
        .take(most)
        .enumerate()
        .map(|(number, task)| {
            let node = &call.cluster.nodes[task.node].name;
            json!({
                "id": format!("{number}:{node}"),
                "uid": number.to_string(),
                "node": node,
                "time": task.start,
                "pid": 1000 + number,
                "pri": 6,
                "tag": "pvedaemon",
                "user": task.user,
                "msg": format!("<{}> starting task {}", task.user, task.upid),
            })
        })
        .collect();
    Ok(Value::Array(list).into())
}

fn next_id(call: &mut Call<'_>) -> Answer {
    if let Some(wanted) = call.params.integer("vmid") {
        let taken = call.cluster.guests.contains_key(&(wanted as u32));
        return if taken {
            Err(Refusal::parameter("vmid", format!("VM {wanted} already exists")))
        } else {
            Ok(json!(wanted.to_string()).into())
        };
    }
    let free = (100..).find(|vmid| !call.cluster.guests.contains_key(vmid));
    Ok(json!(free.unwrap_or(100).to_string()).into())
}

fn options(call: &mut Call<'_>) -> Answer {
    Ok(Value::Object(call.cluster.options.clone()).into())
}

fn set_options(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    for name in call.params.list("delete") {
        call.cluster.options.remove(&name);
    }
    for (name, value) in call.params.iter() {
        if !matches!(name.as_str(), "delete" | "digest") {
            call.cluster.options.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Null.into())
}

fn config_nodes(call: &mut Call<'_>) -> Answer {
    if !call.cluster.clustered() {
        return Ok(json!([]).into());
    }
    let list = call.cluster.nodes.iter().enumerate().map(|(index, node)| {
        json!({
            "name": node.name,
            "node": node.name,
            "nodeid": (index + 1).to_string(),
            "quorum_votes": "1",
            "ring0_addr": node.ip,
        })
    });
    Ok(list.collect::<Value>().into())
}

fn config_join(call: &mut Call<'_>) -> Answer {
    let cluster = &call.cluster;
    if !cluster.clustered() {
        let text = "node is not in a cluster, no join info available!";
        return Err(Refusal { body: Some(json!({"data": null, "message": text})), ..Refusal::with_message(424, text) });
    }
    let nodes = cluster.nodes.iter().enumerate().map(|(index, node)| {
        json!({
            "name": node.name,
            "nodeid": (index + 1).to_string(),
            "pve_addr": node.ip,
            "pve_fp": node.fingerprint,
            "quorum_votes": "1",
            "ring0_addr": node.ip,
        })
    });
    let totem = json!({
        "cluster_name": cluster.name,
        "config_version": cluster.nodes.len().to_string(),
        "interface": {"0": {"linknumber": "0"}},
        "ip_version": "ipv4-6",
        "link_mode": "passive",
        "secauth": "on",
        "token_coefficient": "125",
        "version": "2",
    });
    Ok(json!({
        "config_digest": config_digest(&map(totem.clone())),
        "nodelist": nodes.collect::<Value>(),
        "preferred_node": cluster.nodes[call.here].name,
        "totem": totem,
    })
    .into())
}

/// A value as a number where it reads as one.
pub(super) fn number(value: &Value) -> Value {
    plain(value).parse::<i64>().map_or_else(|_| value.clone(), |number| json!(number))
}
