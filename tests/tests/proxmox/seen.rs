//! What one connection brings in.

use std::sync::Arc;

use reanimator_core::{
    ErrorKind,
    host::{
        Host,
        pve::{ProxmoxCluster, ProxmoxNode, PveApi, PveHttps, connect},
    },
    model::{ConnectionId, Endpoint, GuestKind, GuestStatus, ProxmoxAuth},
    transport::http::{Request, probe},
};

use super::{api, endpoint, observe, reach, start, token};

#[tokio::test]
async fn one_connection_brings_in_every_node_guest_and_storage() {
    let sim = start(3).await;
    let seen = observe(&api(&sim, &[0])).await.unwrap();
    assert_eq!(
        (seen.cluster.as_deref(), seen.quorate, seen.unseen.len()),
        (Some("sim1"), Some(true), 0),
        "{:?}",
        seen.unseen
    );
    let names: Vec<_> = seen.nodes.iter().map(|node| node.name.as_str()).collect();
    let there: Vec<_> = sim.info().nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, there);
    for node in &seen.nodes {
        assert!(node.online && node.problem.is_none() && node.unseen.is_empty(), "{node:?}");
        assert!(
            node.telemetry.load.is_some() && node.telemetry.memory.is_some() && node.identity.proxmox_version.is_some()
        );
        assert!(node.telemetry.cpu_percent.is_some_and(|percent| (0.0..=100.0).contains(&percent)));
    }
    assert_eq!(seen.guests.len(), 8);
    assert!(seen.guests.iter().any(|guest| guest.kind == GuestKind::Lxc && guest.status == GuestStatus::Running));
    let counted: u32 = seen.nodes.iter().map(|node| node.guests.total).sum();
    let templates = seen.guests.iter().filter(|guest| guest.template).count();
    assert_eq!((counted as usize, templates), (8 - templates, 1));
    let shared: Vec<_> = seen.storages.iter().filter(|storage| storage.shared).collect();
    assert!(shared.iter().all(|storage| storage.nodes.len() == 3), "{shared:?}");
    let mut ids: Vec<_> = seen.storages.iter().map(|storage| &storage.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), seen.storages.len());
}

#[tokio::test]
async fn guests_tell_which_machine_they_are() {
    let sim = start(2).await;
    let cluster = ProxmoxCluster::new(ConnectionId::from("home"), api(&sim, &[0]));
    let seen = cluster.observe(jiff::Timestamp::now()).await.unwrap();
    let known = cluster.guest_identities(&seen.guests, jiff::Timestamp::now()).await;
    assert_eq!(known.len(), seen.guests.len());
    for (id, identity) in &known {
        let guest = seen.guests.iter().find(|guest| guest.id == *id).unwrap();
        assert!(!identity.macs.is_empty(), "{id}");
        assert_eq!(identity.smbios_uuid.is_some(), guest.kind == GuestKind::Qemu, "{id}");
    }
}

#[tokio::test]
async fn a_node_is_a_host() {
    let sim = start(1).await;
    let node = ProxmoxNode::new(&sim.info().nodes[0].name, api(&sim, &[0]));
    let seen = node.observe(jiff::Timestamp::now()).await.unwrap();
    assert_eq!(seen.identity.proxmox_node, Some(sim.info().nodes[0].name.clone()));
    assert!(seen.telemetry.uptime_seconds.is_some() && !seen.telemetry.file_systems.is_empty());
}

#[tokio::test]
async fn the_first_look_finds_all_addresses_so_that_one_is_enough() {
    let sim = start(3).await;
    let (id, secret) = token(&sim.info().token);
    let (told, _) = connect(&reach(&sim, ProxmoxAuth::Token { id: id.clone() }), secret.clone(), None).await.unwrap();
    assert_eq!(
        (told.cluster.as_deref(), told.nodes.len(), told.unseen.len()),
        (Some("sim1"), 3, 0),
        "{:?}",
        told.unseen
    );
    assert!(told.version.is_some());
    let named = |node: usize| Endpoint { node: Some(sim.info().nodes[node].name.clone()), ..endpoint(&sim, node) };
    let mut expected: Vec<_> = (0..3).map(named).collect();
    let mut found = told.reach.endpoints.clone();
    for endpoints in [&mut expected, &mut found] {
        endpoints.sort_by(|a, b| a.url.cmp(&b.url));
    }
    assert_eq!(found, expected);
    // The node whose address was given goes away: the others answer.
    let again =
        PveHttps::new(&told.reach.endpoints, reanimator_core::host::pve::Credentials::token(id, secret)).unwrap();
    let again = Arc::new(again);
    sim.control().node_down(&sim.info().nodes[0].name).await.unwrap();
    let seen = observe(&again).await.unwrap();
    assert_eq!(seen.nodes.iter().filter(|node| node.online).count(), 2);
    assert!(seen.unseen.iter().any(|unseen| unseen.what.starts_with("the API at 127.")), "{:?}", seen.unseen);
}

#[tokio::test]
async fn an_unknown_certificate_is_shown_first() {
    let sim = start(1).await;
    let url = sim.info().url.clone();
    let shown = probe(&url, std::time::Duration::from_secs(5)).await.unwrap();
    assert_eq!((&shown.fingerprint.sha256, shown.trusted), (&sim.info().fingerprint, false));
    let (id, secret) = token(&sim.info().token);
    let mut unpinned = reach(&sim, ProxmoxAuth::Token { id });
    unpinned.endpoints = vec![Endpoint { url, fingerprint: None, node: None }];
    let error = connect(&unpinned, secret, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateUnknown);
    assert_eq!(error.fingerprint().unwrap().sha256, sim.info().fingerprint);
}

#[tokio::test]
async fn a_ticket_sees_the_same_as_a_token() {
    let sim = start(2).await;
    let auth = ProxmoxAuth::Ticket { user: sim.info().user.clone() };
    let (told, with_ticket) = connect(&reach(&sim, auth), sim.info().password.clone().into(), None).await.unwrap();
    assert_eq!(told.nodes.len(), 2);
    let with_ticket = Arc::new(with_ticket);
    let (a, b) = (observe(&with_ticket).await.unwrap(), observe(&api(&sim, &[0])).await.unwrap());
    let names = |seen: &reanimator_core::model::ClusterSnapshot| {
        seen.guests.iter().map(|guest| (guest.vmid.clone(), guest.name.clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&a), names(&b));
    // A change carries the CSRF token; without it the look-alike refuses, as the real one does.
    with_ticket.call(Request::post(["access", "groups"]).param("groupid", "night-shift")).await.unwrap();
}

#[tokio::test]
async fn a_token_without_rights_is_told_that_empty_is_not_none() {
    let sim = start(2).await;
    let (id, secret) = token(&sim.info().token_without_acl);
    let (told, stranger) = connect(&reach(&sim, ProxmoxAuth::Token { id }), secret, None).await.unwrap();
    assert!(
        told.unseen.iter().any(|unseen| unseen.what == "everything" && unseen.why.contains("no rights at all")),
        "{:?}",
        told.unseen
    );
    let seen = observe(&Arc::new(stranger)).await.unwrap();
    assert_eq!((seen.guests.len(), seen.storages.len()), (0, 0));
    assert!(seen.unseen.iter().any(|unseen| unseen.what == "guests, storages and figures"), "{:?}", seen.unseen);
    assert!(
        seen.nodes.iter().all(|node| node.problem.as_ref().is_some_and(|problem| problem.kind == ErrorKind::Denied))
    );
}
