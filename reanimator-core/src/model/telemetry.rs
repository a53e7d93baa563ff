//! Figures of one host at one time, with rates already made from counters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::units::Bytes;

/// What was measured on one host at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Telemetry {
    /// When, by our clock.
    pub at: Option<Timestamp>,
    /// CPU in use of all CPUs together, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Where the CPU time went.
    pub cpu_states: Option<CpuStates>,
    /// Logical CPUs.
    pub cpus: Option<u32>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Main memory.
    pub memory: Option<Memory>,
    /// Swap.
    pub swap: Option<Swap>,
    /// Pressure stall information, per resource: `cpu`, `memory`, `io`.
    pub pressure: BTreeMap<String, Pressure>,
    /// File systems.
    pub file_systems: Vec<FileSystem>,
    /// Disk rates, per whole disk.
    pub disks: Vec<DiskRate>,
    /// Network rates, per interface.
    pub networks: Vec<NetworkRate>,
    /// Seconds since the machine started.
    pub uptime_seconds: Option<u64>,
}

/// Shares of CPU time since the sample before, in percent of all CPUs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CpuStates {
    /// Programs.
    pub user: f64,
    /// Programs at lowered priority.
    pub nice: f64,
    /// The kernel.
    pub system: f64,
    /// Nothing to do.
    pub idle: f64,
    /// Nothing to do, waiting for disks.
    pub iowait: f64,
    /// Hardware interrupts.
    pub irq: f64,
    /// Software interrupts.
    pub softirq: f64,
    /// Taken by the hypervisor.
    pub steal: f64,
}

/// Main memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Memory {
    /// All of it.
    pub total_bytes: Bytes,
    /// In use: all less available.
    pub used_bytes: Bytes,
    /// What programs can still get, where known.
    pub available_bytes: Option<Bytes>,
    /// Where "used" came from: `MemAvailable`, `MemFree+Buffers+Cached`, `Proxmox API`.
    pub source: String,
    /// The ZFS cache, which gives way when asked.
    pub arc_bytes: Option<Bytes>,
}

/// Swap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Swap {
    /// All of it.
    pub total_bytes: Bytes,
    /// In use.
    pub used_bytes: Bytes,
}

/// Room on disks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Space {
    /// All of it.
    pub total_bytes: Bytes,
    /// In use.
    pub used_bytes: Bytes,
}

/// What goes over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Throughput {
    /// In.
    pub received_bytes_per_second: f64,
    /// Out.
    pub sent_bytes_per_second: f64,
}

/// Pressure stall information of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pressure {
    /// Some tasks waited.
    pub some: PressureLine,
    /// All tasks waited; absent for the CPU on older kernels.
    pub full: Option<PressureLine>,
}

/// Shares of time in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PressureLine {
    /// Over 10 seconds.
    pub avg10: f64,
    /// Over 60 seconds.
    pub avg60: f64,
    /// Over 300 seconds.
    pub avg300: f64,
}

/// One mounted file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileSystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// What is mounted.
    pub source: String,
    /// `ext4`, `nfs4`...
    pub fs_type: String,
    /// Whether it lies on another machine.
    pub network: bool,
    /// All of it.
    pub total_bytes: Bytes,
    /// In use.
    pub used_bytes: Bytes,
    /// What an ordinary account can still take.
    pub available_bytes: Bytes,
    /// Inodes there are, where the file system counts them.
    pub inodes_total: Option<u64>,
    /// Inodes in use.
    pub inodes_used: Option<u64>,
}

/// Rates of one disk since the sample before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiskRate {
    /// `sda`, `nvme0n1`.
    pub name: String,
    /// Read.
    pub read_bytes_per_second: f64,
    /// Written.
    pub written_bytes_per_second: f64,
    /// Reads finished per second.
    pub reads_per_second: f64,
    /// Writes finished per second.
    pub writes_per_second: f64,
    /// Share of time with work under way, 0 to 100.
    pub busy_percent: f64,
}

/// Rates of one interface since the sample before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NetworkRate {
    /// `eth0`.
    pub name: String,
    /// In.
    pub received_bytes_per_second: f64,
    /// Out.
    pub sent_bytes_per_second: f64,
    /// Damaged or dropped packets per second, both ways.
    pub errors_per_second: f64,
}
