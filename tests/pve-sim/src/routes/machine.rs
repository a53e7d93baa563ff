//! What a node is made of and what is installed: PCI, USB, packages,
//! repositories, subscription, certificates.
//!
//! USB devices, pending updates and subscriptions that are paid for are
//! unrecorded (the recorded node had none); they follow the description of the
//! API.

use serde_json::{Value, json};

use super::{Call, Handler};
use crate::refusal::Answer;
use crate::tasks::Ending;

/// The handler for a path below `/nodes/{node}`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "hardware/pci") => pci,
        ("GET", "hardware/usb") => usb,
        ("GET", "apt/update") => updates,
        ("POST", "apt/update") => refresh,
        ("GET", "apt/versions") => versions,
        ("GET", "apt/repositories") => repositories,
        ("GET", "subscription") => subscription,
        ("GET", "certificates/info") => certificates,
        _ => return None,
    })
}

fn pci(_: &mut Call<'_>) -> Answer {
    let device = |id: &str, class: &str, vendor: (&str, &str), device: (&str, &str), group: i32| {
        json!({
            "id": id,
            "class": class,
            "vendor": vendor.0,
            "vendor_name": vendor.1,
            "device": device.0,
            "device_name": device.1,
            "iommugroup": group,
            "subsystem_device": device.0,
            "subsystem_vendor": vendor.0,
            "subsystem_vendor_name": vendor.1,
        })
    };
    let intel = ("0x8086", "Intel Corporation");
    Ok(json!([
        device("0000:00:02.0", "0x030000", intel, ("0x3e92", "UHD Graphics 630"), 1),
        device("0000:00:1f.6", "0x020000", intel, ("0x15bc", "Ethernet Connection I219-V"), 8),
        device(
            "0000:01:00.0",
            "0x010802",
            ("0x144d", "Samsung Electronics Co Ltd"),
            ("0xa808", "NVMe SSD Controller SM981"),
            9
        ),
    ])
    .into())
}

fn usb(_: &mut Call<'_>) -> Answer {
    Ok(json!([{
        "busnum": 1, "devnum": 1, "level": 0, "port": 0, "class": 9, "speed": "480",
        "prodid": "0002", "vendid": "1d6b", "manufacturer": "Linux 6.17.4-2-pve xhci-hcd",
        "product": "xHCI Host Controller", "usbpath": "1",
    }, {
        "busnum": 1, "devnum": 4, "level": 1, "port": 2, "class": 0, "speed": "12",
        "prodid": "55d4", "vendid": "1a86", "manufacturer": "ITEAD", "product": "SONOFF Zigbee 3.0 USB Dongle Plus V2",
        "serial": "20230509111242", "usbpath": "1.3",
    }])
    .into())
}

fn updates(_: &mut Call<'_>) -> Answer {
    Ok(json!([{
        "Package": "pve-manager",
        "Title": "Proxmox Virtual Environment Management Tools",
        "Description": "This package contains the Proxmox Virtual Environment management tools.",
        "Arch": "all",
        "Section": "admin",
        "Priority": "optional",
        "Origin": "Proxmox",
        "OldVersion": "9.1.8",
        "Version": "9.1.9",
    }])
    .into())
}

/// Refreshes the lists only: there is no endpoint that upgrades.
fn refresh(call: &mut Call<'_>) -> Answer {
    let log = vec!["starting apt-get update".to_owned()];
    call.start_task("aptupdate", "", 2.0, log, Box::new(|_, _| Ok(Ending::default())))
}

fn versions(_: &mut Call<'_>) -> Answer {
    let packages = [
        ("proxmox-ve", "9.1.0", "The Proxmox Virtual Environment"),
        ("pve-manager", "9.1.8", "Proxmox Virtual Environment Management Tools"),
        ("qemu-server", "9.1.2", "Qemu Server Tools"),
        ("pve-container", "6.0.18", "Proxmox VE Container management tool"),
        ("corosync", "3.1.9-pve2", "cluster engine daemon and utilities"),
    ];
    let list = packages.iter().map(|(name, version, title)| {
        json!({
            "Package": name, "Version": version, "OldVersion": version, "Title": title,
            "Description": title, "Arch": "all", "CurrentState": "Installed",
            "Origin": "Proxmox", "Priority": "optional", "Section": "admin",
        })
    });
    Ok(list.collect::<Value>().into())
}

/// Nodes differ: none (as recorded), paid for, run out, and again.
fn subscription(call: &mut Call<'_>) -> Answer {
    let serial = &call.cluster.nodes[call.node].hardware.serial;
    let url = "https://www.proxmox.com/en/proxmox-virtual-environment/pricing";
    let (status, letter, level, due) = match call.node % 3 {
        1 => ("active", "c", "Community", "2027-03-01"),
        2 => ("expired", "b", "Basic", "2026-10-15"),
        _ => {
            let message = "There is no subscription key";
            return Ok(json!({"message": message, "serverid": serial, "status": "notfound", "url": url}).into());
        }
    };
    let sockets = call.cluster.nodes[call.node].hardware.sockets;
    let product = format!("Proxmox VE {level} Subscription {sockets} CPUs/year");
    Ok(json!({
        "status": status, "level": letter, "key": format!("pve{sockets}{letter}-{}", &serial[..10].to_lowercase()),
        "productname": product, "nextduedate": due, "regdate": "2025-03-01 00:00:00", "sockets": sockets,
        "serverid": serial, "checktime": call.now as i64 - 3_600, "url": url,
    })
    .into())
}

/// The repositories of a node: as recorded where it stands alone, with the one
/// for who has no subscription in a cluster.
fn repositories(call: &mut Call<'_>) -> Answer {
    let clustered = call.cluster.clustered();
    let standard = |handle: &str, name: &str, description: &str| json!({"handle": handle, "name": name, "description": description});
    let mut no_subscription = standard(
        "no-subscription",
        "No-Subscription",
        "The recommended repository for testing and non-production use.",
    );
    if clustered {
        no_subscription["status"] = json!(1);
    }
    let file = |path: &str, uri: &str, suite: &str, component: &str| {
        json!({"path": path, "file-type": "list", "digest": [165, 59, 75], "repositories": [{
            "Types": ["deb"], "URIs": [uri], "Suites": [suite], "Components": [component], "Enabled": 1,
            "FileType": "list",
        }]})
    };
    let mut files = vec![file("/etc/apt/sources.list", "http://deb.debian.org/debian", "trixie", "main")];
    if clustered {
        let path = "/etc/apt/sources.list.d/proxmox.list";
        files.push(file(path, "http://download.proxmox.com/debian/pve", "trixie", "pve-no-subscription"));
    }
    Ok(json!({
        "digest": "53a563fb14ed6b124cd213fb9d481886e83d5b4b6033a81a5d898e32e6af5757",
        "errors": [],
        "infos": [{"index": 0, "path": "/etc/apt/sources.list", "message": "Debian", "kind": "origin"}],
        "standard-repos": [
            standard("enterprise", "Enterprise", "The default, stable, and recommended repository."),
            no_subscription,
            standard("test", "Test", "The latest packages, for test labs."),
        ],
        "files": files,
    })
    .into())
}

fn certificates(call: &mut Call<'_>) -> Answer {
    let node = &call.cluster.nodes[call.node];
    let booted = node.booted as i64;
    Ok(json!([{
        "filename": "pve-ssl.pem",
        "fingerprint": node.fingerprint,
        "issuer": format!("/CN={}.sim.local", node.name),
        "subject": format!("/CN={}.sim.local", node.name),
        "notbefore": booted,
        "notafter": booted + 63_072_000,
        "pem": node.certificate_pem,
        "public-key-bits": 256,
        "public-key-type": "id-ecPublicKey",
        "san": [node.name, format!("{}.sim.local", node.name), node.ip, "127.0.0.1"],
    }])
    .into())
}
