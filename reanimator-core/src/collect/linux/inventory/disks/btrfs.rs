//! btrfs: `/sys/fs/btrfs` for what is mounted, and `btrfs filesystem show` for paths and sizes.

use std::collections::BTreeMap;

use super::{Answers, Question, bound, note, plain};
use crate::model::{
    Unseen,
    facts::disks::{Btrfs, BtrfsDevice},
    units::Bytes,
};

const NAME: &str = "disks.btrfs";

/// The most file systems, and the most devices of each, that are kept.
const LIMIT: usize = 256;

pub(super) fn question() -> Question {
    Question::new(
        NAME,
        "cd /sys/fs && grep -Hs . btrfs/*/label btrfs/*/devinfo/*/missing btrfs/*/devinfo/*/error_stats; \
         if [ -d /sys/fs/btrfs ] && command -v btrfs >/dev/null; then $T10 btrfs filesystem show --raw 2>/dev/null; fi; true",
    )
}

pub(super) fn parse(answers: &Answers, expected: bool, unseen: &mut Vec<Unseen>) -> Vec<Btrfs> {
    note(answers, NAME, "btrfs", expected, unseen);
    let mut found: BTreeMap<String, Btrfs> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in answers.text(NAME).lines() {
        if found.len() > LIMIT {
            break;
        }
        if let Some(rest) = line.strip_prefix("btrfs/") {
            of_sysfs(rest, &mut found);
        } else if let Some((label, uuid)) = shown(line) {
            let file_system = entry(&mut found, &uuid);
            file_system.label = label.or_else(|| file_system.label.take());
            current = Some(uuid);
        } else if let Some(file_system) = current.as_ref().and_then(|uuid| found.get_mut(uuid)) {
            detail(line, file_system);
        }
    }
    let mut found: Vec<Btrfs> = found.into_values().filter(|it| !it.devices.is_empty()).collect();
    bound(&mut found, LIMIT, "btrfs", unseen);
    for file_system in &mut found {
        file_system.devices.sort_by_key(|device| device.id);
        file_system.health = file_system.judge();
    }
    found
}

fn entry<'a>(found: &'a mut BTreeMap<String, Btrfs>, uuid: &str) -> &'a mut Btrfs {
    found.entry(uuid.to_owned()).or_insert_with(|| Btrfs { uuid: uuid.to_owned(), ..Btrfs::default() })
}

fn device(file_system: &mut Btrfs, id: u64) -> Option<&mut BtrfsDevice> {
    let place = match file_system.devices.iter().position(|device| device.id == id) {
        Some(place) => place,
        None if file_system.devices.len() < LIMIT => {
            file_system.devices.push(BtrfsDevice { id, ..BtrfsDevice::default() });
            file_system.devices.len() - 1
        }
        None => return None,
    };
    file_system.devices.get_mut(place)
}

/// `UUID/devinfo/1/missing:0`, `UUID/devinfo/1/error_stats:write_errs 0`.
fn of_sysfs(line: &str, found: &mut BTreeMap<String, Btrfs>) {
    let Some((path, value)) = line.split_once(':') else { return };
    let words: Vec<&str> = path.split('/').collect();
    match words[..] {
        [uuid, "label"] => entry(found, uuid).label = plain::clip(value),
        [uuid, "devinfo", id, field] => {
            let Some(device) = id.parse().ok().and_then(|id| device(entry(found, uuid), id)) else { return };
            match (field, value.split_once(' ')) {
                ("missing", _) => device.missing = value.trim() == "1",
                ("error_stats", Some((_, count))) => {
                    let count =
                        count.trim().parse().ok().map(|count: u64| count.saturating_add(device.errors.unwrap_or(0)));
                    device.errors = count.or(device.errors);
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// `Label: 'media'  uuid: 6f6d...`; `Label: none` where there is none.
fn shown(line: &str) -> Option<(Option<String>, String)> {
    let (label, uuid) = line.strip_prefix("Label: ")?.rsplit_once("uuid: ")?;
    let label = label.trim().strip_prefix('\'').and_then(|label| label.strip_suffix('\''));
    Some((label.and_then(plain::clip), plain::clip(uuid)?))
}

/// `devid    1 size 268435456 used 109051904 path /dev/sdb`; a device that is gone has the path `MISSING`, or the line
/// says so at its end.
fn detail(line: &str, file_system: &mut Btrfs) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["Total", "devices", _, "FS", "bytes", "used", used] => file_system.used_bytes = used.parse().ok().map(Bytes),
        ["devid", id, "size", size, "used", used, "path", path, ..] => {
            let Some(device) = id.parse().ok().and_then(|id| device(file_system, id)) else { return };
            let gone = path == "MISSING" || words.last() == Some(&"MISSING");
            device.missing = device.missing || gone;
            device.path = plain::clip(path).filter(|path| path.starts_with('/'));
            device.size_bytes = size.parse().ok().map(Bytes).filter(|size| size.0 > 0);
            device.allocated_bytes = used.parse().ok().map(Bytes).filter(|_| device.size_bytes.is_some());
        }
        _ => {}
    }
}
