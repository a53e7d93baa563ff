//! Sockets of this very process, as the facts of this machine tell them.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    net::{TcpListener, UdpSocket},
    sync::Arc,
};

use super::LinuxMachine;
use crate::{
    model::facts::{HostFacts, Section, listeners::Protocol},
    transport::{Become, Local},
};

#[tokio::test]
async fn sockets_of_this_process_are_seen_on_this_machine() {
    let tcp = TcpListener::bind("0.0.0.0:0").unwrap();
    let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
    let local = TcpListener::bind("127.0.0.1:0").unwrap();
    let machine = LinuxMachine::new(Arc::new(Local::new()), Become::No);
    let facts = machine.facts(&[Section::Listeners], &HostFacts::default(), jiff::Timestamp::now()).await.unwrap();
    let facts = facts.listeners.unwrap().facts;
    let own = std::fs::read_to_string("/proc/self/comm").unwrap();
    for (protocol, place, loopback) in [
        (Protocol::Tcp, tcp.local_addr().unwrap(), false),
        (Protocol::Udp, udp.local_addr().unwrap(), false),
        (Protocol::Tcp, local.local_addr().unwrap(), true),
    ] {
        let found: Vec<_> = facts
            .sockets
            .iter()
            .filter(|socket| {
                socket.protocol == protocol && socket.address == place.ip().to_string() && socket.port == place.port()
            })
            .collect();
        assert_eq!(found.len(), 1, "{protocol:?} {place} in {facts:#?}");
        assert_eq!((found[0].loopback, found[0].process.as_deref()), (loopback, Some(own.trim())));
    }
}
