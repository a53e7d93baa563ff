//! HTTPS with JSON, for APIs in the manner of Proxmox: pinned certificates, several endpoints, few connections.
//!
//! Who knows an API builds a [`Request`], a plain value, and hands it to an [`HttpTransport`] with the headers that log
//! in; what comes back is an [`Answer`], whatever its status: what a status means is the caller's knowledge. A [`Client`]
//! asks the network, a [`Replay`](crate::transport::Replay) a recording.
//!
//! - A certificate is believed when its SHA-256 is the pinned one, or, without a pin, when the system trusts it. Else
//!   the error carries the fingerprint that was shown; one that changed is refused, always.
//! - An endpoint that cannot be reached stands behind the others for a while. An answer is an answer: no status sends
//!   us elsewhere.
//! - What is asked about one node of a cluster is asked at that node, where its endpoint is known; all else at the
//!   endpoint that worked last.
//! - At most five requests are under way at once; every request has a time limit in which all of it must happen, and
//!   every answer a length.
//! - A file goes with a request as a form, straight from the disk; one at a time, beside the five.
//! - A `GET` that was cut off is asked once more. Nothing else is ever sent twice.
//! - Redirects are refused, since credentials would go along.
//!
//! ```no_run
//! # async fn example() -> reanimator_core::Result<()> {
//! use reanimator_core::{model::Endpoint, transport::http::{Client, HttpTransport, Request, Settings, probe}};
//! let url = "https://192.0.2.7:8006";
//! let shown = probe(url, std::time::Duration::from_secs(5)).await?;
//! // Here a person compares the fingerprint.
//! let endpoint = Endpoint { url: url.to_owned(), fingerprint: Some(shown.fingerprint.sha256), node: None };
//! let client = Client::new(&[endpoint], &Settings::new("/api2/json"))?;
//! let answer = client.send(&Request::get(["version"]), &Default::default()).await?;
//! println!("{} {}", answer.status, answer.reason);
//! # Ok(())
//! # }
//! ```

mod answer;
mod certificate;
mod client;
mod failure;
mod form;
mod request;
mod socket;
#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use reqwest::header::HeaderMap;

use crate::{Error, ErrorKind, Result, model::Problem};

pub use answer::{Answer, BODY_LIMIT, excerpt};
pub use certificate::{Trust, fingerprint_text, parse_sha256};
pub use client::{Client, Settings, Shown, probe};
pub use form::FormFile;
pub use request::{DEFAULT_TIME_LIMIT, Method, Request, Value, encode};
pub use socket::{Socket, Upgraded};

/// A way to ask one service over HTTP. Cheap to call from many tasks at once.
#[async_trait]
pub trait HttpTransport: Send + Sync + std::fmt::Debug {
    /// Sends a request and returns the answer, whatever its status.
    ///
    /// # Errors
    /// When nobody answers within the request's time limit, or what answers breaks off or does not end.
    async fn send(&self, request: &Request, headers: &HeaderMap) -> Result<Answer>;

    /// Who is asked first, for sentences: `192.0.2.7:8006`.
    fn endpoint(&self) -> String;

    /// Endpoints that could not be used when they were last tried.
    fn troubles(&self) -> Vec<(String, Problem)>;

    /// Who would see this request if it were sent now: the node that is asked, or its address where nobody knows which
    /// it is, and the node that it is sent on to.
    fn seen_by(&self, request: &Request) -> Vec<String> {
        seen_by(self.endpoint(), request)
    }

    /// Opens a WebSocket that speaks `protocol`, on a connection of its own.
    ///
    /// # Errors
    /// When nobody answers within the request's time limit; `Invalid` where this way has no WebSockets.
    async fn open_socket(&self, request: &Request, _headers: &HeaderMap, _protocol: &'static str) -> Result<Upgraded> {
        Err(Error::new(ErrorKind::Invalid, format!("open {request}"))
            .on(self.endpoint())
            .because("this way of asking has no WebSockets"))
    }

    /// Takes in the nodes' names and addresses, for endpoints of which nobody has said whose they are.
    fn learn(&self, _nodes: &[(String, String)]) {}
}

/// Who sees a request: who is asked, and the node that it is about.
pub(crate) fn seen_by(asked: String, request: &Request) -> Vec<String> {
    let sent_on = request.node().filter(|node| *node != asked).map(str::to_owned);
    std::iter::once(asked).chain(sent_on).collect()
}
