//! Fetching the package lists of a node that is reached by its API alone: all that this does with packages.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::{
    Check, Effect, Said,
    guest::{said as shown, task},
};
use crate::{Error, ErrorKind, Result, host::pve::PveApi, model::Action, transport::http::Request};

/// The kind of the task.
const KIND: &str = "aptupdate";

/// The package lists of one node.
pub(super) struct NodeRefresh {
    node: String,
    api: Arc<dyn PveApi>,
}

impl NodeRefresh {
    pub(super) fn new(node: String, api: Arc<dyn PveApi>) -> Self {
        Self { node, api }
    }

    fn request(&self) -> Request {
        Request::post(["nodes", &self.node, "apt", "update"])
    }

    /// The newest task of this kind there, and whether it goes on.
    async fn newest(&self) -> Result<Option<(String, bool)>> {
        let request = Request::get(["nodes", &self.node, "tasks"])
            .param("typefilter", KIND)
            .param("source", "all")
            .param("limit", "20");
        let data = self.api.call(request).await?;
        let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let newest = rows.iter().max_by_key(|row| row.get("starttime").and_then(Value::as_i64));
        Ok(newest.and_then(|row| Some((row.get("upid")?.as_str()?.to_owned(), row.get("endtime").is_none()))))
    }
}

#[async_trait]
impl Effect for NodeRefresh {
    async fn check(&self) -> Result<Check> {
        let newest = self.newest().await?;
        if newest.as_ref().is_some_and(|(_, goes_on)| *goes_on) {
            return Ok(Check::Refused(vec![format!("node {} fetches its package lists already", self.node)]));
        }
        let before = json!({ "newest_task": newest.map(|(upid, _)| upid) });
        Ok(Check::Ready { before, calls: vec![shown(&self.request())] })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        let data = self.api.call(self.request()).await?;
        data.as_str().map(str::to_owned).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, format!("fetch the package lists of {}", self.node))
                .because(format!("the answer is no task: {data}"))
        })
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let known = before.get("newest_task").and_then(Value::as_str);
        Ok(self.newest().await?.map(|(upid, _)| upid).filter(|upid| Some(upid.as_str()) != known))
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.api.as_ref(), handle, said).await
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let data = self.api.call(Request::get(["nodes", &self.node, "apt", "update"])).await?;
        let pending = data.as_array().map_or(0, Vec::len);
        Ok(format!("the lists are fetched: {pending} packages pending"))
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        task::stop(self.api.as_ref(), handle).await
    }
}
