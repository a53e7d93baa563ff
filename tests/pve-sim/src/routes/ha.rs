//! `/cluster/ha`: which guests are kept running, by what rules.
//!
//! Only the empty lists and `status/current` were recorded; resources, rules
//! and the manager's status are unrecorded. Guests are not restarted elsewhere
//! by themselves here, and moved only where somebody asked for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Call, Handler};
use crate::manager;
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, config_digest};

/// The handler for a path below `/cluster`, beginning with `ha`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "ha") => index,
        ("GET", "ha/status") => status_index,
        ("GET", "ha/status/current") => status,
        ("GET", "ha/status/manager_status") => manager_status,
        // Groups are no more in Proxmox VE 9. Unrecorded; the words are those of the source.
        ("GET", "ha/groups") => {
            |_: &mut Call<'_>| Err(Refusal::died("cannot index groups: ha groups have been migrated to rules"))
        }
        ("GET", "ha/resources") => resources,
        ("POST", "ha/resources") => create_resource,
        ("GET", "ha/resources/{sid}") => resource,
        ("PUT", "ha/resources/{sid}") => change_resource,
        ("DELETE", "ha/resources/{sid}") => delete_resource,
        ("POST", "ha/resources/{sid}/migrate" | "ha/resources/{sid}/relocate") => move_resource,
        ("GET", "ha/rules") => rules,
        ("POST", "ha/rules") => create_rule,
        ("GET", "ha/rules/{rule}") => rule,
        ("PUT", "ha/rules/{rule}") => change_rule,
        ("DELETE", "ha/rules/{rule}") => delete_rule,
        _ => return None,
    })
}

fn names(list: &[&str]) -> Answer {
    Ok(list.iter().map(|name| json!({"id": name})).collect::<Value>().into())
}

fn index(_: &mut Call<'_>) -> Answer {
    names(&["status", "resources", "groups", "rules"])
}

fn status_index(_: &mut Call<'_>) -> Answer {
    names(&["current", "manager_status"])
}

fn status(call: &mut Call<'_>) -> Answer {
    let cluster = &call.cluster;
    let here = &cluster.nodes[call.here].name;
    let quorate = cluster.quorate();
    let text = if quorate { "OK".to_owned() } else { format!("No quorum on node '{here}'!") };
    let mut list = vec![
        json!({
            "id": "quorum", "type": "quorum", "node": here, "status": text,
            "quorate": u8::from(quorate),
        }),
        json!({
            "id": "fencing", "type": "fencing", "node": here, "armed-state": "standby",
            "status": "standby (CRM watchdog standby)",
        }),
    ];
    if !cluster.ha.resources.is_empty() {
        list.push(json!({
            "id": "master", "type": "master", "node": here,
            "status": format!("{here} (active)"), "timestamp": call.now as i64,
        }));
        for node in &cluster.nodes {
            let word = match node.up() {
                _ if cluster.ha.maintenance.contains(&node.name) => "maintenance mode",
                true => "active",
                false => "old timestamp - dead?",
            };
            list.push(json!({
                "id": format!("lrm:{}", node.name), "type": "lrm", "node": node.name,
                "status": format!("{} ({word})", node.name), "timestamp": call.now as i64,
            }));
        }
    }
    for (sid, options) in &cluster.ha.resources {
        let node = node_of(call, sid).unwrap_or_default();
        let wanted = options.get("state").and_then(Value::as_str).unwrap_or("started");
        let vmid = sid.split_once(':').and_then(|(_, vmid)| vmid.parse().ok());
        let moves = vmid.is_some_and(|vmid| manager::is_moving(cluster, vmid));
        let state = if moves { "migrate" } else { wanted };
        list.push(json!({
            "id": format!("service:{sid}"), "type": "service", "sid": sid, "node": node,
            "state": state, "request_state": wanted, "crm_state": state,
            "max_restart": 1, "max_relocate": 1, "status": format!("{sid} ({node}, {state})"),
        }));
    }
    Ok(Value::Array(list).into())
}

/// The node of a resource's guest.
fn node_of(call: &Call<'_>, sid: &str) -> Option<String> {
    let vmid: u32 = sid.split_once(':')?.1.parse().ok()?;
    let guest = call.cluster.guests.get(&vmid)?;
    Some(call.cluster.nodes[guest.node].name.clone())
}

fn manager_status(call: &mut Call<'_>) -> Answer {
    let here = call.cluster.nodes[call.here].name.clone();
    let states: Map<String, Value> = call
        .cluster
        .nodes
        .iter()
        .map(|node| {
            let word = match node.up() {
                _ if call.cluster.ha.maintenance.contains(&node.name) => "maintenance",
                true => "online",
                false => "unknown",
            };
            (node.name.clone(), json!(word))
        })
        .collect();
    Ok(json!({
        "manager_status": {"master_node": here, "node_status": states, "service_status": {},
            "timestamp": call.now as i64},
        "quorum": {"node": here, "quorate": u8::from(call.cluster.quorate()).to_string()},
        "lrm_status": {},
    })
    .into())
}

/// `100` or `vm:100` as the resource's full name.
fn full_sid(call: &Call<'_>, text: &str) -> Result<String, Refusal> {
    let number = text.rsplit_once(':').map_or(text, |(_, number)| number);
    let guest = number.parse().ok().and_then(|vmid: u32| call.cluster.guests.get(&vmid));
    match guest {
        Some(guest) => Ok(super::cluster::sid(guest)),
        None if text.contains(':') => Ok(text.to_owned()),
        None => Err(Refusal::died(format!("unable to find VM/CT '{text}'"))),
    }
}

fn resource_entry(sid: &str, options: &Map<String, Value>) -> Value {
    let mut entry = options.clone();
    entry.insert("sid".to_owned(), json!(sid));
    let kind = sid.split_once(':').map_or("vm", |(kind, _)| kind);
    entry.insert("type".to_owned(), json!(kind));
    entry.entry("state").or_insert(json!("started"));
    let digest = config_digest(options);
    entry.insert("digest".to_owned(), json!(digest));
    Value::Object(entry)
}

fn resources(call: &mut Call<'_>) -> Answer {
    let kind = call.params.text("type");
    let list = call.cluster.ha.resources.iter();
    let list = list
        .map(|(sid, options)| resource_entry(sid, options))
        .filter(|entry| kind.is_none_or(|kind| entry["type"] == kind));
    Ok(list.collect::<Value>().into())
}

fn known(call: &Call<'_>) -> Result<String, Refusal> {
    let sid = full_sid(call, &call.params.string("sid"))?;
    if call.cluster.ha.resources.contains_key(&sid) {
        Ok(sid)
    } else {
        Err(Refusal::died(format!("no such resource '{sid}'")))
    }
}

fn resource(call: &mut Call<'_>) -> Answer {
    let sid = known(call)?;
    Ok(resource_entry(&sid, &call.cluster.ha.resources[&sid]).into())
}

fn options(call: &Call<'_>, without: &[&str]) -> Map<String, Value> {
    call.params
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), super::cluster::number(value)))
        .collect()
}

fn create_resource(call: &mut Call<'_>) -> Answer {
    let sid = full_sid(call, &call.params.string("sid"))?;
    call.quorum()?;
    if call.cluster.ha.resources.contains_key(&sid) {
        return Err(Refusal::died(format!("resource ID '{sid}' already defined")));
    }
    if node_of(call, &sid).is_none() {
        return Err(Refusal::died(format!("unable to add service '{sid}' - no such guest")));
    }
    let options = options(call, &["sid", "type"]);
    call.cluster.ha.resources.insert(sid, options);
    Ok(Value::Null.into())
}

fn change_resource(call: &mut Call<'_>) -> Answer {
    let sid = known(call)?;
    call.quorum()?;
    let changes = options(call, &["sid", "digest", "delete"]);
    let deleted = call.params.list("delete");
    if let Some(resource) = call.cluster.ha.resources.get_mut(&sid) {
        resource.extend(changes);
        resource.retain(|name, _| !deleted.contains(name));
    }
    Ok(Value::Null.into())
}

fn delete_resource(call: &mut Call<'_>) -> Answer {
    let sid = known(call)?;
    call.quorum()?;
    call.cluster.ha.resources.remove(&sid);
    Ok(Value::Null.into())
}

/// Unrecorded.
fn move_resource(call: &mut Call<'_>) -> Answer {
    let sid = known(call)?;
    call.quorum()?;
    let node = call.params.string("node");
    let target = call.cluster.node_index(&node)?;
    let vmid = sid.split_once(':').and_then(|(_, vmid)| vmid.parse().ok()).unwrap_or(0);
    let together = motion(call.cluster, &sid).together;
    manager::wish(call.cluster, vmid, target, call.now).map_err(Refusal::died)?;
    Ok(json!({"sid": sid, "requested-node": node, "comigrated-resources": together}).into())
}

/// What rules say of moving a resource.
#[derive(Default)]
pub(crate) struct Motion {
    /// What must stay with it.
    pub(crate) together: Vec<String>,
    /// By node, what keeps it from there: resources with the cause.
    pub(crate) blocked: BTreeMap<String, Vec<Value>>,
}

/// Reads the rules about a resource. Unrecorded.
pub(crate) fn motion(cluster: &Cluster, sid: &str) -> Motion {
    let mut motion = Motion::default();
    let place = |sid: &str| {
        let guest = cluster.guests.get(&sid.split_once(':')?.1.parse().ok()?)?;
        Some(cluster.nodes[guest.node].name.clone())
    };
    for rule in cluster.ha.rules.values() {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        let on = |name: &str| rule.get(name).is_some_and(|value| crate::params::plain(value) == "1");
        let members: Vec<&str> = text("resources").split(',').collect();
        if on("disable") || !members.contains(&sid) {
            continue;
        }
        let others = members.iter().filter(|other| **other != sid);
        match (text("type"), text("affinity")) {
            ("resource-affinity", "positive") => motion.together.extend(others.map(|other| (*other).to_owned())),
            ("resource-affinity", _) => {
                for (node, other) in others.filter_map(|other| Some((place(other)?, other))) {
                    let cause = json!({"sid": other, "cause": "resource-affinity"});
                    motion.blocked.entry(node).or_default().push(cause);
                }
            }
            ("node-affinity", _) if on("strict") => {
                let nodes: Vec<&str> =
                    text("nodes").split(',').map(|node| node.split(':').next().unwrap_or_default()).collect();
                for node in cluster.nodes.iter().filter(|node| !nodes.contains(&node.name.as_str())) {
                    let cause = json!({"sid": sid, "cause": "node-affinity"});
                    motion.blocked.entry(node.name.clone()).or_default().push(cause);
                }
            }
            _ => {}
        }
    }
    motion
}

fn rule_entry(name: &str, options: &Map<String, Value>, order: usize) -> Value {
    let mut entry = options.clone();
    entry.insert("rule".to_owned(), json!(name));
    entry.insert("order".to_owned(), json!(order));
    let digest = config_digest(options);
    entry.insert("digest".to_owned(), json!(digest));
    Value::Object(entry)
}

fn rules(call: &mut Call<'_>) -> Answer {
    let kind = call.params.text("type");
    let resource = call.params.text("resource");
    let list = call.cluster.ha.rules.iter().enumerate();
    let list = list
        .map(|(order, (name, options))| rule_entry(name, options, order + 1))
        .filter(|entry| kind.is_none_or(|kind| entry["type"] == kind))
        .filter(|entry| {
            let members = entry["resources"].as_str().unwrap_or_default();
            resource.is_none_or(|wanted| members.split(',').any(|member| member == wanted))
        });
    Ok(list.collect::<Value>().into())
}

fn known_rule(call: &Call<'_>) -> Result<String, Refusal> {
    let name = call.params.string("rule");
    if call.cluster.ha.rules.contains_key(&name) {
        Ok(name)
    } else {
        Err(Refusal::died(format!("no such ha rule '{name}'")))
    }
}

fn rule(call: &mut Call<'_>) -> Answer {
    let name = known_rule(call)?;
    let order = call.cluster.ha.rules.keys().position(|key| *key == name);
    let options = &call.cluster.ha.rules[&name];
    Ok(rule_entry(&name, options, order.unwrap_or(0) + 1).into())
}

/// The parameters the documentation names for rules: the facts list none.
const RULE: [&str; 11] =
    ["rule", "type", "resources", "nodes", "strict", "affinity", "comment", "disable", "digest", "delete", "order"];

fn check_rule(call: &Call<'_>, new: bool) -> Result<(), Refusal> {
    let unknown = call.params.iter().find(|(name, _)| !RULE.contains(&name.as_str()));
    if let Some((name, _)) = unknown {
        return Err(Refusal::parameter(
            name,
            "property is not defined in schema and the schema does not allow additional properties",
        ));
    }
    let needed: &[&str] = if new { &["rule", "type", "resources"] } else { &[] };
    for name in needed {
        if !call.params.has(name) {
            return Err(Refusal::parameter(name, "property is missing and it is not optional"));
        }
    }
    let of_kind = match call.params.text("type") {
        Some("node-affinity") => Some("nodes"),
        Some("resource-affinity") => Some("affinity"),
        None => None,
        Some(other) => {
            let text =
                format!("value '{other}' does not have a value in the enumeration 'node-affinity, resource-affinity'");
            return Err(Refusal::parameter("type", text));
        }
    };
    match of_kind {
        Some(name) if new && !call.params.has(name) => {
            Err(Refusal::parameter(name, "property is missing and it is not optional"))
        }
        _ => Ok(()),
    }
}

fn create_rule(call: &mut Call<'_>) -> Answer {
    check_rule(call, true)?;
    call.quorum()?;
    let name = call.params.string("rule");
    if call.cluster.ha.rules.contains_key(&name) {
        return Err(Refusal::died(format!("HA rule '{name}' already defined")));
    }
    let options = options(call, &["rule", "digest"]);
    call.cluster.ha.rules.insert(name, options);
    Ok(Value::Null.into())
}

fn change_rule(call: &mut Call<'_>) -> Answer {
    let name = known_rule(call)?;
    check_rule(call, false)?;
    call.quorum()?;
    let changes = options(call, &["rule", "digest", "delete"]);
    let deleted = call.params.list("delete");
    if let Some(rule) = call.cluster.ha.rules.get_mut(&name) {
        rule.extend(changes);
        rule.retain(|key, _| !deleted.contains(key));
    }
    Ok(Value::Null.into())
}

fn delete_rule(call: &mut Call<'_>) -> Answer {
    let name = known_rule(call)?;
    call.quorum()?;
    call.cluster.ha.rules.remove(&name);
    Ok(Value::Null.into())
}
