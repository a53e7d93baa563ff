//! Updates, their schedules and redundant sets over HTTP.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn schedules_and_redundant_sets_are_made_shown_changed_and_removed() {
    let service = Service::with_hosts(&["web1", "db1"]).await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let nights = json!({ "name": "nights", "wish": { "hosts": "web*" }, "days": ["sat"], "at": "03:30", "zone": "Europe/Berlin" });
    let made = service.post(&operator, "/api/v1/update-schedules", nights.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["times"], "sat 03:30 Europe/Berlin");
    service.post(&operator, "/api/v1/update-schedules", nights).await.problem(409, "conflict");
    let path = "/api/v1/update-schedules/nights";
    let changed = service.json(Method::PATCH, &operator, path, json!({ "enabled": false })).await.ok();
    assert_eq!((&changed["next_at"], &changed["schedule"]["at"]), (&json!(null), &json!("03:30")));
    // A command on machines takes an admin, also by calendar.
    let command = json!({ "wish": { "hosts": "web*", "health": { "command": "true" } } });
    service.json(Method::PATCH, &operator, path, command.clone()).await.problem(403, "denied");
    service.json(Method::PATCH, &admin, path, command).await.ok();
    assert_eq!(service.json(Method::DELETE, &operator, path, json!({})).await.status, StatusCode::NO_CONTENT);
    service.get(&operator, path).await.problem(404, "not-found");

    let path = "/api/v1/redundant-sets/pair";
    let set = service.json(Method::PUT, &admin, path, json!({ "hosts": "web1,db1" })).await.ok();
    assert_eq!(set["member_hosts"], json!(["db1", "web1"]));
    service.json(Method::PUT, &admin, path, json!({})).await.problem(422, "invalid");
    assert_eq!(service.get(&operator, "/api/v1/redundant-sets").await.ok()["items"][0]["set"]["name"], "pair");
    assert_eq!(service.json(Method::DELETE, &admin, path, json!({})).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_update_is_asked_for_shown_and_stopped() {
    let service = Service::with_hosts(&["web1", "db1"]).await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let asked = service.post(&operator, "/api/v1/updates", json!({ "hosts": "all", "canaries": ["web1"] })).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let asked = asked.json();
    let names: Vec<_> = asked["targets"].as_array().unwrap().iter().map(|target| target["name"].clone()).collect();
    assert_eq!(names[0], "web1", "the canary goes first");
    let id = asked["id"].as_str().unwrap();
    let shown = service.get(&operator, &format!("/api/v1/updates/{id}")).await.ok();
    assert_eq!((&shown["state"], &shown["targets"]), (&json!("waiting"), &asked["targets"]));
    let stopped = service.post(&operator, &format!("/api/v1/updates/{id}/cancel"), json!({})).await;
    assert_eq!((stopped.status, &stopped.json()["cancel"]), (StatusCode::ACCEPTED, &json!(true)));
    let page = service.get(&operator, "/api/v1/updates?limit=1").await.ok();
    assert_eq!((&page["items"][0]["id"], &page["next_cursor"]), (&json!(id), &json!(id)));

    service.post(&operator, "/api/v1/updates", json!({ "hosts": "nobody" })).await.problem(404, "not-found");
    service.post(&operator, "/api/v1/updates", json!({})).await.problem(422, "invalid");
    let command = json!({ "hosts": "all", "health": { "command": "true" } });
    service.post(&operator, "/api/v1/updates", command).await.problem(403, "denied");
    let trail = service.get(&admin, "/api/v1/audit?what=update*").await.ok();
    let outcomes: Vec<_> = trail["items"].as_array().unwrap().iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes, ["denied", "invalid", "not-found", "ok", "started"], "{trail}");
}
