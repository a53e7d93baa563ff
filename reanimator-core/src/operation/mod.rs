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
mod gate;
pub(crate) mod owner;
mod plan;
mod scenes;
mod scripts;
mod step;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, ErrorKind, Result,
    access::{self, Principal},
    fleet::{Fleet, STARTED, TrailLine},
    model::{NewOperation, Operation, OperationFilter, OperationId, OperationLine, OperationState, Role},
    store::{OperationHold, Wish},
};

use scripts::Secrets;

pub use plan::{DryRun, DryStep};

/// Steps that one operation may have.
pub const MOST_STEPS: usize = 2_048;

/// How long an owner that is not heard of keeps its operations.
const LEASE: Duration = Duration::from_secs(20);

/// How often it is looked whether an operation that another process carries out is over or left.
const OTHERS_EVERY: Duration = Duration::from_millis(500);

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

    /// Says what would be done, step by step, and what would be refused, also because of who asks; does nothing.
    ///
    /// # Errors
    /// `Invalid` for a plan that makes no sense.
    pub async fn dry_run(&self, new: &NewOperation, who: &Principal) -> Result<DryRun> {
        plan::check(new)?;
        plan::dry_run(&self.fleet, new, who).await
    }

    /// Stores what is to be done; nothing is done yet. Stands in the audit trail as `started`, or with why it was refused;
    /// whoever carries it out notes there what came of it.
    ///
    /// # Errors
    /// `Denied` where a step's risk or its script takes another role or somebody else, `NotFound` for a script that is not
    /// there, `Invalid` for a plan that makes no sense, `Storage`.
    pub async fn ask(&self, new: NewOperation, who: &Principal, from: &str) -> Result<Operation> {
        self.ask_with(OperationId::generate(), new, who, from).await
    }

    /// The same under an id that was given and written down before, for whoever may be killed in between: asked again, it
    /// gives the one that is there.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) async fn ask_once(
        &self,
        id: &OperationId,
        new: NewOperation,
        who: &Principal,
        from: &str,
    ) -> Result<Operation> {
        match self.fleet.store().operation(id).await? {
            Some(known) => Secrets::of(&self.fleet).hidden(known).await,
            None => self.ask_with(id.clone(), new, who, from).await,
        }
    }

    async fn ask_with(&self, id: OperationId, new: NewOperation, who: &Principal, from: &str) -> Result<Operation> {
        let title = plan::title(&self.fleet, &new).await?;
        let new = NewOperation { title, steps: scripts::pin(&self.fleet, new.steps).await?, ..new };
        let mut operation = Operation { id, ..Operation::new(new.clone(), who.who(), self.fleet.now()) };
        from.clone_into(&mut operation.requested_from);
        let line = plan::trail_line(&self.fleet, &operation).await?;
        let asked = async {
            plan::check(&new)?;
            let attempt = plan::attempt(&operation.title);
            if !operation.overrides.is_empty() {
                who.require(Role::Admin, &plan::in_spite(&attempt))?;
            }
            scripts::allow(&self.fleet, &operation.steps, who, &attempt).await
        };
        if let Err(error) = asked.await {
            self.fleet.note(&line, access::outcome(Some(&error))).await?;
            return Err(error);
        }
        self.fleet.note(&line, STARTED).await?;
        self.fleet.store().add_operation(&operation).await?;
        self.fleet.tell_of_an_operation();
        Secrets::of(&self.fleet).hidden(operation).await
    }

    /// Carries one out, from where the journal says it is, until it is over.
    ///
    /// # Errors
    /// `Busy` while another process carries it out, `Conflict` when one has taken it over meanwhile, `NotFound`,
    /// `Storage`. A step that fails is no error of this call: it is in the operation.
    pub async fn carry_out(&self, id: &OperationId) -> Result<Operation> {
        self.carry_out_until(id, &CancellationToken::new()).await
    }

    /// The same until `stop`: then it is left where it is, for whoever takes it over, and what began on the far side goes on
    /// there.
    ///
    /// # Errors
    /// As [`carry_out`](Self::carry_out), and `Cancelled` when it was left.
    pub async fn carry_out_until(&self, id: &OperationId, stop: &CancellationToken) -> Result<Operation> {
        let store = self.fleet.store();
        let (operation, hold) = self.take(id).await?;
        let engine = engine::Engine::new(self.fleet.clone(), hold.clone(), LEASE);
        let done = tokio::select! {
            done = engine.run(operation) => done,
            () = stop.cancelled() => Err(Error::new(ErrorKind::Cancelled, "carry the operation out")
                .on(id.as_str())
                .because("this process ends")
                .next("a server that is started goes on with it, and so does `reanimator op resume`")),
        };
        // A lease that is not given back ends by itself.
        if let Err(error) = store.leave_operation(&hold).await {
            tracing::warn!(operation = %id, error = %crate::report(&error), "an operation was not let go of");
        }
        Secrets::of(&self.fleet).hidden(done?).await
    }

    /// Sees one through to its end: carries it out here, or waits while another process does and takes over when that one
    /// has died.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, and `Cancelled` when it was left at `stop`.
    pub async fn see_through(&self, id: &OperationId, stop: &CancellationToken) -> Result<Operation> {
        loop {
            match self.carry_out_until(id, stop).await {
                Ok(operation) if !operation.is_wished() => return Ok(operation),
                Ok(_) => {}
                Err(error) if !stop.is_cancelled() && matches!(error.kind(), ErrorKind::Busy | ErrorKind::Conflict) => {
                    let operation = self.get(id).await?;
                    if operation.state.is_over() && !operation.is_wished() {
                        return Ok(operation);
                    }
                    tokio::time::sleep(OTHERS_EVERY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Becomes its owner; of one whose owner has visibly died, at once.
    async fn take(&self, id: &OperationId) -> Result<(Operation, OperationHold)> {
        let store = self.fleet.store();
        let known = store.operation(id).await?.and_then(|operation| operation.owner);
        let dead = known.filter(|known| owner::is_gone(known));
        store.take_operation(id, &self.owner, dead.as_deref(), self.fleet.now(), LEASE).await
    }

    /// Takes over what nobody carries out any more, and carries it out; what lives elsewhere stays there.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn resume_orphans(&self) -> Result<Vec<OperationId>> {
        let mut running = JoinSet::new();
        let taken = self.take_orphans(&mut running, &BTreeMap::new(), &CancellationToken::new()).await?;
        while running.join_next().await.is_some() {}
        Ok(taken.into_values().collect())
    }

    /// Begins to carry out in `running`, until `stop`, whatever nobody carries out and is not among `ours`. Gives what was
    /// tried, by its task.
    pub(crate) async fn take_orphans(
        &self,
        running: &mut JoinSet<()>,
        ours: &BTreeMap<Id, OperationId>,
        stop: &CancellationToken,
    ) -> Result<BTreeMap<Id, OperationId>> {
        let mut tried = BTreeMap::new();
        for (id, owner) in self.fleet.store().open_operations(self.fleet.now()).await? {
            let lives = owner.is_some_and(|owner| !owner::is_gone(&owner));
            if lives || ours.values().any(|known| *known == id) {
                continue;
            }
            let (operations, stop, known) = (self.clone(), stop.clone(), id.clone());
            let task = running.spawn(async move {
                match operations.carry_out_until(&id, &stop).await {
                    Err(error) if !is_expected(error.kind()) => {
                        tracing::error!(operation = %id, error = %crate::report(&error), "an operation did not go on");
                    }
                    Ok(_) | Err(_) => {}
                }
            });
            tried.insert(task.id(), known);
        }
        Ok(tried)
    }

    /// Stops one before its next step. What is done stays done.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Conflict` when it is over, `Storage`.
    pub async fn cancel(&self, id: &OperationId, who: &Principal, from: &str) -> Result<()> {
        self.wish(id, Wish::Cancel, who, from).await
    }

    /// Wishes that what one did be taken back; whoever carries it out does so, or [`carry_out`](Self::carry_out) here.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Conflict` when it was taken back before, `Storage`.
    pub async fn undo(&self, id: &OperationId, who: &Principal, from: &str) -> Result<()> {
        self.wish(id, Wish::Undo, who, from).await
    }

    /// Notes a wish, and in the audit trail whose it is.
    async fn wish(&self, id: &OperationId, wish: Wish, who: &Principal, from: &str) -> Result<()> {
        let (attempt, what) = match wish {
            Wish::Cancel => ("stop the operation", "operation cancel"),
            Wish::Undo => ("undo the operation", "operation undo"),
        };
        let wished = async {
            let operation = self.get(id).await?;
            let risk = match wish {
                Wish::Cancel => operation.risk(),
                Wish::Undo => operation.risk().max(operation.undo_risk()),
            };
            who.require(risk.needs(), attempt)?;
            let refuse = |cause: String| Err(Error::new(ErrorKind::Conflict, attempt).on(id.as_str()).because(cause));
            match (wish, operation.state) {
                (Wish::Cancel, state) if state.is_over() => refuse(format!("it is over: {}", state.as_str())),
                (Wish::Undo, OperationState::Undone) => refuse("it is undone already".to_owned()),
                _ if self.fleet.store().wish(id, wish).await? => Ok(()),
                _ => refuse("it has just ended".to_owned()),
            }
        };
        let wished = wished.await;
        let line = TrailLine { who: who.who(), from: from.to_owned(), what: what.to_owned(), on: id.to_string() };
        self.fleet.note(&line, access::outcome(wished.as_ref().err())).await?;
        wished
    }

    /// One of them; what a script was given as a secret is not in it.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &OperationId) -> Result<Operation> {
        Secrets::of(&self.fleet).hidden(self.stored(id).await?).await
    }

    async fn stored(&self, id: &OperationId) -> Result<Operation> {
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
        let (mut secrets, mut shown) = (Secrets::of(&self.fleet), Vec::new());
        for operation in self.fleet.store().operations(filter).await? {
            shown.push(secrets.hidden(operation).await?);
        }
        Ok(shown)
    }

    /// What one said after a line.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn lines(&self, id: &OperationId, after: i64) -> Result<Vec<OperationLine>> {
        let mut lines = self.fleet.store().operation_lines(id, after, 1_000).await?;
        let Some(operation) = self.fleet.store().operation(id).await? else { return Ok(lines) };
        let (mut known, mut secrets) = (Secrets::of(&self.fleet), Vec::new());
        for step in &operation.steps {
            secrets.extend(known.in_action(&step.action).await?);
        }
        for line in &mut lines {
            line.text = scripts::starred(&line.text, &secrets);
        }
        Ok(lines)
    }
}

/// What keeps an operation from being carried out here, and is well: another process does, or this one ends.
const fn is_expected(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Busy | ErrorKind::Conflict | ErrorKind::Cancelled)
}
