//! What every store must keep to, continued: events, matches, settings, the lease, access.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    ErrorKind,
    model::{Connection, Event, EventKind, HostId, Link, Match, Reach, Role, Verdict},
};

use super::{
    AuditEntry, AuditFilter, LeaseHolder, SecretHash, SessionRecord, Store, TokenRecord, UserRecord,
    contract::{at, host},
};

pub(crate) async fn events(store: &dyn Store) {
    let event = |seconds| Event {
        kind: EventKind::HostOffline,
        at: at(seconds),
        data: serde_json::json!({"id": "a", "name": "wéb"}),
    };
    store.append_events(&[]).await.unwrap();
    store.append_events(&[event(1), event(2)]).await.unwrap();
    store.append_events(&[event(3)]).await.unwrap();
    let page = store.events(0, 2).await.unwrap();
    assert_eq!(page.iter().map(|stored| stored.event.clone()).collect::<Vec<_>>(), [event(1), event(2)]);
    let rest = store.events(page[1].number, 10).await.unwrap();
    assert_eq!(rest.iter().map(|stored| stored.event.clone()).collect::<Vec<_>>(), [event(3)]);
    assert_eq!(store.prune_events(at(3)).await.unwrap(), 2);
    assert_eq!(store.events(0, 10).await.unwrap(), rest, "numbers stay");
}

pub(crate) async fn matches(store: &dyn Store) {
    store
        .insert_connection(&Connection {
            id: "c".into(),
            name: "c".into(),
            reach: Reach::Local,
            credentials_changed_at: None,
        })
        .await
        .unwrap();
    for name in ["a", "b"] {
        store.insert_host(&host(name, &[Link::Local { connection: "c".into() }])).await.unwrap();
    }
    let pair = |id: &str, other: &str, verdict| Match {
        id: id.into(),
        host: "id-a".into(),
        other: other.into(),
        evidence: vec!["same MAC".into()],
        against: vec![],
        verdict,
    };
    let asked = pair("m1", "host:id-b", Verdict::Asked);
    store.put_match(&asked).await.unwrap();
    store.put_match(&pair("m2", "guest:c:100", Verdict::Asked)).await.unwrap();
    let twin = pair("m3", "host:id-b", Verdict::Same);
    assert_eq!(store.put_match(&twin).await.unwrap_err().kind(), ErrorKind::Conflict);
    let decided = pair("m1", "host:id-b", Verdict::Different);
    store.put_match(&decided).await.unwrap();
    assert_eq!(store.get_match(&"m1".into()).await.unwrap(), Some(decided.clone()));
    assert_eq!(store.matches().await.unwrap().len(), 2);
    let orphan = Match { host: "nobody".into(), ..pair("m4", "host:id-b", Verdict::Asked) };
    assert_eq!(store.put_match(&orphan).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.remove_host(&"id-b".into()).await.unwrap();
    assert_eq!(store.get_match(&"m1".into()).await.unwrap(), None, "it went with the host on its other side");
    assert!(store.delete_match(&"m2".into()).await.unwrap());
    assert!(!store.delete_match(&"m2".into()).await.unwrap());
}

pub(crate) async fn settings(store: &dyn Store) {
    assert_eq!(store.setting("interval").await.unwrap(), None);
    store.put_setting("interval", Some("10 s")).await.unwrap();
    store.put_setting("interval", Some("20 s")).await.unwrap();
    assert_eq!(store.setting("interval").await.unwrap().as_deref(), Some("20 s"));
    store.put_setting("interval", None).await.unwrap();
    assert_eq!(store.setting("interval").await.unwrap(), None);
}

/// Two handles on the same data, as two servers have them.
pub(crate) async fn lease(one: &dyn Store, two: &dyn Store) {
    const TTL: Duration = Duration::from_secs(30);
    let holder =
        |id: &str, pid| LeaseHolder { id: id.into(), pid, host: "pi".into(), address: "127.0.0.1:8420".into() };
    let (first, second) = (holder("first", 41), holder("second", 42));
    assert_eq!(one.server(at(0)).await.unwrap(), None);
    one.acquire_server_lease(&first, at(0), TTL).await.unwrap();
    assert_eq!(two.server(at(1)).await.unwrap(), Some(first.clone()));
    let refused = two.acquire_server_lease(&second, at(1), TTL).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let words = crate::report(&refused);
    assert!(words.contains("process 41 on pi, listening on 127.0.0.1:8420"), "{words}");
    assert_eq!(two.renew_server_lease(&second, at(1), TTL).await.unwrap_err().kind(), ErrorKind::Conflict);
    two.release_server_lease(&second).await.unwrap();
    one.renew_server_lease(&first, at(25), TTL).await.unwrap();
    assert_eq!(two.server(at(54)).await.unwrap(), Some(first.clone()));
    one.release_server_lease(&first).await.unwrap();
    assert_eq!(two.server(at(26)).await.unwrap(), None);
    two.acquire_server_lease(&second, at(26), TTL).await.unwrap();
    assert_eq!(one.renew_server_lease(&first, at(27), TTL).await.unwrap_err().kind(), ErrorKind::Conflict);
}

/// What the access room builds on and does not itself show.
pub(crate) async fn access(store: &dyn Store) {
    let user = |name: &str| UserRecord {
        name: name.into(),
        password_hash: "$argon2id$".into(),
        role: Role::Admin,
        created_at: at(0),
    };
    let session = |byte, user: &str, from, to| SessionRecord {
        hash: SecretHash([byte; 32]),
        user: user.into(),
        created_at: at(from),
        expires_at: at(to),
    };
    store.insert_user(&user("ada")).await.unwrap();
    assert_eq!(store.user("ada").await.unwrap(), Some(user("ada")));
    assert_eq!(store.user("Ada").await.unwrap(), None, "names differ by case");
    store.insert_session(&session(1, "ada", 0, 10)).await.unwrap();
    let nobody = store.insert_session(&session(2, "nobody", 0, 10)).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    let (found, owner) = store.session(&SecretHash([1; 32]), at(9)).await.unwrap().unwrap();
    assert_eq!((found, owner), (session(1, "ada", 0, 10), user("ada")));
    assert!(store.session(&SecretHash([1; 32]), at(10)).await.unwrap().is_none());
    store.insert_session(&session(3, "ada", 20, 30)).await.unwrap();
    assert!(!store.delete_session(&SecretHash([1; 32])).await.unwrap(), "those that are over were deleted");

    let token = TokenRecord {
        name: "ci".into(),
        hash: SecretHash([9; 32]),
        role: Role::Viewer,
        created_at: at(0),
        last_used_at: None,
    };
    store.insert_token(&token).await.unwrap();
    store.touch_token("ci", at(5)).await.unwrap();
    let used = TokenRecord { last_used_at: Some(at(5)), ..token };
    assert_eq!(store.tokens().await.unwrap(), std::slice::from_ref(&used));
    assert_eq!(store.token(&SecretHash([9; 32])).await.unwrap(), Some(used));
    assert_eq!(store.token(&SecretHash([8; 32])).await.unwrap(), None);

    let hash = SecretHash([7; 32]);
    store.put_setup_token(&hash, at(100)).await.unwrap();
    let late = store.complete_setup(&hash, &user("eve"), at(1)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Denied, "somebody is there already");

    let entry = |at: Timestamp| AuditEntry {
        at,
        who: "ada".into(),
        from: "192.0.2.1".into(),
        what: "exec".into(),
        on: "group:web".into(),
        outcome: "ok".into(),
    };
    store.append_audit(&entry(at(1))).await.unwrap();
    store.append_audit(&entry(at(2))).await.unwrap();
    let trail = store.audit(None, 10).await.unwrap();
    assert_eq!(trail.iter().map(|row| row.entry.clone()).collect::<Vec<_>>(), [entry(at(2)), entry(at(1))]);
    assert_eq!(store.audit(Some(trail[1].number), 10).await.unwrap(), []);

    let find = async |filter: AuditFilter| -> Vec<Timestamp> {
        store.find_audit(&filter, 10).await.unwrap().into_iter().map(|row| row.entry.at).collect()
    };
    let (some, none) = (|text: &str| Some(text.to_owned()), AuditFilter::default);
    store
        .append_audit(&AuditEntry { outcome: "denied".into(), what: "host [1]?".into(), ..entry(at(3)) })
        .await
        .unwrap();
    assert_eq!(find(AuditFilter { since: Some(at(2)), until: Some(at(3)), ..none() }).await, [at(2)]);
    assert_eq!(find(AuditFilter { outcome: some("!ok"), ..none() }).await, [at(3)]);
    assert_eq!(find(AuditFilter { what: some("host*"), who: some("a*a"), ..none() }).await, [at(3)]);
    assert_eq!(find(AuditFilter { what: some("host [1]?"), ..none() }).await, [at(3)]);
    assert_eq!(find(AuditFilter { what: some("host"), ..none() }).await, []);
    assert_eq!(find(AuditFilter { on: some("group:web"), after: Some(0), ..none() }).await, [at(1), at(2), at(3)]);
    assert_eq!(find(AuditFilter { from: some("!192.0.2.*"), ..none() }).await, []);
}

/// A host that is removed keeps no figures that it shows now, and gets none from an observation that ends late.
pub(crate) async fn late_observation(store: &dyn Store) {
    let gone = HostId::from("id-gone");
    store.put_views(&[super::contract::view("gone", 1.0)]).await.unwrap();
    assert_eq!(store.views().await.unwrap(), []);
    assert_eq!(store.identity(&gone).await.unwrap(), None);
}
