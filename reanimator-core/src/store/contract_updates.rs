//! What every store must keep to of updates, schedules, and redundant sets.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use super::{Store, contract::at};
use crate::{
    Error, ErrorKind,
    model::{
        Machine, RedundantSet, ScheduleOutcome, TargetKind, TargetState, UpdateFilter, UpdatePhase, UpdateRun,
        UpdateSchedule, UpdateState, UpdateTarget, UpdateWish,
    },
};

const TTL: Duration = Duration::from_secs(20);

fn run(id: &str) -> UpdateRun {
    let wish = UpdateWish { hosts: Some("all".into()), ..UpdateWish::default() };
    let target = |number: u32| UpdateTarget::new(number, Machine::Host("h1".into()), "web1", TargetKind::Host);
    UpdateRun { id: id.into(), targets: vec![target(0), target(1)], ..UpdateRun::new(wish, "ada", "local", at(1)) }
}

pub(crate) async fn updates(store: &impl Store) {
    store.add_update(&run("1")).await.unwrap();
    store.add_update(&run("2")).await.unwrap();
    store.add_update(&run("1")).await.unwrap_err();
    let filter = |open, before: Option<&str>| UpdateFilter { open, before: before.map(Into::into), limit: 10 };
    let ids = |runs: Vec<UpdateRun>| runs.into_iter().map(|run| run.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.updates(&filter(false, None)).await.unwrap()), ["2", "1"]);
    assert_eq!(ids(store.updates(&filter(false, Some("2"))).await.unwrap()), ["1"]);

    let (mut taken, first) = store.take_update(&"1".into(), "one", None, at(10), TTL).await.unwrap();
    assert_eq!((taken.owner.as_deref(), taken.targets.len()), (Some("one"), 2));
    let busy = store.take_update(&"1".into(), "two", None, at(20), TTL).await.unwrap_err();
    assert!(busy.kind() == ErrorKind::Busy && crate::report(&busy).contains("one"), "{busy}");
    let open = store.open_updates(at(20)).await.unwrap();
    assert_eq!(open, [("1".into(), Some("one".into())), ("2".into(), None)]);
    taken.state = UpdateState::Running;
    store.write_update(&first, &taken).await.unwrap();
    (taken.targets[1].state, taken.targets[1].phase) = (TargetState::Running, Some(UpdatePhase::Upgrade));
    store.write_update_target(&first, &taken.targets[1]).await.unwrap();
    assert!(!store.keep_update(&first, at(25), TTL).await.unwrap());
    assert!(store.cancel_update(&"1".into()).await.unwrap());
    assert!(store.keep_update(&first, at(25), TTL).await.unwrap());

    // One whose process is known to have died holds nobody back; it is refused when it wakes up.
    let (again, second) = store.take_update(&"1".into(), "two", Some("one"), at(26), TTL).await.unwrap();
    assert!(again.cancel && again.state == UpdateState::Running);
    assert_eq!(again.targets, taken.targets);
    for refused in [
        store.write_update(&first, &taken).await,
        store.write_update_target(&first, &taken.targets[0]).await,
        store.keep_update(&first, at(27), TTL).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    }
    store.leave_update(&first).await.unwrap();
    assert_eq!(store.open_updates(at(27)).await.unwrap()[0].1.as_deref(), Some("two"));
    let over = UpdateRun { state: UpdateState::Done, ended_at: Some(at(27)), ..again };
    assert_eq!(store.notices(10).await.unwrap(), []);
    for _ in 0..2 {
        store.write_update(&second, &over).await.unwrap();
        let told = store.notices(10).await.unwrap();
        assert_eq!(told.iter().map(|each| each.notice.key.as_str()).collect::<Vec<_>>(), ["update:1"], "once");
    }
    assert_eq!(ids(store.updates(&filter(true, None)).await.unwrap()), ["2"]);
    assert!(!store.cancel_update(&"1".into()).await.unwrap());
    let missing = store.take_update(&"3".into(), "one", None, at(1), TTL).await.unwrap_err();
    assert_eq!((missing.kind(), store.update(&"3".into()).await.unwrap()), (ErrorKind::NotFound, None));

    // One that is not over is never removed, however old.
    store.add_update(&run("4")).await.unwrap();
    let (going, hold) = store.take_update(&"4".into(), "one", None, at(30), TTL).await.unwrap();
    store.write_update(&hold, &UpdateRun { state: UpdateState::Done, ..going }).await.unwrap();
    assert_eq!(store.newest_update().await.unwrap(), Some("4".into()));
    assert_eq!(store.forget_updates(1).await.unwrap(), 1);
    assert_eq!(ids(store.updates(&filter(false, None)).await.unwrap()), ["4", "2"]);
    assert_eq!((store.forget_updates(1).await.unwrap(), store.update(&"1".into()).await.unwrap()), (0, None));
    assert_eq!(store.forget_updates(0).await.unwrap(), 1);
    assert_eq!(ids(store.updates(&filter(false, None)).await.unwrap()), ["2"]);
}

pub(crate) async fn schedules(store: &impl Store) {
    let text = serde_json::json!({ "name": "nights", "wish": { "hosts": "all" }, "at": "02:00" });
    let nights: UpdateSchedule = serde_json::from_value(text).unwrap();
    store.insert_update_schedule(&nights).await.unwrap();
    assert_eq!(store.insert_update_schedule(&nights).await.unwrap_err().kind(), ErrorKind::Conflict);
    let off = |schedule| Ok(UpdateSchedule { enabled: false, ..schedule });
    assert!(!store.edit_update_schedule("nights", Box::new(off)).await.unwrap().enabled);
    let refuse = |_| Err(Error::new(ErrorKind::Invalid, "no"));
    assert_eq!(store.edit_update_schedule("nights", Box::new(refuse)).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(store.edit_update_schedule("days", Box::new(off)).await.unwrap_err().kind(), ErrorKind::NotFound);

    // Each time is done with once, with its update or without.
    let notices = async || store.notices(10).await.unwrap().into_iter().map(|each| each.notice).collect::<Vec<_>>();
    let before = notices().await.len();
    assert!(store.add_update_of("nights", at(100), Ok(&run("7"))).await.unwrap());
    assert!(!store.add_update_of("nights", at(100), Ok(&run("8"))).await.unwrap());
    assert_eq!(notices().await.len(), before);
    assert!(store.add_update_of("nights", at(200), Err("nobody is meant")).await.unwrap());
    assert!(!store.add_update_of("nights", at(200), Err("nobody is meant")).await.unwrap());
    let told = notices().await.split_off(before);
    assert_eq!(told.iter().map(|notice| notice.key.as_str()).collect::<Vec<_>>(), ["schedule:nights"]);
    assert!(!store.add_update_of("gone", at(200), Ok(&run("9"))).await.unwrap());
    let all = store.updates(&UpdateFilter { limit: 10, ..UpdateFilter::default() }).await.unwrap();
    assert_eq!(all.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["7"]);
    let kept = store.update_schedules().await.unwrap().swap_remove(0).unwrap();
    let outcome = ScheduleOutcome { at: at(200), made: false, text: "nobody is meant".into() };
    assert_eq!((kept.done_until, kept.last_outcome), (Some(at(200)), Some(outcome)));
    assert!(store.remove_update_schedule("nights").await.unwrap());
    assert!(!store.remove_update_schedule("nights").await.unwrap());
}

pub(crate) async fn redundant_sets(store: &impl Store) {
    let set = |hosts: &str| RedundantSet {
        name: "dns".into(),
        hosts: Some(hosts.into()),
        guests: None,
        comment: String::new(),
    };
    store.put_redundant_set(&set("a")).await.unwrap();
    store.put_redundant_set(&set("b")).await.unwrap();
    assert_eq!(store.redundant_sets().await.unwrap(), [set("b")]);
    assert!(store.remove_redundant_set("dns").await.unwrap());
    assert!(!store.remove_redundant_set("dns").await.unwrap());
}
