//! The fleet's gauges: stable names with their units in them, one line per host, guest, storage or cluster.

use std::{fmt::Debug, hash::Hash, sync::atomic::AtomicU64, time::Duration};

use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use reanimator_core::{
    fleet::{Status, Tables},
    model::{
        Guest, GuestStatus, HostState, HostView, Storage,
        dashboard::{ClusterRow, NodeRow},
    },
};

/// What a cluster said longer ago is no figure of now: it has no line then.
const FRESH: Duration = Duration::from_secs(180);

type FloatGauge = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostInfo {
    host: String,
    kind: &'static str,
    cluster: String,
    os: String,
    kernel: String,
    proxmox_version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GuestLabels {
    cluster: String,
    node: String,
    vmid: String,
    name: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StorageLabels {
    cluster: String,
    node: String,
    storage: String,
    r#type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClusterLabels {
    cluster: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// One gauge, with a line for each thing of which the figure was seen.
struct Figure<T> {
    name: &'static str,
    help: &'static str,
    read: fn(&T) -> Option<f64>,
}

/// Puts all gauges in.
pub(super) fn register(
    registry: &mut Registry,
    status: &Status,
    tables: &Tables,
    guests: &[Guest],
    storages: &[Storage],
) {
    register_states(registry, status);
    register_info(registry, status);
    let by_view = |host: &HostView| HostLabels { host: host.name.clone() };
    add(registry, HOSTS, &status.hosts, by_view);
    add(registry, NODES, &tables.nodes, |node| HostLabels { host: node.name.clone() });
    let fresh = |at: Option<Timestamp>| at.is_some_and(|at| status.at.duration_since(at).unsigned_abs() <= FRESH);
    let real = guests.iter().filter(|guest| !guest.template && fresh(guest.observed_at));
    let real: Vec<Guest> = real.cloned().collect();
    let storages: Vec<Storage> = storages.iter().filter(|storage| fresh(storage.observed_at)).cloned().collect();
    let clusters = tables.clusters.iter().filter(|cluster| fresh(cluster.observed_at));
    let clusters: Vec<ClusterRow> = clusters.cloned().collect();
    add(registry, GUESTS, &real, guest_labels);
    add(registry, STORAGES, &storages, storage_labels);
    add(registry, CLUSTERS, &clusters, |cluster| ClusterLabels { cluster: cluster.name.clone() });
}

/// The names of all gauges.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    fn of<T>(figures: &[Figure<T>]) -> Vec<&'static str> {
        figures.iter().map(|figure| figure.name).collect()
    }
    let states = vec!["reanimator_hosts", "reanimator_guests", "reanimator_host_info"];
    [states, of(HOSTS), of(NODES), of(GUESTS), of(STORAGES), of(CLUSTERS)].concat()
}

fn add<T, L>(registry: &mut Registry, figures: &[Figure<T>], things: &[T], labels: fn(&T) -> L)
where
    L: Clone + Debug + Eq + Hash + EncodeLabelSet + Send + Sync + 'static,
{
    for figure in figures {
        let family = Family::<L, FloatGauge>::default();
        for thing in things {
            if let Some(value) = (figure.read)(thing) {
                family.get_or_create(&labels(thing)).set(value);
            }
        }
        registry.register(figure.name, figure.help, family);
    }
}

fn guest_labels(guest: &Guest) -> GuestLabels {
    GuestLabels {
        // A node that stands alone has no cluster's name, and may be called as another one is.
        cluster: guest.cluster.clone().unwrap_or_else(|| guest.connection.to_string()),
        node: guest.node.clone(),
        vmid: guest.vmid.clone(),
        name: guest.name.clone().unwrap_or_default(),
        kind: guest.kind.as_str(),
    }
}

fn storage_labels(storage: &Storage) -> StorageLabels {
    StorageLabels {
        cluster: storage.cluster.clone().unwrap_or_else(|| storage.connection.to_string()),
        // A shared one is no node's.
        node: if storage.shared { String::new() } else { storage.nodes.join(",") },
        storage: storage.name.clone(),
        r#type: storage.storage_type.clone(),
    }
}

fn register_states(registry: &mut Registry, status: &Status) {
    let hosts = Family::<StateLabel, Gauge>::default();
    for state in [HostState::Online, HostState::Offline, HostState::Unknown, HostState::Maintenance] {
        let count = status.hosts.iter().filter(|host| host.state == state).count();
        hosts.get_or_create(&StateLabel { state: state.as_str() }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("reanimator_hosts", "Hosts of the fleet by state", hosts);
    let guests = Family::<StateLabel, Gauge>::default();
    let counts = status.totals.guests;
    guests.get_or_create(&StateLabel { state: "running" }).set(i64::from(counts.running));
    guests.get_or_create(&StateLabel { state: "other" }).set(i64::from(counts.total.saturating_sub(counts.running)));
    registry.register("reanimator_guests", "Guests of all clusters by state", guests);
}

fn register_info(registry: &mut Registry, status: &Status) {
    let family = Family::<HostInfo, Gauge>::default();
    for host in &status.hosts {
        let labels = HostInfo {
            host: host.name.clone(),
            kind: host.kind.as_str(),
            cluster: host.cluster.clone().unwrap_or_default(),
            os: host.os.clone().unwrap_or_default(),
            kernel: host.kernel.clone().unwrap_or_default(),
            proxmox_version: host.proxmox_version.clone().unwrap_or_default(),
        };
        family.get_or_create(&labels).set(1);
    }
    registry.register("reanimator_host_info", "What the host runs; always 1", family);
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

const HOSTS: &[Figure<HostView>] = &[
    Figure {
        name: "reanimator_host_up",
        help: "Whether the host answers (1) or not (0)",
        read: |host| Some(truth(host.state == HostState::Online)),
    },
    Figure {
        name: "reanimator_host_cpu_percent",
        help: "CPU in use of all CPUs together",
        read: |host| host.cpu_percent,
    },
    Figure { name: "reanimator_host_cpus", help: "Logical CPUs", read: |host| host.cpus.map(f64::from) },
    Figure { name: "reanimator_host_load1", help: "Load over a minute", read: |host| host.load.map(|load| load[0]) },
    Figure {
        name: "reanimator_host_memory_total_bytes",
        help: "Main memory",
        read: |host| host.memory.as_ref().map(|memory| memory.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_memory_used_bytes",
        help: "Main memory in use",
        read: |host| host.memory.as_ref().map(|memory| memory.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_swap_total_bytes",
        help: "Swap",
        read: |host| host.swap.map(|swap| swap.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_swap_used_bytes",
        help: "Swap in use",
        read: |host| host.swap.map(|swap| swap.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_disk_total_bytes",
        help: "Local file systems together",
        read: |host| host.disk.map(|disk| disk.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_disk_used_bytes",
        help: "Local file systems together, in use",
        read: |host| host.disk.map(|disk| disk.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_host_network_received_bytes_per_second",
        help: "Traffic in",
        read: |host| host.network.map(|network| network.received_bytes_per_second),
    },
    Figure {
        name: "reanimator_host_network_sent_bytes_per_second",
        help: "Traffic out",
        read: |host| host.network.map(|network| network.sent_bytes_per_second),
    },
    Figure {
        name: "reanimator_host_uptime_seconds",
        help: "Time since the host started",
        read: |host| host.uptime_seconds.map(|seconds| seconds as f64),
    },
    Figure {
        name: "reanimator_host_observation_age_seconds",
        help: "How old the host's figures are",
        read: |host| host.age_seconds,
    },
];

const NODES: &[Figure<NodeRow>] = &[
    Figure {
        name: "reanimator_host_temperature_celsius",
        help: "The warmest sensor of the host",
        read: |node| node.temperature_highest_c,
    },
    Figure {
        name: "reanimator_host_updates_pending",
        help: "Packages that could be newer",
        read: |node| node.updates_pending.map(f64::from),
    },
    Figure {
        name: "reanimator_host_updates_security",
        help: "Packages whose newer version mends a security hole",
        read: |node| node.updates_security.map(f64::from),
    },
    Figure {
        name: "reanimator_host_reboot_needed",
        help: "Whether the host wants to be restarted (1) or not (0)",
        read: |node| node.reboot_needed.map(truth),
    },
    Figure {
        name: "reanimator_host_failed_units",
        help: "systemd units that failed",
        read: |node| node.failed_units.map(f64::from),
    },
    Figure {
        name: "reanimator_host_containers_running",
        help: "Docker and Podman containers running",
        read: |node| node.containers_running.map(f64::from),
    },
    Figure {
        name: "reanimator_host_problems",
        help: "What is degraded or failing on the host, in number",
        read: |node| Some(node.problems.len() as f64),
    },
];

const GUESTS: &[Figure<Guest>] = &[
    Figure {
        name: "reanimator_guest_up",
        help: "Whether the guest runs (1) or not (0)",
        read: |guest| (guest.status != GuestStatus::Unknown).then(|| truth(guest.status == GuestStatus::Running)),
    },
    Figure {
        name: "reanimator_guest_cpu_percent",
        help: "CPU in use of what the guest was given",
        read: |guest| guest.cpu_percent,
    },
    Figure { name: "reanimator_guest_cpus", help: "CPUs that the guest was given", read: |guest| guest.cpus },
    Figure {
        name: "reanimator_guest_memory_total_bytes",
        help: "Main memory that the guest was given",
        read: |guest| guest.memory.as_ref().map(|memory| memory.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_guest_memory_used_bytes",
        help: "Main memory that the guest uses",
        read: |guest| guest.memory.as_ref().map(|memory| memory.used_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_guest_disk_total_bytes",
        help: "The guest's root disk",
        read: |guest| guest.disk.map(|disk| disk.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_guest_uptime_seconds",
        help: "Time since the guest started",
        read: |guest| guest.uptime_seconds.map(|seconds| seconds as f64),
    },
];

const STORAGES: &[Figure<Storage>] = &[
    Figure {
        name: "reanimator_storage_active",
        help: "Whether the storage can be used (1) or not (0)",
        read: |storage| Some(truth(storage.active)),
    },
    Figure {
        name: "reanimator_storage_total_bytes",
        help: "Room on the storage",
        read: |storage| storage.space.map(|space| space.total_bytes.0 as f64),
    },
    Figure {
        name: "reanimator_storage_used_bytes",
        help: "Room on the storage that is in use",
        read: |storage| storage.space.map(|space| space.used_bytes.0 as f64),
    },
];

const CLUSTERS: &[Figure<ClusterRow>] = &[
    Figure {
        name: "reanimator_cluster_quorate",
        help: "Whether the cluster has quorum (1) or not (0)",
        read: |cluster| cluster.quorate.map(truth),
    },
    Figure {
        name: "reanimator_cluster_nodes",
        help: "Nodes of the cluster",
        read: |cluster| Some(f64::from(cluster.nodes_total)),
    },
    Figure {
        name: "reanimator_cluster_nodes_online",
        help: "Nodes of the cluster that are online",
        read: |cluster| Some(f64::from(cluster.nodes_online)),
    },
];
