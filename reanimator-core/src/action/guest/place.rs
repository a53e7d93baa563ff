//! A guest where it is now, and the way to it: what all effects on guests share.

use std::sync::Arc;

use serde_json::Value;

use super::{super::Check, task};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{
        guest_config,
        resources::{self, GuestRow, Resources},
    },
    fleet::{Fleet, WayToGuest},
    host::pve::PveApi,
    model::{ConnectionId, GuestId, GuestKind, facts::guest::GuestConfig},
    transport::http::Request,
};

/// A guest, where it is now.
pub(in crate::action) struct Place {
    pub(in crate::action) api: Arc<dyn PveApi>,
    pub(super) id: GuestId,
    /// The connection of its cluster.
    pub(in crate::action) cluster: ConnectionId,
    pub(in crate::action) name: String,
    pub(in crate::action) vmid: String,
    pub(in crate::action) kind: GuestKind,
    /// As its cluster says now, which the fleet may not know yet.
    pub(in crate::action) node: String,
}

/// A guest that was looked for in its cluster.
pub(super) enum Found {
    Here(Place),
    /// There is none of that number.
    Gone {
        api: Arc<dyn PveApi>,
        vmid: String,
        /// What it was called, as far as the fleet remembers; else its number.
        name: String,
    },
}

impl Place {
    pub(in crate::action) async fn of(fleet: &Fleet, id: &GuestId, attempt: &str) -> Result<Self> {
        match Self::seek(fleet, id).await? {
            Found::Here(place) => Ok(place),
            Found::Gone { name, .. } => Err(Error::new(ErrorKind::NotFound, format!("{attempt} {name}"))
                .because("its cluster does not know it any more")
                .next("see `reanimator guest list`")),
        }
    }

    /// Where it is, or what is left of it. The fleet need not have seen it: its cluster is asked.
    pub(super) async fn seek(fleet: &Fleet, id: &GuestId) -> Result<Found> {
        let WayToGuest { cluster, vmid, name: known, api } = fleet.way_to_guest(id).await?;
        let row = rows(api.as_ref(), "vm").await?.guests.into_iter().find(|row| row.vmid.to_string() == vmid);
        let name = row.as_ref().and_then(|row| row.name.clone()).or(known).unwrap_or_else(|| vmid.clone());
        Ok(match row {
            Some(GuestRow { kind, node, .. }) => {
                Found::Here(Self { api, id: id.clone(), cluster, name, vmid, kind, node })
            }
            None => Found::Gone { api, vmid, name },
        })
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
    pub(in crate::action) async fn current(&self) -> Result<Value> {
        self.api.call(Request::get(self.path(&["status", "current"]))).await
    }

    /// Its configuration as it is written, with what waits for a restart, and the digest of that.
    pub(super) async fn config(&self) -> Result<(GuestConfig, Value)> {
        let data = self.api.call(Request::get(self.path(&["config"]))).await?;
        Ok((guest_config::config(&data, self.kind)?, data))
    }

    /// That it must not be done, and why: `guest mail is locked by Proxmox: backup`.
    pub(super) fn refuse(&self, why: &str) -> Check {
        Check::Refused(vec![format!("guest {} {why}", self.name)])
    }

    /// What there is in its cluster: `vm`, `node`, `storage`.
    pub(super) async fn rows(&self, kind: &str) -> Result<Resources> {
        rows(self.api.as_ref(), kind).await
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
pub(in crate::action) fn said(request: &Request) -> String {
    format!("{} /{} {}", request.method.as_str(), request.path.join("/"), request.encoded_params())
        .trim_end()
        .to_owned()
}

/// The node that a guest of some number is on now.
pub(super) async fn of_number(api: &dyn PveApi, vmid: &str) -> Result<Option<String>> {
    let row = rows(api, "vm").await?.guests.into_iter().find(|row| row.vmid.to_string() == vmid);
    Ok(row.map(|row| row.node))
}

/// What there is in a cluster, of one kind.
pub(super) async fn rows(api: &dyn PveApi, kind: &str) -> Result<Resources> {
    resources::resources(&api.call(resources::request().param("type", kind)).await?)
}

/// A list of texts in what was seen before.
pub(super) fn texts(before: &Value, name: &str) -> Vec<String> {
    let list = before.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
