//! The guests of all clusters.

use axum::{Json, extract::State};
use reanimator_core::model::Guest;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Viewer,
    error::ApiError,
    json::Query,
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The guests of all clusters.
#[utoipa::path(get, path = "/api/v1/guests", tag = "fleet", params(ListQuery), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<Guest>), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Guest>>, ApiError> {
    let guests = state.fleet.guests().await?;
    Ok(Json(query.filtered_page(&guests, "name")?))
}
