//! What an admin decides about the fleet's own data.

use axum::http::Method;
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::Service;

#[tokio::test]
async fn retention_is_shown_changed_in_part_and_noted() {
    let service = Service::empty().await;
    let (viewer, admin) = (service.token(Role::Viewer).await, service.token(Role::Admin).await);
    let shown = service.get(&viewer, "/api/v1/settings").await.ok();
    let defaults = json!({
        "samples_hours": 24, "minutes_days": 7, "quarters_days": 90, "six_hours_days": 730,
        "events_days": 90, "changes_days": 730,
    });
    assert_eq!(shown["retention"], defaults);
    assert!(shown["sizes"]["database_bytes"].as_u64().unwrap() > 0, "{shown}");
    let change = json!({ "retention": { "minutes_days": 14 } });
    let changed = service.json(Method::PATCH, &admin, "/api/v1/settings", change).await.ok();
    assert_eq!(changed["retention"]["minutes_days"], 14);
    assert_eq!(changed["retention"]["samples_hours"], 24);
    let trail = service.get(&admin, "/api/v1/audit").await.ok();
    assert_eq!(trail["items"][0]["what"], "settings change");
    assert_eq!(trail["items"][0]["on"], "minutes_days 14");
}

#[tokio::test]
async fn a_retention_that_cannot_be_is_refused_by_its_name() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    for (field, value) in [("samples_hours", 0), ("minutes_days", 91), ("six_hours_days", 1_000_000)] {
        let change = json!({ "retention": { field: value } });
        let refused = service.json(Method::PATCH, &admin, "/api/v1/settings", change).await;
        let problem = refused.problem(422, "invalid");
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
        assert!(problem["next"].is_string(), "{problem}");
    }
    for wrong in [json!({ "retention": { "minutes": 1 } }), json!({ "retention": { "minutes_days": -1 } })] {
        let refused = service.json(Method::PATCH, &admin, "/api/v1/settings", wrong).await;
        assert!(refused.status.is_client_error());
    }
    let shown = service.get(&admin, "/api/v1/settings").await.ok();
    assert_eq!(shown["retention"]["samples_hours"], 24);
}
