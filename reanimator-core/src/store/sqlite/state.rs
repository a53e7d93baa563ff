//! What is known now.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};

use crate::{
    Result,
    model::{ConnectionId, HostId, HostView, Identity, Telemetry},
    store::{StateStore, StoredCluster},
};

use super::{SqliteStore, commit, from_json, timestamp, to_json};

/// Rows in one statement: few enough for SQLite's 32,766 parameters, enough that their number does not matter.
const ROWS: usize = 256;

/// A stored observation, unless it cannot be read.
fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(error = %crate::message(error), "a stored observation is left out")).ok()
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn put_views(&self, views: &[HostView]) -> Result<()> {
        if views.is_empty() {
            return Ok(());
        }
        let rows =
            views.iter().map(|view| Ok((view.id.as_str(), to_json("a view", view)?))).collect::<Result<Vec<_>>>()?;
        let attempt = "store what was seen";
        let mut transaction = self.main.begin(attempt).await?;
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("WITH fresh (host_id, data) AS (");
            query.push_values(rows, |mut row, (id, data)| {
                row.push_bind(*id).push_bind(data);
            });
            query.push(
                ") INSERT INTO views (host_id, data)
                 SELECT fresh.host_id, fresh.data FROM fresh JOIN hosts ON hosts.id = fresh.host_id WHERE true
                 ON CONFLICT (host_id) DO UPDATE SET data = excluded.data",
            );
            let query = query.build().persistent(false);
            query.execute(&mut *transaction).await.map_err(self.main.failed(attempt))?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn views(&self) -> Result<Vec<HostView>> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT views.data FROM views JOIN hosts ON hosts.id = views.host_id ORDER BY hosts.name",
        )
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read what was seen"))?;
        // What was seen is seen again in a moment: one that cannot be read must not keep the others from being shown.
        Ok(rows.iter().filter_map(|data| readable(from_json(&self.main, "view", data))).collect())
    }

    async fn put_identity(&self, host: &HostId, identity: &Identity) -> Result<()> {
        let attempt = "store who a host is";
        let data = to_json("an identity", identity)?;
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO identities (host_id, data) SELECT id, ?2 FROM hosts WHERE id = ?1
             ON CONFLICT (host_id) DO UPDATE SET data = excluded.data",
        )
        .bind(host.as_str())
        .bind(data)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn identity(&self, host: &HostId) -> Result<Option<Identity>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM identities WHERE host_id = ?")
            .bind(host.as_str())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read who a host is"))?;
        data.map(|data| from_json(&self.main, "identity", &data)).transpose()
    }

    async fn identities(&self) -> Result<BTreeMap<HostId, Identity>> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT host_id, data FROM identities")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read who the hosts are"))?;
        let identity =
            |(id, data): (String, String)| Some((HostId(id), readable(from_json(&self.main, "identity", &data))?));
        Ok(rows.into_iter().filter_map(identity).collect())
    }

    async fn put_telemetry(&self, telemetry: &[(HostId, Telemetry)]) -> Result<()> {
        if telemetry.is_empty() {
            return Ok(());
        }
        let rows = telemetry
            .iter()
            .map(|(id, telemetry)| Ok((id.as_str(), to_json("telemetry", telemetry)?)))
            .collect::<Result<Vec<_>>>()?;
        let attempt = "store telemetry";
        let mut transaction = self.telemetry.begin(attempt).await?;
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO latest (host_id, data) ");
            query.push_values(rows, |mut row, (id, data)| {
                row.push_bind(*id).push_bind(data);
            });
            query.push(" ON CONFLICT (host_id) DO UPDATE SET data = excluded.data");
            let query = query.build().persistent(false);
            query.execute(&mut *transaction).await.map_err(self.telemetry.failed(attempt))?;
        }
        commit(&self.telemetry, attempt, transaction).await
    }

    async fn telemetry(&self, host: &HostId) -> Result<Option<Telemetry>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM latest WHERE host_id = ?")
            .bind(host.as_str())
            .fetch_optional(self.telemetry.reader())
            .await
            .map_err(self.telemetry.failed("read telemetry"))?;
        data.map(|data| from_json(&self.telemetry, "telemetry", &data)).transpose()
    }

    async fn put_cluster(&self, connection: &ConnectionId, state: &str, at: Timestamp) -> Result<()> {
        let attempt = "store the state of a cluster";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO clusters (connection_id, at, state) SELECT id, ?2, ?3 FROM connections WHERE id = ?1
             ON CONFLICT (connection_id) DO UPDATE SET at = excluded.at, state = excluded.state",
        )
        .bind(connection.as_str())
        .bind(at.as_millisecond())
        .bind(state)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn clusters(&self) -> Result<Vec<StoredCluster>> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT connection_id, at, state FROM clusters ORDER BY rowid")
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read the clusters"))?;
        rows.into_iter()
            .map(|(connection, at, state)| {
                Ok(StoredCluster { connection: ConnectionId(connection), at: timestamp(at)?, state })
            })
            .collect()
    }
}
