//! A guest where it is now, and the way to it: what all effects on guests share.

use std::sync::Arc;

use serde_json::Value;

use super::task;
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    host::pve::PveApi,
    model::{ConnectionId, GuestId, GuestKind},
    transport::http::Request,
};

/// A guest, where it is now.
pub(super) struct Place {
    pub(super) api: Arc<dyn PveApi>,
    pub(super) id: GuestId,
    /// The connection of its cluster.
    pub(super) cluster: ConnectionId,
    pub(super) name: String,
    pub(super) vmid: String,
    pub(super) kind: GuestKind,
    /// As its cluster says now, which the fleet may not know yet.
    pub(super) node: String,
}

impl Place {
    pub(super) async fn of(fleet: &Fleet, id: &GuestId, attempt: &str) -> Result<Self> {
        let (guest, api) = fleet.guest_and_api(id).await?;
        let name = guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
        let node = of_number(api.as_ref(), &guest.vmid).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{attempt} {name}"))
                .because("its cluster does not know it any more")
                .next("see `reanimator guest list`")
        })?;
        Ok(Self { api, id: id.clone(), cluster: guest.connection, name, vmid: guest.vmid, kind: guest.kind, node })
    }

    /// A guest that its cluster knows, which the fleet may not know yet.
    pub(super) async fn live(api: Arc<dyn PveApi>, id: &GuestId, attempt: &str) -> Result<Self> {
        let missing = || {
            Error::new(ErrorKind::NotFound, format!("{attempt} {id}"))
                .because("its cluster does not know it")
                .next("see `reanimator guest list`")
        };
        let (cluster, vmid) = id.0.rsplit_once(':').ok_or_else(missing)?;
        let row = row(api.as_ref(), vmid).await?.ok_or_else(missing)?;
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind =
            if text("type").as_deref() == Some(GuestKind::Lxc.as_str()) { GuestKind::Lxc } else { GuestKind::Qemu };
        let (name, node) = (text("name").unwrap_or_else(|| vmid.to_owned()), text("node").ok_or_else(missing)?);
        Ok(Self { api, id: id.clone(), cluster: ConnectionId::from(cluster), name, vmid: vmid.to_owned(), kind, node })
    }

    /// The path to something below it.
    pub(super) fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&["nodes", &self.node, self.kind.as_str(), &self.vmid], rest].concat()
    }

    /// The node that it is on now; none where its cluster does not know it any more.
    pub(super) async fn node_now(&self) -> Result<Option<String>> {
        of_number(self.api.as_ref(), &self.vmid).await
    }

    /// What it is doing.
    pub(super) async fn current(&self) -> Result<Value> {
        self.api.call(Request::get(self.path(&["status", "current"]))).await
    }

    /// The newest task about it.
    pub(super) async fn newest_task(&self) -> Result<Option<String>> {
        task::newest(self.api.as_ref(), &self.node, &self.vmid).await
    }

    /// Sends what begins a task, and gives the task's id.
    pub(super) async fn begin(&self, request: Request, attempt: &str) -> Result<String> {
        let data = self.api.call(request).await?;
        data.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::new(ErrorKind::Protocol, attempt).because(format!("the answer is no task: {data}")))
    }

    /// The task of one of some kinds that came after what was the newest one `before`.
    pub(super) async fn find(&self, before: &Value, kinds: &[&str]) -> Result<Option<String>> {
        let node = before.get("node").and_then(Value::as_str).unwrap_or(&self.node);
        let newest = before.get("newest_task").and_then(Value::as_str);
        task::since(self.api.as_ref(), node, &self.vmid, newest, kinds).await
    }
}

/// A request as a dry run shows it.
pub(super) fn said(request: &Request) -> String {
    format!("{} /{} {}", request.method.as_str(), request.path.join("/"), request.encoded_params())
        .trim_end()
        .to_owned()
}

/// The node that a guest of some number is on now.
pub(super) async fn of_number(api: &dyn PveApi, vmid: &str) -> Result<Option<String>> {
    let row = row(api, vmid).await?;
    Ok(row.and_then(|row| Some(row.get("node")?.as_str()?.to_owned())))
}

/// What a cluster says of a guest in its list.
async fn row(api: &dyn PveApi, vmid: &str) -> Result<Option<Value>> {
    let data = api.call(Request::get(["cluster", "resources"]).param("type", "vm")).await?;
    let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_it = |row: &&Value| row.get("vmid").is_some_and(|id| id.to_string().trim_matches('"') == vmid);
    Ok(rows.iter().find(is_it).cloned())
}
