//! Failures as the client sees them: one kind of error, one table, RFC 9457 problem details.
//!
//! Every failure that leaves this service, from whatever layer, goes through [`ApiError`]; so a client finds the
//! same shape behind a refused log-in, an unknown path and a host that does not answer:
//!
//! ```json
//! {"type": "urn:reanimator:unreachable", "title": "Cannot be reached", "status": 502,
//!  "detail": "web1: could not connect to 192.0.2.1:22: connection refused",
//!  "host": "web1", "next": "check that sshd runs there and that the port is right"}
//! ```

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use reanimator_core::{Error, ErrorKind, access::retry_after, message};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problem details.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A failure on its way to the client.
#[derive(Debug)]
pub(crate) struct ApiError {
    error: Error,
    status: StatusCode,
}

/// Problem details, RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemDetails)]
pub(crate) struct Problem {
    /// `urn:reanimator:KIND`
    #[serde(rename = "type")]
    problem_type: String,
    /// The kind of failure in words.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What was attempted, on what, and why it failed.
    detail: String,
    /// The host it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The identity that the host showed: accept it by sending it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// What kind of key was shown: `ssh-ed25519`, `x509`.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_type: Option<String>,
}

impl ApiError {
    /// The same failure under a status that says more than its kind does (413, 415 and the like).
    pub(crate) fn with_status(error: Error, status: StatusCode) -> Self {
        Self { error, status }
    }

    /// The path leads nowhere.
    pub(crate) fn no_such_path(path: &str) -> Self {
        Error::new(ErrorKind::NotFound, format!("find {path}"))
            .because("there is no such path")
            .next("see /api/openapi.json for the paths that there are")
            .into()
    }

    /// The path is there but not for this method.
    pub(crate) fn no_such_method(method: &axum::http::Method, path: &str) -> Self {
        let error = Error::new(ErrorKind::Invalid, format!("{method} {path}"))
            .because("this path does not take that method")
            .next("see /api/openapi.json for the methods that it takes");
        Self::with_status(error, StatusCode::METHOD_NOT_ALLOWED)
    }

    fn problem(&self) -> Problem {
        let kind = self.error.kind();
        let fingerprint = self.error.fingerprint();
        Problem {
            problem_type: format!("urn:reanimator:{kind}"),
            title: title_of(kind),
            status: self.status.as_u16(),
            detail: message(&self.error),
            host: self.error.subject().map(str::to_owned),
            next: self.error.next_step().map(str::to_owned),
            fingerprint: fingerprint.map(|shown| shown.sha256.clone()),
            key_type: fingerprint.map(|shown| shown.key_type.clone()),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self { status: status_of(error.kind()), error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() && !is_of_a_host(self.error.kind()) {
            tracing::error!(error = %message(&self.error), "a request failed");
        }
        let mut response = (self.status, Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        match self.error.kind() {
            ErrorKind::RateLimited => {
                let wait = retry_after(&self.error).map_or(1, |wait| wait.as_secs().max(1));
                headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
            }
            ErrorKind::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"reanimator\""));
            }
            _ => {}
        }
        response
    }
}

/// The one table from kinds to statuses.
pub(crate) fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Invalid | ErrorKind::AuthFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Conflict
        | ErrorKind::Busy
        | ErrorKind::HostKeyUnknown
        | ErrorKind::HostKeyChanged
        | ErrorKind::CertificateUnknown
        | ErrorKind::CertificateChanged => StatusCode::CONFLICT,
        ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unreachable | ErrorKind::Protocol => StatusCode::BAD_GATEWAY,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        // Storage, Internal, and any kind that is younger than this table.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "Not found",
        ErrorKind::Invalid => "Not valid",
        ErrorKind::AuthFailed => "The host refused the log-in",
        ErrorKind::Conflict => "Contradicts what is there",
        ErrorKind::Busy => "Held by something else",
        ErrorKind::HostKeyUnknown => "The host key is not known yet",
        ErrorKind::HostKeyChanged => "The host key has changed",
        ErrorKind::CertificateUnknown => "The certificate is not known yet",
        ErrorKind::CertificateChanged => "The certificate has changed",
        ErrorKind::Denied => "Not allowed",
        ErrorKind::Unauthenticated => "Not logged in",
        ErrorKind::RateLimited => "Too many attempts",
        ErrorKind::Unreachable => "Cannot be reached",
        ErrorKind::Protocol => "The far side answered nonsense",
        ErrorKind::Timeout => "No answer in time",
        ErrorKind::Cancelled => "Cancelled",
        ErrorKind::Storage => "The store failed",
        _ => "A fault of our own",
    }
}

/// Whether a 5xx of this kind is a far host's trouble, and no fault of this service.
fn is_of_a_host(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::Protocol | ErrorKind::Timeout | ErrorKind::Cancelled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reanimator_core::Fingerprint;

    use super::*;

    async fn body_of(error: Error) -> (StatusCode, serde_json::Value) {
        let response = ApiError::from(error).into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 65_536).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_says_what_where_why_and_what_next() {
        let error = Error::new(ErrorKind::Unreachable, "connect to 192.0.2.1:22")
            .on("web1")
            .because("connection refused")
            .next("check the port");
        let (status, body) = body_of(error).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:reanimator:unreachable", "title": "Cannot be reached", "status": 502,
                "detail": "web1: could not connect to 192.0.2.1:22: connection refused",
                "host": "web1", "next": "check the port",
            })
        );
    }

    #[tokio::test]
    async fn an_unknown_host_key_comes_with_its_fingerprint() {
        let shown =
            Fingerprint { sha256: "SHA256:abc".into(), key_type: "ssh-ed25519".into(), public_key: Some("x".into()) };
        let error = Error::new(ErrorKind::HostKeyUnknown, "trust the host key").on("web1").showing(shown);
        let (status, body) = body_of(error).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(body["type"], "urn:reanimator:host-key-unknown");
        assert_eq!(body["fingerprint"], "SHA256:abc");
        assert_eq!(body["key_type"], "ssh-ed25519");
    }
}
