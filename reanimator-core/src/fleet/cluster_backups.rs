//! The backups there are of clusters' guests, as they are read in the background and kept.
//!
//! They are facts about the cluster, and stand in a section of their own: its other facts are written down every minute,
//! these once an hour.

use std::{sync::Arc, time::Duration};

use super::{
    Fleet, backup_age,
    cluster_facts::{BACKUPS, entity_of},
    facts::{Batch, is_old, stored},
};
use crate::{
    Result,
    host::pve::ProxmoxCluster,
    model::{
        ClusterSnapshot, ConnectionId, Unseen,
        facts::{
            Dated,
            cluster::{BackupPlace, ClusterBackups, ClusterFacts},
            guest::GuestBackup,
        },
    },
};

/// How long a cluster that does not tell its storages is left alone.
const REST: Duration = Duration::from_secs(15 * 60);

impl Fleet {
    /// Asks places for backups that are due, as far as their nodes may be asked now, or (`at_once`) all of them; and looks
    /// which job takes which guest along.
    pub(super) async fn read_backups(
        &self,
        id: &ConnectionId,
        cluster: &ProxmoxCluster,
        snapshot: &ClusterSnapshot,
        at_once: bool,
    ) -> Result<()> {
        let now = self.now();
        let found = self.read(|world| {
            let known = world.clusters.get(id)?;
            Some((known.digest.backups.jobs.clone(), known.asked.backups_failed.as_ref().map(|(at, _)| *at)))
        });
        let Some((jobs, failed)) = found else { return Ok(()) };
        let before = self.known_backups(id).await?;
        let known = before.clone().unwrap_or_default();
        let rests = !at_once && !is_old(failed.as_ref(), REST, now);
        let mut places = known.places.clone();
        if !rests {
            let turn = cluster.backup_places(&known.places, &snapshot.nodes, at_once, now).await;
            let failed = turn.as_ref().err().map(|error| (now, crate::message(error)));
            self.write(|world| {
                if let Some(known) = world.clusters.get_mut(id) {
                    known.asked.backups_failed = failed;
                }
            });
            places = turn.map_or(places, |turn| turn.places);
        }
        let guests = snapshot.guests.iter().map(|guest| (guest.vmid.as_str(), guest.node.as_str()));
        let covered = match jobs {
            Some(jobs) => Some(backup_age::duties(known.covered.as_ref(), &jobs, guests, now)),
            None => known.covered.clone(),
        };
        let read = ClusterBackups { places, covered };
        if before.is_some() && read == *known {
            return Ok(());
        }
        self.change_backups(id, |current| take_over(current, &known, read)).await
    }

    /// What is known of a cluster's backups. A process that does not watch the cluster knows what another has written down.
    async fn known_backups(&self, id: &ConnectionId) -> Result<Option<Arc<ClusterBackups>>> {
        if let Some(known) = self.read(|world| world.clusters.get(id)?.backups.clone()) {
            return Ok(Some(known));
        }
        let stored: Option<Dated<ClusterBackups>> = stored(&self.store().facts(&entity_of(id)).await?, BACKUPS);
        Ok(stored.map(|stored| Arc::new(stored.facts)))
    }

    /// Changes what is known at this moment, and writes it down. What another task changes meanwhile is kept.
    async fn change_backups(
        &self,
        id: &ConnectionId,
        change: impl FnOnce(ClusterBackups) -> ClusterBackups + Send,
    ) -> Result<()> {
        let known = self.known_backups(id).await?;
        let mut changed = self.write(|world| {
            let cluster = world.clusters.get_mut(id)?;
            let current = cluster.backups.clone().or(known).map(Arc::unwrap_or_clone).unwrap_or_default();
            let changed = Arc::new(change(current));
            cluster.backups = Some(Arc::clone(&changed));
            Some(changed)
        });
        while let Some(facts) = changed {
            let dated = Dated { at: self.now(), unseen: Vec::new(), facts: (*facts).clone() };
            let mut batch = Batch::default();
            batch.add(&entity_of(id), BACKUPS, &[], &dated)?;
            self.store().put_facts(&batch.facts).await?;
            // Of two that write at once, the last one writes what both have changed.
            changed = self
                .read(|world| world.clusters.get(id)?.backups.clone())
                .filter(|current| !Arc::ptr_eq(current, &facts) && **current != *facts);
        }
        Ok(())
    }

    /// Takes in a backup of the guest of that number that was made just now on that node, as its storage lists it: nobody
    /// need ask for it once more. A server beside this process hears of it by its next look at the storage.
    ///
    /// # Errors
    /// `Storage` when it cannot be written down.
    pub(crate) async fn note_backup(
        &self,
        id: &ConnectionId,
        vmid: &str,
        on: &str,
        backup: &GuestBackup,
    ) -> Result<()> {
        if self.known_backups(id).await?.is_none() {
            return Ok(());
        }
        self.change_backups(id, |mut backups| {
            let here = |node: &Option<String>| node.as_ref().is_none_or(|node| node == on);
            let is_it = |place: &&mut BackupPlace| place.storage == backup.storage && here(&place.node);
            if let Some(place) = backups.places.iter_mut().find(is_it) {
                let listed = place.guests.entry(vmid.to_owned()).or_default();
                listed.made_at = listed.made_at.max(backup.made_at);
                listed.count += 1;
            }
            backups
        })
        .await
    }

    /// Facts about a cluster with the backups there are of its guests, and with what was not seen of them.
    pub(super) async fn with_backups(
        &self,
        id: &ConnectionId,
        mut facts: Dated<ClusterFacts>,
    ) -> Result<Dated<ClusterFacts>> {
        let failed = self.read(|world| world.clusters.get(id)?.asked.backups_failed.clone());
        facts.unseen.extend(failed.map(|(_, why)| Unseen::new("storages for backups", why)));
        let backups: Option<Dated<ClusterBackups>> = stored(&self.store().facts(&entity_of(id)).await?, BACKUPS);
        let Some(backups) = backups.map(|backups| backups.facts) else { return Ok(facts) };
        let now = self.now();
        let unseen = backups.places.iter().filter(|place| !place.is_seen(now));
        facts.unseen.extend(unseen.map(|place| {
            let why = place.problem.clone().unwrap_or_else(|| "it was not read for hours".to_owned());
            Unseen::new(format!("backups on {}", place.words()), why)
        }));
        let jobs = facts.facts.backup_jobs.iter().flatten().filter(|job| job.enabled);
        facts.unseen.extend(jobs.filter_map(|job| {
            let is_its = |place: &BackupPlace| Some(&place.storage) == job.storage.as_ref();
            let why = match &job.storage {
                None => "the job names no storage".to_owned(),
                Some(storage) => format!("no storage {storage} for backups is shown to the login"),
            };
            let is_seen = backups.places.iter().any(is_its);
            (!is_seen).then(|| Unseen::new(format!("whether the backups of the job {} are too old", job.id), why))
        }));
        facts.facts.backups = Some(backups);
        Ok(facts)
    }

    /// Takes in what is stored of backups.
    pub(super) async fn remember_backups(&self) -> Result<()> {
        let all = self.store().facts_of_section(BACKUPS).await?;
        self.write(|world| {
            for row in &all {
                let id = row.entity.strip_prefix("cluster:").map(ConnectionId::from);
                let backups: Option<Dated<ClusterBackups>> = stored(std::slice::from_ref(row), BACKUPS);
                if let (Some(known), Some(backups)) = (id.and_then(|id| world.clusters.get_mut(&id)), backups) {
                    known.backups = Some(Arc::new(backups.facts));
                }
            }
        });
        Ok(())
    }
}

/// What was read of places and duties, over what is known by now: a backup that was noted since `before` stays.
fn take_over(current: ClusterBackups, before: &ClusterBackups, mut read: ClusterBackups) -> ClusterBackups {
    let of = |all: &[BackupPlace], place: &BackupPlace| {
        all.iter().find(|other| (&other.storage, &other.node) == (&place.storage, &place.node)).cloned()
    };
    for place in &mut read.places {
        let (Some(now), Some(then)) = (of(&current.places, place), of(&before.places, place)) else { continue };
        for (vmid, noted) in now.guests {
            if then.guests.get(&vmid) != Some(&noted) {
                let listed = place.guests.entry(vmid).or_insert(noted);
                listed.made_at = listed.made_at.max(noted.made_at);
            }
        }
    }
    read
}
