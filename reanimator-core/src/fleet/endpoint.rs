//! A node of another cluster as Proxmox is told to reach it: address, API token, certificate.
//!
//! Proxmox moves a guest to another cluster by logging in there itself, with the token of that cluster's connection. The
//! token must be one that may do so there, and a password is no use.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Host, Url};

use super::Fleet;
use crate::{
    Error, ErrorKind, Result,
    host::pve::PveApi,
    model::{ConnectionId, Endpoint, HostId, ProxmoxAuth, ProxmoxReach, Reach},
    transport::http::Request,
};

/// The port of a Proxmox API.
const PORT: u16 = 8006;

/// A node of a cluster, and how a node of another one gets in there.
pub(crate) struct RemoteNode {
    /// The API of its cluster.
    pub(crate) api: Arc<dyn PveApi>,
    /// The connection of its cluster.
    pub(crate) cluster: ConnectionId,
    /// Its name there.
    pub(crate) node: String,
    /// The token's public half: `user@realm!name`.
    pub(crate) token: String,
    secret: SecretString,
    address: String,
    port: u16,
    fingerprint: Option<String>,
}

/// The way to a node: its record, with what is needed besides.
struct Way {
    api: Arc<dyn PveApi>,
    cluster: ConnectionId,
    cluster_name: String,
    node: String,
    /// Its address in its cluster.
    ip: Option<String>,
    /// Whether it stands alone.
    alone: bool,
    reach: Option<ProxmoxReach>,
}

impl RemoteNode {
    /// What Proxmox takes as `target-endpoint`. To be sent, and never shown.
    pub(crate) fn endpoint(&self) -> SecretString {
        SecretString::from(self.text(self.secret.expose_secret()))
    }

    /// The same without the secret.
    pub(crate) fn shown(&self) -> String {
        self.text("***")
    }

    fn text(&self, secret: &str) -> String {
        let Self { address, port, token, .. } = self;
        let fingerprint = self.fingerprint.as_ref().map(|text| format!(",fingerprint={text}")).unwrap_or_default();
        format!("host={address},port={port},apitoken=PVEAPIToken={token}={secret}{fingerprint}")
    }

    /// A text of the far side, without the secret where it says it again.
    pub(crate) fn hide(&self, text: &str) -> String {
        text.replace(self.secret.expose_secret(), "***")
    }
}

impl Fleet {
    /// The way into a host that is a node of a cluster, for a node of another cluster.
    pub(crate) async fn remote_node(&self, id: &HostId, attempt: &str) -> Result<RemoteNode> {
        self.sync().await?;
        let way = self.way_to_node(id, attempt)?;
        let refuse = |cause: String, next: &str| Error::new(ErrorKind::Invalid, attempt).because(cause).next(next);
        let Some(reach) = &way.reach else {
            return Err(refuse(
                format!(
                    "the cluster {} is reached through a node's shell, and Proxmox needs its API",
                    way.cluster_name
                ),
                "connect it with `reanimator proxmox connect --token`",
            ));
        };
        let ProxmoxAuth::Token { id: token } = &reach.auth else {
            return Err(refuse(
                format!(
                    "the cluster {} is connected by a password, and Proxmox takes an API token to go there",
                    way.cluster_name
                ),
                "give the connection a token with `reanimator proxmox credentials`",
            ));
        };
        let secret = self.proxmox_secret(&way.cluster, reach).await?;
        let (address, port, pinned) = address(&way, reach).ok_or_else(|| {
            refuse(format!("no address of {} is known", way.node), "connect its cluster again, so that it is learnt")
        })?;
        let fingerprint = match pinned {
            Some(fingerprint) => Some(fingerprint),
            None => certificate(way.api.as_ref(), &way.node).await?,
        };
        let Way { api, cluster, node, .. } = way;
        Ok(RemoteNode { api, cluster, node, token: token.clone(), secret, address, port, fingerprint })
    }

    fn way_to_node(&self, id: &HostId, attempt: &str) -> Result<Way> {
        let found = self.read(|world| {
            let name = world.hosts.get(id).map(|known| known.host.name.clone());
            let place = world.node_places().remove(id);
            let way = place.and_then(|(cluster, node)| {
                let known = world.clusters.get(&cluster)?;
                let nodes = known.snapshot.as_ref().map(|seen| seen.nodes.as_slice()).unwrap_or_default();
                let ip = nodes.iter().find(|each| each.name == node).and_then(|each| each.ip.clone());
                let reach = match &known.connection.reach {
                    Reach::Proxmox(reach) => Some(reach.clone()),
                    Reach::Local | Reach::Ssh(_) => None,
                };
                Some(Way {
                    api: known.cluster.api().clone(),
                    cluster_name: known.connection.name.clone(),
                    alone: nodes.len() == 1,
                    cluster,
                    node,
                    ip,
                    reach,
                })
            });
            (name, way)
        });
        match found {
            (_, Some(way)) => Ok(way),
            (Some(name), None) => Err(Error::new(ErrorKind::Invalid, attempt)
                .because(format!("{name} is no node of a Proxmox cluster"))
                .next("choose another; see `reanimator host list`")),
            (None, None) => Err(Error::new(ErrorKind::NotFound, attempt)
                .because(format!("there is no host {id}"))
                .next("see `reanimator host list`")),
        }
    }
}

/// Where a node answers, and what its certificate is pinned to. One that is not asked by itself has the port of the others.
fn address(way: &Way, reach: &ProxmoxReach) -> Option<(String, u16, Option<String>)> {
    let of_it = |each: &&Endpoint| each.node.as_ref() == Some(&way.node);
    let known = reach.endpoints.iter().find(of_it).or_else(|| reach.endpoints.first().filter(|_| way.alone));
    if let Some(endpoint) = known {
        let url = Url::parse(&endpoint.url).ok()?;
        return Some((host(&url)?, url.port_or_known_default().unwrap_or(PORT), endpoint.fingerprint.clone()));
    }
    let port = Url::parse(&reach.endpoints.first()?.url).ok()?.port().unwrap_or(PORT);
    Some((way.ip.clone()?, port, None))
}

/// An IPv6 address without its brackets.
fn host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// What the node shows at its API: its own certificate, or the one that somebody gave it. The system trusts it, and the other
/// node's may not.
async fn certificate(api: &dyn PveApi, node: &str) -> Result<Option<String>> {
    let data = api.call(Request::get(["nodes", node, "certificates", "info"])).await?;
    let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |name: &str| {
        let row = rows.iter().find(|row| row.get("filename").and_then(Value::as_str) == Some(name))?;
        Some(row.get("fingerprint")?.as_str()?.to_owned())
    };
    Ok(named("pveproxy-ssl.pem").or_else(|| named("pve-ssl.pem")))
}
