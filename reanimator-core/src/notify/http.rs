//! Posting a document over HTTP to where notices go.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use url::Url;

use super::{guard, tls};
use crate::{Error, ErrorKind, Result, transport::http::excerpt};

/// How long all of it may take.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// As much of an answer is read, in bytes; of what is longer only the beginning counts.
const ANSWER_LIMIT: usize = 16 * 1024;
/// As many headers may be given.
const MOST_HEADERS: usize = 20;

/// A document to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// Headers besides those that say what and how long it is. Those that log in are marked as sensitive.
    pub headers: HeaderMap,
    /// JSON.
    pub body: String,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("to", &site(&self.url)).field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Post {
    /// One without headers of its own.
    pub(super) fn new(url: Url, document: &serde_json::Value) -> Self {
        Self { url, headers: HeaderMap::new(), body: document.to_string() }
    }

    /// With a header that logs in.
    pub(super) fn with_secret(mut self, name: &'static str, value: &str) -> Result<Self> {
        let mut value = header_value(name, value)?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }
}

/// Headers out of lines `Name: value`.
pub(super) fn read_headers(lines: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let refuse = |cause: &str| {
            Error::new(ErrorKind::Invalid, "read the headers of the webhook")
                .because(cause)
                .next("write each on a line of its own: Name: value")
        };
        let (name, value) = line.split_once(':').ok_or_else(|| refuse("a line has no colon"))?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| refuse("a name does not fit"))?;
        if ["host", "content-length", "content-type", "transfer-encoding", "connection"].contains(&name.as_str()) {
            return Err(refuse("a header is among them that we set ourselves"));
        }
        let mut value = header_value(name.as_str(), value.trim())?;
        value.set_sensitive(true);
        headers.append(name, value);
        if headers.len() > MOST_HEADERS {
            return Err(refuse("there are too many"));
        }
    }
    Ok(headers)
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("send the header {name}"))
            .because("its value holds letters that no header may")
            .next("store it again")
    })
}

/// A server's address with something behind its path.
pub(super) fn join(server: &str, last: &[&str]) -> Result<Url> {
    let read = |error: url::ParseError| Error::new(ErrorKind::Invalid, "read the server's address").from_source(error);
    let mut url = Url::parse(server).map_err(read)?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(last);
    }
    Ok(url)
}

/// Posts it, and says what came back.
pub(super) async fn send(post: Post, allow_inside: bool) -> Result<String> {
    let name = site(&post.url);
    match tokio::time::timeout(TIME_LIMIT, exchange(post, allow_inside)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::new(ErrorKind::Timeout, "post it")
            .on(name)
            .because(format!("no answer within {} s", TIME_LIMIT.as_secs()))
            .next("check that it is up; it may have been taken")),
    }
}

async fn exchange(post: Post, allow_inside: bool) -> Result<String> {
    let Post { url, headers, body } = post;
    let name = site(&url);
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses = guard::addresses(&host, port, allow_inside).await?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config()?)
        .resolve_to_addrs(&host, &addresses)
        .connect_timeout(CONNECT_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .user_agent(concat!("reanimator/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, "set up HTTP").on(&*name).from_source(error))?;
    let json = HeaderValue::from_static("application/json");
    let ask = client.post(url).headers(headers).header(CONTENT_TYPE, json).body(body);
    let mut response = ask.send().await.map_err(|error| {
        let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        let failed = Error::new(kind, "post it").on(&*name);
        match tls::certificate_trouble(&error) {
            Some(trouble) => failed.because(trouble).next("let this machine trust it, or give the name it is for"),
            None => {
                failed.because(innermost(&error.without_url())).next("check that it is up and the address is right")
            }
        }
    })?;
    let status = response.status().as_u16();
    let said = beginning(&mut response).await;
    let location = response.headers().get(LOCATION).map(|to| excerpt(to.as_bytes()));
    judge(&name, status, &said, location)
}

/// What the layer at the bottom says: those above say only that something failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut layer: &dyn std::error::Error = error;
    while let Some(below) = layer.source() {
        layer = below;
    }
    layer.to_string()
}

/// The beginning of an answer; one that breaks off counts as far as it came.
async fn beginning(response: &mut reqwest::Response) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        let room = ANSWER_LIMIT.saturating_sub(said.len());
        said.extend_from_slice(&piece[..piece.len().min(room)]);
        if said.len() >= ANSWER_LIMIT {
            break;
        }
    }
    said
}

/// What an answer means.
fn judge(name: &str, status: u16, said: &[u8], location: Option<String>) -> Result<String> {
    if (200..300).contains(&status) {
        return Ok(format!("{name} answered {status}"));
    }
    let (kind, next) = match status {
        300..=399 => {
            let to = location.unwrap_or_else(|| "nowhere".to_owned());
            return Err(Error::new(ErrorKind::Protocol, "post it")
                .on(name)
                .because(format!("it sends us on to {to}, and no redirect is followed"))
                .next("give the address that it leads to"));
        }
        401 | 403 => (ErrorKind::AuthFailed, "check the token or password of this target"),
        404 | 405 | 410 => (ErrorKind::NotFound, "check the address"),
        429 => (ErrorKind::RateLimited, "gather notices for longer, or let fewer go there"),
        500.. => (ErrorKind::Busy, "look at its own log"),
        _ => (ErrorKind::Invalid, "see what it says, and change the target"),
    };
    Err(Error::new(kind, "post it").on(name).because(format!("it answered {status}: {}", excerpt(said))).next(next))
}

/// Who is meant, without what may be secret: `hooks.example.org:443`.
fn site(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_http_says() {
        assert_eq!(judge("x", 204, b"", None).unwrap(), "x answered 204");
        for (status, kind) in [
            (302, ErrorKind::Protocol),
            (401, ErrorKind::AuthFailed),
            (404, ErrorKind::NotFound),
            (413, ErrorKind::Invalid),
            (429, ErrorKind::RateLimited),
            (503, ErrorKind::Busy),
        ] {
            let error = judge("x", status, b"why", Some("http://169.254.169.254/".into())).unwrap_err();
            assert_eq!(error.kind(), kind, "{status}");
            assert!(error.next_step().is_some());
        }
    }

    #[test]
    fn headers_are_read_and_those_of_our_own_refused() {
        let headers = read_headers("Authorization: Bearer x:y\n\n X-Team : ops ").unwrap();
        assert_eq!(headers["authorization"], "Bearer x:y");
        assert_eq!(headers["x-team"], "ops");
        assert!(!format!("{headers:?}").contains("Bearer"));
        for lines in ["no colon", "Host: x", "Content-Length: 0", "a b: c", "X: \u{1}", &"X: y\n".repeat(21)] {
            assert_eq!(read_headers(lines).unwrap_err().kind(), ErrorKind::Invalid, "{lines:?}");
        }
    }

    #[test]
    fn addresses_are_joined_behind_a_path() {
        assert_eq!(join("https://x/base/", &["message"]).unwrap().as_str(), "https://x/base/message");
        assert_eq!(join("https://x", &["message"]).unwrap().as_str(), "https://x/message");
        assert_eq!(join("https://x", &[]).unwrap().as_str(), "https://x/");
    }
}
