//! Software RAID: `/proc/mdstat` and what `/sys/block/md*/md` adds to it.

use std::collections::BTreeMap;

use super::{Answers, Question, bound, note, plain};
use crate::model::{
    Unseen,
    facts::disks::{MdArray, MdMember, MemberState},
    units::Bytes,
};

const NAME: &str = "disks.md";

/// The most arrays, and the most members of each, that are kept.
const LIMIT: usize = 256;

pub(super) fn question() -> Question {
    Question::new(
        NAME,
        "cd /sys/block && grep -Hs . /proc/mdstat md*/md/level md*/md/array_state md*/md/degraded md*/md/raid_disks \
         md*/md/sync_action md*/md/mismatch_cnt md*/size; true",
    )
}

pub(super) fn parse(answers: &Answers, unseen: &mut Vec<Unseen>) -> Vec<MdArray> {
    note(answers, NAME, "software RAID", false, unseen);
    let mut arrays: BTreeMap<String, MdArray> = BTreeMap::new();
    let mut current = None;
    for line in answers.text(NAME).lines() {
        if let Some(line) = line.strip_prefix("/proc/mdstat:") {
            if let Some(array) = head(line) {
                current = Some(array.name.clone());
                arrays.entry(array.name.clone()).or_insert(array);
            } else if let Some(array) = current.as_ref().and_then(|name| arrays.get_mut(name)) {
                detail(line, array);
            }
        } else if let Some((path, value)) = line.split_once(':') {
            let (name, field) = path.split_once('/').unwrap_or((path, ""));
            if let Some(array) = arrays.get_mut(name) {
                set(array, field, value.trim());
            }
        }
    }
    let mut arrays: Vec<MdArray> = arrays.into_values().collect();
    bound(&mut arrays, LIMIT, "software RAID", unseen);
    for array in &mut arrays {
        array.health = array.judge();
    }
    arrays
}

/// `md0 : active (auto-read-only) raid1 sdb1[1] sda1[0](F)`.
fn head(line: &str) -> Option<MdArray> {
    let (name, rest) = line.split_once(" : ")?;
    let name = plain::clip(name).filter(|name| name.starts_with("md") && !name.contains(' '))?;
    let mut array = MdArray { name, ..MdArray::default() };
    for word in rest.split_whitespace().take(LIMIT) {
        match word.split_once('[') {
            Some((device, flags)) => {
                array.members.extend(plain::clip(device).map(|device| MdMember { device, state: state_of(flags) }))
            }
            None if word.starts_with('(') => {}
            None if array.state.is_none() => array.state = plain::clip(word),
            None => array.level = plain::clip(word),
        }
    }
    Some(array)
}

/// `1](F)`: the letters that `md_seq_show` of the kernel writes.
fn state_of(flags: &str) -> MemberState {
    match flags {
        _ if flags.contains("(F)") => MemberState::Failed,
        _ if flags.contains("(S)") => MemberState::Spare,
        _ if flags.contains("(R)") => MemberState::Replacement,
        _ if flags.contains("(J)") => MemberState::Journal,
        _ => MemberState::Active,
    }
}

/// A line below the head: `976630464 blocks super 1.2 [2/1] [U_]`, or what the array does.
fn detail(line: &str, array: &mut MdArray) {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let [blocks, "blocks", ..] = words[..] {
        array.size_bytes = blocks.parse().ok().map(Bytes::from_kib);
        array.container = array.container || (line.contains("external:") && array.level.is_none());
    }
    for word in &words {
        let pair = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')?.split_once('/'));
        if let Some((wanted, there)) = pair.and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?))) {
            array.wanted_members = Some(wanted);
            array.missing_members = wanted.checked_sub(there);
        }
    }
    for action in ["recovery", "resync", "reshape", "check", "repair"] {
        // `recovery = 12.6% (...)`, but `resync=DELAYED`.
        let Some((_, rest)) = line.split_once(&format!("{action} =")).or(line.split_once(&format!("{action}="))) else {
            continue;
        };
        array.action = Some(action.to_owned());
        let percent = rest.split_once('%').and_then(|(percent, _)| percent.trim().parse().ok());
        array.progress_percent = percent.filter(|percent: &f64| (0.0..=100.0).contains(percent));
        let value = |name: &str, unit: &str| -> Option<f64> {
            let value = words.iter().find_map(|word| word.strip_prefix(name)?.strip_suffix(unit)?.parse().ok());
            value.filter(|value: &f64| (0.0..1e12).contains(value))
        };
        array.remaining_seconds = value("finish=", "min").map(|minutes| (minutes * 60.0) as u64);
        array.speed_bytes_per_second = value("speed=", "K/sec").map(|kib| (kib * 1024.0) as u64);
    }
}

fn set(array: &mut MdArray, field: &str, value: &str) {
    match field {
        "md/level" => {
            array.container = value == "container";
            array.level = plain::clip(value);
        }
        "md/array_state" => array.state = plain::clip(value),
        "md/degraded" => array.missing_members = value.parse().ok().or(array.missing_members),
        "md/raid_disks" => array.wanted_members = value.parse().ok().filter(|n| *n > 0).or(array.wanted_members),
        "md/sync_action" if value == "idle" || value == "frozen" => {}
        "md/sync_action" => {
            array.action = plain::clip(value).map(|word| if word == "recover" { "recovery".into() } else { word })
        }
        "md/mismatch_cnt" => array.mismatch_count = value.parse().ok(),
        "size" => {
            let bytes = value.parse().ok().map(|sectors: u64| Bytes(sectors.saturating_mul(512)));
            array.size_bytes = bytes.filter(|size| size.0 > 0).or(array.size_bytes);
        }
        _ => {}
    }
}
