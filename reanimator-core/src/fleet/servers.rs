//! What of a host answers DNS and DHCP for others, out of its sockets and its containers: pure.

use crate::model::{
    facts::{HostFacts, containers::Container, listeners::Listener},
    scene::{Answers, ServedBy, Server},
};

/// Units whose programs answer only the host's own guests and containers.
const FOR_OWN_GUESTS: [&str; 6] = [
    "libvirtd.service",
    "virtnetworkd.service",
    "lxc-net.service",
    "lxd.service",
    "snap.lxd.daemon.service",
    "incus.service",
];

/// Programs that answer only containers, or only hand on what they are asked.
const NO_SERVERS: [&str; 3] = ["aardvark-dns", "dhcrelay", "dhcp-helper"];

/// Interfaces of the host's own guests and containers.
const OWN_INTERFACES: [&str; 6] = ["virbr", "lxcbr", "lxdbr", "incusbr", "docker", "podman"];

/// Each once, as it was last seen: those that wait are up, and a container that would answer if it ran is not.
pub(super) fn of_host(facts: &HostFacts) -> Vec<Server> {
    let containers = facts.containers.as_ref().map(|seen| seen.facts.containers.as_slice()).unwrap_or_default();
    let sockets = facts.listeners.as_ref().map(|seen| seen.facts.sockets.as_slice()).unwrap_or_default();
    let waiting = sockets.iter().filter(|socket| is_for_others(socket));
    let waiting = waiting.filter_map(|socket| {
        Some(Server { answers: answers(socket.protocol.as_str(), socket.port)?, by: by(socket, containers), up: true })
    });
    // A port may be published by the kernel alone, with nobody who waits on the host.
    let published = containers.iter().flat_map(|container| {
        let ports = container.ports.iter().filter(|port| !is_local(port.host_address.as_deref()));
        let answers = ports.filter_map(|port| answers(&port.protocol, port.host_port?));
        answers.map(|answers| Server { answers, by: contained(container), up: container.runs() })
    });
    let mut servers: Vec<Server> = Vec::new();
    for server in waiting.chain(published) {
        if !servers.iter().any(|known| known.answers == server.answers && known.by == server.by) {
            servers.push(server);
        }
    }
    servers
}

/// What is answered at a port.
fn answers(protocol: &str, port: u16) -> Option<Answers> {
    match (protocol, port) {
        ("udp" | "tcp", 53) => Some(Answers::Dns),
        ("udp", 67) => Some(Answers::Dhcp),
        _ => None,
    }
}

fn is_for_others(socket: &Listener) -> bool {
    let is = |name: &Option<String>, of: &[&str]| name.as_deref().is_some_and(|name| of.contains(&name));
    let own = socket.interface.as_deref().is_some_and(|name| OWN_INTERFACES.iter().any(|own| name.starts_with(own)));
    !socket.loopback && !own && !is(&socket.unit, &FOR_OWN_GUESTS) && !is(&socket.process, &NO_SERVERS)
}

fn is_local(address: Option<&str>) -> bool {
    address.and_then(|address| address.parse().ok()).is_some_and(|address: std::net::IpAddr| address.is_loopback())
}

/// What a socket belongs to. A container of which only the id is known is called by it.
fn by(socket: &Listener, containers: &[Container]) -> ServedBy {
    match (&socket.container_id, &socket.unit) {
        (Some(id), _) => match containers.iter().find(|container| container.id == *id) {
            Some(container) => contained(container),
            None => ServedBy::Container { name: socket.container.as_ref().unwrap_or(id).clone(), project: None },
        },
        (None, Some(unit)) => ServedBy::Unit(unit.clone()),
        (None, None) => ServedBy::Host,
    }
}

fn contained(container: &Container) -> ServedBy {
    ServedBy::Container { name: container.name.clone(), project: container.compose_project.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::{
        Dated,
        containers::{Containers, Port},
        listeners::{Listeners, Protocol},
    };

    fn socket(protocol: Protocol, port: u16, unit: Option<&str>) -> Listener {
        let address = "192.0.2.10".to_owned();
        Listener { port, protocol, address, unit: unit.map(str::to_owned), ..Listener::default() }
    }

    fn seen(sockets: Vec<Listener>, containers: Vec<Container>) -> Vec<Server> {
        let containers = Containers { containers, ..Containers::default() };
        of_host(&HostFacts {
            listeners: Some(Dated { facts: Listeners { sockets }, ..Dated::default() }),
            containers: Some(Dated { facts: containers, ..Dated::default() }),
            ..HostFacts::default()
        })
    }

    fn server(answers: Answers, by: ServedBy, up: bool) -> Server {
        Server { answers, by, up }
    }

    #[test]
    fn a_unit_a_container_and_an_unknown_program_are_told_apart() {
        let id = "c0".repeat(32);
        let inside = Listener { container_id: Some(id.clone()), ..socket(Protocol::Udp, 53, Some("docker.service")) };
        let kea = socket(Protocol::Udp, 67, Some("kea-dhcp4-server.service"));
        let unbound = socket(Protocol::Udp, 53, Some("unbound.service"));
        let sockets = vec![
            unbound.clone(),
            socket(Protocol::Tcp, 53, Some("unbound.service")),
            kea,
            socket(Protocol::Tcp, 67, Some("nothing.service")),
            socket(Protocol::Udp, 5353, None),
            socket(Protocol::Tcp, 53, None),
            inside,
        ];
        let pihole = Container {
            id,
            name: "pihole".into(),
            state: "running".into(),
            compose_project: Some("net".into()),
            ..Container::default()
        };
        let by = ServedBy::Container { name: "pihole".into(), project: Some("net".into()) };
        let expected = [
            server(Answers::Dns, ServedBy::Unit("unbound.service".into()), true),
            server(Answers::Dhcp, ServedBy::Unit("kea-dhcp4-server.service".into()), true),
            server(Answers::Dns, ServedBy::Host, true),
            server(Answers::Dns, by, true),
        ];
        assert_eq!(seen(sockets, vec![pihole]), expected);
    }

    #[test]
    fn what_answers_nobody_else_is_no_server() {
        let stub = Listener { loopback: true, ..socket(Protocol::Udp, 53, Some("systemd-resolved.service")) };
        let relay = Listener { process: Some("dhcrelay".into()), ..socket(Protocol::Udp, 67, None) };
        let inner = Listener { interface: Some("virbr0".into()), ..socket(Protocol::Udp, 67, None) };
        let libvirt = socket(Protocol::Udp, 53, Some("libvirtd.service"));
        assert_eq!(seen(vec![stub, relay, inner, libvirt], Vec::new()), []);
        assert_eq!(of_host(&HostFacts::default()), []);
    }

    #[test]
    fn a_published_port_needs_nobody_who_waits_and_a_stopped_container_is_not_up() {
        let container = |name: &str, state: &str, at: Option<&str>| {
            let port = Port {
                container_port: 53,
                protocol: "udp".into(),
                host_address: at.map(str::to_owned),
                host_port: Some(53),
            };
            Container { name: name.into(), state: state.into(), ports: vec![port], ..Container::default() }
        };
        let containers = vec![
            container("a", "running", None),
            container("b", "exited", None),
            container("c", "running", Some("127.0.0.1")),
        ];
        let by = |name: &str| ServedBy::Container { name: name.into(), project: None };
        let expected = [server(Answers::Dns, by("a"), true), server(Answers::Dns, by("b"), false)];
        assert_eq!(seen(Vec::new(), containers), expected);
    }
}
