//! `guest start`, `guest stop` and their like: the power of one guest or of many at once.

use clap::Args;
use reanimator_core::model::{Action, GuestChange, NewStep};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure},
};

/// Which guests.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    /// The guests' numbers, names or ids; several are acted upon beside each other
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The node they are on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// What `guest shutdown` takes.
#[derive(Debug, Args)]
pub(crate) struct ShutdownArgs {
    #[command(flatten)]
    pub(crate) on: PowerArgs,
    /// How long it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=7_200))]
    limit: u32,
    /// Pull the plug of those that take longer
    #[arg(long)]
    then_stop: bool,
}

impl ShutdownArgs {
    /// The change it asks for.
    pub(crate) const fn change(&self) -> GuestChange {
        GuestChange::Shutdown { limit_seconds: self.limit, then_stop: self.then_stop }
    }
}

/// What `guest reboot` takes.
#[derive(Debug, Args)]
pub(crate) struct RebootArgs {
    #[command(flatten)]
    pub(crate) on: PowerArgs,
    /// How long it may take to go down
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=7_200))]
    limit: u32,
}

impl RebootArgs {
    /// The change it asks for.
    pub(crate) const fn change(&self) -> GuestChange {
        GuestChange::Reboot { limit_seconds: self.limit }
    }
}

/// Makes one change of each of the guests.
pub(crate) async fn run(args: &PowerArgs, change: &GuestChange, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let mut steps: Vec<NewStep> = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let id = fleet.guest(args.node.as_deref(), name).await?.id;
        let action = Action::Guest { id, change: change.clone() };
        if !steps.iter().any(|step| step.action == action) {
            steps.push(NewStep::from(action));
        }
    }
    operate::run(steps, &args.how, context).await
}
