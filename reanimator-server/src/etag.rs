//! Answers that say by a tag what they hold, so that who has the same already is not sent it again.
//!
//! The tag is a hash of the answer itself: equal answers have equal tags, whichever process gave them.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reanimator_core::{Error, ErrorKind};
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// The largest answer that gets a tag; a page of a list is far smaller.
const LARGEST: usize = 16 << 20;

/// Puts a tag on answers to GET, and answers 304 to who names it.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let asks = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if !asks || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        let error = Error::new(ErrorKind::Internal, "answer this request")
            .because(format!("the answer is larger than {LARGEST} bytes"))
            .next("ask for fewer items with `limit`, or fewer fields with `fields`");
        return ApiError::from(error).into_response();
    };
    let tag = tag_of(&bytes);
    if known.is_some_and(|known| names(&known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return (parts.status, with_tag(parts.headers, &tag)).into_response();
    }
    parts.headers = with_tag(parts.headers, &tag);
    Response::from_parts(parts, Body::from(bytes))
}

fn with_tag(mut headers: HeaderMap, tag: &str) -> HeaderMap {
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    headers
}

fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..15]))
}

/// Whether `If-None-Match` names the tag; a weak one counts, since equal bytes are meant.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(text) = known.to_str() else { return false };
    text.split(',').map(str::trim).any(|each| each == "*" || each.strip_prefix("W/").unwrap_or(each) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_all_the_ways_it_is_written() {
        let tag = tag_of(b"a");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert!(HeaderValue::from_str(&known).is_ok_and(|known| names(&known, &tag)), "{known}");
        }
        for other in ["\"x\"", "", "W/\"x\""] {
            assert!(HeaderValue::from_str(other).is_ok_and(|other| !names(&other, &tag)), "{other}");
        }
        assert_ne!(tag, tag_of(b"b"));
    }
}
