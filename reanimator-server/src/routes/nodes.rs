//! One host, and one guest, in full.

use axum::{Json, extract::State, middleware};
use reanimator_core::model::{
    details::{GuestDetails, HostDetails, Include},
    facts::{Dated, cluster::ClusterFacts},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Operator, Viewer},
    error::ApiError,
    etag,
    json::{Name, Names, Query},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(host_details))
        .routes(routes!(full_details))
        .routes(routes!(cluster))
        .layer(middleware::from_fn(etag::tag))
        .routes(routes!(refresh))
        .routes(routes!(refresh_cluster))
}

/// Which parts are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// What it is made of. Defaults to true.
    include_hardware: Option<bool>,
    /// Storages, file systems and disks. Defaults to true.
    include_storage: Option<bool>,
    /// Interfaces, routes and name servers. Defaults to true.
    include_network: Option<bool>,
}

impl From<Parts> for Include {
    fn from(parts: Parts) -> Self {
        Self {
            hardware: parts.include_hardware.unwrap_or(true),
            storage: parts.include_storage.unwrap_or(true),
            network: parts.include_network.unwrap_or(true),
        }
    }
}

/// Everything that is known of a host, each section with the time at which it was seen.
#[utoipa::path(get, path = "/api/v1/nodes/{id}/host-details", tag = "hosts", params(("id" = String, Path), Parts),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = HostDetails), Refusals))]
async fn host_details(
    _: Viewer,
    State(state): State<AppState>,
    Name(id): Name,
    Query(parts): Query<Parts>,
) -> Result<Json<HostDetails>, ApiError> {
    Ok(Json(state.fleet.host_details(&id, parts.into()).await?))
}

/// Asks a host for all its slow facts now, however young those are that are known.
#[utoipa::path(post, path = "/api/v1/nodes/{id}/refresh", tag = "hosts", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = HostDetails), Refusals))]
async fn refresh(
    operator: Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<Json<HostDetails>, ApiError> {
    operator.0.audited("host refresh", &id, state.fleet.refresh_facts(&id)).await?;
    Ok(Json(state.fleet.host_details(&id, Include::default()).await?))
}

/// Everything that is known of a cluster: members, votes, high availability, Ceph, replication, backups.
#[utoipa::path(get, path = "/api/v1/proxmox/{id}/details", tag = "proxmox", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Dated<ClusterFacts>), Refusals))]
async fn cluster(
    _: Viewer,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<Json<Dated<ClusterFacts>>, ApiError> {
    Ok(Json(state.fleet.cluster_facts(&id).await?))
}

/// Asks a cluster for everything about itself now.
#[utoipa::path(post, path = "/api/v1/proxmox/{id}/refresh", tag = "proxmox", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = Dated<ClusterFacts>), Refusals))]
async fn refresh_cluster(
    operator: Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<Json<Dated<ClusterFacts>>, ApiError> {
    Ok(Json(operator.0.audited("proxmox refresh", &id, state.fleet.refresh_cluster(&id)).await?))
}

/// Everything that is known of a guest. What may not be older than a moment is asked for now.
#[utoipa::path(get, path = "/api/v1/nodes/{id}/vms/{vmid}/full-details", tag = "guests",
    params(("id" = String, Path), ("vmid" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = GuestDetails), Refusals))]
async fn full_details(
    _: Viewer,
    State(state): State<AppState>,
    Names(id, vmid): Names,
) -> Result<Json<GuestDetails>, ApiError> {
    Ok(Json(state.fleet.guest_details(Some(&id), &vmid).await?))
}
