//! Answers from the history: the coarsest tier that shows the wanted steps, finer ones where that one is not made yet,
//! and coarser ones where those are gone already. Of many series at once each tier is one question.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use crate::{
    Result,
    model::{Entity, Recent, RecentQuery, Series, TelemetryQuery},
    store::{
        grid::{Found, Lines, Plan},
        sqlite::SqliteStore,
        tiers::{Point, Tier, floor},
    },
};

use super::{chunk, earlier, samples, single};

const ATTEMPT: &str = "read the history";

/// Chunks of one tier in parts of the history: `[[series, from, to, before], ...]`.
const CHUNKS: &str = "SELECT part.value ->> 0, part.value ->> 1, part.value ->> 2, chunks.begin, chunks.points
    FROM json_each(?1) AS part CROSS JOIN chunks ON chunks.series = part.value ->> 0 AND chunks.tier = ?2
    AND chunks.begin > (part.value ->> 1) - ?3 AND chunks.begin < MIN(part.value ->> 2, part.value ->> 3)";

/// The numbers of some entities, and what is to be made anew of their coarser tiers.
const SERIES: &str = "SELECT wanted.key, series.id, series.quarters_due, series.six_hours_due
    FROM json_each(?1) AS wanted CROSS JOIN series ON series.entity = wanted.value";

/// A series: whose in the question, its number, and from when on quarters and six hours are to be made anew.
type Known = (i64, i64, Option<i64>, Option<i64>);

impl SqliteStore {
    pub(super) async fn answer(&self, query: &TelemetryQuery) -> Result<Series> {
        let plan = Plan::new(query)?;
        let found = self.find_all(&[(&query.entity, &plan)]).await?.pop();
        plan.answer(query, found.unwrap_or_default())
    }

    pub(super) async fn lines(&self, query: &RecentQuery) -> Result<Recent> {
        let lines = Lines::new(query)?;
        let questions = lines.questions(query);
        let found = self.find_all(&questions).await?;
        lines.answer(query, &questions, found)
    }

    /// What there is of each entity, in the same order. No entity comes twice.
    async fn find_all(&self, questions: &[(&Entity, &Plan)]) -> Result<Vec<Found>> {
        let failed = self.telemetry.failed(ATTEMPT);
        // One look at all of it: what is packed between two reads would be in neither.
        let mut look = self.telemetry.reader().begin().await.map_err(&failed)?;
        let names: Vec<String> = questions.iter().map(|(entity, _)| entity.to_string()).collect();
        let known: Vec<Known> =
            sqlx::query_as(SERIES).bind(json(&names)).fetch_all(&mut *look).await.map_err(&failed)?;
        let mut searches: Vec<Search<'_>> = known
            .into_iter()
            .filter_map(|(place, series, quarters, six_hours)| {
                let place = usize::try_from(place).ok()?;
                Some(Search::new(place, series, questions.get(place)?.1, [quarters, six_hours]))
            })
            .collect();
        self.find(&mut look, &mut searches).await?;
        look.commit().await.map_err(&failed)?;
        let mut found: Vec<Found> = questions.iter().map(|_| Found::default()).collect();
        searches.into_iter().for_each(|search| found[search.place] = search.found);
        Ok(found)
    }

    async fn find(&self, look: &mut SqliteConnection, searches: &mut [Search<'_>]) -> Result<()> {
        let failed = self.telemetry.failed(ATTEMPT);
        for tier in Tier::ALL.into_iter().rev() {
            // A chunk that is to be made anew does not say all yet: finer ones go first.
            self.take_chunks(look, tier, searches, |search| {
                (tier <= search.plan.tier()).then(|| search.due(tier).unwrap_or(i64::MAX))
            })
            .await?;
        }
        let mut fresh: Vec<Vec<Point>> = searches.iter().map(|_| Vec::new()).collect();
        // The one figure of each that is wanted is cut out where it lies.
        let (one, many): (Vec<usize>, Vec<usize>) =
            (0..searches.len()).partition(|index| searches[*index].plan.places.len() == 1);
        let parts: Vec<[i64; 4]> = one.iter().flat_map(|index| searches[*index].single_parts()).collect();
        let places = places_of(searches);
        for (series, points) in single(look, &json(&parts)).await.map_err(&failed)? {
            if let Some(index) = places.get(&series) {
                fresh[*index].extend(points);
            }
        }
        for index in many {
            let Search { series, plan, missing, .. } = &searches[index];
            for part in missing {
                let found = samples(look, (*series, *series), *part).await.map_err(&failed)?;
                fresh[index].extend(found.iter().map(|(_, point)| only(point, &plan.places)));
            }
        }
        let parts: Vec<[i64; 4]> = searches.iter().flat_map(|search| search.parts(i64::MAX)).collect();
        for (series, point) in earlier::averages_of_parts(look, &json(&parts)).await.map_err(&failed)? {
            if let Some(search) = places.get(&series).map(|index| &mut searches[*index]) {
                search.found.widest = search.found.widest.max(earlier::SPAN);
                search.found.points.push(only(&point, &search.plan.places));
            }
        }
        for tier in Tier::ALL {
            self.take_chunks(look, tier, searches, |_| Some(i64::MAX)).await?;
        }
        for (search, points) in searches.iter_mut().zip(fresh) {
            search.found.samples.extend(points);
        }
        Ok(())
    }

    /// Takes what a tier has of the times that are missing still, in chunks that begin before what `before` says, and
    /// nothing where that says nothing; they are missing no more.
    async fn take_chunks(
        &self,
        look: &mut SqliteConnection,
        tier: Tier,
        searches: &mut [Search<'_>],
        before: impl Fn(&Search<'_>) -> Option<i64>,
    ) -> Result<()> {
        let parts: Vec<[i64; 4]> =
            searches.iter().filter_map(|search| Some(search.parts(before(search)?))).flatten().collect();
        if parts.is_empty() {
            return Ok(());
        }
        let rows: Vec<(i64, i64, i64, i64, Vec<u8>)> = sqlx::query_as(CHUNKS)
            .bind(json(&parts))
            .bind(tier as i64)
            .bind(tier.chunk())
            .fetch_all(look)
            .await
            .map_err(self.telemetry.failed(ATTEMPT))?;
        let places = places_of(searches);
        let mut covered = Vec::with_capacity(rows.len());
        for (series, from, to, begin, packed) in rows {
            let Some(search) = places.get(&series).map(|index| &mut searches[*index]) else { continue };
            let first = if tier.width() > 0 { floor(from, tier.width()) } else { from };
            let mut points = chunk(&self.telemetry, tier, begin, &packed, Some(&search.plan.places))?;
            points.retain(|point| (first..to).contains(&point.at));
            search.take(tier, points);
            covered.push((places[&series], (begin, begin + tier.chunk())));
        }
        covered.into_iter().for_each(|(index, part)| without(&mut searches[index].missing, part));
        Ok(())
    }
}

/// Where the search of each series is.
fn places_of(searches: &[Search<'_>]) -> HashMap<i64, usize> {
    searches.iter().enumerate().map(|(index, search)| (search.series, index)).collect()
}

/// A list as SQL takes it. Of numbers and plain text there is always one.
fn json(list: &impl serde::Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// A look through the history for a plan.
struct Search<'a> {
    /// Of which question in a row.
    place: usize,
    series: i64,
    plan: &'a Plan,
    /// From when on quarters and six hours are to be made anew.
    due: [Option<i64>; 2],
    /// Parts of the wanted time of which nothing was found yet.
    missing: Vec<(i64, i64)>,
    found: Found,
}

impl<'a> Search<'a> {
    fn new(place: usize, series: i64, plan: &'a Plan, due: [Option<i64>; 2]) -> Self {
        let missing = vec![(floor(plan.from, plan.step), plan.to)];
        Self { place, series, plan, due, missing, found: Found::default() }
    }

    /// From when on chunks of a tier are to be made anew.
    fn due(&self, tier: Tier) -> Option<i64> {
        match tier {
            Tier::Raw | Tier::Minute => None,
            Tier::Quarter => self.due[0],
            Tier::SixHours => self.due[1],
        }
    }

    /// What is missing still: series, from, to, and before when.
    fn parts(&self, before: i64) -> impl Iterator<Item = [i64; 4]> {
        self.missing.iter().map(move |(from, to)| [self.series, *from, *to, before])
    }

    /// What is missing still: series, from, to, and the place of the one figure.
    fn single_parts(&self) -> impl Iterator<Item = [i64; 4]> {
        let place = self.plan.places.first().and_then(|place| i64::try_from(*place).ok()).unwrap_or(0);
        self.missing.iter().map(move |(from, to)| [self.series, *from, *to, place])
    }

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
