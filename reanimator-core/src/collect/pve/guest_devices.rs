//! A guest's disks and network cards, out of its configuration.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, Options, cut, is_mac, number_after, size_gb},
    volumes::StorageConfig,
};
use crate::{
    Result,
    model::{
        GuestKind,
        facts::guest::{GuestDisk, GuestDiskKind, GuestNetwork},
    },
};

/// Whether a setting is a disk, drive or mount point.
pub(super) fn is_disk(name: &str) -> bool {
    let numbered = ["scsi", "virtio", "sata", "ide", "efidisk", "tpmstate", "mp", "unused"];
    name == "rootfs" || numbered.iter().any(|stem| number_after(name, stem).is_some())
}

/// Whether a volume is the drive that cloud-init reads.
pub(super) fn is_cloud_init(volume: &str) -> bool {
    let name = volume.rsplit([':', '/']).next().unwrap_or_default();
    name.contains("-cloudinit") || name == "cloudinit"
}

/// Reads the disks of a configuration; `storages` tells which of them are ZFS datasets.
///
/// # Errors
/// When the configuration is no object.
pub fn disks(data: &Value, storages: &BTreeMap<String, StorageConfig>) -> Result<Vec<GuestDisk>> {
    let fields = lenient::object(data, "the guest's configuration")?;
    let mut disks: Vec<GuestDisk> = fields
        .iter()
        .filter(|(name, _)| is_disk(name))
        .filter_map(|(name, value)| Some(disk(name, value.as_str()?, storages)))
        .take(LIST_LIMIT)
        .collect();
    disks.sort_by_key(|disk| place(&disk.disk_name));
    Ok(disks)
}

/// Sorts `scsi10` behind `scsi2`, and what is not attached last.
fn place(name: &str) -> (bool, String, u16) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (
        stem == "unused",
        if stem == "rootfs" { String::new() } else { stem.to_owned() },
        number_after(name, stem).unwrap_or(0),
    )
}

fn disk(name: &str, text: &str, storages: &BTreeMap<String, StorageConfig>) -> GuestDisk {
    let options = Options::of(text);
    let source = options.first.or_else(|| options.get("file")).or_else(|| options.get("volume")).unwrap_or("none");
    let (storage, volume) = match source.split_once(':') {
        _ if source == "none" => (None, None),
        Some((storage, volume)) if !source.starts_with('/') => (cut(storage), cut(volume)),
        _ => (None, cut(source)),
    };
    let format = options.text("format").or_else(|| {
        let (_, ending) = volume.as_deref()?.rsplit_once('.')?;
        ["raw", "qcow2", "vmdk", "subvol", "iso"].contains(&ending).then(|| ending.to_owned())
    });
    GuestDisk {
        disk_name: name.to_owned(),
        kind: kind(name, source, &options, storage.is_some()),
        dataset: dataset(storage.as_deref(), volume.as_deref(), storages),
        size_gb: options.get("size").and_then(size_gb),
        used_gb: None,
        format,
        mount_point: options.text("mp").or_else(|| (name == "rootfs").then(|| "/".to_owned())),
        cache: options.text("cache"),
        ssd: options.flag("ssd"),
        discard: options.get("discard").map(|word| word == "on" || word == "1"),
        iothread: options.flag("iothread"),
        read_only: options.flag("ro"),
        backup: options.flag("backup"),
        replicate: options.flag("replicate"),
        storage,
        volume,
    }
}

fn kind(name: &str, source: &str, options: &Options<'_>, on_storage: bool) -> GuestDiskKind {
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        _ if is_cloud_init(source) => GuestDiskKind::CloudInit,
        _ if options.get("media") == Some("cdrom") => GuestDiskKind::Cdrom,
        "efidisk" => GuestDiskKind::Efi,
        "tpmstate" => GuestDiskKind::Tpm,
        "rootfs" => GuestDiskKind::RootFs,
        "mp" if on_storage => GuestDiskKind::MountPoint,
        "mp" => GuestDiskKind::BindMount,
        "unused" => GuestDiskKind::Unused,
        _ => GuestDiskKind::Disk,
    }
}

/// The dataset of a volume on a ZFS pool: the pool and the last part of the volume's name (a linked clone's has its
/// template before it).
fn dataset(storage: Option<&str>, volume: Option<&str>, storages: &BTreeMap<String, StorageConfig>) -> Option<String> {
    let known = storages.get(storage?).filter(|known| known.kind == "zfspool")?;
    Some(format!("{}/{}", known.pool.as_deref()?, volume?.rsplit('/').next()?))
}

/// Reads the network cards of a configuration.
///
/// # Errors
/// When the configuration is no object.
pub fn networks(data: &Value, kind: GuestKind) -> Result<Vec<GuestNetwork>> {
    let fields = lenient::object(data, "the guest's configuration")?;
    let mut cards: Vec<(u16, GuestNetwork)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let number = number_after(name, "net")?;
            Some((number, network(fields, number, name, value.as_str()?, kind)))
        })
        .take(LIST_LIMIT)
        .collect();
    cards.sort_by_key(|(number, _)| *number);
    Ok(cards.into_iter().map(|(_, card)| card).collect())
}

fn network(fields: Fields<'_>, number: u16, id: &str, text: &str, kind: GuestKind) -> GuestNetwork {
    let options = Options::of(text);
    // A VM's addresses stand in its cloud-init settings.
    let settings = fields.text(&format!("ipconfig{number}")).unwrap_or_default();
    let addresses = match kind {
        GuestKind::Qemu => Options::of(&settings),
        GuestKind::Lxc => options.clone(),
    };
    let by_model = options.named().find(|(_, value)| is_mac(value));
    let model = match kind {
        GuestKind::Lxc => options.text("type").or_else(|| Some("veth".to_owned())),
        GuestKind::Qemu => {
            let named = by_model.map(|(name, _)| name).filter(|name| *name != "macaddr");
            options.text("model").or(named.or(options.first).and_then(cut))
        }
    };
    GuestNetwork {
        id: id.to_owned(),
        name: options.text("name"),
        bridge: options.text("bridge"),
        model,
        mac: by_model.map(|(_, mac)| mac.to_ascii_lowercase()),
        vlan: options.number("tag"),
        trunks: options.text("trunks"),
        firewall: options.flag("firewall").unwrap_or(false),
        link_down: options.flag("link_down").unwrap_or(false),
        rate_mb_per_second: options.number("rate").filter(|rate: &f64| rate.is_finite() && *rate > 0.0),
        mtu_bytes: options.number("mtu"),
        ip: addresses.text("ip"),
        gateway: addresses.text("gw"),
        ip6: addresses.text("ip6"),
        gateway6: addresses.text("gw6"),
        ipv4: Vec::new(),
        ipv6: Vec::new(),
    }
}
