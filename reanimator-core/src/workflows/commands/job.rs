//! One run from its turn to its end.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, channel::mpsc::UnboundedSender, stream::BoxStream};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Commands, LEASE, live::Live, lock, turns::Turn};
use crate::{
    fleet::ExecAnswer,
    model::{CommandRun, CommandState, EventKind},
};

/// How often what came is written down and told.
const WRITE_EVERY: Duration = Duration::from_millis(400);
/// How often it is looked whether another process wishes it to be stopped, and said that it goes on.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// How long it is waited before an end that could not be written down is tried again.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];

/// Carries a run out.
pub(super) async fn run(
    commands: Commands,
    live: Arc<Live>,
    turn: Turn,
    answers: BoxStream<'static, ExecAnswer>,
    follower: Option<UnboundedSender<ExecAnswer>>,
) {
    let mut writing = Writing { commands: &commands, live: &live, told: 0, kept_at: Instant::now() };
    let ended = writing.carry_out(&turn, answers, follower).await;
    let now = commands.inner.fleet.now();
    live.becomes(ended, Some(now));
    writing.write_end().await;
    drop(turn);
    let run = live.run();
    lock(&commands.inner.live).remove(&run.id);
    commands.inner.fleet.tell(EventKind::CommandEnded, &run.news());
    live.over.cancel();
    tracing::debug!(run = %run.id, state = %run.state, "a command is over");
    if let Err(error) = commands.tidy().await {
        tracing::error!(error = %crate::report(&error), "old runs of commands could not be deleted");
    }
}

struct Writing<'a> {
    commands: &'a Commands,
    live: &'a Live,
    /// What was told last.
    told: u64,
    /// When it was said last that it goes on.
    kept_at: Instant,
}

impl Writing<'_> {
    /// How it ended. Dropping the answers ends what still runs on the hosts.
    async fn carry_out(
        &mut self,
        turn: &Turn,
        mut answers: BoxStream<'static, ExecAnswer>,
        mut follower: Option<UnboundedSender<ExecAnswer>>,
    ) -> CommandState {
        let mut ticks = interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_its_turn, ends) = (turn.is_now(), self.commands.inner.ends.clone());
        loop {
            tokio::select! {
                () = self.live.stop.cancelled() => return CommandState::Stopped,
                () = ends.cancelled() => return CommandState::Interrupted,
                () = turn.come(), if !is_its_turn => {
                    is_its_turn = true;
                    self.live.becomes(CommandState::Running, None);
                }
                answer = answers.next(), if is_its_turn => match answer {
                    Some(answer) => {
                        self.live.answered(&answer);
                        if follower.as_ref().is_some_and(|follower| follower.unbounded_send(answer).is_err()) {
                            // Nobody reads along any more; it goes on all the same.
                            follower = None;
                        }
                    }
                    None => return CommandState::Done,
                },
                _ = ticks.tick() => {
                    self.write().await;
                    self.keep().await;
                }
            }
        }
    }

    /// Writes down and tells what came since the last time.
    async fn write(&mut self) {
        if !self.live.is_newer_than(self.told) {
            return;
        }
        let fleet = &self.commands.inner.fleet;
        let news = self.live.news();
        match fleet.store().write_command(&news.run, &self.commands.inner.owner, &news.answers).await {
            Ok(_) => self.told = news.version,
            Err(error) => {
                self.live.not_written(&news);
                tracing::error!(error = %crate::report(&error), run = %news.run.id, "a command's answers are not kept");
            }
        }
        if !news.run.state.is_over() {
            fleet.tell(EventKind::CommandUpdated, &news.run.news());
        }
    }

    /// Writes down what came at last. Nothing comes after it that would take along what could not be written.
    async fn write_end(&mut self) {
        self.write().await;
        for pause in AGAIN {
            if !self.live.is_newer_than(self.told) {
                return;
            }
            tokio::time::sleep(pause).await;
            self.write().await;
        }
    }

    /// Says that it goes on, and hears whether it is to be stopped.
    async fn keep(&mut self) {
        if self.kept_at.elapsed() < KEEP_EVERY {
            return;
        }
        self.kept_at = Instant::now();
        let CommandRun { id, .. } = self.live.run();
        let (fleet, owner) = (&self.commands.inner.fleet, &self.commands.inner.owner);
        match fleet.store().keep_command(&id, owner, fleet.now() + LEASE).await {
            Ok(true) => self.live.stop.cancel(),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = %crate::report(&error), run = %id, "a command's lease is not renewed"),
        }
    }
}
