//! The storages of all clusters; a shared one is one storage.

use axum::{Json, extract::State};
use reanimator_core::model::Storage;
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

/// The storages of all clusters.
#[utoipa::path(get, path = "/api/v1/storages", tag = "fleet", params(ListQuery), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<Storage>), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Storage>>, ApiError> {
    let storages = state.fleet.storages().await?;
    Ok(Json(query.filtered_page(&storages, "name")?))
}
