//! Backups over HTTP: made, looked at, put back.

use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use reanimator_core::{
    model::Role,
    workflows::live::{LiveLoop, LiveOptions},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::{ADMIN, Answer, PASSWORD, Person, Service, request};

const PASSPHRASE: &str = "correct horse battery";

async fn make(service: &Service, token: &str) -> Vec<u8> {
    let body = json!({ "passphrase": PASSPHRASE, "history": true });
    let made = service.post(token, "/api/v1/backup", body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert_eq!(made.headers[header::CONTENT_TYPE], "application/octet-stream");
    let name = made.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"reanimator-") && name.ends_with(".age\""), "{name}");
    assert_eq!(made.headers[header::CONTENT_LENGTH], made.bytes.len().to_string());
    made.bytes
}

/// A form with these fields.
fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in fields {
        let file = if *name == "file" { "; filename=\"backup.age\"" } else { "" };
        let head = format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--limit--\r\n");
    body
}

async fn send(service: &Service, token: &str, path: &str, fields: &[(&str, &[u8])]) -> Answer {
    let asking = request(Method::POST, path).bearer(token);
    service.send(asking.header("content-type", "multipart/form-data; boundary=limit").raw(form(fields))).await
}

fn scratch(service: &Service) -> usize {
    let names = std::fs::read_dir(service.fleet.data_dir()).unwrap();
    names.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("scratch-")).count()
}

#[tokio::test]
async fn a_backup_restores_another_service_and_everybody_logs_in_again() {
    let old = Service::with_hosts(&["web1", "web2"]).await;
    old.person(ADMIN, Role::Admin).await;
    let token = old.token(Role::Admin).await;
    let backup = make(&old, &token).await;
    assert_eq!(scratch(&old), 0);

    let new = Service::with_hosts(&["other"]).await;
    let person: Person = new.person("bob", Role::Admin).await;
    let admin = new.token(Role::Admin).await;
    let fields: &[(&str, &[u8])] = &[("passphrase", PASSPHRASE.as_bytes()), ("file", &backup)];
    let report = send(&new, &admin, "/api/v1/backup/inspect", fields).await.ok();
    assert_eq!((&report["hosts"], &report["users"], &report["history"]), (&json!(2), &json!(1), &json!(true)));
    assert_eq!(new.get(&admin, "/api/v1/hosts").await.ok()["items"][0]["name"], "other");

    let restored = send(&new, &admin, "/api/v1/backup/restore", fields).await.ok();
    assert_eq!((&restored["hosts"], &restored["log_in_again"]), (&json!(2), &json!(true)));
    assert_eq!(scratch(&new), 0);
    // Neither the token nor the session of before is known any more; those of the backup are.
    new.get(&admin, "/api/v1/hosts").await.problem(401, "unauthenticated");
    new.send(request(Method::GET, "/api/v1/me").cookie(&person).empty()).await.problem(401, "unauthenticated");
    assert_eq!(new.log_in(ADMIN, PASSWORD).await.status, StatusCode::OK);
    let hosts = new.get(&token, "/api/v1/hosts").await.ok();
    let names: Vec<&str> =
        hosts["items"].as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["web1", "web2"]);
    let trail = new.get(&token, "/api/v1/audit").await.ok();
    let what: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"backup restore") && what.contains(&"backup inspect"), "{what:?}");
    assert!(!trail.to_string().contains(PASSPHRASE));
}

#[tokio::test]
async fn what_cannot_be_restored_changes_nothing() {
    let old = Service::with_hosts(&["web1"]).await;
    old.person(ADMIN, Role::Admin).await;
    let token = old.token(Role::Admin).await;
    let backup = make(&old, &token).await;
    let nobody = Service::with_hosts(&["web1"]).await;
    let without_people = make(&nobody, &nobody.token(Role::Admin).await).await;
    let right = PASSPHRASE.as_bytes();
    for (fields, word) in [
        (&[("passphrase", &b"wrong horse battery"[..]), ("file", &backup)][..], "passphrase"),
        (&[("passphrase", right), ("file", &backup[..backup.len() - 1])], "cut off"),
        (&[("passphrase", right), ("file", b"no backup")], "no backup"),
        (&[("passphrase", right), ("file", b"")], "no backup"),
        (&[("passphrase", right), ("file", &without_people)], "nobody"),
        (&[("file", &backup)], "passphrase is missing"),
        (&[("passphrase", right)], "file is missing"),
        (&[("passphrase", right), ("file", &backup), ("more", b"")], "belong"),
        (&[("passphrase", &[b'x'; 2000]), ("file", &backup)], "longer"),
    ] {
        let problem = send(&old, &token, "/api/v1/backup/restore", fields).await.problem(422, "invalid");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{word}: {problem}");
        assert!(problem["next"].is_string(), "{problem}");
    }
    old.post(&token, "/api/v1/backup/restore", json!({})).await.problem(415, "invalid");
    let short = old.post(&token, "/api/v1/backup", json!({ "passphrase": "too short" })).await;
    assert!(short.problem(422, "invalid")["next"].as_str().unwrap().contains("12 characters"));
    assert_eq!(old.get(&token, "/api/v1/hosts").await.ok()["items"][0]["name"], "web1");
    assert_eq!(scratch(&old), 0);
}

#[tokio::test]
async fn only_a_backup_may_be_larger_than_other_bodies() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let large = vec![b'x'; 3 << 20];
    let fields: &[(&str, &[u8])] = &[("passphrase", PASSPHRASE.as_bytes()), ("file", &large)];
    let taken = send(&service, &admin, "/api/v1/backup/inspect", fields).await.problem(422, "invalid");
    assert!(taken["detail"].as_str().unwrap().contains("no backup"), "{taken}");
    let text = "x".repeat(3 << 20);
    service.post(&admin, "/api/v1/backup", json!({ "passphrase": text })).await.problem(413, "invalid");
}

#[tokio::test]
async fn a_running_live_loop_goes_on_with_the_restored_fleet() {
    let old = Service::on_this_machine().await;
    old.person(ADMIN, Role::Admin).await;
    let token = old.token(Role::Admin).await;
    let backup = make(&old, &token).await;
    let new = Service::with_hosts(&["other"]).await;
    let admin = new.token(Role::Admin).await;
    let stop = CancellationToken::new();
    let options = LiveOptions { interval: Duration::from_millis(200), ..LiveOptions::default() };
    let running = tokio::spawn(LiveLoop::new(new.fleet.clone(), options).run(stop.clone()));
    let mut events = new.fleet.events();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let fields: &[(&str, &[u8])] = &[("passphrase", PASSPHRASE.as_bytes()), ("file", &backup)];
    send(&new, &admin, "/api/v1/backup/restore", fields).await.ok();
    let this_machine = new.fleet.status().await.unwrap().hosts;
    assert_eq!(this_machine.len(), 1);
    assert_ne!(this_machine[0].name, "other");
    let seen = async {
        let mut told = Vec::new();
        loop {
            told.push(events.recv().await.unwrap().kind.as_str());
            let hosts = new.fleet.status().await.unwrap().hosts;
            if hosts[0].observed_at.is_some() && told.contains(&"host:removed") && told.contains(&"host:added") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap();
    stop.cancel();
    running.await.unwrap().unwrap();
}
