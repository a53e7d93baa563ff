//! The store on SQLite: two files and a key in one directory.
//!
//! | file | holds | `synchronous` | why |
//! |---|---|---|---|
//! | `reanimator.db` | hosts, connections, secrets, what was last seen, facts and their changes, events, people, audit | `FULL` | a credential or an audit entry that was taken must survive the loss of power |
//! | `telemetry.db` | the last figures and their history | `NORMAL` | a write every few seconds need not wait for the disk; the loss of power may cost the last ones, the end of the process costs none |
//! | `master.key` | the key to the secrets | | |
//! | `scratch-*` | copies while a backup is made or restored | | removed with it, or at the next start |
//! | `server.lock`, `open.lock` | nothing; who holds their locks serves, or is opening | | a lock goes with the process, however it ends |
//!
//! Both files are in WAL mode, so any number of programs on this machine may use the directory at once. WAL needs
//! shared memory: the directory must lie on a local file system.

mod access;
mod alerts;
mod backup;
#[cfg(test)]
mod backup_tests;
mod changes;
mod commands;
mod database;
mod events;
mod facts;
mod hosts;
mod lease;
mod meta;
mod notify;
mod operations;
mod scripts;
mod secrets;
mod state;
mod step_secrets;
mod telemetry;
mod updates;
mod windows;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Sqlite, Transaction, sqlite::SqliteSynchronous};

use crate::{Error, ErrorKind, Result, model::Entity};

use super::{KeySource, backup::Scratch, seal::Sealer};
use database::{Database, Migration};
#[cfg(test)]
pub(crate) use updates::break_update_schedule;

const MAIN: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../../../migrations/sqlite/main/0001_foundation.sql") },
    Migration { version: 2, sql: include_str!("../../../migrations/sqlite/main/0002_facts.sql") },
    Migration { version: 3, sql: include_str!("../../../migrations/sqlite/main/0003_operations.sql") },
    Migration { version: 4, sql: include_str!("../../../migrations/sqlite/main/0004_scripts.sql") },
    Migration { version: 5, sql: include_str!("../../../migrations/sqlite/main/0005_windows.sql") },
    Migration { version: 6, sql: include_str!("../../../migrations/sqlite/main/0006_operation_slots.sql") },
    Migration { version: 7, sql: include_str!("../../../migrations/sqlite/main/0007_updates.sql") },
    Migration { version: 8, sql: include_str!("../../../migrations/sqlite/main/0008_commands.sql") },
    Migration { version: 9, sql: include_str!("../../../migrations/sqlite/main/0009_alerts.sql") },
    Migration { version: 10, sql: include_str!("../../../migrations/sqlite/main/0010_notify.sql") },
];
const TELEMETRY: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../../../migrations/sqlite/telemetry/0001_history.sql") },
    Migration { version: 2, sql: include_str!("../../../migrations/sqlite/telemetry/0002_tiers.sql") },
];

/// How long one program waits for another that is opening the same directory for the first time.
const OPENING_TIMEOUT: Duration = Duration::from_secs(30);

/// A store in a directory. See the table above for what is in it.
#[derive(Debug)]
pub struct SqliteStore {
    directory: PathBuf,
    main: Database,
    telemetry: Database,
    sealer: Sealer,
    /// Numbers of hosts, guests and storages in the history, which never change once given.
    series: Mutex<HashMap<Entity, i64>>,
    /// Held while this program is the server.
    server_lock: Mutex<Option<File>>,
    /// Removed with the store, where it was made for a test.
    #[cfg(any(test, feature = "testkit"))]
    temporary: Option<tempfile::TempDir>,
}

impl SqliteStore {
    /// Opens the store in `directory`, making both where there are none (mode 0700, files 0600).
    ///
    /// # Errors
    /// `Storage`, with nothing changed, where a file is damaged, was written by a newer program, or is not ours; where
    /// the master key is missing, readable by others, or not the one that the secrets were encrypted under; and where
    /// the disk refuses. `Busy` where another program keeps the files locked.
    pub async fn open(directory: &Path, key: KeySource) -> Result<Self> {
        make_directory(directory)?;
        let opening = lock_for_opening(directory).await?;
        Scratch::sweep(directory)?;
        let (main, telemetry) = (directory.join("reanimator.db"), directory.join("telemetry.db"));
        database::look_first(&main, MAIN).await?;
        database::look_first(&telemetry, TELEMETRY).await?;
        let main = Database::open(main, SqliteSynchronous::Full, MAIN).await?;
        let telemetry = Database::open(telemetry, SqliteSynchronous::Normal, TELEMETRY).await?;
        let sealer = secrets::sealer(&main, directory, &key).await?;
        drop(opening);
        Ok(Self {
            directory: directory.to_owned(),
            main,
            telemetry,
            sealer,
            series: Mutex::default(),
            server_lock: Mutex::default(),
            #[cfg(any(test, feature = "testkit"))]
            temporary: None,
        })
    }

    /// A store in a new directory that goes when the store goes, for tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(any(test, feature = "testkit"))]
    pub async fn temporary() -> Result<Self> {
        let directory = tempfile::tempdir()
            .map_err(|error| Error::new(ErrorKind::Storage, "make a directory for a test").from_source(error))?;
        let mut store = Self::open(directory.path(), KeySource::File).await?;
        store.temporary = Some(directory);
        Ok(store)
    }

    /// The directory it is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn make_directory(directory: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        Error::new(ErrorKind::Storage, "make the data directory")
            .on(directory.display().to_string())
            .next("give another one or see who may write to the one above it")
            .from_source(error)
    })
}

/// A lock file of the directory, opened.
fn lock_file(directory: &Path, name: &str) -> Result<File> {
    let path = directory.join(name);
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(|error| {
        Error::new(ErrorKind::Storage, "open the lock file").on(path.display().to_string()).from_source(error)
    })
}

/// Lets one program at a time make and migrate files. The lock goes with what is returned.
async fn lock_for_opening(directory: &Path) -> Result<File> {
    let file = lock_file(directory, "open.lock")?;
    let give_up = tokio::time::Instant::now() + OPENING_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Busy, "open the store")
                    .on(directory.display().to_string())
                    .because(format!("another program has been opening it for {} s", OPENING_TIMEOUT.as_secs()))
                    .next("see which program hangs there"));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(ErrorKind::Storage, "lock the store")
                    .on(directory.display().to_string())
                    .from_source(error));
            }
        }
    }
}

fn to_json<T: Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("write {what} as JSON")).from_source(error))
}

fn from_json<T: DeserializeOwned>(database: &Database, what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Storage, format!("read a stored {what}"))
            .on(database.path().display().to_string())
            .next("restore a backup")
            .from_source(error)
    })
}

fn timestamp(milliseconds: i64) -> Result<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_err(|error| Error::new(ErrorKind::Storage, "read a stored time").from_source(error))
}

async fn commit(database: &Database, attempt: &str, transaction: Transaction<'_, Sqlite>) -> Result<()> {
    transaction.commit().await.map_err(database.failed(attempt))
}
