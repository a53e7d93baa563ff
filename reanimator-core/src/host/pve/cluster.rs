//! A whole cluster, observed over its API.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    PveApi,
    asking::Begun,
    budget::{Budget, Purpose},
    snapshot,
};
use crate::{
    Result,
    collect::pve::{access::Rights, guest, node, resources, status, volumes::StorageConfig},
    model::{ClusterSnapshot, ConnectionId, Guest, IdentifiedGuest},
    transport::http::Request,
};

/// How long one question of a round may take: a round every 10 s must be over by then.
const QUESTION_LIMIT: Duration = Duration::from_secs(8);

/// How long the answer about members and quorum is taken to hold while no node comes, goes, or changes its state: what
/// else is in it (names, addresses) hardly changes.
const MEMBERSHIP_HOLDS: SignedDuration = SignedDuration::from_secs(60);

/// How old it may be for who asks for facts: the next round renews it.
const MEMBERSHIP_HOLDS_FOR_FACTS: SignedDuration = SignedDuration::from_secs(120);

/// How many guests' configurations are read at once: a slow walk that leaves room for the rounds.
const CONFIGURATIONS_AT_ONCE: usize = 3;

/// A Proxmox cluster, or a node that stands alone.
#[derive(Debug)]
pub struct ProxmoxCluster {
    connection: ConnectionId,
    api: Arc<dyn PveApi>,
    /// Nodes that did not answer last time: asked last, so that they hold up no other.
    silent: Mutex<BTreeSet<String>>,
    storages: Mutex<Option<KeptStorages>>,
    rights: Mutex<Option<KeptRights>>,
    membership: Mutex<Option<KeptStatus>>,
    /// What its nodes were asked lately.
    budget: Mutex<Budget>,
    /// Rows of questions that go on when nodes may be asked again, by what they are about.
    begun: Mutex<BTreeMap<String, Begun>>,
    /// Whether it said that it has no Ceph.
    without_ceph: AtomicBool,
    /// How many guests somebody may look at in full at the same time.
    views: tokio::sync::Semaphore,
}

/// Figures must find room among the five requests that are under way at once, whoever looks at whatever.
const VIEWS_AT_ONCE: usize = 2;

/// The last answer about members and quorum, and the nodes' states when it was given.
#[derive(Clone, Debug)]
struct KeptStatus {
    at: Timestamp,
    data: Arc<Value>,
    nodes: NodeStates,
}

/// Which nodes there are, and whether the cluster's resources call them online.
type NodeStates = BTreeMap<String, Option<bool>>;

/// Storages' configurations, and when they were read.
type KeptStorages = (Timestamp, Arc<BTreeMap<String, StorageConfig>>);

/// What the login may do, and when that was read.
type KeptRights = (Timestamp, Arc<Rights>);

impl ProxmoxCluster {
    /// The cluster behind `api`, whose facts are named after `connection`.
    pub fn new(connection: ConnectionId, api: Arc<dyn PveApi>) -> Self {
        Self {
            connection,
            api,
            silent: Mutex::new(BTreeSet::new()),
            storages: Mutex::new(None),
            rights: Mutex::new(None),
            membership: Mutex::new(None),
            budget: Mutex::default(),
            begun: Mutex::default(),
            without_ceph: AtomicBool::new(false),
            views: tokio::sync::Semaphore::new(VIEWS_AT_ONCE),
        }
    }

    /// Waits for a place among those who look at guests in full; it is held until the returned value is dropped.
    pub async fn place_to_view(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.views.acquire().await.ok()
    }

    /// The API it is observed over.
    pub fn api(&self) -> &Arc<dyn PveApi> {
        &self.api
    }

    /// Makes a call, and notes which nodes see it.
    pub(super) async fn ask(&self, request: Request, purpose: Purpose, now: Timestamp) -> Result<Value> {
        let seen_by = self.api.seen_by(&request);
        self.budget().note(&seen_by, purpose, now);
        self.api.call(request).await
    }

    /// How many questions like this its nodes may be asked now, beside those of rounds.
    pub(super) fn room(&self, request: &Request, now: Timestamp) -> usize {
        self.budget().room(&self.api.seen_by(request), now)
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of questions about `what` that was begun, or a new one.
    pub(super) fn begin(&self, what: &str, now: Timestamp) -> Begun {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, row| !row.is_over(now));
        begun.remove(what).unwrap_or_else(|| Begun::new(now))
    }

    /// Keeps a row of questions for the next turn.
    pub(super) fn keep_begun(&self, what: &str, row: Begun) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned(), row);
    }

    pub(super) fn is_without_ceph(&self) -> bool {
        self.without_ceph.load(Ordering::Relaxed)
    }

    pub(super) fn note_ceph(&self, without: bool) {
        self.without_ceph.store(without, Ordering::Relaxed);
    }

    pub(super) fn kept_storages(&self) -> Option<KeptStorages> {
        self.storages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_storages(&self, storages: KeptStorages) {
        *self.storages.lock().unwrap_or_else(PoisonError::into_inner) = Some(storages);
    }

    pub(super) fn kept_rights(&self) -> Option<KeptRights> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget_rights(&self) {
        *self.rights.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn keep_rights(&self, rights: KeptRights) {
        *self.rights.lock().unwrap_or_else(PoisonError::into_inner) = Some(rights);
    }

    /// Looks at everything once: one question to the cluster, and one to each node that it sees. Who belongs to it is
    /// asked once a minute, and at once when a node comes, goes, or changes its state.
    ///
    /// # Errors
    /// When the cluster does not answer at all, or refuses the login. A node that does not answer is a note at that
    /// node; a question that the login may not ask is a note too.
    pub async fn observe(&self, now: Timestamp) -> Result<ClusterSnapshot> {
        let kept = self.kept_membership(now);
        let ask_all = self.ask(resources::request().time_limit(QUESTION_LIMIT), Purpose::Round, now);
        let (members, all) = match kept {
            Some(_) => (None, ask_all.await),
            None => {
                let (members, all) = futures::join!(self.ask_members(now), ask_all);
                (Some(members), all)
            }
        };
        let resources = resources::resources(&all?).map_err(|error| error.on(self.api.label()))?;
        let states: NodeStates = resources.nodes.iter().map(|row| (row.name.clone(), row.online)).collect();
        let members = match (members, kept) {
            (Some(members), _) => members,
            (None, Some(kept)) if kept.nodes == states => Ok(kept.data),
            (None, _) => self.ask_members(now).await,
        };
        if let Ok(data) = &members {
            self.keep_membership(now, data, states);
        }
        let status = members.and_then(|data| status::cluster_status(&data));
        if let Ok(status) = &status {
            let address = |member: &status::Member| Some((member.name.clone(), member.ip.clone()?));
            self.api.learn(&status.members.iter().filter_map(address).collect::<Vec<_>>());
        }
        let online = snapshot::nodes(status.as_ref().ok(), &resources);
        let names = online.into_iter().filter_map(|(name, online)| online.then_some(name)).collect();
        let nodes = self.ask_nodes(names, now).await;
        let round = snapshot::Round {
            connection: self.connection.clone(),
            at: now,
            status,
            resources,
            nodes,
            unseen: self.api.unseen(),
        };
        Ok(round.snapshot())
    }

    /// Reads who these guests are from their configurations, a few at a time. Hardware addresses and UUIDs hardly
    /// change: ask when a guest is new, and now and then.
    ///
    /// A guest whose configuration cannot be read (no right, node down, just removed) is left out.
    pub async fn guest_identities(&self, guests: &[Guest], now: Timestamp) -> Vec<IdentifiedGuest> {
        let read = |guest: &Guest| {
            let (id, request) = (guest.id.clone(), guest::config_request(&guest.node, guest.kind, &guest.vmid));
            async move {
                match self.ask(request, Purpose::Facts, now).await.and_then(|data| guest::identity(&data)) {
                    Ok(identity) => Some((id, identity)),
                    Err(error) => {
                        tracing::debug!(guest = %id, error = crate::message(&error), "a guest's configuration is not seen");
                        None
                    }
                }
            }
        };
        let reads: Vec<_> = guests.iter().map(read).collect();
        stream::iter(reads).buffer_unordered(CONFIGURATIONS_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    async fn ask_members(&self, now: Timestamp) -> Result<Arc<Value>> {
        self.ask(status::request().time_limit(QUESTION_LIMIT), Purpose::Round, now).await.map(Arc::new)
    }

    /// The answer about members and quorum, where it still holds.
    fn kept_membership(&self, now: Timestamp) -> Option<KeptStatus> {
        self.membership_within(MEMBERSHIP_HOLDS, now)
    }

    fn membership_within(&self, span: SignedDuration, now: Timestamp) -> Option<KeptStatus> {
        let kept = self.membership.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let age = now.duration_since(kept.at);
        (!age.is_negative() && age < span).then_some(kept)
    }

    /// The same, for who asks for facts.
    pub(super) fn kept_members(&self, now: Timestamp) -> Option<Arc<Value>> {
        self.membership_within(MEMBERSHIP_HOLDS_FOR_FACTS, now).map(|kept| kept.data)
    }

    fn keep_membership(&self, now: Timestamp, data: &Arc<Value>, nodes: NodeStates) {
        let mut kept = self.membership.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_mut().filter(|kept| Arc::ptr_eq(&kept.data, data)) {
            // An answer from before does not get younger.
            Some(kept) => kept.nodes = nodes,
            None => *kept = Some(KeptStatus { at: now, data: Arc::clone(data), nodes }),
        }
    }

    async fn ask_nodes(&self, mut names: Vec<String>, now: Timestamp) -> BTreeMap<String, Result<node::NodeStatus>> {
        {
            let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            names.sort_by_key(|name| silent.contains(name));
        }
        let ask = |name: String| async move {
            let request = node::status_request(&name).time_limit(QUESTION_LIMIT);
            let status = self.ask(request, Purpose::Round, now).await.and_then(|data| node::node_status(&data));
            (name, status)
        };
        let answers: BTreeMap<_, _> = futures::future::join_all(names.into_iter().map(ask)).await.into_iter().collect();
        let silent = answers
            .iter()
            .filter(|(_, answer)| answer.as_ref().is_err_and(|error| error.kind().is_retryable()))
            .map(|(name, _)| name.clone())
            .collect();
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
        answers
    }
}
