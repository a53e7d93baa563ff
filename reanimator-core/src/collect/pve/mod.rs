//! Proxmox VE: what its API answers, over HTTPS or through `pvesh`.
//!
//! | collector | path | gives |
//! |---|---|---|
//! | [`version`] | `/version` | which Proxmox VE it is |
//! | [`status`] | `/cluster/status` | the cluster's name, quorum and members |
//! | [`resources`] | `/cluster/resources` | nodes, guests and storages with their figures |
//! | [`node`] | `/nodes/{node}/status`, `/nodes/{node}/network`, `/nodes`, `/cluster/config/join` | one node in detail; certificates |
//! | [`guest`] | `/nodes/{node}/{qemu,lxc}/{vmid}/config` | who a guest is |
//! | [`guest_config`], [`guest_devices`] | the same, and `.../pending` | how it is configured, its disks and cards |
//! | [`guest_live`] | `.../status/current`, `.../snapshot` | what it does, its snapshots |
//! | [`guest_inside`] | `.../agent/...`, `.../interfaces` | what is seen from within it |
//! | [`migration`] | `/nodes/{node}/{qemu,lxc}/{vmid}/migrate`, `/nodes/{node}/storage` | what keeps it from another node |
//! | [`node_machine`] | `/nodes/{node}/hardware/...`, `disks/...`, `network` | what a node is built of |
//! | [`node_software`] | `/nodes/{node}/services`, `certificates`, `apt/...`, `time`, `dns` | what runs on it |
//! | [`subscription`] | `/nodes/{node}/subscription` | whether it is paid for |
//! | [`cluster_members`] | `/cluster/config/nodes`, `options`, `sdn/...` | votes, links, networks |
//! | [`cluster_ha`] | `/cluster/ha/...` | high availability |
//! | [`cluster_jobs`] | `/cluster/{replication,backup,ceph,tasks}` | what it does by itself |
//! | [`volumes`] | `/storage`, `/nodes/{node}/storage/{storage}/content` | datasets, space taken, backups |
//! | [`access`] | `/access/permissions` | what the login may do |
//! | [`plain`] | `qm list`, `pct list`, `pvesm status`, `pveversion` | the little that is seen without `pvesh` |
//!
//! Each is a request and a pure function from its `data` to plain facts. They are lenient as Perl is loose: see
//! [`lenient`]. Only an answer of another shape altogether is an error.

pub mod access;
pub mod calendar;
pub mod cluster_ha;
pub mod cluster_jobs;
pub mod cluster_members;
pub mod guest;
pub mod guest_config;
pub mod guest_devices;
pub mod guest_inside;
pub mod guest_live;
pub mod lenient;
pub mod migration;
pub mod node;
pub mod node_machine;
pub mod node_software;
mod options;
pub mod plain;
pub mod resources;
pub mod status;
pub mod subscription;
pub mod version;
pub mod volumes;

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod guest_tests;
#[cfg(test)]
mod tests;
