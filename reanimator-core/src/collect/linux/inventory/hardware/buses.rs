//! PCI and USB: `lspci`, else numbers out of `/sys`; graphics cards among them.

use std::collections::BTreeMap;

use super::{
    super::Answers,
    text::{COUNT_LIMIT, files, number, positive, value},
};
use crate::model::{
    facts::hardware::{Gpu, PciDevice, UsbDevice},
    units::Bytes,
};

/// Vendors of graphics cards, for hosts without a table of names.
const GPU_VENDORS: [(&str, &str); 5] =
    [("10de", "NVIDIA"), ("1002", "AMD"), ("8086", "Intel"), ("1a03", "ASPEED"), ("102b", "Matrox")];

/// `Ethernet controller [0200]`: the words, and the number in the brackets.
fn named(text: &str) -> (Option<String>, Option<String>) {
    let split = text.trim().strip_suffix(']').and_then(|text| text.rsplit_once('['));
    match split {
        Some((words, id)) if id.len() == 4 && id.chars().all(|c| c.is_ascii_hexdigit()) => {
            // Names unknown to the table are `Device`, which is no name.
            (value(words).filter(|words| words != "Device"), Some(id.to_ascii_lowercase()))
        }
        _ => (value(text), None),
    }
}

/// What `lspci -Dvmmnnk` prints: a paragraph for each device.
fn lspci(text: &str) -> Vec<PciDevice> {
    let mut devices: Vec<PciDevice> = Vec::new();
    for line in text.lines() {
        let Some((name, content)) = line.split_once(':') else { continue };
        if name == "Slot" {
            let address = content.trim();
            let address =
                if address.matches(':').count() == 1 { format!("0000:{address}") } else { address.to_owned() };
            devices.push(PciDevice { address: value(&address).unwrap_or_default(), ..PciDevice::default() });
        } else if let Some(device) = devices.last_mut() {
            match name {
                "Class" => (device.class, device.class_id) = named(content),
                "Vendor" => (device.vendor, device.vendor_id) = named(content),
                "Device" => (device.device, device.device_id) = named(content),
                "Driver" => device.driver = value(content),
                _ => {}
            }
        }
    }
    devices.retain(|device| !device.address.is_empty());
    devices
}

/// `0x030000` cut to the four digits that people know.
fn digits(text: &str) -> Option<String> {
    let digits = text.trim().strip_prefix("0x")?.get(..4)?;
    digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| digits.to_ascii_lowercase())
}

/// The same from `/sys/bus/pci/devices`.
fn sys_pci(text: &str) -> Vec<PciDevice> {
    // Addresses hold colons, so the name of the file is looked for from its slash on.
    let mut devices: BTreeMap<&str, PciDevice> = BTreeMap::new();
    for (address, file, content) in files(text, "/sys/bus/pci/devices") {
        let device = devices.entry(address).or_default();
        match file {
            "class" => device.class_id = digits(content),
            "vendor" => device.vendor_id = digits(content),
            "device" => device.device_id = digits(content),
            "uevent" => device.driver = content.strip_prefix("DRIVER=").and_then(value).or(device.driver.take()),
            _ => {}
        }
    }
    devices.into_iter().filter_map(|(address, device)| Some(PciDevice { address: value(address)?, ..device })).collect()
}

/// Devices on PCI.
pub(super) fn pci(answers: &Answers) -> Vec<PciDevice> {
    let text = answers.text("hw.pci");
    let mut devices = lspci(text);
    if devices.is_empty() {
        devices = sys_pci(text);
    }
    devices.truncate(COUNT_LIMIT);
    devices
}

/// Graphics cards: class 03 on PCI, with what `nvidia-smi` knows of its own.
pub(super) fn gpus(answers: &Answers, pci: &[PciDevice]) -> Vec<Gpu> {
    let cards = pci.iter().filter(|device| device.class_id.as_deref().is_some_and(|class| class.starts_with("03")));
    let vendor = |device: &PciDevice| {
        let known = GPU_VENDORS.iter().find(|(id, _)| Some(*id) == device.vendor_id.as_deref());
        device.vendor.clone().or_else(|| known.map(|(_, name)| (*name).to_owned()))
    };
    let mut gpus: Vec<Gpu> = cards
        .map(|device| Gpu {
            address: Some(device.address.clone()),
            vendor: vendor(device),
            name: device.device.clone(),
            driver: device.driver.clone(),
            ..Gpu::default()
        })
        .collect();
    for line in answers.text("hw.nvidia").lines().take(64) {
        let Some([address, name, driver_version, mebibytes]) = fields(line) else { continue };
        // `00000000:01:00.0`: nvidia-smi writes the domain with eight digits.
        let tail = address.split_once(':').map(|(_, tail)| tail.to_ascii_lowercase());
        let same = |gpu: &&mut Gpu| {
            gpu.address.as_deref().and_then(|own| own.split_once(':')).map(|(_, own)| own) == tail.as_deref()
        };
        let facts = Gpu {
            vendor: Some("NVIDIA".to_owned()),
            name: value(name),
            driver_version: value(driver_version),
            memory_bytes: number::<u64>(mebibytes).and_then(|mebibytes| mebibytes.checked_mul(1 << 20)).map(Bytes),
            ..Gpu::default()
        };
        match gpus.iter_mut().find(same) {
            Some(gpu) => *gpu = Gpu { address: gpu.address.take(), driver: gpu.driver.take(), ..facts },
            None => gpus.push(Gpu { address: value(address), ..facts }),
        }
    }
    gpus
}

/// The four fields of a line of `nvidia-smi --format=csv`; names of cards hold no commas.
fn fields(line: &str) -> Option<[&str; 4]> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    fields.try_into().ok()
}

/// What is plugged into USB. Vendor 1d6b is Linux itself: the hubs inside of controllers.
pub(super) fn usb(answers: &Answers) -> Vec<UsbDevice> {
    let mut devices: BTreeMap<&str, UsbDevice> = BTreeMap::new();
    for (address, file, content) in files(answers.text("hw.usb"), "/sys/bus/usb/devices") {
        let device = devices.entry(address).or_default();
        match file {
            "idVendor" => device.vendor_id = value(content).unwrap_or_default(),
            "idProduct" => device.product_id = content.trim().chars().take(4).collect(),
            "manufacturer" => device.vendor = value(content),
            "product" => device.product = value(content),
            "serial" => device.serial = value(content),
            "speed" => device.speed_mbps = positive(content),
            _ => {}
        }
    }
    devices
        .into_iter()
        .filter(|(_, device)| !device.vendor_id.is_empty() && device.vendor_id != "1d6b")
        .filter_map(|(address, device)| Some(UsbDevice { address: value(address)?, ..device }))
        .take(COUNT_LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LSPCI: &str = include_str!("../../../../../tests/recordings/linux/inventory/hardware/lspci-debian-12.txt");
    const SYS: &str = include_str!("../../../../../tests/recordings/linux/inventory/hardware/sys-pci-debian-12.txt");

    #[test]
    fn lspci_and_sys_agree_about_the_same_machine() {
        let spoken = pci(&Answers::of(true, [("hw.pci", LSPCI)]));
        let numbers = pci(&Answers::of(true, [("hw.pci", SYS)]));
        let ids = |devices: &[PciDevice]| -> Vec<_> {
            let ids = |d: &PciDevice| {
                (d.address.clone(), d.class_id.clone(), d.vendor_id.clone(), d.device_id.clone(), d.driver.clone())
            };
            devices.iter().map(ids).collect()
        };
        assert_eq!(ids(&spoken), ids(&numbers));
        assert_eq!(spoken.len(), 6);
        let network = &spoken[3];
        assert_eq!(
            (network.class.as_deref(), network.driver.as_deref()),
            (Some("Ethernet controller"), Some("virtio-pci"))
        );
        assert_eq!((network.vendor.as_deref(), spoken[0].device.as_deref()), (Some("Red Hat, Inc."), None));
    }

    #[test]
    fn a_graphics_card_is_told_apart_and_nvidia_knows_more_of_its_own() {
        let pci =
            [("0000:00:02.0", "0300", "8086"), ("0000:01:00.0", "0302", "10de"), ("0000:02:00.0", "0200", "8086")].map(
                |(address, class, vendor)| PciDevice {
                    address: address.into(),
                    class_id: Some(class.into()),
                    vendor_id: Some(vendor.into()),
                    ..PciDevice::default()
                },
            );
        let nvidia = "00000000:01:00.0, NVIDIA GeForce RTX 3090, 535.129.03, 24576\nFailed to initialize NVML\n";
        let gpus = gpus(&Answers::of(true, [("hw.nvidia", nvidia)]), &pci);
        assert_eq!(gpus.len(), 2);
        assert_eq!((gpus[0].vendor.as_deref(), gpus[0].name.as_deref()), (Some("Intel"), None));
        assert_eq!(gpus[1].name.as_deref(), Some("NVIDIA GeForce RTX 3090"));
        assert_eq!((gpus[1].address.as_deref(), gpus[1].memory_bytes), (Some("0000:01:00.0"), Some(Bytes(24 << 30))));
    }

    #[test]
    fn root_hubs_are_not_devices() {
        let text = "/sys/bus/usb/devices/usb1/idVendor:1d6b\n/sys/bus/usb/devices/1-1.4/idVendor:0bda\n\
                    /sys/bus/usb/devices/1-1.4/idProduct:2838\n/sys/bus/usb/devices/1-1.4/product:RTL2838UHIDIR\n\
                    /sys/bus/usb/devices/1-1.4/speed:480\n/sys/bus/usb/devices/1-1.4/serial:00000000\n";
        let devices = usb(&Answers::of(true, [("hw.usb", text)]));
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].address.as_str(), devices[0].product_id.as_str()), ("1-1.4", "2838"));
        assert_eq!((devices[0].speed_mbps, devices[0].serial.as_deref()), (Some(480.0), None));
    }
}
