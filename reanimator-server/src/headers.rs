//! What stands on every answer, and what is refused before any handler runs.
//!
//! Answers carry a strict Content-Security-Policy (scripts from ourselves only), and what stands under `/api`
//! is kept by no cache, or only by the reader's own where it has a tag. Requests under a foreign `Host` are refused while the service listens on loopback: that closes DNS
//! rebinding, where a web page makes its own name point to 127.0.0.1 and then talks to us as "same origin".

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use reanimator_core::{Error, ErrorKind};

use crate::{error::ApiError, state::AppState};

const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     manifest-src 'self'",
);

/// The names under which the service may be called.
#[derive(Clone, Debug)]
pub(crate) enum HostNames {
    /// Any: it listens beyond loopback, where whoever reaches it knows its name.
    Any,
    /// Loopback's own names, and those that were allowed by hand.
    Only(Vec<String>),
}

impl HostNames {
    /// The names that fit a service listening on `address`, with those that `allowed` adds.
    pub(crate) fn for_listener(address: IpAddr, allowed: &[String]) -> Self {
        if !address.is_loopback() {
            return Self::Any;
        }
        let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), address.to_string()];
        Self::Only(own.into_iter().chain(allowed.iter().map(|name| name.to_ascii_lowercase())).collect())
    }

    fn allow(&self, authority: &Authority) -> bool {
        let Self::Only(names) = self else { return true };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        names.iter().any(|name| name.trim_start_matches('[').trim_end_matches(']') == host)
    }
}

/// The host and port that the client called us by.
pub(crate) fn authority_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = headers.get(header::HOST).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    named.or_else(|| uri.authority().cloned())
}

/// Whether `Origin`, where the browser sent one, is our own host.
pub(crate) fn is_same_origin(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let theirs =
        origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok()).and_then(|uri| uri.authority().cloned());
    match (theirs, authority_of(uri, headers)) {
        (Some(theirs), Some(ours)) => theirs.as_str().eq_ignore_ascii_case(ours.as_str()),
        _ => false,
    }
}

/// Refuses requests that call us by a name that is not ours.
pub(crate) async fn check_host(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let known = match authority_of(request.uri(), request.headers()) {
        Some(authority) => state.host_names.allow(&authority),
        None => matches!(state.host_names, HostNames::Any),
    };
    if known {
        return next.run(request).await;
    }
    let error = Error::new(ErrorKind::Denied, "serve this request")
        .because("it calls this service by a host name that is not its own")
        .next("open it as http://127.0.0.1, or start it with --allowed-host NAME");
    ApiError::from(error).into_response()
}

/// Puts the headers on that every answer carries.
pub(crate) async fn secure(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/") || request.uri().path() == "/metrics";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    if state.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn allows(names: &HostNames, host: &str) -> bool {
        names.allow(&host.parse().unwrap())
    }

    #[test]
    fn on_loopback_only_its_own_names_and_the_allowed_ones_pass() {
        let names = HostNames::for_listener("127.0.0.1".parse().unwrap(), &["Fleet.example".to_owned()]);
        for host in ["localhost:8420", "127.0.0.1", "[::1]:8420", "LOCALHOST", "fleet.example:443"] {
            assert!(allows(&names, host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8420", "10.0.0.1"] {
            assert!(!allows(&names, host), "{host}");
        }
    }

    #[test]
    fn beyond_loopback_any_name_passes() {
        let names = HostNames::for_listener("0.0.0.0".parse().unwrap(), &[]);
        assert!(allows(&names, "fleet.example"));
    }

    #[test]
    fn an_origin_must_be_our_own_host_and_port() {
        let origin_is_ours = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost:8420".parse().unwrap());
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            is_same_origin(&"/api/v1/me".parse().unwrap(), &headers)
        };
        assert!(origin_is_ours("http://localhost:8420"));
        for origin in ["http://localhost:8421", "http://evil.example", "null", "http://localhost.evil.example:8420", ""]
        {
            assert!(!origin_is_ours(origin), "{origin}");
        }
    }
}
