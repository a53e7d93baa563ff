//! What is seen from within a guest: its agent's answers (`/nodes/{node}/qemu/{vmid}/agent/...`) and a container's
//! interfaces (`/nodes/{node}/lxc/{vmid}/interfaces`).

use std::net::IpAddr;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    options::{LIST_LIMIT, cut, is_mac},
};
use crate::{
    Result,
    model::{
        Bytes,
        facts::guest::{AgentFileSystem, AgentSystem, GuestAddresses, GuestNetwork},
    },
    transport::http::Request,
};

/// What to ask a guest's agent: `info`, `get-osinfo`, `get-host-name`, `get-fsinfo`, `network-get-interfaces`. Needs
/// `VM.GuestAgent.Audit` (`VM.Monitor` before Proxmox VE 9) on `/vms/{vmid}`.
pub fn agent_request(node: &str, vmid: &str, command: &str) -> Request {
    Request::get(["nodes", node, "qemu", vmid, "agent", command])
}

/// What to ask for a container's interfaces. Needs `VM.Audit` on `/vms/{vmid}`.
pub fn interfaces_request(node: &str, vmid: &str) -> Request {
    Request::get(["nodes", node, "lxc", vmid, "interfaces"])
}

/// What the agent answered, out of the wrapper that the API puts around it.
fn result(data: &Value) -> &Value {
    data.get("result").unwrap_or(data)
}

/// The agent's version.
///
/// # Errors
/// When the answer is no object.
pub fn agent_version(data: &Value) -> Result<Option<String>> {
    Ok(lenient::object(result(data), "the guest agent's version")?.text("version").as_deref().and_then(cut))
}

/// What the guest calls itself.
///
/// # Errors
/// When the answer is no object.
pub fn agent_hostname(data: &Value) -> Result<Option<String>> {
    Ok(lenient::object(result(data), "the guest's name")?.text("host-name").as_deref().and_then(cut))
}

/// The guest's operating system.
///
/// # Errors
/// When the answer is no object.
pub fn agent_system(data: &Value) -> Result<AgentSystem> {
    let fields = lenient::object(result(data), "the guest's operating system")?;
    let text = |name: &str| fields.text(name).as_deref().and_then(cut);
    Ok(AgentSystem {
        id: text("id"),
        pretty_name: text("pretty-name").or_else(|| text("name")),
        version: text("version-id").or_else(|| text("version")),
        kernel: text("kernel-release"),
        machine: text("machine"),
    })
}

/// The guest's file systems.
///
/// # Errors
/// When the answer is no list.
pub fn agent_file_systems(data: &Value) -> Result<Vec<AgentFileSystem>> {
    let file_system = |row: Fields<'_>| {
        Some(AgentFileSystem {
            mount_point: row.text("mountpoint").as_deref().and_then(cut)?,
            name: row.text("name").as_deref().and_then(cut),
            fs_type: row.text("type").as_deref().and_then(cut),
            total_bytes: row.count("total-bytes").map(Bytes),
            used_bytes: row.count("used-bytes").map(Bytes),
        })
    };
    let rows = lenient::rows(result(data), "the guest's file systems")?;
    Ok(rows.into_iter().filter_map(file_system).take(LIST_LIMIT).collect())
}

/// One interface as it is seen from within.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// What it is called there.
    pub name: Option<String>,
    /// Its hardware address, lower case.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// Reads interfaces, as an agent or a container tells them; `null` is none (a stopped container's).
///
/// # Errors
/// When the answer is no list.
pub fn interfaces(data: &Value) -> Result<Vec<Inside>> {
    let interface = |row: Fields<'_>| Inside {
        name: row.text("name").as_deref().and_then(cut),
        mac: row
            .text("hardware-address")
            .or_else(|| row.text("hwaddr"))
            .filter(|mac| is_mac(mac))
            .map(|mac| mac.to_ascii_lowercase()),
        addresses: addresses(row),
    };
    Ok(lenient::rows(result(data), "the guest's interfaces")?.into_iter().take(LIST_LIMIT).map(interface).collect())
}

fn addresses(row: Fields<'_>) -> Vec<IpAddr> {
    let listed = row.list("ip-addresses").iter().filter_map(Fields::of).filter_map(|each| each.text("ip-address"));
    // Before Proxmox VE 9, a container tells one of each kind, with its prefix.
    let single = ["inet", "inet6"].into_iter().filter_map(|name| row.text(name));
    let mut all: Vec<IpAddr> =
        listed.chain(single).take(LIST_LIMIT).filter_map(|text| text.split(['/', '%']).next()?.parse().ok()).collect();
    all.sort();
    all.dedup();
    all
}

/// Whether others may reach a guest at an address: not its loopback, nor one of one link only.
fn is_of_use(address: &IpAddr) -> bool {
    let link_only = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !address.is_multicast() && !link_only
}

/// All addresses of use, as `source` tells them.
pub fn all_addresses(inside: &[Inside], source: &str) -> GuestAddresses {
    let addresses = inside.iter().flat_map(|each| each.addresses.iter().copied()).filter(is_of_use).collect();
    split(addresses, source)
}

/// The addresses that the configuration gives it, where nobody tells those it has.
pub fn configured_addresses(networks: &[GuestNetwork]) -> GuestAddresses {
    let given = networks.iter().flat_map(|card| [&card.ip, &card.ip6]).flatten();
    let addresses: Vec<IpAddr> =
        given.filter_map(|text| text.split('/').next()?.parse().ok()).filter(is_of_use).collect();
    match addresses.is_empty() {
        true => GuestAddresses::default(),
        false => split(addresses, "configuration"),
    }
}

fn split(mut addresses: Vec<IpAddr>, source: &str) -> GuestAddresses {
    addresses.sort();
    addresses.dedup();
    let of = |wanted: fn(&IpAddr) -> bool| {
        addresses.iter().filter(|address| wanted(address)).map(ToString::to_string).collect::<Vec<_>>()
    };
    GuestAddresses {
        ipv4: of(IpAddr::is_ipv4),
        ipv6: of(IpAddr::is_ipv6),
        all: of(|_| true),
        source: Some(source.to_owned()),
    }
}

/// Puts addresses seen from within at the cards they are on, by hardware address, else by name.
pub fn put_addresses(networks: &mut [GuestNetwork], inside: &[Inside]) {
    for card in networks {
        let is_it = |each: &&Inside| match (&each.mac, &card.mac) {
            (Some(seen), Some(given)) => seen == given,
            _ => each.name.is_some() && each.name == card.name,
        };
        let addresses = inside.iter().filter(is_it).flat_map(|each| each.addresses.clone()).filter(is_of_use).collect();
        let GuestAddresses { ipv4, ipv6, .. } = split(addresses, "");
        (card.ipv4, card.ipv6) = (ipv4, ipv6);
    }
}
