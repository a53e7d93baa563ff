//! Answering a question about the history: which points fall into which step.
//!
//! The steps begin at multiples of their length. A step in which nothing was seen is empty; only where the steps are as
//! short as the distance of the samples, so that an uneven clock skips some, a sample stands for the next step too.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Result,
    model::{Columns, Entity, EntityKind, Recent, RecentQuery, Series, TelemetryQuery},
};

use super::{
    metrics::{metric_index, metrics_of},
    tiers::{Cell, DAY, HOUR, MINUTE, Point, Tier, floor},
};

/// Points that one answer may have for each figure.
pub(crate) const MOST_POINTS: i64 = 10_000;
/// Points that an answer has at most where no step is asked for: more than a screen shows.
const CHART_POINTS: i64 = 720;
const SECOND: i64 = 1_000;
/// The longest step that may be asked for: ten thousand years, all the time that can be written down. What is longer would
/// overflow.
const LONGEST_STEP: i64 = 10_000 * 366 * DAY;
/// Steps that people read easily, the shortest first.
const STEPS: [i64; 12] = [
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];

/// A question that was looked at and can be answered.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names of the figures.
    pub(crate) metrics: Vec<String>,
    /// Their places in the rows of their kind.
    pub(crate) places: Vec<usize>,
    /// From then on, in milliseconds.
    pub(crate) from: i64,
    /// Up to but not including then.
    pub(crate) to: i64,
    /// The wanted step, in milliseconds.
    pub(crate) step: i64,
}

impl Plan {
    /// Looks at a question.
    pub(crate) fn new(query: &TelemetryQuery) -> Result<Self> {
        let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
        forward(query.from, query.to, &query.entity)?;
        let refuse = || Error::new(ErrorKind::Invalid, "read the history").on(query.entity.to_string());
        let step = match query.step {
            None => usual_step(to - from),
            Some(step) => whole_seconds(step).ok_or_else(|| {
                refuse()
                    .because("the step is not a whole number of seconds from 1 on, or too long")
                    .next("give a step such as 10 s, 60 s or 3600 s")
            })?,
        };
        let points = (to - from) / step;
        if points > MOST_POINTS {
            let least = (to - from) / MOST_POINTS / SECOND + 1;
            return Err(refuse()
                .because(format!("it would have {points} points, and {MOST_POINTS} are the most"))
                .next(format!("give a step of {least} s or more, or ask for a shorter time")));
        }
        let kind = query.entity.kind();
        let metrics = match query.metrics.as_slice() {
            [] => metrics_of(kind).iter().map(|metric| metric.name.to_owned()).collect(),
            names => names.to_vec(),
        };
        let place = |name: &String| {
            let known = || metrics_of(kind).iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ");
            metric_index(kind, name).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, format!("read the history of {name:?}"))
                    .because(format!("no such figure is kept of a {kind}"))
                    .next(format!("use one of {}", known()))
            })
        };
        let places = metrics.iter().map(place).collect::<Result<_>>()?;
        Ok(Self { metrics, places, from, to, step })
    }

    /// The tier to look into first.
    pub(crate) fn tier(&self) -> Tier {
        Tier::for_step(self.step)
    }

    /// The answer, made of what was found for this plan's figures.
    pub(crate) fn answer(self, query: &TelemetryQuery, mut found: Found) -> Result<Series> {
        found.samples.sort_by_key(|sample| sample.at);
        let step = self.step.max(found.widest).max(whole(usual_gap(&found.samples)));
        let first = floor(self.from, step);
        let cells = self.cells(step, &found);
        let begin = |index: usize| Timestamp::from_millisecond(first + index as i64 * step);
        let times = (0..cells.len()).map(begin).collect::<Result<Vec<_>, _>>().map_err(no_time)?;
        let column = |place: usize| Columns {
            min: cells.iter().map(|cells| least(&cells[place]).map(plain)).collect(),
            mean: cells.iter().map(|cells| cells[place].mean().map(plain)).collect(),
            max: cells.iter().map(|cells| most(&cells[place]).map(plain)).collect(),
        };
        let metrics: BTreeMap<String, Columns> =
            self.metrics.iter().enumerate().map(|(place, name)| (name.clone(), column(place))).collect();
        let step_seconds = u64::try_from(step / SECOND).unwrap_or(0);
        Ok(Series { entity: query.entity.clone(), step_seconds, times, metrics })
    }

    /// What was found, whose samples are in the order of time, put into steps of that length.
    fn cells(&self, step: i64, found: &Found) -> Vec<Vec<Cell>> {
        let first = floor(self.from, step);
        let steps = usize::try_from((self.to - 1 - first).div_euclid(step) + 1).unwrap_or(0);
        let mut cells = vec![vec![Cell::default(); self.places.len()]; steps];
        for point in found.points.iter().chain(&found.samples) {
            let index = usize::try_from((point.at - first).div_euclid(step)).ok();
            if let Some(cells) = index.and_then(|index| cells.get_mut(index)) {
                cells.iter_mut().zip(&point.cells).for_each(|(cell, other)| cell.add(other));
            }
        }
        hold(&mut cells, &found.samples, |at| (at - first).div_euclid(step), usual_gap(&found.samples));
        cells
    }
}

/// A question for the same figure of many, looked at: a plan for each kind among them, all with the same steps.
#[derive(Debug)]
pub(crate) struct Lines {
    step: i64,
    plans: BTreeMap<EntityKind, Plan>,
}

impl Lines {
    /// Looks at a question.
    pub(crate) fn new(query: &RecentQuery) -> Result<Self> {
        let RecentQuery { entities, metric, from, to, points } = query;
        forward(*from, *to, metric)?;
        let step = step_for(*from, *to, *points);
        let mut plans = BTreeMap::new();
        for entity in entities {
            if !plans.contains_key(&entity.kind()) {
                let (entity, metrics) = (entity.clone(), vec![metric.clone()]);
                let question = TelemetryQuery { entity, metrics, from: *from, to: *to, step: Some(step) };
                plans.insert(question.entity.kind(), Plan::new(&question)?);
            }
        }
        Ok(Self { step: whole_seconds(step).unwrap_or(SECOND), plans })
    }

    /// Each entity with the plan for its kind.
    pub(crate) fn questions<'a>(&'a self, query: &'a RecentQuery) -> Vec<(&'a Entity, &'a Plan)> {
        query.entities.iter().filter_map(|entity| Some((entity, self.plans.get(&entity.kind())?))).collect()
    }

    /// The answer, made of what was found for each of the questions.
    pub(crate) fn answer(
        &self,
        query: &RecentQuery,
        questions: &[(&Entity, &Plan)],
        mut found: Vec<Found>,
    ) -> Result<Recent> {
        let step = found.iter().fold(self.step, |step, found| step.max(found.widest));
        let first = floor(query.from.as_millisecond(), step);
        let last = floor(query.to.as_millisecond() - 1, step).saturating_add(step);
        let mut series = BTreeMap::new();
        for ((entity, plan), found) in questions.iter().zip(&mut found) {
            found.samples.sort_by_key(|sample| sample.at);
            let mean = |cells: Vec<Cell>| Some(plain(cells.first()?.mean()?));
            series.insert((*entity).clone(), plan.cells(step, found).into_iter().map(mean).collect());
        }
        Ok(Recent {
            metric: query.metric.clone(),
            from: Timestamp::from_millisecond(first).map_err(no_time)?,
            to: Timestamp::from_millisecond(last).map_err(no_time)?,
            step_seconds: u64::try_from(step / SECOND).unwrap_or(0),
            series,
            unknown: Vec::new(),
        })
    }
}

/// Refuses a time of a history that ends before it begins.
fn forward(from: Timestamp, to: Timestamp, of: &impl ToString) -> Result<()> {
    if from.as_millisecond() < to.as_millisecond() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "read the history")
        .on(of.to_string())
        .because("its end is not after its beginning")
        .next("give an earlier `from` or a later `to`"))
}

fn no_time(error: jiff::Error) -> Error {
    Error::new(ErrorKind::Invalid, "read the history").from_source(error)
}

/// A figure as it was before 32 bits held it: 5.7 and not 5.699999809265137. Whole numbers of eight digits and more, such
/// as bytes, stay as they are.
pub(crate) fn plain(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number is small")]
    let digits = 7 - value.abs().log10().ceil() as i32;
    match digits {
        // Powers of ten up to these are exact, so that only the division rounds.
        1..=22 => (value * 10f64.powi(digits)).round() / 10f64.powi(digits),
        _ => value,
    }
}

/// What was found for a plan, in any order, with the plan's figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Points that stand for a span.
    pub(crate) points: Vec<Point>,
    /// Points that are single samples.
    pub(crate) samples: Vec<Point>,
    /// The longest span, in milliseconds, that one of the points stands for.
    pub(crate) widest: i64,
}

/// The usual distance of samples in the order of time, 0 where there are too few to tell.
fn usual_gap(samples: &[Point]) -> i64 {
    let mut gaps: Vec<i64> = samples.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(0)
}

/// Lets a sample stand for steps that are empty because the clock ticks unevenly: no further than to the next sample,
/// and only where that one came in time.
fn hold(cells: &mut [Vec<Cell>], samples: &[Point], step_of: impl Fn(i64) -> i64, period: i64) {
    for pair in samples.windows(2).filter(|pair| pair[1].at - pair[0].at <= period + period / 2) {
        for empty in step_of(pair[0].at) + 1..step_of(pair[1].at) {
            if let Some(cells) = usize::try_from(empty).ok().and_then(|index| cells.get_mut(index)) {
                cells.clone_from(&pair[0].cells);
            }
        }
    }
}

fn least(cell: &Cell) -> Option<f64> {
    (cell.count > 0).then(|| f64::from(cell.min))
}

fn most(cell: &Cell) -> Option<f64> {
    (cell.count > 0).then(|| f64::from(cell.max))
}

/// The nearest whole second.
fn whole(milliseconds: i64) -> i64 {
    floor(milliseconds + SECOND / 2, SECOND)
}

/// A wanted step in milliseconds.
fn whole_seconds(step: Duration) -> Option<i64> {
    let seconds = i64::try_from(step.as_secs()).ok().filter(|_| step.subsec_nanos() == 0)?;
    (SECOND..=LONGEST_STEP).contains(&seconds.checked_mul(SECOND)?).then_some(seconds * SECOND)
}

/// The shortest step, in whole seconds, that cuts `from..to` into at most `points`, but at least 2.
pub(crate) fn step_for(from: Timestamp, to: Timestamp, points: usize) -> Duration {
    let (from, to) = (from.as_millisecond(), to.as_millisecond());
    let points = i64::try_from(points).unwrap_or(i64::MAX).clamp(2, MOST_POINTS);
    let parts = |points: i64| ((to - from).div_euclid(points * SECOND) + 1).max(1) * SECOND;
    let exact = ((to - from) / points / SECOND).max(1) * SECOND;
    let fits = |step: &i64| (to - 1).div_euclid(*step) - from.div_euclid(*step) < points;
    let step =
        [exact, parts(points), parts(points - 1)].into_iter().find(fits).unwrap_or_else(|| (to - from).max(SECOND));
    Duration::from_secs(u64::try_from(step / SECOND).unwrap_or(1))
}

/// The shortest step that people read easily and that makes no more than a chart.
fn usual_step(span: i64) -> i64 {
    let days = || (span / CHART_POINTS / DAY + 1) * DAY;
    STEPS.into_iter().find(|step| span / step <= CHART_POINTS).unwrap_or_else(days)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Entity;

    #[test]
    fn a_step_beyond_all_time_is_refused_and_a_long_one_overflows_nothing() {
        for (from, to) in [(-2_000_000_000, 0), (-5, 5), (0, 10)] {
            for step in [u64::MAX, i64::MAX as u64 / 1_000, 10_001 * 366 * 24 * 60 * 60] {
                let refused = Plan::new(&query(from, to, Some(step))).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Invalid);
            }
            let year = query(from, to, Some(366 * 24 * 60 * 60));
            assert!(Plan::new(&year).unwrap().answer(&year, Found::default()).is_ok());
        }
    }

    #[test]
    fn figures_are_what_they_were_before_they_were_kept() {
        for value in [5.7, 0.1, 12.34, 99.95, 0.001, -3.3, 100.0, 0.0, 1234567.0] {
            assert_eq!(plain(f64::from(value as f32)), value);
        }
        assert_eq!(plain(2_147_483_648.0), 2_147_483_648.0);
        assert!(plain(f64::NAN).is_nan());
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn query(from: i64, to: i64, step: Option<u64>) -> TelemetryQuery {
        TelemetryQuery {
            entity: Entity::Host("a".into()),
            metrics: vec!["load1".into()],
            from: at(from),
            to: at(to),
            step: step.map(Duration::from_secs),
        }
    }

    fn sample(milliseconds: i64, value: f32) -> Point {
        Point { at: milliseconds, cells: vec![Cell::of(value)] }
    }

    fn means(query: &TelemetryQuery, samples: Vec<Point>) -> (u64, Vec<Option<f64>>) {
        let found = Found { samples, ..Found::default() };
        let series = Plan::new(query).unwrap().answer(query, found).unwrap();
        assert_eq!(series.times.len(), series.metrics["load1"].mean.len());
        (series.step_seconds, series.metrics["load1"].mean.clone())
    }

    #[test]
    fn an_uneven_clock_makes_no_gap_and_a_real_one_shows() {
        let samples = [0, 9_900, 20_050, 29_950, 70_000, 80_000].map(|at| sample(at, 1.0)).to_vec();
        let (step, means) = means(&query(0, 90, Some(10)), samples);
        assert_eq!(step, 10);
        assert_eq!(
            means.iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, true, true, false, false, false, false, true, true]
        );
    }

    #[test]
    fn a_step_finer_than_the_samples_becomes_their_distance() {
        let samples = (0..6).map(|tick| sample(tick * 10_000, tick as f32)).collect();
        assert_eq!(means(&query(0, 60, Some(1)), samples), (10, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(Some).to_vec()));
    }

    #[test]
    fn steps_begin_at_their_multiples() {
        let query = query(95, 245, Some(60));
        let series = Plan::new(&query).unwrap().answer(&query, Found::default()).unwrap();
        assert_eq!(series.times, [60, 120, 180, 240].map(at));
    }

    #[test]
    fn a_question_that_makes_too_much_is_refused_with_a_step_that_does_not() {
        let error = Plan::new(&query(0, 86_400 * 30, Some(10))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.next_step().unwrap().contains("a step of 260 s or more"), "{error:?}");
        Plan::new(&query(0, 86_400 * 30, Some(260))).unwrap();
        for step in [Duration::ZERO, Duration::from_millis(1_500), Duration::MAX] {
            let query = TelemetryQuery { step: Some(step), ..query(0, 60, None) };
            assert_eq!(Plan::new(&query).unwrap_err().kind(), ErrorKind::Invalid, "{step:?}");
        }
        assert_eq!(Plan::new(&query(5, 5, None)).unwrap_err().kind(), ErrorKind::Invalid);
    }

    proptest! {
        #[test]
        fn a_chart_has_no_more_points_than_were_asked_for(
            from in 0..2_000_000_000_000i64,
            span in 1..100_000_000_000i64,
            points in 2..2_000usize,
        ) {
            let [from, to] = [from, from + span].map(|at| Timestamp::from_millisecond(at).unwrap());
            let query = TelemetryQuery { from, to, step: Some(step_for(from, to, points)), ..query(0, 1, None) };
            let series = Plan::new(&query).unwrap().answer(&query, Found::default()).unwrap();
            prop_assert!(series.times.len() <= points, "{} points", series.times.len());
        }
    }

    #[test]
    fn without_a_step_an_answer_is_a_chart() {
        for span in [1, 60, 3_600, 86_400, 86_400 * 7, 86_400 * 730, 86_400 * 10_000] {
            let plan = Plan::new(&query(0, span, None)).unwrap();
            assert!((plan.to - plan.from) / plan.step <= CHART_POINTS, "{span} s in steps of {} ms", plan.step);
        }
    }

    #[test]
    fn an_unknown_figure_is_refused_with_those_there_are() {
        let query = TelemetryQuery { metrics: vec!["cpu".into()], ..query(0, 60, None) };
        let error = Plan::new(&query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.next_step().unwrap().contains("cpu_percent"));
    }
}
