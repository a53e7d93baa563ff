//! How a guest is configured, and what of it waits for its next start: `/nodes/{node}/{qemu,lxc}/{vmid}/config` and
//! `/pending`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, NOTES_LIMIT, Options, cut, cut_at, number_after, time},
};
use crate::{
    Result,
    model::{
        GuestKind,
        facts::guest::{CloudInit, GuestConfig, Passthrough, PendingChange},
    },
    transport::http::Request,
};

/// Settings that hold secrets, or nothing worth keeping.
const LEFT_OUT: [&str; 6] = ["digest", "cipassword", "sshkeys", "env", "password", "vmgenid"];

/// Settings with a field of their own, by name or by the name before their number.
const KNOWN: [&str; 39] = [
    "cores",
    "sockets",
    "vcpus",
    "cpulimit",
    "cpuunits",
    "cpu",
    "numa",
    "memory",
    "balloon",
    "swap",
    "ostype",
    "bios",
    "machine",
    "boot",
    "bootdisk",
    "scsihw",
    "onboot",
    "startup",
    "protection",
    "lock",
    "tags",
    "description",
    "template",
    "hookscript",
    "arch",
    "hostname",
    "name",
    "nameserver",
    "searchdomain",
    "unprivileged",
    "features",
    "ciuser",
    "cicustom",
    "agent",
    "meta",
    "net",
    "ipconfig",
    "hostpci",
    "usb",
];

/// What to ask for the changes that wait. Needs `VM.Audit` on `/vms/{vmid}`.
pub fn pending_request(node: &str, kind: GuestKind, vmid: &str) -> Request {
    Request::get(["nodes", node, kind.as_str(), vmid, "pending"])
}

/// Reads the configuration, but for its disks and network cards.
///
/// # Errors
/// When the answer is no object.
pub fn config(data: &Value, kind: GuestKind) -> Result<GuestConfig> {
    let fields = lenient::object(data, "the guest's configuration")?;
    let vm = kind == GuestKind::Qemu;
    let text = |name: &str| fields.text(name).as_deref().and_then(cut);
    let small = |name: &str| fields.count(name).and_then(|count| u32::try_from(count).ok());
    let flag = |name: &str| fields.flag(name).unwrap_or(false);
    Ok(GuestConfig {
        cores: small("cores").or(vm.then_some(1)),
        sockets: if vm { small("sockets").or(Some(1)) } else { None },
        vcpus: small("vcpus"),
        cpu_limit: fields.number("cpulimit").filter(|limit| *limit > 0.0),
        cpu_units: fields.count("cpuunits"),
        cpu_type: cpu_type(fields),
        numa: if vm { Some(flag("numa")) } else { None },
        memory: memory(fields).or(Some(512)),
        balloon_mb: fields.count("balloon"),
        swap_mb: if vm { None } else { fields.count("swap").or(Some(512)) },
        ostype: text("ostype"),
        bios: text("bios").or(vm.then(|| "seabios".to_owned())),
        machine: text("machine"),
        boot_order: boot_order(fields),
        scsihw: text("scsihw"),
        onboot: flag("onboot"),
        startup: text("startup"),
        protection: flag("protection"),
        lock: text("lock"),
        tags: tags(fields),
        description: fields.text("description").and_then(|text| cut_at(&text, NOTES_LIMIT)),
        template: flag("template"),
        hookscript: text("hookscript"),
        arch: text("arch"),
        hostname: text("hostname"),
        nameserver: text("nameserver"),
        searchdomain: text("searchdomain"),
        unprivileged: if vm { None } else { Some(flag("unprivileged")) },
        features: features(fields),
        passthrough: passthrough(fields),
        cloud_init: cloud_init(fields),
        created_at: fields.text("meta").and_then(|meta| time(Options::of(&meta).number("ctime"))),
        other: other(fields),
    })
}

/// `512`, or `current=512` as newer versions may write it.
fn memory(fields: Fields<'_>) -> Option<u64> {
    let text = fields.text("memory")?;
    let options = Options::of(&text);
    options.number("current").or_else(|| fields.count("memory"))
}

/// `host` in `host,flags=+aes` or `cputype=host`.
fn cpu_type(fields: Fields<'_>) -> Option<String> {
    let text = fields.text("cpu")?;
    let options = Options::of(&text);
    options.first.or_else(|| options.get("cputype")).and_then(cut)
}

/// `order=scsi0;net0`; letters, as older versions have it, stay one word.
fn boot_order(fields: Fields<'_>) -> Vec<String> {
    let Some(text) = fields.text("boot") else { return Vec::new() };
    let options = Options::of(&text);
    let order = options.get("order").or_else(|| options.get("legacy")).or(options.first).unwrap_or_default();
    order.split(';').filter_map(cut).take(64).collect()
}

fn tags(fields: Fields<'_>) -> Vec<String> {
    let text = fields.text("tags").unwrap_or_default();
    let mut tags: Vec<String> =
        text.split(|c: char| c == ';' || c == ',' || c.is_whitespace()).filter_map(cut).take(LIST_LIMIT).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn features(fields: Fields<'_>) -> BTreeMap<String, String> {
    let text = fields.text("features").unwrap_or_default();
    let options = Options::of(&text);
    options.named().filter_map(|(name, value)| Some((cut(name)?, cut(value)?))).collect()
}

fn passthrough(fields: Fields<'_>) -> Vec<Passthrough> {
    let is_one = |name: &str| ["hostpci", "usb", "dev"].iter().any(|stem| number_after(name, stem).is_some());
    let device = |(name, value): (&str, &Value)| {
        let text = lenient::text(value)?;
        let options = Options::of(&text);
        let mapping = options.get("mapping");
        let device = mapping.or(options.first).or(options.get("host")).or(options.get("path")).and_then(cut);
        Some(Passthrough { name: name.to_owned(), device, mapped: mapping.is_some() })
    };
    fields.iter().filter(|(name, _)| is_one(name)).filter_map(device).take(LIST_LIMIT).collect()
}

fn cloud_init(fields: Fields<'_>) -> Option<CloudInit> {
    let drive = fields.iter().any(|(_, value)| {
        value.as_str().and_then(|text| Options::of(text).first).is_some_and(super::guest_devices::is_cloud_init)
    });
    let user = fields.text("ciuser").as_deref().and_then(cut);
    let custom = fields.text("cicustom").as_deref().and_then(cut);
    let keys = fields.text("sshkeys");
    let has_password = fields.value("cipassword").is_some();
    if !drive && user.is_none() && custom.is_none() && keys.is_none() && !has_password {
        return None;
    }
    // The keys come as one text with its line breaks percent-encoded.
    let count = |keys: String| keys.replace("%0A", "\n").lines().filter(|line| !line.trim().is_empty()).count();
    Some(CloudInit { user, has_password, ssh_keys: keys.map_or(0, count), custom })
}

fn other(fields: Fields<'_>) -> BTreeMap<String, String> {
    let shown_elsewhere = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        KNOWN.contains(&name)
            || (stem != name && (KNOWN.contains(&stem) || stem == "dev"))
            || super::guest_devices::is_disk(name)
    };
    fields
        .iter()
        .filter(|(name, _)| !LEFT_OUT.contains(name) && !shown_elsewhere(name))
        .filter_map(|(name, value)| Some((cut(name)?, cut(&lenient::text(value)?)?)))
        .take(256)
        .collect()
}

/// Whether a VM's configuration has a guest agent: `1`, `enabled=1,...`.
pub fn has_agent(data: &Value) -> bool {
    let Some(text) = Fields::of(data).and_then(|fields| fields.text("agent")) else { return false };
    let options = Options::of(&text);
    let word = options.get("enabled").or(options.first).unwrap_or_default();
    lenient::flag(&Value::String(word.to_owned())).unwrap_or(false)
}

/// Reads the changes that wait for the next start.
///
/// # Errors
/// When the answer is no list.
pub fn pending(data: &Value) -> Result<Vec<PendingChange>> {
    let shown = |name: &str, value: Option<String>| match LEFT_OUT.contains(&name) {
        true => value.map(|_| "(not shown)".to_owned()),
        false => value.as_deref().and_then(cut),
    };
    let change = |row: Fields<'_>| {
        let (key, delete) = (row.text("key")?, row.count("delete").unwrap_or(0) > 0);
        (delete || row.value("pending").is_some()).then(|| PendingChange {
            value: shown(&key, row.text("value")),
            pending: shown(&key, row.text("pending")),
            delete,
            key: cut(&key).unwrap_or_default(),
        })
    };
    let rows = lenient::rows(data, "the guest's pending changes")?;
    let mut changes: Vec<PendingChange> = rows.into_iter().filter_map(change).take(LIST_LIMIT).collect();
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(changes)
}
