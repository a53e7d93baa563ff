//! What runs on a node, as its API tells.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A service that Proxmox looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeService {
    /// `pveproxy`.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// `running`, `dead`, `exited`...
    pub state: Option<String>,
    /// systemd's word for whether it is up: `active`, `inactive`, `failed`.
    pub active_state: Option<String>,
    /// systemd's word for whether it starts: `enabled`, `disabled`, `masked`, `not-found`.
    pub unit_state: Option<String>,
}

impl NodeService {
    /// Whether systemd calls it failed.
    pub fn is_failed(&self) -> bool {
        self.active_state.as_deref() == Some("failed") || self.state.as_deref() == Some("failed")
    }
}

/// A certificate of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeCertificate {
    /// `pve-ssl.pem`, `pveproxy-ssl.pem`.
    pub file_name: Option<String>,
    /// Whom it is for.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// From when it holds.
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    pub not_after: Option<Timestamp>,
    /// SHA-256.
    pub fingerprint: Option<String>,
}

/// A package that could be newer. The API does not tell which of them mend a security hole: it names the origin, and
/// not the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeUpdate {
    /// Its name.
    pub package: String,
    /// The version that is there.
    pub old_version: Option<String>,
    /// The version that could be.
    pub new_version: Option<String>,
    /// Who offers it: `Proxmox`, `Debian`.
    pub origin: Option<String>,
    /// Where Proxmox files it: `admin`, `kernel`.
    pub section: Option<String>,
}

/// A package of Proxmox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodePackage {
    /// Its name.
    pub package: String,
    /// The version that is installed.
    pub version: Option<String>,
}

/// Where a node's packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeRepositories {
    /// Whether the repository for who has a subscription is on; none where it is not set up.
    pub enterprise: Option<bool>,
    /// Whether the repository for who has none is on; none where it is not set up.
    pub no_subscription: Option<bool>,
    /// Whether the repository for testers is on; none where it is not set up.
    pub test: Option<bool>,
    /// All repositories.
    pub list: Vec<NodeRepository>,
    /// What is wrong with them.
    pub errors: Vec<String>,
    /// What Proxmox warns of.
    pub warnings: Vec<String>,
}

impl NodeRepositories {
    /// The repositories of Proxmox that are on, by name.
    pub fn enabled_words(&self) -> Vec<&'static str> {
        [("enterprise", self.enterprise), ("no-subscription", self.no_subscription), ("test", self.test)]
            .into_iter()
            .filter(|(_, on)| *on == Some(true))
            .map(|(name, _)| name)
            .collect()
    }
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeRepository {
    /// The file that names it.
    pub file: String,
    /// Where it is.
    pub uris: Vec<String>,
    /// `trixie`, `trixie-updates`.
    pub suites: Vec<String>,
    /// `main`, `pve-no-subscription`.
    pub components: Vec<String>,
    /// Whether it is on.
    pub enabled: bool,
}
