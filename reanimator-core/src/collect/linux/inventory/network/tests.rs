use std::process::Command;

use proptest::prelude::*;

use super::{super::ask, *};
use crate::model::facts::{
    Watched,
    network::{Interface, InterfaceKind, LinkState},
};

const RECORDED: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/network/debian-12-bridge-veth.txt");
const BUSYBOX: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/network/busybox-1.35-bridge-veth.txt");
const BONDED: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/network/bond-vlan-from-documentation.json");

fn interface<'a>(network: &'a Network, name: &str) -> &'a Interface {
    network.interfaces.iter().find(|interface| interface.name == name).unwrap()
}

fn of(answers: &[(&str, &str)]) -> Read<Network> {
    parse(&Answers::of(true, answers.iter().copied()))
}

#[test]
fn a_recorded_host_shows_its_bridge_with_ports_addresses_and_routes() {
    let Read { facts, unseen } = parse(&ask::answers(RECORDED));
    assert_eq!(unseen, []);
    let bridge = interface(&facts, "vmbr0");
    assert_eq!((bridge.kind, bridge.state, bridge.mtu), (InterfaceKind::Bridge, LinkState::Up, Some(1500)));
    let details = bridge.bridge.as_ref().unwrap();
    assert_eq!(
        (&details.ports[..], details.stp, details.vlan_aware),
        (&["veth100i0".to_owned()][..], Some(true), Some(false))
    );
    assert_eq!(bridge.ipv4().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.10/24"]);
    assert_eq!(bridge.ipv6().filter(|address| address.is_lasting()).count(), 1);
    assert_eq!(bridge.speed_mbps, None, "the kernel claims 10 Gbit/s for a bridge that is no hardware");
    let port = interface(&facts, "veth100i0");
    assert_eq!((port.kind, port.master.as_deref(), port.of_guest), (InterfaceKind::Veth, Some("vmbr0"), true));
    assert_eq!(interface(&facts, "tun0").kind, InterfaceKind::Tun);
    assert_eq!(interface(&facts, "vx0").state, LinkState::Down);
    assert_eq!((interface(&facts, "lo").kind, &interface(&facts, "lo").mac), (InterfaceKind::Loopback, &None));
    let gateways: Vec<_> = facts.default_routes().iter().map(|route| route.gateway.clone().unwrap()).collect();
    assert_eq!(gateways, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(facts.dns_servers, ["192.0.2.53"]);
    assert_eq!(facts.watched()["addresses vmbr0"], "192.0.2.10/24, 2001:db8::10/64");
    assert!(!facts.watched().keys().any(|name| name.contains("veth")));
}

#[test]
fn busybox_tells_the_same_without_json() {
    let read = parse(&ask::answers(BUSYBOX));
    let facts = read.facts;
    assert_eq!(read.unseen, []);
    let json = parse(&ask::answers(RECORDED)).facts;
    for name in ["lo", "tun0", "vx0"] {
        assert_eq!(interface(&facts, name), interface(&json, name), "{name}");
    }
    let (bridge, other) = (interface(&facts, "vmbr0"), interface(&json, "vmbr0"));
    assert_eq!((bridge.kind, bridge.state, &bridge.addresses), (other.kind, other.state, &other.addresses));
    let details = bridge.bridge.as_ref().unwrap();
    assert_eq!((details.ports.len(), details.stp), (1, Some(true)));
    assert_eq!(details.vlan_aware, None, "a kernel without VLAN filtering has no such file");
    assert_eq!(interface(&facts, "veth100i0").master.as_deref(), Some("vmbr0"));
    assert_eq!(facts.default_routes().len(), 2);
}

#[test]
fn bonds_vlans_and_vpns_are_told_apart() {
    let links = "eno1/speed:1000\neno1/duplex:full\neno1/device/uevent:DRIVER=e1000e\neno2/speed:-1\nbond0/speed:1000";
    let facts = of(&[("network.addresses", BONDED), ("network.links", links)]).facts;
    let bond = interface(&facts, "bond0").bond.clone().unwrap();
    assert_eq!((bond.mode.as_deref(), bond.active.as_deref()), (Some("active-backup"), Some("eno1")));
    assert_eq!(bond.members, ["eno1", "eno2"]);
    let vlan = interface(&facts, "bond0.20").vlan.clone().unwrap();
    assert_eq!((vlan.id, vlan.parent.as_deref()), (Some(20), Some("bond0")));
    let eno1 = interface(&facts, "eno1");
    assert_eq!((eno1.kind, eno1.speed_mbps), (InterfaceKind::Physical, Some(1000)));
    assert_eq!((eno1.duplex.as_deref(), eno1.driver.as_deref()), (Some("full"), Some("e1000e")));
    assert_eq!((interface(&facts, "eno2").state, interface(&facts, "eno2").speed_mbps), (LinkState::NoLink, None));
    let bridge = interface(&facts, "vmbr0");
    assert_eq!(bridge.bridge.as_ref().unwrap().vlan_aware, Some(true));
    assert_eq!(bridge.bridge.as_ref().unwrap().ports, ["bond0", "tap104i0"]);
    assert_eq!(
        (interface(&facts, "wg0").kind, interface(&facts, "wg0").state),
        (InterfaceKind::Wireguard, LinkState::Up)
    );
    assert!(interface(&facts, "tap104i0").of_guest);
    assert_eq!(facts.watched()["addresses vmbr0"], "192.0.2.20/24", "a temporary address is no news");
}

#[test]
fn routes_over_several_ways_and_into_nowhere_are_read() {
    let text = "default proto static metric 5 \n\tnexthop via 192.0.2.1 dev eth0 weight 1 \n\tnexthop via 198.51.100.1 dev eth1 weight 1 \n\
                blackhole 203.0.113.0/24 \n10.0.0.0/8 via inet6 fe80::1 dev eth0 proto bird src 192.0.2.2\n@ipv6\ndefault via fe80::1 dev eth0 proto ra metric 1024 pref medium";
    let routes = of(&[("network.routes", text)]).facts.routes;
    let seen: Vec<_> = routes
        .iter()
        .map(|it| (it.destination.as_str(), it.gateway.as_deref(), it.interface.as_deref(), it.metric, it.ipv6))
        .collect();
    assert_eq!(
        seen,
        [
            ("default", Some("192.0.2.1"), Some("eth0"), Some(5), false),
            ("default", Some("198.51.100.1"), Some("eth1"), Some(5), false),
            ("203.0.113.0/24", None, None, None, false),
            ("10.0.0.0/8", Some("fe80::1"), Some("eth0"), None, false),
            ("default", Some("fe80::1"), Some("eth0"), Some(1024), true),
        ]
    );
}

#[test]
fn behind_the_stub_of_systemd_the_real_name_servers_are_seen() {
    let text = "/etc/resolv.conf:nameserver 127.0.0.53\n/etc/resolv.conf:options edns0 trust-ad\n/etc/resolv.conf:search .\n\
                /run/systemd/resolve/resolv.conf:nameserver 192.0.2.53\n/run/systemd/resolve/resolv.conf:search lan example.org";
    let facts = of(&[("network.names", text)]).facts;
    assert_eq!(facts.dns_servers, ["192.0.2.53"]);
    assert_eq!(facts.search_domains, ["lan", "example.org"]);
    assert_eq!(facts.local_resolver.as_deref(), Some("127.0.0.53"));
}

#[test]
fn a_host_without_ip_says_so_and_keeps_what_sys_knows() {
    let lacks = ask::Answer { status: Some(127), complaint: "@lacks ip".into(), ..ask::Answer::default() };
    let answers =
        Answers::of(true, [("network.links", "eth0/mtu:1500\neth0/address:02:00:00:00:00:01\neth0/operstate:up")])
            .with("network.addresses", lacks);
    let Read { facts, unseen } = parse(&answers);
    assert_eq!(interface(&facts, "eth0").state, LinkState::Up);
    assert_eq!((unseen[0].what.as_str(), unseen[0].why.as_str()), ("addresses", "ip is not installed"));
}

#[test]
fn too_many_interfaces_and_routes_are_cut_with_a_note() {
    let rows: Vec<String> = (0..600).map(|n| format!("{{\"ifname\":\"veth{n}\"}}")).collect();
    let routes = "192.0.2.0/24 dev eth0\n".repeat(300);
    let Read { facts, unseen } =
        of(&[("network.addresses", &format!("[{}]", rows.join(","))), ("network.routes", &routes)]);
    assert_eq!((facts.interfaces.len(), facts.routes.len()), (512, 256));
    assert!(unseen.iter().any(|note| note.why == "only the first 512 are kept"));
    assert!(unseen.iter().any(|note| note.why == "only the first 256 are kept"));
}

#[test]
fn absurd_values_are_left_out() {
    let text = r#"[{"ifname":"eth0","mtu":-5,"address":"00:00:00:00:00:00","linkinfo":{"info_kind":"vlan","info_data":{"id":70000}},
                 "addr_info":[{"local":"192.0.2.1","prefixlen":99},{"local":"no address","prefixlen":1},{}]},{},7]"#;
    let facts = of(&[("network.addresses", text), ("network.links", "eth0/speed:4294967295")]).facts;
    let eth0 = interface(&facts, "eth0");
    assert_eq!((eth0.mtu, eth0.mac.as_ref(), eth0.speed_mbps, eth0.addresses.len()), (None, None, None, 0));
    assert_eq!(eth0.vlan.as_ref().unwrap().id, None);
}

#[test]
fn the_questions_survive_any_shell_and_fit_this_machine() {
    for question in questions() {
        assert!(!question.text.contains(['\'', '\\', '\n', '!']), "{}", question.name);
    }
    let script = ask::script(&questions());
    for shell in [&["sh"][..], &["dash"], &["bash"], &["busybox", "ash"]] {
        let Ok(output) = Command::new(shell[0]).args(&shell[1..]).args(["-c", &script]).output() else { continue };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?}");
        let facts = parse(&ask::answers(&String::from_utf8_lossy(&output.stdout))).facts;
        let loopback = interface(&facts, "lo");
        assert_eq!(loopback.kind, InterfaceKind::Loopback, "{shell:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        addresses in "(?s)(\\[|\\{\"ifname\":\"a\"|1: eth0@if2: |    inet |inet6 |/64|,|:|\\]|.){0,40}",
        links in "(?s)(eth0/|speed:|uevent:DEVTYPE=|master:|lower_|\n|/|:|.){0,40}",
        routes in "(?s)(default |via |dev |nexthop |\n|@ipv6|metric |blackhole|inet6|.){0,40}",
        names in "(?s)(/etc/resolv.conf:|nameserver |search |\n|.){0,40}",
    ) {
        let pairs = [
            ("network.addresses", &*addresses), ("network.links", &*links), ("network.routes", &*routes), ("network.names", &*names),
        ];
        of(&pairs).facts.watched();
    }
}
