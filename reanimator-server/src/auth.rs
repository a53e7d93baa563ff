//! Who asks, and whether they may: the extractors that stand first in every handler's arguments.
//!
//! A handler says the least role it needs by asking for [`Viewer`], [`Operator`] or [`Admin`]; without one of these
//! (or [`Stranger`], for the few open calls) it would be open to everyone, which a test over the whole OpenAPI
//! document forbids. People come with a session cookie, programs with a bearer token. Browsers send a cookie on
//! their own, so with it every change must also carry the session's CSRF token and come from our own origin.
//!
//! Changes go through [`Caller::audited`], which writes down who did what, on what, from where, and what came of it.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, Method, header, request::Parts},
};
use jiff::SignedDuration;
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::{self, Principal, Role},
    fleet::By,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{error::ApiError, headers, state::AppState};

/// The header that repeats the session's CSRF token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The cookie's name without TLS.
const PLAIN_COOKIE: &str = "reanimator";
/// The cookie's name under TLS; browsers take such a name only with `Secure`, `Path=/` and no `Domain`.
const TLS_COOKIE: &str = "__Host-reanimator";

/// Anyone who is logged in.
pub(crate) struct Viewer(pub(crate) Caller);
/// One who may act.
pub(crate) struct Operator(pub(crate) Caller);
/// One who may do everything.
pub(crate) struct Admin(pub(crate) Caller);

/// Someone unknown, but never a page of another origin.
pub(crate) struct Stranger {
    /// Where the request came from, for the log-in's brakes and the audit trail.
    pub(crate) from: String,
}

/// Someone who is logged in.
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) credential: Credential,
    from: String,
    fleet: Fleet,
}

/// What a client proves itself by.
#[derive(Clone)]
pub(crate) enum Credential {
    /// A session cookie.
    Cookie(SecretString),
    /// A bearer token.
    Bearer(SecretString),
}

impl Credential {
    /// The credential that a request carries; a bearer token goes before a cookie.
    fn of(headers: &HeaderMap, tls: bool) -> Option<Self> {
        bearer_of(headers).map(Self::Bearer).or_else(|| cookie_of(headers, tls).map(Self::Cookie))
    }

    /// Who it belongs to now.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody knows it, or not any more; `Storage`.
    pub(crate) async fn check(&self, fleet: &Fleet) -> Result<Principal> {
        let shown = match self {
            Self::Cookie(cookie) => access::Credential::Cookie(cookie),
            Self::Bearer(token) => access::Credential::Bearer(token),
        };
        fleet.access().authenticate(shown, fleet.now()).await
    }
}

impl Caller {
    /// Carries out a change and writes it into the audit trail, whatever came of it.
    pub(crate) async fn audited<T>(&self, what: &str, on: &str, change: impl Future<Output = Result<T>>) -> Result<T> {
        let result = change.await;
        let outcome = access::outcome(result.as_ref().err());
        let who = self.principal.who();
        self.fleet.access().record(&who, &self.from, what, on, outcome, self.fleet.now()).await?;
        result
    }

    /// From where the caller asks: an address.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    /// Who asks and from where, for the core's lines in the audit trail.
    pub(crate) fn by(&self) -> By {
        By { who: self.principal.who(), from: self.from.clone() }
    }

    async fn of(parts: &Parts, state: &AppState) -> Result<Self> {
        let credential = Credential::of(&parts.headers, state.tls).ok_or_else(not_logged_in)?;
        let principal = credential.check(&state.fleet).await?;
        // No rule of the browser's own keeps a page of another origin from a WebSocket, whatever credential it has got.
        if parts.headers.contains_key(header::UPGRADE) {
            check_origin(parts)?;
        }
        if matches!(credential, Credential::Cookie(_)) {
            check_origin(parts)?;
            check_csrf(parts, &principal)?;
        }
        Ok(Self { principal, credential, from: peer_of(parts), fleet: state.fleet.clone() })
    }

    async fn in_role(parts: &Parts, state: &AppState, needed: Role) -> Result<Self> {
        let caller = Self::of(parts, state).await?;
        caller.principal.require(needed, &format!("{} {}", parts.method, parts.uri.path()))?;
        Ok(caller)
    }
}

macro_rules! extractors {
    ($($extractor:ident => $role:expr),+) => {$(
        impl FromRequestParts<AppState> for $extractor {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &AppState) -> std::result::Result<Self, ApiError> {
                Ok(Self(Caller::in_role(parts, state, $role).await?))
            }
        }
    )+};
}

extractors!(Viewer => Role::Viewer, Operator => Role::Operator, Admin => Role::Admin);

impl FromRequestParts<AppState> for Stranger {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> std::result::Result<Self, ApiError> {
        check_origin(parts)?;
        Ok(Self { from: peer_of(parts) })
    }
}

/// The `Set-Cookie` that begins a session.
pub(crate) fn session_cookie(cookie: &SecretString, life: SignedDuration, tls: bool) -> String {
    let ((name, secure), seconds) = (cookie_name(tls), life.as_secs());
    let cookie = cookie.expose_secret();
    format!("{name}={cookie}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The `Set-Cookie` that ends one.
pub(crate) fn no_cookie(tls: bool) -> String {
    session_cookie(&SecretString::from(""), SignedDuration::ZERO, tls)
}

fn cookie_name(tls: bool) -> (&'static str, &'static str) {
    if tls { (TLS_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") }
}

fn bearer_of(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SecretString::from(token.trim()))
}

fn cookie_of(headers: &HeaderMap, tls: bool) -> Option<SecretString> {
    let (wanted, _) = cookie_name(tls);
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then(|| SecretString::from(value)))
}

/// The peer's own address. What proxies say of others in `X-Forwarded-For` is not believed: anyone can send it.
fn peer_of(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "local".to_owned(), |ConnectInfo(address)| address.ip().to_canonical().to_string())
}

/// Whether a method changes nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn check_origin(parts: &Parts) -> Result<()> {
    match headers::is_same_origin(&parts.uri, &parts.headers) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Denied, "take this request")
            .because("it comes from a page of another origin")
            .next("use Reanimator's own page, or a bearer token")),
    }
}

fn check_csrf(parts: &Parts, principal: &Principal) -> Result<()> {
    let shown = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    match is_safe(&parts.method) || principal.means_it(shown) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Denied, "take this change")
            .because("the header X-CSRF-Token is missing or is not this session's")
            .next("send what /api/v1/me gives as csrf")),
    }
}

fn not_logged_in() -> Error {
    Error::new(ErrorKind::Unauthenticated, "take this request")
        .because("it carries no session or token that is known here")
        .next("log in, or send Authorization: Bearer with a token")
}
