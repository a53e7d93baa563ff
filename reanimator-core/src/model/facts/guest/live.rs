//! What a guest does, what is inside it, and what is kept of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Bytes;

/// What a guest does right now. Counters run since it started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestRuntime {
    /// CPU in use of what it was given, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Memory in use, in MiB.
    pub mem_used_mb: Option<f64>,
    /// Memory it was given, in MiB.
    pub mem_total_mb: Option<f64>,
    /// What its balloon leaves it now, in MiB.
    pub balloon_mb: Option<f64>,
    /// Swap in use by a container, in MiB.
    pub swap_used_mb: Option<f64>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u64>,
    /// Bytes read from its disks.
    pub diskread_bytes: Option<u64>,
    /// Bytes written to its disks.
    pub diskwrite_bytes: Option<u64>,
    /// Bytes that came in.
    pub netin_bytes: Option<u64>,
    /// Bytes that went out.
    pub netout_bytes: Option<u64>,
    /// QEMU's own word: `running`, `paused`, `prelaunch`, `io-error`...
    pub qmp_status: Option<String>,
    /// The machine type it runs with.
    pub running_machine: Option<String>,
    /// The QEMU it runs with, which may be older than the one installed.
    pub running_qemu: Option<String>,
    /// What holds it: `backup`, `migrate`...
    pub lock: Option<String>,
    /// What high availability does with it.
    pub ha: Option<GuestHa>,
    /// How long its tasks wait, per resource: `cpu`, `memory`, `io` (Proxmox VE 9 and later).
    pub pressure: BTreeMap<String, Stall>,
}

/// Shares of time in percent over the last 10 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Stall {
    /// Some task waited.
    pub some_percent: Option<f64>,
    /// All tasks waited.
    pub full_percent: Option<f64>,
}

/// What high availability does with a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestHa {
    /// Whether it looks after it.
    pub managed: bool,
    /// `started`, `stopped`, `error`...
    pub state: Option<String>,
    /// Its group, before Proxmox VE 9.
    pub group: Option<String>,
}

/// Addresses of a guest, without those of its loopback and of one link only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestAddresses {
    /// IPv4.
    pub ipv4: Vec<String>,
    /// IPv6.
    pub ipv6: Vec<String>,
    /// Both.
    pub all: Vec<String>,
    /// Who told: `guest agent`, `container`, or `configuration` (what it should have).
    pub source: Option<String>,
}

/// The guest agent of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestAgent {
    /// Whether the configuration has one.
    pub enabled: bool,
    /// Its version.
    pub version: Option<String>,
    /// When it last answered, by our clock.
    pub answered_at: Option<Timestamp>,
    /// What the VM calls itself.
    pub hostname: Option<String>,
    /// Its operating system.
    pub system: Option<AgentSystem>,
    /// Its file systems.
    pub file_systems: Vec<AgentFileSystem>,
}

/// An operating system as a guest agent tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AgentSystem {
    /// `debian`, `mswindows`.
    pub id: Option<String>,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub pretty_name: Option<String>,
    /// `12`.
    pub version: Option<String>,
    /// `6.1.0-40-amd64`.
    pub kernel: Option<String>,
    /// `x86_64`.
    pub machine: Option<String>,
}

/// A file system as a guest agent tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AgentFileSystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// What is mounted.
    pub name: Option<String>,
    /// `ext4`, `NTFS`...
    pub fs_type: Option<String>,
    /// All of it.
    pub total_bytes: Option<Bytes>,
    /// In use.
    pub used_bytes: Option<Bytes>,
}

/// The snapshots of a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestSnapshots {
    /// How many.
    pub count: usize,
    /// Each, oldest first.
    pub list: Vec<GuestSnapshot>,
    /// The one that its present state came from.
    pub current_parent: Option<String>,
}

/// A snapshot of a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestSnapshot {
    /// Its name.
    pub name: String,
    /// The snapshot before it.
    pub parent: Option<String>,
    /// What people wrote about it.
    pub description: Option<String>,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// Whether it holds the memory too.
    pub with_memory: bool,
    /// The size of that memory on its storage in GiB, where the storage tells.
    pub memory_gb: Option<f64>,
}

/// The backups there are of a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestBackups {
    /// How many.
    pub count: usize,
    /// All of them together, in GiB.
    pub total_gb: f64,
    /// When the newest was made.
    pub newest_at: Option<Timestamp>,
    /// How old that was when it was looked at, in seconds.
    pub newest_age_seconds: Option<u64>,
    /// The newest ones, newest first; 50 at most.
    pub list: Vec<GuestBackup>,
}

/// A backup of a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestBackup {
    /// The storage it lies on.
    pub storage: String,
    /// The volume on that storage.
    pub volume: String,
    /// When it was made.
    pub made_at: Option<Timestamp>,
    /// Its size in GiB.
    pub size_gb: Option<f64>,
    /// `vma.zst`, `tar.zst`, `pbs-vm`...
    pub format: Option<String>,
    /// What was written about it.
    pub notes: Option<String>,
    /// Whether it is kept from being pruned.
    pub protected: bool,
    /// Whether a Proxmox Backup Server found it whole; none where it was not looked at.
    pub verified: Option<bool>,
}
