//! Logging in and out, and the one-time set-up of the first admin.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use reanimator_core::{
    Error, ErrorKind,
    access::{NewPassword, Principal, PrincipalKind, Role, SESSION_LIFE, Session},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{self, Credential, Stranger, Viewer},
    error::ApiError,
    json::Body,
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(setup_needed, set_up))
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(me))
}

/// Whether somebody must be made the first admin.
#[derive(Serialize, ToSchema)]
struct SetupNeeded {
    needed: bool,
}

/// The first admin, and the one-time token from the console.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// What stands after `#` in the link on the console.
    token: String,
    /// The admin's name.
    username: String,
    /// 10 characters or more.
    password: String,
}

/// A person's name and password.
#[derive(Deserialize, ToSchema)]
#[schema(as = NameAndPassword)]
#[serde(deny_unknown_fields)]
struct Login {
    username: String,
    password: String,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The user's or token's name.
    name: String,
    role: Role,
    kind: PrincipalKind,
    /// To be sent as `X-CSRF-Token` with every change; people only.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
}

/// Whether the first admin is still to be made. Open to everyone.
#[utoipa::path(get, path = "/api/v1/setup", tag = "session", security(()), extensions(("x-role" = json!("open"))),
    responses((status = 200, body = SetupNeeded), Refusals))]
async fn setup_needed(_: Stranger, State(state): State<AppState>) -> Result<Json<SetupNeeded>, ApiError> {
    let needed = state.allow_setup && state.fleet.access().setup_needed().await?;
    Ok(Json(SetupNeeded { needed }))
}

/// Makes the first admin with the one-time token from the console, and logs in. Open while it is needed.
#[utoipa::path(post, path = "/api/v1/setup", tag = "session", security(()), request_body = Setup,
    extensions(("x-role" = json!("open"))), responses((status = 201, body = Me), Refusals))]
async fn set_up(
    stranger: Stranger,
    State(state): State<AppState>,
    Body(setup): Body<Setup>,
) -> Result<Response, ApiError> {
    if !state.allow_setup {
        let error = Error::new(ErrorKind::Denied, "set up").because("this service was started without set-up");
        return Err(error.next("make a user with `reanimator user add`").into());
    }
    let password = NewPassword::checked(SecretString::from(setup.password))?;
    let (access, now) = (state.fleet.access(), state.fleet.now());
    let session = access.complete_setup(&setup.token, &setup.username, password, &stranger.from, now).await?;
    Ok(begun(StatusCode::CREATED, session, state.tls))
}

/// Logs a person in: sets the session cookie. Open to everyone; attempts are slowed.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", security(()), request_body = Login,
    extensions(("x-role" = json!("open"))), responses((status = 200, body = Me), Refusals))]
async fn log_in(
    stranger: Stranger,
    State(state): State<AppState>,
    Body(login): Body<Login>,
) -> Result<Response, ApiError> {
    let password = SecretString::from(login.password);
    let session = state.fleet.access().login(&login.username, password, &stranger.from, state.fleet.now()).await?;
    Ok(begun(StatusCode::OK, session, state.tls))
}

/// Ends the session.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", extensions(("x-role" = json!("viewer"))),
    responses((status = 204), Refusals))]
async fn log_out(Viewer(caller): Viewer, State(state): State<AppState>) -> Result<Response, ApiError> {
    if let Credential::Cookie(cookie) = &caller.credential {
        caller.audited("logout", "", state.fleet.access().logout(cookie)).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, auth::no_cookie(state.tls))]).into_response())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Me), Refusals))]
async fn me(Viewer(caller): Viewer) -> Json<Me> {
    Json(Me::from(&caller.principal))
}

fn begun(status: StatusCode, session: Session, tls: bool) -> Response {
    let cookie = auth::session_cookie(&session.cookie, SESSION_LIFE, tls);
    let me = Me { name: session.name, role: session.role, kind: PrincipalKind::User, csrf: Some(session.csrf) };
    (status, [(header::SET_COOKIE, cookie)], Json(me)).into_response()
}

impl From<&Principal> for Me {
    fn from(principal: &Principal) -> Self {
        let Principal { name, role, kind, .. } = principal.clone();
        Self { name, role, kind, csrf: principal.csrf().map(str::to_owned) }
    }
}
