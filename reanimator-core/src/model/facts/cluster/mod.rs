//! What a Proxmox cluster is: members, votes, HA, Ceph, replication, backup jobs, software-defined networks.

mod backups;
mod high_availability;
mod jobs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use backups::is_past;
pub use backups::{BackupDuty, BackupPlace, ClusterBackups, NewestBackup};
pub use high_availability::{HaFacts, HaNode, HaResource, HaRule};
pub use jobs::{BackupJob, BackupSelection, CephCheck, CephFacts, NotBackedUp, ReplicationJob, TaskFailure};

use super::Watched;

/// What a Proxmox cluster is. A list that was not seen is `None`, which is not an empty one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ClusterFacts {
    /// Its name; a node that stands alone has none.
    pub name: Option<String>,
    /// How often its membership was changed.
    pub config_version: Option<u64>,
    /// Whether enough votes see each other; none for a node that stands alone.
    pub quorate: Option<bool>,
    /// All votes; none for a node that stands alone.
    pub expected_votes: Option<u32>,
    /// The votes it takes.
    pub quorum_votes: Option<u32>,
    /// The votes of the nodes that are online. Those of a quorum device are not among them.
    pub online_votes: Option<u32>,
    /// Its nodes.
    pub nodes: Vec<ClusterNode>,
    /// High availability.
    pub ha: Option<HaFacts>,
    /// Ceph; none where it is not installed.
    pub ceph: Option<CephFacts>,
    /// Replication jobs.
    pub replication: Option<Vec<ReplicationJob>>,
    /// Backup jobs.
    pub backup_jobs: Option<Vec<BackupJob>>,
    /// Guests that no backup job takes along.
    pub not_backed_up: Option<Vec<NotBackedUp>>,
    /// The backups there are; none where nobody has asked for them yet.
    pub backups: Option<ClusterBackups>,
    /// Zones of software-defined networks.
    pub zones: Option<Vec<SdnZone>>,
    /// Networks in those zones.
    pub vnets: Option<Vec<SdnVnet>>,
    /// How high availability chooses nodes: `basic`, `static`, `dynamic`.
    pub scheduling: Option<String>,
    /// How and where guests are moved: `type=secure,network=10.0.0.0/24`.
    pub migration: Option<String>,
    /// The last tasks that failed, newest first.
    pub failed_tasks: Option<Vec<TaskFailure>>,
}

/// A node as its cluster knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// Its number, as text.
    pub node_id: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Whether the cluster sees it.
    pub online: Option<bool>,
    /// Its votes.
    pub votes: Option<u32>,
    /// Its addresses for corosync, by link number.
    pub rings: BTreeMap<String, String>,
}

/// A zone of software-defined networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SdnZone {
    /// Its name.
    pub name: String,
    /// `simple`, `vlan`, `vxlan`, `evpn`...; none for one that only nodes tell of.
    pub kind: Option<String>,
    /// The bridge it is on.
    pub bridge: Option<String>,
    /// The nodes it is for; empty: all.
    pub nodes: Vec<String>,
    /// The largest packet, in bytes, where it was chosen.
    pub mtu_bytes: Option<u32>,
    /// What each node says of it: `ok`, `available`, `pending`, `error`.
    pub status: BTreeMap<String, String>,
}

/// A network in a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SdnVnet {
    /// Its name, as bridges are named.
    pub name: String,
    /// Its zone.
    pub zone: Option<String>,
    /// Its VLAN or VXLAN.
    pub tag: Option<u32>,
    /// What people call it.
    pub alias: Option<String>,
    /// Whether guests may tag on it.
    pub vlan_aware: bool,
}

impl Watched for ClusterFacts {
    fn watched(&self) -> BTreeMap<String, String> {
        let quorum = self.quorate.map(|quorate| if quorate { "yes" } else { "lost" }.to_owned());
        let votes = self.expected_votes.map(|votes| votes.to_string());
        let mut values: BTreeMap<String, String> = [
            ("name", self.name.clone()),
            ("quorum", quorum),
            ("votes", votes),
            ("Ceph", self.ceph.as_ref().and_then(|ceph| ceph.health.clone())),
            ("scheduling", self.scheduling.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
        values.extend(self.nodes.iter().map(|node| {
            let rings: Vec<&str> = node.rings.values().map(String::as_str).collect();
            let address = node.address.as_deref().unwrap_or_default();
            (format!("node {}", node.name), if rings.is_empty() { address.to_owned() } else { rings.join(", ") })
        }));
        values.extend(self.ha.iter().flat_map(HaFacts::watched));
        let jobs = self.replication.iter().flatten();
        values.extend(jobs.map(|job| (format!("replication {}", job.id), job.to_string())));
        let jobs = self.backup_jobs.iter().flatten();
        values.extend(jobs.map(|job| (format!("backup job {}", job.id), job.to_string())));
        let zones = self.zones.iter().flatten().filter_map(|zone| Some((zone, zone.kind.clone()?)));
        values.extend(zones.map(|(zone, kind)| (format!("zone {}", zone.name), kind)));
        values
    }
}

impl ClusterFacts {
    /// These facts with those that may change any minute taken from `newer`, in which nobody asked for the rest.
    /// Members that were not seen stay as they were.
    #[must_use]
    pub fn renewed_by(self, newer: Self) -> Self {
        if newer.nodes.is_empty() {
            return Self { ceph: newer.ceph, failed_tasks: newer.failed_tasks, ..self };
        }
        let votes: BTreeMap<String, (Option<u32>, BTreeMap<String, String>)> =
            self.nodes.into_iter().map(|node| (node.name, (node.votes, node.rings))).collect();
        let with_votes = |node: ClusterNode| match votes.get(&node.name).cloned() {
            Some((votes, rings)) => ClusterNode { votes, rings, ..node },
            None => node,
        };
        let nodes: Vec<ClusterNode> = newer.nodes.into_iter().map(with_votes).collect();
        let online = nodes.iter().filter(|node| node.online == Some(true)).filter_map(|node| node.votes);
        let online_votes = self.expected_votes.map(|_| online.fold(0_u32, u32::saturating_add));
        let ha = match (newer.ha, self.ha) {
            (Some(newer), Some(known)) => Some(known.renewed_by(newer)),
            (newer, known) => newer.or(known),
        };
        Self {
            name: newer.name,
            config_version: newer.config_version,
            quorate: newer.quorate,
            online_votes,
            nodes,
            ha,
            ceph: newer.ceph,
            failed_tasks: newer.failed_tasks,
            ..Self { nodes: Vec::new(), ha: None, ..self }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn facts_that_an_older_version_wrote_down_are_read() {
        let old = r#"{"name":"prod","nodes":[],"backup_jobs":[{"id":"nightly","enabled":true,"schedule":"daily",
            "storage":"nas","guests":"all","excluded":null}],"not_backed_up":[]}"#;
        let facts: ClusterFacts = serde_json::from_str(old).unwrap();
        let jobs = facts.backup_jobs.unwrap();
        assert_eq!((jobs[0].id.as_str(), &jobs[0].selection), ("nightly", &BackupSelection::default()));
        assert_eq!(facts.backups, None);
        let backups: ClusterBackups = serde_json::from_str(r#"{"places":[{"storage":"nas"}]}"#).unwrap();
        assert_eq!((backups.places[0].words(), backups.covered), ("nas".to_owned(), None));
    }
}
