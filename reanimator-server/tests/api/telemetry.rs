//! The history over HTTP: columns, CSV, and questions that make no sense.

use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use jiff::Timestamp;
use reanimator_core::{
    model::{Entity, EntityKind, HostId, Role},
    store::{MetricRow, Sample},
    workflows::live::{LiveLoop, LiveOptions},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::{Answer, Service, request};

const PATH: &str = "/api/v1/telemetry/query";

/// `web1` with three samples, ten seconds apart, from noon on; the CPU was not seen in the second one.
async fn web1() -> (Service, String, HostId) {
    let service = Service::empty().await;
    let id = service.add("web1").await.id;
    let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let sample = |index: u32| {
        let values = MetricRow::new(EntityKind::Host).with("load1", f64::from(index) + 0.5);
        let values = if index == 1 { values } else { values.with("cpu_percent", 25.0) };
        Sample { entity: Entity::Host(id.clone()), at: noon + Duration::from_secs(10) * index, values }
    };
    service.fleet.store().append_samples(&[sample(0), sample(1), sample(2)]).await.unwrap();
    let viewer = service.token(Role::Viewer).await;
    (service, viewer, id)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl Answer {
    /// A problem that names the thing, the cause and the next step.
    fn named(&self, status: u16, kind: &str, thing: &str) -> Value {
        let problem = self.problem(status, kind);
        assert!(problem["detail"].as_str().unwrap().contains(thing), "{thing:?} is not named: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(": "), "no cause: {problem}");
        assert!(problem["next"].as_str().is_some_and(|next| !next.is_empty()), "no next step: {problem}");
        problem
    }
}

#[tokio::test]
async fn a_history_is_columns_and_a_gap_is_null() {
    let (service, viewer, id) = web1().await;
    let query = "entity=host:web1&metric=cpu_percent,load1&from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:40Z&step=10s";
    let series = service.get(&viewer, &format!("{PATH}?{query}")).await.ok();
    assert_eq!(series["entity"], format!("host:{id}"));
    assert_eq!(series["step_seconds"], 10);
    assert_eq!(series["times"].as_array().unwrap().len(), 4);
    assert_eq!(series["metrics"]["load1"]["mean"], json!([0.5, 1.5, 2.5, null]));
    assert_eq!(series["metrics"]["cpu_percent"]["max"], json!([25.0, null, 25.0, null]));
    let by_id = service.get(&viewer, &format!("{PATH}?{}", query.replace("host:web1", &id.to_string()))).await.ok();
    assert_eq!(by_id, series);
}

#[tokio::test]
async fn the_same_comes_as_csv_with_a_tag_of_its_own() {
    let (service, viewer, _) = web1().await;
    let query = format!("{PATH}?entity=web1&metric=load1&from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:40Z&step=10s");
    let csv = service.get(&viewer, &format!("{query}&format=csv")).await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let expected = "time,load1_min,load1_mean,load1_max\n\
        2026-01-31T12:00:00Z,0.5,0.5,0.5\n\
        2026-01-31T12:00:10Z,1.5,1.5,1.5\n\
        2026-01-31T12:00:20Z,2.5,2.5,2.5\n\
        2026-01-31T12:00:30Z,,,\n";
    assert_eq!(csv.text(), expected);
    let json = service.get(&viewer, &query).await;
    assert_ne!(json.headers[header::ETAG], csv.headers[header::ETAG]);
    let tag = csv.headers[header::ETAG].to_str().unwrap();
    let again = request(Method::GET, &format!("{query}&format=csv")).bearer(&viewer).header("if-none-match", tag);
    let again = service.send(again.empty()).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_with_a_way_on() {
    let (service, viewer, _) = web1().await;
    for (query, thing) in [
        ("metric=cpu", "\"cpu\""),
        ("metric=load1,%22%3Bdrop", "drop"),
        ("from=2026-02-01T00:00:00Z&to=2026-01-31T00:00:00Z", "end"),
        ("from=1h&to=1h", "end"),
        ("from=yesterday", "yesterday"),
        ("to=99999999999999999999d", "99999999999999999999d"),
        ("step=0", "\"0\""),
        ("step=1ms", "1ms"),
        ("step=-10s", "-10s"),
        ("step=1.5s", "1.5s"),
        ("step=", "\"\""),
        ("from=3650d&step=10s", "10000"),
        ("format=xml", "xml"),
        ("metrics=load1", "metrics"),
    ] {
        service.get(&viewer, &format!("{PATH}?entity=web1&{query}")).await.named(422, "invalid", thing);
    }
    for query in ["", "?metric=load1"] {
        service.get(&viewer, &format!("{PATH}{query}")).await.named(422, "invalid", "entity");
    }
    let ten_years = service.get(&viewer, &format!("{PATH}?entity=web1&metric=load1&from=3650d")).await.ok();
    assert!(ten_years["times"].as_array().unwrap().len() <= 732, "no step makes a chart");
}

/// The loop writes the sums down in each of its turns, and they are asked for as any other history.
#[tokio::test]
async fn the_fleet_as_a_whole_has_a_history() {
    let service = Service::on_this_machine().await;
    let viewer = service.token(Role::Viewer).await;
    let none = service.get(&viewer, "/api/v1/telemetry/latest?entity=fleet").await.ok();
    assert_eq!(none, json!({}));
    let options = LiveOptions { interval: Duration::from_millis(500), ..LiveOptions::default() };
    let stop = CancellationToken::new();
    let live = tokio::spawn(LiveLoop::new(service.fleet.clone(), options).run(stop.clone()));
    let latest = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let latest = service.get(&viewer, "/api/v1/telemetry/latest?entity=fleet").await.ok();
            if latest["cpu_percent"].is_object() {
                return latest;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let latest = latest.await.expect("a sample within a minute");
    stop.cancel();
    live.await.unwrap().unwrap();
    let status = service.get(&viewer, "/api/v1/status").await.ok();
    let value = |name: &str| latest[name]["value"].as_f64();
    assert_eq!((value("hosts_online"), value("hosts_total")), (Some(1.0), Some(1.0)));
    assert_eq!((value("guests_running"), value("guests_total")), (Some(0.0), Some(0.0)), "there is no cluster");
    let total = status["totals"]["memory"]["total_bytes"].as_f64().unwrap();
    assert!((value("memory_total").unwrap() - total).abs() < total * 1e-6, "{latest}");
    for name in ["memory_used", "disk_used", "disk_total"] {
        assert!(value(name).is_some_and(|value| value > 0.0), "{name}: {latest}");
    }
    let series = service.get(&viewer, &format!("{PATH}?entity=fleet&from=10m&step=10s")).await.ok();
    assert_eq!(series["entity"], "fleet");
    assert_eq!(series["metrics"].as_object().unwrap().len(), 11);
    let lines = "/api/v1/telemetry/recent?entities=fleet,fleet:x&metric=cpu_percent&from=10m";
    let recent = service.get(&viewer, lines).await.ok();
    assert_eq!(recent["unknown"], json!(["fleet:x"]));
    assert!(recent["series"]["fleet"].as_array().unwrap().iter().any(Value::is_number), "{recent}");
}

#[tokio::test]
async fn lines_of_many_come_at_once_and_name_what_is_unknown() {
    let (service, viewer, id) = web1().await;
    let silent = service.add("web2").await.id;
    let path = "/api/v1/telemetry/recent";
    let query = "metric=cpu_percent&from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:40Z&points=4";
    let entities = format!("host:{id},guest:c:1,host:{silent},planet:mars,,host:{id},web1");
    let answer = service.get(&viewer, &format!("{path}?{query}&entities={entities}")).await;
    let tag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
    let expected = json!({
        "metric": "cpu_percent",
        "from": "2026-01-31T12:00:00Z",
        "to": "2026-01-31T12:00:40Z",
        "step_seconds": 10,
        "series": {
            format!("host:{id}"): [25.0, null, 25.0, null],
            format!("host:{silent}"): [null, null, null, null],
        },
        "unknown": ["guest:c:1", "planet:mars", "web1"],
    });
    assert_eq!(answer.ok(), expected);
    let again = request(Method::GET, &format!("{path}?{query}&entities={entities}")).bearer(&viewer);
    let again = service.send(again.header("if-none-match", &tag).empty()).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let many = (0..=200).map(|number| format!("host:{number}")).collect::<Vec<_>>().join(",");
    for (query, thing) in [
        (format!("metric=cpu_percent&entities={many}"), "201"),
        (format!("metric=cpu_percent&entities=host:{id}&points=121"), "121"),
        (format!("metric=cpu_percent&entities=host:{id}&points=1"), "1"),
        (format!("metric=cpu&entities=host:{id}"), "\"cpu\""),
        (format!("metric=cpu_percent&entities=host:{id}&from=1h&to=2h"), "end"),
        (format!("metric=cpu_percent&entities=host:{id}&from=yesterday"), "yesterday"),
        (format!("entities=host:{id}"), "metric"),
        ("metric=cpu_percent".to_owned(), "entities"),
    ] {
        service.get(&viewer, &format!("{path}?{query}")).await.named(422, "invalid", thing);
    }
    let most = many.strip_suffix(",host:200").unwrap();
    let none = service.get(&viewer, &format!("{path}?metric=cpu_percent&entities={most}")).await.ok();
    assert_eq!((none["series"].clone(), none["unknown"].as_array().unwrap().len()), (json!({}), 200));
}

#[tokio::test]
async fn an_entity_of_any_text_is_at_most_not_found() {
    let (service, viewer, _) = web1().await;
    for word in [
        "nobody",
        "host:nobody",
        "guest:999",
        "storage:nowhere",
        "planet:mars",
        "'; DROP TABLE hosts; --",
        "\"quoted\"",
        "two\nlines",
        "Straße 東京 🦀",
        "\u{202e}reversed",
        "nul\0byte",
        "../../etc/passwd",
    ] {
        for path in [PATH, "/api/v1/telemetry/latest", "/api/v1/changes"] {
            let answer = service.get(&viewer, &format!("{path}?entity={}", encoded(word))).await;
            let name = word.split_once(':').map_or(word, |(_, name)| name);
            let shown = name.chars().find(|c| c.is_alphanumeric()).unwrap().to_string();
            answer.named(404, "not-found", &shown);
        }
    }
    for word in ["", "host:", "guest:", ":", &"x".repeat(5000)] {
        let answer = service.get(&viewer, &format!("{PATH}?entity={}", encoded(word))).await;
        assert!(answer.status.is_client_error(), "{word:?}: {}", answer.text());
        assert!(answer.json()["next"].is_string(), "{word:?}: {}", answer.text());
    }
    // Bytes that are no UTF-8.
    let broken = service.get(&viewer, &format!("{PATH}?entity=%FF%FE")).await;
    assert!(broken.status.is_client_error(), "{}", broken.text());
    assert_eq!(service.get(&viewer, &format!("{PATH}?entity=web1")).await.status, StatusCode::OK, "all is still there");
}

#[tokio::test]
async fn changes_refuse_what_is_no_page() {
    let (service, viewer, _) = web1().await;
    for (query, thing) in
        [("limit=0", "0"), ("limit=1001", "1001"), ("cursor=abc", "cursor"), ("entity=web1&since=1h", "since")]
    {
        service.get(&viewer, &format!("/api/v1/changes?{query}")).await.named(422, "invalid", thing);
    }
    let none = service.get(&viewer, "/api/v1/changes?entity=web1&field=%5B").await;
    assert!(none.status.is_success() || none.status.is_client_error(), "{}", none.text());
}
