//! What a node is made of and what is installed: disks, PCI, USB, packages,
//! subscription, certificates.
//!
//! Disks, SMART values, USB devices and pending updates are unrecorded (the
//! recorded node had none); they follow the description of the API.

use serde_json::{Value, json};

use super::{Call, Handler};
use crate::refusal::{Answer, Refusal};
use crate::tasks::Ending;

/// The handler for a path below `/nodes/{node}`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "disks/list") => disks,
        ("GET", "disks/smart") => smart,
        ("GET", "disks/zfs" | "disks/directory") => nothing,
        ("GET", "hardware/pci") => pci,
        ("GET", "hardware/usb") => usb,
        ("GET", "apt/update") => updates,
        ("POST", "apt/update") => refresh,
        ("GET", "apt/versions") => versions,
        ("GET", "subscription") => subscription,
        ("GET", "certificates/info") => certificates,
        _ => return None,
    })
}

fn nothing(_: &mut Call<'_>) -> Answer {
    Ok(json!([]).into())
}

fn disks(call: &mut Call<'_>) -> Answer {
    let serial = &call.cluster.nodes[call.node].hardware.serial;
    let mut disk = json!({
        "devpath": "/dev/nvme0n1",
        "by_id_link": format!("/dev/disk/by-id/nvme-SIM_{serial}"),
        "type": "nvme",
        "vendor": "unknown",
        "model": "SIMULATED NVMe 1TB",
        "serial": format!("S{}", &serial[..12]),
        "size": 1_000_204_886_016_u64,
        "gpt": 1,
        "used": "LVM",
        "rpm": 0,
        "wwn": format!("eui.{}", &serial[..16]),
        "osdid": -1,
        "osdid-list": null,
    });
    if !call.params.flag("skipsmart") {
        disk["health"] = json!("PASSED");
        disk["wearout"] = json!(97);
    }
    Ok(json!([disk]).into())
}

fn smart(call: &mut Call<'_>) -> Answer {
    let disk = call.params.string("disk");
    if disk != "/dev/nvme0n1" {
        return Err(Refusal::died(format!("no such disk '{disk}'")));
    }
    Ok(json!({
        "health": "PASSED",
        "type": "text",
        "text": "\nSMART/Health Information (NVMe Log 0x02)\n\
            Critical Warning:                   0x00\n\
            Temperature:                        41 Celsius\n\
            Percentage Used:                    3%\n\
            Power On Hours:                     9,312\n",
    })
    .into())
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

fn subscription(call: &mut Call<'_>) -> Answer {
    Ok(json!({
        "message": "There is no subscription key",
        "serverid": call.cluster.nodes[call.node].hardware.serial,
        "status": "notfound",
        "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
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
