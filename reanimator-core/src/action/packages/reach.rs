//! The way to the inside of a machine: its own shell, its node's, or its guest agent.

use std::sync::Arc;

use super::super::guest::Place;
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    host::{
        linux::{Contained, LinuxMachine},
        pve::GuestAgent,
    },
    model::{GuestId, GuestKind, HostId, Machine},
    transport::Become,
};

/// A machine that commands can be run on.
pub(super) struct Reached {
    pub(super) name: String,
    /// By which way, for people: `by SSH`, `through node pve1`.
    pub(super) way: String,
    pub(super) machine: Arc<LinuxMachine>,
}

/// Finds the way to a machine. A guest that is known as a host too is reached as that.
pub(super) async fn reach(fleet: &Fleet, machine: &Machine) -> Result<Reached> {
    match machine {
        Machine::Host(id) => of_host(fleet, id).await,
        Machine::Guest(id) => match linked(fleet, id).await? {
            Some(reached) => Ok(reached),
            None => of_guest(fleet, id).await,
        },
    }
}

async fn of_host(fleet: &Fleet, id: &HostId) -> Result<Reached> {
    let (name, machine) = fleet.machine_with_shell(id).await?;
    Ok(Reached { name, way: "by its own shell".into(), machine })
}

/// A guest as the host that it is, where that has a shell.
async fn linked(fleet: &Fleet, id: &GuestId) -> Result<Option<Reached>> {
    let Some(host) = fleet.guest_by_id(id).await?.and_then(|guest| guest.linked_host) else { return Ok(None) };
    match of_host(fleet, &host).await {
        Ok(reached) => Ok(Some(reached)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn of_guest(fleet: &Fleet, id: &GuestId) -> Result<Reached> {
    let attempt = "look at the packages of guest";
    let place = Place::of(fleet, id, attempt).await?;
    let refuse = |kind, why: &str, next: &str| {
        Error::new(kind, format!("{attempt} {}", place.name)).because(why.to_owned()).next(next.to_owned())
    };
    let current = place.current().await?;
    if current.get("status").and_then(serde_json::Value::as_str) != Some("running") {
        return Err(refuse(ErrorKind::Conflict, "it does not run", "start it first"));
    }
    let name = place.name.clone();
    match place.kind {
        GuestKind::Lxc => {
            let node = &place.node;
            let host = fleet.host_of_node(&place.cluster, node);
            let host = host.ok_or_else(|| {
                refuse(
                    ErrorKind::NotFound,
                    &format!("its node {node} is not in the fleet"),
                    "see `reanimator host list`",
                )
            })?;
            let (_, through) = fleet.machine_with_shell(&host).await.map_err(|error| {
                error.noting(format!("a container is reached through the shell of its node, {node}"))
            })?;
            let vmid = place.vmid.parse().unwrap_or_default();
            let inside = Contained::new(through.transport().clone(), through.root(), vmid);
            let machine = Arc::new(LinuxMachine::new(Arc::new(inside), Become::No));
            Ok(Reached { name, way: format!("through its node {node}"), machine })
        }
        GuestKind::Qemu => {
            if current.get("agent").is_none_or(|agent| *agent == 0 || *agent == false) {
                let next = "install qemu-guest-agent in it and switch the agent on, or add its SSH access";
                return Err(refuse(ErrorKind::Invalid, "it has no guest agent, and is not known by SSH", next));
            }
            let agent = GuestAgent::new(place.api.clone(), place.node.clone(), place.vmid.clone());
            let machine = Arc::new(LinuxMachine::new(Arc::new(agent), Become::No));
            Ok(Reached { name, way: "through its guest agent".into(), machine })
        }
    }
}
