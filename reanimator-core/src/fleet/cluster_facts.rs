//! Slow facts of clusters: of the cluster itself, its nodes and its guests; asked for so slowly that no node feels it.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{
    Fleet,
    digest::{ClusterDigest, GuestDigest},
    facts::{Batch, is_old, stored},
    history::pick_guest,
    world::{GuestKnown, KnownCluster, Viewed},
};
use crate::{
    Error, ErrorKind, Result,
    host::pve::{ClusterQuestions, GuestQuestions, ProxmoxCluster},
    model::{
        ClusterSnapshot, ConnectionId, Entity, EventKind, Guest, GuestId, GuestStatus, HostId, Link, Unseen,
        details::GuestDetails,
        facts::{Dated, HostFacts, Read, Section, cluster::ClusterFacts, guest::GuestFacts, pve_node::NodeInventory},
    },
    store::StoredFacts,
};

/// How often it is looked what of a cluster is due, and whom there is room to ask.
const TURN: Duration = Duration::from_secs(20);

/// How old facts may get before they are read again. Where a node has more guests than it may be asked about in that
/// time, they are read less often: see [`ProxmoxCluster::may_read_guest`].
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// What may change any minute of the cluster.
    state: Duration,
    /// Its votes, rules and jobs.
    cluster: Duration,
    /// What its nodes are made of.
    node: Duration,
    /// Its guests' configurations and addresses; `None` reads them only when somebody looks.
    guest: Option<Duration>,
}

impl Pace {
    /// Over HTTPS.
    const API: Self = Self {
        state: Duration::from_secs(60),
        cluster: Duration::from_secs(15 * 60),
        node: Section::Proxmox.every(),
        guest: Some(Duration::from_secs(15 * 60)),
    };

    /// Through `pvesh`, which takes a second of a processor for each question.
    const PVESH: Self = Self {
        state: Duration::from_secs(15 * 60),
        cluster: Duration::from_secs(60 * 60),
        node: Duration::from_secs(60 * 60),
        guest: None,
    };
}

/// How long everything about a guest that somebody looked at is shown again without asking.
const VIEW_HOLDS: Duration = Duration::from_secs(10);

/// The same through `pvesh`, which takes a second of a processor for each of a dozen questions.
const SHELL_VIEW_HOLDS: Duration = Duration::from_secs(5 * 60);

/// How long an agent that did not answer is left alone.
const AGENT_REST: Duration = Duration::from_secs(120);

/// Sections of entities that are no hosts.
const CLUSTER: &str = "cluster";
pub(super) const BACKUPS: &str = "backups";
const GUEST: &str = "guest";

/// How a cluster is called among entities.
pub(super) fn entity_of(id: &ConnectionId) -> String {
    format!("cluster:{id}")
}

impl KnownCluster {
    /// Whether it is time for another turn.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        is_old(self.asked.turn.as_ref(), TURN, now)
    }

    fn pace(&self) -> Pace {
        if self.only_node.is_some() { Pace::PVESH } else { Pace::API }
    }
}

impl Fleet {
    /// Asks a cluster for what is due: its own facts, those of its nodes, and of some of its guests.
    ///
    /// # Errors
    /// `Storage` when what was seen cannot be written down. What the cluster does not tell is a note.
    pub(crate) async fn look_at_cluster_facts(&self, id: &ConnectionId) -> Result<()> {
        let now = self.now();
        let found = self.write(|world| {
            let known = world.clusters.get_mut(id)?;
            known.asked.turn = Some(now);
            Some((known.cluster.clone(), known.snapshot.clone()?, known.pace()))
        });
        let Some((cluster, snapshot, pace)) = found else { return Ok(()) };
        self.read_cluster(id, &cluster, pace).await?;
        let nodes = self.read(|world| world.nodes_of(id));
        for node in snapshot.nodes.iter().filter(|node| node.online) {
            let Some(host) = nodes.get(&node.name) else { continue };
            match self.read(|world| world.hosts.get(host)?.asked.get(&Section::Proxmox).copied()) {
                None => self.read_node(&cluster, &node.name, host).await?,
                Some(asked) if is_old(Some(&asked), pace.node, now) => {
                    if let Some(facts) = cluster.node_facts_in_turns(&node.name, self.now()).await {
                        self.take_in_node(host, facts).await?;
                    }
                }
                Some(_) => {}
            }
        }
        self.read_backups(id, &cluster, &snapshot, false).await?;
        if let Some(every) = pace.guest {
            self.read_guests(id, &cluster, &snapshot, every).await?;
        }
        self.forget_gone_guests(id, &snapshot.guests).await
    }

    /// What is known of a cluster beside its figures.
    ///
    /// # Errors
    /// `NotFound` for a cluster that there is not, or that was not asked yet; `Storage` when the store cannot be read.
    pub async fn cluster_facts(&self, id_or_name: &str) -> Result<Dated<ClusterFacts>> {
        let connection = self.find_proxmox(id_or_name).await?;
        let facts = self.cluster_facts_of(&connection.id).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "show what is known of the cluster")
                .on(connection.name)
                .because("it was not asked yet")
                .next("let `reanimator serve` run for a minute, or ask with `reanimator proxmox show NAME --observe`")
        })?;
        self.with_backups(&connection.id, facts).await
    }

    /// Asks a cluster for everything about itself now, however young what is known; its storages for the backups there are
    /// as well.
    ///
    /// # Errors
    /// `NotFound`; why the cluster does not answer; `Storage` when what was seen cannot be written down.
    pub async fn refresh_cluster(&self, id_or_name: &str) -> Result<Dated<ClusterFacts>> {
        let id = self.find_proxmox(id_or_name).await?.id;
        let facts = self.ask_cluster(&id).await?;
        let found = self.read(|world| {
            let known = world.clusters.get(&id)?;
            Some((known.cluster.clone(), known.snapshot.clone()?))
        });
        if let Some((cluster, snapshot)) = found {
            self.read_backups(&id, &cluster, &snapshot, true).await?;
        }
        self.with_backups(&id, facts).await
    }

    /// Asks a cluster for everything about itself now, however young what is known, but for what storages list.
    ///
    /// # Errors
    /// `NotFound`; why the cluster does not answer; `Storage` when what was seen cannot be written down.
    pub(crate) async fn ask_cluster(&self, id: &ConnectionId) -> Result<Dated<ClusterFacts>> {
        let seen = self.look_at_cluster(id).await?;
        self.write_down_cluster(&seen).await?;
        let found = self.read(|world| {
            let known = world.clusters.get(id)?;
            Some((known.cluster.clone(), known.heard.problem.clone()))
        });
        let Some((cluster, problem)) = found else { return self.cluster_facts(id.as_str()).await };
        if let Some(problem) = problem {
            let error = Error::new(problem.kind, "ask the cluster about itself").because(problem.message);
            return Err(problem.next.into_iter().fold(error, Error::next));
        }
        let now = self.now();
        let facts = cluster.cluster_facts(ClusterQuestions::All, now).await.facts.at(now);
        self.take_in_cluster(id, &facts).await?;
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                (known.asked.state, known.asked.all) = (Some(now), Some(now));
            }
        });
        Ok(facts)
    }

    pub(super) async fn cluster_facts_of(&self, id: &ConnectionId) -> Result<Option<Dated<ClusterFacts>>> {
        Ok(stored(&self.store().facts(&entity_of(id)).await?, CLUSTER))
    }

    /// Reads the cluster itself: what may change any minute often, and everything now and then, bit by bit.
    async fn read_cluster(&self, id: &ConnectionId, cluster: &ProxmoxCluster, pace: Pace) -> Result<()> {
        let now = self.now();
        let asked = self.read(|world| world.clusters.get(id).map(|known| known.asked.clone()).unwrap_or_default());
        if !is_old(asked.state.as_ref(), pace.state, now) {
            return Ok(());
        }
        let first = self.cluster_facts_of(id).await?.is_none();
        let all_due = is_old(asked.all.as_ref(), pace.cluster, now);
        let (read, whole) = match first {
            true => (cluster.cluster_facts(ClusterQuestions::All, now).await, true),
            false if all_due => cluster.cluster_facts_in_turns(now).await,
            false => (cluster.cluster_facts(ClusterQuestions::State, now).await, false),
        };
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                known.asked.state = Some(now);
                known.asked.all = if whole { Some(now) } else { known.asked.all };
            }
        });
        // Read only now: somebody may have asked for everything meanwhile.
        let facts = match self.cluster_facts_of(id).await?.filter(|_| !whole) {
            None => read.facts.at(now),
            Some(old) => renewed(old, read.facts, now),
        };
        self.take_in_cluster(id, &facts).await
    }

    async fn take_in_cluster(&self, id: &ConnectionId, facts: &Dated<ClusterFacts>) -> Result<()> {
        let entity = entity_of(id);
        let mut batch = Batch::default();
        batch.add(&entity, CLUSTER, &self.store().facts(&entity).await?, facts)?;
        self.store().put_facts_with_changes(&batch.facts, &batch.changes).await?;
        let digest = ClusterDigest::of(&facts.facts);
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                known.digest = digest;
            }
        });
        Ok(())
    }

    async fn read_node(&self, cluster: &ProxmoxCluster, node: &str, host: &HostId) -> Result<()> {
        let now = self.now();
        let read = cluster.node_facts(node, now).await;
        self.take_in_node(host, read.facts.at(now)).await
    }

    async fn take_in_node(&self, host: &HostId, facts: Dated<NodeInventory>) -> Result<()> {
        let asked = facts.at;
        self.take_in_facts(host, &HostFacts { proxmox: Some(facts), ..HostFacts::default() }).await?;
        self.write(|world| {
            if let Some(known) = world.hosts.get_mut(host) {
                known.asked.insert(Section::Proxmox, asked);
            }
        });
        Ok(())
    }

    /// Reads what the Proxmox API says of a host now, where it is a node.
    pub(super) async fn ask_node_facts(&self, id: &HostId) -> Result<()> {
        let found = self.read(|world| {
            world.hosts.get(id)?.host.links.iter().find_map(|link| match link {
                Link::ProxmoxNode { connection, node } => {
                    Some((world.clusters.get(connection)?.cluster.clone(), node.clone()))
                }
                _ => None,
            })
        });
        match found {
            Some((cluster, node)) => self.read_node(&cluster, &node, id).await,
            None => Ok(()),
        }
    }

    /// Reads some guests: those that were read longest ago, as many per node as it may be asked for. Those of nodes that
    /// are gone wait for them.
    async fn read_guests(
        &self,
        id: &ConnectionId,
        cluster: &ProxmoxCluster,
        snapshot: &ClusterSnapshot,
        every: Duration,
    ) -> Result<()> {
        let now = self.now();
        let online = |guest: &&Guest| snapshot.nodes.iter().any(|node| node.online && node.name == guest.node);
        let mut due = self.read(|world| {
            let known = world.clusters.get(id);
            let read_at = |guest: &Guest| known.and_then(|known| known.guests.get(&guest.id)).map(|known| known.at);
            let due = snapshot.guests.iter().filter(online).map(|guest| (read_at(guest), guest));
            due.filter(|(at, _)| is_old(at.as_ref(), every, now)).collect::<Vec<_>>()
        });
        due.sort_by_key(|(at, _)| *at);
        for (_, guest) in due {
            let now = self.now();
            if !cluster.may_read_guest(guest, now) {
                continue;
            }
            match cluster.guest_facts(guest, GuestQuestions::background(), now).await {
                Ok(read) => {
                    self.write(|world| {
                        if let Some(known) = world.clusters.get_mut(id) {
                            known.identities.insert(guest.id.clone(), read.identity);
                        }
                    });
                    self.take_in_guest(&guest.id, &read.facts.at(now)).await?;
                }
                Err(error) => {
                    tracing::debug!(guest = %guest.id, error = %crate::message(&error), "a guest is not seen");
                    // Not again in this turn's place of another.
                    self.write(|world| world.note_guest(&guest.id, GuestKnown { at: now, digest: None }));
                }
            }
        }
        Ok(())
    }

    async fn forget_gone_guests(&self, id: &ConnectionId, guests: &[Guest]) -> Result<()> {
        let there: BTreeSet<&GuestId> = guests.iter().map(|guest| &guest.id).collect();
        let gone = self.write(|world| {
            let Some(known) = world.clusters.get_mut(id) else { return Vec::new() };
            let gone: Vec<GuestId> = known.guests.keys().filter(|id| !there.contains(id)).cloned().collect();
            known.guests.retain(|id, _| there.contains(id));
            world.viewed.retain(|id, _| !gone.contains(id));
            gone
        });
        for guest in gone {
            self.store().remove_facts(&Entity::Guest(guest).to_string()).await?;
        }
        Ok(())
    }

    async fn take_in_guest(&self, id: &GuestId, facts: &Dated<GuestFacts>) -> Result<()> {
        let entity = Entity::Guest(id.clone()).to_string();
        let mut batch = Batch::default();
        batch.add(&entity, GUEST, &self.store().facts(&entity).await?, facts)?;
        self.store().put_facts_with_changes(&batch.facts, &batch.changes).await?;
        let known = GuestKnown { at: facts.at, digest: Some(GuestDigest::of(&facts.facts)) };
        self.write(|world| world.note_guest(id, known));
        if !batch.changes.is_empty() {
            self.tell(EventKind::GuestChanged, &serde_json::json!({ "id": id, "changes": batch.changes }));
        }
        Ok(())
    }

    /// Everything that is known of a guest. What may not be older than a moment is asked for now; where its cluster does
    /// not answer, what was last seen is told, with the reason.
    ///
    /// `node` names the host it is on (by name or id), where its number or name alone is not enough.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where several guests are called so.
    pub async fn guest_details(&self, node: Option<&str>, guest: &str) -> Result<GuestDetails> {
        let guest = self.guest(node, guest).await?;
        let facts = self.view_guest(&guest).await?;
        Ok(GuestDetails {
            id: guest.id,
            vmid: guest.vmid,
            name: guest.name,
            kind: guest.kind,
            node: guest.node,
            node_id: guest.host_id,
            cluster: guest.cluster,
            status: guest.status,
            template: guest.template,
            tags: guest.tags,
            linked_host: guest.linked_host,
            rates: guest.rates,
            observed_at: guest.observed_at,
            facts,
        })
    }

    /// A guest by its number, name or id. `node` names the host it is on, where its number or name alone is not enough.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where several guests are called so.
    pub async fn guest(&self, node: Option<&str>, name: &str) -> Result<Guest> {
        let Some(node) = node else {
            let id = self.guest_named(name).await?;
            let found = self.guests().await?.into_iter().find(|guest| guest.id == id);
            return found.ok_or_else(|| no_guest(name, None));
        };
        let host = self.find(node).await?;
        let mut on_host = self.guests().await?;
        on_host.retain(|guest| guest.host_id.as_ref() == Some(&host.id));
        pick_guest(&on_host, name)?.cloned().ok_or_else(|| no_guest(name, Some(&host.name)))
    }

    async fn view_guest(&self, guest: &Guest) -> Result<Dated<GuestFacts>> {
        let now = self.now();
        let (cluster, holds) = self.read(|world| {
            let known = world.clusters.get(&guest.connection);
            let by_shell = known.is_some_and(|known| known.only_node.is_some());
            (known.map(|known| known.cluster.clone()), if by_shell { SHELL_VIEW_HOLDS } else { VIEW_HOLDS })
        });
        let viewed = || self.read(|world| world.viewed.get(&guest.id).cloned());
        let fresh = |(facts, _): &Viewed| !is_old(Some(&facts.at), holds, now);
        if let Some((facts, _)) = viewed().filter(fresh) {
            return Ok(facts);
        }
        let _place = match &cluster {
            Some(cluster) => cluster.place_to_view().await,
            None => None,
        };
        // Whoever waited for the same guest finds it read.
        let seen = viewed();
        if let Some((facts, _)) = seen.as_ref().filter(|seen| fresh(seen)) {
            return Ok(facts.clone());
        }
        let silent_since = seen.and_then(|(_, silent_since)| silent_since);
        let rests = !is_old(silent_since.as_ref(), AGENT_REST, now);
        let questions = match rests {
            true => GuestQuestions::full().without_agent(),
            false => GuestQuestions::full(),
        };
        let asked = match &cluster {
            Some(cluster) => cluster.guest_facts(guest, questions, now).await,
            None => Err(Error::new(ErrorKind::NotFound, "reach its cluster")),
        };
        match asked {
            Ok(read) => {
                let mut facts = read.facts.at(now);
                if rests && guest.status == GuestStatus::Running {
                    let why = format!("it did not answer just now and is asked again in {} s", AGENT_REST.as_secs());
                    facts.unseen.push(Unseen::new("guest agent", why));
                }
                let silent = if read.agent_silent { Some(now) } else { silent_since.filter(|_| rests) };
                self.write(|world| world.note_view(&guest.id, facts.clone(), silent));
                Ok(facts)
            }
            Err(error) => {
                let stored = self.store().facts(&Entity::Guest(guest.id.clone()).to_string()).await?;
                let mut facts = stored_guest(&stored).unwrap_or_else(|| Dated { at: now, ..Dated::default() });
                facts.unseen.push(Unseen::new("what it is now", crate::message(&error)));
                Ok(facts)
            }
        }
    }

    /// Removes what is stored of clusters that are not connected any more, and of their guests.
    pub(crate) async fn forget_gone_clusters(&self) -> Result<()> {
        let connections = self.store().connections().await?;
        for section in [CLUSTER, GUEST] {
            for stored in self.store().facts_of_section(section).await? {
                let of = cluster_of(&stored.entity);
                if of.is_some_and(|of| !connections.iter().any(|connection| connection.id.as_str() == of)) {
                    self.store().remove_facts(&stored.entity).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes in what is stored of clusters and guests, for tables.
    pub(super) async fn remember_cluster_facts(&self) -> Result<()> {
        let clusters = self.store().facts_of_section(CLUSTER).await?;
        let guests = self.store().facts_of_section(GUEST).await?;
        self.remember_backups().await?;
        self.write(|world| {
            for stored in &clusters {
                let id = stored.entity.strip_prefix("cluster:").map(ConnectionId::from);
                let facts: Option<Dated<ClusterFacts>> = super::facts::stored(std::slice::from_ref(stored), CLUSTER);
                if let (Some(known), Some(facts)) = (id.and_then(|id| world.clusters.get_mut(&id)), facts) {
                    known.digest = ClusterDigest::of(&facts.facts);
                }
            }
            for stored in &guests {
                let id = stored.entity.strip_prefix("guest:").map(|id| GuestId(id.to_owned()));
                if let (Some(id), Some(facts)) = (id, stored_guest(std::slice::from_ref(stored))) {
                    let known = GuestKnown { at: stored.at, digest: Some(GuestDigest::of(&facts.facts)) };
                    world.note_guest(&id, known);
                }
            }
        });
        Ok(())
    }
}

/// What is known of a cluster with its state as it was just read. What nobody asked for now is still not seen.
fn renewed(old: Dated<ClusterFacts>, state: Read<ClusterFacts>, now: Timestamp) -> Dated<ClusterFacts> {
    let is_of_state = |note: &Unseen| ClusterQuestions::State.ask_for(&note.what);
    let before = old.unseen.into_iter().filter(|note| !is_of_state(note));
    let unseen = before.chain(state.unseen.into_iter().filter(is_of_state)).collect();
    Dated { at: now, unseen, facts: old.facts.renewed_by(state.facts) }
}

/// The cluster whose facts these are, or whose guest's.
fn cluster_of(entity: &str) -> Option<&str> {
    let guest = || entity.strip_prefix("guest:")?.rsplit_once(':').map(|(connection, _)| connection);
    entity.strip_prefix("cluster:").or_else(guest)
}

fn stored_guest(all: &[StoredFacts]) -> Option<Dated<GuestFacts>> {
    stored(all, GUEST)
}

fn no_guest(name: &str, node: Option<&str>) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("find the guest \"{name}\""));
    let error = match node {
        Some(node) => error.because(format!("there is none of that number or name on {node}")),
        None => error.because("there is none of that number or name"),
    };
    error.next("see `reanimator guest list`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_of_the_state_is_forgotten_once_it_is_seen() {
        let note = |what: &str| Unseen::new(what, "it did not answer");
        let at = Timestamp::UNIX_EPOCH;
        let unseen = vec![note("Ceph"), note("zones")];
        let old = Dated { at, unseen, facts: ClusterFacts::default() };
        let state = Read { facts: ClusterFacts::default(), unseen: vec![note("failed tasks")] };
        let now = at + Duration::from_secs(60);
        let all = renewed(old, state, now);
        let what: Vec<_> = all.unseen.iter().map(|note| note.what.as_str()).collect();
        assert_eq!((all.at, what), (now, vec!["zones", "failed tasks"]));
    }

    #[test]
    fn facts_tell_whose_they_are() {
        let of = ["cluster:a-b", "guest:a-b:100", "host:a-b"].map(cluster_of);
        assert_eq!(of, [Some("a-b"), Some("a-b"), None]);
    }
}
