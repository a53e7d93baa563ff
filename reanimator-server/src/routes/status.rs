//! The whole fleet at one moment.

use axum::{Json, extract::State};
use reanimator_core::fleet::Status;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Viewer, error::ApiError, openapi::Refusals, state::AppState};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(status))
}

/// Every host and the sums over all of them.
#[utoipa::path(get, path = "/api/v1/status", tag = "fleet", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Status), Refusals))]
async fn status(_: Viewer, State(state): State<AppState>) -> Result<Json<Status>, ApiError> {
    Ok(Json(state.fleet.status().await?))
}
