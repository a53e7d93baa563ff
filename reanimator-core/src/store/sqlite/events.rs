//! Events and matches.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Result,
    model::{Event, Match, MatchId},
    store::{EventStore, MatchStore, StoredEvent},
};

use super::{SqliteStore, commit, database, from_json, to_json};

#[async_trait]
impl EventStore for SqliteStore {
    async fn append_events(&self, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let attempt = "store events";
        let mut transaction = self.main.begin(attempt).await?;
        for event in events {
            sqlx::query("INSERT INTO events (at, data) VALUES (?, ?)")
                .bind(event.at.as_millisecond())
                .bind(to_json("an event", event)?)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT number, data FROM events WHERE number > ? ORDER BY number LIMIT ?")
                .bind(after)
                .bind(limit)
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read the events"))?;
        rows.into_iter()
            .map(|(number, data)| Ok(StoredEvent { number, event: from_json(&self.main, "event", &data)? }))
            .collect()
    }

    async fn prune_events(&self, before: Timestamp) -> Result<u64> {
        let attempt = "delete old events";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query(
            "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE at < ? ORDER BY at LIMIT 10000)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected())
    }
}

#[async_trait]
impl MatchStore for SqliteStore {
    async fn put_match(&self, pair: &Match) -> Result<()> {
        let attempt = "store a match";
        let data = to_json("a match", pair)?;
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO matches (id, host_id, other, data) VALUES (?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET host_id = excluded.host_id, other = excluded.other, data = excluded.data",
        )
        .bind(pair.id.as_str())
        .bind(pair.host.as_str())
        .bind(&pair.other)
        .bind(data)
        .execute(&mut *transaction)
        .await
        .map_err(|error| {
            if database::is_duplicate(&error) {
                Error::new(ErrorKind::Conflict, attempt)
                    .because("the same pair is stored already")
                    .next("read it again")
            } else if database::is_dangling(&error) {
                Error::new(ErrorKind::NotFound, attempt)
                    .on(pair.host.as_str())
                    .because("there is no such host any more")
            } else {
                self.main.failed(attempt)(error)
            }
        })?;
        commit(&self.main, attempt, transaction).await
    }

    async fn get_match(&self, id: &MatchId) -> Result<Option<Match>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM matches WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a match"))?;
        data.map(|data| from_json(&self.main, "match", &data)).transpose()
    }

    async fn matches(&self) -> Result<Vec<Match>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM matches ORDER BY rowid")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the matches"))?;
        rows.iter().map(|data| from_json(&self.main, "match", data)).collect()
    }

    async fn delete_match(&self, id: &MatchId) -> Result<bool> {
        let attempt = "delete a match";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query("DELETE FROM matches WHERE id = ?")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
