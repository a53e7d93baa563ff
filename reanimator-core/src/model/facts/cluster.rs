//! What a Proxmox cluster is: members, votes, HA, Ceph, replication.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// What a Proxmox cluster is: members, votes, HA, Ceph, replication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ClusterFacts {}

impl Watched for ClusterFacts {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
