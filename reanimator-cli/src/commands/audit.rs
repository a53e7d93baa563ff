//! `audit`: what was done, by whom, newest first.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was done, newest first
    List(ListArgs),
}

/// What `audit list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How many entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Carries out the command.
pub(crate) async fn run(command: AuditCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        AuditCommand::List(args) => list(&args, context).await,
    }
}

async fn list(args: &ListArgs, context: &Context) -> Result<Done, Failure> {
    let entries = context.fleet().await?.access().audit(None, args.limit).await?;
    if context.screen.is_json() {
        let items: Vec<_> = entries.iter().map(|stored| &stored.entry).collect();
        context.screen.document(&json!({ "items": items }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("AT"),
        Column::words("WHO"),
        Column::words("FROM").keep(1),
        Column::words("WHAT"),
        Column::words("ON"),
        Column::words("OUTCOME"),
    ]);
    for stored in &entries {
        let entry = &stored.entry;
        let outcome = Cell::from(entry.outcome.as_str());
        table.row([
            words::moment(entry.at).into(),
            entry.who.as_str().into(),
            entry.from.as_str().into(),
            entry.what.as_str().into(),
            entry.on.as_str().into(),
            if entry.outcome == "ok" { outcome.good() } else { outcome.bad() },
        ]);
    }
    context.screen.table(&table, "Nothing was done yet.")?;
    Ok(Done::Whole)
}
