//! The history of figures, and what changed.

use axum::{
    Json,
    extract::State,
    http::header,
    middleware,
    response::{IntoResponse, Response},
};
use reanimator_core::{
    Error, ErrorKind,
    fleet::{HistoryWords, RecentWords, to_csv},
    model::{
        Latest, Recent, Series,
        change::{Change, ChangeFilter},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Viewer, error::ApiError, etag, json::Query, openapi::Refusals, state::AppState};

/// As many changes as one page holds where the client names no number.
const DEFAULT_LIMIT: u32 = 100;

/// As many changes as one page holds at most.
const LARGEST_LIMIT: u32 = 1000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(query))
        .routes(routes!(latest))
        .routes(routes!(recent))
        .routes(routes!(changes))
        .layer(middleware::from_fn(etag::tag))
}

/// In which form a history comes.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Columns, as data frames take them.
    #[default]
    Json,
    /// A line per time.
    Csv,
}

/// Which part of a history, and in which form.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Whose: `host:NAME`, `guest:VMID`, `guest:NAME`, `storage:NAME`, each by its id as well, or `fleet` for all of it;
    /// any other word without a kind is a host.
    entity: String,
    /// Which figures, with commas between. Defaults to all that are kept of such a thing.
    metric: Option<String>,
    /// From then on: a time (RFC 3339) or how long ago (`24h`). Defaults to an hour ago.
    from: Option<String>,
    /// Up to but not including then. Defaults to now.
    to: Option<String>,
    /// How far apart the points are: `10s`, `5m`, `6h`. Defaults to what makes a chart of a few hundred points.
    step: Option<String>,
    /// `json` or `csv`. Defaults to `json`.
    #[param(inline)]
    #[serde(default)]
    format: Format,
}

/// The history of some figures of one thing: least, average and most over equal steps; a gap is null.
#[utoipa::path(get, path = "/api/v1/telemetry/query", tag = "history", params(Asked),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, content((Series = "application/json"), (String = "text/csv"))), Refusals))]
async fn query(_: Viewer, State(state): State<AppState>, Query(asked): Query<Asked>) -> Result<Response, ApiError> {
    let Asked { entity, metric, from, to, step, format } = asked;
    let series = state.fleet.telemetry_in_words(&HistoryWords { entity, metric, from, to, step }).await?;
    Ok(match format {
        Format::Json => Json(series).into_response(),
        Format::Csv => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], to_csv(&series)).into_response(),
    })
}

/// Whose latest figures.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// `host:NAME`, `guest:VMID`, `storage:NAME`, each by its id as well, or `fleet` for all of it.
    entity: String,
}

/// The newest reading of each figure of one thing, each with its time.
#[utoipa::path(get, path = "/api/v1/telemetry/latest", tag = "history", params(Whose),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Latest), Refusals))]
async fn latest(
    _: Viewer,
    State(state): State<AppState>,
    Query(whose): Query<Whose>,
) -> Result<Json<Latest>, ApiError> {
    let entity = state.fleet.entity(&whose.entity).await?;
    Ok(Json(state.fleet.latest(&entity).await?))
}

/// Which short lines.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Lines {
    /// Whose, with commas between, at most 200: `host:ID`, `guest:ID`, `storage:ID`, by the ids that lists
    /// show, and `fleet` for all of it.
    entities: String,
    /// The name of the figure, which each of their kinds has to have.
    metric: String,
    /// From then on: a time (RFC 3339) or how long ago (`24h`). Defaults to an hour ago.
    from: Option<String>,
    /// Up to but not including then. Defaults to now.
    to: Option<String>,
    /// How many points each line has at most, 2 to 120. Defaults to 30.
    points: Option<usize>,
}

/// Short lines of one figure of many things at once: averages over the same equal steps; a gap is null.
#[utoipa::path(get, path = "/api/v1/telemetry/recent", tag = "history", params(Lines),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Recent), (status = 304, description = "As the tag says"), Refusals))]
async fn recent(
    _: Viewer,
    State(state): State<AppState>,
    Query(lines): Query<Lines>,
) -> Result<Json<Recent>, ApiError> {
    let Lines { entities, metric, from, to, points } = lines;
    let entities = entities.split(',').map(str::to_owned).collect();
    Ok(Json(state.fleet.recent_in_words(&RecentWords { entities, metric, from, to, points }).await?))
}

/// Which changes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only of this: `host:NAME`, `guest:VMID`, `storage:NAME`, each by its id as well. Defaults to everything.
    entity: Option<String>,
    /// Only facts so called; `*` stands for anything.
    field: Option<String>,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// How many at most, up to 1000. Defaults to 100.
    limit: Option<u32>,
}

/// One page of changes.
#[derive(Serialize, ToSchema)]
struct Changes {
    /// Newest first.
    items: Vec<Change>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// What differs from what was seen before, newest first: versions, disks, addresses, guests, units.
#[utoipa::path(get, path = "/api/v1/changes", tag = "history", params(Which),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Changes), Refusals))]
async fn changes(
    _: Viewer,
    State(state): State<AppState>,
    Query(which): Query<Which>,
) -> Result<Json<Changes>, ApiError> {
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let cause = format!("a page holds 1 to {LARGEST_LIMIT} items, not {limit}");
        let error = Error::new(ErrorKind::Invalid, "list changes").because(cause);
        return Err(error.next("go through more of them in pages, with `cursor`").into());
    }
    let entity = match &which.entity {
        Some(word) => Some(state.fleet.entity(word).await?.to_string()),
        None => None,
    };
    let filter =
        ChangeFilter { entity, field: which.field, before: which.cursor.as_deref().map(cursor).transpose()?, limit };
    let items = state.fleet.changes(&filter).await?;
    let more = items.len() == limit as usize;
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(Changes { items, next_cursor }))
}

fn cursor(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, "list changes")
            .because("this is not a cursor that this service gave")
            .next("begin again without `cursor`")
    })
}
