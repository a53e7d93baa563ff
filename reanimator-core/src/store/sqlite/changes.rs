//! What differed from last time.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, Transaction};

use crate::{
    Error, ErrorKind, Result,
    model::{Change, ChangeFilter, NewChange},
    store::ChangeStore,
};

use super::{SqliteStore, commit, timestamp};

/// Rows in one statement.
const ROWS: usize = 256;
/// Changes in one answer.
const MOST: u32 = 1_000;
/// Characters of a pattern: it is compared with many paths, and a long one costs the more.
const PATTERN: usize = 200;

type Row = (i64, String, String, Option<String>, Option<String>, i64);

#[async_trait]
impl ChangeStore for SqliteStore {
    async fn append_changes(&self, changes: &[NewChange]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let attempt = "store what changed";
        let mut transaction = self.main.begin(attempt).await?;
        write(&mut transaction, changes).await.map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, entity, field, old_value, new_value, created_at FROM changes WHERE true",
        );
        if let Some(entity) = &filter.entity {
            query.push(" AND entity = ").push_bind(entity);
        }
        if let Some(pattern) = &filter.field {
            query.push(" AND field GLOB ").push_bind(short(pattern)?);
        }
        if let Some(before) = filter.before {
            query.push(" AND id < ").push_bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(filter.limit.min(MOST));
        let rows: Vec<Row> = query
            .build_query_as()
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read what changed"))?;
        rows.into_iter().map(change).collect()
    }

    async fn prune_changes(&self, before: Timestamp) -> Result<u64> {
        let attempt = "delete old changes";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query(
            "DELETE FROM changes
             WHERE id IN (SELECT id FROM changes WHERE created_at < ? ORDER BY created_at LIMIT 10000)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected())
    }
}

fn short(pattern: &str) -> Result<&str> {
    if pattern.chars().count() <= PATTERN {
        return Ok(pattern);
    }
    Err(Error::new(ErrorKind::Invalid, "read what changed")
        .because(format!("the pattern has more than {PATTERN} characters"))
        .next("give a shorter one"))
}

pub(super) async fn write(transaction: &mut Transaction<'_, Sqlite>, changes: &[NewChange]) -> Result<(), sqlx::Error> {
    for changes in changes.chunks(ROWS) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT INTO changes (entity, field, old_value, new_value, created_at) ");
        query.push_values(changes, |mut row, change| {
            row.push_bind(&change.entity)
                .push_bind(&change.field)
                .push_bind(&change.old_value)
                .push_bind(&change.new_value)
                .push_bind(change.created_at.as_millisecond());
        });
        query.build().persistent(false).execute(&mut **transaction).await?;
    }
    Ok(())
}

fn change((id, entity, field, old_value, new_value, at): Row) -> Result<Change> {
    Ok(Change { id, entity, field, old_value, new_value, created_at: timestamp(at)? })
}
