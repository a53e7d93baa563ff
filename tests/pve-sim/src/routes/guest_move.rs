//! Guests as a whole: clone, delete, make a template, grow a disk.
//!
//! Recorded are clone, template, resize, and the refusal to delete what runs.
//! The other refusals are unrecorded.

use serde_json::{Value, json};

use super::guest_migrate::is_shared;
use super::{Call, Handler, cluster};
use crate::refusal::{Answer, Refusal};
use crate::state::{Guest, Kind, format_size, parse_size};
use crate::tasks::{Effect, Ending};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str, whole: bool) -> Option<Handler> {
    let qemu = room == "qemu";
    Some(match (method, below, qemu) {
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
