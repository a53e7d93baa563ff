use proptest::prelude::*;

use super::{super::ask, *};
use crate::model::facts::Watched;

const SS: &str = include_str!("../../../../../tests/recordings/linux/inventory/listeners/debian-12-ss.txt");
const USER: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/listeners/debian-12-ss-without-root.txt");
const BUSYBOX: &str = include_str!("../../../../../tests/recordings/linux/inventory/listeners/busybox-1.35.txt");

fn at<'a>(facts: &'a Listeners, address: &str, port: u16) -> Vec<&'a Listener> {
    facts.sockets.iter().filter(|socket| socket.address == address && socket.port == port).collect()
}

fn of(text: &str) -> Read<Listeners> {
    parse(&Answers::of(true, [(SOCKETS, text)]))
}

#[test]
fn a_recorded_host_tells_who_waits_where_and_what_they_belong_to() {
    let Read { facts, unseen } = parse(&ask::answers(SS));
    assert_eq!(unseen, []);
    let dns = at(&facts, "192.0.2.10", 53);
    let seen: Vec<_> = dns.iter().map(|socket| (socket.protocol, socket.process.as_deref().unwrap())).collect();
    assert_eq!(seen, [(Protocol::Tcp, "dnsmasq"), (Protocol::Udp, "dnsmasq")]);
    assert_eq!((dns[0].unit.as_deref(), dns[0].loopback), (Some("dnsmasq.service"), false));
    let inside = at(&facts, "203.0.113.2", 53);
    assert_eq!(inside.len(), 2, "its threads wait for the same");
    assert_eq!((&inside[0].unit, inside[0].container_id.as_deref()), (&None, Some(&*"c0".repeat(32))));
    let dhcp: Vec<_> = at(&facts, "0.0.0.0", 67).iter().map(|each| (&each.interface, &each.unit)).collect();
    let some = |text: &str| Some(text.to_owned());
    let expected = [(some("virbr0"), some("libvirtd.service")), (some("vmbr0"), some("dnsmasq.service"))];
    assert_eq!(dhcp, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    let stub = at(&facts, "127.0.0.53", 53)[0];
    assert!(stub.loopback && stub.unit.is_none() && stub.process.as_deref() == Some("python3"));
    for port in [8080, 8081] {
        assert_eq!(at(&facts, "::", port).len(), 1);
    }
    assert!(!facts.sockets.iter().any(|socket| socket.port == 4444), "it is connected to somebody");
    assert_eq!(facts.watched().into_keys().collect::<Vec<_>>(), ["port 53/tcp", "port 53/udp", "port 67/udp"]);
}

#[test]
fn the_kernels_tables_tell_the_same_but_interfaces() {
    let Read { facts, unseen } = parse(&ask::answers(BUSYBOX));
    assert_eq!(unseen, []);
    let mut expected = parse(&ask::answers(SS)).facts.sockets;
    expected.iter_mut().for_each(|socket| socket.interface = None);
    expected.sort();
    assert_eq!(facts.sockets, expected);
}

#[test]
fn without_root_sockets_have_no_names_and_the_reason_is_told() {
    let Read { facts, unseen } = parse(&ask::answers(USER));
    assert_eq!(unseen, [Unseen::new("programs of listening sockets", "needs root")]);
    assert_eq!(facts.sockets.len(), parse(&ask::answers(SS)).facts.sockets.len());
    assert!(facts.sockets.iter().all(|socket| socket.process.is_none() && socket.unit.is_none()));
}

#[test]
fn programs_are_told_apart_by_control_groups_of_every_kind() {
    let id = "0a1b".repeat(16);
    let of_path = |path: &str| {
        let text = format!(
            "@ss\ntcp LISTEN 0 9 *:53 *:* users:((\"systemd\",pid=1,fd=9),(\"a(\\\",b\",pid=7,fd=3))\n@groups\n\
             /proc/1/cgroup:0::/init.scope\n/proc/7/cgroup:{path}\n"
        );
        let socket = of(&text).facts.sockets.remove(0);
        (socket.unit, socket.container_id.is_some_and(|found| found == id))
    };
    let unit = |name: &str| Some(name.to_owned());
    for (path, expected) in [
        ("0::/system.slice/unbound.service".to_owned(), (unit("unbound.service"), false)),
        ("1:name=systemd:/system.slice/named.service".into(), (unit("named.service"), false)),
        ("0::/system.slice/system-dnsmasq.slice/dnsmasq@z.service".into(), (unit("dnsmasq@z.service"), false)),
        ("0::/user.slice/user-9.slice/user@9.service/app.slice/x.service".into(), (unit("user@9.service"), false)),
        ("0::/user.slice/user-9.slice/session-3.scope".into(), (None, false)),
        (format!("0::/system.slice/docker-{id}.scope"), (None, true)),
        (format!("4:memory:/docker/{id}"), (None, true)),
        (format!("0::/docker/{id}/system.slice/unbound.service"), (unit("unbound.service"), true)),
        (format!("0::/machine.slice/libpod-{id}.scope/container"), (None, true)),
        (format!("0::/machine.slice/libpod-conmon-{id}.scope"), (None, true)),
        ("0::/lxc/101/init.scope".into(), (None, false)),
        ("0::/".into(), (None, false)),
    ] {
        assert_eq!(of_path(&path), expected, "{path}");
    }
}

#[test]
fn what_is_missing_half_or_garbage_is_told() {
    let failed = ask::Answer {
        status: Some(1),
        complaint: "there is neither ss nor /proc/net/tcp".into(),
        ..ask::Answer::default()
    };
    let none = parse(&Answers::default().with(SOCKETS, failed));
    assert_eq!(none.unseen, [Unseen::new("listening sockets", "there is neither ss nor /proc/net/tcp")]);
    assert_eq!(parse(&Answers::default()).unseen, [Unseen::new("listening sockets", "it was not asked")]);
    let (half, _) = SS.split_at(SS.find("@groups").unwrap());
    let half = parse(&ask::answers(half));
    assert_eq!(half.unseen, [Unseen::new("listening sockets", "the answer stops half-way")]);
    assert!(!half.facts.sockets.is_empty());
    assert_eq!(of("@ss\nudp UNCONN 0 0 nowhere:53 *:*\ntcp ESTAB 0 0 192.0.2.1:53 *:*\n@groups").facts.sockets, []);
}

#[test]
fn of_very_many_the_lowest_ports_are_kept() {
    let lines = (0..2000).map(|at| format!("udp UNCONN 0 0 192.0.2.1:{} *:*\n", 60_000 - at)).collect::<String>();
    let Read { facts, unseen } = of(&format!("@ss\n{lines}udp UNCONN 0 0 192.0.2.1:53 *:*\n@groups\n"));
    assert_eq!((facts.sockets.len(), facts.sockets[0].port), (SOCKETS_LIMIT, 53));
    assert_eq!(unseen, [Unseen::new("listening sockets", format!("only the lowest {SOCKETS_LIMIT} ports are kept"))]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        table in "(?s)(@ss\n|@tcp6\n|@udp\n|@files\n|0: 0100007F:0035 0:0 0A 0 0 0 0 0 7 |socket:\\[|tcp LISTEN 0 0 |%|:53 |users:\\(\\(\"|\",pid=|.){0,40}",
        groups in "(?s)(@groups|/proc/7/|cgroup:|comm:|0::/|.service|docker-|\n|.){0,40}",
    ) {
        of(&format!("{table}{groups}")).facts.watched();
    }
}
