//! All that the API tells of one guest. Nothing here makes a node fork `qm` or `pct`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{ProxmoxCluster, asking::Asking, cluster_backups::NOT_ALLOWED};
use crate::{
    Result,
    collect::pve::{
        guest, guest_config, guest_devices,
        guest_inside::{self, Inside},
        guest_live,
        volumes::{self, StorageConfig, Volumes},
    },
    model::{
        Guest, GuestId, GuestIdentity, GuestKind, GuestStatus, Unseen,
        facts::{
            Read,
            guest::{GuestAgent, GuestDiskKind, GuestFacts},
        },
    },
    transport::http::Request,
};

/// How long a guest agent may take: one that does not answer by then is not there.
const AGENT_LIMIT: Duration = Duration::from_secs(3);

/// How long storages' configurations are taken to hold.
const STORAGES_HOLD: SignedDuration = SignedDuration::from_mins(15);

/// How many storages are asked for a guest's volumes and backups.
const STORAGES_ASKED: usize = 8;

/// How many questions a guest in the background takes of its node at most.
const BACKGROUND_REQUESTS: usize = 2;

/// How many guests are read at once: a slow walk that leaves room for the rounds.
const GUESTS_AT_ONCE: usize = 3;

/// How much is asked about a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its configuration and its addresses: two requests.
    Background,
    /// Everything: at most 17 requests.
    Full,
}

/// What is asked about a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestQuestions {
    /// How much.
    pub depth: Depth,
    /// Whether its agent is asked. One that did not answer just now costs 3 s again.
    pub with_agent: bool,
}

impl GuestQuestions {
    /// The configuration and the addresses.
    pub const fn background() -> Self {
        Self { depth: Depth::Background, with_agent: true }
    }

    /// Everything.
    pub const fn full() -> Self {
        Self { depth: Depth::Full, with_agent: true }
    }

    /// The same without its agent, which did not answer lately.
    #[must_use]
    pub const fn without_agent(self) -> Self {
        Self { with_agent: false, ..self }
    }
}

/// What was read of one guest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuestRead {
    /// What tells which machine it is.
    pub identity: GuestIdentity,
    /// The facts.
    pub facts: Read<GuestFacts>,
    /// Whether its agent was asked and did not answer.
    pub agent_silent: bool,
    /// How many requests its node was asked.
    pub requests: u32,
}

impl ProxmoxCluster {
    /// Reads one guest.
    ///
    /// # Errors
    /// When its configuration cannot be read: no right, node down, just removed. All else is a note.
    pub async fn guest_facts(&self, guest: &Guest, questions: GuestQuestions, now: Timestamp) -> Result<GuestRead> {
        let mut reading = Reading { cluster: self, guest, questions, now, asking: Asking::new(self, now) };
        let config = reading.asking.call(guest::config_request(&guest.node, guest.kind, &guest.vmid)).await?;
        let storages = self.storages(&mut reading.asking, questions.depth, now).await;
        let mut read = reading.configuration(&config, &storages)?;
        if questions.depth == Depth::Full {
            reading.pending_and_live(&mut read).await;
        }
        reading.inside(&config, &mut read).await;
        if questions.depth == Depth::Full {
            reading.volumes(&mut read.facts.facts, &storages).await;
        }
        read.facts.unseen = std::mem::take(&mut reading.asking.unseen);
        read.requests = reading.asking.requests;
        Ok(read)
    }

    /// Whether a guest may be read in the background now, for all that its node was asked in the last minute.
    pub fn may_read_guest(&self, guest: &Guest, now: Timestamp) -> bool {
        self.room(&guest::config_request(&guest.node, guest.kind, &guest.vmid), now) >= BACKGROUND_REQUESTS
    }

    /// Reads the configurations and addresses of these guests, a few at a time: who each is and what it is made of,
    /// from the same answer.
    ///
    /// A guest that cannot be read is left out.
    pub async fn guests_in_background(&self, guests: &[Guest], now: Timestamp) -> Vec<(GuestId, GuestRead)> {
        let read = |guest: &Guest| {
            let guest = guest.clone();
            async move {
                match self.guest_facts(&guest, GuestQuestions::background(), now).await {
                    Ok(read) => Some((guest.id, read)),
                    Err(error) => {
                        tracing::debug!(guest = %guest.id, error = crate::message(&error), "a guest's configuration is not seen");
                        None
                    }
                }
            }
        };
        let reads: Vec<_> = guests.iter().map(read).collect();
        stream::iter(reads).buffer_unordered(GUESTS_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// The storages' configurations, kept for a while.
    async fn storages(
        &self,
        asking: &mut Asking<'_>,
        depth: Depth,
        now: Timestamp,
    ) -> Arc<BTreeMap<String, StorageConfig>> {
        let kept = self.kept_storages();
        let waits = depth == Depth::Background && self.room(&volumes::storages_request(), now) < BACKGROUND_REQUESTS;
        if let Some((at, storages)) = kept.as_ref()
            && (now.duration_since(*at) < STORAGES_HOLD || waits)
        {
            return Arc::clone(storages);
        }
        match asking.ask("datasets and backups", volumes::storages_request(), volumes::storages).await {
            Some(storages) => {
                let storages = Arc::new(storages);
                self.keep_storages((now, Arc::clone(&storages)));
                storages
            }
            None => kept.map(|(_, storages)| storages).unwrap_or_default(),
        }
    }
}

/// One guest being read.
struct Reading<'a> {
    cluster: &'a ProxmoxCluster,
    guest: &'a Guest,
    questions: GuestQuestions,
    now: Timestamp,
    asking: Asking<'a>,
}

impl Reading<'_> {
    fn configuration(&self, config: &Value, storages: &BTreeMap<String, StorageConfig>) -> Result<GuestRead> {
        let kind = self.guest.kind;
        let networks = guest_devices::networks(config, kind)?;
        let facts = GuestFacts {
            config: guest_config::config(config, kind)?,
            disks: guest_devices::disks(config, storages)?,
            ip_addresses: guest_inside::configured_addresses(&networks),
            networks,
            agent: (kind == GuestKind::Qemu)
                .then(|| GuestAgent { enabled: guest_config::has_agent(config), ..GuestAgent::default() }),
            ..GuestFacts::default()
        };
        let facts = Read { facts, unseen: Vec::new() };
        Ok(GuestRead { identity: guest::identity(config)?, facts, ..GuestRead::default() })
    }

    async fn pending_and_live(&mut self, read: &mut GuestRead) {
        let Guest { node, kind, vmid, .. } = self.guest;
        let facts = &mut read.facts.facts;
        let request = guest_config::pending_request(node, *kind, vmid);
        facts.pending = self.asking.ask("pending changes", request, guest_config::pending).await.unwrap_or_default();
        let request = guest_live::status_request(node, *kind, vmid);
        if let Some((runtime, root_used)) = self.asking.ask("what it does", request, guest_live::runtime).await {
            facts.runtime = Some(runtime);
            let root = facts.disks.iter_mut().find(|disk| disk.kind == GuestDiskKind::RootFs);
            root.into_iter().for_each(|root| root.used_gb = root_used.map(volumes::gib));
        }
        let request = guest_live::snapshots_request(node, *kind, vmid);
        facts.snapshots = self.asking.ask("snapshots", request, guest_live::snapshots).await;
    }

    /// What is seen from within, where it runs.
    async fn inside(&mut self, config: &Value, read: &mut GuestRead) {
        if self.guest.status != GuestStatus::Running {
            return;
        }
        let facts = &mut read.facts.facts;
        match self.guest.kind {
            GuestKind::Lxc => {
                let request = guest_inside::interfaces_request(&self.guest.node, &self.guest.vmid);
                if let Some(inside) = self.asking.ask("addresses", request, guest_inside::interfaces).await {
                    put(facts, &inside, "container");
                }
            }
            GuestKind::Qemu if !guest_config::has_agent(config) => {}
            GuestKind::Qemu if !self.questions.with_agent => {
                self.asking.unseen.push(Unseen::new("what the guest agent tells", "it did not answer lately"));
            }
            GuestKind::Qemu => read.agent_silent = !self.agent(facts).await,
        }
    }

    /// Asks the agent; whether it answered.
    async fn agent(&mut self, facts: &mut GuestFacts) -> bool {
        let mut calls = AgentCalls { reading: self, answered: false, silent: false };
        if let Some(inside) = calls.ask("network-get-interfaces", guest_inside::interfaces).await {
            put(facts, &inside, "guest agent");
        }
        let mut agent = GuestAgent { enabled: true, ..GuestAgent::default() };
        if calls.reading.questions.depth == Depth::Full {
            agent.version = calls.ask("info", guest_inside::agent_version).await.flatten();
            agent.system = calls.ask("get-osinfo", guest_inside::agent_system).await;
            agent.file_systems = calls.ask("get-fsinfo", guest_inside::agent_file_systems).await.unwrap_or_default();
            agent.hostname = calls.ask("get-host-name", guest_inside::agent_hostname).await.flatten();
        }
        let answered = calls.answered;
        agent.answered_at = answered.then_some(self.now);
        facts.agent = Some(agent);
        answered
    }

    /// What its volumes take, and its backups.
    async fn volumes(&mut self, facts: &mut GuestFacts, storages: &BTreeMap<String, StorageConfig>) {
        let Guest { node, vmid, .. } = self.guest;
        let mut asked: BTreeMap<String, Request> = BTreeMap::new();
        for (name, _) in storages.iter().filter(|(_, storage)| storage.has_backups_for(node)) {
            asked.insert(name.clone(), volumes::backups_request(node, name, vmid));
        }
        for name in facts.disks.iter().filter_map(|disk| disk.storage.clone()) {
            asked.insert(name.clone(), volumes::content_request(node, &name, vmid));
        }
        let mut seen = Volumes::default();
        let (mut backups_seen, mut left_out) = (!storages.is_empty(), 0);
        for (number, (name, request)) in asked.into_iter().enumerate() {
            let holds_backups = storages.get(&name).is_some_and(|storage| storage.has_backups_for(node));
            if number >= STORAGES_ASKED {
                left_out += 1;
                continue;
            }
            if holds_backups && self.cluster.hides_backups(&name) {
                backups_seen = false;
                self.asking.unseen.push(Unseen::new(format!("backups on {name}"), NOT_ALLOWED));
            }
            let what = format!("volumes and backups on {name}");
            match self.asking.ask(&what, request, |data| volumes::content(data, vmid)).await {
                Some(found) => {
                    seen.used.extend(found.used);
                    seen.sizes.extend(found.sizes);
                    seen.backups.extend(found.backups);
                }
                None => backups_seen &= !holds_backups,
            }
        }
        if left_out > 0 {
            let why = format!("only {STORAGES_ASKED} storages are asked about one guest");
            self.asking.unseen.push(Unseen::new(format!("volumes and backups on {left_out} more storages"), why));
        }
        put_volumes(facts, &seen, vmid);
        // Backups found count, even if there may be more where nobody could look.
        let found = !seen.backups.is_empty();
        facts.backups = (backups_seen || found).then(|| volumes::backups(seen.backups, self.now));
    }
}

/// The agent's answers, one by one: once it does not answer, it is not asked again.
struct AgentCalls<'a, 'b> {
    reading: &'a mut Reading<'b>,
    answered: bool,
    silent: bool,
}

impl AgentCalls<'_, '_> {
    async fn ask<T>(&mut self, command: &str, read: impl FnOnce(&Value) -> Result<T>) -> Option<T> {
        if self.silent {
            return None;
        }
        let Guest { node, vmid, .. } = self.reading.guest;
        let request = guest_inside::agent_request(node, vmid, command).time_limit(AGENT_LIMIT);
        match self.reading.asking.call(request).await.and_then(|data| read(&data)) {
            Ok(answer) => {
                self.answered = true;
                Some(answer)
            }
            Err(error) => {
                // One that has answered before may only lack this command.
                self.silent = !self.answered || error.kind().is_retryable();
                let what = match self.answered {
                    true => format!("what the guest agent tells on {command}"),
                    false => "what the guest agent tells".to_owned(),
                };
                self.reading.asking.unseen.push(Unseen::new(what, crate::message(&error)));
                None
            }
        }
    }
}

fn put(facts: &mut GuestFacts, inside: &[Inside], source: &str) {
    guest_inside::put_addresses(&mut facts.networks, inside);
    facts.ip_addresses = guest_inside::all_addresses(inside, source);
}

/// Puts what volumes take at the disks and snapshots they belong to.
fn put_volumes(facts: &mut GuestFacts, seen: &Volumes, vmid: &str) {
    for disk in facts.disks.iter_mut().filter(|disk| disk.used_gb.is_none()) {
        if let (Some(storage), Some(volume)) = (&disk.storage, &disk.volume) {
            disk.used_gb = seen.used.get(&format!("{storage}:{volume}")).copied().map(volumes::gib);
        }
    }
    for snapshot in facts.snapshots.iter_mut().flat_map(|all| &mut all.list).filter(|each| each.with_memory) {
        let name = format!("vm-{vmid}-state-{}", snapshot.name);
        let is_it = |volume: &str| {
            let last = volume.rsplit([':', '/']).next().unwrap_or_default();
            last == name || last.strip_suffix(".raw") == Some(name.as_str())
        };
        snapshot.memory_gb = seen.sizes.iter().find(|(volume, _)| is_it(volume)).map(|(_, size)| volumes::gib(*size));
    }
}
