//! How a guest is configured.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A guest's configuration. Where it says nothing, a setting that Proxmox has a default for holds that default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestConfig {
    /// Cores per socket of a VM; of a container, how many of the node's it may use (none: all).
    pub cores: Option<u32>,
    /// Sockets of a VM.
    pub sockets: Option<u32>,
    /// CPUs plugged in at start, where fewer than there are places for.
    pub vcpus: Option<u32>,
    /// How much CPU time it may take, in CPUs.
    pub cpu_limit: Option<f64>,
    /// Its weight when CPU time is short.
    pub cpu_units: Option<u64>,
    /// What CPU a VM sees: `host`, `x86-64-v2-AES`.
    pub cpu_type: Option<String>,
    /// Whether a VM sees NUMA nodes.
    pub numa: Option<bool>,
    /// Memory, in MiB.
    pub memory: Option<u64>,
    /// The least memory that a VM's balloon leaves it, in MiB; 0 is no balloon.
    pub balloon_mb: Option<u64>,
    /// Swap of a container, in MiB.
    pub swap_mb: Option<u64>,
    /// `l26`, `win11`, `debian`...
    pub ostype: Option<String>,
    /// `seabios` or `ovmf`.
    pub bios: Option<String>,
    /// The machine type of a VM, where it was chosen: `q35`, `pc-i440fx-9.0`.
    pub machine: Option<String>,
    /// What a VM boots from, in order.
    pub boot_order: Vec<String>,
    /// The SCSI controller of a VM.
    pub scsihw: Option<String>,
    /// Whether it starts with its node.
    pub onboot: bool,
    /// Its place among the guests that start: `order=2,up=30`.
    pub startup: Option<String>,
    /// Whether it is kept from being removed.
    pub protection: bool,
    /// What holds it now: `backup`, `migrate`, `snapshot`...
    pub lock: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people wrote about it.
    pub description: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// The script that runs when it starts and stops.
    pub hookscript: Option<String>,
    /// The architecture of a container.
    pub arch: Option<String>,
    /// The host name of a container.
    pub hostname: Option<String>,
    /// Name servers it is given.
    pub nameserver: Option<String>,
    /// The domain it looks names up in.
    pub searchdomain: Option<String>,
    /// Whether a container's root is an ordinary account on the node.
    pub unprivileged: Option<bool>,
    /// What a container may do beyond the ordinary: `nesting` -> `1`.
    pub features: BTreeMap<String, String>,
    /// Devices of the node that are handed in.
    pub passthrough: Vec<Passthrough>,
    /// What cloud-init tells it.
    pub cloud_init: Option<CloudInit>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// All other settings as Proxmox writes them, without secrets.
    pub other: BTreeMap<String, String>,
}

/// A device of the node in a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Passthrough {
    /// `hostpci0`, `usb1`, `dev0`.
    pub name: String,
    /// What: an address on the bus, a path, `spice`, or the name of a mapping.
    pub device: Option<String>,
    /// Whether it is the name of a mapping of the cluster.
    pub mapped: bool,
}

/// What cloud-init tells a VM at its start. Passwords are never here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CloudInit {
    /// The account it makes.
    pub user: Option<String>,
    /// Whether that account gets a password.
    pub has_password: bool,
    /// How many SSH keys are let in.
    pub ssh_keys: usize,
    /// Files of the user's own: `user=local:snippets/x.yml`.
    pub custom: Option<String>,
}

/// A setting that changes at the next start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PendingChange {
    /// Which setting.
    pub key: String,
    /// Its value now.
    pub value: Option<String>,
    /// Its value then.
    pub pending: Option<String>,
    /// Whether it is taken away then.
    pub delete: bool,
}

impl GuestConfig {
    /// What is worth an entry in the timeline when it changes.
    pub(super) fn watched(&self) -> BTreeMap<String, String> {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let yes = |flag: bool| flag.then(|| "yes".to_owned());
        let words = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
        let features: Vec<String> = self.features.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let devices: Vec<String> = self
            .passthrough
            .iter()
            .map(|each| format!("{}: {}", each.name, each.device.as_deref().unwrap_or("?")))
            .collect();
        [
            ("cores", number(self.cores.map(u64::from))),
            ("sockets", number(self.sockets.map(u64::from))),
            ("memory", self.memory.map(|mb| format!("{mb} MiB"))),
            ("CPU type", self.cpu_type.clone()),
            ("machine", self.machine.clone()),
            ("firmware", self.bios.clone()),
            ("boot order", words(&self.boot_order)),
            ("starts with its node", yes(self.onboot)),
            ("protection", yes(self.protection)),
            ("template", yes(self.template)),
            ("tags", words(&self.tags)),
            ("host name", self.hostname.clone()),
            ("features", words(&features)),
            ("passthrough", words(&devices)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}
