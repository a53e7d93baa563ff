//! The way to what is acted upon: a guest's cluster, a host's shell.

use std::sync::Arc;

use super::Fleet;
use crate::{
    Error, ErrorKind, Result,
    host::{linux::LinuxMachine, pve::PveApi},
    model::{Action, ConnectionId, Guest, GuestId, HostId, Link, Thing},
};

fn no_guest(id: &GuestId, cause: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("act on guest {id}")).because(cause).next("see `reanimator guest list`")
}

/// Where a guest is to be found.
pub(crate) struct WayToGuest {
    pub(crate) cluster: ConnectionId,
    pub(crate) vmid: String,
    /// As it was last seen; none of one that was not.
    pub(crate) name: Option<String>,
    pub(crate) api: Arc<dyn PveApi>,
}

impl Fleet {
    /// Says that an operation was asked for, to whoever carries such out in this process.
    pub(crate) fn tell_of_an_operation(&self) {
        self.inner.asked.notify_one();
    }

    /// Waits until an operation is asked for in this process.
    pub(crate) async fn an_operation_is_asked_for(&self) {
        self.inner.asked.notified().await;
    }

    /// One guest as it was last seen; none where there is none of that id.
    pub(crate) async fn guest_by_id(&self, id: &GuestId) -> Result<Option<Guest>> {
        self.refresh().await?;
        Ok(self.read(|world| world.guest(id)))
    }

    /// A `host ID` or `cluster ID` with the name in place of the id.
    pub(crate) async fn place_name(&self, place: &str) -> Result<String> {
        self.sync().await?;
        let Some((kind, id)) = place.split_once(' ') else { return Ok(place.to_owned()) };
        let name = self.read(|world| match kind {
            "host" => world.hosts.get(&HostId::from(id)).map(|known| known.host.name.clone()),
            _ => world.clusters.get(&ConnectionId::from(id)).map(|known| known.connection.name.clone()),
        });
        Ok(name.map_or_else(|| place.to_owned(), |name| format!("{kind} {name}")))
    }

    /// The connection of the cluster that a host is a node of; none for one that is no node.
    pub(crate) async fn cluster_of(&self, id: &HostId) -> Result<Option<ConnectionId>> {
        self.sync().await?;
        let node = |link: &Link| match link {
            Link::ProxmoxNode { connection, .. } => Some(connection.clone()),
            Link::Local { .. } | Link::Ssh { .. } | Link::Guest { .. } => None,
        };
        Ok(self.read(|world| world.hosts.get(id)?.host.links.iter().find_map(node)))
    }

    /// A guest's cluster and number, its name where it was seen, and the API of its cluster: those of one that has just been
    /// made or deleted too.
    pub(crate) async fn way_to_guest(&self, id: &GuestId) -> Result<WayToGuest> {
        let known = self.guest_by_id(id).await?;
        let (connection, vmid) =
            id.parts().ok_or_else(|| no_guest(id, "an id is the connection of a cluster, a colon and a number"))?;
        let api = self.read(|world| world.clusters.get(&connection).map(|known| known.cluster.api().clone()));
        let api = api.ok_or_else(|| no_guest(id, "its cluster is not in the fleet"))?;
        Ok(WayToGuest { cluster: connection, vmid: vmid.to_string(), name: known.and_then(|guest| guest.name), api })
    }

    /// The name that a host has as a node of a cluster.
    pub(crate) async fn node_in(&self, id: &HostId, connection: &ConnectionId, attempt: &str) -> Result<String> {
        self.sync().await?;
        let found = self.read(|world| {
            let name = world.hosts.get(id).map(|known| known.host.name.clone());
            let node = world.nodes_of(connection).into_iter().find(|(_, host)| host == id).map(|(node, _)| node);
            let cluster = world.clusters.get(connection).map(|known| known.connection.name.clone());
            (name, node, cluster.unwrap_or_else(|| connection.to_string()))
        });
        match found {
            (_, Some(node), _) => Ok(node),
            (Some(name), None, cluster) => Err(Error::new(ErrorKind::Invalid, format!("{attempt} to {name}"))
                .because(format!("it is no node of the cluster {cluster}"))
                .next("choose another; `reanimator guest remote-migrate` moves a guest to another cluster")),
            (None, None, _) => Err(Error::new(ErrorKind::NotFound, format!("{attempt} to host {id}"))
                .because("there is none of that id")
                .next("see `reanimator host list`")),
        }
    }

    /// The host that a node of a cluster is.
    pub(crate) fn host_of_node(&self, connection: &ConnectionId, node: &str) -> Option<HostId> {
        self.read(|world| world.nodes_of(connection).remove(node))
    }

    /// What an action is, with the name of what it acts upon where the fleet knows it.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn words_of(&self, action: &Action) -> Result<String> {
        self.refresh().await?;
        Ok(self.read(|world| {
            action.words_with(|thing| {
                let name = match thing {
                    Thing::Guest(id) => world.guest(id).map(|guest| guest.name.unwrap_or(guest.vmid)),
                    Thing::Host(id) => world.hosts.get(id).map(|known| known.host.name.clone()),
                };
                name.unwrap_or_else(|| thing.id().to_owned())
            })
        }))
    }

    /// A host's name, and the machine behind its shell.
    pub(crate) async fn machine_with_shell(&self, id: &HostId) -> Result<(String, Arc<LinuxMachine>)> {
        self.sync().await?;
        let found = self.read(|world| {
            let known = world.hosts.get(id)?;
            Some((known.host.name.clone(), known.machine.as_ref().map(|(_, machine)| machine.clone())))
        });
        let (name, machine) = found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("act on host {id}"))
                .because("there is none of that id")
                .next("see `reanimator host list`")
        })?;
        machine.map(|machine| (name.clone(), machine)).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("act on host {name}"))
                .because("it is reached by its cluster's API only, which runs no commands")
                .next("add its SSH access with `reanimator host add`")
        })
    }

    /// A host's name as a node of its cluster, and the API of that.
    pub(crate) async fn node_and_api(&self, id: &HostId) -> Result<(String, Arc<dyn PveApi>)> {
        self.sync().await?;
        let found = self.read(|world| {
            let (connection, node) = world.node_places().remove(id)?;
            Some((node, world.clusters.get(&connection)?.cluster.api().clone()))
        });
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("act on host {id}"))
                .because("it is no node of a Proxmox cluster that is connected")
                .next("see `reanimator proxmox list`")
        })
    }
}
