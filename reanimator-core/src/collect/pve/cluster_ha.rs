//! High availability: `/cluster/ha/status/{current,manager_status}`, `/cluster/ha/resources`, `/cluster/ha/rules`, and
//! `/cluster/ha/groups` before Proxmox VE 9.

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    node_machine::list,
    options::{LIST_LIMIT, cut},
};
use crate::{
    Result,
    model::facts::cluster::{HaFacts, HaNode, HaResource, HaRule},
    transport::http::Request,
};

/// What to ask for what it does. Needs `Sys.Audit` on `/`.
pub fn status_request() -> Request {
    Request::get(["cluster", "ha", "status", "current"])
}

/// What to ask for what its manager makes of the nodes. Needs `Sys.Audit` on `/`.
pub fn manager_request() -> Request {
    Request::get(["cluster", "ha", "status", "manager_status"])
}

/// What to ask for its resources. Needs `Sys.Audit` on `/`.
pub fn resources_request() -> Request {
    Request::get(["cluster", "ha", "resources"])
}

/// What to ask for its rules. Needs `Sys.Audit` on `/`; Proxmox VE 8 does not know it.
pub fn rules_request() -> Request {
    Request::get(["cluster", "ha", "rules"])
}

/// What to ask for its groups. Proxmox VE 9 refuses once they have become rules.
pub fn groups_request() -> Request {
    Request::get(["cluster", "ha", "groups"])
}

/// Reads what high availability does.
///
/// # Errors
/// When the answer is no list.
pub fn status(data: &Value) -> Result<HaFacts> {
    let mut facts = HaFacts::default();
    for row in lenient::rows(data, "the state of high availability")?.into_iter().take(LIST_LIMIT) {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        match row.text("type").as_deref() {
            Some("quorum") => facts.quorate = row.flag("quorate"),
            Some("fencing") => facts.fencing = text("armed-state").or_else(|| text("status")),
            Some("master") => facts.master = text("node"),
            Some("lrm") => {
                facts.nodes.extend(text("node").map(|name| HaNode { name, status: text("status"), state: None }))
            }
            Some("service") => facts.resources.extend(resource(row)),
            _ => {}
        }
    }
    Ok(facts)
}

fn resource(row: Fields<'_>) -> Option<HaResource> {
    let text = |name: &str| row.text(name).as_deref().and_then(cut);
    let small = |name: &str| row.count(name).and_then(|count| u32::try_from(count).ok());
    Some(HaResource {
        id: text("sid")?,
        node: text("node"),
        state: text("state").or_else(|| text("crm_state")),
        wanted: text("request_state"),
        group: text("group"),
        max_restart: small("max_restart"),
        max_relocate: small("max_relocate"),
        comment: text("comment"),
    })
}

/// Reads what the manager makes of the nodes into `facts`.
///
/// # Errors
/// When the answer is no object.
pub fn manager_into(data: &Value, facts: &mut HaFacts) -> Result<()> {
    let fields = lenient::object(data, "the state of the manager of high availability")?;
    let Some(manager) = fields.object("manager_status") else { return Ok(()) };
    facts.master = manager.text("master_node").as_deref().and_then(cut).or(facts.master.take());
    let states = manager.object("node_status");
    for (name, state) in states.into_iter().flat_map(Fields::iter).take(LIST_LIMIT) {
        let state = lenient::text(state).as_deref().and_then(cut);
        match (facts.nodes.iter_mut().find(|node| node.name == name), cut(name)) {
            (Some(node), _) => node.state = state,
            (None, Some(name)) => facts.nodes.push(HaNode { name, status: None, state }),
            (None, None) => {}
        }
    }
    Ok(())
}

/// Reads how resources are configured into `facts`: what was wanted of them, groups, comments.
///
/// # Errors
/// When the answer is no list.
pub fn resources_into(data: &Value, facts: &mut HaFacts) -> Result<()> {
    for row in lenient::rows(data, "the resources of high availability")?.into_iter().take(LIST_LIMIT) {
        let Some(configured) = resource(row) else { continue };
        match facts.resources.iter_mut().find(|known| known.id == configured.id) {
            Some(known) => {
                known.wanted = known.wanted.take().or(configured.state);
                known.group = configured.group.or(known.group.take());
                known.max_restart = configured.max_restart.or(known.max_restart);
                known.max_relocate = configured.max_relocate.or(known.max_relocate);
                known.comment = configured.comment;
            }
            None => facts.resources.push(HaResource { wanted: configured.state.clone(), state: None, ..configured }),
        }
    }
    Ok(())
}

/// Reads rules.
///
/// # Errors
/// When the answer is no list.
pub fn rules(data: &Value) -> Result<Vec<HaRule>> {
    let rule = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(HaRule {
            name: text("rule")?,
            kind: text("type").unwrap_or_default(),
            resources: words(row, "resources"),
            nodes: words(row, "nodes"),
            affinity: text("affinity"),
            strict: row.flag("strict").unwrap_or(false),
            disabled: row.flag("disable").unwrap_or(false),
            comment: text("comment"),
            errors: errors(row),
        })
    };
    list(data, "the rules of high availability", rule)
}

/// Reads groups as rules.
///
/// # Errors
/// When the answer is no list.
pub fn groups(data: &Value) -> Result<Vec<HaRule>> {
    let group = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(HaRule {
            name: text("group")?,
            kind: "group".to_owned(),
            nodes: words(row, "nodes"),
            strict: row.flag("restricted").unwrap_or(false),
            comment: text("comment"),
            ..HaRule::default()
        })
    };
    list(data, "the groups of high availability", group)
}

/// The words of a list in one text.
fn words(row: Fields<'_>, name: &str) -> Vec<String> {
    row.text(name).unwrap_or_default().split(',').filter_map(cut).take(LIST_LIMIT).collect()
}

/// What is wrong with a rule: texts by the setting they are about.
fn errors(row: Fields<'_>) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(all) => all.iter().filter_map(lenient::text).filter_map(|text| cut(&text)).collect(),
            other => lenient::text(other).as_deref().and_then(cut).into_iter().collect(),
        }
    };
    let by_setting = row.object("errors").into_iter().flat_map(Fields::iter);
    by_setting.flat_map(|(_, value)| texts(value)).take(64).collect()
}
