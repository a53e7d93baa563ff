//! Operations over HTTP: asked for, listed, stopped, and told of.

use axum::http::StatusCode;
use pve_sim::{Options, Sim};
use reanimator_core::{
    fleet::{NewProxmox, ProxmoxSecret},
    model::{OperationId, Role},
    operation::Operations,
};
use serde_json::{Value, json};

use crate::common::Service;

const PATH: &str = "/api/v1/operations";

fn restart(host: &Value) -> Value {
    json!({ "steps": [{ "action": { "on": "unit", "host": host, "unit": "nginx.service", "do": "restart" } }] })
}

#[tokio::test]
async fn an_operation_is_asked_for_shown_stopped_and_in_the_trail() {
    let service = Service::with_hosts(&["web1"]).await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let viewer = service.token(Role::Viewer).await;
    let host = service.get(&viewer, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();

    let dry = service.post(&operator, &format!("{PATH}?dry_run=true"), restart(&host)).await.ok();
    assert_eq!(dry["steps"][0]["words"], "restart nginx.service on web1");
    assert_eq!(dry["risk"], "disruptive");
    assert_eq!(dry["steps"][0]["refused"].as_array().unwrap().len(), 1, "nobody answers there: {dry}");
    assert_eq!(service.get(&viewer, PATH).await.ok()["items"], json!([]));

    let asked = service.post(&operator, PATH, restart(&host)).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let asked = asked.json();
    assert_eq!((&asked["state"], &asked["title"]), (&json!("waiting"), &json!("restart nginx.service on web1")));
    let id = asked["id"].as_str().unwrap();
    let one = format!("{PATH}/{id}");
    assert_eq!(service.get(&viewer, &one).await.ok(), asked);
    assert_eq!(service.get(&viewer, &format!("{PATH}?open=true")).await.ok()["items"], json!([asked]));
    assert_eq!(service.get(&viewer, &format!("{one}/lines")).await.ok(), json!({ "items": [] }));

    let stopping = service.post(&operator, &format!("{one}/cancel"), json!({})).await;
    assert_eq!((stopping.status, &stopping.json()["cancel"]), (StatusCode::ACCEPTED, &json!(true)));
    let done = Operations::new(service.fleet.clone()).carry_out(&OperationId::from(id)).await.unwrap();
    assert_eq!(done.state.as_str(), "cancelled");
    service.post(&operator, &format!("{one}/cancel"), json!({})).await.problem(409, "conflict");
    let lines = service.get(&viewer, &format!("{one}/lines?after=0")).await.ok();
    let number = lines["items"][0]["number"].as_i64().unwrap();
    assert_eq!(service.get(&viewer, &format!("{one}/lines?after={number}")).await.ok(), json!({ "items": [] }));
    let undone = service.post(&operator, &format!("{one}/undo"), json!({})).await;
    assert_eq!(undone.status, StatusCode::ACCEPTED, "{}", undone.text());

    let trail = service.get(&admin, "/api/v1/audit").await.ok();
    let said: Vec<(&str, &str)> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .filter(|entry| entry["on"] == id)
        .map(|entry| (entry["what"].as_str().unwrap(), entry["outcome"].as_str().unwrap()))
        .collect();
    let what = "operation: restart nginx.service on web1";
    let cancel = "operation cancel";
    let wanted =
        [(what, "started"), (cancel, "ok"), (what, "cancelled"), (cancel, "conflict"), ("operation undo", "ok")];
    assert_eq!(said, wanted);
}

#[tokio::test]
async fn a_guest_is_tagged_and_deleted_by_who_may() {
    let sim = Sim::start(Options { guests: 6, ..Options::default() }).await.unwrap();
    let service = Service::with_hosts(&[]).await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let new = NewProxmox {
        url: sim.info().url.clone(),
        name: None,
        auth: ProxmoxSecret::Token(sim.info().token.clone().into()),
        accept_certificate: Some(sim.info().fingerprint.clone()),
        dry_run: false,
    };
    service.fleet.connect_proxmox(new).await.unwrap();
    let id = service.fleet.guest(None, "102").await.unwrap().id;
    let one = |change: Value| {
        let mut action = json!({ "on": "guest", "id": id });
        action.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({ "steps": [{ "action": action }] })
    };
    let carry_out = async |asked: Value| {
        let id = OperationId::from(asked["id"].as_str().unwrap());
        Operations::new(service.fleet.clone()).carry_out(&id).await.unwrap()
    };
    let tag = one(json!({ "do": "tag", "add": ["rented"] }));
    let dry = service.post(&operator, &format!("{PATH}?dry_run=true"), tag.clone()).await.ok();
    assert!(dry["steps"][0]["calls"][0].as_str().unwrap().contains("tags=dev%3Brented"), "{dry}");
    let tagged = carry_out(service.post(&operator, PATH, tag).await.json()).await;
    assert_eq!(tagged.steps[0].outcome.as_deref(), Some("its tags are dev, rented"));

    let delete = one(json!({ "do": "delete", "confirm": "db2" }));
    service.post(&operator, PATH, delete.clone()).await.problem(403, "denied");
    let wrong = one(json!({ "do": "delete", "confirm": "db1" }));
    let refused = carry_out(service.post(&admin, PATH, wrong).await.json()).await;
    assert!(refused.note.unwrap().contains("is called db2"));
    let gone = carry_out(service.post(&admin, PATH, delete).await.json()).await;
    assert_eq!(gone.steps[0].outcome.as_deref(), Some("it is gone"));
}

#[tokio::test]
async fn operations_come_in_pages_and_nonsense_is_refused() {
    let service = Service::with_hosts(&["web1"]).await;
    let operator = service.token(Role::Operator).await;
    let host = service.get(&operator, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    for _ in 0..3 {
        assert_eq!(service.post(&operator, PATH, restart(&host)).await.status, StatusCode::ACCEPTED);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.get(&operator, &format!("{PATH}?limit=2&cursor={cursor}")).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|each| each["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");

    service.get(&operator, &format!("{PATH}?limit=0")).await.problem(422, "invalid");
    service.get(&operator, &format!("{PATH}/nothing/lines")).await.problem(404, "not-found");
    service.post(&operator, PATH, json!({ "steps": [] })).await.problem(422, "invalid");
    let early = json!({ "action": restart(&host)["steps"][0]["action"], "after": [1] });
    service.post(&operator, PATH, json!({ "steps": [early] })).await.problem(422, "invalid");
    let dance = json!({ "steps": [{ "action": { "on": "guest", "id": "1", "do": "dance" } }] });
    service.post(&operator, PATH, dance).await.problem(422, "invalid");
    service.post(&operator, &format!("{PATH}/nothing/undo"), json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_title_drives_no_terminal() {
    let service = Service::with_hosts(&["web1"]).await;
    let operator = service.token(Role::Operator).await;
    let host = service.get(&operator, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    let mut asking = restart(&host);
    asking["title"] = json!("all\u{1b}[2J is\r\nwell\u{9b}1m\u{202e}");
    assert_eq!(service.post(&operator, PATH, asking.clone()).await.json()["title"], "all [2J is  well 1m");
    asking["title"] = json!("\u{1b}\n");
    assert_eq!(service.post(&operator, PATH, asking).await.json()["title"], "restart nginx.service on web1");
}

#[tokio::test]
async fn a_slip_of_the_pen_is_told_and_nothing_is_asked_for() {
    let service = Service::with_hosts(&["web1"]).await;
    let operator = service.token(Role::Operator).await;
    let host = service.get(&operator, "/api/v1/hosts/web1").await.ok()["host"]["id"].clone();
    let well = restart(&host)["steps"][0]["action"].clone();
    let mut strange = well.clone();
    strange["foo"] = json!(1);
    for (step, field) in [
        (json!({ "action": strange }), "foo"),
        (json!({ "action": well, "aftr": [0] }), "aftr"),
        (json!({ "action": well, "limitseconds": 1 }), "limitseconds"),
    ] {
        let said = service.post(&operator, PATH, json!({ "steps": [{ "action": well }, step] })).await;
        assert!(said.text().contains(field), "{}", said.text());
        said.problem(422, "invalid");
    }
    assert_eq!(service.get(&operator, PATH).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn guests_are_moved_within_their_cluster_and_to_another_one() {
    let sim = Sim::start(Options { clusters: 2, guests: 3, ..Options::default() }).await.unwrap();
    let (service, info) = (Service::empty().await, sim.info());
    for node in [0, 3] {
        let new = NewProxmox {
            url: info.nodes[node].url.clone(),
            name: None,
            auth: ProxmoxSecret::Token(info.token.clone().into()),
            accept_certificate: Some(info.nodes[node].fingerprint.clone()),
            dry_run: false,
        };
        service.fleet.connect_proxmox(new).await.unwrap();
    }
    let operator = service.token(Role::Operator).await;
    let host =
        async |name: &str| service.get(&operator, &format!("/api/v1/hosts/{name}")).await.ok()["host"]["id"].clone();
    let guests = service.get(&operator, "/api/v1/guests").await.ok();
    let is_it = |guest: &&Value| guest["vmid"] == "100" && guest["node"] == "pve1";
    let id = guests["items"].as_array().unwrap().iter().find(is_it).unwrap()["id"].clone();
    let asked = |change: Value| {
        let mut action = json!({ "on": "guest", "id": id });
        action.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({ "steps": [{ "action": action }] })
    };
    let dry = format!("{PATH}?dry_run=true");

    let within = asked(json!({ "do": "migrate", "to": host("pve2").await, "mode": "live" }));
    let shown = service.post(&operator, &dry, within).await.ok();
    assert_eq!(shown["risk"], "low", "{shown}");
    assert_eq!(
        shown["steps"][0]["calls"],
        json!(["POST /nodes/pve1/qemu/100/migrate target=pve2&online=1"]),
        "{shown}"
    );

    let other = host("c2-pve2").await;
    let beyond = json!({ "do": "remote-migrate", "to": other, "storage": "tank", "bridge": "vmbr0", "online": true });
    let shown = service.post(&operator, &dry, asked(beyond)).await.ok();
    let call = shown["steps"][0]["calls"][0].as_str().unwrap();
    assert!(call.contains("remote_migrate target-vmid=103&target-storage=tank"), "{shown}");
    let secret = info.token.split_once('=').unwrap().1;
    assert!(call.contains("apitoken=PVEAPIToken=root@pam!sim=***") && !call.contains(secret), "{shown}");
}
