//! The kernel's own tables of sockets, for hosts without `ss`.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{LINES_LIMIT, Socket, listener};
use crate::model::facts::listeners::Protocol;

/// TCP that listens.
const LISTENS: &str = "0A";

/// UDP that is connected to nobody.
const UNCONNECTED: &str = "07";

/// Reads `/proc/net/tcp` and the like, each below its `@name`, and which programs hold sockets; tells too whether a table
/// was cut.
pub(super) fn read(text: &str) -> (Vec<Socket>, bool) {
    let (tables, files) = text.split_once("@files").unwrap_or((text, ""));
    let holders = holders(files);
    let (mut sockets, mut cut) = (Vec::new(), false);
    for table in tables.split('@') {
        let (name, lines) = table.split_once('\n').unwrap_or((table, ""));
        let (protocol, state) = match name {
            "tcp" | "tcp6" => (Protocol::Tcp, LISTENS),
            "udp" | "udp6" => (Protocol::Udp, UNCONNECTED),
            _ => continue,
        };
        cut |= lines.lines().count() >= LINES_LIMIT;
        sockets.extend(lines.lines().filter_map(|line| socket(line, protocol, state, &holders)));
    }
    (sockets, cut)
}

/// `0: 0300007F:9999 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1000142 1 ...`.
fn socket(line: &str, protocol: Protocol, state: &str, holders: &BTreeMap<&str, Vec<u32>>) -> Option<Socket> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (place, is, number) = (words.get(1)?, words.get(3)?, words.get(9)?);
    let (address, port) = place.split_once(':').filter(|_| *is == state)?;
    let listener = listener(protocol, of_hex(address)?, u16::from_str_radix(port, 16).ok()?, None);
    Some(Socket { listener, pids: holders.get(number).cloned().unwrap_or_default() })
}

/// An address as the kernel writes it: words of 32 bits, each in the machine's own order, which is nearly always the one
/// with the lowest byte first.
fn of_hex(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::swap_bytes);
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let bits = (0..4).try_fold(0_u128, |bits, at| Some(bits << 32 | u128::from(word(at)?)))?;
            Some(IpAddr::V6(Ipv6Addr::from(bits)))
        }
        _ => None,
    }
}

/// Which programs hold which socket: `/proc/616/fd:`, and below it `... 3 -> socket:[1064325]`.
fn holders(text: &str) -> BTreeMap<&str, Vec<u32>> {
    let mut holders: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut of = None;
    for line in text.lines() {
        if let Some(pid) = line.strip_prefix("/proc/").and_then(|rest| rest.split('/').next()) {
            of = pid.parse().ok();
        } else if let Some((of, (_, number))) = of.zip(line.split_once("socket:[")) {
            holders.entry(number.trim_end_matches(']')).or_default().push(of);
        }
    }
    for pids in holders.values_mut() {
        pids.sort_by_key(|pid| *pid == 1);
    }
    holders
}
