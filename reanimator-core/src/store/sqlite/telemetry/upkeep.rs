//! Keeps the history within its bounds: packs hours that are over, makes coarser tiers of finer ones, deletes what is
//! too old. Each call does one bounded step of the first of these that has something to do.
//!
//! What is to be done is found in the data itself and not in a note of how far it went: samples that are old, and for
//! each series the first chunk of a coarse tier that is due. So a clock that was ahead or behind, or samples that come
//! late, are put in their place whenever they are found.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use crate::{
    Result,
    store::{
        Retention, Upkeep,
        sqlite::{SqliteStore, commit},
        tiers::{self, HOUR, MINUTE, Point, Tier, floor, merge, roll_up},
    },
};

use super::{chunk, earlier, samples};

/// How long after the end of an hour its last samples may still come in.
const GRACE: i64 = MINUTE;
/// Series whose hour is packed in one step: 36,000 samples at one in 10 s, a tenth of a second or two.
const SERIES_PACKED: i64 = 100;
/// Series of which a coarser chunk is made in one step.
const SERIES_ROLLED: i64 = 50;
/// Chunks deleted in one step.
const CHUNKS_PRUNED: i64 = 2_000;
/// Days of one series whose averages by an earlier version are turned into minutes in one step.
const DAYS_CONVERTED: usize = 10;

/// A tier that is made of another one.
#[derive(Clone, Copy)]
struct Step {
    fine: Tier,
    coarse: Tier,
    /// Where a series says what is due.
    due: &'static str,
}

const QUARTERS: Step = Step { fine: Tier::Minute, coarse: Tier::Quarter, due: "quarters_due" };
const SIX_HOURS: Step = Step { fine: Tier::Quarter, coarse: Tier::SixHours, due: "six_hours_due" };

/// A chunk to be written.
struct Fresh {
    series: i64,
    tier: Tier,
    begin: i64,
    points: Vec<u8>,
}

impl Fresh {
    fn new(series: i64, tier: Tier, begin: i64, points: &[Point]) -> Self {
        Self { series, tier, begin, points: tiers::pack(tier, begin, points) }
    }
}

impl SqliteStore {
    pub(super) async fn keep_up(&self, now: i64, retention: &Retention) -> Result<Upkeep> {
        let mut upkeep = Upkeep::default();
        let over = floor(now - GRACE, HOUR);
        upkeep.more = self.convert_earlier(&mut upkeep).await?
            || self.pack_hour(over, &mut upkeep).await?
            || self.roll(QUARTERS, over, &mut upkeep).await?
            || self.roll(SIX_HOURS, over, &mut upkeep).await?
            || self.prune(now, retention, &mut upkeep).await?;
        Ok(upkeep)
    }

    /// Packs the oldest hour of some series, unless it is not over yet. Says whether it did.
    async fn pack_hour(&self, over: i64, upkeep: &mut Upkeep) -> Result<bool> {
        let attempt = "pack the history";
        let failed = self.telemetry.failed(attempt);
        let mut look = self.telemetry.reader().acquire().await.map_err(&failed)?;
        let oldest: Option<i64> =
            sqlx::query_scalar("SELECT MIN(minute) FROM samples").fetch_one(&mut *look).await.map_err(&failed)?;
        let Some(begin) = oldest.map(|minute| floor(minute * MINUTE, HOUR)).filter(|begin| *begin < over) else {
            return Ok(false);
        };
        let Some(first) = first_series(&mut look, begin).await.map_err(&failed)? else { return Ok(true) };
        let series = (first, first + SERIES_PACKED - 1);
        let rows = samples(&mut look, series, (begin, begin + HOUR)).await.map_err(&failed)?;
        let count = rows.len() as u64;
        let mut raw = self.stored(&mut look, Tier::Raw, begin, series).await?;
        let mut minutes = self.stored(&mut look, Tier::Minute, begin, series).await?;
        drop(look);
        let mut arrived = BTreeMap::<i64, Vec<Point>>::new();
        rows.into_iter().for_each(|(series, point)| arrived.entry(series).or_default().push(point));
        let mut fresh = Vec::with_capacity(arrived.len() * 2);
        for (series, points) in arrived {
            let points = merge(raw.remove(&series).unwrap_or_default(), points);
            let rolled = roll_up(&points, Tier::Minute.width());
            upkeep.averaged += rolled.len() as u64;
            let rolled = merge(minutes.remove(&series).unwrap_or_default(), rolled);
            fresh.push(Fresh::new(series, Tier::Raw, begin, &points));
            fresh.push(Fresh::new(series, Tier::Minute, begin, &rolled));
        }
        let mut transaction = self.telemetry.begin(attempt).await?;
        write(&mut transaction, &fresh).await.map_err(&failed)?;
        now_due(&mut transaction, begin, series).await.map_err(&failed)?;
        let gone = delete_samples(&mut transaction, begin, series).await.map_err(&failed)?;
        // Another sample of that hour came in meanwhile, or another program packed it: the next step sees that.
        if gone == count {
            commit(&self.telemetry, attempt, transaction).await?;
            upkeep.packed += count;
        }
        Ok(true)
    }

    /// Makes coarser chunks for some series for which one is due. Says whether it did.
    async fn roll(&self, step: Step, over: i64, upkeep: &mut Upkeep) -> Result<bool> {
        let attempt = "thin the history";
        let failed = self.telemetry.failed(attempt);
        let Step { coarse, due, .. } = step;
        let mut look = self.telemetry.reader().acquire().await.map_err(&failed)?;
        let select = format!("SELECT id, {due} FROM series WHERE {due} < ? ORDER BY {due}, id LIMIT ?");
        let waiting: Vec<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(select))
            .bind(coarse.chunk_of(over))
            .bind(SERIES_ROLLED)
            .fetch_all(&mut *look)
            .await
            .map_err(&failed)?;
        let mut made = Vec::with_capacity(waiting.len());
        for (series, begin) in waiting {
            made.push(self.coarser(&mut look, step, series, begin).await?);
        }
        drop(look);
        if made.is_empty() {
            return Ok(false);
        }
        let mut transaction = self.telemetry.begin(attempt).await?;
        for Coarser { fresh, points, next } in &made {
            upkeep.averaged += points;
            let (series, begin) = (fresh.series, fresh.begin);
            if *points > 0 {
                write(&mut transaction, std::slice::from_ref(fresh)).await.map_err(&failed)?;
            }
            let update = format!("UPDATE series SET {due} = ? WHERE id = ? AND {due} = ?");
            sqlx::query(sqlx::AssertSqlSafe(update))
                .bind(next)
                .bind(series)
                .bind(begin)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        commit(&self.telemetry, attempt, transaction).await?;
        Ok(true)
    }

    /// The coarse chunk of one series that begins at `begin`.
    async fn coarser(&self, look: &mut SqliteConnection, step: Step, series: i64, begin: i64) -> Result<Coarser> {
        let failed = self.telemetry.failed("thin the history");
        let Step { fine, coarse, .. } = step;
        let end = begin + coarse.chunk();
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT begin, points FROM chunks WHERE series = ? AND tier = ? AND begin >= ? AND begin < ?",
        )
        .bind(series)
        .bind(fine as i64)
        .bind(begin)
        .bind(end)
        .fetch_all(&mut *look)
        .await
        .map_err(&failed)?;
        let finer: Vec<Point> = rows.iter().flat_map(|(begin, packed)| self.readable(fine, *begin, packed)).collect();
        let rolled = roll_up(&finer, coarse.width());
        let mut stored = self.stored(look, coarse, begin, (series, series)).await?;
        let count = rolled.len() as u64;
        let points = merge(stored.remove(&series).unwrap_or_default(), rolled);
        let next: Option<i64> =
            sqlx::query_scalar("SELECT MIN(begin) FROM chunks WHERE series = ? AND tier = ? AND begin >= ?")
                .bind(series)
                .bind(fine as i64)
                .bind(end)
                .fetch_one(look)
                .await
                .map_err(&failed)?;
        let next = next.map(|next| coarse.chunk_of(next));
        Ok(Coarser { fresh: Fresh::new(series, coarse, begin, &points), points: count, next })
    }

    /// Deletes some chunks that are too old, and never one of which a coarser one is still to be made.
    async fn prune(&self, now: i64, retention: &Retention, upkeep: &mut Upkeep) -> Result<bool> {
        let attempt = "delete old history";
        let mut more = false;
        for (tier, keep, due) in [
            (Tier::Raw, retention.samples, "NULL"),
            (Tier::Minute, retention.minutes, QUARTERS.due),
            (Tier::Quarter, retention.quarters, SIX_HOURS.due),
            (Tier::SixHours, retention.six_hours, "NULL"),
        ] {
            let before = now.saturating_sub(milliseconds(keep)).saturating_sub(tier.chunk());
            let delete = format!(
                "DELETE FROM chunks WHERE rowid IN (
                     SELECT chunks.rowid FROM series CROSS JOIN chunks ON chunks.series = series.id
                     AND chunks.tier = ?1 AND chunks.begin <= ?2 AND chunks.begin < COALESCE({due}, ?2 + 1) LIMIT ?3)"
            );
            let mut transaction = self.telemetry.begin(attempt).await?;
            let deleted = sqlx::query(sqlx::AssertSqlSafe(delete))
                .bind(tier as i64)
                .bind(before)
                .bind(CHUNKS_PRUNED)
                .execute(&mut *transaction)
                .await
                .map_err(self.telemetry.failed(attempt))?
                .rows_affected();
            commit(&self.telemetry, attempt, transaction).await?;
            upkeep.deleted += deleted;
            more |= deleted >= CHUNKS_PRUNED as u64;
        }
        Ok(more)
    }

    /// Turns some averages that an earlier version made into minutes. Says whether there were any.
    async fn convert_earlier(&self, upkeep: &mut Upkeep) -> Result<bool> {
        let attempt = "take over earlier history";
        let failed = self.telemetry.failed(attempt);
        for turn in 0..DAYS_CONVERTED {
            let mut transaction = self.telemetry.begin(attempt).await?;
            let next: Option<(i64, i64)> =
                sqlx::query_as("SELECT series, at FROM averages ORDER BY series, at LIMIT 1")
                    .fetch_optional(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            let Some((series, at)) = next else { return Ok(turn > 0) };
            let (begin, end) = (Tier::Quarter.chunk_of(at), Tier::Quarter.chunk_of(at) + Tier::Quarter.chunk());
            let averages = earlier::averages(&mut transaction, series, (begin, end)).await.map_err(&failed)?;
            let mut hours = BTreeMap::<i64, Vec<Point>>::new();
            for (at, point) in averages {
                hours.entry(Tier::Minute.chunk_of(at)).or_default().push(point);
            }
            for (hour, points) in hours {
                upkeep.averaged += points.len() as u64;
                let mut stored = self.stored(&mut transaction, Tier::Minute, hour, (series, series)).await?;
                let points = merge(points, stored.remove(&series).unwrap_or_default());
                let fresh = Fresh::new(series, Tier::Minute, hour, &points);
                write(&mut transaction, &[fresh]).await.map_err(&failed)?;
            }
            now_due(&mut transaction, begin, (series, series)).await.map_err(&failed)?;
            sqlx::query("DELETE FROM averages WHERE series = ? AND at < ?")
                .bind(series)
                .bind(end)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
            commit(&self.telemetry, attempt, transaction).await?;
        }
        Ok(true)
    }

    /// The points of the chunks of a range of series that begin then.
    async fn stored(
        &self,
        connection: &mut SqliteConnection,
        tier: Tier,
        begin: i64,
        (first, last): (i64, i64),
    ) -> Result<BTreeMap<i64, Vec<Point>>> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT series.id, chunks.points FROM series CROSS JOIN chunks
             ON chunks.series = series.id AND chunks.tier = ?1 AND chunks.begin = ?2
             WHERE series.id BETWEEN ?3 AND ?4",
        )
        .bind(tier as i64)
        .bind(begin)
        .bind(first)
        .bind(last)
        .fetch_all(connection)
        .await
        .map_err(self.telemetry.failed("read the history"))?;
        Ok(rows.into_iter().map(|(series, packed)| (series, self.readable(tier, begin, &packed))).collect())
    }

    /// The points of a chunk. A damaged one has none: it must not keep the rest from being tidied.
    fn readable(&self, tier: Tier, begin: i64, packed: &[u8]) -> Vec<Point> {
        chunk(&self.telemetry, tier, begin, packed, None).unwrap_or_else(|error| {
            tracing::warn!(error = %crate::message(&error), "a part of the history is lost");
            Vec::new()
        })
    }
}

/// A coarse chunk that was made, of how many points, and which one is due next.
struct Coarser {
    fresh: Fresh,
    points: u64,
    next: Option<i64>,
}

/// The first series that has samples in the hour beginning at `begin`.
async fn first_series(look: &mut SqliteConnection, begin: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH RECURSIVE minutes (minute) AS (SELECT ?1 UNION ALL SELECT minute + 1 FROM minutes WHERE minute < ?1 + 59)
         SELECT MIN((SELECT MIN(series) FROM samples WHERE samples.minute = minutes.minute)) FROM minutes",
    )
    .bind(begin / MINUTE)
    .fetch_one(look)
    .await
}

async fn delete_samples(
    transaction: &mut Transaction<'_, Sqlite>,
    begin: i64,
    (first, last): (i64, i64),
) -> Result<u64, sqlx::Error> {
    let mut gone = 0;
    for minute in (begin / MINUTE)..((begin + HOUR) / MINUTE) {
        gone += sqlx::query("DELETE FROM samples WHERE minute = ? AND series BETWEEN ? AND ?")
            .bind(minute)
            .bind(first)
            .bind(last)
            .execute(&mut **transaction)
            .await?
            .rows_affected();
    }
    Ok(gone)
}

async fn write(transaction: &mut Transaction<'_, Sqlite>, chunks: &[Fresh]) -> Result<(), sqlx::Error> {
    for chunks in chunks.chunks(super::ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO chunks (series, tier, begin, points) ");
        query.push_values(chunks, |mut row, chunk| {
            row.push_bind(chunk.series)
                .push_bind(chunk.tier as i64)
                .push_bind(chunk.begin)
                .push_bind(chunk.points.as_slice());
        });
        query.push(" ON CONFLICT (series, tier, begin) DO UPDATE SET points = excluded.points");
        query.build().persistent(false).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Notes that the coarse chunks in which `begin` lies are to be made of those series.
async fn now_due(
    transaction: &mut Transaction<'_, Sqlite>,
    begin: i64,
    (first, last): (i64, i64),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE series SET quarters_due = MIN(COALESCE(quarters_due, ?1), ?1),
             six_hours_due = MIN(COALESCE(six_hours_due, ?2), ?2)
         WHERE id BETWEEN ?3 AND ?4",
    )
    .bind(QUARTERS.coarse.chunk_of(begin))
    .bind(SIX_HOURS.coarse.chunk_of(begin))
    .bind(first)
    .bind(last)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
