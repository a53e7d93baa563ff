//! What came back, whole and bounded, and what to say when it makes no sense.

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result};

/// How much of an answer is read: the largest a cluster of thousands of guests gives is a few MiB.
pub const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// How much of a senseless answer is shown.
const EXCERPT_CHARACTERS: usize = 80;

/// One answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code; Proxmox has some of its own above 590.
    pub status: u16,
    /// The reason phrase, where Proxmox says what went wrong. Empty when the server gave the usual one.
    pub reason: String,
    /// The body.
    pub body: Bytes,
    /// Who answered: `192.0.2.7:8006`.
    pub endpoint: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] with the beginning of what came instead.
    pub fn json<T: DeserializeOwned>(&self, attempt: impl Into<String>) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let came = if self.body.is_empty() {
                "the answer is empty".to_owned()
            } else if error.is_eof() {
                format!("the answer breaks off after {} bytes: {}", self.body.len(), excerpt(&self.body))
            } else {
                format!("the answer is not the JSON that was expected: {}", excerpt(&self.body))
            };
            Error::new(ErrorKind::Protocol, attempt).on(&self.endpoint).because(came).next(
                "check that the address and port are those of the API, and what stands in between (proxy, log-in page)",
            )
        })
    }
}

/// The first printable characters of what came, for people.
pub fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(EXCERPT_CHARACTERS * 4)];
    let text: String = String::from_utf8_lossy(head)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(|c| if c.is_control() || c == char::REPLACEMENT_CHARACTER { '.' } else { c })
        .take(EXCERPT_CHARACTERS)
        .collect();
    if head.len() < body.len() || text.chars().count() == EXCERPT_CHARACTERS {
        format!("{text:?}...")
    } else {
        format!("{text:?}")
    }
}

/// Why a body could not be read to its end.
pub(super) enum BodyFailure {
    /// The connection went, after this much.
    BrokenOff(Bytes, reqwest::Error),
    /// There is no end of it.
    TooLong(usize),
}

/// Reads a body to its end or to `limit`, whichever comes first.
pub(super) async fn read_body(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, BodyFailure> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body.freeze()),
            Ok(Some(piece)) if body.len() + piece.len() > limit => return Err(BodyFailure::TooLong(limit)),
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Err(error) => return Err(BodyFailure::BrokenOff(body.freeze(), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(body: &'static [u8]) -> Answer {
        Answer { status: 200, reason: String::new(), body: Bytes::from_static(body), endpoint: "pve1:8006".to_owned() }
    }

    #[test]
    fn what_is_no_json_is_shown_by_its_beginning() {
        let said = |body| {
            let error = answer(body).json::<serde_json::Value>("read it").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            error.to_string()
        };
        assert_eq!(
            said(b"{\"data\":[{\"vmid\":1"),
            "pve1:8006: could not read it: the answer breaks off after 18 bytes: \"{\\\"data\\\":[{\\\"vmid\\\":1\""
        );
        assert!(said(b"<html>\n <body>Log in").ends_with("expected: \"<html> <body>Log in\""));
        assert!(said(b"").ends_with("the answer is empty"));
        assert!(said(b"\x00\xff\x1b[31m").contains("\"...[31m\""));
    }

    #[test]
    fn a_long_answer_is_shown_in_part() {
        let shown = excerpt(&b"x".repeat(5000));
        assert_eq!(shown, format!("\"{}\"...", "x".repeat(80)));
    }
}
