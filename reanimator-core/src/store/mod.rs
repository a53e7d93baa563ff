//! What is remembered: hosts and how to reach them, secrets, what was last seen, the history, people, the audit trail.
//!
//! Everything above remembers through [`Store`], a sum of small traits, one for each kind of thing. [`SqliteStore`]
//! is the one that comes by default: one directory that several programs may use at the same time. The room keeps
//! data and its invariants (names are unique, the last admin stays, a secret is never stored in the clear); it
//! knows no clock, so that every time is handed in, and it decides nothing.
//!
//! A write that has returned survives the end of the process, however it ends. Hosts, connections, secrets, people
//! and the audit trail also survive the loss of power; of the history the last seconds may be lost then.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use reanimator_core::store::{HostStore, KeySource, SqliteStore};
//!
//! let directory = std::env::temp_dir().join(format!("reanimator-doc-{}", std::process::id()));
//! let store = SqliteStore::open(&directory, KeySource::File).await?;
//! assert!(store.hosts().await?.is_empty());
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(())
//! # })
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```

#![cfg_attr(
    not(feature = "sqlite"),
    allow(dead_code, reason = "only stores use what keys, seals and chunks are made of")
)]

mod alerts;
pub(crate) mod backup;
mod commands;
#[cfg(all(test, feature = "sqlite"))]
mod contract;
#[cfg(all(test, feature = "sqlite"))]
mod contract_alerts;
#[cfg(all(test, feature = "sqlite"))]
mod contract_commands;
#[cfg(all(test, feature = "sqlite"))]
mod contract_facts;
#[cfg(all(test, feature = "sqlite"))]
mod contract_history;
#[cfg(all(test, feature = "sqlite"))]
mod contract_notify;
#[cfg(all(test, feature = "sqlite"))]
mod contract_operations;
#[cfg(all(test, feature = "sqlite"))]
mod contract_telemetry;
#[cfg(all(test, feature = "sqlite"))]
mod contract_updates;
mod grid;
mod key;
mod metrics;
mod notify;
mod operations;
mod pack;
mod records;
mod scripts;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tiers;
mod updates;
mod windows;

use std::{collections::BTreeMap, fmt::Debug, path::Path, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    Result,
    model::{
        Change, ChangeFilter, Connection, ConnectionId, Entity, Event, Host, HostId, HostView, Identity, Latest, Match,
        MatchId, NewChange, Recent, RecentQuery, Series, Telemetry, TelemetryQuery,
    },
};

pub use alerts::{AlertEdit, AlertRuleEdit, AlertStore};
pub use backup::{BackupPassphrase, BackupReport, LARGEST_BACKUP, Scratch, TableVersions};
pub use commands::{CommandStore, KeptCommands, OpenCommand};
pub use key::{KEY_VARIABLE, KeySource, MasterKey};
pub use metrics::{METRICS_VERSION, Metric, MetricRow, metric_index, metrics_of};
pub use notify::{NotifyStore, NotifyTargetEdit, StoredNotice};
pub use operations::{OperationStore, Slot};
pub use records::{
    AuditEntry, AuditFilter, LeaseHolder, NewFacts, OperationHold, Retention, Sample, SecretHash, SessionRecord,
    StoreSizes, StoredAuditEntry, StoredCluster, StoredEvent, StoredFacts, TokenRecord, Upkeep, UserRecord, Wish,
};
pub use scripts::ScriptStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(all(test, feature = "sqlite"))]
pub(crate) use sqlite::break_update_schedule;
pub use updates::{ScheduleEdit, UpdateHold, UpdateStore};
pub use windows::{WindowEdit, WindowStore};

/// A secret to be stored with something: its name (`password`, `key`, `sudo`) and the secret itself.
pub type NamedSecret = (String, SecretString);

/// What is to become of a host's record, which is handed in as it is at that moment.
pub type HostEdit = Box<dyn FnOnce(&mut Host) + Send>;

/// What is to become of the records of all hosts, which are handed in as they are at that moment. What it refuses is not
/// done at all.
pub type HostsEdit = Box<dyn FnOnce(&mut [Host]) -> Result<()> + Send>;

/// Averages of one host: for each figure its values in the order of time, `None` where there is a gap.
pub type History = BTreeMap<String, Vec<(Timestamp, Option<f64>)>>;

/// What a copy holds, counted while all of it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyContents {
    /// Hosts.
    pub hosts: usize,
    /// Connections.
    pub connections: usize,
    /// People who may log in.
    pub users: usize,
}

/// All of it.
pub trait Store:
    HostStore
    + ConnectionStore
    + SecretStore
    + StateStore
    + TelemetryStore
    + FactsStore
    + ChangeStore
    + EventStore
    + MatchStore
    + OperationStore
    + CommandStore
    + ScriptStore
    + UpdateStore
    + WindowStore
    + NotifyStore
    + AlertStore
    + AccessStore
    + MetaStore
    + BackupStore
    + Debug
{
}

impl<T> Store for T where
    T: HostStore
        + ConnectionStore
        + SecretStore
        + StateStore
        + TelemetryStore
        + FactsStore
        + ChangeStore
        + EventStore
        + MatchStore
        + OperationStore
        + CommandStore
        + ScriptStore
        + UpdateStore
        + WindowStore
        + NotifyStore
        + AlertStore
        + AccessStore
        + MetaStore
        + BackupStore
        + Debug
{
}

/// Hosts of the fleet.
///
/// # Errors
/// All may fail with `Storage`. A name that another host has is a `Conflict`, and changing or removing a host that is
/// not there is `NotFound`.
#[async_trait]
pub trait HostStore: Send + Sync {
    /// All hosts, by name.
    async fn hosts(&self) -> Result<Vec<Host>>;

    /// One host.
    async fn host(&self, id: &HostId) -> Result<Option<Host>>;

    /// Adds a host. Its links go over connections that are stored already.
    async fn insert_host(&self, host: &Host) -> Result<()>;

    /// Puts a host in place of what was stored of it, whatever that was. What changes a part of it uses
    /// [`edit_host`](Self::edit_host).
    async fn update_host(&self, host: &Host) -> Result<()>;

    /// Changes a host as it is at that moment: it is read and written at once, so that of two who change different
    /// parts of it, in whichever processes, neither undoes the other. Gives the record as it is then.
    async fn edit_host(&self, id: &HostId, edit: HostEdit) -> Result<Host>;

    /// The same together with one more connection by which it comes in, and that connection's secrets: all or nothing.
    async fn edit_host_with_connection(
        &self,
        id: &HostId,
        connection: &Connection,
        secrets: &[NamedSecret],
        edit: HostEdit,
    ) -> Result<Host>;

    /// Changes any number of hosts as they are at that moment, in one transaction: all or none. Gives those that are
    /// others then.
    async fn edit_hosts(&self, edit: HostsEdit) -> Result<Vec<Host>>;

    /// Removes a host with all that is known of it except its history, and the connections, with their secrets, by
    /// which no other host comes in.
    async fn remove_host(&self, id: &HostId) -> Result<()>;

    /// Adds or changes a connection, its secrets and the hosts that come in by it: all of it or nothing. Secrets that
    /// are not named stay.
    async fn save_connection_with_hosts(
        &self,
        connection: &Connection,
        secrets: &[NamedSecret],
        hosts: &[Host],
    ) -> Result<()>;

    /// Adds many hosts, each with the connection it comes in by, in one transaction: all or none.
    async fn insert_hosts_with_connections(&self, hosts: &[(Host, Connection)]) -> Result<()>;

    /// Adds or changes a host together with the connection it comes in by and that connection's secrets.
    async fn save_host_with_connection(
        &self,
        host: &Host,
        connection: &Connection,
        secrets: &[NamedSecret],
    ) -> Result<()> {
        self.save_connection_with_hosts(connection, secrets, std::slice::from_ref(host)).await
    }
}

/// Ways to reach hosts and clusters.
///
/// # Errors
/// As with hosts. Only Proxmox connections need a name of their own: an SSH connection is called what its host was
/// called when it was added.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// All connections, in the order in which they were added.
    async fn connections(&self) -> Result<Vec<Connection>>;

    /// One connection.
    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>>;

    /// Adds a connection.
    async fn insert_connection(&self, connection: &Connection) -> Result<()>;

    /// Changes a connection.
    async fn update_connection(&self, connection: &Connection) -> Result<()>;

    /// Changes a connection together with its secrets: some stored, others deleted. All of it or nothing.
    async fn update_credentials(&self, connection: &Connection, stored: &[NamedSecret], deleted: &[&str])
    -> Result<()>;

    /// Removes a connection with its secrets and its cluster's state, takes it out of every host's links, and removes
    /// the hosts to which nothing leads then. Says which ones.
    async fn remove_connection(&self, id: &ConnectionId) -> Result<Vec<HostId>>;
}

/// Secrets, encrypted under the master key before they are written. The owner of a connection's secrets is the
/// connection's id.
///
/// # Errors
/// `Storage` where a secret cannot be written, read or decrypted. No error text holds any part of one.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Stores a secret in place of what was there under that name.
    async fn put_secret(&self, owner: &str, name: &str, secret: &SecretString) -> Result<()>;

    /// The secret, if there is one.
    async fn get_secret(&self, owner: &str, name: &str) -> Result<Option<SecretString>>;

    /// Names of the owner's secrets.
    async fn secret_names(&self, owner: &str) -> Result<Vec<String>>;

    /// Deletes a secret; says whether there was one.
    async fn delete_secret(&self, owner: &str, name: &str) -> Result<bool>;
}

/// What is known now. What is shown is put here first, so that it is still there after a `kill -9`.
///
/// # Errors
/// All may fail with `Storage`. What concerns hosts or connections that were removed meanwhile is left out silently:
/// an observation may end after its host is gone.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Stores views of hosts in one transaction, in place of the earlier ones.
    async fn put_views(&self, views: &[HostView]) -> Result<()>;

    /// The last views of all hosts, by name.
    async fn views(&self) -> Result<Vec<HostView>>;

    /// Stores who a host is.
    async fn put_identity(&self, host: &HostId, identity: &Identity) -> Result<()>;

    /// Who a host is, if that was ever seen.
    async fn identity(&self, host: &HostId) -> Result<Option<Identity>>;

    /// Who all hosts are.
    async fn identities(&self) -> Result<BTreeMap<HostId, Identity>>;

    /// Stores the last telemetry of hosts in one transaction.
    async fn put_telemetry(&self, telemetry: &[(HostId, Telemetry)]) -> Result<()>;

    /// The last telemetry of a host.
    async fn telemetry(&self, host: &HostId) -> Result<Option<Telemetry>>;

    /// Stores the state of the cluster behind a connection, as JSON, in place of the earlier one.
    async fn put_cluster(&self, connection: &ConnectionId, state: &str, at: Timestamp) -> Result<()>;

    /// The last states of all clusters.
    async fn clusters(&self) -> Result<Vec<StoredCluster>>;
}

/// The history of figures of hosts, guests and storages.
///
/// # Errors
/// All may fail with `Storage`; asking for a figure that there is not is `Invalid`.
#[async_trait]
pub trait TelemetryStore: Send + Sync {
    /// Adds samples in one transaction. A second sample of the same thing at the same millisecond replaces the first.
    async fn append_samples(&self, samples: &[Sample]) -> Result<()>;

    /// A part of a history, from the finest tier that covers it at that step.
    ///
    /// # Errors
    /// `Invalid` for a figure that there is not, an empty or backward time, a step that is no whole number of seconds,
    /// and an answer of more than 10,000 points.
    async fn query(&self, query: &TelemetryQuery) -> Result<Series>;

    /// The averages of one figure of many entities over the same equal steps; of one that has no history, gaps alone.
    ///
    /// # Errors
    /// As [`query`](Self::query); the figure has to be kept of every kind among them.
    async fn recent(&self, query: &RecentQuery) -> Result<Recent>;

    /// The newest reading of each figure. Of what was never seen there is nothing. Where many are asked for at once, a
    /// figure that others of the same entity outran by some minutes is absent.
    async fn latest(&self, entities: &[Entity]) -> Result<BTreeMap<Entity, Latest>>;

    /// The averages of some figures of a host as a chart of at most `points`, but at least 2, and never finer than what
    /// was seen. A span in which nothing was seen is `None`. All figures have the same times.
    async fn history(
        &self,
        host: &HostId,
        metrics: &[String],
        from: Timestamp,
        to: Timestamp,
        points: usize,
    ) -> Result<History> {
        let (entity, metrics) = (Entity::Host(host.clone()), metrics.to_vec());
        let step = Some(grid::step_for(from, to, points));
        let series = self.query(&TelemetryQuery { entity, metrics, from, to, step }).await?;
        let points = |means: Vec<Option<f64>>| series.times.iter().copied().zip(means).collect();
        Ok(series.metrics.into_iter().map(|(name, columns)| (name, points(columns.mean))).collect())
    }

    /// Packs, thins and deletes what is old enough, a bounded amount at each call.
    async fn roll_up_and_prune(&self, now: Timestamp, retention: &Retention) -> Result<Upkeep>;
}

/// Facts that are collected slowly: for each entity (`host:ID`, `guest:ID`, `storage:ID`) sections of JSON, each with
/// its age. They go with the host or the cluster that they are of.
///
/// # Errors
/// All may fail with `Storage`. Facts that are no JSON are `Invalid`.
#[async_trait]
pub trait FactsStore: Send + Sync {
    /// Stores sections in one transaction, each in place of the earlier one. Those of hosts that were removed meanwhile
    /// are left out silently.
    async fn put_facts(&self, facts: &[NewFacts]) -> Result<()> {
        self.put_facts_with_changes(facts, &[]).await
    }

    /// Stores sections and what changed in them: all of it or nothing.
    async fn put_facts_with_changes(&self, facts: &[NewFacts], changes: &[NewChange]) -> Result<()>;

    /// All sections of an entity, by name.
    async fn facts(&self, entity: &str) -> Result<Vec<StoredFacts>>;

    /// One section of all entities, by entity.
    async fn facts_of_section(&self, section: &str) -> Result<Vec<StoredFacts>>;

    /// Deletes all sections of an entity; says how many there were.
    async fn remove_facts(&self, entity: &str) -> Result<u64>;
}

/// What differed from last time.
///
/// # Errors
/// All may fail with `Storage`; a pattern of more than 200 characters is `Invalid`.
#[async_trait]
pub trait ChangeStore: Send + Sync {
    /// Adds changes in one transaction.
    async fn append_changes(&self, changes: &[NewChange]) -> Result<()>;

    /// Those that the filter lets through, newest first.
    async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>>;

    /// Deletes changes from before that time, at most 10,000 at each call; says how many.
    async fn prune_changes(&self, before: Timestamp) -> Result<u64>;
}

/// What happened, in order.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Adds events in one transaction.
    async fn append_events(&self, events: &[Event]) -> Result<()>;

    /// The first `limit` events after the one numbered `after`; 0 begins at the oldest.
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>>;

    /// Deletes events from before that time, at most 10,000 at each call; says how many.
    async fn prune_events(&self, before: Timestamp) -> Result<u64>;
}

/// Pairs of records that may be one machine.
///
/// # Errors
/// All may fail with `Storage`. A second record of the same pair is a `Conflict`.
#[async_trait]
pub trait MatchStore: Send + Sync {
    /// Adds or changes a pair.
    async fn put_match(&self, pair: &Match) -> Result<()>;

    /// One pair.
    async fn get_match(&self, id: &MatchId) -> Result<Option<Match>>;

    /// All pairs, decided or not, in the order in which they were found.
    async fn matches(&self) -> Result<Vec<Match>>;

    /// Deletes a pair; says whether it was there.
    async fn delete_match(&self, id: &MatchId) -> Result<bool>;
}

/// People, programs, and what they did.
///
/// # Errors
/// All may fail with `Storage`. A name that is taken is a `Conflict`, as is any change that leaves no admin; changing
/// what is not there is `NotFound`.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// All users, by name.
    async fn users(&self) -> Result<Vec<UserRecord>>;

    /// One user.
    async fn user(&self, name: &str) -> Result<Option<UserRecord>>;

    /// Adds a user.
    async fn insert_user(&self, user: &UserRecord) -> Result<()>;

    /// Changes a user's role, password, or both. A new password ends the user's sessions.
    async fn update_user(
        &self,
        name: &str,
        role: Option<crate::model::Role>,
        password_hash: Option<&str>,
    ) -> Result<()>;

    /// Removes a user and ends the user's sessions.
    async fn remove_user(&self, name: &str) -> Result<()>;

    /// Stores the hash of the one set-up token there is, in place of an earlier one.
    async fn put_setup_token(&self, hash: &SecretHash, expires_at: Timestamp) -> Result<()>;

    /// Adds the first user and uses the set-up token up, both or neither. Unless the token is the stored one, is not
    /// too old and nobody is there yet, it is `Denied`.
    async fn complete_setup(&self, hash: &SecretHash, user: &UserRecord, now: Timestamp) -> Result<()>;

    /// Adds a session, and deletes those that are over.
    async fn insert_session(&self, session: &SessionRecord) -> Result<()>;

    /// The session behind a cookie with its user, unless it is over.
    async fn session(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<(SessionRecord, UserRecord)>>;

    /// Ends a session; says whether there was one.
    async fn delete_session(&self, hash: &SecretHash) -> Result<bool>;

    /// All tokens, by name.
    async fn tokens(&self) -> Result<Vec<TokenRecord>>;

    /// The token with that hash.
    async fn token(&self, hash: &SecretHash) -> Result<Option<TokenRecord>>;

    /// Adds a token.
    async fn insert_token(&self, token: &TokenRecord) -> Result<()>;

    /// Notes that a token was used.
    async fn touch_token(&self, name: &str, at: Timestamp) -> Result<()>;

    /// Deletes a token.
    async fn remove_token(&self, name: &str) -> Result<()>;

    /// Adds to the audit trail. What is in it can be neither changed nor deleted.
    async fn append_audit(&self, entry: &AuditEntry) -> Result<()>;

    /// The `limit` newest entries before the one numbered `before`, newest first.
    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<StoredAuditEntry>> {
        self.find_audit(&AuditFilter { before, ..AuditFilter::default() }, limit).await
    }

    /// The first `limit` entries that are wanted: newest first, or with `after` oldest first.
    async fn find_audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<StoredAuditEntry>>;
}

/// Settings, and who serves the data.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait MetaStore: Send + Sync {
    /// A setting.
    async fn setting(&self, key: &str) -> Result<Option<String>>;

    /// Stores a setting; `None` deletes it.
    async fn put_setting(&self, key: &str, value: Option<&str>) -> Result<()>;

    /// Becomes the one server of this data, until `now + ttl` unless renewed.
    ///
    /// # Errors
    /// `Conflict`, naming the holder, while another one serves it.
    async fn acquire_server_lease(&self, holder: &LeaseHolder, now: Timestamp, ttl: Duration) -> Result<()>;

    /// Stays it.
    ///
    /// # Errors
    /// `Conflict` when it was lost meanwhile: stop serving.
    async fn renew_server_lease(&self, holder: &LeaseHolder, now: Timestamp, ttl: Duration) -> Result<()>;

    /// Is it no longer. Does nothing for one who does not hold it.
    async fn release_server_lease(&self, holder: &LeaseHolder) -> Result<()>;

    /// Who serves this data now, for a word to the person at the command line.
    async fn server(&self, now: Timestamp) -> Result<Option<LeaseHolder>>;

    /// How much room the data takes.
    async fn sizes(&self) -> Result<StoreSizes>;

    /// Where the data is, in words for people.
    fn location(&self) -> String;

    /// Ends all use, with everything written.
    async fn close(&self);
}

/// Copies of all that is stored, and a copy put in place of it.
///
/// # Errors
/// All may fail with `Storage`, with nothing changed.
#[async_trait]
pub trait BackupStore: Send + Sync {
    /// Copies all that is stored into an empty folder, while it is in use, and the history if wanted: without sessions,
    /// its secrets sealed under a key of its own that lies beside it.
    async fn copy_to(&self, folder: &Path, history: bool) -> Result<TableVersions>;

    /// Reads a copy to its end: is it whole, ours, no newer than this program, and do its secrets open?
    async fn check_copy(&self, folder: &Path) -> Result<CopyContents>;

    /// Puts a copy in place of all that is stored, at one instant: before it all is as it was, whatever happens.
    /// Sessions end; the audit trail gains the entries that it lacks and loses none; history is added.
    async fn replace_from(&self, folder: &Path) -> Result<()>;

    /// The newest tables that this store knows.
    fn newest_tables(&self) -> TableVersions;
}
