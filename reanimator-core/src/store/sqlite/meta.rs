//! Settings, and who serves.

use std::{fs::TryLockError, sync::PoisonError, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Result,
    store::{LeaseHolder, MetaStore, StoreSizes},
};

use super::{SqliteStore, commit, from_json, lock_file, to_json};

#[async_trait]
impl MetaStore for SqliteStore {
    async fn setting(&self, key: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT value FROM settings WHERE key = ?")
            .bind(key)
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a setting"))
    }

    async fn put_setting(&self, key: &str, value: Option<&str>) -> Result<()> {
        let attempt = format!("store the setting {key:?}");
        let mut transaction = self.main.begin(&attempt).await?;
        let query = match value {
            Some(value) => sqlx::query(
                "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )
            .bind(key)
            .bind(value),
            None => sqlx::query("DELETE FROM settings WHERE key = ?").bind(key),
        };
        query.execute(&mut *transaction).await.map_err(self.main.failed(&attempt))?;
        commit(&self.main, &attempt, transaction).await
    }

    /// The lock on `server.lock` decides: it goes at once with a server that was killed, whatever is left of its
    /// lease. The lease says who it is.
    async fn acquire_server_lease(&self, holder: &LeaseHolder, now: Timestamp, ttl: Duration) -> Result<()> {
        let lock = lock_file(&self.directory, "server.lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.served_by_another(now).await),
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(ErrorKind::Storage, "lock the data directory")
                    .on(self.location())
                    .from_source(error));
            }
        }
        let attempt = "note who serves";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT OR REPLACE INTO server_lease (id, holder_id, holder, expires_at) VALUES (1, ?, ?, ?)")
            .bind(&holder.id)
            .bind(to_json("a lease", holder)?)
            .bind(expiry(now, ttl))
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        *self.server_lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        Ok(())
    }

    async fn renew_server_lease(&self, holder: &LeaseHolder, now: Timestamp, ttl: Duration) -> Result<()> {
        let attempt = "stay the server";
        let mut transaction = self.main.begin(attempt).await?;
        let renewed = sqlx::query("UPDATE server_lease SET expires_at = ? WHERE holder_id = ?")
            .bind(expiry(now, ttl))
            .bind(&holder.id)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if renewed.rows_affected() == 0 {
            return Err(Error::new(ErrorKind::Conflict, attempt)
                .on(self.location())
                .because("the lease is not ours any more")
                .next("stop serving"));
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn release_server_lease(&self, holder: &LeaseHolder) -> Result<()> {
        let attempt = "stop being the server";
        let mut transaction = self.main.begin(attempt).await?;
        let released = sqlx::query("DELETE FROM server_lease WHERE holder_id = ?")
            .bind(&holder.id)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        if released.rows_affected() > 0 {
            *self.server_lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }

    async fn server(&self, now: Timestamp) -> Result<Option<LeaseHolder>> {
        let holder: Option<String> = sqlx::query_scalar("SELECT holder FROM server_lease WHERE expires_at > ?")
            .bind(now.as_millisecond())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read who serves"))?;
        holder.map(|holder| from_json(&self.main, "lease", &holder)).transpose()
    }

    async fn sizes(&self) -> Result<StoreSizes> {
        Ok(StoreSizes { database_bytes: self.main.size()?, history_bytes: self.telemetry.size()? })
    }

    fn location(&self) -> String {
        self.directory.display().to_string()
    }

    async fn close(&self) {
        self.main.close().await;
        self.telemetry.close().await;
    }
}

impl SqliteStore {
    async fn served_by_another(&self, now: Timestamp) -> Error {
        let error = Error::new(ErrorKind::Conflict, "serve this data directory")
            .on(self.location())
            .next("stop the other server or give this one another data directory");
        match self.server(now).await {
            Ok(Some(holder)) => error.because(format!("it is served already by {holder}")),
            Ok(None) => error.because("another server is just starting or stopping on it"),
            Err(cause) => error.because("another server holds it").from_source(cause),
        }
    }
}

fn expiry(now: Timestamp, ttl: Duration) -> i64 {
    let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_add(ttl)
}
