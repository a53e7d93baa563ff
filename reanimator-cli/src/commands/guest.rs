//! `guest`: VMs and containers as they were last seen.

use clap::Subcommand;
use reanimator_core::model::{Guest, GuestStatus};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with guests.
#[derive(Debug, Subcommand)]
pub(crate) enum GuestCommand {
    /// List the guests
    List,
}

/// Carries out the command.
pub(crate) async fn run(command: GuestCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        GuestCommand::List => list(context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let guests = context.fleet().await?.guests().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": guests }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("CLUSTER").keep(4),
        Column::words("NODE"),
        Column::number("VMID"),
        Column::words("NAME"),
        Column::words("KIND").keep(3),
        Column::words("STATUS"),
        Column::number("CPU").keep(6),
        Column::number("MEMORY").keep(5),
        Column::number("UP").keep(2),
        Column::words("TAGS").keep(1),
    ]);
    for guest in &guests {
        table.row(row(guest));
    }
    context.screen.table(&table, "No guests. Next: reanimator proxmox connect https://HOST:8006")?;
    Ok(Done::Whole)
}

fn row(guest: &Guest) -> [Cell; 10] {
    let memory = guest.memory.as_ref().and_then(|memory| words::share(memory.used_bytes, memory.total_bytes));
    [
        Cell::known(guest.cluster.as_deref()),
        guest.node.as_str().into(),
        guest.vmid.as_str().into(),
        Cell::known(guest.name.as_deref()),
        guest.kind.as_str().into(),
        status(guest),
        Cell::known(guest.cpu_percent.map(words::percent)),
        Cell::known(memory),
        Cell::known(guest.uptime_seconds.map(|seconds| words::span(seconds as f64))),
        words::list(&guest.tags).into(),
    ]
}

fn status(guest: &Guest) -> Cell {
    match guest.status {
        _ if guest.template => Cell::from("template").dim(),
        GuestStatus::Running => Cell::from("running").good(),
        GuestStatus::Stopped => Cell::from("stopped").dim(),
        GuestStatus::Paused => Cell::from("paused").warn(),
        GuestStatus::Unknown => Cell::from("unknown").warn(),
    }
}
