//! What is known now, in memory: records, machines, what was heard of them, and the views made of it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    digest::{ClusterDigest, GuestDigest, HostDigest, VnetDigest},
    guest_rates::Marks,
    view::{self, ByCluster, ByShell, Heard},
};
use crate::{
    host::{linux::LinuxMachine, pve::ProxmoxCluster},
    model::{
        ClusterSnapshot, Connection, ConnectionId, Guest, GuestId, GuestIdentity, GuestOf, Host, HostId, HostState,
        HostView, Link, NodeSnapshot, Reach, Storage,
        attention::AttentionKind,
        facts::{Dated, Section, cluster::ClusterBackups, guest::GuestFacts},
    },
};

/// How old a cluster's figures may be to be summed up: three turns of a node that is asked by `pvesh`.
const FRESH: std::time::Duration = std::time::Duration::from_secs(180);

/// A view of a host that has not answered this process yet, with the figures that were last seen by an earlier one.
fn with_last_figures(view: HostView, old: &HostView, now: Timestamp) -> HostView {
    // Few misses of our own say less than what was known before.
    let state = if view.state == HostState::Unknown { old.state } else { view.state };
    HostView {
        state,
        guests: old.guests.map(|guests| view::known_to_run(guests, state)),
        name: view.name,
        kind: view.kind,
        address: view.address,
        groups: view.groups,
        tags: view.tags,
        via: view.via,
        guest_of: view.guest_of,
        problem: view.problem,
        age_seconds: view::age(old.observed_at, now),
        ..old.clone()
    }
}

/// Everything known.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) hosts: BTreeMap<HostId, Known>,
    pub(super) clusters: BTreeMap<ConnectionId, KnownCluster>,
    /// Guests that somebody looked at lately.
    pub(super) viewed: BTreeMap<GuestId, Viewed>,
}

/// A host and what is known of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) host: Host,
    /// The machine behind its first shell link, and the connection it was built from.
    pub(super) machine: Option<(Connection, Arc<LinuxMachine>)>,
    /// What its shell said in this process.
    pub(super) shell: ByShell,
    /// Who it is, as it was last written down.
    pub(super) identity: Option<crate::model::Identity>,
    /// The view that was last made or read.
    pub(super) view: Option<HostView>,
    /// What of its facts tables show.
    pub(super) digest: HostDigest,
    /// When its facts were last asked for.
    pub(super) asked: BTreeMap<Section, Timestamp>,
    /// When that failed as a whole.
    pub(super) facts_failed: Option<Timestamp>,
}

/// A cluster and what is known of it.
#[derive(Debug)]
pub(super) struct KnownCluster {
    pub(super) connection: Connection,
    pub(super) cluster: Arc<ProxmoxCluster>,
    /// The one node that is looked at, where the way to it is its own shell: `pvesh` there knows the whole cluster, but
    /// its other nodes have not been given to us.
    pub(super) only_node: Option<String>,
    pub(super) heard: Heard,
    pub(super) snapshot: Option<ClusterSnapshot>,
    pub(super) identities: BTreeMap<GuestId, GuestIdentity>,
    pub(super) identified_at: Option<Timestamp>,
    /// From what its guests' rates are made.
    pub(super) marks: Marks,
    /// What of its facts tables show.
    pub(super) digest: ClusterDigest,
    /// The backups there are of its guests.
    pub(super) backups: Option<Arc<ClusterBackups>>,
    /// When its facts were last asked for.
    pub(super) asked: AskedCluster,
    /// What of its guests' facts tables show.
    pub(super) guests: BTreeMap<GuestId, GuestKnown>,
}

/// When a cluster was last asked.
#[derive(Clone, Debug, Default)]
pub(super) struct AskedCluster {
    /// For whatever was due.
    pub(super) turn: Option<Timestamp>,
    /// For what may change any minute.
    pub(super) state: Option<Timestamp>,
    /// For everything about itself.
    pub(super) all: Option<Timestamp>,
    /// When it did not tell where backups may lie.
    pub(super) backups_failed: Option<(Timestamp, String)>,
}

/// What tables show of a guest's facts, and when they were read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GuestKnown {
    pub(super) at: Timestamp,
    /// `None` where they could not be read.
    pub(super) digest: Option<GuestDigest>,
}

/// All that was read of a guest when somebody looked, and since when its agent is silent.
pub(super) type Viewed = (Dated<GuestFacts>, Option<Timestamp>);

/// How many guests that somebody looked at are kept.
const VIEWED_KEPT: usize = 64;

impl World {
    /// All views, by name, with their ages.
    pub(super) fn views(&self, now: Timestamp) -> Vec<HostView> {
        let mut views: Vec<HostView> = self.hosts.values().map(|known| self.shown(known, now)).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// One host as it is to be shown.
    pub(super) fn shown(&self, known: &Known, now: Timestamp) -> HostView {
        match &known.view {
            Some(view) => view::aged(view.clone(), &known.host, now),
            // What its shell has said is not written down yet.
            None => self.make_view(known, &ByShell::default(), u32::MAX, now),
        }
    }

    /// A host's view, made anew. It is shown once it was written down: what a killed process has shown must not be lost.
    pub(super) fn renewed(&self, id: &HostId, misses: u32, now: Timestamp) -> Option<HostView> {
        let known = self.hosts.get(id)?;
        let view = self.make_view(known, &known.shell, misses, now);
        Some(match known.view.as_ref().filter(|old| view.observed_at.is_none() && old.observed_at.is_some()) {
            Some(old) => with_last_figures(view, old, now),
            None => view,
        })
    }

    /// Shows a view from now on; gives the state that was shown before.
    pub(super) fn show(&mut self, view: &HostView) -> Option<HostState> {
        let known = self.hosts.get_mut(&view.id)?;
        known.view.replace(view.clone()).map(|before| before.state)
    }

    fn make_view(&self, known: &Known, shell: &ByShell, misses: u32, now: Timestamp) -> HostView {
        let has_shell = known.machine.is_some();
        let by_cluster = known.host.links.iter().find_map(|link| self.by_cluster(link));
        let address = match known.machine.as_ref().map(|(connection, _)| &connection.reach) {
            Some(Reach::Ssh(reach)) => Some(reach.address.clone()),
            _ => by_cluster.as_ref().and_then(|cluster| cluster.node?.ip.clone()),
        };
        view::view(
            &known.host,
            has_shell.then_some(shell),
            by_cluster.as_ref(),
            address,
            self.guest_of(&known.host),
            misses,
            now,
        )
    }

    fn by_cluster(&self, link: &Link) -> Option<ByCluster<'_>> {
        let Link::ProxmoxNode { connection, node } = link else { return None };
        let known = self.clusters.get(connection)?;
        let snapshot = known.snapshot.as_ref();
        Some(ByCluster {
            heard: &known.heard,
            cluster: snapshot.and_then(|snapshot| snapshot.cluster.as_deref()),
            node: snapshot.and_then(|snapshot| snapshot.nodes.iter().find(|each| each.name == *node)),
            storages: snapshot.map_or(&[], |snapshot| &snapshot.storages),
        })
    }

    /// The guest that a host is, where its cluster is in the fleet.
    fn guest_of(&self, host: &Host) -> Option<GuestOf> {
        host.links.iter().find_map(|link| {
            let Link::Guest { connection, vmid } = link else { return None };
            let snapshot = self.clusters.get(connection)?.snapshot.as_ref();
            let vmid = vmid.to_string();
            let guest = snapshot.and_then(|snapshot| snapshot.guests.iter().find(|guest| guest.vmid == vmid));
            Some(GuestOf { connection: connection.clone(), name: guest.and_then(|guest| guest.name.clone()), vmid })
        })
    }

    /// All guests, each with the host its node is and the host it is itself.
    pub(super) fn guests(&self) -> Vec<Guest> {
        let mut guests: Vec<Guest> = self.snapshots().flat_map(|snapshot| snapshot.guests.clone()).collect();
        let (mut nodes, mut linked) = (BTreeMap::new(), BTreeMap::new());
        for known in self.hosts.values() {
            for link in &known.host.links {
                match link {
                    Link::ProxmoxNode { connection, node } => {
                        nodes.insert((connection, node.as_str()), &known.host.id);
                    }
                    Link::Guest { connection, vmid } => {
                        linked.insert(GuestId::new(connection, *vmid), &known.host.id);
                    }
                    Link::Local { .. } | Link::Ssh { .. } => {}
                }
            }
        }
        for guest in &mut guests {
            guest.host_id = nodes.get(&(&guest.connection, guest.node.as_str())).map(|id| (*id).clone());
            guest.linked_host = linked.get(&guest.id).map(|id| (*id).clone());
        }
        guests
    }

    /// One guest, with the host its node is.
    pub(super) fn guest(&self, id: &GuestId) -> Option<Guest> {
        let mut guest = self.snapshots().flat_map(|snapshot| &snapshot.guests).find(|guest| guest.id == *id)?.clone();
        let is_node = |link: &Link| matches!(link, Link::ProxmoxNode { connection, node } if *connection == guest.connection && *node == guest.node);
        let is_guest = |link: &Link| matches!(link, Link::Guest { connection, vmid } if GuestId::new(connection, *vmid) == guest.id);
        let (mut node, mut linked) = (None, None);
        for known in self.hosts.values() {
            if known.host.links.iter().any(is_node) {
                node = Some(known.host.id.clone());
            }
            if known.host.links.iter().any(is_guest) {
                linked = Some(known.host.id.clone());
            }
        }
        (guest.host_id, guest.linked_host) = (node, linked);
        Some(guest)
    }

    /// The ids of all guests.
    pub(super) fn guest_ids(&self) -> impl Iterator<Item = &GuestId> {
        self.snapshots().flat_map(|snapshot| snapshot.guests.iter().map(|guest| &guest.id))
    }

    /// Whether there is a storage of that id.
    pub(super) fn has_storage(&self, id: &str) -> bool {
        self.snapshots().any(|snapshot| snapshot.storages.iter().any(|storage| storage.id == id))
    }

    /// All storages.
    pub(super) fn storages(&self) -> Vec<Storage> {
        self.snapshots().flat_map(|snapshot| snapshot.storages.clone()).collect()
    }

    /// The storages of clusters that were seen of late: what is silent is in no sum.
    pub(super) fn fresh_storages(&self, now: Timestamp) -> Vec<Storage> {
        let fresh = |snapshot: &&ClusterSnapshot| now.duration_since(snapshot.at).unsigned_abs() <= FRESH;
        self.snapshots().filter(fresh).flat_map(|snapshot| snapshot.storages.clone()).collect()
    }

    fn snapshots(&self) -> impl Iterator<Item = &ClusterSnapshot> {
        self.clusters.values().filter_map(|known| known.snapshot.as_ref())
    }

    /// The hosts that are nodes of a cluster, by node name.
    pub(super) fn nodes_of(&self, cluster: &ConnectionId) -> BTreeMap<String, HostId> {
        let node = |known: &Known| {
            known.host.links.iter().find_map(|link| match link {
                Link::ProxmoxNode { connection, node } if connection == cluster => Some(node.clone()),
                _ => None,
            })
        };
        self.hosts.values().filter_map(|known| Some((node(known)?, known.host.id.clone()))).collect()
    }

    /// What is last known of a node.
    pub(super) fn node_of(&self, host: &Host) -> Option<&NodeSnapshot> {
        host.links.iter().find_map(|link| self.by_cluster(link)?.node)
    }

    /// As which node of which cluster each host comes in.
    pub(super) fn node_places(&self) -> BTreeMap<HostId, (ConnectionId, String)> {
        let place = |known: &Known| {
            known.host.links.iter().find_map(|link| match link {
                Link::ProxmoxNode { connection, node } => Some((connection.clone(), node.clone())),
                Link::Local { .. } | Link::Ssh { .. } | Link::Guest { .. } => None,
            })
        };
        self.hosts.values().filter_map(|known| Some((known.host.id.clone(), place(known)?))).collect()
    }

    /// The networks of the zones of each cluster.
    pub(super) fn vnets(&self) -> BTreeMap<ConnectionId, Vec<VnetDigest>> {
        self.clusters.iter().map(|(id, known)| (id.clone(), known.digest.vnets.clone())).collect()
    }

    /// Ids of hosts with a shell, and of clusters.
    pub(super) fn watched(&self) -> (Vec<HostId>, Vec<ConnectionId>) {
        let hosts = self.hosts.values().filter(|known| known.machine.is_some()).map(|known| known.host.id.clone());
        (hosts.collect(), self.clusters.keys().cloned().collect())
    }

    /// What of hosts' facts tables show.
    pub(super) fn host_digests(&self, now: Timestamp) -> BTreeMap<HostId, HostDigest> {
        let digest = |known: &Known| {
            let seen = known.shell.observation.as_ref().map(|observation| &observation.identity);
            let by_cluster = || self.node_of(&known.host).map(|node| &node.identity);
            let identity = seen.or(known.identity.as_ref()).or_else(by_cluster);
            let hostname = identity.and_then(|identity| identity.hostname.clone());
            // One that was read long ago is no temperature of now.
            let fresh = |(_, at): &(f64, Timestamp)| now.duration_since(*at).unsigned_abs() <= FRESH;
            let temperature = known.digest.temperature.filter(fresh);
            let mut troubles = known.digest.troubles.clone();
            troubles.retain(|trouble| temperature.is_some() || trouble.kind != AttentionKind::Temperature);
            HostDigest { hostname, temperature, troubles, ..known.digest.clone() }
        };
        self.hosts.iter().map(|(id, known)| (id.clone(), digest(known))).collect()
    }

    /// The certificates of hosts, and until when they hold.
    pub(super) fn certificates(&self) -> BTreeMap<HostId, Vec<(String, Timestamp)>> {
        let of_host = |known: &Known| (known.host.id.clone(), known.digest.certificates.clone());
        self.hosts.values().map(of_host).filter(|(_, all)| !all.is_empty()).collect()
    }

    /// What of guests' facts tables show.
    pub(super) fn guest_digests(&self) -> BTreeMap<GuestId, GuestDigest> {
        let known = self.clusters.values().flat_map(|known| &known.guests);
        known.filter_map(|(id, known)| Some((id.clone(), known.digest.clone()?))).collect()
    }

    /// What of clusters' facts tables show.
    pub(super) fn cluster_digests(&self) -> BTreeMap<ConnectionId, ClusterDigest> {
        let digest = |known: &KnownCluster| {
            let mut digest = known.digest.clone();
            digest.backups.known.clone_from(&known.backups);
            digest
        };
        self.clusters.iter().map(|(id, known)| (id.clone(), digest(known))).collect()
    }

    /// When the newest backups were made of guests that somebody looked at: what is read in the background may be an hour
    /// older.
    pub(super) fn looked_at_backups(&self) -> BTreeMap<GuestId, Timestamp> {
        let newest =
            |(guest, (facts, _)): (&GuestId, &Viewed)| Some((guest.clone(), facts.facts.backups.as_ref()?.newest_at?));
        self.viewed.iter().filter_map(newest).collect()
    }

    /// Keeps what was read of a guest. One that could not be read keeps what is known of it.
    pub(super) fn note_guest(&mut self, id: &GuestId, read: GuestKnown) {
        let connection = id.0.rsplit_once(':').map(|(connection, _)| ConnectionId::from(connection));
        if let Some(cluster) = connection.and_then(|connection| self.clusters.get_mut(&connection)) {
            let before = cluster.guests.remove(id).and_then(|known| known.digest);
            cluster.guests.insert(id.clone(), GuestKnown { digest: read.digest.or(before), ..read });
        }
    }

    /// Keeps all that was read of a guest for who looks again in a moment.
    pub(super) fn note_view(&mut self, id: &GuestId, facts: Dated<GuestFacts>, agent_silent_since: Option<Timestamp>) {
        if self.viewed.len() >= VIEWED_KEPT && !self.viewed.contains_key(id) {
            let oldest = self.viewed.iter().min_by_key(|(_, (facts, _))| facts.at).map(|(id, _)| id.clone());
            oldest.map(|oldest| self.viewed.remove(&oldest));
        }
        self.viewed.insert(id.clone(), (facts, agent_silent_since));
    }

    /// All machines with a shell.
    pub(super) fn machines(&self) -> Vec<Arc<LinuxMachine>> {
        self.hosts.values().filter_map(|known| Some(known.machine.as_ref()?.1.clone())).collect()
    }
}
