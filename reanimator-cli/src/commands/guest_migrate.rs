//! `guest migrate` and `guest remote-migrate`: guests to another node of their cluster, or to another cluster.

use clap::{Args, ValueEnum};
use reanimator_core::model::{Action, GuestChange, MigrationMode, NewStep};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure},
};

/// Which guests, where to, and how.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The guests' numbers, names or ids; several are moved beside each other
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The node that they are to be on
    #[arg(long, value_name = "NODE")]
    to: String,
    /// The node they are on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
    /// How: auto takes what disturbs the guest least
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    mode: Mode,
    /// Copy disks along that are on storage of their node
    #[arg(long)]
    local_disks: bool,
    /// Where those disks go; else to storages of the same names
    #[arg(long, value_name = "STORAGE")]
    storage: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// How a guest is moved.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// A running VM live, a running container by a restart, one that does not run offline
    Auto,
    /// While it runs; VMs only
    Live,
    /// It is shut down, moved, and started; containers only
    Restart,
    /// While it does not run
    Offline,
}

impl From<Mode> for MigrationMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Auto => Self::Auto,
            Mode::Live => Self::Live,
            Mode::Restart => Self::Restart,
            Mode::Offline => Self::Offline,
        }
    }
}

/// Which guest, and where in another cluster.
#[derive(Debug, Args)]
pub(crate) struct RemoteMigrateArgs {
    /// The guest's number, name or id
    name: String,
    /// The node of another cluster that it is to be on; that cluster is connected with an API token
    #[arg(long, value_name = "NODE")]
    to: String,
    /// The node it is on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
    /// Where its disks go there
    #[arg(long, value_name = "STORAGE")]
    storage: String,
    /// The bridge there that its network cards hang on
    #[arg(long, value_name = "BRIDGE")]
    bridge: String,
    /// Its number there; else the one it has, or the next one that is free
    #[arg(long, value_parser = clap::value_parser!(u32).range(100..=999_999_999))]
    vmid: Option<u32>,
    /// Leave it here too, stopped
    #[arg(long)]
    keep: bool,
    /// Let it move while it runs; a container is restarted
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    how: operate::How,
}

/// Moves a guest to another cluster.
pub(crate) async fn run_remote(args: &RemoteMigrateArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let change = GuestChange::RemoteMigrate {
        to: fleet.host(&args.to).await?.host.id,
        storage: args.storage.clone(),
        bridge: args.bridge.clone(),
        vmid: args.vmid,
        keep: args.keep,
        online: args.online,
    };
    let id = fleet.guest(args.node.as_deref(), &args.name).await?.id;
    let steps = vec![NewStep::from(Action::Guest { id, change })];
    operate::run(steps, &args.how, context).await
}

/// Moves each of the guests.
pub(crate) async fn run(args: &MigrateArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let change = GuestChange::Migrate {
        to: fleet.host(&args.to).await?.host.id,
        mode: args.mode.into(),
        local_disks: args.local_disks,
        storage: args.storage.clone(),
    };
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
