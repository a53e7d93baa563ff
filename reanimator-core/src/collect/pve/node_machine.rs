//! What a node is built of: `/nodes/{node}/status`, `hardware/{pci,usb}`, `disks/list`, `disks/zfs`, `network`.

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, NOTES_LIMIT, cut, cut_at},
};
use crate::{
    Result,
    model::{
        Bytes,
        facts::pve_node::{
            NodeCpu, NodeDisk, NodeInterface, NodeInventory, NodePciDevice, NodeUsbDevice, NodeZfsDevice, NodeZfsPool,
        },
    },
    transport::http::Request,
};

/// Flags of processors that tell what can run on them.
const FLAGS: [&str; 8] = ["vmx", "svm", "aes", "sha_ni", "avx", "avx2", "avx512f", "hypervisor"];

/// How deep the devices of a pool are read: a pool has two layers or three.
const ZFS_DEPTH: usize = 8;

/// What to ask for PCI devices; Proxmox leaves out memory, bridges and processors. Needs `Sys.Audit` or `Sys.Modify` on `/`.
pub fn pci_request(node: &str) -> Request {
    Request::get(["nodes", node, "hardware", "pci"])
}

/// What to ask for USB devices. Needs `Sys.Modify` on `/`.
pub fn usb_request(node: &str) -> Request {
    Request::get(["nodes", node, "hardware", "usb"])
}

/// What to ask for disks with their health. Needs `Sys.Audit` on `/nodes/{node}`; the node asks each disk.
pub fn disks_request(node: &str) -> Request {
    Request::get(["nodes", node, "disks", "list"])
}

/// What to ask for ZFS pools. Needs `Sys.Audit` on `/`.
pub fn zfs_request(node: &str) -> Request {
    Request::get(["nodes", node, "disks", "zfs"])
}

/// What to ask for one ZFS pool. Needs `Sys.Audit` on `/`.
pub fn zfs_pool_request(node: &str, pool: &str) -> Request {
    Request::get(["nodes", node, "disks", "zfs", pool])
}

/// Reads processors, versions and the way it booted from a node's status into `facts`.
///
/// # Errors
/// When the answer is no object.
pub fn status_into(data: &Value, facts: &mut NodeInventory) -> Result<()> {
    let status = super::node::node_status(data)?;
    let fields = lenient::object(data, "the node's status")?;
    let boot = fields.object("boot-info");
    facts.cpu = fields.object("cpuinfo").map(cpu);
    facts.boot_mode = boot.and_then(|boot| boot.text("mode")).as_deref().and_then(cut);
    facts.secure_boot = boot.and_then(|boot| boot.flag("secureboot"));
    facts.ksm_shared_bytes = fields.object("ksm").and_then(|ksm| ksm.count("shared"));
    facts.proxmox_version = status.version.as_deref().and_then(cut);
    facts.kernel = status.kernel.as_deref().and_then(cut);
    Ok(())
}

fn cpu(fields: Fields<'_>) -> NodeCpu {
    let small = |name: &str| fields.count(name).filter(|count| *count > 0).and_then(|count| u32::try_from(count).ok());
    let flags = fields.text("flags");
    let has = |flag: &&&str| flags.iter().flat_map(|flags| flags.split_whitespace()).any(|word| word == **flag);
    let sockets = small("sockets");
    NodeCpu {
        model: fields.text("model").as_deref().and_then(cut),
        sockets,
        // Proxmox adds up the cores of all sockets.
        cores: small("cores").map(|cores| (cores / sockets.unwrap_or(1)).max(1)),
        threads: small("cpus"),
        mhz: fields.number("mhz").filter(|mhz| *mhz > 0.0),
        // `hvm` is 1, or an empty text.
        virtualization: flags.is_some().then(|| fields.flag("hvm").unwrap_or(false)),
        flags: FLAGS.iter().filter(has).map(|flag| (*flag).to_owned()).collect(),
    }
}

/// Reads PCI devices.
///
/// # Errors
/// When the answer is no list.
pub fn pci(data: &Value) -> Result<Vec<NodePciDevice>> {
    let number = |row: Fields<'_>, name: &str| row.text(name).map(|text| text.trim_start_matches("0x").to_owned());
    let device = |row: Fields<'_>| {
        Some(NodePciDevice {
            address: row.text("id").as_deref().and_then(cut)?,
            class: row.text("class").as_deref().and_then(cut),
            vendor: row.text("vendor_name").as_deref().and_then(cut),
            device: row.text("device_name").as_deref().and_then(cut),
            ids: number(row, "vendor").zip(number(row, "device")).and_then(|(a, b)| cut(&format!("{a}:{b}"))),
            iommu_group: row.count("iommugroup").and_then(|group| u32::try_from(group).ok()),
            mediated: row.flag("mdev").unwrap_or(false),
        })
    };
    list(data, "the PCI devices", device)
}

/// Reads USB devices, without hubs.
///
/// # Errors
/// When the answer is no list.
pub fn usb(data: &Value) -> Result<Vec<NodeUsbDevice>> {
    let device = |row: Fields<'_>| {
        Some(NodeUsbDevice {
            address: format!("{}-{}", row.count("busnum")?, row.count("devnum")?),
            ids: row.text("vendid").zip(row.text("prodid")).and_then(|(a, b)| cut(&format!("{a}:{b}"))),
            vendor: row.text("manufacturer").as_deref().and_then(cut),
            device: row.text("product").as_deref().and_then(cut),
            serial: row.text("serial").as_deref().and_then(cut),
            speed_mbps: row.number("speed").filter(|speed| *speed > 0.0),
        })
        // Class 9 is a hub.
        .filter(|_| row.count("class") != Some(9))
    };
    list(data, "the USB devices", device)
}

/// Reads whole disks; partitions, where they are told too, are left out.
///
/// # Errors
/// When the answer is no list.
pub fn disks(data: &Value) -> Result<Vec<NodeDisk>> {
    let known = |row: Fields<'_>, name: &str| row.text(name).as_deref().and_then(cut).filter(|text| text != "unknown");
    let disk = |row: Fields<'_>| {
        Some(NodeDisk {
            name: cut(row.text("devpath")?.trim_start_matches("/dev/"))?,
            kind: known(row, "type"),
            model: known(row, "model"),
            vendor: known(row, "vendor"),
            serial: known(row, "serial"),
            size_bytes: row.count("size").map(Bytes),
            health: row.text("health").as_deref().and_then(cut),
            // Proxmox counts what is left of a disk's life; one that does not tell has "N/A".
            wear_percent: row.number("wearout").map(|left| (100.0 - left).clamp(0.0, 100.0)),
            used_for: row.text("used").as_deref().and_then(cut),
            rpm: row.number("rpm").filter(|rpm| (1.0..100_000.0).contains(rpm)).map(|rpm| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within range before")]
                let whole = rpm as u32;
                whole
            }),
        })
        .filter(|_| row.value("parent").is_none())
    };
    list(data, "the disks", disk)
}

/// Reads ZFS pools.
///
/// # Errors
/// When the answer is no list.
pub fn zfs(data: &Value) -> Result<Vec<NodeZfsPool>> {
    let pool = |row: Fields<'_>| {
        Some(NodeZfsPool {
            name: row.text("name").as_deref().and_then(cut)?,
            health: row.text("health").as_deref().and_then(cut),
            size_bytes: row.count("size").map(Bytes),
            allocated_bytes: row.count("alloc").map(Bytes),
            fragmentation_percent: row.number("frag").filter(|share| (0.0..=100.0).contains(share)),
            deduplication: row.number("dedup").filter(|times| *times >= 0.0),
            ..NodeZfsPool::default()
        })
    };
    list(data, "the ZFS pools", pool)
}

/// Reads what one pool says of itself and of its devices into `pool`.
///
/// # Errors
/// When the answer is no object.
pub fn zfs_pool_into(data: &Value, pool: &mut NodeZfsPool) -> Result<()> {
    let fields = lenient::object(data, "the ZFS pool")?;
    let text = |name: &str| fields.text(name).and_then(|text| cut_at(&text, NOTES_LIMIT));
    pool.scan = text("scan");
    pool.status = text("status");
    pool.action = text("action");
    pool.errors = text("errors");
    collect_troubled(fields, 0, &mut pool.troubled);
    Ok(())
}

fn collect_troubled(fields: Fields<'_>, depth: usize, troubled: &mut Vec<NodeZfsDevice>) {
    for row in fields.list("children").iter().filter_map(Fields::of) {
        let state = row.text("state").as_deref().and_then(cut);
        let errors = ["read", "write", "cksum"].map(|name| row.count(name));
        let is_fine = state.as_deref().is_none_or(|state| matches!(state, "ONLINE" | "AVAIL"));
        let is_leaf = row.list("children").is_empty();
        // A group is as its devices are: they say which of them it is.
        if is_leaf && (!is_fine || errors.iter().flatten().any(|count| *count > 0)) && troubled.len() < LIST_LIMIT {
            troubled.extend(row.text("name").as_deref().and_then(cut).map(|name| NodeZfsDevice {
                name,
                state,
                read_errors: errors[0],
                write_errors: errors[1],
                checksum_errors: errors[2],
                message: row.text("msg").as_deref().and_then(cut),
            }));
        }
        if depth < ZFS_DEPTH {
            collect_troubled(row, depth + 1, troubled);
        }
    }
}

/// Reads interfaces as they are configured.
///
/// # Errors
/// When the answer is no list.
pub fn interfaces(data: &Value) -> Result<Vec<NodeInterface>> {
    let texts = |row: Fields<'_>, names: [&str; 2]| -> Vec<String> {
        names.into_iter().filter_map(|name| cut(&row.text(name)?)).collect()
    };
    let interface = |row: Fields<'_>| {
        let name = row.text("iface").as_deref().and_then(cut)?;
        let small = |name: &str| row.count(name).and_then(|count| u16::try_from(count).ok());
        let comments = [row.text("comments"), row.text("comments6")].into_iter().flatten().collect::<String>();
        Some(NodeInterface {
            kind: row.text("type").as_deref().and_then(cut),
            active: row.flag("active").unwrap_or(false),
            autostart: row.flag("autostart").unwrap_or(false),
            addresses: texts(row, ["cidr", "cidr6"]),
            gateways: texts(row, ["gateway", "gateway6"]),
            method: row.text("method").as_deref().and_then(cut),
            bridge_ports: words(row.text("bridge_ports").or_else(|| row.text("ovs_ports"))),
            vlan_aware: row.flag("bridge_vlan_aware").unwrap_or(false),
            bond_members: words(row.text("slaves").or_else(|| row.text("ovs_bonds"))),
            bond_mode: row.text("bond_mode").as_deref().and_then(cut),
            vlan: small("vlan-id").or_else(|| small("ovs_tag")),
            vlan_device: row.text("vlan-raw-device").as_deref().and_then(cut),
            mtu_bytes: row.count("mtu").and_then(|mtu| u32::try_from(mtu).ok()),
            comments: cut_at(&comments, NOTES_LIMIT),
            name,
        })
    };
    list(data, "the node's interfaces", interface)
}

fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split_whitespace().filter(|word| *word != "none").filter_map(cut).take(LIST_LIMIT).collect()
}

/// The rows of a list, each read by `read`.
pub(super) fn list<T>(data: &Value, what: &str, read: impl Fn(Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
    Ok(lenient::rows(data, what)?.into_iter().filter_map(read).take(LIST_LIMIT).collect())
}
