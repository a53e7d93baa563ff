//! The routes with all that stands around them.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use reanimator_core::{Error, ErrorKind};
use tracing::Instrument as _;

use crate::{
    error::ApiError,
    headers, json, metrics, openapi, page,
    routes::{backup, uploads},
    state::AppState,
};

/// As long as a handler may take until its answer begins. Streams and sockets run longer: their answer has begun.
///
/// The slowest calls reach far hosts, for which the core has limits of its own; this one is the last resort.
const REQUEST_LIMIT: Duration = Duration::from_secs(120);

/// As long as a backup may take to be made, or to come in: 4 GiB at 10 Mbit/s. A file that is handed over and takes longer
/// goes on where it stopped.
const TRANSFER_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The whole service as a router, without a socket.
///
/// It takes the peer's address from [`axum::extract::ConnectInfo`] where the listener gives it; without, requests
/// count as local.
pub fn app(state: AppState) -> Router {
    let (routes, _) = openapi::api().split_for_parts();
    routes
        .fallback(page::fallback)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(json::BODY_LIMIT))
        .layer(middleware::from_fn_with_state(state.clone(), carry_out))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(state.clone(), headers::check_host))
        .layer(middleware::from_fn_with_state(state.clone(), metrics::count))
        .layer(middleware::from_fn_with_state(state.clone(), headers::secure))
        .with_state(state)
}

async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    ApiError::no_such_method(&method, uri.path())
}

/// Lets what was begun end, with its line in the audit trail, also when whoever asked hangs up or waits no longer. An
/// answer that is a stream ends with its reader all the same.
async fn carry_out(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let handler = state.changes.spawn(next.run(request).in_current_span());
    handler.await.unwrap_or_else(|fault| {
        let error = Error::new(ErrorKind::Internal, "answer this request").because(fault.to_string());
        ApiError::from(error).into_response()
    })
}

async fn limit_time(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let transfers = path.starts_with(backup::PATH) || path.starts_with(uploads::PATH);
    let limit = if transfers { TRANSFER_LIMIT } else { REQUEST_LIMIT };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = Error::new(ErrorKind::Timeout, "answer this request")
                .because(format!("it took longer than {} s", limit.as_secs()));
            ApiError::from(error).into_response()
        }
    }
}
