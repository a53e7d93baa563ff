//! The audit trail: everything that anybody changed or tried to.

use axum::{Json, extract::State};
use reanimator_core::{Error, ErrorKind, Result, store::AuditEntry};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Admin, error::ApiError, json::Query, list::ListQuery, openapi::Refusals, state::AppState};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One page of the trail, newest first.
#[derive(Serialize, ToSchema)]
struct Trail {
    items: Vec<AuditEntry>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// The audit trail, newest first. It takes `limit` and `cursor`; its order is fixed.
#[utoipa::path(get, path = "/api/v1/audit", tag = "people", params(ListQuery), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Trail), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Trail>, ApiError> {
    let limit = query.limit()?;
    let one_more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut entries = state.fleet.access().audit(before(&query)?, one_more).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next_cursor = entries.last().filter(|_| more).map(|last| last.number.to_string());
    Ok(Json(Trail { items: entries.into_iter().map(|stored| stored.entry).collect(), next_cursor }))
}

fn before(query: &ListQuery) -> Result<Option<i64>> {
    let not_ours = |_| {
        Error::new(ErrorKind::Invalid, "list the audit trail").because("this is not a cursor that this service gave")
    };
    query.cursor().map(str::parse).transpose().map_err(not_ours)
}
