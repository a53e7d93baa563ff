//! A service on a fresh data directory, asked without a socket.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use reanimator_core::{
    Fleet, FleetOptions,
    access::{NewPassword, Role},
    fleet::{NewHost, SshAuth},
    model::HostView,
};
use reanimator_server::{AppState, ServerOptions, app};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The admin's name.
pub(crate) const ADMIN: &str = "ada";
/// Everyone's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A service under test. Dropping it removes its data.
pub(crate) struct Service {
    pub(crate) fleet: Fleet,
    pub(crate) app: Router,
    _dir: TempDir,
}

/// The fleet in a data directory.
pub(crate) async fn open_fleet(dir: &Path, with_this_machine: bool) -> Fleet {
    let options = FleetOptions { with_this_machine, home: Some(dir.to_owned()), ..FleetOptions::new(dir) };
    Fleet::open(options).await.unwrap()
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// A person who is logged in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Service {
    /// An empty fleet, nobody set up.
    pub(crate) async fn empty() -> Self {
        Self::with_options(ServerOptions::default()).await
    }

    /// An empty fleet under these options.
    pub(crate) async fn with_options(options: ServerOptions) -> Self {
        Self::over(options, false).await
    }

    /// A fleet of this very machine.
    pub(crate) async fn on_this_machine() -> Self {
        Self::over(ServerOptions::default(), true).await
    }

    async fn over(options: ServerOptions, with_this_machine: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fleet = open_fleet(dir.path(), with_this_machine).await;
        let app = app(AppState::new(fleet.clone(), &options, CancellationToken::new()));
        Self { fleet, app, _dir: dir }
    }

    /// A fleet with some hosts that are not there, and nobody set up.
    pub(crate) async fn with_hosts(names: &[&str]) -> Self {
        let service = Self::empty().await;
        for name in names {
            service.add(name).await;
        }
        service
    }

    /// Adds a host that nobody can reach.
    pub(crate) async fn add(&self, name: &str) -> HostView {
        let auth = SshAuth { password: Some(SecretString::from("secret")), ..SshAuth::default() };
        let name = Some(name.to_owned());
        let new = NewHost { name, auth, unchecked: true, port: 1, ..NewHost::new("127.0.0.1") };
        self.fleet.add_host(new).await.unwrap()
    }

    /// A token of that role.
    pub(crate) async fn token(&self, role: Role) -> String {
        let name = format!("{role}-{}", self.fleet.access().tokens().await.unwrap().len());
        self.fleet.access().create_token(&name, role, self.fleet.now()).await.unwrap().expose_secret().to_owned()
    }

    /// A person of that role, logged in.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Person {
        let password = NewPassword::checked(SecretString::from(PASSWORD)).unwrap();
        self.fleet.access().add_user(name, password, role, self.fleet.now()).await.unwrap();
        let answer = self.log_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.person()
    }

    /// Tries to log in.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "username": name, "password": password });
        self.send(request(Method::POST, "/api/v1/login").json(&body)).await
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 * 1024 * 1024).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// GETs as the bearer of `token`.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(request(Method::GET, path).bearer(token).empty()).await
    }

    /// Sends JSON as the bearer of `token`.
    pub(crate) async fn json(&self, method: Method, token: &str, path: &str, body: Value) -> Answer {
        self.send(request(method, path).bearer(token).json(&body)).await
    }

    /// POSTs JSON as the bearer of `token`.
    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.json(Method::POST, token, path, body).await
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON of an answer that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    /// Checks that this is a whole problem of that status and kind; gives it.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:reanimator:{kind}"), "{problem}");
        assert_eq!(problem["status"], status);
        for field in ["title", "detail"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }

    /// Who this answer has logged in.
    pub(crate) fn person(&self) -> Person {
        let set = self.headers[header::SET_COOKIE].to_str().unwrap();
        let cookie = set.split(';').next().unwrap().to_owned();
        Person { cookie, csrf: self.json()["csrf"].as_str().unwrap().to_owned() }
    }
}

/// Begins a request as a browser on this machine would.
pub(crate) fn request(method: Method, path: &str) -> Asking {
    Asking(Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8420"))
}

/// A request in the making.
pub(crate) struct Asking(axum::http::request::Builder);

impl Asking {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With the cookie alone.
    pub(crate) fn cookie(self, person: &Person) -> Self {
        self.header("cookie", &person.cookie)
    }

    /// With all that the page sends.
    pub(crate) fn by(self, person: &Person) -> Self {
        self.cookie(person).header("x-csrf-token", &person.csrf).header("origin", "http://127.0.0.1:8420")
    }

    pub(crate) fn empty(self) -> Request<Body> {
        self.0.body(Body::empty()).unwrap()
    }

    pub(crate) fn json(self, body: &Value) -> Request<Body> {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    pub(crate) fn raw(self, body: impl Into<Body>) -> Request<Body> {
        self.0.body(body.into()).unwrap()
    }
}
