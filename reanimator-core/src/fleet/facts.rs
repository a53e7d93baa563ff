//! Slow facts of hosts: asked for when they are due, kept, compared with last time, and read back.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Fleet, changes, details,
    digest::HostDigest,
    world::{Known, KnownCluster, World},
};
use crate::{
    Error, ErrorKind, Result,
    model::{
        ConnectionId, Entity, EventKind, HostId, Link, NewChange, Storage,
        details::{HostDetails, Include},
        facts::{Dated, HostFacts, Section, Watched},
    },
    store::{NewFacts, StoredFacts},
};

/// How long a host whose facts could not be asked for is left alone.
const REST: Duration = Duration::from_secs(60);

/// Sections that are asked for this often are quick.
const QUICK: Duration = Duration::from_secs(60);

/// Facts on their way into the store, and what they change.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) facts: Vec<NewFacts>,
    pub(super) changes: Vec<NewChange>,
}

impl Batch {
    /// Takes in facts that were just seen, beside those of last time.
    pub(super) fn add<T>(&mut self, entity: &str, section: &str, known: &[StoredFacts], new: &Dated<T>) -> Result<()>
    where
        T: Watched + Serialize + DeserializeOwned,
    {
        let old: Option<Dated<T>> = stored(known, section);
        self.changes.extend(changes::of_facts(entity, old.as_ref(), new));
        let json = serde_json::to_string(new).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("write down {section} facts")).from_source(error)
        })?;
        self.facts.push(NewFacts { entity: entity.to_owned(), section: section.to_owned(), at: new.at, json });
        Ok(())
    }
}

/// Facts of one section as they were stored. What cannot be read is seen again in a while.
pub(super) fn stored<T: DeserializeOwned>(all: &[StoredFacts], section: &str) -> Option<Dated<T>> {
    let found = all.iter().find(|each| each.section == section)?;
    serde_json::from_str(&found.json)
        .inspect_err(|error| tracing::warn!(entity = %found.entity, section, %error, "stored facts are left out"))
        .ok()
}

/// How a host is called among entities.
pub(super) fn entity_of(host: &HostId) -> String {
    Entity::Host(host.clone()).to_string()
}

impl Fleet {
    /// All that is known of a host beside its figures, each section with its age.
    ///
    /// # Errors
    /// `NotFound`; `Storage` when the store cannot be read.
    pub async fn facts(&self, name_or_id: &str) -> Result<HostFacts> {
        let id = self.find(name_or_id).await?.id;
        self.facts_of(&id).await
    }

    pub(super) async fn facts_of(&self, id: &HostId) -> Result<HostFacts> {
        Ok(assemble(&self.store().facts(&entity_of(id)).await?))
    }

    /// Asks a host for all its facts now, however young those are that are known.
    ///
    /// # Errors
    /// `NotFound`; why the host does not answer.
    pub async fn refresh_facts(&self, name_or_id: &str) -> Result<HostFacts> {
        let id = self.find(name_or_id).await?.id;
        self.ask_facts(&id, &Section::BY_SHELL).await?;
        self.ask_node_facts(&id).await?;
        self.facts_of(&id).await
    }

    /// The hosts and clusters whose facts are due, of those that answer at all.
    pub(crate) fn due_facts(&self) -> (Vec<HostId>, Vec<ConnectionId>) {
        let now = self.now();
        self.read(|world| {
            let mut hosts: Vec<&Known> =
                world.hosts.values().filter(|known| !due_sections(known, now).is_empty()).collect();
            // Who waits longest comes first, so that many hosts leave none out.
            hosts.sort_by_key(|known| Section::BY_SHELL.iter().map(|each| known.asked.get(each).copied()).min());
            let due = |known: &&KnownCluster| known.heard.misses == 0 && known.snapshot.is_some() && known.is_due(now);
            let clusters = world.clusters.values().filter(due);
            (
                hosts.into_iter().map(|known| known.host.id.clone()).collect(),
                clusters.map(|known| known.connection.id.clone()).collect(),
            )
        })
    }

    /// Asks a host for those facts that are due.
    ///
    /// # Errors
    /// Why the host does not answer; it is left alone for a minute then.
    pub(crate) async fn look_at_facts(&self, id: &HostId) -> Result<()> {
        let now = self.now();
        let due = self.read(|world| world.hosts.get(id).map(|known| due_sections(known, now)).unwrap_or_default());
        let result = self.ask_facts(id, &due).await;
        if result.is_err() {
            self.write(|world| {
                if let Some(known) = world.hosts.get_mut(id) {
                    known.facts_failed = Some(now);
                }
            });
        }
        result
    }

    /// Asks for sections in groups, so that a disk that hangs costs the disks and nothing else.
    async fn ask_facts(&self, id: &HostId, sections: &[Section]) -> Result<()> {
        let of = |wanted: fn(&Section) -> bool| sections.iter().copied().filter(wanted).collect::<Vec<_>>();
        let quick = of(|section| section.every() <= QUICK);
        let slow = of(|section| section.every() > QUICK && *section != Section::Disks);
        let disks = of(|section| *section == Section::Disks);
        let mut outcome = Ok(());
        for group in [quick, slow, disks].into_iter().filter(|group| !group.is_empty()) {
            let result = self.ask_group(id, &group).await;
            let gone = result.as_ref().is_err_and(|error| error.kind() != ErrorKind::Timeout);
            outcome = outcome.and(result);
            if gone {
                break;
            }
        }
        outcome
    }

    async fn ask_group(&self, id: &HostId, sections: &[Section]) -> Result<()> {
        let machine = self.read(|world| Some(world.hosts.get(id)?.machine.as_ref()?.1.clone()));
        let Some(machine) = machine else { return Ok(()) };
        let now = self.now();
        let known = self.store().facts(&entity_of(id)).await?;
        let seen = machine.facts(sections, &assemble(&known), now).await;
        // What takes too long is not tried again at once.
        if !seen.as_ref().is_err_and(|error| error.kind() != ErrorKind::Timeout) {
            self.write(|world| {
                if let Some(known) = world.hosts.get_mut(id) {
                    known.asked.extend(sections.iter().map(|section| (*section, now)));
                }
            });
        }
        self.take_in_facts(id, &seen?).await
    }

    /// Writes facts down with what they change, and then shows and tells them.
    pub(super) async fn take_in_facts(&self, id: &HostId, seen: &HostFacts) -> Result<()> {
        let entity = entity_of(id);
        let known = self.store().facts(&entity).await?;
        let mut batch = Batch::default();
        macro_rules! add {
            ($($field:ident: $section:ident),*) => {$(
                if let Some(facts) = &seen.$field {
                    batch.add(&entity, Section::$section.as_str(), &known, facts)?;
                }
            )*};
        }
        add!(hardware: Hardware, sensors: Sensors, disks: Disks, network: Network, system: System,
             updates: Updates, containers: Containers, listeners: Listeners, proxmox: Proxmox);
        self.store().put_facts_with_changes(&batch.facts, &batch.changes).await?;
        let whole = merged(assemble(&known), seen.clone());
        self.write(|world| {
            if let Some(known) = world.hosts.get_mut(id) {
                known.digest = HostDigest::of(&whole);
            }
        });
        if !batch.changes.is_empty() {
            self.tell(EventKind::HostChanged, &serde_json::json!({ "id": id, "changes": batch.changes }));
        }
        Ok(())
    }

    /// Takes in all facts that are stored, for tables: what another process asked for is known here too.
    pub(crate) async fn remember_facts(&self) -> Result<()> {
        let mut by_entity: BTreeMap<String, Vec<StoredFacts>> = BTreeMap::new();
        for section in Section::ALL {
            for stored in self.store().facts_of_section(section.as_str()).await? {
                by_entity.entry(stored.entity.clone()).or_default().push(stored);
            }
        }
        let digests: Vec<(HostId, HostDigest, BTreeMap<Section, Timestamp>)> = by_entity
            .iter()
            .filter_map(|(entity, stored)| {
                let id = HostId(entity.strip_prefix("host:")?.to_owned());
                let asked = Section::ALL.into_iter().filter_map(|section| {
                    Some((section, stored.iter().find(|each| each.section == section.as_str())?.at))
                });
                Some((id, HostDigest::of(&assemble(stored)), asked.collect()))
            })
            .collect();
        self.write(|world| {
            for (id, digest, asked) in digests {
                if let Some(known) = world.hosts.get_mut(&id) {
                    (known.digest, known.asked) = (digest, asked);
                }
            }
        });
        self.remember_cluster_facts().await
    }

    /// Everything that is known of a host, each section with its age. Asks nobody.
    ///
    /// # Errors
    /// `NotFound`; `Storage` when the store cannot be read.
    pub async fn host_details(&self, name_or_id: &str, include: Include) -> Result<HostDetails> {
        let detail = self.host(name_or_id).await?;
        let facts = self.facts_of(&detail.host.id).await?;
        let nodes = self.node_links(&detail.host.id);
        let cluster = match nodes.first() {
            Some((connection, _)) => match self.cluster_facts_of(connection).await? {
                Some(facts) => Some(self.with_backups(connection, facts).await?),
                None => None,
            },
            None => None,
        };
        let has = |storage: &Storage| {
            nodes.iter().any(|(connection, node)| storage.connection == *connection && storage.nodes.contains(node))
        };
        let storages: Vec<Storage> = self.read(World::storages).into_iter().filter(has).collect();
        Ok(details::details(detail, facts, cluster, &storages, include))
    }

    /// As which nodes of which clusters a host comes in.
    fn node_links(&self, id: &HostId) -> Vec<(ConnectionId, String)> {
        self.read(|world| {
            let links = world.hosts.get(id).into_iter().flat_map(|known| &known.host.links);
            let node = |link: &Link| match link {
                Link::ProxmoxNode { connection, node } => Some((connection.clone(), node.clone())),
                _ => None,
            };
            links.filter_map(node).collect()
        })
    }
}

/// Whether it is time to look again at what was seen then, if ever.
pub(super) fn is_old(at: Option<&Timestamp>, every: Duration, now: Timestamp) -> bool {
    at.is_none_or(|at| now.duration_since(*at).unsigned_abs() >= every)
}

/// Facts that have grown old, of a host with a shell that answers.
fn due_sections(known: &Known, now: Timestamp) -> Vec<Section> {
    let answers = known.machine.is_some() && known.shell.heard.answered_at.is_some() && known.shell.heard.misses == 0;
    match answers && is_old(known.facts_failed.as_ref(), REST, now) {
        true => Section::BY_SHELL.into_iter().filter(|each| is_old(known.asked.get(each), each.every(), now)).collect(),
        false => Vec::new(),
    }
}

fn assemble(all: &[StoredFacts]) -> HostFacts {
    HostFacts {
        hardware: stored(all, Section::Hardware.as_str()),
        sensors: stored(all, Section::Sensors.as_str()),
        disks: stored(all, Section::Disks.as_str()),
        network: stored(all, Section::Network.as_str()),
        system: stored(all, Section::System.as_str()),
        updates: stored(all, Section::Updates.as_str()),
        containers: stored(all, Section::Containers.as_str()),
        listeners: stored(all, Section::Listeners.as_str()),
        proxmox: stored(all, Section::Proxmox.as_str()),
    }
}

/// The newer of each section.
fn merged(old: HostFacts, new: HostFacts) -> HostFacts {
    HostFacts {
        hardware: new.hardware.or(old.hardware),
        sensors: new.sensors.or(old.sensors),
        disks: new.disks.or(old.disks),
        network: new.network.or(old.network),
        system: new.system.or(old.system),
        updates: new.updates.or(old.updates),
        containers: new.containers.or(old.containers),
        listeners: new.listeners.or(old.listeners),
        proxmox: new.proxmox.or(old.proxmox),
    }
}
