//! The tables as frontends ask for them: made out of memory, never by asking a host.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Fleet, attention, dashboard, totals, world::KnownCluster};
use crate::{
    Result,
    model::{
        ConnectionId, Guest, GuestId, HostId, HostState, HostView, NodeSnapshot, Telemetry,
        dashboard::{ClusterRow, InterfaceRow, NodeRow, Overview, StorageRow, VmRow},
    },
};

/// The whole fleet in tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tables {
    /// In a few figures.
    pub overview: Overview,
    /// Hosts, by name.
    pub nodes: Vec<NodeRow>,
    /// Guests of all clusters.
    pub vms: Vec<VmRow>,
    /// Storages of all clusters, and file systems of all hosts with a shell.
    pub storages: Vec<StorageRow>,
    /// Interfaces of all hosts.
    pub interfaces: Vec<InterfaceRow>,
    /// Clusters.
    pub clusters: Vec<ClusterRow>,
}

impl Fleet {
    /// The whole fleet in tables: out of memory while a live loop runs in this process, else as last stored.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn tables(&self) -> Result<Tables> {
        self.tables_and_unseen_backups().await.map(|(tables, _)| tables)
    }

    /// The same, with the guests of which nobody knows now whether their backups are too old.
    pub(super) async fn tables_and_unseen_backups(&self) -> Result<(Tables, BTreeSet<GuestId>)> {
        self.refresh().await?;
        if !self.is_live() {
            self.remember_facts().await?;
        }
        let telemetry = self.telemetry_of_hosts().await?;
        let now = self.now();
        let (views, guests, all_storages, fresh) =
            self.read(|world| (world.views(now), world.guests(), world.storages(), world.fresh_storages(now)));
        let (hosts, by_guest) = self.read(|world| (world.host_digests(now), world.guest_digests()));
        let (of_clusters, looked) = self.read(|world| (world.cluster_digests(), world.looked_at_backups()));
        let totals = totals::totals(&views, &guests, &fresh);
        let nodes = dashboard::nodes(&views, &hosts);
        let vms = dashboard::vms(&guests, &by_guest);
        let storages = dashboard::storages(&all_storages, &views, &telemetry);
        let clusters = self.clusters_table(&views, &guests).await?;
        let away = self.read(|world| away(&views, &world.node_places()));
        let known = attention::Known {
            views: &views,
            hosts: &hosts,
            storages: &storages,
            away: &away,
            clusters: &clusters,
            digests: &of_clusters,
            guests: &vms,
            looked: &looked,
        };
        let mut attention = attention::attention(known, now);
        attention.extend(self.silent_targets().await?);
        attention.sort_by_key(|each| each.level);
        let unseen = attention::unseen_backups(&known, now);
        let tables = Tables {
            overview: dashboard::overview(&totals, &nodes, &vms, attention),
            interfaces: dashboard::interfaces(&views, &hosts),
            clusters,
            nodes,
            vms,
            storages,
        };
        Ok((tables, unseen))
    }

    /// The last figures of hosts with a shell.
    pub(super) async fn telemetry_of_hosts(&self) -> Result<BTreeMap<HostId, Telemetry>> {
        let (mut known, missing) = self.read(|world| {
            let with_shell = world.hosts.values().filter(|known| known.machine.is_some());
            let (seen, missing): (Vec<_>, Vec<_>) = with_shell.partition(|known| known.shell.observation.is_some());
            let seen = seen
                .into_iter()
                .filter_map(|known| Some((known.host.id.clone(), known.shell.observation.as_ref()?.telemetry.clone())));
            (
                seen.collect::<BTreeMap<_, _>>(),
                missing.into_iter().map(|known| known.host.id.clone()).collect::<Vec<_>>(),
            )
        });
        for id in missing {
            if let Some(telemetry) = self.store().telemetry(&id).await? {
                known.insert(id, telemetry);
            }
        }
        Ok(known)
    }

    async fn clusters_table(&self, views: &[HostView], guests: &[Guest]) -> Result<Vec<ClusterRow>> {
        let known = self.proxmoxes().await?;
        Ok(self.read(|world| {
            let row = |view: super::ProxmoxView| {
                let cluster = world.clusters.get(&view.id);
                let snapshot = cluster.and_then(|cluster| cluster.snapshot.as_ref());
                let nodes: &[NodeSnapshot] = snapshot.map_or(&[], |snapshot| &snapshot.nodes);
                let own = guests.iter().filter(|guest| guest.connection == view.id && !guest.template);
                let running = totals::running(guests, views).filter(|guest| guest.connection == view.id);
                let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                ClusterRow {
                    name: view.name,
                    cluster: view.cluster,
                    state: view.state,
                    version: oldest_version(nodes),
                    nodes_total: count(nodes.len()),
                    nodes_online: count(nodes.iter().filter(|node| node.online).count()),
                    quorate: view.quorate,
                    votes: cluster.and_then(|cluster| cluster.digest.votes),
                    ha_status: cluster.and_then(|cluster| cluster.digest.ha_status.clone()),
                    ceph_health: cluster.and_then(|cluster| cluster.digest.ceph_health.clone()),
                    guests_running: count(running.count()),
                    guests_total: count(own.count()),
                    problems: cluster.map(problems).unwrap_or_default(),
                    observed_at: snapshot.map(|snapshot| snapshot.at),
                    id: view.id,
                }
            };
            known.into_iter().map(row).collect()
        }))
    }
}

/// Hosts that are away or looked after by hand, by id, and the places of those that are nodes.
fn away(views: &[HostView], places: &BTreeMap<HostId, (ConnectionId, String)>) -> attention::Away {
    let away = views.iter().filter(|view| matches!(view.state, HostState::Offline | HostState::Maintenance));
    let hosts: BTreeSet<HostId> = away.map(|view| view.id.clone()).collect();
    let nodes = hosts.iter().filter_map(|id| places.get(id).cloned()).collect();
    attention::Away { hosts, nodes }
}

fn problems(cluster: &KnownCluster) -> Vec<String> {
    cluster.digest.troubles.iter().map(|trouble| trouble.what.clone()).collect()
}

/// The oldest Proxmox VE version of some nodes: what all of them can do.
fn oldest_version(nodes: &[NodeSnapshot]) -> Option<String> {
    let numbers = |version: &str| version.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    let versions = nodes.iter().filter_map(|node| node.identity.proxmox_version.as_ref());
    versions.min_by_key(|version| numbers(version)).cloned()
}
