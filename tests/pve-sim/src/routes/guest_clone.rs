//! Guests made of others: clones, and templates to clone.
//!
//! Recorded are a full clone of a template, and the making of a template. The
//! refusals, linked clones and clones of snapshots are unrecorded.

use serde_json::{Map, Value, json};

use super::guest_migrate::is_shared;
use super::{Call, Handler};
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, Guest, Kind};
use crate::tasks::{Effect, Ending};

/// The handler for a path below `/nodes/{node}/{qemu,lxc}/{vmid}`.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    Some(match (method, below, room == "qemu") {
        ("POST", "clone", true) => |call: &mut Call<'_>| clone(call, Kind::Qemu),
        ("POST", "clone", false) => |call: &mut Call<'_>| clone(call, Kind::Lxc),
        ("POST", "template", true) => |call: &mut Call<'_>| template(call, Kind::Qemu),
        ("POST", "template", false) => |call: &mut Call<'_>| template(call, Kind::Lxc),
        _ => return None,
    })
}

fn exists(kind: Kind, id: u32) -> String {
    format!("unable to create {} {id}: config file already exists", kind.title())
}

fn clone(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let source = guest.vmid;
    let id = call.params.integer("newid").unwrap_or(0) as u32;
    if call.cluster.guests.contains_key(&id) {
        return Err(Refusal::died(exists(kind, id)));
    }
    let full = if call.params.has("full") { call.params.flag("full") } else { !guest.template() };
    let target = match call.params.text("target") {
        Some(name) => call.cluster.node_index(name)?,
        None => call.node,
    };
    let config = config_of(call, guest)?;
    may_be_cloned(call, guest, full, target != call.node)?;
    call.quorum()?;
    let mut copy = copy_of(guest, config, id, full.then(|| call.params.text("storage")));
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
    // A VM's new configuration is written by the task, a container's before it.
    if kind == Kind::Lxc {
        call.cluster.guests.insert(id, copy.clone());
    }
    let effect: Effect = Box::new(move |cluster, _| {
        if kind == Kind::Qemu && cluster.guests.contains_key(&id) {
            return Err(exists(kind, id));
        }
        copy.lock = None;
        cluster.guests.insert(id, copy);
        Ok(Ending::default())
    });
    let word = if full { "full" } else { "linked" };
    let log = vec![format!("create {word} clone of drives of {} {source}", kind.title())];
    call.start_task(format!("{}clone", kind.task()), source, 2.0, log, effect)
}

/// What is cloned: as the guest is written, or as it was at a snapshot.
fn config_of(call: &Call<'_>, guest: &Guest) -> Result<Map<String, Value>, Refusal> {
    let Some(name) = call.params.text("snapname") else { return Ok(guest.config.clone()) };
    let snapshot = guest.snapshots.iter().find(|snapshot| snapshot.name == name);
    let snapshot = snapshot.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
    Ok(snapshot.config.clone())
}

fn may_be_cloned(call: &Call<'_>, guest: &Guest, full: bool, elsewhere: bool) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::died(text));
    let storage = call.params.text("storage");
    if storage.is_some() && !full {
        return refuse("parameter 'storage' not allowed for linked clones".to_owned());
    }
    if let Some(name) = storage {
        let found = call.cluster.storages.iter().find(|entry| entry.name == name);
        let Some(found) = found else { return refuse(format!("storage '{name}' does not exist")) };
        if elsewhere && !found.shared {
            return refuse(format!("can't clone to non-shared storage '{name}'"));
        }
    }
    let disks = guest.disks();
    if elsewhere && disks.iter().any(|disk| !is_shared(call.cluster, &disk.1)) {
        return refuse(format!("can't clone {} to node (VM uses local storage)", guest.kind.title()));
    }
    if full && guest.kind == Kind::Lxc && guest.running.is_some() && !call.params.has("snapname") {
        return refuse("Cannot do full clones on a running container without snapshots".to_owned());
    }
    match disks.first() {
        Some((key, volume, _)) if !full && !guest.template() => refuse(match guest.kind {
            Kind::Qemu => format!("Linked clone feature is not supported for drive '{key}'"),
            Kind::Lxc => format!("Linked clone feature for '{volume}' is not available"),
        }),
        _ => Ok(()),
    }
}

/// A copy with volumes and addresses of its own, still locked. `copied` is
/// where its disks are copied to, where they are and that is told.
fn copy_of(guest: &Guest, config: Map<String, Value>, id: u32, copied: Option<Option<&str>>) -> Guest {
    let mut copy = guest.clone();
    copy.vmid = id;
    copy.running = None;
    copy.snapshots.clear();
    copy.lock = Some("clone".to_owned());
    copy.config = config;
    copy.config.remove("template");
    for (key, value) in &mut copy.config {
        let Some(text) = value.as_str() else { continue };
        if text.contains("-disk-") {
            *value = json!(volume_of(text, guest.vmid, id, copied));
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

/// A disk of the clone. One that is based on a template's has that in its name,
/// but on thin LVM, which does not tell.
fn volume_of(text: &str, old: u32, id: u32, copied: Option<Option<&str>>) -> String {
    let (volume, rest) = text.split_once(',').unwrap_or((text, ""));
    let own = volume.replace(&old.to_string(), &id.to_string()).replace("base-", "vm-");
    let own = match copied {
        Some(None) => own,
        Some(Some(storage)) => {
            let name = own.split_once(':').map_or(own.as_str(), |(_, name)| name);
            let last = name.rsplit('/').next().unwrap_or(name);
            let stem = last.split('.').next().unwrap_or(last);
            if storage == "shared-nfs" { format!("{storage}:{id}/{last}") } else { format!("{storage}:{stem}") }
        }
        None if volume.starts_with("local-lvm:") => own,
        None => format!("{volume}/{}", own.split_once(':').map_or(own.as_str(), |(_, name)| name)),
    };
    if rest.is_empty() { own } else { format!("{own},{rest}") }
}

fn template(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let vmid = guest.vmid;
    if guest.template() {
        return Err(Refusal::died("you can't convert a template to a template"));
    }
    if !guest.snapshots.is_empty() {
        let title = kind.title();
        return Err(Refusal::died(format!("unable to create template, because {title} contains snapshots")));
    }
    if guest.running.is_some() {
        return Err(Refusal::died(format!(
            "you can't convert a {} to template if {} is running",
            kind.title(),
            kind.title()
        )));
    }
    call.quorum()?;
    let effect: Effect = Box::new(move |cluster: &mut Cluster, _| {
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        for value in guest.config.values_mut() {
            let Some(text) = value.as_str().filter(|text| text.contains("-disk-")) else { continue };
            *value = json!(text.replace(&format!("vm-{vmid}-"), &format!("base-{vmid}-")));
        }
        guest.config.insert("template".to_owned(), json!(1));
        Ok(Ending::default())
    });
    call.start_task(format!("{}template", kind.task()), vmid, 1.0, Vec::new(), effect)
}
