//! Sockets at which programs of a host wait for others.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{
    Watched,
    containers::{Container, Containers},
};

/// Sockets at which programs of a host wait for others, those with the lowest ports first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Listeners {
    /// The sockets: TCP that listens, UDP that is connected to nobody.
    pub sockets: Vec<Listener>,
}

/// One socket, or several of one program that wait for the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// How one talks to it.
    pub protocol: Protocol,
    /// The host's own address that it waits at: `0.0.0.0` for all of IPv4, `::` for all.
    pub address: String,
    /// The only interface that it hears, where it is bound to one.
    pub interface: Option<String>,
    /// Whether only the host itself can reach it.
    pub loopback: bool,
    /// The program's name; absent where it was not seen, which takes root.
    pub process: Option<String>,
    /// The host's unit that the program belongs to: `unbound.service`; absent for one that no unit started.
    pub unit: Option<String>,
    /// The name of the container that answers behind it.
    pub container: Option<String>,
    /// The id of that container: whole, of whichever engine it is.
    pub container_id: Option<String>,
}

/// How one talks to a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Listeners {
    /// The same with the names of containers: by the id of the program's own, else by the port that one publishes, for
    /// which a helper of its engine waits on the host.
    #[must_use]
    pub fn with_containers(mut self, containers: &Containers) -> Self {
        for socket in &mut self.sockets {
            let known = match &socket.container_id {
                Some(id) => containers.containers.iter().find(|container| container.id == *id),
                None => containers.containers.iter().find(|container| container.runs() && publishes(container, socket)),
            };
            if let Some(known) = known {
                (socket.container, socket.container_id) = (Some(known.name.clone()), Some(known.id.clone()));
            }
        }
        self
    }
}

/// Whether a container publishes what a socket of the host waits for.
fn publishes(container: &Container, socket: &Listener) -> bool {
    container.ports.iter().any(|port| {
        let at = port.host_address.as_deref().unwrap_or_default();
        let same = is_any(at) || is_any(&socket.address) || at == socket.address;
        port.host_port == Some(socket.port) && port.protocol == socket.protocol.as_str() && same
    })
}

/// Whether an address means all of a host's, as no address does.
fn is_any(address: &str) -> bool {
    address.is_empty() || address.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

/// Ports up to here are given to services; those above may be anybody's for a moment.
const LAST_OF_SERVICES: u16 = 1023;

/// Services that others can reach, by their port. Who it is needs root, which may be refused at times; it is not told.
impl Watched for Listeners {
    fn watched(&self) -> BTreeMap<String, String> {
        let told = self.sockets.iter().filter(|socket| socket.port <= LAST_OF_SERVICES && !socket.loopback);
        told.map(|socket| (format!("port {}/{}", socket.port, socket.protocol.as_str()), "open".to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::containers::Port;

    fn socket(port: u16, address: &str) -> Listener {
        Listener { port, protocol: Protocol::Udp, address: address.into(), ..Listener::default() }
    }

    fn container(name: &str, at: Option<&str>, state: &str) -> Container {
        let port = Port {
            container_port: 53,
            protocol: "udp".into(),
            host_address: at.map(str::to_owned),
            host_port: Some(53),
        };
        let (id, name, state) = (format!("id of {name}"), name.into(), state.into());
        Container { id, name, state, ports: vec![port], ..Container::default() }
    }

    #[test]
    fn a_container_is_found_by_the_id_of_its_program_and_by_the_port_that_it_publishes() {
        let own = Listener { container_id: Some("id of other".into()), ..socket(53, "192.0.2.1") };
        let listeners = Listeners { sockets: vec![socket(53, "192.0.2.10"), own, socket(53, "192.0.2.11")] };
        let containers = vec![
            container("stopped", None, "exited"),
            container("pihole", Some("192.0.2.10"), "running"),
            container("other", Some("192.0.2.99"), "running"),
        ];
        let containers = Containers { containers, ..Containers::default() };
        let named = listeners.with_containers(&containers);
        let names: Vec<_> = named.sockets.iter().map(|socket| socket.container.as_deref()).collect();
        assert_eq!(names, [Some("pihole"), Some("other"), None]);
        assert_eq!(named.sockets[0].container_id.as_deref(), Some("id of pihole"));
    }

    #[test]
    fn only_services_for_others_are_told_of() {
        let local = Listener { loopback: true, ..socket(953, "127.0.0.1") };
        let listeners =
            Listeners { sockets: vec![socket(53, "::"), socket(53, "0.0.0.0"), local, socket(40_000, "::")] };
        assert_eq!(listeners.watched(), [("port 53/udp".to_owned(), "open".to_owned())].into());
    }
}
