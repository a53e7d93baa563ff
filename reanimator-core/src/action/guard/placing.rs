//! Where guests may be, and whose votes count: high availability, tags, the quorum.
//!
//! Tags place guests too: `pin` keeps one where it is, `pin-pve1` on pve1 (several may be named), `apart-web` away from all
//! others with the same tag. ProxLB's `plb_pin_pve1` and `plb_anti_affinity_web` mean the same.

use std::collections::{BTreeMap, BTreeSet};

use super::live::Asked;
use crate::{
    ErrorKind, Result,
    collect::pve::{cluster_members, lenient},
    model::{
        GuestId, HostId, Scene,
        facts::cluster::{ClusterFacts, ClusterNode, HaFacts, HaResource, HaRule},
        scene::{PlacementRule, SceneHa},
    },
    transport::http::Request,
};

const PINS: [&str; 2] = ["pin-", "plb_pin_"];
const APARTS: [&str; 2] = ["apart-", "plb_anti_affinity_"];

/// Takes in whom high availability looks after, its rules, and which nodes it has emptied for maintenance.
pub(super) fn high_availability(asked: &Asked<'_>, scene: &mut Scene, facts: &HaFacts) {
    let mut managed: BTreeMap<&str, GuestId> = BTreeMap::new();
    for guest in scene.guests.iter_mut().filter(|(id, _)| id.connection().as_ref() == Some(asked.id)) {
        guest.1.ha = None;
    }
    for resource in facts.resources.iter().filter(|resource| is_managed(resource)) {
        let Some((_, vmid)) = resource.id.split_once(':') else { continue };
        let id = GuestId(format!("{}:{vmid}", asked.id));
        let Some(guest) = scene.guests.get_mut(&id) else { continue };
        guest.ha = Some(SceneHa { state: resource.state.clone(), wanted: resource.wanted.clone() });
        managed.insert(&resource.id, id);
    }
    for node in &facts.nodes {
        let in_maintenance = node.state.as_deref() == Some("maintenance")
            || node.status.as_deref().is_some_and(|status| status.contains("maintenance"));
        let host = asked.hosts.get(&node.name).and_then(|id| scene.hosts.get_mut(id));
        if let (Some(host), true) = (host, in_maintenance) {
            host.maintenance = true;
        }
    }
    let rules = facts.rules.iter().flatten().filter(|rule| !rule.disabled && rule.errors.is_empty());
    let rules = rules.filter_map(|rule| placement(asked, rule, &managed, facts)).collect();
    if let Some(cluster) = scene.clusters.get_mut(asked.id) {
        cluster.rules = rules;
    }
}

/// Whether high availability really looks after it, and does not only know it.
fn is_managed(resource: &HaResource) -> bool {
    resource.wanted.as_deref() != Some("ignored") && resource.state.as_deref() != Some("ignored")
}

fn placement(
    asked: &Asked<'_>,
    rule: &HaRule,
    managed: &BTreeMap<&str, GuestId>,
    facts: &HaFacts,
) -> Option<PlacementRule> {
    let named: BTreeSet<GuestId> = match rule.kind.as_str() {
        "group" => {
            let of_group = facts.resources.iter().filter(|resource| resource.group.as_ref() == Some(&rule.name));
            of_group.filter_map(|resource| managed.get(resource.id.as_str()).cloned()).collect()
        }
        _ => rule.resources.iter().filter_map(|id| managed.get(id.as_str()).cloned()).collect(),
    };
    let word = if rule.kind == "group" { "group" } else { "rule" };
    let name = format!("{word} {} of high availability", rule.name);
    match (rule.kind.as_str(), rule.affinity.as_deref()) {
        ("node-affinity" | "group", _) => {
            let names = rule.nodes.iter().map(|node| node.split(':').next().unwrap_or(node));
            let hosts = names.filter_map(|name| asked.hosts.get(name).cloned()).collect();
            Some(PlacementRule::Nodes { name, guests: named, hosts, strict: rule.strict })
        }
        ("resource-affinity", Some("positive")) => Some(PlacementRule::Together { name, guests: named }),
        ("resource-affinity", Some("negative")) => Some(PlacementRule::Apart { name, guests: named }),
        _ => None,
    }
}

/// Takes in what tags say of where guests may be.
pub(super) fn tags(asked: &Asked<'_>, scene: &mut Scene) {
    let mut apart: BTreeMap<String, BTreeSet<GuestId>> = BTreeMap::new();
    let mut rules = Vec::new();
    for (id, guest) in scene.guests.iter().filter(|(id, _)| id.connection().as_ref() == Some(asked.id)) {
        let mut hosts: BTreeSet<HostId> =
            guest.tags.iter().filter_map(|tag| after(tag, &PINS)).filter_map(|name| node(asked, name)).collect();
        if guest.tags.contains("pin") {
            hosts.insert(guest.host.clone());
        }
        if !hosts.is_empty() {
            let name = "its tag".to_owned();
            rules.push(PlacementRule::Nodes { name, guests: [id.clone()].into(), hosts, strict: true });
        }
        for group in guest.tags.iter().filter_map(|tag| after(tag, &APARTS)) {
            apart.entry(group.to_owned()).or_default().insert(id.clone());
        }
    }
    let apart = apart.into_iter().filter(|(_, guests)| guests.len() > 1);
    rules.extend(apart.map(|(group, guests)| PlacementRule::Apart { name: format!("tag apart-{group}"), guests }));
    if let Some(cluster) = scene.clusters.get_mut(asked.id) {
        cluster.rules.extend(rules);
    }
}

/// A node by its name in a tag: Proxmox writes tags in small letters unless told otherwise.
fn node(asked: &Asked<'_>, name: &str) -> Option<HostId> {
    asked.hosts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| id.clone())
}

fn after<'a>(tag: &'a str, stems: &[&str]) -> Option<&'a str> {
    stems.iter().find_map(|stem| tag.strip_prefix(stem)).filter(|rest| !rest.is_empty())
}

/// Takes in how many votes each node has, and those of a quorum device where there is one.
pub(super) async fn votes(asked: &Asked<'_>, scene: &mut Scene) -> Result<()> {
    let name = |name: &String| ClusterNode { name: name.clone(), ..ClusterNode::default() };
    let mut facts = ClusterFacts { nodes: asked.hosts.keys().map(name).collect(), ..ClusterFacts::default() };
    cluster_members::votes_into(&asked.call(cluster_members::config_nodes_request()).await?, &mut facts)?;
    let mut expected = 0_u32;
    for node in &facts.nodes {
        // One that the list does not name votes as usual.
        let votes = node.votes.unwrap_or(1);
        expected = expected.saturating_add(votes);
        let host = asked.hosts.get(&node.name).and_then(|id| scene.hosts.get_mut(id));
        if let Some(known) = host.and_then(|host| host.node.as_mut()) {
            known.votes = votes;
        }
    }
    let (all, answers) = device_votes(asked, facts.nodes.len()).await?;
    if let Some(cluster) = scene.clusters.get_mut(asked.id) {
        (cluster.expected_votes, cluster.device_votes) = (expected.saturating_add(all), answers);
    }
    Ok(())
}

/// The votes of the quorum device, and how many of them count now.
///
/// `pvecm qdevice setup` gives it one vote where the nodes are even in number, and one less than there are nodes where they
/// are odd (`ffsplit` and `lms`).
async fn device_votes(asked: &Asked<'_>, nodes: usize) -> Result<(u32, u32)> {
    let data = match asked.call(Request::get(["cluster", "config", "qdevice"])).await {
        Ok(data) => data,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(error),
    };
    let fields = lenient::object(&data, "the quorum device")?;
    let Some(state) = fields.text("State") else { return Ok((0, 0)) };
    let others = u32::try_from(nodes.saturating_sub(1)).unwrap_or(u32::MAX);
    let last_man =
        fields.text("Algorithm").is_some_and(|word| word.eq_ignore_ascii_case("lms") || word.contains("Last"));
    let votes = if last_man { others } else { 1 };
    Ok((votes, if state.eq_ignore_ascii_case("connected") { votes } else { 0 }))
}
