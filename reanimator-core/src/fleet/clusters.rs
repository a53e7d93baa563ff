//! Proxmox clusters connected, listed, tested and removed.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Fleet, machines::secret, names, testing::TestReport};
use crate::{
    Error, ErrorKind, Result,
    host::pve::{self, Credentials, ProxmoxCluster, PveHttps},
    model::{Connection, ConnectionId, Endpoint, HostState, Problem, ProxmoxAuth, ProxmoxReach, Reach, Unseen},
    transport::http,
};

/// How long the first look at a certificate may take.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// A cluster to be connected.
#[derive(Clone, Debug)]
pub struct NewProxmox {
    /// `https://192.0.2.7:8006`; scheme and port may be left out.
    pub url: String,
    /// What to call it. Defaults to the cluster's name, or the address of a node that stands alone.
    pub name: Option<String>,
    /// What to log in with.
    pub auth: ProxmoxSecret,
    /// The SHA-256 fingerprint of a certificate that the system does not trust, to be accepted.
    pub accept_certificate: Option<String>,
    /// Only say what was found.
    pub dry_run: bool,
}

/// What to log in to Proxmox with.
#[derive(Clone, Debug)]
pub enum ProxmoxSecret {
    /// An API token as Proxmox prints it: `user@realm!name=secret`.
    Token(SecretString),
    /// A user with a password.
    Password {
        /// `root@pam`
        user: String,
        /// The password.
        password: SecretString,
    },
}

/// What was found behind a new connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectReport {
    /// The connection; in a dry run the one it would be.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// The cluster's name; a node that stands alone has none.
    pub cluster: Option<String>,
    /// Its nodes.
    pub nodes: Vec<FoundNode>,
    /// How many guests.
    pub guests: usize,
    /// How many storages.
    pub storages: usize,
    /// What will not be seen, and why.
    pub unseen: Vec<Unseen>,
}

/// One node of a new connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundNode {
    /// Its name.
    pub name: String,
    /// Whether its cluster sees it.
    pub online: bool,
    /// Its address in the cluster.
    pub ip: Option<String>,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<String>,
}

/// A connected cluster, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProxmoxView {
    /// The connection.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// The cluster's name; a node that stands alone has none.
    pub cluster: Option<String>,
    /// The addresses it is asked at.
    pub endpoints: Vec<Endpoint>,
    /// `token` or `ticket`.
    pub auth: String,
    /// Whether it answers.
    pub state: HostState,
    /// Whether it has quorum.
    pub quorate: Option<bool>,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Why it does not answer as it should.
    pub problem: Option<Problem>,
}

impl Fleet {
    /// Connects a cluster: looks at its certificate, logs in once, looks around, and stores it with all its nodes.
    ///
    /// # Errors
    /// `CertificateUnknown` with the fingerprint, to be shown and accepted; `AuthFailed` when the login is refused;
    /// `Conflict` when the cluster or the name is in the fleet; whatever keeps it from being reached.
    pub async fn connect_proxmox(&self, new: NewProxmox) -> Result<ConnectReport> {
        let url = full_url(&new.url)?;
        let (auth, name_of_secret, secret_value) = login(&new.auth)?;
        let fingerprint = self.certificate(&url, new.accept_certificate.as_deref()).await?;
        let reach = ProxmoxReach { endpoints: vec![Endpoint { url: url.clone(), fingerprint, node: None }], auth };
        let (introduction, api) = pve::connect(&reach, secret_value.clone(), None).await?;
        let name = new.name.clone().or(introduction.cluster.clone()).unwrap_or_else(|| host_of(&url));
        names::check("name", &name)?;
        self.refuse_twice(&name, &introduction).await?;
        let id = ConnectionId::generate();
        let snapshot = ProxmoxCluster::new(id.clone(), Arc::new(api)).observe(self.now()).await?;
        let report = ConnectReport {
            id: id.clone(),
            name: name.clone(),
            cluster: introduction.cluster.clone(),
            nodes: introduction
                .nodes
                .iter()
                .map(|node| FoundNode {
                    name: node.name.clone(),
                    online: node.online,
                    ip: node.ip.clone(),
                    fingerprint: node.fingerprint.clone(),
                })
                .collect(),
            guests: snapshot.guests.len(),
            storages: snapshot.storages.len(),
            unseen: introduction.unseen.clone(),
        };
        if new.dry_run {
            return Ok(report);
        }
        let connection = Connection {
            id: id.clone(),
            name,
            reach: Reach::Proxmox(introduction.reach),
            credentials_changed_at: None,
        };
        let secrets = [(name_of_secret.to_owned(), secret_value)];
        self.store().save_connection_with_hosts(&connection, &secrets, &[]).await?;
        self.sync().await?;
        let seen = self.look_at_cluster(&id).await?;
        self.write_down_cluster(&seen).await?;
        Ok(report)
    }

    /// What to pin: nothing where the system trusts the certificate, else the fingerprint that was accepted.
    async fn certificate(&self, url: &str, accept: Option<&str>) -> Result<Option<String>> {
        let shown = http::probe(url, PROBE_LIMIT).await?;
        if let Some(accepted) = accept {
            let (wanted, found) = (http::parse_sha256(accepted)?, http::parse_sha256(&shown.fingerprint.sha256)?);
            return match wanted == found {
                true => Ok(Some(shown.fingerprint.sha256)),
                false => Err(Error::new(ErrorKind::CertificateChanged, format!("accept the certificate {accepted}"))
                    .on(host_of(url))
                    .because(format!("it shows {} now", shown.fingerprint.sha256))
                    .showing(shown.fingerprint)
                    .next("compare it with the node's own page: Certificates, or `pvenode cert info`")),
            };
        }
        match shown.trusted {
            true => Ok(None),
            false => Err(Error::new(ErrorKind::CertificateUnknown, "trust its certificate")
                .on(host_of(url))
                .because(format!("the system does not know it: SHA-256 {}", shown.fingerprint.sha256))
                .showing(shown.fingerprint.clone())
                .next(format!(
                    "compare it with `pvenode cert info` on the node, then accept it with --accept-certificate {}",
                    shown.fingerprint.sha256
                ))),
        }
    }

    async fn refuse_twice(&self, name: &str, introduction: &pve::Introduction) -> Result<()> {
        let addresses = |endpoints: &[Endpoint]| endpoints.iter().map(|each| host_of(&each.url)).collect::<Vec<_>>();
        let new = addresses(&introduction.reach.endpoints);
        for connection in self.store().connections().await? {
            let Reach::Proxmox(reach) = &connection.reach else { continue };
            let common = addresses(&reach.endpoints).into_iter().find(|address| new.contains(address));
            // Ports tell apart what runs on one address, such as several clusters behind one gateway.
            let same = common.is_some()
                && reach
                    .endpoints
                    .iter()
                    .any(|each| introduction.reach.endpoints.iter().any(|new| new.url == each.url));
            if same || connection.name == name {
                let why = match same {
                    true => format!("it is connected already as {}", connection.name),
                    false => "a connection of that name is there".to_owned(),
                };
                return Err(Error::new(ErrorKind::Conflict, format!("connect {name}"))
                    .because(why)
                    .next("give another name, or remove the other connection first"));
            }
        }
        Ok(())
    }

    /// The connected clusters.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn proxmoxes(&self) -> Result<Vec<ProxmoxView>> {
        let hosts = self.status().await?.hosts;
        Ok(self.read(|world| {
            let view = |known: &super::world::KnownCluster| {
                let Reach::Proxmox(reach) = &known.connection.reach else { return None };
                let snapshot = known.snapshot.as_ref();
                let nodes: Vec<String> =
                    snapshot.map(|all| all.nodes.iter().map(|node| node.name.clone()).collect()).unwrap_or_default();
                let ids = world.nodes_of(&known.connection.id);
                let state_of =
                    |host: &crate::model::HostView| ids.values().any(|id| *id == host.id).then_some(host.state);
                let mut states = hosts.iter().filter_map(state_of);
                let state = match known.heard.misses {
                    0 if states.clone().any(|state| state == HostState::Online) => HostState::Online,
                    0 if states.all(|state| state == HostState::Unknown) => HostState::Unknown,
                    _ => HostState::Offline,
                };
                Some(ProxmoxView {
                    id: known.connection.id.clone(),
                    name: known.connection.name.clone(),
                    cluster: snapshot.and_then(|snapshot| snapshot.cluster.clone()),
                    endpoints: reach.endpoints.clone(),
                    auth: match reach.auth {
                        ProxmoxAuth::Token { .. } => "token",
                        ProxmoxAuth::Ticket { .. } => "ticket",
                    }
                    .to_owned(),
                    state,
                    quorate: snapshot.and_then(|snapshot| snapshot.quorate),
                    nodes,
                    problem: known.heard.problem.clone(),
                })
            };
            world.clusters.values().filter_map(view).collect()
        }))
    }

    /// Removes a connection, and the hosts that only it brought in.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_proxmox(&self, id_or_name: &str) -> Result<()> {
        let connection = self.find_proxmox(id_or_name).await?;
        self.store().remove_connection(&connection.id).await?;
        self.sync().await?;
        self.forget_gone_clusters().await
    }

    /// Tries a connection: certificate, login, what it may see. Also lets a login that was refused be tried once more.
    ///
    /// # Errors
    /// `NotFound`. What fails over there is in the report.
    pub async fn test_proxmox(&self, id_or_name: &str) -> Result<TestReport> {
        let connection = self.find_proxmox(id_or_name).await?;
        let Reach::Proxmox(reach) = &connection.reach else { return Ok(TestReport::default()) };
        let mut report = TestReport::default();
        let secret = self.proxmox_secret(&connection.id, reach).await?;
        let introduced = pve::connect(reach, secret, None).await;
        let said = introduced.map(|(introduction, _)| {
            let version = introduction.version.clone().unwrap_or_default();
            (format!("Proxmox VE {version}, {} nodes", introduction.nodes.len()), introduction.unseen)
        });
        let unseen = said.as_ref().map(|(_, unseen)| unseen.clone()).unwrap_or_default();
        if report.step("log in and look around", said.map(|(text, _)| text)) {
            let rights = unseen.iter().map(|each| format!("{}: {}", each.what, each.why)).collect::<Vec<_>>();
            report.step(
                "see everything",
                match rights.is_empty() {
                    true => Ok("nothing is hidden from this login".to_owned()),
                    false => Err(Error::new(ErrorKind::Denied, "see everything")
                        .because(rights.join("; "))
                        .next("give the login the role PVEAuditor on /")),
                },
            );
            let known = self.read(|world| world.clusters.get(&connection.id).map(|known| known.cluster.clone()));
            if let Some(cluster) = known {
                cluster.api().allow_login_again().await;
            }
        }
        Ok(report)
    }

    pub(super) async fn find_proxmox(&self, id_or_name: &str) -> Result<Connection> {
        let connections = self.store().connections().await?;
        let of_proxmox: Vec<Connection> =
            connections.into_iter().filter(|each| matches!(each.reach, Reach::Proxmox(_))).collect();
        let names: Vec<String> = of_proxmox.iter().map(|each| each.name.clone()).collect();
        let found = of_proxmox.into_iter().find(|each| each.id.as_str() == id_or_name || each.name == id_or_name);
        found.ok_or_else(|| {
            let known =
                if names.is_empty() { "there is none".to_owned() } else { format!("there are {}", names.join(", ")) };
            Error::new(ErrorKind::NotFound, format!("find the Proxmox connection \"{id_or_name}\""))
                .because(known)
                .next("see `reanimator proxmox list`")
        })
    }

    pub(super) async fn proxmox_secret(&self, id: &ConnectionId, reach: &ProxmoxReach) -> Result<SecretString> {
        let name = match reach.auth {
            ProxmoxAuth::Token { .. } => secret::TOKEN,
            ProxmoxAuth::Ticket { .. } => secret::PASSWORD,
        };
        self.store().get_secret(id.as_str(), name).await?.ok_or_else(|| {
            Error::new(ErrorKind::Storage, "log in to Proxmox")
                .because("its secret is not stored")
                .next("remove the connection and connect it again")
        })
    }

    /// The cluster behind a stored connection. Connects to nothing yet.
    pub(super) async fn cluster(&self, id: &ConnectionId, reach: &ProxmoxReach) -> Result<ProxmoxCluster> {
        let credentials = Credentials::new(&reach.auth, self.proxmox_secret(id, reach).await?);
        let api = PveHttps::new(&reach.endpoints, credentials)?;
        Ok(ProxmoxCluster::new(id.clone(), Arc::new(api)))
    }
}

/// The login's public half, and its secret under its name.
pub(super) fn login(given: &ProxmoxSecret) -> Result<(ProxmoxAuth, &'static str, SecretString)> {
    match given {
        ProxmoxSecret::Password { user, password } => {
            if !user.contains('@') {
                return Err(Error::new(ErrorKind::Invalid, format!("log in as {user:?}"))
                    .because("a Proxmox user has a realm")
                    .next(format!("write {user}@pam or {user}@pve")));
            }
            Ok((ProxmoxAuth::Ticket { user: user.clone() }, secret::PASSWORD, password.clone()))
        }
        ProxmoxSecret::Token(text) => {
            let text = text.expose_secret().trim();
            let text = text.strip_prefix("PVEAPIToken=").unwrap_or(text);
            // The name of a token holds no =, a secret may.
            let (id, value) = text
                .split_once(['=', ' '])
                .filter(|(id, value)| id.contains('@') && id.contains('!') && !value.is_empty())
                .ok_or_else(|| {
                    Error::new(ErrorKind::Invalid, "read the API token")
                        .because("it is not user@realm!name=secret")
                        .next("copy both the token's id and its secret from Datacenter, Permissions, API Tokens")
                })?;
            Ok((ProxmoxAuth::Token { id: id.to_owned() }, secret::TOKEN, value.to_owned().into()))
        }
    }
}

/// Adds `https://` and port 8006 where they are left out.
fn full_url(given: &str) -> Result<String> {
    let invalid = |cause: String| {
        Error::new(ErrorKind::Invalid, format!("read the address {given:?}"))
            .because(cause)
            .next("write it as https://192.0.2.7:8006")
    };
    let text = given.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = url::Url::parse(&text).map_err(|error| invalid(error.to_string()))?;
    if url.scheme() != "https" || url.host().is_none() {
        return Err(invalid("Proxmox is spoken to over https".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("a user or password stands in it".to_owned()));
    }
    // A port that is the scheme's own looks like none: who means 443 writes it.
    if url.port().is_none() && !text.trim_end_matches('/').ends_with(":443") {
        url.set_port(Some(8006)).map_err(|()| invalid("it takes no port".to_owned()))?;
    }
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        for (given, full) in [
            ("192.0.2.7", "https://192.0.2.7:8006"),
            ("pve.example.org:443", "https://pve.example.org"),
            ("https://pve:8006/#v1:0", "https://pve:8006"),
            ("https://[fd00::1]", "https://[fd00::1]:8006"),
        ] {
            assert_eq!(full_url(given).expect(given), full);
        }
        for bad in ["http://pve", "https://root:x@pve", "", "https://"] {
            assert_eq!(full_url(bad).expect_err(bad).kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn tokens_are_read_as_proxmox_prints_them() {
        let read = |text: &str| login(&ProxmoxSecret::Token(text.to_owned().into()));
        let (auth, name, value) = read("PVEAPIToken=root@pam!a=b=c").expect("a token");
        assert_eq!((auth, name), (ProxmoxAuth::Token { id: "root@pam!a".into() }, secret::TOKEN));
        assert_eq!(value.expose_secret(), "b=c");
        for bad in ["", "root@pam=x", "root@pam!a=", "secret-only"] {
            let error = read(bad).expect_err(bad);
            assert!(!crate::report(&error).contains("secret-only"));
        }
    }
}
