//! The web page: the files that were built from `web/`, inside the program.
//!
//! Whatever is not a file is the page's own route and gets `index.html`. Files whose names carry a hash
//! (`assets/`) may be kept for ever; everything else is asked for each time. A program that was built without the
//! page says so, and how to build it.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::Embed;

use crate::error::ApiError;

/// The built page. Empty when the program was compiled before the page.
#[derive(Embed)]
#[folder = "web/dist"]
struct Files;

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Reanimator</title>\
    <meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>Reanimator</h1>\
    <p>The service runs, but it was built without its web page.</p>\
    <p>Build the page with <code>make page</code> and start the program again. \
    The API is at <code>/api/v1</code> meanwhile.</p></body></html>";

/// Encodings that files are kept in, the better one first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Answers everything that no route takes.
pub(crate) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return ApiError::no_such_path(path).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return ApiError::no_such_method(&method, path).into_response();
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or("");
    let wants_page = text(header::ACCEPT).contains("text/html");
    let path = path.trim_start_matches('/');
    respond(path, wants_page, text(header::ACCEPT_ENCODING), |name| Files::get(name).map(|file| file.data))
}

/// A file where there is one; else the page, unless it was clearly a file that was asked for.
fn respond(
    path: &str,
    wants_page: bool,
    accepted: &str,
    file: impl Fn(&str) -> Option<Cow<'static, [u8]>>,
) -> Response {
    let is_packed = ENCODINGS.iter().any(|(_, suffix)| path.ends_with(suffix));
    if !path.is_empty() && !is_packed && file(path).is_some() {
        return send(path, accepted, file);
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    if path.starts_with("assets/") || (last.contains('.') && !wants_page) {
        return ApiError::no_such_path(&format!("/{path}")).into_response();
    }
    if file("index.html").is_some() {
        return send("index.html", accepted, file);
    }
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let kept = HeaderValue::from_static("no-cache");
    (StatusCode::OK, [(header::CONTENT_TYPE, html), (header::CACHE_CONTROL, kept)], NOT_BUILT).into_response()
}

fn send(path: &str, accepted: &str, file: impl Fn(&str) -> Option<Cow<'static, [u8]>>) -> Response {
    let packed = ENCODINGS
        .into_iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| Some((encoding, file(&format!("{path}{suffix}"))?)));
    let (encoding, found) = match packed {
        Some((encoding, found)) => (Some(encoding), found),
        None => match file(path) {
            Some(found) => (None, found),
            None => return ApiError::no_such_path(&format!("/{path}")).into_response(),
        },
    };
    let mut response = Response::new(Body::from(found));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(path));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, cache_control(path));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn content_type(path: &str) -> HeaderValue {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let text = match guessed.type_() {
        mime_guess::mime::TEXT => format!("{guessed}; charset=utf-8"),
        _ => guessed.to_string(),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn cache_control(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    })
}

/// Whether `Accept-Encoding` lists `encoding` and does not give it the weight zero.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn a_page(name: &str) -> Option<Cow<'static, [u8]>> {
        let content: &'static [u8] = match name {
            "index.html" => b"<html>",
            "assets/app-a1b2.js" => b"plain",
            "assets/app-a1b2.js.br" => b"br",
            "assets/app-a1b2.js.gz" => b"gz",
            _ => return None,
        };
        Some(Cow::Borrowed(content))
    }

    async fn body(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), 65_536).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn the_best_encoding_that_the_client_takes_is_sent() {
        for (accepted, expected) in [("gzip, br", "br"), ("gzip", "gz"), ("br;q=0, gzip;q=0.5", "gz"), ("", "plain")] {
            let response = respond("assets/app-a1b2.js", false, accepted, a_page);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
            assert_eq!(body(response).await, expected.as_bytes(), "{accepted}");
        }
    }

    #[tokio::test]
    async fn the_pages_own_routes_get_its_index_and_missing_files_do_not() {
        for path in ["", "setup", "hosts/some-id"] {
            let response = respond(path, false, "br", a_page);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
            assert_eq!(body(response).await, b"<html>", "{path}");
        }
        for path in ["assets/gone.js", "favicon.ico", "assets/app-a1b2.js.br"] {
            assert_eq!(respond(path, false, "br", a_page).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn a_host_s_name_with_dots_is_no_file_to_a_browser() {
        assert_eq!(body(respond("hosts/web1.example", true, "", a_page)).await, b"<html>");
    }

    #[tokio::test]
    async fn without_a_page_it_says_how_to_build_one() {
        let response = respond("", true, "br", |_| None);
        assert_eq!(response.status(), StatusCode::OK);
        assert!(String::from_utf8(body(response).await).unwrap().contains("make page"));
    }
}
