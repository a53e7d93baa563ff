//! The guests of all clusters, and where each could go.

use axum::{Json, extract::State};
use reanimator_core::{
    action::guard::{self, GuestTargets},
    model::{Guest, GuestId},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Viewer,
    error::ApiError,
    json::{Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(targets))
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

/// Where a guest could go: every node of its cluster, with what speaks against it. Asks the cluster.
#[utoipa::path(get, path = "/api/v1/guests/{id}/targets", tag = "operations", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = GuestTargets), Refusals))]
async fn targets(_: Viewer, State(state): State<AppState>, Name(id): Name) -> Result<Json<GuestTargets>, ApiError> {
    Ok(Json(guard::targets(&state.fleet, &GuestId(id)).await?))
}
