//! What Proxmox itself says of a migration before it begins: `/nodes/{node}/{qemu,lxc}/{vmid}/migrate`, and the storages of
//! a node: `/nodes/{node}/storage`.
//!
//! The two kinds of guests spell their answers differently (`allowed_nodes`, `allowed-nodes`), and a container's says
//! nothing of its disks: those are read from its configuration.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    guest_devices::is_cloud_init,
    lenient::{self, Fields},
    options::{LIST_LIMIT, cut},
};
use crate::{Result, model::GuestKind, transport::http::Request};

/// What to ask for what a migration meets. Needs `VM.Migrate` on `/vms/{vmid}`; a guest that is locked gets no answer.
pub fn request(node: &str, kind: GuestKind, vmid: &str, target: &str) -> Request {
    Request::get(["nodes", node, kind.as_str(), vmid, "migrate"]).param("target", target)
}

/// What to ask for the storages of a node. Shows those on which the login has `Datastore.Audit`.
pub fn storages_request(node: &str) -> Request {
    Request::get(["nodes", node, "storage"])
}

/// What a migration meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// Whether the guest runs.
    pub running: bool,
    /// Why it cannot go to a node, in words, by node. A node that is not here is allowed.
    pub hindered: BTreeMap<String, Vec<Hindrance>>,
    /// Volumes on storage of its node; of a container nothing is told.
    pub local_disks: Vec<LocalDisk>,
    /// Settings that use a device of its node: `hostpci0`, `usb1`.
    pub local_devices: Vec<String>,
    /// Those of them that other nodes have too, under the same name.
    pub mapped_devices: Vec<String>,
    /// What high availability moves with it, as it is to stay together: `vm:101`.
    pub together_with: Vec<String>,
}

/// What keeps a guest from a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Storages that it uses and the node has not.
    Storages(Vec<String>),
    /// Mapped devices that the node has not.
    Devices(Vec<String>),
    /// What high availability wants apart from it, or elsewhere: `vm:101 (resource-affinity)`.
    HighAvailability(Vec<String>),
}

/// A volume on storage of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalDisk {
    /// With its storage: `local-lvm:vm-100-disk-0`.
    pub volume: String,
    /// Whether it is an image in a CD drive.
    pub cdrom: bool,
}

impl LocalDisk {
    /// The storage it lies on.
    pub fn storage(&self) -> &str {
        self.volume.split(':').next().unwrap_or_default()
    }
}

/// Reads the preconditions of a guest's migration.
///
/// # Errors
/// When the answer is no object.
pub fn preconditions(data: &Value) -> Result<Preconditions> {
    let fields = lenient::object(data, "the preconditions of a migration")?;
    let either = |name: &str| fields.object(name).or_else(|| fields.object(&name.replace('_', "-")));
    let hindered = either("not_allowed_nodes").map(|nodes| {
        let row = |(node, value): (&str, &Value)| Some((node.to_owned(), hindrances(Fields::of(value)?)));
        nodes.iter().filter_map(row).take(LIST_LIMIT).collect()
    });
    let mapped = fields.object("mapped-resource-info").into_iter().flat_map(Fields::iter);
    let mut mapped_devices: Vec<String> = mapped.map(|(name, _)| name.to_owned()).take(LIST_LIMIT).collect();
    for name in texts(fields.list("mapped-resources")) {
        if !mapped_devices.contains(&name) {
            mapped_devices.push(name);
        }
    }
    Ok(Preconditions {
        running: fields.flag("running").unwrap_or(false),
        hindered: hindered.unwrap_or_default(),
        local_disks: fields.list("local_disks").iter().filter_map(local_disk).take(LIST_LIMIT).collect(),
        local_devices: texts(fields.list("local_resources")),
        mapped_devices,
        together_with: texts(fields.list("dependent-ha-resources")),
    })
}

fn hindrances(fields: Fields<'_>) -> Vec<Hindrance> {
    let blocking = fields.list("blocking-ha-resources").iter().filter_map(|row| {
        let row = Fields::of(row)?;
        Some(format!("{} ({})", row.text("sid")?, row.text("cause").unwrap_or_default()))
    });
    let storages = texts(fields.list("unavailable_storages"));
    let devices = texts(fields.list("unavailable-resources"));
    let blocking: Vec<String> = blocking.take(LIST_LIMIT).collect();
    [Hindrance::Storages(storages), Hindrance::Devices(devices), Hindrance::HighAvailability(blocking)]
        .into_iter()
        .filter(|hindrance| !hindrance.names().is_empty())
        .collect()
}

impl Hindrance {
    /// What is in the way.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Storages(names) | Self::Devices(names) | Self::HighAvailability(names) => names,
        }
    }
}

/// An empty drive is none, and cloud-init's is made anew there.
fn local_disk(row: &Value) -> Option<LocalDisk> {
    let row = Fields::of(row)?;
    let volume = row.text("volid").filter(|volume| volume != "none")?;
    let cloud_init = row.flag("is_cloudinit").unwrap_or(false) || is_cloud_init(&volume);
    (!cloud_init).then(|| LocalDisk { cdrom: row.flag("cdrom").unwrap_or(false), volume })
}

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|value| cut(value.as_str()?)).take(LIST_LIMIT).collect()
}

/// A storage as one node has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStorage {
    /// What it may hold: `images`, `rootdir`.
    pub content: Vec<String>,
    /// Whether all nodes see the same on it.
    pub shared: bool,
    /// Whether it can be used.
    pub active: bool,
}

/// Reads the storages of a node, by name.
///
/// # Errors
/// When the answer is no list.
pub fn storages(data: &Value) -> Result<BTreeMap<String, NodeStorage>> {
    let storage = |row: Fields<'_>| {
        let content = row.text("content").unwrap_or_default();
        Some((
            row.text("storage")?,
            NodeStorage {
                content: content.split(',').filter_map(cut).take(LIST_LIMIT).collect(),
                shared: row.flag("shared").unwrap_or(false),
                active: row.flag("active").unwrap_or(true) && row.flag("enabled").unwrap_or(true),
            },
        ))
    };
    Ok(lenient::rows(data, "the node's storages")?.into_iter().filter_map(storage).take(LIST_LIMIT).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use serde_json::json;

    use super::*;

    /// Recorded on a node that stands alone, with a disk on its own storage.
    #[test]
    fn a_running_vm_with_a_disk_of_its_node() {
        let read = preconditions(&json!({
            "mapped-resource-info": {}, "local_resources": [], "running": 1, "allowed_nodes": [],
            "local_disks": [{
                "is_unused": 0, "drivename": "scsi0", "cdrom": 0, "is_tpmstate": 0, "is_cloudinit": 0,
                "size": 1_073_741_824, "volid": "local:100/vm-100-disk-0.qcow2", "replicate": 1, "shared": 0,
                "is_vmstate": 0, "is_attached": 1
            }],
            "not_allowed_nodes": {}, "mapped-resources": [], "has-dbus-vmstate": 1
        }))
        .unwrap();
        let disk = LocalDisk { volume: "local:100/vm-100-disk-0.qcow2".into(), cdrom: false };
        assert_eq!(disk.storage(), "local");
        assert_eq!(read, Preconditions { running: true, local_disks: vec![disk], ..Preconditions::default() });
    }

    /// In the shape of the API's description; unrecorded.
    #[test]
    fn what_is_in_the_way_is_told_by_node() {
        let read = preconditions(&json!({
            "running": 0,
            "not_allowed_nodes": {
                "pve2": { "unavailable_storages": ["tank"], "unavailable-resources": ["hostpci0"] },
                "pve3": { "blocking-ha-resources": [{ "sid": "vm:101", "cause": "resource-affinity" }] },
                "pve4": {}
            },
            "local_resources": ["hostpci0", "usb1"],
            "mapped-resource-info": { "hostpci0": { "name": "gpu" } },
            "local_disks": [
                { "volid": "local:iso/debian.iso", "cdrom": 1 }, { "volid": "none", "cdrom": 1 },
                { "volid": "local-lvm:vm-100-cloudinit", "cdrom": 1 }
            ],
            "dependent-ha-resources": ["vm:102"]
        }))
        .unwrap();
        let names = |text: &str| vec![text.to_owned()];
        assert_eq!(read.hindered["pve2"], [Hindrance::Storages(names("tank")), Hindrance::Devices(names("hostpci0"))]);
        assert_eq!(read.hindered["pve3"], [Hindrance::HighAvailability(names("vm:101 (resource-affinity)"))]);
        assert_eq!(read.hindered["pve4"], []);
        assert_eq!((read.local_devices.len(), read.mapped_devices), (2, names("hostpci0")));
        assert_eq!(read.local_disks, [LocalDisk { volume: "local:iso/debian.iso".into(), cdrom: true }]);
        assert_eq!(read.together_with, ["vm:102"]);
    }

    #[test]
    fn a_containers_answer_is_spelt_otherwise() {
        let blocked = json!({ "blocking-ha-resources": [{ "sid": "ct:103", "cause": "node-affinity" }] });
        let read = preconditions(
            &json!({ "running": 1, "allowed-nodes": ["pve3"], "not-allowed-nodes": { "pve2": blocked } }),
        )
        .unwrap();
        assert!(read.running && read.hindered.contains_key("pve2"));
        assert!(preconditions(&json!([])).is_err());
    }

    #[test]
    fn a_storage_that_is_off_is_no_use() {
        let read = storages(&json!([
            { "storage": "local", "content": "images,iso", "active": 1, "enabled": 1, "shared": 0 },
            { "storage": "nfs", "content": "rootdir", "active": 0, "enabled": 1, "shared": 1 }
        ]))
        .unwrap();
        assert!(read["local"].active && !read["local"].shared && read["local"].content.contains(&"images".to_owned()));
        assert!(!read["nfs"].active && read["nfs"].shared);
    }
}
