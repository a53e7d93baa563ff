//! What `ss -H -lntup` says.

use std::net::{IpAddr, Ipv6Addr};

use super::{super::words, Socket, listener};
use crate::model::facts::listeners::Protocol;

/// Reads its lines: `udp UNCONN 0 0 0.0.0.0%virbr0:67 0.0.0.0:* users:(("dnsmasq",pid=616,fd=6))`.
pub(super) fn read(text: &str) -> Vec<Socket> {
    text.lines().filter_map(socket).collect()
}

fn socket(line: &str) -> Option<Socket> {
    let mut words = line.split_whitespace();
    let protocol = match (words.next()?, words.next()?) {
        ("tcp", "LISTEN") => Protocol::Tcp,
        ("udp", "UNCONN") => Protocol::Udp,
        _ => return None,
    };
    let (place, port) = words.nth(2)?.rsplit_once(':')?;
    let (address, interface) = match place.split_once('%') {
        Some((address, interface)) => (address, words::clip(interface)),
        None => (place, None),
    };
    let address = match address {
        "*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        address => address.trim_matches(['[', ']']).parse().ok()?,
    };
    let holders = holders(line);
    let mut listener = listener(protocol, address, port.parse().ok()?, interface);
    listener.process = holders.first().and_then(|(name, _)| words::clip(name));
    Some(Socket { listener, pids: holders.into_iter().map(|(_, pid)| pid).collect() })
}

/// The programs in `users:(("sshd",pid=7,fd=3),("systemd",pid=1,fd=80))`: the first is the one that answers. The system's
/// first process holds many sockets for others, and comes last.
fn holders(line: &str) -> Vec<(&str, u32)> {
    let Some((_, users)) = line.split_once("users:(") else { return Vec::new() };
    let holder = |part: &str| -> Option<(usize, u32)> {
        let (name, rest) = part.split_once("\",pid=")?;
        let pid = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some((name.len(), pid))
    };
    let parts = users.split("(\"").skip(1);
    let mut all: Vec<(&str, u32)> =
        parts.filter_map(|part| holder(part).map(|(len, pid)| (&part[..len], pid))).collect();
    all.sort_by_key(|(_, pid)| *pid == 1);
    all
}
