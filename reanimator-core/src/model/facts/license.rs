//! The Proxmox subscription of a node.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// The Proxmox subscription of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct License {}

impl Watched for License {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
