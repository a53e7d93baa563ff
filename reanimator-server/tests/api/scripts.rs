//! Prepared scripts over HTTP: defined by admins, run by whom they name.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::{Value, json};

use crate::common::Service;

const PATH: &str = "/api/v1/scripts";

fn greet() -> Value {
    json!({ "name": "greet", "body": "echo hello\n", "parameters": [{ "name": "whom", "type": "text", "required": true }] })
}

fn run(host: &Value, parameters: Value) -> Value {
    let action = json!({ "on": "script", "host": host, "script": "greet", "parameters": parameters });
    json!({ "steps": [{ "action": action }] })
}

#[tokio::test]
async fn a_script_is_defined_changed_and_removed_and_in_the_trail() {
    let service = Service::with_hosts(&["web1"]).await;
    let (admin, viewer) = (service.token(Role::Admin).await, service.token(Role::Viewer).await);
    let created = service.post(&admin, PATH, greet()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let created = created.json();
    assert_eq!((&created["hosts"], &created["limit_seconds"]), (&json!("all"), &json!(600)));
    let mut seen = created.clone();
    seen.as_object_mut().unwrap().remove("body").unwrap();
    assert_eq!(service.get(&viewer, PATH).await.ok()["items"], json!([seen]), "who may not run it sees no text");
    assert_eq!(service.get(&viewer, &format!("{PATH}/greet")).await.ok(), seen);
    for who in [&service.token(Role::Operator).await, &admin] {
        assert_eq!(service.get(who, PATH).await.ok()["items"], json!([created]));
        assert_eq!(service.get(who, &format!("{PATH}/greet")).await.ok(), created);
    }
    service.post(&admin, PATH, greet()).await.problem(409, "conflict");
    service.post(&admin, PATH, json!({ "name": "bad name", "body": "true" })).await.problem(422, "invalid");

    let mut changed = greet();
    changed["role"] = json!("admin");
    let after = service.json(Method::PUT, &admin, &format!("{PATH}/greet"), changed.clone()).await.ok();
    assert_ne!(after["version"], created["version"]);
    service.json(Method::PUT, &admin, &format!("{PATH}/other"), changed).await.problem(422, "invalid");
    let gone = service.json(Method::DELETE, &admin, &format!("{PATH}/greet"), json!({})).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    service.get(&viewer, &format!("{PATH}/greet")).await.problem(404, "not-found");

    let trail = service.get(&admin, "/api/v1/audit").await.ok();
    let said: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert!(["script create", "script change", "script remove"].iter().all(|what| said.contains(what)), "{trail}");
}

#[tokio::test]
async fn a_secret_is_shown_to_nobody() {
    let service = Service::with_hosts(&["web1"]).await;
    let admin = service.token(Role::Admin).await;
    let host = service.get(&admin, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    let mut script = greet();
    script["parameters"][0]["secret"] = json!(true);
    assert_eq!(service.post(&admin, PATH, script).await.status, StatusCode::CREATED);
    let (path, asking) = ("/api/v1/operations", run(&host, json!({ "whom": "hunter22" })));
    let dry = service.post(&admin, &format!("{path}?dry_run=true"), asking.clone()).await;
    let asked = service.post(&admin, path, asking).await;
    let one = format!("{path}/{}", asked.json()["id"].as_str().unwrap());
    service.json(Method::DELETE, &admin, &format!("{PATH}/greet"), json!({})).await;
    let said = [dry, asked, service.get(&admin, &one).await, service.get(&admin, path).await];
    for said in said.iter().chain([&service.get(&admin, "/api/v1/audit").await]) {
        assert!(!said.text().contains("hunter22"), "{}", said.text());
    }
    assert_eq!(said[2].json()["steps"][0]["action"]["parameters"]["whom"], "***");
}

#[tokio::test]
async fn who_may_run_a_script_stands_in_its_definition() {
    let service = Service::with_hosts(&["web1"]).await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let host = service.get(&admin, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    let asking = run(&host, json!({ "whom": "x" }));
    let path = "/api/v1/operations";
    service.post(&operator, path, asking.clone()).await.problem(404, "not-found");
    service.post(&admin, PATH, greet()).await;
    let asked = service.post(&operator, path, asking.clone()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let step = &asked.json()["steps"][0];
    assert_eq!(step["action"]["version"], service.get(&admin, &format!("{PATH}/greet")).await.ok()["version"]);
    service.post(&operator, path, run(&host, json!({ "whom": "a\u{0}b" }))).await.problem(422, "invalid");
    service.post(&operator, path, run(&host, json!({}))).await.problem(422, "invalid");

    let mut closed = greet();
    for (field, value) in [("role", json!("admin")), ("risk", json!("destructive")), ("users", json!(["ada"]))] {
        closed[field] = value;
        service.json(Method::PUT, &admin, &format!("{PATH}/greet"), closed.clone()).await.ok();
        let why = service.post(&operator, path, asking.clone()).await;
        let dry = service.post(&operator, &format!("{path}?dry_run=true"), asking.clone()).await.ok();
        let refused = dry["steps"][0]["refused"].to_string();
        assert!(refused.contains("may not run the script greet"), "{dry}");
        assert!(why.text().contains("may not run the script greet"), "{}", why.text());
        why.problem(403, "denied");
    }
    let dry = service.post(&operator, &format!("{path}?dry_run=true"), asking.clone()).await.ok();
    assert_eq!(dry["risk"], "destructive");
    assert_eq!(service.post(&admin, path, asking).await.status, StatusCode::ACCEPTED);
}
