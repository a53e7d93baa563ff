//! Who belongs to a cluster with how many votes, and its networks and options: `/cluster/status`,
//! `/cluster/config/nodes`, `/cluster/options`, `/cluster/sdn/{zones,vnets}`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    node_machine::list,
    options::{LIST_LIMIT, Options, cut},
};
use crate::{
    Result,
    model::facts::cluster::{ClusterFacts, ClusterNode, SdnVnet, SdnZone},
    transport::http::Request,
};

/// What to ask for corosync's members. Needs `Sys.Audit` on `/`; a node that stands alone has none.
pub fn config_nodes_request() -> Request {
    Request::get(["cluster", "config", "nodes"])
}

/// What to ask for the options of the whole cluster. Needs `Sys.Audit` on `/`.
pub fn options_request() -> Request {
    Request::get(["cluster", "options"])
}

/// What to ask for zones. Shows those on which the login has `SDN.Audit`.
pub fn zones_request() -> Request {
    Request::get(["cluster", "sdn", "zones"])
}

/// What to ask for networks in zones. Shows those on which the login has `SDN.Audit`.
pub fn vnets_request() -> Request {
    Request::get(["cluster", "sdn", "vnets"])
}

/// What to ask for how zones are on each node: all resources, since `type=sdn` leaves them out from Proxmox VE 9 on.
pub fn zone_states_request() -> Request {
    super::resources::request()
}

/// Reads members and quorum into `facts`.
///
/// # Errors
/// When the answer is no list.
pub fn status_into(data: &Value, facts: &mut ClusterFacts) -> Result<()> {
    for row in lenient::rows(data, "the cluster's status")?.into_iter().take(LIST_LIMIT) {
        let name = row.text("name").as_deref().and_then(cut);
        match row.text("type").as_deref() {
            Some("cluster") => {
                facts.name = name;
                facts.quorate = row.flag("quorate");
                facts.config_version = row.count("version");
            }
            Some("node") => facts.nodes.extend(name.map(|name| ClusterNode {
                name,
                // A node that stands alone has the number 0, which is none.
                node_id: row.text("nodeid").filter(|id| id != "0").as_deref().and_then(cut),
                address: row.text("ip").as_deref().and_then(cut),
                online: row.flag("online"),
                ..ClusterNode::default()
            })),
            _ => {}
        }
    }
    facts.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// Reads votes and links of corosync's members into `facts`, after [`status_into`].
///
/// # Errors
/// When the answer is no list.
pub fn votes_into(data: &Value, facts: &mut ClusterFacts) -> Result<()> {
    for row in lenient::rows(data, "the cluster's members")? {
        let Some(name) = row.text("name").or_else(|| row.text("node")) else { continue };
        let Some(node) = facts.nodes.iter_mut().find(|node| node.name == name) else { continue };
        node.votes = row.count("quorum_votes").and_then(|votes| u32::try_from(votes).ok());
        node.node_id = row.text("nodeid").as_deref().and_then(cut).or(node.node_id.take());
        node.rings = row
            .iter()
            .filter_map(|(name, value)| {
                let number = name.strip_prefix("ring")?.strip_suffix("_addr")?;
                Some((cut(number)?, cut(&lenient::text(value)?)?))
            })
            .take(8)
            .collect();
    }
    let sum = |wanted: fn(&&ClusterNode) -> bool| {
        let votes = facts.nodes.iter().filter(wanted).filter_map(|node| node.votes);
        votes.fold(0_u32, u32::saturating_add)
    };
    let all = sum(|_| true);
    if all > 0 {
        facts.online_votes = Some(sum(|node| node.online == Some(true)));
        facts.expected_votes = Some(all);
        facts.quorum_votes = Some(all / 2 + 1);
    }
    Ok(())
}

/// Reads how guests are placed and moved into `facts`.
///
/// # Errors
/// When the answer is no object.
pub fn options_into(data: &Value, facts: &mut ClusterFacts) -> Result<()> {
    let fields = lenient::object(data, "the cluster's options")?;
    facts.scheduling = packed(fields, "crs").and_then(|text| Options::of(&text).text("ha"));
    facts.migration = packed(fields, "migration").as_deref().and_then(cut);
    Ok(())
}

/// A setting of several parts, as one text; the API may have taken it apart.
fn packed(fields: Fields<'_>, name: &str) -> Option<String> {
    let value = fields.value(name)?;
    match Fields::of(value) {
        Some(parts) => {
            let parts: Vec<String> =
                parts.iter().filter_map(|(name, value)| Some(format!("{name}={}", lenient::text(value)?))).collect();
            Some(parts.join(","))
        }
        None => lenient::text(value),
    }
}

/// Reads zones.
///
/// # Errors
/// When the answer is no list.
pub fn zones(data: &Value) -> Result<Vec<SdnZone>> {
    let zone = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(SdnZone {
            name: text("zone")?,
            kind: text("type"),
            bridge: text("bridge"),
            nodes: row.text("nodes").unwrap_or_default().split(',').filter_map(cut).take(LIST_LIMIT).collect(),
            mtu_bytes: row.count("mtu").and_then(|mtu| u32::try_from(mtu).ok()),
            status: BTreeMap::new(),
        })
    };
    list(data, "the zones", zone)
}

/// Reads how zones are on each node into `zones`, and adds those that only nodes tell of (`localnetwork`). They come as
/// `sdn`, and as `network` from Proxmox VE 9 on.
///
/// # Errors
/// When the answer is no list.
pub fn zone_states_into(data: &Value, zones: &mut Vec<SdnZone>) -> Result<()> {
    for row in lenient::rows(data, "the cluster's resources")?.into_iter().take(LIST_LIMIT) {
        let is_zone = match row.text("type").as_deref() {
            Some("sdn") => true,
            Some("network") => row.text("network-type").as_deref() == Some("zone"),
            _ => false,
        };
        let name = row.text("network").or_else(|| row.text("sdn")).as_deref().and_then(cut);
        let state = row.text("node").as_deref().and_then(cut).zip(row.text("status").as_deref().and_then(cut));
        let (true, Some(name), Some((node, state))) = (is_zone, name, state) else { continue };
        match zones.iter_mut().find(|zone| zone.name == name) {
            Some(zone) => {
                zone.status.insert(node, state);
            }
            None => {
                zones.push(SdnZone { name, status: BTreeMap::from([(node, state)]), ..SdnZone::default() });
            }
        }
    }
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// Reads networks in zones.
///
/// # Errors
/// When the answer is no list.
pub fn vnets(data: &Value) -> Result<Vec<SdnVnet>> {
    let vnet = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(SdnVnet {
            name: text("vnet")?,
            zone: text("zone"),
            tag: row.count("tag").and_then(|tag| u32::try_from(tag).ok()),
            alias: text("alias"),
            vlan_aware: row.flag("vlanaware").unwrap_or(false),
        })
    };
    list(data, "the networks of zones", vnet)
}
