//! Moving a VM or container to another node of its cluster.
//!
//! What Proxmox would refuse is asked of Proxmox itself before anything begins, and told in words. Proxmox copies disks
//! of a guest that does not run without being asked to; here such a guest is refused until whoever moves it says so.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    moving::{self, LOOK_EVERY, Now, Way},
    place::{Place, said},
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{
        guest_devices,
        migration::{self, Hindrance, LocalDisk, NodeStorage, Preconditions},
    },
    fleet::Fleet,
    model::{Action, GuestChange, GuestId, GuestKind, HostId, MigrationMode, facts::guest::GuestDiskKind},
    transport::http::Request,
};

/// How long a guest may take to show up where its task has brought it.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);

/// What is wanted of a migration.
pub(super) struct Wanted {
    to: HostId,
    mode: MigrationMode,
    local_disks: bool,
    storage: Option<String>,
}

impl Wanted {
    /// None where it is another change.
    pub(super) fn of(change: &GuestChange) -> Option<Self> {
        let GuestChange::Migrate { to, mode, local_disks, storage } = change else { return None };
        Some(Self { to: to.clone(), mode: *mode, local_disks: *local_disks, storage: storage.clone() })
    }
}

/// A migration of one guest, from where it is now.
pub(super) struct MigrateEffect {
    at: Place,
    wanted: Wanted,
    /// The name of the node that it is to be on.
    node: String,
    /// The host that it is on now.
    from: Option<HostId>,
    words: String,
}

/// What is there before a migration.
struct Seen {
    now: Now,
    preconditions: Preconditions,
    /// Mount points that are folders or devices of its node.
    bound: Vec<String>,
    /// What the node it is to be on has; empty where the login may not see it.
    storages: BTreeMap<String, NodeStorage>,
    is_up: bool,
}

impl MigrateEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, wanted: Wanted) -> Result<Self> {
        let at = Place::of(fleet, id, "migrate guest").await?;
        let node = fleet.node_in(&wanted.to, &at.cluster, &format!("migrate guest {}", at.name)).await?;
        let from = fleet.host_of_node(&at.cluster, &at.node);
        Ok(Self { words: format!("migrate guest {} to {node}", at.name), at, wanted, node, from })
    }

    async fn now(&self) -> Result<Now> {
        Now::of(&self.at.current().await?, &self.at.name)
    }

    async fn look(&self, now: Now) -> Result<Seen> {
        let at = &self.at;
        let ask = migration::request(&at.node, at.kind, &at.vmid, &self.node);
        let mut preconditions = migration::preconditions(&at.api.call(ask).await?)?;
        let mut bound = Vec::new();
        if at.kind == GuestKind::Lxc {
            (preconditions.local_disks, bound) = self.disks_of_container().await?;
        }
        let nodes = at.api.call(Request::get(["nodes"])).await?;
        let is_it = |row: &Value| row.get("node").and_then(Value::as_str) == Some(&self.node);
        let offline = |row: &Value| row.get("status").and_then(Value::as_str) == Some("offline");
        let rows = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_up = !rows.iter().any(|row| is_it(row) && offline(row));
        let storages = if self.wanted.storage.is_some() && is_up {
            migration::storages(&at.api.call(migration::storages_request(&self.node)).await?)?
        } else {
            BTreeMap::new()
        };
        Ok(Seen { now, preconditions, bound, storages, is_up })
    }

    /// Volumes on storage of its node, and mount points that are no volumes.
    async fn disks_of_container(&self) -> Result<(Vec<LocalDisk>, Vec<String>)> {
        let at = &self.at;
        let config = at.api.call(Request::get(at.path(&["config"]))).await?;
        let known = migration::storages(&at.api.call(migration::storages_request(&at.node)).await?)?;
        let (mut local, mut bound) = (Vec::new(), Vec::new());
        for disk in guest_devices::disks(&config, &BTreeMap::new())? {
            let of_its_node = disk.storage.as_ref().is_some_and(|name| known.get(name).is_some_and(|it| !it.shared));
            if disk.kind == GuestDiskKind::BindMount {
                let text = config.get(&disk.disk_name).and_then(Value::as_str).unwrap_or_default();
                if !text.split(',').any(|part| part == "shared=1") {
                    bound.push(disk.disk_name);
                }
            } else if let (true, Some(storage), Some(volume)) = (of_its_node, disk.storage, disk.volume) {
                local.push(LocalDisk { volume: format!("{storage}:{volume}"), cdrom: false });
            }
        }
        Ok((local, bound))
    }

    fn request(&self, way: Way) -> Request {
        let vm = self.at.kind == GuestKind::Qemu;
        let mut request = Request::post(self.at.path(&["migrate"])).param("target", self.node.as_str());
        match way {
            Way::Live => request = request.param("online", "1"),
            Way::Restart => request = request.param("restart", "1"),
            Way::Offline => {}
        }
        // A container's disks are always copied along.
        if self.wanted.local_disks && vm {
            request = request.param("with-local-disks", "1");
        }
        match &self.wanted.storage {
            Some(storage) if vm => request.param("targetstorage", storage.as_str()),
            Some(storage) => request.param("target-storage", storage.as_str()),
            None => request,
        }
    }

    /// All that speaks against it, each to be said of the guest.
    fn refusals(&self, way: Way, seen: &Seen) -> Vec<String> {
        let (pre, node) = (&seen.preconditions, &self.node);
        let mut refusals = Vec::new();
        if !seen.is_up {
            refusals.push(format!("cannot go to {node}: its cluster does not reach that node"));
        }
        for hindrance in pre.hindered.get(node).into_iter().flatten() {
            refusals.extend(self.hindrance(hindrance));
        }
        let devices: Vec<&str> = pre
            .local_devices
            .iter()
            .filter(|name| way == Way::Live || !pre.mapped_devices.contains(name))
            .map(String::as_str)
            .collect();
        if !devices.is_empty() {
            refusals.push(format!(
                "uses devices of {}: {}; take them out of it first",
                self.at.node,
                devices.join(", ")
            ));
        }
        if !seen.bound.is_empty() {
            let names = seen.bound.join(", ");
            refusals.push(format!(
                "has folders or devices of {} as mount points: {names}; take them out, or mark them as shared",
                self.at.node
            ));
        }
        refusals.extend(self.about_disks(way, seen));
        refusals
    }

    fn hindrance(&self, hindrance: &Hindrance) -> Option<String> {
        let (node, names) = (&self.node, hindrance.names().join(", "));
        match hindrance {
            // Its disks are put elsewhere.
            Hindrance::Storages(_) if self.wanted.storage.is_some() => None,
            Hindrance::Storages(_) => {
                Some(format!("uses storage that {node} has not: {names}; say where its disks go"))
            }
            Hindrance::Devices(_) => Some(format!("uses mapped devices that {node} has not: {names}")),
            Hindrance::HighAvailability(_) => {
                Some(format!("may not go to {node} by a rule of high availability, because of {names}"))
            }
        }
    }

    fn about_disks(&self, way: Way, seen: &Seen) -> Vec<String> {
        let (cdroms, disks): (Vec<_>, Vec<_>) = seen.preconditions.local_disks.iter().partition(|disk| disk.cdrom);
        let names = |disks: &[&LocalDisk]| disks.iter().map(|disk| disk.volume.as_str()).collect::<Vec<_>>().join(", ");
        let mut refusals = Vec::new();
        if !cdroms.is_empty() {
            refusals.push(format!("has a CD of {} in its drive: {}; take it out first", self.at.node, names(&cdroms)));
        }
        if !disks.is_empty() && !self.wanted.local_disks {
            refusals.push(format!(
                "has disks on storage of {}: {}; have local disks copied along",
                self.at.node,
                names(&disks)
            ));
        }
        let copies = !disks.is_empty() && way == Way::Live;
        if seen.now.managed && (copies || self.wanted.storage.is_some()) {
            refusals.push(
                "is managed by high availability, which copies no disks of a running VM and chooses no storage: take it out of \
                 there first"
                    .to_owned(),
            );
        }
        if let Some(storage) = self.wanted.storage.as_ref().filter(|_| seen.is_up) {
            let content = if self.at.kind == GuestKind::Qemu { "images" } else { "rootdir" };
            let fits = |there: &NodeStorage| there.active && there.content.iter().any(|each| each == content);
            if !seen.storages.get(storage).is_some_and(fits) {
                refusals.push(format!(
                    "cannot have its disks on {storage}: {} shows none of that name that takes them",
                    self.node
                ));
            }
        }
        refusals
    }
}

#[async_trait]
impl Effect for MigrateEffect {
    async fn check(&self) -> Result<Check> {
        let name = &self.at.name;
        if self.at.node == self.node {
            return Ok(Check::Already(format!("it is on {} already", self.node)));
        }
        let now = self.now().await?;
        if let Some(lock) = &now.lock {
            return Ok(Check::Refused(vec![format!("guest {name} is locked by Proxmox: {lock}")]));
        }
        let way = match Way::of(self.wanted.mode, self.at.kind, now.runs()) {
            Ok(way) => way,
            Err(why) => return Ok(Check::Refused(vec![format!("guest {name} {why}")])),
        };
        let seen = self.look(now).await?;
        let refusals = self.refusals(way, &seen);
        if !refusals.is_empty() {
            return Ok(Check::Refused(refusals.into_iter().map(|why| format!("guest {name} {why}")).collect()));
        }
        let newest = self.at.newest_task().await?;
        let request = self.request(way);
        Ok(Check::Ready {
            before: json!({
                "node": self.at.node, "host": self.from, "state": seen.now.state, "newest_task": newest,
                "disks_on": storages_of(&seen.preconditions.local_disks),
            }),
            calls: vec![said(&request)],
        })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let runs = before.get("state").and_then(Value::as_str) != Some("stopped");
        let way = Way::of(self.wanted.mode, self.at.kind, runs)
            .map_err(|why| Error::new(ErrorKind::Conflict, self.words.clone()).because(format!("it {why}")))?;
        self.at.begin(self.request(way), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        self.at.find(before, &moving::task_kinds(self.at.kind)).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let Err(error) = moving::follow(&self.at, &self.node, handle, said).await else { return Ok(()) };
        // A task may end badly before or after the guest has gone over.
        Err(match self.at.node_now().await {
            Ok(Some(node)) => error.noting(format!("the guest is on {node}")),
            Ok(None) => error.noting("its cluster does not know the guest any more"),
            Err(_) => error,
        })
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let wanted = before.get("state").and_then(Value::as_str).unwrap_or("running");
        let give_up = tokio::time::Instant::now() + SETTLES_WITHIN;
        loop {
            match self.arrived(wanted).await {
                Ok(Ok(text)) => return Ok(text),
                Ok(Err(text)) if tokio::time::Instant::now() > give_up => {
                    return Err(Error::new(ErrorKind::Conflict, self.words.clone())
                        .because(format!("its task ended well, and yet {text}"))
                        .next("look at the guest's tasks on both nodes"));
                }
                // Its node may know it a moment after its cluster does.
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
        let to = before.get("host").and_then(Value::as_str).map(HostId::from)?;
        let storage = match (&self.wanted.storage, before.get("disks_on").and_then(Value::as_array)?.as_slice()) {
            // They keep the names of their storages, or it has none of its node.
            (None, _) | (Some(_), []) => None,
            (Some(_), [storage]) => Some(storage.as_str()?.to_owned()),
            // One storage has taken what came from several.
            (Some(_), _) => return None,
        };
        let local_disks = self.wanted.local_disks;
        let change = GuestChange::Migrate { to, mode: MigrationMode::Auto, local_disks, storage };
        Some(Action::Guest { id: self.at.id.clone(), change })
    }
}

impl MigrateEffect {
    /// Where it is and that it does what it did; else what it is instead.
    async fn arrived(&self, wanted: &str) -> Result<Result<String, String>> {
        match self.at.node_now().await? {
            Some(node) if node == self.node => {}
            Some(node) => return Ok(Err(format!("it is on {node}"))),
            None => return Ok(Err("its cluster does not know it any more".to_owned())),
        }
        let path = ["nodes", &self.node, self.at.kind.as_str(), &self.at.vmid, "status", "current"];
        let now = Now::of(&self.at.api.call(Request::get(path)).await?, &self.at.name)?;
        let (node, state) = (&self.node, &now.state);
        Ok(match now.lock {
            Some(lock) => Err(format!("it is on {node}, and locked by Proxmox: {lock}")),
            None if state == wanted => Ok(format!("it is on {node}, and {state}")),
            None => Err(format!("it is {state} on {node}, and was {wanted} before")),
        })
    }
}

/// The storages that disks lie on, each once.
fn storages_of(disks: &[LocalDisk]) -> Vec<&str> {
    let mut storages: Vec<&str> = disks.iter().map(LocalDisk::storage).collect();
    storages.sort_unstable();
    storages.dedup();
    storages
}
