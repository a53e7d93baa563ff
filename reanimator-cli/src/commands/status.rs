//! `status`: the fleet on one screen, per host and in sum.

use std::{collections::BTreeMap, io::Write, time::Duration};

use clap::Args;
use futures::{StreamExt, stream};
use reanimator_core::{
    Fleet,
    fleet::{HistoryWords, Status},
    model::{HostView, Series, Totals},
};
use serde::Serialize;

use super::history::CURVE;
use crate::{
    context::Context,
    failure::{Done, Failure, error_lines, usage},
    screen::{Cell, Column, Paint, Screen, Table, words},
};

/// How many hosts `--observe` looks at at once.
const OBSERVED_AT_ONCE: usize = 64;

/// What `status` takes.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Look at every host first, rather than show what was last seen
    #[arg(long)]
    observe: bool,
    /// Show it anew every so many seconds until you press Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "5",
          conflicts_with_all = ["json", "observe"], value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
    /// Show how CPU and memory went over that time (6h, 7d)
    #[arg(long, value_name = "SPAN", num_args = 0..=1, require_equals = true, default_missing_value = "24h",
          conflicts_with = "watch")]
    history: Option<String>,
    /// Show how long things are kept and how much room they take; `reanimator serve --keep-...` changes it
    #[arg(long, conflicts_with_all = ["observe", "watch", "history"])]
    settings: bool,
}

/// Carries it out. With `--observe`, hosts that do not answer make it fail in part.
pub(crate) async fn run(args: StatusArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    if args.settings {
        return show_settings(&fleet, context).await;
    }
    if let Some(seconds) = args.watch {
        return watch(&fleet, Duration::from_secs(seconds), context).await;
    }
    let done = if args.observe { observe_all(&fleet, context).await? } else { Done::Whole };
    let status = fleet.status().await?;
    match &args.history {
        Some(span) => show_history(&fleet, &status, span, context).await?,
        None if context.screen.is_json() => context.screen.document(&status)?,
        None => context.screen.bytes(screenful(&status, &context.screen).as_bytes())?,
    }
    Ok(done)
}

async fn show_settings(fleet: &Fleet, context: &Context) -> Result<Done, Failure> {
    let settings = fleet.settings().await?;
    if context.screen.is_json() {
        context.screen.document(&settings)?;
        return Ok(Done::Whole);
    }
    let kept = &settings.retention;
    let mut table = Table::new([Column::words("WHAT"), Column::number("IS KEPT")]);
    table.row(["every sample".into(), words::count(kept.samples_hours as usize, "hour").into()]);
    for (what, days) in [
        ("minutes", kept.minutes_days),
        ("quarters of an hour", kept.quarters_days),
        ("six hours", kept.six_hours_days),
        ("events", kept.events_days),
        ("changes", kept.changes_days),
    ] {
        table.row([what.into(), words::count(days as usize, "day").into()]);
    }
    context.screen.table(&table, "")?;
    let room = |bytes: u64| words::figure("memory_used", bytes as f64);
    let (database, history) = (room(settings.sizes.database_bytes), room(settings.sizes.history_bytes));
    context.screen.line(&format!("The database takes {database}, the history {history}."))?;
    let caps = settings.caps;
    context.screen.line(&format!(
        "At most {} operations act on one host at once, and {} on one cluster.",
        caps.per_host, caps.per_cluster
    ))?;
    let terminals = settings.terminals;
    context.screen.line(&format!(
        "A terminal stays open for {} while nobody looks at it, and for {} while nobody types; it is {}recorded.",
        words::count(terminals.unseen_minutes as usize, "minute"),
        words::count(terminals.idle_hours as usize, "hour"),
        if terminals.record { "" } else { "not " },
    ))?;
    Ok(Done::Whole)
}

/// The figures that `--history` shows.
const OVER_TIME: &str = "cpu_percent,memory_used";

/// The status as one document with the history of each host, and of the whole fleet, beside it.
#[derive(Serialize)]
struct StatusOverTime<'a> {
    #[serde(flatten)]
    status: &'a Status,
    history: BTreeMap<String, Series>,
    fleet_history: Series,
}

/// How the figures that `--history` shows went.
async fn over_time(fleet: &Fleet, entity: String, span: &str) -> Result<Series, Failure> {
    let (metric, from) = (Some(OVER_TIME.to_owned()), Some(span.to_owned()));
    Ok(fleet.telemetry_in_words(&HistoryWords { entity, metric, from, ..HistoryWords::default() }).await?)
}

async fn show_history(fleet: &Fleet, status: &Status, span: &str, context: &Context) -> Result<(), Failure> {
    let mut history = BTreeMap::new();
    for host in &status.hosts {
        let series = over_time(fleet, format!("host:{}", host.id), span).await?;
        history.insert(host.id.to_string(), series);
    }
    let fleet_history = over_time(fleet, "fleet".to_owned(), span).await?;
    if context.screen.is_json() {
        context.screen.document(&StatusOverTime { status, history, fleet_history })?;
        return Ok(());
    }
    let mut table = Table::new([
        Column::words("HOST"),
        Column::words("STATE"),
        Column::words("CPU OVER TIME"),
        Column::number("NOW"),
        Column::words("MEMORY OVER TIME").keep(5),
        Column::number("NOW").keep(6),
    ]);
    let curve = |series: Option<&Series>, name: &str| {
        let columns = series.and_then(|series| series.metrics.get(name));
        Cell::from(words::curve(columns.map_or(&[], |columns| &columns.mean), CURVE))
    };
    for host in &status.hosts {
        let series = history.get(host.id.as_str());
        let memory = host.memory.as_ref().and_then(|memory| words::share(memory.used_bytes, memory.total_bytes));
        table.row([
            host.name.as_str().into(),
            words::state(host.state),
            curve(series, "cpu_percent"),
            Cell::known(host.cpu_percent.map(words::percent)),
            curve(series, "memory_used"),
            Cell::known(memory),
        ]);
    }
    if !status.hosts.is_empty() {
        let Totals { memory, cpu_percent, .. } = &status.totals;
        table.row([
            "(all)".into(),
            "".into(),
            curve(Some(&fleet_history), "cpu_percent"),
            Cell::known(cpu_percent.map(words::percent)),
            curve(Some(&fleet_history), "memory_used"),
            Cell::known(words::share(memory.used_bytes, memory.total_bytes)),
        ]);
    }
    context.screen.table(&table, "No hosts. Next: reanimator host add USER@HOST")?;
    context.screen.line(&sums(&status.totals, context.screen.paint))?;
    Ok(())
}

async fn observe_all(fleet: &Fleet, context: &Context) -> Result<Done, Failure> {
    let hosts = fleet.status().await?.hosts;
    let progress = context.progress(hosts.len(), "hosts observed");
    let mut outcomes = stream::iter(hosts)
        .map(|host| async move { fleet.observe(host.id.as_str()).await })
        .buffer_unordered(OBSERVED_AT_ONCE);
    let (mut ok, mut failed) = (0, 0);
    while let Some(outcome) = outcomes.next().await {
        progress.inc(1);
        match outcome {
            Ok(_) => ok += 1,
            Err(error) => {
                failed += 1;
                if !context.screen.is_json() {
                    progress.suspend(|| context.complain(error_lines(&error, Paint::for_stderr()).as_bytes()));
                }
            }
        }
    }
    progress.finish_and_clear();
    Ok(Done::of(ok, failed))
}

async fn watch(fleet: &Fleet, every: Duration, context: &Context) -> Result<Done, Failure> {
    const HOME_AND_CLEAR: &[u8] = b"\x1b[H\x1b[2J";
    if !context.screen.is_terminal() {
        return Err(usage("watch the fleet", "stdout is no terminal", "leave --watch out, or use --json in a loop"));
    }
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let text = screenful(&fleet.status().await?, &context.screen);
        let mut frame = HOME_AND_CLEAR.to_vec();
        frame.write_all(text.as_bytes())?;
        context.screen.bytes(&frame)?;
        tokio::select! {
            _ = &mut stop => return Ok(Done::Whole),
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// The table, the problems, the sums.
fn screenful(status: &Status, screen: &Screen) -> String {
    let mut text = host_table(&status.hosts).render(screen);
    for host in &status.hosts {
        if let Some(problem) = &host.problem {
            text.push_str(&format!("{} {}", screen.paint.bad("problem:"), screen.text(&problem.message)));
            if let Some(next) = &problem.next {
                text.push_str(&format!("; {} {}", screen.paint.strong("next:"), screen.text(next)));
            }
            text.push('\n');
        }
    }
    text.push_str(&format!("{}\n", sums(&status.totals, screen.paint)));
    text
}

/// The hosts under each other.
pub(super) fn host_table(hosts: &[HostView]) -> Table {
    let mut table = Table::new([
        Column::words("HOST"),
        Column::words("KIND").keep(4),
        Column::words("STATE"),
        Column::number("CPU"),
        Column::number("MEMORY").keep(8),
        Column::number("DISK").keep(7),
        Column::number("LOAD").keep(3),
        Column::number("UP").keep(5),
        Column::number("GUESTS").keep(2),
        Column::number("SEEN"),
        Column::words("SYSTEM").keep(1),
    ]);
    for host in hosts {
        table.row(row(host));
    }
    table
}

fn row(host: &HostView) -> [Cell; 11] {
    let memory = host.memory.as_ref().and_then(|memory| words::share(memory.used_bytes, memory.total_bytes));
    let disk = host.disk.and_then(|disk| words::share(disk.used_bytes, disk.total_bytes));
    [
        host.name.as_str().into(),
        host.kind.as_str().into(),
        words::state(host.state),
        Cell::known(host.cpu_percent.map(words::percent)),
        Cell::known(memory),
        Cell::known(disk),
        Cell::known(host.load.map(|[one, ..]| format!("{one:.2}"))),
        Cell::known(host.uptime_seconds.map(|seconds| words::span(seconds as f64))),
        host.guests.map_or_else(|| "".into(), |guests| format!("{}/{}", guests.running, guests.total).into()),
        words::age(host),
        Cell::known(host.os.as_deref()),
    ]
}

/// The fleet as if it were one computer: two lines.
fn sums(totals: &Totals, paint: Paint) -> String {
    let counts = &totals.hosts;
    let mut hosts = vec![words::count(counts.total as usize, "host")];
    for (number, word) in [
        (counts.online, paint.good("online")),
        (counts.offline, paint.bad("offline")),
        (counts.unknown, paint.warn("unknown")),
        (counts.maintenance, "in maintenance".to_owned()),
    ] {
        if number > 0 {
            hosts.push(format!("{number} {word}"));
        }
    }
    let cpu = totals.cpu_percent.map_or_else(|| "-".to_owned(), words::percent);
    let share = |used, total| words::share(used, total).unwrap_or_else(|| "-".to_owned());
    let mut figures = vec![
        format!("CPU {cpu} of {}", words::count(totals.cpus as usize, "CPU")),
        format!("memory {}", share(totals.memory.used_bytes, totals.memory.total_bytes)),
        format!("disk {}", share(totals.disk.used_bytes, totals.disk.total_bytes)),
    ];
    if totals.guests.total > 0 {
        figures.push(format!(
            "{} of {} running",
            totals.guests.running,
            words::count(totals.guests.total as usize, "guest")
        ));
    }
    format!("{}\n{}", hosts.join(", "), paint.strong(&figures.join(" · ")))
}

#[cfg(test)]
mod tests {
    use reanimator_core::model::{Bytes, HostCounts, Space};

    use super::*;

    #[test]
    fn sums_name_only_the_states_there_are() {
        let totals = Totals {
            hosts: HostCounts { total: 3, online: 2, offline: 1, ..HostCounts::default() },
            cpus: 12,
            cpu_percent: Some(12.4),
            memory: Space { total_bytes: Bytes(4 << 30), used_bytes: Bytes(1 << 30) },
            ..Totals::default()
        };
        assert_eq!(
            sums(&totals, Paint::never()),
            "3 hosts, 2 online, 1 offline\nCPU 12 % of 12 CPUs · memory 25 % of 4.0 GiB · disk -"
        );
    }
}
