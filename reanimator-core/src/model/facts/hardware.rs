//! What a machine is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;
use crate::model::units::Bytes;

/// What a machine is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Hardware {
    /// The processor.
    pub cpu: Cpu,
    /// Memory modules.
    pub memory: MemoryBanks,
    /// The machine as it was sold.
    pub system: Part,
    /// Its main board.
    pub board: Part,
    /// Its case.
    pub chassis: Part,
    /// BIOS or UEFI.
    pub firmware: Firmware,
    /// Whether it is a machine of its own.
    pub virtualization: Virtualization,
    /// Whether there is a TPM, and which: `2.0`, `1.2`.
    pub tpm: Option<Tpm>,
    /// Devices on PCI, by address.
    pub pci: Vec<PciDevice>,
    /// Graphics cards.
    pub gpus: Vec<Gpu>,
    /// What is plugged into USB, without the hubs that every controller has inside.
    pub usb: Vec<UsbDevice>,
    /// What is said of a Raspberry Pi alone.
    pub raspberry_pi: Option<RaspberryPi>,
}

/// A processor, or several of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Cpu {
    /// `AMD EPYC 7302P 16-Core Processor`.
    pub model: Option<String>,
    /// `GenuineIntel`, `AuthenticAMD`, `ARM`.
    pub vendor: Option<String>,
    /// `x86_64`, `aarch64`.
    pub architecture: Option<String>,
    /// Sockets in use.
    pub sockets: Option<u32>,
    /// Physical cores per socket.
    pub cores: Option<u32>,
    /// All logical CPUs of the machine.
    pub threads: Option<u32>,
    /// The clock that is promised.
    pub base_mhz: Option<f64>,
    /// The highest clock.
    pub max_mhz: Option<f64>,
    /// The clock of the first CPU when it was asked.
    pub current_mhz: Option<f64>,
    /// Sizes of all caches of a kind together, by level: `L1d`, `L2`, `L3`.
    pub cache_bytes: BTreeMap<String, Bytes>,
    /// Those flags that people ask for: `vmx`, `svm`, `aes`, `avx2`...
    pub flags: Vec<String>,
    /// The revision of its microcode.
    pub microcode: Option<String>,
}

/// Memory modules and room for more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct MemoryBanks {
    /// The modules.
    pub modules: Vec<MemoryModule>,
    /// Slots with nothing in them.
    pub empty_slots: Option<u32>,
    /// The most that the board takes.
    pub capacity_bytes: Option<Bytes>,
    /// Whether errors are corrected.
    pub ecc: Option<bool>,
    /// How: `Multi-bit ECC`.
    pub error_correction: Option<String>,
}

/// A memory module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct MemoryModule {
    /// The slot, as the board names it.
    pub slot: Option<String>,
    /// The bank, as the board names it.
    pub bank: Option<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// `DDR4`.
    pub kind: Option<String>,
    /// `DIMM`, `SODIMM`.
    pub form_factor: Option<String>,
    /// The speed that it is made for, in megatransfers per second.
    pub speed_mts: Option<u32>,
    /// The speed that it runs at, in megatransfers per second.
    pub configured_speed_mts: Option<u32>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its part number.
    pub part_number: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
}

/// A thing with a maker and a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Part {
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is called; for a case its type: `Rack mount`.
    pub product: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
}

/// BIOS or UEFI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Firmware {
    /// Who made it.
    pub vendor: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its date as it says itself, mostly month/day/year.
    pub date: Option<String>,
}

/// Whether a machine is one of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Virtualization {
    /// Whether it is a virtual machine or a container.
    pub is_virtual: Option<bool>,
    /// The hypervisor beneath: `kvm`, `vmware`.
    pub hypervisor: Option<String>,
    /// The container that we see it from: `lxc`, `docker`.
    pub container: Option<String>,
}

/// A trusted platform module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Tpm {
    /// Whether there is one.
    pub present: bool,
    /// The major version of its specification: `2`.
    pub version: Option<String>,
}

/// A device on PCI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PciDevice {
    /// `0000:01:00.0`.
    pub address: String,
    /// The class as four hexadecimal digits: `0300`.
    pub class_id: Option<String>,
    /// The class in words.
    pub class: Option<String>,
    /// The vendor as four hexadecimal digits.
    pub vendor_id: Option<String>,
    /// The vendor in words.
    pub vendor: Option<String>,
    /// The device as four hexadecimal digits.
    pub device_id: Option<String>,
    /// The device in words.
    pub device: Option<String>,
    /// The driver that serves it.
    pub driver: Option<String>,
}

/// A graphics card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Gpu {
    /// Its address on PCI.
    pub address: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// The kernel driver that serves it.
    pub driver: Option<String>,
    /// The version of the vendor's driver.
    pub driver_version: Option<String>,
    /// Its own memory.
    pub memory_bytes: Option<Bytes>,
}

/// Something on USB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UsbDevice {
    /// Where it is plugged in: `1-1.4`.
    pub address: String,
    /// The vendor as four hexadecimal digits.
    pub vendor_id: String,
    /// The product as four hexadecimal digits.
    pub product_id: String,
    /// Who made it, as it says itself.
    pub vendor: Option<String>,
    /// What it is, as it says itself.
    pub product: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// The speed of its link.
    pub speed_mbps: Option<f64>,
}

/// What is said of a Raspberry Pi alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RaspberryPi {
    /// `Raspberry Pi 4 Model B Rev 1.4`.
    pub model: String,
    /// The revision code of the board: `c03114`.
    pub revision: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// What holds it back at this moment.
    pub now: Option<Throttling>,
    /// What held it back at any time since it started.
    pub since_boot: Option<Throttling>,
}

/// What holds a Raspberry Pi back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Throttling {
    /// The power supply is too weak.
    pub under_voltage: bool,
    /// The clock may not go up.
    pub frequency_capped: bool,
    /// The clock is held down.
    pub throttled: bool,
    /// It is so warm that the clock is lowered a little.
    pub soft_temperature_limit: bool,
}

impl MemoryModule {
    /// `DDR4 32.0 GiB 3200 MT/s Samsung M393A4K40DB3`.
    fn words(&self) -> String {
        let speed = self.speed_mts.map(|speed| format!("{speed} MT/s"));
        let size = self.size_bytes.map(|size| size.to_string());
        let words = [self.kind.clone(), size, speed, self.manufacturer.clone(), self.part_number.clone()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Processor, microcode, firmware, board, modules, cards and disks' controllers; not USB, where things come and go.
impl Watched for Hardware {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut watched = BTreeMap::new();
        let mut put = |name: String, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                watched.insert(name, value);
            }
        };
        put("cpu".into(), self.cpu.model.clone());
        put("cpu threads".into(), self.cpu.threads.map(|threads| threads.to_string()));
        put("microcode".into(), self.cpu.microcode.clone());
        put("firmware".into(), self.firmware.version.clone());
        put("board".into(), self.board.product.clone());
        put("system".into(), self.system.product.clone());
        for (at, module) in self.memory.modules.iter().enumerate() {
            // Some boards give every slot the same name.
            let same = |other: &&MemoryModule| other.slot == module.slot;
            let slot = match &module.slot {
                Some(slot) if self.memory.modules.iter().filter(same).count() == 1 => slot.clone(),
                _ => at.to_string(),
            };
            put(format!("memory module {slot}"), Some(module.words()));
        }
        for device in &self.pci {
            let words = [&device.vendor, &device.device].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
            put(format!("pci {}", device.address), Some(words));
        }
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_slots_with_one_name_are_told_apart() {
        let module = |slot: &str, gib: u64| MemoryModule {
            slot: Some(slot.into()),
            size_bytes: Some(Bytes(gib << 30)),
            ..MemoryModule::default()
        };
        let modules = vec![module("DIMM", 8), module("DIMM", 16), module("A1", 4)];
        let hardware = Hardware { memory: MemoryBanks { modules, ..MemoryBanks::default() }, ..Hardware::default() };
        let watched: Vec<_> = hardware.watched().into_iter().collect();
        let expected = [("0", "8.0 GiB"), ("1", "16.0 GiB"), ("A1", "4.0 GiB")];
        let expected: Vec<_> =
            expected.map(|(slot, size)| (format!("memory module {slot}"), size.to_owned())).into_iter().collect();
        assert_eq!(watched, expected);
    }
}
