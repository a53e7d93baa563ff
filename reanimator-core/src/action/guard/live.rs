//! What clusters say right now, put over what the fleet remembers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{Look, guests, placing};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{
        cluster_ha, lenient, node,
        resources::{self, GuestRow, NodeRow, Resources},
        status::{self, ClusterStatus},
    },
    fleet::{Fleet, surroundings},
    host::pve::PveApi,
    model::{
        Bytes, ConnectionId, GuestId, GuestKind, GuestStatus, HostId, Scene,
        facts::cluster::HaFacts,
        scene::{SceneGuest, SceneHost, SceneNode, SceneStorage},
    },
    transport::http::Request,
};

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(20);

/// How long all clusters together may take in which only something else goes on.
const BESIDE: Duration = Duration::from_secs(10);

/// Questions that a cluster is asked at once.
pub(super) const AT_ONCE: usize = 4;

/// A guest that was started or moved less than this ago has not taken all the memory that it will.
const YOUNG: u64 = 10 * 60;

/// One cluster while it is asked.
pub(super) struct Asked<'a> {
    pub(super) api: Arc<dyn PveApi>,
    pub(super) id: &'a ConnectionId,
    /// Its nodes by the names they have there.
    pub(super) hosts: BTreeMap<String, HostId>,
}

impl Asked<'_> {
    pub(super) async fn call(&self, request: Request) -> Result<Value> {
        self.api.call(request.time_limit(LIMIT)).await
    }

    /// The name of a host among its nodes.
    pub(super) fn node(&self, host: &HostId) -> Option<&str> {
        self.hosts.iter().find(|(_, id)| *id == host).map(|(name, _)| name.as_str())
    }
}

/// Asks the clusters concerned, and corrects the scene by what they say.
pub(super) async fn look(fleet: &Fleet, scene: &mut Scene, look: &Look) -> Result<()> {
    for id in &look.clusters {
        let api = fleet.api_of(id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "ask the cluster what may be done")
                .because("it is not in the fleet any more")
                .next("see `reanimator proxmox list`")
        })?;
        let mut asked = Asked { api, id, hosts: BTreeMap::new() };
        cluster(&mut asked, scene, look).await?;
    }
    beside(fleet, scene, look).await;
    // Whoever is acted upon, and has not been heard of in this process, is taken to be there.
    for id in &look.powered {
        if let Some(host) = scene.hosts.get_mut(id).filter(|host| host.node.is_none()) {
            host.online = true;
        }
    }
    Ok(())
}

/// Asks the clusters that only something else goes on in. Of one that does not answer, or is not in the fleet any more,
/// counts what is remembered.
async fn beside(fleet: &Fleet, scene: &mut Scene, look: &Look) {
    let give_up = tokio::time::Instant::now() + BESIDE;
    for id in &look.beside {
        let Some(api) = fleet.api_of(id) else { continue };
        let mut asked = Asked { api, id, hosts: BTreeMap::new() };
        let mut now = scene.clone();
        match tokio::time::timeout_at(give_up, cluster(&mut asked, &mut now, look)).await {
            Ok(Ok(())) => *scene = now,
            Ok(Err(error)) => {
                tracing::warn!(cluster = %id, error = %crate::report(&error), "what is remembered of it counts");
            }
            Err(_) => tracing::warn!(cluster = %id, "it answers too slowly: what is remembered of it counts"),
        }
    }
}

async fn cluster(asked: &mut Asked<'_>, scene: &mut Scene, look: &Look) -> Result<()> {
    let (members, all) = futures::join!(asked.call(status::request()), asked.call(resources::request()));
    let (members, all) = (status::cluster_status(&members?)?, resources::resources(&all?)?);
    nodes(asked, scene, &members, &all);
    storages(asked, scene, &all);
    rows(asked, scene, &all);
    let Some(known) = scene.clusters.get_mut(asked.id) else { return Ok(()) };
    known.quorate = members.quorate;
    let clustered = members.name.is_some();
    known.name = members.name.unwrap_or_else(|| known.name.clone());
    if clustered {
        let ha = high_availability(asked).await?;
        placing::high_availability(asked, scene, &ha);
    }
    placing::tags(asked, scene);
    if clustered && look.powered.iter().any(|host| asked.node(host).is_some()) {
        placing::votes(asked, scene).await?;
    }
    details(asked, scene, look).await
}

/// The nodes there are, whether they are online, and their figures.
fn nodes(asked: &mut Asked<'_>, scene: &mut Scene, members: &ClusterStatus, all: &Resources) {
    let known = scene.nodes_of(asked.id).filter_map(|(id, host)| Some((host.node.as_ref()?.name.clone(), id.clone())));
    asked.hosts = known.collect();
    for row in &all.nodes {
        let id = asked.hosts.entry(row.name.clone()).or_insert_with(|| surroundings::node_id(asked.id, &row.name));
        let host = scene.hosts.entry(id.clone()).or_insert_with(|| SceneHost {
            name: row.name.clone(),
            node: Some(SceneNode::new(asked.id.clone(), &row.name)),
            ..SceneHost::default()
        });
        let member = members.members.iter().find(|member| member.name == row.name);
        host.online = member.and_then(|member| member.online).or(row.online).unwrap_or(false);
        if let Some(node) = &mut host.node {
            figures(node, row, all);
        }
    }
}

/// A node's figures. Guests that were started or moved of late are counted as if they had taken all their memory: they
/// soon will have.
fn figures(node: &mut SceneNode, row: &NodeRow, all: &Resources) {
    node.memory_total = row.figures.memory_total.map(Bytes);
    node.memory_used = row.figures.memory_used.map(Bytes).map(|used| used + still_to_come(&row.name, all));
    node.cpus = row.figures.cpus.map(whole);
    node.storages = BTreeMap::new();
}

/// Memory that young guests of a node will yet take.
fn still_to_come(node: &str, all: &Resources) -> Bytes {
    let young = |guest: &&GuestRow| {
        let fresh = guest.figures.uptime.is_none_or(|seconds| seconds < YOUNG);
        guest.node == node && guest.status == GuestStatus::Running && fresh
    };
    let rest = |guest: &GuestRow| {
        Bytes(guest.figures.memory_total.unwrap_or(0).saturating_sub(guest.figures.memory_used.unwrap_or(0)))
    };
    all.guests.iter().filter(young).map(rest).sum()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of processors, kept within range"
)]
pub(super) fn whole(number: f64) -> u32 {
    number.clamp(0.0, 1e6) as u32
}

fn storages(asked: &Asked<'_>, scene: &mut Scene, all: &Resources) {
    for row in &all.storages {
        let host = asked.hosts.get(&row.node).and_then(|id| scene.hosts.get_mut(id));
        let Some(node) = host.and_then(|host| host.node.as_mut()) else { continue };
        let free = row.figures.disk_total.map(|total| Bytes(total.saturating_sub(row.figures.disk_used.unwrap_or(0))));
        let content = row.content.iter().cloned().collect();
        let storage = SceneStorage { shared: row.shared, content, free, active: row.available };
        node.storages.insert(row.name.clone(), storage);
    }
}

/// The guests there are; what people said of them stays.
fn rows(asked: &Asked<'_>, scene: &mut Scene, all: &Resources) {
    let ours = |id: &GuestId| id.connection().as_ref() == Some(asked.id);
    let (mut ours, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        std::mem::take(&mut scene.guests).into_iter().partition(|(id, _)| ours(id));
    scene.guests = others;
    for row in &all.guests {
        let Some(host) = asked.hosts.get(&row.node) else { continue };
        let id = GuestId::new(asked.id, row.vmid);
        let known = ours.remove(&id).unwrap_or_default();
        let tags = row.tags.iter().cloned().collect();
        let guest = SceneGuest {
            name: row.name.clone().unwrap_or_else(|| row.vmid.to_string()),
            kind: row.kind,
            host: host.clone(),
            status: row.status,
            memory: Bytes(row.figures.memory_total.unwrap_or(0)),
            memory_used: row.figures.memory_used.map(Bytes),
            cpus: (row.kind == GuestKind::Qemu).then(|| row.figures.cpus.map(whole)).flatten(),
            servers: surroundings::tagged(&tags),
            tags,
            template: row.template,
            ..known
        };
        scene.guests.insert(id, guest);
    }
}

/// What high availability does, is asked to do, and its rules: groups where there are no rules yet.
async fn high_availability(asked: &Asked<'_>) -> Result<HaFacts> {
    let (current, configured, rules) = futures::join!(
        asked.call(cluster_ha::status_request()),
        asked.call(cluster_ha::resources_request()),
        asked.call(cluster_ha::rules_request()),
    );
    let mut facts = cluster_ha::status(&current?)?;
    cluster_ha::resources_into(&configured?, &mut facts)?;
    facts.rules = Some(match rules {
        // Proxmox VE 8 has groups instead.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            cluster_ha::groups(&asked.call(cluster_ha::groups_request()).await?)?
        }
        rules => cluster_ha::rules(&rules?)?,
    });
    Ok(facts)
}

/// What is asked of single nodes and guests.
async fn details(asked: &Asked<'_>, scene: &mut Scene, look: &Look) -> Result<()> {
    let here = |host: &&HostId| asked.node(host).is_some() && scene.hosts.get(*host).is_some_and(|host| host.online);
    let targets: Vec<HostId> = look.targets.iter().filter(here).cloned().collect();
    let powered: Vec<HostId> = look.powered.iter().filter(here).cloned().collect();
    let targets: Vec<_> =
        stream::iter(targets.into_iter().map(|host| target(asked, host))).buffer_unordered(AT_ONCE).collect().await;
    for (host, memory, bridges) in targets {
        let Some(node) = scene.hosts.get_mut(&host).and_then(|host| host.node.as_mut()) else { continue };
        if let Some((total, used)) = memory {
            let old = node.memory_total.zip(node.memory_used);
            // Fresher than the cluster's, which may be ten seconds old: the worse of the two holds.
            node.memory_used = Some(old.map_or(used, |(_, old)| old.max(used)));
            node.memory_total = Some(total);
        }
        node.bridges = bridges;
    }
    for host in powered {
        running(asked, scene, &host).await?;
    }
    let read = stream::iter(asked_guests(asked, scene, look)).map(|(id, must)| {
        let guest = scene.guests.get(&id).cloned().unwrap_or_default();
        let moving = look.moving.contains(&id);
        async move {
            match guests::read(asked, id.clone(), guest, moving).await {
                Err(error) if !must => {
                    tracing::debug!(guest = %id, error = %crate::report(&error), "it is on its way");
                    Ok(None)
                }
                read => read.map(Some),
            }
        }
    });
    let read: Vec<Option<(GuestId, SceneGuest)>> = read.buffer_unordered(AT_ONCE).try_collect().await?;
    for (id, mut guest) in read.into_iter().flatten() {
        let storages = scene.node(&guest.host).map(|node| &node.storages);
        for disk in &mut guest.disks {
            let storage = disk.storage.as_ref().and_then(|name| storages?.get(name));
            disk.shared = storage.is_some_and(|storage| storage.shared);
        }
        scene.guests.insert(id, guest);
    }
    Ok(())
}

/// The guests of a cluster that are asked, and which of them must answer: those that nothing is being done to.
fn asked_guests(asked: &Asked<'_>, scene: &Scene, look: &Look) -> Vec<(GuestId, bool)> {
    // Whom high availability moves along is looked at as well.
    let along: Vec<GuestId> = look.moving.iter().flat_map(|id| crate::decide::harm::companions_of(scene, id)).collect();
    let all: BTreeSet<GuestId> = look.guests.iter().chain(&look.busy).cloned().chain(along).collect();
    let here = |id: &GuestId| id.connection().as_ref() == Some(asked.id) && scene.guests.contains_key(id);
    let must = |id: &GuestId| look.guests.contains(id) || !look.busy.contains(id);
    all.into_iter().filter(here).map(|id| (id.clone(), must(&id))).collect()
}

type TargetSeen = (HostId, Option<(Bytes, Bytes)>, Option<BTreeSet<String>>);

/// What a target has left, and its bridges. What it does not say is not known, and the rules say so.
async fn target(asked: &Asked<'_>, host: HostId) -> TargetSeen {
    let Some(name) = asked.node(&host) else { return (host, None, None) };
    let bridges = node::network_request(name).param("type", "any_bridge");
    let (status, bridges) = futures::join!(asked.call(node::status_request(name)), asked.call(bridges));
    let memory = status.and_then(|data| node::node_status(&data)).map(|status| status.memory);
    let memory = memory.ok().and_then(|memory| Some((Bytes(memory.total?), Bytes(memory.used?))));
    let bridges = bridges.ok().and_then(|data| {
        let rows = lenient::rows(&data, "the node's bridges").ok()?;
        Some(rows.into_iter().filter_map(|row| row.text("iface").or_else(|| row.text("vnet"))).collect())
    });
    (host, memory, bridges)
}

/// What runs on a node this very moment, and what is locked there.
async fn running(asked: &Asked<'_>, scene: &mut Scene, host: &HostId) -> Result<()> {
    let Some(name) = asked.node(host).map(str::to_owned) else { return Ok(()) };
    for kind in [GuestKind::Qemu, GuestKind::Lxc] {
        let data = asked.call(Request::get(["nodes", &name, kind.as_str()])).await?;
        for row in lenient::rows(&data, "the node's guests")? {
            let Some(vmid) = row.count("vmid").and_then(|vmid| u32::try_from(vmid).ok()) else { continue };
            let guest = scene.guests.entry(GuestId::new(asked.id, vmid)).or_insert_with(|| SceneGuest {
                name: row.text("name").unwrap_or_else(|| vmid.to_string()),
                kind,
                ..SceneGuest::default()
            });
            guest.host.clone_from(host);
            guest.status = resources::status(row.text("status").as_deref());
            guest.lock = row.text("lock");
        }
    }
    Ok(())
}
