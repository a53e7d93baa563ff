//! Another of a VM or container.
//!
//! The number of the other is chosen when it is looked whether it can be made, and written down with the intent. When
//! somebody else takes that number first, Proxmox refuses the clone as a whole, and another number is chosen.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{
        guest, guest_devices, guest_live, lenient,
        resources::{GuestRow, StorageRow},
    },
    fleet::Fleet,
    model::{
        Action, GuestChange, GuestId, GuestKind,
        facts::guest::{GuestConfig, GuestDisk},
    },
    transport::http::Request,
};

/// Numbers that Proxmox has for guests.
const NUMBERS: std::ops::RangeInclusive<u32> = 100..=999_999_999;

/// Another of one guest.
pub(super) struct CloneEffect {
    at: Place,
    name: String,
    vmid: Option<u32>,
    /// The node it is put on.
    node: String,
    storage: Option<String>,
    snapshot: Option<String>,
    full: bool,
    words: String,
}

/// The guest as it is now.
struct Source {
    config: GuestConfig,
    disks: Vec<GuestDisk>,
    runs: bool,
}

impl CloneEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, action: &Action) -> Result<Self> {
        let Action::Guest { change: GuestChange::Clone { name, vmid, to, storage, snapshot, full }, .. } = action
        else {
            return Err(Error::new(ErrorKind::Internal, action.words()).because("it is no clone"));
        };
        let at = Place::of(fleet, id, "clone guest").await?;
        let node = match to {
            Some(host) => fleet.node_in(host, &at.cluster, "clone a guest").await?,
            None => at.node.clone(),
        };
        Ok(Self {
            words: action.words_with(|_| at.name.clone()),
            at,
            name: name.clone(),
            vmid: *vmid,
            node,
            storage: storage.clone(),
            snapshot: snapshot.clone(),
            full: *full,
        })
    }

    async fn look(&self) -> Result<Source> {
        let (config, data) = self.at.config().await?;
        let disks = guest_devices::disks(&data, &BTreeMap::new())?;
        let runs = self.at.current().await?.get("status").and_then(Value::as_str) == Some("running");
        Ok(Source { config, disks, runs })
    }

    fn request(&self, before: &Value) -> Request {
        let vmid = before.get("vmid").and_then(Value::as_u64).unwrap_or_default();
        let name = if self.at.kind == GuestKind::Qemu { "name" } else { "hostname" };
        let request = Request::post(self.at.path(&["clone"]))
            .param("newid", vmid.to_string())
            .param(name, self.name.as_str())
            .param("full", if self.full { "1" } else { "0" });
        let elsewhere = (self.node != self.at.node).then_some(&self.node);
        [("target", elsewhere), ("storage", self.storage.as_ref()), ("snapname", self.snapshot.as_ref())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(request, |request, (name, value)| request.param(name, value.as_str()))
    }

    /// Why it cannot be made of what there is.
    fn problem(&self, source: &Source) -> Option<String> {
        if !is_name(&self.name) {
            return Some(format!("cannot be cloned as {:?}: letters, digits and - between dots", self.name));
        }
        if let Some(lock) = &source.config.lock {
            return Some(format!("is locked by Proxmox: {lock}"));
        }
        if !self.full && !source.config.template {
            return Some("is no template, so a clone must have disks of its own: ask for a full one".to_owned());
        }
        if !self.full && self.storage.is_some() {
            return Some(
                "has its disks where a clone based on them stays: name no storage, or ask for a full one".into(),
            );
        }
        let copies_live = self.at.kind == GuestKind::Lxc && source.runs && self.snapshot.is_none();
        copies_live.then(|| "is a container that runs: shut it down, or clone one of its snapshots".to_owned())
    }

    /// Why the storages do not let it be put there.
    fn storage_problem(&self, source: &Source, storages: &[StorageRow]) -> Option<String> {
        let on = |name: &str, node: &str| storages.iter().find(|row| row.name == name && row.node == node);
        let holds = if self.at.kind == GuestKind::Qemu { "images" } else { "rootdir" };
        if let Some(name) = &self.storage {
            let Some(row) = on(name, &self.node).filter(|row| row.available) else {
                return Some(format!("cannot have a clone on {name}: {} does not have it now", self.node));
            };
            if !row.content.iter().any(|content| content == holds) {
                return Some(format!("cannot have a clone on {name}: it holds no {holds}"));
            }
        }
        if self.node == self.at.node {
            return None;
        }
        // Its disks are read where it is and written from there: both must be seen by both nodes.
        let own = source.disks.iter().filter_map(|disk| disk.storage.as_deref());
        let local =
            own.chain(self.storage.as_deref()).find(|name| !on(name, &self.at.node).is_some_and(|row| row.shared));
        local.map(|name| format!("cannot be cloned to {}: {name} is of {} alone", self.node, self.at.node))
    }

    async fn snapshot_problem(&self) -> Result<Option<String>> {
        let Some(name) = &self.snapshot else { return Ok(None) };
        let request = guest_live::snapshots_request(&self.at.node, self.at.kind, &self.at.vmid);
        let rows = self.at.api.call(request).await?;
        let rows = lenient::rows(&rows, "the guest's snapshots")?;
        let known = name != "current" && rows.iter().any(|row| row.text("name").as_ref() == Some(name));
        Ok((!known).then(|| format!("has no snapshot {name}")))
    }

    /// The number of the other, where nothing there speaks against it.
    async fn number(&self, guests: &[GuestRow]) -> Result<Result<u32, Check>> {
        let called = |row: &&GuestRow| row.name.as_ref() == Some(&self.name);
        if let Some(vmid) = self.vmid {
            let taken = guests.iter().find(|row| row.vmid == vmid);
            return Ok(match taken {
                Some(row) if called(&row) => Err(Check::Already(format!("guest {} is there already", row.vmid))),
                Some(row) => Err(self.at.refuse(&format!(
                    "cannot be cloned as {vmid}: that is the number of {}",
                    row.name.as_deref().unwrap_or("another")
                ))),
                None if !NUMBERS.contains(&vmid) => {
                    Err(self.at.refuse(&format!("cannot be cloned as {vmid}: numbers are 100 to 999999999")))
                }
                None => Ok(vmid),
            });
        }
        if let Some(row) = guests.iter().find(called) {
            return Ok(Err(self.at.refuse(&format!(
                "cannot be cloned as {}: guest {} is called so; choose another name, or say which number it is to have",
                self.name, row.vmid
            ))));
        }
        let next = self.at.api.call(Request::get(["cluster", "nextid"])).await?;
        let next = lenient::count(&next).and_then(|next| u32::try_from(next).ok());
        next.map(Ok).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, self.words.clone()).because("the cluster names no number that is free")
        })
    }
}

#[async_trait]
impl Effect for CloneEffect {
    async fn check(&self) -> Result<Check> {
        let vmid = match self.number(&self.at.rows("vm").await?.guests).await? {
            Ok(vmid) => vmid,
            Err(check) => return Ok(check),
        };
        let source = self.look().await?;
        let mut problem = self.problem(&source);
        if problem.is_none() {
            problem = self.storage_problem(&source, &self.at.rows("storage").await?.storages);
        }
        if problem.is_none() {
            problem = self.snapshot_problem().await?;
        }
        if let Some(problem) = problem {
            return Ok(self.at.refuse(&problem));
        }
        let newest = self.at.newest_task().await?;
        let before = json!({ "node": self.at.node, "newest_task": newest, "vmid": vmid });
        Ok(Check::Ready { calls: vec![said(&self.request(&before))], before })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        self.at.begin(self.request(before), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        self.at.find(before, &[if self.at.kind == GuestKind::Qemu { "qmclone" } else { "vzclone" }]).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let vmid = number_of(before).unwrap_or_default().to_string();
        let asked = self.at.api.call(guest::config_request(&self.node, self.at.kind, &vmid)).await;
        let name =
            match asked {
                Ok(data) => lenient::object(&data, "the clone's configuration")?
                    .text(if self.at.kind == GuestKind::Qemu { "name" } else { "hostname" }),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        if name.as_ref() == Some(&self.name) {
            return Ok(format!("guest {vmid} is there on {}", self.node));
        }
        Err(Error::new(ErrorKind::Conflict, self.words.clone())
            .because(format!(
                "its task ended well, and yet there is no guest {vmid} called {} on {}",
                self.name, self.node
            ))
            .next("see `reanimator guest list`"))
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let id = GuestId::new(&self.at.cluster, number_of(before)?);
        let change = GuestChange::Delete { confirm: self.name.clone(), purge: true };
        Some(Action::Guest { id, change })
    }
}

/// Whether a clone was refused since its number is another's by now.
pub(super) fn is_taken(error: &Error) -> bool {
    crate::report(error).contains("already exists")
}

fn number_of(before: &Value) -> Option<u32> {
    before.get("vmid").and_then(Value::as_u64).and_then(|vmid| u32::try_from(vmid).ok())
}

/// As Proxmox's `dns-name`.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 255 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clones_name_is_what_proxmox_takes() {
        for name in ["a", "web2", "web-2.example.org", "9"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a..b", "a_b", "a b", "ä", ".", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
