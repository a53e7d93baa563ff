//! VMs and containers deleted with all their disks.
//!
//! What is gone cannot be asked for any more, so the cluster is asked whether it knows the number, and its tasks are found
//! on the node where the guest was.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Found, Place, rows, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{guest_devices, lenient},
    fleet::Fleet,
    host::pve::PveApi,
    model::{Action, GuestId, GuestKind, facts::guest::GuestDisk},
    transport::http::Request,
};

/// One guest on its way out.
pub(super) struct DeleteEffect {
    /// None where it is gone.
    at: Option<Place>,
    api: Arc<dyn PveApi>,
    vmid: String,
    confirm: String,
    purge: bool,
    words: String,
}

impl DeleteEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, confirm: &str, purge: bool) -> Result<Self> {
        let (confirm, words) = (confirm.to_owned(), |name: &str| format!("delete guest {name}"));
        Ok(match Place::seek(fleet, id).await? {
            Found::Here(at) => {
                let (api, vmid, words) = (at.api.clone(), at.vmid.clone(), words(&at.name));
                Self { at: Some(at), api, vmid, confirm, purge, words }
            }
            Found::Gone { api, vmid, name } => Self { at: None, api, vmid, confirm, purge, words: words(&name) },
        })
    }

    fn request(&self, at: &Place) -> Request {
        let request = Request::delete(at.path(&[])).param("destroy-unreferenced-disks", "1");
        if self.purge { request.param("purge", "1") } else { request }
    }

    /// Why it must stay as it is.
    async fn problem(&self, at: &Place, name: &str) -> Result<Option<String>> {
        if name != self.confirm {
            return Ok(Some(format!("is called {name}, and {:?} was typed", self.confirm)));
        }
        let (config, data) = at.config().await?;
        if config.protection {
            return Ok(Some("is protected from being removed: take its protection away first".to_owned()));
        }
        if let Some(lock) = &config.lock {
            return Ok(Some(format!("is locked by Proxmox: {lock}")));
        }
        let now = at.current().await?;
        if now.get("status").and_then(Value::as_str) != Some("stopped") {
            return Ok(Some("runs: shut it down first".to_owned()));
        }
        let managed = now.get("ha").and_then(|ha| ha.get("managed")).and_then(lenient::flag).unwrap_or(false);
        if managed && !self.purge {
            return Ok(Some(
                "is looked after by high availability: take it out of it, or purge it from there".to_owned(),
            ));
        }
        if !config.template {
            return Ok(None);
        }
        let clones = based_on(at, &guest_devices::disks(&data, &BTreeMap::new())?).await?;
        Ok((!clones.is_empty())
            .then(|| format!("is a template, and disks of {} are based on its own", clones.join(", "))))
    }
}

#[async_trait]
impl Effect for DeleteEffect {
    async fn check(&self) -> Result<Check> {
        let Some(at) = &self.at else { return Ok(Check::Already("it is gone already".to_owned())) };
        let name = name_now(at).await?;
        if let Some(problem) = self.problem(at, &name).await? {
            return Ok(at.refuse(&problem));
        }
        let newest = at.newest_task().await?;
        Ok(Check::Ready {
            before: json!({ "node": at.node, "newest_task": newest, "name": name }),
            calls: vec![said(&self.request(at))],
        })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        match &self.at {
            Some(at) => at.begin(self.request(at), &self.words).await,
            None => Err(Error::new(ErrorKind::NotFound, self.words.clone()).because("it is gone already")),
        }
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let text = |name: &str| before.get(name).and_then(Value::as_str);
        let Some(node) = text("node") else { return Ok(None) };
        let kinds = ["qmdestroy", "vzdestroy"];
        task::since(self.api.as_ref(), node, &self.vmid, text("newest_task"), &kinds).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.api.as_ref(), handle, said).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let guests = rows(self.api.as_ref(), "vm").await?.guests;
        let was = before.get("name").and_then(Value::as_str);
        let is_it = |name: Option<&str>| name.is_none() || was.is_none() || name == was;
        // Somebody may have given its number to another by now.
        let left = guests.iter().any(|row| row.vmid.to_string() == self.vmid && is_it(row.name.as_deref()));
        if !left {
            return Ok("it is gone".to_owned());
        }
        Err(Error::new(ErrorKind::Conflict, self.words.clone())
            .because("its task ended well, and yet its cluster knows it still")
            .next("see `reanimator guest list`"))
    }

    /// Nothing brings it back but a backup.
    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

/// What it is called in its configuration: the cluster's list may be some seconds behind.
async fn name_now(at: &Place) -> Result<String> {
    let (_, data) = at.config().await?;
    let key = if at.kind == GuestKind::Qemu { "name" } else { "hostname" };
    Ok(data.get(key).and_then(Value::as_str).map_or_else(|| at.name.clone(), str::to_owned))
}

/// Volumes of others that are based on a template's: their names begin with its own.
async fn based_on(at: &Place, disks: &[GuestDisk]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for disk in disks {
        let (Some(storage), Some(volume)) = (&disk.storage, &disk.volume) else { continue };
        let base = format!("{storage}:{volume}/");
        let content = at.api.call(Request::get(["nodes", &at.node, "storage", storage, "content"])).await;
        let content = match content {
            Ok(content) => content,
            // A login that may not see what lies there leaves it to Proxmox, which refuses it too.
            Err(error) if error.kind() == ErrorKind::Denied => continue,
            Err(error) => return Err(error),
        };
        let rows = lenient::rows(&content, "the storage's content")?;
        let clones = rows.into_iter().filter(|row| row.text("volid").is_some_and(|id| id.starts_with(&base)));
        found.extend(clones.filter_map(|row| row.text("vmid")).map(|vmid| format!("guest {vmid}")));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
