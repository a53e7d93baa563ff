//! Terminals of hosts and guests, and what was recorded of them. For admins alone: whoever has a terminal may do there
//! whatever its account may.

use axum::{
    Json,
    body::Body as Stream,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use reanimator_core::{
    Error, ErrorKind, Result,
    model::{NewTerminal, Recording, Terminal},
};
use serde::Serialize;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Admin,
    error::ApiError,
    json::{Body, Name},
    openapi::Refusals,
    state::AppState,
    terminal_socket,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(show, close))
        .routes(routes!(terminal_socket::look))
        .routes(routes!(recordings))
        .routes(routes!(recording, delete_recording))
}

/// All terminals.
#[derive(Serialize, ToSchema)]
struct Terminals {
    items: Vec<Terminal>,
}

/// All recordings, the newest first.
#[derive(Serialize, ToSchema)]
struct Recordings {
    items: Vec<Recording>,
}

/// The terminals that are open, and those that ended a while ago.
#[utoipa::path(get, path = "/api/v1/terminals", tag = "terminals", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Terminals), Refusals))]
async fn list(_: Admin, State(state): State<AppState>) -> Json<Terminals> {
    Json(Terminals { items: state.terminals.list() })
}

/// Opens a terminal. It is looked at by its WebSocket, and stays open for a while when nobody does.
#[utoipa::path(post, path = "/api/v1/terminals", tag = "terminals", request_body = NewTerminal,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = Terminal), Refusals))]
async fn open(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(new): Body<NewTerminal>,
) -> Result<(StatusCode, Json<Terminal>), ApiError> {
    Ok((StatusCode::CREATED, Json(state.terminals.open(new, &caller.by()).await?)))
}

/// One terminal.
#[utoipa::path(get, path = "/api/v1/terminals/{id}", tag = "terminals", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = Terminal), Refusals))]
async fn show(_: Admin, State(state): State<AppState>, Name(id): Name) -> Result<Json<Terminal>, ApiError> {
    Ok(Json(state.terminals.get(&id.into())?))
}

/// Closes a terminal: what runs in it is hung up. One that has ended is forgotten.
#[utoipa::path(delete, path = "/api/v1/terminals/{id}", tag = "terminals", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn close(Admin(caller): Admin, State(state): State<AppState>, Name(id): Name) -> Result<StatusCode, ApiError> {
    state.terminals.close(&id.into(), &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was recorded of terminals.
#[utoipa::path(get, path = "/api/v1/recordings", tag = "terminals", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Recordings), Refusals))]
async fn recordings(_: Admin, State(state): State<AppState>) -> Result<Json<Recordings>, ApiError> {
    Ok(Json(Recordings { items: state.fleet.recordings().await? }))
}

/// One recording: a file of asciicast, version 2, as players of terminals take it.
#[utoipa::path(get, path = "/api/v1/recordings/{id}", tag = "terminals", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = Vec<u8>,
        content_type = "application/x-asciicast"), Refusals))]
async fn recording(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<([(HeaderName, HeaderValue); 2], Stream), ApiError> {
    let id = id.into();
    let opening = async {
        let path = state.fleet.recording_file(&id).await?;
        tokio::fs::File::open(path).await.map_err(|error| {
            Error::new(ErrorKind::Storage, format!("read the recording {id}")).because(error.to_string())
        })
    };
    let file = caller.audited("recording read", id.as_str(), opening).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-asciicast")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"terminal.cast\"")),
    ];
    Ok((headers, Stream::from_stream(ReaderStream::with_capacity(file, 64 * 1024))))
}

/// Deletes a recording.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}", tag = "terminals", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn delete_recording(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("recording delete", &id, state.fleet.delete_recording(&id.as_str().into())).await?;
    Ok(StatusCode::NO_CONTENT)
}
