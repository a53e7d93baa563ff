//! A whole cluster, observed over its API.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{PveApi, snapshot};
use crate::{
    Result,
    collect::pve::{guest, node, resources, status, volumes::StorageConfig},
    model::{ClusterSnapshot, ConnectionId, Guest, IdentifiedGuest},
};

/// How long one question of a round may take: a round every 10 s must be over by then.
const QUESTION_LIMIT: Duration = Duration::from_secs(8);

/// How long the answer about members and quorum is taken to hold while no node comes, goes, or changes its state: what
/// else is in it (names, addresses) hardly changes.
const MEMBERSHIP_HOLDS: SignedDuration = SignedDuration::from_secs(60);

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
    membership: Mutex<Option<KeptStatus>>,
}

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

impl ProxmoxCluster {
    /// The cluster behind `api`, whose facts are named after `connection`.
    pub fn new(connection: ConnectionId, api: Arc<dyn PveApi>) -> Self {
        Self {
            connection,
            api,
            silent: Mutex::new(BTreeSet::new()),
            storages: Mutex::new(None),
            membership: Mutex::new(None),
        }
    }

    /// The API it is observed over.
    pub fn api(&self) -> &Arc<dyn PveApi> {
        &self.api
    }

    pub(super) fn kept_storages(&self) -> Option<KeptStorages> {
        self.storages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_storages(&self, storages: KeptStorages) {
        *self.storages.lock().unwrap_or_else(PoisonError::into_inner) = Some(storages);
    }

    /// Looks at everything once: one question to the cluster, and one to each node that it sees. Who belongs to it is
    /// asked once a minute, and at once when a node comes, goes, or changes its state.
    ///
    /// # Errors
    /// When the cluster does not answer at all, or refuses the login. A node that does not answer is a note at that
    /// node; a question that the login may not ask is a note too.
    pub async fn observe(&self, now: Timestamp) -> Result<ClusterSnapshot> {
        let kept = self.kept_membership(now);
        let ask_all = self.api.call(resources::request().time_limit(QUESTION_LIMIT));
        let (members, all) = match kept {
            Some(_) => (None, ask_all.await),
            None => {
                let (members, all) = futures::join!(self.ask_members(), ask_all);
                (Some(members), all)
            }
        };
        let resources = resources::resources(&all?).map_err(|error| error.on(self.api.label()))?;
        let states: NodeStates = resources.nodes.iter().map(|row| (row.name.clone(), row.online)).collect();
        let members = match (members, kept) {
            (Some(members), _) => members,
            (None, Some(kept)) if kept.nodes == states => Ok(kept.data),
            (None, _) => self.ask_members().await,
        };
        if let Ok(data) = &members {
            self.keep_membership(now, data, states);
        }
        let status = members.and_then(|data| status::cluster_status(&data));
        let online = snapshot::nodes(status.as_ref().ok(), &resources);
        let names = online.into_iter().filter_map(|(name, online)| online.then_some(name)).collect();
        let nodes = self.ask_nodes(names).await;
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
    pub async fn guest_identities(&self, guests: &[Guest]) -> Vec<IdentifiedGuest> {
        let read = |guest: &Guest| {
            let (id, request) = (guest.id.clone(), guest::config_request(&guest.node, guest.kind, &guest.vmid));
            async move {
                match self.api.call(request).await.and_then(|data| guest::identity(&data)) {
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

    async fn ask_members(&self) -> Result<Arc<Value>> {
        self.api.call(status::request().time_limit(QUESTION_LIMIT)).await.map(Arc::new)
    }

    /// The answer about members and quorum, where it still holds.
    fn kept_membership(&self, now: Timestamp) -> Option<KeptStatus> {
        let kept = self.membership.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let age = now.duration_since(kept.at);
        (!age.is_negative() && age < MEMBERSHIP_HOLDS).then_some(kept)
    }

    /// The same, for who asks for facts.
    pub(super) fn kept_members(&self, now: Timestamp) -> Option<Arc<Value>> {
        self.kept_membership(now).map(|kept| kept.data)
    }

    fn keep_membership(&self, now: Timestamp, data: &Arc<Value>, nodes: NodeStates) {
        let mut kept = self.membership.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_mut().filter(|kept| Arc::ptr_eq(&kept.data, data)) {
            // An answer from before does not get younger.
            Some(kept) => kept.nodes = nodes,
            None => *kept = Some(KeptStatus { at: now, data: Arc::clone(data), nodes }),
        }
    }

    async fn ask_nodes(&self, mut names: Vec<String>) -> BTreeMap<String, Result<node::NodeStatus>> {
        {
            let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            names.sort_by_key(|name| silent.contains(name));
        }
        let ask = |name: String| async move {
            let request = node::status_request(&name).time_limit(QUESTION_LIMIT);
            let status = self.api.call(request).await.and_then(|data| node::node_status(&data));
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
