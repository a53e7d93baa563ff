#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use proptest::prelude::*;

use super::{
    super::hardware::tests::{hold_to_the_rule, this_machine},
    *,
};
use crate::model::{
    facts::containers::{Engine, Port},
    units::Bytes,
};

const API: &str = include_str!("../../../../../tests/recordings/linux/inventory/containers/docker-api-debian-12.json");
const INSPECT: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/containers/docker-inspect-debian-12.json");
const BEFORE: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/containers/cgroup-v1-debian-12-a.txt");
const AFTER: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/containers/cgroup-v1-debian-12-b.txt");
const PODMAN: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/containers/podman-inspect-debian-12.json");
const PODMAN_INFO: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/containers/podman-info-debian-12.json");

fn docker_said(text: &str) -> Containers {
    let read = parse(&Answers::of(true, [("containers.docker", text), ("containers.cgroups", BEFORE)]));
    assert_eq!(read.unseen, []);
    read.facts
}

fn named<'a>(facts: &'a Containers, name: &str) -> &'a Container {
    facts.containers.iter().find(|container| container.name == name).unwrap()
}

#[test]
fn questions_pass_through_any_shell() {
    hold_to_the_rule(&questions());
    hold_to_the_rule(&slow_questions());
}

#[test]
fn states_are_those_of_docker_ps() {
    let facts = docker_said(API);
    let states: Vec<_> = facts
        .containers
        .iter()
        .map(|c| (c.name.as_str(), c.state.as_str(), c.health.as_deref(), c.exit_code))
        .collect();
    assert_eq!(
        states,
        [
            ("busy", "running", None, None),
            ("held", "paused", None, None),
            ("job", "exited", None, Some(3)),
            ("looping", "restarting", None, Some(1)),
            ("never", "created", None, None),
            ("sick", "running", Some("unhealthy"), None),
            ("web", "running", Some("healthy"), None),
        ]
    );
    let expected = Engine {
        kind: EngineKind::Docker,
        version: Some("20.10.24+dfsg1".into()),
        storage_driver: Some("overlay2".into()),
        root_directory: Some("/srv/docker".into()),
        rootless: Some(false),
    };
    assert_eq!(facts.engines, [expected]);
}

#[test]
fn a_container_is_described_whole() {
    let facts = docker_said(API);
    let web = named(&facts, "web");
    assert_eq!((web.image.as_str(), web.restart_policy.as_deref()), ("shop/web:1.4", Some("unless-stopped")));
    assert_eq!((web.memory_limit_bytes, web.cpu_limit), (Some(Bytes(64 << 20)), Some(0.5)));
    assert_eq!((web.compose_project.as_deref(), web.compose_service.as_deref()), (Some("shop"), Some("web")));
    let port = |container_port, address: &str, host_port| Port {
        container_port,
        protocol: "tcp".into(),
        host_address: Some(address.into()),
        host_port: Some(host_port),
    };
    assert_eq!(web.ports, [port(80, "127.0.0.1", 32769), port(8443, "0.0.0.0", 32768), port(8443, "::", 32768)]);
    assert_eq!((web.mounts[0].source.as_deref(), web.mounts[0].read_only), (Some("/srv/www"), true));
    assert_eq!((web.networks[0].network.as_str(), web.networks[0].addresses.len()), ("hwnet", 1));
    assert_eq!(named(&facts, "busy").mounts[0].source.as_deref(), Some("data"));
    assert!(named(&facts, "looping").restart_count.unwrap() > 5);
    assert_eq!(
        (named(&facts, "never").started_at, named(&facts, "never").restart_policy.as_deref()),
        (None, Some("no"))
    );
}

#[test]
fn the_command_line_says_the_same_as_the_socket() {
    let (api, inspect) = (docker_said(API), docker_said(INSPECT));
    let plain = |facts: &Containers| -> Vec<Container> {
        let steady = facts.containers.iter().filter(|container| container.name != "looping").cloned();
        steady.collect()
    };
    assert_eq!(plain(&api), plain(&inspect));
    assert_eq!(api.engines, inspect.engines);
}

#[test]
fn one_that_keeps_a_cpu_busy_shows_it() {
    let now = parse(&Answers::of(true, [("containers.docker", API), ("containers.cgroups", AFTER)])).facts;
    let rated = now.with_rates(&docker_said(API).counters);
    let busy = named(&rated, "busy").cpu_percent.unwrap();
    assert!((40.0..=100.5).contains(&busy), "{busy}");
    assert_eq!(named(&rated, "held").cpu_percent, Some(0.0));
    assert_eq!(named(&rated, "job").cpu_percent, None);
    assert!(named(&rated, "web").memory_bytes.unwrap() < Bytes(64 << 20));
    assert_eq!(named(&rated, "job").memory_bytes, None);
}

#[test]
fn podman_speaks_like_docker() {
    let facts = parse(&Answers::of(true, [("containers.podman", PODMAN)])).facts;
    let web = named(&facts, "pweb");
    assert_eq!(
        (web.engine, web.image.as_str(), web.state.as_str()),
        (EngineKind::Podman, "localhost/shop/web:1.4", "created")
    );
    assert_eq!((web.restart_policy.as_deref(), web.compose_project.as_deref()), (Some("always"), Some("shop")));
    assert_eq!((web.health.as_deref(), web.exit_code), (None, None));
    let engines = parse_slow(&Answers::of(true, [("containers.podman-info", PODMAN_INFO)])).facts;
    let merged = facts.with_slow(&engines);
    assert_eq!((merged.engines[0].version.as_deref(), merged.engines[0].rootless), (Some("4.3.1"), Some(false)));
}

#[test]
fn a_container_that_both_engines_name_is_podmans() {
    let read = parse(&Answers::of(true, [("containers.docker", PODMAN), ("containers.podman", PODMAN)]));
    let engines: Vec<_> = read.facts.containers.iter().map(|container| container.engine).collect();
    assert_eq!(engines, [EngineKind::Podman; 2]);
}

#[test]
fn a_host_without_engines_has_none_and_no_note() {
    let read = parse(&Answers::of(true, [("containers.docker", ""), ("containers.podman", "")]));
    assert_eq!((read.facts.engines.len(), read.unseen.len()), (0, 0));
}

#[test]
fn what_was_refused_or_broke_off_is_noted() {
    let refused = Answer { text: String::new(), status: Some(1), complaint: "Permission denied".into() };
    let read = parse(&Answers::of(false, []).with("containers.docker", refused));
    assert_eq!(read.unseen, [Unseen::new("containers of docker", "needs root")]);
    let half = &API[..API.len() / 2];
    let read = parse(
        &Answers::of(true, [])
            .with("containers.docker", Answer { text: half.into(), status: None, complaint: String::new() }),
    );
    assert_eq!(read.unseen, [Unseen::new("containers of docker", "the answer stops half-way")]);
    assert!(!read.facts.containers.is_empty());
    let gone = format!("{API}\n{{\"message\":\"No such container: x\"}}\n");
    assert_eq!(docker_said(&gone).containers.len(), 7);
}

#[test]
fn this_machine_answers() {
    let answers = this_machine(&questions());
    let read = parse(&answers);
    assert!(read.facts.counters.uptime_seconds.unwrap() > 0.0);
    if !answers.text("containers.docker").is_empty() {
        assert_eq!((read.facts.engines.len(), read.unseen), (1, vec![]));
    }
    parse_slow(&this_machine(&slow_questions()));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(?s)(\\{\"Id\":\"a\",\"State\":\\{\"Status\":\"running\"\\}\\}|\\{\"ServerVersion\":\"1\"\\}|\\[|\\]|/sys/fs/cgroup/docker/[0-9a-f]{64}/(cpu.stat:usage_usec |memory.current:)|[0-9]{1,30}|\n|.){0,40}",
    ) {
        let names = ["containers.docker", "containers.podman", "containers.cgroups", "containers.podman-info"];
        let answers = Answers::of(true, names.map(|name| (name, text.as_str())));
        let read = parse(&answers);
        parse_slow(&answers);
        let before = read.facts.counters.clone();
        let rated = read.facts.with_rates(&before);
        assert!(rated.containers.iter().all(|container| container.cpu_percent.is_none()));
    }
}
