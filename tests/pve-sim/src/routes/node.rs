//! `/nodes` and what a node says of itself: state, network, services.

use serde_json::{Value, json};

use super::{Call, Handler, cluster, cluster_jobs, metrics};
use crate::figures;
use crate::power::Asked;
use crate::refusal::{Answer, Refusal};

/// The handler for a path below `/nodes/{node}`, or for `/nodes` itself.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "") => nodes,
        ("GET", "status") => status,
        ("POST", "status") => power,
        ("GET", "version") => version,
        ("GET", "dns") => dns,
        ("PUT", "dns") => set_dns,
        ("GET", "time") => time,
        ("PUT", "time") => set_time,
        ("GET", "network") => network,
        ("GET", "services") => services,
        ("GET", "replication") => cluster_jobs::replication_of_node,
        ("GET", "ceph/status") => cluster_jobs::no_ceph,
        ("GET", "rrddata") => metrics::node_rrddata,
        ("GET", "config") => config,
        ("PUT", "config") => set_config,
        ("GET", "hosts") => hosts,
        ("GET", "netstat") => netstat,
        ("GET", "syslog") => syslog,
        ("POST", "wakeonlan") => wake,
        _ => return None,
    })
}

/// `/nodes`. The index of one node has the same handler's name in the API but
/// another shape, so its path tells them apart.
fn nodes(call: &mut Call<'_>) -> Answer {
    if call.params.has("node") {
        return Ok(index());
    }
    let list = (0..call.cluster.nodes.len()).map(|index| {
        let mut entry = cluster::node_entry(call, index);
        entry["ssl_fingerprint"] = json!(call.cluster.nodes[index].fingerprint);
        entry
    });
    Ok(list.collect::<Value>().into())
}

fn index() -> crate::refusal::Reply {
    let names = [
        "aplinfo",
        "apt",
        "capabilities",
        "ceph",
        "certificates",
        "config",
        "disks",
        "dns",
        "firewall",
        "hardware",
        "hosts",
        "journal",
        "lxc",
        "migrateall",
        "netstat",
        "network",
        "qemu",
        "query-oci-repo-tags",
        "query-url-metadata",
        "replication",
        "report",
        "rrd",
        "rrddata",
        "scan",
        "sdn",
        "services",
        "spiceshell",
        "startall",
        "status",
        "stopall",
        "storage",
        "subscription",
        "suspendall",
        "syslog",
        "tasks",
        "termproxy",
        "time",
        "version",
        "vncshell",
        "vzdump",
        "wakeonlan",
    ];
    names.iter().map(|name| json!({"name": name})).collect::<Value>().into()
}

/// `/version` and `/nodes/{node}/version`.
pub(super) fn version(_: &mut Call<'_>) -> Answer {
    Ok(json!({"release": "9.1", "repoid": "a8e257e1ad64dd92", "version": "9.1.8"}).into())
}

fn status(call: &mut Call<'_>) -> Answer {
    let node = &call.cluster.nodes[call.node];
    let hardware = &node.hardware;
    let figures = figures::of_node(call.cluster, call.node, call.now);
    let free = hardware.memory - figures.memory_used;
    let kernel = "6.17.4-2-pve";
    let built = "#1 SMP PREEMPT_DYNAMIC PMX 6.17.4-2 (2026-10-01T08:00Z)";
    let load: Vec<String> = figures.load.iter().map(|load| format!("{load:.2}")).collect();
    Ok(json!({
        "boot-info": {"mode": "efi", "secureboot": 0},
        "cpu": figures.cpu,
        "cpuinfo": {
            "cores": hardware.cores,
            "cpus": hardware.cpus,
            "sockets": hardware.sockets,
            "model": hardware.model,
            "vendor": hardware.vendor,
            "family": "6",
            "flags": "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr vmx svm aes avx avx2",
            "hvm": "1",
            "mhz": format!("{:.3}", hardware.mhz),
            "user_hz": 100,
        },
        "current-kernel": {
            "machine": "x86_64", "release": kernel, "sysname": "Linux", "version": built,
        },
        "idle": 0,
        "ksm": {"shared": 0},
        "kversion": format!("Linux {kernel} {built}"),
        "loadavg": load,
        "memory": {
            "available": free,
            "free": free / 2,
            "total": hardware.memory,
            "used": figures.memory_used,
        },
        "pveversion": "pve-manager/9.1.8/a8e257e1ad64dd92",
        "rootfs": {
            "avail": hardware.root_disk - figures.disk_used - hardware.root_disk / 20,
            "free": hardware.root_disk - figures.disk_used,
            "total": hardware.root_disk,
            "used": figures.disk_used,
        },
        "swap": {
            "free": hardware.swap - figures.swap_used,
            "total": hardware.swap,
            "used": figures.swap_used,
        },
        "uptime": figures.uptime,
        "wait": figures.wait,
    })
    .into())
}

/// Reboots or shuts down, which takes its time. Unrecorded; the answer is null
/// without a UPID.
fn power(call: &mut Call<'_>) -> Answer {
    let asked = if call.params.text("command") == Some("reboot") { Asked::Reboot } else { Asked::Shutdown };
    call.cluster.ask_node(call.node, asked, call.now);
    Ok(Value::Null.into())
}

fn dns(call: &mut Call<'_>) -> Answer {
    Ok(Value::Object(call.cluster.nodes[call.node].dns.clone()).into())
}

fn set_dns(call: &mut Call<'_>) -> Answer {
    let dns = call
        .params
        .iter()
        .filter(|(name, _)| *name != "node")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    call.cluster.nodes[call.node].dns = dns;
    Ok(Value::Null.into())
}

fn time(call: &mut Call<'_>) -> Answer {
    let zone = &call.cluster.nodes[call.node].timezone;
    let now = call.now as i64;
    let offset = jiff::Timestamp::from_second(now)
        .ok()
        .zip(jiff::tz::TimeZone::get(zone).ok())
        .map_or(0, |(at, zone)| i64::from(zone.to_offset(at).seconds()));
    Ok(json!({"localtime": now + offset, "time": now, "timezone": zone}).into())
}

fn set_time(call: &mut Call<'_>) -> Answer {
    call.cluster.nodes[call.node].timezone = call.params.string("timezone");
    Ok(Value::Null.into())
}

fn network(call: &mut Call<'_>) -> Answer {
    let ip = &call.cluster.nodes[call.node].ip;
    let mut list = vec![
        json!({
            "iface": "vmbr0", "type": "bridge", "active": 1, "autostart": 1, "priority": 4,
            "method": "static", "method6": "manual", "families": ["inet"],
            "address": ip, "netmask": "24", "cidr": format!("{ip}/24"),
            "bridge_ports": "eno1", "bridge_stp": "off", "bridge_fd": "0",
        }),
        json!({
            "iface": "eno1", "type": "eth", "active": 1, "priority": 3,
            "method": "manual", "method6": "manual", "families": ["inet"],
        }),
    ];
    if let Some(kind) = call.params.text("type") {
        let bridge = kind.contains("bridge");
        list.retain(|entry| entry["type"] == kind || (bridge && entry["type"] == "bridge"));
    }
    Ok(Value::Array(list).into())
}

fn services(call: &mut Call<'_>) -> Answer {
    let names = [
        "chrony",
        "corosync",
        "cron",
        "ksmtuned",
        "lxcfs",
        "postfix",
        "proxmox-firewall",
        "pve-cluster",
        "pve-firewall",
        "pve-ha-crm",
        "pve-ha-lrm",
        "pve-lxc-syscalld",
        "pvedaemon",
        "pvefw-logger",
        "pveproxy",
        "pvescheduler",
        "pvestatd",
        "qmeventd",
        "spiceproxy",
        "sshd",
        "syslog",
        "systemd-journald",
        "systemd-timesyncd",
    ];
    let clustered = call.cluster.clustered();
    let list = names.iter().map(|name| {
        let (active, unit, state) = match *name {
            "corosync" if !clustered => ("inactive", "enabled", "dead"),
            "systemd-timesyncd" | "syslog" => ("inactive", "not-found", "dead"),
            _ => ("active", "enabled", "running"),
        };
        json!({
            "service": name, "name": name, "desc": name,
            "active-state": active, "unit-state": unit, "state": state,
        })
    });
    Ok(list.collect::<Value>().into())
}

fn config(call: &mut Call<'_>) -> Answer {
    Ok(Value::Object(call.cluster.nodes[call.node].config.clone()).into())
}

fn set_config(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    let config = &mut call.cluster.nodes[call.node].config;
    for name in call.params.list("delete") {
        config.remove(&name);
    }
    for (name, value) in call.params.iter() {
        if !matches!(name.as_str(), "delete" | "digest" | "node") {
            config.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Null.into())
}

fn hosts(call: &mut Call<'_>) -> Answer {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for node in &call.cluster.nodes {
        text.push_str(&format!("{} {}.sim.local {}\n", node.ip, node.name, node.name));
    }
    let digest = crate::state::config_digest(&crate::seed::map(json!({"hosts": text})));
    Ok(json!({"data": text, "digest": digest}).into())
}

fn netstat(call: &mut Call<'_>) -> Answer {
    let guests = call.cluster.guests.values();
    let list = guests.filter(|guest| guest.node == call.node && guest.running.is_some()).map(|guest| {
        let figures = figures::of_guest(call.cluster, guest, call.now);
        json!({
            "dev": "net0",
            "vmid": guest.vmid.to_string(),
            "in": figures.network_in.to_string(),
            "out": figures.network_out.to_string(),
        })
    });
    Ok(list.collect::<Value>().into())
}

fn syslog(call: &mut Call<'_>) -> Answer {
    let name = &call.cluster.nodes[call.node].name;
    let lines = [
        format!("Nov 21 02:08:26 {name} systemd-journald[163]: Journal started"),
        format!("Nov 21 02:08:27 {name} pvedaemon[1000]: starting server"),
        format!("Nov 21 02:08:27 {name} pveproxy[1020]: starting server"),
    ];
    super::tasks::numbered(&lines, &call.params)
}

/// Sends a node a magic packet. Unrecorded; the description says it gives the
/// MAC address it sent to. No packet is on any wire: a node that is off wakes.
fn wake(call: &mut Call<'_>) -> Answer {
    let node = &call.cluster.nodes[call.node];
    if call.node == call.here {
        let text = format!("'{}' is local node, cannot wake my self!", node.name);
        return Err(Refusal::parameter("node", text));
    }
    match node.config.get("wakeonlan").and_then(Value::as_str) {
        Some(mac) => {
            let answer = json!(mac);
            call.cluster.ask_node(call.node, Asked::Wake, call.now);
            Ok(answer.into())
        }
        None => Err(Refusal::parameter("node", format!("No wake on LAN MAC address defined for '{}'!", node.name))),
    }
}
