//! Which addresses notices may go to.
//!
//! A notice goes where an admin has said, but a name can lead anywhere, and what is sent must not reach services that only
//! this machine should: so addresses of this very machine, and of networks that no router passes on, among them the
//! services of clouds that hand out credentials, are refused unless the target is allowed to lie there. The name is looked
//! up once, and the connection goes to an address that was looked at; so a name that says something else a moment later is
//! of no use.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use crate::{Error, ErrorKind, Result};

/// How long looking up a name may take.
const LOOK_UP: Duration = Duration::from_secs(10);
/// As many addresses of one name are tried.
const MOST_ADDRESSES: usize = 8;

/// The addresses of a name that may be connected to, in the order in which the system gives them.
///
/// # Errors
/// `Unreachable` where nothing is called so, `Denied` where all its addresses are refused, `Timeout`.
pub async fn addresses(host: &str, port: u16, allow_inside: bool) -> Result<Vec<SocketAddr>> {
    let bare = host.trim_matches(['[', ']']);
    let found = match bare.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => look_up(bare, port).await?,
    };
    allowed(host, found, allow_inside, is_own)
}

async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let attempt = || Error::new(ErrorKind::Unreachable, "look up its address").on(host);
    match tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => Ok(found.take(MOST_ADDRESSES).collect()),
        Ok(Err(error)) => Err(attempt().next("check the name, and this machine's DNS").from_source(error)),
        Err(_) => Err(Error::new(ErrorKind::Timeout, "look up its address")
            .on(host)
            .because(format!("no answer within {} s", LOOK_UP.as_secs()))
            .next("check this machine's DNS")),
    }
}

/// Those that may be connected to: pure, but for `is_own`.
fn allowed(
    host: &str,
    found: Vec<SocketAddr>,
    allow_inside: bool,
    is_own: impl Fn(IpAddr) -> bool,
) -> Result<Vec<SocketAddr>> {
    let mut why = "it has no address".to_owned();
    let mut kept = Vec::new();
    for address in found {
        let ip = address.ip();
        let refused = never(ip).or_else(|| if allow_inside { None } else { inside(ip, &is_own) });
        match refused {
            Some(reason) => why = format!("{ip} is {reason}"),
            None => kept.push(address),
        }
    }
    if !kept.is_empty() {
        return Ok(kept);
    }
    Err(Error::new(ErrorKind::Denied, "send there")
        .on(host)
        .because(why)
        .next("give another address, or let an admin allow this target to lie inside (allow_inside)"))
}

/// What nobody can be at, whatever is allowed.
fn never(ip: IpAddr) -> Option<&'static str> {
    match plain(ip) {
        IpAddr::V4(ip) if ip.is_unspecified() || ip.octets()[0] == 0 => Some("no address of anybody"),
        IpAddr::V4(ip) if ip.is_multicast() || ip.is_broadcast() => Some("an address of many"),
        IpAddr::V4(ip) if ip.octets()[0] >= 240 => Some("of a range that is not in use"),
        IpAddr::V6(ip) if ip.is_unspecified() => Some("no address of anybody"),
        IpAddr::V6(ip) if ip.is_multicast() => Some("an address of many"),
        _ => None,
    }
}

/// What lies inside: on this machine, or where no router leads.
fn inside(ip: IpAddr, is_own: impl Fn(IpAddr) -> bool) -> Option<&'static str> {
    let ip = plain(ip);
    if is_metadata(ip) {
        return Some("where clouds keep their machines' secrets");
    }
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => Some("this very machine"),
        IpAddr::V4(ip) if ip.is_link_local() => Some("in a range that no router passes on"),
        IpAddr::V6(ip) if ip.is_loopback() => Some("this very machine"),
        IpAddr::V6(ip) if ip.segments()[0] & 0xffc0 == 0xfe80 => Some("in a range that no router passes on"),
        ip if is_own(ip) => Some("an address of this very machine"),
        _ => None,
    }
}

/// Services of clouds beyond the link-local range: of Amazon over IPv6, Alibaba and Oracle.
fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip == Ipv4Addr::new(100, 100, 100, 200) || ip == Ipv4Addr::new(192, 0, 0, 192),
        IpAddr::V6(ip) => ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    }
}

/// The IPv4 address inside an IPv6 one that leads to it: mapped, compatible, by NAT64 or 6to4.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let words = six.segments();
    let four = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match words {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => ip,
    }
}

/// Whether it is an address of this machine: then the system would send from it. Nothing is sent.
fn is_own(ip: IpAddr) -> bool {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == ip)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 80)).collect()
    }

    fn own(ip: IpAddr) -> bool {
        ip == "192.0.2.5".parse::<IpAddr>().unwrap()
    }

    #[test]
    fn inside_is_refused_in_whatever_form_it_comes() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "febf::1",
            "192.0.2.5",
            "::ffff:192.0.2.5",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
        ] {
            let error = allowed("x", ips(&[text]), false, own).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied, "{text}");
            assert_eq!(allowed("x", ips(&[text]), true, own).unwrap().len(), 1, "{text} may be allowed");
        }
    }

    #[test]
    fn what_is_nobodys_is_refused_always() {
        for text in
            ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "240.0.0.1", "::", "ff02::1", "::ffff:0.0.0.0"]
        {
            assert!(allowed("x", ips(&[text]), true, own).is_err(), "{text}");
        }
    }

    #[test]
    fn outside_and_at_home_is_taken() {
        let found = ips(&["198.51.100.7", "10.0.0.7", "192.168.1.7", "172.16.3.4", "fd12::7", "2001:db8::1"]);
        assert_eq!(allowed("x", found.clone(), false, own).unwrap(), found);
        assert_eq!(allowed("x", ips(&["127.0.0.1", "198.51.100.7"]), false, own).unwrap(), ips(&["198.51.100.7"]));
        assert!(allowed("x", Vec::new(), true, own).is_err());
    }

    #[test]
    fn this_machine_knows_its_own_addresses() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("198.51.100.7".parse().unwrap()));
        let outside = UdpSocket::bind("0.0.0.0:0").unwrap();
        // The address from which this machine would send to the documentation's network, where it has a way there.
        if outside.connect("198.51.100.7:9").is_ok() {
            assert!(is_own(outside.local_addr().unwrap().ip()));
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_by_its_address() {
        let error = addresses("localhost", 80, false).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && crate::report(&error).contains("allow_inside"), "{error}");
        assert!(!addresses("localhost", 80, true).await.unwrap().is_empty());
    }
}
