//! Credentials over HTTP: replaced, removed, and never given out.

use axum::http::Method;
use pve_sim::{Options, Sim};
use reanimator_core::{
    fleet::{NewProxmox, ProxmoxSecret},
    model::Role,
};
use serde_json::{Value, json};

use crate::common::Service;

const PATH: &str = "/api/v1/hosts/web1/credentials";

#[tokio::test]
async fn those_of_a_host_are_listed_replaced_and_removed() {
    let service = Service::with_hosts(&["web1", "web2"]).await;
    let admin = service.token(Role::Admin).await;
    let new = json!({ "user": "admin", "password": "s3cret-one", "sudo_password": "s3cret-two" });
    let set = service.json(Method::PUT, &admin, PATH, new).await.ok();
    assert_eq!(set["names"], json!(["password", "sudo"]));
    assert_eq!((&set["subject"]["kind"], &set["user"]), (&json!("host"), &json!("admin")));
    let list = service.get(&admin, "/api/v1/credentials").await;
    assert!(!list.text().contains("s3cret"), "{}", list.text());
    let items = list.ok()["items"].as_array().unwrap().clone();
    let names: Vec<&Value> = items.iter().map(|each| &each["subject"]["name"]).collect();
    assert_eq!(names, ["web1", "web2"]);
    assert!(items[0]["changed_at"].is_string() && items[1]["changed_at"].is_null());

    let gone = service.json(Method::DELETE, &admin, &format!("{PATH}?names=sudo"), json!({})).await.ok();
    assert_eq!(gone["names"], json!(["password"]));
    let again = service.json(Method::DELETE, &admin, &format!("{PATH}?names=sudo"), json!({})).await;
    again.problem(404, "not-found");
    for wrong in [json!({}), json!({ "password": "" }), json!({ "token": "x" })] {
        let refused = service.json(Method::PUT, &admin, PATH, wrong).await.problem(422, "invalid");
        assert!(refused["next"].is_string());
    }
    let trail = service.get(&admin, "/api/v1/audit").await.text();
    assert!(trail.contains("host credentials set") && !trail.contains("s3cret"), "{trail}");
}

#[tokio::test]
async fn a_cluster_logs_in_with_the_new_ones_at_once() {
    let sim = Sim::start(Options { guests: 2, ..Options::default() }).await.unwrap();
    let (service, info) = (Service::empty().await, sim.info());
    let new = NewProxmox {
        url: info.url.clone(),
        name: Some("lab".into()),
        auth: ProxmoxSecret::Token(info.token.clone().into()),
        accept_certificate: Some(info.fingerprint.clone()),
        dry_run: false,
    };
    service.fleet.connect_proxmox(new).await.unwrap();
    let admin = service.token(Role::Admin).await;
    let path = "/api/v1/proxmox/lab/credentials";
    let guests = service.get(&admin, "/api/v1/guests").await.ok()["items"].as_array().unwrap().len();
    assert!(guests > 0);

    let wrong = json!({ "user": info.user, "password": "not this one" });
    let set = service.json(Method::PUT, &admin, path, wrong).await.ok();
    assert_eq!((&set["names"], &set["user"]), (&json!(["password"]), &json!(info.user)));
    let test = service.post(&admin, "/api/v1/proxmox/lab/test", json!({})).await.ok();
    assert_eq!(test["ok"], false);
    // What was seen stays seen.
    assert_eq!(service.get(&admin, "/api/v1/guests").await.ok()["items"].as_array().unwrap().len(), guests);

    let right = json!({ "user": info.user, "password": info.password });
    service.json(Method::PUT, &admin, path, right).await.ok();
    service.post(&admin, "/api/v1/proxmox/lab/refresh", json!({})).await.ok();
    let used = service.json(Method::DELETE, &admin, &format!("{path}?names=password"), json!({})).await;
    used.problem(409, "conflict");
    let back = service.json(Method::PUT, &admin, path, json!({ "token": info.token })).await.ok();
    assert_eq!(back["names"], json!(["token"]));
    service.post(&admin, "/api/v1/proxmox/lab/refresh", json!({})).await.ok();
}
