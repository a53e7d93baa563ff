//! A host: its record, what it is, and what is known of it now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ConnectionId, HostId},
    telemetry::{Memory, Space, Swap, Throughput},
    units::Bytes,
};

/// A machine that the fleet looks after, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Its id, which stays when it is renamed.
    pub id: HostId,
    /// Its name, unique in the fleet.
    pub name: String,
    /// Groups it belongs to.
    pub groups: BTreeSet<String>,
    /// Free labels.
    pub tags: BTreeSet<String>,
    /// Looked after by hand right now: seen, but no alarm and no decision.
    pub maintenance: bool,
    /// The ways it comes in; several ways are still one machine.
    pub links: Vec<Link>,
}

/// One way by which a machine comes into the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Link {
    /// It is the machine that Reanimator runs on.
    Local {
        /// The local connection.
        connection: ConnectionId,
    },
    /// It is reached over SSH.
    Ssh {
        /// The SSH connection.
        connection: ConnectionId,
    },
    /// It is a node of a Proxmox cluster.
    ProxmoxNode {
        /// The cluster's connection.
        connection: ConnectionId,
        /// The node's name there.
        node: String,
    },
    /// It is a guest of a Proxmox cluster that is in the fleet.
    Guest {
        /// The cluster's connection.
        connection: ConnectionId,
        /// The guest's number there.
        vmid: u32,
    },
}

impl Link {
    /// The connection that this link goes over.
    pub fn connection(&self) -> &ConnectionId {
        match self {
            Self::Local { connection }
            | Self::Ssh { connection }
            | Self::ProxmoxNode { connection, .. }
            | Self::Guest { connection, .. } => connection,
        }
    }
}

/// What a host can be asked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HostKind {
    /// A Linux machine.
    Linux,
    /// A Proxmox node reached by its API only.
    Proxmox,
    /// A Proxmox node with a shell.
    Both,
}

impl HostKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Proxmox => "proxmox",
            Self::Both => "both",
        }
    }
}

/// Whether a host answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// It answers.
    Online,
    /// It missed too many observations in a row.
    Offline,
    /// Not observed yet.
    #[default]
    Unknown,
    /// Put into maintenance by somebody.
    Maintenance,
}

impl HostState {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Who a machine is: what does not change while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Identity {
    /// `/etc/machine-id`.
    pub machine_id: Option<String>,
    /// SMBIOS UUID, lower case. Needs root.
    pub smbios_uuid: Option<String>,
    /// Hardware addresses of the real interfaces, lower case.
    pub macs: Vec<String>,
    /// Its own name for itself.
    pub hostname: Option<String>,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub os: Option<String>,
    /// `debian`, `ubuntu`, `alpine`...
    pub os_id: Option<String>,
    /// `12`.
    pub os_version: Option<String>,
    /// `6.1.0-13-amd64`.
    pub kernel: Option<String>,
    /// `x86_64`.
    pub architecture: Option<String>,
    /// What it is virtualised by (`kvm`, `lxc`, `docker`, ...); `none` on bare metal.
    pub virtualization: Option<String>,
    /// Logical CPUs.
    pub cpus: Option<u32>,
    /// `Intel(R) Xeon(R) ...`.
    pub cpu_model: Option<String>,
    /// `8.1.4`, on a Proxmox node.
    pub proxmox_version: Option<String>,
    /// Its node name there.
    pub proxmox_node: Option<String>,
}

/// Something that could not be seen, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unseen {
    /// What: `pressure`, `file systems of /mnt/nas`.
    pub what: String,
    /// Why: `needs root`, `no answer within 5 s`.
    pub why: String,
}

impl Unseen {
    /// `what` was not seen, because `why`.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// Why a host does not answer as it should, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The kind of failure.
    pub kind: crate::ErrorKind,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do next.
    pub next: Option<String>,
}

impl From<&crate::Error> for Problem {
    fn from(error: &crate::Error) -> Self {
        Self { kind: error.kind(), message: crate::message(error), next: error.next_step().map(str::to_owned) }
    }
}

/// A host as it is shown everywhere: its record and what is known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Host))]
pub struct HostView {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// What it can be asked as.
    pub kind: HostKind,
    /// Whether it answers.
    pub state: HostState,
    /// Where it is reached.
    pub address: Option<String>,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// The Proxmox cluster it is a node of.
    pub cluster: Option<String>,
    /// CPU in use, of all CPUs together, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Logical CPUs.
    pub cpus: Option<u32>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Main memory.
    pub memory: Option<Memory>,
    /// Swap space.
    pub swap: Option<Swap>,
    /// Local file systems together (or a Proxmox node's root, where nothing else is known).
    pub disk: Option<Space>,
    /// Real interfaces together.
    pub network: Option<Throughput>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// Operating system.
    pub os: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Proxmox VE version.
    pub proxmox_version: Option<String>,
    /// Guests on it, on Proxmox nodes.
    pub guests: Option<GuestCounts>,
    /// The guest that this machine is, if its cluster is in the fleet.
    pub guest_of: Option<GuestOf>,
    /// When the figures were seen (by our clock).
    pub observed_at: Option<Timestamp>,
    /// How old they are now, in seconds.
    pub age_seconds: Option<f64>,
    /// The ways by which it is seen: `local`, `ssh`, `proxmox`.
    pub via: Vec<String>,
    /// How far its clock is from ours (its minus ours), where that is more than a minute.
    pub clock_skew_seconds: Option<i64>,
    /// Why it does not answer as it should.
    pub problem: Option<Problem>,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

/// How many guests a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestCounts {
    /// Running ones.
    pub running: u32,
    /// All.
    pub total: u32,
}

/// Which guest a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestOf {
    /// The cluster's connection.
    pub connection: ConnectionId,
    /// The guest's number.
    pub vmid: String,
    /// The guest's name.
    pub name: Option<String>,
}

impl HostView {
    /// The memory in use, where known.
    pub fn memory_used(&self) -> Option<Bytes> {
        self.memory.as_ref().map(|memory| memory.used_bytes)
    }
}
