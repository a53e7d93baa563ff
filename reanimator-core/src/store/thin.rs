//! Making a long history short: averages over equal spans.

use jiff::Timestamp;

use crate::{Error, ErrorKind, Result};

use super::{History, MetricRow, metrics::METRICS, metrics::metric_index};

/// The figures at one time.
#[derive(Debug)]
pub(crate) struct Point {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// The figures.
    pub(crate) values: MetricRow,
}

/// The places of the named figures in a row.
pub(crate) fn places(metrics: &[String]) -> Result<Vec<usize>> {
    metrics
        .iter()
        .map(|name| {
            metric_index(name).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, format!("read the history of {name:?}"))
                    .because("no such figure is kept")
                    .next(format!("use one of {}", METRICS.join(", ")))
            })
        })
        .collect()
}

/// The width of the spans that cut `from..to` into at most `points`, in milliseconds.
pub(crate) fn span(from: i64, to: i64, points: usize) -> i64 {
    let points = i64::try_from(points).unwrap_or(i64::MAX).max(1);
    parts(to - from, points).max(1)
}

/// How many parts of `size` cover `length`.
fn parts(length: i64, size: i64) -> i64 {
    length.div_euclid(size) + i64::from(length.rem_euclid(size) > 0)
}

/// Twice the usual distance of points, or 0 where there are too few to tell.
pub(crate) fn usual_gap(points: &[Point]) -> i64 {
    let mut gaps: Vec<i64> = points.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map_or(0, |gap| gap * 2)
}

/// Averages over spans of `width` beginning at `from`. Points lie in `from..to` in the order of time.
pub(crate) fn thin(
    metrics: &[String],
    places: &[usize],
    points: &[Point],
    from: i64,
    to: i64,
    width: i64,
) -> Result<History> {
    let spans = usize::try_from(parts(to - from, width)).unwrap_or(0);
    let mut sums = vec![vec![(0.0, 0u32); spans]; places.len()];
    for point in points {
        let Some(index) = usize::try_from((point.at - from) / width).ok().filter(|index| *index < spans) else {
            continue;
        };
        for (sum, place) in sums.iter_mut().zip(places) {
            if let Some(value) = point.values.at(*place) {
                sum[index].0 += value;
                sum[index].1 += 1;
            }
        }
    }
    let times = (0..spans as i64)
        .map(|index| Timestamp::from_millisecond(from + index * width))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::new(ErrorKind::Invalid, "read the history").from_source(error))?;
    let averages = sums.into_iter().map(|sums| {
        let values = sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count)));
        times.iter().copied().zip(values).collect()
    });
    Ok(metrics.iter().cloned().zip(averages).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn points(values: &[(i64, f64)]) -> Vec<Point> {
        values.iter().map(|(at, value)| Point { at: *at, values: MetricRow::default().with("load1", *value) }).collect()
    }

    fn thinned(points: &[Point], from: i64, to: i64, width: i64) -> Vec<(i64, Option<f64>)> {
        let metrics = ["load1".to_owned()];
        let history = thin(&metrics, &places(&metrics).unwrap(), points, from, to, width).unwrap();
        history["load1"].iter().map(|(at, value)| (at.as_millisecond(), *value)).collect()
    }

    #[test]
    fn a_span_has_the_average_and_a_gap_has_none() {
        let points = points(&[(100, 1.0), (150, 3.0), (350, 5.0)]);
        assert_eq!(thinned(&points, 100, 400, 100), [(100, Some(2.0)), (200, None), (300, Some(5.0))]);
    }

    #[test]
    fn there_are_never_more_spans_than_asked_for() {
        for (from, to, points) in [(0, 1000, 3), (0, 1, 300), (5, 5, 10), (0, 86_400_000, 300), (0, 10, 0)] {
            let width = span(from, to, points);
            assert!(parts(to - from, width) <= (points as i64).max(1), "{from}..{to} in {points}");
        }
    }

    #[test]
    fn the_usual_gap_does_not_mind_a_long_one() {
        let points = points(&[(0, 0.0), (10, 0.0), (20, 0.0), (5000, 0.0), (5010, 0.0)]);
        assert_eq!(usual_gap(&points), 20);
        assert_eq!(usual_gap(&[]), 0);
    }

    #[test]
    fn an_unknown_figure_is_refused_with_those_there_are() {
        let error = places(&["cpu".to_owned()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.next_step().unwrap().contains("cpu_percent"));
    }
}
