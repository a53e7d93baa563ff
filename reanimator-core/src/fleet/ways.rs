//! A host that is acted upon as a whole: every way to it, and what is known of it while it sleeps.

use std::{net::IpAddr, sync::Arc};

use super::{Fleet, world::Known};
use crate::{
    Error, ErrorKind, Result,
    host::{linux::LinuxMachine, pve::PveApi},
    model::{
        ConnectionId, HostId, HostState, Link,
        facts::network::{InterfaceKind, Network},
    },
};

/// How many hardware addresses of one host are of use.
const MOST_MACS: usize = 8;

/// A host, and every way to it.
#[derive(Clone, Debug)]
pub(crate) struct HostWays {
    /// Its id.
    pub(crate) id: HostId,
    /// Its name.
    pub(crate) name: String,
    /// Whether its record says that it is in maintenance.
    pub(crate) maintenance: bool,
    /// Whether it is the machine that this runs on.
    pub(crate) is_this_machine: bool,
    /// Whether it was silent when it was last looked at.
    pub(crate) is_silent: bool,
    /// The machine behind its shell.
    pub(crate) machine: Option<Arc<LinuxMachine>>,
    /// Where it is a node of a cluster.
    pub(crate) node: Option<NodeWay>,
}

/// A node, and the API of its cluster.
#[derive(Clone, Debug)]
pub(crate) struct NodeWay {
    /// The connection of its cluster.
    pub(crate) connection: ConnectionId,
    /// Its name there.
    pub(crate) name: String,
    /// The API.
    pub(crate) api: Arc<dyn PveApi>,
}

/// What is known of a host that sleeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sleeper {
    /// Hardware addresses of its network cards, the likeliest first.
    pub(crate) macs: Vec<String>,
    /// The addresses that lead to it.
    pub(crate) addresses: Vec<IpAddr>,
    /// Its name in DNS, where it is reached by one.
    pub(crate) dns_name: Option<String>,
}

impl Fleet {
    /// Every way to a host.
    pub(crate) async fn host_ways(&self, id: &HostId) -> Result<HostWays> {
        self.all_ways().await?.into_iter().find(|ways| ways.id == *id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("act on host {id}"))
                .because("there is none of that id")
                .next("see `reanimator host list`")
        })
    }

    /// Every way to every host, by their names.
    pub(crate) async fn all_ways(&self) -> Result<Vec<HostWays>> {
        self.sync().await?;
        let views = self.status().await?.hosts;
        Ok(self.read(|world| {
            let api = |connection: &ConnectionId| Some(world.clusters.get(connection)?.cluster.api().clone());
            let ways = |known: &Known, state| ways(known, state, &api);
            views.iter().filter_map(|view| Some(ways(world.hosts.get(&view.id)?, view.state))).collect()
        }))
    }

    /// What is known of a host while it does not answer.
    pub(crate) async fn sleeper(&self, id: &HostId) -> Result<Sleeper> {
        let known = self.host(id.as_str()).await?;
        let network = self.facts(id.as_str()).await?.network.map(|dated| dated.facts).unwrap_or_default();
        let told: Option<IpAddr> = known.host.address.as_deref().and_then(|address| address.parse().ok());
        let mut macs = known.identity.unwrap_or_default().macs;
        macs.sort_by_key(|mac| !carries(&network, mac));
        macs.extend(physical_macs(&network));
        let mut seen = std::collections::BTreeSet::new();
        macs.retain(|mac| seen.insert(mac.to_lowercase()));
        macs.truncate(MOST_MACS);
        let mut addresses: Vec<IpAddr> = told.into_iter().chain(main_addresses(&network)).collect();
        addresses.dedup();
        Ok(Sleeper { macs, addresses, dns_name: known.host.address.filter(|_| told.is_none()) })
    }
}

fn ways(known: &Known, state: HostState, api: &dyn Fn(&ConnectionId) -> Option<Arc<dyn PveApi>>) -> HostWays {
    let node = known.host.links.iter().find_map(|link| match link {
        Link::ProxmoxNode { connection, node } => {
            Some(NodeWay { connection: connection.clone(), name: node.clone(), api: api(connection)? })
        }
        Link::Local { .. } | Link::Ssh { .. } | Link::Guest { .. } => None,
    });
    HostWays {
        id: known.host.id.clone(),
        name: known.host.name.clone(),
        maintenance: known.host.maintenance,
        is_this_machine: known.host.links.iter().any(|link| matches!(link, Link::Local { .. })),
        is_silent: state == HostState::Offline,
        machine: known.machine.as_ref().map(|(_, machine)| machine.clone()),
        node,
    }
}

/// Whether a hardware address is that of the interface behind the default route.
fn carries(network: &Network, mac: &str) -> bool {
    let way_out = network.default_routes().first().and_then(|route| route.interface.clone());
    let of_way_out = network.interfaces.iter().find(|each| Some(&each.name) == way_out.as_ref());
    of_way_out.and_then(|interface| interface.mac.as_deref()).is_some_and(|other| other.eq_ignore_ascii_case(mac))
}

fn physical_macs(network: &Network) -> impl Iterator<Item = String> {
    let physical = network.own_interfaces().filter(|interface| interface.kind == InterfaceKind::Physical);
    physical.filter_map(|interface| interface.mac.clone())
}

/// The addresses of the interfaces that lead out: bridges of containers have some that every machine has.
fn main_addresses(network: &Network) -> impl Iterator<Item = IpAddr> {
    let routes = network.default_routes();
    let leads_out = move |name: &str| routes.iter().any(|route| route.interface.as_deref() == Some(name));
    let interfaces = network.own_interfaces().filter(move |interface| leads_out(&interface.name));
    interfaces.flat_map(|interface| &interface.addresses).filter(|each| each.is_lasting()).map(|each| each.address)
}
