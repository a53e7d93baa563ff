//! What of the facts about a host, guest or cluster belongs into tables: a small part, kept in memory.

use std::sync::Arc;

use jiff::Timestamp;

use super::bridges;
pub(super) use super::bridges::{BridgeDigest, NicDigest, VnetDigest};
use crate::model::{
    dashboard::Votes,
    facts::{
        Dated, HostFacts,
        cluster::{ClusterFacts, HaFacts},
        guest::{GuestDiskKind, GuestFacts},
        network::Network,
        pve_node::{NodeInterface, NodeInventory},
    },
};

/// The part of a host's facts that tables show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HostDigest {
    /// Its own name for itself: the world adds it.
    pub(super) hostname: Option<String>,
    pub(super) sockets: Option<u32>,
    pub(super) cores: Option<u32>,
    pub(super) threads: Option<u32>,
    /// The warmest sensor, and when it was read.
    pub(super) temperature: Option<(f64, Timestamp)>,
    pub(super) license_status: Option<String>,
    pub(super) updates_pending: Option<u32>,
    /// Not known where only the Proxmox API tells of updates.
    pub(super) updates_security: Option<u32>,
    pub(super) reboot_needed: Option<bool>,
    pub(super) failed_units: Option<u32>,
    pub(super) containers_running: Option<u32>,
    pub(super) problems: Vec<String>,
    pub(super) interfaces: Vec<InterfaceDigest>,
    pub(super) bridges: Arc<[BridgeDigest]>,
}

/// One interface of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct InterfaceDigest {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: Option<String>,
    pub(super) mac: Option<String>,
    pub(super) addresses: Vec<String>,
    pub(super) master: Option<String>,
    pub(super) vlan: Option<u32>,
    pub(super) speed_mbps: Option<u64>,
    pub(super) mtu: Option<u32>,
    pub(super) at: Option<Timestamp>,
}

/// The part of a guest's facts that tables show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GuestDigest {
    /// Its addresses.
    pub(super) addresses: Vec<String>,
    /// Room on its disks in GiB.
    pub(super) storage_total_gb: Option<f64>,
    /// In use of it, in GiB.
    pub(super) storage_used_gb: Option<f64>,
    /// Its network cards.
    pub(super) nics: Arc<[NicDigest]>,
}

/// The part of a cluster's facts that tables show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClusterDigest {
    pub(super) votes: Option<Votes>,
    pub(super) ha_status: Option<String>,
    pub(super) ceph_health: Option<String>,
    pub(super) problems: Vec<String>,
    pub(super) vnets: Vec<VnetDigest>,
}

impl HostDigest {
    /// The part of these facts.
    pub(super) fn of(facts: &HostFacts) -> Self {
        let cpu = facts.hardware.as_ref().map(|hardware| &hardware.facts.cpu);
        let node = facts.proxmox.as_ref().map(|node| &node.facts);
        let by_api = node.and_then(|node| node.cpu.as_ref());
        let by_manager = facts.updates.as_ref().map(|updates| &updates.facts);
        let system = facts.system.as_ref().map(|system| &system.facts);
        let running = |containers: &Dated<crate::model::facts::containers::Containers>| {
            containers.facts.containers.iter().filter(|container| container.runs()).count()
        };
        // Where there is no engine there is nothing to count.
        let engines = facts.containers.as_ref().filter(|containers| !containers.facts.engines.is_empty());
        Self {
            hostname: None,
            sockets: cpu.and_then(|cpu| cpu.sockets).or(by_api.and_then(|cpu| cpu.sockets)),
            cores: cpu.and_then(|cpu| cpu.cores).or(by_api.and_then(|cpu| cpu.cores)),
            threads: cpu.and_then(|cpu| cpu.threads).or(by_api.and_then(|cpu| cpu.threads)),
            temperature: facts
                .sensors
                .as_ref()
                .and_then(|sensors| Some((sensors.facts.highest()?.celsius, sensors.at))),
            license_status: node.and_then(|node| node.license.as_ref()?.status.clone()),
            updates_pending: by_manager.and_then(|updates| updates.pending).map(small).or_else(|| node_updates(facts)),
            updates_security: by_manager.and_then(|updates| updates.security).map(small),
            reboot_needed: system.and_then(|system| Some(system.reboot.as_ref()?.needed)),
            failed_units: system.and_then(|system| Some(small(system.failed.as_ref()?.len() as u64))),
            containers_running: engines.map(|containers| small(running(containers) as u64)),
            problems: problems(facts),
            interfaces: match (&facts.network, &facts.proxmox) {
                (Some(network), _) => interfaces(network),
                (None, Some(node)) => interfaces_by_api(node),
                (None, None) => Vec::new(),
            },
            bridges: bridges::bridges(facts).into(),
        }
    }
}

impl ClusterDigest {
    /// The part of these facts.
    pub(super) fn of(facts: &ClusterFacts) -> Self {
        let votes = facts.online_votes.zip(facts.expected_votes);
        let managed = facts.ha.as_ref().filter(|ha| !ha.resources.is_empty());
        Self {
            votes: votes.map(|(present, expected)| Votes { present, expected }),
            ha_status: managed.map(ha_status),
            ceph_health: facts.ceph.as_ref().and_then(|ceph| ceph.health.clone()),
            problems: of_cluster(facts),
            vnets: bridges::vnets(facts),
        }
    }
}

fn ha_status(ha: &HaFacts) -> String {
    match (ha.quorate, &ha.master) {
        (Some(false), _) => "no quorum".to_owned(),
        (_, Some(master)) => format!("active, led by {master}"),
        (_, None) => "no manager".to_owned(),
    }
}

fn of_cluster(facts: &ClusterFacts) -> Vec<String> {
    let quorum = (facts.quorate == Some(false)).then(|| "it has lost quorum".to_owned());
    let ha = facts.ha.iter().flat_map(|ha| &ha.resources);
    let ha = ha.filter(|each| each.state.as_deref() == Some("error"));
    let ha = ha.map(|each| format!("high availability of {} is in error", each.id));
    let jobs = facts.replication.iter().flatten().filter(|job| job.fail_count.unwrap_or(0) > 0 && !job.disabled);
    let jobs = jobs.map(|job| format!("replication {} fails", job.id));
    let ceph = facts.ceph.as_ref().and_then(|ceph| ceph.health.as_deref()).filter(|health| *health != "HEALTH_OK");
    let ceph = ceph.map(|health| format!("Ceph says {health}"));
    quorum.into_iter().chain(ha).chain(jobs).chain(ceph).collect()
}

impl GuestDigest {
    /// The part of these facts.
    pub(super) fn of(facts: &GuestFacts) -> Self {
        use GuestDiskKind::{Disk, MountPoint, RootFs};
        // What holds the guest's own data: no CD, no firmware variables, no folder of the node's.
        let disks = || facts.disks.iter().filter(|disk| matches!(disk.kind, Disk | RootFs | MountPoint));
        let sum = |sizes: Vec<f64>| (!sizes.is_empty()).then(|| sizes.iter().sum());
        let used: Option<Vec<f64>> = disks().map(|disk| disk.used_gb).collect();
        Self {
            addresses: facts.ip_addresses.all.clone(),
            storage_total_gb: sum(disks().filter_map(|disk| disk.size_gb).collect()),
            // A sum of some of them would look like all of it.
            storage_used_gb: used.and_then(sum),
            nics: facts.networks.iter().map(bridges::nic).collect(),
        }
    }
}

/// Pending updates by the node's API, which does not tell those for security apart.
fn node_updates(facts: &HostFacts) -> Option<u32> {
    Some(small(facts.proxmox.as_ref()?.facts.updates.as_ref()?.len() as u64))
}

/// What is wrong with a host by its facts, in sentences.
pub(super) fn problems(facts: &HostFacts) -> Vec<String> {
    let disks = facts.disks.iter().flat_map(|disks| disks.facts.problems());
    let warm = facts.sensors.iter().flat_map(|sensors| &sensors.facts.temperatures).filter(|each| each.too_warm());
    let warm =
        warm.map(|each| format!("{} {} reads {:.0} °C, its limit is reached", each.chip, each.label, each.celsius));
    let node = facts.proxmox.iter().flat_map(|node| of_node(&node.facts));
    let mut all: Vec<String> = disks.chain(warm).chain(node).collect();
    // A shell and the API may tell of the same pool.
    all.dedup();
    all
}

fn of_node(node: &NodeInventory) -> Vec<String> {
    let failing = node.disks.iter().flatten().filter(|disk| disk.is_failing());
    let failing = failing.map(|disk| format!("SMART of {} failed", disk.name));
    let unwell = node.zfs.iter().flatten().filter_map(|pool| Some((pool, pool.health.as_deref()?)));
    let unwell = unwell.filter(|(_, health)| *health != "ONLINE");
    let pools = unwell.map(|(pool, health)| format!("pool {} is {health}", pool.name));
    let services = node.services.iter().flatten().filter(|service| service.is_failed());
    let services = services.map(|service| format!("the service {} failed", service.name));
    failing.chain(pools).chain(services).collect()
}

fn interfaces_by_api(node: &Dated<NodeInventory>) -> Vec<InterfaceDigest> {
    let row = |interface: &NodeInterface| InterfaceDigest {
        name: interface.name.clone(),
        kind: kind_by_api(interface.kind.as_deref()),
        state: Some(if interface.active { "up" } else { "down" }.to_owned()),
        addresses: interface.addresses.clone(),
        vlan: interface.vlan.map(u32::from),
        mtu: interface.mtu_bytes,
        at: Some(node.at),
        ..InterfaceDigest::default()
    };
    node.facts.interfaces.iter().flatten().map(row).collect()
}

/// The word for a kind of interface, from the one that Proxmox uses.
pub(super) fn kind_by_api(kind: Option<&str>) -> String {
    match kind {
        Some("eth") => "physical",
        Some("bridge" | "OVSBridge") => "bridge",
        Some("bond" | "OVSBond") => "bond",
        Some("vlan") => "vlan",
        Some(other) => other,
        None => "virtual",
    }
    .to_owned()
}

fn interfaces(network: &Dated<Network>) -> Vec<InterfaceDigest> {
    let row = |interface: &crate::model::facts::network::Interface| InterfaceDigest {
        name: interface.name.clone(),
        kind: interface.kind.as_str().to_owned(),
        state: Some(interface.state.as_str().to_owned()),
        mac: interface.mac.clone(),
        addresses: interface.addresses.iter().map(|each| format!("{}/{}", each.address, each.prefix)).collect(),
        master: interface.master.clone(),
        vlan: interface.vlan.as_ref().and_then(|vlan| vlan.id).map(u32::from),
        speed_mbps: interface.speed_mbps,
        mtu: interface.mtu.and_then(|mtu| u32::try_from(mtu).ok()),
        at: Some(network.at),
    };
    // Those of guests and containers come and go with them, and would be most of the table.
    network.facts.own_interfaces().map(row).collect()
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
