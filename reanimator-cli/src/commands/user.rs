//! `user`: people who may log in to the page.

use clap::{Args, Subcommand};
use reanimator_core::{
    access::{NewPassword, UserChange},
    model::Role,
    store::UserRecord,
};
use serde_json::json;

use crate::{
    ask,
    context::Context,
    failure::{Done, Failure},
    screen::{Column, Table, words},
};

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Let somebody in
    Add(AddArgs),
    /// List who may log in
    List,
    /// Change somebody's role or password
    Set(SetArgs),
    /// Let somebody in no longer
    Remove(NameArgs),
}

/// Who.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The user's name
    name: String,
}

/// What `user add` takes.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The user's name
    name: String,
    /// What the user may do: viewer, operator or admin
    #[arg(long, default_value = "viewer")]
    role: Role,
    #[command(flatten)]
    password: PasswordArgs,
}

/// What `user set` takes.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The user's name
    name: String,
    /// What the user may do: viewer, operator or admin
    #[arg(long, required_unless_present_any = ["password", "password_stdin"])]
    role: Option<Role>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Where the new password is.
#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// Where the password is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask")]
    password: Option<String>,
    /// Read the password from stdin
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,
}

impl PasswordArgs {
    fn source(&self) -> Option<&str> {
        if self.password_stdin { Some("stdin") } else { self.password.as_deref() }
    }
}

/// Carries out the command.
pub(crate) async fn run(command: UserCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        UserCommand::Add(args) => add(&args, context).await,
        UserCommand::List => list(context).await,
        UserCommand::Set(args) => set(&args, context).await,
        UserCommand::Remove(args) => remove(&args.name, context).await,
    }
}

async fn add(args: &AddArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let password = ask::new_password(args.password.source(), &format!("Password for {}: ", args.name))?;
    let add = fleet.access().add_user(&args.name, NewPassword::checked(password)?, args.role, fleet.now());
    context.audited(&fleet, "user add", &args.name, add).await?;
    said(&args.name, "may log in", context)
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let users = context.fleet().await?.access().users().await?;
    if context.screen.is_json() {
        let items: Vec<_> = users.iter().map(document).collect();
        context.screen.document(&json!({ "items": items }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([Column::words("NAME"), Column::words("ROLE"), Column::words("SINCE")]);
    for user in &users {
        table.row([user.name.as_str().into(), user.role.as_str().into(), words::moment(user.created_at).into()]);
    }
    context.screen.table(&table, "Nobody yet. Next: reanimator serve prints a link that makes the first account")?;
    Ok(Done::Whole)
}

/// A person without the password's hash.
fn document(user: &UserRecord) -> serde_json::Value {
    json!({ "name": user.name, "role": user.role, "created_at": user.created_at })
}

async fn set(args: &SetArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    if let Some(source) = args.password.source() {
        let password = ask::new_password(Some(source), &format!("New password for {}: ", args.name))?;
        let change = fleet
            .access()
            .change_user(&args.name, UserChange { role: None, password: Some(NewPassword::checked(password)?) });
        context.audited(&fleet, "user set password", &args.name, change).await?;
    }
    if let Some(role) = args.role {
        let change = fleet.access().change_user(&args.name, UserChange { role: Some(role), password: None });
        context.audited(&fleet, "user set role", &args.name, change).await?;
    }
    said(&args.name, "was changed", context)
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "user remove", name, fleet.access().remove_user(name)).await?;
    said(name, "may no longer log in", context)
}

fn said(name: &str, what: &str, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(&json!({ "name": name }))?;
    } else {
        context.screen.line(&format!("{} {what}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}
