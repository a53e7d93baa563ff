//! High availability of a cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// High availability of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HaFacts {
    /// The node whose manager decides.
    pub master: Option<String>,
    /// Whether the manager sees a quorum.
    pub quorate: Option<bool>,
    /// Whether nodes that are lost get fenced: `armed`, `standby` (nothing to look after), `disarmed`...
    pub fencing: Option<String>,
    /// What it says of each node.
    pub nodes: Vec<HaNode>,
    /// The guests it looks after.
    pub resources: Vec<HaResource>,
    /// Its rules; before Proxmox VE 9 its groups. None where they were not seen.
    pub rules: Option<Vec<HaRule>>,
}

/// A node as high availability sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HaNode {
    /// Its name.
    pub name: String,
    /// What its local manager says: `pve1 (active, Wed Nov 25 10:00:00 2026)`.
    pub status: Option<String>,
    /// What the cluster's manager makes of it: `online`, `maintenance`, `fence`, `gone`, `unknown`.
    pub state: Option<String>,
}

/// A guest that high availability looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HaResource {
    /// `vm:100`, `ct:101`.
    pub id: String,
    /// The node it is on.
    pub node: Option<String>,
    /// What it is: `started`, `stopped`, `error`, `fence`...
    pub state: Option<String>,
    /// What it should be.
    pub wanted: Option<String>,
    /// Its group, before Proxmox VE 9.
    pub group: Option<String>,
    /// How often it is started again on its node.
    pub max_restart: Option<u32>,
    /// How often it is tried on other nodes.
    pub max_relocate: Option<u32>,
    /// What people wrote about it.
    pub comment: Option<String>,
}

/// A rule of high availability, or a group before Proxmox VE 9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HaRule {
    /// Its name.
    pub name: String,
    /// `node-affinity`, `resource-affinity`, or `group`.
    pub kind: String,
    /// The guests it is for; of a group, they name it themselves.
    pub resources: Vec<String>,
    /// The nodes it names, each with its priority where it has one: `pve1:2`.
    pub nodes: Vec<String>,
    /// Whether guests are kept together or apart: `positive` or `negative`.
    pub affinity: Option<String>,
    /// Whether guests run nowhere else.
    pub strict: bool,
    /// Whether it is switched off.
    pub disabled: bool,
    /// What people wrote about it.
    pub comment: Option<String>,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

impl HaFacts {
    /// These facts with those of `newer` that come without asking the manager.
    pub(super) fn renewed_by(self, newer: Self) -> Self {
        let state_of =
            |name: &str| self.nodes.iter().find(|node| node.name == name).and_then(|node| node.state.clone());
        let nodes = newer.nodes.into_iter().map(|node| HaNode { state: state_of(&node.name), ..node }).collect();
        let known = |resource: HaResource| match self.resources.iter().find(|known| known.id == resource.id) {
            Some(known) => HaResource { group: known.group.clone(), comment: known.comment.clone(), ..resource },
            None => resource,
        };
        let resources = newer.resources.into_iter().map(known).collect();
        Self { nodes, resources, rules: self.rules, master: newer.master.or(self.master), ..newer }
    }

    /// What is worth an entry in the timeline when it changes.
    pub(super) fn watched(&self) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for resource in &self.resources {
            let wanted = resource.wanted.as_deref().or(resource.state.as_deref()).unwrap_or("managed");
            values.insert(format!("HA resource {}", resource.id), wanted.to_owned());
        }
        for rule in self.rules.iter().flatten() {
            let affinity = rule.affinity.as_deref().unwrap_or(&rule.kind);
            let all: Vec<&str> = rule.resources.iter().chain(&rule.nodes).map(String::as_str).collect();
            let off = if rule.disabled { ", off" } else { "" };
            values.insert(format!("HA rule {}", rule.name), format!("{affinity}: {}{off}", all.join(" ")));
        }
        for node in self.nodes.iter().filter(|node| node.state.as_deref() == Some("maintenance")) {
            values.insert(format!("maintenance of {}", node.name), "yes".to_owned());
        }
        values
    }
}
