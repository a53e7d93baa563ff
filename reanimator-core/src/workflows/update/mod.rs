//! Many machines updated in one run: hosts, nodes, containers through their nodes, VMs; in waves, with a way back.
//!
//! [`Updates`] is the door: [`plan`](Updates::plan) looks and does nothing, [`ask`](Updates::ask) stores a run,
//! [`see_through`](Updates::see_through) carries it out here or waits while another process does; [`UpdatesLoop`] does that
//! while a server runs, and makes the runs of schedules. What is done with each machine, in this order:
//!
//! | phase | what |
//! |---|---|
//! | check | windows, protections, rules, quorum, Ceph, the age of its backup; what shows that it is well |
//! | refresh | the lists of packages are fetched |
//! | survey | what is pending; held, broken and busy packages; room; whether a restart is due, and may be |
//! | safety | a snapshot or a backup of a guest, as it is wished |
//! | evacuate | a node that will be started anew is emptied |
//! | upgrade | packages are installed, configuration files kept |
//! | restart | only where it is needed |
//! | health | until it is back and as well as it was |
//! | return, tidy | the node is filled again; the snapshot is deleted |
//!
//! Lists are fetched before a way back is made, so that a machine with nothing to install is left untouched. Everything that
//! changes something is an operation, so that rules are kept, limits hold, and nothing is lost or doubled by a kill.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::{access::Principal, model::UpdateWish, workflows::update::Updates};
//! let wish: UpdateWish = serde_json::from_str(r#"{"hosts":"group:web"}"#).unwrap();
//! let plan = Updates::new(fleet).plan(&wish, &Principal::local()).await?;
//! for target in plan.waves.iter().flat_map(|wave| &wave.targets) {
//!     println!("{}: {} packages, {}", target.name, target.wanted, target.why);
//! }
//! # Ok(()) }
//! ```

mod choose;
mod drive;
mod look;
mod news;
mod planning;
mod serve;
mod steps;
#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use self::drive::Driver;
use crate::{
    Error, ErrorKind, Result, access,
    access::Principal,
    fleet::{Fleet, STARTED, TrailLine, may_update},
    model::{Role, UpdateFilter, UpdateId, UpdatePlan, UpdateRun, UpdateWish},
    operation::{Operations, owner},
};

pub use serve::UpdatesLoop;

/// How long an owner that is not heard of keeps its updates.
const LEASE: Duration = Duration::from_secs(20);
/// How often it is looked whether an update that another process carries out is over or left.
const OTHERS_EVERY: Duration = Duration::from_millis(500);
/// Updates that may be open at once.
const MOST_OPEN: u32 = 50;

/// Updates of a fleet: planned, stored, carried out, watched.
#[derive(Clone, Debug)]
pub struct Updates {
    fleet: Fleet,
    /// Who this process is, for others that read the store.
    owner: Arc<str>,
}

impl Updates {
    /// The updates of a fleet.
    pub fn new(fleet: Fleet) -> Self {
        Self { fleet, owner: owner::this_process().into() }
    }

    /// Says what an update would come to, machine by machine; only looks.
    ///
    /// # Errors
    /// `Denied` for who is no operator; `Invalid` for a wish that makes no sense; `NotFound` for words that mean nobody.
    pub async fn plan(&self, wish: &UpdateWish, who: &Principal) -> Result<UpdatePlan> {
        may_update(wish, who)?;
        wish.check()?;
        planning::plan(&self.fleet, wish, who).await
    }

    /// Stores what is to be updated; nothing is done yet. Stands in the audit trail.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); `Conflict` where too many updates are open.
    pub async fn ask(&self, wish: &UpdateWish, who: &Principal, from: &str) -> Result<UpdateRun> {
        let made = async {
            may_update(wish, who)?;
            self.make(wish, &who.who(), from).await
        };
        match made.await {
            Ok(run) => {
                self.fleet.note(&drive::trail_line(&run), STARTED).await?;
                self.fleet.store().add_update(&run).await?;
                Ok(run)
            }
            Err(error) => {
                let what = "update".to_owned();
                let line = TrailLine { who: who.who(), from: from.to_owned(), what, on: wish.whom() };
                self.fleet.note(&line, access::outcome(Some(&error))).await?;
                Err(error)
            }
        }
    }

    /// A run of a wish, not stored.
    async fn make(&self, wish: &UpdateWish, who: &str, from: &str) -> Result<UpdateRun> {
        wish.check()?;
        let open = UpdateFilter { open: true, limit: MOST_OPEN, ..UpdateFilter::default() };
        if self.fleet.store().updates(&open).await?.len() >= MOST_OPEN as usize {
            return Err(Error::new(ErrorKind::Conflict, "begin an update")
                .because(format!("{MOST_OPEN} of them are not over"))
                .next("wait until some are, or stop some"));
        }
        let chosen = choose::choose(&self.fleet, wish).await?;
        let mut run = UpdateRun::new(wish.clone(), who, from, self.fleet.now());
        let number = chosen.targets.len();
        let machines = if number == 1 { "machine" } else { "machines" };
        run.title = format!("update {number} {machines}: {}", wish.whom()).chars().take(200).collect();
        (run.targets, run.passed_over) = (chosen.targets, chosen.passed_over);
        Ok(run)
    }

    /// Makes the update of a schedule whose time has come, once. Nothing where it was made before.
    async fn make_of(&self, schedule: &crate::model::UpdateSchedule, due: Timestamp) -> Result<Option<UpdateRun>> {
        let from = format!("schedule {}", schedule.name);
        let made = self.make_in_the_name_of(schedule, &from).await;
        let line = match &made {
            Ok(run) => drive::trail_line(run),
            Err(_) => TrailLine {
                who: schedule.by.clone(),
                from: from.clone(),
                what: "update".to_owned(),
                on: schedule.wish.whom(),
            },
        };
        let why_not = made.as_ref().err().map(crate::report).unwrap_or_default();
        if !self.fleet.store().add_update_of(&schedule.name, due, made.as_ref().map_err(|_| why_not.as_str())).await? {
            return Ok(None);
        }
        self.fleet.note(&line, made.as_ref().err().map_or(STARTED, |error| access::outcome(Some(error)))).await?;
        made.map(Some)
    }

    /// A run of a schedule, where whoever asked for it may still do so.
    async fn make_in_the_name_of(&self, schedule: &crate::model::UpdateSchedule, from: &str) -> Result<UpdateRun> {
        let who = self.fleet.access().known_as(&schedule.by).await?.ok_or_else(|| {
            Error::new(ErrorKind::Denied, format!("update {}", schedule.wish.whom()))
                .because(format!("{}, in whose name it is made, is no longer known", schedule.by))
                .next("change the schedule: from then on it is made in your name")
        })?;
        may_update(&schedule.wish, &who)?;
        let run = self.make(&schedule.wish, &schedule.by, from).await?;
        Ok(UpdateRun { schedule: Some(schedule.name.clone()), ..run })
    }

    /// Carries one out, from where it is, until it is over or `stop`: then it is left where it is, and what began goes on.
    ///
    /// # Errors
    /// `Busy` while another process carries it out, `Conflict` when one has taken it over meanwhile, `Cancelled` when it was
    /// left, `NotFound`, `Storage`. A machine that fails is no error of this call: it is in the run.
    pub async fn carry_out_until(&self, id: &UpdateId, stop: &CancellationToken) -> Result<UpdateRun> {
        let store = self.fleet.store();
        let known = store.update(id).await?.ok_or_else(|| missing(id))?;
        let dead = known.owner.filter(|known| owner::is_gone(known));
        let (run, hold) = store.take_update(id, &self.owner, dead.as_deref(), self.fleet.now(), LEASE).await?;
        let operations = Operations::new(self.fleet.clone());
        let driver = Driver { fleet: self.fleet.clone(), operations, hold: hold.clone(), lease: LEASE };
        let done = driver.run(run, stop).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = store.leave_update(&hold).await {
            tracing::warn!(update = %id, error = %crate::report(&error), "an update was not let go of");
        }
        done
    }

    /// Sees one through to its end: carries it out here, or waits while another process does and takes over when that one
    /// has died.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, and `Cancelled` when it was left at `stop`.
    pub async fn see_through(&self, id: &UpdateId, stop: &CancellationToken) -> Result<UpdateRun> {
        loop {
            match self.carry_out_until(id, stop).await {
                Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Conflict) => {
                    let run = self.get(id).await?;
                    if run.state.is_over() {
                        return Ok(run);
                    }
                    tokio::select! {
                        () = stop.cancelled() => return Err(error),
                        () = tokio::time::sleep(OTHERS_EVERY) => {}
                    }
                }
                other => return other,
            }
        }
    }

    /// Begins to carry out in `running`, until `stop`, whatever nobody carries out and is not among `ours`.
    async fn take_orphans(
        &self,
        running: &mut JoinSet<()>,
        ours: &BTreeMap<Id, UpdateId>,
        stop: &CancellationToken,
    ) -> Result<BTreeMap<Id, UpdateId>> {
        let mut tried = BTreeMap::new();
        for (id, owner) in self.fleet.store().open_updates(self.fleet.now()).await? {
            let lives = owner.is_some_and(|owner| !owner::is_gone(&owner));
            if lives || ours.values().any(|known| *known == id) {
                continue;
            }
            let (updates, stop, known) = (self.clone(), stop.clone(), id.clone());
            let task = running.spawn(async move {
                match updates.carry_out_until(&id, &stop).await {
                    Err(error) if !is_expected(error.kind()) => {
                        tracing::error!(update = %id, error = %crate::report(&error), "an update did not go on");
                    }
                    Ok(_) | Err(_) => {}
                }
            });
            tried.insert(task.id(), known);
        }
        Ok(tried)
    }

    /// Stops one before its next machine; those that have begun are seen to their end.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Conflict` when it is over, `Storage`.
    pub async fn cancel(&self, id: &UpdateId, who: &Principal, from: &str) -> Result<()> {
        let stopped = async {
            who.require(Role::Operator, "stop the update")?;
            let run = self.get(id).await?;
            if !run.state.is_over() && self.fleet.store().cancel_update(id).await? {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Conflict, "stop the update")
                .on(id.as_str())
                .because(format!("it is over: {}", self.get(id).await?.state.as_str())))
        };
        let stopped = stopped.await;
        let on: String = id.as_str().chars().take(100).collect();
        let line = TrailLine { who: who.who(), from: from.to_owned(), what: "update cancel".to_owned(), on };
        self.fleet.note(&line, access::outcome(stopped.as_ref().err())).await?;
        stopped
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &UpdateId) -> Result<UpdateRun> {
        self.fleet.store().update(id).await?.ok_or_else(|| missing(id))
    }

    /// Many of them, the newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, filter: &UpdateFilter) -> Result<Vec<UpdateRun>> {
        self.fleet.store().updates(filter).await
    }
}

fn missing(id: &UpdateId) -> Error {
    let id: String = id.as_str().chars().take(100).collect();
    Error::new(ErrorKind::NotFound, format!("find the update \"{id}\""))
        .because("there is none of that id")
        .next("see `reanimator update list`")
}

/// What keeps an update from being carried out here, and is well: another process does, or this one ends.
const fn is_expected(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Busy | ErrorKind::Conflict | ErrorKind::Cancelled)
}
