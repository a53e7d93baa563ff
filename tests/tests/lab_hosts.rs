//! The lab as tests use it: hosts that are really there, and plugs that go back in.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use reanimator_tests::lab::{self, LabHost};

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
