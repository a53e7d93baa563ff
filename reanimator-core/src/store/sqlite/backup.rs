//! Copies of the store while it is in use, and a copy put in place of what is there.
//!
//! A copy is made by `VACUUM INTO`, a read like any other: nobody waits for it. Putting one back has one moment at
//! which it happens, the commit of one transaction on `reanimator.db`. What of the history comes with it is added
//! before: it is of hosts that are not there yet or is there already, so that nothing shows where that commit never
//! comes. A program that is killed at any instant leaves all of the old or all of the new.
//!
//! The audit trail is never taken away: entries of the copy that are not there are added to it. So are operations and
//! updates that are over; one of the copy that was not is left out, as nobody may go on with it now.

use std::path::Path;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use secrecy::SecretString;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

use crate::{
    Result,
    store::{
        AccessStore, BackupStore, ConnectionStore, CopyContents, HostStore, KeySource, MasterKey, MetaStore,
        backup::{DATABASE, HISTORY, KEY, TableVersions, unlike},
        seal::Sealer,
    },
};

use super::{MAIN, SqliteStore, TELEMETRY, database, secrets};

/// What is taken from the copy in place of what is there. Those that others refer to come first.
pub(super) const REPLACED: [&str; 18] = [
    "connections",
    "hosts",
    "host_links",
    "views",
    "identities",
    "clusters",
    "events",
    "matches",
    "users",
    "tokens",
    "settings",
    "facts",
    "changes",
    "windows",
    "protections",
    "scripts",
    "update_schedules",
    "redundant_sets",
];
/// What holds only where it was made: log-ins, the link that makes the first admin.
pub(super) const EMPTIED: [&str; 2] = ["sessions", "setup_token"];
/// What belongs to this installation, or (`secrets`, `audit`, operations) goes in by a way of its own.
#[cfg(test)]
pub(super) const OF_ITS_OWN: [&str; 12] = [
    "meta",
    "server_lease",
    "secrets",
    "audit",
    "operations",
    "operation_steps",
    "operation_lines",
    "operation_things",
    "operation_slots",
    "operation_gates",
    "updates",
    "update_targets",
];

/// Entries of the copy's trail that are not in ours. Of those that are the same to the letter, as many as are missing.
const MISSING_ENTRIES: &str = "
    INSERT INTO main.audit (at, who, source, what, target, outcome)
    SELECT at, who, source, what, target, outcome FROM (
        SELECT at, who, source, what, target, outcome, ROW_NUMBER() OVER same AS place, number FROM copy.audit
        WINDOW same AS (PARTITION BY at, who, source, what, target, outcome ORDER BY number)
    ) AS theirs
    WHERE NOT EXISTS (
        SELECT 1 FROM (
            SELECT at, who, source, what, target, outcome, ROW_NUMBER() OVER same AS place FROM main.audit
            WINDOW same AS (PARTITION BY at, who, source, what, target, outcome ORDER BY number)
        ) AS ours
        WHERE ours.at = theirs.at AND ours.who = theirs.who AND ours.source = theirs.source
          AND ours.what = theirs.what AND ours.target = theirs.target AND ours.outcome = theirs.outcome
          AND ours.place = theirs.place
    )
    ORDER BY theirs.number";

/// Operations of the copy that are over and not in ours, with their steps and what they said.
const MISSING_OPERATIONS: [&str; 3] = [
    "INSERT INTO main.operation_steps (operation, number, data)
     SELECT operation, number, data FROM copy.operation_steps
     WHERE operation IN (SELECT id FROM copy.operations WHERE open = 0)
       AND operation NOT IN (SELECT id FROM main.operations)",
    "INSERT INTO main.operation_lines (operation, at, step, text)
     SELECT operation, at, step, text FROM copy.operation_lines
     WHERE operation IN (SELECT id FROM copy.operations WHERE open = 0)
       AND operation NOT IN (SELECT id FROM main.operations)
     ORDER BY number",
    "INSERT INTO main.operations (id, open, owner, owned_until, generation, cancel, undo, data)
     SELECT id, 0, NULL, NULL, generation, cancel, undo, data FROM copy.operations
     WHERE open = 0 AND id NOT IN (SELECT id FROM main.operations)",
];

/// Updates of the copy that are over and not in ours, with their machines.
const MISSING_UPDATES: [&str; 2] = [
    "INSERT INTO main.update_targets (update_id, number, data)
     SELECT update_id, number, data FROM copy.update_targets
     WHERE update_id IN (SELECT id FROM copy.updates WHERE open = 0)
       AND update_id NOT IN (SELECT id FROM main.updates)",
    "INSERT INTO main.updates (id, open, owner, owned_until, generation, cancel, data)
     SELECT id, 0, NULL, NULL, generation, cancel, data FROM copy.updates
     WHERE open = 0 AND id NOT IN (SELECT id FROM main.updates)",
];

#[async_trait]
impl BackupStore for SqliteStore {
    async fn copy_to(&self, folder: &Path, history: bool) -> Result<TableVersions> {
        self.main.copy_to(&folder.join(DATABASE)).await?;
        if history {
            self.telemetry.copy_to(&folder.join(HISTORY)).await?;
        }
        self.seal_anew(folder).await?;
        Ok(TableVersions { database: database::latest(MAIN), history: database::latest(TELEMETRY) })
    }

    async fn check_copy(&self, folder: &Path) -> Result<CopyContents> {
        let copy = open_copy(folder).await?;
        let contents = copy.contents().await;
        copy.close().await;
        contents
    }

    async fn replace_from(&self, folder: &Path) -> Result<()> {
        let copy = open_copy(folder).await?;
        let secrets = copy.opened().await;
        copy.close().await;
        let secrets = self.sealed(secrets?)?;
        self.add_history(&folder.join(HISTORY)).await?;
        self.replace(&folder.join(DATABASE), &secrets).await
    }

    fn newest_tables(&self) -> TableVersions {
        TableVersions { database: database::latest(MAIN), history: database::latest(TELEMETRY) }
    }
}

/// A secret on its way from one key to another: owner, name, and the secret.
type Opened = (String, String, SecretString);
/// The same, sealed.
type Sealed = (String, String, Vec<u8>);

/// Opens a copy as the store that it is, with its own key, bringing its tables up to date.
async fn open_copy(folder: &Path) -> Result<SqliteStore> {
    for (name, tables) in [(DATABASE, MAIN), (HISTORY, TELEMETRY)] {
        let path = folder.join(name);
        if path.exists() {
            database::look_through(&path, tables).await?;
        }
    }
    SqliteStore::open(folder, KeySource::FileAt(folder.join(KEY))).await
}

impl SqliteStore {
    /// Takes out of a copy what is of no use elsewhere, and seals its secrets under a key of its own.
    async fn seal_anew(&self, folder: &Path) -> Result<()> {
        let path = folder.join(DATABASE);
        let key = MasterKey::generate()?;
        key.write_to(&folder.join(KEY))?;
        let sealer = Sealer::new(key);
        let attempt = "seal the secrets of the copy";
        let failed = database::failed(&path, attempt);
        let mut connection = database::connect(&path).await?;
        let mut copy = connection.begin().await.map_err(&failed)?;
        for table in EMPTIED.into_iter().chain(["server_lease"]) {
            empty(&mut copy, table).await.map_err(&failed)?;
        }
        for (owner, name, secret) in opened(&mut copy, &self.sealer, &path).await? {
            let sealed = sealer.seal(&owner, &name, &secret)?;
            secrets::write(&mut copy, &owner, &name, &sealed).await.map_err(&failed)?;
        }
        let check = BASE64.encode(sealer.check_value()?);
        secrets::note_check(&mut copy, &check).await.map_err(&failed)?;
        copy.commit().await.map_err(&failed)?;
        connection.close().await.map_err(&failed)
    }

    /// Reads everything that a restore relies on.
    async fn contents(&self) -> Result<CopyContents> {
        self.opened().await?;
        let (hosts, connections, users) = (self.hosts().await?, self.connections().await?, self.users().await?);
        Ok(CopyContents { hosts: hosts.len(), connections: connections.len(), users: users.len() })
    }

    /// All secrets, opened.
    async fn opened(&self) -> Result<Vec<Opened>> {
        let mut look = self.main.reader().acquire().await.map_err(self.main.failed("read the secrets"))?;
        opened(&mut look, &self.sealer, self.main.path()).await
    }

    fn sealed(&self, secrets: Vec<Opened>) -> Result<Vec<Sealed>> {
        let seal = |(owner, name, secret): Opened| {
            let sealed = self.sealer.seal(&owner, &name, &secret)?;
            Ok((owner, name, sealed))
        };
        secrets.into_iter().map(seal).collect()
    }

    /// Puts the copy's database in place of ours, in one transaction on a connection of its own: whatever becomes of
    /// it, the pool's never has the copy attached.
    async fn replace(&self, copy: &Path, secrets: &[Sealed]) -> Result<()> {
        let attempt = "put the backup in place";
        let failed = self.main.failed(attempt);
        let mut connection = self.main.attach(copy).await?;
        let mut ours = connection.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        // Rows refer to each other; that they all do is checked at the commit.
        sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *ours).await.map_err(&failed)?;
        for table in REPLACED.iter().rev().copied().chain(EMPTIED).chain(["secrets"]) {
            empty(&mut ours, table).await.map_err(&failed)?;
        }
        for table in REPLACED {
            take_over(&mut ours, table).await.map_err(&failed)?;
        }
        for (owner, name, sealed) in secrets {
            secrets::write(&mut ours, owner, name, sealed).await.map_err(&failed)?;
        }
        sqlx::query(MISSING_ENTRIES).execute(&mut *ours).await.map_err(&failed)?;
        for missing in MISSING_OPERATIONS.into_iter().chain(MISSING_UPDATES) {
            sqlx::query(missing).execute(&mut *ours).await.map_err(&failed)?;
        }
        ours.commit().await.map_err(|error| match database::is_dangling(&error) {
            true => unlike("records in it refer to others that are missing").from_source(error),
            false => failed(error),
        })?;
        // What was committed stays, whatever becomes of the connection.
        drop(connection.close().await);
        Ok(())
    }
}

async fn opened(connection: &mut SqliteConnection, sealer: &Sealer, path: &Path) -> Result<Vec<Opened>> {
    let rows: Vec<Sealed> = sqlx::query_as("SELECT owner, name, sealed FROM secrets ORDER BY owner, name")
        .fetch_all(connection)
        .await
        .map_err(database::failed(path, "read the secrets"))?;
    let open = |(owner, name, sealed): Sealed| {
        let secret = sealer.open(&owner, &name, &sealed)?;
        Ok((owner, name, secret))
    };
    rows.into_iter().map(open).collect()
}

async fn empty(transaction: &mut Transaction<'_, Sqlite>, table: &str) -> Result<(), sqlx::Error> {
    let delete = format!("DELETE FROM main.{table}");
    sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&mut **transaction).await.map(drop)
}

/// Copies a table by the names of its columns.
async fn take_over(transaction: &mut Transaction<'_, Sqlite>, table: &str) -> Result<(), sqlx::Error> {
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?, 'main') ORDER BY cid")
        .bind(table)
        .fetch_all(&mut **transaction)
        .await?;
    let columns = columns.join(", ");
    // Connections are listed in the order in which they were added.
    let order = if table == "connections" { "ORDER BY rowid" } else { "" };
    let statement = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM copy.{table} {order}");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut **transaction).await.map(drop)
}
