//! Proxmox clusters over the real HTTPS transport, against the look-alike: what is seen when all is well, and what
//! each fault becomes.
#![allow(clippy::unwrap_used)]

mod away;
mod backups;
mod budget;
mod facts;
mod faults;
mod over_ssh;
mod seen;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use pve_sim::{Options, Sim};
use reanimator_core::{
    Result,
    host::pve::{Credentials, ProxmoxCluster, PveHttps},
    model::{ClusterSnapshot, ConnectionId, Endpoint, ProxmoxAuth, ProxmoxReach},
};
use secrecy::SecretString;

async fn start(nodes: u32) -> Sim {
    let options = Options { nodes, login_delay: Duration::from_millis(50), ..Options::default() };
    Sim::start(options).await.unwrap()
}

/// The endpoint of the node at this place, pinned.
fn endpoint(sim: &Sim, node: usize) -> Endpoint {
    let info = &sim.info().nodes[node];
    Endpoint { url: info.url.clone(), fingerprint: Some(info.fingerprint.clone()), node: None }
}

/// A token, `id=secret`, as credentials.
fn token(text: &str) -> (String, SecretString) {
    let (id, secret) = text.split_once('=').unwrap();
    (id.to_owned(), secret.to_owned().into())
}

fn api(sim: &Sim, nodes: &[usize]) -> Arc<PveHttps> {
    let (id, secret) = token(&sim.info().token);
    let endpoints: Vec<_> = nodes.iter().map(|node| endpoint(sim, *node)).collect();
    Arc::new(PveHttps::new(&endpoints, Credentials::token(id, secret)).unwrap())
}

fn reach(sim: &Sim, auth: ProxmoxAuth) -> ProxmoxReach {
    ProxmoxReach { endpoints: vec![endpoint(sim, 0)], auth }
}

async fn observe(api: &Arc<PveHttps>) -> Result<ClusterSnapshot> {
    ProxmoxCluster::new(ConnectionId::from("home"), Arc::clone(api) as _).observe(Timestamp::now()).await
}
