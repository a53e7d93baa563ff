//! Averages over 5 minutes, as versions before 0002 made them: read where they are, and turned into minutes by upkeep.

use sqlx::SqliteConnection;

use crate::store::{
    metrics::floats,
    tiers::{Cell, MINUTE, Point},
};

/// What one of them spans.
pub(super) const SPAN: i64 = 5 * MINUTE;

/// Those of one series in a range of time.
pub(super) async fn averages(
    connection: &mut SqliteConnection,
    series: i64,
    (from, to): (i64, i64),
) -> Result<Vec<(i64, Point)>, sqlx::Error> {
    let parts = format!("[[{series},{from},{to}]]");
    let found = averages_of_parts(connection, &parts).await?;
    Ok(found.into_iter().map(|(_, point)| (point.at, point)).collect())
}

/// Those of some series, each in a range of time: `[[series, from, to, ...], ...]`.
pub(super) async fn averages_of_parts(
    connection: &mut SqliteConnection,
    parts: &str,
) -> Result<Vec<(i64, Point)>, sqlx::Error> {
    let rows: Vec<(i64, i64, u32, Vec<u8>)> = sqlx::query_as(
        "SELECT averages.series, averages.at, averages.rows, averages.figures
         FROM json_each(?1) AS part CROSS JOIN averages ON averages.series = part.value ->> 0
         AND averages.at > (part.value ->> 1) - ?2 AND averages.at < part.value ->> 2 ORDER BY averages.at",
    )
    .bind(parts)
    .bind(SPAN)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(series, at, rows, figures)| (series, point(at, rows, &figures))).collect())
}

/// All averages, then all least, then all most. How often each figure was seen was not kept: as often as there were
/// samples.
fn point(at: i64, rows: u32, figures: &[u8]) -> Point {
    let figures: Vec<f32> = floats(figures).collect();
    let third = figures.len() / 3;
    let cell = |place: usize| {
        let (mean, least, most) = (figures[place], figures[third + place], figures[2 * third + place]);
        // The average was rounded by itself and may be a hair outside.
        Cell::stored(rows, least, mean.max(least).min(most), most)
    };
    Point { at, cells: (0..third).map(cell).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_of_an_earlier_version_is_read() {
        let figures = [2.0f32, f32::NAN, 1.0, f32::NAN, 4.0, f32::NAN];
        let bytes: Vec<u8> = figures.iter().flat_map(|figure| figure.to_le_bytes()).collect();
        let point = point(300_000, 3, &bytes);
        assert_eq!((point.cells[0].mean(), point.cells[0].min, point.cells[0].max), (Some(2.0), 1.0, 4.0));
        assert_eq!(point.cells[1].count, 0);
    }
}
