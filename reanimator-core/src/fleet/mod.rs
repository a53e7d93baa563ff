//! Who is looked after, and everything a frontend can ask for.
//!
//! [`Fleet`] is the door: it opens a data directory, knows hosts and clusters, observes them, runs commands on a
//! [`Selector`] of them, and says what changed. It chooses nothing by itself and waits for nothing but what it was
//! asked: the loop that keeps it live is [`workflows::live`](crate::workflows::live).
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, fleet::{ExecRequest, Selector}};
//! use futures::StreamExt;
//! # async fn example() -> Result<(), reanimator_core::Error> {
//! let fleet = Fleet::open(FleetOptions::new("/tmp/fleet")).await?;
//! let mut answers = fleet.exec(ExecRequest::new("uptime", "all".parse()?)).await?;
//! while let Some(answer) = answers.next().await {
//!     println!("{}: {}", answer.host, answer.outcome?.stdout.text());
//! }
//! # Ok(()) }
//! ```

mod adding;
mod alert_subjects;
mod alerts;
mod attention;
#[cfg(test)]
mod attention_tests;
mod audit;
mod backup;
mod backup_age;
mod bridges;
mod changes;
mod cluster_backups;
mod cluster_facts;
mod clusters;
mod commands;
mod credentials;
mod dashboard;
mod details;
mod digest;
mod endpoint;
mod exec;
mod facts;
mod guest_rates;
mod guest_selector;
mod history;
mod hosts;
pub mod import;
mod labels;
mod machines;
pub mod matching;
mod merging;
mod named_selector;
mod names;
mod notify_targets;
mod observe;
mod reach;
mod recent;
mod recordings;
mod restraints;
mod scripts;
pub mod selector;
mod servers;
mod settings;
mod silent;
pub(crate) mod surroundings;
mod tables;
mod terminals;
mod terms;
mod testing;
mod topology;
pub mod totals;
mod trail;
mod troubles;
mod updates;
mod uploads;
pub mod view;
mod ways;
mod windows;
mod world;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use adding::{ImportReport, ImportedHost, ImportedState, NewHost, SshAuth, SudoChoice, parse_jump};
pub use alert_subjects::AlertScene;
pub use alerts::{AlertRuleView, check_alert_rule};
pub use audit::{AuditFormat, AuditWords};
pub use backup::{Afterwards, BackupFile};
pub use clusters::{ConnectReport, FoundNode, NewProxmox, ProxmoxSecret, ProxmoxView};
pub use credentials::{CredentialKind, CredentialSubject, CredentialsView, NewSshCredentials};
pub(crate) use endpoint::RemoteNode;
pub use exec::{AnswerGroup, ExecAnswer, ExecListener, ExecRequest, Listen, group_answers};
pub use guest_selector::GuestSelector;
pub use history::{HistoryWords, parse_span, parse_time, to_csv};
pub use hosts::{HostDetail, HostEdit, LinkView};
pub use import::ImportFormat;
pub use labels::{LabelChange, LabelCount, Labels};
pub use merging::MatchView;
pub use named_selector::NamedSelector;
pub use notify_targets::{NotifyTargetView, NotifyTestReport};
pub use observe::Seen;
pub(crate) use reach::WayToGuest;
pub use recent::{RECENT_ENTITIES, RECENT_POINTS, RecentWords};
pub(crate) use recordings::CUT;
pub use restraints::Restraints;
pub use selector::Selector;
pub use settings::{
    CapChange, CapSettings, RetentionChange, RetentionSettings, Settings, SettingsChange, UploadChange, UploadSettings,
};
pub use tables::Tables;
pub(crate) use terminals::OpenPty;
pub use terminals::{TerminalChange, TerminalSettings};
pub use testing::{TestReport, TestStep};
pub use trail::{By, STARTED, TrailLine};
pub(crate) use updates::{Redundancy, may_update};
pub use updates::{RedundantView, ScheduleChange, ScheduleView, UpdateSchedules};
pub use uploads::{NewUpload, Upload};
pub(crate) use ways::{HostWays, NodeWay, Sleeper};
pub use windows::{ProtectionView, WindowView};

use self::world::World;
use crate::{
    Error, ErrorKind, Result,
    access::Access,
    clock::{Clock, SystemClock},
    model::{Event, EventKind, Guest, HostId, HostView, Storage, Totals},
    store::Store,
};

/// Where a fleet is kept and how it behaves.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The data directory: database, master key.
    pub data_dir: PathBuf,
    /// Whose `.ssh` is read. Defaults to `$HOME`.
    pub home: Option<PathBuf>,
    /// How many observations in a row a host may miss before it is offline. Defaults to 2.
    pub misses: u32,
    /// Whether this very machine is added when the data directory is new. Defaults to yes.
    pub with_this_machine: bool,
    /// The clock. Defaults to this machine's.
    pub clock: Arc<dyn Clock>,
}

impl FleetOptions {
    /// A fleet in this directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            home: std::env::var_os("HOME").map(PathBuf::from),
            misses: 2,
            with_this_machine: true,
            clock: Arc::new(SystemClock),
        }
    }

    /// `$REANIMATOR_DATA_DIR`, else `reanimator` under `$XDG_DATA_HOME` or `~/.local/share`.
    ///
    /// # Errors
    /// `Invalid` where none of these is set.
    pub fn default_data_dir() -> Result<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        set("REANIMATOR_DATA_DIR")
            .or_else(|| Some(set("XDG_DATA_HOME")?.join("reanimator")))
            .or_else(|| Some(set("HOME")?.join(".local/share/reanimator")))
            .ok_or_else(|| {
                Error::new(ErrorKind::Invalid, "find the data directory")
                    .because("neither REANIMATOR_DATA_DIR nor HOME is set")
                    .next("give it with --data-dir")
            })
    }
}

/// The fleet. Cloning it is cheap: all clones are one fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: FleetOptions,
    store: Arc<dyn Store>,
    access: Access,
    world: std::sync::RwLock<World>,
    /// One at a time reads the records and builds machines from them.
    syncing: tokio::sync::Mutex<()>,
    /// One at a time makes hosts of a cluster's nodes.
    adopting: tokio::sync::Mutex<()>,
    /// One at a time makes a backup or puts one back.
    backing_up: tokio::sync::Mutex<()>,
    /// Alerts that were acknowledged in this process, and that those who listen here were told of.
    acknowledged: std::sync::Mutex<std::collections::BTreeSet<String>>,
    /// Told when an operation is asked for in this process.
    asked: tokio::sync::Notify,
    events: broadcast::Sender<Event>,
    /// Whether a live loop in this process keeps the world fresh.
    live: AtomicBool,
}

/// The fleet on one screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// All hosts, by name.
    pub hosts: Vec<HostView>,
    /// Their sums.
    pub totals: Totals,
    /// When this was made.
    pub at: Timestamp,
}

/// How many events may wait for a slow listener before it misses some.
const EVENTS_WAITING: usize = 4096;

impl Fleet {
    /// Opens the data directory, and makes it where it is new: then this very machine is its first host.
    ///
    /// # Errors
    /// `Storage` when the directory cannot be used: not ours, damaged, or written by a newer program.
    #[cfg(feature = "sqlite")]
    pub async fn open(options: FleetOptions) -> Result<Self> {
        use crate::store::{KeySource, SqliteStore};
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&options.data_dir, KeySource::Standard).await?);
        Self::with_store(options, store).await
    }

    /// A fleet over a store that is open already.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn with_store(options: FleetOptions, store: Arc<dyn Store>) -> Result<Self> {
        let inner = Inner {
            access: Access::new(store.clone()),
            world: World::default().into(),
            syncing: Default::default(),
            adopting: Default::default(),
            backing_up: Default::default(),
            acknowledged: Default::default(),
            asked: Default::default(),
            events: broadcast::channel(EVENTS_WAITING).0,
            live: AtomicBool::new(false),
            options,
            store,
        };
        let fleet = Self { inner: Arc::new(inner) };
        fleet.add_this_machine_once().await?;
        fleet.give_first_alert_rules().await?;
        fleet.sync().await?;
        fleet.remember().await?;
        Ok(fleet)
    }

    /// People, tokens and the audit trail.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// What everything is kept in.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Where it is kept.
    pub fn data_dir(&self) -> &Path {
        &self.inner.options.data_dir
    }

    /// The time by the fleet's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.options.clock.now()
    }

    /// What changes from now on. A listener that falls behind by more than some thousand events misses the oldest, and
    /// is told so by its receiver.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// All hosts and their sums, with the age of every figure: out of memory while a live loop runs in this process,
    /// else as last stored, by whichever process.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn status(&self) -> Result<Status> {
        self.refresh().await?;
        let now = self.now();
        let (hosts, guests, storages) =
            self.read(|world| (world.views(now), world.guests(), world.fresh_storages(now)));
        Ok(Status { totals: totals::totals(&hosts, &guests, &storages), hosts, at: now })
    }

    /// The hosts a selector means.
    ///
    /// # Errors
    /// `NotFound` for a name that is no host.
    pub async fn select(&self, selector: &Selector) -> Result<Vec<HostView>> {
        self.refresh().await?;
        let views = self.read(|world| world.views(self.now()));
        Ok(selector.select(&views)?.into_iter().cloned().collect())
    }

    /// All guests of all clusters.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn guests(&self) -> Result<Vec<Guest>> {
        self.refresh().await?;
        Ok(self.read(World::guests))
    }

    /// All storages of all clusters, shared ones once.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn storages(&self) -> Result<Vec<Storage>> {
        self.refresh().await?;
        Ok(self.read(World::storages))
    }

    /// The history of figures; see [`store::metrics_of`](crate::store::metrics_of) for their names.
    ///
    /// # Errors
    /// `NotFound` for a host, `Invalid` for a figure that there is not.
    pub async fn history(
        &self,
        host: &str,
        metrics: &[String],
        from: Timestamp,
        to: Timestamp,
        points: usize,
    ) -> Result<crate::store::History> {
        let id = self.find(host).await?.id;
        self.inner.store.history(&id, metrics, from, to, points).await
    }

    /// A host by name or id.
    pub(crate) async fn find(&self, name_or_id: &str) -> Result<HostView> {
        let mut found = self.select(&Selector::name(name_or_id)).await?;
        // A name may be another host's id: the id wins.
        let by_id = found.iter().position(|host| host.id.as_str() == name_or_id);
        Ok(found.swap_remove(by_id.unwrap_or(0)))
    }

    /// Whether a live loop in this process keeps the world fresh.
    fn is_live(&self) -> bool {
        self.inner.live.load(Ordering::Relaxed)
    }

    /// Takes in what other processes have stored, unless this one keeps the world fresh itself.
    async fn refresh(&self) -> Result<()> {
        if self.is_live() {
            return Ok(());
        }
        self.sync().await?;
        self.remember().await
    }

    /// Says that a live loop keeps the world fresh, or does so no more.
    pub(crate) fn set_live(&self, live: bool) {
        self.inner.live.store(live, Ordering::Relaxed);
    }

    fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.inner.world.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.inner.world.write().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Tells those who listen.
    pub(crate) fn tell(&self, kind: EventKind, data: &impl Serialize) {
        // Nobody listening is no failure.
        self.event(kind, data).into_iter().for_each(|event| self.pass_on(event));
    }

    /// Tells those who listen something that is an event already.
    fn pass_on(&self, event: Event) {
        drop(self.inner.events.send(event));
    }

    fn event(&self, kind: EventKind, data: &impl Serialize) -> Option<Event> {
        match serde_json::to_value(data) {
            Ok(data) => Some(Event { kind, at: self.now(), data }),
            Err(error) => {
                tracing::error!(kind = kind.as_str(), %error, "an event could not be written");
                None
            }
        }
    }

    /// Ids of all hosts that have a shell, and of all cluster connections.
    pub(crate) fn watched(&self) -> (Vec<HostId>, Vec<crate::model::ConnectionId>) {
        self.read(World::watched)
    }

    /// Whether a cluster is seen by a node's own shell only.
    pub(crate) fn is_shell_node(&self, id: &crate::model::ConnectionId) -> bool {
        self.read(|world| world.clusters.get(id).is_some_and(|known| known.only_node.is_some()))
    }

    /// Lets go of all kept connections, with everything stored.
    pub async fn close(&self) {
        let machines = self.read(World::machines);
        futures::future::join_all(machines.iter().map(|machine| crate::host::Host::close(machine.as_ref()))).await;
        self.inner.store.close().await;
    }
}
