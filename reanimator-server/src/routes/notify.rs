//! Whom notices go to, and what was sent.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    fleet::{NotifyTargetView, NotifyTestReport},
    model::{Delivery, DeliveryFilter, DeliveryState, NotifySecrets, NotifyTarget, NotifyTargetChange, Role},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    openapi::Refusals,
    state::AppState,
};

/// As many deliveries as one answer holds at most.
const MOST: u32 = 1_000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(test))
        .routes(routes!(history))
}

/// All targets, by name.
#[derive(Serialize, ToSchema)]
struct NotifyTargets {
    items: Vec<NotifyTargetView>,
}

/// A new target with its secrets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNotifyTarget {
    /// The target.
    target: NotifyTarget,
    /// Its secrets. They are never given out again.
    #[serde(default)]
    secrets: NotifySecrets,
}

/// What to change of a target and of its secrets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedNotifyTarget {
    /// What to change; what is absent stays.
    #[serde(default)]
    change: NotifyTargetChange,
    /// Secrets to be stored anew, or with an empty text deleted.
    #[serde(default)]
    secrets: NotifySecrets,
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// Only to this target.
    target: Option<String>,
    /// Only those in this state.
    state: Option<DeliveryState>,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<i64>,
    /// How many at most, up to 1000. Defaults to 100.
    limit: Option<u32>,
}

/// Deliveries, the newest first.
#[derive(Serialize, ToSchema)]
struct Deliveries {
    items: Vec<Delivery>,
    /// For the next page; none at the end.
    next_cursor: Option<i64>,
}

/// The targets, and how each is doing. What is set, an admin sees; secrets nobody.
#[utoipa::path(get, path = "/api/v1/notify-targets", tag = "notifications", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = NotifyTargets), Refusals))]
async fn list(Viewer(caller): Viewer, State(state): State<AppState>) -> Result<Json<NotifyTargets>, ApiError> {
    let whole = caller.principal.role.allows(Role::Admin);
    Ok(Json(NotifyTargets { items: state.fleet.notify_targets(whole).await? }))
}

/// Makes a target.
#[utoipa::path(post, path = "/api/v1/notify-targets", tag = "notifications", request_body = NewNotifyTarget,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = NotifyTargetView), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(NewNotifyTarget { target, secrets }): Body<NewNotifyTarget>,
) -> Result<(StatusCode, Json<NotifyTargetView>), ApiError> {
    let on = format!("{} ({})", target.name, target.way.kind());
    let made = caller.audited("notify add", &on, state.fleet.create_notify_target(target, secrets)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One target.
#[utoipa::path(get, path = "/api/v1/notify-targets/{name}", tag = "notifications", params(("name" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = NotifyTargetView), Refusals))]
async fn show(
    Viewer(caller): Viewer,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<Json<NotifyTargetView>, ApiError> {
    let whole = caller.principal.role.allows(Role::Admin);
    Ok(Json(state.fleet.notify_target(&name, whole).await?))
}

/// Changes a target; what is absent stays. Where it leads to another place, its secrets are given anew.
#[utoipa::path(patch, path = "/api/v1/notify-targets/{name}", tag = "notifications", params(("name" = String, Path)),
    request_body = ChangedNotifyTarget, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = NotifyTargetView), Refusals))]
async fn change(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(ChangedNotifyTarget { change, secrets }): Body<ChangedNotifyTarget>,
) -> Result<Json<NotifyTargetView>, ApiError> {
    let changing = state.fleet.change_notify_target(&name, change, secrets);
    Ok(Json(caller.audited("notify change", &name, changing).await?))
}

/// Removes a target with its secrets. What waits for it is not sent.
#[utoipa::path(delete, path = "/api/v1/notify-targets/{name}", tag = "notifications", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("notify remove", &name, state.fleet.remove_notify_target(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message to a target at once, whatever it wants and whether it is quiet.
#[utoipa::path(post, path = "/api/v1/notify-targets/{name}/test", tag = "notifications",
    params(("name" = String, Path)), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = NotifyTestReport), Refusals))]
async fn test(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<Json<NotifyTestReport>, ApiError> {
    let who = caller.principal.who();
    Ok(Json(caller.audited("notify test", &name, state.fleet.test_notify_target(&name, &who)).await?))
}

/// What was sent, what waits, and what was given up; the newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(HistoryQuery),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Deliveries), Refusals))]
async fn history(
    _: Viewer,
    State(state): State<AppState>,
    Query(HistoryQuery { target, state: wanted, cursor, limit }): Query<HistoryQuery>,
) -> Result<Json<Deliveries>, ApiError> {
    let limit = limit.unwrap_or(100).clamp(1, MOST);
    let filter = DeliveryFilter { target, state: wanted, before: cursor, limit };
    let items = state.fleet.deliveries(&filter).await?;
    let full = items.len() == limit as usize;
    let next_cursor = items.last().filter(|_| full).map(|last| last.number);
    Ok(Json(Deliveries { items, next_cursor }))
}
