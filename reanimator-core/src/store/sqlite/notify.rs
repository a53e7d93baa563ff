//! Targets of notices, notices, and their deliveries.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use crate::{
    Error, ErrorKind, Result,
    model::{Delivery, DeliveryFilter, Notice, NotifyTarget},
    store::{NamedSecret, NotifyStore, NotifyTargetEdit, StoredNotice},
};

use super::{SqliteStore, commit, database, from_json, secrets, to_json};

/// The most deliveries that are read at once.
const MOST: u32 = 1_000;

/// A row of the outbox: number, target, and the rest.
type Row = (i64, String, String);

#[async_trait]
impl NotifyStore for SqliteStore {
    async fn notify_targets(&self) -> Result<Vec<NotifyTarget>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM notify_targets ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the targets of notices"))?;
        rows.iter().map(|data| from_json(&self.main, "target", data)).collect()
    }

    async fn insert_notify_target(&self, target: &NotifyTarget, secrets: &[NamedSecret]) -> Result<()> {
        let attempt = "store a target";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO notify_targets (name, data) VALUES (?, ?)")
            .bind(&target.name)
            .bind(to_json("a target", target)?)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match database::is_duplicate(&error) {
                true => Error::new(ErrorKind::Conflict, attempt)
                    .because(format!("one is called {:?} already", target.name))
                    .next("choose another name, or change that one"),
                false => self.main.failed(attempt)(error),
            })?;
        self.write_notify_secrets(&mut transaction, &target.owner(), secrets, attempt).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn edit_notify_target(
        &self,
        name: &str,
        edit: NotifyTargetEdit,
        stored: &[NamedSecret],
        deleted: &[&str],
    ) -> Result<NotifyTarget> {
        let attempt = "change a target";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM notify_targets WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let data = data.ok_or_else(|| missing(attempt, name))?;
        let target = NotifyTarget { name: name.to_owned(), ..edit(from_json(&self.main, "target", &data)?)? };
        sqlx::query("UPDATE notify_targets SET data = ? WHERE name = ?")
            .bind(to_json("a target", &target)?)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        for secret in deleted {
            sqlx::query("DELETE FROM secrets WHERE owner = ? AND name = ?")
                .bind(target.owner())
                .bind(*secret)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        self.write_notify_secrets(&mut transaction, &target.owner(), stored, attempt).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(target)
    }

    async fn remove_notify_target(&self, name: &str) -> Result<()> {
        let attempt = "remove a target";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        let removed = sqlx::query("DELETE FROM notify_targets WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if removed.rows_affected() == 0 {
            return Err(missing(attempt, name));
        }
        let owner = crate::model::notify_target::owner(name);
        for (delete, bound) in [
            ("DELETE FROM secrets WHERE owner = ?", owner.as_str()),
            ("DELETE FROM notify_outbox WHERE target = ?", name),
        ] {
            sqlx::query(delete).bind(bound).execute(&mut *transaction).await.map_err(&failed)?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn append_notices(&self, notices: &[Notice], cursor: Option<(&str, &str)>) -> Result<()> {
        let attempt = "take a notice";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        self.put_notices(&mut transaction, attempt, notices).await?;
        if let Some((name, value)) = cursor {
            sqlx::query(
                "INSERT INTO notify_cursors (name, value) VALUES (?, ?)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .bind(name)
            .bind(value)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn notices(&self, limit: u32) -> Result<Vec<StoredNotice>> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT number, data FROM notices ORDER BY number LIMIT ?")
            .bind(limit)
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the notices"))?;
        rows.into_iter()
            .map(|(number, data)| Ok(StoredNotice { number, notice: from_json(&self.main, "notice", &data)? }))
            .collect()
    }

    async fn give_out(&self, through: i64, deliveries: &[Delivery]) -> Result<()> {
        let attempt = "give notices to their targets";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        for delivery in deliveries {
            sqlx::query("INSERT INTO notify_outbox (target, state, data) VALUES (?, ?, ?)")
                .bind(&delivery.target)
                .bind(delivery.state.as_str())
                .bind(to_json("a delivery", delivery)?)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        sqlx::query("DELETE FROM notices WHERE number <= ?")
            .bind(through)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        commit(&self.main, attempt, transaction).await
    }

    async fn waiting_deliveries(&self, target: &str, limit: u32) -> Result<Vec<Delivery>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT number, target, data FROM notify_outbox WHERE target = ? AND state = 'waiting'
             ORDER BY number LIMIT ?",
        )
        .bind(target)
        .bind(limit)
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read what waits to be sent"))?;
        rows.into_iter().map(|row| self.delivery(row)).collect()
    }

    async fn waiting_critical(&self, target: &str, after: i64, limit: u32) -> Result<Vec<Delivery>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT number, target, data FROM notify_outbox WHERE target = ? AND state = 'waiting' AND number > ?
             AND json_extract(data, '$.notice.level') = 'critical' ORDER BY number LIMIT ?",
        )
        .bind(target)
        .bind(after)
        .bind(limit)
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read what waits to be sent"))?;
        rows.into_iter().map(|row| self.delivery(row)).collect()
    }

    async fn waiting_targets(&self) -> Result<Vec<(String, u64)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT target, COUNT(*) FROM notify_outbox WHERE state = 'waiting' GROUP BY target ORDER BY target",
        )
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("count what waits to be sent"))?;
        Ok(rows.into_iter().map(|(target, count)| (target, count.unsigned_abs())).collect())
    }

    async fn update_deliveries(&self, deliveries: &[Delivery]) -> Result<()> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let attempt = "note what became of a notice";
        let mut transaction = self.main.begin(attempt).await?;
        for delivery in deliveries {
            sqlx::query("UPDATE notify_outbox SET state = ?, data = ? WHERE number = ? AND target = ?")
                .bind(delivery.state.as_str())
                .bind(to_json("a delivery", delivery)?)
                .bind(delivery.number)
                .bind(&delivery.target)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT number, target, data FROM notify_outbox WHERE number < ");
        query.push_bind(filter.before.unwrap_or(i64::MAX));
        if let Some(target) = &filter.target {
            query.push(" AND target = ").push_bind(target.clone());
        }
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
        query.push(" ORDER BY number DESC LIMIT ").push_bind(filter.limit.min(MOST));
        let rows: Vec<Row> = query
            .build_query_as()
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read what was sent"))?;
        rows.into_iter().map(|row| self.delivery(row)).collect()
    }

    async fn prune_deliveries(&self, keep: u32) -> Result<u64> {
        let attempt = "delete what was sent long ago";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query(
            "DELETE FROM notify_outbox WHERE number IN (
                 SELECT number FROM (
                     SELECT number, ROW_NUMBER() OVER (PARTITION BY target ORDER BY number DESC) AS place
                     FROM notify_outbox WHERE state <> 'waiting'
                 ) WHERE place > ? LIMIT 10000)",
        )
        .bind(keep)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected())
    }

    async fn notify_cursor(&self, name: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT value FROM notify_cursors WHERE name = ?")
            .bind(name)
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read up to where was told"))
    }
}

impl SqliteStore {
    /// Takes notices, as part of a transaction: whatever tells of something writes both down at once.
    pub(super) async fn put_notices(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        attempt: &str,
        notices: &[Notice],
    ) -> Result<()> {
        for notice in notices {
            sqlx::query("INSERT INTO notices (data) VALUES (?)")
                .bind(to_json("a notice", notice)?)
                .execute(&mut **transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        }
        Ok(())
    }

    fn delivery(&self, (number, target, data): Row) -> Result<Delivery> {
        let delivery: Delivery = from_json(&self.main, "delivery", &data)?;
        Ok(Delivery { number, target, ..delivery })
    }

    async fn write_notify_secrets(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        owner: &str,
        stored: &[NamedSecret],
        attempt: &str,
    ) -> Result<()> {
        for (name, secret) in stored {
            let sealed = self.sealer.seal(owner, name, secret)?;
            let connection: &mut SqliteConnection = transaction;
            secrets::write(connection, owner, name, &sealed).await.map_err(self.main.failed(attempt))?;
        }
        Ok(())
    }
}

fn missing(attempt: &str, name: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    Error::new(ErrorKind::NotFound, attempt)
        .because(format!("none is called {name:?}"))
        .next("see `reanimator notify list`")
}
