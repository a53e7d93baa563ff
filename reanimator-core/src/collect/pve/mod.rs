//! Proxmox VE: what its API answers, over HTTPS or through `pvesh`.
//!
//! | collector | path | gives |
//! |---|---|---|
//! | [`version`] | `/version` | which Proxmox VE it is |
//! | [`status`] | `/cluster/status` | the cluster's name, quorum and members |
//! | [`resources`] | `/cluster/resources` | nodes, guests and storages with their figures |
//! | [`node`] | `/nodes/{node}/status`, `/nodes/{node}/network`, `/nodes`, `/cluster/config/join` | one node in detail; certificates |
//! | [`guest`] | `/nodes/{node}/{qemu,lxc}/{vmid}/config` | who a guest is |
//! | [`access`] | `/access/permissions` | what the login may do |
//! | [`plain`] | `qm list`, `pct list`, `pvesm status`, `pveversion` | the little that is seen without `pvesh` |
//!
//! Each is a request and a pure function from its `data` to plain facts. They are lenient as Perl is loose: see
//! [`lenient`]. Only an answer of another shape altogether is an error.

pub mod access;
pub mod guest;
pub mod lenient;
pub mod node;
pub mod plain;
pub mod resources;
pub mod status;
pub mod version;

#[cfg(test)]
mod tests;
