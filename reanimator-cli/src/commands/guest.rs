//! `guest`: VMs and containers as they were last seen, and what can be done with them.

use clap::{Args, Subcommand};
use reanimator_core::model::{Guest, GuestChange, GuestStatus};
use serde_json::json;

use super::{
    guest_change::{self, BackUpArgs, CloneArgs, DeleteArgs, GrowDiskArgs, ScaleArgs, TagArgs},
    guest_migrate::{self, MigrateArgs, RemoteMigrateArgs},
    guest_power::{self, PowerArgs, RebootArgs, ShutdownArgs},
    guest_snapshot::{self, SnapshotCommand},
    guest_targets,
    history::{self, HistoryArgs, TimelineArgs},
    window::{self, ProtectArgs, UnprotectArgs},
};
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with guests.
#[derive(Debug, Subcommand)]
pub(crate) enum GuestCommand {
    /// List the guests
    List,
    /// Show everything that is known of a guest
    Show(ShowArgs),
    /// Show a guest's figures over time
    History(HistoryArgs),
    /// Show what changed of a guest: node, status, memory, disks
    Timeline(TimelineArgs),
    /// Start guests
    Start(PowerArgs),
    /// Stop guests as if their plugs were pulled
    Stop(PowerArgs),
    /// Ask guests to shut down
    Shutdown(ShutdownArgs),
    /// Ask guests to start anew
    Reboot(RebootArgs),
    /// Freeze guests; their memory stays where it is
    Suspend(PowerArgs),
    /// Let frozen guests go on
    Resume(PowerArgs),
    /// Show where a guest could go, and why not elsewhere
    Targets(ShowArgs),
    /// Move guests to another node of their cluster
    Migrate(MigrateArgs),
    /// Move a guest to a node of another cluster
    RemoteMigrate(RemoteMigrateArgs),
    /// Protect a guest: it is neither disrupted nor destroyed
    Protect(ProtectArgs),
    /// Protect a guest no more
    Unprotect(UnprotectArgs),
    /// Make snapshots, list them, delete them, go back to them
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Give guests more cores or memory, or less
    Scale(ScaleArgs),
    /// Make a disk larger; none can be made smaller
    GrowDisk(GrowDiskArgs),
    /// Make another of a guest
    Clone(CloneArgs),
    /// Back guests up now
    BackUp(BackUpArgs),
    /// Give guests tags, and take some away
    Tag(TagArgs),
    /// Delete a guest with all its disks; it cannot be taken back
    Delete(DeleteArgs),
}

/// Which guest.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The guest's number, name or id
    pub(crate) name: String,
    /// The node it is on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    pub(crate) node: Option<String>,
}

/// Carries out the command.
pub(crate) async fn run(command: GuestCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        GuestCommand::List => list(context).await,
        GuestCommand::Show(args) => show(&args, context).await,
        GuestCommand::Targets(args) => guest_targets::run(&args, context).await,
        GuestCommand::History(args) => history::history("guest", args, context).await,
        GuestCommand::Timeline(args) => history::timeline("guest", args, context).await,
        GuestCommand::Start(args) => guest_power::run(&args, &GuestChange::Start, context).await,
        GuestCommand::Stop(args) => guest_power::run(&args, &GuestChange::Stop, context).await,
        GuestCommand::Shutdown(args) => guest_power::run(&args.on, &args.change(), context).await,
        GuestCommand::Reboot(args) => guest_power::run(&args.on, &args.change(), context).await,
        GuestCommand::Suspend(args) => guest_power::run(&args, &GuestChange::Suspend, context).await,
        GuestCommand::Migrate(args) => guest_migrate::run(&args, context).await,
        GuestCommand::RemoteMigrate(args) => guest_migrate::run_remote(&args, context).await,
        GuestCommand::Snapshot(command) => guest_snapshot::run(command, context).await,
        GuestCommand::Protect(args) => window::protect_guest(&args, context).await,
        GuestCommand::Unprotect(args) => window::unprotect_guest(&args, context).await,
        GuestCommand::Scale(args) => guest_change::scale(args, context).await,
        GuestCommand::GrowDisk(args) => guest_change::grow_disk(args, context).await,
        GuestCommand::Clone(args) => guest_change::clone(args, context).await,
        GuestCommand::BackUp(args) => guest_change::back_up(args, context).await,
        GuestCommand::Tag(args) => guest_change::tag(args, context).await,
        GuestCommand::Delete(args) => guest_change::delete(args, context).await,
        GuestCommand::Resume(args) => guest_power::run(&args, &GuestChange::Resume, context).await,
    }
}

async fn show(args: &ShowArgs, context: &Context) -> Result<Done, Failure> {
    let details = context.fleet().await?.guest_details(args.node.as_deref(), &args.name).await?;
    if context.screen.is_json() {
        context.screen.document(&details)?;
    } else {
        let value = serde_json::to_value(&details).map_err(std::io::Error::other)?;
        for line in outline(&value).lines() {
            context.screen.line(&context.screen.text(line))?;
        }
    }
    Ok(Done::Whole)
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
