//! `host container` and `host compose`: a container, or a project of Compose, on one host or many.

use clap::{Args, Subcommand};
use reanimator_core::model::{Action, ContainerVerb, HostId};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure, usage},
};

/// What can be done with containers.
#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// Start a container
    Start(ContainerArgs),
    /// Stop a container
    Stop(ContainerArgs),
    /// Stop a container and start it again
    Restart(ContainerArgs),
    /// Fetch the newest image of the same name, and put a container of it in its place
    ///
    /// The old container is kept until the new one is well, and put back where it is not.
    Update(UpdateArgs),
}

/// What can be done with projects of Compose.
#[derive(Debug, Subcommand)]
pub(crate) enum ComposeCommand {
    /// Start all containers of a project
    Start(ProjectArgs),
    /// Stop all containers of a project
    Stop(ProjectArgs),
    /// Stop all containers of a project and start them again
    Restart(ProjectArgs),
    /// Fetch the newest images, and make those containers anew that have older ones
    Update(ProjectArgs),
}

/// Which container, and where.
#[derive(Debug, Args)]
pub(crate) struct ContainerArgs {
    /// The container: web, or podman:web where Docker has one of that name too
    name: String,
    #[command(flatten)]
    whither: Whither,
}

/// Which container is updated, and to what.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    container: ContainerArgs,
    /// The id of an image that is there, in place of the newest
    #[arg(long, value_name = "ID")]
    image: Option<String>,
}

/// Which project, and where.
#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// The project
    project: String,
    #[command(flatten)]
    whither: Whither,
}

/// On which hosts, and whether at all.
#[derive(Debug, Args)]
struct Whither {
    /// Where: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR")]
    on: String,
    #[command(flatten)]
    how: operate::How,
}

/// Carries out a command about a container.
pub(crate) async fn container(command: ContainerCommand, context: &Context) -> Result<Done, Failure> {
    let (verb, args, image) = match command {
        ContainerCommand::Start(args) => (ContainerVerb::Start, args, None),
        ContainerCommand::Stop(args) => (ContainerVerb::Stop, args, None),
        ContainerCommand::Restart(args) => (ContainerVerb::Restart, args, None),
        ContainerCommand::Update(UpdateArgs { container, image }) => (ContainerVerb::Update, container, image),
    };
    let what = format!("{verb} {}", args.name);
    let action = |host| Action::Container { host, name: args.name.clone(), verb, image: image.clone() };
    on_each(&what, &args.whither, action, context).await
}

/// Carries out a command about a project.
pub(crate) async fn compose(command: ComposeCommand, context: &Context) -> Result<Done, Failure> {
    let (verb, args) = match command {
        ComposeCommand::Start(args) => (ContainerVerb::Start, args),
        ComposeCommand::Stop(args) => (ContainerVerb::Stop, args),
        ComposeCommand::Restart(args) => (ContainerVerb::Restart, args),
        ComposeCommand::Update(args) => (ContainerVerb::Update, args),
    };
    let what = format!("{verb} {}", args.project);
    let action = |host| Action::Compose { host, project: args.project.clone(), verb };
    on_each(&what, &args.whither, action, context).await
}

/// One step for each host that is meant.
async fn on_each(
    what: &str,
    whither: &Whither,
    action: impl Fn(HostId) -> Action,
    context: &Context,
) -> Result<Done, Failure> {
    let hosts = context.fleet().await?.select(&whither.on.parse()?).await?;
    if hosts.is_empty() {
        return Err(usage(what, "no host is meant", "see `reanimator host list`"));
    }
    let steps = hosts.into_iter().map(|host| action(host.id).into()).collect();
    operate::run(steps, &whither.how, context).await
}
