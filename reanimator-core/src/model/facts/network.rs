//! Interfaces, addresses, routes and name servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// Interfaces, addresses, routes and name servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Network {
    /// Its interfaces, those of its guests and containers among them: see [`Interface::of_guest`].
    pub interfaces: Vec<Interface>,
    /// The main table of routes.
    pub routes: Vec<Route>,
    /// Who answers questions for names, behind a resolver on the host itself where one stands before them.
    pub dns_servers: Vec<String>,
    /// What is tried after a name without dots.
    pub search_domains: Vec<String>,
    /// The resolver on the host itself that programs ask, where there is one: `127.0.0.53`.
    pub local_resolver: Option<String>,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Interface {
    /// `eno1`, `vmbr0`.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Whether it carries traffic.
    pub state: LinkState,
    /// Its hardware address; absent where it has none.
    pub mac: Option<String>,
    /// The largest packet it takes, in bytes.
    pub mtu: Option<u64>,
    /// Its speed; absent while it has no link, and where it is no hardware.
    pub speed_mbps: Option<u64>,
    /// `full` or `half`.
    pub duplex: Option<String>,
    /// The driver of the hardware: `e1000e`, `virtio_net`.
    pub driver: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// The bridge or bond that it is a part of.
    pub master: Option<String>,
    /// Where it is a bridge.
    pub bridge: Option<Bridge>,
    /// Where it is a VLAN of another.
    pub vlan: Option<Vlan>,
    /// Where it is a bond.
    pub bond: Option<Bond>,
    /// Whether it comes and goes with a guest or container, so that pages may hide it.
    pub of_guest: bool,
}

/// What an interface is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum InterfaceKind {
    /// Hardware, or what a hypervisor shows as such.
    Physical,
    /// A bridge.
    Bridge,
    /// Several that act as one.
    Bond,
    /// A VLAN of another.
    Vlan,
    /// One end of a cable between name spaces.
    Veth,
    /// A tunnel or tap of a program: a VPN, the network card of a VM.
    Tun,
    /// WireGuard.
    Wireguard,
    /// A dummy.
    Dummy,
    /// The loopback.
    Loopback,
    /// Another that is no hardware: VXLAN, macvlan, a tunnel of the kernel.
    #[default]
    Virtual,
}

impl InterfaceKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Physical => "physical",
            Self::Bridge => "bridge",
            Self::Bond => "bond",
            Self::Vlan => "vlan",
            Self::Veth => "veth",
            Self::Tun => "tun",
            Self::Wireguard => "wireguard",
            Self::Dummy => "dummy",
            Self::Loopback => "loopback",
            Self::Virtual => "virtual",
        }
    }

    /// Whether its speed is a fact: bridges, veths and taps name one that nothing keeps them to.
    pub(crate) const fn has_speed(self) -> bool {
        matches!(self, Self::Physical | Self::Bond)
    }
}

/// Whether an interface carries traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// It does, as far as it can tell.
    Up,
    /// It is switched on and has no link.
    NoLink,
    /// It is switched off.
    Down,
    /// Not seen.
    #[default]
    Unknown,
}

impl LinkState {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::NoLink => "no-link",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// `192.0.2.10`, `2001:db8::10`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub address: std::net::IpAddr,
    /// How many bits of it name the network.
    pub prefix: u8,
    /// `global`, `link`, `host`.
    #[serde(default)]
    pub scope: Option<String>,
    /// Whether it was given by DHCP or by a router and runs out.
    #[serde(default)]
    pub dynamic: bool,
    /// Whether it is one of those that IPv6 changes daily, for privacy.
    #[serde(default)]
    pub temporary: bool,
}

/// What makes a bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Bridge {
    /// The interfaces in it.
    pub ports: Vec<String>,
    /// Whether it keeps VLANs apart.
    pub vlan_aware: Option<bool>,
    /// Whether it looks for loops.
    pub stp: Option<bool>,
}

/// What makes a VLAN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Vlan {
    /// Its number.
    pub id: Option<u16>,
    /// The interface that carries it.
    pub parent: Option<String>,
}

/// What makes a bond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Bond {
    /// `active-backup`, `802.3ad`.
    pub mode: Option<String>,
    /// The member that carries the traffic, in modes where one does.
    pub active: Option<String>,
    /// Its members.
    pub members: Vec<String>,
}

/// A route of the main table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Route {
    /// `default`, `192.0.2.0/24`.
    pub destination: String,
    /// Whether it is one of IPv6.
    pub ipv6: bool,
    /// The next hop; absent where the network is right at hand.
    pub gateway: Option<String>,
    /// The interface; absent where packets are thrown away.
    pub interface: Option<String>,
    /// The smaller, the rather it is taken.
    pub metric: Option<u64>,
    /// Who set it: `kernel`, `dhcp`, `static`, `ra`.
    pub protocol: Option<String>,
    /// The address that it sends from.
    pub source: Option<String>,
}

impl Network {
    /// The interfaces of the host itself.
    pub fn own_interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|interface| !interface.of_guest)
    }

    /// The ways out: default routes, the best of each family first.
    pub fn default_routes(&self) -> Vec<&Route> {
        let mut routes: Vec<&Route> = self.routes.iter().filter(|route| route.destination == "default").collect();
        routes.sort_by_key(|route| (route.ipv6, route.metric.unwrap_or(0)));
        routes
    }
}

impl Interface {
    /// Its IPv4 addresses.
    pub fn ipv4(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|address| address.address.is_ipv4())
    }

    /// Its IPv6 addresses.
    pub fn ipv6(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|address| address.address.is_ipv6())
    }
}

impl Address {
    /// Whether it lasts and leads here from elsewhere: neither of the loopback or the link alone, nor temporary.
    pub fn is_lasting(&self) -> bool {
        let local = matches!(self.scope.as_deref(), Some("link" | "host"));
        !local && !self.temporary && !self.address.is_loopback()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Watched for Network {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut watched = BTreeMap::new();
        for interface in self.own_interfaces().filter(|it| it.kind != InterfaceKind::Loopback) {
            let name = &interface.name;
            watched.insert(format!("interface {name}"), interface.kind.as_str().to_owned());
            watched.insert(format!("link {name}"), interface.state.as_str().to_owned());
            watched.extend(interface.mac.as_ref().map(|mac| (format!("MAC {name}"), mac.clone())));
            let lasting = interface.addresses.iter().filter(|address| address.is_lasting());
            let mut addresses: Vec<String> = lasting.map(ToString::to_string).collect();
            addresses.sort();
            if !addresses.is_empty() {
                watched.insert(format!("addresses {name}"), addresses.join(", "));
            }
        }
        for (what, ipv6) in [("gateway", false), ("IPv6 gateway", true)] {
            let best = self.default_routes().into_iter().find(|route| route.ipv6 == ipv6);
            watched.extend(best.and_then(|route| Some((what.to_owned(), route.gateway.clone()?))));
        }
        if !self.dns_servers.is_empty() {
            watched.insert("DNS servers".to_owned(), self.dns_servers.join(", "));
        }
        watched
    }
}
