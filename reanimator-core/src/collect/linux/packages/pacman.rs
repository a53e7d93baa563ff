//! Arch: pacman.

use super::{super::inventory::words::clip, sections::Sections};
use crate::model::facts::updates::PendingPackage;

pub(super) const SHELL: &str = include_str!("pacman.sh");

/// `linux 6.10.9.arch1-1 -> 6.10.10.arch1-1`; one that is `[ignored]` is held, not pending.
pub(in crate::collect::linux) fn pending(line: &str) -> Option<PendingPackage> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, from, "->", to] = words[..] else { return None };
    Some(PendingPackage { name: clip(name)?, from: clip(from), to: clip(to)?, ..PendingPackage::default() })
}

/// What must be fetched: one number for each package.
pub(super) fn sizes(sections: &Sections<'_>) -> (Option<u64>, Option<u64>) {
    let numbers: Vec<u64> = sections.lines("sizes").iter().filter_map(|line| line.trim().parse().ok()).collect();
    let sum = numbers.iter().fold(0_u64, |sum, number| sum.saturating_add(*number));
    ((!numbers.is_empty()).then_some(sum), None)
}
