//! What can go wrong between us and an endpoint, before it has answered.

use bytes::Bytes;

use super::certificate::{self, CertificateRefused};
use crate::{Error, ErrorKind};

/// No answer from one endpoint.
#[derive(Debug)]
pub(super) enum Failure {
    /// Its certificate is not believed. Nothing was sent.
    Certificate(Box<CertificateRefused>),
    /// No connection. Nothing was sent.
    NoConnection { kind: ErrorKind, why: String },
    /// The connection went before the answer was whole.
    BrokenOff { came: Bytes, why: String },
}

impl Failure {
    pub(super) fn of_sending(error: reqwest::Error) -> Self {
        if let Some(refused) = certificate::refusal(&error) {
            return Self::Certificate(Box::new(refused));
        }
        if !error.is_connect() {
            return Self::BrokenOff { came: Bytes::new(), why: innermost(&error) };
        }
        if error.is_timeout() {
            return Self::NoConnection {
                kind: ErrorKind::Timeout,
                why: "it takes the connection and says nothing, or does not take it".to_owned(),
            };
        }
        let speaks_no_tls = layers(&error).any(|layer| layer.is::<rustls::Error>());
        if speaks_no_tls {
            return Self::NoConnection {
                kind: ErrorKind::Protocol,
                why: format!("it does not speak TLS as it should: {}", innermost(&error)),
            };
        }
        Self::NoConnection { kind: ErrorKind::Unreachable, why: innermost(&error) }
    }

    /// Whether the far side may have seen the request.
    pub(super) fn may_have_arrived(&self) -> bool {
        matches!(self, Self::BrokenOff { .. })
    }

    pub(super) fn into_error(self, attempt: String, endpoint: &str) -> Error {
        match self {
            Self::Certificate(refused) => refused.into_error(attempt, endpoint),
            Self::NoConnection { kind, why } => Error::new(kind, attempt)
                .on(endpoint)
                .because(why)
                .next("check that the machine is up, the address and port are right, and no firewall is in between"),
            Self::BrokenOff { why, .. } => Error::new(ErrorKind::Unreachable, attempt)
                .on(endpoint)
                .because(format!("the connection broke off: {why}"))
                .next("look whether it was carried out before asking again"),
        }
    }
}

/// An error and what is inside it, outermost first. An `io::Error` shows its inside only when asked for it.
pub(super) fn layers<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |current| {
        match current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        }
    })
}

/// What the layer at the bottom says, without the number of the system's error.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let said = layers(error).last().map(ToString::to_string).unwrap_or_default();
    let text = said.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
