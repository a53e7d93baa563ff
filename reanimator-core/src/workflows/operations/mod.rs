//! Operations while a server runs: what is asked for is carried out, what a process has left when it died is taken over,
//! and whoever listens is told how far each one got, whichever process carries it out.
//!
//! The loop looks into the store, where every process writes down what it does. At its end the operations stay where they
//! are in the journal, free for the next process; what began on the far side goes on there.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, workflows::operations::OperationsLoop};
//! use tokio_util::sync::CancellationToken;
//! # async fn example() -> Result<(), reanimator_core::Error> {
//! let fleet = Fleet::open(FleetOptions::new("/tmp/fleet")).await?;
//! let stop = CancellationToken::new();
//! tokio::spawn(OperationsLoop::new(fleet).run(stop.clone()));
//! # Ok(()) }
//! ```

mod news;

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    task::{Id, JoinSet},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use self::news::News;
use crate::{
    Result,
    fleet::Fleet,
    model::{Operation, OperationFilter, OperationId},
    operation::Operations,
};

/// How often the store is looked into: what it costs is one small query while there is nothing to do.
const EVERY: Duration = Duration::from_secs(1);

/// How many of the newest operations are looked at for those that began and ended between two looks.
const NEWEST: u32 = 50;

/// The loop.
#[derive(Debug)]
pub struct OperationsLoop {
    fleet: Fleet,
    operations: Operations,
    running: JoinSet<()>,
    ours: BTreeMap<Id, OperationId>,
    news: News,
}

impl OperationsLoop {
    /// A loop over this fleet's operations.
    pub fn new(fleet: Fleet) -> Self {
        let operations = Operations::new(fleet.clone());
        Self { fleet, operations, running: JoinSet::new(), ours: BTreeMap::new(), news: News::default() }
    }

    /// Runs until `stop`; then lets go of what it carries out.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = self.running.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "the task of an operation broke");
                            error.id()
                        }
                    };
                    self.ours.remove(&id);
                    continue;
                }
                () = self.fleet.an_operation_is_asked_for() => {}
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(&stop).await {
                tracing::error!(error = %crate::report(&error), "the operations cannot be read");
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    async fn look(&mut self, stop: &CancellationToken) -> Result<()> {
        let taken = self.operations.take_orphans(&mut self.running, &self.ours, stop).await?;
        self.ours.extend(taken);
        for (kind, operation) in self.news.of(self.seen().await?) {
            self.fleet.tell(kind, &operation);
        }
        Ok(())
    }

    /// Those that go on, those that went on at the last look, and the newest where there are new ones.
    async fn seen(&self) -> Result<Vec<Operation>> {
        let filter = |open, limit| OperationFilter { open, limit, ..OperationFilter::default() };
        let mut seen = self.operations.list(&filter(true, 1_000)).await?;
        for id in self.news.going_on().filter(|id| !seen.iter().any(|each| each.id == **id)).collect::<Vec<_>>() {
            seen.push(self.operations.get(id).await?);
        }
        let newest = self.operations.list(&filter(false, 1)).await?;
        if newest.first().is_some_and(|newest| self.news.is_new(&newest.id)) {
            let rest = self.operations.list(&filter(false, NEWEST)).await?;
            seen.extend(rest.into_iter().filter(|each| self.news.is_new(&each.id)));
        }
        Ok(seen)
    }
}
