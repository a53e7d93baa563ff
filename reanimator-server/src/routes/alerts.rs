//! Alerts: what somebody has to be told of, and who knows.

use axum::{Json, extract::State};
use reanimator_core::{
    Error, ErrorKind, Result,
    model::{Alert, AlertFilter},
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

/// As many alerts as one answer holds at most.
const MOST: u32 = 1_000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(acknowledge))
}

/// Which alerts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WhichQuery {
    /// Only those that go on (`true`), or only those that are over (`false`). Defaults to all.
    open: Option<bool>,
    /// Only those of the rule with this name.
    rule: Option<String>,
    /// Only those about this: `host:ID`, `guest:ID`, `storage:ID`, `cluster:ID`.
    entity: Option<String>,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// How many at most, up to 1000. Defaults to 100.
    limit: Option<u32>,
}

/// One page of alerts, newest first.
#[derive(Serialize, ToSchema)]
struct AlertPage {
    items: Vec<Alert>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// What somebody who knows has to say.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Acknowledgement {
    /// For people, in one line. Defaults to nothing.
    comment: String,
}

impl WhichQuery {
    fn filter(self) -> Result<AlertFilter> {
        let limit = self.limit.unwrap_or(100);
        if !(1..=MOST).contains(&limit) {
            return Err(Error::new(ErrorKind::Invalid, "list the alerts")
                .because(format!("a page holds 1 to {MOST} alerts, not {limit}"))
                .next("go through more of them in pages, with `cursor`"));
        }
        let before = self.cursor.filter(|text| !text.is_empty());
        Ok(AlertFilter { open: self.open, rule: self.rule, entity: self.entity, before, limit })
    }
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(WhichQuery),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = AlertPage), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<WhichQuery>,
) -> Result<Json<AlertPage>, ApiError> {
    let filter = query.filter()?;
    let items = state.fleet.alerts(&filter).await?;
    let full = u32::try_from(items.len()).is_ok_and(|number| number == filter.limit);
    let next_cursor = items.last().filter(|_| full).map(|last| last.id.clone());
    Ok(Json(AlertPage { items, next_cursor }))
}

/// One alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Alert), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(id): Name) -> Result<Json<Alert>, ApiError> {
    Ok(Json(state.fleet.alert(&id).await?))
}

/// Says that somebody knows of an alert. It stays until it resolves; who says so again says it anew.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", params(("id" = String, Path)),
    request_body = Acknowledgement, extensions(("x-role" = json!("operator"))),
    responses((status = 200, body = Alert), Refusals))]
async fn acknowledge(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
    Body(Acknowledgement { comment }): Body<Acknowledgement>,
) -> Result<Json<Alert>, ApiError> {
    let who = caller.principal.who();
    let acknowledge = state.fleet.acknowledge_alert(&id, &who, &comment);
    Ok(Json(caller.audited("alert acknowledge", &id, acknowledge).await?))
}
