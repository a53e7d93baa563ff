//! Collector of [`Disks`].
//!
//! | part | asks | gives |
//! |---|---|---|
//! | `block` | `lsblk`, else `/sys/block` | disks, partitions and what lies on them |
//! | `smart` | `smartctl` for each disk it finds; one that sleeps is left asleep | what disks say of themselves |
//! | `lvm` | `vgs`, `pvs`, `lvs` | volume groups |
//! | `md` | `/proc/mdstat`, `/sys/block/md*/md` | software RAID |
//! | `zfs` | `zpool`, `zfs` | pools and datasets |
//! | `btrfs` | `/sys/fs/btrfs`, `btrfs` | file systems of several disks |
//! | `mounts` | `/proc/self/mounts`, `/proc/swaps` | network mounts, swap |
//!
//! A tool that is missing is worth a note only where there is something that it could have told of.

mod block;
mod btrfs;
mod lvm;
mod md;
mod mounts;
pub(super) mod plain;
mod smart;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests;
mod zfs;

use super::{Answers, Question};
use crate::model::{
    Unseen,
    facts::{Read, disks::Disks},
};

/// What is asked.
pub fn questions() -> Vec<Question> {
    vec![
        block::question(),
        smart::question(),
        lvm::question(),
        md::question(),
        zfs::question(),
        btrfs::question(),
        mounts::question(),
    ]
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Disks> {
    let mut unseen = Vec::new();
    let devices = block::parse(answers, &mut unseen);
    let holds = |fs_type: &str| devices.iter().any(|device| device.fs_type.as_deref() == Some(fs_type));
    let smart = smart::parse(answers, &devices, &mut unseen);
    let volume_groups = lvm::parse(answers, holds("LVM2_member"), &mut unseen);
    let md_arrays = md::parse(answers, &mut unseen);
    let (zfs_pools, zfs_datasets) = zfs::parse(answers, holds("zfs_member"), &mut unseen);
    let btrfs = btrfs::parse(answers, holds("btrfs"), &mut unseen);
    let (network_mounts, swaps) = mounts::parse(answers, &mut unseen);
    let facts =
        Disks { devices, smart, volume_groups, md_arrays, zfs_pools, zfs_datasets, btrfs, network_mounts, swaps };
    Read { facts, unseen }
}

/// Notes that `what` was not seen, unless there is no sign of it on this host: a tool that is missing is then no loss.
fn note(answers: &Answers, name: &str, what: &str, expected: bool, unseen: &mut Vec<Unseen>) {
    let cut_short = answers.get(name).is_none_or(|answer| answer.status.is_none() || answer.status == Some(124));
    match (answers.said(name, what), answers.get(name)) {
        (Err(note), _) if expected || cut_short => unseen.push(note),
        (Ok(_), Some(answer)) if cut_short => unseen.push(Unseen::new(what, answer.why(answers.root))),
        _ => {}
    }
}

/// Cuts a list to what is bearable, with a note.
fn bound<T>(list: &mut Vec<T>, limit: usize, what: &str, unseen: &mut Vec<Unseen>) {
    if list.len() > limit {
        unseen.push(Unseen::new(what, format!("only the first {limit} are kept")));
        list.truncate(limit);
    }
}
