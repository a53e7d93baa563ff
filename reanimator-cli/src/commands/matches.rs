//! `match`: two records that may be one machine. What is ambiguous is asked, never merged silently.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Column, Table, words},
};

/// What can be done with such pairs.
#[derive(Debug, Subcommand)]
pub(crate) enum MatchCommand {
    /// List the pairs that nobody has decided yet
    List,
    /// Say that the two are one machine
    Same(MatchArgs),
    /// Say that the two are different machines
    Different(MatchArgs),
}

/// Which pair.
#[derive(Debug, Args)]
pub(crate) struct MatchArgs {
    /// The pair's id, as `match list` shows it
    id: String,
}

/// Carries out the command.
pub(crate) async fn run(command: MatchCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        MatchCommand::List => list(context).await,
        MatchCommand::Same(args) => decide(&args.id, true, context).await,
        MatchCommand::Different(args) => decide(&args.id, false, context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let matches = context.fleet().await?.matches().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": matches }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("ID"),
        Column::words("ONE"),
        Column::words("OTHER"),
        Column::words("FOR IT"),
        Column::words("AGAINST IT").keep(1),
    ]);
    for pair in &matches {
        table.row([
            pair.id.as_str().into(),
            pair.a.name.as_str().into(),
            pair.b.name.as_str().into(),
            words::list(&pair.evidence).into(),
            words::list(&pair.against).into(),
        ]);
    }
    context.screen.table(&table, "Nothing to decide.")?;
    Ok(Done::Whole)
}

async fn decide(id: &str, same: bool, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let what = if same { "match same" } else { "match different" };
    context.audited(&fleet, what, id, fleet.decide_match(id, same)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "id": id, "same": same }))?;
    } else {
        context.screen.line(if same { "They are one machine now." } else { "They stay two machines." })?;
    }
    Ok(Done::Whole)
}
