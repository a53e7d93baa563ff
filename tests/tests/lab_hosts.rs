//! The lab as tests use it: hosts that are really there, and plugs that go back in.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use reanimator_tests::{
    lab::{self, LabHost},
    program::Home,
};
use serde_json::Value;

/// Longer than a live host ever needs, short enough to wait for a dead one.
const PATIENCE: Duration = Duration::from_secs(2);

#[test]
#[ignore = "needs the lab"]
fn lab_a_pulled_plug_silences_one_host_and_goes_back_in() {
    let hosts = lab::hosts();
    assert!(hosts.len() >= 3, "`lab up 3` starts three hosts: {hosts:?}");
    assert!(hosts.iter().all(speaks_ssh), "every host speaks SSH");

    let pulled = hosts[1].unplug();
    assert!(!speaks_ssh(&hosts[1]), "an unplugged host is silent");
    assert!(speaks_ssh(&hosts[0]) && speaks_ssh(&hosts[2]), "the others go on");

    drop(pulled);
    assert!(speaks_again(&hosts[1]), "the plug is back in");
}

#[test]
#[ignore = "needs the lab"]
fn lab_a_paused_host_takes_connections_and_says_nothing() {
    let hosts = lab::hosts();
    let paused = hosts[0].pause();
    assert!(connect(&hosts[0]).is_some(), "the kernel still answers");
    assert!(!speaks_ssh(&hosts[0]), "nobody speaks");

    drop(paused);
    assert!(speaks_again(&hosts[0]), "the host goes on");
}

/// A unit of real systemd hosts, made for this test.
const UNIT: &str = "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n";

#[test]
#[ignore = "needs the lab"]
fn lab_units_of_real_hosts_are_controlled_as_operations_and_nothing_of_it_stays_there() {
    let hosts = lab::hosts();
    let home = Home::new();
    hosts[..2].iter().for_each(|host| host.add_to(&home));
    let on = format!("{},{}", hosts[0].name, hosts[1].name);
    let run = |command: &str| home.json(["exec", command, "--on", &on, "--sudo"]);
    run(&format!("printf '{UNIT}' >/etc/systemd/system/probe.service && systemctl daemon-reload"));
    let said = |command: &str| -> Vec<String> {
        let mut answers = run(command)["answers"].as_array().expect("exec answers for each host").clone();
        answers.sort_by_key(|answer| answer["host"].to_string());
        answers.iter().map(|answer| answer["stdout"].as_str().unwrap_or_default().trim().to_owned()).collect()
    };
    let unit = |verb: &str| home.json(["host", "unit", verb, "probe", "--on", &on]);
    let states = |operation: &Value| -> Vec<String> {
        let steps = operation["steps"].as_array().expect("an operation has steps").iter();
        steps.map(|step| step["state"].as_str().unwrap_or_default().to_owned()).collect()
    };

    assert_eq!(states(&unit("start")), ["done", "done"]);
    assert_eq!(said("systemctl is-active probe"), ["active", "active"]);
    assert_eq!(states(&unit("start")), ["already", "already"], "what is there is not done again");
    let before = said("systemctl show --value --property=MainPID probe");
    assert_eq!(states(&unit("restart")), ["done", "done"]);
    let after = said("systemctl show --value --property=MainPID probe");
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    assert_eq!(states(&unit("enable")), ["done", "done"]);
    assert_eq!(said("systemctl is-enabled probe"), ["enabled", "enabled"]);
    assert_eq!(states(&unit("disable")), ["done", "done"]);
    assert_eq!(states(&unit("stop")), ["done", "done"]);
    assert_eq!(said("systemctl list-units --all --plain --no-legend 'reanimator-*'"), ["", ""]);
    run("rm /etc/systemd/system/probe.service && systemctl daemon-reload");
}

fn connect(host: &LabHost) -> Option<TcpStream> {
    let address = format!("{}:{}", host.address, host.port);
    let address: SocketAddr = address.parse().expect("the lab gives an address and a port");
    TcpStream::connect_timeout(&address, PATIENCE).ok()
}

fn speaks_ssh(host: &LabHost) -> bool {
    let Some(mut connection) = connect(host) else {
        return false;
    };
    let mut greeting = [0; 4];
    connection.set_read_timeout(Some(PATIENCE)).is_ok()
        && connection.read_exact(&mut greeting).is_ok()
        && &greeting == b"SSH-"
}

fn speaks_again(host: &LabHost) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if speaks_ssh(host) {
            return true;
        }
    }
    false
}
