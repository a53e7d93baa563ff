//! What a store keeps of operations.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{OperationHold, Wish};
use crate::{
    Result,
    model::{Operation, OperationFilter, OperationId, OperationLine, Step},
};

/// Something of which only so much goes on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is called: `host:h1`.
    pub name: String,
    /// How many steps may have one at once.
    pub most: u32,
}

/// Operations and their journal. Who carries one out holds it by a lease with a generation number: an owner of old that
/// wakes up again is refused in every write.
///
/// # Errors
/// All may fail with `Storage`. Writes with a hold are a `Conflict` once another process has taken the operation over.
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// Stores a new one, which nobody holds.
    async fn add_operation(&self, operation: &Operation) -> Result<()>;

    /// One of them, with its steps.
    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>>;

    /// Many of them with their steps, the newest first.
    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Operation>>;

    /// Those that are not over, the oldest first, each with the owner whose lease is good; at most 10,000.
    async fn open_operations(&self, now: Timestamp) -> Result<Vec<(OperationId, Option<String>)>>;

    /// Becomes its owner for as long as `ttl`, and reads it as the owner before has left it. A lease of `dead` holds nobody
    /// back: that process is known to have ended.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, naming the other, while another process holds it.
    async fn take_operation(
        &self,
        id: &OperationId,
        owner: &str,
        dead: Option<&str>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(Operation, OperationHold)>;

    /// Stays its owner, and hears what is wished of it.
    async fn keep_operation(&self, hold: &OperationHold, now: Timestamp, ttl: Duration) -> Result<Vec<Wish>>;

    /// Is its owner no longer. Does nothing for one who is not.
    async fn leave_operation(&self, hold: &OperationHold) -> Result<()>;

    /// Locks all things for the operation, until it is over, or none: then it says which one another operation holds.
    async fn lock_things(&self, hold: &OperationHold, things: &[String]) -> Result<Option<(String, OperationId)>>;

    /// Takes a slot of each for a step, until that is over, or none of them: then it says which has none left. A step that
    /// had not begun when its process died has none.
    async fn take_slots(&self, hold: &OperationHold, step: u32, slots: &[Slot], now: Timestamp)
    -> Result<Option<Slot>>;

    /// Closes a gate behind a step for as long as `ttl`; else says which operation has closed it, and is carried out by
    /// somebody. Who decides what depends on the
    /// decisions of others does so behind one gate.
    async fn close_gate(
        &self,
        hold: &OperationHold,
        step: u32,
        gate: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<OperationId>>;

    /// Opens a gate that an operation has closed whose process is known to have died.
    async fn break_gate(&self, gate: &str, closed_by: &OperationId) -> Result<()>;

    /// Opens a gate that this step has closed.
    async fn open_gate(&self, hold: &OperationHold, step: u32, gate: &str) -> Result<()>;

    /// All steps, of whichever operation, that may be having their effect now.
    async fn steps_in_flight(&self) -> Result<Vec<(OperationId, Step)>>;

    /// Writes down all of it but its steps. One that is over lets go of its things.
    async fn write_operation(&self, hold: &OperationHold, operation: &Operation) -> Result<()>;

    /// Writes down one step, old or new.
    async fn write_step(&self, hold: &OperationHold, step: &Step) -> Result<()>;

    /// Writes down what it said, and gives the line's number.
    async fn say(&self, hold: &OperationHold, step: Option<u32>, text: &str, now: Timestamp) -> Result<i64>;

    /// What it said after a line, the oldest first; at most 1,000 lines.
    async fn operation_lines(&self, id: &OperationId, after: i64, limit: u32) -> Result<Vec<OperationLine>>;

    /// Notes a wish for its owner, now or later. Whether there is such an operation, and for it to be stopped, one that is
    /// not over.
    async fn wish(&self, id: &OperationId, wish: Wish) -> Result<bool>;
}
