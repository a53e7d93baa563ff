//! All that is known of one guest beside its figures.
//!
//! Read from the configuration alone, [`GuestFacts::runtime`], [`GuestFacts::snapshots`] and [`GuestFacts::backups`] are
//! `None`: nobody asked for them. `_gb` is GiB and `_mb` MiB, as Proxmox counts.

mod config;
mod devices;
mod live;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use config::{CloudInit, GuestConfig, Passthrough, PendingChange};
pub use devices::{GuestDisk, GuestDiskKind, GuestNetwork};
pub use live::{
    AgentFileSystem, AgentSystem, GuestAddresses, GuestAgent, GuestBackup, GuestBackups, GuestHa, GuestRuntime,
    GuestSnapshot, GuestSnapshots, Stall,
};

use super::Watched;

/// All that is known of one guest beside its figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestFacts {
    /// How it is configured, with changes that wait for its next start.
    pub config: GuestConfig,
    /// Changes that wait for its next start.
    pub pending: Vec<PendingChange>,
    /// What it does right now.
    pub runtime: Option<GuestRuntime>,
    /// Its disks, mount points and drives.
    pub disks: Vec<GuestDisk>,
    /// Its network cards.
    pub networks: Vec<GuestNetwork>,
    /// Its addresses.
    pub ip_addresses: GuestAddresses,
    /// Its snapshots.
    pub snapshots: Option<GuestSnapshots>,
    /// Its guest agent; containers have none.
    pub agent: Option<GuestAgent>,
    /// The backups there are of it.
    pub backups: Option<GuestBackups>,
}

impl Watched for GuestFacts {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut values = self.config.watched();
        values.extend(self.disks.iter().map(|disk| (format!("disk {}", disk.disk_name), disk.to_string())));
        for network in &self.networks {
            values.insert(format!("network {}", network.id), network.to_string());
            let addresses = network.ipv4.join(", ");
            if !addresses.is_empty() {
                values.insert(format!("addresses {}", network.id), addresses);
            }
        }
        values.extend(self.agent.iter().filter_map(|agent| {
            let system = agent.system.as_ref()?.pretty_name.clone()?;
            Some(("operating system".to_owned(), system))
        }));
        values
    }
}
