//! Reanimator's own ground: the machine it runs on, and what it reaches others through.

use super::{case::Case, power::list};
use crate::model::{Action, HostId, Objection, Rule, UnitVerb};

/// Tags of what others are reached through.
const ROUTER_TAGS: [&str; 2] = ["router", "gateway"];

/// Units without which nobody logs in over SSH.
const SSH_UNITS: [&str; 4] = ["ssh", "sshd", "ssh.socket", "sshd.socket"];

/// Units without which a host has no network, or not the one it is reached by.
const NETWORK_UNITS: [&str; 6] =
    ["networking", "systemd-networkd", "NetworkManager", "tailscaled", "zerotier-one", "openvpn"];

/// Units that come up with their host, and take its network, its logins or its systemd down while they start anew.
const CORE_UNITS: [&str; 6] =
    ["networking", "systemd-networkd", "dbus", "dbus-broker", "dbus.socket", "systemd-logind"];

/// Units without which a node's API does not answer.
pub(super) const API_UNITS: [&str; 3] = ["pveproxy", "pvedaemon", "pve-cluster"];

/// Whether a unit is one of some services; `.service` may be left out, as for `systemctl`.
pub(super) fn is_unit(unit: &str, names: &[&str]) -> bool {
    names.contains(&unit.strip_suffix(".service").unwrap_or(unit))
}

/// What carries out the operation would end with it.
pub(super) fn own_machine(case: &Case<'_>) -> Vec<Objection> {
    let hosts = case.away.hosts.iter().filter_map(|id| case.scene.hosts.get(id)).filter(|host| host.own);
    let guests = case.away.guests.iter().filter_map(|id| case.scene.guests.get(id)).filter(|guest| guest.own);
    let mut names: Vec<&str> = hosts.map(|host| &*host.name).chain(guests.map(|guest| &*guest.name)).collect();
    names.sort_unstable();
    names.dedup();
    let mut objections: Vec<Objection> = names
        .iter()
        .map(|name| Objection::new(Rule::OwnMachine, format!("Reanimator itself runs on {name}")))
        .collect();
    if let Action::Unit { host, unit, verb: UnitVerb::Stop } = case.action
        && let Some(known) = case.scene.hosts.get(host)
        && known.own_unit.as_ref().is_some_and(|own| is_unit(unit, &[own.trim_end_matches(".service")]))
    {
        let why = format!("Reanimator itself runs as {unit} on {}", known.name);
        objections.push(Objection::new(Rule::OwnMachine, why));
    }
    objections
}

/// Who would be unreachable with it.
pub(super) fn own_path(case: &Case<'_>) -> Vec<Objection> {
    let mut why = routers(case);
    why.extend(jumps(case));
    why.extend(endpoints(case));
    why.extend(cut_off(case));
    why.into_iter().map(|why| Objection::new(Rule::OwnPath, why)).collect()
}

/// Routers that go away.
fn routers(case: &Case<'_>) -> Vec<String> {
    let tagged = |tags: &std::collections::BTreeSet<String>| ROUTER_TAGS.iter().any(|tag| tags.contains(*tag));
    let hosts = case.away.hosts.iter().filter_map(|id| case.scene.hosts.get(id));
    let guests = case.away.guests.iter().filter_map(|id| case.scene.guests.get(id));
    let hosts = hosts.filter(|host| host.router || tagged(&host.tags)).map(|host| host.name.clone());
    let guests = guests.filter(|guest| guest.router || tagged(&guest.tags)).map(|guest| guest.name.clone());
    let mut names: Vec<String> = hosts.chain(guests).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| format!("{name} is the router that others are reached through")).collect()
}

/// Hosts that others are reached through by SSH.
fn jumps(case: &Case<'_>) -> Vec<String> {
    let away = &case.away.hosts;
    let behind = |jump: &HostId| {
        let hosts = case.scene.hosts.iter().filter(|(id, host)| host.through.contains(jump) && !away.contains(*id));
        hosts.map(|(_, host)| host.name.as_str()).collect::<Vec<_>>()
    };
    let jumps = away.iter().map(|jump| (jump, behind(jump))).filter(|(_, behind)| !behind.is_empty());
    jumps.map(|(jump, behind)| format!("{} is on the way to {}", case.scene.host_name(jump), list(&behind))).collect()
}

/// Clusters of which no API would answer.
fn endpoints(case: &Case<'_>) -> Vec<String> {
    let api_stopped = |host: &HostId| {
        matches!(case.action, Action::Unit { host: on, unit, verb: UnitVerb::Stop }
            if on == host && is_unit(unit, &API_UNITS))
    };
    let silent = |host: &HostId| case.away.hosts.contains(host) || api_stopped(host);
    let answers = |host: &&HostId| case.scene.hosts.get(*host).is_some_and(|host| host.online);
    let lost = case.scene.clusters.iter().filter(|(id, cluster)| {
        let before: Vec<&HostId> = cluster.endpoints.iter().filter(answers).collect();
        let others = case.scene.nodes_of(id).any(|(host, node)| node.online && !case.away.hosts.contains(host));
        !cluster.other_endpoint && others && !before.is_empty() && before.into_iter().all(silent)
    });
    lost.map(|(_, cluster)| format!("no other address of cluster {} is known that answers", cluster.name)).collect()
}

/// The host whose last door is closed, or may not open again.
fn cut_off(case: &Case<'_>) -> Vec<String> {
    let Action::Unit { host, unit, verb } = case.action else { return Vec::new() };
    let Some(known) = case.scene.hosts.get(host) else { return Vec::new() };
    let core = is_unit(unit, &CORE_UNITS);
    let why = match verb {
        UnitVerb::Restart if core => Some(format!("{} may be cut off while {unit} starts anew", known.name)),
        UnitVerb::Stop | UnitVerb::Disable
            if known.ssh_only && is_unit(unit, &SSH_UNITS)
                || !known.own && (core || is_unit(unit, &NETWORK_UNITS) || unit.starts_with("wg-quick@")) =>
        {
            Some(format!("{} could not be reached without {unit}", known.name))
        }
        _ => None,
    };
    why.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{guest, host, lab, migrate, shutdown, stop, unit, words};
    use crate::model::{GuestKind, Rule, UnitVerb};

    const NONE: [&str; 0] = [];

    #[test]
    fn the_machine_that_reanimator_runs_on_stays_with_the_guest_and_the_node_that_it_is_on() {
        let mut scene = lab();
        assert_eq!(words(&scene, &shutdown("pi"), Rule::OwnMachine), NONE);
        host(&mut scene, "pi").own = true;
        assert_eq!(words(&scene, &shutdown("pi"), Rule::OwnMachine), ["Reanimator itself runs on pi"]);
        host(&mut scene, "pi").guest = Some(crate::model::GuestId("c1:101".into()));
        assert_eq!(words(&scene, &stop("mail"), Rule::OwnMachine), ["Reanimator itself runs on pi"]);
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::OwnMachine), ["Reanimator itself runs on pi"]);
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::OwnMachine), NONE, "a VM goes on running");
        guest(&mut scene, "mail").kind = GuestKind::Lxc;
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::OwnMachine), ["Reanimator itself runs on pi"]);
    }

    #[test]
    fn the_unit_that_reanimator_runs_as_is_not_stopped() {
        let mut scene = lab();
        host(&mut scene, "pi").own_unit = Some("reanimator.service".into());
        let why = "Reanimator itself runs as reanimator on pi";
        assert_eq!(words(&scene, &unit("pi", "reanimator", UnitVerb::Stop), Rule::OwnMachine), [why]);
        assert_eq!(words(&scene, &unit("pi", "reanimator", UnitVerb::Restart), Rule::OwnMachine), NONE);
    }

    #[test]
    fn what_others_are_reached_through_stays() {
        let mut scene = lab();
        assert_eq!(words(&scene, &shutdown("pi"), Rule::OwnPath), NONE);
        host(&mut scene, "pve2").through.insert("pi".into());
        assert_eq!(words(&scene, &shutdown("pi"), Rule::OwnPath), ["pi is on the way to pve2"]);
        guest(&mut scene, "mail").tags.insert("router".into());
        let why = "mail is the router that others are reached through";
        assert_eq!(words(&scene, &stop("mail"), Rule::OwnPath), [why]);
    }

    #[test]
    fn the_last_address_of_a_cluster_stays() {
        let mut scene = lab();
        let cluster = scene.clusters.values_mut().next().expect("there is one");
        cluster.endpoints = ["pve2".into(), "pve3".into()].into();
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::OwnPath), NONE);
        host(&mut scene, "pve2").online = false;
        let why = "no other address of cluster lab is known that answers";
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::OwnPath), [why]);
        assert_eq!(words(&scene, &unit("pve3", "pveproxy", UnitVerb::Stop), Rule::OwnPath), [why]);
    }

    #[test]
    fn a_door_that_is_the_only_one_is_not_closed() {
        let mut scene = lab();
        let stop = unit("pi", "ssh", UnitVerb::Stop);
        assert_eq!(words(&scene, &stop, Rule::OwnPath), NONE);
        host(&mut scene, "pi").ssh_only = true;
        assert_eq!(words(&scene, &stop, Rule::OwnPath), ["pi could not be reached without ssh"]);
        assert_eq!(words(&scene, &unit("pi", "ssh", UnitVerb::Restart), Rule::OwnPath), NONE);
        let restart = unit("pi", "dbus", UnitVerb::Restart);
        assert_eq!(words(&scene, &restart, Rule::OwnPath), ["pi may be cut off while dbus starts anew"]);
        let stop = unit("pi", "systemd-logind.service", UnitVerb::Stop);
        assert_eq!(words(&scene, &stop, Rule::OwnPath), ["pi could not be reached without systemd-logind.service"]);
    }
}
