//! Which places for backups are asked when, over an API that answers out of a table and counts.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ProxmoxCluster, PveApi,
    facts_tests::{Does, Table, now},
};
use crate::{
    ErrorKind,
    model::{ConnectionId, NodeSnapshot, facts::cluster::BackupPlace},
};

const NAS: &str = "nodes/pve1/storage/nas/content";
const LOCAL: [&str; 2] = ["nodes/pve1/storage/local/content", "nodes/pve2/storage/local/content"];
const RIGHTS: &str = "access/permissions";

fn at(minutes: u64) -> Timestamp {
    now() + Duration::from_secs(60 * minutes)
}

fn rights(on_storage: &[&str], on_vms: &[&str]) -> Value {
    let set =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!(1))).collect::<serde_json::Map<_, _>>();
    json!({"/storage": set(on_storage), "/vms": set(on_vms)})
}

/// A storage that two nodes share, and one that is each node's own; two more that hold no backups, or are off.
fn cluster() -> (Arc<Table>, ProxmoxCluster) {
    let table = Arc::new(Table::default());
    table.answer(
        "storage",
        json!([
            {"storage": "nas", "type": "nfs", "content": "images,backup"},
            {"storage": "local", "type": "dir", "content": "iso,backup"},
            {"storage": "tank", "type": "zfspool", "content": "images"},
            {"storage": "old", "type": "pbs", "content": "backup", "disable": 1},
            {"storage": "far", "type": "pbs", "content": "backup", "nodes": "pve9"},
        ]),
    );
    table.answer(RIGHTS, rights(&["Datastore.Audit", "Datastore.AllocateSpace"], &["VM.Audit", "VM.Backup"]));
    let backup = |vmid: Value, made: i64| json!({"volid": "x:y", "content": "backup", "vmid": vmid, "ctime": made});
    table.answer(NAS, json!([backup(json!(100), 1_000), backup(json!("100"), 3_000), backup(json!(101), 2_000)]));
    for path in LOCAL {
        table.answer(path, json!([backup(json!(102), 4_000)]));
    }
    let cluster = ProxmoxCluster::new(ConnectionId::from("c1"), Arc::clone(&table) as Arc<dyn PveApi>);
    (table, cluster)
}

pub(super) fn node(name: &str, online: bool) -> NodeSnapshot {
    NodeSnapshot {
        name: name.to_owned(),
        online,
        ip: None,
        telemetry: Default::default(),
        identity: Default::default(),
        guests: Default::default(),
        problem: None,
        unseen: Vec::new(),
    }
}

fn both() -> [NodeSnapshot; 2] {
    [node("pve1", true), node("pve2", true)]
}

/// A turn, and what it asked.
async fn turn(
    (table, cluster): &(Arc<Table>, ProxmoxCluster),
    known: &[BackupPlace],
    nodes: &[NodeSnapshot],
    now: Timestamp,
) -> (Vec<BackupPlace>, Vec<String>) {
    let turn = cluster.backup_places(known, nodes, false, now).await.unwrap();
    let asked = table.asked();
    assert_eq!(turn.asked, asked.iter().filter(|path| path.ends_with("/content")).count());
    (turn.places, asked)
}

#[tokio::test]
async fn a_shared_storage_is_asked_once_an_hour_and_one_of_each_node_at_each() {
    let it = cluster();
    let (places, asked) = turn(&it, &[], &both(), at(0)).await;
    assert_eq!(asked, ["storage", RIGHTS, NAS, LOCAL[0], LOCAL[1]]);
    let words: Vec<String> = places.iter().map(BackupPlace::words).collect();
    assert_eq!(words, ["nas", "local of pve1", "local of pve2"]);
    assert!(places.iter().all(|place| place.is_seen(at(0))), "{places:?}");
    let made = places[0].guests["100"];
    assert_eq!((made.made_at, made.count, places[0].guests.len()), (Timestamp::from_second(3_000).ok(), 2, 2));
    let (again, asked) = turn(&it, &places, &both(), at(59)).await;
    assert!(again == places && !asked.iter().any(|path| path.contains("content")), "{asked:?}");
    let (again, asked) = turn(&it, &places, &both(), at(60)).await;
    assert_eq!(asked.iter().filter(|path| path.contains("content")).count(), 3);
    assert_eq!(again[0].read_at, Some(at(60)));
}

#[tokio::test]
async fn a_place_that_fails_keeps_what_was_read_and_is_not_known_for_it() {
    let it = cluster();
    let (places, _) = turn(&it, &[], &both(), at(0)).await;
    it.0.set(LOCAL[1], Does::Fail(ErrorKind::Timeout, "no answer"));
    let (places, _) = turn(&it, &places, &both(), at(60)).await;
    let seen: Vec<bool> = places.iter().map(|place| place.is_seen(at(60))).collect();
    assert_eq!(seen, [true, true, false]);
    assert!(places[2].problem.as_deref().is_some_and(|why| why.ends_with("no answer")), "{:?}", places[2].problem);
    assert_eq!(places[2].guests.len(), 1);
    let (places, asked) = turn(&it, &places, &both(), at(70)).await;
    assert!(!places[2].is_seen(at(70)) && !asked.contains(&LOCAL[1].to_owned()), "it may be slow: {asked:?}");
    it.0.answer(LOCAL[1], json!("no list"));
    let (places, _) = turn(&it, &places, &both(), at(120)).await;
    assert!(!places[2].is_seen(at(120)));
}

#[tokio::test]
async fn where_a_node_is_off_what_was_known_goes_on_to_hold_and_is_read_once_it_is_back() {
    let it = cluster();
    let off = [node("pve1", true), node("pve2", false)];
    let (places, asked) = turn(&it, &[], &off, at(0)).await;
    assert!(!asked.contains(&LOCAL[1].to_owned()));
    assert_eq!(places[2].problem.as_deref(), Some("no node that has it is online"), "it was never known");
    let (mut places, _) = turn(&it, &places, &both(), at(1)).await;
    assert!(places.iter().all(|place| place.is_seen(at(1))));
    for hour in 1..48 {
        (places, _) = turn(&it, &places, &off, at(hour * 60)).await;
    }
    assert!(places[2].is_seen(at(48 * 60)), "nobody can have written to it: {:?}", places[2]);
    it.0.set(LOCAL[1], Does::Fail(ErrorKind::Timeout, "no answer"));
    let (places, asked) = turn(&it, &places, &both(), at(48 * 60)).await;
    assert!(asked.contains(&LOCAL[1].to_owned()) && !places[2].is_seen(at(48 * 60)));
    it.0.answer(LOCAL[1], json!([]));
    // Nobody looked for a while: what was known then is not known now.
    let (places, _) = turn(&it, &places, &both(), at(100 * 60)).await;
    assert!(places[2].is_seen(at(100 * 60)));
    let (places, _) = turn(&it, &places, &off, at(110 * 60)).await;
    assert!(!places[2].is_seen(at(110 * 60)));
}

#[tokio::test]
async fn a_login_that_may_not_see_all_of_them_sees_none() {
    let it = cluster();
    for (storage, vms, sees) in [
        (&["Datastore.Audit"][..], &["VM.Audit"][..], false),
        (&["Datastore.Audit", "Datastore.AllocateSpace"], &["VM.Audit"], false),
        (&["Datastore.Audit"], &["VM.Backup"], false),
        (&["Datastore.Audit", "Datastore.Allocate"], &["VM.Audit"], true),
        (&["Datastore.Audit", "Datastore.AllocateSpace"], &["VM.Backup"], true),
    ] {
        it.0.answer(RIGHTS, rights(storage, vms));
        let cluster = ProxmoxCluster::new(ConnectionId::from("c1"), Arc::clone(&it.0) as Arc<dyn PveApi>);
        let places = cluster.backup_places(&[], &both(), false, at(0)).await.unwrap().places;
        let asked = it.0.asked();
        assert_eq!(places.iter().all(|place| place.is_seen(at(0))), sees, "{storage:?} {vms:?}");
        assert_eq!(asked.contains(&NAS.to_owned()), sees, "an empty list would say that there are none: {asked:?}");
    }
    // Rights of its own on one guest are others.
    let mut odd = rights(&["Datastore.AllocateSpace"], &["VM.Backup"]);
    odd["/vms/100"] = json!({"VM.Audit": 1});
    it.0.answer(RIGHTS, odd);
    let places = it.1.backup_places(&[], &both(), false, at(0)).await.unwrap().places;
    assert!(places.iter().all(|place| place.problem.as_deref().unwrap().contains("VM.Backup")), "{places:?}");
}

#[tokio::test]
async fn rights_that_are_not_handed_on_below_show_nothing_below() {
    let it = cluster();
    let mut kept = rights(&["Datastore.AllocateSpace"], &["VM.Backup"]);
    kept["/vms"]["VM.Backup"] = json!(0);
    it.0.answer(RIGHTS, kept);
    let places = it.1.backup_places(&[], &both(), false, at(0)).await.unwrap().places;
    assert!(places.iter().all(|place| !place.is_seen(at(0))), "{places:?}");
    // Somebody gives the right, and asks anew: what was known of rights does not hold.
    it.0.answer(RIGHTS, rights(&["Datastore.AllocateSpace"], &["VM.Backup"]));
    let places = it.1.backup_places(&places, &both(), true, at(1)).await.unwrap().places;
    assert!(places.iter().all(|place| place.is_seen(at(1))), "{places:?}");
}

#[tokio::test]
async fn where_one_node_cannot_tell_of_a_shared_storage_another_is_asked() {
    let it = cluster();
    it.0.set(NAS, Does::Fail(ErrorKind::Unreachable, "mount is not there"));
    let other = "nodes/pve2/storage/nas/content";
    it.0.answer(other, json!([]));
    let (mut places, mut hours) = (Vec::new(), 0);
    while hours < 3 && !places.first().is_some_and(|place: &BackupPlace| place.is_seen(at(hours * 60))) {
        hours += 1;
        (places, _) = turn(&it, &places, &both(), at(hours * 60)).await;
    }
    assert!(places[0].is_seen(at(hours * 60)), "{places:?}");
}

#[tokio::test]
async fn many_places_are_asked_a_few_at_a_time_as_far_as_there_is_room() {
    let it = cluster();
    let nodes: Vec<NodeSnapshot> = (1..=120).map(|number| node(&format!("pve{number}"), true)).collect();
    for node in &nodes {
        it.0.answer(&format!("nodes/{}/storage/local/content", node.name), json!([]));
    }
    it.0.answer("nodes/pve9/storage/far/content", json!([]));
    let (mut places, mut minutes) = (Vec::new(), Vec::new());
    for minute in 0..60 {
        let mut count = 0;
        for third in 0..3 {
            let asked;
            (places, asked) = turn(&it, &places, &nodes, at(minute) + Duration::from_secs(20 * third)).await;
            let listings = asked.iter().filter(|path| path.ends_with("/content")).count();
            assert!(listings <= 3, "{asked:?}");
            count += asked.len();
        }
        minutes.push(count);
    }
    assert!(minutes.iter().all(|count| *count <= 20), "{minutes:?}");
    let seen = places.iter().filter(|place| place.is_seen(at(60))).count();
    assert_eq!((places.len(), seen), (122, 96));
    let left_out = places.iter().filter(|place| place.problem.as_deref().is_some_and(|why| why.contains("only 96")));
    assert_eq!(left_out.count(), 26, "who is left out is not known");
    // Somebody asked for much: there is no room now.
    for _ in 0..20 {
        it.1.backup_places(&places, &nodes[..2], true, at(200)).await.unwrap();
    }
    it.0.asked();
    let (_, asked) = turn(&it, &places, &nodes, at(200)).await;
    assert_eq!(asked, Vec::<String>::new());
}

#[tokio::test]
async fn storages_that_are_not_told_are_an_error_and_nothing_is_forgotten() {
    let it = cluster();
    it.0.set("storage", Does::Fail(ErrorKind::Denied, "the login lacks Datastore.Audit"));
    let error = it.1.backup_places(&[], &both(), false, at(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}
