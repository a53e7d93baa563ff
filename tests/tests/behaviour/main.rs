//! One behaviour suite over every kind of host: this machine, real SSH, recordings, Proxmox by its API, Proxmox by a
//! node's shell alone. What a host says it is capable of is what it is tried for.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod suite;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use pve_sim::{Options, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    fleet::NewHost,
    host::{
        linux::LinuxMachine,
        pve::{Credentials, ProxmoxCluster, ProxmoxNode, PveApi, PveHttps, Pvesh},
    },
    model::{ClusterSnapshot, ConnectionId, Endpoint, HostKind, HostState, IdentifiedGuest},
    transport::{
        Become, Local, Recorder, Replay, Ssh, Transport,
        http::{Client, Settings},
        ssh::{Hop, HostKeyPolicy, SshCredentials, SshTarget, fingerprint_of},
    },
};
use suite::Subject;

async fn linux(transport: impl Transport + 'static) {
    let machine = LinuxMachine::new(Arc::new(transport), Become::No);
    suite::run(Subject { host: &machine, linux: Some(&machine), proxmox: None }).await;
}

async fn proxmox(node: &ProxmoxNode) {
    suite::run(Subject { host: node, linux: None, proxmox: Some(node) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine() {
    linux(Local::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_behind_a_real_sshd() {
    linux(support::sshd::Sshd::start().client()).await;
}

/// With one session fewer than the suite wants at once: the rest waits for its turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_sshd_allows_few_sessions() {
    linux(support::sshd::Sshd::with("MaxSessions 3").client()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_machine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.jsonl");
    linux(Recorder::create(Local::new(), &file, Vec::new()).unwrap()).await;
    linux(Replay::open(&file).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_machines() {
    let hosts = reanimator_tests::lab::hosts();
    assert!(!hosts.is_empty());
    for lab in hosts {
        let mut hop = Hop::new(lab.address, lab.port, lab.user);
        hop.host_keys = HostKeyPolicy::pinned(&lab.host_key);
        let key = std::fs::read_to_string(lab.key).unwrap();
        linux(Ssh::new(SshTarget::new(hop), SshCredentials::key(key))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxmox_node_by_its_api() {
    let sim = Sim::start(Options { nodes: 2, ..Options::default() }).await.unwrap();
    let (id, secret) = sim.info().token.split_once('=').unwrap();
    let endpoints: Vec<_> = sim.info().nodes.iter().map(endpoint).collect();
    let api = PveHttps::new(&endpoints, Credentials::token(id, secret.to_owned().into())).unwrap();
    let api = Arc::new(api);
    for node in &sim.info().nodes {
        proxmox(&ProxmoxNode::new(&node.name, api.clone())).await;
    }
}

/// What is seen of a whole cluster: every node, guest and storage, and who the guests are.
async fn look(api: Arc<dyn PveApi>, now: jiff::Timestamp) -> (ClusterSnapshot, Vec<IdentifiedGuest>) {
    let cluster = ProxmoxCluster::new(ConnectionId::from("home"), api);
    let seen = cluster.observe(now).await.unwrap();
    let mut guests = cluster.guest_identities(&seen.guests, now).await;
    guests.sort_by(|a, b| a.0.cmp(&b.0));
    (seen, guests)
}

/// By a ticket, so that the recording has something to hide: the password, the ticket, the CSRF token.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_proxmox_cluster() {
    let sim = Sim::start(Options { nodes: 3, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.jsonl");
    let endpoints: Vec<_> = sim.info().nodes.iter().map(endpoint).collect();
    let client = Client::new(&endpoints, &Settings::new("/api2/json")).unwrap();
    let recorder = Recorder::of_http(client, &file, Vec::new()).unwrap();
    let (user, password) = (sim.info().user.clone(), sim.info().password.clone());
    let login = Credentials::password(&user, password.clone().into());
    let recorded = Arc::new(PveHttps::over(Arc::new(recorder), login).unwrap());
    let now = jiff::Timestamp::now();
    let (seen, guests) = look(recorded.clone(), now).await;
    assert!(seen.nodes.len() == 3 && !seen.guests.is_empty() && !guests.is_empty(), "{seen:?}");
    for node in &sim.info().nodes {
        proxmox(&ProxmoxNode::new(&node.name, recorded.clone())).await;
    }
    drop(sim);

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(r#"\"ticket\":\"[secret]\""#) && !text.contains(&format!("\"{password}\"")), "{text}");
    let login = Credentials::password(&user, "any word will do".to_owned().into());
    let replayed = Arc::new(PveHttps::over(Arc::new(Replay::open(&file).unwrap()), login).unwrap());
    assert_eq!(look(replayed.clone(), now).await, (seen.clone(), guests));
    for node in &seen.nodes {
        proxmox(&ProxmoxNode::new(&node.name, replayed.clone())).await;
    }
}

fn endpoint(node: &pve_sim::NodeInfo) -> Endpoint {
    Endpoint { url: node.url.clone(), fingerprint: Some(node.fingerprint.clone()), node: None }
}

/// Nodes that answer SSH need the program `pve-sim` for the commands of their shells.
async fn nodes_with_ssh(nodes: u32) -> Sim {
    Sim::start(Options { nodes, ssh: true, ..Options::default() }).await.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxmox_node_by_its_shell_alone() {
    let sim = nodes_with_ssh(1).await;
    let node = &sim.info().nodes[0];
    let ssh = node.ssh.clone().unwrap();
    let mut hop = Hop::new(ssh.address, ssh.port, ssh.user);
    hop.host_keys = HostKeyPolicy::pinned(&ssh.host_key);
    let transport = Ssh::new(SshTarget::new(hop), SshCredentials::key(ssh.key));
    proxmox(&ProxmoxNode::new(&node.name, Arc::new(Pvesh::new(Arc::new(transport.clone()), Become::No)))).await;
    linux(transport).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxmox_node_that_is_added_by_ssh_becomes_both() {
    let (sim, directory) = (nodes_with_ssh(2).await, tempfile::tempdir().unwrap());
    let node = &sim.info().nodes[0];
    let ssh = node.ssh.clone().unwrap();
    let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    let mut new = NewHost::new(ssh.address);
    (new.port, new.user, new.name) = (ssh.port, ssh.user, Some("attic".to_owned()));
    new.auth.agent = false;
    new.auth.key = Some(ssh.key.into());
    new.accept_host_key = fingerprint_of(&ssh.host_key);
    let added = fleet.add_host(new).await.unwrap();

    fleet.observe(added.id.as_str()).await.unwrap();
    let seen = fleet.observe(added.id.as_str()).await.unwrap();
    let host = &seen.host;
    assert_eq!((host.kind, host.state, host.name.as_str()), (HostKind::Both, HostState::Online, "attic"));
    assert!(host.problem.is_none() && host.proxmox_version.is_some(), "{host:?}");
    assert_eq!(seen.identity.unwrap().proxmox_node.as_deref(), Some(node.name.as_str()));
    let counts = host.guests.expect("its guests are counted");
    let guests = fleet.guests().await.unwrap();
    let count = guests.iter().filter(|guest| !guest.template).count();
    assert!(counts.running > 0 && counts.total as usize == count, "{counts:?} {guests:?}");
    assert!(guests.iter().all(|guest| guest.node == node.name && guest.host_id.as_ref() == Some(&host.id)));
    assert!(!fleet.storages().await.unwrap().is_empty());
    let status = fleet.status().await.unwrap();
    assert_eq!((status.hosts.len(), status.totals.guests.total), (2, counts.total), "no other node came in by it");
}
