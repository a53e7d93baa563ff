//! What every handler can reach.

use std::{ops::Deref, sync::Arc};

use reanimator_core::{
    Fleet,
    workflows::{commands::Commands, shell::Terminals},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    headers::HostNames,
    metrics::HttpMetrics,
    options::{ServerOptions, Tls},
    tables::TableCache,
};

/// As many listeners as the event stream serves at once.
const MOST_LISTENERS: usize = 512;

/// The service's shared state. Cloning is cheap.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What there is one of.
pub struct Shared {
    pub(crate) fleet: Fleet,
    pub(crate) commands: Commands,
    pub(crate) host_names: HostNames,
    pub(crate) tls: bool,
    pub(crate) allow_setup: bool,
    pub(crate) metrics: HttpMetrics,
    pub(crate) tables: TableCache,
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) terminals: Terminals,
    pub(crate) stop: CancellationToken,
    /// Changes that are being carried out, whether or not somebody still waits for the answer.
    pub(crate) changes: TaskTracker,
}

impl AppState {
    /// The state of a service for `fleet`; streams and event listeners end when `stop` is cancelled.
    pub fn new(fleet: Fleet, options: &ServerOptions, stop: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            commands: Commands::new(fleet.clone()),
            terminals: Terminals::new(fleet.clone()),
            fleet,
            host_names: HostNames::for_listener(options.listen.ip(), &options.allowed_hosts),
            tls: options.tls != Tls::Off,
            allow_setup: options.allow_setup,
            metrics: HttpMetrics::default(),
            tables: TableCache::default(),
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
            stop,
            changes: TaskTracker::new(),
        }))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
