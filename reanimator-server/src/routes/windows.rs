//! Maintenance windows, and what is protected by hand.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    fleet::{ProtectionView, WindowView},
    model::{Protection, Window, WindowChange},
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
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(protections))
        .routes(routes!(protect_host, unprotect_host))
        .routes(routes!(protect_guest, unprotect_guest))
}

/// All windows, by name.
#[derive(Serialize, ToSchema)]
struct Windows {
    items: Vec<WindowView>,
}

/// All that is protected by hand.
#[derive(Serialize, ToSchema)]
struct Protections {
    items: Vec<ProtectionView>,
}

/// Why something is to be protected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// For people, in one line.
    reason: String,
}

/// The maintenance windows, with whom they cover and when they open.
#[utoipa::path(get, path = "/api/v1/windows", tag = "windows", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Windows), Refusals))]
async fn list(_: Viewer, State(state): State<AppState>) -> Result<Json<Windows>, ApiError> {
    Ok(Json(Windows { items: state.fleet.windows().await? }))
}

/// Makes a window. What it covers is disturbed only while one of its windows is open.
#[utoipa::path(post, path = "/api/v1/windows", tag = "windows", request_body = Window,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = WindowView), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(window): Body<Window>,
) -> Result<(StatusCode, Json<WindowView>), ApiError> {
    let on = format!("{}: {window}", window.name);
    let made = caller.audited("window create", &on, state.fleet.create_window(window)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One window.
#[utoipa::path(get, path = "/api/v1/windows/{name}", tag = "windows", params(("name" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = WindowView), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(name): Name) -> Result<Json<WindowView>, ApiError> {
    Ok(Json(state.fleet.window(&name).await?))
}

/// Changes a window; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/windows/{name}", tag = "windows", params(("name" = String, Path)),
    request_body = WindowChange, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = WindowView), Refusals))]
async fn change(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(change): Body<WindowChange>,
) -> Result<Json<WindowView>, ApiError> {
    Ok(Json(caller.audited("window edit", &name, state.fleet.change_window(&name, change)).await?))
}

/// Removes a window. What only it covered may be disturbed at any time then.
#[utoipa::path(delete, path = "/api/v1/windows/{name}", tag = "windows", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("window delete", &name, state.fleet.remove_window(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is protected by hand. What bears the tag `protected` is protected too, and not listed here.
#[utoipa::path(get, path = "/api/v1/protections", tag = "windows", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Protections), Refusals))]
async fn protections(_: Viewer, State(state): State<AppState>) -> Result<Json<Protections>, ApiError> {
    Ok(Json(Protections { items: state.fleet.protections().await? }))
}

/// Protects a host: it is neither disrupted nor destroyed from now on.
#[utoipa::path(put, path = "/api/v1/hosts/{id}/protection", tag = "windows", params(("id" = String, Path)),
    request_body = Reason, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Protection), Refusals))]
async fn protect_host(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Protection>, ApiError> {
    let who = caller.principal.who();
    let protect = state.fleet.protect_host(&id, &reason, &who);
    Ok(Json(caller.audited("host protect", &id, protect).await?))
}

/// Protects a host by hand no more. A tag still does.
#[utoipa::path(delete, path = "/api/v1/hosts/{id}/protection", tag = "windows", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn unprotect_host(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("host unprotect", &id, state.fleet.unprotect_host(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Protects a guest: it is neither disrupted nor destroyed from now on.
#[utoipa::path(put, path = "/api/v1/guests/{id}/protection", tag = "windows", params(("id" = String, Path)),
    request_body = Reason, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Protection), Refusals))]
async fn protect_guest(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Protection>, ApiError> {
    let who = caller.principal.who();
    let protect = state.fleet.protect_guest(None, &id, &reason, &who);
    Ok(Json(caller.audited("guest protect", &id, protect).await?))
}

/// Protects a guest by hand no more. A tag still does.
#[utoipa::path(delete, path = "/api/v1/guests/{id}/protection", tag = "windows", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn unprotect_guest(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("guest unprotect", &id, state.fleet.unprotect_guest(None, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
