//! Operations: changes to the world, asked for here and carried out by the service.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use reanimator_core::{
    Error, ErrorKind, Result,
    model::{NewOperation, Operation, OperationFilter, OperationId, OperationLine, RuleView},
    operation::{DryRun, Operations},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Operator, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    openapi::Refusals,
    state::AppState,
};

/// As many operations, or lines, as one answer holds at most.
const MOST: u32 = 1_000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, ask))
        .routes(routes!(show))
        .routes(routes!(lines))
        .routes(routes!(cancel))
        .routes(routes!(undo))
        .routes(routes!(rules))
}

/// How something is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AskQuery {
    /// Says what would be done, and does nothing. Defaults to false.
    #[serde(default)]
    dry_run: bool,
}

/// Which operations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WhichQuery {
    /// Only those that are not over. Defaults to false.
    #[serde(default)]
    open: bool,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// How many at most, up to 1000. Defaults to 100.
    limit: Option<u32>,
}

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LinesQuery {
    /// The number of a line: those after it. Defaults to 0, all of them.
    #[serde(default)]
    after: i64,
}

/// One page of operations, newest first.
#[derive(Serialize, ToSchema)]
struct OperationPage {
    items: Vec<Operation>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// What an operation said, oldest first, at most 1000 lines.
#[derive(Serialize, ToSchema)]
struct OperationLog {
    items: Vec<OperationLine>,
}

/// The rules by which nothing is harmed.
#[derive(Serialize, ToSchema)]
struct RuleList {
    items: Vec<RuleView>,
}

/// The rules that actions are held to; an admin may name some in an operation's `overrides`.
#[utoipa::path(get, path = "/api/v1/rules", tag = "operations", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = RuleList), Refusals))]
async fn rules(_: Viewer) -> Json<RuleList> {
    Json(RuleList { items: RuleView::all() })
}

/// Operations, the newest first.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", params(WhichQuery),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = OperationPage), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<WhichQuery>,
) -> Result<Json<OperationPage>, ApiError> {
    let limit = query.limit()?;
    let before = query.cursor.filter(|text| !text.is_empty()).map(OperationId);
    // The store gives no more than a full page: a full one may have one behind it.
    let filter = OperationFilter { open: query.open, before, limit };
    let items = Operations::new(state.fleet.clone()).list(&filter).await?;
    let full = u32::try_from(items.len()).is_ok_and(|number| number == limit);
    let next_cursor = items.last().filter(|_| full).map(|last| last.id.to_string());
    Ok(Json(OperationPage { items, next_cursor }))
}

/// Asks for steps to be carried out; they begin within a second or two. What is destructive takes an admin.
///
/// With `dry_run` it says what would be done, step by step, and what would be refused and why.
#[utoipa::path(post, path = "/api/v1/operations", tag = "operations", params(AskQuery), request_body = NewOperation,
    extensions(("x-role" = json!("operator"))),
    responses((status = 202, description = "It is stored and will be carried out", body = Operation),
        (status = 200, description = "What would be done", body = DryRun), Refusals))]
async fn ask(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Query(query): Query<AskQuery>,
    Body(new): Body<NewOperation>,
) -> Result<Response, ApiError> {
    let operations = Operations::new(state.fleet.clone());
    if query.dry_run {
        return Ok(Json(operations.dry_run(&new, &caller.principal).await?).into_response());
    }
    let asked = operations.ask(new, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)).into_response())
}

/// An operation, step by step.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Operation), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(id): Name) -> Result<Json<Operation>, ApiError> {
    Ok(Json(Operations::new(state.fleet.clone()).get(&id.into()).await?))
}

/// What an operation said after a line.
#[utoipa::path(get, path = "/api/v1/operations/{id}/lines", tag = "operations", params(("id" = String, Path), LinesQuery),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = OperationLog), Refusals))]
async fn lines(
    _: Viewer,
    State(state): State<AppState>,
    Name(id): Name,
    Query(query): Query<LinesQuery>,
) -> Result<Json<OperationLog>, ApiError> {
    let (operations, id) = (Operations::new(state.fleet.clone()), id.into());
    operations.get(&id).await?;
    Ok(Json(OperationLog { items: operations.lines(&id, query.after).await? }))
}

/// Stops an operation before its next step; what is done stays done.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 202, body = Operation), Refusals))]
async fn cancel(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<(StatusCode, Json<Operation>), ApiError> {
    let (operations, id) = (Operations::new(state.fleet.clone()), id.into());
    operations.cancel(&id, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(operations.get(&id).await?)))
}

/// Takes back what an operation did, the last first, as far as it can be.
#[utoipa::path(post, path = "/api/v1/operations/{id}/undo", tag = "operations", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 202, body = Operation), Refusals))]
async fn undo(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<(StatusCode, Json<Operation>), ApiError> {
    let (operations, id) = (Operations::new(state.fleet.clone()), id.into());
    operations.undo(&id, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(operations.get(&id).await?)))
}

impl WhichQuery {
    fn limit(&self) -> Result<u32> {
        match self.limit {
            None => Ok(100),
            Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
            Some(limit) => Err(Error::new(ErrorKind::Invalid, "list the operations")
                .because(format!("a page holds 1 to {MOST} items, not {limit}"))
                .next("go through more of them in pages, with `cursor`")),
        }
    }
}
