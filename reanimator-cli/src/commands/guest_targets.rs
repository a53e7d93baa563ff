//! `guest targets`: where a guest could go.

use reanimator_core::{
    action::guard::{self, GuestTarget},
    model::MigrationMode,
};

use super::guest::ShowArgs;
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table},
};

/// Shows every node of its cluster, with what speaks against it.
pub(crate) async fn run(args: &ShowArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let id = fleet.guest(args.node.as_deref(), &args.name).await?.id;
    let found = guard::targets(&fleet, &id).await?;
    if context.screen.is_json() {
        context.screen.document(&found)?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NODE"),
        Column::words("FITS"),
        Column::words("HOW").keep(1),
        Column::number("FREE AFTER").keep(2),
        Column::words("WHY NOT").keep(3),
    ]);
    for target in &found.targets {
        table.row(row(target));
    }
    if !found.local_disks.is_empty() {
        context.screen.note(&format!("Copied along: {}.", found.local_disks.join(", ")));
    }
    context.screen.table(&table, "Its cluster has no nodes.")?;
    Ok(Done::Whole)
}

fn row(target: &GuestTarget) -> [Cell; 5] {
    let why: Vec<String> = target.objections.iter().map(|each| format!("{}: {}", each.rule, each.why)).collect();
    let fits = match (target.current, target.fits) {
        (true, _) => Cell::from("it is there").dim(),
        (false, true) => Cell::from("yes").good(),
        (false, false) => Cell::from("no").warn(),
    };
    let how = match target.mode {
        MigrationMode::Auto | MigrationMode::Live => "live",
        MigrationMode::Restart => "restart",
        MigrationMode::Offline => "offline",
    };
    [
        target.name.as_str().into(),
        fits,
        how.into(),
        Cell::known(target.memory_free_after_bytes.map(|free| free.to_string())),
        why.join("; ").into(),
    ]
}
