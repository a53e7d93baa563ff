//! The network of the whole fleet: hosts, their bridges, and which guests hang on each. Made out of memory.

use std::collections::{BTreeMap, HashMap};

use super::{
    Fleet,
    digest::{BridgeDigest, GuestDigest, HostDigest, NicDigest, VnetDigest},
};
use crate::{
    Result,
    model::{
        BridgeKind, ConnectionId, Guest, GuestId, HostId, HostView, Topology, TopologyBridge, TopologyGuest,
        TopologyHost, TopologyNic,
    },
};

impl Fleet {
    /// The network of the whole fleet: out of memory while a live loop runs in this process, else as last stored.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn topology(&self) -> Result<Topology> {
        self.refresh().await?;
        if !self.is_live() {
            self.remember_facts().await?;
        }
        let now = self.now();
        let (views, guests) = self.read(|world| (world.views(now), world.guests()));
        let (hosts, cards) = self.read(|world| (world.host_digests(now), world.guest_digests()));
        let (places, vnets) = self.read(|world| (world.node_places(), world.vnets()));
        Ok(topology(&views, &guests, &Known { hosts: &hosts, guests: &cards, places: &places, vnets: &vnets }))
    }
}

/// What is known of the network.
struct Known<'a> {
    hosts: &'a BTreeMap<HostId, HostDigest>,
    guests: &'a BTreeMap<GuestId, GuestDigest>,
    /// As which node of which cluster each host comes in.
    places: &'a BTreeMap<HostId, (ConnectionId, String)>,
    vnets: &'a BTreeMap<ConnectionId, Vec<VnetDigest>>,
}

/// The network of these hosts, in their order, with these guests. Templates hang nowhere; guests of nodes that are no
/// hosts of the fleet are left out.
fn topology(views: &[HostView], guests: &[Guest], known: &Known<'_>) -> Topology {
    let mut by_host: HashMap<&HostId, Vec<&Guest>> = HashMap::new();
    for guest in guests.iter().filter(|guest| !guest.template) {
        if let Some(host) = &guest.host_id {
            by_host.entry(host).or_default().push(guest);
        }
    }
    let host = |view: &HostView| {
        let mut guests = by_host.remove(&view.id).unwrap_or_default();
        guests.sort_by_key(|guest| (guest.vmid.parse::<u64>().ok(), &guest.id));
        let (bridges, unplaced) = place(bridges_of(&view.id, known), &guests, known.guests);
        TopologyHost {
            id: view.id.clone(),
            name: view.name.clone(),
            kind: view.kind,
            state: view.state,
            cluster: view.cluster.clone(),
            bridges,
            unplaced,
        }
    };
    Topology { hosts: views.iter().map(host).collect() }
}

/// The bridges of a host by name, nothing plugged in yet.
fn bridges_of(id: &HostId, known: &Known<'_>) -> BTreeMap<String, TopologyBridge> {
    let seen = known.hosts.get(id).into_iter().flat_map(|digest| digest.bridges.iter());
    let mut bridges: BTreeMap<String, TopologyBridge> =
        seen.map(|bridge| (bridge.name.clone(), seen_bridge(bridge))).collect();
    let Some((connection, node)) = known.places.get(id) else { return bridges };
    for vnet in known.vnets.get(connection).into_iter().flatten() {
        if !vnet.nodes.is_empty() && !vnet.nodes.contains(node) {
            continue;
        }
        let bridge = bridges.entry(vnet.name.clone()).or_insert_with(|| TopologyBridge {
            name: vnet.name.clone(),
            active: vnet.works.get(node).copied(),
            ..TopologyBridge::default()
        });
        bridge.kind = BridgeKind::Vnet;
        // The zone's word: the bridge beneath may carry tags of its own.
        bridge.vlan_aware = Some(vnet.vlan_aware);
    }
    bridges
}

fn seen_bridge(bridge: &BridgeDigest) -> TopologyBridge {
    TopologyBridge {
        name: bridge.name.clone(),
        kind: if bridge.ovs { BridgeKind::Ovs } else { BridgeKind::Linux },
        active: bridge.active,
        vlan_aware: bridge.vlan_aware,
        ports: bridge.ports.clone(),
        addresses: bridge.addresses.clone(),
        guests: Vec::new(),
    }
}

/// Plugs guests into bridges; gives those bridges by name, and the guests that are plugged into none.
fn place(
    mut bridges: BTreeMap<String, TopologyBridge>,
    guests: &[&Guest],
    digests: &BTreeMap<GuestId, GuestDigest>,
) -> (Vec<TopologyBridge>, Vec<TopologyGuest>) {
    let mut unplaced = Vec::new();
    for guest in guests {
        let cards = digests.get(&guest.id).map(|digest| &*digest.nics).unwrap_or_default();
        let mut plugged: BTreeMap<&str, Vec<TopologyNic>> = BTreeMap::new();
        let mut loose = Vec::new();
        for card in cards {
            match &card.bridge {
                Some(bridge) => plugged.entry(bridge).or_default().push(nic(card)),
                None => loose.push(nic(card)),
            }
        }
        if plugged.is_empty() {
            unplaced.push(at(guest, loose));
            continue;
        }
        for (bridge, nics) in plugged {
            let bridge = bridges
                .entry(bridge.to_owned())
                .or_insert_with(|| TopologyBridge { name: bridge.to_owned(), ..TopologyBridge::default() });
            bridge.guests.push(at(guest, nics));
        }
    }
    (bridges.into_values().collect(), unplaced)
}

fn at(guest: &Guest, nics: Vec<TopologyNic>) -> TopologyGuest {
    TopologyGuest {
        id: guest.id.clone(),
        vmid: guest.vmid.clone(),
        name: guest.name.clone(),
        kind: guest.kind,
        status: guest.status,
        nics,
    }
}

fn nic(card: &NicDigest) -> TopologyNic {
    TopologyNic {
        name: card.name.to_string(),
        vlan: card.vlan,
        addresses: card.addresses.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{
        fleet::view::tests::host,
        model::{GuestKind, GuestStatus},
    };

    fn guest(vmid: u32, host: &HostId, name: &str) -> Guest {
        let connection = ConnectionId::from("c");
        Guest {
            id: GuestId::new(&connection, vmid),
            connection,
            vmid: vmid.to_string(),
            name: Some(name.into()),
            kind: GuestKind::Qemu,
            node: "pve1".into(),
            host_id: Some(host.clone()),
            cluster: None,
            status: GuestStatus::Running,
            cpu_percent: None,
            cpus: None,
            memory: None,
            disk: None,
            counters: None,
            rates: None,
            uptime_seconds: None,
            tags: vec![],
            template: false,
            linked_host: None,
            observed_at: None,
        }
    }

    fn card(name: &str, bridge: Option<&str>, vlan: Option<u16>) -> NicDigest {
        NicDigest { name: name.into(), bridge: bridge.map(Box::from), vlan, addresses: ["192.0.2.7".into()].into() }
    }

    fn with_cards(guest: &Guest, cards: Vec<NicDigest>) -> (GuestId, GuestDigest) {
        (guest.id.clone(), GuestDigest { nics: cards.into(), ..GuestDigest::default() })
    }

    /// A line per bridge and guest.
    fn drawn(host: &TopologyHost) -> Vec<String> {
        let guest = |guest: &TopologyGuest| {
            let nics = guest.nics.iter().map(|nic| match nic.vlan {
                Some(vlan) => format!("{}.{vlan}", nic.name),
                None => nic.name.clone(),
            });
            format!("{} {}", guest.vmid, nics.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
        };
        let bridge = |bridge: &TopologyBridge| {
            let guests = bridge.guests.iter().map(guest).collect::<Vec<_>>().join(", ");
            let on = bridge.active.map_or("?", |active| if active { "on" } else { "off" });
            format!("{} {} {on}: {guests}", bridge.name, bridge.kind.as_str())
        };
        let unplaced = host.unplaced.iter().map(guest).collect::<Vec<_>>().join(", ");
        host.bridges.iter().map(bridge).chain([format!("-: {unplaced}")]).collect()
    }

    #[test]
    fn guests_hang_on_the_bridges_that_their_cards_name() {
        let views = [host("bare"), host("pve1")];
        let (bare, pve1) = (views[0].id.clone(), views[1].id.clone());
        let guests = [
            guest(1000, &pve1, "both"),
            guest(101, &pve1, "web"),
            guest(102, &pve1, "unread"),
            guest(103, &pve1, "nat"),
            Guest { template: true, ..guest(104, &pve1, "template") },
            Guest { host_id: None, ..guest(105, &pve1, "elsewhere") },
            guest(106, &pve1, "sdn"),
        ];
        let digests: BTreeMap<_, _> = [
            with_cards(
                &guests[0],
                vec![
                    card("net0", Some("vmbr0"), Some(20)),
                    card("net1", Some("vmbr7"), None),
                    card("net2", None, None),
                ],
            ),
            with_cards(&guests[1], vec![card("net0", Some("vmbr0"), None), card("net1", Some("vmbr0"), None)]),
            with_cards(&guests[3], vec![card("net0", None, None)]),
            with_cards(&guests[4], vec![card("net0", Some("vmbr0"), None)]),
            with_cards(&guests[6], vec![card("net0", Some("dmz"), None)]),
        ]
        .into();
        let bridge =
            |name: &str, ovs| BridgeDigest { name: name.into(), ovs, active: Some(true), ..BridgeDigest::default() };
        let digest = |bridges: Vec<BridgeDigest>| HostDigest { bridges: bridges.into(), ..HostDigest::default() };
        let hosts = [
            (bare.clone(), digest(vec![bridge("docker0", false)])),
            (pve1.clone(), digest(vec![bridge("vmbr0", false), bridge("vmbr1", true), bridge("web", false)])),
        ]
        .into();
        let vnet = |name: &str, nodes: &[&str], works| VnetDigest {
            name: name.into(),
            vlan_aware: false,
            nodes: nodes.iter().map(ToString::to_string).collect(),
            works: [("pve1".to_owned(), works)].into(),
        };
        let vnets = vec![vnet("dmz", &[], false), vnet("web", &["pve1"], true), vnet("far", &["pve2"], true)];
        let known = Known {
            hosts: &hosts,
            guests: &digests,
            places: &[(pve1, (ConnectionId::from("c"), "pve1".to_owned()))].into(),
            vnets: &[(ConnectionId::from("c"), vnets)].into(),
        };
        let topology = topology(&views, &guests, &known);
        assert_eq!(drawn(&topology.hosts[0]), ["docker0 linux on: ", "-: "]);
        assert_eq!(
            drawn(&topology.hosts[1]),
            [
                "dmz vnet off: 106 net0",
                "vmbr0 linux on: 101 net0 net1, 1000 net0.20",
                "vmbr1 ovs on: ",
                "vmbr7 unknown ?: 1000 net1",
                "web vnet on: ",
                "-: 102, 103 net0",
            ]
        );
        assert_eq!(topology.hosts[1].bridges[1].guests[1].nics[0].addresses, ["192.0.2.7"]);
    }
}
