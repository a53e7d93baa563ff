//! `/metrics`: the fleet's figures and the service's own, as Prometheus and OpenMetrics text.
//!
//! The fleet's gauges are made from one status at each scrape, so they are what the page shows at that moment; a
//! figure that was not seen has no line rather than a zero. Host names are labels, escaped by the encoder.

use std::{sync::atomic::AtomicU64, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use reanimator_core::{
    Error, ErrorKind,
    fleet::Status,
    model::{HostState, HostView},
};

use crate::{auth::Viewer, error::ApiError, state::AppState};

/// The OpenMetrics text format, which Prometheus reads.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Upper ends of the buckets for request times, in seconds: a listing, a log-in, a far host, a hung one.
const REQUEST_SECONDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 2.0, 10.0];

type FloatGauge = Gauge<f64, AtomicU64>;

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabel {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
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
    let status = state.fleet.status().await?;
    let text = render(&status, &state.metrics)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

fn render(status: &Status, http: &HttpMetrics) -> Result<String, Error> {
    let mut registry = Registry::default();
    register_states(&mut registry, status);
    for figure in FIGURES {
        let family = Family::<HostLabel, FloatGauge>::default();
        for host in &status.hosts {
            if let Some(value) = (figure.read)(host) {
                family.get_or_create(&HostLabel { host: host.name.clone() }).set(value);
            }
        }
        registry.register(figure.name, figure.help, family);
    }
    http.register(&mut registry);
    let mut text = String::new();
    text::encode(&mut text, &registry)
        .map_err(|error| Error::new(ErrorKind::Internal, "write the metrics").from_source(error))?;
    Ok(text)
}

fn register_states(registry: &mut Registry, status: &Status) {
    let hosts = Family::<StateLabel, Gauge>::default();
    for state in [HostState::Online, HostState::Offline, HostState::Unknown, HostState::Maintenance] {
        let count = status.hosts.iter().filter(|host| host.state == state).count();
        hosts.get_or_create(&StateLabel { state: state.as_str() }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("reanimator_hosts", "Hosts of the fleet by state", hosts);
    let guests = Family::<StateLabel, Gauge>::default();
    let counts = status.totals.guests;
    guests.get_or_create(&StateLabel { state: "running" }).set(i64::from(counts.running));
    guests.get_or_create(&StateLabel { state: "other" }).set(i64::from(counts.total.saturating_sub(counts.running)));
    registry.register("reanimator_guests", "Guests of all clusters by state", guests);
}

/// One gauge with a line per host.
struct Figure {
    name: &'static str,
    help: &'static str,
    read: fn(&HostView) -> Option<f64>,
}

const FIGURES: &[Figure] = &[
    Figure {
        name: "reanimator_host_up",
        help: "Whether the host answers (1) or not (0)",
        read: |host| Some(f64::from(u8::from(host.state == HostState::Online))),
    },
    Figure {
        name: "reanimator_host_cpu_percent",
        help: "CPU in use of all CPUs together",
        read: |host| host.cpu_percent,
    },
    Figure { name: "reanimator_host_cpus", help: "Logical CPUs", read: |host| host.cpus.map(f64::from) },
    Figure {
        name: "reanimator_host_memory_total_bytes",
        help: "Main memory",
        read: |host| host.memory.as_ref().map(|memory| memory.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_memory_used_bytes",
        help: "Main memory in use",
        read: |host| host.memory.as_ref().map(|memory| memory.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_swap_used_bytes",
        help: "Swap in use",
        read: |host| host.swap.map(|swap| swap.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_disk_total_bytes",
        help: "Local file systems together",
        read: |host| host.disk.map(|disk| disk.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_disk_used_bytes",
        help: "Local file systems together, in use",
        read: |host| host.disk.map(|disk| disk.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_network_received_bytes_per_second",
        help: "Traffic in",
        read: |host| host.network.map(|network| network.received_bytes_per_second),
    },
    Figure {
        name: "reanimator_host_network_sent_bytes_per_second",
        help: "Traffic out",
        read: |host| host.network.map(|network| network.sent_bytes_per_second),
    },
    Figure {
        name: "reanimator_host_uptime_seconds",
        help: "Time since the host started",
        read: |host| host.uptime_seconds.map(|seconds| seconds as f64),
    },
    Figure {
        name: "reanimator_host_observation_age_seconds",
        help: "How old the host's figures are",
        read: |host| host.age_seconds,
    },
];
