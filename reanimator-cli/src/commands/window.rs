//! `window`: when hosts and guests may be disturbed, and what is protected from it altogether.

use std::collections::BTreeSet;

use clap::{ArgGroup, Args, Subcommand};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use reanimator_core::{
    access::Principal,
    fleet::WindowView,
    model::{
        Day, Window, WindowChange,
        window::{parse_days, parse_time},
    },
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with maintenance windows.
#[derive(Debug, Subcommand)]
pub(crate) enum WindowCommand {
    /// List the maintenance windows
    List,
    /// Show everything about a window
    Show(NameArgs),
    /// Make a window: what it covers is disturbed only while one of its windows is open
    Create(Box<CreateArgs>),
    /// Change a window; what is not given stays
    Edit(Box<EditArgs>),
    /// Remove a window; what only it covered may be disturbed at any time then
    Delete(NameArgs),
    /// List what is protected by hand
    Protected,
}

/// Which window.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The window's name
    name: String,
}

/// What `window create` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true).multiple(true))]
pub(crate) struct CreateArgs {
    /// What to call it
    name: String,
    /// Which hosts it covers: names, globs, group:G, tag:T, kind:K, cluster:C; a&b for both, !x to take away
    #[arg(long, group = "whom", value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Which guests it covers: names, numbers, globs, tag:T, cluster:C, node:N, kind:K; a&b for both, !x to take away
    #[arg(long, group = "whom", value_name = "SELECTOR")]
    guests: Option<String>,
    /// On which days it opens: mon-fri,sun
    #[arg(long, default_value = "daily", value_parser = parse_days)]
    days: BTreeSetOfDays,
    /// When it opens
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    from: Time,
    /// When it closes; on the next day where that is not later than it opens
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    to: Time,
    /// The time zone of these times [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The first day on which it opens
    #[arg(long, value_name = "DATE")]
    first_day: Option<Date>,
    /// The last day on which it opens
    #[arg(long, value_name = "DATE")]
    last_day: Option<Date>,
    /// Make it, and let it not count yet
    #[arg(long)]
    disabled: bool,
    /// What to say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// What `window edit` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct EditArgs {
    /// The window's name
    name: String,
    /// Which hosts it covers; none with an empty text
    #[arg(long, group = "change", value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Which guests it covers; none with an empty text
    #[arg(long, group = "change", value_name = "SELECTOR")]
    guests: Option<String>,
    /// On which days it opens: mon-fri,sun
    #[arg(long, group = "change", value_parser = parse_days)]
    days: Option<BTreeSetOfDays>,
    /// When it opens
    #[arg(long, group = "change", value_name = "HH:MM", value_parser = parse_time)]
    from: Option<Time>,
    /// When it closes
    #[arg(long, group = "change", value_name = "HH:MM", value_parser = parse_time)]
    to: Option<Time>,
    /// The time zone of these times
    #[arg(long, group = "change", value_name = "ZONE")]
    zone: Option<String>,
    /// The first day on which it opens; any with an empty text
    #[arg(long, group = "change", value_name = "DATE")]
    first_day: Option<String>,
    /// The last day on which it opens; any with an empty text
    #[arg(long, group = "change", value_name = "DATE")]
    last_day: Option<String>,
    /// Let it count
    #[arg(long, group = "change", conflicts_with = "disable")]
    enable: bool,
    /// Let it not count
    #[arg(long, group = "change")]
    disable: bool,
    /// What to say of it
    #[arg(long, group = "change", value_name = "TEXT")]
    comment: Option<String>,
}

/// One value, although it is a set.
type BTreeSetOfDays = BTreeSet<Day>;

/// What `host protect` and `guest protect` take.
#[derive(Debug, Args)]
pub(crate) struct ProtectArgs {
    /// Its name or id
    name: String,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What `host unprotect` and `guest unprotect` take.
#[derive(Debug, Args)]
pub(crate) struct UnprotectArgs {
    /// Its name or id
    name: String,
}

/// Carries out the command.
pub(crate) async fn run(command: WindowCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        WindowCommand::List => list(context).await,
        WindowCommand::Show(args) => show(&context.fleet().await?.window(&args.name).await?, context),
        WindowCommand::Create(args) => create(*args, context).await,
        WindowCommand::Edit(args) => edit(*args, context).await,
        WindowCommand::Delete(args) => delete(&args.name, context).await,
        WindowCommand::Protected => protected(context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let windows = context.fleet().await?.windows().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": windows }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("STATE"),
        Column::words("TIMES"),
        Column::words("NEXT").keep(3),
        Column::words("HOSTS").keep(2),
        Column::words("GUESTS").keep(1),
    ]);
    for view in &windows {
        table.row([
            view.window.name.as_str().into(),
            state(view),
            view.times.as_str().into(),
            Cell::known(view.opens_at.map(words::moment)),
            Cell::known(view.window.hosts.as_deref()),
            Cell::known(view.window.guests.as_deref()),
        ]);
    }
    context.screen.table(&table, "No maintenance windows: everything may be disturbed at any time.")?;
    Ok(Done::Whole)
}

fn state(view: &WindowView) -> Cell {
    match (view.window.enabled, view.open) {
        (false, _) => Cell::from("off").dim(),
        (true, true) => Cell::from("open").good(),
        (true, false) => Cell::from("closed").warn(),
    }
}

fn show(view: &WindowView, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(view)?;
    } else {
        let value = serde_json::to_value(view).map_err(std::io::Error::other)?;
        for line in outline(&value).lines() {
            context.screen.line(&context.screen.text(line))?;
        }
    }
    Ok(Done::Whole)
}

async fn create(args: CreateArgs, context: &Context) -> Result<Done, Failure> {
    let own_zone = || TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let window = Window {
        name: args.name,
        hosts: args.hosts,
        guests: args.guests,
        days: args.days,
        from: args.from,
        to: args.to,
        zone: args.zone.unwrap_or_else(own_zone),
        first_day: args.first_day,
        last_day: args.last_day,
        enabled: !args.disabled,
        comment: args.comment,
    };
    let fleet = context.fleet().await?;
    let on = format!("{}: {window}", window.name);
    let made = context.audited(&fleet, "window create", &on, fleet.create_window(window)).await?;
    show(&made, context)
}

async fn edit(args: EditArgs, context: &Context) -> Result<Done, Failure> {
    let change = WindowChange {
        hosts: args.hosts,
        guests: args.guests,
        days: args.days,
        from: args.from,
        to: args.to,
        zone: args.zone,
        first_day: args.first_day,
        last_day: args.last_day,
        enabled: (args.enable || args.disable).then_some(args.enable),
        comment: args.comment,
    };
    let fleet = context.fleet().await?;
    let change = fleet.change_window(&args.name, change);
    show(&context.audited(&fleet, "window edit", &args.name, change).await?, context)
}

async fn delete(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "window delete", name, fleet.remove_window(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed the maintenance window {}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}

async fn protected(context: &Context) -> Result<Done, Failure> {
    let protected = context.fleet().await?.protections().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": protected }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("WHAT").keep(1),
        Column::words("BY"),
        Column::words("SINCE").keep(2),
        Column::words("REASON"),
    ]);
    for view in &protected {
        table.row([
            Cell::known(view.name.as_deref()),
            view.protection.thing.as_str().into(),
            view.protection.by.as_str().into(),
            Cell::known(view.protection.since.map(words::moment)),
            view.protection.reason.as_str().into(),
        ]);
    }
    context.screen.table(&table, "Nothing is protected by hand. Next: reanimator host protect NAME --reason TEXT")?;
    Ok(Done::Whole)
}

/// `host protect`.
pub(super) async fn protect_host(args: &ProtectArgs, context: &Context) -> Result<Done, Failure> {
    let (fleet, who) = (context.fleet().await?, Principal::local().who());
    let protect = fleet.protect_host(&args.name, &args.reason, &who);
    let protection = context.audited(&fleet, "host protect", &args.name, protect).await?;
    say(&args.name, &json!(protection), "is protected now: it is neither disrupted nor destroyed.", context)
}

/// `host unprotect`.
pub(super) async fn unprotect_host(args: &UnprotectArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "host unprotect", &args.name, fleet.unprotect_host(&args.name)).await?;
    say(&args.name, &json!({ "unprotected": args.name }), "is not protected by hand any more.", context)
}

/// `guest protect`.
pub(super) async fn protect_guest(args: &ProtectArgs, context: &Context) -> Result<Done, Failure> {
    let (fleet, who) = (context.fleet().await?, Principal::local().who());
    let protect = fleet.protect_guest(None, &args.name, &args.reason, &who);
    let protection = context.audited(&fleet, "guest protect", &args.name, protect).await?;
    say(&args.name, &json!(protection), "is protected now: it is neither disrupted nor destroyed.", context)
}

/// `guest unprotect`.
pub(super) async fn unprotect_guest(args: &UnprotectArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "guest unprotect", &args.name, fleet.unprotect_guest(None, &args.name)).await?;
    say(&args.name, &json!({ "unprotected": args.name }), "is not protected by hand any more.", context)
}

fn say(name: &str, document: &serde_json::Value, what: &str, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(document)?;
    } else {
        context.screen.line(&format!("{} {what}", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}
