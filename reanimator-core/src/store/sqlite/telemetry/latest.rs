//! What was seen last.

use std::collections::{BTreeMap, HashMap};

use sqlx::SqliteConnection;

use crate::{
    Result,
    model::{Entity, Latest, Reading},
    store::{
        grid::plain,
        metrics::metrics_of,
        sqlite::{SqliteStore, timestamp},
        tiers::{Point, Tier},
    },
};

use super::{chunk, point, query::series_of, samples};

const ATTEMPT: &str = "read the last figures";

/// More entities than these are looked for in the newest minutes together first.
const FEW: usize = 16;

impl SqliteStore {
    pub(super) async fn newest(&self, entities: &[Entity]) -> Result<BTreeMap<Entity, Latest>> {
        let failed = self.telemetry.failed(ATTEMPT);
        let mut look = self.telemetry.reader().begin().await.map_err(&failed)?;
        let mut fresh = match entities.len() > FEW {
            true => fresh(&mut look).await.map_err(&failed)?,
            false => HashMap::new(),
        };
        let mut all = BTreeMap::new();
        for entity in entities {
            let points = match fresh.remove(&entity.to_string()) {
                Some(points) => points,
                None => match series_of(&mut look, entity).await.map_err(&failed)? {
                    Some(series) => self.last_points(&mut look, series).await?,
                    None => continue,
                },
            };
            let latest = newest_of(entity, &points)?;
            if !latest.is_empty() {
                all.insert(entity.clone(), latest);
            }
        }
        look.commit().await.map_err(&failed)?;
        Ok(all)
    }

    /// The last points of one series: its samples and its newest chunk, of the finest tier that has one.
    async fn last_points(&self, look: &mut SqliteConnection, series: i64) -> Result<Vec<Point>> {
        let failed = self.telemetry.failed(ATTEMPT);
        let single = samples(look, (series, series), (i64::MIN / 2, i64::MAX / 2)).await.map_err(&failed)?;
        let mut points: Vec<Point> = single.into_iter().map(|(_, point)| point).collect();
        for tier in Tier::ALL {
            let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT begin, points FROM chunks WHERE series = ? AND tier = ? ORDER BY begin DESC LIMIT 1",
            )
            .bind(series)
            .bind(tier as i64)
            .fetch_optional(&mut *look)
            .await
            .map_err(&failed)?;
            if let Some((begin, packed)) = row {
                points.extend(chunk(&self.telemetry, tier, begin, &packed, None)?);
                break;
            }
        }
        Ok(points)
    }
}

/// What came in the two newest minutes, for each entity.
async fn fresh(look: &mut SqliteConnection) -> Result<HashMap<String, Vec<Point>>, sqlx::Error> {
    let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT series.entity, samples.at, samples.figures FROM samples JOIN series ON series.id = samples.series
         WHERE samples.minute >= (SELECT MAX(minute) - 1 FROM samples)",
    )
    .fetch_all(look)
    .await?;
    let mut points = HashMap::<String, Vec<Point>>::new();
    for (entity, at, figures) in rows {
        points.entry(entity).or_default().push(point(at, &figures));
    }
    Ok(points)
}

/// Of each figure the newest that there is.
fn newest_of(entity: &Entity, points: &[Point]) -> Result<Latest> {
    let mut latest = Latest::new();
    for (place, metric) in metrics_of(entity.kind()).iter().enumerate() {
        let seen = |point: &Point| Some((point.at, point.cells.get(place)?.mean()?));
        if let Some((at, value)) = points.iter().filter_map(seen).max_by_key(|(at, _)| *at) {
            latest.insert(metric.name.to_owned(), Reading { at: timestamp(at)?, value: plain(value) });
        }
    }
    Ok(latest)
}
