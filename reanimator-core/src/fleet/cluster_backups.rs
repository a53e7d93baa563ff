//! The backups there are of clusters' guests, as they are read in the background and kept.
//!
//! They are facts about the cluster, and stand in a section of their own: its other facts are written down every minute,
//! these once an hour.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

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
            Some((known.backups.clone(), known.digest.backups.jobs.clone(), known.asked.backups_failed))
        });
        let Some((known, jobs, failed)) = found else { return Ok(()) };
        let known = known.unwrap_or_default();
        let rests = !at_once && !is_old(failed.as_ref(), REST, now);
        let turn = match rests {
            true => None,
            false => Some(cluster.backup_places(&known.places, &snapshot.nodes, at_once, now).await),
        };
        let places = match turn {
            None => known.places.clone(),
            Some(Ok(turn)) => turn.places,
            Some(Err(error)) => {
                tracing::debug!(cluster = %id, error = %crate::message(&error), "places for backups are not seen");
                self.write(|world| {
                    if let Some(known) = world.clusters.get_mut(id) {
                        known.asked.backups_failed = Some(now);
                    }
                });
                known.places.clone()
            }
        };
        let guests = snapshot.guests.iter().map(|guest| (guest.vmid.as_str(), guest.node.as_str()));
        let covered = match jobs {
            Some(jobs) => Some(backup_age::duties(known.covered.as_ref(), &jobs, guests, now)),
            None => known.covered.clone(),
        };
        let backups = ClusterBackups { places, covered };
        if backups == *known {
            return Ok(());
        }
        self.take_in_backups(id, backups, now).await
    }

    async fn take_in_backups(&self, id: &ConnectionId, backups: ClusterBackups, now: Timestamp) -> Result<()> {
        let facts = Dated { at: now, unseen: Vec::new(), facts: backups };
        let mut batch = Batch::default();
        batch.add(&entity_of(id), BACKUPS, &[], &facts)?;
        self.store().put_facts(&batch.facts).await?;
        self.write(|world| {
            if let Some(known) = world.clusters.get_mut(id) {
                known.backups = Some(Arc::new(facts.facts));
            }
        });
        Ok(())
    }

    /// Takes in a backup of the guest of that number that was made just now on that node, as its storage lists it: nobody
    /// need ask for it once more.
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
        let known = self.read(|world| world.clusters.get(id).and_then(|known| known.backups.clone()));
        let Some(mut backups) = known.map(Arc::unwrap_or_clone) else { return Ok(()) };
        let here = |node: &Option<String>| node.as_ref().is_none_or(|node| node == on);
        let place = backups.places.iter_mut().find(|place| place.storage == backup.storage && here(&place.node));
        let Some(place) = place else { return Ok(()) };
        let listed = place.guests.entry(vmid.to_owned()).or_default();
        listed.made_at = listed.made_at.max(backup.made_at);
        listed.count += 1;
        self.take_in_backups(id, backups, self.now()).await
    }

    /// Facts about a cluster with the backups there are of its guests, and with what was not seen of them.
    pub(super) async fn with_backups(
        &self,
        id: &ConnectionId,
        mut facts: Dated<ClusterFacts>,
    ) -> Result<Dated<ClusterFacts>> {
        let backups: Option<Dated<ClusterBackups>> = stored(&self.store().facts(&entity_of(id)).await?, BACKUPS);
        let Some(backups) = backups.map(|backups| backups.facts) else { return Ok(facts) };
        let note =
            |place: &BackupPlace| Some(Unseen::new(format!("backups on {}", place.words()), place.problem.clone()?));
        facts.unseen.extend(backups.places.iter().filter_map(note));
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
