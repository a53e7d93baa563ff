//! `update schedule` and `update redundant`: updates by calendar, and machines that stand in for each other.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use jiff::{civil::Time, tz::TimeZone};
use reanimator_core::{
    access::Principal,
    fleet::{ScheduleChange, ScheduleView, UpdateSchedules},
    model::{
        Day, RedundantSet, UnreadableSchedule, UpdateSchedule,
        window::{parse_days, parse_time},
    },
};
use serde_json::json;

use super::update_wish::{WishArgs, Without};
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done about updates by calendar.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// List schedules, with when each is made next
    List,
    /// Show a schedule
    Show(NameArgs),
    /// Make a schedule; a server must run at its times
    Create(Box<CreateArgs>),
    /// Change a schedule: when it is made, and what then
    Edit(Box<EditArgs>),
    /// Remove a schedule
    Delete(NameArgs),
}

/// What can be done about redundant sets.
#[derive(Debug, Subcommand)]
pub(crate) enum RedundantCommand {
    /// List redundant sets, with who is in them
    List,
    /// Make a redundant set, or put another in its place
    Set(SetArgs),
    /// Remove a redundant set
    Remove(NameArgs),
}

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name
    name: String,
}

/// One value, although it is a set.
type SetOfDays = BTreeSet<Day>;

/// What `update schedule create` takes.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// On which days: mon-fri,sun
    #[arg(long, default_value = "daily", value_parser = parse_days)]
    days: SetOfDays,
    /// When
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    at: Time,
    /// The time zone of its clock, such as Europe/Berlin [default: that of this machine]
    #[arg(long)]
    zone: Option<String>,
    /// What people should know of it
    #[arg(long, default_value = "")]
    comment: String,
    #[command(flatten)]
    wish: WishArgs,
}

/// What `update schedule edit` takes.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// Its name
    name: String,
    /// On which days: mon-fri,sun
    #[arg(long, value_parser = parse_days)]
    days: Option<SetOfDays>,
    /// When
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    at: Option<Time>,
    /// The time zone of its clock
    #[arg(long)]
    zone: Option<String>,
    /// Have it made from now on
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Have it made no more
    #[arg(long)]
    disable: bool,
    /// What people should know of it
    #[arg(long)]
    comment: Option<String>,
    /// Take back what the flag of that name asked for; may be given several times
    #[arg(long, value_enum, value_name = "FLAG")]
    without: Vec<Without>,
    #[command(flatten)]
    wish: WishArgs,
}

/// What `update redundant set` takes.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Its name
    name: String,
    /// Which hosts stand in for each other
    #[arg(long = "on", value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Which guests stand in for each other
    #[arg(long, value_name = "SELECTOR")]
    guests: Option<String>,
    /// What people should know of it
    #[arg(long, default_value = "")]
    comment: String,
}

/// Carries out `update schedule`.
pub(crate) async fn run(command: ScheduleCommand, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    match command {
        ScheduleCommand::List => list(&fleet.update_schedules().await?, context),
        ScheduleCommand::Show(args) => show(&json!(fleet.update_schedule(&args.name).await?), context),
        ScheduleCommand::Create(args) => {
            let own_zone = || TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
            let schedule = UpdateSchedule {
                name: args.name,
                days: args.days,
                at: args.at,
                zone: args.zone.unwrap_or_else(own_zone),
                comment: args.comment,
                wish: args.wish.into_wish()?,
                enabled: true,
                by: String::new(),
                done_until: None,
                last_outcome: None,
            };
            let on = format!("{}: {}", schedule.name, schedule.times());
            let who = Principal::local();
            let create = fleet.create_update_schedule(schedule, &who);
            show(&json!(context.audited(&fleet, "update schedule create", &on, create).await?), context)
        }
        ScheduleCommand::Edit(args) => {
            let known = fleet.update_schedule(&args.name).await?.schedule.wish;
            let mut wish = known.clone();
            args.without.iter().for_each(|without| without.take_from(&mut wish));
            args.wish.change(&mut wish);
            let change = ScheduleChange {
                wish: Some(wish).filter(|wish| *wish != known),
                days: args.days,
                at: args.at,
                zone: args.zone,
                enabled: (args.enable || args.disable).then_some(args.enable),
                comment: args.comment,
            };
            let who = Principal::local();
            let change = fleet.change_update_schedule(&args.name, change, &who);
            show(&json!(context.audited(&fleet, "update schedule edit", &args.name, change).await?), context)
        }
        ScheduleCommand::Delete(args) => {
            let remove = fleet.remove_update_schedule(&args.name);
            context.audited(&fleet, "update schedule delete", &args.name, remove).await?;
            removed(&args.name, context)
        }
    }
}

/// Carries out `update redundant`.
pub(crate) async fn redundant(command: RedundantCommand, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    match command {
        RedundantCommand::List => {
            let sets = fleet.redundant_sets().await?;
            if context.screen.is_json() {
                context.screen.document(&json!({ "items": sets }))?;
                return Ok(Done::Whole);
            }
            let mut table = Table::new([Column::words("NAME"), Column::words("HOSTS"), Column::words("GUESTS")]);
            for view in &sets {
                let names = [view.member_hosts.join(", "), view.member_guests.join(", ")];
                let [hosts, guests] = names.map(|names| Cell::known(Some(names).filter(|names| !names.is_empty())));
                table.row([view.set.name.as_str().into(), hosts, guests]);
            }
            context
                .screen
                .table(&table, "No redundant sets. Next: reanimator update redundant set NAME --on SELECTOR")?;
            Ok(Done::Whole)
        }
        RedundantCommand::Set(SetArgs { name, hosts, guests, comment }) => {
            let set = RedundantSet { name: name.clone(), hosts, guests, comment };
            let put = fleet.put_redundant_set(set);
            show(&json!(context.audited(&fleet, "update redundant set", &name, put).await?), context)
        }
        RedundantCommand::Remove(args) => {
            let remove = fleet.remove_redundant_set(&args.name);
            context.audited(&fleet, "update redundant remove", &args.name, remove).await?;
            removed(&args.name, context)
        }
    }
}

/// Those that can be read; then those that cannot, each with what to do.
fn list(all: &UpdateSchedules, context: &Context) -> Result<Done, Failure> {
    let done = Done::of(all.items.len(), all.unreadable.len());
    if context.screen.is_json() {
        context.screen.document(&json!(all))?;
        return Ok(done);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("TIMES"),
        Column::words("NEXT"),
        Column::words("LAST"),
        Column::words("BY").keep(1),
        Column::words("WHOM"),
    ]);
    for view in &all.items {
        let next = match view.schedule.enabled {
            true if view.trouble.is_some() => Cell::from("never"),
            true => Cell::known(view.next_at.map(words::moment)),
            false => Cell::from("off").dim(),
        };
        table.row([
            view.schedule.name.as_str().into(),
            view.times.as_str().into(),
            next,
            last(view),
            view.schedule.by.as_str().into(),
            view.schedule.wish.whom().into(),
        ]);
    }
    context
        .screen
        .table(&table, "No schedules. Next: reanimator update schedule create NAME --at HH:MM --on SELECTOR")?;
    for view in &all.items {
        if let Some(trouble) = &view.trouble {
            let name = &view.schedule.name;
            context.screen.note(&format!(
                "{name} is never made: {trouble}. Next: `reanimator update schedule edit {name} --zone ZONE`"
            ));
        }
    }
    for UnreadableSchedule { name, cause, next } in &all.unreadable {
        context.screen.note(&format!("{name} cannot be read: {cause}. Next: {next}"));
    }
    Ok(done)
}

/// What came of its last time: when an update was made, or why none was.
fn last(view: &ScheduleView) -> Cell {
    match &view.schedule.last_outcome {
        Some(outcome) if !outcome.made => Cell::from(format!("not made: {}", outcome.text)),
        outcome => Cell::known(outcome.as_ref().map(|outcome| words::moment(outcome.at))),
    }
}

fn show(value: &serde_json::Value, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(value)?;
    } else {
        for line in outline(value).lines() {
            context.screen.line(&context.screen.text(line))?;
        }
    }
    Ok(Done::Whole)
}

fn removed(name: &str, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed {}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}
