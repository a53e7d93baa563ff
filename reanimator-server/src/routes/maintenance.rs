//! Maintenance of hosts: emptied and taken out of use, and back.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use reanimator_core::{
    model::{MaintenanceWish, Operation},
    workflows::maintenance::{self, MaintenanceDryRun},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Operator,
    error::ApiError,
    json::{Body, Name, Query},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(wish))
}

/// How something is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WishQuery {
    /// Says what would be done, and does nothing. Defaults to false.
    #[serde(default)]
    dry_run: bool,
}

/// Takes a host into maintenance, its guests spread over other nodes, or out of it, as one operation.
///
/// With `dry_run` it says which guest would go where and why, what would stay, and each step.
#[utoipa::path(post, path = "/api/v1/hosts/{id}/maintenance", tag = "operations", params(("id" = String, Path), WishQuery),
    request_body = MaintenanceWish, extensions(("x-role" = json!("operator"))),
    responses((status = 202, description = "It is stored and will be carried out", body = Operation),
        (status = 200, description = "What would be done", body = MaintenanceDryRun), Refusals))]
async fn wish(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
    Query(query): Query<WishQuery>,
    Body(wish): Body<MaintenanceWish>,
) -> Result<Response, ApiError> {
    let (fleet, id) = (&state.fleet, id.into());
    if query.dry_run {
        return Ok(Json(maintenance::dry_run(fleet, &id, &wish, &caller.principal).await?).into_response());
    }
    let asked = maintenance::ask(fleet, &id, &wish, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)).into_response())
}
