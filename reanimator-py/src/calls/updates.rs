//! Updates of many machines, by calendar too, and machines that stand in for each other.

use reanimator_core::{
    Fleet, Result,
    access::Principal,
    fleet::ScheduleChange,
    model::{RedundantSet, UpdateFilter, UpdateId, UpdateRun, UpdateSchedule, UpdateWish},
    workflows::update::Updates,
};
use tokio_util::sync::CancellationToken;

use super::audited;
use crate::{answer::Plain, arguments::Json};

const WISH: &str = "what is wanted of the update";

/// Says what an update would come to.
pub(crate) async fn plan_update(fleet: Fleet, wish: Json) -> Result<Plain> {
    let wish: UpdateWish = wish.read(WISH)?;
    Plain::of(&Updates::new(fleet).plan(&wish, &Principal::local()).await?)
}

/// Updates machines, and gives the update when it is over; or only asks for it.
pub(crate) async fn update(fleet: Fleet, wish: Json, wait: bool) -> Result<Plain> {
    let (updates, wish) = (Updates::new(fleet), wish.read::<UpdateWish>(WISH)?);
    let asked = updates.ask(&wish, &Principal::local(), "local").await?;
    if !wait {
        return Plain::of(&asked);
    }
    Plain::of(&updates.see_through(&asked.id, &CancellationToken::new()).await?)
}

/// Some updates in one line each, the newest first.
pub(crate) async fn updates(fleet: Fleet, open: bool, before: Option<String>, limit: u32) -> Result<Plain> {
    let filter = UpdateFilter { open, before: before.map(UpdateId), limit };
    let runs = Updates::new(fleet).list(&filter).await?;
    Plain::of(&runs.iter().map(UpdateRun::line).collect::<Vec<_>>())
}

/// One update.
pub(crate) async fn update_run(fleet: Fleet, id: String) -> Result<Plain> {
    Plain::of(&Updates::new(fleet).get(&id.into()).await?)
}

/// Stops one before its next machine.
pub(crate) async fn cancel_update(fleet: Fleet, id: String) -> Result<Plain> {
    let (updates, id) = (Updates::new(fleet), id.into());
    updates.cancel(&id, &Principal::local(), "local").await?;
    Plain::of(&updates.get(&id).await?)
}

/// Sees one through to its end, wherever it is carried out.
pub(crate) async fn resume_update(fleet: Fleet, id: String) -> Result<Plain> {
    Plain::of(&Updates::new(fleet).see_through(&id.into(), &CancellationToken::new()).await?)
}

/// All schedules.
pub(crate) async fn update_schedules(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.update_schedules().await?.items)
}

/// Those of which no more than their names can be read.
pub(crate) async fn unreadable_update_schedules(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.update_schedules().await?.unreadable)
}

/// Makes a schedule.
pub(crate) async fn create_update_schedule(fleet: Fleet, schedule: Json) -> Result<Plain> {
    let schedule: UpdateSchedule = schedule.read("the schedule of an update")?;
    let (on, who) = (format!("{}: {}", schedule.name, schedule.times()), Principal::local());
    let create = fleet.create_update_schedule(schedule, &who);
    Plain::of(&audited(&fleet, "update schedule create", &on, create).await?)
}

/// Changes a schedule; what is absent stays.
pub(crate) async fn edit_update_schedule(fleet: Fleet, name: String, change: Json) -> Result<Plain> {
    let change: ScheduleChange = change.read("the change of a schedule")?;
    let who = Principal::local();
    let change = fleet.change_update_schedule(&name, change, &who);
    Plain::of(&audited(&fleet, "update schedule edit", &name, change).await?)
}

/// Removes a schedule.
pub(crate) async fn delete_update_schedule(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "update schedule delete", &name, fleet.remove_update_schedule(&name)).await
}

/// All redundant sets.
pub(crate) async fn redundant_sets(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.redundant_sets().await?)
}

/// Keeps a redundant set.
pub(crate) async fn put_redundant_set(fleet: Fleet, set: Json) -> Result<Plain> {
    let set: RedundantSet = set.read("the redundant set")?;
    let name = set.name.clone();
    Plain::of(&audited(&fleet, "update redundant set", &name, fleet.put_redundant_set(set)).await?)
}

/// Removes a redundant set.
pub(crate) async fn remove_redundant_set(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "update redundant remove", &name, fleet.remove_redundant_set(&name)).await
}
