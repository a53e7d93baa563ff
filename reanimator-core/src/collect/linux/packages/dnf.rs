//! Fedora, RHEL and its kin: dnf, also yum.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::inventory::words::{clip, natural},
    sections::Sections,
};
use crate::model::facts::updates::PendingPackage;

pub(super) const SHELL: &str = include_str!("dnf.sh");

/// `openssl-libs.x86_64   1:3.2.2-3.fc40   updates`, long names on a line of their own, until `Obsoleting Packages`.
pub(in crate::collect::linux) fn pending(pending: &[&str], security: &[&str], rpm: &[&str]) -> Vec<PendingPackage> {
    let mut installed: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in rpm.iter().flat_map(|line| line.split(';')).filter(|entry| is_package(entry)) {
        if let Some((name, version)) = entry.split_once(' ') {
            let version = version.strip_prefix("0:").unwrap_or(version);
            // Of a package that is there several times, as kernels are, the newest.
            let known = installed.entry(name).or_insert(version);
            if natural(version) > natural(known) {
                *known = version;
            }
        }
    }
    let security: BTreeSet<String> = security.iter().filter_map(|line| advisory(line)).collect();
    let lines = pending.iter().take_while(|line| !line.starts_with("Obsoleting "));
    let mut words: Vec<&str> = Vec::new();
    let mut packages = Vec::new();
    for line in lines {
        if !line.starts_with(' ') {
            words.clear();
        }
        words.extend(line.split_whitespace());
        let &[key, to, origin] = &words[..] else { continue };
        words.clear();
        let Some((name, _)) = key.rsplit_once('.').filter(|_| to.starts_with(|c: char| c.is_ascii_digit())) else {
            continue;
        };
        let (Some(name), Some(to)) = (clip(name), clip(to)) else { continue };
        let from = installed.get(key).and_then(|from| clip(from));
        packages.push(PendingPackage { name, from, to, origin: clip(origin), security: Some(security.contains(key)) });
    }
    packages
}

/// Keys of rpm have no architecture.
pub(in crate::collect::linux) fn is_package(entry: &str) -> bool {
    entry.contains(' ') && !entry.starts_with('@') && !entry.contains(".(none) ")
}

/// The `name.arch` of a security advisory: `RHSA-2023:1141 Moderate/Sec.  gnutls-3.7.6-18.el9_1.x86_64` from dnf 4,
/// `FEDORA-2024-1a2b3c4d5e security Important kernel-6.10.10-200.fc40.x86_64 2024-09-14 01:30:11` from dnf 5.
fn advisory(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let package = match words[..] {
        [_, kind, package] if kind.ends_with("/Sec.") => package,
        [_, "security", _, package, ..] => package,
        _ => return None,
    };
    let (rest, arch) = package.rsplit_once('.')?;
    let (rest, _release) = rest.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some(format!("{name}.{arch}"))
}

/// What must be fetched, and what an upgrade takes beyond that. dnf 4: `Total download size: 12 M`; dnf 5: `Total size of
/// inbound packages is 5 MiB. Need to download 3 MiB.`, `After this operation, 6 MiB extra will be used (...)`.
pub(super) fn sizes(sections: &Sections<'_>) -> (Option<u64>, Option<u64>) {
    let lines = sections.lines("sizes");
    let after = |mark: &str| lines.iter().find_map(|line| size(line.split_once(mark)?.1));
    // Where all of it is there already, only its size is told.
    let there = || lines.iter().any(|line| line.starts_with("Total size: ")).then_some(0);
    let fetch = after("Need to download ").or_else(|| after("Total download size: ")).or_else(there);
    let freed = lines.iter().any(|line| line.contains("will be freed"));
    let grow = after("After this operation, ").map(|bytes| if freed { 0 } else { bytes });
    (fetch, grow)
}

/// `12 M`, `3.4 MiB`, in steps of 1024.
pub(super) fn size(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    let number: f64 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next().and_then(|unit| unit.chars().next()).unwrap_or('B').to_ascii_lowercase() {
        'k' => 1024.0,
        'm' => 1024.0 * 1024.0,
        'g' => 1024.0 * 1024.0 * 1024.0,
        't' => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    let bytes = number * unit;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative, and saturates")]
    (bytes >= 0.0).then_some(bytes as u64)
}
