//! ZFS: `zpool list`, `zpool status` and `zfs list`.
//!
//! Text, not the JSON that OpenZFS knows since 2.3: one way for all versions, with tabs between exact numbers where there
//! are any. `zpool status` writes times in the zone of the process and without naming it; it is run in UTC.

use jiff::{Timestamp, civil, fmt::strtime, tz::TimeZone};

use super::{Answers, Question, bound, note, plain};
use crate::model::{
    Unseen,
    facts::disks::{ZfsDataset, ZfsDevice, ZfsPool, ZfsScan},
    units::Bytes,
};

const NAME: &str = "disks.zfs";

/// The most datasets that are kept of one host.
const DATASETS_LIMIT: usize = 500;

/// The most pools, and the most devices of each, that are kept.
const LIMIT: usize = 512;

pub(super) fn question() -> Question {
    Question::with_tool(
        NAME,
        "zpool",
        format!(
            "$T10 zpool list -Hp -o name,size,alloc,free,frag,cap,dedup,health && {{ echo @status; \
             TZ=UTC0 $T10 zpool status -p 2>/dev/null || TZ=UTC0 $T10 zpool status; echo @datasets; \
             $T20 zfs list -Hp -t filesystem,volume \
             -o name,used,avail,refer,mountpoint,type,volsize,compressratio | head -n {}; }}",
            DATASETS_LIMIT + 1
        ),
    )
}

pub(super) fn parse(answers: &Answers, expected: bool, unseen: &mut Vec<Unseen>) -> (Vec<ZfsPool>, Vec<ZfsDataset>) {
    note(answers, NAME, "ZFS", expected, unseen);
    let text = answers.text(NAME);
    let (list, rest) = text.split_once("@status\n").unwrap_or((text, ""));
    let (status, datasets) = rest.split_once("@datasets").unwrap_or((rest, ""));
    let mut pools: Vec<ZfsPool> = list.lines().filter_map(pool).collect();
    bound(&mut pools, LIMIT, "ZFS pools", unseen);
    for block in status.split("  pool: ").skip(1) {
        let (name, block) = block.split_once('\n').unwrap_or((block, ""));
        if let Some(pool) = pools.iter_mut().find(|pool| pool.name == name.trim()) {
            read_status(block, pool);
        }
    }
    for pool in &mut pools {
        if pool.devices.is_empty() {
            unseen.push(Unseen::new(format!("devices of pool {}", pool.name), "zpool status did not tell"));
        }
        bound(&mut pool.devices, LIMIT, &format!("devices of pool {}", pool.name), unseen);
        pool.health = pool.judge();
    }
    let mut datasets: Vec<ZfsDataset> = datasets.lines().filter_map(dataset).collect();
    if datasets.is_empty() && !pools.is_empty() {
        unseen.push(Unseen::new("ZFS datasets", "zfs list did not tell"));
    }
    bound(&mut datasets, DATASETS_LIMIT, "ZFS datasets", unseen);
    (pools, datasets)
}

/// Exact numbers, between tabs; a percentage or ratio has its sign where `zpool` is older than 0.8.
fn pool(line: &str) -> Option<ZfsPool> {
    let words: Vec<&str> = line.split('\t').collect();
    let [name, size, used, free, fragmentation, capacity, dedup, state] = words[..] else { return None };
    Some(ZfsPool {
        name: plain::clip(name)?,
        state: plain::clip(state)?,
        size_bytes: bytes(size),
        used_bytes: bytes(used),
        free_bytes: bytes(free),
        fragmentation_percent: ratio(fragmentation).filter(|percent| *percent <= 100.0),
        capacity_percent: ratio(capacity).filter(|percent| *percent <= 100.0),
        dedup_ratio: ratio(dedup),
        ..ZfsPool::default()
    })
}

fn dataset(line: &str) -> Option<ZfsDataset> {
    let words: Vec<&str> = line.split('\t').collect();
    let [name, used, available, referenced, mount_point, kind, volume_size, compression] = words[..] else {
        return None;
    };
    Some(ZfsDataset {
        name: plain::clip(name)?,
        kind: plain::clip(kind)?,
        used_bytes: bytes(used),
        available_bytes: bytes(available),
        referenced_bytes: bytes(referenced),
        mount_point: plain::clip(mount_point).filter(|point| point != "none"),
        volume_size_bytes: bytes(volume_size),
        compression_ratio: ratio(compression),
    })
}

fn bytes(word: &str) -> Option<Bytes> {
    word.trim().parse().ok().map(Bytes)
}

fn ratio(word: &str) -> Option<f64> {
    let number: f64 = word.trim().trim_end_matches(['%', 'x']).parse().ok()?;
    Some(number).filter(|number| number.is_finite() && *number >= 0.0)
}

/// What `zpool status` says of one pool: labels at the left, each with lines that go on below it.
fn read_status(block: &str, pool: &mut ZfsPool) {
    for (label, text) in sections(block) {
        match label {
            "status" => pool.status = plain::clip(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
            "scan" => pool.scan = scan(&text),
            "config" => pool.devices = devices(&text, &pool.name),
            "errors" => {
                let first = text.lines().find_map(plain::clip);
                pool.data_errors = first.filter(|words| words != "No known data errors");
            }
            _ => {}
        }
    }
}

fn sections(block: &str) -> Vec<(&str, String)> {
    const LABELS: [&str; 8] = ["state", "status", "action", "see", "scan", "config", "errors", "remove"];
    let mut sections: Vec<(&str, String)> = Vec::new();
    for line in block.lines() {
        let labelled = line.trim_start_matches(' ').split_once(':').filter(|(label, _)| LABELS.contains(label));
        match (labelled, sections.last_mut()) {
            (Some((label, text)), _) if !line.starts_with('\t') => sections.push((label, text.to_owned())),
            (_, Some((_, text))) => {
                text.push('\n');
                text.push_str(line);
            }
            _ => {}
        }
    }
    sections
}

/// `scrub repaired 0B in 00:00:35 with 0 errors on Sun Nov 10 00:24:36 2024` and its siblings, see `print_scan_status`.
fn scan(text: &str) -> Option<ZfsScan> {
    let first = text.lines().find_map(plain::clip)?;
    let kind = match first.split(' ').next()? {
        "scrub" => "scrub",
        "resilver" | "resilvered" => "resilver",
        _ => return None,
    };
    let running = first.contains("in progress");
    let date = first.split_once(if running { "since " } else { " on " }).map(|(_, date)| date);
    let errors = first.split_once(" with ").and_then(|(_, rest)| rest.split_once(" errors")?.0.parse().ok());
    let done = text.split_once("% done").and_then(|(before, _)| before.rsplit([' ', ',']).next()?.parse().ok());
    Some(ZfsScan {
        kind: kind.to_owned(),
        running,
        cancelled: first.contains("canceled"),
        at: date.and_then(time),
        errors,
        progress_percent: done.filter(|percent: &f64| running && (0.0..=100.0).contains(percent)),
    })
}

/// What `ctime` writes, in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let words = text.split_whitespace().skip(1).take(4).collect::<Vec<_>>().join(" ");
    let at: civil::DateTime = strtime::parse("%b %d %H:%M:%S %Y", &words).ok()?.to_datetime().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The table of devices: a tab, two blanks for each step down, then name, state and three counts.
fn devices(text: &str, pool: &str) -> Vec<ZfsDevice> {
    let mut devices = Vec::new();
    let mut role = None;
    for line in text.lines().filter_map(|line| line.strip_prefix('\t')).take(LIMIT + 2) {
        let name_at = line.len() - line.trim_start_matches(' ').len();
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, state) = match words[..] {
            [name] => (name, ""),
            [name, state, ..] => (name, state),
            [] => continue,
        };
        match (name_at, state) {
            (0, "STATE") => {}
            (0, _) if name == pool => role = None,
            (0, _) => role = plain::clip(name),
            _ => {
                let count = |index: usize| words.get(index).and_then(|word| counted(word));
                let numbers = (2..5).take_while(|index| count(*index).is_some()).count();
                devices.push(ZfsDevice {
                    name: plain::clip(name).unwrap_or_default(),
                    depth: u32::try_from(name_at / 2).unwrap_or(u32::MAX),
                    role: role.clone(),
                    state: plain::clip(state).unwrap_or_default(),
                    read_errors: count(2).filter(|_| numbers == 3),
                    write_errors: count(3).filter(|_| numbers == 3),
                    checksum_errors: count(4).filter(|_| numbers == 3),
                    note: words.get(if numbers == 3 { 5 } else { 2 }..).and_then(|rest| plain::clip(&rest.join(" "))),
                });
            }
        }
    }
    devices
}

/// `12`; `1.20K` where `zpool` is older than 0.8.
fn counted(word: &str) -> Option<u64> {
    if let Ok(count) = word.parse() {
        return Some(count);
    }
    let (number, factor) = match word.char_indices().last()? {
        (at, 'K') => (&word[..at], 1e3),
        (at, 'M') => (&word[..at], 1e6),
        (at, 'G') => (&word[..at], 1e9),
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    (0.0..1e6).contains(&number).then_some((number * factor) as u64)
}
