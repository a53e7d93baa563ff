//! The API over HTTPS, as pveproxy serves it on every node.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{
    PveApi,
    login::{Credentials, Login},
    refusal,
};
use crate::{
    Result,
    model::{Endpoint, Unseen},
    transport::http::{Client, HttpTransport, Request, Settings, Socket, Upgraded},
};

/// The API of a cluster at the endpoints of its nodes, logged in.
#[derive(Debug)]
pub struct PveHttps {
    client: Arc<dyn HttpTransport>,
    login: Login,
}

impl PveHttps {
    /// The API at `endpoints`. Connects to nothing yet.
    ///
    /// # Errors
    /// When an endpoint is no `https` address, a fingerprint is none, or the credentials cannot be sent.
    pub fn new(endpoints: &[Endpoint], credentials: Credentials) -> Result<Self> {
        Self::with_settings(endpoints, credentials, &Settings::new("/api2/json"))
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_settings(endpoints: &[Endpoint], credentials: Credentials, settings: &Settings) -> Result<Self> {
        Self::over(Arc::new(Client::new(endpoints, settings)?), credentials)
    }

    /// The API by another way to ask: a recorder before the network, or a recording.
    ///
    /// # Errors
    /// When the credentials cannot be sent.
    pub fn over(client: Arc<dyn HttpTransport>, credentials: Credentials) -> Result<Self> {
        Ok(Self { client, login: Login::new(credentials)? })
    }

    #[cfg(test)]
    pub(super) fn renewing_after(mut self, age: std::time::Duration) -> Self {
        self.login = self.login.renewing_after(age);
        self
    }
}

#[async_trait]
impl PveApi for PveHttps {
    async fn call(&self, request: Request) -> Result<Value> {
        let answer = self.login.send(self.client.as_ref(), &request).await?;
        refusal::data(&request, &answer)
    }

    async fn open_socket(&self, request: Request, protocol: &'static str) -> Result<Box<Socket>> {
        match self.login.open_socket(self.client.as_ref(), &request, protocol).await? {
            Upgraded::Socket(socket) => Ok(socket),
            Upgraded::Refused(answer) => Err(refusal::refusal(&request, &answer)),
        }
    }

    fn has_token(&self) -> bool {
        self.login.is_token()
    }

    fn label(&self) -> String {
        format!("https://{}", self.client.endpoint())
    }

    fn unseen(&self) -> Vec<Unseen> {
        let note = |(name, problem): (String, crate::model::Problem)| {
            Unseen::new(format!("the API at {name}"), problem.message)
        };
        self.client.troubles().into_iter().map(note).collect()
    }

    fn seen_by(&self, request: &Request) -> Vec<String> {
        self.client.seen_by(request)
    }

    fn learn(&self, nodes: &[(String, String)]) {
        self.client.learn(nodes);
    }

    async fn allow_login_again(&self) {
        self.login.allow_again().await;
    }
}
