//! The history: samples as they come, chunks of what is over, and what is made of them.
//!
//! A tick of the whole fleet goes into `samples` as one row for each entity, next to each other on the disk. An hour
//! after it began [`upkeep`] packs what came in it into one chunk for each series, some hundred series at a time: the
//! chunk appears and its samples go in one transaction, so that nobody sees either twice and a killed process leaves
//! one or the other. [`query`] reads chunks and samples alike.

mod adding;
mod earlier;
mod latest;
mod query;
mod upkeep;

use std::{collections::BTreeMap, sync::PoisonError};

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{
    Error, ErrorKind, Result,
    model::{Entity, Latest, Recent, RecentQuery, Series, TelemetryQuery},
    store::{
        METRICS_VERSION, Retention, Sample, TelemetryStore, Upkeep,
        metrics::floats,
        tiers::{self, Cell, MINUTE, Point, Tier},
    },
};

use super::{SqliteStore, commit, database::Database};

/// Rows in one statement.
const ROWS: usize = 500;

/// Samples of a range of series in a range of time. Only minutes in which there are some are looked into.
const SAMPLES: &str = "WITH RECURSIVE minutes (minute) AS (
        SELECT MIN(minute) FROM samples WHERE minute >= ?3 / 60000
        UNION ALL
        SELECT (SELECT MIN(samples.minute) FROM samples WHERE samples.minute > minutes.minute) FROM minutes
        WHERE minutes.minute <= (?4 - 1) / 60000
    )
    SELECT samples.series, samples.at, samples.figures FROM minutes CROSS JOIN samples
    ON samples.minute = minutes.minute AND samples.series BETWEEN ?1 AND ?2
    WHERE samples.at >= ?3 AND samples.at < ?4";

/// One figure of the samples in parts of the history, `[[series, from, to, place], ...]`, as text: `TIME:BITS ...`, the
/// time counted from the part's beginning. A row for each sample would cost more than finding it.
const ONE_FIGURE: &str = "WITH RECURSIVE part (series, first, last, place) AS (
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)
    ),
    minutes (minute) AS MATERIALIZED (
        SELECT MIN(minute) FROM samples WHERE minute >= (SELECT MIN(first) FROM part) / 60000
        UNION ALL
        SELECT (SELECT MIN(samples.minute) FROM samples WHERE samples.minute > minutes.minute) FROM minutes
        WHERE minutes.minute <= (SELECT MAX(last) - 1 FROM part) / 60000
    )
    SELECT part.series, part.first, (
        SELECT group_concat((samples.at - part.first) || ':' || hex(substr(samples.figures, part.place * 4 + 1, 4)), ' ')
        FROM minutes CROSS JOIN samples ON samples.minute = minutes.minute AND samples.series = part.series
        WHERE samples.at >= part.first AND samples.at < part.last
    ) FROM part";

#[async_trait]
impl TelemetryStore for SqliteStore {
    async fn append_samples(&self, samples: &[Sample]) -> Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        let attempt = "store samples";
        if let Some(sample) = samples.iter().find(|sample| sample.entity.kind() != sample.values.kind()) {
            return Err(Error::new(ErrorKind::Invalid, attempt)
                .on(sample.entity.to_string())
                .because(format!("its figures are those of a {}", sample.values.kind())));
        }
        let failed = self.telemetry.failed(attempt);
        let mut series = self.known_series(samples);
        let mut transaction = self.telemetry.begin(attempt).await?;
        let mut fresh = BTreeMap::new();
        for (sample, series) in samples.iter().zip(&mut series).filter(|(_, series)| series.is_none()) {
            let id = match fresh.get(&sample.entity) {
                Some(id) => *id,
                None => number(&mut transaction, &sample.entity).await.map_err(&failed)?,
            };
            fresh.insert(sample.entity.clone(), id);
            *series = Some(id);
        }
        let mut rows: Vec<(i64, i64, Vec<u8>)> = series
            .into_iter()
            .flatten()
            .zip(samples)
            .map(|(series, sample)| (series, sample.at.as_millisecond(), sample.values.to_bytes()))
            .collect();
        // Of two samples at the same time the later one is to stay: this keeps their order.
        rows.sort_by_key(|(series, at, _)| (at.div_euclid(MINUTE), *series));
        for rows in rows.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO samples (minute, series, at, version, figures) ");
            query.push_values(rows, |mut row, (series, at, figures)| {
                row.push_bind(at.div_euclid(MINUTE))
                    .push_bind(*series)
                    .push_bind(*at)
                    .push_bind(METRICS_VERSION)
                    .push_bind(figures.as_slice());
            });
            // A tick of the fleet is many full statements of the same words: those are kept prepared.
            let query = query.build().persistent(rows.len() == ROWS);
            query.execute(&mut *transaction).await.map_err(&failed)?;
        }
        commit(&self.telemetry, attempt, transaction).await?;
        self.series.lock().unwrap_or_else(PoisonError::into_inner).extend(fresh);
        Ok(())
    }

    async fn query(&self, query: &TelemetryQuery) -> Result<Series> {
        self.answer(query).await
    }

    async fn recent(&self, query: &RecentQuery) -> Result<Recent> {
        self.lines(query).await
    }

    async fn latest(&self, entities: &[Entity]) -> Result<BTreeMap<Entity, Latest>> {
        self.newest(entities).await
    }

    async fn roll_up_and_prune(&self, now: jiff::Timestamp, retention: &Retention) -> Result<Upkeep> {
        self.keep_up(now.as_millisecond(), retention).await
    }
}

impl SqliteStore {
    fn known_series(&self, samples: &[Sample]) -> Vec<Option<i64>> {
        let known = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().map(|sample| known.get(&sample.entity).copied()).collect()
    }
}

/// The number of an entity, which gets one if it has none.
async fn number(connection: &mut SqliteConnection, entity: &Entity) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO series (entity) VALUES (?)
         ON CONFLICT (entity) DO UPDATE SET entity = excluded.entity RETURNING id",
    )
    .bind(entity.to_string())
    .fetch_one(connection)
    .await
}

/// Samples of the series from `first` to `last`, from `from` up to but not including `to`, in the order of time.
async fn samples(
    connection: &mut SqliteConnection,
    (first, last): (i64, i64),
    (from, to): (i64, i64),
) -> Result<Vec<(i64, Point)>, sqlx::Error> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as(SAMPLES).bind(first).bind(last).bind(from).bind(to).fetch_all(connection).await?;
    let mut points: Vec<(i64, Point)> =
        rows.into_iter().map(|(series, at, figures)| (series, point(at, &figures))).collect();
    points.sort_by_key(|(series, point)| (*series, point.at));
    Ok(points)
}

/// One figure of the samples in some parts of the history: `[[series, from, to, place], ...]`.
async fn single(connection: &mut SqliteConnection, parts: &str) -> Result<Vec<(i64, Vec<Point>)>, sqlx::Error> {
    let rows: Vec<(i64, i64, Option<String>)> = sqlx::query_as(ONE_FIGURE).bind(parts).fetch_all(connection).await?;
    let points = |first: i64, text: &str| text.split(' ').filter_map(|each| written(first, each)).collect();
    Ok(rows.into_iter().filter_map(|(series, first, text)| Some((series, points(first, &text?)))).collect())
}

/// A sample of one figure from `TIME:BITS`; the bits are absent where the row ended before.
fn written(first: i64, text: &str) -> Option<Point> {
    let (since, bits) = text.split_once(':')?;
    let value = u32::from_str_radix(bits, 16).ok().filter(|_| bits.len() == 8);
    let cell = value.map(|bits| Cell::of(f32::from_bits(bits.swap_bytes()))).unwrap_or_default();
    Some(Point { at: first + since.parse::<i64>().ok()?, cells: vec![cell] })
}

fn point(at: i64, figures: &[u8]) -> Point {
    Point { at, cells: floats(figures).map(Cell::of).collect() }
}

/// The points in a chunk.
fn chunk(database: &Database, tier: Tier, begin: i64, packed: &[u8], places: Option<&[usize]>) -> Result<Vec<Point>> {
    tiers::unpack(tier, begin, packed, places).map_err(|cause| {
        Error::new(ErrorKind::Storage, "read a stored part of the history")
            .on(database.path().display().to_string())
            .because(cause)
            .next("ask for another time; that part is lost unless a backup has it")
    })
}
