//! Interfaces, by `/sys/class/net`.

use std::collections::BTreeMap;

use super::{Answers, Question, plain};
use crate::model::facts::network::{Bond, Bridge, Interface, InterfaceKind, LinkState, Vlan};

const NAME: &str = "network.links";

/// The most interfaces that are read.
const LIMIT: usize = 1024;

/// `ARPHRD_LOOPBACK` and `ARPHRD_NONE` of `linux/if_arp.h`; the second is what WireGuard and tun have.
const LOOPBACK: &str = "772";
const NONE: &str = "65534";

pub(super) fn question() -> Question {
    Question::new(
        NAME,
        "cd /sys/class/net && grep -Hs . */address */operstate */carrier */mtu */speed */duplex */type */uevent \
         */device/uevent */tun_flags */bridge/vlan_filtering */bridge/stp_state */bonding/mode */bonding/active_slave; \
         for link in */master */lower_*; do if [ -e \"$link\" ]; then echo \"$link:$(readlink \"$link\")\"; fi; done; true",
    )
}

/// What is known of each interface, without name and addresses.
pub(super) fn parse(answers: &Answers) -> BTreeMap<String, Interface> {
    let mut links: BTreeMap<String, Interface> = BTreeMap::new();
    for line in answers.text(NAME).lines() {
        let Some((path, value)) = line.split_once(':') else { continue };
        let Some((name, field)) = path.split_once('/') else { continue };
        let Some(name) = plain::clip(name).filter(|_| links.len() < LIMIT) else { continue };
        set(links.entry(name).or_default(), field, value.trim());
    }
    for link in links.values_mut() {
        finish(link);
    }
    links
}

fn set(link: &mut Interface, field: &str, value: &str) {
    match (field, value.split_once('=')) {
        ("address", _) => link.mac = plain::clip(value).filter(|mac| mac.contains(':') && mac != "00:00:00:00:00:00"),
        ("operstate", _) if value == "up" => link.state = LinkState::Up,
        ("operstate", _) if value == "down" => link.state = LinkState::Down,
        // Only an interface that is switched on lets itself be asked.
        ("carrier", _) if value == "1" => link.state = LinkState::Up,
        ("carrier", _) if value == "0" => link.state = LinkState::NoLink,
        ("mtu", _) => link.mtu = value.parse().ok(),
        // -1 without a link, and where there is no speed.
        ("speed", _) => link.speed_mbps = value.parse().ok().filter(|mbps| (1..=10_000_000).contains(mbps)),
        ("duplex", _) => link.duplex = plain::clip(value).filter(|duplex| duplex != "unknown"),
        ("type", _) if value == LOOPBACK => link.kind = InterfaceKind::Loopback,
        ("type", _) if value == NONE && link.kind == InterfaceKind::Virtual => link.kind = InterfaceKind::Tun,
        ("tun_flags", _) => link.kind = InterfaceKind::Tun,
        ("uevent", Some(("DEVTYPE", kind))) => match kind {
            "bridge" => link.kind = InterfaceKind::Bridge,
            "bond" => link.kind = InterfaceKind::Bond,
            "vlan" => link.kind = InterfaceKind::Vlan,
            "wireguard" => link.kind = InterfaceKind::Wireguard,
            "wlan" | "wwan" | "dsa" => link.kind = InterfaceKind::Physical,
            _ => link.kind = InterfaceKind::Virtual,
        },
        ("device/uevent", Some(("DRIVER", driver))) => {
            link.driver = plain::clip(driver);
            link.kind = InterfaceKind::Physical;
        }
        ("bridge/vlan_filtering", _) => {
            link.bridge.get_or_insert_with(Bridge::default).vlan_aware = plain::digit(value);
        }
        ("bridge/stp_state", _) => {
            link.bridge.get_or_insert_with(Bridge::default).stp = value.parse().ok().map(|state: u8| state > 0);
        }
        // `active-backup 1`.
        ("bonding/mode", _) => {
            let mode = value.split(' ').next().and_then(plain::clip);
            link.bond.get_or_insert_with(Bond::default).mode = mode;
        }
        ("bonding/active_slave", _) => link.bond.get_or_insert_with(Bond::default).active = plain::clip(value),
        ("master", _) => link.master = value.rsplit('/').next().and_then(plain::clip),
        (field, _) => {
            if let Some(parent) = field.strip_prefix("lower_") {
                let vlan = link.vlan.get_or_insert_with(Vlan::default);
                vlan.parent = vlan.parent.take().or(plain::clip(parent));
            }
        }
    }
}

/// What lies on another is a VLAN only where the kernel calls it one. Without `ip` a veth looks like a dummy: both are
/// left `virtual`.
fn finish(link: &mut Interface) {
    match link.kind {
        InterfaceKind::Vlan => {
            link.vlan.get_or_insert_with(Vlan::default);
        }
        _ => link.vlan = None,
    }
}
