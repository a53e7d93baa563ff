//! Terminals for people: opened on a host or a guest, looked at by one or several, kept for a while when nobody looks.
//!
//! [`Terminals`] belongs to the process that serves them: the service has one for all its people, a command line one for
//! itself. A terminal that is opened, looked at and ended stands in the audit trail each time, with who, from where, and at
//! the end how long it was and how many bytes went each way. What is shown may be recorded; what is typed never is.
//!
//! - At most [`MOST`] are open at once, and each keeps [256 KiB](session) of what was shown.
//! - Who comes back within ten minutes sees what was missed; after that, or when nobody has typed for eight hours, it ends.
//! - It ends with the process that serves it: the far side is hung up. Where that was killed, [`Terminals::tidy`] of another
//!   one notes the end.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, fleet::By, model::NewTerminal, workflows::shell::{Seen, Terminals}};
//! # async fn example() -> reanimator_core::Result<()> {
//! let fleet = Fleet::open(FleetOptions::new("/tmp/fleet")).await?;
//! let machine = fleet.machine_called("web1").await?;
//! let terminals = Terminals::new(fleet);
//! let by = By { who: "ada".into(), from: "192.0.2.7".into() };
//! let terminal = terminals.open(NewTerminal::new(machine), &by).await?;
//! let mut viewer = terminals.attach(&terminal.id, None, false, &by).await?;
//! viewer.hands().type_in("uptime; exit\n").await?;
//! while let Some(seen) = viewer.next().await {
//!     if let Seen::Bytes { bytes, .. } = seen {
//!         print!("{}", String::from_utf8_lossy(&bytes));
//!     }
//! }
//! # Ok(()) }
//! ```

mod mark;
mod recorder;
mod ring;
mod session;
#[cfg(test)]
mod tests;
mod viewer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use session::Patience;
pub use viewer::{Hands, Seen, Viewer};

use self::{mark::Mark, recorder::Recorder, session::Session};
use crate::{
    Error, ErrorKind, Fleet, Result, access,
    fleet::{By, OpenPty, STARTED},
    model::{NewTerminal, Terminal, TerminalId},
};

/// As many terminals as are open at once.
pub const MOST: usize = 64;

/// As many as look at one terminal at once.
pub const MOST_VIEWERS: u32 = 32;

/// How long all may take to end when the service stops.
const STOPPING: Duration = Duration::from_secs(6);

/// How often it is looked for terminals whose process has died.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What stands in the trail as what came of a terminal whose process has died.
const INTERRUPTED: &str = "interrupted";

/// The open terminals of this process. Cloning is cheap: all clones are the same ones.
#[derive(Clone, Debug)]
pub struct Terminals {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    fleet: Fleet,
    sessions: Mutex<BTreeMap<TerminalId, Arc<Session>>>,
    places: Arc<Semaphore>,
    patience: Option<Patience>,
    tasks: TaskTracker,
}

impl Terminals {
    /// None yet, on the machines of a fleet. How long they stay is in the fleet's settings.
    pub fn new(fleet: Fleet) -> Self {
        Self::build(fleet, None)
    }

    /// The same with another patience than the settings say.
    pub fn with_patience(fleet: Fleet, patience: Patience) -> Self {
        Self::build(fleet, Some(patience))
    }

    fn build(fleet: Fleet, patience: Option<Patience>) -> Self {
        let places = Arc::new(Semaphore::new(MOST));
        let (sessions, tasks) = (Mutex::default(), TaskTracker::new());
        Self { inner: Arc::new(Inner { fleet, sessions, places, patience, tasks }) }
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<TerminalId, Arc<Session>>> {
        self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self, id: &TerminalId) -> Result<Arc<Session>> {
        self.sessions().get(id).cloned().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find the terminal {id}"))
                .because("there is none of that id, or it ended a while ago")
                .next("open another one")
        })
    }

    /// Opens a terminal. It stays open while nobody looks at it for as long as the settings say.
    ///
    /// # Errors
    /// `NotFound` for a machine that is not in the fleet, `Busy` when as many as may be are open, what keeps the machine
    /// from giving one (each of these is in the audit trail too), and `Storage` when it cannot be noted or recorded: then
    /// it is closed again.
    pub async fn open(&self, new: NewTerminal, by: &By) -> Result<Terminal> {
        let line = |on: String| by.line("terminal open", on);
        match self.opened(&new, by).await {
            Ok(terminal) => Ok(terminal),
            Err(error) => {
                self.inner.fleet.note(&line(new.machine.to_string()), access::outcome(Some(&error))).await?;
                Err(error)
            }
        }
    }

    async fn opened(&self, new: &NewTerminal, by: &By) -> Result<Terminal> {
        let Inner { fleet, places, tasks, .. } = &*self.inner;
        let size = new.size().checked()?;
        let place = places.clone().try_acquire_owned().map_err(|_| {
            Error::new(ErrorKind::Busy, "open a terminal")
                .because(format!("{MOST} are open, and that is as many as there may be"))
                .next("close one")
        })?;
        let settings = fleet.terminal_settings().await?;
        let OpenPty { pty, name, way } = fleet.open_pty(&new.machine, size).await?;
        let about = Terminal {
            id: TerminalId::generate(),
            machine: new.machine.clone(),
            name,
            way,
            who: by.who.clone(),
            from: by.from.clone(),
            opened_at: fleet.now(),
            size,
            viewers: 0,
            recorded: new.record.unwrap_or(settings.record),
            bytes_in: 0,
            bytes_out: 0,
            ended: None,
        };
        let recorder = match about.recorded {
            true => Some(Recorder::begin(&fleet.new_recording(&about.id).await?, &about).await?),
            false => None,
        };
        let session = Arc::new(Session::new(about, pty.keys));
        let view = session.view();
        let mark = Mark::make(fleet.data_dir(), &view).await?;
        if let Err(error) = fleet.note(&session.line("terminal open", None), STARTED).await {
            mark.remove().await;
            return Err(error);
        }
        self.forget_past();
        self.sessions().insert(view.id.clone(), session.clone());
        let patience = self.inner.patience.unwrap_or_else(|| settings.into());
        let serving = session.serve(fleet.clone(), pty.screen, pty.exit, recorder, patience);
        tasks.spawn(async move {
            // What could not be noted is noted by the next one that looks for it.
            if serving.await {
                mark.remove().await;
            }
            drop(place);
        });
        Ok(view)
    }

    /// Notes in the audit trail the ends of those terminals whose process has died before it could.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn tidy(&self) -> Result<()> {
        let fleet = &self.inner.fleet;
        for (mark, terminal) in mark::left_behind(fleet.data_dir()).await? {
            fleet.note(&session::interrupted(&terminal), INTERRUPTED).await?;
            mark.remove().await;
        }
        Ok(())
    }

    /// Does that now, and now and then until `stop`.
    pub async fn look_after(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.tidy().await {
                tracing::error!(error = %crate::report(&error), "terminals could not be looked after");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// All that are open, and those that ended a while ago, by the time they were opened.
    pub fn list(&self) -> Vec<Terminal> {
        self.forget_past();
        self.sessions().values().map(|session| session.view()).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, id: &TerminalId) -> Result<Terminal> {
        Ok(self.session(id)?.view())
    }

    /// Looks at a terminal, from the byte behind `from` on, or from as far back as is kept. Who `says` what was seen (see
    /// [`Hands::seen`]) is given only so much that was not; who does not has seen what it was given.
    ///
    /// # Errors
    /// `NotFound`, `Busy` when too many look at it already, and `Storage` when it cannot be noted: then it is not done.
    pub async fn attach(&self, id: &TerminalId, from: Option<u64>, says: bool, by: &By) -> Result<Viewer> {
        let session = self.session(id)?;
        let view = session.view();
        if view.viewers >= MOST_VIEWERS {
            return Err(Error::new(ErrorKind::Busy, format!("look at the terminal {id}"))
                .because(format!("{MOST_VIEWERS} look at it already"))
                .next("close a page that shows it"));
        }
        let on = format!("{} ({}), terminal {id}", view.name, view.machine);
        self.inner.fleet.note(&by.line("terminal attach", on), access::outcome(None)).await?;
        Ok(Viewer::enter(session, from, says))
    }

    /// Closes a terminal, and waits until it has ended. One that has ended already is forgotten.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn close(&self, id: &TerminalId, by: &By) -> Result<()> {
        let session = self.session(id)?;
        if session.is_over() {
            self.sessions().remove(id);
            return Ok(());
        }
        let mut tide = session.tide.subscribe();
        session.end(&format!("closed by {}", by.who));
        // It lives as long as the session, which is held here.
        let _over = tide.wait_for(|tide| tide.over).await;
        Ok(())
    }

    /// Closes all, and waits a while until they have ended: before the process that serves them does.
    pub async fn stop(&self) {
        self.inner.places.close();
        self.sessions().values().for_each(|session| session.end("the service stopped"));
        self.inner.tasks.close();
        if tokio::time::timeout(STOPPING, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.inner.tasks.len(), "terminals did not end in time");
        }
    }

    fn forget_past(&self) {
        self.sessions().retain(|_, session| !session.is_past());
        let mut sessions = self.sessions();
        let over: Vec<TerminalId> =
            sessions.iter().filter(|(_, session)| session.is_over()).map(|(id, _)| id.clone()).collect();
        for id in over.iter().take(over.len().saturating_sub(MOST)) {
            sessions.remove(id);
        }
    }
}
