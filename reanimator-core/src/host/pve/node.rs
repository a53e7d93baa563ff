//! One node, as a host.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::{PveApi, snapshot};
use crate::{
    Result,
    collect::pve::{node, resources::Figures},
    host::{Capabilities, Host, Observation},
    model::Unseen,
    transport::http::Request,
};

/// A Proxmox node, reached by its API in whichever way.
#[async_trait]
pub trait ProxmoxHost: Host {
    /// The node's name in its cluster.
    fn node(&self) -> &str;

    /// Makes a call to the API of its cluster and returns the `data` of the answer.
    ///
    /// # Errors
    /// As [`PveApi::call`].
    async fn call(&self, request: Request) -> Result<Value>;
}

/// A node behind the API of its cluster.
#[derive(Debug)]
pub struct ProxmoxNode {
    name: String,
    api: Arc<dyn PveApi>,
}

impl ProxmoxNode {
    /// The node `name` behind `api`.
    pub fn new(name: impl Into<String>, api: Arc<dyn PveApi>) -> Self {
        Self { name: name.into(), api }
    }
}

#[async_trait]
impl Host for ProxmoxNode {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shell: false, proxmox: true }
    }

    async fn observe(&self, now: Timestamp) -> Result<Observation> {
        let request = node::status_request(&self.name).time_limit(Duration::from_secs(8));
        let status = node::node_status(&self.api.call(request).await?)?;
        let mut identity = snapshot::identity(&self.name, &status, None);
        let mut unseen = self.api.unseen();
        match self.api.call(node::network_request(&self.name)).await.and_then(|data| node::macs(&data)) {
            Ok(macs) => identity.macs = macs,
            Err(error) => unseen.push(Unseen::new("hardware addresses", crate::message(&error))),
        }
        let telemetry = snapshot::telemetry(now, &status, Figures::default());
        Ok(Observation { telemetry, identity, unseen, clock_skew_seconds: None })
    }

    async fn close(&self) {}
}

#[async_trait]
impl ProxmoxHost for ProxmoxNode {
    fn node(&self) -> &str {
        &self.name
    }

    async fn call(&self, request: Request) -> Result<Value> {
        self.api.call(request).await
    }
}
