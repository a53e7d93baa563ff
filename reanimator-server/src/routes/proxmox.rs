//! Connections to Proxmox clusters; one brings in every node, guest and storage.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::fleet::{ConnectReport, NewProxmox, ProxmoxSecret, ProxmoxView, TestReport};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Operator, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(connect)).routes(routes!(remove)).routes(routes!(test))
}

/// A cluster, or a node that stands alone, to connect to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClusterToConnect {
    /// `https://host:8006`
    url: String,
    /// What to call it. Defaults to the cluster's name.
    name: Option<String>,
    /// How to log in.
    auth: ClusterLogin,
    /// The fingerprint of a certificate to accept: `AA:BB:...`.
    accept_certificate: Option<String>,
    /// Only says what would come in.
    #[serde(default)]
    dry_run: bool,
}

/// How to log in to a Proxmox API.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ClusterLogin {
    /// An API token.
    Token {
        /// `user@realm!name=secret`
        token: String,
    },
    /// A user with a password.
    Password {
        /// `root@pam`
        user: String,
        /// The password.
        password: String,
    },
}

/// The Proxmox connections.
#[utoipa::path(get, path = "/api/v1/proxmox", tag = "proxmox", params(ListQuery), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<ProxmoxView>), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ProxmoxView>>, ApiError> {
    let connections = state.fleet.proxmoxes().await?;
    Ok(Json(query.filtered_page(&connections, "name")?))
}

/// Connects a Proxmox cluster.
///
/// An unknown certificate is answered with 409 `certificate-unknown` and its fingerprint: look at it, then send the
/// same again with `accept_certificate`.
#[utoipa::path(post, path = "/api/v1/proxmox/connect", tag = "proxmox", request_body = ClusterToConnect,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = ConnectReport), Refusals))]
async fn connect(
    admin: Admin,
    State(state): State<AppState>,
    Body(cluster): Body<ClusterToConnect>,
) -> Result<(StatusCode, Json<ConnectReport>), ApiError> {
    let (url, dry_run) = (cluster.url.clone(), cluster.dry_run);
    let connect = state.fleet.connect_proxmox(cluster.into());
    if dry_run {
        return Ok((StatusCode::OK, Json(connect.await?)));
    }
    let report = admin.0.audited("proxmox connect", &url, connect).await?;
    Ok((StatusCode::CREATED, Json(report)))
}

/// Removes a connection and what came in by it alone.
#[utoipa::path(delete, path = "/api/v1/proxmox/{id}", tag = "proxmox", params(("id" = String, Path, description = "Id or name")),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(admin: Admin, State(state): State<AppState>, Name(id): Name) -> Result<StatusCode, ApiError> {
    admin.0.audited("proxmox remove", &id, state.fleet.remove_proxmox(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries every step of reaching a cluster and says how each went.
#[utoipa::path(post, path = "/api/v1/proxmox/{id}/test", tag = "proxmox", params(("id" = String, Path, description = "Id or name")),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = TestReport), Refusals))]
async fn test(operator: Operator, State(state): State<AppState>, Name(id): Name) -> Result<Json<TestReport>, ApiError> {
    Ok(Json(operator.0.audited("proxmox test", &id, state.fleet.test_proxmox(&id)).await?))
}

impl From<ClusterToConnect> for NewProxmox {
    fn from(cluster: ClusterToConnect) -> Self {
        Self {
            url: cluster.url,
            name: cluster.name,
            auth: cluster.auth.into(),
            accept_certificate: cluster.accept_certificate,
            dry_run: cluster.dry_run,
        }
    }
}

impl From<ClusterLogin> for ProxmoxSecret {
    fn from(login: ClusterLogin) -> Self {
        match login {
            ClusterLogin::Token { token } => Self::Token(SecretString::from(token)),
            ClusterLogin::Password { user, password } => {
                Self::Password { user, password: SecretString::from(password) }
            }
        }
    }
}
