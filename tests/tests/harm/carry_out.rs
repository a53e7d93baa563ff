//! What actions do to the world: at once when they begin, and when they are done.

use reanimator_core::model::{
    Action, BackupMode, ContainerVerb, GuestChange, HostChange, SnapshotVerb, UnitVerb, scene::Answers,
};

use super::world::{Guest, State, World, guest_of, host_of};

impl World {
    /// An action begins.
    pub(super) fn begin(&mut self, action: &Action) {
        match action {
            Action::Guest { id, change } => self.begin_guest(guest_of(id), change),
            Action::Snapshot { guest, verb: SnapshotVerb::RollBack, .. } => self.silence(guest_of(guest)),
            Action::Host { id, change: HostChange::Shutdown | HostChange::Reboot | HostChange::Suspend } => {
                self.power_off(host_of(id));
            }
            Action::Host { id, change: HostChange::EnterMaintenance } => self.hosts[host_of(id)].maintenance = true,
            Action::Unit { host, unit, verb } => self.unit(host_of(host), unit.trim_end_matches(".service"), *verb),
            Action::Container { host, name, verb: ContainerVerb::Stop | ContainerVerb::Update, .. } => {
                self.daemons(host_of(host), name, true, false);
            }
            _ => {}
        }
    }

    fn begin_guest(&mut self, place: usize, change: &GuestChange) {
        let guest = self.guests[place].clone();
        if guest.gone {
            return;
        }
        match change {
            // One that is paused is not started but resumed.
            GuestChange::Start if guest.state == State::Paused => {}
            GuestChange::Start | GuestChange::Resume => self.run(place),
            GuestChange::Migrate { to, local_disks, storage, .. } => {
                for mover in self.movers(place, host_of(to)) {
                    let along = mover != place;
                    self.leave(mover, host_of(to), !along && *local_disks, storage.as_deref());
                }
            }
            GuestChange::RemoteMigrate { to, online, storage, .. } => {
                let to = host_of(to);
                let room: i64 = guest.disks.iter().filter(|disk| !disk.folder).map(|disk| disk.size).sum();
                self.take_room(to, storage, room);
                if guest.holds() && *online {
                    self.hosts[to].used += guest.memory;
                }
                // It leaves its network.
                self.silence(place);
            }
            GuestChange::Clone { to, storage, full: true, .. } => {
                let to = to.as_ref().map_or(guest.host, host_of);
                for disk in guest.disks.iter().filter(|disk| !disk.folder) {
                    let own = if disk.shared { "shared" } else { "local" };
                    self.take_room(to, storage.as_deref().unwrap_or(own), disk.size);
                }
            }
            GuestChange::Scale { memory_mib: Some(mib), .. } => {
                let more = i64::try_from(*mib).unwrap_or(i64::MAX) - guest.memory;
                if more > 0 && guest.holds() {
                    self.hosts[guest.host].used += more;
                    self.guests[place].takes += more;
                }
            }
            GuestChange::GrowDisk { disk, to_gib } => {
                let number = disk.trim_start_matches("scsi").parse::<usize>().unwrap_or(usize::MAX);
                let Some(known) = guest.disks.get(number).filter(|disk| !disk.folder) else { return };
                let more = (i64::try_from(*to_gib).unwrap_or(i64::MAX) - known.size).max(0);
                self.take_room(guest.host, if known.shared { "shared" } else { "local" }, more);
                self.guests[place].disks[number].size += more;
            }
            GuestChange::Stop
            | GuestChange::Shutdown { .. }
            | GuestChange::Reboot { .. }
            | GuestChange::Suspend
            | GuestChange::Delete { .. }
            | GuestChange::BackUp { mode: BackupMode::Stop | BackupMode::Suspend, .. } => self.silence(place),
            GuestChange::Clone { .. }
            | GuestChange::Scale { .. }
            | GuestChange::BackUp { .. }
            | GuestChange::Tag { .. } => {}
        }
    }

    /// An action is done.
    pub(super) fn end(&mut self, action: &Action) {
        match action {
            Action::Guest { id, change } => self.end_guest(guest_of(id), change),
            Action::Snapshot { guest, verb: SnapshotVerb::RollBack, .. } => self.stop(guest_of(guest)),
            Action::Host { id, change: HostChange::Shutdown | HostChange::Suspend } => {
                let host = host_of(id);
                let its = |guest: &Guest, place| guest.host == host || self.hosts[host].guest == Some(place);
                let down: Vec<usize> =
                    (0..self.guests.len()).filter(|place| its(&self.guests[*place], *place)).collect();
                down.into_iter().for_each(|place| self.stop(place));
            }
            Action::Host { id, change: HostChange::Reboot } => {
                let host = host_of(id);
                self.hosts[host].online = true;
                self.hosts[host].guest.into_iter().for_each(|place| self.back(place));
            }
            Action::Host { id, change: HostChange::Wake { .. } } => self.hosts[host_of(id)].online = true,
            Action::Host { id, change: HostChange::LeaveMaintenance } => self.hosts[host_of(id)].maintenance = false,
            Action::Unit { host, unit, verb: UnitVerb::Restart } if unit.starts_with("corosync") => {
                self.hosts[host_of(host)].voting = true;
            }
            Action::Unit { host, unit, verb: UnitVerb::Start } => {
                self.daemons(host_of(host), unit.trim_end_matches(".service"), false, true);
            }
            Action::Container { host, name, verb: ContainerVerb::Start, .. } => {
                self.daemons(host_of(host), name, true, true)
            }
            _ => {}
        }
    }

    fn end_guest(&mut self, place: usize, change: &GuestChange) {
        match change {
            GuestChange::Stop | GuestChange::Shutdown { .. } => self.stop(place),
            GuestChange::Suspend => {
                let guest = &mut self.guests[place];
                guest.silent = false;
                guest.state = if guest.state == State::Stopped { State::Stopped } else { State::Paused };
            }
            GuestChange::Reboot { .. } | GuestChange::BackUp { .. } => self.back(place),
            GuestChange::Migrate { to, .. } => {
                let to = host_of(to);
                let arrived: Vec<usize> =
                    (0..self.guests.len()).filter(|guest| self.guests[*guest].arriving == Some(to)).collect();
                let ours = self.movers(place, to);
                for mover in arrived.into_iter().filter(|mover| ours.contains(mover)) {
                    self.arrive(mover, to);
                }
            }
            GuestChange::RemoteMigrate { keep, .. } => {
                self.stop(place);
                self.guests[place].gone = !keep;
            }
            GuestChange::Scale { cores, memory_mib, .. } => {
                let guest = &mut self.guests[place];
                if let Some(mib) = memory_mib {
                    guest.memory = i64::try_from(*mib).unwrap_or(i64::MAX);
                }
                guest.cpus = cores.unwrap_or(guest.cpus);
            }
            GuestChange::Delete { .. } => {
                self.stop(place);
                self.guests[place].gone = true;
            }
            GuestChange::Start
            | GuestChange::Resume
            | GuestChange::GrowDisk { .. }
            | GuestChange::Clone { .. }
            | GuestChange::Tag { .. } => {}
        }
    }

    /// A guest, and whom high availability moves along with it.
    fn movers(&self, place: usize, to: usize) -> Vec<usize> {
        let mut all = vec![place];
        let mut at = 0;
        while at < all.len() {
            let groups = self.clusters.iter().flat_map(|cluster| &cluster.together);
            for other in groups.filter(|group| group.contains(&all[at])).flatten().copied().collect::<Vec<_>>() {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
            at += 1;
        }
        all.retain(|mover| (*mover == place || self.guests[*mover].host != to) && !self.guests[*mover].gone);
        all
    }

    fn leave(&mut self, place: usize, to: usize, disks: bool, storage: Option<&str>) {
        let guest = self.guests[place].clone();
        if guest.host == to {
            return;
        }
        self.guests[place].arriving = Some(to);
        if guest.holds() {
            self.hosts[to].used += guest.memory;
            if !guest.vm {
                self.silence(place);
            }
        }
        for (number, disk) in guest.disks.iter().enumerate().filter(|(_, disk)| disks && !disk.shared && !disk.folder) {
            let onto = storage.unwrap_or("local");
            self.take_room(to, onto, disk.size);
            self.guests[place].disks[number].shared = onto == "shared";
        }
    }

    fn arrive(&mut self, place: usize, to: usize) {
        let guest = self.guests[place].clone();
        if guest.holds() {
            self.hosts[guest.host].used -= guest.takes;
            self.guests[place].takes = guest.memory;
        }
        let guest: &mut Guest = &mut self.guests[place];
        (guest.host, guest.arriving) = (to, None);
        guest.refused.clear();
        self.back(place);
    }

    /// A guest answers again, and so does the host that it is.
    fn back(&mut self, place: usize) {
        let was_silent = std::mem::replace(&mut self.guests[place].silent, false);
        // One that was off before stays so.
        if std::mem::take(&mut self.guests[place].took_down) && was_silent {
            let are_it = self.hosts.iter_mut().filter(|host| host.guest == Some(place));
            are_it.for_each(|host| host.online = true);
        }
    }

    fn run(&mut self, place: usize) {
        let guest = self.guests[place].clone();
        match guest.state {
            State::Stopped => {
                self.hosts[guest.host].used += guest.memory;
                self.guests[place].takes = guest.memory;
            }
            State::Running | State::Paused => {}
        }
        self.guests[place].state = State::Running;
    }

    fn stop(&mut self, place: usize) {
        let guest = self.guests[place].clone();
        if guest.holds() {
            self.hosts[guest.host].used -= guest.takes;
        }
        let guest = &mut self.guests[place];
        (guest.state, guest.silent, guest.takes) = (State::Stopped, false, 0);
    }

    /// A guest answers no more, and neither does the host that it is.
    fn silence(&mut self, place: usize) {
        if !self.guests[place].holds() || self.guests[place].silent {
            return;
        }
        self.guests[place].silent = true;
        for host in 0..self.hosts.len() {
            if self.hosts[host].guest == Some(place) {
                self.guests[place].took_down = self.hosts[host].online;
                self.power_off(host);
            }
        }
    }

    fn power_off(&mut self, host: usize) {
        if !std::mem::replace(&mut self.hosts[host].online, false) {
            return;
        }
        let on_it = |guest: &Guest| guest.host == host || guest.arriving == Some(host);
        for place in 0..self.guests.len() {
            if on_it(&self.guests[place]) || self.hosts[host].guest == Some(place) {
                self.silence(place);
            }
        }
    }

    fn unit(&mut self, host: usize, unit: &str, verb: UnitVerb) {
        match (unit, verb) {
            ("corosync", UnitVerb::Stop | UnitVerb::Restart) => {
                self.hosts[host].voting = false;
                self.fence(host);
            }
            ("watchdog-mux" | "pve-ha-lrm", UnitVerb::Stop | UnitVerb::Restart) => self.fence(host),
            ("pveproxy", UnitVerb::Stop) => self.hosts[host].api = false,
            ("ssh", UnitVerb::Stop | UnitVerb::Disable) => self.hosts[host].ssh = false,
            ("reanimator", UnitVerb::Stop) => self.hosts[host].own_up = false,
            ("docker", UnitVerb::Stop) => {
                let daemons = self.hosts[host].servers.iter_mut().filter(|daemon| daemon.in_container);
                daemons.for_each(|daemon| daemon.up = false);
            }
            (name, UnitVerb::Stop) => self.daemons(host, name, false, false),
            _ => {}
        }
    }

    /// High availability resets a node that it hears no more, where that has guests of it.
    fn fence(&mut self, host: usize) {
        if self.guests.iter().any(|guest| guest.managed && guest.holds() && guest.host == host) {
            self.power_off(host);
        }
    }

    fn daemons(&mut self, host: usize, name: &str, in_container: bool, up: bool) {
        let named = self.hosts[host].servers.iter_mut().filter(|daemon| daemon.name == name);
        named.filter(|daemon| daemon.in_container == in_container).for_each(|daemon| daemon.up = up);
    }

    fn take_room(&mut self, host: usize, storage: &str, size: i64) {
        match (storage, self.hosts[host].cluster) {
            ("shared", Some(cluster)) if self.hosts[host].has_shared => self.clusters[cluster].shared_free -= size,
            ("local", _) => self.hosts[host].local_free -= size,
            // There is none of that name.
            _ => self.hosts[host].local_free = -1,
        }
    }

    /// How many answer.
    pub(super) fn answering(&self, answers: Answers) -> usize {
        let on_hosts = self.hosts.iter().filter(|host| host.online).flat_map(|host| &host.servers);
        let guests = self.guests.iter().filter(|guest| guest.answers() && self.hosts[guest.host].online);
        on_hosts.filter(|daemon| daemon.up && daemon.answers == answers).count()
            + guests.filter(|guest| if answers == Answers::Dns { guest.dns } else { guest.dhcp }).count()
    }
}
