//! What holds for every answer: headers, problems, limits, the description, the metrics and the page.

use std::collections::BTreeSet;

use crate::common::{Service, request};
use axum::http::{Method, StatusCode, header};
use reanimator_core::model::Role;
use serde_json::{Value, json};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    manifest-src 'self'";

#[tokio::test]
async fn every_answer_carries_the_headers_that_guard_the_page() {
    let service = Service::empty().await;
    for path in ["/", "/health", "/api/v1/me", "/api/nothing", "/missing.js"] {
        let answer = service.send(request(Method::GET, path).empty()).await;
        assert_eq!(answer.headers[header::CONTENT_SECURITY_POLICY], CSP, "{path}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer");
        assert!(!answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "there is no TLS here");
        if path.starts_with("/api") {
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_the_answer_is_a_problem() {
    let service = Service::empty().await;
    let token = service.token(Role::Admin).await;
    service.get(&token, "/api/v1/nothing").await.problem(404, "not-found");
    service.get(&token, "/api/v1/hosts/nothing").await.problem(404, "not-found");
    let method = service.send(request(Method::PUT, "/api/v1/hosts").bearer(&token).empty()).await;
    method.problem(405, "invalid");
    assert!(method.headers.contains_key(header::ALLOW));
    service.send(request(Method::POST, "/page").empty()).await.problem(405, "invalid");

    let post = |body: String, content_type: &str| {
        service
            .send(request(Method::POST, "/api/v1/tokens").bearer(&token).header("content-type", content_type).raw(body))
    };
    post("{\"name\": ".to_owned(), "application/json").await.problem(400, "invalid");
    post("{\"name\": 7}".to_owned(), "application/json").await.problem(422, "invalid");
    let unknown = json!({ "name": "x", "role": "viewer", "colour": "red" });
    let detail = post(unknown.to_string(), "application/json").await.problem(422, "invalid")["detail"].to_string();
    assert!(detail.contains("colour"), "{detail}");
    post("name=x".to_owned(), "application/x-www-form-urlencoded").await.problem(415, "invalid");
    let large = json!({ "name": "x".repeat(1024 * 1024), "role": "viewer" }).to_string();
    post(large, "application/json").await.problem(413, "invalid");
    service.get(&token, "/api/v1/hosts?limit=many").await.problem(422, "invalid");
    service.get(&token, "/api/v1/hosts?colour=red").await.problem(422, "invalid");
    service.get(&token, "/api/v1/hosts/%ff").await.problem(422, "invalid");
}

#[tokio::test]
async fn health_is_open_and_says_ok() {
    let service = Service::empty().await;
    assert_eq!(service.send(request(Method::GET, "/health").empty()).await.ok(), json!({ "status": "ok" }));
}

#[tokio::test]
async fn the_description_names_only_schemas_that_it_holds() {
    let service = Service::empty().await;
    let token = service.token(Role::Viewer).await;
    let document = service.get(&token, "/api/openapi.json").await.ok();
    let mut named = BTreeSet::new();
    collect_references(&document, &mut named);
    let held: BTreeSet<String> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    let missing: Vec<_> = named.difference(&held).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(
        held.contains("Host") && held.contains("LastLine") && held.contains("Problem") && held.contains("Totals"),
        "{held:?}"
    );
}

fn collect_references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_str().and_then(|text| text.strip_prefix("#/components/schemas/")) {
                    Some(name) if key == "$ref" => drop(named.insert(name.to_owned())),
                    _ => collect_references(field, named),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, named)),
        _ => {}
    }
}

#[tokio::test]
async fn metrics_can_be_read_line_by_line_whatever_hosts_are_called() {
    let name = "web\"1\\ $(id) ümlaut\n";
    let service = Service::empty().await;
    let token = service.token(Role::Viewer).await;
    let plain = service.add("web1").await;
    // A record may have come in by another way than through the checks of today.
    let hostile = reanimator_core::model::HostView { name: name.to_owned(), cpu_percent: Some(12.5), ..plain };
    let host = service.fleet.store().host(&hostile.id).await.unwrap().unwrap();
    service.fleet.store().update_host(&reanimator_core::model::Host { name: name.to_owned(), ..host }).await.unwrap();
    service.fleet.store().put_views(&[hostile]).await.unwrap();

    let answer = service.get(&token, "/metrics").await;
    assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in text.lines() {
        assert!(is_metrics_line(line), "{line}");
    }
    assert!(text.contains("reanimator_host_cpu_percent{host=\"web\\\"1\\\\ $(id) ümlaut\\n\"} 12.5"), "{text}");
    assert!(text.contains("reanimator_hosts{state=\"unknown\"} 1"), "{text}");
    assert!(!text.contains("reanimator_host_swap_used_bytes{"), "what was not seen has no line");
    let again = service.get(&token, "/metrics").await.text();
    assert!(
        again.contains("reanimator_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 1"),
        "{again}"
    );
    assert!(again.ends_with("# EOF\n"));
}

/// Whether a line is what the format allows: a comment, or a name, labels and a number.
fn is_metrics_line(line: &str) -> bool {
    if let Some(comment) = line.strip_prefix("# ") {
        return comment == "EOF" || ["HELP ", "TYPE ", "UNIT "].iter().any(|word| comment.starts_with(word));
    }
    let Some((series, value)) = line.rsplit_once(' ') else { return false };
    let name_end = series.find('{').unwrap_or(series.len());
    let is_name = series[..name_end].chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let has_whole_labels = name_end == series.len() || series.ends_with("\"}");
    is_name && has_whole_labels && value.parse::<f64>().is_ok()
}

#[tokio::test]
async fn the_page_is_open_and_its_own_routes_lead_to_it() {
    let service = Service::empty().await;
    for path in ["/", "/setup", "/hosts/some-id"] {
        let answer = service.send(request(Method::GET, path).empty()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
    }
    service.send(request(Method::GET, "/assets/missing.js").empty()).await.problem(404, "not-found");
    for path in ["/..%2f..%2fCargo.toml", "/../../Cargo.toml", "/assets/../../../Cargo.toml"] {
        service.send(request(Method::GET, path).empty()).await.problem(404, "not-found");
    }
}
