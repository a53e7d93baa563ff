//! The history of figures: samples, averages over 5 minutes, and their end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::PoisonError,
};

use async_trait::async_trait;
use futures::TryStreamExt;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};

use crate::{
    Error, ErrorKind, Result,
    model::HostId,
    store::{
        History, METRICS_VERSION, MetricRow, Retention, Sample, TelemetryStore, Upkeep,
        metrics::Summary,
        thin::{self, Point},
    },
};

use super::{SqliteStore, commit};

const MINUTE: i64 = 60_000;
/// What one row of averages spans.
const SPAN: i64 = 5 * MINUTE;
/// How long after the end of a span its last samples may still come in.
const GRACE: i64 = MINUTE;
/// Spans averaged or deleted in one round of upkeep: an hour's, so that a round stays under some seconds.
const SPANS_PER_ROUND: usize = 12;
/// Rows of averages deleted in one round.
const AVERAGES_PER_ROUND: i64 = 20_000;
/// Rows in one statement.
const ROWS: usize = 500;
/// Under this key in `meta` is the time up to which averages were made.
const AVERAGED_UNTIL: &str = "averaged_until";

#[async_trait]
impl TelemetryStore for SqliteStore {
    async fn append_samples(&self, samples: &[Sample]) -> Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        let attempt = "store samples";
        let failed = self.telemetry.failed(attempt);
        let known = self.series.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut fresh = HashMap::new();
        let mut transaction = self.telemetry.begin(attempt).await?;
        let mut rows = Vec::with_capacity(samples.len());
        for sample in samples {
            let series = match known.get(&sample.host).or_else(|| fresh.get(&sample.host)) {
                Some(series) => *series,
                None => {
                    let series: i64 = sqlx::query_scalar(
                        "INSERT INTO series (host_id) VALUES (?)
                         ON CONFLICT (host_id) DO UPDATE SET host_id = excluded.host_id RETURNING id",
                    )
                    .bind(sample.host.as_str())
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(&failed)?;
                    fresh.insert(sample.host.clone(), series);
                    series
                }
            };
            rows.push((series, sample.at.as_millisecond(), sample.values.to_bytes()));
        }
        for rows in rows.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO samples (minute, series, at, version, figures) ");
            query.push_values(rows, |mut row, (series, at, figures)| {
                row.push_bind(at.div_euclid(MINUTE))
                    .push_bind(*series)
                    .push_bind(*at)
                    .push_bind(METRICS_VERSION)
                    .push_bind(figures);
            });
            query.build().persistent(false).execute(&mut *transaction).await.map_err(&failed)?;
        }
        commit(&self.telemetry, attempt, transaction).await?;
        self.series.lock().unwrap_or_else(PoisonError::into_inner).extend(fresh);
        Ok(())
    }

    async fn history(
        &self,
        host: &HostId,
        metrics: &[String],
        from: Timestamp,
        to: Timestamp,
        points: usize,
    ) -> Result<History> {
        let places = thin::places(metrics)?;
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        if from >= to {
            return Err(Error::new(ErrorKind::Invalid, "read the history")
                .because("its end is not after its beginning")
                .next("give an earlier `from` or a later `to`"));
        }
        let attempt = "read the history";
        let failed = self.telemetry.failed(attempt);
        let series: Option<i64> = sqlx::query_scalar("SELECT id FROM series WHERE host_id = ?")
            .bind(host.as_str())
            .fetch_optional(self.telemetry.reader())
            .await
            .map_err(&failed)?;
        let mut width = thin::span(from, to, points);
        let mut seen = Vec::new();
        if let Some(series) = series {
            let split = self.where_samples_begin(width).await?.clamp(from, to);
            seen = self.averages(series, from, split).await?;
            if !seen.is_empty() {
                width = width.max(SPAN);
            }
            let samples = self.samples(series, split, to).await?;
            width = width.max(thin::usual_gap(&samples));
            seen.extend(samples);
        }
        thin::thin(metrics, &places, &seen, from, to, width)
    }

    async fn roll_up_and_prune(&self, now: Timestamp, retention: &Retention) -> Result<Upkeep> {
        let now = now.as_millisecond();
        let mut upkeep = Upkeep::default();
        self.average(now, &mut upkeep).await?;
        self.prune_samples(now, retention, &mut upkeep).await?;
        self.prune_averages(now, retention, &mut upkeep).await?;
        Ok(upkeep)
    }
}

impl SqliteStore {
    /// From when on samples are read and no averages: where spans of `width` can be made of averages, after the last
    /// of those, else from the oldest sample on.
    async fn where_samples_begin(&self, width: i64) -> Result<i64> {
        let failed = self.telemetry.failed("read the history");
        if width >= SPAN {
            return self.averaged_until().await.map(|until| until.unwrap_or(i64::MIN));
        }
        let minute: Option<i64> = sqlx::query_scalar("SELECT MIN(minute) FROM samples")
            .fetch_one(self.telemetry.reader())
            .await
            .map_err(failed)?;
        Ok(minute.map_or(i64::MAX, span_of))
    }

    async fn averaged_until(&self) -> Result<Option<i64>> {
        sqlx::query_scalar("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?")
            .bind(AVERAGED_UNTIL)
            .fetch_optional(self.telemetry.reader())
            .await
            .map_err(self.telemetry.failed("read the history"))
    }

    async fn averages(&self, series: i64, from: i64, to: i64) -> Result<Vec<Point>> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT at, substr(figures, 1, length(figures) / 3) FROM averages
             WHERE series = ? AND at >= ? AND at < ? ORDER BY at",
        )
        .bind(series)
        .bind(from)
        .bind(to)
        .fetch_all(self.telemetry.reader())
        .await
        .map_err(self.telemetry.failed("read the history"))?;
        Ok(points(rows))
    }

    async fn samples(&self, series: i64, from: i64, to: i64) -> Result<Vec<Point>> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "WITH RECURSIVE minutes (minute) AS (
                 SELECT MAX(?2 / 60000, (SELECT MIN(minute) FROM samples))
                 UNION ALL
                 SELECT minute + 1 FROM minutes
                 WHERE minute < MIN((?3 - 1) / 60000, (SELECT MAX(minute) FROM samples))
             )
             SELECT samples.at, samples.figures FROM minutes CROSS JOIN samples
             ON samples.minute = minutes.minute AND samples.series = ?1
             WHERE samples.at >= ?2 AND samples.at < ?3 ORDER BY samples.at",
        )
        .bind(series)
        .bind(from)
        .bind(to)
        .fetch_all(self.telemetry.reader())
        .await
        .map_err(self.telemetry.failed("read the history"))?;
        Ok(points(rows))
    }

    /// Makes averages of the spans that are over.
    async fn average(&self, now: i64, upkeep: &mut Upkeep) -> Result<()> {
        let until = (now - GRACE).div_euclid(SPAN) * SPAN;
        // A clock that was ahead and was put back: what it marked as done is not.
        let mut done = self.averaged_until().await?.unwrap_or(i64::MIN).min(until);
        for _ in 0..SPANS_PER_ROUND {
            let next: Option<i64> = sqlx::query_scalar("SELECT MIN(minute) FROM samples WHERE minute >= ?")
                .bind(done.div_euclid(MINUTE))
                .fetch_one(self.telemetry.reader())
                .await
                .map_err(self.telemetry.failed("average the history"))?;
            let begin = next.map_or(until, span_of);
            if begin >= until {
                return self.store_averages(&BTreeMap::new(), begin, until).await;
            }
            let summaries = self.summarize(begin).await?;
            done = begin + SPAN;
            self.store_averages(&summaries, begin, done).await?;
            upkeep.averaged += summaries.len() as u64;
        }
        upkeep.more = true;
        Ok(())
    }

    /// What each host showed in the span beginning at `begin`.
    async fn summarize(&self, begin: i64) -> Result<BTreeMap<i64, Summary>> {
        let failed = self.telemetry.failed("average the history");
        let mut summaries = BTreeMap::<i64, Summary>::new();
        let mut rows =
            sqlx::query_as::<_, (i64, Vec<u8>)>("SELECT series, figures FROM samples WHERE minute >= ? AND minute < ?")
                .bind(begin / MINUTE)
                .bind((begin + SPAN) / MINUTE)
                .fetch(self.telemetry.reader());
        while let Some((series, figures)) = rows.try_next().await.map_err(&failed)? {
            summaries.entry(series).or_default().add(&MetricRow::from_bytes(&figures));
        }
        Ok(summaries)
    }

    /// Stores the averages of the span beginning at `begin` and that all is averaged up to `until`.
    async fn store_averages(&self, summaries: &BTreeMap<i64, Summary>, begin: i64, until: i64) -> Result<()> {
        let attempt = "average the history";
        let failed = self.telemetry.failed(attempt);
        let rows: Vec<_> = summaries.iter().collect();
        let mut transaction = self.telemetry.begin(attempt).await?;
        for rows in rows.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO averages (series, at, version, rows, figures) ");
            query.push_values(rows, |mut row, (series, summary)| {
                row.push_bind(**series)
                    .push_bind(begin)
                    .push_bind(METRICS_VERSION)
                    .push_bind(summary.rows())
                    .push_bind(summary.to_bytes());
            });
            query.build().persistent(false).execute(&mut *transaction).await.map_err(&failed)?;
        }
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(AVERAGED_UNTIL)
        .bind(until.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        commit(&self.telemetry, attempt, transaction).await
    }

    /// Deletes samples that are too old and averaged, by whole spans, so that no average stands beside half its samples.
    async fn prune_samples(&self, now: i64, retention: &Retention, upkeep: &mut Upkeep) -> Result<()> {
        let attempt = "delete old samples";
        let failed = self.telemetry.failed(attempt);
        let averaged = self.averaged_until().await?.unwrap_or(i64::MIN);
        let before = (now - milliseconds(retention.samples)).min(averaged).div_euclid(SPAN) * SPAN / MINUTE;
        for _ in 0..SPANS_PER_ROUND {
            let mut transaction = self.telemetry.begin(attempt).await?;
            let oldest: Option<i64> = sqlx::query_scalar("SELECT MIN(minute) FROM samples")
                .fetch_one(&mut *transaction)
                .await
                .map_err(&failed)?;
            let Some(oldest) = oldest.filter(|oldest| *oldest < before) else { return Ok(()) };
            let deleted = sqlx::query("DELETE FROM samples WHERE minute < ?")
                .bind(before.min((span_of(oldest) + SPAN) / MINUTE))
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
            commit(&self.telemetry, attempt, transaction).await?;
            upkeep.deleted += deleted.rows_affected();
        }
        upkeep.more = true;
        Ok(())
    }

    async fn prune_averages(&self, now: i64, retention: &Retention, upkeep: &mut Upkeep) -> Result<()> {
        let attempt = "delete old averages";
        let mut transaction = self.telemetry.begin(attempt).await?;
        let deleted = sqlx::query(
            "DELETE FROM averages WHERE (series, at) IN (
                 SELECT averages.series, averages.at FROM series CROSS JOIN averages
                 ON averages.series = series.id AND averages.at < ?1 LIMIT ?2)",
        )
        .bind(now - milliseconds(retention.averages))
        .bind(AVERAGES_PER_ROUND)
        .execute(&mut *transaction)
        .await
        .map_err(self.telemetry.failed(attempt))?
        .rows_affected();
        commit(&self.telemetry, attempt, transaction).await?;
        upkeep.deleted += deleted;
        upkeep.more |= deleted >= AVERAGES_PER_ROUND as u64;
        Ok(())
    }
}

/// When the span begins in which that minute lies.
fn span_of(minute: i64) -> i64 {
    (minute * MINUTE).div_euclid(SPAN) * SPAN
}

fn points(rows: Vec<(i64, Vec<u8>)>) -> Vec<Point> {
    rows.into_iter().map(|(at, figures)| Point { at, values: MetricRow::from_bytes(&figures) }).collect()
}

fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
