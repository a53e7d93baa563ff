//! Updates of many machines: planned, asked for here and carried out by the service; by calendar too.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::{RedundantView, ScheduleChange, ScheduleView, UpdateSchedules},
    model::{RedundantSet, UpdateFilter, UpdateId, UpdateLine, UpdatePlan, UpdateRun, UpdateSchedule, UpdateWish},
    workflows::update::Updates,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Operator, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    openapi::Refusals,
    state::AppState,
};

/// As many updates as one answer holds at most.
const MOST: u32 = 200;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(plan))
        .routes(routes!(list, ask))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(schedules, create_schedule))
        .routes(routes!(schedule, change_schedule, remove_schedule))
        .routes(routes!(redundant_sets))
        .routes(routes!(put_redundant_set, remove_redundant_set))
}

/// Which updates.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UpdatesQuery {
    /// Only those that are not over. Defaults to false.
    #[serde(default)]
    open: bool,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// How many at most, up to 200. Defaults to 50.
    limit: Option<u32>,
}

/// One page of updates, the newest first.
#[derive(Serialize, ToSchema)]
struct UpdatePage {
    items: Vec<UpdateLine>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// All redundant sets, by name.
#[derive(Serialize, ToSchema)]
struct RedundantSets {
    items: Vec<RedundantView>,
}

/// What makes a redundant set; its name is in the path.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RedundantMembers {
    /// Which hosts, as in selectors. Defaults to none.
    #[serde(default)]
    hosts: Option<String>,
    /// Which guests. Defaults to none.
    #[serde(default)]
    guests: Option<String>,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    comment: String,
}

/// Says what an update would come to: waves, and of each machine what is pending, what speaks against it, and why it stands
/// where it stands. Every machine is looked at; nothing is done.
#[utoipa::path(post, path = "/api/v1/updates/plan", tag = "updates", request_body = UpdateWish,
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = UpdatePlan), Refusals))]
async fn plan(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Body(wish): Body<UpdateWish>,
) -> Result<Json<UpdatePlan>, ApiError> {
    Ok(Json(Updates::new(state.fleet.clone()).plan(&wish, &caller.principal).await?))
}

/// Updates, the newest first, each in one line.
#[utoipa::path(get, path = "/api/v1/updates", tag = "updates", params(UpdatesQuery),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = UpdatePage), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<UpdatesQuery>,
) -> Result<Json<UpdatePage>, ApiError> {
    let limit = query.limit()?;
    let before = query.cursor.filter(|text| !text.is_empty()).map(UpdateId);
    let filter = UpdateFilter { open: query.open, before, limit };
    let runs = Updates::new(state.fleet.clone()).list(&filter).await?;
    let full = u32::try_from(runs.len()).is_ok_and(|number| number == limit);
    let next_cursor = runs.last().filter(|_| full).map(|last| last.id.to_string());
    Ok(Json(UpdatePage { items: runs.iter().map(UpdateRun::line).collect(), next_cursor }))
}

/// Asks for machines to be updated; it begins within a second or two. A command for health, or an override, takes an admin.
#[utoipa::path(post, path = "/api/v1/updates", tag = "updates", request_body = UpdateWish,
    extensions(("x-role" = json!("operator"))), responses((status = 202, body = UpdateRun), Refusals))]
async fn ask(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Body(wish): Body<UpdateWish>,
) -> Result<(StatusCode, Json<UpdateRun>), ApiError> {
    let asked = Updates::new(state.fleet.clone()).ask(&wish, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// An update, machine by machine, package by package.
#[utoipa::path(get, path = "/api/v1/updates/{id}", tag = "updates", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = UpdateRun), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(id): Name) -> Result<Json<UpdateRun>, ApiError> {
    Ok(Json(Updates::new(state.fleet.clone()).get(&id.into()).await?))
}

/// Stops an update before its next machine; those that have begun are seen to their end.
#[utoipa::path(post, path = "/api/v1/updates/{id}/cancel", tag = "updates", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 202, body = UpdateRun), Refusals))]
async fn cancel(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<(StatusCode, Json<UpdateRun>), ApiError> {
    let (updates, id) = (Updates::new(state.fleet.clone()), id.into());
    updates.cancel(&id, &caller.principal, caller.from()).await?;
    Ok((StatusCode::ACCEPTED, Json(updates.get(&id).await?)))
}

/// Updates by calendar, with when each is made next.
#[utoipa::path(get, path = "/api/v1/update-schedules", tag = "updates", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = UpdateSchedules), Refusals))]
async fn schedules(_: Viewer, State(state): State<AppState>) -> Result<Json<UpdateSchedules>, ApiError> {
    Ok(Json(state.fleet.update_schedules().await?))
}

/// Makes a schedule: an update that is made again and again, in the caller's name.
#[utoipa::path(post, path = "/api/v1/update-schedules", tag = "updates", request_body = UpdateSchedule,
    extensions(("x-role" = json!("operator"))), responses((status = 201, body = ScheduleView), Refusals))]
async fn create_schedule(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Body(schedule): Body<UpdateSchedule>,
) -> Result<(StatusCode, Json<ScheduleView>), ApiError> {
    let on = format!("{}: {}", schedule.name, schedule.times());
    let create = state.fleet.create_update_schedule(schedule, &caller.principal);
    Ok((StatusCode::CREATED, Json(caller.audited("update schedule create", &on, create).await?)))
}

/// One schedule.
#[utoipa::path(get, path = "/api/v1/update-schedules/{name}", tag = "updates", params(("name" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = ScheduleView), Refusals))]
async fn schedule(_: Viewer, State(state): State<AppState>, Name(name): Name) -> Result<Json<ScheduleView>, ApiError> {
    Ok(Json(state.fleet.update_schedule(&name).await?))
}

/// Changes a schedule; what is absent stays. From then on it is made in the caller's name.
#[utoipa::path(patch, path = "/api/v1/update-schedules/{name}", tag = "updates", params(("name" = String, Path)),
    request_body = ScheduleChange, extensions(("x-role" = json!("operator"))),
    responses((status = 200, body = ScheduleView), Refusals))]
async fn change_schedule(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(name): Name,
    Body(change): Body<ScheduleChange>,
) -> Result<Json<ScheduleView>, ApiError> {
    let change = state.fleet.change_update_schedule(&name, change, &caller.principal);
    Ok(Json(caller.audited("update schedule edit", &name, change).await?))
}

/// Removes a schedule. An update that it has made goes on.
#[utoipa::path(delete, path = "/api/v1/update-schedules/{name}", tag = "updates", params(("name" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 204), Refusals))]
async fn remove_schedule(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("update schedule delete", &name, state.fleet.remove_update_schedule(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Machines that stand in for each other, with who they are now.
#[utoipa::path(get, path = "/api/v1/redundant-sets", tag = "updates", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = RedundantSets), Refusals))]
async fn redundant_sets(_: Viewer, State(state): State<AppState>) -> Result<Json<RedundantSets>, ApiError> {
    Ok(Json(RedundantSets { items: state.fleet.redundant_sets().await? }))
}

/// Keeps a redundant set, in place of one of the same name: never two of it are updated at once.
#[utoipa::path(put, path = "/api/v1/redundant-sets/{name}", tag = "updates", params(("name" = String, Path)),
    request_body = RedundantMembers, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = RedundantView), Refusals))]
async fn put_redundant_set(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(RedundantMembers { hosts, guests, comment }): Body<RedundantMembers>,
) -> Result<Json<RedundantView>, ApiError> {
    let set = RedundantSet { name: name.clone(), hosts, guests, comment };
    Ok(Json(caller.audited("update redundant set", &name, state.fleet.put_redundant_set(set)).await?))
}

/// Removes a redundant set.
#[utoipa::path(delete, path = "/api/v1/redundant-sets/{name}", tag = "updates", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove_redundant_set(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("update redundant remove", &name, state.fleet.remove_redundant_set(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl UpdatesQuery {
    fn limit(&self) -> Result<u32> {
        match self.limit {
            None => Ok(50),
            Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
            Some(limit) => Err(Error::new(ErrorKind::Invalid, "list the updates")
                .because(format!("a page holds 1 to {MOST} items, not {limit}"))
                .next("go through more of them in pages, with `cursor`")),
        }
    }
}
