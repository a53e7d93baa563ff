//! `host unit`: a systemd unit, on one host or many.

use clap::{Args, Subcommand};
use reanimator_core::model::{Action, UnitVerb};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure, usage},
};

/// What can be done with systemd units.
#[derive(Debug, Subcommand)]
pub(crate) enum UnitCommand {
    /// Start a unit
    Start(UnitArgs),
    /// Stop a unit
    Stop(UnitArgs),
    /// Stop a unit and start it again
    Restart(UnitArgs),
    /// Have a unit started with the system from now on
    Enable(UnitArgs),
    /// Have a unit started with the system no more
    Disable(UnitArgs),
}

/// Which unit, and where.
#[derive(Debug, Args)]
pub(crate) struct UnitArgs {
    /// The unit: nginx, nginx.service, backup.timer
    unit: String,
    /// Where: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR")]
    on: String,
    #[command(flatten)]
    how: operate::How,
}

/// Carries out the command.
pub(crate) async fn run(command: UnitCommand, context: &Context) -> Result<Done, Failure> {
    let (verb, args) = match command {
        UnitCommand::Start(args) => (UnitVerb::Start, args),
        UnitCommand::Stop(args) => (UnitVerb::Stop, args),
        UnitCommand::Restart(args) => (UnitVerb::Restart, args),
        UnitCommand::Enable(args) => (UnitVerb::Enable, args),
        UnitCommand::Disable(args) => (UnitVerb::Disable, args),
    };
    let hosts = context.fleet().await?.select(&args.on.parse()?).await?;
    if hosts.is_empty() {
        return Err(usage(&format!("{verb} {}", args.unit), "no host is meant", "see `reanimator host list`"));
    }
    let action =
        |host: reanimator_core::model::HostView| Action::Unit { host: host.id, unit: args.unit.clone(), verb }.into();
    let steps = hosts.into_iter().map(action).collect();
    operate::run(steps, &args.how, context).await
}
