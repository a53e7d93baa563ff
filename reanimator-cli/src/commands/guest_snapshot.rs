//! `guest snapshot`: snapshots of one guest or of many at once.

use clap::{Args, Subcommand};
use reanimator_core::model::{Action, NewStep, SnapshotVerb};

use super::operate;
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
};

/// What can be done with snapshots. What there are, `guest show` tells.
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Make a snapshot
    Create(CreateArgs),
    /// Delete a snapshot; it cannot be taken back
    Delete(DestroyArgs),
    /// Make guests what they were at a snapshot; what came later is gone
    Rollback(DestroyArgs),
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

/// Asks whether that is meant; a program says so beforehand.
fn confirm(words: &[String]) -> Result<(), Failure> {
    let refuse = |cause: &str| usage(&words.join(", "), cause, "give --yes, or see what it would do with --dry-run");
    if !ask::somebody_is_there() {
        return Err(refuse("it cannot be taken back, and nobody can be asked"));
    }
    let question = format!("This cannot be taken back:\n  {}", words.join("\n  "));
    if ask::confirm(&question)? { Ok(()) } else { Err(refuse("you did not say yes")) }
}
