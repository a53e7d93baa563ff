//! What is installed, what could be newer and what is held.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Answers,
    words::{clip, natural, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        updates::{PACKAGES_LIMIT, PackageManager, PendingPackage, Updates},
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
        PackageManager::Apt => lines("pending").iter().filter_map(|line| apt(line)).collect(),
        PackageManager::Dnf => dnf(lines("pending"), lines("security"), lines("rpm")),
        PackageManager::Zypper => zypper(lines("pending")),
        PackageManager::Pacman => lines("pending").iter().filter_map(|line| pacman(line)).collect(),
        PackageManager::Apk => lines("pending").iter().filter_map(|line| apk(line)).collect::<Vec<_>>(),
    };
    if manager == PackageManager::Dnf {
        let count =
            lines("rpm").iter().flat_map(|line| line.split(';')).filter(|entry| is_package(entry)).count() as u64;
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
        PackageManager::Zypper if has_advisories => Some(needed_patches(lines("security"))),
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

fn held(manager: PackageManager, held: &[&str], pending: &[&str]) -> Vec<String> {
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

/// `Inst zip [3.0-13] (3.0-13+deb12u1 Debian-Security:12/oldstable-security [amd64]) []`; a new package has no `[3.0-13]`.
fn apt(line: &str) -> Option<PendingPackage> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (before, rest) = rest.split_once('(')?;
    let (to, origins) = rest.split_once(')')?.0.split_once(' ').unwrap_or((rest.split(')').next()?, ""));
    let from = before.trim().strip_prefix('[').and_then(|from| clip(from.trim_end_matches(']')));
    // The last word is the architecture.
    let origin = origins.rsplit_once('[').map_or(origins, |(origin, _)| origin);
    let security =
        origin.split(", ").any(|origin| origin.contains("-Security:") || origin.trim().ends_with("-security"));
    Some(PendingPackage { name: clip(name)?, from, to: clip(to)?, origin: clip(origin), security: Some(security) })
}

/// `openssl-libs.x86_64   1:3.2.2-3.fc40   updates`, long names on a line of their own, until `Obsoleting Packages`.
fn dnf(pending: &[&str], security: &[&str], rpm: &[&str]) -> Vec<PendingPackage> {
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
fn is_package(entry: &str) -> bool {
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

/// `<update kind="package" name="curl" edition="8.21.0-1.1" arch="x86_64" edition-old="8.20.0-1.1">`, each followed by
/// `<source url="..." alias="repo-oss"/>`.
fn zypper(lines: &[&str]) -> Vec<PendingPackage> {
    let mut packages: Vec<PendingPackage> = Vec::new();
    let mut is_open = false;
    for line in lines {
        if line.starts_with("<update ") {
            let package = (attribute(line, "kind").as_deref() == Some("package")).then(|| {
                let from = attribute(line, "edition-old");
                Some(PendingPackage {
                    name: attribute(line, "name")?,
                    from,
                    to: attribute(line, "edition")?,
                    ..PendingPackage::default()
                })
            });
            is_open = matches!(package, Some(Some(_)));
            packages.extend(package.flatten());
        } else if line.starts_with("<source ")
            && let Some(package) = packages.last_mut().filter(|_| is_open)
        {
            package.origin = attribute(line, "alias");
            is_open = false;
        }
    }
    packages
}

fn needed_patches(lines: &[&str]) -> u64 {
    let needed = lines.iter().filter(|line| attribute(line, "status").is_none_or(|status| status == "needed"));
    needed.filter(|line| attribute(line, "kind").as_deref() == Some("patch")).count() as u64
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split_once('"')?.0;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    clip(&entities.iter().fold(value.to_owned(), |value, (entity, letter)| value.replace(entity, letter)))
}

/// `linux 6.10.9.arch1-1 -> 6.10.10.arch1-1`; one that is `[ignored]` is held, not pending.
fn pacman(line: &str) -> Option<PendingPackage> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, from, "->", to] = words[..] else { return None };
    Some(PendingPackage { name: clip(name)?, from: clip(from), to: clip(to)?, ..PendingPackage::default() })
}

/// `busybox-1.36.1-r29 x86_64 {busybox} (GPL-2.0-only) [upgradable from: busybox-1.36.1-r28]`
fn apk(line: &str) -> Option<PendingPackage> {
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
