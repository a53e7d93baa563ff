//! What every store must keep to of targets, notices and deliveries.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use secrecy::ExposeSecret;

use super::{Store, contract::at};
use crate::{
    Error, ErrorKind,
    model::{Delivery, DeliveryFilter, DeliveryState, Notice, NoticeKind, NoticeLevel, NotifyTarget},
};

fn target(name: &str) -> NotifyTarget {
    serde_json::from_value(serde_json::json!({ "name": name, "way": { "kind": "apprise" } })).unwrap()
}

fn notice(title: &str) -> Notice {
    Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, title, at(1))
}

pub(crate) async fn targets(store: &dyn Store) {
    let secret = |name: &str, text: &str| (name.to_owned(), text.into());
    store.insert_notify_target(&target("b"), &[secret("urls", "json://x"), secret("token", "t")]).await.unwrap();
    store.insert_notify_target(&target("a"), &[]).await.unwrap();
    let again = store.insert_notify_target(&target("b"), &[secret("urls", "json://y")]).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    let names: Vec<String> = store.notify_targets().await.unwrap().into_iter().map(|target| target.name).collect();
    assert_eq!(names, ["a", "b"]);
    let kept = async |name: &str| {
        store.get_secret("notify:b", name).await.unwrap().map(|secret| secret.expose_secret().to_owned())
    };
    assert_eq!(kept("urls").await.as_deref(), Some("json://x"), "what was refused has stored no secret");

    let refuse = |_| Err(Error::new(ErrorKind::Invalid, "change it"));
    let refused = store.edit_notify_target("b", Box::new(refuse), &[secret("urls", "new")], &["token"]).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!((kept("urls").await.as_deref(), kept("token").await.as_deref()), (Some("json://x"), Some("t")));
    let edit = |target: NotifyTarget| Ok(NotifyTarget { name: "other".into(), enabled: false, ..target });
    let edited = store.edit_notify_target("b", Box::new(edit), &[secret("urls", "new")], &["token"]).await.unwrap();
    assert_eq!((edited.name.as_str(), edited.enabled), ("b", false), "its name stays");
    assert_eq!((kept("urls").await.as_deref(), kept("token").await), (Some("new"), None));

    store.give_out(0, &[Delivery::new("b", notice("x"), at(1))]).await.unwrap();
    store.remove_notify_target("b").await.unwrap();
    assert_eq!(kept("urls").await, None, "its secrets go with it");
    assert!(store.waiting_targets().await.unwrap().is_empty(), "what waits for it goes with it");
    assert_eq!(store.remove_notify_target("b").await.unwrap_err().kind(), ErrorKind::NotFound);
}

pub(crate) async fn deliveries(store: &dyn Store) {
    store.append_notices(&[notice("1"), notice("2")], Some(("operations", "here"))).await.unwrap();
    store.append_notices(&[notice("3")], None).await.unwrap();
    assert_eq!(store.notify_cursor("operations").await.unwrap().as_deref(), Some("here"));
    assert_eq!(store.notify_cursor("other").await.unwrap(), None);
    let notices = store.notices(2).await.unwrap();
    assert_eq!(notices.iter().map(|each| each.notice.title.as_str()).collect::<Vec<_>>(), ["1", "2"]);

    let given: Vec<Delivery> = ["a", "b"]
        .into_iter()
        .flat_map(|to| notices.iter().map(move |each| Delivery::new(to, each.notice.clone(), at(2))))
        .collect();
    store.give_out(notices[1].number, &given).await.unwrap();
    assert_eq!(store.notices(10).await.unwrap().len(), 1, "the third still waits");
    assert_eq!(store.waiting_targets().await.unwrap(), [("a".to_owned(), 2), ("b".to_owned(), 2)]);
    let waiting = store.waiting_deliveries("a", 10).await.unwrap();
    assert!(waiting[0].number < waiting[1].number && waiting[0].notice.title == "1", "oldest first");
    assert_eq!(store.waiting_deliveries("a", 1).await.unwrap().len(), 1);
    assert_eq!(store.waiting_critical("a", 0, 10).await.unwrap(), waiting);
    assert_eq!(store.waiting_critical("a", waiting[0].number, 10).await.unwrap(), waiting[1..]);

    let sent = waiting[0].clone().ended(DeliveryState::Sent, Some("thanks".into()), at(3));
    let gone = Delivery { number: 999, ..sent.clone() };
    store.update_deliveries(&[sent.clone(), gone]).await.unwrap();
    assert_eq!(store.waiting_targets().await.unwrap()[0], ("a".to_owned(), 1));
    let of = |target: Option<&str>, state, before, limit| DeliveryFilter {
        target: target.map(str::to_owned),
        state,
        before,
        limit,
    };
    assert_eq!(
        store.deliveries(&of(Some("a"), Some(DeliveryState::Sent), None, 10)).await.unwrap(),
        std::slice::from_ref(&sent)
    );
    let all = store.deliveries(&of(None, None, None, 1_000_000)).await.unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.windows(2).all(|pair| pair[0].number > pair[1].number), "newest first");
    assert_eq!(store.deliveries(&of(None, None, Some(all[1].number), 1)).await.unwrap(), all[2..3]);

    let more: Vec<Delivery> =
        (0..5).map(|_| Delivery::new("a", notice("x"), at(4)).ended(DeliveryState::Sent, None, at(5))).collect();
    store.give_out(0, &more).await.unwrap();
    assert_eq!(store.prune_deliveries(2).await.unwrap(), 4, "of six that are over two stay");
    assert_eq!(store.waiting_targets().await.unwrap()[0], ("a".to_owned(), 1), "what waits stays");
    assert_eq!(store.notices(10).await.unwrap().len(), 1, "giving out none takes none");
}
