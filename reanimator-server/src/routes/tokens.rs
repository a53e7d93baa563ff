//! Bearer tokens for programs. A token is shown once, when it is made.

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use reanimator_core::{access::Role, store::TokenRecord};
use secrecy::ExposeSecret;
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
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A token, without itself.
#[derive(Serialize, ToSchema)]
struct Token {
    name: String,
    role: Role,
    created_at: Timestamp,
    /// When it was last used, to the minute.
    last_used_at: Option<Timestamp>,
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenToCreate {
    name: String,
    role: Role,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
struct Created {
    /// `rnm_...`: kept by nobody but you from now on.
    token: String,
}

/// The tokens, without themselves.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "people", params(ListQuery), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Page<Token>), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Token>>, ApiError> {
    let tokens: Vec<Token> = state.fleet.access().tokens().await?.into_iter().map(Token::from).collect();
    Ok(Json(query.filtered_page(&tokens, "name")?))
}

/// Makes a token. The answer shows it for the only time.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "people", request_body = TokenToCreate,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = Created), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(token): Body<TokenToCreate>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let create = state.fleet.access().create_token(&token.name, token.role, state.fleet.now());
    let created = caller.audited("token create", &token.name, create).await?;
    Ok((StatusCode::CREATED, Json(Created { token: created.expose_secret().to_owned() })))
}

/// Takes a token away.
#[utoipa::path(delete, path = "/api/v1/tokens/{name}", tag = "people", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("token remove", &name, state.fleet.access().revoke_token(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<TokenRecord> for Token {
    fn from(record: TokenRecord) -> Self {
        let TokenRecord { name, role, created_at, last_used_at, .. } = record;
        Self { name, role, created_at, last_used_at }
    }
}
