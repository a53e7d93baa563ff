//! Backups of Reanimator's own data: made, looked at, put back. A backup comes in and goes out as a stream.

use axum::{
    Json,
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request, State,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    http::{HeaderName, StatusCode, header},
};
use reanimator_core::{
    Error, ErrorKind, Fleet,
    fleet::{Afterwards, BackupFile},
    store::{BackupPassphrase, BackupReport, LARGEST_BACKUP, Scratch},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Admin, error::ApiError, json, openapi::Refusals, state::AppState};

/// What all paths of backups begin with.
pub(crate) const PATH: &str = "/api/v1/backup";

/// A passphrase is at most 1 KiB; all that is not the file fits in this.
const BESIDE_THE_FILE: u64 = 64 * 1024;
const LONGEST_PASSPHRASE: usize = 1024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let limit = usize::try_from(LARGEST_BACKUP + BESIDE_THE_FILE).unwrap_or(usize::MAX);
    let incoming = OpenApiRouter::new().routes(routes!(inspect)).routes(routes!(restore));
    OpenApiRouter::new().routes(routes!(create)).merge(incoming.layer(DefaultBodyLimit::max(limit)))
}

/// A backup to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BackupToMake {
    /// 12 characters or more. Without it the backup cannot be opened by anybody.
    passphrase: String,
    /// Whether the history of figures comes with it. Defaults to yes.
    #[serde(default = "yes")]
    history: bool,
}

fn yes() -> bool {
    true
}

/// A backup that comes in, as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read as a stream")]
struct BackupForm {
    /// The passphrase that it was made with.
    passphrase: String,
    /// The file, up to 4 GiB.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A backup that was put in place.
#[derive(Serialize, ToSchema)]
struct Restored {
    #[serde(flatten)]
    report: BackupReport,
    /// All sessions have ended, that of whoever restored it too: log in again as a person who is in the backup.
    log_in_again: bool,
}

/// Makes a backup and sends it: everything but sessions, encrypted with the passphrase in the age format.
#[utoipa::path(post, path = "/api/v1/backup", tag = "backup", request_body = BackupToMake,
    extensions(("x-role" = json!("admin"))),
    responses((status = 200, description = "The backup", body = String, content_type = "application/octet-stream"), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    json::Body(wanted): json::Body<BackupToMake>,
) -> Result<([(HeaderName, String); 3], Body), ApiError> {
    let create = async {
        let passphrase = BackupPassphrase::checked(SecretString::from(wanted.passphrase))?;
        state.fleet.create_backup(passphrase, wanted.history).await
    };
    let what = if wanted.history { "with history" } else { "without history" };
    let backup = caller.audited("backup create", what, create).await?;
    let file = File::open(backup.path()).await.map_err(|error| storage("send the backup", error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, backup.bytes().to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&backup))),
    ];
    // The file's name goes here; what is open is read to its end all the same.
    drop(backup);
    Ok((headers, Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024))))
}

/// `reanimator-2026-01-31-1200.age`
fn file_name(backup: &BackupFile) -> String {
    format!("reanimator-{}.age", backup.report().made_at.strftime("%Y-%m-%d-%H%M"))
}

/// Reads a backup to its end and says what is in it. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/backup/inspect", tag = "backup",
    request_body(content = BackupForm, content_type = "multipart/form-data"), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = BackupReport), Refusals))]
async fn inspect(
    Admin(caller): Admin,
    State(state): State<AppState>,
    form: Request,
) -> Result<Json<BackupReport>, ApiError> {
    let upload = Upload::receive(form, &state).await?;
    let inspect = Fleet::inspect_backup(&upload.file, upload.passphrase.clone());
    Ok(Json(caller.audited("backup inspect", "", inspect).await?))
}

/// Puts a backup in place of all that is stored here.
///
/// Everything is checked first; then it happens at one instant, and a failure before it changes nothing. All sessions
/// end. The audit trail keeps what is in it.
#[utoipa::path(post, path = "/api/v1/backup/restore", tag = "backup",
    request_body(content = BackupForm, content_type = "multipart/form-data"), extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Restored), Refusals))]
async fn restore(
    Admin(caller): Admin,
    State(state): State<AppState>,
    form: Request,
) -> Result<Json<Restored>, ApiError> {
    let upload = Upload::receive(form, &state).await?;
    let restore = state.fleet.restore_backup(&upload.file, upload.passphrase.clone(), Afterwards::OverHttp);
    let report = caller.audited("backup restore", "", restore).await?;
    Ok(Json(Restored { report, log_in_again: true }))
}

/// A backup that came in. Its file goes with it.
struct Upload {
    file: std::path::PathBuf,
    passphrase: SecretString,
    _scratch: Scratch,
}

impl Upload {
    /// Takes the form apart as it comes, the file straight to the disk.
    async fn receive(form: Request, state: &AppState) -> Result<Self, ApiError> {
        let mut form = Multipart::from_request(form, state).await.map_err(|error| no_form(&error))?;
        let scratch = state.fleet.scratch()?;
        let (mut passphrase, mut file) = (None, None);
        while let Some(field) = form.next_field().await.map_err(|error| broken_form(&error))? {
            match field.name() {
                Some("passphrase") if passphrase.is_none() => passphrase = Some(short_text(field).await?),
                Some("file") if file.is_none() => {
                    let path = scratch.path().join("upload.age");
                    store(field, &path).await?;
                    file = Some(path);
                }
                _ => return Err(missing("a field is in it twice, or one that does not belong there").into()),
            }
        }
        let passphrase = passphrase.ok_or_else(|| missing("the field passphrase is missing"))?;
        let file = file.ok_or_else(|| missing("the field file is missing"))?;
        Ok(Self { file, passphrase, _scratch: scratch })
    }
}

async fn short_text(mut field: Field<'_>) -> Result<SecretString, ApiError> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(|error| broken_form(&error))? {
        if text.len() + bytes.len() > LONGEST_PASSPHRASE {
            return Err(missing("the passphrase is longer than any can be").into());
        }
        text.extend_from_slice(&bytes);
    }
    let text = String::from_utf8(text).map_err(|_| missing("the passphrase is not text"))?;
    Ok(SecretString::from(text))
}

async fn store(mut field: Field<'_>, path: &std::path::Path) -> Result<(), ApiError> {
    let failed = |error| ApiError::from(storage("store the backup that comes in", error));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await.map_err(failed)?;
    while let Some(bytes) = field.chunk().await.map_err(|error| broken_form(&error))? {
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

fn storage(attempt: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, attempt)
        .next("see whether there is room on the disk of the data directory")
        .from_source(error)
}

fn missing(cause: &str) -> Error {
    Error::new(ErrorKind::Invalid, "read the form")
        .because(cause)
        .next("send multipart/form-data with the fields passphrase and file")
}

fn no_form(rejection: &MultipartRejection) -> ApiError {
    let error = missing(&rejection.body_text());
    ApiError::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn broken_form(error: &MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::with_status(
            Error::new(ErrorKind::Invalid, "take the backup")
                .because(format!("it is larger than {LARGEST_BACKUP} bytes"))
                .next("make it without the history, or restore it with `reanimator backup restore` on the server"),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        status => ApiError::with_status(missing(&error.body_text()), status),
    }
}
