//! The history of a copy, added to ours: what we have of the same time stays.
//!
//! Some at a time, so that what is seen now is written in between. What was added is right however far it came: it is
//! the same data under the same names, and adding it again changes nothing.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use crate::{
    Result,
    store::sqlite::{SqliteStore, database},
};

/// Series whose chunks are added in one transaction.
const SERIES_AT_ONCE: i64 = 100;
/// Minutes whose samples are: those of an hour are packed soon.
const MINUTES_AT_ONCE: i64 = 30;

/// Copies of what `?1` to `?2` of the copy's series have.
const BY_SERIES: [&str; 3] = [
    "INSERT OR IGNORE INTO main.chunks (series, tier, begin, points)
     SELECT ours.id, chunks.tier, chunks.begin, chunks.points FROM copy.series AS theirs
     JOIN main.series AS ours ON ours.entity = theirs.entity
     JOIN copy.chunks AS chunks ON chunks.series = theirs.id WHERE theirs.id BETWEEN ?1 AND ?2",
    "INSERT OR IGNORE INTO main.averages (series, at, version, rows, figures)
     SELECT ours.id, averages.at, averages.version, averages.rows, averages.figures FROM copy.series AS theirs
     JOIN main.series AS ours ON ours.entity = theirs.entity
     JOIN copy.averages AS averages ON averages.series = theirs.id WHERE theirs.id BETWEEN ?1 AND ?2",
    "UPDATE main.series SET
         quarters_due = MIN(COALESCE(main.series.quarters_due, theirs.quarters_due),
                            COALESCE(theirs.quarters_due, main.series.quarters_due)),
         six_hours_due = MIN(COALESCE(main.series.six_hours_due, theirs.six_hours_due),
                             COALESCE(theirs.six_hours_due, main.series.six_hours_due))
     FROM copy.series AS theirs WHERE theirs.entity = main.series.entity AND theirs.id BETWEEN ?1 AND ?2",
];

const SAMPLES: &str = "INSERT OR IGNORE INTO main.samples (minute, series, at, version, figures)
     SELECT samples.minute, ours.id, samples.at, samples.version, samples.figures FROM copy.samples AS samples
     JOIN copy.series AS theirs ON theirs.id = samples.series
     JOIN main.series AS ours ON ours.entity = theirs.entity WHERE samples.minute BETWEEN ?1 AND ?2";

impl SqliteStore {
    /// Adds the history in that file.
    pub(in crate::store::sqlite) async fn add_history(&self, copy: &Path) -> Result<()> {
        let failed = self.telemetry.failed("add the history of the backup");
        let mut connection = self.telemetry.attach(copy).await?;
        let mut first = connection.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        for insert in [
            // Numbers that were given stay given: other programs remember them.
            "INSERT OR IGNORE INTO main.series (entity) SELECT entity FROM copy.series ORDER BY id",
            "INSERT OR IGNORE INTO main.latest (host_id, data) SELECT host_id, data FROM copy.latest",
        ] {
            sqlx::query(insert).execute(&mut *first).await.map_err(&failed)?;
        }
        first.commit().await.map_err(&failed)?;
        let ends = ends(&mut connection, "SELECT MIN(id), MAX(id) FROM copy.series").await.map_err(&failed)?;
        in_parts(&mut connection, ends, SERIES_AT_ONCE, &BY_SERIES).await.map_err(&failed)?;
        let ends = ends_of_samples(&mut connection).await.map_err(&failed)?;
        in_parts(&mut connection, ends, MINUTES_AT_ONCE, &[SAMPLES]).await.map_err(&failed)?;
        connection.close().await.map_err(database::failed(self.telemetry.path(), "close the backup's history"))
    }
}

type Ends = (Option<i64>, Option<i64>);

async fn ends(connection: &mut SqliteConnection, query: &'static str) -> Result<Ends, sqlx::Error> {
    sqlx::query_as(query).fetch_one(connection).await
}

async fn ends_of_samples(connection: &mut SqliteConnection) -> Result<Ends, sqlx::Error> {
    ends(connection, "SELECT MIN(minute), MAX(minute) FROM copy.samples").await
}

async fn in_parts(
    connection: &mut SqliteConnection,
    ends: Ends,
    at_once: i64,
    statements: &[&'static str],
) -> Result<(), sqlx::Error> {
    let (Some(mut first), Some(last)) = ends else { return Ok(()) };
    while first <= last {
        let until = first.saturating_add(at_once - 1);
        let mut part = connection.begin_with("BEGIN IMMEDIATE").await?;
        for statement in statements {
            sqlx::query(*statement).bind(first).bind(until).execute(&mut *part).await?;
        }
        part.commit().await?;
        first = until.saturating_add(1);
    }
    Ok(())
}
