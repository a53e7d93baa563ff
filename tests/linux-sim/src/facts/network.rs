//! Interfaces, routes, name servers, and who waits at which port.

use serde_json::{Value, json};

use super::{Asked, Said, containers};

pub(super) fn answer(name: &str, asked: &Asked<'_>) -> Option<Said> {
    Some(match name {
        "network.addresses" => format!("{}\n", addresses(asked)).into(),
        "network.links" => links(asked).into(),
        "network.routes" => routes(asked).into(),
        "network.names" => "/etc/resolv.conf:nameserver 192.0.2.53\n/etc/resolv.conf:search sim.example\n".into(),
        "listeners.sockets" => LISTENERS.into(),
        _ => return None,
    })
}

/// What waits at its ports: its log-in service, and a resolver for itself.
const LISTENERS: &str = r#"@ss
udp UNCONN 0      0      127.0.0.53%lo:53   0.0.0.0:* users:(("systemd-resolve",pid=412,fd=13))
tcp LISTEN 0      128          0.0.0.0:22   0.0.0.0:* users:(("sshd",pid=617,fd=3))
tcp LISTEN 0      128             [::]:22      [::]:* users:(("sshd",pid=617,fd=4))
@groups
/proc/412/cgroup:0::/system.slice/systemd-resolved.service
/proc/617/cgroup:0::/system.slice/ssh.service
/proc/412/comm:systemd-resolve
/proc/617/comm:sshd
"#;

/// Its address, from the range that is kept for tests of networks.
fn address(asked: &Asked<'_>) -> String {
    let number = asked.machine.name().trim_start_matches("sim").parse::<u32>().unwrap_or(1);
    format!("198.18.{}.{}", number / 250 % 256, number % 250 + 2)
}

fn has_bridge(asked: &Asked<'_>) -> bool {
    containers::count(asked) > 0
}

fn addresses(asked: &Asked<'_>) -> Value {
    let interface = |index: u32, name: &str, kind: &str, mac: &str, state: &str, info: Value| {
        json!({
            "ifindex": index, "ifname": name, "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            "mtu": if kind == "loopback" { 65_536 } else { 1500 }, "qdisc": "fq_codel", "operstate": state,
            "group": "default", "txqlen": 1000, "link_type": kind, "address": mac, "broadcast": "ff:ff:ff:ff:ff:ff",
            "promiscuity": 0, "allmulti": 0, "min_mtu": 68, "max_mtu": 65_535, "num_tx_queues": 1, "num_rx_queues": 1,
            "addr_info": info,
        })
    };
    let inet = |family: &str, local: &str, length: u8, scope: &str| {
        json!({"family": family, "local": local, "prefixlen": length, "scope": scope, "dynamic": false,
               "valid_life_time": 4_294_967_295_u32, "preferred_life_time": 4_294_967_295_u32})
    };
    let machine = asked.machine;
    let loopback = json!([inet("inet", "127.0.0.1", 8, "host"), inet("inet6", "::1", 128, "host")]);
    let own =
        json!([inet("inet", &address(asked), 15, "global"), inet("inet6", &link_local(&machine.mac), 64, "link")]);
    let mut rows = vec![
        interface(1, "lo", "loopback", "00:00:00:00:00:00", "UNKNOWN", loopback),
        interface(2, machine.system.interface, "ether", &machine.mac, "UP", own),
    ];
    if has_bridge(asked) {
        let mut bridge = interface(
            3,
            "docker0",
            "ether",
            "02:42:ac:11:00:01",
            "UP",
            json!([inet("inet", "172.17.0.1", 16, "global")]),
        );
        bridge["linkinfo"] = json!({"info_kind": "bridge", "info_data": {"stp_state": 0, "vlan_filtering": 0}});
        rows.push(bridge);
    }
    Value::Array(rows)
}

/// The address that the kernel makes of a MAC (RFC 4291, appendix A).
fn link_local(mac: &str) -> String {
    let bytes: Vec<u8> = mac.split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    let [a, b, c, d, e, f] = bytes[..] else { return "fe80::1".to_owned() };
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    let address = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, word(a ^ 2, b), word(c, 0xff), word(0xfe, d), word(e, f));
    address.to_string()
}

fn links(asked: &Asked<'_>) -> String {
    let (name, mac) = (asked.machine.system.interface, &asked.machine.mac);
    let driver = if asked.is_virtual() { "virtio_net" } else { "igb" };
    let speed = if asked.is_virtual() { "" } else { &format!("{name}/speed:1000\n{name}/duplex:full\n") };
    let mut text = format!(
        "{name}/address:{mac}\nlo/address:00:00:00:00:00:00\n{name}/operstate:up\nlo/operstate:unknown\n\
         {name}/carrier:1\nlo/carrier:1\n{name}/mtu:1500\nlo/mtu:65536\n{speed}{name}/type:1\nlo/type:772\n\
         {name}/uevent:INTERFACE={name}\n{name}/uevent:IFINDEX=2\nlo/uevent:INTERFACE=lo\nlo/uevent:IFINDEX=1\n\
         {name}/device/uevent:DRIVER={driver}\n"
    );
    if has_bridge(asked) {
        text += "docker0/address:02:42:ac:11:00:01\ndocker0/operstate:up\ndocker0/carrier:1\ndocker0/mtu:1500\ndocker0/type:1\n\
                 docker0/uevent:DEVTYPE=bridge\ndocker0/uevent:INTERFACE=docker0\ndocker0/uevent:IFINDEX=3\n\
                 docker0/bridge/vlan_filtering:0\ndocker0/bridge/stp_state:0\n";
    }
    text
}

fn routes(asked: &Asked<'_>) -> String {
    let (name, own) = (asked.machine.system.interface, address(asked));
    let bridge =
        if has_bridge(asked) { "172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 \n" } else { "" };
    format!(
        "default via 198.18.0.1 dev {name} \n{bridge}198.18.0.0/15 dev {name} proto kernel scope link src {own} \n\
         @ipv6\nfe80::/64 dev {name} proto kernel metric 256 pref medium\n"
    )
}
