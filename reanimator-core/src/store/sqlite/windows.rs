//! Maintenance windows and protections.

use async_trait::async_trait;

use crate::{
    Error, ErrorKind, Result,
    model::{Protection, Window},
    store::{WindowEdit, WindowStore},
};

use super::{SqliteStore, commit, database, from_json, to_json};

#[async_trait]
impl WindowStore for SqliteStore {
    async fn windows(&self) -> Result<Vec<Window>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM windows ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the maintenance windows"))?;
        rows.iter().map(|data| from_json(&self.main, "maintenance window", data)).collect()
    }

    async fn insert_window(&self, window: &Window) -> Result<()> {
        let attempt = "store a maintenance window";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO windows (name, data) VALUES (?, ?)")
            .bind(&window.name)
            .bind(to_json("a maintenance window", window)?)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match database::is_duplicate(&error) {
                true => Error::new(ErrorKind::Conflict, attempt)
                    .because(format!("one is called {:?} already", window.name))
                    .next("choose another name, or change that one"),
                false => self.main.failed(attempt)(error),
            })?;
        commit(&self.main, attempt, transaction).await
    }

    async fn edit_window(&self, name: &str, edit: WindowEdit) -> Result<Window> {
        let attempt = "change a maintenance window";
        let mut transaction = self.main.begin(attempt).await?;
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM windows WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        let data = data.ok_or_else(|| missing(attempt, name))?;
        let window = Window { name: name.to_owned(), ..edit(from_json(&self.main, "maintenance window", &data)?)? };
        sqlx::query("UPDATE windows SET data = ? WHERE name = ?")
            .bind(to_json("a maintenance window", &window)?)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(window)
    }

    async fn remove_window(&self, name: &str) -> Result<()> {
        let attempt = "remove a maintenance window";
        let mut transaction = self.main.begin(attempt).await?;
        let removed = sqlx::query("DELETE FROM windows WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if removed.rows_affected() == 0 {
            return Err(missing(attempt, name));
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn protections(&self) -> Result<Vec<Protection>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM protections ORDER BY thing")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read what is protected"))?;
        rows.iter().map(|data| from_json(&self.main, "protection", data)).collect()
    }

    async fn put_protection(&self, protection: &Protection) -> Result<()> {
        let attempt = "store a protection";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO protections (thing, data) VALUES (?, ?) ON CONFLICT (thing) DO UPDATE SET data = excluded.data",
        )
        .bind(&protection.thing)
        .bind(to_json("a protection", protection)?)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn remove_protection(&self, thing: &str) -> Result<bool> {
        let attempt = "remove a protection";
        let mut transaction = self.main.begin(attempt).await?;
        let removed = sqlx::query("DELETE FROM protections WHERE thing = ?")
            .bind(thing)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(removed.rows_affected() > 0)
    }
}

fn missing(attempt: &str, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, attempt)
        .because(format!("none is called {name:?}"))
        .next("see `reanimator window list`")
}
