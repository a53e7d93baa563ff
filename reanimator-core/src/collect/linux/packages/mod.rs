//! Package managers of Linux: what is sent to look at packages, refresh lists and upgrade, and what comes back.
//!
//! One shell script knows all families and finds out by itself which one is there, so that a look costs one round trip. What
//! it says comes in sections, `@@NAME` above each; [`survey`] and [`report`] read them.
//!
//! | file | whose | tools |
//! |---|---|---|
//! | `apt` | Debian, Ubuntu, Proxmox, Raspberry Pi OS | apt-get, dpkg |
//! | `dnf` | Fedora, RHEL and its kin | dnf 4, dnf 5, yum; rpm |
//! | `zypper` | openSUSE, SLES | zypper; rpm |
//! | `pacman` | Arch | pacman |
//! | `apk` | Alpine | apk |
//!
//! An upgrade changes no setting of a machine, not even for a while: what is left out is told to one run of the manager, so
//! there is nothing to take back when that run is ended half-way. What was installed before is noted on the machine, so that
//! what changed can be told also of a run that nobody saw the end of.
//!
//! ```
//! use reanimator_core::collect::linux::packages;
//! use reanimator_core::model::{PackagesChange, facts::updates::PackageManager};
//!
//! let change = PackagesChange::Upgrade { security_only: false, exclude: vec!["linux-image-*".into()] };
//! let script = packages::change_script("reanimator-o1-0", PackageManager::Apt, &change)?;
//! assert!(script.ends_with("main upgrade reanimator-o1-0 no 'linux-image-*'\n"));
//! # Ok::<(), reanimator_core::Error>(())
//! ```

pub(in crate::collect::linux) mod apk;
pub(in crate::collect::linux) mod apt;
pub(in crate::collect::linux) mod dnf;
pub(in crate::collect::linux) mod pacman;
mod report;
mod sections;
mod survey;
pub(in crate::collect::linux) mod zypper;

use super::inventory::system;
use crate::{
    Result,
    model::{PackagesChange, facts::updates::PackageManager},
    transport::quote,
};

pub use report::{Changed, report};
pub use survey::survey;

const COMMON: &str = include_str!("common.sh");
const MAIN: &str = include_str!("main.sh");
const FAMILIES: [&str; 5] = [apt::SHELL, dnf::SHELL, zypper::SHELL, pacman::SHELL, apk::SHELL];

/// The text that looks at the packages of a machine, and changes nothing.
pub fn survey_script() -> String {
    script(None, &["survey"])
}

/// The text that makes a change, to be run as a job; an upgrade notes under `name` what was there before.
///
/// # Errors
/// `Invalid` for patterns that no manager could be asked for.
pub fn change_script(name: &str, manager: PackageManager, change: &PackagesChange) -> Result<String> {
    change.check()?;
    Ok(match change {
        PackagesChange::Refresh => script(Some(manager), &["refresh"]),
        PackagesChange::Upgrade { security_only, exclude } => {
            let mut words = vec!["upgrade", name, if *security_only { "yes" } else { "no" }];
            words.extend(exclude.iter().map(String::as_str));
            script(Some(manager), &words)
        }
    })
}

/// The text that says what changed since the upgrade `name` began.
pub fn report_script(name: &str, manager: PackageManager) -> String {
    script(Some(manager), &["report", name])
}

/// The text that removes what the upgrade `name` noted.
pub fn forget_script(name: &str, manager: PackageManager) -> String {
    script(Some(manager), &["forget", name])
}

/// All of it, or what one manager needs: some ways take only so much text.
fn script(manager: Option<PackageManager>, words: &[&str]) -> String {
    let families = match manager {
        None => FAMILIES.concat(),
        Some(PackageManager::Apt) => apt::SHELL.to_owned(),
        Some(PackageManager::Dnf) => dnf::SHELL.to_owned(),
        // What is installed is a question to rpm for both.
        Some(PackageManager::Zypper) => [dnf::SHELL, zypper::SHELL].concat(),
        Some(PackageManager::Pacman) => pacman::SHELL.to_owned(),
        Some(PackageManager::Apk) => apk::SHELL.to_owned(),
    };
    let question = system::REBOOT_QUESTION;
    // The flags of a root that is not the machine's own are beside it; kernels there are none of.
    let reboot = format!(
        "reboot_question() {{\nif [ -n \"$DPKG_ROOT\" ]; then\n[ ! -e \"$DPKG_ROOT/run/reboot-required\" ] || \
         echo has:/run/reboot-required\nsed 's|^|/run/reboot-required.pkgs:|' \"$DPKG_ROOT/run/reboot-required.pkgs\" 2>/dev/null\n\
         else\nT5=; has timeout && T5='timeout 5'\n({question}) 2>/dev/null\nfi\n}}\n"
    );
    format!("{COMMON}{families}{reboot}{MAIN}main {}\n", quote::join(words))
}
