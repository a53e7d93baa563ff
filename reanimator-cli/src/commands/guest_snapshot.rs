//! `guest snapshot`: snapshots of one guest or of many at once.

use clap::{Args, Subcommand};
use reanimator_core::{
    Error, ErrorKind,
    model::{Action, NewStep, SnapshotVerb, Unseen},
};
use serde_json::json;

use super::operate;
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table},
};

/// What can be done with snapshots.
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// List a guest's snapshots
    List(ListArgs),
    /// Make a snapshot
    Create(CreateArgs),
    /// Delete a snapshot; it cannot be taken back
    Delete(DestroyArgs),
    /// Make guests what they were at a snapshot; what came later is gone
    Rollback(DestroyArgs),
}

/// Which guest's snapshots.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The guest's number, name or id
    guest: String,
    /// The node it is on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
}

/// Which guests, and which snapshot of each.
#[derive(Debug, Args)]
pub(crate) struct OnArgs {
    /// The snapshot's name: a letter, then letters, digits, _ and -
    snapshot: String,
    /// The guests' numbers, names or ids; several are acted upon beside each other
    #[arg(required = true, value_name = "GUEST")]
    guests: Vec<String>,
    /// The node they are on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// What `guest snapshot create` takes.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    on: OnArgs,
    /// Take the memory of running VMs too
    #[arg(long)]
    memory: bool,
    /// What to say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
}

/// What `guest snapshot delete` and `rollback` take.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    on: OnArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Carries out the command.
pub(crate) async fn run(command: SnapshotCommand, context: &Context) -> Result<Done, Failure> {
    let (verb, on, yes, memory, description) = match command {
        SnapshotCommand::List(args) => return list(&args, context).await,
        SnapshotCommand::Create(args) => (SnapshotVerb::Create, args.on, true, args.memory, args.description),
        SnapshotCommand::Delete(args) => (SnapshotVerb::Delete, args.on, args.yes, false, String::new()),
        SnapshotCommand::Rollback(args) => (SnapshotVerb::RollBack, args.on, args.yes, false, String::new()),
    };
    let fleet = context.fleet().await?;
    let mut steps: Vec<NewStep> = Vec::with_capacity(on.guests.len());
    for name in &on.guests {
        let guest = fleet.guest(on.node.as_deref(), name).await?.id;
        let (name, description) = (on.snapshot.clone(), description.clone());
        let action = Action::Snapshot { guest, name, verb, memory, description };
        if !steps.iter().any(|step| step.action == action) {
            steps.push(NewStep::from(action));
        }
    }
    if !yes && !on.how.dry_run {
        let mut words = Vec::with_capacity(steps.len());
        for step in &steps {
            words.push(fleet.words_of(&step.action).await?);
        }
        confirm(&words)?;
    }
    operate::run(steps, &on.how, context).await
}

/// Shows a guest's snapshots, the oldest first.
async fn list(args: &ListArgs, context: &Context) -> Result<Done, Failure> {
    let details = context.fleet().await?.guest_details(args.node.as_deref(), &args.guest).await?;
    let unseen: Vec<&Unseen> = details.facts.unseen.iter().filter(|unseen| unseen.what.contains("snapshot")).collect();
    let Some(snapshots) = &details.facts.facts.snapshots else {
        let why = unseen.first().map_or("nobody could look", |unseen| unseen.why.as_str());
        let error = Error::new(ErrorKind::Unreachable, format!("see the snapshots of guest {}", args.guest));
        return Err(error.because(why).next("see `reanimator guest show`").into());
    };
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": snapshots.list, "current_parent": snapshots.current_parent }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("TAKEN"),
        Column::words("AFTER").keep(2),
        Column::words("MEMORY").keep(3),
        Column::words("SAYS").keep(1),
    ]);
    for snapshot in &snapshots.list {
        let is_parent = snapshots.current_parent.as_ref() == Some(&snapshot.name);
        let name = Cell::from(snapshot.name.as_str());
        table.row([
            if is_parent { name.good() } else { name },
            Cell::known(snapshot.taken_at.map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string())),
            Cell::known(snapshot.parent.as_deref()),
            if snapshot.with_memory { "with".into() } else { "without".into() },
            Cell::known(snapshot.description.as_deref().and_then(|text| text.lines().next())),
        ]);
    }
    context.screen.table(&table, "No snapshots. Next: reanimator guest snapshot create NAME GUEST")?;
    Ok(Done::Whole)
}

/// Asks whether that is meant; a program says so beforehand.
fn confirm(words: &[String]) -> Result<(), Failure> {
    let refuse = |cause: &str| usage(&words.join(", "), cause, "give --yes, or see what it would do with --dry-run");
    if !ask::somebody_is_there() {
        return Err(refuse("it cannot be taken back, and nobody can be asked"));
    }
    let question = format!("This cannot be taken back:\n  {}", words.join("\n  "));
    if ask::confirm(&question)? { Ok(()) } else { Err(refuse("you did not say yes")) }
}
