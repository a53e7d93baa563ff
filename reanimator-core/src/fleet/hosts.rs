//! Records of hosts: shown, changed, removed, trusted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Fleet, Selector, names};
use crate::{
    Error, ErrorKind, Fingerprint, Result,
    host::linux::LinuxMachine,
    model::{Connection, ConnectionId, Host, HostId, HostView, Identity, Link, Reach, SshReach, Telemetry, Unseen},
    transport::ssh::{HostKeyPolicy, Ssh, fingerprint_of},
};

/// What to change of a host; `None` leaves it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HostEdit {
    /// Its name.
    pub name: Option<String>,
    /// Its groups, all of them.
    pub groups: Option<BTreeSet<String>>,
    /// Its tags, all of them.
    pub tags: Option<BTreeSet<String>>,
    /// Whether it is in maintenance.
    pub maintenance: Option<bool>,
}

/// A host with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostDetail {
    /// As in lists.
    pub host: HostView,
    /// All figures of the last observation.
    pub telemetry: Option<Telemetry>,
    /// Who it is.
    pub identity: Option<Identity>,
    /// The ways it comes in.
    pub links: Vec<LinkView>,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

/// One way a host comes in, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkView {
    /// `local`, `ssh`, `proxmox-node`, `guest`.
    pub kind: String,
    /// The connection.
    pub connection: ConnectionId,
    /// `root@192.0.2.1:22`, `pve1 of lab`, ...
    pub text: String,
    /// The pinned host key's fingerprint, over SSH.
    pub host_key: Option<String>,
}

impl Fleet {
    /// A host with everything that is known of it.
    ///
    /// # Errors
    /// `NotFound` for a name that is no host.
    pub async fn host(&self, name_or_id: &str) -> Result<HostDetail> {
        let host = self.find(name_or_id).await?;
        let in_memory = self.read(|world| {
            let known = world.hosts.get(&host.id)?;
            let observation = known.shell.observation.as_ref();
            let node = world.node_of(&known.host);
            let telemetry = observation.map(|seen| &seen.telemetry).or_else(|| node.map(|node| &node.telemetry));
            let identity = observation.map(|seen| &seen.identity).or_else(|| node.map(|node| &node.identity));
            Some((telemetry.cloned(), identity.cloned(), known.host.links.clone()))
        });
        let (telemetry, identity, links) = in_memory.unwrap_or_default();
        let telemetry = match telemetry {
            Some(telemetry) => Some(telemetry),
            None => self.store().telemetry(&host.id).await?,
        };
        let identity = match identity {
            Some(identity) => Some(identity),
            None => self.store().identity(&host.id).await?,
        };
        let mut views = Vec::new();
        for link in &links {
            views.push(self.link_view(link).await?);
        }
        Ok(HostDetail { telemetry, identity, links: views, unseen: host.unseen.clone(), host })
    }

    async fn link_view(&self, link: &Link) -> Result<LinkView> {
        let connection = self.store().connection(link.connection()).await?;
        let name = connection.as_ref().map(|connection| connection.name.clone()).unwrap_or_default();
        let (mut host_key, ssh) = (
            None,
            connection.and_then(|connection| match connection.reach {
                Reach::Ssh(reach) => Some(reach),
                Reach::Local | Reach::Proxmox(_) => None,
            }),
        );
        let (kind, text) = match link {
            Link::Local { .. } => ("local", "this machine".to_owned()),
            Link::Ssh { .. } => {
                host_key = ssh.as_ref().and_then(|reach| fingerprint_of(reach.host_key.as_deref()?));
                ("ssh", ssh.map(|reach| format!("{}@{}:{}", reach.user, reach.address, reach.port)).unwrap_or_default())
            }
            Link::ProxmoxNode { node, .. } => ("proxmox-node", format!("{node} of {name}")),
            Link::Guest { vmid, .. } => ("guest", format!("{vmid} of {name}")),
        };
        Ok(LinkView { kind: kind.to_owned(), connection: link.connection().clone(), text, host_key })
    }

    /// Changes what people say of a host.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a name that is taken, `Invalid` for a name that cannot be one.
    pub async fn update_host(&self, name_or_id: &str, change: HostEdit) -> Result<HostView> {
        let id = self.find(name_or_id).await?.id;
        if let Some(name) = &change.name {
            names::check("name", name)?;
        }
        for (what, names) in [("group", &change.groups), ("tag", &change.tags)] {
            names.iter().flatten().try_for_each(|name| names::check(what, name))?;
        }
        let HostEdit { name, groups, tags, maintenance } = change;
        let edit = move |host: &mut Host| {
            host.name = name.unwrap_or_else(|| std::mem::take(&mut host.name));
            host.groups = groups.unwrap_or_else(|| std::mem::take(&mut host.groups));
            host.tags = tags.unwrap_or_else(|| std::mem::take(&mut host.tags));
            host.maintenance = maintenance.unwrap_or(host.maintenance);
        };
        self.store().edit_host(&id, Box::new(edit)).await?;
        self.sync().await?;
        let view = self.find(id.as_str()).await?;
        self.tell(crate::model::EventKind::HostUpdated, &view);
        Ok(view)
    }

    /// Removes a host, and the connections that only it came in by. A node comes back as long as its cluster's
    /// connection is there: remove that instead.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for a node of a connected cluster.
    pub async fn remove_host(&self, name_or_id: &str) -> Result<()> {
        let view = self.find(name_or_id).await?;
        let host = self.record(&view.id).await?;
        for link in host.links.iter().filter(|link| matches!(link, Link::ProxmoxNode { .. })) {
            let connection = self.store().connection(link.connection()).await?;
            let Some(Connection { name, reach: Reach::Proxmox(_), .. }) = connection else { continue };
            return Err(Error::new(ErrorKind::Conflict, "remove the host")
                .on(view.name)
                .because(format!("it is a node of the connected Proxmox cluster {name}"))
                .next(format!("remove the connection with `reanimator proxmox remove {name}`")));
        }
        self.store().remove_host(&view.id).await?;
        self.sync().await?;
        self.forget_gone_clusters().await
    }

    /// Shows the key that a host shows now, or pins it where `fingerprint` is exactly that key's.
    ///
    /// # Errors
    /// `Conflict` when the host shows another key than the one to be pinned; `Invalid` for a host without SSH.
    pub async fn trust_host(&self, name_or_id: &str, fingerprint: Option<&str>) -> Result<Fingerprint> {
        let view = self.find(name_or_id).await?;
        let host = self.record(&view.id).await?;
        let link = host.links.iter().find(|link| matches!(link, Link::Ssh { .. }));
        let connection = match link {
            Some(link) => self.store().connection(link.connection()).await?,
            None => None,
        };
        let Some(Connection { id, name, reach: Reach::Ssh(mut reach), credentials_changed_at }) = connection else {
            return Err(Error::new(ErrorKind::Invalid, "read its SSH host key")
                .on(view.name)
                .because("it is not reached over SSH")
                .next("add it with `reanimator host add` first"));
        };
        let shown = self.shown_host_key(&id, &reach).await?;
        match fingerprint {
            None => return Ok(shown),
            Some(wanted) if wanted != shown.sha256 => {
                return Err(Error::new(ErrorKind::Conflict, format!("trust the key {wanted}"))
                    .on(view.name)
                    .because(format!("it shows {} now", shown.sha256))
                    .showing(shown)
                    .next("compare it with `ssh-keygen -lf` on the host itself"));
            }
            Some(_) => {}
        }
        reach.host_key = shown.public_key.clone();
        let connection = Connection { id, name, reach: Reach::Ssh(reach), credentials_changed_at };
        self.store().update_connection(&connection).await?;
        self.sync().await?;
        Ok(shown)
    }

    /// The key that a host shows now. Nothing is said to it but hello, since no key of it is trusted here; the
    /// credentials are for the jump hosts on the way.
    async fn shown_host_key(&self, id: &ConnectionId, reach: &SshReach) -> Result<Fingerprint> {
        let mut target = self.target(reach, None);
        target.host.host_keys = HostKeyPolicy::default();
        let label = target.host.label();
        let ssh = Ssh::new(target, self.credentials(id).await?);
        match ssh.connect().await {
            // A host on the way shows a key too: that one is not to be taken for the host's own.
            Err(error) => match error.fingerprint().filter(|_| error.subject() == Some(&label)) {
                Some(shown) => Ok(shown.clone()),
                None => Err(error),
            },
            Ok(()) => ssh.host_key().ok_or_else(|| Error::new(ErrorKind::Protocol, "read its SSH host key")),
        }
    }

    /// A host's record.
    pub(super) async fn record(&self, id: &HostId) -> Result<Host> {
        self.store().host(id).await?.ok_or_else(|| super::selector::unknown_host(id.as_str(), std::iter::empty()))
    }

    /// All hosts a selector means, with their shells where they have one.
    pub(super) async fn chosen(
        &self,
        selector: &Selector,
    ) -> Result<Vec<(HostView, Option<std::sync::Arc<LinuxMachine>>)>> {
        let views = self.select(selector).await?;
        Ok(self.read(|world| {
            let with_machine = |view: HostView| {
                let known = world.hosts.get(&view.id);
                let machine = known.and_then(|known| Some(known.machine.as_ref()?.1.clone()));
                (view, machine)
            };
            views.into_iter().map(with_machine).collect()
        }))
    }
}
