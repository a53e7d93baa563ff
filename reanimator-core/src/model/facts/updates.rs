//! Packages that could be newer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Watched;

/// Packages that could be newer, and where they come from.
///
/// Nothing here is fetched for the asking: it is what the machine's own package lists say, as old as
/// [`refreshed_at`](Self::refreshed_at).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Updates {
    /// What installs packages there. `None` where none of those known was found.
    pub manager: Option<PackageManager>,
    /// Packages that are installed.
    pub installed: Option<u64>,
    /// Packages that an upgrade would change. `None` where the package manager could not say.
    pub pending: Option<u64>,
    /// Of those, the ones that close a security hole. On openSUSE and SLES: security patches, of which one may carry
    /// several packages. `None` where the distribution does not tell them apart (Arch, Alpine).
    pub security: Option<u64>,
    /// The pending packages, sorted by name: the first [`PACKAGES_LIMIT`] of them.
    pub packages: Vec<PendingPackage>,
    /// Packages that are kept at their version by hand.
    pub held: Vec<String>,
    /// When the package lists were last fetched, as their files tell.
    pub refreshed_at: Option<Timestamp>,
    /// Whether updates are installed without anybody asking (unattended-upgrades, dnf-automatic).
    pub automatic: Option<bool>,
    /// Where packages come from.
    pub repositories: Vec<Repository>,
    /// When the packages were last counted, by our clock: they are counted anew when the package databases changed.
    pub counted_at: Option<Timestamp>,
    /// What the package databases looked like then: two numbers.
    pub stamp: Option<String>,
}

/// The most pending packages that are named.
pub const PACKAGES_LIMIT: usize = 500;

/// What installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PackageManager {
    /// Debian, Ubuntu, Proxmox, Raspberry Pi OS.
    Apt,
    /// Fedora, RHEL and its kin; also yum.
    Dnf,
    /// openSUSE, SLES.
    Zypper,
    /// Arch.
    Pacman,
    /// Alpine.
    Apk,
}

impl PackageManager {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Apt, Self::Dnf, Self::Zypper, Self::Pacman, Self::Apk];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Zypper => "zypper",
            Self::Pacman => "pacman",
            Self::Apk => "apk",
        }
    }
}

/// A package that an upgrade would change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PendingPackage {
    /// `openssl`.
    pub name: String,
    /// The version that is installed; `None` for one that an upgrade would add.
    pub from: Option<String>,
    /// The version that would be.
    pub to: String,
    /// Where that one comes from: `Debian-Security:12/stable-security`, `updates`.
    pub origin: Option<String>,
    /// Whether it closes a security hole, where the distribution tells for each package.
    pub security: Option<bool>,
}

/// A place that packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Repository {
    /// Its short name, where it has one: `fedora`, `core`.
    pub name: Option<String>,
    /// Its address, without user name and password.
    pub uri: String,
    /// `bookworm-security`.
    pub suite: Option<String>,
    /// `main`, `pve-no-subscription`.
    pub components: Vec<String>,
    /// Whether it is in use.
    pub enabled: bool,
    /// The file that names it.
    pub file: String,
}

impl Watched for Updates {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut watched = BTreeMap::new();
        if let Some(pending) = self.pending {
            let security = self.security.map_or(String::new(), |security| format!(", {security} for security"));
            watched.insert("updates".into(), format!("{pending} pending{security}"));
        }
        if let Some(installed) = self.installed {
            watched.insert("packages".into(), format!("{installed} installed"));
        }
        if let Some(automatic) = self.automatic {
            watched.insert("automatic updates".into(), if automatic { "on" } else { "off" }.into());
        }
        if !self.held.is_empty() {
            watched.insert("held packages".into(), self.held.join(", "));
        }
        for Repository { name, uri, suite, components, enabled, .. } in &self.repositories {
            let words: Vec<&str> =
                name.iter().chain([uri]).chain(suite).chain(components).map(String::as_str).collect();
            let state = if *enabled { "on" } else { "off" };
            watched.insert(format!("repository {}", words.join(" ")), state.into());
        }
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_repositories_are_worth_an_entry() {
        let repository = Repository {
            uri: "https://enterprise.proxmox.com/debian/pve".into(),
            suite: Some("trixie".into()),
            components: vec!["pve-enterprise".into()],
            ..Repository::default()
        };
        let updates =
            Updates { pending: Some(3), security: Some(1), repositories: vec![repository], ..Updates::default() };
        let watched: Vec<(String, String)> = updates.watched().into_iter().collect();
        let expected = [
            ("repository https://enterprise.proxmox.com/debian/pve trixie pve-enterprise", "off"),
            ("updates", "3 pending, 1 for security"),
        ];
        assert_eq!(watched, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
