//! Maintenance windows and protections over HTTP.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn windows_are_made_shown_changed_and_removed() {
    let service = Service::with_hosts(&["web1", "db1"]).await;
    let (admin, viewer) = (service.token(Role::Admin).await, service.token(Role::Viewer).await);
    let nights = json!({
        "name": "nights", "hosts": "web*", "days": ["sat", "sun"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin",
    });
    let made = service.post(&admin, "/api/v1/windows", nights.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["times"], &made["covers_hosts"]),
        (&json!("sat-sun 22:00-06:00 Europe/Berlin"), &json!(["web1"]))
    );
    service.post(&admin, "/api/v1/windows", nights).await.problem(409, "conflict");
    let mars = json!({ "name": "mars", "hosts": "all", "from": "22:00", "to": "06:00", "zone": "Mars/Olympus" });
    service.post(&admin, "/api/v1/windows", mars).await.problem(422, "invalid");

    let path = "/api/v1/windows/nights";
    let changed = service.json(Method::PATCH, &admin, path, json!({ "to": "05:30", "enabled": false })).await.ok();
    assert_eq!((&changed["window"]["to"], &changed["opens_at"]), (&json!("05:30"), &json!(null)));
    assert_eq!(service.get(&viewer, path).await.ok()["window"]["days"], json!(["sat", "sun"]));
    assert_eq!(service.json(Method::DELETE, &admin, path, json!({})).await.status, StatusCode::NO_CONTENT);
    service.get(&viewer, path).await.problem(404, "not-found");
    assert_eq!(service.get(&viewer, "/api/v1/windows").await.ok()["items"], json!([]));

    let trail = service.get(&admin, "/api/v1/audit").await.ok();
    let what: Vec<_> = trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(what, ["window delete", "window edit", "window create", "window create", "window create"]);
}

#[tokio::test]
async fn the_trail_is_filtered_and_exported() {
    let service = Service::with_hosts(&["web1"]).await;
    let admin = service.token(Role::Admin).await;
    let bad = json!({ "name": "=cmd", "hosts": "all", "from": "22:00", "to": "06:00" });
    service.post(&admin, "/api/v1/windows", bad).await.problem(422, "invalid");
    let failed = service.get(&admin, "/api/v1/audit?outcome=!ok&what=window*").await.ok();
    assert_eq!(failed["items"].as_array().unwrap().len(), 1, "{failed}");
    assert_eq!(service.get(&admin, "/api/v1/audit?who=nobody").await.ok()["items"], json!([]));
    service.get(&admin, "/api/v1/audit?since=never").await.problem(422, "invalid");
    service.get(&admin, "/api/v1/audit?limit=0").await.problem(422, "invalid");

    let csv = service.get(&admin, "/api/v1/audit/export?what=window*").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<_> = csv.text().lines().map(str::to_owned).collect();
    assert_eq!((lines.len(), lines[0].as_str()), (2, "at,who,from,what,on,outcome"), "{lines:?}");
    assert!(lines[1].contains(",window create,'=cmd: daily"), "{lines:?}");
    let lines = service.get(&admin, "/api/v1/audit/export?format=jsonl").await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    assert!(lines.text().lines().last().unwrap().contains("\"what\":\"audit export\""), "{}", lines.text());
}

#[tokio::test]
async fn a_host_is_protected_and_no_more() {
    let service = Service::with_hosts(&["db1"]).await;
    let admin = service.token(Role::Admin).await;
    let path = "/api/v1/hosts/db1/protection";
    service.json(Method::PUT, &admin, path, json!({ "reason": "" })).await.problem(422, "invalid");
    let protection = service.json(Method::PUT, &admin, path, json!({ "reason": "all orders" })).await.ok();
    assert_eq!(protection["reason"], "all orders");
    let all = service.get(&admin, "/api/v1/protections").await.ok();
    assert_eq!(all["items"][0]["name"], "db1");
    assert_eq!(service.json(Method::DELETE, &admin, path, json!({})).await.status, StatusCode::NO_CONTENT);
    service.json(Method::DELETE, &admin, path, json!({})).await.problem(404, "not-found");
    let nobody = "/api/v1/guests/nobody/protection";
    service.json(Method::PUT, &admin, nobody, json!({ "reason": "x" })).await.problem(404, "not-found");
}
