//! People and their roles.

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use reanimator_core::{
    Error, ErrorKind, Result,
    access::{NewPassword, Role, UserChange},
    store::UserRecord,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Admin,
    error::ApiError,
    json::{Body, Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(change, remove))
}

/// A person who may log in.
#[derive(Serialize, ToSchema)]
struct User {
    name: String,
    role: Role,
    created_at: Timestamp,
}

/// A person to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserToAdd {
    name: String,
    /// 10 characters or more.
    password: String,
    role: Role,
}

/// What to change of a person; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeOfUser {
    /// A new password; it ends the person's sessions.
    password: Option<String>,
    role: Option<Role>,
}

/// The people who may log in.
#[utoipa::path(get, path = "/api/v1/users", tag = "people", params(ListQuery), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Page<User>), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<User>>, ApiError> {
    let users: Vec<User> = state.fleet.access().users().await?.into_iter().map(User::from).collect();
    Ok(Json(query.filtered_page(&users, "name")?))
}

/// Adds a person.
#[utoipa::path(post, path = "/api/v1/users", tag = "people", request_body = UserToAdd,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = User), Refusals))]
async fn add(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(user): Body<UserToAdd>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let password = NewPassword::checked(SecretString::from(user.password))?;
    let add = state.fleet.access().add_user(&user.name, password, user.role, state.fleet.now());
    caller.audited("user add", &user.name, add).await?;
    Ok((StatusCode::CREATED, Json(find(&state, &user.name).await?)))
}

/// Changes a person's password, role, or both.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "people", params(("name" = String, Path)),
    request_body = ChangeOfUser, extensions(("x-role" = json!("admin"))), responses((status = 200, body = User), Refusals))]
async fn change(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(change): Body<ChangeOfUser>,
) -> Result<Json<User>, ApiError> {
    let password = change.password.map(|text| NewPassword::checked(SecretString::from(text))).transpose()?;
    let update = state.fleet.access().change_user(&name, UserChange { role: change.role, password });
    caller.audited("user change", &name, update).await?;
    Ok(Json(find(&state, &name).await?))
}

/// Removes a person and ends their sessions. The last admin stays.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "people", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("user remove", &name, state.fleet.access().remove_user(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(state: &AppState, name: &str) -> Result<User> {
    let found = state.fleet.access().users().await?.into_iter().find(|user| user.name == name);
    found.map(User::from).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("find user {name}")).because("somebody removed them just now")
    })
}

impl From<UserRecord> for User {
    fn from(record: UserRecord) -> Self {
        Self { name: record.name, role: record.role, created_at: record.created_at }
    }
}
