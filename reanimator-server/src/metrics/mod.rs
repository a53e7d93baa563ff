//! `/metrics`: the fleet's figures and the service's own, as Prometheus and OpenMetrics text.
//!
//! The fleet's gauges are made at each scrape, so they are what the page shows at that moment; a figure that was not
//! seen has no line rather than a zero. Names are labels, escaped by the encoder.

mod fleet;

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use reanimator_core::{
    Error, ErrorKind,
    fleet::{Status, Tables},
    model::{Guest, Storage},
};

use crate::{auth::Viewer, error::ApiError, state::AppState};

/// The OpenMetrics text format, which Prometheus reads.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Upper ends of the buckets for request times, in seconds: a listing, a log-in, a far host, a hung one.
const REQUEST_SECONDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 2.0, 10.0];

/// What the service counts of itself.
pub(crate) struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self { requests: Family::default(), seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)) }
    }
}

impl HttpMetrics {
    fn count(&self, labels: RouteLabels, status: StatusCode, took: Duration) {
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
        let RouteLabels { method, route } = labels;
        self.requests.get_or_create(&RequestLabels { method, route, status: status.as_u16() }).inc();
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("reanimator_http_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "reanimator_http_request_duration",
            "Time until the answer began",
            Unit::Seconds,
            self.seconds.clone(),
        );
    }
}

/// Counts every request under its route (never its path, which holds ids).
pub(crate) async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    let labels = RouteLabels { method: known_method(request.method()), route };
    let started = tokio::time::Instant::now();
    let response = next.run(request).await;
    let took = started.elapsed();
    tracing::debug!(method = labels.method, route = labels.route, status = response.status().as_u16(), ?took);
    state.metrics.count(labels, response.status(), took);
    response
}

/// Clients can invent methods; labels must stay few.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// The fleet's figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "service", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn scrape(_: Viewer, State(state): State<AppState>) -> Result<Response, ApiError> {
    let (status, tables) = (state.fleet.status().await?, state.fleet.tables().await?);
    let (guests, storages) = (state.fleet.guests().await?, state.fleet.storages().await?);
    let text = render(&status, &tables, &guests, &storages, &state.metrics)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

fn render(
    status: &Status,
    tables: &Tables,
    guests: &[Guest],
    storages: &[Storage],
    http: &HttpMetrics,
) -> Result<String, Error> {
    let mut registry = Registry::default();
    fleet::register(&mut registry, status, tables, guests, storages);
    http.register(&mut registry);
    let mut text = String::new();
    text::encode(&mut text, &registry)
        .map_err(|error| Error::new(ErrorKind::Internal, "write the metrics").from_source(error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dashboard that people import shows what is served under its very name.
    #[test]
    fn the_dashboard_for_grafana_asks_only_for_figures_that_are_served() {
        let dashboard = include_str!("../../../deploy/grafana/reanimator.json");
        let served = fleet::names();
        let words = dashboard.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let asked: Vec<&str> = words.filter(|word| word.starts_with("reanimator_")).collect();
        assert!(asked.len() > 20, "{asked:?}");
        for name in asked {
            assert!(served.contains(&name), "{name} is asked for and not served");
        }
    }
}
