//! A file's place on a storage of a node, and the way to it: what both effects share.

use std::sync::Arc;

use serde_json::Value;

use super::names;
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    host::pve::PveApi,
    model::{HostId, StorageContent},
    transport::http::Request,
};

/// A file's place.
pub(super) struct Shelf {
    pub(super) api: Arc<dyn PveApi>,
    /// The node's name in its cluster.
    pub(super) node: String,
    pub(super) storage: String,
    pub(super) content: StorageContent,
    /// What the file is called there.
    pub(super) name: String,
}

impl Shelf {
    pub(super) async fn of(fleet: &Fleet, host: &HostId, storage: &str, file: (StorageContent, &str)) -> Result<Self> {
        let (node, api) = fleet.node_and_api(host).await?;
        let (content, name) = file;
        Ok(Self { api, node, storage: storage.to_owned(), content, name: name.to_owned() })
    }

    /// The path to something below the storage.
    pub(super) fn path<'a>(&'a self, below: &'a str) -> [&'a str; 5] {
        ["nodes", &self.node, "storage", &self.storage, below]
    }

    /// How the storage calls the file.
    pub(super) fn volume(&self) -> String {
        format!("{}:{}/{}", self.storage, self.content.as_str(), self.name)
    }

    /// The file's size there; none where it is not there.
    pub(super) async fn size(&self) -> Result<Option<u64>> {
        let data = self.api.call(Request::get(self.path("content")).param("content", self.content.as_str())).await?;
        let volume = self.volume();
        let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let row = rows.iter().find(|row| row.get("volid").and_then(Value::as_str) == Some(volume.as_str()));
        Ok(row.map(|row| row.get("size").and_then(number).unwrap_or(0)))
    }

    /// Why a file of some bytes cannot be put there; none where it can. `size` is none where nobody knows.
    pub(super) async fn fault(&self, size: Option<u64>) -> Result<Option<String>> {
        if let Some(fault) = names::fault(self.content, &self.name) {
            return Ok(Some(fault));
        }
        let status = self.api.call(Request::get(self.path("status"))).await?;
        let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_off = |name: &str| status.get(name).and_then(number) == Some(0);
        let (storage, node, content) = (&self.storage, &self.node, self.content.as_str());
        if is_off("enabled") || is_off("active") {
            return Ok(Some(format!("storage {storage} of {node} is not active")));
        }
        let holds = text("content");
        if !holds.split(',').any(|each| each.trim() == content) {
            return Ok(Some(format!("storage {storage} of {node} does not hold {content}: it holds {holds}")));
        }
        let free = status.get("avail").and_then(number);
        Ok(free
            .zip(size)
            .filter(|(free, size)| size > free)
            .map(|(free, size)| format!("storage {storage} of {node} has {free} bytes left, and the file has {size}")))
    }

    /// Sees that the file is there.
    pub(super) async fn confirm(&self, size: Option<u64>) -> Result<String> {
        let attempt = || Error::new(ErrorKind::Conflict, format!("put {} there", self.name));
        match (self.size().await?, size) {
            (Some(there), Some(size)) if there != size => {
                Err(attempt().because(format!("{there} bytes of it are there afterwards, and it has {size}")))
            }
            (Some(there), _) => Ok(format!("it is there as {}, {there} bytes", self.volume())),
            (None, _) => Err(attempt()
                .because(format!("its task ended well, and yet {} does not list it", self.storage))
                .next("see the task's log there")),
        }
    }
}

/// A number, which Proxmox writes as text at times.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).or_else(|| value.as_f64().map(|number| number as u64))
}
