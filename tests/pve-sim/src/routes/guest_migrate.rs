//! Guests moved to another node of their cluster.
//!
//! Recorded are a VM's preconditions on a node that stands alone and a migration's list entry. The refusals, the other
//! preconditions and the way of a failure (the reason in the log, `migration aborted` as the verdict) are unrecorded: they
//! are those of the API's description and its source.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Call, Handler, cluster, guest_power, ha};
use crate::manager;
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, Guest, Kind};
use crate::tasks::{Effect, Ending, Outcome};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    Some(match (method, below, room == "qemu") {
        ("GET", "migrate", true) => preconditions_qemu,
        ("GET", "migrate", false) => preconditions_lxc,
        ("POST", "migrate", true) => |call: &mut Call<'_>| migrate(call, Kind::Qemu),
        ("POST", "migrate", false) => |call: &mut Call<'_>| migrate(call, Kind::Lxc),
        _ => return None,
    })
}

/// Whether all nodes see the same volume.
pub(super) fn is_shared(cluster: &Cluster, volume: &str) -> bool {
    let name = volume.split(':').next().unwrap_or_default();
    let storage = cluster.storages.iter().find(|storage| storage.name == name);
    storage.is_some_and(|storage| storage.shared)
}

/// Whether a node has a storage that takes a guest's disks.
pub(crate) fn takes(cluster: &Cluster, storage: &str, node: usize, kind: Kind) -> Result<(), String> {
    let name = &cluster.nodes[node].name;
    let known = cluster.storages.iter().find(|known| known.name == storage);
    let known = known.ok_or_else(|| format!("storage '{storage}' does not exist"))?;
    if !known.is_on(name) {
        return Err(format!("storage '{storage}' is not available on node '{name}'"));
    }
    let content = if kind == Kind::Qemu { "images" } else { "rootdir" };
    match known.content.split(',').any(|each| each == content) {
        true => Ok(()),
        false => Err(format!("storage '{storage}' does not support content type '{content}'")),
    }
}

/// Storages of a guest that a node has not.
fn unavailable(cluster: &Cluster, guest: &Guest, node: usize) -> Vec<String> {
    let disks = guest.disks();
    let names = disks.iter().map(|disk| disk.1.split(':').next().unwrap_or_default().to_owned());
    let mut missing: Vec<String> = names.filter(|name| takes(cluster, name, node, guest.kind).is_err()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// Settings that use a device of its node, and those of them that are mapped.
pub(super) fn devices(guest: &Guest) -> (Vec<String>, Map<String, Value>) {
    let (mut local, mut mapped) = (Vec::new(), Map::new());
    for (key, value) in &guest.config {
        let text = value.as_str().unwrap_or_default();
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        if !["usb", "hostpci", "serial", "parallel"].contains(&stem) || text == "socket" || text.contains("spice") {
            continue;
        }
        if let Some(name) = text.split(',').find_map(|part| part.strip_prefix("mapping=")) {
            mapped.insert(key.clone(), json!({"name": name}));
            // One that other nodes have is in the way of what runs only.
            if stem == "hostpci" && guest.running.is_none() {
                continue;
            }
        }
        local.push(key.clone());
    }
    (local, mapped)
}

/// What speaks against each of the other nodes; nothing against those that are allowed.
fn by_node(call: &Call<'_>, guest: &Guest) -> BTreeMap<String, Map<String, Value>> {
    let sid = cluster::sid(guest);
    let managed = call.cluster.ha.resources.contains_key(&sid);
    let motion = if managed { ha::motion(call.cluster, &sid) } else { ha::Motion::default() };
    // Nothing is mapped anywhere here.
    let unmapped: Vec<String> = devices(guest).1.keys().cloned().collect();
    let nodes = call.cluster.nodes.iter().enumerate().filter(|(index, _)| *index != call.node);
    let entry = |(index, node): (usize, &crate::state::Node)| {
        let mut entry = Map::new();
        let storages = unavailable(call.cluster, guest, index);
        if guest.kind == Kind::Qemu && !storages.is_empty() {
            entry.insert("unavailable_storages".to_owned(), json!(storages));
        }
        if guest.kind == Kind::Qemu && !unmapped.is_empty() {
            entry.insert("unavailable-resources".to_owned(), json!(unmapped));
        }
        if let Some(blocking) = motion.blocked.get(&node.name) {
            entry.insert("blocking-ha-resources".to_owned(), json!(blocking));
        }
        (node.name.clone(), entry)
    };
    nodes.map(entry).collect()
}

fn preconditions(call: &Call<'_>, guest: &Guest, allowed: &str, not_allowed: &str) -> Map<String, Value> {
    let nodes = by_node(call, guest);
    let (free, blocked): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|(_, entry)| entry.is_empty());
    let free: Vec<String> = free.into_iter().map(|(name, _)| name).collect();
    let blocked: Map<String, Value> = blocked.into_iter().map(|(name, entry)| (name, Value::Object(entry))).collect();
    let mut answer = Map::new();
    answer.insert(allowed.to_owned(), json!(free));
    answer.insert(not_allowed.to_owned(), json!(blocked));
    answer.insert("running".to_owned(), json!(u8::from(guest.running.is_some())));
    let sid = cluster::sid(guest);
    if call.cluster.ha.resources.contains_key(&sid) {
        let together = ha::motion(call.cluster, &sid).together;
        answer.insert("dependent-ha-resources".to_owned(), json!(together));
    }
    answer
}

fn preconditions_qemu(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    let guest = call.guest(Kind::Qemu)?;
    guest.unlocked()?;
    let drives =
        guest.disks().into_iter().map(|disk| (disk, 0)).chain(guest.cdroms().into_iter().map(|disk| (disk, 1)));
    let local: Vec<Value> = drives
        .filter(|((_, volume, _), _)| !is_shared(call.cluster, volume))
        .map(|((key, volume, size), cdrom)| {
            json!({
                "drivename": key, "volid": volume, "size": size, "cdrom": cdrom, "shared": 0,
                "is_attached": 1, "is_cloudinit": 0, "is_tpmstate": 0, "is_unused": 0,
                "is_vmstate": 0, "replicate": 1,
            })
        })
        .collect();
    let (devices, mapped) = devices(guest);
    let mut answer = preconditions(call, guest, "allowed_nodes", "not_allowed_nodes");
    answer.insert("has-dbus-vmstate".to_owned(), json!(1));
    answer.insert("local_disks".to_owned(), json!(local));
    answer.insert("local_resources".to_owned(), json!(devices));
    answer.insert("mapped-resources".to_owned(), json!(mapped.keys().collect::<Vec<_>>()));
    answer.insert("mapped-resource-info".to_owned(), json!(mapped));
    Ok(Value::Object(answer).into())
}

fn preconditions_lxc(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    let guest = call.guest(Kind::Lxc)?;
    guest.unlocked()?;
    Ok(Value::Object(preconditions(call, guest, "allowed-nodes", "not-allowed-nodes")).into())
}

/// The node that is to take it.
fn target(call: &Call<'_>) -> Result<usize, Refusal> {
    let name = call.params.string("target");
    if name == call.cluster.nodes[call.node].name {
        return Err(Refusal::parameter("target", "target is local node."));
    }
    call.quorum()?;
    let found = call.cluster.nodes.iter().position(|node| node.name == name);
    found.ok_or_else(|| Refusal::died(format!("no such cluster node '{name}'")))
}

fn migrate(call: &mut Call<'_>, kind: Kind) -> Answer {
    let target = target(call)?;
    let guest = call.guest(kind)?;
    let vmid = guest.vmid;
    let (online, restart) = (call.params.flag("online"), call.params.flag("restart"));
    let runs = guest.running.is_some();
    match kind {
        Kind::Qemu => {
            guest.unlocked()?;
            if runs && !online {
                return Err(Refusal::died("can't migrate running VM without --online"));
            }
        }
        // That it is locked is found by its task.
        Kind::Lxc if runs && !online && !restart => {
            return Err(Refusal::died("can't migrate running container without --online or --restart"));
        }
        Kind::Lxc => {}
    }
    let storage = storage(call, kind, target)?;
    if storage.is_none()
        && kind == Kind::Qemu
        && let Some(missing) = unavailable(call.cluster, call.guest(kind)?, target).first()
    {
        let node = &call.cluster.nodes[target].name;
        return Err(Refusal::died(format!("storage '{missing}' is not available on node '{node}'")));
    }
    let work = MoveWork { vmid, target, live_disks: call.params.flag("with-local-disks"), restart, storage };
    if call.cluster.ha.resources.contains_key(&cluster::sid(call.guest(kind)?)) {
        return by_manager(call, kind, vmid, target);
    }
    let log = vec![work.first_line(call.cluster)];
    let was_locked = call.guest(kind)?.lock.clone();
    if was_locked.is_none() {
        work.lock(call.cluster);
    }
    let effect: Effect = Box::new(move |cluster, now| match was_locked {
        Some(lock) => Err(aborted(&format!("CT is locked ({lock})"))),
        None => work.carry_out(cluster, now),
    });
    call.start_task(kind.migration(), vmid, 3.0, log, effect)
}

/// Where its disks are to go; the map of storages is taken as one name only.
fn storage(call: &Call<'_>, kind: Kind, target: usize) -> Result<Option<String>, Refusal> {
    let name = if kind == Kind::Qemu { "targetstorage" } else { "target-storage" };
    let Some(storage) = call.params.text(name) else { return Ok(None) };
    let vm = format!("/vms/{}", call.params.vmid());
    if !call.may(&vm, &["VM.Config.Disk"]) {
        return Err(Refusal::forbidden(&format!("{vm}, VM.Config.Disk")));
    }
    let path = format!("/storage/{storage}");
    if !call.may(&path, &["Datastore.AllocateSpace"]) {
        return Err(Refusal::forbidden(&format!("{path}, Datastore.AllocateSpace")));
    }
    takes(call.cluster, storage, target, kind).map_err(Refusal::died)?;
    Ok(Some(storage.to_owned()))
}

/// For a guest that is managed by HA the task only hands the wish on and ends at once. What it was told of disks is lost.
fn by_manager(call: &mut Call<'_>, kind: Kind, vmid: u32, target: usize) -> Answer {
    let name = call.cluster.nodes[target].name.clone();
    let log = vec![format!("Requesting HA migration for {} {vmid} to node {name}", kind.title())];
    let sid = cluster::sid(call.guest(kind)?);
    let effect: Effect = Box::new(move |cluster, now| match manager::wish(cluster, vmid, target, now) {
        Ok(()) => Ok(Ending::default()),
        Err(text) => Err(format!("{text}\ncommand 'ha-manager migrate {sid} {name}' failed: exit code 255")),
    });
    call.start_task("hamigrate", vmid, 0.2, log, effect)
}

/// A migration that goes on.
pub(crate) struct MoveWork {
    pub(crate) vmid: u32,
    pub(crate) target: usize,
    pub(crate) live_disks: bool,
    pub(crate) restart: bool,
    /// Where its local disks go; else storages of the same names.
    pub(crate) storage: Option<String>,
}

/// How a migration fails: why stands in its log only.
pub(crate) fn aborted(why: &str) -> String {
    format!("ERROR: migration aborted (duration 00:00:03): {why}\nmigration aborted")
}

impl MoveWork {
    /// With what its log begins.
    pub(crate) fn first_line(&self, cluster: &Cluster) -> String {
        let title = cluster.guests.get(&self.vmid).map_or("VM", |guest| guest.kind.title());
        let node = &cluster.nodes[self.target];
        format!("starting migration of {title} {} to node '{}' ({})", self.vmid, node.name, node.ip)
    }

    /// Nobody else is to touch it meanwhile.
    pub(crate) fn lock(&self, cluster: &mut Cluster) {
        if let Some(guest) = cluster.guests.get_mut(&self.vmid) {
            guest.lock = Some("migrate".to_owned());
        }
    }

    /// Ends it: the guest is where it is to be, or where it was.
    pub(crate) fn carry_out(self, cluster: &mut Cluster, now: f64) -> Outcome {
        let vmid = self.vmid;
        let missing = || aborted(&format!("no such guest {vmid}"));
        cluster.guests.get_mut(&vmid).ok_or_else(missing)?.lock = None;
        self.possible(cluster).map_err(|why| aborted(&why))?;
        let local = |disk: &(String, String, u64)| !is_shared(cluster, &disk.1);
        let guest = cluster.guests.get(&vmid).ok_or_else(missing)?;
        let moved: Vec<(String, String)> =
            guest.disks().into_iter().filter(local).map(|(key, volume, _)| (key, volume)).collect();
        let pid = cluster.tasks.new_pid();
        let guest = cluster.guests.get_mut(&vmid).ok_or_else(missing)?;
        let mut log = Vec::new();
        for (key, volume) in moved {
            log.push(format!("copying local disk '{volume}'"));
            if let Some(storage) = &self.storage {
                put(guest, &key, &volume, storage);
            }
        }
        guest.node = self.target;
        if guest.running.is_some() && guest.kind == Kind::Lxc {
            guest_power::start(guest, pid, now);
        }
        log.push("migration finished successfully (duration 00:00:03)".to_owned());
        Ok(Ending { log, warnings: 0 })
    }

    fn possible(&self, cluster: &Cluster) -> Result<(), String> {
        let guest = cluster.guests.get(&self.vmid).ok_or("it is gone")?;
        let runs = guest.running.is_some();
        let node = &cluster.nodes[self.target];
        if !node.up() {
            return Err(format!("ssh: connect to host {} port 22: No route to host", node.ip));
        }
        let (devices, mapped) = devices(guest);
        let blocking: Vec<&str> =
            devices.iter().map(String::as_str).filter(|name| !mapped.contains_key(*name)).collect();
        if guest.kind == Kind::Qemu && !blocking.is_empty() {
            return Err(format!("can't migrate VM which uses local devices: {}", blocking.join(", ")));
        }
        if let Some((_, volume, _)) = guest.cdroms().iter().find(|(_, volume, _)| !is_shared(cluster, volume)) {
            return Err(format!("can't migrate local disk '{volume}': local cdrom image"));
        }
        if let Some(name) = bind_mount(guest) {
            return Err(format!("cannot migrate local bind mount point '{name}'"));
        }
        let all_shared = guest.disks().iter().all(|disk| is_shared(cluster, &disk.1));
        if guest.kind == Kind::Qemu && runs && !all_shared && !self.live_disks {
            return Err("can't live migrate attached local disks without with-local-disks option".to_owned());
        }
        if guest.kind == Kind::Lxc && runs && !self.restart {
            return Err("lxc live migration is currently not implemented".to_owned());
        }
        match unavailable(cluster, guest, self.target).first() {
            Some(missing) if self.storage.is_none() => {
                Err(format!("storage '{missing}' is not available on node '{}'", node.name))
            }
            _ => Ok(()),
        }
    }
}

/// A mount point that is a folder of the node, and not said to be on all of them.
fn bind_mount(guest: &Guest) -> Option<&str> {
    let is_it = |(key, value): &(&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        guest.kind == Kind::Lxc && key.starts_with("mp") && text.starts_with('/') && !text.contains("shared=1")
    };
    guest.config.iter().find(is_it).map(|(key, _)| key.as_str())
}

/// Puts a volume of a guest on another storage.
pub(crate) fn put(guest: &mut Guest, key: &str, volume: &str, storage: &str) {
    let name = volume.rsplit([':', '/']).next().unwrap_or_default().split('.').next().unwrap_or_default();
    let fresh = format!("{storage}:{name}");
    let change = |config: &mut Map<String, Value>| {
        if let Some(text) = config.get(key).and_then(Value::as_str) {
            let changed = text.replace(volume, &fresh);
            config.insert(key.to_owned(), json!(changed));
        }
    };
    change(&mut guest.config);
    if let Some(running) = &mut guest.running {
        change(&mut running.live);
    }
}
