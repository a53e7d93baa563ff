//! What an upgrade changed.

use std::collections::BTreeMap;

use super::{super::inventory::words::clip, sections::Sections};
use crate::{
    Error, ErrorKind, Result,
    model::{
        PackageChange,
        facts::{system::Reboot, updates::PackageManager},
    },
};

/// The most files that are named.
const FILES_LIMIT: usize = 500;

/// What is not as it was before an upgrade began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What installed it.
    pub manager: PackageManager,
    /// Packages that changed, sorted by name; security is not told here. None where the machine knows nothing of the run.
    pub packages: Option<Vec<PackageChange>>,
    /// Configuration files that were laid beside those that somebody had changed.
    pub kept_files: Vec<String>,
    /// Why a restart is due; empty where none is.
    pub reboot_reasons: Vec<String>,
    /// Services that still use libraries which were replaced.
    pub services: Vec<String>,
}

/// Reads what the script of [`report_script`](super::report_script) said.
///
/// # Errors
/// `Protocol` for an answer that stops half-way.
pub fn report(text: &str) -> Result<Changed> {
    let sections = Sections::of(text);
    let manager = sections.manager().filter(|_| sections.has("end") || sections.has("none"));
    let manager = manager.ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "see what an upgrade changed").because("the answer stops half-way")
    })?;
    let Reboot { reasons, .. } = sections.reboot();
    let changed = || changed(manager, &sections.lines("before"), &sections.lines("after"));
    Ok(Changed {
        manager,
        packages: (!sections.has("none")).then(changed),
        kept_files: sections.lines("kept").into_iter().filter_map(clip).take(FILES_LIMIT).collect(),
        reboot_reasons: reasons,
        services: sections.lines("services").into_iter().filter_map(clip).collect(),
    })
}

/// Pairs what is not there any more with what was not there before, by name. Of a package that may be there several times,
/// as a kernel, one that came is new.
fn changed(manager: PackageManager, before: &[&str], after: &[&str]) -> Vec<PackageChange> {
    let mut packages: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for line in before {
        if let Some((name, version)) = package(manager, line) {
            packages.entry(name).or_default().0.push(version);
        }
    }
    for line in after {
        if let Some((name, version)) = package(manager, line) {
            packages.entry(name).or_default().1.push(version);
        }
    }
    let pairs = packages.into_iter().flat_map(|(name, (from, to))| {
        let count = from.len().max(to.len());
        (0..count).map(move |at| PackageChange {
            name: name.clone(),
            from: from.get(at).cloned(),
            to: to.get(at).cloned(),
            security: None,
        })
    });
    pairs.collect()
}

/// `openssl 3.0.15-1`; names of rpm end in the architecture, which what is pending does not name.
fn package(manager: PackageManager, line: &str) -> Option<(String, String)> {
    let (name, version) = line.split_once(' ')?;
    let name = match manager {
        PackageManager::Dnf | PackageManager::Zypper => name.rsplit_once('.').map_or(name, |(name, _)| name),
        PackageManager::Apt | PackageManager::Pacman | PackageManager::Apk => name,
    };
    Some((clip(name)?, clip(version)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_by_what_they_were_and_are() {
        let text = "@@manager\napt\n@@before\nalpha 1.0\ngone 2\n@@after\nalpha 1.1\nnew 3\n@@kept\n/etc/a.conf.dpkg-dist\n\
                    @@reboot\nhas:/run/reboot-required\n/run/reboot-required.pkgs:alpha\n@@services\n@@end\n";
        let changed = report(text).unwrap();
        let words: Vec<String> = changed.packages.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(words, ["alpha 1.0 -> 1.1", "gone 2 removed", "new 3 added"]);
        assert_eq!(changed.kept_files, ["/etc/a.conf.dpkg-dist"]);
        assert_eq!(changed.reboot_reasons, ["updated packages ask for it: alpha"]);
    }

    #[test]
    fn a_kernel_beside_another_is_added_and_names_lose_their_architecture() {
        let text =
            "@@manager\ndnf\n@@before\nbash.x86_64 5.1-1\n@@after\nbash.x86_64 5.1-2\nkernel.x86_64 6.2-1\n@@end";
        let words: Vec<String> = report(text).unwrap().packages.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(words, ["bash 5.1-1 -> 5.1-2", "kernel 6.2-1 added"]);
    }

    #[test]
    fn half_an_answer_is_none() {
        assert_eq!(report("@@manager\napt\n@@before\n").unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(report("@@manager\napt\n@@none\n").unwrap().packages, None);
    }
}
