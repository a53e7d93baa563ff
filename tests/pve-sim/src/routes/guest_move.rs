//! Guests as a whole: migrate, clone, delete, make a template, grow a disk.
//!
//! Recorded are the preconditions of a migration and a migration's list entry,
//! clone, template, resize, and the refusal to delete what runs.
//! The other refusals are unrecorded.

use serde_json::{Value, json};

use super::{Call, Handler, cluster, guest_power};
use crate::access::Caller;
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, Guest, Kind, format_size, parse_size};
use crate::tasks::{Effect, Ending, Outcome, Work};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str, whole: bool) -> Option<Handler> {
    let qemu = room == "qemu";
    Some(match (method, below, qemu) {
        ("GET", "migrate", true) => preconditions_qemu,
        ("GET", "migrate", false) => preconditions_lxc,
        ("POST", "migrate", true) => |call: &mut Call<'_>| migrate(call, Kind::Qemu),
        ("POST", "migrate", false) => |call: &mut Call<'_>| migrate(call, Kind::Lxc),
        ("POST", "clone", true) => |call: &mut Call<'_>| clone(call, Kind::Qemu),
        ("POST", "clone", false) => |call: &mut Call<'_>| clone(call, Kind::Lxc),
        ("POST", "template", true) => |call: &mut Call<'_>| template(call, Kind::Qemu),
        ("POST", "template", false) => |call: &mut Call<'_>| template(call, Kind::Lxc),
        ("PUT", "resize", true) => |call: &mut Call<'_>| resize(call, Kind::Qemu),
        ("PUT", "resize", false) => |call: &mut Call<'_>| resize(call, Kind::Lxc),
        ("DELETE", "", true) if whole => |call: &mut Call<'_>| delete(call, Kind::Qemu),
        ("DELETE", "", false) if whole => |call: &mut Call<'_>| delete(call, Kind::Lxc),
        _ => return None,
    })
}

fn is_shared(cluster: &Cluster, volume: &str) -> bool {
    let name = volume.split(':').next().unwrap_or_default();
    let storage = cluster.storages.iter().find(|storage| storage.name == name);
    storage.is_some_and(|storage| storage.shared)
}

fn other_nodes(call: &Call<'_>) -> Vec<String> {
    let nodes = call.cluster.nodes.iter().enumerate();
    nodes.filter(|(index, node)| *index != call.node && node.up()).map(|(_, node)| node.name.clone()).collect()
}

fn preconditions_qemu(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Qemu)?;
    let local: Vec<Value> = guest
        .disks()
        .into_iter()
        .filter(|disk| !is_shared(call.cluster, &disk.1))
        .map(|(key, volume, size)| {
            json!({
                "drivename": key, "volid": volume, "size": size, "cdrom": 0, "shared": 0,
                "is_attached": 1, "is_cloudinit": 0, "is_tpmstate": 0, "is_unused": 0,
                "is_vmstate": 0, "replicate": 1,
            })
        })
        .collect();
    Ok(json!({
        "allowed_nodes": other_nodes(call),
        "not_allowed_nodes": {},
        "has-dbus-vmstate": 1,
        "local_disks": local,
        "local_resources": [],
        "mapped-resources": [],
        "mapped-resource-info": {},
        "running": u8::from(guest.running.is_some()),
    })
    .into())
}

fn preconditions_lxc(call: &mut Call<'_>) -> Answer {
    let guest = call.guest(Kind::Lxc)?;
    Ok(json!({
        "allowed-nodes": other_nodes(call),
        "not-allowed-nodes": {},
        "running": u8::from(guest.running.is_some()),
    })
    .into())
}

fn migrate(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let vmid = guest.vmid;
    let name = call.params.string("target");
    let target = call
        .cluster
        .nodes
        .iter()
        .position(|node| node.name == name)
        .ok_or_else(|| Refusal::died(format!("no such cluster node '{name}'")))?;
    if target == call.node {
        return Err(Refusal::parameter("target", "target is local node."));
    }
    guest.unlocked()?;
    call.quorum()?;
    let (online, restart) = (call.params.flag("online"), call.params.flag("restart"));
    if guest.running.is_some() {
        match kind {
            Kind::Qemu if !online => {
                return Err(Refusal::died("can't migrate running VM without --online"));
            }
            Kind::Lxc if !online && !restart => {
                return Err(Refusal::died("can't migrate running container without --online or --restart"));
            }
            _ => {}
        }
    }
    let work = MoveWork { vmid, target, live_disks: call.params.flag("with-local-disks"), restart };
    let kind_of_task = match kind {
        Kind::Qemu => "qmigrate",
        Kind::Lxc => "vzmigrate",
    };
    let log = vec![format!("starting migration of {} {vmid} to node '{name}'", kind.title())];
    if call.cluster.ha.resources.contains_key(&cluster::sid(guest)) {
        return by_manager(call, kind_of_task, work, log);
    }
    call.guest_mut(kind)?.lock = Some("migrate".to_owned());
    let effect: Effect = Box::new(move |cluster, now| work.carry_out(cluster, now));
    call.start_task(kind_of_task, vmid, 3.0, log, effect)
}

/// For a guest that is managed by HA the task only hands the wish on and ends
/// at once; the manager then starts the migration as a task of its own.
fn by_manager(call: &mut Call<'_>, kind: &'static str, work: MoveWork, log: Vec<String>) -> Answer {
    let (vmid, node) = (work.vmid, call.node);
    let effect: Effect = Box::new(move |cluster, now| {
        if let Some(guest) = cluster.guests.get_mut(&vmid) {
            guest.lock = Some("migrate".to_owned());
        }
        let (name, booted) = (cluster.nodes[node].name.clone(), cluster.nodes[node].booted);
        let work = Work {
            node,
            kind: kind.to_owned(),
            id: vmid.to_string(),
            units: 3.0,
            log,
            effect: Box::new(move |cluster, now| work.carry_out(cluster, now)),
        };
        let manager = Caller::user("root@pam");
        cluster.tasks.start(&name, booted, &manager, work, now);
        Ok(Ending::line("Requesting HA migration"))
    });
    call.start_task("hamigrate", vmid, 0.2, Vec::new(), effect)
}

/// What the manager of high availability moves without being asked to: a VM live, a container by restarting it.
pub(crate) fn by_manager_itself(cluster: &mut Cluster, vmid: u32, target: usize, now: f64) {
    let Some(guest) = cluster.guests.get_mut(&vmid) else { return };
    guest.lock = Some("migrate".to_owned());
    let (node, title) = (guest.node, guest.kind.title());
    let kind = if guest.kind == Kind::Qemu { "qmigrate" } else { "vzmigrate" };
    let work = MoveWork { vmid, target, live_disks: false, restart: true };
    let name = cluster.nodes[target].name.clone();
    let work = Work {
        node,
        kind: kind.to_owned(),
        id: vmid.to_string(),
        units: 3.0,
        log: vec![format!("starting migration of {title} {vmid} to node '{name}'")],
        effect: Box::new(move |cluster, now| work.carry_out(cluster, now)),
    };
    let (here, booted) = (cluster.nodes[node].name.clone(), cluster.nodes[node].booted);
    cluster.tasks.start(&here, booted, &Caller::user("root@pam"), work, now);
}

struct MoveWork {
    vmid: u32,
    target: usize,
    live_disks: bool,
    restart: bool,
}

impl MoveWork {
    fn carry_out(self, cluster: &mut Cluster, now: f64) -> Outcome {
        let vmid = self.vmid;
        let missing = || format!("no such guest {vmid}");
        cluster.guests.get_mut(&vmid).ok_or_else(missing)?.lock = None;
        let guest = cluster.guests.get(&vmid).ok_or_else(missing)?;
        let runs = guest.running.is_some();
        let all_shared = guest.disks().iter().all(|disk| is_shared(cluster, &disk.1));
        if !cluster.nodes[self.target].up() {
            return Err("migration aborted: No route to host".to_owned());
        }
        match guest.kind {
            Kind::Qemu if runs && !all_shared && !self.live_disks => {
                return Err("Problem found while scanning volumes - can't live migrate attached \
                    local disks without with-local-disks option"
                    .to_owned());
            }
            Kind::Lxc if runs && !self.restart => {
                return Err("lxc live migration is currently not implemented".to_owned());
            }
            _ => {}
        }
        let pid = cluster.tasks.new_pid();
        let guest = cluster.guests.get_mut(&vmid).ok_or_else(missing)?;
        guest.node = self.target;
        if runs && guest.kind == Kind::Lxc {
            guest_power::start(guest, pid, now);
        }
        Ok(Ending::line("migration finished successfully"))
    }
}

fn clone(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let source = guest.vmid;
    let id = call.params.integer("newid").unwrap_or(0) as u32;
    if call.cluster.guests.contains_key(&id) {
        return Err(Refusal::died(format!("unable to create {} {id}: config file already exists", kind.title())));
    }
    let target = match call.params.text("target") {
        Some(name) => call.cluster.node_index(name)?,
        None => call.node,
    };
    if target != call.node && guest.disks().iter().any(|disk| !is_shared(call.cluster, &disk.1)) {
        return Err(Refusal::died("can't clone VM to node (VM uses local storage)"));
    }
    call.quorum()?;
    let mut copy = copy_of(guest, id);
    copy.node = target;
    copy.pool = call.params.text("pool").map(str::to_owned);
    let key = if kind == Kind::Qemu { "name" } else { "hostname" };
    let name = match call.params.text(key) {
        Some(name) => name.to_owned(),
        None => format!("Copy-of-{}", guest.name()),
    };
    copy.config.insert(key.to_owned(), json!(name));
    if let Some(text) = call.params.text("description") {
        copy.config.insert("description".to_owned(), json!(text));
    }
    call.cluster.guests.insert(id, copy);
    let effect: Effect = Box::new(move |cluster, _| {
        let copy = cluster.guests.get_mut(&id);
        copy.ok_or(format!("no such guest {id}"))?.lock = None;
        Ok(Ending::default())
    });
    let log = vec![format!("create full clone of drives of {} {source}", kind.title())];
    call.start_task(format!("{}clone", kind.task()), source, 2.0, log, effect)
}

/// A copy with volumes and addresses of its own, still locked.
fn copy_of(guest: &Guest, id: u32) -> Guest {
    let mut copy = guest.clone();
    let (old, new) = (guest.vmid.to_string(), id.to_string());
    copy.vmid = id;
    copy.running = None;
    copy.snapshots.clear();
    copy.lock = Some("clone".to_owned());
    copy.config.remove("template");
    for (key, value) in &mut copy.config {
        let Some(text) = value.as_str() else { continue };
        if text.contains("-disk-") {
            *value = json!(text.replace(&old, &new).replace("base-", "vm-"));
        } else if key.starts_with("net") {
            // The last bytes of the MAC address become the new id's.
            let mac = text.split([',', '=']).find(|part| part.matches(':').count() == 5);
            if let Some(mac) = mac {
                let fresh = format!("{}:{:02X}:{:02X}", &mac[..11], (id >> 8) & 255, id & 255);
                *value = json!(text.replace(mac, &fresh));
            }
        } else if key == "smbios1" || key == "vmgenid" {
            let fresh = uuid::Uuid::new_v4();
            let prefix = if key == "smbios1" { "uuid=" } else { "" };
            *value = json!(format!("{prefix}{fresh}"));
        }
    }
    copy
}

fn template(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let vmid = guest.vmid;
    if guest.template() {
        return Err(Refusal::died("you can't convert a template to a template"));
    }
    if guest.running.is_some() {
        return Err(Refusal::died(format!(
            "you can't convert a {} to template if {} is running",
            kind.title(),
            kind.title()
        )));
    }
    call.quorum()?;
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        guest.config.insert("template".to_owned(), json!(1));
        Ok(Ending::default())
    });
    call.start_task(format!("{}template", kind.task()), vmid, 1.0, Vec::new(), effect)
}

fn resize(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    super::config::same_digest(call, guest)?;
    guest.unlocked()?;
    let vmid = guest.vmid;
    let key = call.params.string("disk");
    let text = call.params.string("size");
    let (_, volume, size) = guest
        .disks()
        .into_iter()
        .find(|disk| disk.0 == key)
        .ok_or_else(|| Refusal::died(format!("disk '{key}' does not exist")))?;
    let asked = parse_size(text.trim_start_matches('+'))
        .ok_or_else(|| Refusal::parameter("size", "value does not match the regex pattern"))?;
    let wanted = if text.starts_with('+') { size + asked } else { asked };
    if wanted < size {
        return Err(Refusal::died("shrinking disks is not supported"));
    }
    call.quorum()?;
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        let old = guest.config.get(&key).and_then(Value::as_str).unwrap_or_default();
        let part = old.split(',').find(|part| part.starts_with("size=")).unwrap_or("size=");
        let changed = old.replace(part, &format!("size={}", format_size(wanted)));
        guest.config.insert(key, json!(changed));
        Ok(Ending::line(format!("Resizing image: {volume}")))
    });
    call.start_task("resize", vmid, 1.0, Vec::new(), effect)
}

fn delete(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let (vmid, sid) = (guest.vmid, cluster::sid(guest));
    let runs = guest.running.is_some();
    match kind {
        Kind::Qemu if runs => {
            return Err(Refusal::died(format!("VM {vmid} is running - destroy failed")));
        }
        Kind::Lxc if runs && !call.params.flag("force") => {
            return Err(Refusal::died(format!("unable to destroy CT {vmid} - container is running")));
        }
        _ => {}
    }
    if call.cluster.ha.resources.contains_key(&sid) && !call.params.flag("purge") {
        return Err(Refusal::died(format!(
            "unable to remove {} {vmid} - used in HA resources and purge parameter not set.",
            kind.title()
        )));
    }
    call.quorum()?;
    call.guest_mut(kind)?.lock = Some("destroyed".to_owned());
    let effect: Effect = Box::new(move |cluster, _| {
        cluster.guests.remove(&vmid);
        cluster.ha.resources.remove(&sid);
        Ok(Ending::default())
    });
    call.start_task(format!("{}destroy", kind.task()), vmid, 1.0, Vec::new(), effect)
}
