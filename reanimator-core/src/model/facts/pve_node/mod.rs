//! What the API of Proxmox VE tells of a node: less than a shell on it, and more about what Proxmox made of it.
//!
//! There are no temperatures, memory modules or firmware versions in it.

mod machine;
mod software;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use machine::{NodeCpu, NodeDisk, NodeInterface, NodePciDevice, NodeUsbDevice, NodeZfsDevice, NodeZfsPool};
pub use software::{NodeCertificate, NodePackage, NodeRepositories, NodeRepository, NodeService, NodeUpdate};

use super::{Watched, guest::Stall, license::License};

/// What the API tells of a node. A list that was not seen is `None`, which is not an empty one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeInventory {
    /// Its processors.
    pub cpu: Option<NodeCpu>,
    /// `efi` or `legacy-bios`.
    pub boot_mode: Option<String>,
    /// Whether only signed kernels start.
    pub secure_boot: Option<bool>,
    /// Memory saved by sharing equal pages, in bytes.
    pub ksm_shared_bytes: Option<u64>,
    /// `9.1.8`.
    pub proxmox_version: Option<String>,
    /// The kernel that runs.
    pub kernel: Option<String>,
    /// PCI devices.
    pub pci: Option<Vec<NodePciDevice>>,
    /// USB devices.
    pub usb: Option<Vec<NodeUsbDevice>>,
    /// Whole disks.
    pub disks: Option<Vec<NodeDisk>>,
    /// ZFS pools.
    pub zfs: Option<Vec<NodeZfsPool>>,
    /// Interfaces as they are configured.
    pub interfaces: Option<Vec<NodeInterface>>,
    /// The services that Proxmox looks after.
    pub services: Option<Vec<NodeService>>,
    /// Its certificates.
    pub certificates: Option<Vec<NodeCertificate>>,
    /// Packages that could be newer, as of its last look.
    pub updates: Option<Vec<NodeUpdate>>,
    /// The packages of Proxmox that are there.
    pub packages: Option<Vec<NodePackage>>,
    /// Where its packages come from.
    pub repositories: Option<NodeRepositories>,
    /// Its subscription.
    pub license: Option<License>,
    /// `Europe/Vienna`.
    pub time_zone: Option<String>,
    /// How far its clock is from ours in seconds (its minus ours).
    pub clock_skew_seconds: Option<i64>,
    /// How long its tasks waited; `None` before Proxmox VE 9, and where its kernel does not measure it.
    pub pressure: Option<NodePressure>,
    /// The name servers it asks.
    pub dns_servers: Vec<String>,
    /// The domain it looks names up in.
    pub search_domain: Option<String>,
}

/// Pressure stall information of a node, as it writes it down minute by minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodePressure {
    /// The minute it is of.
    pub at: Option<Timestamp>,
    /// By `cpu`, `io` and `memory`: means over that minute. A node tells no `full` of its CPU.
    pub minute: BTreeMap<String, Stall>,
}

impl Watched for NodeInventory {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut values: BTreeMap<String, String> = self.license.as_ref().map(Watched::watched).unwrap_or_default();
        let plain = [
            ("Proxmox VE", self.proxmox_version.clone()),
            ("kernel", self.kernel.clone()),
            ("CPU", self.cpu.as_ref().and_then(|cpu| cpu.model.clone())),
            ("boot mode", self.boot_mode.clone()),
            ("time zone", self.time_zone.clone()),
            ("pending updates", self.updates.as_ref().map(|updates| updates.len().to_string())),
            ("repositories", self.repositories.as_ref().map(|all| all.enabled_words().join(", "))),
        ];
        values.extend(plain.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let disks = self.disks.iter().flatten();
        values.extend(disks.map(|disk| (format!("disk {}", disk.name), disk.to_string())));
        let pools = self.zfs.iter().flatten().filter_map(|pool| Some((pool, pool.health.clone()?)));
        values.extend(pools.map(|(pool, health)| (format!("ZFS pool {}", pool.name), health)));
        let cards = self.interfaces.iter().flatten();
        values.extend(cards.map(|card| (format!("interface {}", card.name), card.to_string())));
        let services = self.services.iter().flatten().filter(|service| service.is_failed());
        values.extend(services.map(|service| (format!("service {}", service.name), "failed".to_owned())));
        let certificates = self.certificates.iter().flatten();
        values.extend(
            certificates.filter_map(|each| {
                Some((format!("certificate {}", each.file_name.clone()?), each.fingerprint.clone()?))
            }),
        );
        values
    }
}
