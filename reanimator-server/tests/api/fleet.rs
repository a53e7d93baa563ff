//! Hosts, clusters and lists over HTTP: each route's way through.

use crate::common::{Service, request};
use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_host_is_added_seen_changed_and_removed() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let new = json!({
        "address": "127.0.0.1", "port": 1, "name": "web1", "groups": ["web"], "tags": ["prod"],
        "auth": { "password": "secret" }, "sudo": { "password": "sudo secret" }, "unchecked": true,
    });
    let added = service.post(&admin, "/api/v1/hosts", new.clone()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert!(!added.text().contains("secret"));
    let id = added.json()["id"].as_str().unwrap().to_owned();
    service.post(&admin, "/api/v1/hosts", new).await.problem(409, "conflict");

    let shown = service.get(&admin, &format!("/api/v1/hosts/{id}")).await.ok();
    assert_eq!(shown["host"]["name"], "web1");
    assert_eq!(shown["host"]["state"], "unknown");
    assert_eq!(shown["telemetry"], Value::Null);
    assert_eq!(shown["links"][0]["kind"], "ssh");

    let change = json!({ "name": "web-one", "maintenance": true, "groups": [] });
    let changed = service.json(Method::PATCH, &admin, &format!("/api/v1/hosts/{id}"), change).await.ok();
    assert_eq!((&changed["name"], &changed["state"]), (&json!("web-one"), &json!("maintenance")));
    assert_eq!((&changed["groups"], &changed["tags"]), (&json!([]), &json!(["prod"])));

    let delete = || service.send(request(Method::DELETE, &format!("/api/v1/hosts/{id}")).bearer(&admin).empty());
    assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
    delete().await.problem(404, "not-found");
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_not_stored() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let new = json!({ "address": "127.0.0.1", "port": closed, "name": "gone", "auth": { "password": "x" } });
    let problem = service.post(&admin, "/api/v1/hosts", new).await.problem(502, "unreachable");
    assert!(problem["next"].is_string(), "{problem}");
    assert_eq!(service.get(&admin, "/api/v1/hosts").await.ok()["total"], 0);
}

#[tokio::test]
async fn lists_come_in_pages_sorted_and_reduced_as_asked() {
    let service = Service::with_hosts(&["web1", "web2", "web3", "db1"]).await;
    let viewer = service.token(Role::Viewer).await;
    let list = |query: &str| {
        let path = format!("/api/v1/hosts?{query}");
        let viewer = viewer.clone();
        let service = &service;
        async move { service.get(&viewer, &path).await.ok() }
    };
    let first = list("limit=3&sort=-name").await;
    assert_eq!(names(&first), ["web3", "web2", "web1"]);
    assert_eq!(first["total"], 4);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = list(&format!("limit=3&sort=-name&cursor={cursor}")).await;
    assert_eq!(names(&rest), ["db1"]);
    assert_eq!(rest["next_cursor"], Value::Null);

    assert_eq!(names(&list("filter=web*,!web2").await), ["web1", "web3"]);
    assert_eq!(list("limit=1&fields=name,state").await["items"], json!([{ "name": "db1", "state": "unknown" }]));
    let problem = service.get(&viewer, "/api/v1/hosts?filter=wbe1").await.problem(404, "not-found");
    assert!(problem["next"].as_str().unwrap().contains("web1"), "{problem}");
    service.get(&viewer, "/api/v1/hosts?limit=1001").await.problem(422, "invalid");
}

#[tokio::test]
async fn status_holds_hosts_totals_and_the_time() {
    let service = Service::with_hosts(&["web1"]).await;
    let viewer = service.token(Role::Viewer).await;
    let status = service.get(&viewer, "/api/v1/status").await.ok();
    assert_eq!(status["hosts"][0]["name"], "web1");
    assert_eq!(status["hosts"][0]["cpu_percent"], Value::Null, "absent is null, never zero");
    assert_eq!(status["totals"]["hosts"]["total"], 1);
    assert!(status["at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn history_is_points_in_milliseconds_with_gaps_as_null() {
    let service = Service::with_hosts(&["web1"]).await;
    let viewer = service.token(Role::Viewer).await;
    let history = |query: &str| {
        let path = format!("/api/v1/hosts/web1/history?{query}");
        let (service, viewer) = (&service, viewer.clone());
        async move { service.get(&viewer, &path).await }
    };
    let span = "from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z";
    let answer = history(&format!("{span}&metric=cpu_percent,load1&points=10")).await.ok();
    let metrics = answer["metrics"].as_object().unwrap();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["cpu_percent", "load1"]);
    for points in metrics.values() {
        for point in points.as_array().unwrap() {
            assert!(point[0].as_i64().unwrap() >= 1_767_225_600_000 && point[1].is_null(), "{point}");
        }
    }
    history("metric=colour").await.problem(422, "invalid");
    history("points=0").await.problem(422, "invalid");
    history("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").await.problem(422, "invalid");
}

#[tokio::test]
async fn an_inventory_is_shown_first_and_then_taken() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let import = |dry_run: bool| {
        let text = "[web]\nweb1 ansible_host=192.0.2.1 ansible_user=admin\nweb2 ansible_host=192.0.2.2\n";
        service.post(
            &admin,
            "/api/v1/hosts/import",
            json!({ "format": "ansible-ini", "text": text, "dry_run": dry_run }),
        )
    };
    let dry = import(true).await.ok();
    assert_eq!((dry["added"].as_u64(), dry["found"].as_array().unwrap().len()), (Some(0), 2));
    assert_eq!(dry["found"][0]["state"], "new");
    assert_eq!(service.get(&admin, "/api/v1/hosts").await.ok()["total"], 0);
    assert_eq!(import(false).await.ok()["added"], 2);
    assert_eq!(names(&service.get(&admin, "/api/v1/hosts?filter=group:web").await.ok()), ["web1", "web2"]);
    assert_eq!(import(false).await.ok()["added"], 0);
}

#[tokio::test]
async fn an_ssh_configuration_is_an_inventory_too() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let text = "Host pi\n  HostName 192.0.2.7\n  Port 2222\n  User me\nHost *\n  User other\n";
    let body = json!({ "format": "ssh-config", "text": text, "dry_run": false });
    let report = service.post(&admin, "/api/v1/hosts/import", body).await.ok();
    assert_eq!(report["added"], 1, "{report}");
    let found = &report["found"][0];
    assert_eq!((&found["name"], &found["address"], &found["port"]), (&json!("pi"), &json!("192.0.2.7"), &json!(2222)));
    assert_eq!(found["user"], "me");
}

#[tokio::test]
async fn a_test_names_the_step_that_failed() {
    let service = Service::with_hosts(&["web1"]).await;
    let operator = service.token(Role::Operator).await;
    let report = service.post(&operator, "/api/v1/hosts/web1/test", json!({})).await.ok();
    assert_eq!(report["ok"], false);
    assert!(report["steps"].as_array().unwrap().iter().any(|step| step["ok"] == false), "{report}");
    service.post(&operator, "/api/v1/hosts/web1/observe", json!({})).await.problem(502, "unreachable");
}

#[tokio::test]
async fn what_there_is_none_of_is_an_empty_list() {
    let service = Service::empty().await;
    let viewer = service.token(Role::Viewer).await;
    for path in ["guests", "storages", "proxmox", "matches", "hosts"] {
        let list = service.get(&viewer, &format!("/api/v1/{path}")).await.ok();
        assert_eq!(list, json!({ "items": [], "next_cursor": null, "total": 0 }), "{path}");
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_not_connected() {
    let service = Service::empty().await;
    let admin = service.token(Role::Admin).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let new = json!({ "url": format!("https://127.0.0.1:{closed}"), "auth": { "token": "root@pam!x=secret" } });
    let answer = service.post(&admin, "/api/v1/proxmox/connect", new).await;
    assert!(!answer.text().contains("secret"));
    answer.problem(502, "unreachable");
    service.post(&admin, "/api/v1/proxmox/nothing/test", json!({})).await.problem(404, "not-found");
    let remove = request(Method::DELETE, "/api/v1/proxmox/nothing").bearer(&admin).empty();
    service.send(remove).await.problem(404, "not-found");
    service.post(&admin, "/api/v1/matches/nothing", json!({ "same": true })).await.problem(404, "not-found");
}

#[tokio::test]
async fn exec_answers_a_line_per_host_and_the_counts_last() {
    let service = Service::on_this_machine().await;
    let admin = service.token(Role::Admin).await;
    service.add("gone").await;
    let command = json!({ "command": "echo 'a \"b\" $HOME'; echo ümlaut >&2", "on": "all" });
    let answer = service.post(&admin, "/api/v1/exec", command).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[2], json!({ "done": true, "ok": 1, "failed": 1 }));
    let here = lines.iter().find(|line| line["status"] == 0).unwrap();
    assert_eq!((&here["stdout"], &here["stderr"]), (&json!("a \"b\" $HOME\n"), &json!("ümlaut\n")));
    assert_eq!((&here["error"], &here["stdout_cut_at"]), (&Value::Null, &Value::Null));
    let gone = lines.iter().find(|line| line["host"] == "gone").unwrap();
    assert_eq!((&gone["error"]["kind"], &gone["status"]), (&json!("unreachable"), &Value::Null));

    let cut = json!({ "command": "yes", "on": "!gone", "output_limit_bytes": 10, "time_limit_seconds": 1 });
    let answer = service.post(&admin, "/api/v1/exec", cut).await;
    let line: Value = serde_json::from_str(answer.text().lines().next().unwrap()).unwrap();
    assert!(line["stdout"].as_str().unwrap().len() <= 10, "{line}");

    let refused = |body: Value| service.post(&admin, "/api/v1/exec", body);
    refused(json!({ "command": "true", "on": "nothing" })).await.problem(404, "not-found");
    refused(json!({ "command": "true", "on": "kind:windows" })).await.problem(422, "invalid");
    refused(json!({ "command": "true", "on": "all", "time_limit_seconds": 0 })).await.problem(422, "invalid");
}

#[tokio::test]
async fn people_and_tokens_come_and_go_and_the_last_admin_stays() {
    let service = Service::empty().await;
    let ada = service.person(crate::common::ADMIN, Role::Admin).await;
    let send = |method: Method, path: &str, body: Value| service.send(request(method, path).by(&ada).json(&body));
    let new = json!({ "name": "vera", "password": "another long one", "role": "viewer" });
    assert_eq!(send(Method::POST, "/api/v1/users", new).await.status, StatusCode::CREATED);
    let listed = send(Method::GET, "/api/v1/users", json!({})).await;
    assert_eq!(names(&listed.ok()), ["ada", "vera"]);
    assert!(!listed.text().contains("argon2"), "{}", listed.text());
    let changed = send(Method::PATCH, "/api/v1/users/vera", json!({ "role": "operator" })).await.ok();
    assert_eq!(changed["role"], "operator");
    assert_eq!(send(Method::DELETE, "/api/v1/users/vera", json!({})).await.status, StatusCode::NO_CONTENT);
    send(Method::DELETE, "/api/v1/users/ada", json!({})).await.problem(409, "conflict");
    send(Method::PATCH, "/api/v1/users/ada", json!({ "role": "viewer" })).await.problem(409, "conflict");

    let made = send(Method::POST, "/api/v1/tokens", json!({ "name": "bot", "role": "viewer" })).await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("rnm_"));
    let listed = send(Method::GET, "/api/v1/tokens", json!({})).await;
    assert_eq!(names(&listed.ok()), ["bot"]);
    assert!(!listed.text().contains(&token));
    assert_eq!(send(Method::DELETE, "/api/v1/tokens/bot", json!({})).await.status, StatusCode::NO_CONTENT);
    send(Method::DELETE, "/api/v1/tokens/bot", json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn every_change_is_in_the_audit_trail_with_who_what_and_how_it_ended() {
    let service = Service::with_hosts(&["web1"]).await;
    let admin = service.token(Role::Admin).await;
    service.json(Method::PATCH, &admin, "/api/v1/hosts/web1", json!({ "tags": ["x"] })).await.ok();
    service
        .json(Method::PATCH, &admin, "/api/v1/hosts/nothing", json!({ "tags": ["x"] }))
        .await
        .problem(404, "not-found");
    let trail = service.get(&admin, "/api/v1/audit?limit=2").await.ok();
    let lines: Vec<Vec<&str>> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| ["who", "what", "on", "from", "outcome"].map(|field| item[field].as_str().unwrap()).to_vec())
        .collect();
    let who = "token:admin-0";
    assert_eq!(lines, [[who, "host set", "nothing", "local", "not-found"], [who, "host set", "web1", "local", "ok"]]);
    let cursor = trail["next_cursor"].as_str();
    if let Some(cursor) = cursor {
        let older = service.get(&admin, &format!("/api/v1/audit?limit=2&cursor={cursor}")).await.ok();
        assert!(!older["items"].as_array().unwrap().is_empty());
    }
    service.get(&admin, "/api/v1/audit?cursor=x").await.problem(422, "invalid");
}

#[tokio::test]
async fn what_was_begun_is_carried_out_and_noted_though_nobody_waits_for_it() {
    let service = Service::with_hosts(&["pi"]).await;
    let admin = service.token(Role::Admin).await;
    // A test of a host that is not there takes a while: dropped at its first wait, as when the client hangs up.
    let asked = service.post(&admin, "/api/v1/hosts/pi/test", json!({}));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), asked).await.is_err(), "it is hung up on");
    noted(&service, "host test", "ok").await;

    let service = Service::on_this_machine().await;
    let admin = service.token(Role::Admin).await;
    service.post(&admin, "/api/v1/exec", json!({ "command": "exit 3", "on": "all" })).await;
    noted(&service, "exec", "failed on 1 of 1").await;
    noted(&service, "exec", "started").await;
    let ask = request(Method::POST, "/api/v1/exec").bearer(&admin);
    let ask = ask.json(&json!({ "command": "sleep 600", "on": "all" }));
    drop(tower::ServiceExt::oneshot(service.app.clone(), ask).await.unwrap());
    noted(&service, "exec", "stopped after 0 answers").await;
}

/// Waits until that stands in the audit trail.
async fn noted(service: &Service, what: &str, outcome: &str) {
    let noting = async {
        loop {
            let trail = service.fleet.access().audit(None, 20).await.unwrap();
            if trail.iter().any(|line| (line.entry.what.as_str(), line.entry.outcome.as_str()) == (what, outcome)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let late = format!("{what}: {outcome} is not noted");
    tokio::time::timeout(std::time::Duration::from_secs(20), noting).await.expect(&late);
}
