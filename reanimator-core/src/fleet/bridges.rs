//! What of the facts about bridges and network cards the topology shows: a small part, kept in memory.

use std::collections::BTreeMap;

use crate::model::facts::{
    HostFacts,
    cluster::{ClusterFacts, SdnZone},
    guest::GuestNetwork,
    network::{Interface, InterfaceKind, LinkState},
    pve_node::NodeInterface,
};

/// As many ports of one bridge are kept: a node's own are a few, those of containers come and go.
const PORTS: usize = 256;

/// A bridge of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BridgeDigest {
    pub(super) name: String,
    pub(super) ovs: bool,
    pub(super) active: Option<bool>,
    pub(super) vlan_aware: Option<bool>,
    pub(super) ports: Vec<String>,
    pub(super) addresses: Vec<String>,
}

/// A network of a zone, and on which nodes it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct VnetDigest {
    pub(super) name: String,
    pub(super) vlan_aware: bool,
    /// The nodes its zone is for; empty: all.
    pub(super) nodes: Vec<String>,
    /// Whether its zone works on a node, where that tells.
    pub(super) works: BTreeMap<String, bool>,
}

/// A network card of a guest; there are many, so that it is small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NicDigest {
    pub(super) name: Box<str>,
    pub(super) bridge: Option<Box<str>>,
    pub(super) vlan: Option<u16>,
    pub(super) addresses: Box<[Box<str>]>,
}

/// The bridges of a host: what its shell sees, and what the Proxmox API says is configured.
pub(super) fn bridges(facts: &HostFacts) -> Vec<BridgeDigest> {
    let configured = facts.proxmox.iter().flat_map(|node| node.facts.interfaces.iter().flatten());
    let mut bridges: BTreeMap<&str, BridgeDigest> =
        configured.filter_map(|interface| Some((interface.name.as_str(), configured_bridge(interface)?))).collect();
    for interface in facts.network.iter().flat_map(|network| &network.facts.interfaces) {
        let known = bridges.get(interface.name.as_str());
        if let Some(bridge) = seen_bridge(interface, known) {
            bridges.insert(&interface.name, bridge);
        }
    }
    bridges.into_values().collect()
}

fn configured_bridge(interface: &NodeInterface) -> Option<BridgeDigest> {
    let ovs = match interface.kind.as_deref() {
        Some("bridge") => false,
        Some("OVSBridge") => true,
        _ => return None,
    };
    Some(BridgeDigest {
        name: interface.name.clone(),
        ovs,
        active: Some(interface.active),
        // Open vSwitch tags by itself: its bridges have no such switch.
        vlan_aware: Some(interface.vlan_aware || ovs),
        ports: interface.bridge_ports.iter().take(PORTS).cloned().collect(),
        addresses: interface.addresses.clone(),
    })
}

/// A bridge as the host itself sees it now, which says more than its configuration.
fn seen_bridge(interface: &Interface, configured: Option<&BridgeDigest>) -> Option<BridgeDigest> {
    let made_of = interface.bridge.as_ref();
    let is_bridge = interface.kind == InterfaceKind::Bridge || made_of.is_some();
    if !(is_bridge || configured.is_some()) || is_of_proxmox_guest(&interface.name) {
        return None;
    }
    let known = configured.cloned().unwrap_or_default();
    // A bridge without a running guest has no carrier and is switched on all the same.
    let active = match interface.state {
        LinkState::Up | LinkState::NoLink => Some(true),
        LinkState::Down => Some(false),
        LinkState::Unknown => known.active,
    };
    let ports = made_of.map(|bridge| bridge.ports.iter().filter(|port| !is_of_proxmox_guest(port)).take(PORTS));
    let addresses = interface.addresses.iter().filter(|address| address.is_lasting()).map(ToString::to_string);
    Some(BridgeDigest {
        name: interface.name.clone(),
        ovs: known.ovs,
        active,
        vlan_aware: made_of.and_then(|bridge| bridge.vlan_aware).or(known.vlan_aware),
        ports: ports.map_or(known.ports, |ports| ports.cloned().collect()),
        addresses: addresses.collect(),
    })
}

/// Whether Proxmox made this for a network card of a guest: `tap100i0`, `veth101i0`, `fwbr100i0`, `fwpr100p0`, `fwln100i0`.
fn is_of_proxmox_guest(name: &str) -> bool {
    let rest = ["tap", "veth", "fwbr", "fwpr", "fwln"].into_iter().find_map(|prefix| name.strip_prefix(prefix));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = rest.and_then(|rest| rest.split_once(['i', 'p', 'o']));
    parts.is_some_and(|(number, card)| digits(number) && digits(card))
}

/// The networks of a cluster's zones.
pub(super) fn vnets(facts: &ClusterFacts) -> Vec<VnetDigest> {
    let zone = |name: &str| facts.zones.iter().flatten().find(|zone| zone.name == name);
    let vnet = |vnet: &crate::model::facts::cluster::SdnVnet| {
        let zone = vnet.zone.as_deref().and_then(zone);
        VnetDigest {
            name: vnet.name.clone(),
            vlan_aware: vnet.vlan_aware,
            nodes: zone.map(|zone| zone.nodes.clone()).unwrap_or_default(),
            works: zone.map(works).unwrap_or_default(),
        }
    };
    facts.vnets.iter().flatten().map(vnet).collect()
}

/// Where a zone works, by what each node says of it: `pending` and `error` are no.
fn works(zone: &SdnZone) -> BTreeMap<String, bool> {
    let word = |(node, says): (&String, &String)| (node.clone(), matches!(says.as_str(), "ok" | "available"));
    zone.status.iter().map(word).collect()
}

/// A network card with its addresses: those seen from within, else those it is configured to have.
pub(super) fn nic(card: &GuestNetwork) -> NicDigest {
    let seen = || card.ipv4.iter().chain(&card.ipv6).map(|address| Box::from(address.as_str()));
    let given = || [&card.ip, &card.ip6].into_iter().flatten().filter_map(|text| text.split('/').next());
    let given = || given().filter(|text| text.parse::<std::net::IpAddr>().is_ok()).map(Box::from);
    let addresses: Vec<Box<str>> = seen().collect();
    NicDigest {
        name: card.id.as_str().into(),
        bridge: card.bridge.as_deref().map(Box::from),
        vlan: card.vlan,
        addresses: if addresses.is_empty() { given().collect() } else { addresses.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::{
        Dated,
        cluster::SdnVnet,
        network::{Address, Bridge, Network},
        pve_node::NodeInventory,
    };

    fn seen(name: &str, ports: &[&str]) -> Interface {
        let ports = ports.iter().map(ToString::to_string).collect();
        Interface {
            name: name.into(),
            kind: InterfaceKind::Bridge,
            state: LinkState::NoLink,
            bridge: Some(Bridge { ports, vlan_aware: Some(true), stp: None }),
            ..Interface::default()
        }
    }

    #[test]
    fn a_host_without_proxmox_shows_its_bridges_with_their_members() {
        let address = |text: &str, scope: &str| Address {
            address: text.parse().unwrap_or([0, 0, 0, 0].into()),
            prefix: 16,
            scope: Some(scope.into()),
            dynamic: false,
            temporary: false,
        };
        let docker = Interface {
            addresses: vec![address("172.17.0.1", "global"), address("fe80::1", "link")],
            of_guest: true,
            ..seen("docker0", &["veth12ab34c"])
        };
        let eth0 = Interface { name: "eth0".into(), kind: InterfaceKind::Physical, ..Interface::default() };
        let network = Network { interfaces: vec![docker, eth0], ..Network::default() };
        let facts = HostFacts { network: Some(Dated { facts: network, ..Dated::default() }), ..HostFacts::default() };
        let expected = BridgeDigest {
            name: "docker0".into(),
            ovs: false,
            active: Some(true),
            vlan_aware: Some(true),
            ports: vec!["veth12ab34c".into()],
            addresses: vec!["172.17.0.1/16".into()],
        };
        assert_eq!(bridges(&facts), [expected]);
    }

    #[test]
    fn what_the_shell_sees_goes_before_the_configuration_and_leaves_guests_ports_out() {
        let configured = |name: &str, kind: &str| NodeInterface {
            name: name.into(),
            kind: Some(kind.into()),
            bridge_ports: vec!["eno1".into()],
            addresses: vec!["192.0.2.1/24".into()],
            ..NodeInterface::default()
        };
        let interfaces = Some(vec![
            configured("vmbr0", "bridge"),
            configured("vmbr1", "OVSBridge"),
            configured("eno1", "eth"),
            configured("vmbr9", "bridge"),
        ]);
        let node = NodeInventory { interfaces, ..NodeInventory::default() };
        let ovs = Interface { name: "vmbr1".into(), state: LinkState::Up, ..Interface::default() };
        let network = Network {
            interfaces: vec![
                seen("vmbr0", &["eno1", "tap100i0", "fwpr101p0", "veth102i0"]),
                seen("fwbr101i0", &[]),
                ovs,
            ],
            ..Network::default()
        };
        let facts = HostFacts {
            proxmox: Some(Dated { facts: node, ..Dated::default() }),
            network: Some(Dated { facts: network, ..Dated::default() }),
            ..HostFacts::default()
        };
        let found = bridges(&facts);
        let short: Vec<_> =
            found.iter().map(|each| (each.name.as_str(), each.ovs, each.active, each.ports.join(","))).collect();
        assert_eq!(
            short,
            [
                ("vmbr0", false, Some(true), "eno1".to_owned()),
                ("vmbr1", true, Some(true), "eno1".to_owned()),
                ("vmbr9", false, Some(false), "eno1".to_owned()),
            ]
        );
    }

    #[test]
    fn only_names_that_proxmox_makes_are_guests_ports() {
        for name in ["tap100i0", "veth101i1", "fwbr100i0", "fwpr100p0", "fwln100i0", "fwln100o0"] {
            assert!(is_of_proxmox_guest(name), "{name}");
        }
        for name in ["tap0", "veth1a2b3c4", "vethi0", "eno1", "vmbr0", "tap100i", "fwbr", "tapip", "", "täp1i0"] {
            assert!(!is_of_proxmox_guest(name), "{name}");
        }
    }

    #[test]
    fn a_network_of_a_zone_knows_where_it_works() {
        let zone = SdnZone {
            name: "z".into(),
            nodes: vec!["pve1".into(), "pve2".into()],
            status: [("pve1".into(), "available".into()), ("pve2".into(), "error".into())].into(),
            ..SdnZone::default()
        };
        let vnet = SdnVnet { name: "web".into(), zone: Some("z".into()), vlan_aware: true, ..SdnVnet::default() };
        let lost = SdnVnet { name: "lost".into(), zone: Some("gone".into()), ..SdnVnet::default() };
        let facts = ClusterFacts { zones: Some(vec![zone]), vnets: Some(vec![vnet, lost]), ..ClusterFacts::default() };
        let found = vnets(&facts);
        assert_eq!(found[0].works, [("pve1".to_owned(), true), ("pve2".to_owned(), false)].into());
        assert_eq!((found[1].name.as_str(), found[1].nodes.len(), found[1].works.len()), ("lost", 0, 0));
    }

    #[test]
    fn a_card_has_the_addresses_seen_else_those_given() {
        let card = GuestNetwork {
            id: "net0".into(),
            bridge: Some("vmbr0".into()),
            ip: Some("192.0.2.7/24".into()),
            ip6: Some("auto".into()),
            ..GuestNetwork::default()
        };
        assert_eq!(*nic(&card).addresses, [Box::from("192.0.2.7")]);
        let seen = GuestNetwork { ipv4: vec!["192.0.2.8".into()], ipv6: vec!["2001:db8::8".into()], ..card };
        assert_eq!(*nic(&seen).addresses, [Box::from("192.0.2.8"), Box::from("2001:db8::8")]);
    }
}
