//! What must never come of an action that the rules let pass, each said in terms of the world alone.

use reanimator_core::model::{Action, GuestChange, HostChange, Machine, Risk, SnapshotVerb, scene::Answers};

use super::world::{Guest, RESERVE, State, Wish, World, guest_of, host_of};

/// What is worse in the world after a step than before it.
pub(super) fn harms(before: &World, after: &World) -> Vec<String> {
    let mut harms = Vec::new();
    let mut harm = |is: bool, what: String| {
        if is {
            harms.push(what);
        }
    };
    for cluster in 0..before.clusters.len() {
        harm(quorate(before, cluster) && !quorate(after, cluster), format!("quorum: c{cluster} has lost it"));
        let lost = api_answers(before, cluster) && !api_answers(after, cluster);
        let left = after.nodes(cluster).any(|(_, host)| host.online);
        harm(lost && left, format!("own-path: nobody can be asked about c{cluster}"));
    }
    for (what, answers) in [("dns", Answers::Dns), ("dhcp", Answers::Dhcp)] {
        let none_left = before.answering(answers) > 0 && after.answering(answers) == 0;
        harm(none_left, format!("last-{what}: nothing answers"));
    }
    for (place, (was, is)) in before.hosts.iter().zip(&after.hosts).enumerate() {
        let off = was.online && !is.online;
        let lives = |world: &World| {
            let host = &world.hosts[place];
            host.own && host.online && host.own_up
        };
        harm(lives(before) && !lives(after), format!("own-machine: h{place} went off"));
        harm(off && was.router, format!("own-path: the router h{place} went off"));
        let cut = reached(before, place) && !reached(after, place) && is.online;
        harm(cut, format!("own-path: h{place} cannot be reached"));
        harm(
            is.used > was.used && is.used > is.total - RESERVE,
            format!("memory: h{place} uses {} of {}", is.used, is.total),
        );
        let full = is.local_free < was.local_free && is.local_free < 0;
        harm(full, format!("storage: local of h{place} is full"));
        harm(off && bothered(was.wish), format!("protected, window: h{place} went off"));
        for (number, guest) in
            before.guests.iter().enumerate().filter(|(_, guest)| !guest.gone && off && is_at(guest, place))
        {
            harm(guest.holds(), format!("running-guests: g{number} ran on h{place}"));
            harm(guest.lock, format!("locked: something goes on with g{number} on h{place}"));
        }
    }
    for (place, (was, is)) in before.clusters.iter().zip(&after.clusters).enumerate() {
        harm(is.shared_free < was.shared_free && is.shared_free < 0, format!("storage: shared of c{place} is full"));
    }
    for place in 0..before.guests.len() {
        harms.extend(of_guest(before, after, place));
    }
    harms
}

fn is_at(guest: &Guest, host: usize) -> bool {
    guest.host == host || guest.arriving == Some(host)
}

fn bothered(wish: Wish) -> bool {
    matches!(wish, Wish::Protected | Wish::ClosedWindow)
}

fn quorate(world: &World, cluster: usize) -> bool {
    let known = &world.clusters[cluster];
    let all: u32 = world.nodes(cluster).map(|(_, host)| host.votes).sum::<u32>() + u32::from(known.device);
    let heard = world.nodes(cluster).filter(|(_, host)| host.online && host.voting);
    let heard: u32 = heard.map(|(_, host)| host.votes).sum::<u32>() + u32::from(known.device);
    known.alone || heard * 2 > all
}

fn api_answers(world: &World, cluster: usize) -> bool {
    world.clusters[cluster].endpoints.iter().any(|host| world.hosts[*host].online && world.hosts[*host].api)
}

fn reached(world: &World, place: usize) -> bool {
    let host = &world.hosts[place];
    let by_ssh = host.ssh && host.jump.is_none_or(|jump| world.hosts[jump].online);
    host.online && (host.own || host.cluster.is_some() && host.jump.is_none() || by_ssh)
}

/// What is wrong with whom it was done to, which only the action tells.
pub(super) fn acted_upon(before: &World, action: &Action) -> Vec<String> {
    let mut harms = Vec::new();
    let disrupts = action.risk() >= Risk::Disruptive
        && !matches!(action, Action::Guest { change: GuestChange::Migrate { .. }, .. });
    match action {
        Action::Guest { id, .. }
        | Action::Snapshot { guest: id, .. }
        | Action::Packages { machine: Machine::Guest(id), .. } => {
            let guest = &before.guests[guest_of(id)];
            if guest.lock {
                harms.push(format!("locked: {id} was"));
            }
            if disrupts && bothered(guest.wish) {
                harms.push(format!("protected, window: {id} was disturbed"));
            }
            if let Action::Guest { change: GuestChange::Migrate { local_disks: false, .. }, .. } = action
                && guest.disks.iter().any(|disk| !disk.shared)
            {
                harms.push(format!("local-disks: some of {id} stay behind"));
            }
            if let Action::Guest { change: GuestChange::Delete { .. }, .. } = action
                && guest.kept
            {
                harms.push(format!("protected: {id} is kept by Proxmox"));
            }
            if let Action::Guest { change: GuestChange::Stop | GuestChange::Migrate { .. }, .. } = action
                && guest.managed
                && guest.failed
            {
                harms.push(format!("ha: {id} was given up, nothing comes of it"));
            }
        }
        Action::Host { id, change: HostChange::Shutdown | HostChange::Reboot | HostChange::Suspend }
        | Action::Script { host: id, .. }
            if bothered(before.hosts[host_of(id)].wish) =>
        {
            harms.push(format!("protected, window: {id} was disturbed"));
        }
        Action::Host { change: HostChange::Shutdown | HostChange::Reboot | HostChange::Suspend, .. }
        | Action::Script { .. } => {}
        _ if disrupts && !matches!(action, Action::Snapshot { verb: SnapshotVerb::Create, .. }) => {
            let host = action.on().id().trim_start_matches('h').parse::<usize>();
            if host.is_ok_and(|host| bothered(before.hosts[host].wish)) {
                harms.push("protected, window: it was disturbed".to_owned());
            }
        }
        _ => {}
    }
    harms
}

/// What is wrong with where a guest is now, or is on its way to.
fn of_guest(before: &World, after: &World, place: usize) -> Vec<String> {
    let (was, is) = (&before.guests[place], &after.guests[place]);
    let mut harms = Vec::new();
    let mut harm = |is: bool, what: String| {
        if is {
            harms.push(format!("{what} (g{place})"));
        }
    };
    if is.gone {
        return harms;
    }
    harm(was.answers() && !is.answers() && bothered(was.wish), "protected, window: it went down".into());
    let started = was.state == State::Stopped && is.state == State::Running;
    let goes_to = is.arriving.filter(|_| was.arriving.is_none());
    let to = goes_to.or((is.host != was.host).then_some(is.host)).or(started.then_some(is.host));
    let Some(to) = to else { return harms };
    let target = &after.hosts[to];
    harm(is.vm && is.cpus > target.cpus, "processors: it has more than its node".into());
    if started {
        return harms;
    }
    harm(target.cluster != Some(is.cluster), format!("target: h{to} is no node of its cluster"));
    harm(!target.online || (goes_to.is_some() && target.maintenance), format!("target: h{to} takes none"));
    harm(!target.bridges.contains(is.bridge), format!("bridge: h{to} has no {}", is.bridge));
    harm(was.device, "passthrough: it has a device of its node".into());
    harm(was.refused.contains(&to), format!("preconditions: Proxmox refuses h{to}"));
    for (old, new) in was.disks.iter().zip(&is.disks) {
        harm(old.folder, "local-disks: a folder stays behind".into());
        harm(new.shared && !target.has_shared, format!("storage: h{to} has no shared"));
    }
    let cluster = &after.clusters[is.cluster];
    for (_, nodes) in cluster.strict.iter().filter(|(guest, _)| *guest == place) {
        harm(!nodes.contains(&to), format!("ha, affinity: h{to} is not allowed"));
    }
    let usable = |host: &usize| before.hosts[*host].online && !before.hosts[*host].maintenance;
    for (_, nodes) in cluster.preferred.iter().filter(|(guest, _)| *guest == place) {
        harm(goes_to.is_some() && !nodes.contains(&to) && nodes.iter().any(usable), "ha: it will be moved back".into());
    }
    for other in cluster.apart.iter().filter(|all| all.contains(&place)).flatten().filter(|other| **other != place) {
        let (old, new) = (&before.guests[*other], &after.guests[*other]);
        let met = is_at(old, was.host) && was.host == to;
        harm(!new.gone && is_at(new, to) && !met, format!("affinity: it meets g{other}"));
    }
    for other in cluster.together.iter().filter(|all| all.contains(&place)).flatten() {
        let (old, new) = (&before.guests[*other], &after.guests[*other]);
        harm(
            goes_to.is_none() && old.host == was.host && new.host != is.host && !new.gone,
            format!("affinity: it left g{other}"),
        );
    }
    harms
}
