//! What runs on a node: `/nodes/{node}/services`, `certificates/info`, `apt/{update,versions,repositories}`, `time`,
//! `dns`.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    lenient::{self, Fields},
    node_machine::list,
    options::{LIST_LIMIT, cut, time},
};
use crate::{
    Result,
    model::facts::pve_node::{
        NodeCertificate, NodeInventory, NodePackage, NodeRepositories, NodeRepository, NodeService, NodeUpdate,
    },
    transport::http::Request,
};

/// What to ask for services. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn services_request(node: &str) -> Request {
    Request::get(["nodes", node, "services"])
}

/// What to ask for certificates. Any login may.
pub fn certificates_request(node: &str) -> Request {
    Request::get(["nodes", node, "certificates", "info"])
}

/// What to ask for pending updates, as of the node's last look. Needs `Sys.Modify` on `/nodes/{node}`.
pub fn updates_request(node: &str) -> Request {
    Request::get(["nodes", node, "apt", "update"])
}

/// What to ask for the packages of Proxmox. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn packages_request(node: &str) -> Request {
    Request::get(["nodes", node, "apt", "versions"])
}

/// What to ask for repositories. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn repositories_request(node: &str) -> Request {
    Request::get(["nodes", node, "apt", "repositories"])
}

/// What to ask for its clock. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn time_request(node: &str) -> Request {
    Request::get(["nodes", node, "time"])
}

/// What to ask for its name servers. Needs `Sys.Audit` on `/nodes/{node}`.
pub fn dns_request(node: &str) -> Request {
    Request::get(["nodes", node, "dns"])
}

/// Reads services.
///
/// # Errors
/// When the answer is no list.
pub fn services(data: &Value) -> Result<Vec<NodeService>> {
    let service = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(NodeService {
            name: text("service").or_else(|| text("name"))?,
            description: text("desc"),
            state: text("state"),
            active_state: text("active-state"),
            unit_state: text("unit-state"),
        })
    };
    list(data, "the services", service)
}

/// Reads certificates, without the certificates themselves.
///
/// # Errors
/// When the answer is no list.
pub fn certificates(data: &Value) -> Result<Vec<NodeCertificate>> {
    let certificate = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(NodeCertificate {
            file_name: text("filename"),
            subject: text("subject"),
            issuer: text("issuer"),
            names: texts(row, "san"),
            not_before: time(row.count("notbefore")),
            not_after: time(row.count("notafter")),
            fingerprint: text("fingerprint"),
        })
    };
    list(data, "the certificates", certificate)
}

/// Reads pending updates.
///
/// # Errors
/// When the answer is no list.
pub fn updates(data: &Value) -> Result<Vec<NodeUpdate>> {
    let update = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(NodeUpdate {
            package: text("Package")?,
            old_version: text("OldVersion"),
            new_version: text("Version"),
            origin: text("Origin"),
            section: text("Section"),
        })
    };
    list(data, "the pending updates", update)
}

/// Reads the packages of Proxmox that are installed.
///
/// # Errors
/// When the answer is no list.
pub fn packages(data: &Value) -> Result<Vec<NodePackage>> {
    let package = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        // `OldVersion` is what is there; `Version` what could be.
        let version = text("OldVersion").or_else(|| text("Version"));
        let is_there = text("CurrentState").is_none_or(|state| state == "Installed");
        Some(NodePackage { package: text("Package")?, version }).filter(|_| is_there)
    };
    list(data, "the packages", package)
}

/// Reads repositories.
///
/// # Errors
/// When the answer is no object.
pub fn repositories(data: &Value) -> Result<NodeRepositories> {
    let fields = lenient::object(data, "the repositories")?;
    let standard = |handle: &str| {
        let rows = fields.list("standard-repos").iter().filter_map(Fields::of);
        rows.filter(|row| row.text("handle").as_deref() == Some(handle)).find_map(|row| row.flag("status"))
    };
    let messages = |name: &str, wanted: fn(Fields<'_>) -> bool, text: &str| -> Vec<String> {
        let rows = fields.list(name).iter().filter_map(Fields::of).filter(|row| wanted(*row));
        let said = |row: Fields<'_>| {
            let path = row.text("path").unwrap_or_default();
            cut(&format!("{path}: {}", row.text(text)?))
        };
        rows.filter_map(said).take(LIST_LIMIT).collect()
    };
    Ok(NodeRepositories {
        enterprise: standard("enterprise"),
        no_subscription: standard("no-subscription"),
        test: standard("test"),
        list: repository_list(fields),
        errors: messages("errors", |_| true, "error"),
        warnings: messages("infos", |row| row.text("kind").as_deref() == Some("warning"), "message"),
    })
}

fn repository_list(fields: Fields<'_>) -> Vec<NodeRepository> {
    let of_file = |file: Fields<'_>| {
        let path = file.text("path").as_deref().and_then(cut).unwrap_or_default();
        let rows: Vec<NodeRepository> = file
            .list("repositories")
            .iter()
            .filter_map(Fields::of)
            .map(|row| NodeRepository {
                file: path.clone(),
                uris: texts(row, "URIs"),
                suites: texts(row, "Suites"),
                components: texts(row, "Components"),
                enabled: row.flag("Enabled").unwrap_or(false),
            })
            .collect();
        rows
    };
    fields.list("files").iter().filter_map(Fields::of).flat_map(of_file).take(LIST_LIMIT).collect()
}

fn texts(row: Fields<'_>, name: &str) -> Vec<String> {
    row.list(name).iter().filter_map(lenient::text).filter_map(|text| cut(&text)).take(LIST_LIMIT).collect()
}

/// Reads its clock into `facts`; `now` is ours.
///
/// # Errors
/// When the answer is no object.
pub fn time_into(data: &Value, now: Timestamp, facts: &mut NodeInventory) -> Result<()> {
    let fields = lenient::object(data, "the node's time")?;
    facts.time_zone = fields.text("timezone").as_deref().and_then(cut);
    facts.clock_skew_seconds = time(fields.count("time")).map(|there| there.duration_since(now).as_secs());
    Ok(())
}

/// Reads its name servers into `facts`.
///
/// # Errors
/// When the answer is no object.
pub fn dns_into(data: &Value, facts: &mut NodeInventory) -> Result<()> {
    let fields = lenient::object(data, "the name servers")?;
    facts.dns_servers = ["dns1", "dns2", "dns3"].into_iter().filter_map(|name| cut(&fields.text(name)?)).collect();
    facts.search_domain = fields.text("search").as_deref().and_then(cut);
    Ok(())
}
