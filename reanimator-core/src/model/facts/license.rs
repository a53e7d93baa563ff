//! The Proxmox subscription of a node.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Watched;

/// The Proxmox subscription of a node. Its key is never here whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct License {
    /// `active`, `notfound` (there is none), `new`, `invalid`, `expired` or `suspended`.
    pub status: Option<String>,
    /// `community`, `basic`, `standard` or `premium`; a level that is none of these as Proxmox writes it.
    pub level: Option<String>,
    /// The day it is next due, `2027-03-01`.
    pub expires: Option<String>,
    /// The day it was registered.
    pub registered: Option<String>,
    /// The CPU sockets it is for.
    pub sockets: Option<u32>,
    /// The id by which its seller knows the node.
    pub server_id: Option<String>,
    /// Its key with all but the kind hidden: `pve2c-…`.
    pub key: Option<String>,
    /// What was bought: `Proxmox VE Community Subscription 2 CPUs/year`.
    pub product: Option<String>,
    /// What Proxmox says about it.
    pub message: Option<String>,
    /// When the node last asked its seller.
    pub checked_at: Option<Timestamp>,
}

impl Watched for License {
    fn watched(&self) -> BTreeMap<String, String> {
        [("subscription", &self.status), ("subscription level", &self.level), ("subscription due", &self.expires)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect()
    }
}
