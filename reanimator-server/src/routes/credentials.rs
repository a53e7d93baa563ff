//! Credentials of hosts and clusters, write-only: what is stored is listed by name and never given out.

use axum::{Json, extract::State};
use reanimator_core::fleet::{CredentialsView, NewSshCredentials};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::proxmox::ClusterLogin;
use crate::{
    auth::Admin,
    error::ApiError,
    json::{Body, Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set_of_host, remove_of_host))
        .routes(routes!(set_of_cluster, remove_of_cluster))
}

/// New credentials of a host; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HostCredentials {
    /// Whom to log in as.
    user: Option<String>,
    /// A password.
    password: Option<String>,
    /// A private key (PEM or OpenSSH). The passphrase of the one before goes with it.
    key: Option<String>,
    /// The passphrase of the key.
    passphrase: Option<String>,
    /// The password for sudo, which is used from then on.
    sudo_password: Option<String>,
}

/// Which credentials.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Their names, with commas between: `password,sudo`.
    names: String,
}

impl Which {
    fn list(&self) -> Vec<String> {
        self.names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// Whose credentials are stored, and which, never what they are.
#[utoipa::path(get, path = "/api/v1/credentials", tag = "credentials", params(ListQuery),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = Page<CredentialsView>), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CredentialsView>>, ApiError> {
    let stored = state.fleet.credentials_stored().await?;
    Ok(Json(query.filtered_page(&stored, "subject.name")?))
}

/// Replaces some of a host's credentials; it logs in with them at once.
#[utoipa::path(put, path = "/api/v1/hosts/{id}/credentials", tag = "credentials",
    params(("id" = String, Path, description = "Id or name")), request_body = HostCredentials,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = CredentialsView), Refusals))]
async fn set_of_host(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(new): Body<HostCredentials>,
) -> Result<Json<CredentialsView>, ApiError> {
    let set = state.fleet.set_host_credentials(&id, new.into());
    Ok(Json(caller.audited("host credentials set", &id, set).await?))
}

/// Removes some of a host's credentials.
#[utoipa::path(delete, path = "/api/v1/hosts/{id}/credentials", tag = "credentials",
    params(("id" = String, Path, description = "Id or name"), Which), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = CredentialsView), Refusals))]
async fn remove_of_host(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Query(which): Query<Which>,
) -> Result<Json<CredentialsView>, ApiError> {
    let names = which.list();
    let remove = state.fleet.remove_host_credentials(&id, &names);
    Ok(Json(caller.audited("host credentials remove", &id, remove).await?))
}

/// Replaces what a Proxmox connection logs in with; it does so at once.
#[utoipa::path(put, path = "/api/v1/proxmox/{id}/credentials", tag = "credentials",
    params(("id" = String, Path, description = "Id or name")), request_body = ClusterLogin,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = CredentialsView), Refusals))]
async fn set_of_cluster(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(login): Body<ClusterLogin>,
) -> Result<Json<CredentialsView>, ApiError> {
    let new = login.into();
    let set = state.fleet.set_proxmox_credentials(&id, &new);
    Ok(Json(caller.audited("proxmox credentials set", &id, set).await?))
}

/// Removes some of a Proxmox connection's credentials; what it logs in with stays.
#[utoipa::path(delete, path = "/api/v1/proxmox/{id}/credentials", tag = "credentials",
    params(("id" = String, Path, description = "Id or name"), Which), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = CredentialsView), Refusals))]
async fn remove_of_cluster(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Query(which): Query<Which>,
) -> Result<Json<CredentialsView>, ApiError> {
    let names = which.list();
    let remove = state.fleet.remove_proxmox_credentials(&id, &names);
    Ok(Json(caller.audited("proxmox credentials remove", &id, remove).await?))
}

impl From<HostCredentials> for NewSshCredentials {
    fn from(given: HostCredentials) -> Self {
        Self {
            user: given.user,
            password: given.password.map(SecretString::from),
            key: given.key.map(SecretString::from),
            passphrase: given.passphrase.map(SecretString::from),
            sudo_password: given.sudo_password.map(SecretString::from),
        }
    }
}
