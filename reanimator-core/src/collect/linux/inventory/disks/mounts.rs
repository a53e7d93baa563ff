//! Network mounts and swap, by what the kernel lists: nothing here asks a server that may be gone.

use super::{Answers, Question, bound, plain};
use crate::{
    collect::linux::file_systems,
    model::{
        Unseen,
        facts::disks::{NetworkMount, Swap},
        units::Bytes,
    },
};

const NAME: &str = "disks.mounts";

/// The most mounts, and the most swap areas, that are kept.
const LIMIT: usize = 256;

pub(super) fn question() -> Question {
    Question::new(NAME, "cat /proc/self/mounts; echo @swaps; cat /proc/swaps 2>/dev/null; true")
}

pub(super) fn parse(answers: &Answers, unseen: &mut Vec<Unseen>) -> (Vec<NetworkMount>, Vec<Swap>) {
    let text = match answers.said(NAME, "mounts and swap") {
        Ok(text) => text,
        Err(note) => {
            unseen.push(note);
            return Default::default();
        }
    };
    let (mounts, swaps) = text.split_once("@swaps").unwrap_or((text, ""));
    let mut mounts: Vec<NetworkMount> = mounts.lines().filter_map(mount).collect();
    let mut swaps: Vec<Swap> = swaps.lines().filter_map(swap).collect();
    bound(&mut mounts, LIMIT, "network mounts", unseen);
    bound(&mut swaps, LIMIT, "swap areas", unseen);
    (mounts, swaps)
}

/// Options may hold the name of a user and more; only the version and `ro` are taken.
fn mount(line: &str) -> Option<NetworkMount> {
    let words: Vec<&str> = line.split(' ').collect();
    let [source, mount_point, fs_type, options, ..] = words[..] else { return None };
    if !file_systems::NETWORK.contains(&fs_type) {
        return None;
    }
    let version = options.split(',').find_map(|option| option.strip_prefix("vers="));
    Some(NetworkMount {
        source: plain::clip(&file_systems::unescape(source))?,
        mount_point: plain::clip(&file_systems::unescape(mount_point))?,
        fs_type: fs_type.to_owned(),
        version: version.and_then(plain::clip),
        read_only: options.split(',').any(|option| option == "ro"),
    })
}

/// `/dev/dm-0 partition 8388604 0 -2`, in KiB.
fn swap(line: &str) -> Option<Swap> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [path, kind, size, used, priority] = words[..] else { return None };
    let kib = |word: &str| word.parse().ok().map(Bytes::from_kib);
    Some(Swap {
        path: plain::clip(&file_systems::unescape(path)).filter(|path| path.starts_with('/'))?,
        kind: plain::clip(kind)?,
        size_bytes: kib(size),
        used_bytes: kib(used),
        priority: priority.parse().ok(),
    })
}
