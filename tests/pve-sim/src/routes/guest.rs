//! Guests: the lists of a node, what one guest is doing, what is inside it.
//!
//! The guest agent's good answers are unrecorded; they follow the agent's own
//! protocol.

use serde_json::{Map, Value, json};

use super::{Call, Handler, cluster, metrics};
use crate::figures;
use crate::refusal::{Answer, Refusal};
use crate::seed::map;
use crate::state::{Guest, Kind};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str, whole: bool) -> Option<Handler> {
    let qemu = room == "qemu";
    match (method, below, qemu) {
        ("POST", "agent/exec", true) => return Some(agent_exec),
        ("POST", "agent/ping", true) => return Some(agent_ping),
        ("GET", ..) => {}
        _ => return None,
    }
    Some(match (below, qemu) {
        ("", true) if !whole => list_qemu,
        ("", false) if !whole => list_lxc,
        ("", true) => index_qemu,
        ("", false) => index_lxc,
        ("status/current", true) => status_qemu,
        ("status/current", false) => status_lxc,
        ("rrddata", true) => metrics::qemu_rrddata,
        ("rrddata", false) => metrics::lxc_rrddata,
        ("interfaces", false) => interfaces,
        ("feature", true) => |call: &mut Call<'_>| feature(call, Kind::Qemu),
        ("feature", false) => |call: &mut Call<'_>| feature(call, Kind::Lxc),
        ("firewall/rules", _) => |_: &mut Call<'_>| Ok(json!([]).into()),
        ("agent/info", true) => agent_info,
        ("agent/exec-status", true) => agent_exec_status,
        ("agent/network-get-interfaces", true) => agent_interfaces,
        ("agent/get-osinfo", true) => agent_system,
        ("agent/get-fsinfo", true) => agent_file_systems,
        ("agent/get-host-name", true) => agent_host_name,
        _ => return None,
    })
}

fn list_qemu(call: &mut Call<'_>) -> Answer {
    list(call, Kind::Qemu)
}

fn list_lxc(call: &mut Call<'_>) -> Answer {
    list(call, Kind::Lxc)
}

fn list(call: &Call<'_>, kind: Kind) -> Answer {
    let full = call.params.flag("full");
    let here = call.cluster.guests.values();
    let list = here.filter(|guest| guest.node == call.node && guest.kind == kind && call.sees(guest)).map(|guest| {
        let mut entry = state(call, guest);
        if full {
            entry.extend(details(call, guest));
        }
        Value::Object(entry)
    });
    Ok(list.collect::<Value>().into())
}

fn index_qemu(call: &mut Call<'_>) -> Answer {
    index(
        call,
        Kind::Qemu,
        &[
            "config",
            "cloudinit",
            "pending",
            "status",
            "unlink",
            "vncproxy",
            "termproxy",
            "migrate",
            "resize",
            "move",
            "rrd",
            "rrddata",
            "monitor",
            "agent",
            "snapshot",
            "spiceproxy",
            "sendkey",
            "firewall",
            "mtunnel",
            "remote_migrate",
        ],
    )
}

fn index_lxc(call: &mut Call<'_>) -> Answer {
    index(
        call,
        Kind::Lxc,
        &[
            "config",
            "pending",
            "status",
            "vncproxy",
            "termproxy",
            "vncwebsocket",
            "spiceproxy",
            "migrate",
            "clone",
            "rrd",
            "rrddata",
            "firewall",
            "snapshot",
            "resize",
            "interfaces",
        ],
    )
}

fn index(call: &Call<'_>, kind: Kind, names: &[&str]) -> Answer {
    call.guest(kind)?;
    let list = names.iter().map(|name| json!({"subdir": name}));
    Ok(list.collect::<Value>().into())
}

/// What lists and `status/current` share.
fn state(call: &Call<'_>, guest: &Guest) -> Map<String, Value> {
    let figures = figures::of_guest(call.cluster, guest, call.now);
    let mut entry = map(json!({
        "vmid": guest.vmid,
        "name": guest.name(),
        "status": guest.status(),
        "cpu": figures.cpu,
        "cpus": guest.cpus(),
        "mem": figures.memory,
        "maxmem": guest.memory(),
        "disk": 0,
        "maxdisk": guest.max_disk(),
        "netin": figures.network_in,
        "netout": figures.network_out,
        "diskread": figures.disk_read,
        "diskwrite": figures.disk_write,
        "uptime": figures.uptime,
    }));
    if let Some(running) = &guest.running {
        entry.insert("pid".to_owned(), json!(running.pid));
        for (name, value) in [
            ("pressurecpusome", figures.pressure[0]),
            ("pressurecpufull", figures.pressure[0] / 2.0),
            ("pressureiosome", figures.pressure[1]),
            ("pressureiofull", figures.pressure[1] / 2.0),
            ("pressurememorysome", figures.pressure[2]),
            ("pressurememoryfull", figures.pressure[2]),
        ] {
            entry.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(tags) = guest.tags() {
        entry.insert("tags".to_owned(), json!(tags));
    }
    if guest.template() {
        entry.insert("template".to_owned(), json!(1));
    }
    if let Some(lock) = &guest.lock {
        entry.insert("lock".to_owned(), json!(lock));
    }
    match guest.kind {
        Kind::Qemu => {
            entry.insert("memhost".to_owned(), json!(figures.memory));
            if guest.running.is_none() && guest.config.contains_key("serial0") {
                entry.insert("serial".to_owned(), json!(1));
            }
        }
        Kind::Lxc => {
            let swap = guest.config.get("swap").and_then(Value::as_u64).unwrap_or(0);
            entry.insert("type".to_owned(), json!("lxc"));
            entry.insert("maxswap".to_owned(), json!(swap << 20));
            entry.insert("swap".to_owned(), json!(0));
            if guest.running.is_some() {
                entry.insert("disk".to_owned(), json!(guest.disk_used.min(guest.max_disk())));
            }
        }
    }
    entry
}

/// What a VM shows only when asked for in full.
fn details(call: &Call<'_>, guest: &Guest) -> Map<String, Value> {
    let word = match &guest.running {
        None => "stopped",
        Some(running) if running.paused => "paused",
        Some(_) => "running",
    };
    let mut entry = map(json!({"qmpstatus": word}));
    if guest.running.is_some() {
        let figures = figures::of_guest(call.cluster, guest, call.now);
        entry.extend(map(json!({"nics": {
            format!("tap{}i0", guest.vmid): {
                "netin": figures.network_in,
                "netout": figures.network_out,
            },
        }})));
    }
    entry
}

fn status_qemu(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Qemu)?;
    let mut entry = state(call, guest);
    entry.extend(details(call, guest));
    entry.insert("ha".to_owned(), ha(call, guest));
    if guest.running.is_none() {
        entry.insert("clipboard".to_owned(), Value::Null);
    } else if guest.config.contains_key("agent") {
        entry.insert("agent".to_owned(), json!(1));
    }
    Ok(Value::Object(entry).into())
}

fn status_lxc(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Lxc)?;
    let mut entry = state(call, guest);
    entry.insert("ha".to_owned(), ha(call, guest));
    Ok(Value::Object(entry).into())
}

fn ha(call: &Call<'_>, guest: &Guest) -> Value {
    match call.cluster.ha.resources.get(&cluster::sid(guest)) {
        None => json!({"managed": 0}),
        Some(resource) => json!({"managed": 1, "state": resource.get("state")}),
    }
}

/// A guest's network cards: number, MAC address, address with its prefix.
fn cards(guest: &Guest) -> Vec<(String, String, String)> {
    guest
        .config
        .iter()
        .filter(|(key, _)| key.starts_with("net"))
        .filter_map(|(key, value)| {
            let text = value.as_str()?;
            let mac = text.split([',', '=']).find(|part| part.matches(':').count() == 5)?;
            let part = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name));
            let ip = match part("ip=") {
                Some(ip) if ip.contains('/') => ip.to_owned(),
                _ => format!("10.98.{}.{}/16", guest.vmid / 250, guest.vmid % 250 + 2),
            };
            let name = part("name=").map_or_else(|| key.replace("net", "eth"), str::to_owned);
            Some((name, mac.to_lowercase(), ip))
        })
        .collect()
}

fn interfaces(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Lxc)?;
    if guest.running.is_none() {
        return Ok(Value::Null.into());
    }
    let entry = |name: &str, mac: &str, inet: &str, inet6: &str| {
        let address = |text: &str, kind: &str| {
            let (ip, prefix) = text.split_once('/').unwrap_or((text, "32"));
            json!({"ip-address": ip, "ip-address-type": kind, "prefix": prefix})
        };
        json!({
            "name": name, "hwaddr": mac, "hardware-address": mac, "inet": inet, "inet6": inet6,
            "ip-addresses": [address(inet, "inet"), address(inet6, "inet6")],
        })
    };
    let mut list = vec![entry("lo", "00:00:00:00:00:00", "127.0.0.1/8", "::1/128")];
    for (name, mac, ip) in cards(guest) {
        list.push(entry(&name, &mac, &ip, "fe80::be24:11ff:fe8d:effa/64"));
    }
    Ok(Value::Array(list).into())
}

fn feature(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let wanted = call.params.string("feature");
    let thick = guest.disks().iter().any(|disk| disk.1.ends_with(".raw"));
    let has = match wanted.as_str() {
        "snapshot" => !thick,
        "clone" => guest.template(),
        _ => true,
    };
    let mut answer = json!({"hasFeature": u8::from(has)});
    if kind == Kind::Qemu {
        answer["nodes"] = json!([call.cluster.nodes[call.node].name]);
    }
    Ok(answer.into())
}

/// The guest, where its agent answers.
fn with_agent<'a>(call: &'a Call<'_>) -> Result<&'a Guest, Refusal> {
    let guest = call.guest(Kind::Qemu)?;
    if guest.running.is_none() {
        return Err(Refusal::died(format!("VM {} is not running", guest.vmid)));
    }
    if !guest.config.contains_key("agent") {
        return Err(Refusal::died("No QEMU guest agent configured"));
    }
    let paused = guest.running.as_ref().is_some_and(|running| running.paused);
    if paused || has_silent_agent(guest) {
        return Err(Refusal::died("QEMU guest agent is not running"));
    }
    Ok(guest)
}

/// Whether nobody installed the agent that the configuration has: every fourth
/// VM's, but none of the cast's.
fn has_silent_agent(guest: &Guest) -> bool {
    guest.vmid > 104 && guest.vmid % 4 == 2
}

fn agent_info(call: &mut Call<'_>) -> Answer {
    with_agent(call)?;
    let commands = ["guest-info", "guest-get-osinfo", "guest-get-fsinfo", "guest-network-get-interfaces"];
    let commands: Vec<Value> =
        commands.iter().map(|name| json!({"name": name, "enabled": true, "success-response": true})).collect();
    Ok(json!({"result": {"version": "7.2.0", "supported_commands": commands}}).into())
}

fn agent_ping(call: &mut Call<'_>) -> Answer {
    with_agent(call)?;
    Ok(json!({"result": {}}).into())
}

/// Runs a command in the VM; it goes on by itself.
fn agent_exec(call: &mut Call<'_>) -> Answer {
    let vmid = with_agent(call)?.vmid;
    let command = call.params.values("command");
    let input = call.params.string("input-data");
    Ok(json!({"pid": call.cluster.machines.agent_exec(vmid, &command, &input)}).into())
}

fn agent_exec_status(call: &mut Call<'_>) -> Answer {
    let vmid = with_agent(call)?.vmid;
    let pid = call.params.string("pid").parse().unwrap_or_default();
    let known = call.cluster.machines.agent_status(vmid, pid);
    Ok(known
        .ok_or_else(|| Refusal::died(format!("Agent error: Invalid parameter 'pid': PID {pid} does not exist")))?
        .into())
}

fn agent_interfaces(call: &mut Call<'_>) -> Answer {
    let guest = with_agent(call)?;
    let mut list = vec![json!({
        "name": "lo", "hardware-address": "00:00:00:00:00:00",
        "ip-addresses": [
            {"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8},
            {"ip-address": "::1", "ip-address-type": "ipv6", "prefix": 128},
        ],
    })];
    for (name, mac, ip) in cards(guest) {
        let (ip, prefix) = ip.split_once('/').unwrap_or((&ip, "24"));
        let prefix: u8 = prefix.parse().unwrap_or(24);
        list.push(json!({
            "name": name, "hardware-address": mac,
            "ip-addresses": [
                {"ip-address": ip, "ip-address-type": "ipv4", "prefix": prefix},
            ],
        }));
    }
    Ok(json!({"result": list}).into())
}

fn agent_system(call: &mut Call<'_>) -> Answer {
    with_agent(call)?;
    Ok(json!({"result": {
        "id": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)",
        "version-id": "12", "pretty-name": "Debian GNU/Linux 12 (bookworm)",
        "machine": "x86_64", "kernel-release": "6.1.0-40-amd64",
        "kernel-version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1",
    }})
    .into())
}

fn agent_file_systems(call: &mut Call<'_>) -> Answer {
    let guest = with_agent(call)?;
    let total = guest.max_disk();
    Ok(json!({"result": [{
        "name": "sda1", "mountpoint": "/", "type": "ext4",
        "total-bytes": total, "used-bytes": guest.disk_used.min(total), "disk": [],
    }]})
    .into())
}

fn agent_host_name(call: &mut Call<'_>) -> Answer {
    let guest = with_agent(call)?;
    Ok(json!({"result": {"host-name": guest.name()}}).into())
}
