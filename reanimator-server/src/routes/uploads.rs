//! Files that are handed over before they are put on a storage: begun, appended to, resumed where they stopped.
//!
//! A client that was cut off asks how much is there (`HEAD`, the header `Upload-Offset`) and goes on from that.

use axum::{
    Json,
    body::Body as RawBody,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, StatusCode},
};
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::{NewUpload, Upload},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Operator,
    error::ApiError,
    json::{Body, Name},
    openapi::Refusals,
    state::AppState,
};

/// What all paths of files that are handed over begin with.
pub(crate) const PATH: &str = "/api/v1/uploads";

/// Where what is sent begins; and in answers, how much is there.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    // What comes is bounded by the size that was named, and never held in memory.
    let parts = OpenApiRouter::new().routes(routes!(show, append, discard)).layer(DefaultBodyLimit::disable());
    OpenApiRouter::new().routes(routes!(begin)).merge(parts)
}

/// Makes room for a file. Its bytes follow by `PATCH`.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "storages", request_body = NewUpload,
    extensions(("x-role" = json!("operator"))), responses((status = 201, body = Upload), Refusals))]
async fn begin(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Body(new): Body<NewUpload>,
) -> Result<(StatusCode, Json<Upload>), ApiError> {
    let on = format!("{}, {} bytes", new.name, new.size);
    let who = caller.principal.who();
    let begun = caller.audited("upload begin", &on, state.fleet.begin_upload(new, &who)).await?;
    Ok((StatusCode::CREATED, Json(begun)))
}

/// How much of a file is there; the header `Upload-Offset` says so, too.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "storages", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = Upload), Refusals))]
async fn show(
    _: Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<([(HeaderName, String); 1], Json<Upload>), ApiError> {
    Ok(answer(state.fleet.upload(&id)?))
}

/// Appends to a file of one's own; admins may to any. `Upload-Offset` says where what comes begins: it is the file's end, or nothing is taken.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "storages",
    params(("id" = String, Path), ("Upload-Offset" = u64, Header, description = "How much is there already")),
    request_body(content = String, content_type = "application/octet-stream"),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = Upload), Refusals))]
async fn append(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
    headers: HeaderMap,
    body: RawBody,
) -> Result<([(HeaderName, String); 1], Json<Upload>), ApiError> {
    let offset = offset(&headers)?;
    state.fleet.upload_of(&id, &caller.principal, "take more of a file")?;
    Ok(answer(state.fleet.append_upload(&id, offset, body.into_data_stream()).await?))
}

/// Drops a file that was handed over, by whoever did so or an admin.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "storages", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 204), Refusals))]
async fn discard(
    Operator(caller): Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<StatusCode, ApiError> {
    let discard = async {
        state.fleet.upload_of(&id, &caller.principal, "drop a file that was handed over")?;
        state.fleet.drop_upload(&id)
    };
    caller.audited("upload drop", &id, discard).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(upload: Upload) -> ([(HeaderName, String); 1], Json<Upload>) {
    ([(OFFSET, upload.offset.to_string())], Json(upload))
}

fn offset(headers: &HeaderMap) -> Result<u64> {
    let text = headers.get(OFFSET).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.trim().parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, "take more of a file")
            .because("the header Upload-Offset is missing, or is no number")
            .next("ask with HEAD how much is there, and send that")
    })
}
