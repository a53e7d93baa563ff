//! The API of Proxmox VE, whichever way it is reached.

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Error, ErrorKind, Result,
    model::Unseen,
    transport::http::{self, Request, Socket},
};

/// A Proxmox VE API. Cheap to call from many tasks at once.
#[async_trait]
pub trait PveApi: Send + Sync + std::fmt::Debug {
    /// Makes one call and returns the `data` of the answer.
    ///
    /// # Errors
    /// When nobody answers, the login is refused, the API refuses the call, or the answer makes no sense.
    async fn call(&self, request: Request) -> Result<Value>;

    /// Opens a WebSocket that speaks `protocol`.
    ///
    /// # Errors
    /// As [`call`](Self::call); `Invalid` where this way has none.
    async fn open_socket(&self, request: Request, _protocol: &'static str) -> Result<Box<Socket>> {
        Err(Error::new(ErrorKind::Invalid, format!("open {request}"))
            .on(self.label())
            .because("consoles go over the API's own web server, and this way goes past it")
            .next("connect the cluster by its address with `reanimator proxmox connect`"))
    }

    /// Whether it is logged in with an API token: consoles may refuse one.
    fn has_token(&self) -> bool {
        false
    }

    /// What to call this way in sentences: `https://192.0.2.7:8006`, `pvesh over ssh root@192.0.2.7:22`.
    fn label(&self) -> String;

    /// What this way could not see lately, and why: an endpoint that is down, a command that is missing.
    fn unseen(&self) -> Vec<Unseen> {
        Vec::new()
    }

    /// The nodes that would see this request if it were sent now: the one that is asked (its address, where nobody knows
    /// which it is), and the one that it is sent on to.
    fn seen_by(&self, request: &Request) -> Vec<String> {
        http::seen_by(self.label(), request)
    }

    /// Takes in the nodes' names and addresses, so that each may be asked about itself.
    fn learn(&self, _nodes: &[(String, String)]) {}

    /// Lets a login that was refused be tried once more: somebody asked for it, or has changed something there.
    async fn allow_login_again(&self) {}
}
