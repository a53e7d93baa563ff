//! People, programs, and what they did.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection};

use crate::{
    Error, ErrorKind, Result,
    model::Role,
    store::{
        AccessStore, AuditEntry, AuditFilter, SecretHash, SessionRecord, StoredAuditEntry, TokenRecord, UserRecord,
    },
};

use super::{SqliteStore, commit, database, timestamp};

#[derive(FromRow)]
struct UserRow {
    name: String,
    password_hash: String,
    role: String,
    created_at: i64,
}

impl TryFrom<UserRow> for UserRecord {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        let UserRow { name, password_hash, role, created_at } = row;
        Ok(Self { name, password_hash, role: role.parse()?, created_at: timestamp(created_at)? })
    }
}

#[derive(FromRow)]
struct TokenRow {
    name: String,
    hash: Vec<u8>,
    role: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl TryFrom<TokenRow> for TokenRecord {
    type Error = Error;

    fn try_from(row: TokenRow) -> Result<Self> {
        let TokenRow { name, hash, role, created_at, last_used_at } = row;
        Ok(Self {
            name,
            hash: secret_hash(&hash)?,
            role: role.parse()?,
            created_at: timestamp(created_at)?,
            last_used_at: last_used_at.map(timestamp).transpose()?,
        })
    }
}

#[derive(FromRow)]
struct AuditRow {
    number: i64,
    at: i64,
    who: String,
    source: String,
    what: String,
    target: String,
    outcome: String,
}

impl TryFrom<AuditRow> for StoredAuditEntry {
    type Error = Error;

    fn try_from(row: AuditRow) -> Result<Self> {
        let AuditRow { number, at, who, source, what, target, outcome } = row;
        let entry = AuditEntry { at: timestamp(at)?, who, from: source, what, on: target, outcome };
        Ok(Self { number, entry })
    }
}

fn audit_query(filter: &AuditFilter, limit: u32) -> QueryBuilder<Sqlite> {
    let mut query =
        QueryBuilder::new("SELECT number, at, who, source, what, target, outcome FROM audit WHERE number < ");
    query
        .push_bind(filter.before.unwrap_or(i64::MAX))
        .push(" AND number > ")
        .push_bind(filter.after.unwrap_or(i64::MIN));
    if let Some(since) = filter.since {
        query.push(" AND at >= ").push_bind(since.as_millisecond());
    }
    if let Some(until) = filter.until {
        query.push(" AND at < ").push_bind(until.as_millisecond());
    }
    let texts = [
        ("who", &filter.who),
        ("source", &filter.from),
        ("what", &filter.what),
        ("target", &filter.on),
        ("outcome", &filter.outcome),
    ];
    for (column, wanted) in texts {
        let Some(wanted) = wanted else { continue };
        let (not, pattern) = wanted.strip_prefix('!').map_or(("", wanted.as_str()), |rest| (" NOT", rest));
        query.push(format!(" AND {column}{not} GLOB ")).push_bind(glob(pattern));
    }
    query.push(if filter.after.is_some() { " ORDER BY number LIMIT " } else { " ORDER BY number DESC LIMIT " });
    query.push_bind(limit);
    query
}

/// A pattern in which only `*` has a meaning, as SQLite reads it.
fn glob(pattern: &str) -> String {
    pattern.replace('[', "[[]").replace('?', "[?]")
}

fn secret_hash(bytes: &[u8]) -> Result<SecretHash> {
    bytes.try_into().map(SecretHash).map_err(|_| {
        Error::new(ErrorKind::Storage, "read a stored hash").because(format!("it has {} bytes, not 32", bytes.len()))
    })
}

#[async_trait]
impl AccessStore for SqliteStore {
    async fn users(&self) -> Result<Vec<UserRecord>> {
        let rows: Vec<UserRow> =
            sqlx::query_as("SELECT name, password_hash, role, created_at FROM users ORDER BY name")
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read the users"))?;
        rows.into_iter().map(UserRecord::try_from).collect()
    }

    async fn user(&self, name: &str) -> Result<Option<UserRecord>> {
        let row: Option<UserRow> =
            sqlx::query_as("SELECT name, password_hash, role, created_at FROM users WHERE name = ?")
                .bind(name)
                .fetch_optional(self.main.reader())
                .await
                .map_err(self.main.failed("read a user"))?;
        row.map(UserRecord::try_from).transpose()
    }

    async fn insert_user(&self, user: &UserRecord) -> Result<()> {
        let attempt = format!("add user {:?}", user.name);
        let mut transaction = self.main.begin(&attempt).await?;
        self.write_user(&mut transaction, &attempt, user).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn update_user(&self, name: &str, role: Option<Role>, password_hash: Option<&str>) -> Result<()> {
        let attempt = format!("change user {name:?}");
        let failed = self.main.failed(&attempt);
        let mut transaction = self.main.begin(&attempt).await?;
        let changed = sqlx::query(
            "UPDATE users SET role = COALESCE(?2, role), password_hash = COALESCE(?3, password_hash) WHERE name = ?1",
        )
        .bind(name)
        .bind(role.map(Role::as_str))
        .bind(password_hash)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if changed.rows_affected() == 0 {
            return Err(missing(&attempt, "user"));
        }
        if password_hash.is_some() {
            sqlx::query("DELETE FROM sessions WHERE user = ?")
                .bind(name)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        self.keep_an_admin(&mut transaction, &attempt).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn remove_user(&self, name: &str) -> Result<()> {
        let attempt = format!("remove user {name:?}");
        let mut transaction = self.main.begin(&attempt).await?;
        let deleted = sqlx::query("DELETE FROM users WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(&attempt))?;
        if deleted.rows_affected() == 0 {
            return Err(missing(&attempt, "user"));
        }
        self.keep_an_admin(&mut transaction, &attempt).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn put_setup_token(&self, hash: &SecretHash, expires_at: Timestamp) -> Result<()> {
        let attempt = "store the set-up token";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT OR REPLACE INTO setup_token (id, hash, expires_at) VALUES (1, ?, ?)")
            .bind(&hash.0[..])
            .bind(expires_at.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn complete_setup(&self, hash: &SecretHash, user: &UserRecord, now: Timestamp) -> Result<()> {
        let attempt = "set up the first user";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        let used = sqlx::query(
            "DELETE FROM setup_token WHERE hash = ? AND expires_at > ? AND NOT EXISTS (SELECT 1 FROM users)",
        )
        .bind(&hash.0[..])
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if used.rows_affected() == 0 {
            return Err(Error::new(ErrorKind::Denied, attempt)
                .because("the set-up link is not valid: it was used, is too old, or a newer one was printed")
                .next("restart the server and open the link it prints, or run `reanimator user add`"));
        }
        self.write_user(&mut transaction, attempt, user).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn insert_session(&self, session: &SessionRecord) -> Result<()> {
        let attempt = "begin a session";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
            .bind(session.created_at.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query("INSERT INTO sessions (hash, user, created_at, expires_at) VALUES (?, ?, ?, ?)")
            .bind(&session.hash.0[..])
            .bind(&session.user)
            .bind(session.created_at.as_millisecond())
            .bind(session.expires_at.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(|error| if database::is_dangling(&error) { missing(attempt, "user") } else { failed(error) })?;
        commit(&self.main, attempt, transaction).await
    }

    async fn session(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<(SessionRecord, UserRecord)>> {
        type Joined = (i64, i64, String, String, String, i64);
        let row: Option<Joined> = sqlx::query_as(
            "SELECT sessions.created_at, sessions.expires_at, users.name, users.password_hash, users.role, users.created_at
             FROM sessions JOIN users ON users.name = sessions.user
             WHERE sessions.hash = ? AND sessions.expires_at > ?",
        )
        .bind(&hash.0[..])
        .bind(now.as_millisecond())
        .fetch_optional(self.main.reader())
        .await
        .map_err(self.main.failed("read a session"))?;
        row.map(|(began, ends, name, password_hash, role, created_at)| {
            let user = UserRecord::try_from(UserRow { name, password_hash, role, created_at })?;
            let session = SessionRecord {
                hash: *hash,
                user: user.name.clone(),
                created_at: timestamp(began)?,
                expires_at: timestamp(ends)?,
            };
            Ok((session, user))
        })
        .transpose()
    }

    async fn delete_session(&self, hash: &SecretHash) -> Result<bool> {
        let attempt = "end a session";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query("DELETE FROM sessions WHERE hash = ?")
            .bind(&hash.0[..])
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        let rows: Vec<TokenRow> =
            sqlx::query_as("SELECT name, hash, role, created_at, last_used_at FROM tokens ORDER BY name")
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read the tokens"))?;
        rows.into_iter().map(TokenRecord::try_from).collect()
    }

    async fn token(&self, hash: &SecretHash) -> Result<Option<TokenRecord>> {
        let row: Option<TokenRow> =
            sqlx::query_as("SELECT name, hash, role, created_at, last_used_at FROM tokens WHERE hash = ?")
                .bind(&hash.0[..])
                .fetch_optional(self.main.reader())
                .await
                .map_err(self.main.failed("read a token"))?;
        row.map(TokenRecord::try_from).transpose()
    }

    async fn insert_token(&self, token: &TokenRecord) -> Result<()> {
        let attempt = format!("add token {:?}", token.name);
        let mut transaction = self.main.begin(&attempt).await?;
        sqlx::query("INSERT INTO tokens (name, hash, role, created_at) VALUES (?, ?, ?, ?)")
            .bind(&token.name)
            .bind(&token.hash.0[..])
            .bind(token.role.as_str())
            .bind(token.created_at.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(|error| {
                if database::is_duplicate(&error) {
                    taken(&attempt, "token")
                } else {
                    self.main.failed(&attempt)(error)
                }
            })?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn touch_token(&self, name: &str, at: Timestamp) -> Result<()> {
        let attempt = "note that a token was used";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("UPDATE tokens SET last_used_at = ? WHERE name = ?")
            .bind(at.as_millisecond())
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn remove_token(&self, name: &str) -> Result<()> {
        let attempt = format!("revoke token {name:?}");
        let mut transaction = self.main.begin(&attempt).await?;
        let deleted = sqlx::query("DELETE FROM tokens WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(&attempt))?;
        if deleted.rows_affected() == 0 {
            return Err(missing(&attempt, "token"));
        }
        commit(&self.main, &attempt, transaction).await
    }

    async fn append_audit(&self, entry: &AuditEntry) -> Result<()> {
        let attempt = "write to the audit trail";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO audit (at, who, source, what, target, outcome) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(entry.at.as_millisecond())
            .bind(&entry.who)
            .bind(&entry.from)
            .bind(&entry.what)
            .bind(&entry.on)
            .bind(&entry.outcome)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn find_audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<StoredAuditEntry>> {
        let rows: Vec<AuditRow> = audit_query(filter, limit)
            .build_query_as()
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the audit trail"))?;
        rows.into_iter().map(StoredAuditEntry::try_from).collect()
    }
}

impl SqliteStore {
    async fn write_user(&self, connection: &mut SqliteConnection, attempt: &str, user: &UserRecord) -> Result<()> {
        sqlx::query("INSERT INTO users (name, password_hash, role, created_at) VALUES (?, ?, ?, ?)")
            .bind(&user.name)
            .bind(&user.password_hash)
            .bind(user.role.as_str())
            .bind(user.created_at.as_millisecond())
            .execute(connection)
            .await
            .map(drop)
            .map_err(|error| {
                if database::is_duplicate(&error) { taken(attempt, "user") } else { self.main.failed(attempt)(error) }
            })
    }

    /// Refuses, before the commit, a change that leaves nobody who could undo it.
    async fn keep_an_admin(&self, connection: &mut SqliteConnection, attempt: &str) -> Result<()> {
        let admins: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE role = ?")
            .bind(Role::Admin.as_str())
            .fetch_one(connection)
            .await
            .map_err(self.main.failed(attempt))?;
        if admins > 0 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, attempt)
            .because("no admin would be left")
            .next("make somebody else an admin first"))
    }
}

fn taken(attempt: &str, what: &str) -> Error {
    Error::new(ErrorKind::Conflict, attempt)
        .because(format!("there is a {what} of that name"))
        .next("give another name")
}

fn missing(attempt: &str, what: &str) -> Error {
    Error::new(ErrorKind::NotFound, attempt).because(format!("there is no {what} of that name"))
}
