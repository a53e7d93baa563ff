//! The audit trail: everything that anybody changed or tried to.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use futures::StreamExt as _;
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::{AuditFormat, AuditWords},
    store::AuditEntry,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Admin, error::ApiError, json::Query, openapi::Refusals, state::AppState};

/// As many entries as one page holds where the client names no number, and at most.
const DEFAULT_LIMIT: u32 = 100;
const LARGEST_LIMIT: u32 = 1_000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export))
}

/// Which entries. In texts `*` stands for anything, and `!` before one takes all others.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TrailQuery {
    /// How many at most, up to 1000. Defaults to 100.
    limit: Option<u32>,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// Who: a user's name, `token:NAME`, `local:USER`.
    who: Option<String>,
    /// From where: an address, or `local`.
    from: Option<String>,
    /// What: `host add`, `operation*`.
    what: Option<String>,
    /// On what.
    on: Option<String>,
    /// With what outcome: `ok`, `!ok`.
    outcome: Option<String>,
    /// From then on: a time (RFC 3339) or how long ago (`7d`).
    since: Option<String>,
    /// Before then.
    until: Option<String>,
}

/// The same for a file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// `csv` or `jsonl`. Defaults to `csv`.
    #[serde(default)]
    #[param(inline)]
    format: AuditFormat,
    /// Who, as for the list.
    who: Option<String>,
    /// From where.
    from: Option<String>,
    /// What.
    what: Option<String>,
    /// On what.
    on: Option<String>,
    /// With what outcome.
    outcome: Option<String>,
    /// From then on: a time (RFC 3339) or how long ago (`7d`).
    since: Option<String>,
    /// Before then.
    until: Option<String>,
}

/// One page of the trail, newest first.
#[derive(Serialize, ToSchema)]
struct Trail {
    items: Vec<AuditEntry>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// The audit trail, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "people", params(TrailQuery), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Trail), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<TrailQuery>,
) -> Result<Json<Trail>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let cause = format!("a page holds 1 to {LARGEST_LIMIT} entries, not {limit}");
        return Err(Error::new(ErrorKind::Invalid, "list the audit trail").because(cause).into());
    }
    let before = before(query.cursor.as_deref())?;
    let TrailQuery { who, from, what, on, outcome, since, until, .. } = query;
    let words = AuditWords { who, from, what, on, outcome, since, until };
    let mut entries = state.fleet.audit(&words, before, limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next_cursor = entries.last().filter(|_| more).map(|last| last.number.to_string());
    Ok(Json(Trail { items: entries.into_iter().map(|stored| stored.entry).collect(), next_cursor }))
}

/// The audit trail as a file, oldest first, of any length.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "people", params(ExportQuery),
    extensions(("x-role" = json!("admin"))),
    responses((status = 200, description = "The file",
        content((String = "text/csv"), (AuditEntry = "application/x-ndjson"))), Refusals))]
async fn export(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Query(query): Query<ExportQuery>,
) -> Result<([(HeaderName, String); 2], Body), ApiError> {
    let ExportQuery { format, who, from, what, on, outcome, since, until } = query;
    let words = AuditWords { who, from, what, on, outcome, since, until };
    let begin = async { state.fleet.export_audit(&words, format) };
    let parts = caller.audited("audit export", format.extension(), begin).await?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"audit.{}\"", format.extension())),
    ];
    Ok((headers, Body::from_stream(parts.take_until(state.stop.clone().cancelled_owned()))))
}

fn before(cursor: Option<&str>) -> Result<Option<i64>> {
    let not_ours = |_| {
        Error::new(ErrorKind::Invalid, "list the audit trail").because("this is not a cursor that this service gave")
    };
    cursor.filter(|text| !text.is_empty()).map(str::parse).transpose().map_err(not_ours)
}
