//! `notify`: whom notices go to, and what was sent.

use clap::{Args, Subcommand, ValueEnum};
use reanimator_core::{
    access::Principal,
    fleet::NotifyTargetView,
    model::{Delivery, DeliveryFilter, DeliveryState},
};
use serde_json::json;

use super::notify_settings::{SecretArgs, WayArgs, WhenArgs, change, target, way};
use crate::{
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with targets of notices.
#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// List whom notices go to, and how each is doing
    List,
    /// Show everything about a target, but its secrets
    Show(NameArgs),
    /// Add a target: by mail, webhook, ntfy, Gotify or apprise
    Add(Box<AddArgs>),
    /// Change a target; what is not given stays
    Change(Box<ChangeArgs>),
    /// Remove a target with its secrets
    Remove(NameArgs),
    /// Send a message to a target at once, and show what is answered
    Test(NameArgs),
    /// Show what was sent, what waits, and what was given up
    History(HistoryArgs),
}

/// Which target.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The target's name
    name: String,
}

/// What `notify add` takes.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What to call it
    name: String,
    #[command(flatten)]
    way: WayArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    when: WhenArgs,
}

/// What `notify change` takes. The options are those of `notify add`.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The target's name
    name: String,
    #[command(flatten)]
    way: WayArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    when: WhenArgs,
}

/// What `notify history` takes.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Only to this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Only what is in this state
    #[arg(long, value_name = "STATE")]
    state: Option<StateChoice>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateChoice {
    Waiting,
    Sent,
    Failed,
    Dropped,
}

/// Carries out the command.
pub(crate) async fn run(command: NotifyCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        NotifyCommand::List => list(context).await,
        NotifyCommand::Show(args) => show(&context.fleet().await?.notify_target(&args.name, true).await?, context),
        NotifyCommand::Add(args) => add(*args, context).await,
        NotifyCommand::Change(args) => edit(*args, context).await,
        NotifyCommand::Remove(args) => remove(&args.name, context).await,
        NotifyCommand::Test(args) => test(&args.name, context).await,
        NotifyCommand::History(args) => history(args, context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let targets = context.fleet().await?.notify_targets(true).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": targets }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("STATE"),
        Column::words("WHERE").keep(2),
        Column::words("WAITING").keep(3),
        Column::words("LAST").keep(3),
        Column::words("TROUBLE").keep(1),
    ]);
    for view in &targets {
        table.row([
            view.name.as_str().into(),
            state(view),
            Cell::known(view.target.as_ref().map(ToString::to_string)),
            view.waiting.to_string().into(),
            Cell::known(view.last_at.map(words::moment)),
            Cell::known(view.trouble.as_deref()),
        ]);
    }
    context.screen.table(&table, "Nobody is told of anything. Next: reanimator notify add NAME --ntfy TOPIC")?;
    Ok(Done::Whole)
}

fn state(view: &NotifyTargetView) -> Cell {
    match (view.enabled, &view.trouble, view.quiet_until) {
        (false, ..) => Cell::from("off").dim(),
        (true, Some(_), _) => Cell::from("failing").bad(),
        (true, None, Some(_)) => Cell::from("quiet").warn(),
        (true, None, None) => Cell::from("ready").good(),
    }
}

fn show(view: &NotifyTargetView, context: &Context) -> Result<Done, Failure> {
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

async fn add(args: AddArgs, context: &Context) -> Result<Done, Failure> {
    let (way, secrets) = way(args.way, &args.secrets)?;
    let way = way.ok_or_else(|| {
        let next = "give one of --email, --webhook, --ntfy, --gotify and --apprise";
        usage("add a target", "nothing says how it is reached", next)
    })?;
    let fleet = context.fleet().await?;
    let on = format!("{} ({})", args.name, way.kind());
    let target = target(args.name, way, args.when);
    let made = context.audited(&fleet, "notify add", &on, fleet.create_notify_target(target, secrets)).await?;
    show(&made, context)
}

async fn edit(args: ChangeArgs, context: &Context) -> Result<Done, Failure> {
    let (way, secrets) = way(args.way, &args.secrets)?;
    let fleet = context.fleet().await?;
    let before = fleet.notify_target(&args.name, true).await?.target.map(|target| target.which).unwrap_or_default();
    let change = change(args.when, way, &before);
    let changing = fleet.change_notify_target(&args.name, change, secrets);
    show(&context.audited(&fleet, "notify change", &args.name, changing).await?, context)
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "notify remove", name, fleet.remove_notify_target(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed {}: nothing is sent there any more.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}

async fn test(name: &str, context: &Context) -> Result<Done, Failure> {
    let (fleet, who) = (context.fleet().await?, Principal::local().who());
    let report = context.audited(&fleet, "notify test", name, fleet.test_notify_target(name, &who)).await?;
    if context.screen.is_json() {
        context.screen.document(&report)?;
    } else {
        let line = format!("Sent in {} ms: {}", report.milliseconds, report.answer);
        context.screen.line(&context.screen.text(&line))?;
    }
    Ok(Done::Whole)
}

async fn history(args: HistoryArgs, context: &Context) -> Result<Done, Failure> {
    let state = args.state.map(|state| match state {
        StateChoice::Waiting => DeliveryState::Waiting,
        StateChoice::Sent => DeliveryState::Sent,
        StateChoice::Failed => DeliveryState::Failed,
        StateChoice::Dropped => DeliveryState::Dropped,
    });
    let filter = DeliveryFilter { target: args.target, state, before: None, limit: args.limit };
    let deliveries = context.fleet().await?.deliveries(&filter).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": deliveries }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("AT"),
        Column::words("TARGET"),
        Column::words("STATE"),
        Column::words("LEVEL").keep(3),
        Column::words("NOTICE"),
        Column::words("NOTE").keep(1),
    ]);
    for delivery in &deliveries {
        table.row([
            words::moment(delivery.ended_at.unwrap_or(delivery.queued_at)).into(),
            delivery.target.as_str().into(),
            stands(delivery),
            delivery.notice.level.as_str().into(),
            delivery.notice.title.as_str().into(),
            Cell::known(delivery.note.as_deref()),
        ]);
    }
    context.screen.table(&table, "Nothing was sent.")?;
    Ok(Done::Whole)
}

fn stands(delivery: &Delivery) -> Cell {
    let cell = Cell::from(delivery.state.as_str());
    match delivery.state {
        DeliveryState::Sent => cell.good(),
        DeliveryState::Waiting => cell.warn(),
        DeliveryState::Failed => cell.bad(),
        DeliveryState::Dropped => cell.dim(),
    }
}
