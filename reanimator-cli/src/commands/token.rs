//! `token`: keys for programs that use the HTTP interface. A token is shown once, when it is made.

use clap::{Args, Subcommand};
use reanimator_core::{model::Role, store::TokenRecord};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it; it is not shown again
    Create(CreateArgs),
    /// List the tokens
    List,
    /// Make a token worthless
    Revoke(NameArgs),
}

/// What `token create` takes.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// What to call it
    name: String,
    /// What it may do: viewer, operator or admin
    #[arg(long, default_value = "viewer")]
    role: Role,
}

/// Which token.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The token's name
    name: String,
}

/// Carries out the command.
pub(crate) async fn run(command: TokenCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        TokenCommand::Create(args) => create(&args, context).await,
        TokenCommand::List => list(context).await,
        TokenCommand::Revoke(args) => revoke(&args.name, context).await,
    }
}

async fn create(args: &CreateArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let create = fleet.access().create_token(&args.name, args.role, fleet.now());
    let token = context.audited(&fleet, "token create", &args.name, create).await?;
    if context.screen.is_json() {
        let document = json!({ "token": token.expose_secret(), "name": args.name, "role": args.role });
        context.screen.document(&document)?;
    } else {
        context.screen.line(token.expose_secret())?;
        context.screen.note("Keep it: it is not shown again.");
    }
    Ok(Done::Whole)
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let tokens = context.fleet().await?.access().tokens().await?;
    if context.screen.is_json() {
        let items: Vec<_> = tokens.iter().map(document).collect();
        context.screen.document(&json!({ "items": items }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("ROLE"),
        Column::words("SINCE").keep(1),
        Column::words("LAST USED"),
    ]);
    for token in &tokens {
        table.row([
            token.name.as_str().into(),
            token.role.as_str().into(),
            words::moment(token.created_at).into(),
            token.last_used_at.map_or_else(|| Cell::from("never").dim(), |at| words::moment(at).into()),
        ]);
    }
    context.screen.table(&table, "No tokens. Next: reanimator token create NAME --role viewer")?;
    Ok(Done::Whole)
}

/// A token without its hash.
fn document(token: &TokenRecord) -> serde_json::Value {
    json!({
        "name": token.name,
        "role": token.role,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    })
}

async fn revoke(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "token revoke", name, fleet.access().revoke_token(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "revoked": name }))?;
    } else {
        context.screen.line(&format!("{} is worthless now.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}
