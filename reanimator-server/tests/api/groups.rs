//! Groups and tags of many hosts at once.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn hosts_are_labelled_together_and_groups_renamed_and_removed() {
    let service = Service::with_hosts(&["web1", "web2", "db"]).await;
    let (admin, viewer) = (service.token(Role::Admin).await, service.token(Role::Viewer).await);
    let id = service.get(&admin, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    let change = json!({ "hosts": [id, "web2"], "add_groups": ["web"], "add_tags": ["blue"] });
    let changed = service.post(&admin, "/api/v1/hosts/labels", change).await.ok();
    assert_eq!(changed["changed"].as_array().unwrap().len(), 2);
    let labels = json!({ "groups": [{ "name": "web", "hosts": 2 }], "tags": [{ "name": "blue", "hosts": 2 }] });
    assert_eq!(service.get(&viewer, "/api/v1/groups").await.ok(), labels);

    let path = "/api/v1/groups/web";
    let to = |name: &str| json!({ "name": name });
    service.post(&admin, "/api/v1/hosts/labels", json!({ "hosts": ["db"], "add_groups": ["data"] })).await.ok();
    service.json(Method::PATCH, &admin, path, to("data")).await.problem(409, "conflict");
    service.json(Method::PATCH, &admin, path, to("a b")).await.problem(422, "invalid");
    assert_eq!(service.json(Method::PATCH, &admin, path, to("web")).await.ok()["hosts"], 2);
    let renamed = service.json(Method::PATCH, &admin, path, to("front")).await.ok();
    assert_eq!(renamed, json!({ "name": "front", "hosts": 2 }));
    service.json(Method::DELETE, &admin, path, json!({})).await.problem(404, "not-found");
    let removed = service.json(Method::DELETE, &admin, "/api/v1/groups/front", json!({})).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let nobody = json!({ "hosts": ["nobody"], "add_tags": ["x"] });
    service.post(&admin, "/api/v1/hosts/labels", nobody).await.problem(404, "not-found");
    let trail = service.get(&admin, "/api/v1/audit").await.text();
    for line in ["2 hosts: +group:web +tag:blue", "group rename", "web to front", "group remove"] {
        assert!(trail.contains(line), "{line} is not in {trail}");
    }
}
