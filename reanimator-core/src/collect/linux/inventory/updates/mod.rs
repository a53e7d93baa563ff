//! Collector of [`Updates`].
//!
//! To count what could be upgraded costs a machine a second of its CPU, so it is done when something changed: the first
//! question makes two numbers out of the times and sizes of the package databases, and the dear ones compare them with
//! those of last time before they do anything. They count anew after [`RECOUNT_AFTER`] all the same, and whenever
//! counting failed.
//!
//! Nothing is fetched: the package managers are told to keep to the lists that the machine has.
//!
//! ```
//! use jiff::Timestamp;
//! use reanimator_core::collect::linux::inventory::{Answers, updates};
//! use reanimator_core::model::facts::{Dated, updates::Updates};
//!
//! fn read(answers: &Answers, last: Option<&Dated<Updates>>, now: Timestamp) -> Dated<Updates> {
//!     let mut read = updates::parse(answers);
//!     updates::carry_over(answers, &mut read, last, now);
//!     read.at(now)
//! }
//! ```
//!
//! | file | facts | asks |
//! |---|---|---|
//! | `packages` | what is installed, pending, held | apt-get, dnf, zypper, pacman, apk |
//! | `repositories` | where packages come from | their files in `/etc` |

pub(in crate::collect::linux) mod packages;
mod repositories;

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Answers, Question,
    words::{natural, seconds, values},
};
use crate::model::{
    Unseen,
    facts::{
        Dated, Read,
        updates::{PackageManager, Updates},
    },
};

/// How old a count may get, whatever the databases look like.
pub const RECOUNT_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

/// What stands for an answer that would be the same as last time.
const UNCHANGED: &str = "@unchanged";

/// Two numbers that differ when packages, lists or repositories do.
const STAMP: &str = "stat -c \"%n %Y %s\" /var/lib/dpkg/status /var/lib/apt/lists /var/lib/apt/lists/partial /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/preferences.d /etc/apt/apt.conf.d/* \
    /var/lib/rpm/rpmdb.sqlite /var/lib/rpm/Packages /usr/lib/sysimage/rpm/rpmdb.sqlite /usr/lib/sysimage/rpm/Packages.db /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml /etc/yum.repos.d/* \
    /var/cache/zypp/raw/*/repodata/repomd.xml /etc/zypp/repos.d/* /etc/zypp/locks /var/lib/pacman/local /var/lib/pacman/sync /etc/pacman.conf /lib/apk/db/installed /var/cache/apk /etc/apk/cache /etc/apk/repositories /etc/apk/world 2>/dev/null | cksum";

/// What is asked to count anew.
pub fn questions() -> Vec<Question> {
    gated(None)
}

/// What is asked when `last` is known: the same, told to keep still where nothing changed since.
pub fn questions_after(last: Option<&Updates>, now: Timestamp) -> Vec<Question> {
    gated(last.filter(|last| !is_due(last, now)).and_then(|last| last.stamp.as_deref()))
}

/// Whether packages must be counted whatever the databases look like.
fn is_due(last: &Updates, now: Timestamp) -> bool {
    let age = last.counted_at.and_then(|counted| Duration::try_from(now.duration_since(counted)).ok());
    last.pending.is_none() || age.is_none_or(|age| age > RECOUNT_AFTER)
}

fn gated(stamp: Option<&str>) -> Vec<Question> {
    // It goes back into a script: nothing but two numbers.
    let stamp = stamp.filter(|stamp| is_stamp(stamp));
    let gate = |question: &str| match stamp {
        Some(stamp) => format!("if [ \"$({STAMP})\" = \"{stamp}\" ]; then echo {UNCHANGED}; else {question}; fi"),
        None => question.to_owned(),
    };
    vec![
        Question::new("updates-stamp", STAMP),
        Question::new("updates-repositories", gate(repositories::QUESTION)),
        Question::new("updates-packages", gate(packages::QUESTION)),
    ]
}

fn is_stamp(text: &str) -> bool {
    text.len() < 50 && natural(text).len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

/// Reads the answers. Where nothing changed there is nothing in them: see [`carry_over`].
pub fn parse(answers: &Answers) -> Read<Updates> {
    let mut read = Read::default();
    if is_unchanged(answers) {
        return read;
    }
    read.facts.stamp = Some(answers.text("updates-stamp").trim().to_owned()).filter(|stamp| is_stamp(stamp));
    packages::parse(answers, &mut read);
    repositories::parse(answers, &mut read);
    let text = answers.text("updates-repositories");
    read.facts.refreshed_at = read.facts.manager.and_then(|manager| refreshed_at(text, manager));
    read.facts.automatic = read.facts.manager.and_then(|manager| automatic(text, manager));
    if read.facts.manager.is_some() && read.facts.refreshed_at.is_none() {
        read.unseen.push(Unseen::new("age of the package lists", "there are none, or none that we know of"));
    }
    read
}

/// Whether the machine answered that nothing changed since the last count.
pub fn is_unchanged(answers: &Answers) -> bool {
    answers.text("updates-packages").trim() == UNCHANGED
}

/// Takes the facts of last time where nothing changed; says when they were counted where it did.
pub fn carry_over(answers: &Answers, read: &mut Read<Updates>, last: Option<&Dated<Updates>>, now: Timestamp) {
    if is_unchanged(answers) {
        if let Some(last) = last {
            *read = Read { facts: last.facts.clone(), unseen: last.unseen.clone() };
        }
    } else if read.facts.pending.is_some() {
        read.facts.counted_at = Some(now);
    }
}

/// The newest time of the manager's own lists. apt keeps the time of its files, so that is the time of fetching them;
/// the others give them the server's time, so that of the last change to the file is taken.
fn refreshed_at(text: &str, manager: PackageManager) -> Option<Timestamp> {
    let folders: &[&str] = match manager {
        PackageManager::Apt => &["/var/lib/apt/"],
        PackageManager::Dnf => &["/var/cache/dnf/", "/var/cache/libdnf5/", "/var/cache/yum/"],
        PackageManager::Zypper => &["/var/cache/zypp/"],
        PackageManager::Pacman => &["/var/lib/pacman/"],
        PackageManager::Apk => &["/var/cache/apk/", "/etc/apk/"],
    };
    let times = values(text, "fetched").filter_map(|line| {
        let (written, rest) = line.split_once(' ')?;
        let (changed, path) = rest.split_once(' ')?;
        let time = if manager == PackageManager::Apt { written } else { changed };
        folders.iter().any(|folder| path.starts_with(folder)).then(|| seconds(time))?
    });
    times.max()
}

/// Whether updates are installed unasked, where the distribution has a usual way to.
fn automatic(text: &str, manager: PackageManager) -> Option<bool> {
    let has = |path: &str| values(text, "has").any(|there| there.starts_with(path));
    let setting = |name: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with("@set ") && line.contains(name));
        let value =
            lines.next_back()?.rsplit(['"', '=', ' ']).find(|word| !word.trim_matches([';', ' ']).is_empty())?;
        Some(!["0", "no", "false"].contains(&value.trim_matches([';', ' '])))
    };
    match manager {
        PackageManager::Apt => {
            Some(has("/usr/bin/unattended-upgrade") && setting("APT::Periodic::Unattended-Upgrade").unwrap_or(false))
        }
        PackageManager::Dnf => {
            let timers = "/etc/systemd/system/timers.target.wants/";
            let by_settings =
                has(&format!("{timers}dnf-automatic.timer")) || has(&format!("{timers}dnf5-automatic.timer"));
            let installs = has(&format!("{timers}dnf-automatic-install.timer"));
            Some(installs || (by_settings && setting("apply_updates").unwrap_or(false)))
        }
        PackageManager::Zypper | PackageManager::Pacman | PackageManager::Apk => None,
    }
}

#[cfg(test)]
mod tests;
