//! Whether a restart is due, and why.
//!
//! - Debian, Ubuntu: `/run/reboot-required`, with the packages in `/run/reboot-required.pkgs`.
//! - openSUSE, SLES: `/run/reboot-needed`, which `zypper needs-rebooting` looks at.
//! - Fedora, RHEL: whether one of the packages that `dnf needs-restarting -r` looks at was installed after the boot.
//! - All: a newer kernel of the same kind is installed, or the modules of the one that runs are gone.

use super::super::{
    Answers,
    words::{clip, natural, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        system::{Reboot, System},
    },
};

/// What a note about it is called.
pub(super) const WHAT: &str = "whether a restart is due";

/// The most packages that are named.
const PACKAGES_LIMIT: usize = 100;

/// Files whose being there says something, kernels, and when the packages that dnf looks at were installed (the list is
/// `NEED_REBOOT` of its plug-in `needs-restarting`).
pub(in crate::collect::linux) const QUESTION: &str = "grep -Hs . /proc/sys/kernel/osrelease /run/reboot-required.pkgs /etc/kernel/proxmox-boot-pin; \
    grep -Hs -m 1 ^btime /proc/stat; \
    for f in /run/reboot-required /run/reboot-needed /.dockerenv /run/.containerenv /run/systemd/container /dev/lxc /lib/modules/* /lib/modules/*/vmlinuz /boot/vmlinuz-*; \
    do if [ -e $f ]; then echo has:$f; fi; done; \
    if [ -d /etc/dnf ] || [ -d /etc/yum.repos.d ]; then echo rpm:yes; \
    $T5 rpm -q --qf \"@%{INSTALLTIME} %{NAME};\" kernel kernel-core kernel-rt glibc linux-firmware systemd dbus dbus-broker dbus-daemon microcode_ctl; fi; exit 0";

pub(in crate::collect::linux) fn parse(answers: &Answers, read: &mut Read<System>) {
    let text = match answers.said("system-reboot", WHAT) {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let has: Vec<&str> = values(text, "has").map(str::trim).collect();
    let mut reboot =
        Reboot { kernel_running: values(text, "/proc/sys/kernel/osrelease").find_map(clip), ..Reboot::default() };
    if has.contains(&"/run/reboot-required") {
        let mut packages: Vec<String> = values(text, "/run/reboot-required.pkgs").filter_map(clip).collect();
        packages.sort();
        packages.dedup();
        packages.truncate(PACKAGES_LIMIT);
        reboot.reasons.push(because("updated packages ask for it", &packages));
        reboot.packages = packages;
    }
    if has.contains(&"/run/reboot-needed") {
        reboot.reasons.push("updated packages ask for it".into());
    }
    let newer = newer_packages(text);
    if !newer.is_empty() {
        reboot.reasons.push(because("installed since the last boot", &newer));
        reboot.packages.extend(newer);
    }
    if reboot.kernel_running.is_none() {
        read.unseen.push(Unseen::new(WHAT, "the running kernel could not be read"));
    }
    kernels(text, &has, &mut reboot);
    reboot.needed = !reboot.reasons.is_empty();
    read.facts.reboot = Some(reboot);
}

fn because(why: &str, packages: &[String]) -> String {
    match packages {
        [] => why.to_owned(),
        few if few.len() <= 3 => format!("{why}: {}", few.join(", ")),
        many => format!("{why}: {} and {} more", many[..3].join(", "), many.len() - 3),
    }
}

/// Packages that were installed after the kernel started.
fn newer_packages(text: &str) -> Vec<String> {
    let booted: Option<i64> =
        values(text, "/proc/stat").find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    let Some(booted) = booted else { return Vec::new() };
    // `@1795642177 glibc;`, one after the other, with `package dbus is not installed` between.
    let mut newer: Vec<String> = text
        .split('@')
        .skip(1)
        .filter_map(|entry| entry.split_once(';')?.0.split_once(' '))
        .filter(|(installed, _)| installed.parse::<i64>().is_ok_and(|installed| installed > booted))
        .filter_map(|(_, name)| clip(name))
        .take(PACKAGES_LIMIT)
        .collect();
    newer.sort();
    newer.dedup();
    newer
}

/// What the kernels on the disk say about the one that runs.
fn kernels(text: &str, has: &[&str], reboot: &mut Reboot) {
    let contained = has.iter().any(|path| path.ends_with("env") || path.ends_with("/container") || *path == "/dev/lxc");
    let Some(running) = reboot.kernel_running.clone().filter(|_| !contained) else { return };
    let modules: Vec<&str> = has.iter().filter_map(|path| path.strip_prefix("/lib/modules/")).collect();
    let images = has.iter().filter_map(|path| path.strip_prefix("/boot/vmlinuz-"));
    let with_image = modules.iter().filter_map(|path| path.strip_suffix("/vmlinuz"));
    let versions = || modules.iter().filter(|path| !path.contains('/')).copied();
    let installed = images.chain(with_image).filter(|version| is_version(version));
    let mut installed: Vec<&str> = installed.filter(|version| kind(version) == kind(&running)).collect();
    installed.sort_by_key(|version| natural(version));
    reboot.kernel_installed = installed.last().and_then(|version| clip(version));
    // One that is pinned is meant to stay.
    let pinned = values(text, "/etc/kernel/proxmox-boot-pin").next().is_some();
    match &reboot.kernel_installed {
        Some(newest) if !pinned && natural(newest) > natural(&running) => {
            reboot.reasons.push(format!("kernel {newest} is installed, {running} runs"));
        }
        _ if versions().next().is_some() && !versions().any(|version| version == running) => {
            reboot.reasons.push(format!("the modules of the running kernel {running} are gone"));
        }
        _ => {}
    }
}

/// `6.1.0-27-amd64` and not `lts` or `0-rescue-...`.
fn is_version(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit()) && !name.starts_with("0-rescue")
}

/// Kernels of one kind differ by numbers alone: `amd64`, `pve`, `rpi-v8`, `fc.x`.
fn kind(version: &str) -> Vec<&str> {
    version.split(|c: char| c.is_ascii_digit() || ".-+_~".contains(c)).filter(|word| !word.is_empty()).collect()
}
