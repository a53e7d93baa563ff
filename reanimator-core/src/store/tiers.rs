//! How a history grows coarser with age: four tiers, each made of the finer one.
//!
//! | tier | a point is | a chunk spans | kept by default |
//! |---|---|---|---|
//! | raw | a sample | an hour | 24 hours |
//! | minute | a minute | an hour | 7 days |
//! | quarter | 15 minutes | a day | 90 days |
//! | six hours | 6 hours | 30 days | 2 years |
//!
//! A point of a coarse tier has, for each figure, how often it was seen, its least, average and most. A point made of
//! such points takes the least of the least, the most of the most, and the average weighted by how often: so it says
//! what one made of all samples would say. Where nothing was seen there is no point.
//!
//! All of this is arithmetic: no clock, no database.

use std::collections::BTreeMap;

use super::pack::{self, Unpacked};

const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// How fine a part of the history is. The numbers are those in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Raw = 0,
    Minute = 1,
    Quarter = 2,
    SixHours = 3,
}

impl Tier {
    pub(crate) const ALL: [Self; 4] = [Self::Raw, Self::Minute, Self::Quarter, Self::SixHours];

    /// What one point spans, in milliseconds; a sample spans nothing.
    pub(crate) fn width(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minute => MINUTE,
            Self::Quarter => 15 * MINUTE,
            Self::SixHours => 6 * HOUR,
        }
    }

    /// What one chunk spans, in milliseconds. Chunks begin at multiples of it.
    pub(crate) fn chunk(self) -> i64 {
        match self {
            Self::Raw | Self::Minute => HOUR,
            Self::Quarter => DAY,
            Self::SixHours => 30 * DAY,
        }
    }

    /// The chunk that a time lies in, by when it begins.
    pub(crate) fn chunk_of(self, at: i64) -> i64 {
        floor(at, self.chunk())
    }

    /// The coarsest tier that still shows steps of that length.
    pub(crate) fn for_step(step: i64) -> Self {
        Self::ALL.into_iter().rev().find(|tier| tier.width() <= step).unwrap_or(Self::Raw)
    }
}

/// The greatest multiple of `width` that is not above.
pub(crate) fn floor(at: i64, width: i64) -> i64 {
    at.div_euclid(width).saturating_mul(width)
}

/// One figure over a span of time: how often it was seen, and what.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) count: u32,
    pub(crate) min: f32,
    pub(crate) max: f32,
    sum: f64,
}

impl Cell {
    /// A single sight of it; nothing where it is no number.
    pub(crate) fn of(value: f32) -> Self {
        if value.is_finite() {
            Self { count: 1, min: value, max: value, sum: f64::from(value) }
        } else {
            Self::default()
        }
    }

    /// One that was stored; nothing where the parts do not belong together.
    pub(crate) fn stored(count: u32, min: f32, mean: f32, max: f32) -> Self {
        if count > 0 && min <= mean && mean <= max && min.is_finite() && max.is_finite() {
            Self { count, min, max, sum: f64::from(mean) * f64::from(count) }
        } else {
            Self::default()
        }
    }

    /// Takes another span's in.
    pub(crate) fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        self.count = self.count.saturating_add(other.count);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
    }

    /// The average, which rounding never puts outside of least and most.
    pub(crate) fn mean(&self) -> Option<f64> {
        let mean = || (self.sum / f64::from(self.count)).clamp(f64::from(self.min), f64::from(self.max));
        (self.count > 0).then(mean)
    }
}

/// All figures at one time or over one span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// When it was, or when the span begins: milliseconds since 1970.
    pub(crate) at: i64,
    /// The figures in the order of their kind.
    pub(crate) cells: Vec<Cell>,
}

/// Points over spans of `width`, beginning at multiples of it, made of finer ones in any order.
pub(crate) fn roll_up<'a>(points: impl IntoIterator<Item = &'a Point>, width: i64) -> Vec<Point> {
    let mut spans = BTreeMap::<i64, Vec<Cell>>::new();
    for point in points {
        let cells = spans.entry(floor(point.at, width)).or_default();
        if cells.len() < point.cells.len() {
            cells.resize(point.cells.len(), Cell::default());
        }
        cells.iter_mut().zip(&point.cells).for_each(|(cell, other)| cell.add(other));
    }
    spans.into_iter().map(|(at, cells)| Point { at, cells }).collect()
}

/// Both, in the order of time; where both have a point, the fresh one.
pub(crate) fn merge(stored: Vec<Point>, fresh: Vec<Point>) -> Vec<Point> {
    let all: BTreeMap<i64, Point> = stored.into_iter().chain(fresh).map(|point| (point.at, point)).collect();
    all.into_values().collect()
}

/// Points of a tier as they are stored. Of samples the value alone is; of others count, least, average and most.
pub(crate) fn pack(tier: Tier, begin: i64, points: &[Point]) -> Vec<u8> {
    let times: Vec<i64> = points.iter().map(|point| point.at).collect();
    let figures = points.iter().map(|point| point.cells.len()).max().unwrap_or(0);
    let column = |index: usize, part: fn(&Cell) -> u32| {
        let cell = |point: &Point| point.cells.get(index).copied().unwrap_or_default();
        points.iter().map(|point| part(&cell(point))).collect::<Vec<u32>>()
    };
    let parts: &[fn(&Cell) -> u32] = match tier {
        Tier::Raw => &[mean_bits],
        Tier::Minute | Tier::Quarter | Tier::SixHours => {
            &[|cell| cell.count, |cell| cell.min.to_bits(), mean_bits, |cell| cell.max.to_bits()]
        }
    };
    let columns: Vec<_> = (0..figures).flat_map(|index| parts.iter().map(move |part| (index, *part))).collect();
    let columns: Vec<_> = columns.into_iter().map(|(index, part)| column(index, part)).collect();
    pack::pack(begin, &times, &columns)
}

fn mean_bits(cell: &Cell) -> u32 {
    cell.mean().map_or(f32::NAN, |mean| mean as f32).to_bits()
}

/// Reads what [`pack`] made: of the figures at `places` alone, in that order; of all where there are none named.
pub(crate) fn unpack(
    tier: Tier,
    begin: i64,
    packed: &[u8],
    places: Option<&[usize]>,
) -> Result<Vec<Point>, &'static str> {
    let unpacked = pack::unpack(begin, packed)?;
    let parts = if tier == Tier::Raw { 1 } else { 4 };
    let all: Vec<usize> = (0..unpacked.columns() / parts).collect();
    let figures: Vec<Vec<Cell>> =
        places.unwrap_or(&all).iter().map(|place| cells(tier, &unpacked, place * parts)).collect();
    let point = |(row, at): (usize, &i64)| Point {
        at: *at,
        cells: figures.iter().map(|cells| cells.get(row).copied().unwrap_or_default()).collect(),
    };
    Ok(unpacked.times.iter().enumerate().map(point).collect())
}

/// One figure's cells, whose columns begin at `first`; none where it is not among what was packed.
fn cells(tier: Tier, unpacked: &Unpacked, first: usize) -> Vec<Cell> {
    let column = |part: usize| unpacked.column(first + part).unwrap_or_default();
    if tier == Tier::Raw {
        return column(0).into_iter().map(|bits| Cell::of(f32::from_bits(bits))).collect();
    }
    let (counts, least, means, most) = (column(0), column(1), column(2), column(3));
    let rows = counts.into_iter().zip(least).zip(means).zip(most);
    let float = f32::from_bits;
    rows.map(|(((count, min), mean), max)| Cell::stored(count, float(min), float(mean), float(max))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples() -> impl Strategy<Value = Vec<Point>> {
        let value = prop_oneof![4 => -1e12f32..1e12, 1 => Just(f32::NAN), 1 => Just(0.0f32), 1 => Just(f32::MAX)];
        let point = (-DAY..DAY, value.clone(), value)
            .prop_map(|(at, a, b)| Point { at, cells: vec![Cell::of(a), Cell::of(b)] });
        proptest::collection::vec(point, 0..200)
    }

    fn close(one: &[Point], other: &[Point]) {
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(other) {
            assert_eq!(one.at, other.at);
            for (one, other) in one.cells.iter().zip(&other.cells) {
                assert_eq!((one.count, one.min, one.max), (other.count, other.min, other.max));
                let scale = f64::from(one.min.abs().max(one.max.abs()));
                let distance = (one.mean().unwrap_or(0.0) - other.mean().unwrap_or(0.0)).abs();
                assert!(distance <= scale * 1e-5, "{one:?} and {other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_roll_up_of_roll_ups_is_the_roll_up_of_all(samples in samples()) {
            let minutes = roll_up(&samples, Tier::Minute.width());
            let quarters = roll_up(&minutes, Tier::Quarter.width());
            close(&roll_up(&quarters, Tier::SixHours.width()), &roll_up(&samples, Tier::SixHours.width()));
        }

        /// Also through what is stored in between, which rounds.
        #[test]
        fn tiers_that_were_stored_say_the_same(samples in samples()) {
            let mut points = roll_up(&samples, MINUTE);
            for tier in [Tier::Minute, Tier::Quarter, Tier::SixHours] {
                points = roll_up(&points, tier.width());
                points = unpack(tier, 0, &pack(tier, 0, &points), None).unwrap();
            }
            close(&points, &roll_up(&samples, Tier::SixHours.width()));
        }

        #[test]
        fn least_average_and_most_are_in_order(samples in samples(), width in 1..DAY) {
            let points = roll_up(&samples, width);
            for cell in points.iter().flat_map(|point| &point.cells) {
                let Some(mean) = cell.mean() else { continue };
                prop_assert!(f64::from(cell.min) <= mean && mean <= f64::from(cell.max), "{:?}", cell);
                prop_assert!(cell.min <= mean as f32 && mean as f32 <= cell.max);
            }
            let seen = |points: &[Point]| points.iter().map(|point| u64::from(point.cells[0].count)).sum::<u64>();
            prop_assert_eq!(seen(&points), seen(&samples), "each sight counts once");
        }

        #[test]
        fn samples_come_back_to_the_bit(samples in samples()) {
            let packed = pack(Tier::Raw, 5, &samples);
            prop_assert_eq!(unpack(Tier::Raw, 5, &packed, None).unwrap(), samples.clone());
            let second = unpack(Tier::Raw, 5, &packed, Some(&[1, 7])).unwrap();
            for (point, sample) in second.iter().zip(&samples) {
                prop_assert_eq!(&point.cells, &vec![sample.cells[1], Cell::default()]);
            }
        }
    }

    #[test]
    fn a_gap_is_no_point() {
        let point = |at| Point { at, cells: vec![Cell::of(1.0)] };
        let points = roll_up(&[point(0), point(3 * MINUTE)], MINUTE);
        assert_eq!(points.iter().map(|point| point.at).collect::<Vec<_>>(), [0, 3 * MINUTE]);
    }

    #[test]
    fn a_step_is_shown_by_the_coarsest_tier_that_can() {
        for (step, tier) in
            [(1, Tier::Raw), (MINUTE, Tier::Minute), (HOUR, Tier::Quarter), (DAY, Tier::SixHours), (0, Tier::Raw)]
        {
            assert_eq!(Tier::for_step(step), tier, "{step}");
        }
    }
}
