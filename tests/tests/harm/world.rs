//! A tiny world of its own, so that what rules let pass is tried out by something that shares no code with them.

use std::collections::BTreeSet;

use reanimator_core::model::{
    Bytes, GuestId, GuestKind, GuestStatus, HostId, Scene,
    scene::{
        Answers, Limits, PlacementRule, Preconditions, SceneCluster, SceneDisk, SceneGuest, SceneHa, SceneHost,
        SceneNode, SceneStorage, SceneWindow, ServedBy, Server,
    },
};

pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;
pub(super) const RESERVE: i64 = 2048;

/// Memory in MiB, disks in GiB; what is used may come to more than there is, which is what is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) clusters: Vec<Cluster>,
    pub(super) hosts: Vec<Host>,
    pub(super) guests: Vec<Guest>,
    pub(super) per_host: usize,
    pub(super) per_cluster: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    /// A node that stands alone has no quorum to lose.
    pub(super) alone: bool,
    pub(super) device: bool,
    pub(super) endpoints: BTreeSet<usize>,
    pub(super) shared_free: i64,
    pub(super) strict: Vec<(usize, BTreeSet<usize>)>,
    pub(super) preferred: Vec<(usize, BTreeSet<usize>)>,
    pub(super) together: Vec<BTreeSet<usize>>,
    pub(super) apart: Vec<BTreeSet<usize>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    pub(super) cluster: Option<usize>,
    pub(super) online: bool,
    pub(super) voting: bool,
    pub(super) api: bool,
    pub(super) ssh: bool,
    pub(super) maintenance: bool,
    pub(super) votes: u32,
    pub(super) total: i64,
    pub(super) used: i64,
    pub(super) cpus: u32,
    pub(super) local_free: i64,
    /// Whether it has the storage that all nodes see.
    pub(super) has_shared: bool,
    pub(super) bridges: BTreeSet<&'static str>,
    pub(super) servers: Vec<Daemon>,
    pub(super) own: bool,
    pub(super) own_up: bool,
    pub(super) router: bool,
    pub(super) jump: Option<usize>,
    pub(super) guest: Option<usize>,
    pub(super) wish: Wish,
}

/// A server on a host.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    pub(super) answers: Answers,
    pub(super) name: &'static str,
    pub(super) in_container: bool,
    pub(super) up: bool,
}

/// What people wish of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    #[default]
    None,
    Protected,
    OpenWindow,
    ClosedWindow,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Guest {
    pub(super) cluster: usize,
    pub(super) host: usize,
    pub(super) arriving: Option<usize>,
    pub(super) vm: bool,
    pub(super) state: State,
    /// Down for a while, with its memory still taken.
    pub(super) silent: bool,
    /// Whether the host that it is went down with it.
    pub(super) took_down: bool,
    pub(super) gone: bool,
    pub(super) memory: i64,
    pub(super) takes: i64,
    pub(super) cpus: u32,
    pub(super) disks: Vec<Disk>,
    pub(super) bridge: &'static str,
    pub(super) device: bool,
    pub(super) lock: bool,
    pub(super) managed: bool,
    pub(super) failed: bool,
    pub(super) dns: bool,
    pub(super) dhcp: bool,
    pub(super) kept: bool,
    pub(super) refused: BTreeSet<usize>,
    pub(super) wish: Wish,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Stopped,
    Running,
    Paused,
}

#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) shared: bool,
    /// A folder of the node.
    pub(super) folder: bool,
    pub(super) size: i64,
}

pub(super) fn host_id(host: usize) -> HostId {
    HostId(format!("h{host}"))
}

pub(super) fn host_of(id: &HostId) -> usize {
    id.as_str()[1..].parse().expect("hosts are called h0, h1")
}

pub(super) fn guest_id(world: &World, guest: usize) -> GuestId {
    GuestId(format!("c{}:{}", world.guests[guest].cluster, 100 + guest))
}

pub(super) fn guest_of(id: &GuestId) -> usize {
    let (_, number) = id.0.rsplit_once(':').expect("guests are called c0:100");
    number.parse::<usize>().expect("guests are called c0:100") - 100
}

impl Guest {
    /// Whether its memory is taken.
    pub(super) fn holds(&self) -> bool {
        !self.gone && self.state != State::Stopped
    }

    /// Whether it answers.
    pub(super) fn answers(&self) -> bool {
        !self.gone && self.state == State::Running && !self.silent
    }
}

impl World {
    /// The same for the rules.
    pub(super) fn scene(&self) -> Scene {
        let id = |place: usize| format!("c{place}");
        let clusters =
            self.clusters.iter().enumerate().map(|(place, known)| (id(place).into(), self.cluster(place, known)));
        let hosts = self.hosts.iter().enumerate().map(|(place, host)| (host_id(place), self.host(place, host)));
        let there = self.guests.iter().enumerate().filter(|(_, guest)| !guest.gone);
        Scene {
            clusters: clusters.collect(),
            hosts: hosts.collect(),
            guests: there.map(|(place, guest)| (guest_id(self, place), scene_guest(place, guest))).collect(),
            limits: Limits {
                reserve_percent: 0,
                reserve_least: Bytes(RESERVE.unsigned_abs() * MIB),
                per_host: self.per_host,
                per_cluster: self.per_cluster,
            },
            in_flight: Vec::new(),
        }
    }

    pub(super) fn nodes(&self, cluster: usize) -> impl Iterator<Item = (usize, &Host)> {
        self.hosts.iter().enumerate().filter(move |(_, host)| host.cluster == Some(cluster))
    }

    fn cluster(&self, place: usize, known: &Cluster) -> SceneCluster {
        let votes: u32 = self.nodes(place).map(|(_, host)| host.votes).sum();
        let device = u32::from(known.device);
        let guests = |all: &BTreeSet<usize>| all.iter().map(|guest| guest_id(self, *guest)).collect();
        let hosts = |all: &BTreeSet<usize>| all.iter().copied().map(host_id).collect();
        let nodes = |strict: bool| {
            let all = if strict { &known.strict } else { &known.preferred };
            let name = if strict { "strict" } else { "preferred" };
            all.iter().map(move |(guest, nodes)| PlacementRule::Nodes {
                name: name.into(),
                guests: [guest_id(self, *guest)].into(),
                hosts: hosts(nodes),
                strict,
            })
        };
        let together =
            known.together.iter().map(|all| PlacementRule::Together { name: "together".into(), guests: guests(all) });
        let apart = known.apart.iter().map(|all| PlacementRule::Apart { name: "apart".into(), guests: guests(all) });
        SceneCluster {
            name: format!("c{place}"),
            quorate: (!known.alone).then_some(true),
            expected_votes: if known.alone { 0 } else { votes + device },
            device_votes: device,
            endpoints: known.endpoints.iter().copied().filter(|host| self.hosts[*host].api).map(host_id).collect(),
            other_endpoint: false,
            rules: nodes(true).chain(nodes(false)).chain(together).chain(apart).collect(),
        }
    }

    fn host(&self, place: usize, host: &Host) -> SceneHost {
        let node = host.cluster.map(|cluster| SceneNode {
            votes: host.votes * u32::from(host.voting),
            memory_total: Some(Bytes(host.total.unsigned_abs() * MIB)),
            memory_used: Some(Bytes(host.used.unsigned_abs() * MIB)),
            cpus: Some(host.cpus),
            storages: self.storages(cluster, host),
            bridges: Some(host.bridges.iter().map(|name| (*name).to_owned()).collect()),
            ..SceneNode::new(format!("c{cluster}").into(), format!("h{place}"))
        });
        let (protected, window) = wish(host.wish);
        SceneHost {
            name: format!("h{place}"),
            guest: host.guest.map(|guest| guest_id(self, guest)),
            online: host.online,
            maintenance: host.maintenance,
            servers: host.servers.iter().map(Daemon::scene).collect(),
            own: host.own,
            own_unit: host.own.then(|| "reanimator.service".to_owned()),
            router: host.router,
            through: host.jump.map(host_id).into_iter().collect(),
            ssh_only: host.ssh && node.is_none() && !host.own,
            node,
            protected,
            window,
            ..SceneHost::default()
        }
    }

    fn storages(&self, cluster: usize, host: &Host) -> std::collections::BTreeMap<String, SceneStorage> {
        let storage = |shared, free: i64| SceneStorage {
            shared,
            content: ["images".to_owned(), "rootdir".to_owned()].into(),
            free: Some(Bytes(free.max(0).unsigned_abs() * GIB)),
            active: true,
        };
        let shared = host.has_shared.then(|| ("shared".to_owned(), storage(true, self.clusters[cluster].shared_free)));
        [("local".to_owned(), storage(false, host.local_free))].into_iter().chain(shared).collect()
    }
}

impl Daemon {
    fn scene(&self) -> Server {
        let name = self.name.to_owned();
        let by = match self.in_container {
            true => ServedBy::Container { name, project: None },
            false => ServedBy::Unit(format!("{name}.service")),
        };
        Server { answers: self.answers, by, up: self.up }
    }
}

fn wish(wish: Wish) -> (Option<String>, Option<SceneWindow>) {
    let window = |open| Some(SceneWindow { open, words: "waits".into() });
    match wish {
        Wish::None => (None, None),
        Wish::Protected => (Some("is protected".into()), None),
        Wish::OpenWindow => (None, window(true)),
        Wish::ClosedWindow => (None, window(false)),
    }
}

fn scene_guest(place: usize, guest: &Guest) -> SceneGuest {
    let (protected, window) = wish(guest.wish);
    let disk = |(number, disk): (usize, &Disk)| SceneDisk {
        name: format!("scsi{number}"),
        storage: (!disk.folder).then(|| if disk.shared { "shared" } else { "local" }.to_owned()),
        shared: disk.shared,
        size: Some(Bytes(disk.size.unsigned_abs() * GIB)),
        cdrom: false,
    };
    let server = |answers| Server { answers, by: ServedBy::Host, up: true };
    let state = if guest.failed { "error" } else { "started" };
    SceneGuest {
        name: format!("g{place}"),
        kind: if guest.vm { GuestKind::Qemu } else { GuestKind::Lxc },
        host: host_id(guest.host),
        status: match guest.state {
            State::Stopped => GuestStatus::Stopped,
            State::Running => GuestStatus::Running,
            State::Paused => GuestStatus::Paused,
        },
        memory: Bytes(guest.memory.unsigned_abs() * MIB),
        memory_used: Some(Bytes(guest.takes.unsigned_abs() * MIB)),
        cpus: guest.vm.then_some(guest.cpus),
        disks: guest.disks.iter().enumerate().map(disk).collect(),
        bridges: [guest.bridge.to_owned()].into(),
        passthrough: if guest.device { vec!["hostpci0".into()] } else { Vec::new() },
        lock: guest.lock.then(|| "backup".to_owned()),
        ha: guest.managed.then(|| SceneHa { state: Some(state.into()), wanted: Some("started".into()) }),
        servers: [(guest.dns, Answers::Dns), (guest.dhcp, Answers::Dhcp)]
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, answers)| server(answers))
            .collect(),
        protected,
        kept: guest.kept,
        window,
        preconditions: Some(Preconditions {
            refused: guest.refused.iter().map(|host| (host_id(*host), "it says so".to_owned())).collect(),
            ..Preconditions::default()
        }),
        ..SceneGuest::default()
    }
}
