//! The fleet as far as rules need it, out of memory: what people said of hosts and guests, who answers others and is reached
//! through whom, where Reanimator itself runs. What clusters say right now is put over it by
//! [`action::guard`](crate::action::guard).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use super::{
    Fleet, Restraints,
    view::answers,
    world::{Known, KnownCluster, World},
};
use crate::{
    Result,
    host::pve::PveApi,
    model::{
        Connection, ConnectionId, Guest, GuestId, HostId, Link, Reach, Scene, Thing,
        scene::{Answers, Limits, SceneCluster, SceneGuest, SceneHost, SceneNode, SceneWindow, ServedBy, Server},
    },
};

/// Tags that say of a host or guest that it answers others.
const SERVER_TAGS: [(&str, Answers); 2] = [("dns", Answers::Dns), ("dhcp", Answers::Dhcp)];

/// The machine that this process runs on, as far as it tells by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OwnMachine {
    machine_id: Option<String>,
    macs: BTreeSet<String>,
    /// The systemd unit of this process.
    unit: Option<String>,
    /// Its default gateways.
    gateways: BTreeSet<IpAddr>,
}

impl Fleet {
    /// Everything that rules need and the fleet knows by itself, as it was last seen.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read, `Invalid` for a maintenance window that cannot be understood.
    pub(crate) async fn surroundings(&self) -> Result<Scene> {
        let restraints = self.restraints().await?;
        if !self.is_live() {
            self.remember_facts().await?;
        }
        let caps = self.caps().await?;
        let connections: BTreeMap<ConnectionId, Connection> =
            self.store().connections().await?.into_iter().map(|each| (each.id.clone(), each)).collect();
        let identities = self.store().identities().await?;
        let own = OwnMachine::look();
        let now = self.now();
        let mut scene = self.read(|world| Surroundings { world, connections: &connections, own: &own, now }.scene());
        for (id, host) in &mut scene.hosts {
            let identity = identities.get(id);
            host.own |= identity.is_some_and(|identity| own.is(identity.machine_id.as_deref(), &identity.macs));
            if host.own {
                host.own_unit.clone_from(&own.unit);
            }
        }
        scene.limits =
            Limits { per_host: caps.per_host as usize, per_cluster: caps.per_cluster as usize, ..scene.limits };
        self.restrain(&mut scene, &restraints)?;
        Ok(scene)
    }

    /// Notes what people wish of hosts and guests.
    fn restrain(&self, scene: &mut Scene, restraints: &Restraints) -> Result<()> {
        let now = self.now();
        let of = |thing: Thing<'_>| -> Result<_> {
            use crate::model::WindowState;
            let state = restraints.window_state(thing, now)?;
            let window =
                (state != WindowState::None).then(|| SceneWindow { open: state.lets(), words: state.to_string() });
            Ok((window, restraints.protection(thing).map(|protection| protection.to_string())))
        };
        for (id, host) in &mut scene.hosts {
            (host.window, host.protected) = of(Thing::Host(id))?;
        }
        for (id, guest) in &mut scene.guests {
            (guest.window, guest.protected) = of(Thing::Guest(id))?;
        }
        Ok(())
    }

    /// The API of a cluster.
    pub(crate) fn api_of(&self, connection: &ConnectionId) -> Option<Arc<dyn PveApi>> {
        self.read(|world| world.clusters.get(connection).map(|known| known.cluster.api().clone()))
    }
}

/// What a scene is made of.
struct Surroundings<'a> {
    world: &'a World,
    connections: &'a BTreeMap<ConnectionId, Connection>,
    own: &'a OwnMachine,
    now: jiff::Timestamp,
}

impl Surroundings<'_> {
    fn scene(&self) -> Scene {
        let hosts: BTreeMap<HostId, SceneHost> =
            self.world.hosts.values().map(|known| (known.host.id.clone(), self.host(known))).collect();
        let clusters = self.world.clusters.iter().map(|(id, known)| (id.clone(), self.cluster(id, known))).collect();
        let guests = self.world.guests().into_iter().filter_map(|guest| Some((guest.id.clone(), self.guest(guest)?)));
        Scene { clusters, guests: guests.collect(), hosts, ..Scene::default() }
    }

    fn host(&self, known: &Known) -> SceneHost {
        let links = &known.host.links;
        let local = links.iter().any(|link| matches!(link, Link::Local { .. }));
        let node = links.iter().find_map(|link| match link {
            Link::ProxmoxNode { connection, node } => Some(SceneNode::new(connection.clone(), node)),
            Link::Local { .. } | Link::Ssh { .. } | Link::Guest { .. } => None,
        });
        let guest = links.iter().find_map(|link| match link {
            Link::Guest { connection, vmid } => Some(GuestId::new(connection, *vmid)),
            Link::Local { .. } | Link::Ssh { .. } | Link::ProxmoxNode { .. } => None,
        });
        let by_ssh = links.iter().any(|link| matches!(link, Link::Ssh { .. }));
        SceneHost {
            name: known.host.name.clone(),
            guest,
            online: answers(self.world.shown(known, self.now).state),
            maintenance: known.host.maintenance,
            tags: known.host.tags.clone(),
            servers: with_tags(&known.digest.servers, &known.host.tags),
            own: local,
            own_unit: None,
            router: self.addresses(known).iter().any(|address| self.own.is_gateway(address)),
            through: self.through(known),
            ssh_only: by_ssh && !local && node.is_none(),
            node,
            protected: None,
            window: None,
        }
    }

    /// The addresses of a host, as far as they are known.
    fn addresses(&self, known: &Known) -> Vec<String> {
        let seen = known.digest.interfaces.iter().flat_map(|interface| interface.addresses.iter().cloned());
        let reached = known.machine.as_ref().and_then(|(connection, _)| match &connection.reach {
            Reach::Ssh(reach) => Some(reach.address.clone()),
            Reach::Local | Reach::Proxmox(_) => None,
        });
        let node = self.world.node_of(&known.host).and_then(|node| node.ip.clone());
        seen.chain(reached).chain(node).collect()
    }

    /// The hosts that one is reached through by SSH.
    fn through(&self, known: &Known) -> BTreeSet<HostId> {
        let connections = known.host.links.iter().filter_map(|link| self.connections.get(link.connection()));
        let jumps = connections.flat_map(|connection| match &connection.reach {
            Reach::Ssh(reach) => reach.jumps.as_slice(),
            Reach::Local | Reach::Proxmox(_) => &[],
        });
        jumps.filter_map(|jump| self.host_at(&jump.address)).filter(|id| *id != known.host.id).collect()
    }

    /// The host that is called so, or has this address.
    fn host_at(&self, name_or_address: &str) -> Option<HostId> {
        let is_it = |known: &&Known| {
            known.host.name == name_or_address
                || self.addresses(known).iter().any(|address| bare(address) == name_or_address)
        };
        self.world.hosts.values().find(is_it).map(|known| known.host.id.clone())
    }

    fn cluster(&self, id: &ConnectionId, known: &KnownCluster) -> SceneCluster {
        let snapshot = known.snapshot.as_ref();
        let nodes = self.world.nodes_of(id);
        let mut cluster = SceneCluster {
            name: snapshot
                .and_then(|snapshot| snapshot.cluster.clone())
                .unwrap_or_else(|| known.connection.name.clone()),
            quorate: snapshot.and_then(|snapshot| snapshot.quorate),
            ..SceneCluster::default()
        };
        match &known.connection.reach {
            Reach::Proxmox(reach) => {
                for endpoint in &reach.endpoints {
                    let node = endpoint.node.as_ref().and_then(|node| nodes.get(node).cloned());
                    match node.or_else(|| self.host_at(address_of(&endpoint.url))) {
                        Some(host) => drop(cluster.endpoints.insert(host)),
                        None => cluster.other_endpoint = true,
                    }
                }
            }
            // Through the shell of one node.
            Reach::Local | Reach::Ssh(_) => {
                cluster.endpoints.extend(known.only_node.iter().filter_map(|node| nodes.get(node).cloned()))
            }
        }
        cluster
    }

    fn guest(&self, guest: Guest) -> Option<SceneGuest> {
        let known = self.world.clusters.get(&guest.connection)?;
        let host = guest.host_id.clone().unwrap_or_else(|| node_id(&guest.connection, &guest.node));
        let macs = known.identities.get(&guest.id).map(|identity| identity.macs.as_slice()).unwrap_or_default();
        let addresses = known.guests.get(&guest.id).and_then(|known| known.digest.as_ref());
        let mut addresses = addresses.into_iter().flat_map(|digest| &digest.addresses);
        let tags: BTreeSet<String> = guest.tags.into_iter().collect();
        Some(SceneGuest {
            name: guest.name.unwrap_or(guest.vmid),
            kind: guest.kind,
            host,
            status: guest.status,
            memory: guest.memory.as_ref().map(|memory| memory.total_bytes).unwrap_or_default(),
            memory_used: guest.memory.as_ref().map(|memory| memory.used_bytes),
            servers: tagged(&tags),
            tags,
            template: guest.template,
            own: self.own.is(None, macs),
            router: addresses.any(|address| self.own.is_gateway(address)),
            ..SceneGuest::default()
        })
    }
}

/// What a node is called that is no host of the fleet yet.
pub(crate) fn node_id(cluster: &ConnectionId, node: &str) -> HostId {
    HostId(format!("{cluster}/{node}"))
}

/// The servers that tags tell of.
pub(crate) fn tagged(tags: &BTreeSet<String>) -> Vec<Server> {
    let told = SERVER_TAGS.iter().filter(|(tag, _)| tags.iter().any(|known| known.eq_ignore_ascii_case(tag)));
    told.map(|(_, answers)| Server { answers: *answers, by: ServedBy::Host, up: true }).collect()
}

/// The servers that were seen. A tag tells of one that was not: as long as one is seen to answer the same, it is that one.
fn with_tags(seen: &[Server], tags: &BTreeSet<String>) -> Vec<Server> {
    let mut unseen = tagged(tags);
    unseen.retain(|told| !seen.iter().any(|server| server.up && server.answers == told.answers));
    seen.iter().cloned().chain(unseen).collect()
}

/// An address without the length of its prefix.
fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

/// `192.0.2.7` in `https://192.0.2.7:8006`, and `2001:db8::7` in `https://[2001:db8::7]:8006`.
fn address_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or(rest);
    match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => rest.split(':').next().unwrap_or(rest),
    }
}

impl OwnMachine {
    /// What this machine says of itself; what it does not say is not known.
    fn look() -> Self {
        let text = |path: &str| fs::read_to_string(path).ok();
        let interfaces = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
        let macs = interfaces.filter_map(|interface| fs::read_to_string(interface.path().join("address")).ok());
        Self {
            machine_id: text("/etc/machine-id").map(|id| id.trim().to_owned()).filter(|id| id.len() == 32),
            macs: macs.map(|mac| mac.trim().to_ascii_lowercase()).filter(|mac| is_telling(mac)).collect(),
            unit: text("/proc/self/cgroup").as_deref().and_then(unit_of),
            gateways: text("/proc/net/route").as_deref().map(gateways).unwrap_or_default(),
        }
    }

    /// Whether a machine with that id, or a card with such an address, is this one.
    fn is(&self, machine_id: Option<&str>, macs: &[String]) -> bool {
        let same_id = self.machine_id.as_deref().zip(machine_id).is_some_and(|(own, other)| own == other);
        same_id || macs.iter().any(|mac| self.macs.contains(&mac.to_ascii_lowercase()))
    }

    fn is_gateway(&self, address: &str) -> bool {
        bare(address).parse().is_ok_and(|address: IpAddr| self.gateways.contains(&address))
    }
}

/// Whether a hardware address tells machines apart: containers and bridges of many machines have the same made-up ones.
fn is_telling(mac: &str) -> bool {
    mac.len() == 17 && mac != "00:00:00:00:00:00" && !mac.starts_with("02:42:")
}

/// The service that a process belongs to, by its control group; a log-in session is none.
fn unit_of(cgroup: &str) -> Option<String> {
    let path = cgroup.lines().find_map(|line| line.splitn(3, ':').nth(2))?;
    let unit = path.trim().rsplit('/').find(|part| part.ends_with(".service"))?;
    (!unit.starts_with("user@")).then(|| unit.to_owned())
}

/// The default gateways in `/proc/net/route`: addresses in the machine's own byte order, in hex.
fn gateways(table: &str) -> BTreeSet<IpAddr> {
    let gateway = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (to, through) = (fields.next()?, fields.next()?);
        let through = u32::from_str_radix(through, 16).ok().filter(|through| to == "00000000" && *through != 0)?;
        Some(IpAddr::V4(Ipv4Addr::from(through.to_ne_bytes())))
    };
    table.lines().skip(1).filter_map(gateway).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{
        FleetOptions,
        model::facts::{
            Dated, HostFacts,
            listeners::{Listener, Listeners, Protocol},
        },
    };

    #[tokio::test]
    async fn who_was_seen_to_wait_at_a_port_is_a_server_in_this_process_and_in_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        let host = fleet.surroundings().await.unwrap().hosts.into_keys().next().unwrap();
        let unit = Some("unbound.service".to_owned());
        let sockets = vec![Listener { port: 53, protocol: Protocol::Udp, unit, ..Listener::default() }];
        let listeners = Some(Dated { at: fleet.now(), facts: Listeners { sockets }, ..Dated::default() });
        fleet.take_in_facts(&host, &HostFacts { listeners, ..HostFacts::default() }).await.unwrap();
        let by = ServedBy::Unit("unbound.service".into());
        let expected = [Server { answers: Answers::Dns, by, up: true }];
        assert_eq!(fleet.surroundings().await.unwrap().hosts[&host].servers, expected);
        drop(fleet);
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        assert_eq!(fleet.surroundings().await.unwrap().hosts[&host].servers, expected);
        fleet
            .take_in_facts(&host, &HostFacts { listeners: Some(Dated::default()), ..HostFacts::default() })
            .await
            .unwrap();
        assert_eq!(fleet.surroundings().await.unwrap().hosts[&host].servers, []);
    }

    #[test]
    fn the_own_unit_gateway_and_machine_are_read() {
        assert_eq!(unit_of("0::/system.slice/reanimator.service\n").as_deref(), Some("reanimator.service"));
        assert_eq!(unit_of("0::/user.slice/user-1000.slice/session-3.scope\n"), None);
        assert_eq!(unit_of("0::/user.slice/user@1000.service/app.slice/x.scope\n"), None);
        let table =
            "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t010200C0\t0003\neth0\t000200C0\t00000000\t0001\n";
        let gateway: IpAddr = Ipv4Addr::from(0x0102_00C0_u32.to_ne_bytes()).into();
        assert_eq!(gateways(table), [gateway].into());
        let own = OwnMachine { macs: ["bc:24:11:00:00:01".into()].into(), ..OwnMachine::default() };
        assert!(own.is(None, &["BC:24:11:00:00:01".into()]) && !own.is(Some("x"), &[]));
    }

    #[test]
    fn an_endpoint_tells_its_address() {
        let urls = ["https://192.0.2.7:8006", "https://[2001:db8::7]:8006/", "pve1.example:8006"];
        assert_eq!(urls.map(address_of), ["192.0.2.7", "2001:db8::7", "pve1.example"]);
    }

    #[test]
    fn tags_tell_of_servers() {
        let tags: BTreeSet<String> = ["DNS".to_owned(), "web".to_owned()].into();
        let told = Server { answers: Answers::Dns, by: ServedBy::Host, up: true };
        assert_eq!(tagged(&tags), std::slice::from_ref(&told));
        let seen = |answers, up| Server { answers, by: ServedBy::Unit("dnsmasq.service".into()), up };
        assert_eq!(with_tags(&[], &tags), std::slice::from_ref(&told));
        assert_eq!(with_tags(&[seen(Answers::Dns, true)], &tags), [seen(Answers::Dns, true)]);
        for other in [seen(Answers::Dhcp, true), seen(Answers::Dns, false)] {
            assert_eq!(with_tags(std::slice::from_ref(&other), &tags), [other, told.clone()]);
        }
    }
}
