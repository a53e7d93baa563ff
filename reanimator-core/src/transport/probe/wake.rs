//! Magic packets: six bytes `ff`, then a network card's hardware address sixteen times, in a broadcast. A card that was
//! told to listen for it switches its machine on.
//!
//! The packet goes to port 9 of the broadcast address of one network, out of the interface that this network is on:
//! the default route leads elsewhere.
//!
//! ```
//! use reanimator_core::transport::probe::wake::{Mac, magic_packet, parse_segments};
//! let mac: Mac = "bc:24:11:00:00:2a".parse()?;
//! assert_eq!(magic_packet(mac).len(), 102);
//! let route = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t0000560A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n";
//! let segment = parse_segments(route).remove(0);
//! assert_eq!((segment.interface.as_str(), segment.broadcast().to_string()), ("eth0", "10.86.0.255".to_owned()));
//! # Ok::<(), reanimator_core::Error>(())
//! ```

use std::{fmt, net::Ipv4Addr, str::FromStr};

use tokio::net::UdpSocket;

use crate::{Error, ErrorKind, Result};

/// The port that magic packets are sent to by custom ("discard"); no card looks at it.
pub const PORT: u16 = 9;

/// The hardware address of a network card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac([u8; 6]);

impl FromStr for Mac {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            Error::new(ErrorKind::Invalid, format!("read the hardware address {text:?}"))
                .because("it is not six pairs of hexadecimal digits with colons")
        };
        let mut bytes = [0; 6];
        let mut pairs = text.trim().split([':', '-']);
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2).ok_or_else(refused)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refused())?;
        }
        // Neither nobody's address nor one of a group.
        if pairs.next().is_some() || bytes == [0; 6] || bytes[0] & 1 == 1 {
            return Err(refused());
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What a card listens for.
pub fn magic_packet(mac: Mac) -> Vec<u8> {
    [0xff; 6].into_iter().chain(mac.0.repeat(16)).collect()
}

/// A network that an interface is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `eth0`, `vmbr0`.
    pub interface: String,
    /// The address of the network: `192.0.2.0`.
    pub network: Ipv4Addr,
    /// How many bits of an address name the network.
    pub prefix: u8,
}

impl Segment {
    /// The network that an address with its prefix is in. None where it has no broadcast address: a cable of two, a host
    /// of its own.
    pub fn of(interface: &str, address: Ipv4Addr, prefix: u8) -> Option<Self> {
        let usable = (1..=30).contains(&prefix) && !address.is_loopback();
        let network = Ipv4Addr::from_bits(address.to_bits() & mask(prefix));
        usable.then(|| Self { interface: interface.to_owned(), network, prefix })
    }

    /// Whether an address is in it.
    pub fn holds(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.network.to_bits()
    }

    /// What everybody in it hears.
    pub fn broadcast(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() | !mask(self.prefix))
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{PORT})", self.interface, self.broadcast())
    }
}

const fn mask(prefix: u8) -> u32 {
    match prefix {
        0 => 0,
        1..=31 => u32::MAX << (32 - prefix),
        _ => u32::MAX,
    }
}

/// The networks that this machine is on, the narrowest first.
///
/// # Errors
/// When the kernel does not say.
pub async fn segments() -> Result<Vec<Segment>> {
    let table = tokio::fs::read_to_string("/proc/net/route").await;
    let table = table.map_err(|error| {
        Error::new(ErrorKind::Internal, "see which networks this machine is on")
            .on("/proc/net/route")
            .from_source(error)
    })?;
    Ok(parse_segments(&table))
}

/// Reads `/proc/net/route`: lines with an interface, a destination, a gateway, and as the eighth a mask, in the byte
/// order of the machine.
pub fn parse_segments(table: &str) -> Vec<Segment> {
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|bits| Ipv4Addr::from(bits.to_ne_bytes()));
    let segment = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (destination, gateway) = (address(words.get(1)?)?, address(words.get(2)?)?);
        let mask = address(words.get(7)?)?.to_bits();
        let prefix = u8::try_from(mask.leading_ones()).ok().filter(|prefix| self::mask(*prefix) == mask)?;
        gateway.is_unspecified().then(|| Segment::of(words.first()?, destination, prefix))?
    };
    let mut segments: Vec<Segment> = table.lines().skip(1).filter_map(segment).collect();
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.prefix));
    segments
}

/// Sends one magic packet into a network that this machine is on.
///
/// # Errors
/// When the network or the system does not take it.
pub async fn send(mac: Mac, segment: &Segment) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Unreachable, format!("send a magic packet to {mac}"))
            .on(segment.interface.clone())
            .because(error.to_string())
            .next("check that the interface is up, and that no firewall here keeps broadcasts back")
    };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.map_err(failed)?;
    socket.set_broadcast(true).map_err(failed)?;
    // Where the account may not choose the interface, the route of the broadcast address does.
    if let Err(error) = socket.bind_device(Some(segment.interface.as_bytes())) {
        tracing::debug!(interface = %segment.interface, %error, "the route chooses the interface");
    }
    socket.send_to(&magic_packet(mac), (segment.broadcast(), PORT)).await.map_err(failed).map(drop)
}

/// The IPv4 addresses that a name stands for; none where it stands for none.
pub async fn addresses_of(name: &str) -> Vec<Ipv4Addr> {
    let found = tokio::net::lookup_host((name, PORT)).await.into_iter().flatten();
    found.filter_map(|address| if let std::net::IpAddr::V4(ip) = address.ip() { Some(ip) } else { None }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_six_pairs_of_one_card() {
        let mac: Mac = "BC-24-11-00-00-2a".parse().unwrap();
        assert_eq!(mac.to_string(), "bc:24:11:00:00:2a");
        let packet = magic_packet(mac);
        assert_eq!((packet.len(), &packet[..8]), (102, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0x24][..]));
        assert_eq!(packet[96..], mac.0);
        for text in
            ["", "bc:24:11:00:00", "bc:24:11:00:00:2a:00", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "b:24:11:0:0:2a"]
        {
            assert_eq!(text.parse::<Mac>().unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }

    #[test]
    fn the_networks_at_hand_are_read_from_the_routes_and_the_narrowest_comes_first() {
        // Recorded on a machine of the byte order of x86, with a default route, Docker's bridge and the loopback left out.
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
            br-1\t0000560A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            wg0\t0500080A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\nhalf a line\n";
        let found: Vec<String> = parse_segments(table).iter().map(ToString::to_string).collect();
        if cfg!(target_endian = "little") {
            assert_eq!(found, ["br-1 (10.86.0.255:9)", "docker0 (172.17.255.255:9)"]);
        }
        let segment = Segment::of("br-1", Ipv4Addr::new(10, 86, 0, 1), 24).unwrap();
        assert!(segment.holds(Ipv4Addr::new(10, 86, 0, 12)) && !segment.holds(Ipv4Addr::new(10, 86, 1, 12)));
        assert_eq!(Segment::of("wg0", Ipv4Addr::new(10, 8, 0, 5), 32), None);
    }
}
