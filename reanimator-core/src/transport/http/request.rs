//! What to ask: plain values, so that a test compares them and needs no server.

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::form::FormFile;
use crate::{Error, ErrorKind, Result};

/// How long one request may take unless told otherwise, with queueing, fail-over and reading the answer.
///
/// A Proxmox node that forwards a request gives its neighbour 30 s; a little more, so that its own word arrives.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(35);

/// What is to be done with the thing that the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read it.
    Get,
    /// Make it, or do it.
    Post,
    /// Change it.
    Put,
    /// Remove it.
    Delete,
}

impl Method {
    /// `GET`, `POST`, ...
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether asking twice is the same as asking once, and changes nothing.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get)
    }

    /// Whether parameters travel in a form body; else they are in the query.
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }
}

/// The value of a parameter.
#[derive(Clone, Debug)]
pub enum Value {
    /// Shown in logs and errors.
    Plain(String),
    /// Never shown.
    Secret(SecretString),
}

impl Value {
    /// The text, to be sent and nothing else.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

/// One request: what, of what, with which parameters.
///
/// ```
/// use reanimator_core::transport::http::Request;
/// let request = Request::put(["nodes", "pve1", "lxc", "101", "config"]).param("features", "nesting=1");
/// assert_eq!(request.to_string(), "PUT /nodes/pve1/lxc/101/config");
/// assert_eq!(request.encoded_params(), "features=nesting%3D1");
/// ```
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The path below the API's root, segment by segment, not encoded.
    pub path: Vec<String>,
    /// Parameters, in order.
    pub params: Vec<(String, Value)>,
    /// How long it may take in all. Defaults to [`DEFAULT_TIME_LIMIT`].
    pub time_limit: Duration,
    /// The node of a Proxmox cluster that is to be asked, where that matters. Defaults to the one it is about.
    pub ask_at: Option<String>,
    /// A file that goes with it: then its parameters travel in the same form. Only `POST` takes one.
    pub file: Option<FormFile>,
}

impl Request {
    /// The node of a Proxmox cluster that it is about, where its path begins with one.
    pub fn node(&self) -> Option<&str> {
        match self.path.as_slice() {
            [nodes, node, ..] if nodes == "nodes" => Some(node),
            _ => None,
        }
    }

    /// A request without parameters.
    pub fn new<I, S>(method: Method, path: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            method,
            path: path.into_iter().map(Into::into).collect(),
            params: Vec::new(),
            time_limit: DEFAULT_TIME_LIMIT,
            ask_at: None,
            file: None,
        }
    }

    /// Reads what `path` names.
    pub fn get<I: IntoIterator<Item = S>, S: Into<String>>(path: I) -> Self {
        Self::new(Method::Get, path)
    }

    /// Makes what `path` names, or does it.
    pub fn post<I: IntoIterator<Item = S>, S: Into<String>>(path: I) -> Self {
        Self::new(Method::Post, path)
    }

    /// Changes what `path` names.
    pub fn put<I: IntoIterator<Item = S>, S: Into<String>>(path: I) -> Self {
        Self::new(Method::Put, path)
    }

    /// Removes what `path` names.
    pub fn delete<I: IntoIterator<Item = S>, S: Into<String>>(path: I) -> Self {
        Self::new(Method::Delete, path)
    }

    /// With a parameter.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), Value::Plain(value.into())));
        self
    }

    /// With a parameter that is never shown.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.params.push((name.into(), Value::Secret(value)));
        self
    }

    /// With a file.
    #[must_use]
    pub fn with_file(mut self, file: FormFile) -> Self {
        self.file = Some(file);
        self
    }

    /// Given up after this long.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Asked at a node of the cluster rather than at the one it is about, where an endpoint is known to be that node's.
    #[must_use]
    pub fn ask_at(mut self, node: impl Into<String>) -> Self {
        self.ask_at = Some(node.into());
        self
    }

    /// The parameters as they are sent, in the query or in a form: everything but unreserved characters encoded.
    pub fn encoded_params(&self) -> String {
        let pair = |(name, value): &(String, Value)| format!("{}={}", encode(name), encode(value.expose()));
        self.params.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// The address below `root`, with the query where the method has no body.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a segment that would lead elsewhere: empty, `.` or `..`.
    pub fn url(&self, root: &Url) -> Result<Url> {
        if let Some(segment) = self.path.iter().find(|segment| matches!(segment.as_str(), "" | "." | "..")) {
            return Err(Error::new(ErrorKind::Invalid, format!("ask for {self}"))
                .because(format!("{segment:?} cannot be a part of a path")));
        }
        let mut url = root.clone();
        let below: String = self.path.iter().map(|segment| format!("/{}", encode(segment))).collect();
        url.set_path(&format!("{}{below}", root.path().trim_end_matches('/')));
        if !self.method.has_body() && !self.params.is_empty() {
            url.set_query(Some(&self.encoded_params()));
        }
        Ok(url)
    }
}

/// Percent-encodes all but unreserved characters, so that nothing in it is taken for syntax.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Method and path: `GET /nodes/pve1/status`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /{}", self.method.as_str(), self.path.join("/"))
    }
}

/// As it is shown, with the names of its parameters; values stay out.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "Request({self} {names:?})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn root() -> Url {
        Url::parse("https://192.0.2.7:8006/api2/json").unwrap()
    }

    #[test]
    fn segments_cannot_be_taken_for_syntax() {
        let upid = "UPID:pve1:00000F3A:00067879:6B01010A:qmstart:100:root@pam!test:";
        let url = Request::get(["nodes", "pve1", "tasks", upid, "status"]).url(&root()).unwrap();
        assert_eq!(
            url.as_str(),
            "https://192.0.2.7:8006/api2/json/nodes/pve1/tasks/\
             UPID%3Apve1%3A00000F3A%3A00067879%3A6B01010A%3Aqmstart%3A100%3Aroot%40pam%21test%3A/status"
        );
        let odd = Request::get(["nodes", "a/b?c#d e%41é"]).url(&root()).unwrap();
        assert_eq!(odd.path(), "/api2/json/nodes/a%2Fb%3Fc%23d%20e%2541%C3%A9");
        assert_eq!(odd.query(), None);
    }

    #[test]
    fn segments_that_lead_elsewhere_are_refused() {
        for segment in ["", ".", ".."] {
            assert_eq!(Request::get(["nodes", segment]).url(&root()).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn parameters_go_where_the_method_has_them() {
        let read = Request::get(["cluster", "resources"]).param("type", "vm").url(&root()).unwrap();
        assert_eq!(read.query(), Some("type=vm"));
        let write = Request::post(["x"]).param("net0", "virtio,bridge=vmbr0&");
        assert_eq!(write.url(&root()).unwrap().query(), None);
        assert_eq!(write.encoded_params(), "net0=virtio%2Cbridge%3Dvmbr0%26");
    }

    #[test]
    fn secrets_are_sent_and_never_shown() {
        let request = Request::post(["access", "ticket"]).secret("password", SecretString::from("hunter2"));
        assert_eq!(request.encoded_params(), "password=hunter2");
        assert_eq!(format!("{request:?}"), r#"Request(POST /access/ticket ["password"])"#);
        assert!(!format!("{:?}", request.params).contains("hunter2"));
    }
}
