//! The part of the world that rules need to judge an action: plain data, without a way to look at more.
//!
//! [`action::guard`](crate::action::guard) makes one of what clusters answer and the fleet knows,
//! [`decide::harm`](crate::decide::harm) judges by it. A test makes one by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    action::Action,
    guest::{GuestKind, GuestStatus},
    ids::{ConnectionId, GuestId, HostId},
    units::Bytes,
};

/// What is there: clusters, hosts, guests, and what people wish of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scene {
    /// Proxmox clusters, and nodes that stand alone.
    pub clusters: BTreeMap<ConnectionId, SceneCluster>,
    /// Hosts: nodes and plain machines.
    pub hosts: BTreeMap<HostId, SceneHost>,
    /// Guests.
    pub guests: BTreeMap<GuestId, SceneGuest>,
    /// Bounds.
    pub limits: Limits,
    /// What is being done at this moment, and not done yet.
    pub in_flight: Vec<Action>,
}

/// Bounds that actions keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Share of its memory that a node keeps free, in percent. Defaults to 5.
    pub reserve_percent: u8,
    /// What a node keeps free at least. Defaults to 1 GiB: its own services, and the cache of its file systems.
    pub reserve_least: Bytes,
    /// Actions that one host bears at once. Defaults to 2.
    pub per_host: usize,
    /// Actions that one cluster bears at once. Defaults to 4.
    pub per_cluster: usize,
}

/// A Proxmox cluster, or a node that stands alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneCluster {
    /// Its name.
    pub name: String,
    /// Whether it has its quorum; none for a node that stands alone.
    pub quorate: Option<bool>,
    /// All votes there are, those of a quorum device among them; 0 for a node that stands alone.
    pub expected_votes: u32,
    /// The votes of its quorum device, where that answers.
    pub device_votes: u32,
    /// Hosts at which its API is asked.
    pub endpoints: BTreeSet<HostId>,
    /// Whether its API is also asked at an address that is no host of the fleet.
    pub other_endpoint: bool,
    /// Rules of high availability that are switched on.
    pub rules: Vec<PlacementRule>,
}

/// Where guests under high availability may be. Groups of before Proxmox VE 9 are [`PlacementRule::Nodes`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlacementRule {
    /// On these nodes.
    Nodes {
        /// Its name.
        name: String,
        /// Whom it is for.
        guests: BTreeSet<GuestId>,
        /// Where.
        hosts: BTreeSet<HostId>,
        /// Whether nowhere else, or there as long as one of them is there.
        strict: bool,
    },
    /// All on one node. High availability moves them together.
    Together {
        /// Its name.
        name: String,
        /// Whom it is for.
        guests: BTreeSet<GuestId>,
    },
    /// Each on a node of its own.
    Apart {
        /// Its name.
        name: String,
        /// Whom it is for.
        guests: BTreeSet<GuestId>,
    },
}

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneHost {
    /// Its name.
    pub name: String,
    /// What it is in a cluster, where it is a node.
    pub node: Option<SceneNode>,
    /// The guest that it is, where it is one.
    pub guest: Option<GuestId>,
    /// Whether it answers.
    pub online: bool,
    /// Whether nothing new is to be put on it.
    pub maintenance: bool,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// What on it answers DNS or DHCP.
    pub servers: Vec<Server>,
    /// Whether it is the machine that Reanimator runs on.
    pub own: bool,
    /// The systemd unit that Reanimator runs as, on its own machine.
    pub own_unit: Option<String>,
    /// Whether Reanimator's own machine reaches others through it, as its router.
    pub router: bool,
    /// Hosts that it is reached through.
    pub through: BTreeSet<HostId>,
    /// Whether it is reached over SSH only.
    pub ssh_only: bool,
    /// Why it is to be left alone, where somebody said so, behind the name: `is protected by ada`.
    pub protected: Option<String>,
    /// Its maintenance windows, where it has some.
    pub window: Option<SceneWindow>,
}

/// A host as a node of a Proxmox cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneNode {
    /// Its cluster.
    pub cluster: ConnectionId,
    /// What it is called there.
    pub name: String,
    /// Its votes.
    pub votes: u32,
    /// All its memory; none where that was not seen.
    pub memory_total: Option<Bytes>,
    /// Memory in use, that of its guests among it; none where that was not seen.
    pub memory_used: Option<Bytes>,
    /// Logical CPUs; none where they were not seen.
    pub cpus: Option<u32>,
    /// Its storages, by name.
    pub storages: BTreeMap<String, SceneStorage>,
    /// Its bridges, and the networks of zones that it has; none where they were not seen.
    pub bridges: Option<BTreeSet<String>>,
}

/// A storage, as a node has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneStorage {
    /// Whether all nodes see the same one.
    pub shared: bool,
    /// What it may hold: `images`, `rootdir`, `backup`.
    pub content: BTreeSet<String>,
    /// Room on it; none where that was not seen.
    pub free: Option<Bytes>,
    /// Whether it can be used.
    pub active: bool,
}

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneGuest {
    /// Its name, or its number.
    pub name: String,
    /// VM or container.
    pub kind: GuestKind,
    /// The node it is on.
    pub host: HostId,
    /// The node that it is on its way to.
    pub coming_to: Option<HostId>,
    /// Whether it runs. What nobody knows is taken for running where that is worse.
    pub status: GuestStatus,
    /// Whether something is being done to it, so that it may run or not.
    pub unsettled: bool,
    /// The most memory that it may take.
    pub memory: Bytes,
    /// The memory that it takes now, where that is known.
    pub memory_used: Option<Bytes>,
    /// Processors that it has; of a container none: it takes those that are there.
    pub cpus: Option<u32>,
    /// Sockets of a VM.
    pub sockets: u32,
    /// Disks and drives.
    pub disks: Vec<SceneDisk>,
    /// Bridges that its network cards hang on.
    pub bridges: BTreeSet<String>,
    /// Devices of its node that it has, without those that the cluster maps: `hostpci0 (0000:01:00.0)`.
    pub passthrough: Vec<String>,
    /// By what it is locked.
    pub lock: Option<String>,
    /// What high availability makes of it, where it looks after it.
    pub ha: Option<SceneHa>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Whether it is a template.
    pub template: bool,
    /// What in it answers DNS or DHCP.
    pub servers: Vec<Server>,
    /// Whether Reanimator runs in it.
    pub own: bool,
    /// Whether Reanimator's own machine reaches others through it, as its router.
    pub router: bool,
    /// Why it is to be left alone, where somebody said so, behind the name: `is protected by ada`.
    pub protected: Option<String>,
    /// Whether Proxmox keeps it from being deleted.
    pub kept: bool,
    /// Its maintenance windows, where it has some.
    pub window: Option<SceneWindow>,
    /// Where Proxmox itself says that it may be moved to, where it was asked.
    pub preconditions: Option<Preconditions>,
}

/// A disk or drive of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneDisk {
    /// `scsi0`, `rootfs`.
    pub name: String,
    /// The storage it lies on; none for a folder or device of its node.
    pub storage: Option<String>,
    /// Whether all nodes see that storage.
    pub shared: bool,
    /// Its size; none where that is not known.
    pub size: Option<Bytes>,
    /// Whether it is a drive for CDs.
    pub cdrom: bool,
}

/// A guest under high availability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneHa {
    /// What it is: `started`, `error`.
    pub state: Option<String>,
    /// What it should be: `started`, `stopped`.
    pub wanted: Option<String>,
}

/// Something that answers others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What it answers.
    pub answers: Answers,
    /// What it runs as on its host.
    pub by: ServedBy,
    /// Whether it runs.
    pub up: bool,
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// Names: port 53.
    Dns,
    /// Who asks for an address: port 67.
    Dhcp,
}

/// What a server runs as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServedBy {
    /// Nobody knows; a tag says that it is there, or a socket that nobody could be found for.
    Host,
    /// A systemd unit.
    Unit(String),
    /// A container, of a project of Compose where it is of one.
    Container {
        /// Its name.
        name: String,
        /// Its project.
        project: Option<String>,
    },
}

/// Maintenance windows, as they are at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneWindow {
    /// Whether one is open now.
    pub open: bool,
    /// What they come to, behind the name: `may not be disturbed now: its maintenance window nights opens at 22:00`.
    pub words: String,
}

/// What Proxmox itself says about moving a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preconditions {
    /// The hosts it may be moved to; none where it does not say.
    pub allowed: Option<BTreeSet<HostId>>,
    /// Hosts that it may not be moved to, and why.
    pub refused: BTreeMap<HostId, String>,
    /// What of its node keeps it there: `hostpci0`.
    pub local_resources: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reserve_percent: 5, reserve_least: Bytes(1 << 30), per_host: 2, per_cluster: 4 }
    }
}

impl Limits {
    /// What a node with so much memory keeps free: a share of it, and never less than the least.
    pub fn reserve(&self, total: Bytes) -> Bytes {
        Bytes(total.0 / 100 * u64::from(self.reserve_percent)).max(self.reserve_least)
    }
}

impl Default for SceneGuest {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: GuestKind::Qemu,
            host: HostId(String::new()),
            coming_to: None,
            status: GuestStatus::Stopped,
            unsettled: false,
            memory: Bytes(0),
            memory_used: None,
            cpus: None,
            sockets: 1,
            disks: Vec::new(),
            bridges: BTreeSet::new(),
            passthrough: Vec::new(),
            lock: None,
            ha: None,
            tags: BTreeSet::new(),
            template: false,
            servers: Vec::new(),
            own: false,
            router: false,
            protected: None,
            kept: false,
            window: None,
            preconditions: None,
        }
    }
}

impl SceneGuest {
    /// Whether it runs, or may. One whose CPUs are held has its memory and its place too.
    pub const fn may_run(&self) -> bool {
        !matches!(self.status, GuestStatus::Stopped) && !self.template
    }

    /// Whether it is on a host, or on its way there.
    pub fn is_at(&self, host: &HostId) -> bool {
        self.host == *host || self.coming_to.as_ref() == Some(host)
    }

    /// Whether it answers others for certain.
    pub const fn surely_runs(&self) -> bool {
        matches!(self.status, GuestStatus::Running) && !self.unsettled
    }
}

impl SceneNode {
    /// A node of a cluster, of which nothing was seen.
    pub fn new(cluster: ConnectionId, name: impl Into<String>) -> Self {
        Self {
            cluster,
            name: name.into(),
            votes: 0,
            memory_total: None,
            memory_used: None,
            cpus: None,
            storages: BTreeMap::new(),
            bridges: None,
        }
    }

    /// Memory that guests may still be given: what is free, without the reserve. None where that was not seen.
    pub fn memory_left(&self, limits: &Limits) -> Option<Bytes> {
        let (total, used) = (self.memory_total?, self.memory_used?);
        Some(Bytes(total.0.saturating_sub(used.0).saturating_sub(limits.reserve(total).0)))
    }
}

impl Scene {
    /// The node that a host is.
    pub fn node(&self, host: &HostId) -> Option<&SceneNode> {
        self.hosts.get(host)?.node.as_ref()
    }

    /// The cluster of a host that is a node.
    pub fn cluster_of(&self, host: &HostId) -> Option<(&ConnectionId, &SceneCluster)> {
        self.clusters.get_key_value(&self.node(host)?.cluster)
    }

    /// The hosts that are nodes of a cluster.
    pub fn nodes_of<'a>(&'a self, cluster: &'a ConnectionId) -> impl Iterator<Item = (&'a HostId, &'a SceneHost)> {
        self.hosts.iter().filter(move |(_, host)| host.node.as_ref().is_some_and(|node| node.cluster == *cluster))
    }

    /// Guests on a host, or on their way there.
    pub fn guests_at<'a>(&'a self, host: &'a HostId) -> impl Iterator<Item = (&'a GuestId, &'a SceneGuest)> {
        self.guests.iter().filter(move |(_, guest)| guest.is_at(host))
    }

    /// A host's name, or its id where it is not known.
    pub fn host_name(&self, host: &HostId) -> String {
        self.hosts.get(host).map_or_else(|| host.to_string(), |known| known.name.clone())
    }

    /// A guest's name, or its id where it is not known.
    pub fn guest_name(&self, guest: &GuestId) -> String {
        self.guests.get(guest).map_or_else(|| guest.to_string(), |known| known.name.clone())
    }
}
