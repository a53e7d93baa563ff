//! Pairs of records that may be one machine: shown, asked, never merged silently.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::fleet::MatchView;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(decide))
}

/// What is said of a pair.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// Whether the two are one machine.
    same: bool,
}

/// The pairs that nobody has decided yet.
#[utoipa::path(get, path = "/api/v1/matches", tag = "fleet", params(ListQuery), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<MatchView>), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<MatchView>>, ApiError> {
    let matches = state.fleet.matches().await?;
    Ok(Json(query.filtered_page(&matches, "id")?))
}

/// Says whether a pair is one machine.
#[utoipa::path(post, path = "/api/v1/matches/{id}", tag = "fleet", params(("id" = String, Path)),
    request_body = Decision, extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn decide(
    admin: Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(decision): Body<Decision>,
) -> Result<StatusCode, ApiError> {
    let change = format!("match decide {}", if decision.same { "same" } else { "different" });
    admin.0.audited(&change, &id, state.fleet.decide_match(&id, decision.same)).await?;
    Ok(StatusCode::NO_CONTENT)
}
