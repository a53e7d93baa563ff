//! A JSON document posted to a web address.
//!
//! The document keeps its shape; what is new is added beside what is there:
//!
//! ```json
//! {"version": 1, "id": "0f3c…", "at": "2026-11-26T12:00:00Z", "level": "critical",
//!  "title": "pve1 does not answer", "text": "since noon",
//!  "notices": [{"at": "2026-11-26T12:00:00Z", "kind": "alert-raised", "level": "critical", "title": "…", "text": "…",
//!               "entity": "host:h1", "key": "…", "url": null, "fields": {}}]}
//! ```
//!
//! `id` is the same where a message comes a second time. Where the target has a key, `X-Reanimator-Timestamp` holds the
//! seconds since 1970 of `at`, and `X-Reanimator-Signature` `sha256=` and in hexadecimal the HMAC-SHA-256, under that key,
//! of the timestamp, a dot and the document to the letter.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;
use sha2::Sha256;
use url::Url;

use super::{
    Message, Secrets,
    http::{Post, read_headers},
};
use crate::{Error, ErrorKind, Result, model::NotifyTarget};

/// The document as it is posted.
pub(super) fn request(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<Post> {
    let url = Url::parse(secrets.need("url", target)?)
        .map_err(|error| Error::new(ErrorKind::Invalid, "read the web address").on(&*target.name).from_source(error))?;
    let Message { id, at, level, title, text, notices } = message;
    let document = json!({
        "version": 1, "id": id, "at": at, "level": level, "title": title, "text": text, "notices": notices,
    });
    let mut post = Post::new(url, &document);
    post.headers = secrets.get("headers").map(read_headers).transpose()?.unwrap_or_default();
    if let Some(key) = secrets.get("signing_key") {
        let seconds = at.as_second();
        let signature = HeaderValue::from_str(&format!("sha256={}", signature(key, seconds, &post.body)))
            .map_err(|error| Error::new(ErrorKind::Internal, "sign a document").from_source(error))?;
        post.headers.insert(HeaderName::from_static("x-reanimator-timestamp"), HeaderValue::from(seconds));
        post.headers.insert(HeaderName::from_static("x-reanimator-signature"), signature);
    }
    Ok(post)
}

fn signature(key: &str, seconds: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        // Writing into a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::notify::message::tests::message;

    fn target() -> NotifyTarget {
        serde_json::from_str(r#"{"name":"hook","way":{"kind":"webhook","url":"https://x/…"}}"#).unwrap()
    }

    #[test]
    fn the_document_has_its_shape_and_is_signed() {
        let secrets = Secrets::new(
            [("url", "https://x.example.org/a?b=c"), ("signing_key", "key"), ("headers", "X-Team: ops")]
                .map(|(name, value)| (name.to_owned(), value.into())),
        );
        let post = request(&target(), &secrets, &message()).unwrap();
        assert_eq!(post.url.as_str(), "https://x.example.org/a?b=c");
        let document: serde_json::Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!((document["version"].as_i64(), document["level"].as_str()), (Some(1), Some("critical")));
        assert_eq!(document["notices"][0]["kind"], "alert-raised");
        assert_eq!(post.headers["x-team"], "ops");
        assert_eq!(post.headers["x-reanimator-timestamp"], "1795694400");
        assert_eq!(post.headers["x-reanimator-signature"].len(), "sha256=".len() + 64);
    }

    /// Computed with `printf '0.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn the_signature_is_that_of_openssl() {
        assert_eq!(signature("key", 0, "{}"), "7314351dd949aa7ec06f50fc2c96e618291447672c9b7f10b49d1ce46dad00b3");
    }

    #[test]
    fn without_its_address_it_says_what_is_missing() {
        let error = request(&target(), &Secrets::default(), &message()).unwrap_err();
        assert!(crate::report(&error).contains("\"url\""), "{error}");
    }
}
