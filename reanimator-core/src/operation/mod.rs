//! Long work with a way back: actions as journaled steps, with progress, cancel, undo, and resumption after a crash.
//!
//! [`Operations`] is the door: it stores what was asked for, carries it out ([`Operations::carry_out`]) in this process,
//! and takes over what a process that died has left ([`Operations::resume_orphans`]). Before each effect the intent is
//! written down, after it the outcome; in between, the handle by which the far side knows it. Whoever comes back after
//! a kill reads how far the journal got and asks the far side; nothing is begun twice.
//!
//! | the journal says | then |
//! |---|---|
//! | pending | it is checked and begun |
//! | intended | the far side is asked: what began is followed, what did not is checked and begun |
//! | begun | it is followed |
//! | done, already, failed, skipped | nothing |
//!
//! An operation belongs to one process at a time, by a lease with a generation number; an owner of old is refused in each
//! write. Two operations never act on one thing at once: the later waits, and says for what.

mod engine;
mod owner;
mod plan;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{NewOperation, Operation, OperationFilter, OperationId, OperationLine},
    store::{OperationHold, Wish},
};

pub use plan::{DryRun, DryStep};

/// Steps that one operation may have.
pub const MOST_STEPS: usize = 2_048;

/// How long an owner that is not heard of keeps its operations.
const LEASE: Duration = Duration::from_secs(20);

/// Operations of a fleet: stored, carried out, watched.
#[derive(Clone, Debug)]
pub struct Operations {
    fleet: Fleet,
    /// Who this process is, for others that read the store.
    owner: Arc<str>,
}

impl Operations {
    /// The operations of a fleet.
    pub fn new(fleet: Fleet) -> Self {
        Self { fleet, owner: owner::this_process().into() }
    }

    /// Says what would be done, step by step, and what would be refused; does nothing.
    ///
    /// # Errors
    /// `Invalid` for a plan that makes no sense.
    pub async fn dry_run(&self, new: &NewOperation) -> Result<DryRun> {
        plan::check(new)?;
        plan::dry_run(&self.fleet, new).await
    }

    /// Stores what is to be done; nothing is done yet.
    ///
    /// # Errors
    /// `Invalid` for a plan that makes no sense, `Storage`.
    pub async fn ask(&self, new: NewOperation, who: &str) -> Result<Operation> {
        plan::check(&new)?;
        let operation = Operation::new(new, who, self.fleet.now());
        self.fleet.store().add_operation(&operation).await?;
        Ok(operation)
    }

    /// Carries one out, from where the journal says it is, until it is over.
    ///
    /// # Errors
    /// `Busy` while another process carries it out, `Conflict` when one has taken it over meanwhile, `NotFound`,
    /// `Storage`. A step that fails is no error of this call: it is in the operation.
    pub async fn carry_out(&self, id: &OperationId) -> Result<Operation> {
        let store = self.fleet.store();
        let (operation, hold) = self.take(id).await?;
        let done = engine::Engine::new(&self.fleet, hold.clone(), LEASE).run(operation).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = store.leave_operation(&hold).await {
            tracing::warn!(operation = %id, error = %crate::report(&error), "an operation was not let go of");
        }
        done
    }

    /// Becomes its owner; of one whose owner has visibly died, at once.
    async fn take(&self, id: &OperationId) -> Result<(Operation, OperationHold)> {
        let store = self.fleet.store();
        let known = store.operation(id).await?.and_then(|operation| operation.owner);
        let dead = known.filter(|known| owner::is_gone(known));
        store.take_operation(id, &self.owner, dead.as_deref(), self.fleet.now(), LEASE).await
    }

    /// Takes over what nobody carries out any more, and carries it out; those of this process that go on stay.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn resume_orphans(&self) -> Result<Vec<OperationId>> {
        let mut running = JoinSet::new();
        let taken = self.take_orphans(&mut running, &BTreeSet::new()).await?;
        while running.join_next().await.is_some() {}
        Ok(taken)
    }

    /// Begins to carry out in `running` whatever nobody carries out.
    pub(crate) async fn take_orphans(
        &self,
        running: &mut JoinSet<OperationId>,
        ours: &BTreeSet<OperationId>,
    ) -> Result<Vec<OperationId>> {
        let open = OperationFilter { open: true, limit: 1_000, ..OperationFilter::default() };
        let mut taken = Vec::new();
        for operation in self.fleet.store().operations(&open).await? {
            if ours.contains(&operation.id) {
                continue;
            }
            let (operations, id) = (self.clone(), operation.id.clone());
            taken.push(id.clone());
            running.spawn(async move {
                match operations.carry_out(&id).await {
                    Err(error) if !matches!(error.kind(), ErrorKind::Busy | ErrorKind::Conflict) => {
                        tracing::error!(operation = %id, error = %crate::report(&error), "an operation did not go on");
                    }
                    Ok(_) | Err(_) => {}
                }
                id
            });
        }
        Ok(taken)
    }

    /// Stops one before its next step. What is done stays done.
    ///
    /// # Errors
    /// `NotFound` when there is none of that id that goes on.
    pub async fn cancel(&self, id: &OperationId) -> Result<()> {
        self.wish(id, Wish::Cancel, "stop the operation", "it is over, or was never there").await
    }

    /// Wishes that what one did be taken back; whoever carries it out does so, or [`carry_out`](Self::carry_out) here.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn undo(&self, id: &OperationId) -> Result<()> {
        self.wish(id, Wish::Undo, "undo the operation", "there is none of that id").await
    }

    async fn wish(&self, id: &OperationId, wish: Wish, attempt: &str, cause: &str) -> Result<()> {
        if self.fleet.store().wish(id, wish).await? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, attempt).on(id.as_str()).because(cause).next("see `reanimator op list`"))
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &OperationId) -> Result<Operation> {
        self.fleet.store().operation(id).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find the operation \"{id}\""))
                .because("there is none of that id")
                .next("see `reanimator op list`")
        })
    }

    /// Many of them, the newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, filter: &OperationFilter) -> Result<Vec<Operation>> {
        self.fleet.store().operations(filter).await
    }

    /// What one said after a line.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn lines(&self, id: &OperationId, after: i64) -> Result<Vec<OperationLine>> {
        self.fleet.store().operation_lines(id, after, 1_000).await
    }
}
