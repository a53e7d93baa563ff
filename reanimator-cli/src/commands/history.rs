//! The history of a host, guest or storage, and what changed of it: shared by the nouns that have one.

use clap::Args;
use reanimator_core::{
    fleet::{HistoryWords, to_csv},
    model::{
        Series,
        change::{Change, ChangeFilter},
    },
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What `history` takes.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Whose: its name or id
    name: String,
    /// Which figures, with commas between [default: all]
    #[arg(long, value_name = "NAMES")]
    metric: Option<String>,
    /// From then on: a time, or how long ago (90m, 24h, 7d)
    #[arg(long, value_name = "WHEN", default_value = "1h")]
    from: String,
    /// Up to then
    #[arg(long, value_name = "WHEN", default_value = "now")]
    to: String,
    /// How far apart the points are (10s, 5m, 6h) [default: what makes a chart]
    #[arg(long, value_name = "SPAN")]
    step: Option<String>,
    /// Print CSV rather than a table
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What `timeline` takes.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// Whose: its name or id
    name: String,
    /// Only facts so called; * stands for anything
    #[arg(long, value_name = "PATTERN")]
    field: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Shows figures over time. `kind` is `host`, `guest` or `storage`.
pub(super) async fn history(kind: &str, args: HistoryArgs, context: &Context) -> Result<Done, Failure> {
    let words = HistoryWords {
        entity: format!("{kind}:{}", args.name),
        metric: args.metric,
        from: Some(args.from),
        to: Some(args.to),
        step: args.step,
    };
    let series = context.fleet().await?.telemetry_in_words(&words).await?;
    if context.screen.is_json() {
        context.screen.document(&series)?;
    } else if args.csv {
        context.screen.bytes(to_csv(&series).as_bytes())?;
    } else {
        context.screen.table(&figures(&series), "Nothing was seen in that time.")?;
    }
    Ok(Done::Whole)
}

/// A row per figure: its curve, and its least, average, most and last value.
fn figures(series: &Series) -> Table {
    let mut table = Table::new([
        Column::words("FIGURE"),
        Column::words("CURVE").keep(5),
        Column::number("LEAST"),
        Column::number("AVERAGE"),
        Column::number("MOST"),
        Column::number("LAST"),
    ]);
    for (name, columns) in &series.metrics {
        let seen: Vec<f64> = columns.mean.iter().flatten().copied().collect();
        if seen.is_empty() {
            continue;
        }
        let least = columns.min.iter().flatten().copied().reduce(f64::min);
        let most = columns.max.iter().flatten().copied().reduce(f64::max);
        let average = seen.iter().sum::<f64>() / seen.len() as f64;
        let value = |value: Option<f64>| Cell::known(value.map(|value| words::figure(name, value)));
        table.row([
            name.as_str().into(),
            words::curve(&columns.mean, CURVE).into(),
            value(least),
            value(Some(average)),
            value(most),
            value(seen.last().copied()),
        ]);
    }
    table
}

/// How many characters a curve takes.
pub(super) const CURVE: usize = 24;

/// Shows what changed.
pub(super) async fn timeline(kind: &str, args: TimelineArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let entity = fleet.entity(&format!("{kind}:{}", args.name)).await?;
    let filter =
        ChangeFilter { entity: Some(entity.to_string()), field: args.field, limit: args.limit, ..Default::default() };
    let changes = fleet.changes(&filter).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": changes }))?;
    } else {
        context.screen.table(&rows(&changes), "Nothing has changed since it was first seen.")?;
    }
    Ok(Done::Whole)
}

fn rows(changes: &[Change]) -> Table {
    let mut table =
        Table::new([Column::words("WHEN"), Column::words("WHAT"), Column::words("WAS").keep(8), Column::words("IS")]);
    for change in changes {
        table.row([
            words::moment(change.created_at).into(),
            change.field.as_str().into(),
            Cell::known(change.old_value.as_deref()),
            Cell::known(change.new_value.as_deref()),
        ]);
    }
    table
}
