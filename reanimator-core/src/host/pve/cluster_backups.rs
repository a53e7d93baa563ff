//! The backups there are of all guests of a cluster: what each storage for them lists, asked rarely.
//!
//! A listing is slow where there are many backups (a backup server looks at each), and one answer tells of all guests. So
//! each place is asked once an hour, a few in a turn, and only while its node may be asked at all. A storage that nodes
//! share is asked once, over one of them; one that is a node's own is asked at each. A place that does not tell is
//! [known](BackupPlace::problem) for that, and what was last read of it stays: a backup that was found is one.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use super::{ProxmoxCluster, budget::Purpose};
use crate::{
    Result,
    collect::pve::{
        access::{self, Rights},
        volumes::{self, StorageConfig},
    },
    model::{NodeSnapshot, facts::cluster::BackupPlace},
    transport::http::Request,
};

/// How often a place is asked.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How often it is looked what the login may see, and how storages are configured.
const CONFIGURATION_HOLDS: SignedDuration = SignedDuration::from_mins(15);

/// How many places are asked in one turn: other facts wait for it.
const IN_A_TURN: usize = 3;

/// How many places may fail before the rest waits for another turn: each might take as long.
const LATE_ANSWERS: usize = 2;

/// How many places are asked at all: as a cluster of 32 nodes has, with room to spare.
const MOST_PLACES: usize = 96;

/// For how long somebody who asks for all of them waits: what was not asked by then is asked in its turn.
const AT_ONCE_LIMIT: Duration = Duration::from_secs(60);

/// How long a listing may take: as long as Proxmox VE waits for another node.
const LISTING_LIMIT: Duration = Duration::from_secs(30);

/// What the login may not see.
pub(super) const NOT_ALLOWED: &str = "the login may not see all of them: it lacks Datastore.Allocate there, or Datastore.AllocateSpace and VM.Backup on all guests";

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupsTurn {
    /// The places, as they are known now.
    pub places: Vec<BackupPlace>,
    /// How many were asked.
    pub asked: usize,
}

impl ProxmoxCluster {
    /// Asks some of the places for backups that are due, as far as their nodes may be asked now; `known` is what was last
    /// known of them. With `at_once` all of them are asked, however young what is known.
    ///
    /// # Errors
    /// When the storages themselves are not told. A place that is not told has its [problem](BackupPlace::problem).
    pub async fn backup_places(
        &self,
        known: &[BackupPlace],
        nodes: &[NodeSnapshot],
        at_once: bool,
        now: Timestamp,
    ) -> Result<BackupsTurn> {
        let Some(storages) = self.configured_storages(at_once, now).await? else {
            return Ok(BackupsTurn { places: known.to_vec(), asked: 0 });
        };
        let began = Instant::now();
        let mut rights_are_fresh = !at_once;
        let (mut asked, mut failed) = (0, 0);
        let mut places = Vec::new();
        for (number, (place, askable)) in places_of(&storages, known, nodes).into_iter().enumerate() {
            let mut place = rested(place, !askable.is_empty(), now);
            let at_once = at_once && began.elapsed() < AT_ONCE_LIMIT;
            let due = !askable.is_empty() && (at_once || is_due(&place, now));
            if number >= MOST_PLACES {
                place.problem = Some(format!("only {MOST_PLACES} places for backups are asked"));
            } else if due && failed < LATE_ANSWERS && (at_once || asked < IN_A_TURN) {
                let request = |node: &&str| volumes::all_backups_request(node, &place.storage);
                // What one node cannot tell, another may.
                let others = place.asked_at.filter(|_| place.problem.is_some()).map_or(0, |at| hour(at) + 1);
                let mut in_turn = askable.iter().cycle().skip(others % askable.len()).take(askable.len());
                let open = in_turn
                    .find_map(|node| Some(request(node)).filter(|request| at_once || self.has_room_for(request, now)));
                if let Some(request) = open {
                    asked += 1;
                    if !std::mem::replace(&mut rights_are_fresh, true) {
                        // Somebody may just have given what was missing.
                        self.forget_rights();
                    }
                    place = self.read_place(place, request, now).await;
                    failed += usize::from(place.problem.as_deref().is_some_and(|problem| problem != NOT_ALLOWED));
                }
            }
            places.push(place);
        }
        Ok(BackupsTurn { places, asked })
    }

    async fn read_place(&self, place: BackupPlace, request: Request, now: Timestamp) -> BackupPlace {
        let place = BackupPlace { asked_at: Some(now), ..place };
        let read = async {
            if !self.rights(now).await?.see_all_backups(&place.storage) {
                return Ok(None);
            }
            let listed = self.ask(request.time_limit(LISTING_LIMIT), Purpose::Facts, now).await?;
            volumes::newest_backups(&listed).map(Some)
        };
        match read.await {
            Ok(Some(guests)) => BackupPlace { read_at: Some(now), problem: None, guests, ..place },
            Ok(None) => BackupPlace { problem: Some(NOT_ALLOWED.to_owned()), ..place },
            Err(error) => BackupPlace { problem: Some(crate::message(&error)), ..place },
        }
    }

    /// How storages are configured; `None` where nobody may be asked for it now.
    async fn configured_storages(
        &self,
        at_once: bool,
        now: Timestamp,
    ) -> Result<Option<Arc<BTreeMap<String, StorageConfig>>>> {
        if let Some((_, storages)) = self.kept_storages().filter(|(at, _)| !at_once && is_young(*at, now)) {
            return Ok(Some(storages));
        }
        let request = volumes::storages_request();
        if !at_once && self.room(&request, now) == 0 {
            return Ok(None);
        }
        let storages = Arc::new(volumes::storages(&self.ask(request, Purpose::Facts, now).await?)?);
        self.keep_storages((now, Arc::clone(&storages)));
        Ok(Some(storages))
    }

    /// Whether a listing may be asked for now, with the question before it what the login may see.
    fn has_room_for(&self, request: &Request, now: Timestamp) -> bool {
        match self.kept_rights() {
            Some((at, _)) if is_young(at, now) => self.room(request, now) > 0,
            _ => self.room(request, now) > 1 && self.room(&access::request(), now) > 1,
        }
    }

    /// Whether the login is known not to be told of all backups on that storage.
    pub(super) fn hides_backups(&self, storage: &str) -> bool {
        self.kept_rights().is_some_and(|(_, rights)| !rights.see_all_backups(storage))
    }

    async fn rights(&self, now: Timestamp) -> Result<Arc<Rights>> {
        if let Some((_, rights)) = self.kept_rights().filter(|(at, _)| is_young(*at, now)) {
            return Ok(rights);
        }
        let rights = Arc::new(access::rights(&self.ask(access::request(), Purpose::Facts, now).await?)?);
        self.keep_rights((now, Arc::clone(&rights)));
        Ok(rights)
    }
}

/// Where backups may lie, shared storages first, each with what was last known of it and the nodes that may be asked.
fn places_of<'a>(
    storages: &BTreeMap<String, StorageConfig>,
    known: &[BackupPlace],
    nodes: &'a [NodeSnapshot],
) -> Vec<(BackupPlace, Vec<&'a str>)> {
    let mut places = Vec::new();
    for (name, storage) in storages {
        let having = nodes.iter().filter(|node| storage.has_backups_for(&node.name));
        let place = |node: Option<&str>| {
            let before = known.iter().find(|place| place.storage == *name && place.node.as_deref() == node);
            let new = || BackupPlace { storage: name.clone(), node: node.map(str::to_owned), ..BackupPlace::default() };
            before.cloned().unwrap_or_else(new)
        };
        if storage.shared {
            let online: Vec<&str> = having.clone().filter(|node| node.online).map(|node| node.name.as_str()).collect();
            if having.count() > 0 {
                places.push((place(None), online));
            }
        } else {
            let own = |node: &'a NodeSnapshot| {
                (place(Some(&node.name)), node.online.then_some(node.name.as_str()).into_iter().collect())
            };
            places.extend(having.map(own));
        }
    }
    places.sort_by_key(|(place, _)| place.node.is_some());
    places
}

/// What is known of a place before it is asked. Where a node is off, nobody writes to what is its own: what was known when it
/// went off goes on to hold. Once it is back, that has to be seen.
fn rested(place: BackupPlace, askable: bool, now: Timestamp) -> BackupPlace {
    match askable {
        true if place.asked_at.is_none() => BackupPlace { problem: Some("it was not asked yet".to_owned()), ..place },
        true => place,
        false if place.node.is_some() && place.is_seen(now) => {
            // Not written down anew at every turn.
            let old = place.read_at.is_none_or(|at| !is_young(at, now));
            BackupPlace { asked_at: None, read_at: if old { Some(now) } else { place.read_at }, ..place }
        }
        false => BackupPlace { asked_at: None, problem: Some("no node that has it is online".to_owned()), ..place },
    }
}

/// Whether how storages are configured, or what the login may do, was read of late.
fn is_young(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).abs() < CONFIGURATION_HOLDS
}

fn is_due(place: &BackupPlace, now: Timestamp) -> bool {
    // What the login may do is asked anew without a listing.
    let every = if place.problem.as_deref() == Some(NOT_ALLOWED) { CONFIGURATION_HOLDS } else { EVERY };
    place.asked_at.is_none_or(|at| now.duration_since(at).abs() >= every)
}

/// The how-manieth hour it is.
fn hour(at: Timestamp) -> usize {
    usize::try_from(at.as_second().div_euclid(3600)).unwrap_or(0)
}
