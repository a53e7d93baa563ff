//! What a history costs: its size, writing a tick of a large fleet, reading a day of one machine.
//!
//! Beside it stands what one would write first: a table in SQLite with a row for each value. The values walk at random
//! with all their digits, as rates and shares do; sizes of memory and disks stand still, as they do. A day is that of a
//! tenth of the fleet, which takes as many bytes for each value; the ticks are those of all of it, in the same database.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reanimator_core::{
    model::{Entity, EntityKind, GuestId, HostId, RecentQuery, TelemetryQuery},
    store::{KeySource, MetaStore, MetricRow, Retention, Sample, SqliteStore, TelemetryStore, metrics_of},
};
use sqlx::{QueryBuilder, Sqlite, SqlitePool, sqlite::SqliteConnectOptions};

use crate::{
    Result,
    report::{Report, milliseconds},
};

const HOSTS: usize = 500;
const GUESTS: usize = 2_500;
/// The part of the fleet that lives a whole day.
const PART: usize = 10;
const PERIOD: i64 = 10;
const TICKS_OF_A_DAY: i64 = 86_400 / PERIOD;
/// Ticks of the whole fleet that are timed, after as many that are not.
const TIMED: usize = 30;
const PEER_TIMED: usize = 3;
/// Ticks that the plain table gets of the part, to tell its size.
const PEER_TICKS: i64 = 60;
const QUERIES: usize = 40;
/// Lines that a table shows at once.
const LINES: usize = 200;
/// Midnight, some years ago.
const BEGIN: i64 = 1_699_920_000;
const PEER: &str = "a row per value in SQLite";

/// Measures all of it.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let peer = peer(&directory.path().join("peer.db")).await?;
        let ours = ours(&directory.path().join("ours"), report).await?;
        report.add("store_bytes_per_sample", "B", &[ours.bytes], Some((PEER, &[peer.bytes])))?;
        report.aim("store_bytes_per_sample", 6.0);
        report.add("store_tick_3000_entities", "ms", &ours.ticks, Some((PEER, &peer.ticks)))?;
        report.aim("store_tick_3000_entities", 60.0);
        report.add("store_query_day_ms", "ms", &ours.queries, Some((PEER, &peer.queries)))?;
        report.aim("store_query_day_ms", 10.0);
        Ok(())
    })
}

struct Costs {
    bytes: f64,
    ticks: Vec<f64>,
    queries: Vec<f64>,
}

async fn ours(directory: &Path, report: &mut Report) -> Result<Costs> {
    let mut part = fleet(HOSTS / PART, GUESTS / PART);
    let store = SqliteStore::open(directory, KeySource::File).await?;
    let mut values = 0;
    let mut upkeep = Vec::new();
    for tick in 0..TICKS_OF_A_DAY {
        let samples: Vec<Sample> = part.iter_mut().map(|walker| walker.sample(tick)).collect();
        values += samples.iter().map(|sample| metrics_of(sample.entity.kind()).len()).sum::<usize>();
        store.append_samples(&samples).await?;
        if tick % (3_600 / PERIOD) == 60 / PERIOD {
            keep_up(&store, tick, &mut upkeep).await?;
        }
    }
    store.close().await;
    let bytes = std::fs::metadata(directory.join("telemetry.db"))?.len() as f64 / values as f64;
    let store = SqliteStore::open(directory, KeySource::File).await?;
    report.add("store_recent_200_ms", "ms", &recent(&store, &part).await?, None)?;
    let mut all = fleet(HOSTS, GUESTS);
    let mut ticks = Vec::new();
    for tick in 0..TIMED * 2 {
        let samples: Vec<Sample> = all.iter_mut().map(|walker| walker.sample(TICKS_OF_A_DAY + tick as i64)).collect();
        let began = Instant::now();
        store.append_samples(&samples).await?;
        if tick >= TIMED {
            ticks.push(milliseconds(began.elapsed()));
        }
    }
    let entities: Vec<Entity> = all.iter().map(|walker| walker.entity.clone()).collect();
    let there = store.latest(&entities).await?.len();
    if there != HOSTS + GUESTS {
        return Err(format!("{there} of {} entities were written", HOSTS + GUESTS).into());
    }
    let mut queries = Vec::new();
    for walker in part.iter().cycle().take(QUERIES) {
        let query = TelemetryQuery {
            entity: walker.entity.clone(),
            metrics: vec!["cpu_percent".to_owned(), "memory_used".to_owned()],
            from: Timestamp::from_second(BEGIN)?,
            to: Timestamp::from_second(BEGIN + 86_400)?,
            step: Some(Duration::from_secs(PERIOD as u64)),
        };
        let began = Instant::now();
        let series = store.query(&query).await?;
        queries.push(milliseconds(began.elapsed()));
        let seen = series.metrics["cpu_percent"].mean.iter().flatten().count();
        if seen != TICKS_OF_A_DAY as usize {
            return Err(format!("a day had {seen} samples of {TICKS_OF_A_DAY}").into());
        }
    }
    store.close().await;
    report.add("store_upkeep_step_ms", "ms", &upkeep, None)?;
    Ok(Costs { bytes, ticks, queries })
}

/// How long the lines of a table take: 200 things over an hour of which nothing is packed yet.
async fn recent(store: &SqliteStore, part: &[Walker]) -> Result<Vec<f64>> {
    let query = RecentQuery {
        entities: part.iter().take(LINES).map(|walker| walker.entity.clone()).collect(),
        metric: "cpu_percent".to_owned(),
        from: Timestamp::from_second(BEGIN + 82_800)?,
        to: Timestamp::from_second(BEGIN + 86_400)?,
        points: 30,
    };
    let mut taken = Vec::new();
    for _ in 0..TIMED {
        let began = Instant::now();
        let lines = store.recent(&query).await?.series;
        taken.push(milliseconds(began.elapsed()));
        let seen = lines.values().flatten().flatten().count();
        if seen != LINES * 30 {
            return Err(format!("{LINES} lines had {seen} points of {}", LINES * 30).into());
        }
    }
    Ok(taken)
}

/// Upkeep at that tick, until nothing is left to do; notes how long each step that did something took.
async fn keep_up(store: &SqliteStore, tick: i64, steps: &mut Vec<f64>) -> Result<()> {
    loop {
        let began = Instant::now();
        let now = Timestamp::from_second(BEGIN + tick * PERIOD)?;
        if !store.roll_up_and_prune(now, &Retention::default()).await?.more {
            return Ok(());
        }
        steps.push(milliseconds(began.elapsed()));
    }
}

async fn peer(file: &Path) -> Result<Costs> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Normal);
    let pool = SqlitePool::connect_with(options).await?;
    sqlx::raw_sql(
        "CREATE TABLE samples (series INTEGER, metric INTEGER, at INTEGER, value REAL,
         PRIMARY KEY (series, metric, at)) WITHOUT ROWID",
    )
    .execute(&pool)
    .await?;
    let mut part = fleet(HOSTS / PART, GUESTS / PART);
    let mut values = 0;
    for tick in 0..PEER_TICKS {
        let samples: Vec<Sample> = part.iter_mut().map(|walker| walker.sample(tick)).collect();
        values += write_rows(&pool, &samples).await?;
    }
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await?;
    let bytes = std::fs::metadata(file)?.len() as f64 / values as f64;
    let mut one = fleet(1, 0);
    for tick in 0..TICKS_OF_A_DAY {
        write_rows(&pool, &[one[0].sample(tick)]).await?;
    }
    let mut all = fleet(HOSTS, GUESTS);
    let mut ticks = Vec::new();
    for tick in 0..PEER_TIMED {
        let samples: Vec<Sample> = all.iter_mut().map(|walker| walker.sample(TICKS_OF_A_DAY + tick as i64)).collect();
        let began = Instant::now();
        write_rows(&pool, &samples).await?;
        ticks.push(milliseconds(began.elapsed()));
    }
    let mut queries = Vec::new();
    for _ in 0..QUERIES {
        let began = Instant::now();
        let rows: Vec<(i64, i64, f64)> = sqlx::query_as(
            "SELECT metric, at, value FROM samples WHERE series = 0 AND metric IN (0, 4) AND at >= ? AND at < ?",
        )
        .bind(BEGIN * 1_000)
        .bind((BEGIN + 86_400) * 1_000)
        .fetch_all(&pool)
        .await?;
        queries.push(milliseconds(began.elapsed()));
        if rows.len() < 2 * TICKS_OF_A_DAY as usize {
            return Err(format!("a day of the plain table had {} rows", rows.len()).into());
        }
    }
    pool.close().await;
    Ok(Costs { bytes, ticks, queries })
}

/// Writes a row for each value; says how many.
async fn write_rows(pool: &SqlitePool, samples: &[Sample]) -> Result<usize> {
    let mut rows = Vec::new();
    for (series, sample) in samples.iter().enumerate() {
        for (place, metric) in metrics_of(sample.entity.kind()).iter().enumerate() {
            rows.extend(sample.values.get(metric.name).map(|value| (series, place, sample.at, value)));
        }
    }
    let mut transaction = pool.begin().await?;
    for rows in rows.chunks(500) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO samples (series, metric, at, value) ");
        query.push_values(rows, |mut row, (series, place, at, value)| {
            row.push_bind(*series as i64).push_bind(*place as i64).push_bind(at.as_millisecond()).push_bind(*value);
        });
        query.build().persistent(rows.len() == 500).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(rows.len())
}

/// A machine whose figures walk at random.
struct Walker {
    entity: Entity,
    values: Vec<f64>,
    random: u64,
}

fn fleet(hosts: usize, guests: usize) -> Vec<Walker> {
    let host = |number: usize| Entity::Host(HostId(format!("01980000-0000-7000-8000-{number:012}")));
    let guest = |number: usize| Entity::Guest(GuestId(format!("01980000-0000-7000-8000-00000000c001:{number}")));
    let entities = (0..hosts).map(host).chain((0..guests).map(guest));
    entities.enumerate().map(|(number, entity)| Walker::new(entity, number as u64)).collect()
}

impl Walker {
    fn new(entity: Entity, number: u64) -> Self {
        let mut walker = Self { values: Vec::new(), random: number * 2 + 1, entity };
        for _ in 0..8 {
            walker.random();
        }
        walker.values = metrics_of(walker.entity.kind())
            .iter()
            .map(|metric| match metric.unit {
                "bytes" if metric.name.ends_with("total") => 64e9,
                "bytes" => 64e9 * walker.random(),
                "bytes_per_second" => 1e6 * walker.random(),
                "seconds" => 0.0,
                _ => 50.0 * walker.random(),
            })
            .collect();
        walker
    }

    /// From 0 up to 1.
    fn random(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next sample: tick after tick, a few milliseconds off.
    fn sample(&mut self, tick: i64) -> Sample {
        let kind: EntityKind = self.entity.kind();
        let mut values = MetricRow::new(kind);
        for (place, metric) in metrics_of(kind).iter().enumerate() {
            let step = self.random() - 0.5;
            let value = &mut self.values[place];
            match metric.unit {
                "bytes" if metric.name.ends_with("total") => {}
                // Whole pages.
                "bytes" => *value = ((*value + step * 16e6).max(0.0) / 4096.0).round() * 4096.0,
                "bytes_per_second" => *value = (*value * (1.0 + step / 2.0)).max(100.0),
                "seconds" => *value = (tick * PERIOD) as f64,
                _ => *value = (*value + step * 4.0).clamp(0.0, 100.0),
            }
            values.put(metric.name, Some(*value));
        }
        let late = (self.random() * 40.0) as i64;
        let at = Timestamp::UNIX_EPOCH + Duration::from_millis(((BEGIN + tick * PERIOD) * 1_000 + late) as u64);
        Sample { entity: self.entity.clone(), at, values }
    }
}
