//! The way to a cluster that the look-alike plays: for a fleet, and for a test that asks the cluster itself.

use pve_sim::Sim;
use reanimator_core::{
    fleet::{NewProxmox, ProxmoxSecret},
    host::pve::{Credentials, PveHttps},
    model::Endpoint,
};

/// What a fleet is told to know the cluster of a node, counted over all clusters, by a token that may do everything.
///
/// # Panics
/// When there is no such node.
#[must_use]
pub fn connection(sim: &Sim, node: usize) -> NewProxmox {
    let info = sim.info();
    NewProxmox {
        url: info.nodes[node].url.clone(),
        name: None,
        auth: ProxmoxSecret::Token(info.token.clone().into()),
        accept_certificate: Some(info.nodes[node].fingerprint.clone()),
        dry_run: false,
    }
}

/// The API of that cluster, asked at that node.
///
/// # Panics
/// When there is no such node.
#[must_use]
pub fn api(sim: &Sim, node: usize) -> PveHttps {
    let info = sim.info();
    let (id, secret) = info.token.split_once('=').expect("a token is an id and a secret");
    let (url, fingerprint) = (info.nodes[node].url.clone(), Some(info.nodes[node].fingerprint.clone()));
    let endpoint = Endpoint { url, fingerprint, node: None };
    PveHttps::new(&[endpoint], Credentials::token(id, secret.to_owned().into())).expect("an endpoint is enough")
}
