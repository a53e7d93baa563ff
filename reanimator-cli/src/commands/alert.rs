//! `alert`: what somebody has to be told of, and the rules that say when.

use clap::{Args, Subcommand};
use reanimator_core::{
    access::Principal,
    model::{Alert, AlertFilter, AlertState, attention::AttentionLevel},
};
use serde_json::json;

use super::alert_rule::{self, AlertRuleCommand};
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// List the alerts that go on, the newest first
    List(ListArgs),
    /// Show everything about an alert
    Show(IdArgs),
    /// Say that you know of an alert; it stays until it resolves
    Ack(AckArgs),
    /// List the alerts that are over, the newest first
    History(ListArgs),
    /// The rules that say when somebody is told
    #[command(subcommand)]
    Rule(AlertRuleCommand),
}

/// What `alert list` and `alert history` take.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only those about this: host:NAME, guest:NAME, storage:NAME, or an id as --json shows it
    #[arg(long, value_name = "THING")]
    about: Option<String>,
    /// How many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Which alert.
#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The alert's id
    id: String,
}

/// What `alert ack` takes.
#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    /// The alert's id
    id: String,
    /// What to say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// Carries out the command.
pub(crate) async fn run(command: AlertCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        AlertCommand::List(args) => list(args, true, context).await,
        AlertCommand::History(args) => list(args, false, context).await,
        AlertCommand::Show(args) => show(&context.fleet().await?.alert(&args.id).await?, context),
        AlertCommand::Ack(args) => acknowledge(&args, context).await,
        AlertCommand::Rule(command) => alert_rule::run(command, context).await,
    }
}

async fn list(args: ListArgs, open: bool, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let entity = match args.about {
        // Clusters have no history, and no names that are looked up.
        Some(about) if about.starts_with("cluster:") => Some(about),
        Some(about) => Some(fleet.entity(&about).await?.to_string()),
        None => None,
    };
    let filter = AlertFilter { open: Some(open), rule: args.rule, entity, before: None, limit: args.limit };
    let alerts = fleet.alerts(&filter).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": alerts }))?;
        return Ok(Done::Whole);
    }
    let nothing = if open { "No alert goes on." } else { "No alert is over yet." };
    context.screen.table(&table(&alerts, open), nothing)?;
    Ok(Done::Whole)
}

fn table(alerts: &[Alert], open: bool) -> Table {
    let mut table = Table::new([
        Column::words("ID"),
        Column::words("LEVEL"),
        Column::words(if open { "STATE" } else { "RESOLVED" }).keep(3),
        Column::words("SINCE").keep(2),
        Column::words("RULE").keep(1),
        Column::words("NAME"),
        Column::words("WHAT"),
    ]);
    for alert in alerts {
        table.row([
            alert.id.as_str().into(),
            level(alert.level),
            if open { state(alert) } else { Cell::known(alert.resolved_at.map(words::moment)) },
            words::moment(alert.since).into(),
            alert.rule.as_str().into(),
            alert.name.as_str().into(),
            alert.text.as_str().into(),
        ]);
    }
    table
}

pub(super) fn level(level: AttentionLevel) -> Cell {
    match level {
        AttentionLevel::Critical => Cell::from(level.as_str()).bad(),
        AttentionLevel::Warning => Cell::from(level.as_str()).warn(),
        AttentionLevel::Notice => Cell::from(level.as_str()).dim(),
    }
}

fn state(alert: &Alert) -> Cell {
    match (alert.state, &alert.acknowledged_by) {
        (AlertState::Acknowledged, Some(who)) => Cell::from(format!("{who} knows")).dim(),
        (AlertState::Active, _) => Cell::from("active").bad(),
        (state, _) => Cell::from(state.as_str()).dim(),
    }
}

fn show(alert: &Alert, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(alert)?;
    } else {
        let value = serde_json::to_value(alert).map_err(std::io::Error::other)?;
        for line in outline(&value).lines() {
            context.screen.line(&context.screen.text(line))?;
        }
    }
    Ok(Done::Whole)
}

async fn acknowledge(args: &AckArgs, context: &Context) -> Result<Done, Failure> {
    let (fleet, who) = (context.fleet().await?, Principal::local().who());
    let acknowledge = fleet.acknowledge_alert(&args.id, &who, &args.comment);
    let alert = context.audited(&fleet, "alert acknowledge", &args.id, acknowledge).await?;
    show(&alert, context)
}
