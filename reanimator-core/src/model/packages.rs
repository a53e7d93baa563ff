//! What a machine's package manager has to do, may do, and has done.
//!
//! [`PackageSurvey`] is what was looked at before, [`PackagesChange`] what is asked for, and [`PackageReport`] what came of
//! it. How each manager is asked is in [`collect::linux::packages`](crate::collect::linux::packages).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    action::Risk,
    facts::updates::{PackageManager, PendingPackage},
    host::Unseen,
    units::Bytes,
};
use crate::{Error, ErrorKind, Result};

/// The most packages, or files, that a survey or a report names; both say how many there are.
pub const NAMED_LIMIT: usize = 2_000;
/// The most patterns of packages that are left out.
const EXCLUSIONS: usize = 100;
/// Characters that such a pattern may have.
const LONGEST_EXCLUSION: usize = 128;

/// What can be done with the packages of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum PackagesChange {
    /// Fetches the lists of what there is. Nothing is installed.
    Refresh,
    /// Installs what is newer, unattended: configuration files that somebody changed are kept, and services are started
    /// anew without a question.
    Upgrade {
        /// Only what closes a security hole. Defaults to everything; refused where the distribution does not tell them
        /// apart.
        #[serde(default)]
        security_only: bool,
        /// Packages that stay as they are this time, by name, with `*` and `?`: `linux-image-*`. Defaults to none.
        #[serde(default)]
        exclude: Vec<String>,
    },
}

impl PackagesChange {
    /// What it may cost.
    pub const fn risk(&self) -> Risk {
        match self {
            Self::Refresh => Risk::Low,
            Self::Upgrade { .. } => Risk::Disruptive,
        }
    }

    /// What it is, of the machine `name`.
    pub(super) fn words(&self, name: &str) -> String {
        match self {
            Self::Refresh => format!("fetch the package lists of {name}"),
            Self::Upgrade { security_only, exclude } => {
                let what = if *security_only { "install security updates" } else { "upgrade the packages" };
                let but = match exclude.as_slice() {
                    [] => String::new(),
                    few if few.len() <= 3 => format!(" but {}", few.join(", ")),
                    many => format!(" but {} and {} more", many[..3].join(", "), many.len() - 3),
                };
                format!("{what} of {name}{but}")
            }
        }
    }

    /// Refuses what no manager could be asked for.
    ///
    /// # Errors
    /// `Invalid` for too many patterns, or one with letters that no package has.
    pub fn check(&self) -> Result<()> {
        let Self::Upgrade { exclude, .. } = self else { return Ok(()) };
        let refuse = |cause: String| {
            Err(Error::new(ErrorKind::Invalid, "leave packages out")
                .because(cause)
                .next("write names as packages have them, with * and ? where any letters fit"))
        };
        if exclude.len() > EXCLUSIONS {
            return refuse(format!("{} patterns are more than {EXCLUSIONS}", exclude.len()));
        }
        match exclude.iter().find(|pattern| !is_pattern(pattern)) {
            Some(pattern) => refuse(format!("{:?} fits no package", pattern.chars().take(60).collect::<String>())),
            None => Ok(()),
        }
    }

    /// Whether a package is to be left as it is.
    pub fn leaves_out(&self, package: &str) -> bool {
        match self {
            Self::Refresh => false,
            Self::Upgrade { exclude, .. } => exclude.iter().any(|pattern| fits(pattern.as_bytes(), package.as_bytes())),
        }
    }
}

/// Letters of package names of all families, and the two that fit any. It begins with none that a tool takes for an option.
fn is_pattern(text: &str) -> bool {
    (1..=LONGEST_EXCLUSION).contains(&text.len())
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:@*?".contains(c))
}

/// Whether a pattern with `*` and `?` fits all of a text. It takes no longer than the product of both lengths.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, place));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[place] => {
                at += 1;
                place += 1;
            }
            _ => match again {
                Some((after, from)) => {
                    at = after;
                    place = from + 1;
                    again = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// What a machine's package manager says before anything is done: read only, from the lists that the machine has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageSurvey {
    /// What installs packages there.
    pub manager: PackageManager,
    /// Whether we are root there, which changing something takes.
    pub is_root: bool,
    /// When it was looked.
    pub at: Timestamp,
    /// How old the lists are that it was said from, as far as it is known.
    pub refreshed_at: Option<Timestamp>,
    /// What an upgrade would install, sorted by name: the first [`NAMED_LIMIT`].
    pub pending: Vec<PendingPackage>,
    /// How many that are.
    pub pending_count: u64,
    /// Of those, the ones that close a security hole; none where the distribution does not tell them apart.
    pub security_count: Option<u64>,
    /// Packages that an upgrade would remove.
    pub removed: Vec<String>,
    /// Packages that somebody keeps at their version.
    pub held: Vec<String>,
    /// What is half-installed or does not fit together, one sentence each. An upgrade is refused until it is mended.
    pub broken: Vec<String>,
    /// By what it is mended, where something is broken.
    pub mend: Option<String>,
    /// Who is at work with the packages at this moment, where somebody is.
    pub busy: Option<String>,
    /// What must be fetched, where the manager says so.
    pub download: Option<Bytes>,
    /// The room where packages are fetched to and unpacked.
    pub rooms: Vec<PackageRoom>,
    /// Whether a restart is due already.
    pub reboot_wanted: bool,
    /// Why.
    pub reboot_reasons: Vec<String>,
    /// Whether a restart is due after an upgrade, as far as what is pending tells: a kernel, the C library, systemd.
    pub reboot_due: bool,
    /// The pending packages that say so.
    pub reboot_due_for: Vec<String>,
    /// Services that still use libraries which are replaced, and want to be started anew.
    pub services: Vec<String>,
    /// Whether the distribution rolls on, and is upgraded as a whole: no package can be left out then.
    #[serde(default)]
    pub rolls: bool,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

impl PackageSurvey {
    /// A file system with less room than is needed, in words; none where there is enough.
    pub fn too_little_room(&self) -> Option<String> {
        let tight = self.rooms.iter().find(|room| room.free < room.needed)?;
        Some(format!("{} has {} left, and {} are needed", tight.path, tight.free, tight.needed))
    }

    /// Whether nothing would come of a change.
    pub fn is_up_to_date(&self, change: &PackagesChange) -> bool {
        match change {
            PackagesChange::Refresh => false,
            // zypper tells of patches, of which one may be of several packages, and not which package is for security.
            PackagesChange::Upgrade { security_only: true, .. } if self.manager == PackageManager::Zypper => {
                self.security_count == Some(0)
            }
            PackagesChange::Upgrade { .. } => self.wanted(change).is_empty(),
        }
    }

    /// The pending packages that a change would install.
    pub fn wanted(&self, change: &PackagesChange) -> Vec<&PendingPackage> {
        let security_only = matches!(change, PackagesChange::Upgrade { security_only: true, .. });
        let wanted = |package: &&PendingPackage| {
            !change.leaves_out(&package.name) && (!security_only || package.security == Some(true))
        };
        self.pending.iter().filter(wanted).collect()
    }

    /// How many things a change would install. Where the manager tells how many patches close security holes, and not which
    /// packages they are of, it is the patches that are counted.
    pub fn wanted_count(&self, change: &PackagesChange) -> u64 {
        let named = self.wanted(change).len() as u64;
        if named > 0 || self.is_up_to_date(change) { named } else { self.security_count.unwrap_or(0) }
    }

    /// Of those, the ones that close a security hole; none where the distribution does not tell them apart.
    pub fn wanted_security(&self, change: &PackagesChange) -> Option<u64> {
        let total = self.security_count?;
        let wanted = self.wanted(change);
        if wanted.is_empty() && !self.is_up_to_date(change) {
            return Some(total);
        }
        Some(wanted.iter().filter(|package| package.security == Some(true)).count() as u64)
    }

    /// Whether a restart is due once a change is made: it is wanted already, or by what would be installed. Where nobody
    /// knows which packages that is, it may be any that is pending.
    pub fn restart_due(&self, change: &PackagesChange) -> bool {
        let wanted = self.wanted(change);
        let by_any = wanted.is_empty() && self.wanted_count(change) > 0 && self.reboot_due;
        self.reboot_wanted || by_any || wanted.iter().any(|package| self.reboot_due_for.contains(&package.name))
    }
}

/// Room on a file system that packages go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageRoom {
    /// Where: `/var/cache/apt/archives`, `/`.
    pub path: String,
    /// What is free there.
    pub free: Bytes,
    /// What an upgrade of everything needs there at least.
    pub needed: Bytes,
}

/// What an upgrade did, package by package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageReport {
    /// What installed them.
    pub manager: PackageManager,
    /// Packages that are not as they were, sorted by name: the first [`NAMED_LIMIT`].
    pub changes: Vec<PackageChange>,
    /// How many that are.
    pub changed_count: u64,
    /// New configuration files that were laid beside those that somebody had changed: `/etc/ssh/sshd_config.dpkg-dist`.
    pub kept_files: Vec<String>,
    /// Packages that were to be upgraded, and were not.
    pub left: Vec<String>,
    /// Whether a restart is due now.
    pub reboot_wanted: bool,
    /// Why.
    pub reboot_reasons: Vec<String>,
    /// Services that still use libraries which were replaced.
    pub services: Vec<String>,
    /// What went wrong, as the manager said it; empty where nothing did.
    pub failures: Vec<String>,
}

/// A package that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageChange {
    /// `openssl`.
    pub name: String,
    /// The version before; none for one that was added.
    pub from: Option<String>,
    /// The version now; none for one that was removed.
    pub to: Option<String>,
    /// Whether it closed a security hole, where the distribution tells.
    pub security: Option<bool>,
}

impl std::fmt::Display for PackageChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{} {from} -> {to}", self.name),
            (None, Some(to)) => write!(f, "{} {to} added", self.name),
            (Some(from), None) => write!(f, "{} {from} removed", self.name),
            (None, None) => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::model::Action;

    fn but(exclude: &[&str]) -> PackagesChange {
        let exclude = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
        PackagesChange::Upgrade { security_only: false, exclude }
    }

    #[test]
    fn an_upgrade_says_what_on_what_and_stays_readable_as_json() {
        let json =
            r#"{"on":"packages","machine":"guest:c1:101","do":"upgrade","security_only":true,"exclude":["php*"]}"#;
        let action: Action = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&action).unwrap(), json);
        assert_eq!((action.risk(), action.thing()), (Risk::Disruptive, "guest:c1:101".into()));
        assert_eq!(action.words_with(|_| "mail".into()), "install security updates of mail but php*");
        let refresh: Action = serde_json::from_str(r#"{"on":"packages","machine":"host:h1","do":"refresh"}"#).unwrap();
        assert_eq!((refresh.risk(), refresh.words()), (Risk::Low, "fetch the package lists of h1".into()));
    }

    #[test]
    fn packages_are_left_out_by_patterns() {
        let change = but(&["linux-image-*", "vim", "lib?*6"]);
        for (package, left) in [
            ("linux-image-amd64", true),
            ("linux-headers-amd64", false),
            ("vim", true),
            ("vim-common", false),
            ("libc6", true),
            ("lib6", false),
        ] {
            assert_eq!(change.leaves_out(package), left, "{package}");
        }
        let many = format!("{}b", "a*".repeat(60));
        assert!(!but(&[&many]).leaves_out(&"a".repeat(200)), "and it is over soon");
    }

    #[test]
    fn patches_count_where_nobody_knows_which_packages_they_are_of() {
        let package = |name: &str| PendingPackage { name: name.into(), ..PendingPackage::default() };
        let survey = |manager, security_count| PackageSurvey {
            manager,
            is_root: true,
            at: Timestamp::UNIX_EPOCH,
            refreshed_at: None,
            pending: vec![package("kernel-default"), package("vim")],
            pending_count: 2,
            security_count,
            removed: Vec::new(),
            held: Vec::new(),
            broken: Vec::new(),
            mend: None,
            busy: None,
            download: None,
            rooms: Vec::new(),
            reboot_wanted: false,
            reboot_reasons: Vec::new(),
            reboot_due: true,
            reboot_due_for: vec!["kernel-default".into()],
            services: Vec::new(),
            rolls: false,
            unseen: Vec::new(),
        };
        let security = PackagesChange::Upgrade { security_only: true, exclude: Vec::new() };
        let counts = |survey: &PackageSurvey| {
            (survey.wanted_count(&security), survey.wanted_security(&security), survey.restart_due(&security))
        };
        assert_eq!(counts(&survey(PackageManager::Zypper, Some(12))), (12, Some(12), true));
        assert_eq!(counts(&survey(PackageManager::Zypper, Some(0))), (0, Some(0), false));
        assert_eq!(counts(&survey(PackageManager::Zypper, None)), (0, None, false));
        assert_eq!(counts(&survey(PackageManager::Apt, Some(0))), (0, Some(0), false));
        let all = survey(PackageManager::Zypper, Some(12));
        assert_eq!((all.wanted_count(&but(&["vim"])), all.wanted_security(&but(&["vim"]))), (1, Some(0)));
    }

    #[test]
    fn what_fits_no_package_is_refused() {
        assert!(but(&["linux-image-*", "g++-12", "libc6:amd64", "python3.?"]).check().is_ok());
        for pattern in ["", "-o", "a b", "$(reboot)", "a'b", "a\nb", "ä", &"a".repeat(129)] {
            assert_eq!(but(&[pattern]).check().unwrap_err().kind(), ErrorKind::Invalid, "{pattern}");
        }
        assert!(but(&["a"; 101]).check().is_err());
    }
}
