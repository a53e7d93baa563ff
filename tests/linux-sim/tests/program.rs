//! The program: one JSON line per host, hosts that listen, an end on SIGTERM.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn it_says_where_its_hosts_are_and_ends_when_told() {
    let arguments = ["--hosts", "3", "--seed", "5", "--base", "127.78.0.254"];
    let mut sim = Command::new(env!("CARGO_BIN_EXE_linux-sim")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(sim.stdout.take().unwrap()).lines().take(3);
    let hosts: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let texts = |name: &str| hosts.iter().map(|host| host[name].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts("address"), ["127.78.0.254", "127.78.0.255", "127.78.1.0"]);
    assert_eq!(texts("name"), ["sim0001", "sim0002", "sim0003"]);
    for host in &hosts {
        let port = u16::try_from(host["port"].as_u64().unwrap()).unwrap();
        TcpStream::connect((host["address"].as_str().unwrap(), port)).unwrap();
        assert!(host["host_key"].as_str().unwrap().starts_with("ssh-ed25519 "));
    }
    let key = texts("key").remove(0);
    assert!(Path::new(&key).exists());
    assert!(Command::new("kill").arg(sim.id().to_string()).status().unwrap().success());
    assert!(sim.wait().unwrap().success());
    assert!(!Path::new(&key).exists(), "the key went with the simulation");
}

#[test]
fn it_refuses_to_leave_the_loopback() {
    let arguments = ["--hosts", "3", "--base", "127.255.255.254"];
    let said = Command::new(env!("CARGO_BIN_EXE_linux-sim")).args(arguments).output().unwrap();
    assert!(!said.status.success() && said.stdout.is_empty());
    assert!(String::from_utf8_lossy(&said.stderr).contains("would leave 127.0.0.0/8"), "{said:?}");
}
