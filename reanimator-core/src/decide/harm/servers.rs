//! The last server of a kind: without names and addresses nobody finds anything, Reanimator included.

use std::collections::BTreeMap;

use super::{case::Case, own::is_unit};
use crate::model::{
    Action, ContainerVerb, GuestStatus, HostId, Objection, Rule, UnitVerb,
    action::container_name,
    scene::{Answers, SceneGuest, ServedBy, Server},
};

/// Units that usually answer; for a host of which only a tag tells that it does.
const USUAL_DNS: [&str; 13] = [
    "named",
    "bind9",
    "unbound",
    "dnsmasq",
    "pihole-FTL",
    "AdGuardHome",
    "coredns",
    "pdns",
    "pdns-recursor",
    "knot",
    "kresd@1",
    "nsd",
    "systemd-resolved",
];
const USUAL_DHCP: [&str; 6] =
    ["dnsmasq", "isc-dhcp-server", "dhcpd", "kea-dhcp4-server", "pihole-FTL", "systemd-networkd"];

/// Whether one that answers names is left.
pub(super) fn last_dns(case: &Case<'_>) -> Vec<Objection> {
    last(case, Answers::Dns, Rule::LastDns, "DNS")
}

/// Whether one that gives out addresses is left.
pub(super) fn last_dhcp(case: &Case<'_>) -> Vec<Objection> {
    last(case, Answers::Dhcp, Rule::LastDhcp, "DHCP")
}

/// A machine that answers, by its host or its guest: one that is both is one.
#[derive(Default)]
struct Place<'a> {
    name: &'a str,
    host: Option<&'a HostId>,
    away: bool,
    /// Whether it answers for certain: what is about to change may be lost, and is not counted on.
    sure: bool,
    servers: Vec<&'a Server>,
}

fn last(case: &Case<'_>, answers: Answers, rule: Rule, what: &str) -> Vec<Objection> {
    let places = places(case, answers);
    let (lost, kept): (Vec<_>, Vec<_>) = places.iter().partition(|place| is_lost(place, case.action, answers));
    if lost.is_empty() || kept.iter().any(|place| place.sure) {
        return Vec::new();
    }
    let names: Vec<&str> = lost.iter().map(|place| place.name).collect();
    vec![Objection::new(rule, format!("nothing else is known to answer {what} than {}", names.join(", ")))]
}

/// All machines that answer now.
fn places<'a>(case: &Case<'a>, answers: Answers) -> Vec<Place<'a>> {
    let mut places: BTreeMap<&str, Place<'a>> = BTreeMap::new();
    let up = |servers: &'a [Server]| servers.iter().filter(move |server| server.up && server.answers == answers);
    let on_air = |host: &HostId| case.scene.hosts.get(host).is_none_or(|host| host.online);
    let runs = |guest: &SceneGuest| guest.status == GuestStatus::Running && on_air(&guest.host);
    for (id, host) in &case.scene.hosts {
        let its_guest = host.guest.as_ref().and_then(|guest| case.scene.guests.get(guest));
        // A guest that runs may well answer others while its own shell is silent: it is not counted on, and not stopped.
        if !host.online && !its_guest.is_some_and(runs) {
            continue;
        }
        for server in up(&host.servers) {
            let key = host.guest.as_ref().map_or(id.as_str(), |guest| guest.0.as_str());
            let place = places.entry(key).or_default();
            (place.name, place.host) = (&host.name, Some(id));
            place.sure |= host.online && its_guest.is_none_or(SceneGuest::surely_runs);
            place.away |= case.away.hosts.contains(id);
            place.servers.push(server);
        }
    }
    let guests = case.scene.guests.iter().filter(|(_, guest)| runs(guest));
    for (id, guest) in guests {
        for server in up(&guest.servers) {
            let place = places.entry(&id.0).or_insert_with(|| Place { name: &guest.name, ..Place::default() });
            place.sure |= guest.surely_runs();
            place.away |= case.away.guests.contains(id);
            place.servers.push(server);
        }
    }
    places.into_values().collect()
}

/// Whether nothing of a machine answers any more.
fn is_lost(place: &Place<'_>, action: &Action, answers: Answers) -> bool {
    let known: Vec<&&Server> = place.servers.iter().filter(|server| server.by != ServedBy::Host).collect();
    let stops = |by: &ServedBy| place.host.is_some_and(|host| stops(action, host, by, answers));
    place.away
        || match known.is_empty() {
            true => stops(&ServedBy::Host),
            false => known.iter().all(|server| stops(&server.by)),
        }
}

/// Whether an action stops what answers on a host. A restart is over before anybody asks again; a container that is
/// updated may come back as something else.
fn stops(action: &Action, on: &HostId, by: &ServedBy, answers: Answers) -> bool {
    let usual: &[&str] = match answers {
        Answers::Dns => &USUAL_DNS,
        Answers::Dhcp => &USUAL_DHCP,
    };
    match action {
        Action::Unit { host, unit, verb: UnitVerb::Stop } if host == on => match by {
            ServedBy::Unit(name) => is_unit(unit, &[name.trim_end_matches(".service")]),
            ServedBy::Container { .. } => is_unit(unit, &["docker", "containerd"]),
            ServedBy::Host => is_unit(unit, usual),
        },
        Action::Container { host, name, verb: ContainerVerb::Stop | ContainerVerb::Update, .. } if host == on => {
            matches!(by, ServedBy::Container { name: of, .. } if of == container_name(name))
        }
        Action::Compose { host, project, verb: ContainerVerb::Stop | ContainerVerb::Update } if host == on => {
            matches!(by, ServedBy::Container { project: Some(of), .. } if of == project)
        }
        _ => false,
    }
}

/// What of a host's servers an action stops or starts, for the scene after it.
pub(super) fn turn(servers: &mut [Server], on: &HostId, action: &Action) {
    for server in servers {
        if stops(action, on, &server.by, server.answers) {
            server.up = false;
        }
        let started = match (action, &server.by) {
            (Action::Unit { host, unit, verb: UnitVerb::Start }, ServedBy::Unit(name)) => {
                host == on && is_unit(unit, &[name.trim_end_matches(".service")])
            }
            (
                Action::Container { host, name, verb: ContainerVerb::Start, .. },
                ServedBy::Container { name: of, .. },
            ) => host == on && container_name(name) == of,
            (
                Action::Compose { host, project, verb: ContainerVerb::Start },
                ServedBy::Container { project: Some(of), .. },
            ) => host == on && project == of,
            _ => false,
        };
        server.up |= started;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{guest, host, id, lab, shutdown, stop, unit, words};
    use crate::model::{
        Action, ContainerVerb, GuestStatus, Rule, UnitVerb,
        scene::{Answers, ServedBy, Server},
    };

    fn server(answers: Answers, by: ServedBy) -> Server {
        Server { answers, by, up: true }
    }

    #[test]
    fn the_last_that_answers_dns_stays_and_one_of_two_may_go() {
        let mut scene = lab();
        let why = "nothing else is known to answer DNS than dns";
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns), [why]);
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::LastDns), [why], "its node takes it along");
        assert_eq!(words(&scene, &stop("mail"), Rule::LastDns), [""; 0]);
        host(&mut scene, "pi").servers.push(server(Answers::Dns, ServedBy::Unit("unbound.service".into())));
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns), [""; 0]);
        host(&mut scene, "pi").online = false;
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns), [why]);
        host(&mut scene, "pi").online = true;
        host(&mut scene, "pi").servers[0].up = false;
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns), [why], "it was not seen to wait");
    }

    #[test]
    fn a_guest_answers_with_what_was_seen_in_its_shell_even_where_that_is_silent() {
        let mut scene = lab();
        guest(&mut scene, "dns").servers.clear();
        let seen = host(&mut scene, "pi");
        seen.guest = Some(id("mail"));
        seen.servers.push(server(Answers::Dns, ServedBy::Unit("unbound.service".into())));
        let why = "nothing else is known to answer DNS than pi";
        for online in [true, false] {
            host(&mut scene, "pi").online = online;
            for action in [stop("mail"), unit("pi", "unbound", UnitVerb::Stop)] {
                assert_eq!(words(&scene, &action, Rule::LastDns), [why], "{action:?}, online: {online}");
            }
        }
        let other = Server { answers: Answers::Dns, by: ServedBy::Host, up: true };
        guest(&mut scene, "dns").servers.push(other);
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns).len(), 1, "a shell that is silent is not counted on");
        host(&mut scene, "pi").online = true;
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns), [""; 0]);
        guest(&mut scene, "mail").status = GuestStatus::Stopped;
        host(&mut scene, "pi").online = false;
        assert_eq!(words(&scene, &stop("dns"), Rule::LastDns).len(), 1);
    }

    #[test]
    fn the_last_that_answers_dhcp_is_a_unit_a_container_or_the_host_itself() {
        let mut scene = lab();
        let why = "nothing else is known to answer DHCP than pi";
        let stop_unit = |name: &str| unit("pi", name, UnitVerb::Stop);
        host(&mut scene, "pi").servers = vec![server(Answers::Dhcp, ServedBy::Host)];
        assert_eq!(words(&scene, &stop_unit("dnsmasq"), Rule::LastDhcp), [why], "only a tag tells, and this is usual");
        assert_eq!(words(&scene, &stop_unit("nginx"), Rule::LastDhcp), [""; 0]);
        host(&mut scene, "pi").servers.push(server(Answers::Dhcp, ServedBy::Unit("kea.service".into())));
        assert_eq!(words(&scene, &stop_unit("kea"), Rule::LastDhcp), [why]);
        assert_eq!(words(&scene, &unit("pi", "kea", UnitVerb::Restart), Rule::LastDhcp), [""; 0]);
        let by = ServedBy::Container { name: "dhcp".into(), project: Some("net".into()) };
        host(&mut scene, "pi").servers = vec![server(Answers::Dhcp, by)];
        let container =
            Action::Container { host: "pi".into(), name: "dhcp".into(), verb: ContainerVerb::Update, image: None };
        let compose = Action::Compose { host: "pi".into(), project: "net".into(), verb: ContainerVerb::Stop };
        for action in [&container, &compose, &stop_unit("docker.service"), &shutdown("pi")] {
            assert_eq!(words(&scene, action, Rule::LastDhcp), [why], "{action:?}");
        }
        guest(&mut scene, "mail").servers.push(server(Answers::Dhcp, ServedBy::Host));
        assert_eq!(words(&scene, &compose, Rule::LastDhcp), [""; 0]);
    }
}
