//! Proxmox clusters that refuse, break off, or are not who they were.

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    ErrorKind,
    fleet::{NewProxmox, ProxmoxSecret},
    model::HostState,
    report,
};

use super::{Ward, complains};

/// The ways a whole API can go wrong, with a word that its error holds.
const FAULTS: [(&str, ErrorKind, &str); 6] = [
    ("401", ErrorKind::AuthFailed, "log in as root@pam!sim"),
    ("403", ErrorKind::Denied, "ask GET"),
    ("595", ErrorKind::Unreachable, "(status 595)"),
    ("596", ErrorKind::Unreachable, "(status 596)"),
    ("half-json", ErrorKind::Protocol, "breaks off"),
    ("html", ErrorKind::Protocol, "<html"),
];

async fn sim(nodes: u32) -> Sim {
    let options = Options { nodes, login_delay: Duration::from_millis(50), ..Options::default() };
    Sim::start(options).await.unwrap()
}

fn cluster(sim: &Sim) -> NewProxmox {
    NewProxmox {
        url: sim.info().url.clone(),
        name: Some("attic".to_owned()),
        auth: ProxmoxSecret::Token(sim.info().token.clone().into()),
        accept_certificate: Some(sim.info().fingerprint.clone()),
        dry_run: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_answers_wrongly_is_not_added() {
    let (ward, sim) = (Ward::open().await, sim(1).await);
    for (fault, kind, words) in FAULTS {
        sim.control().apply(Order::new(fault)).await.unwrap();
        let error = ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {}", report(&error));
        assert!(error.subject().is_some(), "{fault}: {}", report(&error));
        let text = report(&error);
        assert!(text.contains(words) && text.contains("Next: "), "{fault}: {text}");
        assert!(!text.contains(sim.info().token.split_once('=').unwrap().1), "{fault}: {text}");
        sim.control().clear().await;
        assert_eq!(ward.fleet.proxmoxes().await.unwrap(), [], "{fault}: nothing is stored of it");
    }
    assert_eq!(ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap().nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_cluster_that_answers_wrongly() {
    let (ward, sim) = (Ward::open().await, sim(1).await);
    ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap();
    let node = sim.info().nodes[0].name.clone();
    let guests = ward.fleet.guests().await.unwrap();
    assert_eq!(guests.len(), 8);
    for (fault, kind, words) in FAULTS {
        sim.control().apply(Order::new(fault)).await.unwrap();
        complains(&ward.look(&node).await.unwrap_err(), kind, &node, &[words]);
        let shown = ward.shown(&node).await;
        assert_eq!(shown.problem.map(|problem| problem.kind), Some(kind), "{fault}");
        assert!(shown.memory.is_some(), "{fault}: what was seen before is still shown");
        complains(&ward.look(&node).await.unwrap_err(), kind, &node, &[]);
        assert_eq!(ward.shown(&node).await.state, HostState::Offline, "{fault}");
        assert_eq!(ward.fleet.guests().await.unwrap().len(), guests.len(), "{fault}: the guests are not forgotten");

        sim.control().clear().await;
        if kind == ErrorKind::AuthFailed {
            // Nobody's account is locked by us: a refused login waits for an explicit wish.
            complains(&ward.look(&node).await.unwrap_err(), kind, &node, &["not tried again by itself"]);
            assert!(ward.fleet.test_proxmox("attic").await.unwrap().ok);
        }
        let back = ward.look(&node).await.unwrap().host;
        assert_eq!((back.state, back.problem), (HostState::Online, None), "{fault}");
    }
}

/// Connected, it has the endpoints of all its nodes; what is said when none answers names the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_which_no_node_answers_is_named() {
    let (ward, sim) = (Ward::open().await, sim(3).await);
    ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap();
    let nodes: Vec<String> = sim.info().nodes.iter().map(|node| node.name.clone()).collect();
    for node in &nodes {
        sim.control().node_down(node).await.unwrap();
    }
    let error = ward.look(&nodes[0]).await.unwrap_err();
    complains(&error, ErrorKind::Unreachable, &nodes[0], &["attic: could not ask", "none of 3 endpoints answers"]);
    for node in &nodes {
        let told = ward.shown(node).await.problem.unwrap().message;
        assert!(told.contains("attic") && told.matches("connection refused").count() <= 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_that_answers_wrongly_harms_no_other_node() {
    let (ward, sim) = (Ward::open().await, sim(3).await);
    ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap();
    let bad = sim.info().nodes[1].name.clone();
    for (fault, kind, _) in FAULTS.into_iter().filter(|(fault, ..)| *fault != "401") {
        let order = Order::new(fault).node(&bad).path(&format!("/nodes/{bad}"));
        sim.control().apply(order).await.unwrap();
        ward.look(&bad).await.expect("its cluster still tells of it");
        for node in &sim.info().nodes {
            let shown = ward.shown(&node.name).await;
            let told = shown.problem.as_ref();
            assert_eq!(
                told.map(|problem| problem.kind),
                (node.name == bad).then_some(kind),
                "{fault} at {}",
                node.name
            );
            assert!(told.is_none_or(|problem| problem.message.contains("could not ask GET")), "{told:?}");
            assert_eq!(shown.state, HostState::Online, "{fault} at {}", node.name);
        }
        sim.control().clear().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_changed() {
    let (ward, sim) = (Ward::open().await, sim(1).await);
    ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap();
    let node = sim.info().nodes[0].name.clone();
    sim.control().apply(Order::new("new-certificate").node(&node)).await.unwrap();
    // A kept connection was made with the old one: the node starts anew, as pveproxy does for a new certificate.
    sim.control().node_down(&node).await.unwrap();
    complains(&ward.look(&node).await.unwrap_err(), ErrorKind::Unreachable, &node, &[]);
    sim.control().node_up(&node).await.unwrap();

    let known = sim.info().fingerprint.clone();
    let error = ward.look(&node).await.unwrap_err();
    complains(&error, ErrorKind::CertificateChanged, &node, &[&known, "pinned"]);
    let shown = ward.shown(&node).await;
    assert_eq!(shown.problem.map(|problem| problem.kind), Some(ErrorKind::CertificateChanged));
    assert!(shown.memory.is_some(), "what was seen before is still shown");
    // The fingerprint that was right once is not taken for a new connection either.
    ward.fleet.remove_proxmox("attic").await.unwrap();
    let error = ward.fleet.connect_proxmox(cluster(&sim)).await.unwrap_err();
    complains(&error, ErrorKind::CertificateChanged, error.subject().unwrap(), &[&known]);
    assert_ne!(error.fingerprint().unwrap().sha256, known);
}
