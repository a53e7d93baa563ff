//! `host maintenance`: a host is emptied and taken out of use, and back.

use clap::{Args, Subcommand};
use reanimator_core::{
    Fleet,
    access::Principal,
    model::{HostId, MaintenanceWish, Rule, Stay},
    workflows::maintenance::{self, MaintenanceDryRun},
};

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done about maintenance.
#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// Move a host's guests away, and have nothing new put on it
    Enter(EnterArgs),
    /// Use a host again
    Leave(LeaveArgs),
}

/// What `host maintenance enter` takes.
#[derive(Debug, Args)]
pub(crate) struct EnterArgs {
    /// The host's name or id
    host: String,
    /// A node that takes guests; may be given several times. Without it all nodes of the cluster that may
    #[arg(long = "to", value_name = "HOST")]
    targets: Vec<String>,
    /// Move guests that do not run too
    #[arg(long)]
    stopped: bool,
    /// Copy disks along that only this host has
    #[arg(long)]
    local_disks: bool,
    /// Go on where guests must stay
    #[arg(long)]
    leave_behind: bool,
    /// Shut the host down in the end
    #[arg(long)]
    shutdown: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// What `host maintenance leave` takes.
#[derive(Debug, Args)]
pub(crate) struct LeaveArgs {
    /// The host's name or id
    host: String,
    /// Wake it first
    #[arg(long)]
    wake: bool,
    /// Bring the guests back that were moved away when it was last taken into maintenance
    #[arg(long)]
    bring_back: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// How a wish is fulfilled.
#[derive(Debug, Args)]
struct HowArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on in spite of a rule; may be given several times, and stands in the audit trail (see `op rules`)
    #[arg(long = "override", value_name = "RULE")]
    overrides: Vec<Rule>,
}

/// Carries out the command.
pub(crate) async fn run(command: MaintenanceCommand, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let (name, dry_run, wish) = match command {
        MaintenanceCommand::Enter(args) => {
            let mut targets = Vec::with_capacity(args.targets.len());
            for target in &args.targets {
                targets.push(id(&fleet, target).await?);
            }
            let wish = MaintenanceWish::Enter {
                targets,
                stopped: args.stopped,
                local_disks: args.local_disks,
                leave_behind: args.leave_behind,
                shutdown: args.shutdown,
                overrides: args.how.overrides,
            };
            (args.host, args.how.dry_run, wish)
        }
        MaintenanceCommand::Leave(args) => {
            let (wake, bring_back, overrides) = (args.wake, args.bring_back, args.how.overrides);
            (args.host, args.how.dry_run, MaintenanceWish::Leave { wake, bring_back, overrides })
        }
    };
    let host = id(&fleet, &name).await?;
    if dry_run {
        return show(
            &maintenance::dry_run(&fleet, &host, &wish, &Principal::local()).await?,
            wish.overrides(),
            context,
        );
    }
    let planned = maintenance::plan(&fleet, &host, &wish).await?;
    show_stays(&planned.stays, context)?;
    let asked = maintenance::ask(&fleet, &host, &wish, &Principal::local(), "local").await?;
    operate::follow_asked(&asked, context).await
}

async fn id(fleet: &Fleet, name: &str) -> Result<HostId, Failure> {
    Ok(fleet.host(name).await?.host.id)
}

fn show(dry: &MaintenanceDryRun, overrides: &[Rule], context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(dry)?;
        return Ok(operate::done_of_dry_run(&dry.dry_run, overrides));
    }
    let mut table = Table::new([Column::words("GUEST"), Column::words("TO"), Column::words("WHY")]);
    for each in &dry.moves {
        table.row([each.name.as_str().into(), each.to_name.as_str().into(), each.why.as_str().into()]);
    }
    context.screen.table(&table, "No guest would be moved.")?;
    show_stays(&dry.stays, context)?;
    operate::show_dry_run(&dry.dry_run, overrides, context)
}

fn show_stays(stays: &[Stay], context: &Context) -> Result<(), Failure> {
    if stays.is_empty() || context.screen.is_json() {
        return Ok(());
    }
    let mut table = Table::new([Column::words("STAYS"), Column::words("WHY")]);
    for stay in stays {
        let refused = stay.refused.iter().flat_map(|target| {
            target
                .objections
                .iter()
                .map(|objection| format!("{}: {} (rule {})", target.name, objection.why, objection.rule))
        });
        let why: Vec<String> = std::iter::once(stay.why.clone()).chain(refused).collect();
        let why = Cell::from(why.join("; "));
        table.row([stay.name.as_str().into(), if stay.is_well { why.dim() } else { why.bad() }]);
    }
    context.screen.table(&table, "")?;
    context.screen.line(&staying(stays.len()))?;
    Ok(())
}

/// `1 guest stays on the host.`
fn staying(guests: usize) -> String {
    let stay = if guests == 1 { "stays" } else { "stay" };
    format!("{} {stay} on the host.", words::count(guests, "guest"))
}

#[cfg(test)]
mod tests {
    use super::staying;

    #[test]
    fn one_stays_and_several_stay() {
        assert_eq!(staying(1), "1 guest stays on the host.");
        assert_eq!(staying(6), "6 guests stay on the host.");
    }
}
