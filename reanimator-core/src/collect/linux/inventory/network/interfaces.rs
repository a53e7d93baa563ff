//! Interfaces and their addresses, by `ip`.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::Value;

use super::{Answers, Question, plain, sysfs};
use crate::model::{
    Unseen,
    facts::network::{Address, Bond, Bridge, Interface, InterfaceKind, LinkState, Vlan},
};

const NAME: &str = "network.addresses";

/// The most interfaces that are kept of one host.
const INTERFACES_LIMIT: usize = 512;

/// The most addresses that are kept of one interface.
const ADDRESSES_LIMIT: usize = 64;

/// Names of what Proxmox, libvirt, Docker, Podman, LXC and Kubernetes make for guests and containers.
const GUEST_PREFIXES: [&str; 14] = [
    "veth", "fwbr", "fwpr", "fwln", "vnet", "vb-", "ve-", "cali", "cni", "lxc", "flannel", "docker", "podman", "virbr",
];

pub(super) fn question() -> Question {
    Question::with_tool(NAME, "ip", "$T5 ip -j -d addr 2>/dev/null || $T5 ip addr")
}

pub(super) fn parse(answers: &Answers, unseen: &mut Vec<Unseen>) -> Vec<Interface> {
    let mut links = sysfs::parse(answers);
    let text = answers.said(NAME, "addresses").unwrap_or_else(|note| {
        unseen.push(note);
        ""
    });
    let mut interfaces = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(rows)) => {
            rows.iter().take(INTERFACES_LIMIT + 1).filter_map(|row| of_row(row, &mut links)).collect()
        }
        _ => {
            if text.trim_start().starts_with(['[', '{']) {
                unseen.push(Unseen::new("addresses", "the answer is no JSON"));
            }
            of_text(text, links)
        }
    };
    if interfaces.is_empty() && unseen.is_empty() {
        unseen.push(Unseen::new("interfaces", "the answer names none"));
    }
    if interfaces.len() > INTERFACES_LIMIT {
        unseen.push(Unseen::new("interfaces", format!("only the first {INTERFACES_LIMIT} are kept")));
        interfaces.truncate(INTERFACES_LIMIT);
    }
    join_members(&mut interfaces);
    interfaces
}

/// One row of `ip -j -d addr`, with what `/sys` adds.
fn of_row(row: &Value, links: &mut BTreeMap<String, Interface>) -> Option<Interface> {
    let name = plain::text(row, "ifname")?;
    let known = links.remove(&name).unwrap_or_default();
    let (info, data) = (&row["linkinfo"], &row["linkinfo"]["info_data"]);
    let kind = kind_of(plain::text(info, "info_kind").as_deref(), row, &known);
    Some(Interface {
        of_guest: is_of_guest(&name, kind),
        kind,
        state: state_of(row, known.state),
        mac: plain::text(row, "address").filter(|mac| is_mac(mac)).or(known.mac),
        mtu: plain::count(row, "mtu").or(known.mtu),
        addresses: plain::list(row, "addr_info").iter().take(ADDRESSES_LIMIT).filter_map(address).collect(),
        master: plain::text(row, "master").or(known.master),
        bridge: (kind == InterfaceKind::Bridge).then(|| {
            let known = known.bridge.unwrap_or_default();
            Bridge {
                ports: Vec::new(),
                vlan_aware: plain::flag(data, "vlan_filtering").or(known.vlan_aware),
                stp: plain::count(data, "stp_state").map(|state| state > 0).or(known.stp),
            }
        }),
        vlan: (kind == InterfaceKind::Vlan).then(|| Vlan {
            id: plain::count(data, "id").and_then(|id| u16::try_from(id).ok()).filter(|id| *id < 4096),
            parent: plain::text(row, "link").or(known.vlan.and_then(|vlan| vlan.parent)),
        }),
        bond: (kind == InterfaceKind::Bond).then(|| {
            let known = known.bond.unwrap_or_default();
            Bond {
                mode: plain::text(data, "mode").or(known.mode),
                active: plain::text(data, "active_slave").or(known.active),
                members: Vec::new(),
            }
        }),
        speed_mbps: known.speed_mbps.filter(|_| kind.has_speed()),
        duplex: known.duplex.filter(|_| kind.has_speed()),
        driver: known.driver,
        name,
    })
}

/// The kind by the kernel's own word for it (`rtnl_link_ops.kind`); hardware has none.
fn kind_of(word: Option<&str>, row: &Value, known: &Interface) -> InterfaceKind {
    match word {
        Some("bridge") => InterfaceKind::Bridge,
        Some("bond") => InterfaceKind::Bond,
        Some("vlan") => InterfaceKind::Vlan,
        Some("veth") => InterfaceKind::Veth,
        Some("tun") => InterfaceKind::Tun,
        Some("wireguard") => InterfaceKind::Wireguard,
        Some("dummy") => InterfaceKind::Dummy,
        Some(_) => InterfaceKind::Virtual,
        None if row["link_type"].as_str() == Some("loopback") => InterfaceKind::Loopback,
        None if row.get("parentdev").is_some() => InterfaceKind::Physical,
        None => known.kind,
    }
}

/// Whether packets pass. `UNKNOWN` is what drivers say that do not watch their link: the loopback, tunnels.
fn state_of(row: &Value, known: LinkState) -> LinkState {
    let flags: Vec<&str> = plain::list(row, "flags").iter().filter_map(Value::as_str).collect();
    match row["operstate"].as_str() {
        Some("UP") => LinkState::Up,
        _ if flags.is_empty() => known,
        _ if !flags.contains(&"UP") => LinkState::Down,
        Some("UNKNOWN") | None if flags.contains(&"LOWER_UP") => LinkState::Up,
        _ => LinkState::NoLink,
    }
}

fn is_mac(text: &str) -> bool {
    text.contains(':') && text.chars().all(|c| c == ':' || c.is_ascii_hexdigit()) && text != "00:00:00:00:00:00"
}

fn is_of_guest(name: &str, kind: InterfaceKind) -> bool {
    // Docker's networks, not the `br-lan` of a router; the taps of VMs, not the `tap0` of a VPN.
    let docker = name.strip_prefix("br-").is_some_and(|id| id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit()));
    let tap = name.strip_prefix("tap").is_some_and(|id| id.contains(|c: char| !c.is_ascii_digit()));
    kind == InterfaceKind::Veth || docker || tap || GUEST_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn address(row: &Value) -> Option<Address> {
    let address: IpAddr = row["local"].as_str()?.parse().ok()?;
    let prefix = plain::count(row, "prefixlen").and_then(|bits| u8::try_from(bits).ok())?;
    let says = |flag: &str| row[flag].as_bool() == Some(true);
    checked(Address {
        address,
        prefix,
        scope: plain::text(row, "scope"),
        dynamic: says("dynamic"),
        temporary: says("temporary"),
    })
}

fn checked(address: Address) -> Option<Address> {
    let most = if address.address.is_ipv4() { 32 } else { 128 };
    (address.prefix <= most).then_some(address)
}

/// The text of `ip addr`: a line for each interface, and lines below it for its addresses. What `/sys` knows and `ip`
/// does not name is kept all the same.
fn of_text(text: &str, mut links: BTreeMap<String, Interface>) -> Vec<Interface> {
    let mut current = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [number, name, ..] if !line.starts_with(' ') && number.ends_with(':') => {
                let name = name.trim_end_matches(':');
                let (name, parent) = name.split_once('@').map_or((name, None), |(name, parent)| (name, Some(parent)));
                let Some(name) = plain::clip(name).filter(|_| links.len() <= INTERFACES_LIMIT) else { continue };
                let interface = links.entry(name.clone()).or_default();
                if let Some(vlan) = &mut interface.vlan {
                    vlan.parent = vlan.parent.take().or(parent.and_then(plain::clip));
                }
                current = Some(name);
            }
            ["inet" | "inet6", address, ..] => {
                let Some(interface) = current.as_ref().and_then(|name| links.get_mut(name)) else { continue };
                if interface.addresses.len() < ADDRESSES_LIMIT {
                    interface.addresses.extend(address_of_text(address, &words));
                }
            }
            _ => {}
        }
    }
    let named = links.into_iter().map(|(name, interface)| {
        let of_guest = is_of_guest(&name, interface.kind);
        let (speed_mbps, duplex) = match interface.kind.has_speed() {
            true => (interface.speed_mbps, interface.duplex),
            false => (None, None),
        };
        Interface { name, of_guest, speed_mbps, duplex, ..interface }
    });
    named.collect()
}

fn address_of_text(text: &str, words: &[&str]) -> Option<Address> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let scope = words.windows(2).find(|pair| pair[0] == "scope").and_then(|pair| plain::clip(pair[1]));
    checked(Address {
        address,
        prefix: if prefix.is_empty() { whole } else { prefix.parse().ok()? },
        scope,
        dynamic: words.contains(&"dynamic"),
        temporary: words.contains(&"temporary"),
    })
}

/// Tells bridges and bonds who is in them.
fn join_members(interfaces: &mut [Interface]) {
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for interface in interfaces.iter() {
        if let Some(master) = &interface.master {
            members.entry(master.clone()).or_default().push(interface.name.clone());
        }
    }
    for interface in interfaces {
        let Some(names) = members.remove(&interface.name) else { continue };
        if let Some(bridge) = &mut interface.bridge {
            bridge.ports = names;
        } else if let Some(bond) = &mut interface.bond {
            bond.members = names;
        }
    }
}
