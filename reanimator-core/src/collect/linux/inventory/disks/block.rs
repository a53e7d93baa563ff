//! Block devices: `lsblk` as JSON, else what `/sys/block` says.
//!
//! `lsblk` has known JSON since util-linux 2.27, `PATH` since 2.33 and `MOUNTPOINTS` since 2.37. Older ones, and the one
//! of busybox, are passed over for `/sys/block`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Answers, Question, bound, plain};
use crate::model::{Unseen, facts::disks::BlockDevice, units::Bytes};

const NAME: &str = "disks.block";

/// The most devices that are kept of one host.
const DEVICES_LIMIT: usize = 1024;

/// The most mount points that are kept of one device.
const MOUNTS_LIMIT: usize = 32;

/// The deepest nesting that is read.
const DEPTH_LIMIT: usize = 16;

pub(super) fn question() -> Question {
    const SHORT: &str = "NAME,KNAME,TYPE,SIZE,MODEL,VENDOR,SERIAL,WWN,REV,ROTA,TRAN,RM,RO,FSTYPE,LABEL,UUID,SCHED";
    Question::new(
        NAME,
        format!(
            "for columns in PATH,MOUNTPOINTS PATH,MOUNTPOINT MOUNTPOINT; do \
             $T10 lsblk -J -b -o $columns,{SHORT} 2>/dev/null && exit 0; done; cd /sys/block && \
             grep -Hs . */size */ro */removable */queue/rotational */queue/scheduler */device/model */device/vendor \
             */device/serial */device/rev */device/firmware_rev */device/wwid */wwid */serial */dm/name */md/level \
             */*/partition */*/size */*/ro; true"
        ),
    )
}

pub(super) fn parse(answers: &Answers, unseen: &mut Vec<Unseen>) -> Vec<BlockDevice> {
    let text = match answers.said(NAME, "block devices") {
        Ok(text) => text,
        Err(note) => {
            unseen.push(note);
            return Vec::new();
        }
    };
    let mut devices = if text.trim_start().starts_with('{') {
        match answers.json(NAME, "block devices") {
            Ok(json) => of_lsblk(&json),
            Err(note) => {
                unseen.push(note);
                Vec::new()
            }
        }
    } else {
        unseen.push(Unseen::new("file systems on block devices", "lsblk is missing or too old"));
        of_sysfs(text)
    };
    devices.retain(|device| device.size_bytes != Some(Bytes(0)));
    bound(&mut devices, DEVICES_LIMIT, "block devices", unseen);
    devices
}

fn of_lsblk(json: &Value) -> Vec<BlockDevice> {
    let mut devices = Vec::new();
    let mut places = BTreeMap::new();
    for row in plain::list(json, "blockdevices") {
        add(row, None, 0, &mut devices, &mut places);
    }
    devices
}

/// Adds a device and what lies on it. A device that lies on several comes once under each of them.
fn add(
    row: &Value,
    parent: Option<&str>,
    depth: usize,
    devices: &mut Vec<BlockDevice>,
    places: &mut BTreeMap<String, usize>,
) {
    let Some(name) = plain::text(row, "name").filter(|_| depth < DEPTH_LIMIT && devices.len() <= DEVICES_LIMIT) else {
        return;
    };
    let place = *places.entry(name.clone()).or_insert_with(|| {
        devices.push(of_row(row, &name));
        devices.len() - 1
    });
    let parents = &mut devices[place].parents;
    if let Some(parent) = parent.filter(|parent| *parent != name && !parents.iter().any(|it| it == parent)) {
        parents.push(parent.to_owned());
    }
    for child in plain::list(row, "children") {
        add(child, Some(&name), depth + 1, devices, places);
    }
}

fn of_row(row: &Value, name: &str) -> BlockDevice {
    let kernel_name = plain::text(row, "kname").unwrap_or_else(|| name.to_owned());
    BlockDevice {
        name: name.to_owned(),
        path: plain::text(row, "path").unwrap_or_else(|| format!("/dev/{kernel_name}")),
        kind: plain::text(row, "type").unwrap_or_default(),
        parents: Vec::new(),
        size_bytes: plain::bytes(row, "size"),
        model: plain::text(row, "model"),
        vendor: plain::text(row, "vendor"),
        serial: plain::text(row, "serial"),
        wwn: plain::text(row, "wwn"),
        firmware: plain::text(row, "rev"),
        rotational: plain::flag(row, "rota"),
        transport: plain::text(row, "tran"),
        removable: plain::flag(row, "rm"),
        read_only: plain::flag(row, "ro"),
        fs_type: plain::text(row, "fstype"),
        label: plain::text(row, "label"),
        uuid: plain::text(row, "uuid"),
        mount_points: mount_points(row),
        scheduler: plain::text(row, "sched"),
    }
}

/// All of them, or the one that an older `lsblk` names.
fn mount_points(row: &Value) -> Vec<String> {
    let all = plain::list(row, "mountpoints").iter().filter_map(|point| plain::clip(point.as_str()?));
    all.chain(plain::text(row, "mountpoint")).take(MOUNTS_LIMIT).collect()
}

/// Lines such as `sda/queue/rotational:0` and `sda/sda1/partition:1`.
fn of_sysfs(text: &str) -> Vec<BlockDevice> {
    let mut devices: BTreeMap<&str, BlockDevice> = BTreeMap::new();
    for (path, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let words: Vec<&str> = path.split('/').collect();
        match words[..] {
            [disk, part, "partition"] if part.starts_with(disk) => {
                let device = devices.entry(part).or_default();
                device.kind = "part".to_owned();
                device.parents = vec![disk.to_owned()];
            }
            [disk, part, field @ ("size" | "ro")] if part.starts_with(disk) => {
                set(devices.entry(part).or_default(), field, value);
            }
            [disk, _, ..] => {
                let field = path.split_once('/').map_or("", |(_, field)| field);
                set(devices.entry(disk).or_default(), field, value);
            }
            _ => {}
        }
        if devices.len() > DEVICES_LIMIT {
            break;
        }
    }
    let finish = |(name, mut device): (&str, BlockDevice)| {
        device.path = format!("/dev/{name}");
        if device.name.is_empty() {
            device.name = name.to_owned();
        }
        if device.kind.is_empty() {
            device.kind = kind_by_name(name).to_owned();
        }
        device
    };
    let named = devices.into_iter().filter(|(name, device)| !name.is_empty() && device.size_bytes.is_some());
    named.map(finish).collect()
}

fn set(device: &mut BlockDevice, field: &str, value: &str) {
    match field {
        // In sectors of 512 bytes, whatever the disk's own are.
        "size" => device.size_bytes = value.trim().parse().ok().map(|sectors: u64| Bytes(sectors.saturating_mul(512))),
        "ro" => device.read_only = plain::digit(value),
        "removable" => device.removable = plain::digit(value),
        "queue/rotational" => device.rotational = plain::digit(value),
        // All that there are, the one in use in brackets.
        "queue/scheduler" => {
            let used = value.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
            device.scheduler = plain::clip(used.map_or(value, |(used, _)| used));
        }
        "device/model" => device.model = plain::clip(value),
        "device/vendor" => device.vendor = plain::clip(value).filter(|vendor| !vendor.starts_with("0x")),
        "device/serial" | "serial" => device.serial = plain::clip(value),
        "device/rev" | "device/firmware_rev" => device.firmware = plain::clip(value),
        "device/wwid" | "wwid" => device.wwn = plain::clip(value),
        "md/level" => device.kind = plain::clip(value).unwrap_or_default(),
        "dm/name" => {
            device.name = plain::clip(value).unwrap_or_default();
            device.kind = "dm".to_owned();
        }
        _ => {}
    }
}

fn kind_by_name(name: &str) -> &'static str {
    match name {
        _ if name.starts_with("loop") => "loop",
        _ if name.starts_with("sr") => "rom",
        _ if name.starts_with("dm-") => "dm",
        _ => "disk",
    }
}
