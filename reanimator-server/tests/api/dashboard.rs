//! The dashboard's tables: each in pages, sorted, reduced, filtered, and not sent twice to who has it already.

use axum::http::{Method, StatusCode};
use pve_sim::{Options, Sim};
use reanimator_core::{
    fleet::{NewProxmox, ProxmoxSecret},
    model::Role,
    store::NewFacts,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::common::{Service, request};

/// Each list, a field to sort by, a filter that fits some of its items, and the field that this is about.
const LISTS: [(&str, &str, &str, &str); 5] = [
    ("/api/v1/dashboard/nodes", "cpu_threads", "pve*", "name"),
    ("/api/v1/dashboard/vms", "ram_total_mb", "kind:lxc", "kind"),
    ("/api/v1/storage", "total_gb", "shared:false", "shared"),
    ("/api/v1/network", "mtu", "lo", "interface"),
    ("/api/v1/proxmox/clusters", "nodes_total", "lab", "name"),
];

/// This machine and a cluster, looked at.
async fn both_kinds() -> (Service, Sim, String) {
    let service = Service::on_this_machine().await;
    let this_machine = service.fleet.status().await.unwrap().hosts[0].name.clone();
    service.fleet.observe(&this_machine).await.unwrap();
    service.fleet.refresh_facts(&this_machine).await.unwrap();
    let sim = Sim::start(Options { guests: 12, ..Options::default() }).await.unwrap();
    let info = sim.info();
    let new = NewProxmox {
        url: info.url.clone(),
        name: Some("lab".to_owned()),
        auth: ProxmoxSecret::Token(SecretString::from(info.token.clone())),
        accept_certificate: Some(info.fingerprint.clone()),
        dry_run: false,
    };
    service.fleet.connect_proxmox(new).await.unwrap();
    let viewer = service.token(Role::Viewer).await;
    (service, sim, viewer)
}

fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap()
}

#[tokio::test]
async fn every_list_comes_in_pages_that_are_the_whole_each_item_once() {
    let (service, _sim, viewer) = both_kinds().await;
    for (path, field, ..) in LISTS {
        for sort in [field.to_owned(), format!("-{field}")] {
            let whole = service.get(&viewer, &format!("{path}?sort={sort}")).await.ok();
            assert!(!items(&whole).is_empty(), "{path}");
            assert_eq!(whole["total"], items(&whole).len(), "{path}");
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = service.get(&viewer, &format!("{path}?sort={sort}&limit=2&cursor={cursor}")).await.ok();
                assert!(items(&page).len() <= 2, "{path}");
                seen.extend(items(&page).clone());
                match page["next_cursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => break,
                }
            }
            assert_eq!(&seen, items(&whole), "{path} by {sort}");
            let numbers: Vec<f64> = seen.iter().filter_map(|item| item[field].as_f64()).collect();
            let ascends = numbers.is_sorted() || (sort.starts_with('-') && numbers.iter().rev().is_sorted());
            assert!(ascends, "{path} by {sort}: {numbers:?}");
        }
    }
}

#[tokio::test]
async fn every_list_is_reduced_and_filtered_as_asked() {
    let (service, _sim, viewer) = both_kinds().await;
    for (path, _, filter, field) in LISTS {
        let whole = service.get(&viewer, path).await.ok();
        let some = service.get(&viewer, &format!("{path}?filter={filter}&fields={field}")).await.ok();
        let wanted = filter.split(':').next_back().unwrap().trim_end_matches('*');
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert!(!items(&some).is_empty() && items(&some).len() <= items(&whole).len(), "{path}");
        for item in items(&some) {
            assert_eq!(item.as_object().unwrap().len(), 1, "{path}");
            assert!(text(&item[field]).starts_with(wanted), "{path}: {item}");
        }
        assert_eq!(service.get(&viewer, &format!("{path}?filter=nothing-is-called-so")).await.ok()["total"], 0);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_named_with_a_way_on() {
    let (service, _sim, viewer) = both_kinds().await;
    for (path, ..) in LISTS {
        for (query, named) in [
            ("limit=0", "0"),
            ("limit=1001", "1001"),
            ("limit=-1", "limit"),
            ("sort=size", "size"),
            ("sort=", ""),
            ("fields=id,size", "size"),
            ("filter=size:1", "size"),
            ("cursor=%00", "cursor"),
            ("cursor=bm90IGEgY3Vyc29y", "cursor"),
            ("page=2", "page"),
        ] {
            let problem = service.get(&viewer, &format!("{path}?{query}")).await.problem(422, "invalid");
            assert!(problem["detail"].as_str().unwrap().contains(named), "{path}?{query}: {problem}");
            assert!(problem["next"].is_string(), "{path}?{query}: {problem}");
        }
    }
}

#[tokio::test]
async fn who_has_it_already_is_not_sent_it_again() {
    let (service, _sim, viewer) = both_kinds().await;
    let paths = LISTS.map(|(path, ..)| path).into_iter().chain(["/api/v1/dashboard/overview"]);
    for path in paths {
        let first = service.get(&viewer, path).await;
        assert_eq!(first.headers["cache-control"], "private, no-cache", "{path}");
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let again = |known: String| {
            service.send(request(Method::GET, path).bearer(&viewer).header("if-none-match", &known).empty())
        };
        let same = again(format!("\"other\", W/{tag}")).await;
        assert_eq!((same.status, same.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(same.headers["etag"], tag.as_str(), "{path}");
        let other = again("\"other\"".to_owned()).await;
        assert_eq!((other.status, &other.bytes), (StatusCode::OK, &first.bytes), "{path}");
        let one = service.get(&viewer, &format!("{path}?limit=1&fields=observed_at")).await;
        if path.ends_with("overview") {
            continue;
        }
        assert_ne!(one.headers["etag"], tag.as_str(), "{path}: another page is another answer");
        let refused = request(Method::GET, path).header("if-none-match", &tag).empty();
        assert_eq!(service.send(refused).await.status, StatusCode::UNAUTHORIZED, "{path}: a tag opens no door");
    }
}

#[tokio::test]
async fn a_change_makes_another_tag() {
    let service = Service::with_hosts(&["web1"]).await;
    let viewer = service.token(Role::Viewer).await;
    let tag = async || service.get(&viewer, "/api/v1/dashboard/nodes").await.headers["etag"].clone();
    let before = tag().await;
    service.add("web2").await;
    // Tables are used again for half a second.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_ne!(tag().await, before);
}

#[tokio::test]
async fn an_empty_fleet_has_empty_lists() {
    let service = Service::empty().await;
    let viewer = service.token(Role::Viewer).await;
    for (path, field, filter, _) in LISTS {
        let list = service.get(&viewer, &format!("{path}?sort=-{field}&filter={filter}&fields={field}")).await.ok();
        assert_eq!(list, json!({ "items": [], "next_cursor": null, "total": 0 }), "{path}");
    }
    let overview = service.get(&viewer, "/api/v1/dashboard/overview").await.ok();
    assert_eq!(overview["cpu"]["used_percent"], Value::Null, "nothing was seen: {overview}");
}

#[tokio::test]
async fn the_topology_has_every_guest_on_the_bridges_of_its_configuration() {
    let (service, _sim, viewer) = both_kinds().await;
    let path = "/api/v1/network/topology";
    let guests = service.fleet.guests().await.unwrap();
    let mut facts = Vec::new();
    // The live loop takes its time over guests: what it writes down stands in for it.
    for guest in guests.iter().filter(|guest| guest.vmid != "103") {
        let seen = service.fleet.guest_details(None, &guest.id.0).await.unwrap().facts;
        let json = serde_json::to_string(&seen).unwrap();
        facts.push(NewFacts { entity: format!("guest:{}", guest.id), section: "guest".into(), at: seen.at, json });
    }
    service.fleet.store().put_facts(&facts).await.unwrap();
    service.fleet.refresh_cluster("lab").await.unwrap();
    for node in ["pve1", "pve2", "pve3"] {
        service.fleet.refresh_facts(node).await.unwrap();
    }
    let answer = service.get(&viewer, path).await;
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let topology = answer.ok();
    let hosts = topology["hosts"].as_array().unwrap();
    let nodes = service.get(&viewer, "/api/v1/dashboard/nodes").await.ok();
    let names = |list: &Vec<Value>| list.iter().map(|each| each["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(hosts), names(items(&nodes)));
    let mut placed = 0;
    for guest in guests.iter().filter(|guest| !guest.template) {
        let host = hosts.iter().find(|host| host["id"] == json!(guest.host_id)).unwrap();
        let is_it = |each: &&Value| each["id"] == json!(guest.id);
        if let Some(unread) = host["unplaced"].as_array().unwrap().iter().find(is_it) {
            assert_eq!((&unread["nics"], &unread["vmid"]), (&json!([]), &json!("103")));
            continue;
        }
        let details = service.fleet.guest_details(None, &guest.id.0).await.unwrap();
        for card in &details.facts.facts.networks {
            let bridges = host["bridges"].as_array().unwrap();
            let bridge = bridges.iter().find(|bridge| bridge["name"] == json!(card.bridge)).unwrap();
            assert_eq!((&bridge["kind"], &bridge["active"]), (&json!("linux"), &json!(true)), "{bridge}");
            let there = bridge["guests"].as_array().unwrap().iter().find(is_it).unwrap();
            let nic = there["nics"].as_array().unwrap().iter().find(|nic| nic["name"] == json!(card.id)).unwrap();
            assert_eq!((&nic["vlan"], there["vmid"].as_str()), (&json!(card.vlan), Some(guest.vmid.as_str())));
            placed += 1;
        }
    }
    assert!(placed >= 10, "{placed} cards: {topology:#}");
    let node = hosts.iter().find(|host| host["name"] == "pve1").unwrap();
    let bridges = |field: &str| node["bridges"].as_array().unwrap().iter().map(|each| each[field].clone()).collect();
    let (names, kinds, ports): (Value, Value, Value) = (bridges("name"), bridges("kind"), bridges("ports"));
    assert_eq!((names, kinds), (json!(["labnet", "vmbr0"]), json!(["vnet", "linux"])));
    assert_eq!(ports, json!([[], ["eno1"]]));
    assert!(node["cluster"].is_string(), "{node}");
    let again = request(Method::GET, path).bearer(&viewer).header("if-none-match", &tag);
    assert_eq!(service.send(again.empty()).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn what_needs_somebody_says_its_kind_and_what_a_sentence_about_it_takes() {
    let (service, _sim, viewer) = both_kinds().await;
    service.fleet.refresh_cluster("lab").await.unwrap();
    let overview = service.get(&viewer, "/api/v1/dashboard/overview").await.ok();
    let needs = overview["attention"].as_array().unwrap();
    let replication = needs.iter().find(|need| need["kind"] == "replication");
    let replication = replication.unwrap_or_else(|| panic!("none fails: {overview}"));
    let job = replication["values"]["job"].as_str().unwrap();
    assert_eq!(replication["what"], format!("replication {job} fails"));
    assert_eq!(replication["name"], "lab");
}
