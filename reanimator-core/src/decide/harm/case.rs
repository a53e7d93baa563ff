//! An action in its scene, with what all rules ask of it: what it takes away, and what it puts where.

use std::collections::BTreeSet;

use super::own::is_unit;
use crate::model::{
    Action, BackupMode, GuestChange, GuestId, GuestKind, HostChange, HostId, Machine, MigrationMode, Risk, Scene,
    SnapshotVerb, UnitVerb,
    scene::{PlacementRule, SceneGuest},
};

/// The unit that all guests of a node stop with, under both of its names.
const GUEST_UNITS: [&str; 2] = ["pve-guests", "pve-manager"];

/// Units of single containers, before their numbers.
const CONTAINER_UNITS: [&str; 3] = ["pve-container@", "pve-container-debug@", "lxc@"];

/// An action in its scene.
pub(super) struct Case<'a> {
    pub(super) scene: &'a Scene,
    pub(super) action: &'a Action,
    /// What is away meanwhile, or for good.
    pub(super) away: Away,
    /// What comes to where it was not.
    pub(super) landings: Vec<Landing<'a>>,
}

/// What an action takes away, for longer than a service takes to restart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Away {
    /// Hosts without power, also as guests that were stopped.
    pub(super) hosts: BTreeSet<HostId>,
    /// Guests that ran, and run no more.
    pub(super) guests: BTreeSet<GuestId>,
}

/// A guest, or a copy of one, that comes to a host.
pub(super) struct Landing<'a> {
    pub(super) id: &'a GuestId,
    pub(super) guest: &'a SceneGuest,
    pub(super) to: &'a HostId,
    pub(super) how: How<'a>,
}

/// How a guest comes to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How<'a> {
    /// Within its cluster; disks of its node come along where `disks` says so, to `storage` if that is named.
    Move { disks: bool, storage: Option<&'a str> },
    /// High availability moves it along with the one that it belongs with.
    Along,
    /// To another cluster, with all its disks.
    Remote { storage: &'a str, bridge: &'a str, running: bool },
    /// A copy of it; `full` where its disks are copied.
    Copy { storage: Option<&'a str>, full: bool },
}

/// In which way a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It goes on running.
    Live,
    /// It is shut down, moved, and started.
    Restart,
    /// It does not run.
    Offline,
}

impl Way {
    pub(super) const fn of(guest: &SceneGuest, mode: MigrationMode) -> Self {
        match (guest.may_run(), guest.kind, mode) {
            (false, _, _) => Self::Offline,
            (true, GuestKind::Qemu, MigrationMode::Auto | MigrationMode::Live) => Self::Live,
            (true, _, _) => Self::Restart,
        }
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(scene: &'a Scene, action: &'a Action) -> Self {
        Self { scene, action, away: Away::of(scene, action), landings: landings(scene, action) }
    }

    /// The guest that is acted upon, where it is known.
    pub(super) fn guest(&self) -> Option<(&'a GuestId, &'a SceneGuest)> {
        self.scene.guests.get_key_value(guest_id(self.action)?)
    }

    /// What is done with it.
    pub(super) const fn change(&self) -> Option<&'a GuestChange> {
        match self.action {
            Action::Guest { change, .. } => Some(change),
            _ => None,
        }
    }

    /// The host that is acted upon itself, or on which something is.
    pub(super) const fn host(&self) -> Option<&'a HostId> {
        match self.action {
            Action::Guest { .. } | Action::Snapshot { .. } | Action::Packages { machine: Machine::Guest(_), .. } => {
                None
            }
            Action::Host { id: host, .. }
            | Action::Unit { host, .. }
            | Action::Container { host, .. }
            | Action::Compose { host, .. }
            | Action::Script { host, .. }
            | Action::Packages { machine: Machine::Host(host), .. }
            | Action::Storage { host, .. } => Some(host),
        }
    }

    /// Whether somebody notices: a move of a VM that goes on running disturbs nobody.
    pub(super) fn disturbs(&self) -> bool {
        if let (Some(GuestChange::Migrate { mode, .. }), Some((_, guest))) = (self.change(), self.guest()) {
            return Way::of(guest, *mode) == Way::Restart || !self.away.guests.is_empty();
        }
        self.action.risk() >= Risk::Disruptive
    }
}

/// The guest that an action is on.
pub(super) const fn guest_id(action: &Action) -> Option<&GuestId> {
    match action {
        Action::Guest { id, .. } | Action::Snapshot { guest: id, .. } => Some(id),
        Action::Packages { machine: Machine::Guest(id), .. } => Some(id),
        _ => None,
    }
}

impl Away {
    pub(super) fn of(scene: &Scene, action: &Action) -> Self {
        let mut away = Self::default();
        match action {
            Action::Host { id, change: HostChange::Shutdown | HostChange::Reboot | HostChange::Suspend } => {
                away.host(scene, id);
            }
            Action::Guest { id, change } => {
                if scene.guests.get(id).is_some_and(|guest| goes_down(guest, change)) {
                    away.guest(scene, id);
                }
                // A container that comes along is restarted too.
                let along = landings(scene, action).into_iter().filter(|landing| landing.how == How::Along);
                let restarted = along.filter(|landing| Way::of(landing.guest, MigrationMode::Auto) == Way::Restart);
                restarted.for_each(|landing| away.guest(scene, landing.id));
            }
            Action::Unit { host, unit, verb: UnitVerb::Stop | UnitVerb::Restart } => away.unit(scene, host, unit),
            // Without the memory of then, it does not run afterwards.
            Action::Snapshot { guest, verb: SnapshotVerb::RollBack, .. } => away.guest(scene, guest),
            _ => {}
        }
        away
    }

    /// A host loses its power, with all that runs on it.
    fn host(&mut self, scene: &Scene, id: &HostId) {
        let Some(host) = scene.hosts.get(id).filter(|_| self.hosts.insert(id.clone())) else { return };
        let on_it = scene.guests_at(id).map(|(id, _)| id);
        on_it.chain(&host.guest).for_each(|guest| self.guest(scene, guest));
    }

    /// A unit that guests run in is stopped, and they with it.
    fn unit(&mut self, scene: &Scene, host: &HostId, unit: &str) {
        let of_one = unit.strip_suffix(".service").unwrap_or(unit);
        let of_one = CONTAINER_UNITS.iter().find_map(|stem| of_one.strip_prefix(stem));
        for (id, guest) in scene.guests_at(host) {
            let is_it = guest.kind == GuestKind::Lxc && id.vmid() == of_one.unwrap_or_default();
            if is_it || is_unit(unit, &GUEST_UNITS) {
                self.guest(scene, id);
            }
        }
    }

    /// A guest runs no more, and so does the host that it is.
    fn guest(&mut self, scene: &Scene, id: &GuestId) {
        let runs = scene.guests.get(id).is_some_and(SceneGuest::may_run);
        if runs && self.guests.insert(id.clone()) {
            let are_it = scene.hosts.iter().filter(|(_, host)| host.guest.as_ref() == Some(id));
            are_it.for_each(|(host, _)| self.host(scene, host));
        }
    }
}

/// Whether a guest is down meanwhile or afterwards.
pub(super) fn goes_down(guest: &SceneGuest, change: &GuestChange) -> bool {
    match change {
        GuestChange::Stop
        | GuestChange::Shutdown { .. }
        | GuestChange::Reboot { .. }
        | GuestChange::Suspend
        | GuestChange::Delete { .. }
        | GuestChange::BackUp { mode: BackupMode::Suspend | BackupMode::Stop, .. } => true,
        GuestChange::Migrate { mode, .. } => Way::of(guest, *mode) == Way::Restart,
        // It leaves its network, whether it goes on running or not.
        GuestChange::RemoteMigrate { .. } => true,
        GuestChange::Start
        | GuestChange::Resume
        | GuestChange::Scale { .. }
        | GuestChange::GrowDisk { .. }
        | GuestChange::Clone { .. }
        | GuestChange::BackUp { mode: BackupMode::Snapshot, .. }
        | GuestChange::Tag { .. } => false,
    }
}

/// What comes to where it was not: the guest itself or its copy, and whom high availability moves along.
fn landings<'a>(scene: &'a Scene, action: &'a Action) -> Vec<Landing<'a>> {
    let Action::Guest { id, change } = action else { return Vec::new() };
    let Some((id, guest)) = scene.guests.get_key_value(id) else { return Vec::new() };
    let one = |to, how| vec![Landing { id, guest, to, how }];
    match change {
        GuestChange::Migrate { to, local_disks, storage, .. } => {
            let how = How::Move { disks: *local_disks, storage: storage.as_deref() };
            let mut all = one(to, how);
            let along = companions(scene, id).into_iter().filter_map(|id| scene.guests.get_key_value(id));
            let elsewhere = along.filter(|(_, guest)| guest.host != *to);
            all.extend(elsewhere.map(|(id, guest)| Landing { id, guest, to, how: How::Along }));
            all
        }
        GuestChange::RemoteMigrate { to, storage, bridge, online, .. } => {
            one(to, How::Remote { storage, bridge, running: *online && guest.may_run() })
        }
        GuestChange::Clone { to, storage, full, .. } => {
            let how = How::Copy { storage: storage.as_deref(), full: *full };
            one(to.as_ref().unwrap_or(&guest.host), how)
        }
        _ => Vec::new(),
    }
}

/// Whom high availability keeps together with a guest, without itself: its rules may reach on from one to the next.
pub(super) fn companions<'a>(scene: &'a Scene, id: &'a GuestId) -> BTreeSet<&'a GuestId> {
    let mut found = BTreeSet::from([id]);
    let groups: Vec<&BTreeSet<GuestId>> = scene
        .clusters
        .values()
        .flat_map(|cluster| &cluster.rules)
        .filter_map(|rule| match rule {
            PlacementRule::Together { guests, .. } => Some(guests),
            PlacementRule::Nodes { .. } | PlacementRule::Apart { .. } => None,
        })
        .collect();
    loop {
        let more: Vec<&GuestId> = groups
            .iter()
            .filter(|group| group.iter().any(|member| found.contains(member)))
            .flat_map(|group| group.iter())
            .filter(|member| !found.contains(member))
            .collect();
        if more.is_empty() {
            found.remove(id);
            return found;
        }
        found.extend(more);
    }
}

impl Landing<'_> {
    /// Whether it runs there, at the latest when it has arrived.
    pub(super) const fn runs(&self) -> bool {
        match self.how {
            How::Move { .. } | How::Along => self.guest.may_run(),
            How::Remote { running, .. } => running,
            How::Copy { .. } => false,
        }
    }

    /// Whether it is the guest itself that comes there, not a copy.
    pub(super) const fn moves(&self) -> bool {
        !matches!(self.how, How::Copy { .. })
    }

    /// Whether it comes from another node of the same cluster.
    pub(super) const fn within(&self) -> bool {
        matches!(self.how, How::Move { .. } | How::Along)
    }
}
