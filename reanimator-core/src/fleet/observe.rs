//! Looking at hosts and clusters, taking in what was seen, and writing it down before it is shown.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Fleet, HostDetail, Status, changes, guest_rates, silent, totals, view::Heard};
use crate::{
    Error, ErrorKind, Result,
    host::Host as _,
    model::{
        ClusterSnapshot, ConnectionId, Entity, EventKind, Guest, GuestId, GuestStatus, Host, HostId, HostState,
        HostView, Identity, Link, NewChange, Telemetry,
    },
    store::{MetricRow, Sample},
};

/// How long a temperature goes into the history: twice as long as sensors are left alone.
const TEMPERATURE_HOLDS: Duration = Duration::from_secs(120);

/// What one look at a host gave, ready to be written down and told.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The host as it is shown now.
    pub view: HostView,
    /// Its figures, where it answered.
    pub telemetry: Option<Telemetry>,
    /// Who it is, where it said so and that is news.
    pub identity: Option<Identity>,
}

/// What one look at a cluster gave.
#[derive(Clone, Debug)]
pub(crate) struct SeenCluster {
    /// Its nodes.
    pub nodes: Vec<Seen>,
    /// All of it, where it answered.
    pub snapshot: Option<ClusterSnapshot>,
    /// What happened to guests.
    pub guests: Vec<(EventKind, Guest)>,
    /// What differs in them from last time.
    pub changes: Vec<NewChange>,
}

impl Fleet {
    /// Looks at one host now, and writes down what was seen.
    ///
    /// # Errors
    /// Why the host does not answer; the miss is written down too.
    pub async fn observe(&self, name_or_id: &str) -> Result<HostDetail> {
        let id = self.find(name_or_id).await?.id;
        let (has_shell, clusters) = self.read(|world| {
            let known = world.hosts.get(&id);
            let node = |link: &Link| matches!(link, Link::ProxmoxNode { .. }).then(|| link.connection().clone());
            let clusters: Vec<ConnectionId> =
                known.into_iter().flat_map(|known| known.host.links.iter().filter_map(node)).collect();
            (known.is_some_and(|known| known.machine.is_some()), clusters)
        });
        for cluster in clusters {
            let seen = self.look_at_cluster(&cluster).await?;
            self.write_down_cluster(&seen).await?;
            if !has_shell {
                // The view that was just made: what is shown may be another process's by now.
                let view = seen.nodes.into_iter().map(|node| node.view).find(|view| view.id == id);
                seen.snapshot.map(drop).ok_or_else(|| silence(&id, view))?;
            }
        }
        if has_shell && let Some((seen, result)) = self.look_at_host(&id).await {
            self.write_down(&[seen]).await?;
            result?;
        }
        self.host(id.as_str()).await
    }

    /// Looks at a host through its shell. `None` when there is no such host any more.
    pub(crate) async fn look_at_host(&self, id: &HostId) -> Option<(Seen, Result<()>)> {
        let machine = self.read(|world| Some(world.hosts.get(id)?.machine.as_ref()?.1.clone()))?;
        let asked = self.now();
        let result = machine.observe(asked).await;
        let now = self.now();
        let misses = self.inner.options.misses;
        self.write(|world| {
            let known = world.hosts.get_mut(id)?;
            // The machine was built anew meanwhile: what the old one said is of no use.
            known.machine.as_ref().filter(|(_, current)| Arc::ptr_eq(current, &machine))?;
            let (mut telemetry, mut identity) = (None, None);
            let result = match result {
                Ok(observation) => {
                    known.shell.heard = Heard { answered_at: Some(asked), misses: 0, problem: None };
                    telemetry = Some(observation.telemetry.clone());
                    identity = Some(observation.identity.clone()).filter(|new| known.identity.as_ref() != Some(new));
                    known.shell.observation = Some(observation);
                    Ok(())
                }
                Err(error) => {
                    let error = error.renamed(known.host.name.clone());
                    miss(&mut known.shell.heard, &error);
                    Err(error)
                }
            };
            let view = world.renewed(id, misses, now)?;
            Some((Seen { view, telemetry, identity }, result))
        })
    }

    /// Looks at a cluster: nodes, guests and storages in one round.
    ///
    /// # Errors
    /// `Storage` when a new node cannot be written down. A cluster that does not answer is a miss, not an error.
    pub(crate) async fn look_at_cluster(&self, id: &ConnectionId) -> Result<SeenCluster> {
        let nothing = SeenCluster { nodes: Vec::new(), snapshot: None, guests: Vec::new(), changes: Vec::new() };
        let found = self.read(|world| {
            let known = world.clusters.get(id)?;
            Some((known.cluster.clone(), known.connection.name.clone(), known.only_node.clone()))
        });
        let Some((cluster, name, only_node)) = found else { return Ok(nothing) };
        let mut result = match cluster.observe(self.now()).await {
            Ok(snapshot) => Ok(match &only_node {
                Some(node) => only(snapshot, node),
                None => snapshot,
            }),
            // Every node of it shows this: it says which cluster is meant.
            Err(error) => {
                let whose = error.subject().map_or_else(|| name.clone(), |place| format!("{name} at {place}"));
                Err(error.renamed(whose))
            }
        };
        let now = self.now();
        let guests = self.write(|world| {
            let hosts = world.nodes_of(id);
            let known = world.clusters.get_mut(id)?;
            match &mut result {
                Ok(snapshot) => {
                    guest_rates::add(&mut known.marks, snapshot);
                    silent::keep_last_seen(known.snapshot.as_ref(), snapshot);
                    known.heard = Heard { answered_at: Some(now), misses: 0, problem: None };
                    let before = known.snapshot.replace(snapshot.clone());
                    // Votes and quorum are other ones now: they are not to be shown until their turn comes.
                    if before.as_ref().is_some_and(|before| silent::other_nodes_answer(before, snapshot)) {
                        (known.asked.turn, known.asked.state) = (None, None);
                    }
                    // The first look is no news.
                    before.map(|before| (guest_events(&before, snapshot), guest_changes(&hosts, &before, snapshot)))
                }
                Err(error) => {
                    miss(&mut known.heard, error);
                    None
                }
            }
        });
        let snapshot = match result {
            Ok(snapshot) => Some(snapshot),
            Err(error) => {
                tracing::warn!(cluster = %name, error = %crate::report(&error), "the cluster does not answer");
                None
            }
        };
        if let Some(snapshot) = &snapshot {
            // A node that cannot be written down is looked at again next turn; the others go on.
            if only_node.is_none()
                && let Err(error) = self.adopt_nodes(id, snapshot).await
            {
                tracing::error!(cluster = %name, error = %crate::report(&error), "a new node could not be taken in");
            }
            self.identify_guests(id, snapshot).await;
        }
        let misses = self.inner.options.misses;
        let nodes = self.read(|world| {
            let nodes = world.nodes_of(id).into_values();
            let seen = nodes.filter_map(|host| {
                let view = world.renewed(&host, misses, now)?;
                let known = world.hosts.get(&host)?;
                let node = world.node_of(&known.host).filter(|node| node.online && snapshot.is_some());
                // A machine with a shell writes its own figures.
                let telemetry = node.filter(|_| known.machine.is_none()).map(|node| node.telemetry.clone());
                let identity = node.filter(|_| known.machine.is_none()).map(|node| node.identity.clone());
                let identity = identity.filter(|new| known.identity.as_ref() != Some(new));
                Some(Seen { view, telemetry, identity })
            });
            seen.collect()
        });
        let (guests, changes) = guests.unwrap_or_default();
        Ok(SeenCluster { nodes, snapshot, guests, changes })
    }

    /// Makes hosts of nodes that are not in the fleet yet.
    pub(super) async fn adopt_nodes(&self, id: &ConnectionId, snapshot: &ClusterSnapshot) -> Result<()> {
        let _one_at_a_time = self.inner.adopting.lock().await;
        let known = self.read(|world| world.nodes_of(id));
        let new: Vec<_> = snapshot.nodes.iter().filter(|node| !known.contains_key(&node.name)).collect();
        for node in &new {
            let link = Link::ProxmoxNode { connection: id.clone(), node: node.name.clone() };
            if self.join_node(node, &link).await? {
                continue;
            }
            let taken = |name: &str| self.read(|world| world.hosts.values().any(|known| known.host.name == name));
            let cluster = snapshot.cluster.as_deref().unwrap_or("pve");
            let name = match taken(&node.name) {
                false => node.name.clone(),
                true => free_name(&format!("{}.{cluster}", node.name), taken),
            };
            let host = Host {
                id: HostId::generate(),
                name,
                groups: Default::default(),
                tags: Default::default(),
                maintenance: false,
                links: vec![link],
            };
            match self.store().insert_host(&host).await {
                // Another process takes the same nodes in: the next look finds them.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    tracing::debug!(node = %node.name, "taken in meanwhile")
                }
                result => result?,
            }
        }
        match new.is_empty() {
            true => Ok(()),
            false => self.sync().await,
        }
    }

    /// Reads what identifies guests, when one is new or it was long ago.
    async fn identify_guests(&self, id: &ConnectionId, snapshot: &ClusterSnapshot) {
        let now = self.now();
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                known.identities.retain(|id, _| snapshot.guests.iter().any(|guest| guest.id == *id));
            }
        });
        let due = self.read(|world| {
            let known = world.clusters.get(id)?;
            // Later on their facts are read now and then, and who they are with them.
            let old = known.identified_at.is_none();
            let is_new = |guest: &&Guest| old || !known.identities.contains_key(&guest.id);
            Some(snapshot.guests.iter().filter(is_new).cloned().collect::<Vec<_>>())
        });
        let Some(guests) = due.filter(|guests| !guests.is_empty()) else { return };
        let Some(cluster) = self.read(|world| world.clusters.get(id).map(|known| known.cluster.clone())) else {
            return;
        };
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                known.identified_at = Some(now);
                // A guest whose configuration cannot be read is not asked about at every look.
                known.identities.extend(guests.iter().map(|guest| (guest.id.clone(), Default::default())));
            }
        });
        let (fleet, id) = (self.clone(), id.clone());
        tokio::spawn(async move {
            let identities = cluster.guest_identities(&guests, now).await;
            fleet.write(|world| {
                if let Some(known) = world.clusters.get_mut(&id) {
                    known.identities.extend(identities);
                }
            });
            if let Err(error) = fleet.match_machines().await {
                tracing::warn!(error = %crate::report(&error), "machines could not be matched");
            }
        });
    }

    /// Writes down what was seen of hosts, all of it in one go, and then shows and tells it.
    ///
    /// # Errors
    /// `Storage` when it cannot be written; it is shown all the same, since a full disk must not blind anybody.
    pub(crate) async fn write_down(&self, seen: &[Seen]) -> Result<()> {
        let before: Vec<Option<HostState>> = self.read(|world| {
            let shown = |seen: &Seen| Some(world.hosts.get(&seen.view.id)?.view.as_ref()?.state);
            seen.iter().map(shown).collect()
        });
        let states = || before.iter().copied().zip(seen);
        let kinds: Vec<EventKind> = states().map(|(before, seen)| what(before, seen.view.state)).collect();
        let now = self.now();
        let turns: Vec<NewChange> = states()
            .filter_map(|(before, seen)| {
                let entity = Entity::Host(seen.view.id.clone()).to_string();
                changes::of_state(&entity, before?, seen.view.state, now)
            })
            .collect();
        let written = self.store_seen(seen, &kinds, &turns).await;
        for (kind, Seen { view, .. }) in kinds.into_iter().zip(seen) {
            self.write(|world| world.show(view));
            self.tell(kind, view);
        }
        let mut is_news = false;
        for (view, identity) in seen.iter().filter_map(|seen| Some((&seen.view, seen.identity.as_ref()?))) {
            is_news = true;
            match self.note_shell_node(&view.id, identity).await {
                // It was removed meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!(host = %view.name, error = %crate::report(&error), "pvesh is not asked there")
                }
                Ok(()) => {}
            }
        }
        if is_news && let Err(error) = self.match_machines().await {
            tracing::error!(error = %crate::report(&error), "machines could not be matched");
        }
        written
    }

    async fn store_seen(&self, seen: &[Seen], kinds: &[EventKind], turns: &[NewChange]) -> Result<()> {
        let store = self.store();
        let views: Vec<HostView> = seen.iter().map(|seen| seen.view.clone()).collect();
        store.put_views(&views).await?;
        let all = kinds.iter().copied().zip(seen.iter().map(|seen| &seen.view));
        let changes = all.filter(|(kind, _)| *kind != EventKind::HostUpdated);
        store.append_events(&changes.filter_map(|(kind, view)| self.event(kind, view)).collect::<Vec<_>>()).await?;
        store.append_changes(turns).await?;
        let answered = || seen.iter().filter_map(|seen| Some((seen, seen.telemetry.as_ref()?)));
        let telemetry: Vec<(HostId, Telemetry)> =
            answered().map(|(seen, telemetry)| (seen.view.id.clone(), telemetry.clone())).collect();
        store.put_telemetry(&telemetry).await?;
        let sample = |(seen, telemetry): (&Seen, &Telemetry)| Sample {
            entity: seen.view.id.clone().into(),
            at: telemetry.at.unwrap_or_else(|| self.now()),
            values: self.row_of(&seen.view, telemetry),
        };
        store.append_samples(&answered().map(sample).collect::<Vec<_>>()).await?;
        for seen in seen {
            if let Some(identity) = &seen.identity {
                let entity = Entity::Host(seen.view.id.clone()).to_string();
                let known = self.read(|world| world.hosts.get(&seen.view.id)?.identity.clone());
                let old = match known {
                    Some(known) => Some(known),
                    None => store.identity(&seen.view.id).await?,
                };
                let changes = old.map(|old| changes::of_identity(&entity, &old, identity, self.now()));
                store.append_changes(&changes.unwrap_or_default()).await?;
                store.put_identity(&seen.view.id, identity).await?;
                self.write(|world| {
                    if let Some(known) = world.hosts.get_mut(&seen.view.id) {
                        known.identity = Some(identity.clone());
                    }
                });
            }
        }
        Ok(())
    }

    /// Writes the sums over the whole fleet into its history.
    ///
    /// # Errors
    /// `Storage` when they cannot be written.
    pub(crate) async fn write_down_totals(&self, status: &Status) -> Result<()> {
        let clusters_seen = self.read(|world| world.clusters.values().all(|known| known.snapshot.is_some()));
        let values = totals::row(&status.totals, &status.hosts, clusters_seen);
        self.store().append_samples(&[Sample { entity: Entity::Fleet, at: status.at, values }]).await
    }

    /// The figures of a host for the history, with the warmest sensor where that was read lately.
    fn row_of(&self, view: &HostView, telemetry: &Telemetry) -> MetricRow {
        let mut row = MetricRow::of(view, Some(telemetry));
        let read = self.read(|world| world.hosts.get(&view.id)?.digest.temperature);
        let lately = read.filter(|(_, at)| self.now().duration_since(*at).unsigned_abs() < TEMPERATURE_HOLDS);
        row.put("temperature_highest", lately.map(|(celsius, _)| celsius));
        row
    }

    /// Writes down what was seen of a cluster, and then tells.
    ///
    /// # Errors
    /// `Storage` when it cannot be written.
    pub(crate) async fn write_down_cluster(&self, seen: &SeenCluster) -> Result<()> {
        let events: Vec<_> = seen.guests.iter().filter_map(|(kind, guest)| self.event(*kind, guest)).collect();
        let mut written = self.store().append_events(&events).await;
        if let Some(snapshot) = &seen.snapshot {
            let state = serde_json::to_string(snapshot).map_err(|error| {
                Error::new(ErrorKind::Internal, "write down the cluster's state").from_source(error)
            })?;
            written = written.and(self.store().put_cluster(&snapshot.connection, &state, snapshot.at).await);
            written = written.and(self.store().append_samples(&samples(snapshot)).await);
            written = written.and(self.store().append_changes(&seen.changes).await);
        }
        seen.guests.iter().for_each(|(kind, guest)| self.tell(*kind, guest));
        self.write_down(&seen.nodes).await.and(written)
    }
}

/// The figures of guests and storages, for the history. Those of silent nodes are as last known: no sample.
fn samples(snapshot: &ClusterSnapshot) -> Vec<Sample> {
    let silent = |node: &str| snapshot.nodes.iter().any(|each| each.name == node && !each.online);
    let seen = |guest: &&Guest| !guest.template && guest.status != GuestStatus::Unknown && !silent(&guest.node);
    let guests = snapshot.guests.iter().filter(seen).map(|guest| {
        let mut values = MetricRow::of_guest(guest);
        if let Some(rates) = guest.rates {
            values.put("disk_read", Some(rates.disk_read_bytes_per_second));
            values.put("disk_written", Some(rates.disk_written_bytes_per_second));
            values.put("network_received", Some(rates.network_received_bytes_per_second));
            values.put("network_sent", Some(rates.network_sent_bytes_per_second));
        }
        Sample { entity: Entity::Guest(guest.id.clone()), at: snapshot.at, values }
    });
    let usable = snapshot.storages.iter().filter(|storage| storage.active && storage.space.is_some());
    let storages = usable.map(|storage| Sample {
        entity: Entity::Storage(storage.id.clone()),
        at: snapshot.at,
        values: MetricRow::of_storage(storage),
    });
    guests.chain(storages).collect()
}

/// What a snapshot holds of one node: its guests, and the storages it has.
fn only(mut snapshot: ClusterSnapshot, node: &str) -> ClusterSnapshot {
    snapshot.nodes.retain(|each| each.name == node);
    snapshot.guests.retain(|guest| guest.node == node);
    snapshot.storages.retain(|storage| storage.nodes.iter().any(|each| each == node));
    snapshot
}

/// The error for a host whose cluster does not answer.
fn silence(id: &HostId, view: Option<HostView>) -> Error {
    let problem = view.as_ref().and_then(|view| view.problem.clone());
    let error = Error::new(problem.as_ref().map_or(ErrorKind::Unreachable, |problem| problem.kind), "observe it")
        .on(view.map_or_else(|| id.to_string(), |view| view.name));
    match problem {
        Some(problem) => {
            let error = error.because(problem.message);
            problem.next.into_iter().fold(error, Error::next)
        }
        None => error,
    }
}

/// What happened to a host between two looks.
fn what(before: Option<HostState>, now: HostState) -> EventKind {
    match (before, now) {
        (before, HostState::Online) if before != Some(HostState::Online) => EventKind::HostOnline,
        (before, HostState::Offline) if before != Some(HostState::Offline) => EventKind::HostOffline,
        _ => EventKind::HostUpdated,
    }
}

/// One more observation in a row without an answer.
fn miss(heard: &mut Heard, error: &Error) {
    heard.misses = heard.misses.saturating_add(1);
    heard.problem = Some(error.into());
}

/// What happened to guests between two looks.
fn guest_events(before: &ClusterSnapshot, now: &ClusterSnapshot) -> Vec<(EventKind, Guest)> {
    let find = |guests: &[Guest], guest: &Guest| guests.iter().find(|each| each.id == guest.id).cloned();
    let what = |guest: &Guest| (guest.status, guest.node.clone(), guest.name.clone(), guest.tags.clone());
    let added_or_changed = now.guests.iter().filter_map(|guest| match find(&before.guests, guest) {
        None => Some((EventKind::GuestAdded, guest.clone())),
        Some(old) if what(&old) != what(guest) => Some((EventKind::GuestUpdated, guest.clone())),
        Some(_) => None,
    });
    let removed = before.guests.iter().filter(|guest| find(&now.guests, guest).is_none());
    added_or_changed.chain(removed.map(|guest| (EventKind::GuestRemoved, guest.clone()))).collect()
}

/// What differs in guests between two looks, and in what its nodes have of them.
fn guest_changes(hosts: &BTreeMap<String, HostId>, before: &ClusterSnapshot, now: &ClusterSnapshot) -> Vec<NewChange> {
    let entity = |guest: &Guest| Entity::Guest(guest.id.clone()).to_string();
    let name = |guest: &Guest| guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
    let old: BTreeMap<&GuestId, &Guest> = before.guests.iter().map(|guest| (&guest.id, guest)).collect();
    let new: BTreeMap<&GuestId, &Guest> = now.guests.iter().map(|guest| (&guest.id, guest)).collect();
    let differs = now.guests.iter().flat_map(|guest| match old.get(&guest.id) {
        Some(old) => changes::of_guest(&entity(guest), old, guest, now.at),
        None => vec![changes::existence(&entity(guest), "guest", true, &name(guest), now.at)],
    });
    let gone = before.guests.iter().filter(|guest| !new.contains_key(&guest.id));
    let gone = gone.map(|guest| changes::existence(&entity(guest), "guest", false, &name(guest), now.at));
    differs.chain(gone).chain(changes::of_nodes_guests(hosts, before, now)).collect()
}

/// `name`, or `name-2` and so on.
pub(super) fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| name.to_owned())
}
