//! Groups and tags: counted, given to many hosts at once, renamed, removed.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    fleet::{LabelChange, LabelCount, Labels},
    model::HostId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Viewer},
    error::ApiError,
    json::{Body, Name},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(label)).routes(routes!(rename, remove))
}

/// Which hosts have other groups or tags now.
#[derive(Serialize, ToSchema)]
struct Labelled {
    /// Their ids.
    changed: Vec<HostId>,
}

/// What a group is to be called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGroupName {
    name: String,
}

/// All groups and tags, and how many hosts bear them.
#[utoipa::path(get, path = "/api/v1/groups", tag = "hosts", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Labels), Refusals))]
async fn list(_: Viewer, State(state): State<AppState>) -> Result<Json<Labels>, ApiError> {
    Ok(Json(state.fleet.labels().await?))
}

/// Gives groups and tags to many hosts and takes others from them, all or none.
#[utoipa::path(post, path = "/api/v1/hosts/labels", tag = "hosts", request_body = LabelChange,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = Labelled), Refusals))]
async fn label(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(change): Body<LabelChange>,
) -> Result<Json<Labelled>, ApiError> {
    let on = change.to_string();
    let changed = caller.audited("host label", &on, state.fleet.change_labels(change)).await?;
    Ok(Json(Labelled { changed }))
}

/// Renames a group on all its hosts.
#[utoipa::path(patch, path = "/api/v1/groups/{name}", tag = "hosts", params(("name" = String, Path)),
    request_body = NewGroupName, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = LabelCount), Refusals))]
async fn rename(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(new): Body<NewGroupName>,
) -> Result<Json<LabelCount>, ApiError> {
    let on = format!("{name} to {}", new.name);
    Ok(Json(caller.audited("group rename", &on, state.fleet.rename_group(&name, &new.name)).await?))
}

/// Takes a group off all its hosts. The hosts stay.
#[utoipa::path(delete, path = "/api/v1/groups/{name}", tag = "hosts", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("group remove", &name, state.fleet.remove_group(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
