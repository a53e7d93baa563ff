//! The loop against a receiver of HTTP, by a clock that is moved by hand.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use super::*;
use crate::{
    FleetOptions,
    clock::Clock,
    model::{DeliveryFilter, NoticeKind, NoticeLevel, NotifySecrets, NotifyTargetChange},
};

/// A clock that stands until it is set.
#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    fn set(&self, time: &str) {
        *self.0.lock().unwrap() = at(time);
    }
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-{time}Z").parse().unwrap()
}

struct Bench {
    fleet: Fleet,
    clock: Arc<Hand>,
    receiver: MockServer,
    _directory: tempfile::TempDir,
}

async fn open(directory: &Path, clock: &Arc<Hand>) -> Fleet {
    let options = FleetOptions { with_this_machine: false, clock: clock.clone(), ..FleetOptions::new(directory) };
    Fleet::open(options).await.unwrap()
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand(Mutex::new(at("26T12:00:00"))));
        let fleet = open(directory.path(), &clock).await;
        let receiver = MockServer::start().await;
        Self { fleet, clock, receiver, _directory: directory }
    }

    async fn answers(&self, status: u16) {
        self.receiver.reset().await;
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(status)).mount(&self.receiver).await;
    }

    async fn target(&self, more: Value) {
        let mut target = json!({
            "name": "hook", "way": { "kind": "webhook", "url": format!("{}/x", self.receiver.uri()) }, "allow_inside": true,
        });
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let target = serde_json::from_value(target).unwrap();
        self.fleet.create_notify_target(target, NotifySecrets::default()).await.unwrap();
    }

    async fn say(&self, title: &str, level: NoticeLevel) {
        let notice = Notice::new(NoticeKind::AlertRaised, level, title, self.fleet.now()).keyed(title);
        hand_over(&self.fleet, &notice).await.unwrap();
    }

    /// One look of a loop, and all that it sends; as a server that starts anew would.
    async fn look(&self) {
        let mut once = NotifyLoop::new(self.fleet.clone());
        once.look().await.unwrap();
        while let Some(ended) = once.sending.join_next().await {
            ended.unwrap();
        }
    }

    /// The titles of what arrived, and forgets it.
    async fn arrived(&self) -> Vec<String> {
        let requests = self.receiver.received_requests().await.unwrap();
        let title = |body: Value| body["title"].as_str().unwrap().to_owned();
        let titles = requests.iter().map(|request| title(request.body_json().unwrap())).collect();
        self.answers(200).await;
        titles
    }
}

#[tokio::test]
async fn what_is_handed_over_arrives_once_gathered() {
    let bench = Bench::new().await;
    bench.answers(200).await;
    bench.target(json!({})).await;
    bench.say("one", NoticeLevel::Critical).await;
    bench.look().await;
    bench.clock.set("26T12:00:29");
    bench.say("two", NoticeLevel::Warning).await;
    bench.look().await;
    assert_eq!(bench.arrived().await, [""; 0]);
    bench.clock.set("26T12:00:30");
    bench.look().await;
    bench.look().await;
    assert_eq!(bench.arrived().await, ["2 notices: 1 critical, 1 warning"]);
    let view = bench.fleet.notify_target("hook", true).await.unwrap();
    assert_eq!((view.waiting, view.last_state), (0, Some(DeliveryState::Sent)));
}

#[tokio::test]
async fn over_a_night_what_is_critical_goes_through_and_the_rest_is_one_message_in_the_morning() {
    let bench = Bench::new().await;
    bench.answers(200).await;
    let quiet = json!({ "from": "22:00", "to": "07:00", "zone": "Europe/Berlin" });
    bench.target(json!({ "quiet": quiet, "group_seconds": 0 })).await;
    for (time, title, level) in [
        ("26T20:59:59", "before", NoticeLevel::Notice),
        ("26T21:00:00", "held", NoticeLevel::Warning),
        ("27T02:00:00", "held too", NoticeLevel::Notice),
        ("27T03:00:00", "urgent", NoticeLevel::Critical),
    ] {
        bench.clock.set(time);
        bench.say(title, level).await;
        bench.look().await;
    }
    assert_eq!(bench.arrived().await, ["before", "urgent"]);
    bench.clock.set("27T05:59:59");
    bench.look().await;
    assert_eq!(bench.fleet.notify_target("hook", false).await.unwrap().quiet_until, Some(at("27T06:00:00")));
    assert_eq!(bench.arrived().await, [""; 0]);
    bench.clock.set("27T06:00:00");
    bench.look().await;
    assert_eq!(bench.arrived().await, ["2 notices: 1 warning, 1 notice"]);
}

#[tokio::test]
async fn what_fails_is_tried_again_told_and_sent_when_it_answers() {
    let bench = Bench::new().await;
    bench.answers(503).await;
    bench.target(json!({ "group_seconds": 0 })).await;
    bench.say("one", NoticeLevel::Critical).await;
    for time in ["26T12:00:00", "26T12:00:14", "26T12:00:15", "26T12:00:45"] {
        bench.clock.set(time);
        bench.look().await;
    }
    assert_eq!(bench.arrived().await.len(), 3, "not before its pause is over");
    let view = bench.fleet.notify_target("hook", false).await.unwrap();
    assert_eq!((view.waiting, view.tries, view.target.is_none()), (1, 3, true));
    assert!(view.trouble.unwrap().contains("503"));
    let needs = bench.fleet.tables().await.unwrap().overview.attention;
    assert!(needs.iter().any(|each| each.entity == "notify:hook" && each.values["target"] == "hook"), "{needs:?}");
    bench.clock.set("26T13:00:00");
    bench.look().await;
    assert_eq!(bench.arrived().await, ["one"]);
    let needs = bench.fleet.tables().await.unwrap().overview.attention;
    assert!(needs.iter().all(|each| each.entity != "notify:hook"), "{needs:?}");
}

#[tokio::test]
async fn a_target_that_is_down_is_asked_once_and_what_is_switched_off_is_dropped() {
    let bench = Bench::new().await;
    bench.answers(503).await;
    bench.target(json!({ "group_seconds": 0 })).await;
    for number in 0..5 {
        bench.say(&number.to_string(), NoticeLevel::Warning).await;
    }
    bench.look().await;
    assert_eq!(bench.arrived().await.len(), 1, "the rest waits with the first");
    let off = NotifyTargetChange { enabled: Some(false), ..NotifyTargetChange::default() };
    bench.fleet.change_notify_target("hook", off, NotifySecrets::default()).await.unwrap();
    bench.look().await;
    let filter = DeliveryFilter { state: Some(DeliveryState::Dropped), limit: 100, ..DeliveryFilter::default() };
    assert_eq!(bench.fleet.deliveries(&filter).await.unwrap().len(), 5);
}

#[tokio::test]
async fn inside_is_refused_until_an_admin_allows_it_and_secrets_stay_where_they_were_given_for() {
    let bench = Bench::new().await;
    bench.answers(200).await;
    bench.target(json!({ "allow_inside": false })).await;
    let error = bench.fleet.test_notify_target("hook", "ada").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && crate::report(&error).contains("allow_inside"), "{error}");
    assert_eq!(bench.arrived().await, [""; 0]);
    let change = |text: Value| serde_json::from_value::<NotifyTargetChange>(text).unwrap();
    let allowed = change(json!({ "allow_inside": true }));
    bench
        .fleet
        .change_notify_target("hook", allowed, NotifySecrets { headers: Some("X-A: b".into()), ..Default::default() })
        .await
        .unwrap();
    assert!(bench.fleet.test_notify_target("hook", "ada").await.unwrap().answer.contains("200"));
    assert_eq!(bench.arrived().await, ["A test from Reanimator"]);
    let view = bench.fleet.notify_target("hook", true).await.unwrap();
    assert_eq!(view.secrets.unwrap(), ["headers", "url"]);
    let shown = serde_json::to_value(&view.target).unwrap();
    assert_eq!(shown["way"]["url"], format!("{}/…", bench.receiver.uri()), "only its site is shown");
    let elsewhere = change(json!({ "way": { "kind": "webhook", "url": "https://elsewhere.example.org/y" } }));
    let view = bench.fleet.change_notify_target("hook", elsewhere, NotifySecrets::default()).await.unwrap();
    assert_eq!(view.secrets.unwrap(), ["url"], "headers for one place are not sent to another");
}

#[tokio::test]
async fn what_is_critical_goes_through_a_flood_that_waits_for_the_morning() {
    let bench = Bench::new().await;
    bench.answers(200).await;
    let quiet = json!({ "from": "22:00", "to": "07:00", "zone": "Europe/Berlin" });
    bench.target(json!({ "quiet": quiet, "group_seconds": 0 })).await;
    bench.clock.set("27T02:00:00");
    let flood = |number: u64| {
        let title = format!("{number}");
        let notice = Notice::new(NoticeKind::AlertRaised, NoticeLevel::Warning, title, at("27T02:00:00"));
        Delivery::new("hook", notice, at("27T02:00:00"))
    };
    bench.fleet.store().give_out(0, &(0..MOST_WAITING).map(flood).collect::<Vec<_>>()).await.unwrap();
    bench.say("one too many", NoticeLevel::Warning).await;
    bench.say("urgent", NoticeLevel::Critical).await;
    bench.look().await;
    bench.look().await;
    assert_eq!(bench.arrived().await, ["urgent"]);
    assert_eq!(bench.fleet.notify_target("hook", false).await.unwrap().waiting, MOST_WAITING);
}
