//! Answers from the history: the coarsest tier that shows the wanted steps, finer ones where that one is not made yet,
//! and coarser ones where those are gone already.

use sqlx::SqliteConnection;

use crate::{
    Result,
    model::{Entity, Series, TelemetryQuery},
    store::{
        grid::{Found, Plan},
        sqlite::SqliteStore,
        tiers::{Point, Tier, floor},
    },
};

use super::{chunk, earlier, samples};

const ATTEMPT: &str = "read the history";

impl SqliteStore {
    pub(super) async fn answer(&self, query: &TelemetryQuery) -> Result<Series> {
        let plan = Plan::new(query)?;
        let failed = self.telemetry.failed(ATTEMPT);
        // One look at all of it: what is packed between two reads would be in neither.
        let mut look = self.telemetry.reader().begin().await.map_err(&failed)?;
        let found = match series_of(&mut look, &query.entity).await.map_err(&failed)? {
            Some(series) => self.find(&mut look, series, &plan).await?,
            None => Found::default(),
        };
        look.commit().await.map_err(&failed)?;
        plan.answer(query, found)
    }

    async fn find(&self, look: &mut SqliteConnection, series: i64, plan: &Plan) -> Result<Found> {
        let failed = self.telemetry.failed(ATTEMPT);
        let mut search =
            Search { series, plan, missing: vec![(floor(plan.from, plan.step), plan.to)], found: Found::default() };
        let (quarters, six_hours): (Option<i64>, Option<i64>) =
            sqlx::query_as("SELECT quarters_due, six_hours_due FROM series WHERE id = ?")
                .bind(series)
                .fetch_one(&mut *look)
                .await
                .map_err(&failed)?;
        for tier in Tier::ALL.into_iter().rev().filter(|tier| *tier <= plan.tier()) {
            // A chunk that is to be made anew does not say all yet: finer ones go first.
            let due = match tier {
                Tier::Raw | Tier::Minute => None,
                Tier::Quarter => quarters,
                Tier::SixHours => six_hours,
            };
            self.take_chunks(look, tier, due.unwrap_or(i64::MAX), &mut search).await?;
        }
        let mut single = Vec::new();
        for part in search.missing.clone() {
            single.extend(samples(look, (series, series), part).await.map_err(&failed)?);
            let averages = earlier::averages(look, series, part).await.map_err(&failed)?;
            search.found.widest = search.found.widest.max(if averages.is_empty() { 0 } else { earlier::SPAN });
            search.found.points.extend(averages.iter().map(|(_, point)| only(point, &plan.places)));
        }
        for tier in Tier::ALL {
            self.take_chunks(look, tier, i64::MAX, &mut search).await?;
        }
        search.found.samples.extend(single.iter().map(|(_, point)| only(point, &plan.places)));
        Ok(search.found)
    }

    /// Takes what a tier has, in chunks that begin before `before`, of the times that are missing still; they are missing
    /// no more.
    async fn take_chunks(
        &self,
        look: &mut SqliteConnection,
        tier: Tier,
        before: i64,
        search: &mut Search<'_>,
    ) -> Result<()> {
        let failed = self.telemetry.failed(ATTEMPT);
        let mut covered = Vec::new();
        for (from, to) in search.missing.clone() {
            let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT begin, points FROM chunks WHERE series = ? AND tier = ? AND begin > ? AND begin < ?",
            )
            .bind(search.series)
            .bind(tier as i64)
            .bind(from - tier.chunk())
            .bind(to.min(before))
            .fetch_all(&mut *look)
            .await
            .map_err(&failed)?;
            for (begin, packed) in rows {
                let first = if tier.width() > 0 { floor(from, tier.width()) } else { from };
                let mut points = chunk(&self.telemetry, tier, begin, &packed, Some(&search.plan.places))?;
                points.retain(|point| (first..to).contains(&point.at));
                search.take(tier, points);
                covered.push((begin, begin + tier.chunk()));
            }
        }
        covered.into_iter().for_each(|part| without(&mut search.missing, part));
        Ok(())
    }
}

/// A look through the history for a plan.
struct Search<'a> {
    series: i64,
    plan: &'a Plan,
    /// Parts of the wanted time of which nothing was found yet.
    missing: Vec<(i64, i64)>,
    found: Found,
}

impl Search<'_> {
    fn take(&mut self, tier: Tier, points: Vec<Point>) {
        if tier == Tier::Raw {
            self.found.samples.extend(points);
        } else if !points.is_empty() {
            self.found.widest = self.found.widest.max(tier.width());
            self.found.points.extend(points);
        }
    }
}

/// A point with the figures at these places alone.
fn only(point: &Point, places: &[usize]) -> Point {
    let cell = |place: &usize| point.cells.get(*place).copied().unwrap_or_default();
    Point { at: point.at, cells: places.iter().map(cell).collect() }
}

/// Takes a part out of some.
fn without(parts: &mut Vec<(i64, i64)>, (begin, end): (i64, i64)) {
    let left = |(from, to): (i64, i64)| {
        [(from, to.min(begin)), (from.max(end), to)].into_iter().filter(|(from, to)| from < to)
    };
    *parts = parts.iter().copied().flat_map(left).collect();
}

/// The number of an entity, if it has a history.
pub(super) async fn series_of(look: &mut SqliteConnection, entity: &Entity) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM series WHERE entity = ?").bind(entity.to_string()).fetch_optional(look).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_taken_out_of_the_middle_the_ends_and_beside() {
        let left = |part| {
            let mut parts = vec![(0, 10), (20, 30)];
            without(&mut parts, part);
            parts
        };
        assert_eq!(left((3, 5)), [(0, 3), (5, 10), (20, 30)]);
        assert_eq!(left((5, 25)), [(0, 5), (25, 30)]);
        assert_eq!(left((-5, 40)), []);
        assert_eq!(left((10, 20)), [(0, 10), (20, 30)]);
    }
}
