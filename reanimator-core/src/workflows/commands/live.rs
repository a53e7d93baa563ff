//! A run while it goes on: what has come so far, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::take,
    sync::{Arc, Mutex},
};

use tokio_util::sync::CancellationToken;

use super::{is_over, lock};
use crate::{
    Error, ErrorKind, Result,
    fleet::{ExecAnswer, Listen},
    model::{AnswerState, CommandAnswer, CommandRun, CommandState, CommandTrouble, CommandView, HostId, OutputStream},
    transport::Captured,
};

/// As much of what a host has written so far as is written down before it is over: what is written down is written anew
/// each time.
const KEPT_SO_FAR: usize = 64 * 1024;

/// A run that goes on.
#[derive(Debug)]
pub(super) struct Live {
    state: Mutex<State>,
    /// Cancelled when it is to be stopped.
    pub(super) stop: CancellationToken,
    /// Cancelled when it is over and written down.
    pub(super) over: CancellationToken,
}

#[derive(Debug)]
struct State {
    run: CommandRun,
    answers: BTreeMap<HostId, CommandAnswer>,
    /// Grows with everything that comes.
    version: u64,
    /// What was not written down yet.
    changed: BTreeSet<HostId>,
    /// The last view, and of which version it is.
    view: Option<(u64, Arc<CommandView>)>,
}

/// What is to be written down.
#[derive(Debug)]
pub(super) struct News {
    pub(super) run: CommandRun,
    pub(super) answers: Vec<CommandAnswer>,
    pub(super) version: u64,
}

impl Live {
    pub(super) fn new(run: CommandRun, answers: &[CommandAnswer]) -> Self {
        let answers = answers.iter().map(|answer| (answer.host_id.clone(), answer.clone())).collect();
        let state = State { run, answers, version: 1, changed: BTreeSet::new(), view: None };
        Self { state: state.into(), stop: CancellationToken::new(), over: CancellationToken::new() }
    }

    pub(super) fn run(&self) -> CommandRun {
        lock(&self.state).run.clone()
    }

    pub(super) fn answer(&self, host: &HostId) -> Option<CommandAnswer> {
        lock(&self.state).answers.get(host).cloned()
    }

    /// The view of what has come; the last one where nothing has come since.
    pub(super) async fn view(&self) -> Result<Arc<CommandView>> {
        let (version, run, answers) = {
            let state = lock(&self.state);
            if let Some((version, view)) = &state.view
                && *version == state.version
            {
                return Ok(view.clone());
            }
            (state.version, state.run.clone(), state.answers.values().cloned().collect())
        };
        let view = view_of(run, answers).await?;
        lock(&self.state).view = Some((version, view.clone()));
        Ok(view)
    }

    /// Takes in what a host has answered.
    pub(super) fn answered(&self, answer: &ExecAnswer) {
        let mut state = lock(&self.state);
        let limit = state.run.output_limit_bytes;
        let before = state.answers.remove(&answer.host_id);
        let before = before.unwrap_or_else(|| CommandAnswer::waiting(answer.host_id.clone(), answer.host.as_str()));
        let now = with_outcome(before, answer, limit);
        *if now.is_success() { &mut state.run.ok } else { &mut state.run.failed } += 1;
        state.hears(&answer.host_id);
        state.answers.insert(answer.host_id.clone(), now);
    }

    /// It is in this state from now on.
    pub(super) fn becomes(&self, new: CommandState, ended_at: Option<jiff::Timestamp>) {
        let mut state = lock(&self.state);
        state.version += 1;
        (state.run.state, state.run.ended_at) = (new, ended_at);
        if !new.is_over() {
            return;
        }
        let running = |answer: &&CommandAnswer| answer.state == AnswerState::Running;
        let left: Vec<CommandAnswer> = state.answers.values().filter(running).cloned().collect();
        for answer in left {
            let host = answer.host_id.clone();
            state.hears(&host);
            state.answers.insert(host, answer.left_by(new));
        }
    }

    /// What has come since the last time; of what goes on, the first part only.
    pub(super) fn news(&self) -> News {
        let mut state = lock(&self.state);
        let changed = take(&mut state.changed);
        let kept = |host: &HostId| {
            let answer = state.answers.get(host)?;
            Some(if is_over(answer) { answer.clone() } else { so_far(answer) })
        };
        let answers = changed.iter().filter_map(kept).collect();
        News { run: state.run.clone(), answers, version: state.version }
    }

    /// Whether anything came after a version.
    pub(super) fn is_newer_than(&self, version: u64) -> bool {
        lock(&self.state).version > version
    }

    /// What could not be written down is to be written down again.
    pub(super) fn not_written(&self, news: &News) {
        lock(&self.state).changed.extend(news.answers.iter().map(|answer| answer.host_id.clone()));
    }
}

impl State {
    fn hears(&mut self, host: &HostId) {
        self.version += 1;
        self.changed.insert(host.clone());
    }
}

impl Listen for Live {
    fn begun(&self, host: &HostId) {
        let mut state = lock(&self.state);
        if let Some(answer) = state.answers.get_mut(host) {
            answer.state = AnswerState::Running;
            state.hears(host);
        }
    }

    fn said(&self, host: &HostId, stream: OutputStream, piece: &[u8]) {
        let mut state = lock(&self.state);
        let limit = state.run.output_limit_bytes;
        let Some(answer) = state.answers.get_mut(host).filter(|answer| !is_over(answer)) else { return };
        let (bytes, cut_at) = match stream {
            OutputStream::Stdout => (&mut answer.stdout, &mut answer.stdout_cut_at),
            OutputStream::Stderr => (&mut answer.stderr, &mut answer.stderr_cut_at),
        };
        let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(bytes.len());
        let is_news = room > 0 && bytes.len() < KEPT_SO_FAR;
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            *cut_at = Some(limit);
        }
        match is_news {
            true => state.hears(host),
            // More than is written down before it is over.
            false => state.version += u64::from(room > 0),
        }
    }
}

/// The view, made where it holds nobody up.
pub(super) async fn view_of(run: CommandRun, answers: Vec<CommandAnswer>) -> Result<Arc<CommandView>> {
    let made = tokio::task::spawn_blocking(move || Arc::new(CommandView::of(run, &answers))).await;
    made.map_err(|error| Error::new(ErrorKind::Internal, "put equal answers together").from_source(error))
}

/// An answer that is over: what it said in the end, or what it had said by then with why it did not end well.
fn with_outcome(before: CommandAnswer, answer: &ExecAnswer, limit: u64) -> CommandAnswer {
    let milliseconds = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
    let over = CommandAnswer { state: AnswerState::Over, milliseconds, host: answer.host.clone(), ..before };
    match &answer.outcome {
        Ok(output) => {
            let (stdout, stdout_cut_at) = kept(&output.stdout, limit);
            let (stderr, stderr_cut_at) = kept(&output.stderr, limit);
            let (status, signal) = (output.status, output.signal.clone());
            CommandAnswer { status, signal, stdout, stderr, stdout_cut_at, stderr_cut_at, ..over }
        }
        Err(error) => CommandAnswer { error: Some(CommandTrouble::from(error)), ..over },
    }
}

fn kept(captured: &Captured, limit: u64) -> (Vec<u8>, Option<u64>) {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let bytes = captured.bytes[..captured.bytes.len().min(most)].to_vec();
    let cut_at = if bytes.len() < captured.bytes.len() { Some(limit) } else { captured.cut_at.map(|at| at as u64) };
    (bytes, cut_at)
}

fn so_far(answer: &CommandAnswer) -> CommandAnswer {
    let head = |bytes: &[u8]| bytes[..bytes.len().min(KEPT_SO_FAR)].to_vec();
    CommandAnswer { stdout: head(&answer.stdout), stderr: head(&answer.stderr), ..answer.without_output() }
}
