//! One command on many hosts, answered line by line as the hosts answer.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body as ResponseBody, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, future, stream};
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::{ExecAnswer, ExecRequest},
    message,
    transport::{Captured, Output},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Admin, error::ApiError, json::Body, openapi::Refusals, state::AppState};

/// A command may take as long as this at most.
const LONGEST_SECONDS: u64 = 24 * 3600;
/// As much output as is kept of one host at most.
const LARGEST_OUTPUT: usize = 16 * 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(exec))
}

/// A command and where to run it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Command {
    /// A line for the remote shell.
    command: String,
    /// A selector: which hosts.
    on: String,
    /// After so long the remote process is ended. Defaults to 60, up to a day.
    time_limit_seconds: Option<u64>,
    /// As much output as is kept of each host. Defaults to 1 MiB, up to 16 MiB.
    output_limit_bytes: Option<usize>,
    /// Runs it as root. Defaults to no.
    #[serde(default)]
    sudo: bool,
}

/// What one host answered.
#[derive(Serialize, ToSchema)]
struct AnswerLine {
    host_id: String,
    host: String,
    /// The exit status; null where there is none.
    status: Option<u32>,
    /// The signal that ended it.
    signal: Option<String>,
    stdout: String,
    stderr: String,
    /// Where stdout was cut, in bytes.
    stdout_cut_at: Option<u64>,
    /// Where stderr was cut, in bytes.
    stderr_cut_at: Option<u64>,
    /// Why there is no answer.
    error: Option<Failure>,
    /// How long it took.
    milliseconds: u64,
}

/// Why a host gave no answer.
#[derive(Serialize, ToSchema)]
struct Failure {
    kind: ErrorKind,
    message: String,
    next: Option<String>,
}

/// The last line.
#[derive(Serialize, ToSchema)]
pub(crate) struct LastLine {
    /// Always true.
    done: bool,
    /// Hosts on which the command ended with status 0.
    ok: usize,
    /// All others.
    failed: usize,
}

/// Runs one command on many hosts.
///
/// The answer is NDJSON: one line per host as it answers, then one with `done`. Closing the connection ends the
/// commands that still run.
#[utoipa::path(post, path = "/api/v1/exec", tag = "exec", request_body = Command, extensions(("x-role" = json!("admin"))),
    responses((status = 200, description = "One `AnswerLine` per host, then a `LastLine`", body = AnswerLine,
        content_type = "application/x-ndjson"), Refusals))]
async fn exec(admin: Admin, State(state): State<AppState>, Body(command): Body<Command>) -> Result<Response, ApiError> {
    let answers = state.fleet.exec_audited(command.try_into()?, &admin.0.by()).await?;
    let body = ResponseBody::from_stream(lines(answers).take_until(state.stop.clone().cancelled_owned()));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, ndjson)], body).into_response())
}

/// One line per answer, and the counts at the end.
fn lines(answers: impl Stream<Item = ExecAnswer>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let counts = (0, 0);
    let answers = answers.map(Some).chain(stream::once(future::ready(None)));
    answers
        .scan(counts, |(ok, failed), answer| {
            let line = match answer {
                Some(answer) => {
                    let line = AnswerLine::from(answer);
                    *if line.status == Some(0) { ok } else { failed } += 1;
                    as_line(&line)
                }
                None => as_line(&LastLine { done: true, ok: *ok, failed: *failed }),
            };
            future::ready(Some(line))
        })
        .map(Ok)
}

fn as_line(line: &impl Serialize) -> Bytes {
    // These types hold nothing that JSON cannot: strings, numbers and names of kinds.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    Bytes::from(text)
}

impl TryFrom<Command> for ExecRequest {
    type Error = Error;

    fn try_from(command: Command) -> Result<Self> {
        let mut request = Self::new(command.command, command.on.parse()?);
        if let Some(seconds) = command.time_limit_seconds {
            within("time_limit_seconds", seconds, LONGEST_SECONDS)?;
            request.time_limit = Duration::from_secs(seconds);
        }
        if let Some(bytes) = command.output_limit_bytes {
            within("output_limit_bytes", bytes as u64, LARGEST_OUTPUT as u64)?;
            request.output_limit = bytes;
        }
        request.sudo = command.sudo;
        Ok(request)
    }
}

fn within(name: &str, value: u64, most: u64) -> Result<()> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Invalid, "run the command")
            .because(format!("{name} is {value}; it may be 1 to {most}"))),
    }
}

impl From<ExecAnswer> for AnswerLine {
    fn from(answer: ExecAnswer) -> Self {
        let (output, error) = match answer.outcome {
            Ok(output) => (output, None),
            Err(error) => (Output::default(), Some(Failure::from(&error))),
        };
        let cut_at = |captured: &Captured| captured.cut_at.map(|bytes| bytes as u64);
        Self {
            host_id: answer.host_id.to_string(),
            host: answer.host,
            status: output.status,
            signal: output.signal,
            stdout_cut_at: cut_at(&output.stdout),
            stderr_cut_at: cut_at(&output.stderr),
            stdout: String::from_utf8_lossy(&output.stdout.bytes).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr.bytes).into_owned(),
            error,
            milliseconds: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind(), message: message(error), next: error.next_step().map(str::to_owned) }
    }
}
