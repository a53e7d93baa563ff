//! Details, tables, histories and changes.

use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    fleet::{HistoryWords, RecentWords},
    model::{
        change::{Change, ChangeFilter},
        details::Include,
    },
};

use super::audited;
use crate::{answer::Plain, arguments::History, columns::Columns};

/// As many changes as one call gives at most.
const LARGEST_LIMIT: u32 = 1000;

/// Everything about a host.
pub(crate) async fn host_details(fleet: Fleet, name: String, include: Include) -> Result<Plain> {
    Plain::of(&fleet.host_details(&name, include).await?)
}

/// The same, asked for now.
pub(crate) async fn refresh(fleet: Fleet, name: String) -> Result<Plain> {
    audited(&fleet, "host refresh", &name, fleet.refresh_facts(&name)).await?;
    host_details(fleet, name, Include::default()).await
}

/// Everything about a guest.
pub(crate) async fn guest_details(fleet: Fleet, guest: String, node: Option<String>) -> Result<Plain> {
    Plain::of(&fleet.guest_details(node.as_deref(), &guest).await?)
}

/// The fleet in tables.
pub(crate) async fn dashboard(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.tables().await?)
}

/// What hangs on what.
pub(crate) async fn topology(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.topology().await?)
}

/// What a cluster is.
pub(crate) async fn cluster_facts(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.cluster_facts(&name).await?)
}

/// What a cluster is, asked now.
pub(crate) async fn refresh_cluster(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&audited(&fleet, "proxmox refresh", &name, fleet.refresh_cluster(&name)).await?)
}

/// Figures over time.
pub(crate) async fn telemetry(fleet: Fleet, history: History) -> Result<Columns> {
    let named = history.metrics.iter().cloned().collect();
    let words = HistoryWords {
        entity: history.entity,
        metric: Some(history.metrics.join(",")),
        from: Some(history.start),
        to: Some(history.end),
        step: history.step,
    };
    Ok(Columns::of(fleet.telemetry_in_words(&words).await?, named))
}

/// Short lines of many.
pub(crate) async fn recent(fleet: Fleet, words: RecentWords) -> Result<Plain> {
    Plain::of(&fleet.recent_in_words(&words).await?)
}

/// The newest figures.
pub(crate) async fn latest(fleet: Fleet, entity: String) -> Result<Plain> {
    let entity = fleet.entity(&entity).await?;
    Plain::of(&fleet.latest(&entity).await?)
}

/// What changed.
pub(crate) async fn changes(
    fleet: Fleet,
    entity: Option<String>,
    field: Option<String>,
    before: Option<String>,
    limit: u32,
) -> Result<Plain> {
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Error::new(ErrorKind::Invalid, "list changes")
            .because(format!("one call gives 1 to {LARGEST_LIMIT} changes, not {limit}"))
            .next("give the `id` of the last one as `before` to get those that are older"));
    }
    let entity = match entity {
        Some(word) => Some(fleet.entity(&word).await?.to_string()),
        None => None,
    };
    let before = before.as_deref().map(change_id).transpose()?;
    let found: Vec<Change> = fleet.changes(&ChangeFilter { entity, field, before, limit }).await?;
    Plain::of(&found)
}

fn change_id(text: &str) -> Result<i64> {
    text.parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("list changes before {text:?}"))
            .because("it is not the id of a change")
            .next("give the `id` of a change that this method gave")
    })
}
