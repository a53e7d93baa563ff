//! Alpine: apk.

use super::super::inventory::words::clip;
use crate::model::facts::updates::PendingPackage;

pub(super) const SHELL: &str = include_str!("apk.sh");

/// `busybox-1.36.1-r29 x86_64 {busybox} (GPL-2.0-only) [upgradable from: busybox-1.36.1-r28]`
pub(in crate::collect::linux) fn pending(line: &str) -> Option<PendingPackage> {
    let from = line.split_once("[upgradable from: ")?.1.split(']').next()?;
    let (name, to) = apk_version(line.split_whitespace().next()?)?;
    let from = apk_version(from.trim()).and_then(|(_, from)| clip(from));
    Some(PendingPackage { name: clip(name)?, from, to: clip(to)?, ..PendingPackage::default() })
}

/// `ca-certificates-bundle` and `20240705-r0`: the version is what stands before the last dash, and the release.
fn apk_version(package: &str) -> Option<(&str, &str)> {
    let (rest, _release) = package.rsplit_once("-r")?;
    let at = rest.rfind('-')?;
    Some((&package[..at], &package[at + 1..]))
}
