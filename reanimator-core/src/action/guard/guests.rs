//! One guest in full: its configuration, what it does at this moment, and where Proxmox says that it may go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::live::{Asked, whole};
use crate::{
    Result,
    collect::pve::{
        guest, guest_config, guest_devices, guest_live,
        lenient::{self, Fields},
        resources,
    },
    model::{
        Bytes, GuestId, GuestKind, HostId,
        facts::guest::{GuestDisk, GuestDiskKind},
        scene::{Preconditions, SceneDisk, SceneGuest},
    },
    transport::http::Request,
};

/// Reads a guest. `moving` asks Proxmox too whether it can be moved.
pub(super) async fn read(
    asked: &Asked<'_>,
    id: GuestId,
    known: SceneGuest,
    moving: bool,
) -> Result<(GuestId, SceneGuest)> {
    let (kind, vmid) = (known.kind, id.vmid());
    let Some(node) = asked.node(&known.host).map(str::to_owned) else { return Ok((id, known)) };
    let config = guest::config_request(&node, kind, vmid);
    let current = guest_live::status_request(&node, kind, vmid);
    let (config, current) = futures::join!(asked.call(config), asked.call(current));
    let mut guest = configured(known, &config?)?;
    happening(&mut guest, &current?)?;
    // Of one that is locked it says nothing; the lock itself speaks against it.
    if moving && guest.lock.is_none() {
        match asked.call(Request::get(["nodes", &node, kind.as_str(), vmid, "migrate"])).await {
            Ok(said) => guest.preconditions = Some(preconditions(asked, &said)?),
            Err(error) => locked_since(asked, &node, vmid, &mut guest).await.then_some(()).ok_or(error)?,
        }
    }
    Ok((id, guest))
}

/// Whether something has begun with a guest since it was looked at.
async fn locked_since(asked: &Asked<'_>, node: &str, vmid: &str, guest: &mut SceneGuest) -> bool {
    let Ok(current) = asked.call(guest_live::status_request(node, guest.kind, vmid)).await else { return false };
    happening(guest, &current).is_ok() && guest.lock.is_some()
}

/// What the configuration says.
fn configured(known: SceneGuest, data: &Value) -> Result<SceneGuest> {
    let kind = known.kind;
    let config = guest_config::config(data, kind)?;
    let disks = guest_devices::disks(data, &BTreeMap::new())?;
    let networks = guest_devices::networks(data, kind)?;
    // What is plugged in now may be less, and grow to it.
    let cpus = config.cores.map(|cores| cores.saturating_mul(config.sockets.unwrap_or(1)));
    let bound = config.passthrough.iter().filter(|device| !device.mapped && device.device.as_deref() != Some("spice"));
    let device = |device: &str, name: &str| format!("{name} ({device})");
    Ok(SceneGuest {
        memory: config.memory.map_or(known.memory, |mib| Bytes(mib.saturating_mul(1 << 20))),
        cpus: if kind == GuestKind::Qemu { cpus.or(known.cpus) } else { None },
        sockets: config.sockets.unwrap_or(1),
        disks: disks.iter().filter_map(disk).collect(),
        bridges: networks.into_iter().filter_map(|card| card.bridge).collect(),
        passthrough: bound.map(|each| device(each.device.as_deref().unwrap_or("?"), &each.name)).collect(),
        lock: config.lock,
        kept: config.protection,
        template: config.template,
        ..known
    })
}

/// A disk; an empty drive is none. Whether its storage is shared is for the scene to say.
fn disk(disk: &GuestDisk) -> Option<SceneDisk> {
    disk.volume.as_ref()?;
    let gib = |size: f64| Bytes(u64::from(whole(size * 1024.0)) << 20);
    Some(SceneDisk {
        name: disk.disk_name.clone(),
        storage: disk.storage.clone(),
        shared: false,
        // The drive that cloud-init reads is a few MiB, and tells no size.
        size: disk.size_gb.map(gib).or((disk.kind == GuestDiskKind::CloudInit).then_some(Bytes(4 << 20))),
        cdrom: disk.kind == GuestDiskKind::Cdrom,
    })
}

/// What it does at this moment.
fn happening(guest: &mut SceneGuest, data: &Value) -> Result<()> {
    let fields = lenient::object(data, "the guest's status")?;
    let word = fields.text("qmpstatus").filter(|word| matches!(word.as_str(), "paused" | "suspended" | "prelaunch"));
    guest.status = resources::status(word.or_else(|| fields.text("status")).as_deref());
    guest.lock = fields.text("lock").or(guest.lock.take());
    Ok(())
}

/// What Proxmox says of moving it. VMs and containers use other names for the same.
fn preconditions(asked: &Asked<'_>, data: &Value) -> Result<Preconditions> {
    let fields = lenient::object(data, "what Proxmox says of moving the guest")?;
    let host = |name: &str| asked.hosts.get(name).cloned();
    let allowed = fields.value("allowed_nodes").or_else(|| fields.value("allowed-nodes"));
    let allowed: Option<BTreeSet<HostId>> = allowed
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(lenient::text).filter_map(|name| host(&name)).collect());
    let refused = fields.object("not_allowed_nodes").or_else(|| fields.object("not-allowed-nodes"));
    let refused: BTreeMap<HostId, String> = refused
        .into_iter()
        .flat_map(Fields::iter)
        .filter_map(|(name, why)| Some((host(name)?, why_not(Fields::of(why)?))))
        .collect();
    let local_resources = fields.list("local_resources").iter().filter_map(lenient::text).collect();
    // Where it has no word for any node it says nothing of nodes.
    let allowed = allowed.filter(|allowed| !allowed.is_empty() || !refused.is_empty());
    Ok(Preconditions { allowed, refused, local_resources })
}

fn why_not(fields: Fields<'_>) -> String {
    let words = |name: &str| -> Vec<String> {
        let row = |value: &Value| Fields::of(value).map_or_else(|| lenient::text(value), |row| row.text("sid"));
        fields.list(name).iter().filter_map(row).collect()
    };
    let reasons = [
        ("these storages are not there:", words("unavailable_storages")),
        ("these mapped devices are not there:", words("unavailable-resources")),
        ("rules of high availability keep it apart from", words("blocking-ha-resources")),
    ];
    let reasons = reasons.into_iter().filter(|(_, names)| !names.is_empty());
    let reasons: Vec<String> = reasons.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
    if reasons.is_empty() { "it says no more".to_owned() } else { reasons.join("; ") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_tells_what_rules_need() {
        let config = json!({
            "memory": "4096", "cores": 2, "sockets": 2, "lock": "backup", "protection": 1,
            "scsi0": "ceph:vm-100-disk-0,size=32G", "ide2": "local:iso/x.iso,media=cdrom,size=512M", "ide3": "none,media=cdrom",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=5", "hostpci0": "0000:01:00.0", "usb0": "spice",
            "usb1": "mapping=stick",
        });
        let guest = configured(SceneGuest::default(), &config).unwrap();
        assert_eq!((guest.memory, guest.cpus, guest.sockets), (Bytes(4 << 30), Some(4), 2));
        let disks: Vec<_> = guest.disks.iter().map(|disk| (disk.name.as_str(), disk.size, disk.cdrom)).collect();
        assert_eq!(disks, [("ide2", Some(Bytes(512 << 20)), true), ("scsi0", Some(Bytes(32 << 30)), false)]);
        assert_eq!(guest.passthrough, ["hostpci0 (0000:01:00.0)"]);
        assert_eq!((guest.lock.as_deref(), guest.kept), (Some("backup"), true));
        assert_eq!(guest.bridges, ["vmbr0".to_owned()].into());
    }

    #[test]
    fn the_reasons_of_proxmox_become_words() {
        let why = json!({"unavailable_storages": ["fast"], "blocking-ha-resources": [{"sid": "vm:1", "cause": "resource-affinity"}]});
        let why = why_not(Fields::of(&why).unwrap());
        assert_eq!(why, "these storages are not there: fast; rules of high availability keep it apart from vm:1");
    }
}
