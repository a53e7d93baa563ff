//! What every command gets: the screen, and the fleet of the chosen data directory.

use std::{
    future::Future,
    io::{IsTerminal, Write},
    path::PathBuf,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use reanimator_core::{
    Error, Fleet, FleetOptions,
    access::{self, Principal},
};
use tokio::sync::OnceCell;
use tracing_subscriber::EnvFilter;

use crate::{
    arguments::Globals,
    failure::Failure,
    screen::{Paint, Screen},
};

/// One run of the program.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where answers go.
    pub(crate) screen: Screen,
    data_dir: Option<PathBuf>,
    verbose: u8,
    fleet: OnceCell<Fleet>,
}

impl Context {
    /// From what every command takes.
    pub(crate) fn new(globals: &Globals) -> Self {
        Self {
            screen: Screen::new(globals.json),
            data_dir: globals.data_dir.clone(),
            verbose: globals.verbose,
            fleet: OnceCell::new(),
        }
    }

    /// Lets the log speak on stderr: `usual` and worse, more with `-v`, or what `REANIMATOR_LOG` says.
    pub(crate) fn log(&self, usual: &str) {
        let wanted = match self.verbose {
            0 => usual,
            1 => "info,reanimator_core=debug,reanimator_server=debug",
            _ => "debug,reanimator_core=trace,reanimator_server=trace",
        };
        let filter = EnvFilter::try_from_env("REANIMATOR_LOG").unwrap_or_else(|_| EnvFilter::new(wanted));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(Paint::for_stderr().is_on())
            .with_writer(std::io::stderr)
            .init();
    }

    /// Where the fleet is kept.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Error> {
        self.data_dir.clone().map_or_else(FleetOptions::default_data_dir, Ok)
    }

    /// The fleet, opened when it is first asked for.
    pub(crate) async fn fleet(&self) -> Result<Fleet, Error> {
        self.open(true).await
    }

    /// The same, where a new one is to be filled with what was elsewhere: this machine is not added to it.
    pub(crate) async fn fleet_to_fill(&self) -> Result<Fleet, Error> {
        self.open(false).await
    }

    async fn open(&self, with_this_machine: bool) -> Result<Fleet, Error> {
        let open =
            async { Fleet::open(FleetOptions { with_this_machine, ..FleetOptions::new(self.data_dir()?) }).await };
        self.fleet.get_or_try_init(|| open).await.cloned()
    }

    /// Lets go of connections and store, where a fleet was opened.
    pub(crate) async fn close(&self) {
        if let Some(fleet) = self.fleet.get() {
            fleet.close().await;
        }
    }

    /// A bar on stderr for work on many hosts; none where nobody watches or JSON is wanted.
    pub(crate) fn progress(&self, of: usize, what: &'static str) -> ProgressBar {
        if self.screen.is_json() || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
        // The template is fixed; were it wrong, the plain bar would do.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}") {
            bar.set_style(style);
        }
        bar.with_message(what)
    }

    /// Says on stderr what went wrong with one of many.
    pub(crate) fn complain(&self, text: &[u8]) {
        // Nobody to tell where stderr is closed; the exit code still says it.
        let _ = std::io::stderr().write_all(text);
    }

    /// Carries out a change and writes into the audit trail what it was and what came of it.
    pub(crate) async fn audited<T>(
        &self,
        fleet: &Fleet,
        what: &str,
        on: &str,
        change: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        let outcome = change.await;
        let said = access::outcome(outcome.as_ref().err());
        fleet.access().record(&Principal::local().who(), "local", what, on, said, fleet.now()).await?;
        Ok(outcome?)
    }
}
