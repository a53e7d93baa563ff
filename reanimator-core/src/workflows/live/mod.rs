//! The live loop: every host observed every ten seconds, no host waiting for another.
//!
//! Each host and each cluster has a task of its own that looks, hands over what it saw, and sleeps until its next turn.
//! Turns are spread over the interval, so that a thousand hosts are not asked at once; a host that misses one is asked
//! again soon, so that it is known within 30 s whether it is gone. One writer takes what was seen
//! in small batches, stores it, and then tells those who listen. Slow facts (disks, units, updates) are asked for
//! beside all that, a few hosts at a time, so that they never hold up a figure.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, workflows::live::{LiveLoop, LiveOptions}};
//! use tokio_util::sync::CancellationToken;
//! # async fn example() -> Result<(), reanimator_core::Error> {
//! let fleet = Fleet::open(FleetOptions::new("/tmp/fleet")).await?;
//! let mut events = fleet.events();
//! let stop = CancellationToken::new();
//! tokio::spawn(LiveLoop::new(fleet, LiveOptions::default()).run(stop.clone()));
//! while let Ok(event) = events.recv().await {
//!     println!("{} {}", event.kind.as_str(), event.data["name"]);
//! }
//! # Ok(()) }
//! ```

mod facts;
mod lease;
mod upkeep;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use self::lease::Lease;
use crate::{
    Result,
    fleet::{Fleet, Seen},
    model::{ConnectionId, EventKind, HostId, HostState, Totals},
};

/// How the loop behaves.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// How often each host is observed. Defaults to 10 s, spread by up to a tenth.
    pub interval: Duration,
    /// How many observations run at once. Defaults to 256: most of an observation is waiting.
    pub parallel: usize,
    /// How often records are read again, so that what the command line adds is seen. Defaults to 2 s.
    pub records: Duration,
    /// How often it is looked whose slow facts are due. Defaults to 2 s; how old each may get is
    /// [`Section::every`](crate::model::facts::Section::every).
    pub facts: Duration,
    /// Where this server can be reached, for whoever tries to start a second one.
    pub address: String,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            parallel: 256,
            records: Duration::from_secs(2),
            facts: Duration::from_secs(2),
            address: "no address".to_owned(),
        }
    }
}

/// How long the writer collects before it writes: what it costs is one transaction, what it adds is a fraction of the
/// age that a figure has anyway.
const BATCH: Duration = Duration::from_millis(200);

/// The most that one batch holds.
const BATCH_SIZE: usize = 512;

/// A node's `pvesh` is asked at every so manieth turn only: each call starts Perl there, a second of its CPU.
const SHELL_NODE_TURNS: u32 = 6;

/// No turn is shorter than this.
const SHORTEST: Duration = Duration::from_millis(10);

/// How long a look can have work to do; after that it waits for somebody.
const BUSY_LOOK: Duration = Duration::from_secs(1);

/// The least time between two looks at the sums.
const TOTALS_EVERY: Duration = Duration::from_secs(1);

/// The loop.
#[derive(Debug)]
pub struct LiveLoop {
    fleet: Fleet,
    options: LiveOptions,
}

/// What has a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Watched {
    Host(HostId),
    Cluster(ConnectionId),
}

impl LiveLoop {
    /// A loop over this fleet.
    pub fn new(fleet: Fleet, options: LiveOptions) -> Self {
        let options = LiveOptions {
            interval: options.interval.max(SHORTEST),
            records: options.records.max(SHORTEST),
            facts: options.facts.max(SHORTEST),
            parallel: options.parallel.max(1),
            ..options
        };
        Self { fleet, options }
    }

    /// Runs until `stop`, and then ends all its tasks.
    ///
    /// # Errors
    /// `Conflict` when another process serves this data directory, at the start or later; `Storage` when the records
    /// cannot be read at the start.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let lease = Lease::acquire(&self.fleet, &self.options.address).await?;
        // What an earlier process has asked for is not asked for again before its time.
        let result = match self.fleet.remember_facts().await {
            Ok(()) => {
                self.fleet.set_live(true);
                let result = self.watch(&lease, &stop).await;
                self.fleet.set_live(false);
                result
            }
            Err(error) => Err(error),
        };
        lease.release().await.and(result)
    }

    async fn watch(&self, lease: &Lease, stop: &CancellationToken) -> Result<()> {
        let (sender, receiver) = mpsc::channel(BATCH_SIZE * 4);
        let end = stop.child_token();
        let mut tasks = JoinSet::new();
        tasks.spawn(write(self.fleet.clone(), receiver));
        tasks.spawn(follow_totals(self.fleet.clone(), self.options.interval, end.clone()));
        tasks.spawn(upkeep::run(self.fleet.clone(), end.clone()));
        tasks.spawn(facts::run(self.fleet.clone(), self.options.facts, end.clone()));
        let result = tokio::select! {
            () = stop.cancelled() => Ok(()),
            lost = lease.keep() => lost,
            result = self.follow_records(&sender, &end) => result,
        };
        end.cancel();
        drop(sender);
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the live loop broke");
            }
        }
        result
    }

    /// Gives each host and cluster its task, and takes it away when it is gone.
    async fn follow_records(&self, sender: &mpsc::Sender<Seen>, end: &CancellationToken) -> Result<()> {
        let at_once = Arc::new(Semaphore::new(self.options.parallel));
        let mut running: BTreeMap<Watched, CancellationToken> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        let mut ticks = tokio::time::interval(self.options.records);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "an observing task broke");
                    }
                    continue;
                }
            }
            if let Err(error) = self.fleet.sync().await {
                tracing::error!(error = %crate::report(&error), "the records cannot be read; those known go on");
                continue;
            }
            let (hosts, clusters) = self.fleet.watched();
            let wanted: BTreeSet<Watched> =
                hosts.into_iter().map(Watched::Host).chain(clusters.into_iter().map(Watched::Cluster)).collect();
            running.retain(|what, token| {
                // A task that broke has cancelled its token: it is started anew.
                let stays = wanted.contains(what) && !token.is_cancelled();
                if !stays {
                    token.cancel();
                }
                stays
            });
            let many = wanted.len() > 16;
            for what in wanted {
                running.entry(what.clone()).or_insert_with(|| {
                    let token = end.child_token();
                    let slow = matches!(&what, Watched::Cluster(id) if self.fleet.is_shell_node(id));
                    let interval = self.options.interval * if slow { SHELL_NODE_TURNS } else { 1 };
                    let task = Task {
                        fleet: self.fleet.clone(),
                        first: if many { spread(&what, interval) } else { Duration::ZERO },
                        interval,
                        at_once: at_once.clone(),
                        sender: sender.clone(),
                        what,
                    };
                    let stop = token.clone();
                    let guard = token.clone().drop_guard();
                    tasks.spawn(async move {
                        let _ended = guard;
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = task.run() => {}
                        }
                    });
                    token
                });
            }
        }
    }
}

/// The task of one host or cluster.
struct Task {
    fleet: Fleet,
    what: Watched,
    first: Duration,
    interval: Duration,
    at_once: Arc<Semaphore>,
    sender: mpsc::Sender<Seen>,
}

impl Task {
    async fn run(self) {
        tokio::time::sleep(self.first).await;
        let mut turn: u64 = 0;
        loop {
            let started = Instant::now();
            let Ok(permit) = self.at_once.acquire().await else { return };
            let look = self.look();
            tokio::pin!(look);
            // A look that only waits, for a host that is silent, gives its place back.
            let quick = tokio::time::timeout(BUSY_LOOK, &mut look).await;
            drop(permit);
            let in_doubt = match quick {
                Ok(in_doubt) => in_doubt,
                Err(_) => look.await,
            };
            turn += 1;
            // A tenth of jitter, the same for nobody: hosts drift apart rather than together.
            let jitter = spread(&(&self.what, turn), self.interval / 10);
            let pause = if in_doubt { self.interval / 2 } else { self.interval - self.interval / 20 + jitter };
            tokio::time::sleep_until(started + pause).await;
        }
    }

    /// Looks once; says whether the host has missed a look and may be gone: then the next one comes soon.
    async fn look(&self) -> bool {
        match &self.what {
            Watched::Host(id) => {
                let Some((seen, result)) = self.fleet.look_at_host(id).await else { return false };
                let in_doubt = result.is_err() && seen.view.state != HostState::Offline;
                if let Err(error) = result {
                    tracing::debug!(error = %crate::report(&error), "a host did not answer");
                }
                // The writer has ended only when the loop ends.
                drop(self.sender.send(seen).await);
                in_doubt
            }
            Watched::Cluster(id) => {
                let seen = self.fleet.look_at_cluster(id).await;
                let written = match seen {
                    Ok(seen) => self.fleet.write_down_cluster(&seen).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = written {
                    tracing::error!(error = %crate::report(&error), "a cluster's state could not be written down");
                }
                false
            }
        }
    }
}

/// A share of `span` that is always the same for the same thing.
fn spread(what: &impl Hash, span: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    span.mul_f64((hasher.finish() % 10_000) as f64 / 10_000.0)
}

/// Writes what was seen, in batches.
async fn write(fleet: Fleet, mut receiver: mpsc::Receiver<Seen>) {
    let mut batch = Vec::with_capacity(BATCH_SIZE);
    while receiver.recv_many(&mut batch, BATCH_SIZE).await > 0 {
        let until = Instant::now() + BATCH;
        while batch.len() < BATCH_SIZE {
            match tokio::time::timeout_at(until, receiver.recv()).await {
                Ok(Some(seen)) => batch.push(seen),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = fleet.write_down(&batch).await {
            tracing::error!(error = %crate::report(&error), "what was seen could not be written down");
        }
        batch.clear();
    }
}

/// Tells the sums when they changed, at most once a second, and writes them down once in each `interval`. The first are
/// written when every host had its turn: until then there are figures of an earlier process among them.
async fn follow_totals(fleet: Fleet, interval: Duration, end: CancellationToken) {
    let mut last: Option<Totals> = None;
    let mut ticks = tokio::time::interval(TOTALS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = Instant::now() + interval;
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let status = match fleet.status().await {
            Ok(status) => status,
            Err(error) => {
                tracing::error!(error = %crate::report(&error), "the sums could not be made");
                continue;
            }
        };
        if due <= Instant::now() {
            due = (due + interval).max(Instant::now());
            if let Err(error) = fleet.write_down_totals(&status).await {
                tracing::error!(error = %crate::report(&error), "the sums could not be written down");
            }
        }
        if last.as_ref() != Some(&status.totals) {
            fleet.tell(EventKind::TotalsUpdated, &status.totals);
            last = Some(status.totals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_spread_over_the_interval() {
        let interval = Duration::from_secs(10);
        let mut first: Vec<Duration> =
            (0..1000).map(|n| spread(&Watched::Host(HostId(format!("host-{n}"))), interval)).collect();
        first.sort();
        assert!(first[0] < Duration::from_millis(200) && first[999] > Duration::from_millis(9_800));
        let gap = first.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(gap < Some(Duration::from_millis(200)), "{gap:?}");
    }
}
