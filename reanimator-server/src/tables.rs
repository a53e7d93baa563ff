//! The fleet's tables as JSON, made once for all who ask within a moment.
//!
//! Fifty people looking at the same thousand guests cost one table. A table is at most [`FRESH`] old; each row names
//! the time at which it was seen.

use std::{sync::Arc, time::Duration};

use reanimator_core::{Error, ErrorKind, Fleet, Result};
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

/// How old tables may be: the age of what is in them is ten times that.
const FRESH: Duration = Duration::from_millis(500);

/// All tables, as JSON.
pub(crate) struct JsonTables {
    pub(crate) overview: Value,
    pub(crate) nodes: Vec<Value>,
    pub(crate) vms: Vec<Value>,
    pub(crate) storages: Vec<Value>,
    pub(crate) interfaces: Vec<Value>,
    pub(crate) clusters: Vec<Value>,
}

/// The tables that were last made.
#[derive(Default)]
pub(crate) struct TableCache(Mutex<Option<(Instant, Arc<JsonTables>)>>);

impl TableCache {
    /// The tables; while one makes them, others wait for them.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub(crate) async fn get(&self, fleet: &Fleet) -> Result<Arc<JsonTables>> {
        let mut kept = self.0.lock().await;
        if let Some((made, tables)) = kept.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
            tracing::trace!(age = ?made.elapsed(), "tables used again");
            return Ok(tables.clone());
        }
        let tables = fleet.tables().await?;
        let tables = Arc::new(JsonTables {
            overview: json(&tables.overview)?,
            nodes: rows(&tables.nodes)?,
            vms: rows(&tables.vms)?,
            storages: rows(&tables.storages)?,
            interfaces: rows(&tables.interfaces)?,
            clusters: rows(&tables.clusters)?,
        });
        *kept = Some((Instant::now(), tables.clone()));
        Ok(tables)
    }
}

fn rows<T: Serialize>(rows: &[T]) -> Result<Vec<Value>> {
    rows.iter().map(json).collect()
}

fn json<T: Serialize>(data: &T) -> Result<Value> {
    serde_json::to_value(data)
        .map_err(|error| Error::new(ErrorKind::Internal, "write a table as JSON").from_source(error))
}
