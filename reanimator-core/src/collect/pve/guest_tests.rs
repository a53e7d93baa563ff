//! What is read of guests, against answers of the genuine code. The guest agent's answers were not recorded: they are
//! the examples of the QEMU Guest Agent Protocol Reference, in the wrapper that the API puts around them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{guest_config, guest_devices, guest_inside, guest_live, tests::anything, volumes};
use crate::model::{
    GuestKind::{Lxc, Qemu},
    facts::guest::{GuestDiskKind, Stall},
};

macro_rules! recording {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/recordings/pve/",
            $name,
            ".json"
        )))
        .unwrap()["data"]
            .take()
    };
}

#[test]
fn a_vm_is_read_whole() {
    let data = recording!("qemu_config");
    let config = guest_config::config(&data, Qemu).unwrap();
    assert_eq!((config.cores, config.sockets, config.memory), (Some(1), Some(1), Some(768)));
    assert_eq!((config.bios.as_deref(), config.cpu_type.as_deref()), (Some("seabios"), Some("qemu64")));
    assert_eq!(config.boot_order, ["scsi0", "net0"]);
    assert_eq!(config.tags, ["db", "prod"]);
    assert!(config.onboot && !config.template && !config.protection);
    assert_eq!(config.description.as_deref(), Some("Test database VM\n\nline2 ünïcode"));
    assert_eq!(config.created_at.unwrap().as_second(), 1_795_226_678);
    let other: Vec<_> = config.other.keys().map(String::as_str).collect();
    assert_eq!(other, ["kvm", "smbios1"]);
    assert!(guest_config::has_agent(&data));
    let [disk] = guest_devices::disks(&data, &BTreeMap::new()).unwrap().try_into().unwrap();
    assert_eq!((disk.disk_name.as_str(), disk.storage.as_deref()), ("scsi0", Some("local")));
    assert_eq!((disk.volume.as_deref(), disk.format.as_deref()), (Some("100/vm-100-disk-0.qcow2"), Some("qcow2")));
    assert_eq!((disk.size_gb, disk.used_gb, disk.dataset), (Some(1.0), None, None));
    let [card] = guest_devices::networks(&data, Qemu).unwrap().try_into().unwrap();
    assert_eq!(
        (card.id.as_str(), card.model.as_deref(), card.bridge.as_deref()),
        ("net0", Some("virtio"), Some("vmbr0"))
    );
    assert_eq!((card.mac.as_deref(), card.firewall), (Some("bc:24:11:98:f3:13"), true));
}

#[test]
fn a_container_is_read_whole() {
    let data = recording!("lxc_config");
    let config = guest_config::config(&data, Lxc).unwrap();
    assert_eq!((config.cores, config.sockets, config.memory, config.swap_mb), (Some(1), None, Some(256), Some(0)));
    assert_eq!((config.bios, config.unprivileged, config.hostname.as_deref()), (None, Some(true), Some("web1")));
    assert_eq!(config.features, BTreeMap::from([("nesting".to_owned(), "1".to_owned())]));
    assert!(config.other.is_empty(), "{:?}", config.other);
    let [root] = guest_devices::disks(&data, &BTreeMap::new()).unwrap().try_into().unwrap();
    assert_eq!((root.kind, root.mount_point.as_deref(), root.size_gb), (GuestDiskKind::RootFs, Some("/"), Some(2.0)));
    let mut cards = guest_devices::networks(&data, Lxc).unwrap();
    assert_eq!((cards[0].name.as_deref(), cards[0].model.as_deref()), (Some("eth0"), Some("veth")));
    assert_eq!((cards[0].ip.as_deref(), cards[0].gateway.as_deref()), (Some("10.98.0.101/24"), Some("10.98.0.1")));
    assert_eq!(guest_inside::configured_addresses(&cards).all, ["10.98.0.101"]);
    let inside = guest_inside::interfaces(&recording!("lxc_interfaces")).unwrap();
    guest_inside::put_addresses(&mut cards, &inside);
    assert_eq!((cards[0].ipv4.as_slice(), cards[0].ipv6.len()), (&["10.98.0.101".to_owned()][..], 0));
    let all = guest_inside::all_addresses(&inside, "container");
    assert_eq!((all.all.as_slice(), all.source.as_deref()), (&["10.98.0.101".to_owned()][..], Some("container")));
    let second = guest_config::config(&recording!("lxc_config_102"), Lxc).unwrap();
    assert_eq!(second.description.as_deref(), Some("# dev ct\nwith *markdown*"));
}

#[test]
fn drives_devices_and_datasets_are_told_apart() {
    let storages = volumes::storages(&json!([
        {"storage": "local-zfs", "type": "zfspool", "pool": "rpool/data", "content": "images,rootdir", "sparse": 1},
        {"storage": "ceph", "type": "rbd", "pool": "vms", "content": "images"},
        {"storage": "nas", "type": "nfs", "content": "backup", "nodes": "pve1,pve2"},
    ]))
    .unwrap();
    assert!(storages["nas"].has_backups_for("pve1") && !storages["nas"].has_backups_for("pve3"));
    assert!(!storages["ceph"].has_backups_for("pve1"));
    let data = json!({
        "scsi10": "local-zfs:base-9000-disk-0/vm-100-disk-1,size=32G,ssd=1,discard=on,iothread=1,cache=writeback,backup=0,replicate=0",
        "scsi2": "ceph:vm-100-disk-2,size=512M",
        "ide2": "none,media=cdrom",
        "ide0": "local:iso/debian.iso,media=cdrom,size=600M",
        "ide3": "local-zfs:vm-100-cloudinit,media=cdrom",
        "efidisk0": "local-zfs:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1,size=1M",
        "tpmstate0": "local-zfs:vm-100-disk-3,size=4M,version=v2.0",
        "sata1": "/dev/disk/by-id/ata-X,size=1T",
        "unused0": "local-zfs:vm-100-disk-9",
        "virtio0": 7,
        "hostpci0": "0000:01:00,pcie=1", "hostpci1": "mapping=gpu", "usb0": "host=1234:5678", "usb1": "spice",
        "ciuser": "debian", "cipassword": "**********", "sshkeys": "ssh-ed25519%20AAA%0Assh-rsa%20BBB%0A",
        "net0": "e1000=BC:24:11:00:00:01,bridge=vmbr1,tag=12,rate=10,link_down=1", "ipconfig0": "ip=dhcp,ip6=auto",
        "agent": "enabled=0,fstrim_cloned_disks=1", "memory": "current=2048", "cpu": "cputype=host,flags=+aes",
    });
    let disks = guest_devices::disks(&data, &storages).unwrap();
    use GuestDiskKind::*;
    let told: Vec<_> = disks.iter().map(|disk| (disk.disk_name.as_str(), disk.kind)).collect();
    assert_eq!(
        told,
        [
            ("efidisk0", Efi),
            ("ide0", Cdrom),
            ("ide2", Cdrom),
            ("ide3", CloudInit),
            ("sata1", Disk),
            ("scsi2", Disk),
            ("scsi10", Disk),
            ("tpmstate0", Tpm),
            ("unused0", Unused)
        ]
    );
    let scsi10 = &disks[6];
    assert_eq!(scsi10.dataset.as_deref(), Some("rpool/data/vm-100-disk-1"));
    assert_eq!((scsi10.ssd, scsi10.discard, scsi10.backup), (Some(true), Some(true), Some(false)));
    assert_eq!((disks[5].dataset.as_deref(), disks[5].size_gb), (None, Some(0.5)));
    assert_eq!((disks[4].storage.as_deref(), disks[4].volume.as_deref()), (None, Some("/dev/disk/by-id/ata-X")));
    assert_eq!((disks[2].volume.as_deref(), disks[2].to_string().as_str()), (None, "empty"));
    let config = guest_config::config(&data, Qemu).unwrap();
    let devices: Vec<_> =
        config.passthrough.iter().map(|each| (each.device.as_deref().unwrap(), each.mapped)).collect();
    assert_eq!(devices, [("0000:01:00", false), ("gpu", true), ("1234:5678", false), ("spice", false)]);
    let cloud_init = config.cloud_init.unwrap();
    assert_eq!((cloud_init.has_password, cloud_init.ssh_keys), (true, 2));
    assert_eq!((config.memory, config.cpu_type.as_deref()), (Some(2048), Some("host")));
    assert!(!guest_config::has_agent(&data));
    assert!(!format!("{:?}", config.other).contains("**"), "{:?}", config.other);
    let card = &guest_devices::networks(&data, Qemu).unwrap()[0];
    assert_eq!((card.model.as_deref(), card.vlan, card.link_down), (Some("e1000"), Some(12), true));
    assert_eq!((card.ip.as_deref(), card.ip6.as_deref()), (Some("dhcp"), Some("auto")));
}

#[test]
fn only_what_waits_for_a_restart_is_pending() {
    let changes = guest_config::pending(&recording!("qemu_pending")).unwrap();
    let [memory] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(
        (memory.key.as_str(), memory.value.as_deref(), memory.pending.as_deref()),
        ("memory", Some("512"), Some("768"))
    );
    assert!(guest_config::pending(&recording!("lxc_pending")).unwrap().is_empty());
    let removed =
        json!([{"key": "net1", "value": "x", "delete": 1}, {"key": "cipassword", "value": "a", "pending": "b"}]);
    let changes = guest_config::pending(&removed).unwrap();
    assert_eq!((changes[0].pending.as_deref(), changes[1].delete), (Some("(not shown)"), true));
}

#[test]
fn figures_are_those_of_the_moment_and_pressure_is_seen_where_it_is() {
    let (vm, used) = guest_live::runtime(&recording!("qemu_status_running")).unwrap();
    assert_eq!((vm.cpu_percent, vm.mem_used_mb, vm.mem_total_mb), (Some(55.96), Some(183.36), Some(512.0)));
    assert_eq!((vm.netin_bytes, vm.uptime_seconds, used), (Some(1426), Some(881), None));
    assert_eq!((vm.diskread_bytes, vm.qmp_status.as_deref()), (None, Some("running")));
    assert_eq!(vm.pressure["cpu"], Stall { some_percent: Some(0.0), full_percent: Some(0.0) });
    let (container, used) = guest_live::runtime(&recording!("lxc_status")).unwrap();
    assert_eq!((container.pressure.len(), used), (0, Some(195_600_384)));
    assert!(!container.ha.unwrap().managed);
    assert!(guest_live::runtime(&recording!("qemu_status_stopped")).unwrap().0.running_qemu.is_none());
}

#[test]
fn the_present_state_is_no_snapshot() {
    let all = guest_live::snapshots(&recording!("qemu_snapshots")).unwrap();
    assert_eq!((all.count, all.current_parent.as_deref()), (1, Some("before-upgrade")));
    assert_eq!(all.list[0].taken_at.unwrap().as_second(), 1_795_227_059);
    assert_eq!(guest_live::snapshots(&recording!("lxc_snapshots")).unwrap().count, 0);
}

#[test]
fn volumes_of_others_are_left_out_and_backups_are_summed_up() {
    let newest = volumes::newest_backups(&recording!("node_storage_content")).unwrap();
    let only = newest["102"];
    assert_eq!((newest.len(), only.count, only.made_at.unwrap().as_second()), (1, 1, 1_795_227_061), "disks are none");
    let seen = volumes::content(&recording!("node_storage_content"), "102").unwrap();
    assert_eq!(seen.used, BTreeMap::from([("local:102/vm-102-disk-0.raw".to_owned(), 215_310_336)]));
    let at = Timestamp::from_second(1_795_227_061 + 60).unwrap();
    let doubled = seen.backups.iter().chain(&seen.backups).cloned().collect();
    let all = volumes::backups(doubled, at);
    assert_eq!((all.count, all.newest_age_seconds, all.total_gb), (1, Some(60), 0.05));
    assert_eq!((all.list[0].storage.as_str(), all.list[0].notes.as_deref()), ("local", Some("db2")));
}

#[test]
fn an_agent_tells_what_is_inside() {
    let system = guest_inside::agent_system(&json!({"result": {
        "id": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)", "version-id": "12",
        "pretty-name": "Debian GNU/Linux 12 (bookworm)", "machine": "x86_64", "kernel-release": "6.1.0-40-amd64",
        "kernel-version": "#1 SMP"}}))
    .unwrap();
    assert_eq!((system.version.as_deref(), system.kernel.as_deref()), (Some("12"), Some("6.1.0-40-amd64")));
    let all = guest_inside::agent_file_systems(&json!({"result": [
        {"name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": 10, "used-bytes": 4, "disk": []},
        {"name": "sr0", "type": "iso9660"}]}))
    .unwrap();
    assert_eq!((all.len(), all[0].used_bytes.unwrap().0), (1, 4));
    let version = json!({"result": {"version": "7.2.0", "supported_commands": []}});
    assert_eq!(guest_inside::agent_version(&version).unwrap().as_deref(), Some("7.2.0"));
    let inside = guest_inside::interfaces(&json!({"result": [
        {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [{"ip-address": "127.0.0.1"}]},
        {"name": "eth0", "hardware-address": "BC:24:11:98:F3:13", "ip-addresses": [
            {"ip-address": "192.168.1.100", "prefix": 24}, {"ip-address": "fe80::1%eth0"}, {"ip-address": "fd00::5"},
            {"ip-address": "not one"}]}]}))
    .unwrap();
    assert_eq!(guest_inside::all_addresses(&inside, "x").all, ["192.168.1.100", "fd00::5"]);
    assert_eq!(inside[1].mac.as_deref(), Some("bc:24:11:98:f3:13"));
}

proptest! {
    #[test]
    fn no_answer_makes_a_guests_decoder_panic(data in anything(), text in "\\PC{0,80}", name in "(net|scsi|mp|unused|ipconfig|hostpci|memory|boot|meta|cpu)[0-9]{0,6}") {
        let filled = json!({name.as_str(): text, "agent": text, "tags": text, "sshkeys": text, "features": text});
        let mut storages = BTreeMap::new();
        storages.extend(volumes::storages(&data).unwrap_or_default());
        for data in [&data, &filled, &json!([data]), &json!({"result": data})] {
            for kind in [Qemu, Lxc] {
                let _seen = (guest_config::config(data, kind).is_ok(), guest_devices::networks(data, kind).is_ok());
            }
            let _seen = (
                guest_devices::disks(data, &storages).is_ok(), guest_config::pending(data).is_ok(),
                guest_config::has_agent(data), guest_live::runtime(data).is_ok(), guest_live::snapshots(data).is_ok(),
                volumes::content(data, "100").is_ok(), volumes::newest_backups(data).is_ok(), guest_inside::interfaces(data).is_ok(),
                guest_inside::agent_system(data).is_ok(), guest_inside::agent_file_systems(data).is_ok(),
                guest_inside::agent_version(data).is_ok(), guest_inside::agent_hostname(data).is_ok(),
            );
        }
    }
}
