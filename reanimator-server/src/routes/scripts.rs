//! Prepared scripts: defined here by admins; run as operations.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    Error, ErrorKind,
    model::{Script, StoredScript},
};
use serde::Serialize;
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
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, replace, remove))
}

/// All prepared scripts.
#[derive(Serialize, ToSchema)]
struct Scripts {
    items: Vec<StoredScript>,
}

/// All prepared scripts, by their names; the `body` only of those that the caller may run.
#[utoipa::path(get, path = "/api/v1/scripts", tag = "scripts", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Scripts), Refusals))]
async fn list(Viewer(caller): Viewer, State(state): State<AppState>) -> Result<Json<Scripts>, ApiError> {
    let (who, role) = (caller.principal.who(), caller.principal.role);
    let items = state.fleet.scripts().await?.into_iter().map(|stored| stored.seen_by(&who, role)).collect();
    Ok(Json(Scripts { items }))
}

/// A prepared script; its `body` only for those who may run it, admins among them.
#[utoipa::path(get, path = "/api/v1/scripts/{name}", tag = "scripts", params(("name" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = StoredScript), Refusals))]
async fn show(
    Viewer(caller): Viewer,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<Json<StoredScript>, ApiError> {
    let stored = state.fleet.script(&name).await?;
    Ok(Json(stored.seen_by(&caller.principal.who(), caller.principal.role)))
}

/// Defines a script. It is run with `POST /api/v1/operations`, as `{"on": "script", "host", "script", "parameters"}`.
#[utoipa::path(post, path = "/api/v1/scripts", tag = "scripts", request_body = Script,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = StoredScript), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(script): Body<Script>,
) -> Result<(StatusCode, Json<StoredScript>), ApiError> {
    let (name, who) = (script.name.clone(), caller.principal.who());
    let stored = caller.audited("script create", &name, state.fleet.create_script(script, &who)).await?;
    Ok((StatusCode::CREATED, Json(stored)))
}

/// Puts a definition in the place of the one of that name; operations that wait for the one before are refused then.
#[utoipa::path(put, path = "/api/v1/scripts/{name}", tag = "scripts", params(("name" = String, Path)),
    request_body = Script, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = StoredScript), Refusals))]
async fn replace(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(script): Body<Script>,
) -> Result<Json<StoredScript>, ApiError> {
    let who = caller.principal.who();
    let change = async {
        if script.name == name {
            return state.fleet.change_script(script, &who).await;
        }
        Err(Error::new(ErrorKind::Invalid, format!("change the script {name:?}"))
            .because(format!("the definition is of {:?}", script.name))
            .next("define that one anew, and remove this one"))
    };
    Ok(Json(caller.audited("script change", &name, change).await?))
}

/// Removes a script; what runs goes on.
#[utoipa::path(delete, path = "/api/v1/scripts/{name}", tag = "scripts", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("script remove", &name, state.fleet.remove_script(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
