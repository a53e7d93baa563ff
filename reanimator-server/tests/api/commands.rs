//! Commands on many hosts as jobs of the service.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use reanimator_core::model::{EventKind, Role};
use serde_json::{Value, json};

use crate::common::Service;

const PATH: &str = "/api/v1/commands";

/// The view of a run once it is as wanted.
async fn until(service: &Service, token: &str, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let view = service.get(token, &format!("{PATH}/{id}")).await.ok();
        if wanted(&view) {
            return view;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come: {view}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_command_runs_by_itself_and_is_shown_in_groups() {
    let service = Service::on_this_machine().await;
    let admin = service.token(Role::Admin).await;
    service.add("gone").await;
    let mut events = service.fleet.events();
    let started = service.post(&admin, PATH, json!({ "command": "echo a; echo b >&2; exit 4", "on": "all" })).await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text());
    let started = started.json();
    assert_eq!((&started["state"], &started["hosts"]), (&json!("running"), &json!(2)));
    let id = started["id"].as_str().unwrap();
    let view = until(&service, &admin, id, |view| view["state"] == "done").await;
    assert_eq!((&view["ok"], &view["failed"], view["groups"].as_array().unwrap().len()), (&json!(0), &json!(2), 2));
    let here = &view["groups"][0];
    assert_eq!((&here["stdout"], &here["stderr"], &here["status"]), (&json!("a\n"), &json!("b\n"), &json!(4)));
    assert_eq!((&here["majority"], &view["groups"][1]["error"]["kind"]), (&json!(true), &json!("unreachable")));
    let host = here["hosts"][0]["id"].as_str().unwrap();
    let answer = service.get(&admin, &format!("{PATH}/{id}/answers/{host}")).await.ok();
    assert_eq!((&answer["stdout"], &answer["state"]), (&json!("a\n"), &json!("over")));
    service.get(&admin, &format!("{PATH}/{id}/answers/nowhere")).await.problem(404, "not-found");

    let mut told = Vec::new();
    while told.last() != Some(&EventKind::CommandEnded) {
        let event = events.recv().await.unwrap();
        assert!(!event.kind.as_str().starts_with("command:") || !event.data.to_string().contains("echo"), "{event:?}");
        told.push(event.kind);
    }
    assert!(told.contains(&EventKind::CommandStarted), "{told:?}");

    let listed = service.get(&admin, &format!("{PATH}?limit=1")).await.ok();
    assert_eq!((&listed["items"][0]["id"], &listed["next_cursor"]), (&started["id"], &Value::Null));
    service.get(&admin, &format!("{PATH}?limit=0")).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_command_is_stopped_and_what_is_wrong_is_refused() {
    let service = Service::on_this_machine().await;
    let admin = service.token(Role::Admin).await;
    let run = service.post(&admin, PATH, json!({ "command": "echo half; sleep 1000", "on": "all" })).await.json();
    let id = run["id"].as_str().unwrap();
    let view = until(&service, &admin, id, |view| view["groups"][0]["stdout"] == "half\n").await;
    assert_eq!(view["groups"][0]["running"], true);
    let stopped = service.post(&admin, &format!("{PATH}/{id}/stop"), json!({})).await;
    assert_eq!((stopped.status, &stopped.json()["state"]), (StatusCode::ACCEPTED, &json!("stopped")));
    service.post(&admin, &format!("{PATH}/{id}/stop"), json!({})).await.problem(409, "conflict");
    service.post(&admin, &format!("{PATH}/nothing/stop"), json!({})).await.problem(404, "not-found");

    let refused = |body: Value| service.post(&admin, PATH, body);
    refused(json!({ "command": "true", "on": "nothing" })).await.problem(404, "not-found");
    refused(json!({ "command": " ", "on": "all" })).await.problem(422, "invalid");
    refused(json!({ "command": "true", "on": "all", "time_limit_seconds": 0 })).await.problem(422, "invalid");
    let trail = service.get(&admin, "/api/v1/audit").await.ok();
    let said: Vec<String> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["what"], entry["outcome"]))
        .collect();
    for wanted in [r#""exec" "started""#, r#""exec" "stopped after 0 answers""#, r#""exec stop" "ok""#] {
        assert!(said.iter().any(|said| said == wanted), "{wanted}: {said:?}");
    }
}

#[tokio::test]
async fn commands_are_saved_changed_and_removed() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let path = "/api/v1/saved-commands";
    let saved = service.post(&admin, path, json!({ "name": "up", "command": "uptime", "on": "web*" })).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    assert_eq!(saved.json()["time_limit_seconds"], 60);
    service.post(&admin, path, json!({ "name": "up", "command": "uptime" })).await.problem(409, "conflict");
    service.post(&admin, path, json!({ "name": "a b", "command": "uptime" })).await.problem(422, "invalid");
    let send = async |method: Method, name: &str, body: Value| {
        service.json(method, &admin, &format!("{path}/{name}"), body).await
    };
    let changed = json!({ "name": "up", "command": "uptime -p", "sudo": true });
    assert_eq!(send(Method::PUT, "up", changed.clone()).await.ok()["command"], "uptime -p");
    send(Method::PUT, "other", changed).await.problem(422, "invalid");
    assert_eq!(service.get(&admin, path).await.ok()["items"][0]["sudo"], true);
    assert_eq!(send(Method::DELETE, "up", json!({})).await.status, StatusCode::NO_CONTENT);
    service.get(&admin, &format!("{path}/up")).await.problem(404, "not-found");
}
