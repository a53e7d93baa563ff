//! Alert rules over HTTP, and alerts as they are raised, listed, acknowledged and resolved.

use axum::http::{Method, StatusCode};
use reanimator_core::{model::Role, workflows::alerts::AlertsLoop};
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn a_rule_is_tried_made_met_acknowledged_and_removed() {
    let service = Service::on_this_machine().await;
    let (viewer, operator, admin) =
        (service.token(Role::Viewer).await, service.token(Role::Operator).await, service.token(Role::Admin).await);
    let host = service.fleet.status().await.unwrap().hosts.swap_remove(0);
    service.fleet.observe(&host.name).await.unwrap();

    let first = service.get(&viewer, "/api/v1/alert-rules").await.ok();
    assert!(first["items"].as_array().unwrap().iter().all(|view| view["rule"]["built_in"] == true));
    let rule = json!({ "name": "up", "hosts": "all", "level": "notice",
        "condition": { "kind": "threshold", "metric": "uptime_seconds", "enter": 1, "leave": 0 } });
    let tried = service.post(&operator, "/api/v1/alert-rules/test", rule.clone()).await.ok();
    assert_eq!((&tried["covers"], &tried["now"][0]["name"]), (&json!(1), &json!(host.name)));
    let mut wrong = rule.clone();
    wrong["condition"]["metric"] = "no_such_figure".into();
    service.post(&operator, "/api/v1/alert-rules/test", wrong).await.problem(422, "invalid");

    let made = service.post(&admin, "/api/v1/alert-rules", rule.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    service.post(&admin, "/api/v1/alert-rules", rule).await.problem(409, "conflict");
    let mut alerts = AlertsLoop::new(service.fleet.clone());
    let mut events = service.fleet.events();
    alerts.look().await.unwrap();
    let of_rule = "/api/v1/alerts?open=true&rule=up";
    let open = service.get(&viewer, of_rule).await.ok();
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open}");
    let alert = &open["items"][0];
    assert_eq!((&alert["entity"], &alert["state"]), (&json!(format!("host:{}", host.id)), &json!("active")));
    assert_eq!(events.try_recv().unwrap().kind.as_str(), "alert:raised");

    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().unwrap());
    service.post(&operator, &format!("{path}/acknowledge"), json!({ "comment": "a\nb" })).await.problem(422, "invalid");
    let known =
        service.post(&operator, &format!("{path}/acknowledge"), json!({ "comment": "so it should" })).await.ok();
    assert_eq!((&known["state"], &known["comment"]), (&json!("acknowledged"), &json!("so it should")));
    assert_eq!(events.try_recv().unwrap().kind.as_str(), "alert:acknowledged");
    alerts.look().await.unwrap();
    assert_eq!(service.get(&viewer, &path).await.ok(), known, "nothing is told twice");

    let off = json!({ "enabled": false });
    let changed = service.json(Method::PATCH, &admin, "/api/v1/alert-rules/up", off).await.ok();
    assert_eq!(changed["rule"]["revision"].as_u64(), made.json()["rule"]["revision"].as_u64().map(|before| before + 1));
    alerts.look().await.unwrap();
    let over = service.get(&viewer, &path).await.ok();
    assert_eq!((&over["state"], &over["resolution"]), (&json!("resolved"), &json!("rule-removed")));
    assert_eq!(over["acknowledged_by"], known["acknowledged_by"]);
    assert_eq!(events.try_recv().unwrap().kind.as_str(), "alert:resolved");
    service.post(&operator, &format!("{path}/acknowledge"), json!({})).await.problem(409, "conflict");

    let removed = service.json(Method::DELETE, &admin, "/api/v1/alert-rules/up", json!({})).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    service.get(&viewer, "/api/v1/alert-rules/up").await.problem(404, "not-found");
    let trail = service.get(&admin, "/api/v1/audit").await.text();
    for line in ["alert rule add", "alert acknowledge", "alert rule change", "alert rule remove"] {
        assert!(trail.contains(line), "{line} is not in {trail}");
    }
}

#[tokio::test]
async fn lists_are_bounded_and_paged() {
    let service = Service::empty().await;
    let viewer = service.token(Role::Viewer).await;
    let page = service.get(&viewer, "/api/v1/alerts").await.ok();
    assert_eq!(page, json!({ "items": [], "next_cursor": null }));
    service.get(&viewer, "/api/v1/alerts?limit=0").await.problem(422, "invalid");
    service.get(&viewer, "/api/v1/alerts?limit=1001").await.problem(422, "invalid");
    service.get(&viewer, "/api/v1/alerts/nothing").await.problem(404, "not-found");
}
