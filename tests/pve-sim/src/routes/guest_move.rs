//! Guests as a whole: migrate, delete, grow a disk.
//!
//! Recorded are the preconditions of a migration and a migration's list entry,
//! resize, and the refusal to delete what runs.
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
        ("PUT", "resize", true) => |call: &mut Call<'_>| resize(call, Kind::Qemu),
        ("PUT", "resize", false) => |call: &mut Call<'_>| resize(call, Kind::Lxc),
        ("DELETE", "", true) if whole => |call: &mut Call<'_>| delete(call, Kind::Qemu),
        ("DELETE", "", false) if whole => |call: &mut Call<'_>| delete(call, Kind::Lxc),
        _ => return None,
    })
}

pub(super) fn is_shared(cluster: &Cluster, volume: &str) -> bool {
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
        if let Some(running) = &mut guest.running {
            running.live.insert(key.clone(), json!(changed));
        }
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
    if guest.config.get("protection").is_some_and(|value| crate::params::plain(value) == "1") {
        return Err(Refusal::died(format!("can't remove {} {vmid} - protection mode enabled", kind.title())));
    }
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
        if let Some(volume) = cluster.guests.get(&vmid).and_then(|guest| base_in_use(cluster, guest)) {
            cluster.guests.entry(vmid).and_modify(|guest| guest.lock = None);
            return Err(format!("base volume '{volume}' is still in use by linked cloned"));
        }
        cluster.guests.remove(&vmid);
        cluster.ha.resources.remove(&sid);
        Ok(Ending::default())
    });
    call.start_task(format!("{}destroy", kind.task()), vmid, 1.0, Vec::new(), effect)
}

/// A volume of a template that disks of others are based on.
fn base_in_use(cluster: &Cluster, guest: &Guest) -> Option<String> {
    let bases = guest.disks().into_iter().map(|disk| disk.1).filter(|_| guest.template());
    let others = || cluster.guests.values().flat_map(Guest::disks);
    bases.into_iter().find(|base| others().any(|disk| disk.1.starts_with(&format!("{base}/"))))
}
