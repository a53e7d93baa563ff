//! What of the facts about a host, guest or cluster belongs into tables: a small part, kept in memory.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

pub(super) use super::bridges::{BridgeDigest, NicDigest, VnetDigest};
use super::{backup_age::JobDigest, bridges, servers, troubles};
use crate::model::{
    attention::Trouble,
    dashboard::Votes,
    facts::{
        Dated, HostFacts, Section,
        cluster::{BackupJob, BackupSelection, ClusterBackups, ClusterFacts, HaFacts, NotBackedUp},
        guest::{GuestDiskKind, GuestFacts},
        network::Network,
        pve_node::{NodeInterface, NodeInventory},
    },
    scene::Server,
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
    /// The first of them.
    pub(super) failed_names: Vec<String>,
    /// When the first of them failed.
    pub(super) failed_since: Option<Timestamp>,
    pub(super) containers_running: Option<u32>,
    /// What is wrong with it, whatever the time.
    pub(super) troubles: Vec<Trouble>,
    /// Its certificates, and until when they hold.
    pub(super) certificates: Vec<(String, Timestamp)>,
    /// How far its clock is from ours, as its Proxmox API tells.
    pub(super) clock_skew_seconds: Option<i64>,
    /// The part of its facts that was seen longest ago.
    pub(super) oldest: Option<(Section, Timestamp)>,
    pub(super) interfaces: Vec<InterfaceDigest>,
    pub(super) bridges: Arc<[BridgeDigest]>,
    /// What on it answers DNS or DHCP, where its sockets were seen.
    pub(super) servers: Vec<Server>,
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
    /// What is wrong with it, whatever the time.
    pub(super) troubles: Vec<Trouble>,
    pub(super) backups: BackupDigest,
    pub(super) vnets: Vec<VnetDigest>,
}

/// What is known of a cluster's backups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BackupDigest {
    /// The jobs that are on, by name; `None` where they were not seen.
    pub(super) jobs: Option<Arc<BTreeMap<String, JobDigest>>>,
    /// The backups there are; the world adds it.
    pub(super) known: Option<Arc<ClusterBackups>>,
    /// Guests that no job takes along; `None` where they were not seen.
    pub(super) bare: Option<Arc<BareGuests>>,
    /// Those that failed, newest first, each guest once.
    pub(super) failed: Vec<FailedBackup>,
}

/// Guests that no backup job takes along.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BareGuests {
    pub(super) count: usize,
    /// Of the first.
    pub(super) names: Vec<String>,
}

/// A backup that failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FailedBackup {
    /// The guest's number, or the node where the task was about several.
    pub(super) guest: String,
    pub(super) at: Timestamp,
    pub(super) error: String,
}

/// How many names, certificates and failed backups are kept of each host or cluster.
const KEPT: usize = 8;

impl HostDigest {
    /// The part of these facts.
    pub(super) fn of(facts: &HostFacts) -> Self {
        let cpu = facts.hardware.as_ref().map(|hardware| &hardware.facts.cpu);
        let node = facts.proxmox.as_ref().map(|node| &node.facts);
        let by_api = node.and_then(|node| node.cpu.as_ref());
        let by_manager = facts.updates.as_ref().map(|updates| &updates.facts);
        let system = facts.system.as_ref().map(|system| &system.facts);
        let failed = system.and_then(|system| system.failed.as_deref()).unwrap_or_default();
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
            failed_names: failed.iter().take(KEPT).map(|unit| unit.name.clone()).collect(),
            failed_since: failed.iter().filter_map(|unit| unit.since).min(),
            troubles: troubles::of_host(facts),
            certificates: node.map(certificates).unwrap_or_default(),
            clock_skew_seconds: node.and_then(|node| node.clock_skew_seconds),
            oldest: oldest(facts),
            interfaces: match (&facts.network, &facts.proxmox) {
                (Some(network), _) => interfaces(network),
                (None, Some(node)) => interfaces_by_api(node),
                (None, None) => Vec::new(),
            },
            bridges: bridges::bridges(facts).into(),
            servers: servers::of_host(facts),
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
            troubles: troubles::of_cluster(facts),
            backups: BackupDigest::of(facts),
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

impl BackupDigest {
    fn of(facts: &ClusterFacts) -> Self {
        let bare = facts.not_backed_up.as_ref().map(|all| {
            let name = |guest: &NotBackedUp| guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
            Arc::new(BareGuests { count: all.len(), names: all.iter().take(KEPT).map(name).collect() })
        });
        let mut failed: Vec<FailedBackup> = Vec::new();
        let tasks = facts.failed_tasks.iter().flatten().filter(|task| task.kind.as_deref() == Some("vzdump"));
        for task in tasks {
            let (Some(guest), Some(at)) = (task.subject.clone().or(task.node.clone()), task.ended_at) else { continue };
            if failed.len() < KEPT && failed.iter().all(|known| known.guest != guest) {
                failed.push(FailedBackup { guest, at, error: task.error.clone() });
            }
        }
        // A job takes all, some or a pool: without any of them it was written down before that was read.
        let is_whole = |job: &BackupJob| !job.enabled || job.selection != BackupSelection::default();
        let jobs = facts.backup_jobs.as_ref().filter(|jobs| jobs.iter().all(is_whole)).map(|jobs| {
            let on = jobs.iter().filter(|job| job.enabled);
            Arc::new(on.map(|job| (job.id.clone(), JobDigest::of(job))).collect())
        });
        Self { jobs, known: facts.backups.clone().map(Arc::new), bare, failed }
    }
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

fn certificates(node: &NodeInventory) -> Vec<(String, Timestamp)> {
    let all = node.certificates.iter().flatten();
    let mut all: Vec<_> = all.filter_map(|each| Some((each.file_name.clone()?, each.not_after?))).collect();
    all.sort_by_key(|(_, not_after)| *not_after);
    all.truncate(KEPT);
    all
}

fn oldest(facts: &HostFacts) -> Option<(Section, Timestamp)> {
    fn at<T>(facts: &Option<Dated<T>>) -> Option<Timestamp> {
        facts.as_ref().map(|facts| facts.at)
    }
    let all = [
        (Section::Hardware, at(&facts.hardware)),
        (Section::Sensors, at(&facts.sensors)),
        (Section::Disks, at(&facts.disks)),
        (Section::Network, at(&facts.network)),
        (Section::System, at(&facts.system)),
        (Section::Updates, at(&facts.updates)),
        (Section::Containers, at(&facts.containers)),
        (Section::Listeners, at(&facts.listeners)),
        (Section::Proxmox, at(&facts.proxmox)),
    ];
    all.into_iter().filter_map(|(section, at)| Some((section, at?))).min_by_key(|(_, at)| *at)
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
