//! The fleet as if it were one computer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    host::GuestCounts,
    telemetry::{Space, Swap, Throughput},
};

/// Sums over the whole fleet. A host that is also a guest in the fleet is counted once, as its node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// Hosts by state.
    pub hosts: HostCounts,
    /// Guests of all clusters.
    pub guests: GuestCounts,
    /// Logical CPUs of online hosts.
    pub cpus: u32,
    /// CPU in use, weighed by CPUs.
    pub cpu_percent: Option<f64>,
    /// Main memory of online hosts.
    pub memory: Space,
    /// Swap of online hosts.
    pub swap: Swap,
    /// Local file systems of online hosts, and shared Proxmox storages once.
    pub disk: Space,
    /// Traffic of online hosts.
    pub network: Throughput,
    /// The oldest observation that went into the sums.
    pub observed_at: Option<Timestamp>,
}

/// Hosts by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostCounts {
    /// All.
    pub total: u32,
    /// Answering.
    pub online: u32,
    /// Not answering.
    pub offline: u32,
    /// Not observed yet.
    pub unknown: u32,
    /// In maintenance.
    pub maintenance: u32,
}
