//! Short lines of many things at once, as tables show them: one question where a history for each would be hundreds.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{Fleet, history::parse_time, world::World};
use crate::{
    Error, ErrorKind, Result,
    model::{Entity, GuestId, Recent, RecentQuery},
};

/// As many things as one question may name: more than a screen of rows.
pub const RECENT_ENTITIES: usize = 200;

/// As many points as a line may have: more than a cell of a table is wide.
pub const RECENT_POINTS: usize = 120;

/// As many points as a line has where none are asked for.
const USUAL_POINTS: usize = 30;

/// Which lines, in the words of a web address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecentWords {
    /// Whose, at most [`RECENT_ENTITIES`], by the ids that lists show: `host:ID`, `guest:ID`, `storage:ID`,
    /// and `fleet` for all of it.
    pub entities: Vec<String>,
    /// The name of the figure, which each of their kinds has to have.
    pub metric: String,
    /// From then on: a time (RFC 3339) or how long ago (`24h`). Defaults to an hour ago.
    pub from: Option<String>,
    /// Up to but not including then. Defaults to now.
    pub to: Option<String>,
    /// How many points each line has at most, up to [`RECENT_POINTS`]. Defaults to 30.
    pub points: Option<usize>,
}

impl Fleet {
    /// The averages of one figure of many things over the same equal steps. What is not in the fleet has no line and is
    /// named in `unknown`; what has no history is a line of gaps.
    ///
    /// # Errors
    /// `Invalid` for a figure that is not kept of one of their kinds, a span that ends before it begins, and more than
    /// [`RECENT_ENTITIES`] things or [`RECENT_POINTS`] points.
    pub async fn recent(&self, query: &RecentQuery) -> Result<Recent> {
        bounded("things", query.entities.len(), 0, RECENT_ENTITIES, "ask for the others by another question")?;
        bounded("points", query.points, 2, RECENT_POINTS, "ask for fewer `points`, or for a history of one thing")?;
        self.refresh().await?;
        let known = self.read(|world| in_fleet(world, &query.entities));
        let unknown = query.entities.difference(&known).map(Entity::to_string).collect();
        let recent = self.store().recent(&RecentQuery { entities: known, ..query.clone() }).await?;
        Ok(Recent { unknown, ..recent })
    }

    /// The lines that some words mean. A word that names nothing is `unknown` too.
    ///
    /// # Errors
    /// As [`Fleet::recent`]; `Invalid` for words that are no time.
    pub async fn recent_in_words(&self, words: &RecentWords) -> Result<Recent> {
        let now = self.now();
        let time = |text: &Option<String>, default: &str| parse_time(text.as_deref().unwrap_or(default), now);
        let named: BTreeSet<&str> =
            words.entities.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
        bounded("things", named.len(), 0, RECENT_ENTITIES, "ask for the others by another question")?;
        let (entities, senseless): (Vec<_>, Vec<_>) =
            named.into_iter().map(|word| word.parse::<Entity>().map_err(|_| word)).partition(Result::is_ok);
        let query = RecentQuery {
            entities: entities.into_iter().flatten().collect(),
            metric: words.metric.clone(),
            from: time(&words.from, "1h")?,
            to: time(&words.to, "now")?,
            points: words.points.unwrap_or(USUAL_POINTS),
        };
        let mut recent = self.recent(&query).await?;
        recent.unknown.extend(senseless.into_iter().filter_map(Result::err).map(str::to_owned));
        Ok(recent)
    }
}

/// Those that are in the fleet.
fn in_fleet(world: &World, wanted: &BTreeSet<Entity>) -> BTreeSet<Entity> {
    let guests: HashSet<&GuestId> = wanted.iter().filter_map(Entity::guest).collect();
    let guests: HashSet<&GuestId> = match guests.is_empty() {
        true => guests,
        false => world.guest_ids().filter(|id| guests.contains(id)).collect(),
    };
    let there = |entity: &&Entity| match entity {
        Entity::Host(id) => world.hosts.contains_key(id),
        Entity::Guest(id) => guests.contains(id),
        Entity::Storage(id) => world.has_storage(id),
        Entity::Fleet => true,
    };
    wanted.iter().filter(there).cloned().collect()
}

fn bounded(what: &str, count: usize, least: usize, most: usize, next: &str) -> Result<()> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let cause = format!("it would have {count} {what}, and {least} to {most} can be asked for at once");
    Err(Error::new(ErrorKind::Invalid, "read recent figures").because(cause).next(next))
}
