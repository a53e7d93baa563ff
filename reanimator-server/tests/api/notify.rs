//! Targets of notices over HTTP.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn targets_are_made_shown_changed_tried_and_removed() {
    let service = Service::empty().await;
    let (admin, viewer) = (service.token(Role::Admin).await, service.token(Role::Viewer).await);
    let hook = json!({
        "target": { "name": "hook", "way": { "kind": "webhook", "url": "http://127.0.0.1:1/secret-path" } },
        "secrets": { "signing_key": "s3cret-key" },
    });
    let made = service.post(&admin, "/api/v1/notify-targets", hook.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["secrets"], json!(["signing_key", "url"]));
    service.post(&admin, "/api/v1/notify-targets", hook).await.problem(409, "conflict");
    let path = "/api/v1/notify-targets/hook";
    let seen = service.get(&viewer, path).await.ok();
    assert_eq!((&seen["kind"], seen.get("target"), seen.get("secrets")), (&json!("webhook"), None, None));

    service.post(&admin, &format!("{path}/test"), json!({})).await.problem(403, "denied");
    let told = service.get(&viewer, "/api/v1/notifications?target=hook&limit=1").await.ok();
    assert_eq!(told["items"][0]["state"], "failed");
    assert_eq!(service.get(&viewer, "/api/v1/notify-targets").await.ok()["items"][0]["last_state"], "failed");

    let quiet = json!({ "change": { "quiet": { "from": "00:00", "to": "23:59" }, "enabled": false } });
    let changed = service.json(Method::PATCH, &admin, path, quiet).await.ok();
    assert_eq!(changed["target"]["quiet"]["from"], "00:00");
    let loud = service.json(Method::PATCH, &admin, path, json!({ "change": { "quiet": null } })).await.ok();
    assert_eq!((&loud["target"]["quiet"], &loud["enabled"]), (&json!(null), &json!(false)));
    let foreign = json!({ "secrets": { "urls": "json://x" } });
    service.json(Method::PATCH, &admin, path, foreign).await.problem(422, "invalid");

    for (token, path) in [(&admin, path), (&viewer, path), (&admin, "/api/v1/notifications"), (&admin, "/api/v1/audit")]
    {
        let text = service.get(token, path).await.text();
        assert!(!text.contains("s3cret-key") && !text.contains("secret-path"), "{path}: {text}");
    }
    assert_eq!(service.json(Method::DELETE, &admin, path, json!({})).await.status, StatusCode::NO_CONTENT);
    service.get(&viewer, path).await.problem(404, "not-found");
    let trail = service.get(&admin, "/api/v1/audit?what=notify*").await.ok();
    let what: Vec<_> = trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(
        what,
        ["notify remove", "notify change", "notify change", "notify change", "notify test", "notify add", "notify add"]
    );
}

#[tokio::test]
async fn what_could_never_be_sent_to_is_refused() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    for (way, word) in [
        (json!({ "kind": "pigeon" }), "pigeon"),
        (json!({ "kind": "webhook", "url": "file:///etc/passwd" }), "web address"),
        (json!({ "kind": "email", "server": "x", "from": "nobody", "to": ["a@b.org"] }), "mail address"),
        (json!({ "kind": "ntfy", "topic": "a b" }), "topic"),
    ] {
        let target = json!({ "target": { "name": "t", "way": way } });
        let answer = service.post(&admin, "/api/v1/notify-targets", target).await;
        assert!(answer.status.is_client_error() && answer.text().contains(word), "{}", answer.text());
    }
    let hosts =
        json!({ "target": { "name": "t", "way": { "kind": "apprise" }, "which": { "hosts": "state:online" } } });
    service.post(&admin, "/api/v1/notify-targets", hosts).await.problem(422, "invalid");
}
