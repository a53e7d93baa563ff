//! The fleet in tables: from memory, in pages, with a tag that says whether anything changed.

use axum::{Json, extract::State, middleware};
use reanimator_core::model::{
    Topology,
    dashboard::{ClusterRow, InterfaceRow, NodeRow, Overview, StorageRow, VmRow},
};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Viewer,
    error::ApiError,
    etag,
    json::Query,
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(nodes))
        .routes(routes!(vms))
        .routes(routes!(storage))
        .routes(routes!(network))
        .routes(routes!(topology))
        .routes(routes!(clusters))
        .layer(middleware::from_fn(etag::tag))
}

/// The whole fleet in a few figures, and what needs somebody.
#[utoipa::path(get, path = "/api/v1/dashboard/overview", tag = "dashboard", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Overview), (status = 304, description = "As the tag says"), Refusals))]
async fn overview(_: Viewer, State(state): State<AppState>) -> Result<Json<Value>, ApiError> {
    Ok(Json(state.tables.get(&state.fleet).await?.overview.clone()))
}

/// All hosts, Proxmox nodes and Linux machines alike.
#[utoipa::path(get, path = "/api/v1/dashboard/nodes", tag = "dashboard", params(ListQuery),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<NodeRow>), (status = 304, description = "As the tag says"), Refusals))]
async fn nodes(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<NodeRow>>, ApiError> {
    Ok(Json(query.filtered_values(&state.tables.get(&state.fleet).await?.nodes, "name")?))
}

/// All VMs and containers.
#[utoipa::path(get, path = "/api/v1/dashboard/vms", tag = "dashboard", params(ListQuery),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<VmRow>), (status = 304, description = "As the tag says"), Refusals))]
async fn vms(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<VmRow>>, ApiError> {
    Ok(Json(query.filtered_values(&state.tables.get(&state.fleet).await?.vms, "name")?))
}

/// All storages of clusters, shared ones once, and all file systems of hosts with a shell.
#[utoipa::path(get, path = "/api/v1/storage", tag = "dashboard", params(ListQuery),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<StorageRow>), (status = 304, description = "As the tag says"), Refusals))]
async fn storage(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<StorageRow>>, ApiError> {
    Ok(Json(query.filtered_values(&state.tables.get(&state.fleet).await?.storages, "name")?))
}

/// All network interfaces.
#[utoipa::path(get, path = "/api/v1/network", tag = "dashboard", params(ListQuery),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<InterfaceRow>), (status = 304, description = "As the tag says"), Refusals))]
async fn network(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<InterfaceRow>>, ApiError> {
    Ok(Json(query.filtered_values(&state.tables.get(&state.fleet).await?.interfaces, "node")?))
}

/// What hangs on what: hosts, their bridges, and the guests plugged into those.
#[utoipa::path(get, path = "/api/v1/network/topology", tag = "dashboard", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Topology), (status = 304, description = "As the tag says"), Refusals))]
async fn topology(_: Viewer, State(state): State<AppState>) -> Result<Json<Topology>, ApiError> {
    Ok(Json(state.fleet.topology().await?))
}

/// All Proxmox clusters, with quorum, HA and version.
#[utoipa::path(get, path = "/api/v1/proxmox/clusters", tag = "dashboard", params(ListQuery),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<ClusterRow>), (status = 304, description = "As the tag says"), Refusals))]
async fn clusters(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ClusterRow>>, ApiError> {
    Ok(Json(query.filtered_values(&state.tables.get(&state.fleet).await?.clusters, "name")?))
}
