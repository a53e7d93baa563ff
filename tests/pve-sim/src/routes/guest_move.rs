//! Guests as a whole: delete, grow a disk.
//!
//! Recorded are resize, and the refusal to delete what runs.
//! The other refusals are unrecorded.

use serde_json::{Value, json};

use super::{Call, Handler, cluster};
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, Guest, Kind, format_size, parse_size};
use crate::tasks::{Effect, Ending};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str, whole: bool) -> Option<Handler> {
    let qemu = room == "qemu";
    Some(match (method, below, qemu) {
        ("PUT", "resize", true) => |call: &mut Call<'_>| resize(call, Kind::Qemu),
        ("PUT", "resize", false) => |call: &mut Call<'_>| resize(call, Kind::Lxc),
        ("DELETE", "", true) if whole => |call: &mut Call<'_>| delete(call, Kind::Qemu),
        ("DELETE", "", false) if whole => |call: &mut Call<'_>| delete(call, Kind::Lxc),
        _ => return None,
    })
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
