//! Nodes that are reached by SSH alone: `pvesh` and the same decoders.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use pve_sim::{Options, Sim};
use reanimator_core::{
    ErrorKind,
    host::{
        Host,
        pve::{ProxmoxCluster, ProxmoxNode, PveApi, Pvesh},
    },
    model::ConnectionId,
    transport::{
        Become, Transport,
        http::Request,
        ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget},
    },
};

use super::{api, observe};

async fn start_with_ssh(nodes: u32) -> Sim {
    Sim::start(Options { nodes, ssh: true, ..Options::default() }).await.unwrap()
}

/// `pvesh` on the node at this place.
fn pvesh(sim: &Sim, node: usize) -> Arc<Pvesh> {
    let ssh = sim.info().nodes[node].ssh.clone().unwrap();
    let mut hop = Hop::new(ssh.address, ssh.port, ssh.user);
    hop.host_keys = HostKeyPolicy { pinned: Some(ssh.host_key), ..HostKeyPolicy::default() };
    let transport: Arc<dyn Transport> = Arc::new(Ssh::new(SshTarget::new(hop), SshCredentials::password(ssh.password)));
    Arc::new(Pvesh::new(transport, Become::No))
}

#[tokio::test]
async fn pvesh_sees_what_the_api_sees() {
    let sim = start_with_ssh(2).await;
    let over_ssh = ProxmoxCluster::new(ConnectionId::from("home"), pvesh(&sim, 1));
    let (a, b) = (over_ssh.observe(Timestamp::now()).await.unwrap(), observe(&api(&sim, &[0])).await.unwrap());
    assert_eq!((&a.cluster, a.quorate, &a.unseen), (&b.cluster, b.quorate, &b.unseen));
    let nodes = |seen: &reanimator_core::model::ClusterSnapshot| {
        let told =
            |node: &reanimator_core::model::NodeSnapshot| (node.name.clone(), node.online, node.identity.clone());
        seen.nodes.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(nodes(&a), nodes(&b));
    let guests = |seen: &reanimator_core::model::ClusterSnapshot| {
        seen.guests.iter().map(|guest| (guest.id.clone(), guest.name.clone(), guest.status)).collect::<Vec<_>>()
    };
    assert_eq!(guests(&a), guests(&b));
    assert_eq!(over_ssh.guest_identities(&a.guests, Timestamp::now()).await.len(), a.guests.len());
}

#[tokio::test]
async fn a_node_reached_by_ssh_alone_is_a_whole_proxmox_host() {
    let sim = start_with_ssh(1).await;
    let name = sim.info().nodes[0].name.clone();
    let api = pvesh(&sim, 0);
    let seen = ProxmoxNode::new(&name, Arc::clone(&api) as _).observe(Timestamp::now()).await.unwrap();
    assert_eq!(seen.identity.proxmox_node, Some(name.clone()));
    assert!(seen.telemetry.load.is_some() && seen.identity.proxmox_version.is_some());
    let error = api.call(Request::get(["nodes", &name, "qemu", "55555", "config"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let change = Request::put(["nodes", &name, "config"]).param("description", "it's; $(reboot) \u{fc}n\u{ef}code");
    api.call(change.time_limit(Duration::from_secs(10))).await.unwrap();
    let config = api.call(Request::get(["nodes", &name, "config"])).await.unwrap();
    assert!(config["description"].as_str().unwrap().starts_with("it's; $(reboot) \u{fc}n\u{ef}code"), "{config}");
}

#[tokio::test]
async fn a_dead_node_is_that_nodes_trouble_through_pvesh_too() {
    let sim = start_with_ssh(3).await;
    let dead = sim.info().nodes[2].name.clone();
    sim.control().node_down(&dead).await.unwrap();
    let api = pvesh(&sim, 0);
    let error = api.call(Request::get(["nodes", &dead, "status"])).await.unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::Unreachable, Some(dead.as_str())));
    let seen = ProxmoxCluster::new(ConnectionId::from("home"), api).observe(Timestamp::now()).await.unwrap();
    assert!(seen.nodes.iter().all(|node| node.online != (node.name == dead)));
}
