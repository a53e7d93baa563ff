//! Records made into machines that can be asked: connections with their secrets become transports.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use secrecy::SecretString;

use super::{
    Fleet,
    world::{Known, KnownCluster},
};
use crate::{
    Result,
    host::{
        linux::LinuxMachine,
        pve::{ProxmoxCluster, Pvesh},
    },
    model::{Connection, ConnectionId, EventKind, Host, HostId, HostView, Link, Reach, SshReach, Sudo},
    store::NamedSecret,
    transport::{Become, Local, Ssh, SshCredentials, SshTarget, Transport, ssh::default_key_files},
};

/// Names under which a connection's secrets are stored.
pub(super) mod secret {
    /// An SSH private key.
    pub(in crate::fleet) const KEY: &str = "key";
    /// The key's passphrase.
    pub(in crate::fleet) const PASSPHRASE: &str = "passphrase";
    /// An SSH or Proxmox password.
    pub(in crate::fleet) const PASSWORD: &str = "password";
    /// A sudo password.
    pub(in crate::fleet) const SUDO: &str = "sudo";
    /// A Proxmox API token's secret.
    pub(in crate::fleet) const TOKEN: &str = "token";
}

/// How long a connection may take; shorter than an observation that begins with it, so that its own words are heard.
const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(7);

/// The setting that says this machine was added once: who removes it does not want it back.
const THIS_MACHINE_ADDED: &str = "this-machine-added";

impl Fleet {
    /// Makes this very machine the first host of a new data directory.
    pub(super) async fn add_this_machine_once(&self) -> Result<()> {
        let store = self.store();
        if !self.inner.options.with_this_machine || store.setting(THIS_MACHINE_ADDED).await?.is_some() {
            return Ok(());
        }
        let name = own_name(&Local::new()).await;
        let connection = Connection {
            id: ConnectionId::generate(),
            name: name.clone(),
            reach: Reach::Local,
            credentials_changed_at: None,
        };
        let host = Host {
            id: HostId::generate(),
            name,
            groups: Default::default(),
            tags: Default::default(),
            maintenance: false,
            links: vec![Link::Local { connection: connection.id.clone() }],
        };
        // Two processes may open a new directory at once: the second finds the name taken.
        match store.save_host_with_connection(&host, &connection, &[]).await {
            Err(error) if error.kind() == crate::ErrorKind::Conflict => {}
            result => result?,
        }
        store.put_setting(THIS_MACHINE_ADDED, Some("yes")).await
    }

    /// Reads the records and makes the world agree with them: new machines are built, changed ones built anew, gone ones
    /// let go.
    pub(crate) async fn sync(&self) -> Result<()> {
        let _one_at_a_time = self.inner.syncing.lock().await;
        let connections: BTreeMap<ConnectionId, Connection> =
            self.store().connections().await?.into_iter().map(|each| (each.id.clone(), each)).collect();
        let hosts = self.store().hosts().await?;
        self.sync_clusters(&connections).await?;
        let mut built = Vec::new();
        for host in &hosts {
            let wanted = shell_connection(host, &connections);
            let kept = self.read(|world| {
                let known = world.hosts.get(&host.id)?;
                Some(known.machine.as_ref().map(|(connection, _)| connection) == wanted)
            });
            match (kept, wanted) {
                (Some(true), _) => {}
                (_, None) => built.push((host.id.clone(), None)),
                (_, Some(connection)) => {
                    // One secret that cannot be read must not keep the others from being looked after.
                    match self.machine(connection).await {
                        Ok(machine) => built.push((host.id.clone(), Some((connection.clone(), Arc::new(machine))))),
                        Err(error) => {
                            tracing::error!(host = %host.name, error = %crate::report(&error), "it cannot be reached")
                        }
                    }
                }
            }
        }
        let (added, removed) = self.write(|world| {
            let mut built: BTreeMap<HostId, _> = built.into_iter().collect();
            let mut added = Vec::new();
            for host in &hosts {
                match world.hosts.get_mut(&host.id) {
                    Some(known) => {
                        known.host = host.clone();
                        if let Some(machine) = built.remove(&host.id) {
                            (known.machine, known.shell) = (machine, Default::default());
                        }
                    }
                    None => {
                        let machine = built.remove(&host.id).flatten();
                        let known = Known {
                            host: host.clone(),
                            machine,
                            shell: Default::default(),
                            identity: None,
                            view: None,
                            digest: Default::default(),
                            asked: BTreeMap::new(),
                            facts_failed: None,
                        };
                        world.hosts.insert(host.id.clone(), known);
                        added.push(host.id.clone());
                    }
                }
            }
            let there: std::collections::HashSet<&HostId> = hosts.iter().map(|host| &host.id).collect();
            let gone: Vec<HostId> = world.hosts.keys().filter(|id| !there.contains(id)).cloned().collect();
            let removed: Vec<Known> = gone.iter().filter_map(|id| world.hosts.remove(id)).collect();
            (added, removed)
        });
        self.sync_shell_nodes();
        let views = self.read(|world| {
            let known = added.iter().filter_map(|id| world.hosts.get(id));
            known.map(|known| world.shown(known, self.now())).collect::<Vec<_>>()
        });
        views.iter().for_each(|view| self.tell(EventKind::HostAdded, view));
        for known in removed {
            self.tell(EventKind::HostRemoved, &serde_json::json!({ "id": known.host.id }));
            if let Some((_, machine)) = known.machine {
                // An observation under way holds it: nobody waits for that.
                tokio::spawn(async move { crate::host::Host::close(machine.as_ref()).await });
            }
        }
        Ok(())
    }

    async fn sync_clusters(&self, connections: &BTreeMap<ConnectionId, Connection>) -> Result<()> {
        // What was seen of a cluster stays when only the way to it is another one.
        let mut changed = self.write(|world| {
            let (kept, changed): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut world.clusters)
                .into_iter()
                .partition(|(id, known)| connections.get(id) == Some(&known.connection));
            world.clusters = kept;
            changed
        });
        for connection in connections.values() {
            let Reach::Proxmox(reach) = &connection.reach else { continue };
            if self.read(|world| world.clusters.contains_key(&connection.id)) {
                continue;
            }
            let cluster = match self.cluster(&connection.id, reach).await {
                Ok(cluster) => Arc::new(cluster),
                Err(error) => {
                    tracing::error!(connection = %connection.name, error = %crate::report(&error), "it cannot be reached");
                    continue;
                }
            };
            let known = match changed.remove(&connection.id).filter(|known| known.only_node.is_none()) {
                Some(known) => {
                    KnownCluster { connection: connection.clone(), cluster, heard: Default::default(), ..known }
                }
                None => new_cluster(connection.clone(), cluster, None),
            };
            self.write(|world| world.clusters.insert(connection.id.clone(), known));
        }
        Ok(())
    }

    /// Gives each Proxmox node that is reached by its shell alone the API behind `pvesh`.
    fn sync_shell_nodes(&self) {
        self.write(|world| {
            let wanted: BTreeMap<ConnectionId, KnownCluster> = world.hosts.values().filter_map(shell_node).collect();
            world.clusters.retain(|id, known| known.only_node.is_none() || wanted.contains_key(id));
            for (id, known) in wanted {
                world.clusters.entry(id).or_insert(known);
            }
        });
    }

    /// Notes that a host turned out to be a Proxmox node: `pvesh` there is then asked too.
    pub(super) async fn note_shell_node(&self, id: &HostId, identity: &crate::model::Identity) -> Result<()> {
        let Some(node) = identity.proxmox_version.as_ref().and(identity.proxmox_node.as_ref()) else { return Ok(()) };
        let host = self.record(id).await?;
        let by_shell = host.links.iter().find(|link| matches!(link, Link::Local { .. } | Link::Ssh { .. }));
        let is_node = host.links.iter().any(|link| matches!(link, Link::ProxmoxNode { .. }));
        let Some(connection) = by_shell.filter(|_| !is_node).map(|link| link.connection().clone()) else {
            return Ok(());
        };
        let link = Link::ProxmoxNode { connection, node: node.clone() };
        let edit = |host: &mut Host| {
            if !host.links.iter().any(|link| matches!(link, Link::ProxmoxNode { .. })) {
                host.links.push(link);
            }
        };
        self.store().edit_host(id, Box::new(edit)).await?;
        self.sync().await
    }

    /// Takes in what was stored last, where nothing newer is known in this process.
    pub(super) async fn remember(&self) -> Result<()> {
        let clusters = self.store().clusters().await?;
        let views = self.store().views().await?;
        let now = self.now();
        self.write(|world| {
            for stored in clusters {
                let Some(known) = world.clusters.get_mut(&stored.connection) else { continue };
                if known.snapshot.as_ref().is_some_and(|snapshot| snapshot.at >= stored.at) {
                    continue;
                }
                match serde_json::from_str(&stored.state) {
                    Ok(snapshot) => known.snapshot = Some(snapshot),
                    Err(error) => {
                        tracing::warn!(connection = %stored.connection, %error, "a stored cluster is not readable")
                    }
                }
            }
            for view in views {
                let Some(known) = world.hosts.get_mut(&view.id) else { continue };
                // A kept one from the future was seen before the clock was set back.
                let future = |kept: &HostView| kept.observed_at.is_some_and(|at| at > now);
                if known.view.as_ref().is_none_or(|kept| kept.observed_at <= view.observed_at || future(kept)) {
                    known.view = Some(view);
                }
            }
        });
        Ok(())
    }

    /// The machine behind a connection with a shell.
    pub(super) async fn machine(&self, connection: &Connection) -> Result<LinuxMachine> {
        Ok(match &connection.reach {
            Reach::Ssh(reach) => {
                let credentials = self.credentials(&connection.id).await?;
                let become_root = become_root(reach.sudo, credentials.sudo_password.clone());
                LinuxMachine::new(Arc::new(self.ssh(reach, credentials, None)), become_root)
            }
            _ => LinuxMachine::new(Arc::new(Local::new()), Become::No),
        })
    }

    /// An SSH transport; `accept` is the fingerprint of an unknown key that is to be accepted.
    pub(super) fn ssh(&self, reach: &SshReach, credentials: SshCredentials, accept: Option<String>) -> Ssh {
        Ssh::new(self.target(reach, accept), credentials)
    }

    /// Where to connect: keys that are not pinned are looked up in the `known_hosts` of the fleet's owner.
    pub(super) fn target(&self, reach: &SshReach, accept: Option<String>) -> SshTarget {
        let known_hosts = known_hosts(self.inner.options.home.as_ref());
        let mut target = SshTarget::from(reach);
        target.connect_limit = CONNECT_LIMIT;
        if target.key_files.is_empty() && target.use_agent {
            target.key_files = default_key_files();
        }
        for hop in target.jumps.iter_mut().chain([&mut target.host]) {
            hop.host_keys.known_hosts.clone_from(&known_hosts);
            hop.host_keys.accept.clone_from(&accept);
        }
        target
    }

    pub(super) async fn credentials(&self, connection: &ConnectionId) -> Result<SshCredentials> {
        let get = |name| self.store().get_secret(connection.as_str(), name);
        Ok(SshCredentials {
            key_pem: get(secret::KEY).await?,
            passphrase: get(secret::PASSPHRASE).await?,
            password: get(secret::PASSWORD).await?,
            sudo_password: get(secret::SUDO).await?,
        })
    }
}

/// The cluster seen by a node's own shell, for a host that has no other way to it.
fn shell_node(known: &Known) -> Option<(ConnectionId, KnownCluster)> {
    let (connection, machine) = known.machine.as_ref()?;
    let node = known.host.links.iter().find_map(|link| match link {
        Link::ProxmoxNode { connection: by, node } if *by == connection.id => Some(node.clone()),
        _ => None,
    })?;
    let api = Arc::new(Pvesh::new(machine.transport().clone(), machine.root()));
    let cluster = Arc::new(ProxmoxCluster::new(connection.id.clone(), api));
    Some((connection.id.clone(), new_cluster(connection.clone(), cluster, Some(node))))
}

/// A cluster of which nothing was seen yet.
fn new_cluster(connection: Connection, cluster: Arc<ProxmoxCluster>, only_node: Option<String>) -> KnownCluster {
    KnownCluster {
        connection,
        cluster,
        only_node,
        heard: Default::default(),
        snapshot: None,
        identities: BTreeMap::new(),
        identified_at: None,
        marks: Default::default(),
        digest: Default::default(),
        backups: None,
        asked: Default::default(),
        guests: BTreeMap::new(),
    }
}

/// How commands become root, from the record and the stored password.
pub(super) fn become_root(sudo: Sudo, password: Option<SecretString>) -> Become {
    match (sudo, password) {
        (Sudo::None, _) => Become::No,
        (Sudo::Password, Some(password)) => Become::SudoPassword(password),
        (Sudo::NoPassword | Sudo::Password, _) => Become::Sudo,
    }
}

/// Secrets under the names they are stored by.
pub(super) fn named(credentials: &SshCredentials) -> Vec<NamedSecret> {
    [
        (secret::KEY, &credentials.key_pem),
        (secret::PASSPHRASE, &credentials.passphrase),
        (secret::PASSWORD, &credentials.password),
        (secret::SUDO, &credentials.sudo_password),
    ]
    .into_iter()
    .filter_map(|(name, secret)| Some((name.to_owned(), secret.clone()?)))
    .collect()
}

fn known_hosts(home: Option<&PathBuf>) -> Vec<PathBuf> {
    let own = home.map(|home| home.join(".ssh/known_hosts"));
    own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect()
}

/// The connection of a host's first link with a shell.
fn shell_connection<'a>(host: &Host, connections: &'a BTreeMap<ConnectionId, Connection>) -> Option<&'a Connection> {
    let shell = |link: &&Link| matches!(link, Link::Local { .. } | Link::Ssh { .. });
    host.links.iter().find(shell).and_then(|link| connections.get(link.connection()))
}

/// This machine's name for itself.
async fn own_name(local: &dyn Transport) -> String {
    let said = local.run(crate::transport::Command::argv(["cat", "/proc/sys/kernel/hostname"])).await;
    let name = said.map(|output| output.stdout.text().trim().to_owned()).unwrap_or_default();
    match super::names::check("host name", &name) {
        Ok(()) => name,
        Err(_) => "this-machine".to_owned(),
    }
}
