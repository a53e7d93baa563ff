//! Moving a VM or container to a node of another cluster, where it has a number of its own.
//!
//! Proxmox of the one cluster logs in at the other with the API token of that one's connection, and copies all disks. The
//! token needs there `Sys.Incoming` on `/`, `VM.Allocate` on the guest's new number, `Datastore.AllocateSpace` on the
//! storage and `SDN.Use` on the bridge; what it lacks is told before anything begins. Its secret is in no log, no journal
//! and no error: what the far side says is passed on without it.
//!
//! Once it has gone over, its old cluster knows it no more: this effect asks for nothing of it that it needs to be found.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    moving::{self, LOOK_EVERY, Now, Way},
    place::{self, Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{access, guest_devices, migration},
    fleet::{Fleet, RemoteNode, WayToGuest},
    host::pve::PveApi,
    model::{
        Action, ConnectionId, GuestChange, GuestId, GuestKind, HostId, MigrationMode,
        facts::guest::{GuestDisk, GuestDiskKind},
    },
    transport::http::Request,
};

/// How long a guest may take to show up where its task has brought it.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);

/// What is wanted of a migration to another cluster.
pub(super) struct Wanted {
    to: HostId,
    storage: String,
    bridge: String,
    vmid: Option<u32>,
    keep: bool,
    online: bool,
}

impl Wanted {
    /// None where it is another change.
    pub(super) fn of(change: &GuestChange) -> Option<Self> {
        let GuestChange::RemoteMigrate { to, storage, bridge, vmid, keep, online } = change else { return None };
        let (storage, bridge) = (storage.clone(), bridge.clone());
        Some(Self { to: to.clone(), storage, bridge, vmid: *vmid, keep: *keep, online: *online })
    }
}

/// A migration of one guest to another cluster.
pub(super) struct RemoteMigrateEffect {
    fleet: Fleet,
    id: GuestId,
    /// The API of the cluster it leaves.
    api: Arc<dyn PveApi>,
    cluster: ConnectionId,
    vmid: String,
    name: String,
    far: RemoteNode,
    wanted: Wanted,
    words: String,
}

/// What is there before.
struct Seen {
    at: Place,
    now: Now,
    disks: Vec<GuestDisk>,
    bridges: Vec<String>,
    /// Settings that use devices or folders of its node.
    bound: Vec<String>,
}

impl RemoteMigrateEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, wanted: Wanted) -> Result<Self> {
        let WayToGuest { cluster, vmid, name, api } = fleet.way_to_guest(id).await?;
        let name = name.unwrap_or_else(|| vmid.clone());
        let attempt = format!("migrate guest {name} to another cluster");
        let far = fleet.remote_node(&wanted.to, &attempt).await?;
        if far.cluster == cluster {
            return Err(Error::new(ErrorKind::Invalid, attempt)
                .because(format!("{} is a node of the guest's own cluster", far.node))
                .next("migrate it within its cluster instead: `reanimator guest migrate`"));
        }
        let words = format!("migrate guest {name} to {} in another cluster", far.node);
        Ok(Self { fleet: fleet.clone(), id: id.clone(), api, cluster, vmid, name, far, wanted, words })
    }

    async fn look(&self) -> Result<Seen> {
        let at = Place::of(&self.fleet, &self.id, "migrate guest").await?;
        let now = Now::of(&at.current().await?, &at.name)?;
        let config = at.api.call(Request::get(at.path(&["config"]))).await?;
        let disks = guest_devices::disks(&config, &BTreeMap::new())?;
        let cards = guest_devices::networks(&config, at.kind)?;
        let bridges = cards.into_iter().filter_map(|card| card.bridge).collect();
        let bound = match at.kind {
            GuestKind::Lxc => {
                let bound = disks.iter().filter(|disk| disk.kind == GuestDiskKind::BindMount);
                bound.map(|disk| disk.disk_name.clone()).collect()
            }
            // A guest that is locked gets no answer, and is refused anyway.
            GuestKind::Qemu if now.lock.is_some() => Vec::new(),
            GuestKind::Qemu => {
                let asked = migration::request(&at.node, at.kind, &at.vmid, &at.node);
                migration::preconditions(&at.api.call(asked).await?)?.local_devices
            }
        };
        Ok(Seen { at, now, disks, bridges, bound })
    }

    /// What speaks against it on this side, each to be said of the guest.
    fn refusals_here(&self, seen: &Seen) -> Vec<String> {
        let mut refusals = Vec::new();
        if let Some(lock) = &seen.now.lock {
            refusals.push(format!("is locked by Proxmox: {lock}"));
        }
        if seen.now.managed {
            refusals
                .push("is managed by high availability, which is of one cluster: take it out of there first".into());
        }
        if seen.now.runs() && !self.wanted.online {
            refusals.push("runs: shut it down first, or let it move while it runs".to_owned());
        }
        if !seen.bound.is_empty() {
            let (node, names) = (&seen.at.node, seen.bound.join(", "));
            refusals.push(format!("uses devices or folders of {node}: {names}; take them out of it first"));
        }
        if let Some(disk) = seen.disks.iter().find(|disk| disk.kind == GuestDiskKind::Cdrom && disk.volume.is_some()) {
            refusals.push(format!("has a CD in its drive {}: take it out first", disk.disk_name));
        }
        refusals
    }

    /// What speaks against it on the other side.
    async fn refusals_there(&self, kind: GuestKind, vmid: u32) -> Result<Vec<String>> {
        let (far, wanted) = (&self.far, &self.wanted);
        let mut refusals = Vec::new();
        let content = if kind == GuestKind::Qemu { "images" } else { "rootdir" };
        let storages = migration::storages(&far.api.call(migration::storages_request(&far.node)).await?)?;
        let fits = |there: &migration::NodeStorage| there.active && there.content.iter().any(|each| each == content);
        if !storages.get(&wanted.storage).is_some_and(fits) {
            let storage = &wanted.storage;
            refusals.push(format!(
                "cannot have its disks on {storage}: {} shows none of that name that takes them",
                far.node
            ));
        }
        let bridges = Request::get(["nodes", &far.node, "network"]).param("type", "any_bridge");
        let bridges = far.api.call(bridges).await?;
        let is_it = |row: &Value| row.get("iface").and_then(Value::as_str) == Some(&wanted.bridge);
        if !bridges.as_array().is_some_and(|rows| rows.iter().any(is_it)) {
            refusals.push(format!("cannot hang on {}: {} has no such bridge", wanted.bridge, far.node));
        }
        for (path, privilege) in [
            ("/".to_owned(), "Sys.Incoming"),
            (format!("/vms/{vmid}"), "VM.Allocate"),
            (format!("/storage/{}", wanted.storage), "Datastore.AllocateSpace"),
            (format!("/sdn/zones/localnetwork/{}", wanted.bridge), "SDN.Use"),
        ] {
            let rights = far.api.call(access::request().param("path", path.as_str())).await?;
            if !access::rights(&rights)?.on(&path, privilege) {
                refusals.push(format!(
                    "cannot be let in by the token {}, which lacks {privilege} on {path} there: give it a role with that",
                    far.token
                ));
            }
        }
        Ok(refusals)
    }

    /// The number that it is to have there; else why not.
    async fn number(&self) -> Result<Result<u32, String>> {
        let own = self.wanted.vmid.or_else(|| self.vmid.parse().ok()).unwrap_or(0);
        let asked = Request::get(["cluster", "nextid"]).param("vmid", own.to_string());
        match self.far.api.call(asked).await {
            Ok(_) => return Ok(Ok(own)),
            Err(error) if error.kind() != ErrorKind::Invalid => return Err(error),
            Err(_) if self.wanted.vmid.is_some() => {
                return Ok(Err(format!("cannot be {own} there: that number is taken, or none")));
            }
            Err(_) => {}
        }
        let next = self.far.api.call(Request::get(["cluster", "nextid"])).await?;
        let number = next.as_u64().or_else(|| next.as_str()?.parse().ok()).and_then(|next| u32::try_from(next).ok());
        number.map(Ok).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, self.words.clone()).because(format!("{next} is no number of a guest"))
        })
    }

    /// The request but for where it goes.
    fn request(&self, node: &str, kind: GuestKind, vmid: u64, way: Way) -> Request {
        let request = Request::post(["nodes", node, kind.as_str(), &self.vmid, "remote_migrate"])
            .param("target-vmid", vmid.to_string())
            .param("target-storage", self.wanted.storage.as_str())
            .param("target-bridge", self.wanted.bridge.as_str());
        let request = if self.wanted.keep { request } else { request.param("delete", "1") };
        match way {
            Way::Live => request.param("online", "1"),
            Way::Restart => request.param("restart", "1"),
            Way::Offline => request,
        }
    }

    /// An error without the secret, should the far side say it again.
    fn without_secret(&self, error: &Error) -> Error {
        let text = crate::message(error);
        if self.far.hide(&text) == text {
            return error.copied();
        }
        Error::new(error.kind(), self.words.clone()).because(self.far.hide(&text))
    }
}

#[async_trait]
impl Effect for RemoteMigrateEffect {
    async fn check(&self) -> Result<Check> {
        let seen = self.look().await?;
        let (at, now) = (&seen.at, &seen.now);
        let mut refusals = self.refusals_here(&seen);
        let vmid = match self.number().await? {
            Ok(vmid) => vmid,
            Err(why) => {
                refusals.push(why);
                0
            }
        };
        refusals.extend(self.refusals_there(at.kind, vmid).await?);
        let way = match Way::of(MigrationMode::Auto, at.kind, now.runs()) {
            Ok(way) if refusals.is_empty() => way,
            Ok(_) => {
                return Ok(Check::Refused(
                    refusals.into_iter().map(|why| format!("guest {} {why}", at.name)).collect(),
                ));
            }
            Err(why) => return Ok(Check::Refused(vec![format!("guest {} {why}", at.name)])),
        };
        let shown = self.request(&at.node, at.kind, u64::from(vmid), way);
        let mut storages: Vec<&str> = seen.disks.iter().filter_map(|disk| disk.storage.as_deref()).collect();
        let mut bridges: Vec<&str> = seen.bridges.iter().map(String::as_str).collect();
        for names in [&mut storages, &mut bridges] {
            names.sort_unstable();
            names.dedup();
        }
        Ok(Check::Ready {
            before: json!({
                "node": at.node, "host": self.fleet.host_of_node(&self.cluster, &at.node), "kind": at.kind,
                "state": now.state, "newest_task": at.newest_task().await?, "vmid": vmid,
                "disks_on": storages, "bridges": bridges,
            }),
            calls: vec![format!("{} target-endpoint={}", said(&shown), self.far.shown())],
        })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let before = Before::of(before)?;
        let way = Way::of(MigrationMode::Auto, before.kind, before.state != "stopped")
            .map_err(|why| Error::new(ErrorKind::Conflict, self.words.clone()).because(format!("it {why}")))?;
        let request = self.request(before.node, before.kind, before.vmid, way);
        let begun = self.api.call(request.secret("target-endpoint", self.far.endpoint())).await;
        let data = begun.map_err(|error| self.without_secret(&error))?;
        data.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::new(ErrorKind::Protocol, self.words.clone()).because("the answer is no task"))
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let seen = Before::of(before)?;
        let newest = before.get("newest_task").and_then(Value::as_str);
        task::since(self.api.as_ref(), seen.node, &self.vmid, newest, &[moving::task_kind(seen.kind)]).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let hiding = Hiding { far: &self.far, said };
        let followed = moving::follow_task(self.api.as_ref(), handle, &hiding).await;
        followed.map_err(|error| self.without_secret(&error))
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        task::stop(self.api.as_ref(), handle).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let before = Before::of(before)?;
        let give_up = tokio::time::Instant::now() + SETTLES_WITHIN;
        loop {
            match self.arrived(&before).await {
                Ok(Ok(text)) => return Ok(text),
                Ok(Err(text)) if tokio::time::Instant::now() > give_up => {
                    return Err(Error::new(ErrorKind::Conflict, self.words.clone())
                        .because(format!("its task ended well, and yet {text}"))
                        .next("look at the guest in both clusters before anything else is done with it"));
                }
                Err(error)
                    if !(error.kind().is_retryable() || error.kind() == ErrorKind::NotFound)
                        || tokio::time::Instant::now() > give_up =>
                {
                    return Err(error);
                }
                Ok(Err(_)) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        // What is here still would have to be deleted there, which is for a person to say.
        if self.wanted.keep {
            return None;
        }
        let only = |name: &str| match before.get(name)?.as_array()?.as_slice() {
            [one] => one.as_str().map(str::to_owned),
            _ => None,
        };
        let vmid = u32::try_from(before.get("vmid")?.as_u64()?).ok()?;
        let change = GuestChange::RemoteMigrate {
            to: HostId::from(before.get("host")?.as_str()?),
            storage: only("disks_on")?,
            bridge: only("bridges")?,
            vmid: self.vmid.parse().ok(),
            keep: false,
            online: self.wanted.online,
        };
        Some(Action::Guest { id: GuestId::new(&self.far.cluster, vmid), change })
    }
}

impl RemoteMigrateEffect {
    /// That it is there, and here as it is to be; else what it is instead.
    async fn arrived(&self, before: &Before<'_>) -> Result<Result<String, String>> {
        let (far, vmid) = (&self.far, before.vmid.to_string());
        match place::of_number(far.api.as_ref(), &vmid).await? {
            Some(node) if node == far.node => {}
            Some(node) => return Ok(Err(format!("guest {vmid} is on {node} there"))),
            None => return Ok(Err(format!("there is no guest {vmid} in the other cluster"))),
        }
        let path = ["nodes", &far.node, before.kind.as_str(), &vmid, "status", "current"];
        let there = Now::of(&far.api.call(Request::get(path)).await?, &self.name)?;
        if let Some(lock) = &there.lock {
            return Ok(Err(format!("it is locked there: {lock}")));
        }
        if there.state != before.state {
            return Ok(Err(format!("it is {} there, and was {} here", there.state, before.state)));
        }
        let arrived = format!("it is guest {vmid} on {}, and {}", far.node, there.state);
        match (place::of_number(self.api.as_ref(), &self.vmid).await?, self.wanted.keep) {
            (None, false) => Ok(Ok(arrived)),
            (None, true) => Ok(Err(format!("{arrived}, but its first was to stay on {}", before.node))),
            (Some(node), false) => Ok(Err(format!("{arrived}, but its first is still on {node}"))),
            (Some(node), true) => {
                let path = ["nodes", &node, before.kind.as_str(), &self.vmid, "status", "current"];
                let here = Now::of(&self.api.call(Request::get(path)).await?, &self.name)?;
                Ok(match here.runs() {
                    true => Err(format!("{arrived}, and runs on {node} too")),
                    false => Ok(format!("{arrived}; its first stays on {node}, stopped")),
                })
            }
        }
    }
}

/// What was noted before.
struct Before<'a> {
    node: &'a str,
    kind: GuestKind,
    state: &'a str,
    vmid: u64,
}

impl<'a> Before<'a> {
    fn of(before: &'a Value) -> Result<Self> {
        let text = |name: &str| before.get(name).and_then(Value::as_str);
        let read = || {
            Some(Self {
                node: text("node")?,
                kind: if text("kind")? == GuestKind::Lxc.as_str() { GuestKind::Lxc } else { GuestKind::Qemu },
                state: text("state")?,
                vmid: before.get("vmid")?.as_u64()?,
            })
        };
        read().ok_or_else(|| {
            Error::new(ErrorKind::Storage, "read what was there before the migration").because("the journal has it not")
        })
    }
}

/// Passes on what the far side says, but for the secret.
struct Hiding<'a> {
    far: &'a RemoteNode,
    said: &'a (dyn Said + Sync),
}

#[async_trait]
impl Said for Hiding<'_> {
    async fn line(&self, text: &str) {
        self.said.line(&self.far.hide(text)).await;
    }
}
