//! Where guests may be: high availability, its rules, and the tags that pin guests or keep them apart.

use super::{
    case::{Case, Landing, Way},
    own::is_unit,
};
use crate::model::{
    Action, BackupMode, GuestChange, HostId, Objection, Rule, UnitVerb,
    scene::{PlacementRule, SceneGuest},
};

/// Units without which high availability resets a node that has guests of it.
const HA_UNITS: [&str; 3] = ["watchdog-mux", "pve-ha-lrm", "corosync"];

/// What high availability looks after is asked of it, not fought over with it.
pub(super) fn ha(case: &Case<'_>) -> Vec<Objection> {
    let mut objections = nodes(case, true);
    objections.extend(refused_by_ha(case));
    objections.extend(resets(case));
    objections
}

/// What high availability does not let happen to a guest of it.
fn refused_by_ha(case: &Case<'_>) -> Option<Objection> {
    let ((_, guest), change) = (case.guest()?, case.change()?);
    let ha = guest.ha.as_ref()?;
    let asks = matches!(
        change,
        GuestChange::Start | GuestChange::Stop | GuestChange::Shutdown { .. } | GuestChange::Migrate { .. }
    );
    let name = &guest.name;
    let why = match change {
        _ if asks && ha.state.as_deref() == Some("error") => {
            format!(
                "high availability has given guest {name} up (error), and does nothing with it until it is disabled"
            )
        }
        GuestChange::Delete { purge: false, .. } => {
            format!("high availability looks after guest {name}: it is deleted only where that forgets it too (purge)")
        }
        GuestChange::Migrate { storage: Some(_), .. } => {
            format!("high availability looks after guest {name}, and chooses no storage: take it out of that first")
        }
        GuestChange::Migrate { mode, local_disks: true, .. }
            if Way::of(guest, *mode) == Way::Live && guest.disks.iter().any(|disk| !disk.shared && !disk.cdrom) =>
        {
            format!(
                "high availability looks after guest {name}, and copies no disks of a running VM: take it out of that first"
            )
        }
        GuestChange::RemoteMigrate { .. } => {
            format!("high availability looks after guest {name}: take it out of that first")
        }
        GuestChange::BackUp { mode: BackupMode::Stop, .. } if ha.wanted.as_deref() == Some("started") => {
            format!("high availability would start guest {name} while it is stopped for its backup")
        }
        _ => return None,
    };
    Some(Objection::for_good(Rule::Ha, why))
}

/// A node without its watchdog or its manager is reset, while it has guests of high availability.
fn resets(case: &Case<'_>) -> Option<Objection> {
    let Action::Unit { host, unit, verb: UnitVerb::Stop | UnitVerb::Restart } = case.action else { return None };
    let managed = |(_, guest): (_, &SceneGuest)| guest.ha.is_some() && guest.may_run();
    (is_unit(unit, &HA_UNITS) && case.scene.guests_at(host).any(managed)).then(|| {
        let name = case.scene.host_name(host);
        Objection::new(Rule::Ha, format!("high availability resets {name} without {unit}, as guests of it run there"))
    })
}

/// Guests that are kept apart do not meet, and pinned ones stay.
pub(super) fn affinity(case: &Case<'_>) -> Vec<Objection> {
    let mut objections = nodes(case, false);
    objections.extend(case.landings.iter().filter(|landing| landing.moves()).flat_map(|each| meets(case, each)));
    objections.extend(case.landings.iter().skip(1).filter_map(|each| held_up(case, each)));
    objections
}

/// Rules about nodes that a guest would break; those of high availability, or of tags.
fn nodes(case: &Case<'_>, by_ha: bool) -> Vec<Objection> {
    let rule_of = if by_ha { Rule::Ha } else { Rule::Affinity };
    let landings = case.landings.iter().filter(|each| each.within() && each.guest.ha.is_some() == by_ha);
    let mut objections = Vec::new();
    for landing in landings {
        for rule in rules(case) {
            let PlacementRule::Nodes { name, guests, hosts, strict } = rule else { continue };
            if !guests.contains(landing.id) || hosts.contains(landing.to) {
                continue;
            }
            let (guest, to) = (&landing.guest.name, case.scene.host_name(landing.to));
            let names: Vec<String> = hosts.iter().map(|host| case.scene.host_name(host)).collect();
            let names = names.join(", ");
            if *strict {
                let why = format!("{name} keeps guest {guest} on {names}, and {to} is not among them");
                objections.push(Objection { can_override: !by_ha, ..Objection::new(rule_of, why) });
            } else if hosts.iter().any(|host| is_usable(case, host)) {
                let why = format!("{name} prefers {names} for guest {guest}, which would be moved back from {to}");
                objections.push(Objection::new(rule_of, why));
            }
        }
    }
    objections
}

fn rules<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a PlacementRule> {
    case.scene.clusters.values().flat_map(|cluster| &cluster.rules)
}

/// Whether high availability would choose it.
fn is_usable(case: &Case<'_>, host: &HostId) -> bool {
    case.scene.hosts.get(host).is_some_and(|host| host.online && !host.maintenance)
}

/// Whom a guest would meet that it is to be kept apart from.
fn meets(case: &Case<'_>, landing: &Landing<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    for rule in rules(case) {
        let PlacementRule::Apart { name, guests } = rule else { continue };
        if !guests.contains(landing.id) {
            continue;
        }
        let comes = |id| case.landings.iter().any(|other| other.id == id);
        let others =
            guests.iter().filter(|id| *id != landing.id).filter_map(|id| Some((id, case.scene.guests.get(id)?)));
        for (_, other) in others.filter(|(id, other)| other.is_at(landing.to) || comes(*id)) {
            let (guest, to) = (&landing.guest.name, case.scene.host_name(landing.to));
            let why = format!("{name} keeps guest {guest} apart from {}, which is on {to}", other.name);
            let by_ha = landing.guest.ha.is_some() && other.may_run();
            objections.push(Objection { can_override: !by_ha, ..Objection::new(Rule::Affinity, why) });
        }
    }
    objections
}

/// Whether one that belongs with the guest could not come along.
fn held_up(case: &Case<'_>, landing: &Landing<'_>) -> Option<Objection> {
    let (guest, first) = (landing.guest, &case.landings.first()?.guest.name);
    let online = case.scene.hosts.get(&guest.host).is_some_and(|host| host.online);
    let held = match &guest.lock {
        Some(lock) => format!("is locked: {lock}"),
        None if !online => format!("is on {}, which does not answer", case.scene.host_name(&guest.host)),
        None if guest.unsettled => "has something done to it at the moment".to_owned(),
        None => return None,
    };
    let why = format!("guest {} belongs with {first}, and {held}", guest.name);
    Some(Objection::new(Rule::Affinity, why))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{apart, change, guest, host, lab, migrate, nodes, start, stop, together, unit, words};
    use crate::model::{BackupMode, GuestChange, Rule, UnitVerb, scene::SceneHa};

    const NONE: [&str; 0] = [];

    fn managed() -> Option<SceneHa> {
        Some(SceneHa { state: Some("started".into()), wanted: Some("started".into()) })
    }

    #[test]
    fn a_guest_of_high_availability_stays_where_it_may_be() {
        let mut scene = lab();
        guest(&mut scene, "mail").ha = managed();
        nodes(&mut scene, "mail", &["pve1", "pve2"], true);
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Ha), NONE);
        let why = "rule here keeps guest mail on pve1, pve2, and pve3 is not among them";
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Ha), [why]);
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Affinity), NONE);
    }

    #[test]
    fn a_preferred_node_that_is_there_takes_its_guest_back() {
        let mut scene = lab();
        guest(&mut scene, "mail").ha = managed();
        nodes(&mut scene, "mail", &["pve1"], false);
        let why = "rule here prefers pve1 for guest mail, which would be moved back from pve2";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Ha), [why]);
        host(&mut scene, "pve1").maintenance = true;
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Ha), NONE);
    }

    #[test]
    fn high_availability_is_not_fought_with() {
        let mut scene = lab();
        let delete = |purge| change("mail", GuestChange::Delete { confirm: "mail".into(), purge });
        let backup = GuestChange::BackUp { storage: "local".into(), mode: BackupMode::Stop, notes: String::new() };
        let backup = change("mail", backup);
        for action in [&delete(false), &backup, &stop("mail"), &start("mail")] {
            assert_eq!(words(&scene, action, Rule::Ha), NONE);
        }
        guest(&mut scene, "mail").ha = managed();
        assert_eq!(words(&scene, &delete(false), Rule::Ha).len(), 1);
        assert_eq!(words(&scene, &delete(true), Rule::Ha), NONE);
        assert_eq!(words(&scene, &backup, Rule::Ha).len(), 1);
        assert_eq!(words(&scene, &stop("mail"), Rule::Ha), NONE);
        guest(&mut scene, "mail").ha = Some(SceneHa { state: Some("error".into()), ..SceneHa::default() });
        assert_eq!(words(&scene, &stop("mail"), Rule::Ha).len(), 1);
    }

    #[test]
    fn a_watchdog_that_watches_is_not_stopped() {
        let mut scene = lab();
        let stop = unit("pve1", "watchdog-mux.service", UnitVerb::Stop);
        assert_eq!(words(&scene, &stop, Rule::Ha), NONE);
        guest(&mut scene, "mail").ha = managed();
        let why = "high availability resets pve1 without watchdog-mux.service, as guests of it run there";
        assert_eq!(words(&scene, &stop, Rule::Ha), [why]);
    }

    #[test]
    fn a_pinned_guest_stays() {
        let mut scene = lab();
        nodes(&mut scene, "mail", &["pve1"], true);
        let why = "rule here keeps guest mail on pve1, and pve2 is not among them";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Affinity), [why]);
        assert_eq!(words(&scene, &migrate("web", "pve1"), Rule::Affinity), NONE);
    }

    #[test]
    fn guests_that_are_kept_apart_do_not_meet() {
        let mut scene = lab();
        apart(&mut scene, &["mail", "web"]);
        let why = "rule apart keeps guest mail apart from web, which is on pve2";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Affinity), [why]);
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Affinity), NONE);
        guest(&mut scene, "web").coming_to = Some("pve3".into());
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Affinity).len(), 1, "it is on its way there");
    }

    #[test]
    fn one_that_belongs_with_another_comes_along_or_both_stay() {
        let mut scene = lab();
        together(&mut scene, &["mail", "web"]);
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Affinity), NONE);
        guest(&mut scene, "web").lock = Some("backup".into());
        let why = "guest web belongs with mail, and is locked: backup";
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Affinity), [why]);
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Affinity), NONE, "it is there already");
    }
}
