//! Emptying a host: which of its guests goes where, spread over several targets.
//!
//! The largest guest chooses first. Of the hosts that no rule speaks against, as things are once all guests before it have
//! moved, it takes the one that is left with the largest share of its memory free; so guests spread, and a small host is
//! not filled because it is first. What no host can take stays, with what speaks against each.

use std::cmp::Reverse;

use super::harm;
use crate::model::{
    Action, GuestChange, GuestId, GuestKind, HostChange, HostId, MigrationMode, Move, RefusedTarget, Scene, Stay,
    scene::SceneGuest,
};

/// Why a guest stays that high availability moves.
pub const HA_MOVES: &str = "high availability moves it by itself";

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
    // It moves no VM with disks that only its node has.
    let movable = guest.kind == GuestKind::Lxc || guest.disks.iter().all(|disk| disk.shared);
    if terms.ha_moves
        && movable
        && guest.may_run()
        && guest.ha.as_ref().is_some_and(|ha| ha.state.as_deref() == Some("started"))
    {
        return Some(HA_MOVES);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Bytes, GuestStatus,
        scene::{SceneCluster, SceneDisk, SceneHa, SceneHost, SceneNode, SceneStorage},
    };

    const GIB: u64 = 1 << 30;

    /// Three nodes of 32 GiB, 8 of them in use, without a guest.
    fn scene() -> Scene {
        let mut scene = Scene::default();
        let cluster = SceneCluster { quorate: Some(true), expected_votes: 3, ..SceneCluster::default() };
        scene.clusters.insert("c1".into(), cluster);
        for name in ["pve1", "pve2", "pve3"] {
            let storage = |shared| SceneStorage {
                shared,
                content: ["images".to_owned()].into(),
                free: Some(Bytes(500 * GIB)),
                active: true,
            };
            let node = SceneNode {
                votes: 1,
                memory_total: Some(Bytes(32 * GIB)),
                memory_used: Some(Bytes(8 * GIB)),
                cpus: Some(16),
                storages: [("ceph".to_owned(), storage(true)), ("local".to_owned(), storage(false))].into(),
                bridges: Some(["vmbr0".to_owned()].into()),
                ..SceneNode::new("c1".into(), name)
            };
            let host = SceneHost { name: name.into(), online: true, node: Some(node), ..SceneHost::default() };
            scene.hosts.insert(name.into(), host);
        }
        scene
    }

    fn put<'a>(scene: &'a mut Scene, vmid: u32, host: &str, gib: u64, storage: &str) -> &'a mut SceneGuest {
        let disk = SceneDisk {
            name: "scsi0".into(),
            storage: Some(storage.into()),
            shared: storage == "ceph",
            size: Some(Bytes(32 * GIB)),
            cdrom: false,
        };
        let guest = SceneGuest {
            name: format!("vm{vmid}"),
            host: host.into(),
            status: GuestStatus::Running,
            memory: Bytes(gib * GIB),
            cpus: Some(2),
            disks: vec![disk],
            ..SceneGuest::default()
        };
        scene.guests.entry(GuestId::new(&"c1".into(), vmid)).or_insert(guest)
    }

    fn told(evacuation: &Evacuation) -> Vec<String> {
        evacuation.moves.iter().map(|each| format!("{} {}", each.name, each.to_name)).collect()
    }

    #[test]
    fn guests_spread_and_the_largest_chooses_first() {
        let mut scene = scene();
        for (vmid, gib) in [(101, 2), (102, 8), (103, 4), (104, 2)] {
            put(&mut scene, vmid, "pve1", gib, "ceph");
        }
        let evacuation = evacuate(&scene, &"pve1".into(), &Terms::default());
        assert_eq!(told(&evacuation), ["vm102 pve2", "vm103 pve3", "vm101 pve3", "vm104 pve3"]);
        assert_eq!(evacuation.moves[0].why, "pve2 is left with 50.0 % of its memory free, the most");
        assert!(evacuation.stays.is_empty());
    }

    #[test]
    fn what_no_host_can_take_stays_with_what_speaks_against_each() {
        let mut scene = scene();
        put(&mut scene, 101, "pve1", 30, "ceph");
        put(&mut scene, 102, "pve1", 1, "local");
        put(&mut scene, 103, "pve1", 1, "ceph").status = GuestStatus::Stopped;
        put(&mut scene, 104, "pve1", 1, "ceph").ha = Some(SceneHa { state: Some("started".into()), wanted: None });
        let terms = Terms { ha_moves: true, targets: vec!["pve3".into()], ..Terms::default() };
        let evacuation = evacuate(&scene, &"pve1".into(), &terms);
        assert_eq!(told(&evacuation), [""; 0]);
        let stays: Vec<(&str, bool, &str)> =
            evacuation.stays.iter().map(|stay| (stay.name.as_str(), stay.is_well, stay.why.as_str())).collect();
        assert_eq!(
            stays,
            [
                ("vm101", false, "no host can take it"),
                ("vm102", false, "no host can take it"),
                ("vm104", true, "high availability moves it by itself"),
                ("vm103", true, "it does not run"),
            ]
        );
        let against = |stay: usize| evacuation.stays[stay].refused[0].objections[0].rule.as_str();
        assert_eq!((against(0), against(1)), ("memory", "local-disks"));
    }

    #[test]
    fn what_high_availability_does_not_move_stays_with_its_reason() {
        let mut scene = scene();
        put(&mut scene, 101, "pve1", 1, "local").ha = Some(SceneHa { state: Some("started".into()), wanted: None });
        for ha_moves in [false, true] {
            let evacuation =
                evacuate(&scene, &"pve1".into(), &Terms { ha_moves, local_disks: true, ..Terms::default() });
            assert_eq!(told(&evacuation), [""; 0]);
            let stay = &evacuation.stays[0];
            assert_eq!((stay.is_well, stay.refused[0].objections[0].rule.as_str()), (false, "ha"));
        }
        put(&mut scene, 102, "pve1", 1, "ceph").ha = Some(SceneHa { state: Some("started".into()), wanted: None });
        let evacuation = evacuate(&scene, &"pve1".into(), &Terms { local_disks: true, ..Terms::default() });
        assert_eq!(told(&evacuation).len(), 1, "on shared storage it moves");
    }

    #[test]
    fn guests_come_back_where_it_is_awake_as_far_as_they_fit_and_all_where_it_sleeps() {
        let mut scene = scene();
        put(&mut scene, 101, "pve2", 4, "ceph");
        put(&mut scene, 102, "pve3", 30, "ceph");
        scene.hosts.get_mut(&"pve1".into()).expect("it is there").maintenance = true;
        let guests: Vec<GuestId> = scene.guests.keys().cloned().collect();
        let evacuation = bring_back(&scene, &"pve1".into(), &guests);
        assert_eq!(told(&evacuation), ["vm101 pve1"]);
        assert_eq!(evacuation.stays[0].why, "it cannot go back");
        scene.hosts.get_mut(&"pve1".into()).expect("it is there").online = false;
        assert_eq!(told(&bring_back(&scene, &"pve1".into(), &guests)), ["vm101 pve1", "vm102 pve1"]);
    }
}
