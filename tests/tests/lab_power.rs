//! Power of real hosts: they reboot, go off, and are woken by packets that are really seen on their network.

use std::net::TcpStream;

use reanimator_tests::{
    lab::{self, LabHost, PowerSupply},
    program::Home,
};
use serde_json::Value;

/// When a host's first process began, in ticks of the machine's clock: containers share all other signs of a start.
fn start_of(home: &Home, host: &LabHost) -> String {
    let command = "sed 's/.*) //' /proc/1/stat | cut -d' ' -f20";
    let said = home.json(["exec", command, "--on", &host.name]);
    said["answers"][0]["stdout"].as_str().expect("exec answers").trim().to_owned()
}

/// The only step of an operation: its state and what came of it.
fn step(operation: &Value) -> (&str, &str) {
    let step = &operation["steps"][0];
    (step["state"].as_str().unwrap_or_default(), step["outcome"].as_str().unwrap_or_default())
}

fn is_off(host: &LabHost) -> bool {
    TcpStream::connect((host.address.as_str(), host.port)).is_err()
}

#[test]
#[ignore = "needs the lab"]
fn lab_a_host_that_reboots_is_waited_for_and_has_started_anew() {
    let (hosts, home) = (lab::hosts(), Home::new());
    let host = &hosts[0];
    let mut supply = PowerSupply::start();
    host.add_to(&home);
    let before = start_of(&home, host);
    let rebooted = home.json(["host", "reboot", &host.name]);
    assert_eq!(step(&rebooted), ("done", "it has started anew, and answers"));
    assert_eq!(supply.next(), serde_json::json!({"rebooted": host.name}), "once");
    assert_ne!(start_of(&home, host), before);
    let refused = home.json_of_failure(["host", "suspend", &host.name, "--dry-run"]);
    let why = refused["steps"][0]["refused"].to_string();
    assert!(
        why.contains("is a container (docker)"),
        "only this container may never put the machine to sleep: {refused}"
    );
}

#[test]
#[ignore = "needs the lab"]
fn lab_a_host_that_is_shut_down_is_woken_from_here_and_through_another_host() {
    let (hosts, home) = (lab::hosts(), Home::new());
    let [sleeper, other] = &hosts[..2] else { panic!("`lab up 3` starts three hosts: {hosts:?}") };
    let mut supply = PowerSupply::start();
    [sleeper, other].into_iter().for_each(|host| host.add_to(&home));
    let before = start_of(&home, sleeper);

    let down = home.json(["host", "shutdown", &sleeper.name]);
    assert_eq!(step(&down), ("done", "it does not answer any more"));
    assert!(is_off(sleeper));
    let again = home.json(["host", "shutdown", &sleeper.name]);
    assert_eq!(step(&again).0, "already", "{again}");
    let dry = home.json(["host", "wake", &sleeper.name, "--dry-run"]);
    let call = dry["steps"][0]["calls"][0].as_str().unwrap_or_default().to_owned();
    assert!(call.contains("from this machine by br-"), "{dry}");
    assert!(is_off(sleeper), "a dry run sends nothing");

    let up = home.json(["op", "undo", down["id"].as_str().expect("an operation has an id")]);
    assert_eq!(up["state"], "undone", "{up}");
    let seen = supply.next();
    assert_eq!(seen["host"], sleeper.name.as_str(), "{seen}");
    assert!(call.contains(seen["packet"].as_str().unwrap_or("no packet")), "{call} {seen}");
    assert_ne!(start_of(&home, sleeper), before);
    assert_eq!(step(&home.json(["host", "wake", &sleeper.name])), ("already", "it answers already"));

    assert_eq!(step(&home.json(["host", "shutdown", &sleeper.name])).0, "done");
    let up = home.json(["host", "wake", &sleeper.name, "--through", &other.name]);
    assert_eq!(step(&up), ("done", "it answers"), "{up}");
    let seen = std::iter::from_fn(|| Some(supply.next())).find(|seen| seen["sender"] == other.address.as_str());
    assert_eq!(
        seen.map(|seen| seen["host"].clone()),
        Some(sleeper.name.as_str().into()),
        "it came from the other host"
    );
}
