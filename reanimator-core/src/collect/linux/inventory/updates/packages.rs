//! What is installed, what could be newer and what is held.

use std::collections::BTreeMap;

use super::super::super::packages::{apk, apt, dnf, pacman, zypper};
use super::super::{
    Answers,
    words::{clip, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        updates::{PACKAGES_LIMIT, PackageManager, Updates},
    },
};

/// The most packages that are named as held.
const HELD_LIMIT: usize = 200;

/// The first line names the package manager; lines with `@` part the commands, with the exit status of the one before.
pub(super) const QUESTION: &str = "if [ -s /var/lib/dpkg/status ] && command -v apt-get >/dev/null 2>&1; then echo manager:apt; \
    echo installed:$(grep -cE \"^Status: [a-z]+ ok installed\" /var/lib/dpkg/status); echo @held; dpkg --get-selections | grep \"hold$\"; echo @pending; \
    o=$($T20 apt-get -s -q -o Debug::NoLocking=1 dist-upgrade); r=$?; echo \"$o\" | grep ^Inst; echo @status $r; \
    elif command -v zypper >/dev/null 2>&1; then echo manager:zypper; echo installed:$(rpm -qa | wc -l); echo @held; grep -s ^solvable_name /etc/zypp/locks; \
    if ls /var/cache/zypp/raw/*/repodata/*updateinfo* >/dev/null 2>&1; then echo @advisories; fi; echo @pending; \
    o=$($T20 zypper --non-interactive --no-refresh --quiet --xmlout list-updates); r=$?; echo \"$o\" | grep -oE \"<(update|source) [^>]*>\"; \
    p=$($T20 zypper --non-interactive --no-refresh --quiet --xmlout list-patches --category security) || echo @nosecurity; echo @security; echo \"$p\" | grep -oE \"<update [^>]*>\"; echo @status $r; \
    elif command -v pacman >/dev/null 2>&1 && [ -d /var/lib/pacman/local ]; then echo manager:pacman; echo installed:$(pacman -Qq | wc -l); echo @pending; \
    $T20 pacman -Qu; r=$?; echo @status $r; \
    elif command -v apk >/dev/null 2>&1; then echo manager:apk; echo installed:$(grep -c ^P: /lib/apk/db/installed); echo @held; grep -s = /etc/apk/world; echo @pending; \
    $T20 apk list --no-network --upgradable; echo @status $?; \
    elif command -v dnf >/dev/null 2>&1 || command -v yum >/dev/null 2>&1; then echo manager:dnf; d=dnf; s=\"--updates --security\"; command -v dnf >/dev/null 2>&1 || { d=yum; s=security; }; \
    if ls /var/cache/dnf/*/repodata/*updateinfo* /var/cache/libdnf5/*/repodata/*updateinfo* /var/cache/yum/*/*/*/*updateinfo* 2>/dev/null | grep -q .; then echo @advisories; fi; \
    echo @held; grep -hsE \"^[^#]\" /etc/dnf/plugins/versionlock.list; echo @pending; $T20 $d -q -C check-update; r=$?; p=$($T20 $d -q -C updateinfo list $s) || echo @nosecurity; echo @security; echo \"$p\"; echo @rpm; \
    rpm -qa --qf \"%{NAME}.%{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE};\"; echo; echo @status $r; \
    else echo manager:none; fi; exit 0";

pub(super) fn parse(answers: &Answers, read: &mut Read<Updates>) {
    const WHAT: &str = "pending updates";
    let text = match answers.said("updates-packages", WHAT) {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let named = values(text, "manager").next().map(str::trim).unwrap_or_default();
    let Some(manager) = PackageManager::ALL.into_iter().find(|manager| manager.as_str() == named) else {
        return read.unseen.push(Unseen::new(WHAT, "no package manager that we know of was found"));
    };
    let facts = &mut read.facts;
    facts.manager = Some(manager);
    facts.installed = values(text, "installed").find_map(|count| count.trim().parse().ok()).filter(|count| *count > 0);
    let parts = parts(text);
    let lines = |part: &str| parts.get(part).map_or(&[][..], Vec::as_slice);
    facts.held = held(manager, lines("held"), lines("pending"));
    // dnf leaves with 100 where there is something to upgrade, `pacman -Qu` with 1 where there is nothing.
    let done: &[&str] = match manager {
        PackageManager::Dnf => &["0", "100"],
        PackageManager::Pacman => &["0", "1"],
        PackageManager::Apt | PackageManager::Zypper | PackageManager::Apk => &["0"],
    };
    let status = text.lines().rev().find_map(|line| line.strip_prefix("@status "));
    if !status.is_some_and(|status| done.contains(&status.trim())) {
        let why = answers.get("updates-packages").map(|answer| answer.why(answers.root)).unwrap_or_default();
        let why = match status {
            Some("124") => "no answer in time".to_owned(),
            Some(status) if why == "nothing was answered" => format!("{named} left with exit status {status}"),
            _ => why,
        };
        return read.unseen.push(Unseen::new(WHAT, why));
    }
    let mut packages = match manager {
        PackageManager::Apt => lines("pending").iter().filter_map(|line| apt::pending(line)).collect(),
        PackageManager::Dnf => dnf::pending(lines("pending"), lines("security"), lines("rpm")),
        PackageManager::Zypper => zypper::pending(lines("pending")),
        PackageManager::Pacman => lines("pending").iter().filter_map(|line| pacman::pending(line)).collect(),
        PackageManager::Apk => lines("pending").iter().filter_map(|line| apk::pending(line)).collect::<Vec<_>>(),
    };
    if manager == PackageManager::Dnf {
        let count =
            lines("rpm").iter().flat_map(|line| line.split(';')).filter(|entry| dnf::is_package(entry)).count() as u64;
        facts.installed = Some(count).filter(|count| *count > 0);
    }
    packages.sort_by(|a, b| (&a.name, &a.to).cmp(&(&b.name, &b.to)));
    facts.pending = Some(packages.len() as u64);
    let has_advisories = parts.contains_key("advisories") && !parts.contains_key("nosecurity");
    facts.security = match manager {
        PackageManager::Apt => Some(packages.iter().filter(|package| package.security == Some(true)).count() as u64),
        PackageManager::Dnf if has_advisories => {
            Some(packages.iter().filter(|package| package.security == Some(true)).count() as u64)
        }
        PackageManager::Zypper if has_advisories => Some(zypper::needed_patches(lines("security"))),
        PackageManager::Dnf | PackageManager::Zypper | PackageManager::Pacman | PackageManager::Apk => None,
    };
    if facts.security.is_none() {
        packages.iter_mut().for_each(|package| package.security = None);
        read.unseen.push(Unseen::new("security updates", "the repositories there do not tell them apart"));
    }
    packages.truncate(PACKAGES_LIMIT);
    read.facts.packages = packages;
}

/// The lines after each `@name`.
fn parts(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        // Packages of rpm follow on one line; nothing else of ours starts so.
        match line.strip_prefix('@') {
            Some(name) if ["held", "pending", "security", "nosecurity", "rpm", "advisories"].contains(&name.trim()) => {
                current = name.trim();
                parts.entry(current).or_default();
            }
            _ => parts.entry(current).or_default().push(line),
        }
    }
    parts
}

pub(in crate::collect::linux) fn held(manager: PackageManager, held: &[&str], pending: &[&str]) -> Vec<String> {
    let names: Vec<Option<&str>> = match manager {
        // `linux-image-amd64   hold`
        PackageManager::Apt => held.iter().map(|line| line.trim_end().strip_suffix("hold")).collect(),
        // `solvable_name: bash`
        PackageManager::Zypper => held.iter().map(|line| Some(line.split_once(':')?.1)).collect(),
        // `linux 6.1-1 -> 6.2-1 [ignored]`
        PackageManager::Pacman => {
            let ignored = pending.iter().filter(|line| line.trim_end().ends_with("[ignored]"));
            ignored.map(|line| line.split_whitespace().next()).collect()
        }
        // `nginx=1.24.0-r0`
        PackageManager::Apk => held.iter().map(|line| line.split('=').next()).collect(),
        PackageManager::Dnf => held.iter().map(|line| Some(*line)).collect(),
    };
    let mut names: Vec<String> = names.into_iter().flatten().filter_map(clip).take(HELD_LIMIT).collect();
    names.sort();
    names.dedup();
    names
}
