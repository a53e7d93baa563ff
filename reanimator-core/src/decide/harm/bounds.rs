//! Bounds that people have set: what is protected, when something may be disturbed, how much may go on at once.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, guest_id};
use crate::model::{Action, GuestChange, HostId, Machine, Objection, Rule, Scene, scene::SceneWindow};

/// Something that an action disturbs, directly or with what it is on.
#[derive(Clone, Copy)]
struct Disturbed<'a> {
    protected: Option<&'a str>,
    window: Option<&'a SceneWindow>,
}

/// Everything that an action disturbs, by its name; nothing where nobody notices.
fn disturbed<'a>(case: &'a Case<'_>) -> BTreeMap<&'a str, Disturbed<'a>> {
    let mut all = BTreeMap::new();
    if !case.disturbs() {
        return all;
    }
    let hosts = case.away.hosts.iter().chain(case.host()).filter_map(|id| case.scene.hosts.get(id));
    for host in hosts {
        let window = host.window.as_ref();
        all.insert(host.name.as_str(), Disturbed { protected: host.protected.as_deref(), window });
    }
    let guests = case.away.guests.iter().filter_map(|id| case.scene.guests.get(id));
    for guest in guests.chain(case.guest().map(|(_, guest)| guest)) {
        let window = guest.window.as_ref();
        all.insert(guest.name.as_str(), Disturbed { protected: guest.protected.as_deref(), window });
    }
    all
}

/// Neither it nor what goes down with it is one that somebody wants left alone.
pub(super) fn protected(case: &Case<'_>) -> Vec<Objection> {
    let all = disturbed(case);
    let wished = all.iter().filter_map(|(name, thing)| Some(format!("{name} {}", thing.protected?)));
    let mut objections: Vec<Objection> = wished.map(|why| Objection::new(Rule::Protected, why)).collect();
    if let (Some((_, guest)), Some(GuestChange::Delete { .. })) = (case.guest(), case.change())
        && guest.kept
    {
        let why = format!("guest {} has `protection` set in Proxmox, which keeps it from being deleted", guest.name);
        objections.push(Objection::for_good(Rule::Protected, why));
    }
    objections
}

/// Whatever has windows, has one open.
pub(super) fn window(case: &Case<'_>) -> Vec<Objection> {
    let all = disturbed(case);
    let closed = all.iter().filter_map(|(name, thing)| Some((name, thing.window.filter(|window| !window.open)?)));
    let why = closed.map(|(name, window)| format!("{name} {}", window.words));
    why.map(|why| Objection::new(Rule::Window, why)).collect()
}

/// There is room for one more. Whoever meets this alone may simply wait.
pub(super) fn cap(case: &Case<'_>) -> Vec<Objection> {
    let going_on: Vec<BTreeSet<HostId>> =
        case.scene.in_flight.iter().map(|action| hosts_of(case.scene, action)).collect();
    let mut objections = Vec::new();
    let mut clusters = BTreeSet::new();
    for host in hosts_of(case.scene, case.action) {
        let here = going_on.iter().filter(|hosts| hosts.contains(&host)).count();
        if here >= case.scene.limits.per_host {
            let why =
                format!("{here} actions go on at {}, as many as are allowed at once", case.scene.host_name(&host));
            objections.push(Objection::new(Rule::Cap, why));
        }
        clusters.extend(case.scene.cluster_of(&host).map(|(id, _)| id));
    }
    for id in clusters {
        let of_cluster = |host: &HostId| case.scene.node(host).is_some_and(|node| node.cluster == *id);
        let there = going_on.iter().filter(|hosts| hosts.iter().any(of_cluster)).count();
        if there >= case.scene.limits.per_cluster {
            let name = case.scene.clusters.get(id).map_or(id.as_str(), |cluster| &cluster.name);
            let why = format!("{there} actions go on in cluster {name}, as many as are allowed at once");
            objections.push(Objection::new(Rule::Cap, why));
        }
    }
    objections
}

/// The hosts that have work with an action.
fn hosts_of(scene: &Scene, action: &Action) -> BTreeSet<HostId> {
    let mut hosts = BTreeSet::new();
    if let Some(guest) = guest_id(action).and_then(|id| scene.guests.get(id)) {
        hosts.insert(guest.host.clone());
    }
    match action {
        Action::Guest { change, .. } => match change {
            GuestChange::Migrate { to, .. }
            | GuestChange::RemoteMigrate { to, .. }
            | GuestChange::Clone { to: Some(to), .. } => drop(hosts.insert(to.clone())),
            _ => {}
        },
        Action::Snapshot { .. } | Action::Packages { machine: Machine::Guest(_), .. } => {}
        Action::Host { id: host, .. }
        | Action::Unit { host, .. }
        | Action::Container { host, .. }
        | Action::Compose { host, .. }
        | Action::Script { host, .. }
        | Action::Packages { machine: Machine::Host(host), .. }
        | Action::Storage { host, .. } => drop(hosts.insert(host.clone())),
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, guest, host, id, lab, migrate, shutdown, start, stop, words};
    use crate::model::{Action, GuestChange, GuestKind, Machine, PackagesChange, Rule, scene::SceneWindow};

    const NONE: [&str; 0] = [];

    #[test]
    fn what_is_protected_is_left_alone_also_by_what_it_is_on() {
        let mut scene = lab();
        assert_eq!(words(&scene, &stop("mail"), Rule::Protected), NONE);
        guest(&mut scene, "mail").protected = Some("is protected by ada".into());
        let why = ["mail is protected by ada"];
        assert_eq!(words(&scene, &stop("mail"), Rule::Protected), why);
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::Protected), why);
        assert_eq!(words(&scene, &start("mail"), Rule::Protected), NONE);
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Protected), NONE, "nobody notices");
        guest(&mut scene, "mail").kind = GuestKind::Lxc;
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Protected), why);
    }

    #[test]
    fn what_proxmox_keeps_is_not_deleted() {
        let mut scene = lab();
        let delete = change("mail", GuestChange::Delete { confirm: "mail".into(), purge: true });
        assert_eq!(words(&scene, &delete, Rule::Protected), NONE);
        guest(&mut scene, "mail").kept = true;
        assert_eq!(words(&scene, &delete, Rule::Protected).len(), 1);
    }

    #[test]
    fn a_thing_with_windows_is_disturbed_in_them_only() {
        let mut scene = lab();
        host(&mut scene, "pi").window = Some(SceneWindow { open: false, words: "waits for Sunday".into() });
        assert_eq!(words(&scene, &shutdown("pi"), Rule::Window), ["pi waits for Sunday"]);
        host(&mut scene, "pi").window = Some(SceneWindow { open: true, words: "waits for Sunday".into() });
        assert_eq!(words(&scene, &shutdown("pi"), Rule::Window), NONE);
        guest(&mut scene, "mail").window = Some(SceneWindow { open: false, words: "waits for the night".into() });
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::Window), ["mail waits for the night"]);
    }

    #[test]
    fn an_upgrade_disturbs_its_machine_and_fetching_lists_does_not() {
        let mut scene = lab();
        let packages = |machine: &Machine, change: &PackagesChange| Action::Packages {
            machine: machine.clone(),
            change: change.clone(),
        };
        let (upgrade, refresh) =
            (PackagesChange::Upgrade { security_only: true, exclude: Vec::new() }, PackagesChange::Refresh);
        guest(&mut scene, "mail").protected = Some("is protected by ada".into());
        host(&mut scene, "pi").window = Some(SceneWindow { open: false, words: "waits for Sunday".into() });
        for (machine, rule, why) in [
            (Machine::Guest(id("mail")), Rule::Protected, "mail is protected by ada"),
            (Machine::Host("pi".into()), Rule::Window, "pi waits for Sunday"),
        ] {
            assert_eq!(words(&scene, &packages(&machine, &upgrade), rule), [why]);
            assert_eq!(words(&scene, &packages(&machine, &refresh), rule), NONE);
        }
    }

    #[test]
    fn no_more_goes_on_at_once_than_is_allowed() {
        let mut scene = lab();
        scene.limits.per_host = 2;
        scene.limits.per_cluster = 3;
        scene.in_flight = vec![start("mail")];
        assert_eq!(words(&scene, &stop("dns"), Rule::Cap), NONE);
        scene.in_flight = vec![start("mail"), start("mail")];
        let why = "2 actions go on at pve1, as many as are allowed at once";
        assert_eq!(words(&scene, &stop("dns"), Rule::Cap), [why]);
        assert_eq!(words(&scene, &stop("web"), Rule::Cap), NONE);
        scene.in_flight.push(start("mail"));
        let why = "3 actions go on in cluster lab, as many as are allowed at once";
        assert_eq!(words(&scene, &stop("web"), Rule::Cap), [why]);
        assert_eq!(words(&scene, &shutdown("pi"), Rule::Cap), NONE);
    }
}
