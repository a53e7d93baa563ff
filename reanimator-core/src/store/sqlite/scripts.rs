//! Prepared scripts.

use async_trait::async_trait;
use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments};

use crate::{Result, model::StoredScript, store::ScriptStore};

use super::{SqliteStore, commit, from_json, to_json};

#[async_trait]
impl ScriptStore for SqliteStore {
    async fn scripts(&self) -> Result<Vec<StoredScript>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM scripts ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the scripts"))?;
        rows.iter().map(|text| from_json(&self.main, "script", text)).collect()
    }

    async fn script(&self, name: &str) -> Result<Option<StoredScript>> {
        let row: Option<String> = sqlx::query_scalar("SELECT data FROM scripts WHERE name = ?")
            .bind(name)
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a script"))?;
        row.map(|text| from_json(&self.main, "script", &text)).transpose()
    }

    async fn add_script(&self, script: &StoredScript) -> Result<bool> {
        let query = sqlx::query("INSERT INTO scripts (name, data) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
            .bind(&script.script.name)
            .bind(to_json("a script", script)?);
        self.change_script("store a script", query).await
    }

    async fn replace_script(&self, script: &StoredScript) -> Result<bool> {
        let query = sqlx::query("UPDATE scripts SET data = ?2 WHERE name = ?1")
            .bind(&script.script.name)
            .bind(to_json("a script", script)?);
        self.change_script("change a script", query).await
    }

    async fn delete_script(&self, name: &str) -> Result<bool> {
        self.change_script("delete a script", sqlx::query("DELETE FROM scripts WHERE name = ?").bind(name)).await
    }
}

impl SqliteStore {
    /// Whether it changed anything.
    async fn change_script(&self, attempt: &str, query: Query<'_, Sqlite, SqliteArguments>) -> Result<bool> {
        let mut transaction = self.main.begin(attempt).await?;
        let done = query.execute(&mut *transaction).await.map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(done.rows_affected() > 0)
    }
}
