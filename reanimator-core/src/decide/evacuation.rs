//! Emptying a host: which of its guests goes where, spread over several targets.
//!
//! The largest guest chooses first. Of the hosts that no rule speaks against, as things are once all guests before it have
//! moved, it takes the one that is left with the largest share of its memory free; so guests spread, and a small host is
//! not filled because it is first. What no host can take stays, with what speaks against each.

use std::cmp::Reverse;

use super::harm;
use crate::model::{
    Action, GuestChange, GuestId, HostChange, HostId, MigrationMode, Move, RefusedTarget, Scene, Stay,
    scene::SceneGuest,
};

/// Which guests are to go, and on what terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Hosts that take guests; all nodes of the cluster where there is none.
    pub targets: Vec<HostId>,
    /// Whether those that do not run go too.
    pub stopped: bool,
    /// Whether disks that only the host has are copied along.
    pub local_disks: bool,
    /// Whether high availability moves by itself what it looks after.
    pub ha_moves: bool,
}

/// What goes where, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evacuation {
    /// In order.
    pub moves: Vec<Move>,
    /// With the reasons.
    pub stays: Vec<Stay>,
}

/// Empties a host, as far as no rule speaks against it.
pub fn evacuate(scene: &Scene, host: &HostId, terms: &Terms) -> Evacuation {
    let mut scene = without(scene, host);
    let mut guests: Vec<(GuestId, SceneGuest)> =
        scene.guests_at(host).map(|(id, guest)| (id.clone(), guest.clone())).collect();
    guests.sort_by_key(|(id, guest)| (!guest.may_run(), Reverse(guest.memory), id.clone()));
    let mut evacuation = Evacuation::default();
    for (id, guest) in guests {
        // Those that belong to another may have come along with it.
        if scene.guests.get(&id).is_none_or(|now| now.host != *host) {
            continue;
        }
        if let Some(why) = stays_well(&guest, terms) {
            let stay = Stay { guest: id, name: guest.name, is_well: true, why: why.to_owned(), refused: Vec::new() };
            evacuation.stays.push(stay);
            continue;
        }
        match choose(&scene, host, &id, terms) {
            Ok(chosen) => {
                scene = scene.after(&migrate(&id, &chosen.to, terms));
                evacuation.moves.push(chosen);
            }
            Err(refused) => {
                let why = if refused.is_empty() { "there is no other host" } else { "no host can take it" };
                let stay = Stay { guest: id, name: guest.name, is_well: false, why: why.to_owned(), refused };
                evacuation.stays.push(stay);
            }
        }
    }
    evacuation
}

/// Brings guests back to a host, as far as no rule speaks against it.
pub fn bring_back(scene: &Scene, host: &HostId, guests: &[GuestId]) -> Evacuation {
    let sleeps = scene.hosts.get(host).is_none_or(|known| !known.online);
    let mut scene = scene.after(&Action::Host { id: host.clone(), change: HostChange::LeaveMaintenance });
    let terms = Terms { targets: vec![host.clone()], local_disks: true, ..Terms::default() };
    let mut evacuation = Evacuation::default();
    for id in guests {
        let Some(guest) = scene.guests.get(id).filter(|guest| guest.host != *host).cloned() else { continue };
        if sleeps {
            // What it has to give is not seen before it is awake; each move is judged then.
            let (to, to_name, why) = (host.clone(), scene.host_name(host), "it was there before".to_owned());
            evacuation.moves.push(Move { guest: id.clone(), name: guest.name, to, to_name, why });
            continue;
        }
        match choose(&scene, &guest.host, id, &terms) {
            Ok(chosen) => {
                scene = scene.after(&migrate(id, host, &terms));
                evacuation.moves.push(Move { why: "it was there before".to_owned(), ..chosen });
            }
            Err(refused) => {
                let why = "it cannot go back".to_owned();
                evacuation.stays.push(Stay { guest: id.clone(), name: guest.name, is_well: false, why, refused });
            }
        }
    }
    evacuation
}

/// The action that moves a guest.
pub fn migrate(guest: &GuestId, to: &HostId, terms: &Terms) -> Action {
    let local_disks = terms.local_disks;
    let change = GuestChange::Migrate { to: to.clone(), mode: MigrationMode::Auto, local_disks, storage: None };
    Action::Guest { id: guest.clone(), change }
}

/// The scene in which the host takes nothing new.
fn without(scene: &Scene, host: &HostId) -> Scene {
    let mut scene = scene.clone();
    scene.hosts.entry(host.clone()).and_modify(|host| host.maintenance = true);
    scene
}

/// Why a guest is well where it is.
fn stays_well(guest: &SceneGuest, terms: &Terms) -> Option<&'static str> {
    if guest.template {
        return Some("it is a template");
    }
    if terms.ha_moves && guest.may_run() && guest.ha.as_ref().is_some_and(|ha| ha.state.as_deref() == Some("started")) {
        return Some("high availability moves it by itself");
    }
    (!guest.may_run() && !terms.stopped).then_some("it does not run")
}

fn choose(scene: &Scene, host: &HostId, guest: &GuestId, terms: &Terms) -> Result<Move, Vec<RefusedTarget>> {
    let Some(node) = scene.node(host) else { return Err(Vec::new()) };
    let wanted = |id: &HostId| terms.targets.is_empty() || terms.targets.contains(id);
    let (mut fits, mut refused) = (Vec::new(), Vec::new());
    for (id, known) in scene.nodes_of(&node.cluster).filter(|(id, _)| *id != host && wanted(id)) {
        let action = migrate(guest, id, terms);
        let objections = harm::objections(scene, &action);
        if objections.is_empty() {
            fits.push((free_percent(&scene.after(&action), id), id.clone(), known.name.clone()));
        } else {
            refused.push(RefusedTarget { host: id.clone(), name: known.name.clone(), objections });
        }
    }
    fits.sort_by(|one, other| (Reverse(one.0), &one.2).cmp(&(Reverse(other.0), &other.2)));
    let Some((free, to, to_name)) = fits.into_iter().next() else { return Err(refused) };
    let why = format!("{to_name} is left with {}.{} % of its memory free, the most", free / 10, free % 10);
    Ok(Move { guest: guest.clone(), name: scene.guest_name(guest), to, to_name, why })
}

/// Memory that is free on a host, in thousandths of all it has.
fn free_percent(scene: &Scene, host: &HostId) -> u64 {
    let node = scene.node(host).and_then(|node| Some((node.memory_total?.0, node.memory_used?.0)));
    node.map_or(0, |(total, used)| (u128::from(total.saturating_sub(used)) * 1_000 / u128::from(total.max(1))) as u64)
}
