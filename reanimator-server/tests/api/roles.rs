//! Every route against every role: the contract's table, checked against the routes that there really are.

use std::collections::BTreeSet;

use crate::common::{Service, request};
use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::Value;

/// The least role for each route, as the contract says it.
const TABLE: &[(&str, &str, &str)] = &[
    ("open", "GET", "/health"),
    ("open", "GET", "/api/v1/setup"),
    ("open", "POST", "/api/v1/setup"),
    ("open", "POST", "/api/v1/login"),
    ("viewer", "POST", "/api/v1/logout"),
    ("viewer", "GET", "/api/v1/me"),
    ("viewer", "GET", "/api/v1/status"),
    ("viewer", "GET", "/api/v1/hosts"),
    ("viewer", "GET", "/api/v1/hosts/{id}"),
    ("viewer", "GET", "/api/v1/hosts/{id}/history"),
    ("viewer", "GET", "/api/v1/guests"),
    ("viewer", "GET", "/api/v1/storages"),
    ("viewer", "GET", "/api/v1/proxmox"),
    ("viewer", "GET", "/api/v1/matches"),
    ("viewer", "GET", "/api/v1/events"),
    ("viewer", "GET", "/api/openapi.json"),
    ("viewer", "GET", "/metrics"),
    ("viewer", "GET", "/api/v1/dashboard/overview"),
    ("viewer", "GET", "/api/v1/dashboard/nodes"),
    ("viewer", "GET", "/api/v1/dashboard/vms"),
    ("viewer", "GET", "/api/v1/storage"),
    ("viewer", "GET", "/api/v1/network"),
    ("viewer", "GET", "/api/v1/network/topology"),
    ("viewer", "GET", "/api/v1/proxmox/clusters"),
    ("viewer", "GET", "/api/v1/nodes/{id}/host-details"),
    ("viewer", "GET", "/api/v1/nodes/{id}/vms/{vmid}/full-details"),
    ("viewer", "GET", "/api/v1/proxmox/{id}/details"),
    ("operator", "POST", "/api/v1/nodes/{id}/refresh"),
    ("operator", "POST", "/api/v1/proxmox/{id}/refresh"),
    ("viewer", "GET", "/api/v1/telemetry/query"),
    ("viewer", "GET", "/api/v1/telemetry/latest"),
    ("viewer", "GET", "/api/v1/telemetry/recent"),
    ("viewer", "GET", "/api/v1/changes"),
    ("admin", "PATCH", "/api/v1/hosts/{id}"),
    ("operator", "POST", "/api/v1/hosts/{id}/test"),
    ("operator", "POST", "/api/v1/hosts/{id}/observe"),
    ("operator", "POST", "/api/v1/proxmox/{id}/test"),
    ("admin", "POST", "/api/v1/hosts"),
    ("admin", "DELETE", "/api/v1/hosts/{id}"),
    ("admin", "POST", "/api/v1/hosts/{id}/trust"),
    ("admin", "POST", "/api/v1/hosts/import"),
    ("admin", "POST", "/api/v1/proxmox/connect"),
    ("admin", "DELETE", "/api/v1/proxmox/{id}"),
    ("admin", "POST", "/api/v1/matches/{id}"),
    ("admin", "POST", "/api/v1/exec"),
    ("admin", "GET", "/api/v1/users"),
    ("admin", "POST", "/api/v1/users"),
    ("admin", "PATCH", "/api/v1/users/{name}"),
    ("admin", "DELETE", "/api/v1/users/{name}"),
    ("admin", "GET", "/api/v1/tokens"),
    ("admin", "POST", "/api/v1/tokens"),
    ("admin", "DELETE", "/api/v1/tokens/{name}"),
    ("admin", "GET", "/api/v1/audit"),
    ("admin", "GET", "/api/v1/audit/export"),
    ("viewer", "GET", "/api/v1/groups"),
    ("admin", "PATCH", "/api/v1/groups/{name}"),
    ("admin", "DELETE", "/api/v1/groups/{name}"),
    ("admin", "POST", "/api/v1/hosts/labels"),
    ("admin", "GET", "/api/v1/credentials"),
    ("admin", "PUT", "/api/v1/hosts/{id}/credentials"),
    ("admin", "DELETE", "/api/v1/hosts/{id}/credentials"),
    ("admin", "PUT", "/api/v1/proxmox/{id}/credentials"),
    ("admin", "DELETE", "/api/v1/proxmox/{id}/credentials"),
    ("admin", "POST", "/api/v1/backup"),
    ("admin", "POST", "/api/v1/backup/inspect"),
    ("admin", "POST", "/api/v1/backup/restore"),
    ("operator", "POST", "/api/v1/hosts/{id}/maintenance"),
    ("viewer", "GET", "/api/v1/operations"),
    ("viewer", "GET", "/api/v1/rules"),
    ("viewer", "GET", "/api/v1/guests/{id}/targets"),
    ("operator", "POST", "/api/v1/operations"),
    ("viewer", "GET", "/api/v1/operations/{id}"),
    ("viewer", "GET", "/api/v1/operations/{id}/lines"),
    ("operator", "POST", "/api/v1/operations/{id}/cancel"),
    ("operator", "POST", "/api/v1/operations/{id}/undo"),
    ("viewer", "GET", "/api/v1/windows"),
    ("admin", "POST", "/api/v1/windows"),
    ("viewer", "GET", "/api/v1/windows/{name}"),
    ("admin", "PATCH", "/api/v1/windows/{name}"),
    ("admin", "DELETE", "/api/v1/windows/{name}"),
    ("viewer", "GET", "/api/v1/protections"),
    ("admin", "PUT", "/api/v1/hosts/{id}/protection"),
    ("admin", "DELETE", "/api/v1/hosts/{id}/protection"),
    ("admin", "PUT", "/api/v1/guests/{id}/protection"),
    ("admin", "DELETE", "/api/v1/guests/{id}/protection"),
    ("operator", "POST", "/api/v1/uploads"),
    ("operator", "GET", "/api/v1/uploads/{id}"),
    ("operator", "PATCH", "/api/v1/uploads/{id}"),
    ("operator", "DELETE", "/api/v1/uploads/{id}"),
    ("viewer", "GET", "/api/v1/scripts"),
    ("admin", "POST", "/api/v1/scripts"),
    ("viewer", "GET", "/api/v1/scripts/{name}"),
    ("admin", "PUT", "/api/v1/scripts/{name}"),
    ("admin", "DELETE", "/api/v1/scripts/{name}"),
    ("operator", "POST", "/api/v1/updates/plan"),
    ("operator", "POST", "/api/v1/updates"),
    ("viewer", "GET", "/api/v1/updates"),
    ("viewer", "GET", "/api/v1/updates/{id}"),
    ("operator", "POST", "/api/v1/updates/{id}/cancel"),
    ("viewer", "GET", "/api/v1/update-schedules"),
    ("operator", "POST", "/api/v1/update-schedules"),
    ("viewer", "GET", "/api/v1/update-schedules/{name}"),
    ("operator", "PATCH", "/api/v1/update-schedules/{name}"),
    ("operator", "DELETE", "/api/v1/update-schedules/{name}"),
    ("viewer", "GET", "/api/v1/redundant-sets"),
    ("admin", "PUT", "/api/v1/redundant-sets/{name}"),
    ("admin", "DELETE", "/api/v1/redundant-sets/{name}"),
    ("viewer", "GET", "/api/v1/settings"),
    ("admin", "PATCH", "/api/v1/settings"),
];

fn described() -> BTreeSet<(String, String, String)> {
    let document: Value = serde_json::from_str(&reanimator_server::openapi_json()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let role = operation["x-role"].as_str().unwrap_or("unsaid");
            routes.insert((role.to_owned(), method.to_uppercase(), path.clone()));
        }
    }
    routes
}

/// What may be said to someone who is let in and asks for things that are not there.
fn is_let_in(status: StatusCode) -> bool {
    status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN
}

#[test]
fn the_description_and_the_contract_name_the_same_routes_and_roles() {
    let contract: BTreeSet<_> =
        TABLE.iter().map(|(role, method, path)| (role.to_string(), method.to_string(), path.to_string())).collect();
    assert_eq!(described(), contract);
}

#[tokio::test]
async fn each_route_lets_in_its_role_and_those_above_and_nobody_below() {
    let service = Service::empty().await;
    let callers = [
        ("no one", None, None),
        ("viewer", Some(Role::Viewer), Some(service.token(Role::Viewer).await)),
        ("operator", Some(Role::Operator), Some(service.token(Role::Operator).await)),
        ("admin", Some(Role::Admin), Some(service.token(Role::Admin).await)),
        ("forged token", None, Some("rnm_forged".to_owned())),
    ];
    for (needed, method, path) in TABLE.iter().filter(|(needed, ..)| *needed != "open") {
        let needed: Role = serde_json::from_value(Value::String(needed.to_string())).unwrap();
        for (name, role, token) in &callers {
            let path = path.replace("{id}", "nothing").replace("{name}", "nobody");
            let asking = request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
            let asking = match token {
                Some(token) => asking.bearer(token),
                None => asking,
            };
            let answer = service.send(asking.json(&serde_json::json!({}))).await;
            let what = format!("{name}: {method} {path} -> {}", answer.status);
            match role {
                None => drop(answer.problem(401, "unauthenticated")),
                Some(role) if role.allows(needed) => assert!(is_let_in(answer.status), "{what}"),
                Some(_) => drop(answer.problem(403, "denied")),
            }
        }
    }
}

#[tokio::test]
async fn the_open_routes_are_open() {
    let service = Service::empty().await;
    for (_, method, path) in TABLE.iter().filter(|(needed, ..)| *needed == "open") {
        let asking = request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        let answer = service.send(asking.json(&serde_json::json!({}))).await;
        assert!(is_let_in(answer.status), "{method} {path}: {}", answer.text());
    }
}
