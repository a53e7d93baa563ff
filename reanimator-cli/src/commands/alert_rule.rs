//! `alert rule`: on what rules look, and when somebody is told.

mod condition;

use clap::{Args, Subcommand};
use reanimator_core::{
    fleet::AlertRuleView,
    model::{AlertRule, AlertRuleChange, attention::AttentionLevel},
    workflows::alerts::{Ring, RuleTrial, try_rule},
};
use serde_json::json;

use self::condition::{ConditionArgs, word};
use super::alert;
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with alert rules.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertRuleCommand {
    /// List the rules
    List,
    /// Show everything about a rule
    Show(NameArgs),
    /// Add a rule
    Add(Box<AddArgs>),
    /// Change a rule; what is not given stays. What it had raised resolves where it looks in another way then
    Change(Box<ChangeArgs>),
    /// Remove a rule; what it had raised resolves
    Remove(NameArgs),
    /// Say what a rule would say now, and how often it would have rung over the last week. Changes nothing
    Test(NameArgs),
}

/// Which rule.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The rule's name
    name: String,
}

/// What a rule looks at.
#[derive(Debug, Args)]
pub(crate) struct WhomArgs {
    /// Which hosts: names, globs, group:G, tag:T, kind:K, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Which guests: names, numbers, globs, tag:T, cluster:C, node:N, kind:K
    #[arg(long, value_name = "SELECTOR")]
    guests: Option<String>,
    /// Which storages and local file systems: names such as local-zfs or /var, globs, node:N, cluster:C
    #[arg(long, value_name = "SELECTOR")]
    storages: Option<String>,
    /// Which clusters: names, globs
    #[arg(long, value_name = "SELECTOR")]
    clusters: Option<String>,
}

/// What `alert rule add` takes.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What to call it
    name: String,
    #[command(flatten)]
    whom: WhomArgs,
    #[command(flatten)]
    condition: ConditionArgs,
    /// How bad what meets it is: critical, warning, notice
    #[arg(long, value_name = "LEVEL", default_value = "warning", value_parser = word::<AttentionLevel>)]
    level: AttentionLevel,
    /// Add it, and let it not look yet
    #[arg(long)]
    disabled: bool,
    /// What to say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Only say what it would say now, and how often it would have rung over the last week
    #[arg(long)]
    dry_run: bool,
}

/// What `alert rule change` takes.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The rule's name
    name: String,
    #[command(flatten)]
    whom: WhomArgs,
    #[command(flatten)]
    condition: ConditionArgs,
    /// How bad what meets it is: critical, warning, notice
    #[arg(long, value_name = "LEVEL", value_parser = word::<AttentionLevel>)]
    level: Option<AttentionLevel>,
    /// Let it look
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Let it not look
    #[arg(long)]
    disable: bool,
    /// What to say of it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Carries out the command.
pub(super) async fn run(command: AlertRuleCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        AlertRuleCommand::List => list(context).await,
        AlertRuleCommand::Show(args) => show(&context.fleet().await?.alert_rule(&args.name).await?, context),
        AlertRuleCommand::Add(args) => add(*args, context).await,
        AlertRuleCommand::Change(args) => change(*args, context).await,
        AlertRuleCommand::Remove(args) => remove(&args.name, context).await,
        AlertRuleCommand::Test(args) => {
            let fleet = context.fleet().await?;
            let rule = fleet.alert_rule(&args.name).await?.rule;
            tell(&try_rule(&fleet, rule).await?, context)
        }
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let rules = context.fleet().await?.alert_rules().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": rules }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("LEVEL"),
        Column::number("OPEN"),
        Column::words("ON").keep(1),
        Column::words("WHEN"),
    ]);
    for view in &rules {
        let rule = &view.rule;
        let level = if rule.enabled { alert::level(rule.level) } else { Cell::from("off").dim() };
        let open = Cell::from(view.open.to_string());
        table.row([
            rule.name.as_str().into(),
            level,
            if view.open > 0 { open.warn() } else { open.dim() },
            whom(rule).into(),
            view.words.as_str().into(),
        ]);
    }
    context.screen.table(&table, "No alert rules: nobody is told of anything.")?;
    Ok(Done::Whole)
}

fn whom(rule: &AlertRule) -> String {
    let parts =
        [("hosts", &rule.hosts), ("guests", &rule.guests), ("storages", &rule.storages), ("clusters", &rule.clusters)];
    let parts = parts.into_iter().filter_map(|(word, selector)| Some(format!("{word} {}", selector.as_ref()?)));
    parts.collect::<Vec<_>>().join("; ")
}

fn show(view: &AlertRuleView, context: &Context) -> Result<Done, Failure> {
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
    let condition = args.condition.condition(None)?;
    let rule = AlertRule {
        name: args.name,
        enabled: !args.disabled,
        level: args.level,
        hosts: args.whom.hosts,
        guests: args.whom.guests,
        storages: args.whom.storages,
        clusters: args.whom.clusters,
        condition,
        comment: args.comment,
        built_in: false,
        revision: 0,
    };
    let fleet = context.fleet().await?;
    if args.dry_run {
        return tell(&try_rule(&fleet, rule).await?, context);
    }
    let on = format!("{}: {}", rule.name, rule.condition);
    let made = context.audited(&fleet, "alert rule add", &on, fleet.create_alert_rule(rule)).await?;
    show(&made, context)
}

async fn change(args: ChangeArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let condition = match args.condition.says_something() {
        true => Some(args.condition.condition(Some(&fleet.alert_rule(&args.name).await?.rule.condition))?),
        false => None,
    };
    let change = AlertRuleChange {
        enabled: (args.enable || args.disable).then_some(args.enable),
        level: args.level,
        hosts: args.whom.hosts,
        guests: args.whom.guests,
        storages: args.whom.storages,
        clusters: args.whom.clusters,
        condition,
        comment: args.comment,
    };
    let change = fleet.change_alert_rule(&args.name, change);
    show(&context.audited(&fleet, "alert rule change", &args.name, change).await?, context)
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "alert rule remove", name, fleet.remove_alert_rule(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed the alert rule {}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}

/// Shows what a rule would say.
fn tell(trial: &RuleTrial, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(trial)?;
        return Ok(Done::Whole);
    }
    let line = |text: &str| context.screen.line(&context.screen.text(text));
    line(&format!("{}; it covers {}.", trial.words, words::count(trial.covers, "thing")))?;
    context.screen.table(&rings(&trial.now), "Nothing meets it now.")?;
    if trial.played == 0 {
        line("The history does not keep what it looks at: nothing is known of the last week.")?;
        return Ok(Done::Whole);
    }
    let over = words::count(trial.played, "thing");
    line(&format!("Over the last week it would have rung {} for {over}.", words::count(trial.rang, "time")))?;
    if !trial.rings.is_empty() {
        context.screen.table(&rings(&trial.rings), "")?;
    }
    Ok(Done::Whole)
}

fn rings(rings: &[Ring]) -> Table {
    let mut table =
        Table::new([Column::words("AT"), Column::words("UNTIL").keep(1), Column::words("NAME"), Column::words("WHAT")]);
    for ring in rings {
        table.row([
            words::moment(ring.at).into(),
            Cell::known(ring.until.map(words::moment)),
            ring.name.as_str().into(),
            ring.text.as_str().into(),
        ]);
    }
    table
}
