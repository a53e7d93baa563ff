//! Configurations of guests: reading, changing, what waits for a restart, and
//! making a new guest.

use serde_json::{Map, Value, json};

use super::{Call, Handler};
use crate::params::plain;
use crate::refusal::{Answer, Refusal};
use crate::state::{Guest, Kind, format_size};
use crate::tasks::{Effect, Ending};

/// Keys that take effect while the guest runs; the others wait.
const LIVE: [&str; 12] = [
    "name",
    "hostname",
    "description",
    "tags",
    "onboot",
    "startup",
    "protection",
    "agent",
    "boot",
    "hotplug",
    "lock",
    "template",
];

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str, whole: bool) -> Option<Handler> {
    let qemu = room == "qemu";
    Some(match (method, below, qemu) {
        ("GET", "config", true) => |call: &mut Call<'_>| read(call, Kind::Qemu),
        ("GET", "config", false) => |call: &mut Call<'_>| read(call, Kind::Lxc),
        ("GET", "pending", true) => |call: &mut Call<'_>| pending(call, Kind::Qemu),
        ("GET", "pending", false) => |call: &mut Call<'_>| pending(call, Kind::Lxc),
        ("PUT", "config", true) => |call: &mut Call<'_>| change(call, Kind::Qemu),
        ("PUT", "config", false) => |call: &mut Call<'_>| change(call, Kind::Lxc),
        ("POST", "config", true) => change_in_task,
        ("POST", "", true) if !whole => |call: &mut Call<'_>| create(call, Kind::Qemu),
        ("POST", "", false) if !whole => |call: &mut Call<'_>| create(call, Kind::Lxc),
        _ => return None,
    })
}

fn read(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let snapshot = call.params.text("snapshot");
    let mut config = match snapshot {
        Some(name) => guest
            .snapshots
            .iter()
            .find(|snapshot| snapshot.name == name)
            .map(|snapshot| snapshot.config.clone())
            .ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?,
        None if call.params.flag("current") => guest.effective().clone(),
        None => guest.config.clone(),
    };
    config.insert("digest".to_owned(), json!(guest.digest()));
    if let Some(lock) = &guest.lock {
        config.insert("lock".to_owned(), json!(lock));
    }
    Ok(Value::Object(config).into())
}

fn pending(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let (now, later) = (guest.effective(), &guest.config);
    let mut list = vec![json!({"key": "digest", "value": guest.digest()})];
    for (key, value) in now {
        let mut entry = json!({"key": key, "value": value});
        match later.get(key) {
            Some(next) if next == value => {}
            Some(next) => entry["pending"] = next.clone(),
            None => entry["delete"] = json!(1),
        }
        list.push(entry);
    }
    for (key, value) in later {
        if !now.contains_key(key) {
            list.push(json!({"key": key, "pending": value}));
        }
    }
    Ok(Value::Array(list).into())
}

/// Refuses where the caller knew an older configuration.
pub(super) fn same_digest(call: &Call<'_>, guest: &Guest) -> Result<(), Refusal> {
    match call.params.text("digest") {
        Some(digest) if digest != guest.digest() => {
            Err(Refusal::died("checksum mismatch (file change by other user?)"))
        }
        _ => Ok(()),
    }
}

/// What is to be set and what to be removed, as the configuration writes it.
struct Changes {
    set: Map<String, Value>,
    delete: Vec<String>,
}

/// Parameters that steer a call and are no part of a configuration.
const STEERING: [&str; 18] = [
    "node",
    "vmid",
    "digest",
    "delete",
    "revert",
    "force",
    "skiplock",
    "background_delay",
    "start",
    "pool",
    "storage",
    "unique",
    "archive",
    "restore",
    "bwlimit",
    "ostemplate",
    "password",
    "live-restore",
];

fn changes(call: &Call<'_>, kind: Kind, vmid: u32) -> Result<Changes, Refusal> {
    let mut set = Map::new();
    for (name, value) in call.params.iter() {
        if !STEERING.contains(&name.as_str()) && name != "ssh-public-keys" {
            set.insert(name.clone(), written(call, kind, vmid, name, value)?);
        }
    }
    Ok(Changes { set, delete: call.params.list("delete") })
}

/// A value as the configuration keeps it: numbers as numbers, new disks with
/// their volume, network cards with a MAC address.
fn written(call: &Call<'_>, kind: Kind, vmid: u32, name: &str, value: &Value) -> Result<Value, Refusal> {
    let text = plain(value);
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    match (stem, kind) {
        ("memory", Kind::Qemu) => return Ok(json!(text.replace("current=", ""))),
        ("agent", _) => return Ok(json!(text)),
        ("net", _) => return Ok(json!(with_mac(call, kind, vmid, name, &text))),
        ("rootfs" | "mp" | "scsi" | "virtio" | "sata" | "ide", _) => {
            return new_volume(call, kind, vmid, name, &text).map(Value::from);
        }
        ("description", Kind::Lxc) if !text.ends_with('\n') => {
            return Ok(json!(format!("{text}\n")));
        }
        ("tags", _) => return Ok(json!(unique_tags(&text))),
        _ => {}
    }
    Ok(text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)))
}

/// Tags as they are kept: each once, in small letters, in order.
fn unique_tags(text: &str) -> String {
    let mut tags: Vec<String> = crate::params::split_list(text).iter().map(|tag| tag.to_lowercase()).collect();
    tags.sort();
    tags.dedup();
    tags.join(";")
}

fn with_mac(call: &Call<'_>, kind: Kind, vmid: u32, name: &str, text: &str) -> String {
    if text.matches(':').count() >= 5 {
        return text.to_owned();
    }
    let salt = u64::from(vmid) << 8 | name.len() as u64;
    let tail = (crate::figures::chance(call.cluster.seed ^ call.now as u64, salt) * 16_777_215.0) as u32;
    let mac = format!("BC:24:11:{:02X}:{:02X}:{:02X}", tail >> 16, (tail >> 8) & 255, tail & 255);
    match kind {
        Kind::Qemu => match text.split_once(',') {
            Some((model, rest)) => format!("{model}={mac},{rest}"),
            None => format!("{text}={mac}"),
        },
        Kind::Lxc => format!("{text},hwaddr={mac},type=veth"),
    }
}

/// `STORAGE:GiB` makes a volume; anything else stays as it is.
fn new_volume(call: &Call<'_>, kind: Kind, vmid: u32, name: &str, text: &str) -> Result<String, Refusal> {
    let (first, rest) = text.split_once(',').unwrap_or((text, ""));
    let Some((storage, size)) = first.split_once(':') else {
        return Ok(text.to_owned());
    };
    let Ok(gibibytes) = size.parse::<f64>() else {
        return Ok(text.to_owned());
    };
    let found = call.cluster.storages.iter().find(|entry| entry.name == storage);
    let found = found.ok_or_else(|| Refusal::died(format!("storage '{storage}' does not exist")))?;
    let wanted = if kind == Kind::Qemu { "images" } else { "rootdir" };
    if !found.content.split(',').any(|content| content == wanted) {
        return Err(Refusal::died(format!("storage '{storage}' does not support content-type '{wanted}'")));
    }
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let number = if digits.is_empty() { "0" } else { &digits };
    let ending = if kind == Kind::Qemu { "qcow2" } else { "raw" };
    let volume = if ["lvmthin", "zfspool"].contains(&found.plugin) {
        format!("{storage}:vm-{vmid}-disk-{number}")
    } else {
        format!("{storage}:{vmid}/vm-{vmid}-disk-{number}.{ending}")
    };
    let size = format_size((gibibytes * f64::from(1_u32 << 30)) as u64);
    let kept: Vec<&str> = rest.split(',').filter(|part| !part.is_empty() && !part.starts_with("format=")).collect();
    let mut parts = vec![volume];
    parts.extend(kept.into_iter().map(str::to_owned));
    parts.push(format!("size={size}"));
    Ok(parts.join(","))
}

/// Whether a setting takes effect while the guest runs. What is plugged into
/// a VM does so where its `hotplug` lets it; cores and sockets never do.
fn takes_effect(guest: &Guest, key: &str, value: Option<&Value>) -> bool {
    if LIVE.contains(&key) {
        return true;
    }
    if guest.kind == Kind::Lxc {
        return matches!(key, "cores" | "memory" | "swap" | "cpulimit");
    }
    let plugs = |what: &str| {
        let setting = guest.config.get("hotplug").map_or("network,disk,usb".to_owned(), plain);
        crate::params::split_list(&setting).iter().any(|each| each == what)
    };
    let is_on = |value: Option<&Value>| value.is_none_or(|value| plain(value) != "0");
    match key {
        "vcpus" => plugs("cpu"),
        "memory" => plugs("memory"),
        "balloon" => is_on(guest.effective().get("balloon")) == is_on(value),
        _ => false,
    }
}

fn apply(guest: &mut Guest, changes: &Changes) {
    for (key, value) in &changes.set {
        let now = takes_effect(guest, key, Some(value));
        guest.config.insert(key.clone(), value.clone());
        if let Some(running) = guest.running.as_mut().filter(|_| now) {
            running.live.insert(key.clone(), value.clone());
        }
    }
    for key in &changes.delete {
        let now = takes_effect(guest, key, None);
        guest.config.remove(key);
        if let Some(running) = guest.running.as_mut().filter(|_| now) {
            running.live.remove(key);
        }
    }
}

/// Refuses sizes of a VM that do not go together. Unrecorded.
fn sizes(guest: &Guest, changes: &Changes) -> Result<(), Refusal> {
    let touched = |key: &str| changes.set.contains_key(key);
    let number = |key: &str, default: u64| {
        let value = changes
            .set
            .get(key)
            .or_else(|| guest.config.get(key))
            .filter(|_| !changes.delete.iter().any(|gone| gone == key));
        value.and_then(|value| plain(value).parse().ok()).unwrap_or(default)
    };
    if (touched("memory") || touched("balloon")) && number("balloon", 0) > number("memory", 512) {
        return Err(Refusal::died("balloon value too large (must be smaller than assigned memory)"));
    }
    if touched("vcpus") && guest.running.is_some() && number("vcpus", 1) > number("cores", 1) * number("sockets", 1) {
        return Err(Refusal::parameter("vcpus", "hotplug problem - you can't add more vcpus than maxcpus"));
    }
    Ok(())
}

fn change(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    same_digest(call, guest)?;
    guest.unlocked()?;
    call.quorum()?;
    let changes = changes(call, kind, call.params.vmid())?;
    if kind == Kind::Qemu {
        sizes(guest, &changes)?;
    }
    apply(call.guest_mut(kind)?, &changes);
    Ok(Value::Null.into())
}

fn change_in_task(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Qemu)?;
    same_digest(call, guest)?;
    guest.unlocked()?;
    call.quorum()?;
    let vmid = call.params.vmid();
    let changes = changes(call, Kind::Qemu, vmid)?;
    sizes(guest, &changes)?;
    let log = changes.set.iter().map(|(key, value)| format!("update VM {vmid}: -{key} {}", plain(value))).collect();
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid);
        apply(guest.ok_or(format!("no such VM {vmid}"))?, &changes);
        Ok(Ending::default())
    });
    call.start_task("qmconfig", vmid, 0.5, log, effect)
}

fn create(call: &mut Call<'_>, kind: Kind) -> Answer {
    let vmid = call.params.vmid();
    let title = kind.title();
    if let Some(taken) = call.cluster.guests.get(&vmid) {
        let there = taken.kind.title();
        let node = &call.cluster.nodes[taken.node].name;
        return Err(Refusal::died(format!(
            "unable to create {title} {vmid} - {there} {vmid} already exists on node '{node}'"
        )));
    }
    let pool = call.params.text("pool").map(str::to_owned);
    let allowed = call.may(&format!("/vms/{vmid}"), &["VM.Allocate"])
        || pool.as_ref().is_some_and(|pool| call.may(&format!("/pool/{pool}"), &["VM.Allocate"]));
    if !allowed {
        return Err(Refusal::forbidden(&format!("/vms/{vmid}, VM.Allocate")));
    }
    call.quorum()?;
    let mut config = changes(call, kind, vmid)?.set;
    let defaults = match kind {
        Kind::Qemu => json!({"memory": "512", "boot": "order=scsi0;net0"}),
        Kind::Lxc => json!({"memory": 512, "swap": 512, "arch": "amd64", "ostype": "debian"}),
    };
    for (key, value) in crate::seed::map(defaults) {
        config.entry(key).or_insert(value);
    }
    if kind == Kind::Lxc && !config.contains_key("rootfs") {
        let storage = call.params.text("storage").unwrap_or("local-lvm").to_owned();
        let volume = new_volume(call, kind, vmid, "rootfs", &format!("{storage}:4"))?;
        config.insert("rootfs".to_owned(), json!(volume));
    }
    let guest = Guest {
        vmid,
        kind,
        node: call.node,
        config,
        running: None,
        lock: Some("create".to_owned()),
        snapshots: Vec::new(),
        pool,
        disk_used: 1 << 30,
    };
    call.cluster.guests.insert(vmid, guest);
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid);
        guest.ok_or(format!("no such guest {vmid}"))?.lock = None;
        Ok(Ending::default())
    });
    let log = vec![format!("creating {title} {vmid}")];
    call.start_task(format!("{}create", kind.task()), vmid, 2.0, log, effect)
}
