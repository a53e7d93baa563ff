//! Secrets, sealed before they come here.

use std::path::Path;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use secrecy::SecretString;
use sqlx::SqliteConnection;

use crate::{
    Error, ErrorKind, Result,
    store::{KeySource, SecretStore, seal::Sealer},
};

use super::{SqliteStore, commit, database::Database};

/// Under this key in `meta` lies what tells the right master key from a wrong one.
const CHECK: &str = "master_key_check";

/// The sealer for this store's secrets, whose key is the one they were sealed under; on first use the key is made.
pub(super) async fn sealer(main: &Database, directory: &Path, source: &KeySource) -> Result<Sealer> {
    let attempt = "check the master key";
    let failed = main.failed(attempt);
    let mut transaction = main.begin(attempt).await?;
    let check: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?")
        .bind(CHECK)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&failed)?;
    let sealer = Sealer::new(source.key(directory, check.is_none())?);
    match check {
        Some(check) => {
            if !BASE64.decode(&check).is_ok_and(|check| sealer.is_right_key(&check)) {
                return Err(Error::new(ErrorKind::Storage, "use the master key")
                    .on(directory.display().to_string())
                    .because("it is not the one that the stored secrets were encrypted under")
                    .next(
                        "give the key that was used before (master.key in the data directory or REANIMATOR_MASTER_KEY)",
                    ));
            }
        }
        None => {
            let check = BASE64.encode(sealer.check_value()?);
            note_check(&mut transaction, &check).await.map_err(&failed)?;
            commit(main, attempt, transaction).await?;
        }
    }
    Ok(sealer)
}

/// Notes what tells the right master key from a wrong one.
pub(super) async fn note_check(connection: &mut SqliteConnection, check: &str) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .bind(CHECK)
        .bind(check)
        .execute(connection)
        .await
        .map(drop)
}

/// Writes a sealed secret in place of what was there.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    owner: &str,
    name: &str,
    sealed: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO secrets (owner, name, sealed) VALUES (?, ?, ?)
         ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(owner)
    .bind(name)
    .bind(sealed)
    .execute(connection)
    .await
    .map(drop)
}

#[async_trait]
impl SecretStore for SqliteStore {
    async fn put_secret(&self, owner: &str, name: &str, secret: &SecretString) -> Result<()> {
        let attempt = "store a secret";
        let sealed = self.sealer.seal(owner, name, secret)?;
        let mut transaction = self.main.begin(attempt).await?;
        write(&mut transaction, owner, name, &sealed).await.map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn get_secret(&self, owner: &str, name: &str) -> Result<Option<SecretString>> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE owner = ? AND name = ?")
            .bind(owner)
            .bind(name)
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a secret"))?;
        sealed.map(|sealed| self.sealer.open(owner, name, &sealed)).transpose()
    }

    async fn secret_names(&self, owner: &str) -> Result<Vec<String>> {
        sqlx::query_scalar("SELECT name FROM secrets WHERE owner = ? ORDER BY name")
            .bind(owner)
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the names of secrets"))
    }

    async fn delete_secret(&self, owner: &str, name: &str) -> Result<bool> {
        let attempt = "delete a secret";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query("DELETE FROM secrets WHERE owner = ? AND name = ?")
            .bind(owner)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
