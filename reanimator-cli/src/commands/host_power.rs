//! `host shutdown`, `host reboot`, `host suspend`, `host wake`: the power of one host or of many at once.

use clap::Args;
use reanimator_core::model::{Action, HostChange, HostView, NewStep};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure, usage},
};

/// Which hosts.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    /// The hosts: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(value_name = "SELECTOR")]
    on: String,
    #[command(flatten)]
    how: operate::How,
}

/// What `host wake` takes.
#[derive(Debug, Args)]
pub(crate) struct WakeArgs {
    #[command(flatten)]
    on: PowerArgs,
    /// The host that sends the packet; without it one is found: this machine, a node of its cluster, a host beside it
    #[arg(long, value_name = "HOST")]
    through: Option<String>,
}

/// Wakes hosts.
pub(crate) async fn wake(args: &WakeArgs, context: &Context) -> Result<Done, Failure> {
    let through = match &args.through {
        Some(name) => Some(context.fleet().await?.host(name).await?.host.id),
        None => None,
    };
    run(&args.on, &HostChange::Wake { through }, context).await
}

/// Makes one change of each of the hosts.
pub(crate) async fn run(args: &PowerArgs, change: &HostChange, context: &Context) -> Result<Done, Failure> {
    let hosts = context.fleet().await?.select(&args.on.parse()?).await?;
    if hosts.is_empty() {
        return Err(usage(&format!("find the hosts {}", args.on), "no host is meant", "see `reanimator host list`"));
    }
    let step = |host: HostView| NewStep::from(Action::Host { id: host.id, change: change.clone() });
    let steps = hosts.into_iter().map(step).collect();
    operate::run(steps, &args.how, context).await
}
