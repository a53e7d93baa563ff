//! Commands on many hosts as jobs: begun by somebody, carried out whether or not anybody watches, kept for whoever comes back.
//!
//! [`Commands`] is the door. A run that is started gets its id at once; its answers come while it runs, go into the store
//! some times a second, and are shown as [`CommandView`]s: equal ones together, the odd ones with their difference. At most
//! [`AT_ONCE`] run at once in one process, and whoever has fewest running is next. Stopping one ends the command on the hosts.
//! A run whose process died is `interrupted`, with what had arrived.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, fleet::By, model::NewCommand, workflows::commands::Commands};
//! # async fn example() -> Result<(), reanimator_core::Error> {
//! let commands = Commands::new(Fleet::open(FleetOptions::new("/tmp/fleet")).await?);
//! let new = NewCommand { command: "uname -r".into(), on: "all".into(), ..NewCommand::default() };
//! let run = commands.start(new, &By::local()).await?;
//! commands.wait(&run.id).await?;
//! for group in &commands.view(&run.id).await?.groups {
//!     println!("{} hosts said {}", group.hosts.len(), group.stdout);
//! }
//! # Ok(()) }
//! ```

mod job;
mod live;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
mod turns;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, channel::mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{live::Live, turns::Turns};
use crate::{
    Error, ErrorKind, Result, access,
    fleet::{By, ExecAnswer, ExecListener, ExecRequest, Fleet},
    model::{
        AnswerState, CommandAnswer, CommandId, CommandRun, CommandState, CommandView, EventKind, HostId, NewCommand,
    },
    operation::owner,
    store::{KeptCommands, OpenCommand},
};

pub use turns::{AT_ONCE, MOST_WAITING};

/// As much output of one run as is held, over all hosts and streams.
const OUTPUT_IN_ALL: u64 = 64 * 1024 * 1024;
/// The least that each stream of a host may write all the same.
const OUTPUT_AT_LEAST: u64 = 4 * 1024;

/// How long a run is believed to go on whose process is not heard of.
const LEASE: Duration = Duration::from_secs(60);

/// How often it is looked for runs whose process has died, and for old ones.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Runs that are kept: so many, for so long, with so much output.
const KEEP_RUNS: u32 = 500;
const KEEP_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
const KEEP_BYTES: u64 = 256 * 1024 * 1024;

/// Views of runs that are over, kept for those who look at them again.
const VIEWS: usize = 8;

/// Commands on many hosts of a fleet. Cloning it is cheap: all clones are one.
#[derive(Clone, Debug)]
pub struct Commands {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    fleet: Fleet,
    /// Who this process is, for others that read the store.
    owner: String,
    turns: Turns,
    live: Mutex<BTreeMap<CommandId, Arc<Live>>>,
    views: Mutex<VecDeque<Arc<CommandView>>>,
    jobs: TaskTracker,
    /// Cancelled when this process ends.
    ends: CancellationToken,
}

impl Commands {
    /// The commands of a fleet, carried out by this process.
    pub fn new(fleet: Fleet) -> Self {
        let inner = Inner {
            fleet,
            owner: owner::this_process(),
            turns: Turns::default(),
            live: Mutex::default(),
            views: Mutex::default(),
            jobs: TaskTracker::new(),
            ends: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a command, or lets it wait for its turn; it goes on by itself. A line stands in the audit trail at the beginning,
    /// and at the end with what came of it.
    ///
    /// # Errors
    /// `Invalid` for what could not be run, `NotFound` for a name that is no host, `Busy` where too many wait already,
    /// `Storage`.
    pub async fn start(&self, new: NewCommand, by: &By) -> Result<CommandRun> {
        self.begin(new, by, None).await
    }

    /// The same, with every answer as it comes, whole up to `output` bytes of each stream, whatever of it is kept. Nobody need
    /// read them.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn follow(
        &self,
        new: NewCommand,
        output: usize,
        by: &By,
    ) -> Result<(CommandRun, impl Stream<Item = ExecAnswer> + Send + Unpin + use<>)> {
        let (tell, answers) = mpsc::unbounded();
        Ok((self.begin(new, by, Some((output, tell))).await?, answers))
    }

    async fn begin(
        &self,
        new: NewCommand,
        by: &By,
        follower: Option<(usize, mpsc::UnboundedSender<ExecAnswer>)>,
    ) -> Result<CommandRun> {
        let Inner { fleet, owner, .. } = self.inner.as_ref();
        let line = by.exec(&new.on, &new.command);
        let turn = async {
            new.check()?;
            self.inner.turns.take(&line.who)
        };
        let turn = match turn.await {
            Ok(turn) => turn,
            Err(error) => {
                fleet.note(&line, access::outcome(Some(&error))).await?;
                return Err(error);
            }
        };
        let mut request = request(&new)?;
        // A selector that means nothing is refused below, and noted there.
        let hosts = fleet.select(&request.on).await.unwrap_or_default();
        let run = run_of(&new, by, hosts.len(), turn.is_now(), fleet.now());
        let answers: Vec<CommandAnswer> =
            hosts.into_iter().map(|host| CommandAnswer::waiting(host.id, host.name)).collect();
        let live = Arc::new(Live::new(run.clone(), &answers));
        request.listener = Some(ExecListener::new(live.clone()));
        let (output, follower) = follower.unzip();
        request.output_limit = output.unwrap_or(usize::try_from(run.output_limit_bytes).unwrap_or(usize::MAX));
        // Nothing is begun before the first of them is asked for.
        let exec = fleet.exec_audited(request, by).await?;
        let open = OpenCommand { run: run.clone(), owner: owner.clone(), owned_until: fleet.now() + LEASE };
        fleet.store().add_command(&open, &answers).await?;
        lock(&self.inner.live).insert(run.id.clone(), live.clone());
        fleet.tell(EventKind::CommandStarted, &run.news());
        self.inner.jobs.spawn(job::run(self.clone(), live, turn, exec, follower));
        Ok(run)
    }

    /// Runs before one, the newest first; at most 1,000.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, before: Option<&CommandId>, limit: u32) -> Result<Vec<CommandRun>> {
        let mut runs = self.inner.fleet.store().commands(before, limit).await?;
        let live = lock(&self.inner.live);
        for run in &mut runs {
            if let Some(live) = live.get(&run.id) {
                *run = live.run();
            }
        }
        Ok(runs)
    }

    /// One run, without its answers.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &CommandId) -> Result<CommandRun> {
        match self.live(id) {
            Some(live) => Ok(live.run()),
            None => self.inner.fleet.store().command(id).await?.ok_or_else(|| missing(id)),
        }
    }

    /// A run with its answers so far, equal ones together. Cheap to ask for again and again: while nothing new came, it is
    /// the one of before.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn view(&self, id: &CommandId) -> Result<Arc<CommandView>> {
        if let Some(live) = self.live(id) {
            return live.view().await;
        }
        if let Some(view) = lock(&self.inner.views).iter().find(|view| view.run.id == *id) {
            return Ok(view.clone());
        }
        let run = self.get(id).await?;
        let is_over = run.state.is_over();
        let answers = self.inner.fleet.store().command_answers(id).await?;
        let view = live::view_of(run, answers).await?;
        if is_over {
            let mut views = lock(&self.inner.views);
            views.push_front(view.clone());
            views.truncate(VIEWS);
        }
        Ok(view)
    }

    /// What one host has answered so far, whole.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn answer(&self, id: &CommandId, host: &HostId) -> Result<CommandAnswer> {
        let answer = match self.live(id) {
            Some(live) => live.answer(host),
            None => {
                self.get(id).await?;
                self.inner.fleet.store().command_answer(id, host).await?
            }
        };
        answer.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find the answer of \"{host}\""))
                .because("the command was not run there")
                .next("see which hosts it was run on")
        })
    }

    /// Stops a run: what still runs on the hosts is ended there. One that another process carries out stops within a second
    /// or two. Noted in the audit trail.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` where it is over, `Storage`.
    pub async fn stop(&self, id: &CommandId, by: &By) -> Result<CommandRun> {
        let stopped = async {
            let run = self.get(id).await?;
            let wished = self.inner.fleet.store().wish_command_stopped(id).await?;
            if let Some(live) = self.live(id) {
                live.stop.cancel();
                live.over.cancelled().await;
                return self.get(id).await;
            }
            match wished {
                true => Ok(run),
                false => Err(Error::new(ErrorKind::Conflict, "stop the command")
                    .on(id.as_str())
                    .because(format!("it is over: {}", run.state))
                    .next("run it again where you want to")),
            }
        };
        let stopped = stopped.await;
        let line = by.line("exec stop", id.as_str());
        self.inner.fleet.note(&line, access::outcome(stopped.as_ref().err())).await?;
        stopped
    }

    /// Waits until a run that this process carries out is over, and gives it as it is then; another one as it is now.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn wait(&self, id: &CommandId) -> Result<CommandRun> {
        if let Some(live) = self.live(id) {
            live.over.cancelled().await;
        }
        self.get(id).await
    }

    /// Looks after the runs until `stop`: says of those whose process has died that they were interrupted, and lets go of
    /// old ones. Then ends what this process carries out, which is interrupted by that.
    pub async fn look_after(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.tidy().await {
                tracing::error!(error = %crate::report(&error), "runs of commands could not be looked after");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        self.close().await;
    }

    /// Ends what this process carries out.
    pub async fn close(&self) {
        self.inner.ends.cancel();
        self.inner.jobs.close();
        self.inner.jobs.wait().await;
    }

    /// What [`look_after`](Self::look_after) does now and then.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn tidy(&self) -> Result<()> {
        let fleet = &self.inner.fleet;
        let now = fleet.now();
        for open in fleet.store().open_commands().await? {
            let ours = open.owner == self.inner.owner;
            let died = if ours { self.live(&open.run.id).is_none() } else { owner::is_gone(&open.owner) };
            if died || open.owned_until < now {
                self.interrupted(open).await?;
            }
        }
        let kept = KeptCommands { since: now - KEEP_FOR, runs: KEEP_RUNS, bytes: KEEP_BYTES };
        fleet.store().prune_commands(&kept).await.map(drop)
    }

    /// Says of a run whose process has died that it was interrupted, here and in the audit trail.
    async fn interrupted(&self, open: OpenCommand) -> Result<()> {
        let OpenCommand { run, owner, .. } = open;
        let fleet = &self.inner.fleet;
        let run = CommandRun { state: CommandState::Interrupted, ended_at: Some(fleet.now()), ..run };
        let left = fleet.store().command_answers(&run.id).await?.into_iter();
        let left: Vec<CommandAnswer> = left
            .filter(|answer| answer.state == AnswerState::Running)
            .map(|answer| answer.left_by(run.state))
            .collect();
        if fleet.store().write_command(&run, &owner, &left).await? {
            let by = By { who: run.requested_by.clone(), from: run.requested_from.clone() };
            let line = by.exec(&run.on, &run.command);
            let answers = run.ok + run.failed;
            fleet.note_end(&line, &format!("interrupted after {answers} answers")).await;
            fleet.tell(EventKind::CommandEnded, &run.news());
        }
        Ok(())
    }

    fn live(&self, id: &CommandId) -> Option<Arc<Live>> {
        lock(&self.inner.live).get(id).cloned()
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(id: &CommandId) -> Error {
    Error::new(ErrorKind::NotFound, format!("find the run \"{id}\""))
        .because("there is none of that id, or it is too long ago")
        .next("see `reanimator exec --history`")
}

fn request(new: &NewCommand) -> Result<ExecRequest> {
    let mut request = ExecRequest::new(&new.command, new.on.parse()?);
    request.sudo = new.sudo;
    if let Some(seconds) = new.time_limit_seconds {
        request.time_limit = Duration::from_secs(seconds);
    }
    if let Some(parallel) = new.parallel {
        request.parallel = usize::from(parallel);
    }
    Ok(request)
}

fn run_of(new: &NewCommand, by: &By, hosts: usize, now: bool, at: jiff::Timestamp) -> CommandRun {
    let share = OUTPUT_IN_ALL / 2 / (hosts as u64).max(1);
    let asked = new.output_limit_bytes.unwrap_or(crate::transport::command::DEFAULT_OUTPUT_LIMIT as u64);
    CommandRun {
        id: CommandId::generate(),
        command: new.command.clone(),
        on: new.on.clone(),
        sudo: new.sudo,
        time_limit_seconds: new.time_limit_seconds.unwrap_or(crate::transport::command::DEFAULT_TIME_LIMIT.as_secs()),
        output_limit_bytes: asked.min(share.max(OUTPUT_AT_LEAST)),
        requested_by: by.who.clone(),
        requested_from: by.from.clone(),
        requested_at: at,
        ended_at: None,
        state: if now { CommandState::Running } else { CommandState::Waiting },
        hosts: u32::try_from(hosts).unwrap_or(u32::MAX),
        ok: 0,
        failed: 0,
    }
}

/// Whether an answer is worth nothing more: nothing comes any more.
fn is_over(answer: &CommandAnswer) -> bool {
    answer.state == AnswerState::Over
}
