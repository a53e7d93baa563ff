//! Facts that are collected slowly.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, Transaction};

use crate::{
    Error, ErrorKind, Result,
    model::NewChange,
    store::{FactsStore, NewFacts, StoredFacts},
};

use super::{SqliteStore, changes, commit, timestamp};

/// Rows in one statement.
const ROWS: usize = 256;

type Row = (String, String, i64, String);

#[async_trait]
impl FactsStore for SqliteStore {
    async fn put_facts_with_changes(&self, facts: &[NewFacts], changes: &[NewChange]) -> Result<()> {
        if facts.is_empty() && changes.is_empty() {
            return Ok(());
        }
        let attempt = "store facts";
        facts.iter().try_for_each(is_json)?;
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        write(&mut transaction, facts).await.map_err(&failed)?;
        changes::write(&mut transaction, changes).await.map_err(&failed)?;
        commit(&self.main, attempt, transaction).await
    }

    async fn facts(&self, entity: &str) -> Result<Vec<StoredFacts>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT entity, section, at, data FROM facts WHERE entity = ? ORDER BY section")
                .bind(entity)
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read facts"))?;
        rows.into_iter().map(stored).collect()
    }

    async fn facts_of_section(&self, section: &str) -> Result<Vec<StoredFacts>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT entity, section, at, data FROM facts WHERE section = ? ORDER BY entity")
                .bind(section)
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read facts"))?;
        rows.into_iter().map(stored).collect()
    }

    async fn remove_facts(&self, entity: &str) -> Result<u64> {
        let attempt = "remove facts";
        let mut transaction = self.main.begin(attempt).await?;
        let removed = sqlx::query("DELETE FROM facts WHERE entity = ?")
            .bind(entity)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(removed.rows_affected())
    }
}

fn is_json(facts: &NewFacts) -> Result<()> {
    serde_json::from_str::<serde::de::IgnoredAny>(&facts.json).map(drop).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("store the facts {:?}", facts.section))
            .on(&*facts.entity)
            .because("they are no JSON")
            .from_source(error)
    })
}

async fn write(transaction: &mut Transaction<'_, Sqlite>, facts: &[NewFacts]) -> Result<(), sqlx::Error> {
    for facts in facts.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH fresh (entity, section, at, data) AS (");
        query.push_values(facts, |mut row, facts| {
            row.push_bind(&facts.entity)
                .push_bind(&facts.section)
                .push_bind(facts.at.as_millisecond())
                .push_bind(&facts.json);
        });
        query.push(
            ") INSERT INTO facts (entity, section, at, data) SELECT * FROM fresh
             WHERE entity NOT LIKE 'host:%' OR EXISTS (SELECT 1 FROM hosts WHERE id = substr(fresh.entity, 6))
             ON CONFLICT (entity, section) DO UPDATE SET at = excluded.at, data = excluded.data",
        );
        query.build().persistent(false).execute(&mut **transaction).await?;
    }
    Ok(())
}

fn stored((entity, section, at, json): Row) -> Result<StoredFacts> {
    Ok(StoredFacts { entity, section, at: timestamp(at)?, json })
}
