//! One database file: opening it without harm, its two pools, its migrations, and its errors in words.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, Row, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, ErrorKind, Result};

/// How long a writer waits for another program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for its turn within this program.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);
const READERS: u32 = 4;
/// Up to this size a file is read through for damage before it is used: 0.1 s at 100 MB/s of JSON pages.
const CHECKED_UP_TO: u64 = 64 << 20;
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// A step from one version of the tables to the next.
#[derive(Debug)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) sql: &'static str,
}

/// A database file in use: one writer at a time, several readers beside it.
///
/// WAL, so that readers and the writer do not wait for each other, in this program or another one. Each write
/// transaction begins `IMMEDIATE`: one that began by reading and then wants to write would be refused at once when
/// somebody else had written meanwhile, whatever the busy timeout.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Database {
    /// Opens the file, making it or bringing it up to date where needed. The caller has looked at it with
    /// [`look_first`] and sees to it that only one program does so at a time.
    ///
    /// `synchronous` is `Full` where a commit must survive the loss of power, `Normal` where the end of the process
    /// is enough.
    pub(super) async fn open(
        path: PathBuf,
        synchronous: SqliteSynchronous,
        migrations: &'static [Migration],
    ) -> Result<Self> {
        make_file(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .pragma("journal_size_limit", "67108864")
            .disable_statement_logging();
        let pool = || SqlitePoolOptions::new().acquire_timeout(TURN_TIMEOUT).idle_timeout(None).max_lifetime(None);
        let opening = failed(&path, "open the database");
        let writer = pool()
            .max_connections(1)
            // A failed write (full disk) may leave the driver counting a transaction that SQLite has ended already.
            // Such a connection is closed; the next write gets a new one.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(&opening)?;
        let reader =
            pool().max_connections(READERS).min_connections(0).connect_lazy_with(options.pragma("query_only", "ON"));
        let database = Self { path: path.clone(), writer, reader };
        database.migrate(migrations).await?;
        Ok(database)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the file as it is at one moment into a new one. Nobody waits for that.
    pub(super) async fn copy_to(&self, copy: &Path) -> Result<()> {
        make_file(copy)?;
        let failed = failed(copy, "copy the database");
        let mut connection = connect(&self.path).await?;
        let copied = sqlx::query("VACUUM INTO ?").bind(in_text(copy)?).execute(&mut connection).await;
        copied.map_err(&failed)?;
        connection.close().await.map_err(&failed)
    }

    /// A connection of its own to the file, with another one attached to it as `copy`.
    pub(super) async fn attach(&self, copy: &Path) -> Result<SqliteConnection> {
        let mut connection = connect(&self.path).await?;
        sqlx::query("ATTACH ? AS copy")
            .bind(in_text(copy)?)
            .execute(&mut connection)
            .await
            .map_err(failed(copy, "open the copy"))?;
        Ok(connection)
    }

    /// What the file takes on the disk, with its log, in bytes.
    pub(super) fn size(&self) -> Result<u64> {
        let log = PathBuf::from(format!("{}-wal", self.path.display()));
        Ok(size_of(&self.path)?.unwrap_or(0) + size_of(&log)?.unwrap_or(0))
    }

    pub(super) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// Begins to write. Dropped before its commit, nothing of it was.
    pub(super) async fn begin(&self, attempt: &str) -> Result<Transaction<'static, Sqlite>> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(self.failed(attempt))
    }

    /// What became of an attempt, in words.
    pub(super) fn failed<'a>(&'a self, attempt: &'a str) -> impl Fn(sqlx::Error) -> Error + 'a {
        failed(&self.path, attempt)
    }

    pub(super) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    async fn migrate(&self, migrations: &[Migration]) -> Result<()> {
        let latest = latest(migrations);
        let attempt = "bring the database up to date";
        let failed = self.failed(attempt);
        let mut transaction = self.begin(attempt).await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let version = schema_version(&mut transaction).await.map_err(&failed)?.unwrap_or(0);
        for migration in migrations.iter().filter(|migration| migration.version > version) {
            sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(&failed)?;
        }
        if version < latest {
            for (key, value) in
                [("schema_version", latest.to_string()), ("written_by", env!("CARGO_PKG_VERSION").to_owned())]
            {
                sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
                    .bind(key)
                    .bind(value)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        transaction.commit().await.map_err(&failed)
    }
}

/// Whether there is a database in the file. A file that became empty although it held data is no new one.
fn has_content(path: &Path) -> Result<bool> {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    match size_of(path)? {
        Some(0) if size_of(&log)?.unwrap_or(0) > 0 => Err(damaged(path, "the file is empty, its log is not")),
        Some(0) | None => Ok(false),
        Some(_) => Ok(true),
    }
}

/// A file's size; `None` where there is none.
fn size_of(path: &Path) -> Result<Option<u64>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(ErrorKind::Storage, "open the database").on(path.display().to_string()).from_source(error))
        }
    }
}

/// Makes the file, for its owner only. SQLite gives the files it makes beside it the same mode.
fn make_file(path: &Path) -> Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop).map_err(|error| {
        Error::new(ErrorKind::Storage, "make the database").on(path.display().to_string()).from_source(error)
    })
}

/// A connection to a file that is there, outside of any pool. What it deletes is overwritten, and what a file says of
/// functions is not believed.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection> {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed(path, "open the database"))
}

fn in_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::new(ErrorKind::Storage, "copy the database")
            .on(path.display().to_string())
            .because("the name of the data directory is not UTF-8")
            .next("move the data directory to a name that is")
    })
}

/// Reads a file from elsewhere to its end before it is used: whole, ours, no newer than this program, and nothing in
/// it but tables where tables should be.
pub(super) async fn look_through(path: &Path, migrations: &[Migration]) -> Result<()> {
    check_header(path)?;
    let opening = failed(path, "open the database");
    let mut connection = connect(path).await?;
    look_inside(&mut connection, path, false, latest(migrations)).await?;
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&mut connection).await.map_err(&opening)?;
    if found != ["ok"] {
        return Err(damaged(path, &found.join("; ")));
    }
    let strange: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'view' OR type = 'table' AND sql LIKE 'CREATE VIRTUAL%'",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(&opening)?;
    if strange > 0 {
        return Err(damaged(path, "it holds views"));
    }
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut connection).await.map_err(&opening)?;
    connection.close().await.map_err(&opening)?;
    match dangling {
        None => Ok(()),
        Some(_) => Err(damaged(path, "records refer to others that are missing")),
    }
}

/// Reads the file, if there is one, without a right to write to it: is it whole, is it ours, do we know its version?
pub(super) async fn look_first(path: &Path, migrations: &[Migration]) -> Result<()> {
    if !has_content(path)? {
        return Ok(());
    }
    let size = check_header(path)?;
    let opening = failed(path, "open the database");
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(&opening)?;
    let looked = look_inside(&mut connection, path, size <= CHECKED_UP_TO, latest(migrations)).await;
    let closed = connection.close().await.map_err(&opening);
    looked.and(closed)
}

/// Whether the file begins as a database does; says its size.
fn check_header(path: &Path) -> Result<u64> {
    let mut header = [0; 16];
    let read = File::open(path).and_then(|mut file| {
        let size = file.metadata()?.len();
        file.read_exact(&mut header).map(|()| size)
    });
    match read {
        Ok(size) if &header == HEADER => Ok(size),
        Ok(_) => Err(damaged(path, "the file is not a SQLite database")),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(damaged(path, "the file is cut off")),
        Err(error) => {
            Err(Error::new(ErrorKind::Storage, "open the database").on(path.display().to_string()).from_source(error))
        }
    }
}

async fn look_inside(connection: &mut SqliteConnection, path: &Path, check: bool, latest: i64) -> Result<()> {
    let opening = failed(path, "open the database");
    if check {
        let found: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(&opening)?;
        if found != "ok" {
            return Err(damaged(path, &found));
        }
    }
    let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'")
        .fetch_one(&mut *connection)
        .await
        .map_err(&opening)?;
    let refuse = |cause: String| {
        Error::new(ErrorKind::Storage, "open the database").on(path.display().to_string()).because(cause)
    };
    match schema_version(&mut *connection).await.map_err(&opening)? {
        None if tables > 0 => {
            Err(refuse("it was not made by Reanimator".to_owned()).next("give another data directory"))
        }
        Some(version) if version > latest => {
            let writer = written_by(connection).await;
            Err(refuse(format!(
                "it was written by a newer Reanimator (version {} with tables of version {version}); this one is {} \
                 and knows tables up to version {latest}",
                writer.as_deref().unwrap_or("unknown"),
                env!("CARGO_PKG_VERSION"),
            ))
            .next("run the newer program, or restore a backup from before the upgrade; nothing was changed"))
        }
        _ => Ok(()),
    }
}

pub(super) fn latest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// The version of the tables; `None` where there is none noted.
async fn schema_version(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'")
        .fetch_one(&mut *connection)
        .await?;
    if there == 0 {
        return Ok(None);
    }
    let row = sqlx::query("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema_version'")
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Which program wrote it. A newer one may have put that elsewhere; then it is just not known.
async fn written_by(connection: &mut SqliteConnection) -> Option<String> {
    sqlx::query_scalar("SELECT value FROM meta WHERE key = 'written_by'")
        .fetch_optional(connection)
        .await
        .ok()
        .flatten()
}

fn damaged(path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Storage, "use the database")
        .on(path.display().to_string())
        .because(format!("it is damaged: {cause}"))
        .next(
            "stop the server, keep the damaged file (nothing was changed in it) and put a backup in its place, with its \
             -wal and -shm files removed; `sqlite3 FILE .recover` may still read parts of it",
        )
}

pub(super) fn failed<'a>(path: &'a Path, attempt: &'a str) -> impl Fn(sqlx::Error) -> Error + 'a {
    move |error| explain(path, attempt, error)
}

/// The primary result code, without the detail that SQLite adds in its upper bits.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

fn explain(path: &Path, attempt: &str, error: sqlx::Error) -> Error {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    const NOT_A_DATABASE: u32 = 26;
    let say = |kind| Error::new(kind, attempt).on(path.display().to_string());
    let described = match primary_code(&error) {
        Some(BUSY | LOCKED) => say(ErrorKind::Busy)
            .because("another program is writing to it")
            .next("try again; if it stays so, see which program holds the file"),
        Some(FULL) => say(ErrorKind::Storage)
            .because("no room is left on its disk")
            .next("make room there; what was stored before is safe, and later writes work as soon as there is room"),
        Some(IO) => say(ErrorKind::Storage)
            .because("the disk refused to read or write")
            .next("see whether the disk is full or failing (df, dmesg)"),
        Some(CORRUPT | NOT_A_DATABASE) => damaged(path, "SQLite finds its contents malformed"),
        Some(READ_ONLY | CANNOT_OPEN) => say(ErrorKind::Storage)
            .because("the file or its directory cannot be written to")
            .next("see who owns the data directory and whether its disk is mounted read-only"),
        _ => match &error {
            sqlx::Error::PoolTimedOut => say(ErrorKind::Busy)
                .because("earlier writes of this program are still waiting")
                .next("see whether the disk is slow or another program holds the file"),
            sqlx::Error::PoolClosed => say(ErrorKind::Storage).because("the store was closed"),
            _ => say(ErrorKind::Storage),
        },
    };
    described.from_source(error)
}

/// Whether it failed because such a name or id is there already.
pub(super) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether it failed because what it refers to is not there.
pub(super) fn is_dangling(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}
