//! The scene as actions leave it, and as they make it while they go on.

use std::collections::BTreeSet;

use super::{
    case::{Away, Case, How, guest_id},
    own::{API_UNITS, is_unit},
    power::VOTING_UNITS,
    servers,
};
use crate::model::{
    Action, Bytes, GuestChange, GuestId, GuestStatus, HostChange, HostId, Scene, SnapshotVerb, UnitVerb,
    scene::PlacementRule,
};

impl Scene {
    /// The scene as it will be when an action is done. What is done with something that is not known changes nothing.
    #[must_use]
    pub fn after(&self, action: &Action) -> Self {
        let mut next = self.clone();
        match action {
            Action::Guest { id, change } => next.after_guest(self, action, id, change),
            Action::Snapshot { guest, verb: SnapshotVerb::RollBack, .. } => next.stop(guest),
            Action::Snapshot { .. } | Action::Script { .. } | Action::Packages { .. } | Action::Storage { .. } => {}
            Action::Host { id, change } => next.after_host(self, action, id, change),
            Action::Unit { host, .. } | Action::Container { host, .. } | Action::Compose { host, .. } => {
                next.cut_off(action, &[UnitVerb::Stop]);
                // Which of them are started again is their node's own matter.
                Away::of(self, action).guests.iter().for_each(|guest| match action {
                    Action::Unit { verb: UnitVerb::Stop, .. } => next.stop(guest),
                    _ => next.unsettle(guest),
                });
                if let Some(known) = next.hosts.get_mut(host) {
                    servers::turn(&mut known.servers, host, action);
                }
            }
        }
        next
    }

    /// The scene while an action is going on: the worse of before and after, whichever that is for a rule. What is on its
    /// way is at both ends, what stops answers no more and still has its memory, what starts has it already.
    #[must_use]
    pub fn meanwhile(&self, action: &Action) -> Self {
        let mut next = self.clone();
        next.in_flight.push(action.clone());
        let away = Away::of(self, action);
        next.switch_off(&away.hosts);
        for id in away.guests.iter().chain(guest_id(action)) {
            next.unsettle(id);
        }
        match action {
            Action::Guest { id, change: GuestChange::Start | GuestChange::Resume } => next.run(id),
            Action::Guest { id, change: GuestChange::Scale { memory_mib: Some(mib), .. } } => {
                next.resize(id, *mib, false)
            }
            Action::Guest { id, change: GuestChange::GrowDisk { disk, to_gib } } => {
                next.grow(id, disk, Bytes(to_gib.saturating_mul(1 << 30)));
            }
            Action::Guest { change: GuestChange::Migrate { .. }, .. } => next.on_their_way(self, action),
            Action::Guest { change: GuestChange::RemoteMigrate { .. } | GuestChange::Clone { .. }, .. } => {
                next.take_room(self, action);
            }
            Action::Host { id, change: HostChange::EnterMaintenance } => {
                next.hosts.entry(id.clone()).and_modify(|host| host.maintenance = true);
            }
            // What starts does not answer yet, and what stops may not any more.
            Action::Unit { host, .. } | Action::Container { host, .. } | Action::Compose { host, .. } => {
                next.cut_off(action, &[UnitVerb::Stop, UnitVerb::Restart]);
                if let (Some(known), Some(before)) = (next.hosts.get_mut(host), self.hosts.get(host)) {
                    servers::turn(&mut known.servers, host, action);
                    let both = known.servers.iter_mut().zip(&before.servers);
                    both.for_each(|(server, before)| server.up &= before.up);
                }
            }
            _ => {}
        }
        next
    }

    fn after_guest(&mut self, before: &Self, action: &Action, id: &GuestId, change: &GuestChange) {
        match change {
            GuestChange::Start => self.run(id),
            GuestChange::Resume => match self.guests.get_mut(id) {
                Some(guest) if guest.status == GuestStatus::Paused => guest.status = GuestStatus::Running,
                _ => self.run(id),
            },
            GuestChange::Stop | GuestChange::Shutdown { .. } => self.stop(id),
            GuestChange::Suspend => {
                let runs = self.guests.get_mut(id).filter(|guest| guest.may_run());
                runs.into_iter().for_each(|guest| guest.status = GuestStatus::Paused);
            }
            GuestChange::Migrate { .. } => {
                self.take_room(before, action);
                for landing in Case::new(before, action).landings {
                    self.put(landing.id, landing.to);
                }
            }
            GuestChange::RemoteMigrate { keep, .. } => {
                self.take_room(before, action);
                // There it is another one, of which nothing is known yet but what it takes.
                for landing in Case::new(before, action).landings.iter().filter(|landing| landing.runs()) {
                    self.use_memory(landing.to, landing.guest.memory, Bytes(0));
                }
                self.stop(id);
                if !keep {
                    self.forget(id);
                }
            }
            GuestChange::Clone { .. } => self.take_room(before, action),
            GuestChange::Scale { cores, memory_mib, .. } => {
                if let Some(mib) = memory_mib {
                    self.resize(id, *mib, true);
                }
                if let (Some(cores), Some(guest)) = (cores, self.guests.get_mut(id)) {
                    guest.cpus = guest.cpus.map(|_| cores.saturating_mul(guest.sockets.max(1)));
                }
            }
            GuestChange::GrowDisk { disk, to_gib } => self.grow(id, disk, Bytes(to_gib.saturating_mul(1 << 30))),
            GuestChange::Tag { add, remove } => {
                if let Some(guest) = self.guests.get_mut(id) {
                    guest.tags.extend(add.iter().cloned());
                    guest.tags.retain(|tag| !remove.contains(tag));
                }
            }
            GuestChange::Delete { .. } => {
                self.stop(id);
                self.forget(id);
            }
            GuestChange::Reboot { .. } | GuestChange::BackUp { .. } => {}
        }
    }

    fn after_host(&mut self, before: &Self, action: &Action, id: &HostId, change: &HostChange) {
        match change {
            HostChange::Shutdown | HostChange::Suspend => {
                let away = Away::of(before, action);
                away.guests.iter().for_each(|guest| self.stop(guest));
                self.switch_off(&away.hosts);
            }
            // Which of its guests it starts again is its own matter.
            HostChange::Reboot => {
                self.hosts.entry(id.clone()).and_modify(|host| host.online = true);
                Away::of(before, action).guests.iter().for_each(|guest| self.unsettle(guest));
            }
            HostChange::Wake { .. } => {
                self.hosts.entry(id.clone()).and_modify(|host| host.online = true);
            }
            HostChange::EnterMaintenance => {
                self.hosts.entry(id.clone()).and_modify(|host| host.maintenance = true);
            }
            HostChange::LeaveMaintenance => {
                self.hosts.entry(id.clone()).and_modify(|host| host.maintenance = false);
            }
        }
    }

    fn switch_off(&mut self, hosts: &BTreeSet<HostId>) {
        let off = self.hosts.iter_mut().filter(|(id, _)| hosts.contains(*id));
        off.for_each(|(_, host)| host.online = false);
    }

    /// A node whose API or whose part in the cluster is stopped answers no more, or votes no more.
    fn cut_off(&mut self, action: &Action, verbs: &[UnitVerb]) {
        let Action::Unit { host, unit, verb } = action else { return };
        if !verbs.contains(verb) {
            return;
        }
        let Some(node) = self.hosts.get_mut(host).and_then(|host| host.node.as_mut()) else { return };
        if is_unit(unit, &VOTING_UNITS) {
            node.votes = 0;
        }
        if is_unit(unit, &API_UNITS) {
            let cluster = self.clusters.get_mut(&node.cluster);
            if let Some(cluster) = cluster {
                cluster.endpoints.remove(host);
            }
        }
    }

    /// Nobody knows any more whether a guest runs.
    fn unsettle(&mut self, id: &GuestId) {
        if let Some(guest) = self.guests.get_mut(id) {
            (guest.unsettled, guest.preconditions) = (true, None);
        }
    }

    /// A guest runs from now on, and may take all its memory.
    fn run(&mut self, id: &GuestId) {
        let Some(guest) = self.guests.get_mut(id).filter(|guest| !guest.may_run() && !guest.template) else { return };
        guest.status = GuestStatus::Running;
        guest.memory_used = Some(guest.memory);
        let (host, memory) = (guest.host.clone(), guest.memory);
        self.use_memory(&host, memory, Bytes(0));
    }

    /// A guest runs no more, and neither does the host that it is.
    fn stop(&mut self, id: &GuestId) {
        let Some(guest) = self.guests.get_mut(id).filter(|guest| guest.may_run()) else { return };
        guest.status = GuestStatus::Stopped;
        let (host, given_back) = (guest.host.clone(), guest.memory_used.take().unwrap_or_default());
        self.use_memory(&host, Bytes(0), given_back);
        let are_it = self.hosts.values_mut().filter(|host| host.guest.as_ref() == Some(id));
        are_it.for_each(|host| host.online = false);
    }

    /// A guest is on another node from now on. There it is counted in full.
    fn put(&mut self, id: &GuestId, to: &HostId) {
        let Some(guest) = self.guests.get_mut(id) else { return };
        let from = std::mem::replace(&mut guest.host, to.clone());
        (guest.coming_to, guest.preconditions) = (None, None);
        if !guest.may_run() {
            return;
        }
        let given_back = guest.memory_used.replace(guest.memory).unwrap_or_default();
        let memory = guest.memory;
        self.use_memory(&from, Bytes(0), given_back);
        self.use_memory(to, memory, Bytes(0));
    }

    /// Guests on their way take memory and room at their target, and are still where they were.
    fn on_their_way(&mut self, before: &Self, action: &Action) {
        self.take_room(before, action);
        for landing in Case::new(before, action).landings {
            let Some(guest) = self.guests.get_mut(landing.id) else { continue };
            (guest.coming_to, guest.unsettled, guest.preconditions) = (Some(landing.to.clone()), true, None);
            if landing.runs() {
                self.use_memory(landing.to, landing.guest.memory, Bytes(0));
            }
        }
    }

    /// A guest has another size; where it runs, its node feels that. `shrinks` where giving back counts.
    fn resize(&mut self, id: &GuestId, mib: u64, shrinks: bool) {
        let Some(guest) = self.guests.get_mut(id) else { return };
        let (old, new) = (guest.memory, Bytes(mib.saturating_mul(1 << 20)));
        if new < old && !shrinks {
            return;
        }
        guest.memory = new;
        let (host, runs) = (guest.host.clone(), guest.may_run());
        if runs && new > old {
            guest.memory_used = guest.memory_used.map(|used| used + Bytes(new.0 - old.0));
            self.use_memory(&host, Bytes(new.0 - old.0), Bytes(0));
        }
    }

    fn grow(&mut self, id: &GuestId, name: &str, to: Bytes) {
        let Some(guest) = self.guests.get_mut(id) else { return };
        let host = guest.host.clone();
        let Some(disk) = guest.disks.iter_mut().find(|disk| disk.name == name) else { return };
        let more = Bytes(to.0.saturating_sub(disk.size.unwrap_or_default().0));
        disk.size = disk.size.max(Some(to));
        if let Some(storage) = disk.storage.clone() {
            self.use_storage(&host, &storage, more);
        }
    }

    /// A guest is gone, with the places that rules have for it.
    fn forget(&mut self, id: &GuestId) {
        self.guests.remove(id);
        for rule in self.clusters.values_mut().flat_map(|cluster| &mut cluster.rules) {
            let (PlacementRule::Nodes { guests, .. }
            | PlacementRule::Together { guests, .. }
            | PlacementRule::Apart { guests, .. }) = rule;
            guests.remove(id);
        }
    }

    fn use_memory(&mut self, host: &HostId, more: Bytes, less: Bytes) {
        if let Some(node) = self.hosts.get_mut(host).and_then(|host| host.node.as_mut()) {
            node.memory_used = node.memory_used.map(|used| Bytes((used + more).0.saturating_sub(less.0)));
        }
    }

    /// The disks that come to other storages take their room there, and lie there from now on.
    fn take_room(&mut self, before: &Self, action: &Action) {
        for landing in Case::new(before, action).landings {
            for (index, disk) in landing.guest.disks.iter().enumerate().filter(|(_, disk)| !disk.cdrom) {
                let Some(own) = disk.storage.as_deref() else { continue };
                let to = match landing.how {
                    How::Remote { storage, .. } => storage,
                    How::Copy { storage, full: true } => storage.unwrap_or(own),
                    How::Move { disks: true, storage } if !disk.shared => storage.unwrap_or(own),
                    _ => continue,
                };
                self.use_storage(landing.to, to, disk.size.unwrap_or_default());
                if landing.within() {
                    let shared =
                        self.node(landing.to).and_then(|node| node.storages.get(to)).is_some_and(|to| to.shared);
                    let moved = self.guests.get_mut(landing.id).and_then(|guest| guest.disks.get_mut(index));
                    moved.into_iter().for_each(|disk| (disk.storage, disk.shared) = (Some(to.to_owned()), shared));
                }
            }
        }
    }

    /// Takes room on a storage; of one that all nodes see, on all of them.
    fn use_storage(&mut self, host: &HostId, name: &str, size: Bytes) {
        let Some(node) = self.node(host) else { return };
        let (cluster, shared) = (node.cluster.clone(), node.storages.get(name).is_some_and(|storage| storage.shared));
        for (id, node) in self.hosts.iter_mut().filter_map(|(id, host)| Some((id, host.node.as_mut()?))) {
            if id == host || (shared && node.cluster == cluster) {
                let storage = node.storages.get_mut(name);
                storage.into_iter().for_each(|storage| {
                    storage.free = storage.free.map(|free| Bytes(free.0.saturating_sub(size.0)));
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, guest, host, id, lab, migrate, node, shutdown, start, stop, together, words};
    use crate::model::{
        Action, Bytes, GuestChange, GuestStatus, HostChange, MigrationMode, Rule, Scene, scene::Answers,
    };

    const GIB: u64 = 1 << 30;

    fn used(scene: &Scene, host: &str) -> u64 {
        scene.node(&host.into()).and_then(|node| node.memory_used).expect("it was seen").0 / GIB
    }

    #[test]
    fn a_guest_that_moved_is_counted_in_full_where_it_is_and_no_more_where_it_was() {
        let mut scene = lab();
        guest(&mut scene, "mail").memory_used = Some(Bytes(2 * GIB));
        let after = scene.after(&migrate("mail", "pve2"));
        assert_eq!(after.guests[&id("mail")].host.as_str(), "pve2");
        assert_eq!((used(&after, "pve1"), used(&after, "pve2")), (6, 12));
        let meanwhile = scene.meanwhile(&migrate("mail", "pve2"));
        assert_eq!((used(&meanwhile, "pve1"), used(&meanwhile, "pve2")), (8, 12));
        for node in ["pve1", "pve2"] {
            assert!(meanwhile.guests[&id("mail")].is_at(&node.into()), "{node}");
        }
        let back = after.after(&migrate("mail", "pve1"));
        assert_eq!((used(&back, "pve1"), used(&back, "pve2")), (10, 8));
    }

    #[test]
    fn those_that_belong_together_move_together() {
        let mut scene = lab();
        together(&mut scene, &["mail", "web"]);
        let after = scene.after(&migrate("mail", "pve3"));
        assert_eq!(after.guests[&id("web")].host.as_str(), "pve3");
        assert_eq!(used(&after, "pve3"), 14);
    }

    #[test]
    fn disks_that_come_along_take_room_and_shared_room_is_taken_once_for_all() {
        let scene = lab();
        let to = |storage: &str| GuestChange::Migrate {
            to: "pve2".into(),
            mode: MigrationMode::Auto,
            local_disks: true,
            storage: Some(storage.into()),
        };
        let free = |scene: &Scene, host: &str, storage: &str| {
            let node = scene.node(&host.into()).expect("it is a node");
            node.storages[storage].free.expect("it was seen").0 / GIB
        };
        let local = scene.after(&change("dns", to("local")));
        assert_eq!((free(&local, "pve1", "local"), free(&local, "pve2", "local")), (100, 92));
        let shared = scene.after(&change("dns", to("shared")));
        assert_eq!((free(&shared, "pve1", "shared"), free(&shared, "pve2", "shared")), (292, 292));
        assert!(shared.guests[&id("dns")].disks[0].shared);
        assert!(!words(&local, &migrate("dns", "pve3"), Rule::LocalDisks).is_empty());
        assert!(words(&shared, &migrate("dns", "pve3"), Rule::LocalDisks).is_empty());
    }

    #[test]
    fn what_is_off_is_off_and_what_is_about_to_go_answers_no_more() {
        let mut scene = lab();
        let off = scene.after(&shutdown("pve1"));
        assert!(!off.hosts[&"pve1".into()].online);
        assert_eq!(off.guests[&id("mail")].status, GuestStatus::Stopped);
        let meanwhile = scene.meanwhile(&shutdown("pve1"));
        assert!(!meanwhile.hosts[&"pve1".into()].online);
        assert!(meanwhile.guests[&id("mail")].may_run(), "its memory is still taken");
        let wake = Action::Host { id: "pve1".into(), change: HostChange::Wake { through: None } };
        assert!(!off.meanwhile(&wake).hosts[&"pve1".into()].online);
        assert!(off.after(&wake).hosts[&"pve1".into()].online);

        let server =
            crate::model::scene::Server { answers: Answers::Dns, by: crate::model::scene::ServedBy::Host, up: true };
        guest(&mut scene, "web").servers.push(server);
        assert!(words(&scene, &stop("dns"), Rule::LastDns).is_empty());
        assert!(!words(&scene.meanwhile(&stop("web")), &stop("dns"), Rule::LastDns).is_empty());
        assert!(!words(&scene.after(&stop("web")), &stop("dns"), Rule::LastDns).is_empty());
    }

    #[test]
    fn two_steps_that_each_fit_do_not_fit_together() {
        let mut scene = lab();
        node(&mut scene, "pve3").memory_used = Some(Bytes(25 * GIB));
        let (mail, web) = (migrate("mail", "pve3"), migrate("web", "pve3"));
        assert!(words(&scene, &mail, Rule::Memory).is_empty() && words(&scene, &web, Rule::Memory).is_empty());
        assert!(!words(&scene.after(&mail), &web, Rule::Memory).is_empty());
        assert!(!words(&scene.meanwhile(&mail), &web, Rule::Memory).is_empty());
        host(&mut scene, "pve2").online = false;
        assert!(!words(&scene.after(&shutdown("pve1")), &shutdown("pve3"), Rule::Quorum).is_empty());
    }

    #[test]
    fn a_disk_that_grows_has_its_room_already() {
        let scene = lab();
        let disk = scene.guests[&id("mail")].disks[0].clone();
        let grow = change("mail", GuestChange::GrowDisk { disk: disk.name.clone(), to_gib: 1_000 });
        assert_eq!(scene.meanwhile(&grow).guests[&id("mail")].disks, scene.after(&grow).guests[&id("mail")].disks);
        assert_eq!(scene.meanwhile(&grow).hosts, scene.after(&grow).hosts);
        assert_ne!(scene.meanwhile(&grow).hosts, scene.hosts);
    }

    #[test]
    fn a_guest_that_is_started_stopped_or_gone_changes_what_its_node_uses() {
        let mut scene = lab();
        guest(&mut scene, "mail").status = GuestStatus::Stopped;
        let started = scene.after(&start("mail"));
        assert_eq!(used(&started, "pve1"), 12);
        assert_eq!(used(&started.after(&start("mail")), "pve1"), 12, "it ran already");
        assert_eq!(used(&started.after(&stop("mail")), "pve1"), 8);
        let delete = change("mail", GuestChange::Delete { confirm: "mail".into(), purge: true });
        let gone = started.after(&delete);
        assert!(!gone.guests.contains_key(&id("mail")));
        assert_eq!(used(&gone, "pve1"), 8);
        let scale = change("mail", GuestChange::Scale { cores: Some(4), memory_mib: Some(6144), balloon_mib: None });
        let scaled = started.after(&scale);
        assert_eq!((used(&scaled, "pve1"), scaled.guests[&id("mail")].cpus), (14, Some(4)));
        let nobody = start("nobody");
        assert_eq!(scene.after(&nobody), scene);
    }
}
