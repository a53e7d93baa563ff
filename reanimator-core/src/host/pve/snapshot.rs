//! One view of a cluster out of the answers to one round of questions. Pure: no API, no clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Result,
    collect::pve::{
        node::{NodeStatus, Room},
        resources::{Figures, GuestRow, NodeRow, Resources, StorageRow},
        status::ClusterStatus,
    },
    model::{
        Bytes, ClusterSnapshot, ConnectionId, FileSystem, Guest, GuestCounts, GuestId, GuestStatus, Identity, Memory,
        NodeSnapshot, Problem, Space, Storage, Swap, Telemetry, Unseen,
    },
};

/// Where figures of this room come from.
const SOURCE: &str = "Proxmox API";

/// The answers of one round.
pub(super) struct Round {
    pub(super) connection: ConnectionId,
    pub(super) at: Timestamp,
    pub(super) status: Result<ClusterStatus>,
    pub(super) resources: Resources,
    /// What each online node said of itself.
    pub(super) nodes: BTreeMap<String, Result<NodeStatus>>,
    /// What the way to the API could not see.
    pub(super) unseen: Vec<Unseen>,
}

/// The nodes there are, and whether the cluster sees them: by its status, else by its resources.
pub(super) fn nodes(status: Option<&ClusterStatus>, resources: &Resources) -> BTreeMap<String, bool> {
    let listed = resources.nodes.iter().map(|row| (row.name.clone(), row.online));
    let members = status.into_iter().flat_map(|status| &status.members);
    let mut nodes: BTreeMap<String, bool> = listed.map(|(name, online)| (name, online.unwrap_or(false))).collect();
    nodes.extend(members.filter_map(|member| Some((member.name.clone(), member.online?))));
    nodes
}

impl Round {
    /// Puts the answers together.
    pub(super) fn snapshot(self) -> ClusterSnapshot {
        let status = self.status.as_ref().ok();
        let online = nodes(status, &self.resources);
        let cluster = status.and_then(|status| status.name.clone());
        ClusterSnapshot {
            nodes: online.iter().map(|(name, online)| self.node(name, *online)).collect(),
            guests: self.resources.guests.iter().map(|row| self.guest(row, cluster.as_ref(), &online)).collect(),
            storages: self.storages(cluster.as_ref(), &online),
            quorate: status.and_then(|status| status.quorate),
            unseen: self.unseen_of_cluster(&online),
            connection: self.connection,
            cluster,
            at: self.at,
        }
    }

    fn unseen_of_cluster(&self, online: &BTreeMap<String, bool>) -> Vec<Unseen> {
        let mut unseen = self.unseen.clone();
        if let Err(error) = &self.status {
            unseen.push(Unseen::new("the cluster's name, quorum and addresses", crate::message(error)));
        }
        if self.resources.nameless > 0 {
            unseen.push(Unseen::new(
                format!("{} entries of the cluster's resources", self.resources.nameless),
                "they lack the number, name or node that tells what they are",
            ));
        }
        if self.sees_bare_nodes_only(online) {
            unseen.push(Unseen::new(
                "guests, storages and figures",
                "the login has no rights on them, and Proxmox shows such a login empty lists: give it the role PVEAuditor on /",
            ));
        }
        for (name, _) in online.iter().filter(|(_, online)| !**online) {
            if self.resources.guests.iter().any(|guest| guest.node == *name) {
                unseen.push(Unseen::new(format!("guests on {name}"), "the node is offline; they are as last known"));
            }
        }
        unseen
    }

    /// Nodes that are online and have no figures, and nothing else: what a login without rights is shown.
    fn sees_bare_nodes_only(&self, online: &BTreeMap<String, bool>) -> bool {
        let Resources { nodes, guests, storages, .. } = &self.resources;
        let bare = |row: &NodeRow| row.figures.memory_total.is_none() && online.get(&row.name) == Some(&true);
        guests.is_empty() && storages.is_empty() && !nodes.is_empty() && nodes.iter().all(bare)
    }

    fn node(&self, name: &str, online: bool) -> NodeSnapshot {
        let row = self.resources.nodes.iter().find(|row| row.name == name);
        let figures = row.map(|row| row.figures).unwrap_or_default();
        let ip = self.status.as_ref().ok().and_then(|status| {
            status.members.iter().find(|member| member.name == name).and_then(|member| member.ip.clone())
        });
        let mut snapshot = NodeSnapshot {
            name: name.to_owned(),
            online,
            ip,
            telemetry: Telemetry { at: Some(self.at), ..Telemetry::default() },
            identity: identity(name, &NodeStatus::default(), figures.cpus),
            guests: self.counts(name),
            problem: None,
            unseen: Vec::new(),
        };
        if !online {
            // What is said of it now was not seen now.
            snapshot.telemetry.at = None;
            snapshot.problem = Some(Problem::from(&offline(name)));
            return snapshot;
        }
        match self.nodes.get(name) {
            Some(Ok(status)) => {
                snapshot.telemetry = telemetry(self.at, status, figures);
                snapshot.identity = identity(name, status, figures.cpus);
            }
            answer => {
                snapshot.telemetry = telemetry(self.at, &NodeStatus::default(), figures);
                let why = match answer {
                    Some(Err(error)) => {
                        snapshot.problem = Some(Problem::from(error));
                        crate::message(error)
                    }
                    _ => "it was not asked".to_owned(),
                };
                snapshot.unseen.push(Unseen::new("load, swap, kernel and version", why));
            }
        }
        snapshot
    }

    /// A template is no guest that could run.
    fn counts(&self, node: &str) -> GuestCounts {
        let mut counts = GuestCounts::default();
        for guest in self.resources.guests.iter().filter(|guest| guest.node == node && !guest.template) {
            counts.total += 1;
            counts.running += u32::from(guest.status == GuestStatus::Running);
        }
        counts
    }

    /// What the cluster says of a guest; that was not seen now where its node is silent.
    fn guest(&self, row: &GuestRow, cluster: Option<&String>, online: &BTreeMap<String, bool>) -> Guest {
        let figures = row.figures;
        let silent = online.get(&row.node) == Some(&false);
        let running = row.status == GuestStatus::Running;
        Guest {
            id: GuestId::new(&self.connection, row.vmid),
            connection: self.connection.clone(),
            vmid: row.vmid.to_string(),
            name: row.name.clone(),
            kind: row.kind,
            node: row.node.clone(),
            host_id: None,
            cluster: cluster.cloned(),
            status: row.status,
            cpu_percent: figures.cpu.map(percent),
            cpus: figures.cpus,
            memory: memory(figures.memory_total, figures.memory_used, None),
            disk: space(figures.disk_total, figures.disk_used),
            counters: row.counters.filter(|_| running),
            rates: None,
            uptime_seconds: figures.uptime.filter(|_| running),
            tags: row.tags.clone(),
            template: row.template,
            linked_host: None,
            observed_at: (!silent).then_some(self.at),
        }
    }

    /// A shared storage is one, however many nodes have it; any other is one per node.
    fn storages(&self, cluster: Option<&String>, online: &BTreeMap<String, bool>) -> Vec<Storage> {
        let mut groups: BTreeMap<(&str, Option<&str>), Vec<&StorageRow>> = BTreeMap::new();
        for row in &self.resources.storages {
            let node = (!row.shared).then_some(row.node.as_str());
            groups.entry((&row.name, node)).or_default().push(row);
        }
        let answers = |row: &StorageRow| online.get(&row.node).copied().unwrap_or(false);
        let is_usable = |row: &&StorageRow| row.available && answers(row);
        let storage = |((name, node), rows): ((&str, Option<&str>), Vec<&StorageRow>)| {
            let usable = rows.iter().copied().find(is_usable);
            let told = usable.or(rows.first().copied())?;
            let place = node.map(|node| format!("{node}:")).unwrap_or_default();
            Some(Storage {
                id: format!("{}:{place}{name}", self.connection),
                connection: self.connection.clone(),
                name: name.to_owned(),
                cluster: cluster.cloned(),
                nodes: rows.iter().map(|row| row.node.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
                storage_type: told.storage_type.clone().unwrap_or_default(),
                content: told.content.clone(),
                shared: told.shared,
                active: usable.is_some(),
                space: space(told.figures.disk_total, told.figures.disk_used),
                observed_at: rows.iter().any(|row| answers(row)).then_some(self.at),
            })
        };
        groups.into_iter().filter_map(storage).collect()
    }
}

fn offline(node: &str) -> Error {
    Error::new(ErrorKind::Unreachable, "see the node")
        .on(node)
        .because("its cluster calls it offline")
        .next("check its power and its network; its guests are shown as last known")
}

/// A node's figures: what it said of itself, else what the cluster knows of it.
pub(super) fn telemetry(at: Timestamp, status: &NodeStatus, figures: Figures) -> Telemetry {
    let swap = |room: Room| Some(Swap { total_bytes: Bytes(room.total?), used_bytes: Bytes(room.used?) });
    Telemetry {
        at: Some(at),
        cpu_percent: status.cpu.or(figures.cpu).map(percent),
        cpus: status.cpus.or(figures.cpus.and_then(whole)),
        load: status.load,
        memory: memory(status.memory.total, status.memory.used, status.memory.available)
            .or_else(|| memory(figures.memory_total, figures.memory_used, None)),
        swap: swap(status.swap),
        file_systems: root(status.root, figures).into_iter().collect(),
        uptime_seconds: status.uptime.or(figures.uptime),
        ..Telemetry::default()
    }
}

/// Who a node is, as far as the API says.
pub(super) fn identity(name: &str, status: &NodeStatus, cpus: Option<f64>) -> Identity {
    Identity {
        hostname: Some(name.to_owned()),
        os: status.version.as_ref().map(|version| format!("Proxmox VE {version}")),
        kernel: status.kernel.clone(),
        architecture: status.architecture.clone(),
        cpus: status.cpus.or(cpus.and_then(whole)),
        cpu_model: status.cpu_model.clone(),
        proxmox_version: status.version.clone(),
        proxmox_node: Some(name.to_owned()),
        ..Identity::default()
    }
}

fn root(room: Room, figures: Figures) -> Option<FileSystem> {
    let total = room.total.or(figures.disk_total)?;
    let used = room.used.or(figures.disk_used)?;
    Some(FileSystem {
        mount_point: "/".to_owned(),
        source: SOURCE.to_owned(),
        total_bytes: Bytes(total),
        used_bytes: Bytes(used),
        available_bytes: Bytes(room.available.unwrap_or(total.saturating_sub(used))),
        ..FileSystem::default()
    })
}

fn memory(total: Option<u64>, used: Option<u64>, available: Option<u64>) -> Option<Memory> {
    Some(Memory {
        total_bytes: Bytes(total?),
        used_bytes: Bytes(used?),
        available_bytes: available.map(Bytes),
        source: SOURCE.to_owned(),
        arc_bytes: None,
    })
}

fn space(total: Option<u64>, used: Option<u64>) -> Option<Space> {
    Some(Space { total_bytes: Bytes(total?), used_bytes: Bytes(used?) })
}

/// A share of 1 in percent. Proxmox's shares go a little over 1 when its clocks disagree.
fn percent(share: f64) -> f64 {
    (share * 100.0).clamp(0.0, 100.0)
}

fn whole(count: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within the range just before")]
    (1.0..=f64::from(u32::MAX)).contains(&count).then(|| count.round() as u32)
}
