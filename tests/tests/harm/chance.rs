//! Worlds and actions by chance, the same for the same seed.

use std::collections::BTreeSet;

use reanimator_core::model::{
    Action, BackupMode, ContainerVerb, GuestChange, HostChange, Machine, MigrationMode, PackagesChange, SnapshotVerb,
    UnitVerb, scene::Answers,
};

use super::world::{Cluster, Daemon, Disk, Guest, Host, State, Wish, World, guest_id, host_id};

/// SplitMix64.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `most`.
    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    pub(super) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(usize::try_from(to - from + 1).unwrap_or(1))).unwrap_or(0)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn some(&mut self, most: usize, share: usize) -> BTreeSet<usize> {
        (0..most).filter(|_| self.percent(share)).collect()
    }

    pub(super) fn world(&mut self) -> World {
        let mut world = World { per_host: 1 + self.below(3), per_cluster: 2 + self.below(3), ..World::default() };
        for cluster in 0..1 + self.below(2) {
            let nodes = 1 + self.below(5);
            let first = world.hosts.len();
            world.hosts.extend((0..nodes).map(|_| self.node(cluster)));
            let endpoints = (first..first + nodes).filter(|place| *place == first || self.percent(70)).collect();
            let shared_free = self.between(20, 400);
            let device = nodes > 1 && self.percent(20);
            world.clusters.push(Cluster { alone: nodes == 1, device, endpoints, shared_free, ..Cluster::default() });
            for _ in 0..self.below(8) {
                let host = first + self.below(nodes);
                let guest = self.guest(cluster, host);
                world.hosts[host].used += guest.takes;
                world.guests.push(guest);
            }
        }
        for _ in 0..self.below(4) {
            let plain = self.plain(&world);
            world.hosts.push(plain);
        }
        let own = self.below(world.hosts.len());
        (world.hosts[own].own, world.hosts[own].own_up) = (true, true);
        self.rules(&mut world);
        world
    }

    fn node(&mut self, cluster: usize) -> Host {
        let bridges: &[&'static str] = if self.percent(80) { &["vmbr0", "vmbr1"] } else { &["vmbr1"] };
        Host {
            cluster: Some(cluster),
            online: self.percent(90),
            voting: true,
            api: true,
            ssh: true,
            maintenance: self.percent(8),
            votes: if self.percent(90) { 1 } else { 2 },
            total: self.of(&[16, 32, 64]) * 1024,
            used: self.between(1, 4) * 1024,
            cpus: self.of(&[2, 8, 16]),
            local_free: self.between(10, 200),
            has_shared: self.percent(85),
            bridges: bridges.iter().copied().collect(),
            servers: self.servers(),
            wish: self.wish(),
            ..Host::default()
        }
    }

    fn plain(&mut self, world: &World) -> Host {
        let guest = (!world.guests.is_empty() && self.percent(40)).then(|| self.below(world.guests.len()));
        // One guest is one host.
        let guest = guest.filter(|guest| world.hosts.iter().all(|host| host.guest != Some(*guest)));
        let runs =
            guest.is_none_or(|guest| world.guests[guest].answers() && world.hosts[world.guests[guest].host].online);
        Host {
            online: runs && self.percent(95),
            ssh: true,
            servers: self.servers(),
            router: self.percent(10),
            jump: self.percent(30).then(|| self.below(world.hosts.len())),
            guest,
            wish: self.wish(),
            ..Host::default()
        }
    }

    fn servers(&mut self) -> Vec<Daemon> {
        let mut servers = Vec::new();
        for (answers, name) in [(Answers::Dns, "unbound"), (Answers::Dhcp, "dnsmasq")] {
            if self.percent(8) {
                servers.push(Daemon { answers, name, in_container: self.percent(40), up: true });
            }
        }
        servers
    }

    fn wish(&mut self) -> Wish {
        match self.below(20) {
            0 => Wish::Protected,
            1 => Wish::OpenWindow,
            2 => Wish::ClosedWindow,
            _ => Wish::None,
        }
    }

    fn guest(&mut self, cluster: usize, host: usize) -> Guest {
        let memory = self.of(&[1, 2, 4, 8]) * 1024;
        let state = match self.below(10) {
            0..=5 => State::Running,
            6 => State::Paused,
            _ => State::Stopped,
        };
        let managed = self.percent(30);
        let disks =
            (0..1 + self.below(2)).map(|_| Disk { shared: self.percent(75), folder: false, size: self.between(2, 40) });
        let mut disks: Vec<Disk> = disks.collect();
        if self.percent(6) {
            disks.push(Disk { shared: false, folder: true, size: 1 });
        }
        Guest {
            cluster,
            host,
            vm: self.percent(60),
            state,
            memory,
            takes: if state == State::Stopped { 0 } else { self.between(memory / 4, memory) },
            cpus: self.of(&[1, 2, 4, 8]),
            disks,
            bridge: if self.percent(60) { "vmbr1" } else { "vmbr0" },
            device: self.percent(6),
            lock: self.percent(6),
            managed,
            failed: managed && self.percent(10),
            dns: self.percent(8),
            dhcp: self.percent(6),
            kept: self.percent(15),
            refused: self.some(6, 4),
            wish: self.wish(),
            ..Guest::default()
        }
    }

    fn rules(&mut self, world: &mut World) {
        for cluster in 0..world.clusters.len() {
            let nodes: Vec<usize> = world.nodes(cluster).map(|(place, _)| place).collect();
            let ours: Vec<usize> =
                (0..world.guests.len()).filter(|guest| world.guests[*guest].cluster == cluster).collect();
            if ours.len() < 2 {
                continue;
            }
            let known = &mut world.clusters[cluster];
            let (one, other) = (self.of(&ours), self.of(&ours));
            match self.below(5) {
                0 => known.strict.push((one, nodes.iter().copied().filter(|_| self.percent(60)).collect())),
                1 => known.preferred.push((one, [self.of(&nodes)].into())),
                2 if one != other => known.together.push([one, other].into()),
                3 if one != other => known.apart.push([one, other].into()),
                _ => {}
            }
            // A rule without a node is none.
            known.strict.retain(|(_, nodes)| !nodes.is_empty());
        }
    }

    pub(super) fn action(&mut self, world: &World) -> Action {
        let host = self.below(world.hosts.len());
        match self.below(10) {
            0 | 1 => Action::Host { id: host_id(host), change: self.host_change() },
            2 => self.unit(host),
            3 if self.percent(50) => {
                let verb = self.of(&[
                    ContainerVerb::Start,
                    ContainerVerb::Stop,
                    ContainerVerb::Restart,
                    ContainerVerb::Update,
                ]);
                let name = self.of(&["unbound", "dnsmasq", "web"]).to_owned();
                Action::Container { host: host_id(host), name, verb, image: None }
            }
            3 if self.percent(70) => self.packages(world, host),
            _ if world.guests.is_empty() => Action::Host { id: host_id(host), change: self.host_change() },
            _ => self.of_guest(world),
        }
    }

    fn host_change(&mut self) -> HostChange {
        match self.below(8) {
            0..=2 => HostChange::Shutdown,
            3 | 4 => HostChange::Reboot,
            5 => HostChange::Wake { through: None },
            6 => HostChange::EnterMaintenance,
            _ => HostChange::LeaveMaintenance,
        }
    }

    fn unit(&mut self, host: usize) -> Action {
        const UNITS: [&str; 9] =
            ["unbound", "dnsmasq", "docker", "corosync", "watchdog-mux", "pveproxy", "ssh", "reanimator", "nginx"];
        let verb = self.of(&[UnitVerb::Stop, UnitVerb::Stop, UnitVerb::Restart, UnitVerb::Start, UnitVerb::Disable]);
        Action::Unit { host: host_id(host), unit: format!("{}.service", self.of(&UNITS)), verb }
    }

    fn packages(&mut self, world: &World, host: usize) -> Action {
        let guest = (!world.guests.is_empty() && self.percent(50)).then(|| self.below(world.guests.len()));
        let machine = match guest {
            Some(guest) => Machine::Guest(guest_id(world, guest)),
            None => Machine::Host(host_id(host)),
        };
        let change = match self.percent(80) {
            true => PackagesChange::Upgrade { security_only: self.percent(50), exclude: Vec::new() },
            false => PackagesChange::Refresh,
        };
        Action::Packages { machine, change }
    }

    fn of_guest(&mut self, world: &World) -> Action {
        let place = self.below(world.guests.len());
        let id = guest_id(world, place);
        if self.percent(4) {
            let (name, memory, description) = ("before".to_owned(), false, String::new());
            return Action::Snapshot { guest: id, name, verb: SnapshotVerb::RollBack, memory, description };
        }
        let to = host_id(self.below(world.hosts.len()));
        let storage = self.percent(30).then(|| self.of(&["local", "shared", "nowhere"]).to_owned());
        let change = match self.below(20) {
            0..=7 => {
                let local_disks = self.percent(40);
                let mode = self.of(&[MigrationMode::Auto, MigrationMode::Auto, MigrationMode::Live]);
                GuestChange::Migrate { to, mode, local_disks, storage }
            }
            8 => GuestChange::RemoteMigrate {
                to,
                storage: "local".into(),
                bridge: "vmbr1".into(),
                vmid: None,
                keep: self.percent(20),
                online: self.percent(50),
            },
            9 | 10 => GuestChange::Start,
            11 => GuestChange::Stop,
            12 => GuestChange::Reboot { limit_seconds: 60 },
            13 => {
                if self.of(&[true, false]) {
                    GuestChange::Suspend
                } else {
                    GuestChange::Resume
                }
            }
            14 => GuestChange::Shutdown { limit_seconds: 60, then_stop: false },
            15 => {
                let memory_mib = Some(self.of(&[1, 4, 16, 32]) * 1024);
                GuestChange::Scale {
                    cores: self.percent(30).then(|| self.of(&[1, 4, 32])),
                    memory_mib,
                    balloon_mib: None,
                }
            }
            16 => GuestChange::GrowDisk { disk: "scsi0".into(), to_gib: self.of(&[20, 100, 500]) },
            17 => GuestChange::Clone {
                name: "copy".into(),
                vmid: None,
                to: self.percent(40).then_some(to),
                storage,
                snapshot: None,
                full: self.percent(80),
            },
            18 => GuestChange::BackUp {
                storage: "local".into(),
                mode: self.of(&[BackupMode::Stop, BackupMode::Snapshot]),
                notes: String::new(),
            },
            _ => GuestChange::Delete { confirm: format!("g{place}"), purge: self.percent(80) },
        };
        Action::Guest { id, change }
    }
}
