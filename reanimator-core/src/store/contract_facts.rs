//! What every store must keep to, continued: facts and what changed in them.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use crate::{
    ErrorKind,
    model::{ChangeFilter, NewChange},
};

use super::{
    NewFacts, Store,
    contract::{at, by_ssh, host, proxmox, ssh},
};

fn section(entity: &str, section: &str, seconds: i64, json: &str) -> NewFacts {
    NewFacts { entity: entity.into(), section: section.into(), at: at(seconds), json: json.into() }
}

fn change(entity: &str, field: &str, old: Option<&str>, new: Option<&str>, seconds: i64) -> NewChange {
    let [old_value, new_value] = [old, new].map(|value| value.map(str::to_owned));
    NewChange { entity: entity.into(), field: field.into(), old_value, new_value, created_at: at(seconds) }
}

fn of(entity: &str) -> ChangeFilter {
    ChangeFilter { entity: Some(entity.into()), limit: 100, ..ChangeFilter::default() }
}

pub(crate) async fn facts(store: &dyn Store) {
    store.put_facts(&[]).await.unwrap();
    assert_eq!(store.facts("guest:c:1").await.unwrap(), []);
    let [disks, system] = [section("guest:c:1", "disks", 1, "[]"), section("guest:c:1", "system", 2, "{\"a\":1}")];
    store.put_facts(&[system.clone(), disks, section("guest:c:2", "system", 3, "null")]).await.unwrap();
    store.put_facts(&[section("guest:c:1", "disks", 9, "[\"wéb\"]")]).await.unwrap();
    let found = store.facts("guest:c:1").await.unwrap();
    let shown: Vec<_> = found.iter().map(|facts| (&*facts.section, facts.at, &*facts.json)).collect();
    assert_eq!(shown, [("disks", at(9), "[\"wéb\"]"), ("system", at(2), "{\"a\":1}")]);
    let systems = store.facts_of_section("system").await.unwrap();
    assert_eq!(systems.iter().map(|facts| &*facts.entity).collect::<Vec<_>>(), ["guest:c:1", "guest:c:2"]);
    // Facts and their changes are one: where one is refused, neither is there.
    let news = [change("guest:c:1", "system.kernel", Some("1"), Some("2"), 10)];
    let bad = [section("guest:c:1", "system", 10, "{}"), section("guest:c:1", "disks", 10, "{\"cut\":")];
    let refused = store.put_facts_with_changes(&bad, &news).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(store.facts("guest:c:1").await.unwrap(), found);
    assert_eq!(store.changes(&of("guest:c:1")).await.unwrap(), []);
    store.put_facts_with_changes(&bad[..1], &news).await.unwrap();
    assert_eq!(store.changes(&of("guest:c:1")).await.unwrap().len(), 1);
    assert_eq!(store.remove_facts("guest:c:1").await.unwrap(), 2);
    assert_eq!(store.remove_facts("guest:c:1").await.unwrap(), 0);
}

/// Facts go with what they are of, and an observation that ends late brings none back.
pub(crate) async fn facts_that_go(store: &dyn Store) {
    store.insert_connection(&ssh("c-web")).await.unwrap();
    store.insert_host(&host("web", &[by_ssh("c-web")])).await.unwrap();
    store.insert_connection(&proxmox("c", "lab")).await.unwrap();
    let all = ["host:id-web", "guest:c:1", "storage:c:pve1:local", "guest:cc:1", "host:id-gone"];
    let facts: Vec<NewFacts> = all.iter().map(|entity| section(entity, "system", 1, "{}")).collect();
    store.put_facts(&facts).await.unwrap();
    let left = async || {
        let found = store.facts_of_section("system").await.unwrap();
        found.into_iter().map(|facts| facts.entity).collect::<Vec<_>>()
    };
    assert_eq!(left().await, ["guest:c:1", "guest:cc:1", "host:id-web", "storage:c:pve1:local"]);
    store.remove_host(&"id-web".into()).await.unwrap();
    store.put_facts(&facts[..1]).await.unwrap();
    assert_eq!(left().await, ["guest:c:1", "guest:cc:1", "storage:c:pve1:local"]);
    store.remove_connection(&"c".into()).await.unwrap();
    assert_eq!(left().await, ["guest:cc:1"], "another cluster's guests stay");
}

pub(crate) async fn changes(store: &dyn Store) {
    store.append_changes(&[]).await.unwrap();
    let news: Vec<NewChange> = (0..300)
        .map(|number| {
            let field = if number % 2 == 0 { "system.kernel" } else { "disks.sda.size_bytes" };
            change(if number % 3 == 0 { "host:a" } else { "host:b" }, field, None, Some(&number.to_string()), number)
        })
        .collect();
    store.append_changes(&news).await.unwrap();
    let everything = ChangeFilter { limit: u32::MAX, ..ChangeFilter::default() };
    let all = store.changes(&everything).await.unwrap();
    assert_eq!(all.len(), 300);
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    assert_eq!(
        (all[0].new_value.as_deref(), all[0].old_value.as_deref(), all[0].created_at),
        (Some("299"), None, at(299))
    );
    assert_eq!(store.changes(&of("host:a")).await.unwrap().len(), 100);
    assert_eq!(store.changes(&ChangeFilter { limit: 0, ..everything.clone() }).await.unwrap(), []);
    let kernels = ChangeFilter { field: Some("system.*".into()), limit: 1_000, ..of("host:a") };
    assert_eq!(store.changes(&kernels).await.unwrap().len(), 50);
    let none = ChangeFilter { field: Some("kernel".into()), ..everything.clone() };
    assert_eq!(store.changes(&none).await.unwrap(), [], "a pattern fits a whole path");
    let page = ChangeFilter { before: Some(all[9].id), limit: 10, ..ChangeFilter::default() };
    assert_eq!(store.changes(&page).await.unwrap(), all[10..20]);
    let long = ChangeFilter { field: Some("*a".repeat(200)), ..everything.clone() };
    assert_eq!(store.changes(&long).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(store.prune_changes(at(100)).await.unwrap(), 100);
    assert_eq!(store.changes(&everything).await.unwrap(), all[..200], "ids stay");
}
