//! What speaks against an action right now: the clusters concerned are asked, and [`decide::harm`](crate::decide::harm)
//! judges.
//!
//! Whoever is about to change the world asks [`objections`] just before; a dry run asks the same. A cluster that is acted
//! upon and cannot be asked is an error, never "no objection". What goes on beside it is looked at as well, and holds nobody
//! up: of a cluster that is silent meanwhile counts what is remembered, and of a guest that is on its way what is seen. What
//! is asked is bounded: two questions about the cluster and four about its high availability and votes, up to three about
//! each guest that is acted upon, two about each target, two about each node that is switched off.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::{action::guard, model::{Action, HostChange}};
//! let reboot = Action::Host { id: "h1".into(), change: HostChange::Reboot };
//! for objection in guard::objections(&fleet, &reboot, &[]).await? {
//!     println!("{}: {}", objection.rule, objection.why);
//! }
//! # Ok(()) }
//! ```

mod guests;
mod live;
mod placing;
mod targets;

use std::collections::BTreeSet;

use crate::{
    Result,
    decide::harm,
    fleet::Fleet,
    model::{Action, ConnectionId, GuestChange, GuestId, HostChange, HostId, Machine, Objection, Scene},
};

pub use targets::{GuestTarget, GuestTargets, targets};

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    /// Clusters that must answer.
    clusters: BTreeSet<ConnectionId>,
    /// Clusters that only something beside it goes on in: where they are silent, what is remembered of them stays.
    beside: BTreeSet<ConnectionId>,
    /// Guests of which everything is asked.
    guests: BTreeSet<GuestId>,
    /// Guests that something is being done to: what they do not say is not known.
    busy: BTreeSet<GuestId>,
    /// Those of them that are to be moved: Proxmox is asked whether they can.
    moving: BTreeSet<GuestId>,
    /// Hosts of which it is asked what they have left.
    targets: BTreeSet<HostId>,
    /// Hosts of which it is asked what runs on them, and what their votes count.
    powered: BTreeSet<HostId>,
}

/// What speaks against an action as things are, and with what is going on beside it. Nothing where it may be done.
///
/// # Errors
/// When a cluster concerned cannot be asked, or the store cannot be read.
pub async fn objections(fleet: &Fleet, action: &Action, in_flight: &[Action]) -> Result<Vec<Objection>> {
    let scene = scene_beside(fleet, std::slice::from_ref(action), in_flight).await?;
    Ok(harm::objections(&scene, action))
}

/// [`scene`], with what is going on beside these actions: the worse of before and after.
///
/// # Errors
/// When a cluster that one of the actions is on cannot be asked, or the store cannot be read.
pub async fn scene_beside(fleet: &Fleet, actions: &[Action], in_flight: &[Action]) -> Result<Scene> {
    let mut scene = fleet.surroundings().await?;
    let mut look = Look::default();
    actions.iter().for_each(|action| look.add(&scene, action));
    in_flight.iter().for_each(|action| look.add_beside(&scene, action));
    live::look(fleet, &mut scene, &look).await?;
    Ok(in_flight.iter().fold(scene, |scene, other| scene.meanwhile(other)))
}

/// What is there, as far as these actions are concerned: live where clusters can be asked, else as it was last seen. For
/// plans of several steps: each is judged by the scene after those before it ([`Scene::after`]).
///
/// # Errors
/// As [`objections`].
pub async fn scene(fleet: &Fleet, actions: &[Action]) -> Result<Scene> {
    scene_beside(fleet, actions, &[]).await
}

/// What is there, as far as emptying a host is concerned: all its guests in full, and every node of its cluster as a target.
///
/// # Errors
/// As [`objections`].
pub async fn scene_around(fleet: &Fleet, host: &HostId) -> Result<Scene> {
    let mut scene = fleet.surroundings().await?;
    let mut look = Look::default();
    look.add(&scene, &Action::Host { id: host.clone(), change: HostChange::Shutdown });
    look.guests.extend(scene.guests_at(host).map(|(id, _)| id.clone()));
    look.moving.clone_from(&look.guests);
    if let Some(node) = scene.node(host) {
        look.targets.extend(scene.nodes_of(&node.cluster).map(|(id, _)| id.clone()));
    }
    live::look(fleet, &mut scene, &look).await?;
    Ok(scene)
}

impl Look {
    /// Takes in what must be asked for an action.
    fn add(&mut self, scene: &Scene, action: &Action) {
        match action {
            Action::Guest { id, change } => {
                self.guest(scene, id);
                match change {
                    GuestChange::Migrate { to, .. } => {
                        self.moving.insert(id.clone());
                        self.target(scene, to);
                    }
                    GuestChange::RemoteMigrate { to, .. } | GuestChange::Clone { to: Some(to), .. } => {
                        self.target(scene, to);
                    }
                    _ => {
                        if let Some(guest) = scene.guests.get(id) {
                            self.target(scene, &guest.host);
                        }
                    }
                }
            }
            Action::Snapshot { guest, .. } => self.guest(scene, guest),
            Action::Host { id, .. } | Action::Unit { host: id, .. } => self.power(scene, id),
            Action::Packages { machine: Machine::Guest(guest), .. } => self.guest(scene, guest),
            Action::Packages { machine: Machine::Host(host), .. } => self.cluster_of(scene, host),
            Action::Storage { host, .. } => self.target(scene, host),
            Action::Container { host, .. } | Action::Compose { host, .. } | Action::Script { host, .. } => {
                self.cluster_of(scene, host);
            }
        }
    }

    /// Takes in what is asked for an action that is going on: how much room it takes, and no more. Whether it may be done
    /// was asked before it began, and Proxmox says nothing of that while it moves a guest.
    fn add_beside(&mut self, scene: &Scene, action: &Action) {
        let mut other = Self::default();
        other.add(scene, action);
        self.beside.extend(other.clusters.difference(&self.clusters).cloned());
        self.busy.extend(other.guests.difference(&self.guests).cloned());
        self.targets.extend(other.targets);
        let is_plain = |id: &HostId| scene.node(id).is_none();
        self.powered.extend(other.powered.into_iter().filter(is_plain));
    }

    fn guest(&mut self, scene: &Scene, id: &GuestId) {
        self.clusters.extend(id.connection());
        self.guests.insert(id.clone());
        // Guests may be nodes too.
        for (host, _) in scene.hosts.iter().filter(|(_, host)| host.guest.as_ref() == Some(id)) {
            self.power(scene, host);
        }
    }

    fn target(&mut self, scene: &Scene, host: &HostId) {
        self.cluster_of(scene, host);
        self.targets.insert(host.clone());
    }

    fn power(&mut self, scene: &Scene, host: &HostId) {
        self.cluster_of(scene, host);
        self.powered.insert(host.clone());
    }

    fn cluster_of(&mut self, scene: &Scene, host: &HostId) {
        let Some(host) = scene.hosts.get(host) else { return };
        self.clusters.extend(host.node.as_ref().map(|node| node.cluster.clone()));
        self.clusters.extend(host.guest.as_ref().and_then(GuestId::connection));
    }
}
