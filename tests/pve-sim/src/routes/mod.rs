//! What the look-alike answers, one file per part of the API.
//!
//! Each file has `find`, which gives the handler for a method and a path
//! template, and its handlers: plain functions from a [`Call`] to an answer.
//! Parameters and permissions were checked before a handler is called.

mod access;
mod access_write;
mod backup;
pub(crate) mod cluster;
mod cluster_jobs;
mod config;
mod console;
mod disks;
mod guest;
mod guest_clone;
mod guest_migrate;
mod guest_move;
pub(crate) mod guest_power;
mod guest_remote;
mod guest_snapshot;
mod ha;
mod machine;
mod metrics;
mod node;
mod storage;
mod storage_files;
mod tasks;

pub(crate) use cluster::sid as cluster_sid;
pub(crate) use guest_migrate::{MoveWork, aborted, put as put_disk, takes as takes_disks};
pub(crate) use guest_power::start as start_guest;
pub(crate) use ha::motion as ha_motion;

use crate::access::Caller;
use crate::params::Params;
use crate::refusal::{Answer, Refusal};
use crate::remote::Far;
use crate::state::{Cluster, Guest, Kind};
use crate::tasks::{Effect, Work};

/// One call that was let through.
pub(crate) struct Call<'a> {
    pub(crate) cluster: &'a mut Cluster,
    /// The node that was asked.
    pub(crate) here: usize,
    /// The node that answers: the one in the path, else the one asked.
    pub(crate) node: usize,
    pub(crate) caller: Caller,
    pub(crate) params: Params,
    pub(crate) now: f64,
    /// The other cluster's node that the call names.
    pub(crate) far: Option<Result<Far, Refusal>>,
}

/// What answers a call.
pub(crate) type Handler = fn(&mut Call<'_>) -> Answer;

/// The handler for a method and a path template.
pub(crate) fn find(method: &str, template: &str) -> Option<Handler> {
    let get = method == "GET";
    let template = template.trim_start_matches('/');
    let (room, rest) = template.split_once('/').unwrap_or((template, ""));
    match room {
        "version" if get => Some(node::version),
        "cluster" if rest.starts_with("ha") => ha::find(method, rest),
        "cluster" => cluster::find(method, rest).or_else(|| cluster_jobs::find(method, rest)),
        "access" if get => access::find(rest),
        "access" => access_write::find(method, rest),
        "storage" | "pools" => storage::find_global(method, template),
        "nodes" => find_in_node(method, rest.trim_start_matches("{node}").trim_start_matches('/')),
        _ => None,
    }
}

fn find_in_node(method: &str, rest: &str) -> Option<Handler> {
    let (room, below) = rest.split_once('/').unwrap_or((rest, ""));
    match room {
        "qemu" | "lxc" => {
            let below = below.trim_start_matches("{vmid}").trim_start_matches('/');
            let whole = rest.contains("{vmid}");
            guest::find(method, room, below, whole)
                .or_else(|| config::find(method, room, below, whole))
                .or_else(|| guest_power::find(method, room, below))
                .or_else(|| guest_snapshot::find(method, room, below))
                .or_else(|| guest_migrate::find(method, room, below))
                .or_else(|| guest_remote::find(method, room, below))
                .or_else(|| guest_clone::find(method, room, below))
                .or_else(|| guest_move::find(method, room, below, whole))
                .or_else(|| console::find(method, room, below))
        }
        "tasks" => tasks::find(method, below),
        "storage" => storage::find(method, below).or_else(|| storage_files::find(method, below)),
        "vzdump" => backup::find(method, below),
        _ => node::find(method, rest)
            .or_else(|| machine::find(method, rest))
            .or_else(|| disks::find(method, rest))
            .or_else(|| console::find(method, "", rest)),
    }
}

impl Call<'_> {
    /// The guest in the path.
    pub(crate) fn guest(&self, kind: Kind) -> Result<&Guest, Refusal> {
        self.cluster.guest(self.node, kind, self.params.vmid())
    }

    /// The guest in the path, to change it.
    pub(crate) fn guest_mut(&mut self, kind: Kind) -> Result<&mut Guest, Refusal> {
        let vmid = self.params.vmid();
        self.cluster.guest_mut(self.node, kind, vmid)
    }

    /// Whether the caller has one of these privileges on a path.
    pub(crate) fn may(&self, path: &str, privileges: &[&str]) -> bool {
        self.caller.is_root() || self.cluster.access.has_any(&self.caller, path, privileges)
    }

    /// Whether the caller may see a guest.
    pub(crate) fn sees(&self, guest: &Guest) -> bool {
        self.caller.is_root() || self.cluster.access.sees_guest(&self.caller, guest.vmid, guest.pool.as_deref())
    }

    /// Refuses to write without quorum.
    pub(crate) fn quorum(&self) -> Result<(), Refusal> {
        if self.cluster.quorate() { Ok(()) } else { Err(Refusal::died("cluster not ready - no quorum?")) }
    }

    /// Starts a task on the answering node and gives its UPID as the answer.
    pub(crate) fn start_task(
        &mut self,
        kind: impl Into<String>,
        id: impl ToString,
        units: f64,
        log: Vec<String>,
        effect: Effect,
    ) -> Answer {
        let node = &self.cluster.nodes[self.node];
        let work = Work { node: self.node, kind: kind.into(), id: id.to_string(), units, log, effect };
        let upid = self.cluster.tasks.start(&node.name, node.booted, &self.caller, work, self.now);
        Ok(serde_json::Value::String(upid).into())
    }
}
