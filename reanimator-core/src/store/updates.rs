//! What a store keeps of updates of many machines.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Result,
    model::{RedundantSet, UnreadableSchedule, UpdateFilter, UpdateId, UpdateRun, UpdateSchedule, UpdateTarget},
};

/// The right to carry out an update, until another process has taken it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateHold {
    /// Which one.
    pub id: UpdateId,
    /// The how-manieth owner this is.
    pub generation: i64,
}

/// What is to become of a schedule, which is handed in as it is at that moment. What it refuses is not done at all.
pub type ScheduleEdit = Box<dyn FnOnce(UpdateSchedule) -> Result<UpdateSchedule> + Send>;

/// Updates with their machines, schedules, and redundant sets. Who carries an update out holds it by a lease with a
/// generation number, as with operations.
///
/// # Errors
/// All may fail with `Storage`. Writes with a hold are a `Conflict` once another process has taken the update over.
#[async_trait]
pub trait UpdateStore: Send + Sync {
    /// Stores a new one, which nobody holds.
    async fn add_update(&self, run: &UpdateRun) -> Result<()>;

    /// Stores a new one that a schedule makes at `due`, and notes in the schedule that this time is done with, and what came
    /// of it. Whether it was not before; else nothing is done. Where none was made, it is told why: that is noted, and told
    /// by a notice in the same step.
    async fn add_update_of(
        &self,
        schedule: &str,
        due: Timestamp,
        made: std::result::Result<&UpdateRun, &str>,
    ) -> Result<bool>;

    /// One of them, with its machines.
    async fn update(&self, id: &UpdateId) -> Result<Option<UpdateRun>>;

    /// Many of them with their machines, the newest first; at most 200.
    async fn updates(&self, filter: &UpdateFilter) -> Result<Vec<UpdateRun>>;

    /// The id of the newest of them.
    async fn newest_update(&self) -> Result<Option<UpdateId>>;

    /// Removes those that are over, with their machines, but for the newest `keep` of those; 1000 at a time. How many were
    /// removed.
    async fn forget_updates(&self, keep: u32) -> Result<u64>;

    /// Those that are not over, the oldest first, each with the owner whose lease is good.
    async fn open_updates(&self, now: Timestamp) -> Result<Vec<(UpdateId, Option<String>)>>;

    /// Becomes its owner for as long as `ttl`, and reads it as the owner before has left it. A lease of `dead` holds nobody
    /// back: that process is known to have ended.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, naming the other, while another process holds it.
    async fn take_update(
        &self,
        id: &UpdateId,
        owner: &str,
        dead: Option<&str>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(UpdateRun, UpdateHold)>;

    /// Stays its owner, and hears whether it is to stop.
    async fn keep_update(&self, hold: &UpdateHold, now: Timestamp, ttl: Duration) -> Result<bool>;

    /// Is its owner no longer. Does nothing for one who is not.
    async fn leave_update(&self, hold: &UpdateHold) -> Result<()>;

    /// Writes down all of it but its machines. Its end is told by a notice in the same step, once.
    async fn write_update(&self, hold: &UpdateHold, run: &UpdateRun) -> Result<()>;

    /// Writes down one machine.
    async fn write_update_target(&self, hold: &UpdateHold, target: &UpdateTarget) -> Result<()>;

    /// Notes that it is to stop. Whether there is such an update that is not over.
    async fn cancel_update(&self, id: &UpdateId) -> Result<bool>;

    /// All schedules, by name; of one that cannot be read, why.
    async fn update_schedules(&self) -> Result<Vec<std::result::Result<UpdateSchedule, UnreadableSchedule>>>;

    /// Adds a schedule.
    ///
    /// # Errors
    /// `Conflict` where one is called so already.
    async fn insert_update_schedule(&self, schedule: &UpdateSchedule) -> Result<()>;

    /// Changes a schedule as it is at that moment; its name stays. Gives it as it is then.
    ///
    /// # Errors
    /// `NotFound`, and what `edit` refuses.
    async fn edit_update_schedule(&self, name: &str, edit: ScheduleEdit) -> Result<UpdateSchedule>;

    /// Removes a schedule. Whether there was one.
    async fn remove_update_schedule(&self, name: &str) -> Result<bool>;

    /// All redundant sets, by name.
    async fn redundant_sets(&self) -> Result<Vec<RedundantSet>>;

    /// Keeps a redundant set, in place of one of the same name.
    async fn put_redundant_set(&self, set: &RedundantSet) -> Result<()>;

    /// Removes a redundant set. Whether there was one.
    async fn remove_redundant_set(&self, name: &str) -> Result<bool>;
}
