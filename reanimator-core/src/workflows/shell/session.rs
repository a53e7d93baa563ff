//! One terminal of the service: what it shows is kept in a ring, from which each viewer takes at its own pace.
//!
//! The far side is read only as fast as the fastest viewer looks. A slow one loses the middle and is told so; it holds
//! nobody up. While nobody looks, the far side goes on, but not faster than [`UNSEEN_PACE`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{
    recorder::{self, Recorder},
    ring::Ring,
};
use crate::{
    Error, ErrorKind, Fleet, Result,
    fleet::TrailLine,
    model::{Terminal, TerminalEnd, TerminalSize},
    transport::{Exit, PtyKeys},
};

/// How much of what was shown is kept for who comes back.
pub(super) const SCROLLBACK: usize = 256 * 1024;

/// How far what is read may be ahead of the fastest viewer: half of what is kept, so that it loses nothing.
pub(super) const AHEAD: u64 = (SCROLLBACK / 2) as u64;

/// How many bytes a second are read while nobody looks.
const UNSEEN_PACE: f64 = 1024.0 * 1024.0;

/// How often it is looked whether a terminal was left alone for too long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a far side that was hung up may take to say how it ended.
const ENDING: Duration = Duration::from_secs(5);

/// How long a terminal stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// While nobody looks at it; and for as long one that has ended is shown in the list.
    pub unseen: Duration,
    /// While nobody types.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { unseen: Duration::from_secs(10 * 60), idle: Duration::from_secs(8 * 60 * 60) }
    }
}

/// What a viewer waits for: that more was shown, that the size is another one, or that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tide {
    pub(super) end: u64,
    pub(super) size: TerminalSize,
    pub(super) over: bool,
}

/// A terminal, shared by what serves it and all who look at it.
#[derive(Debug)]
pub(super) struct Session {
    about: Terminal,
    state: Mutex<State>,
    pub(super) tide: watch::Sender<Tide>,
    /// A viewer has seen more, or has left.
    advanced: Notify,
    close: CancellationToken,
}

#[derive(Debug)]
struct State {
    keys: Option<PtyKeys>,
    ring: Ring,
    /// What each viewer has seen: the number of the next byte.
    viewers: BTreeMap<u64, watch::Sender<u64>>,
    next_viewer: u64,
    bytes_in: u64,
    typed_at: Instant,
    left_at: Option<Instant>,
    ended: Option<TerminalEnd>,
    /// Until when it is shown though it has ended.
    shown_until: Option<Instant>,
    /// Whether it could not be recorded to its end.
    broke_off: bool,
    /// Whether its recording took all that one may before the end.
    cut: bool,
    why: Option<String>,
}

impl Session {
    pub(super) fn new(about: Terminal, keys: PtyKeys) -> Self {
        let now = Instant::now();
        let tide = Tide { end: 0, size: about.size, over: false };
        let state = State {
            keys: Some(keys),
            ring: Ring::new(SCROLLBACK),
            viewers: BTreeMap::new(),
            next_viewer: 0,
            bytes_in: 0,
            typed_at: now,
            left_at: Some(now),
            ended: None,
            shown_until: None,
            broke_off: false,
            cut: false,
            why: None,
        };
        let (state, tide) = (Mutex::new(state), watch::Sender::new(tide));
        Self { about, state, tide, advanced: Notify::new(), close: CancellationToken::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    pub(super) fn view(&self) -> Terminal {
        let state = self.state();
        Terminal {
            size: self.tide.borrow().size,
            viewers: u32::try_from(state.viewers.len()).unwrap_or(u32::MAX),
            bytes_in: state.bytes_in,
            bytes_out: state.ring.end(),
            ended: state.ended.clone(),
            ..self.about.clone()
        }
    }

    /// Asks it to end, for a reason.
    pub(super) fn end(&self, why: &str) {
        self.state().why.get_or_insert_with(|| why.to_owned());
        self.close.cancel();
    }

    /// Whether it ended, and longer ago than its [patience](Patience::unseen).
    pub(super) fn is_past(&self) -> bool {
        self.state().shown_until.is_some_and(|until| Instant::now() > until)
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.tide.borrow().over
    }

    /// A new viewer: its number, where it begins, and how much before that is lost to it. `from` is what it has seen.
    pub(super) fn enter(&self, from: Option<u64>) -> (u64, watch::Receiver<u64>, u64, u64) {
        let mut state = self.state();
        let (start, end) = (state.ring.start(), state.ring.end());
        let (at, lost) = match from {
            Some(from) if (start..=end).contains(&from) => (from, 0),
            // It has seen what is gone here, or says so: it begins anew.
            Some(from) => (state.ring.beginning(), state.ring.beginning().saturating_sub(from).max(1)),
            None => (state.ring.beginning(), state.ring.beginning()),
        };
        let number = state.next_viewer;
        state.next_viewer += 1;
        state.left_at = None;
        let (seen, seeing) = watch::channel(at);
        state.viewers.insert(number, seen);
        drop(state);
        self.advanced.notify_one();
        (number, seeing, at, lost)
    }

    pub(super) fn leave(&self, viewer: u64) {
        let mut state = self.state();
        state.viewers.remove(&viewer);
        if state.viewers.is_empty() {
            state.left_at = Some(Instant::now());
        }
        drop(state);
        self.advanced.notify_one();
    }

    /// A viewer has seen everything before number `at`.
    pub(super) fn seen(&self, viewer: u64, at: u64) {
        let state = self.state();
        let at = at.min(state.ring.end());
        if let Some(seen) = state.viewers.get(&viewer) {
            seen.send_if_modified(|seen| {
                at > *seen && {
                    *seen = at;
                    true
                }
            });
        }
        drop(state);
        self.advanced.notify_one();
    }

    /// The next piece from `at` on, or how much was lost to a viewer that fell behind and where it goes on.
    pub(super) fn piece(&self, at: u64, most: usize) -> Result<Option<Bytes>, (u64, u64)> {
        let state = self.state();
        if at < state.ring.start() {
            let goes_on = state.ring.beginning();
            return Err((goes_on - at, goes_on));
        }
        Ok(state.ring.read(at, most))
    }

    pub(super) async fn type_in(&self, bytes: Bytes) -> Result<()> {
        let keys = {
            let mut state = self.state();
            state.bytes_in += bytes.len() as u64;
            state.typed_at = Instant::now();
            state.keys.clone()
        };
        keys.ok_or_else(over)?.send(bytes).await
    }

    pub(super) async fn resize(&self, size: TerminalSize) -> Result<()> {
        let size = size.checked()?;
        if self.tide.borrow().size == size {
            return Ok(());
        }
        let keys = self.state().keys.clone().ok_or_else(over)?;
        keys.resize(size).await?;
        self.tide.send_modify(|tide| tide.size = size);
        Ok(())
    }

    /// How far what was read is ahead of the fastest viewer.
    fn lag(&self) -> u64 {
        let state = self.state();
        let fastest = state.viewers.values().map(|seen| *seen.borrow()).max();
        fastest.map_or(0, |seen| state.ring.end().saturating_sub(seen))
    }

    async fn room(&self) {
        loop {
            let advanced = self.advanced.notified();
            if self.lag() < AHEAD {
                return;
            }
            advanced.await;
        }
    }

    /// Adds what was shown; whether nobody looks.
    fn show(&self, piece: &[u8]) -> bool {
        let mut state = self.state();
        state.ring.push(piece);
        let (end, unseen) = (state.ring.end(), state.viewers.is_empty());
        drop(state);
        self.tide.send_modify(|tide| tide.end = end);
        unseen
    }

    /// Why it is to end by itself now.
    fn overdue(&self, patience: Patience) -> Option<String> {
        let state = self.state();
        if state.left_at.is_some_and(|at| at.elapsed() >= patience.unseen) {
            return Some(format!("nobody looked at it for {} min", patience.unseen.as_secs().div_ceil(60)));
        }
        (state.typed_at.elapsed() >= patience.idle)
            .then(|| format!("nobody typed for {} min", patience.idle.as_secs().div_ceil(60)))
    }

    /// Serves the terminal until it has ended, and writes the end into the audit trail. Whether it stands there.
    pub(super) async fn serve(
        self: Arc<Self>,
        fleet: Fleet,
        screen: mpsc::Receiver<Bytes>,
        exit: BoxFuture<'static, Result<Exit>>,
        recorder: Option<Recorder>,
        patience: Patience,
    ) -> bool {
        let begun = Instant::now();
        let why = self.carry(screen, recorder, patience).await;
        self.state().keys = None;
        let exit = tokio::time::timeout(ENDING, exit).await.unwrap_or_else(|_| Ok(Exit::default()));
        let (why, failed, exit) = match (why, exit) {
            (Some(why), exit) => (why, false, exit.unwrap_or_default()),
            (None, Ok(exit)) => (ending(&exit), false, exit),
            (None, Err(error)) => (crate::message(&error), true, Exit::default()),
        };
        let end = TerminalEnd { at: fleet.now(), why, failed, status: exit.status, signal: exit.signal };
        {
            let mut state = self.state();
            (state.ended, state.shown_until) = (Some(end.clone()), Some(Instant::now() + patience.unseen));
        }
        // Noted before it is told: who is told that it is over finds it in the trail.
        let line = self.line("terminal close", Some((&end, begun.elapsed())));
        let is_noted = fleet.note_end(&line, crate::access::outcome(None)).await;
        self.tide.send_modify(|tide| tide.over = true);
        is_noted
    }

    /// Carries what is shown; why it was ended from here, or none where the far side did.
    async fn carry(
        &self,
        mut screen: mpsc::Receiver<Bytes>,
        mut recorder: Option<Recorder>,
        patience: Patience,
    ) -> Option<String> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut size = self.about.size;
        let mut paced = Instant::now();
        let why = loop {
            let next = async {
                self.room().await;
                tokio::time::sleep_until(paced).await;
                screen.recv().await
            };
            tokio::select! {
                biased;
                () = self.close.cancelled() => break Some(self.state().why.clone().unwrap_or_default()),
                _ = look.tick() => {
                    if let Some(why) = self.overdue(patience) {
                        break Some(why);
                    }
                    self.record(&mut recorder, async |recorder| recorder.flush().await).await;
                }
                piece = next => {
                    let Some(piece) = piece else { break None };
                    if self.show(&piece) {
                        paced = Instant::now() + Duration::from_secs_f64(piece.len() as f64 / UNSEEN_PACE);
                    }
                    let now = self.tide.borrow().size;
                    let other = (now != size).then_some(now);
                    size = now;
                    self.record(&mut recorder, async |recorder| {
                        if let Some(size) = other {
                            recorder.resized(size).await?;
                        }
                        recorder.shown(&piece).await
                    }).await;
                }
            }
        };
        self.record(&mut recorder, async |recorder| recorder.flush().await).await;
        why
    }

    /// Writes into the recording; one that fails is given up, and the terminal goes on.
    async fn record(&self, recorder: &mut Option<Recorder>, write: impl AsyncFnOnce(&mut Recorder) -> Result<()>) {
        let Some(open) = recorder else { return };
        if let Err(error) = write(open).await {
            tracing::error!(error = %crate::report(&error), terminal = %self.about.id, "the recording breaks off");
            *recorder = None;
            self.state().broke_off = true;
        } else if open.is_full() {
            self.state().cut = true;
        }
    }

    /// A line of the audit trail about it.
    pub(super) fn line(&self, what: &str, end: Option<(&TerminalEnd, Duration)>) -> TrailLine {
        let mut line = line_of(&self.about, what);
        let on = &mut line.on;
        let (broke_off, cut) = {
            let state = self.state();
            (state.broke_off, state.cut)
        };
        if cut {
            on.push_str(&format!(", recording cut at {} MiB", recorder::LARGEST / 1024 / 1024));
        }
        if broke_off {
            on.push_str(", recording broke off");
        }
        if let Some((end, took)) = end {
            let view = self.view();
            let (typed, shown) = (view.bytes_in, view.bytes_out);
            on.push_str(&format!(": {} after {} s, {typed} bytes typed, {shown} bytes shown", end.why, took.as_secs()));
        }
        line
    }
}

fn line_of(terminal: &Terminal, what: &str) -> TrailLine {
    let Terminal { id, name, machine, way, who, from, .. } = terminal;
    let recorded = if terminal.recorded { ", recorded" } else { "" };
    let on = format!("{name} ({machine}, {}), terminal {id}{recorded}", way.as_str());
    TrailLine { who: who.clone(), from: from.clone(), what: what.to_owned(), on }
}

/// The last line of the audit trail about a terminal whose process has died.
pub(super) fn interrupted(terminal: &Terminal) -> TrailLine {
    let mut line = line_of(terminal, "terminal close");
    line.on.push_str(": the process that served it has died");
    line
}

/// `exit status 2`, `ended by SIGKILL`.
fn ending(exit: &Exit) -> String {
    match (&exit.signal, exit.status) {
        (Some(signal), _) => format!("ended by SIG{signal}"),
        (None, Some(status)) => format!("exit status {status}"),
        (None, None) => "the far side closed it".to_owned(),
    }
}

fn over() -> Error {
    Error::new(ErrorKind::Conflict, "use the terminal").because("it has ended").next("open another one")
}

impl From<crate::fleet::TerminalSettings> for Patience {
    fn from(settings: crate::fleet::TerminalSettings) -> Self {
        Self { unseen: settings.unseen(), idle: settings.idle() }
    }
}
