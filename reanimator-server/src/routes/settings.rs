//! How long things are kept, and how much room they take.

use axum::{Json, extract::State};
use reanimator_core::fleet::{Settings, SettingsChange};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Viewer},
    error::ApiError,
    json::Body,
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// The settings, and what the data takes.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Settings), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>) -> Result<Json<Settings>, ApiError> {
    Ok(Json(state.fleet.settings().await?))
}

/// Changes settings; what is absent stays. What is then too old is deleted within minutes.
#[utoipa::path(patch, path = "/api/v1/settings", tag = "settings", request_body = SettingsChange,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = Settings), Refusals))]
async fn change(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(change): Body<SettingsChange>,
) -> Result<Json<Settings>, ApiError> {
    Ok(Json(caller.audited("settings change", &change.to_string(), state.fleet.change_settings(change)).await?))
}
