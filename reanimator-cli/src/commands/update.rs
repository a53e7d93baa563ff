//! `update`: many machines in one run, whichever process carries it out.

use std::{collections::BTreeMap, io, time::Duration};

use clap::{Args, Subcommand};
use reanimator_core::{
    ErrorKind,
    access::Principal,
    model::{UpdateFilter, UpdateId, UpdateRun},
    workflows::update::Updates,
};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    update_schedule::{self, RedundantCommand, ScheduleCommand},
    update_show,
    update_wish::WishArgs,
};
use crate::{
    context::Context,
    failure::{Done, Failure},
};

/// How often it is looked how far an update got.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// What can be done about updates.
#[derive(Debug, Subcommand)]
pub(crate) enum UpdateCommand {
    /// Look at machines and say what an update would come to; nothing is done
    Plan(Box<WishArgs>),
    /// Update machines, wave by wave, and follow it to its end
    Run(Box<WishArgs>),
    /// List updates, the newest first
    List(ListArgs),
    /// Show an update: machine by machine, package by package
    Show(IdArgs),
    /// Stop an update before its next machine; those that have begun are seen to their end
    Cancel(IdArgs),
    /// Go on with updates whose process has died
    Resume(ResumeArgs),
    /// Updates by calendar
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Machines that stand in for each other: never two of a set are updated at once
    #[command(subcommand)]
    Redundant(RedundantCommand),
}

/// What `update list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those that are not over
    #[arg(long)]
    open: bool,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

/// Which update.
#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The update's id
    id: String,
}

/// What `update resume` takes.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The updates' ids; without one, all that are not over
    ids: Vec<String>,
}

/// Carries out the command.
pub(crate) async fn run(command: UpdateCommand, context: &Context) -> Result<Done, Failure> {
    let updates = Updates::new(context.fleet().await?);
    match command {
        UpdateCommand::Plan(args) => {
            let plan = updates.plan(&args.into_wish()?, &Principal::local()).await?;
            update_show::plan(&plan, context)
        }
        UpdateCommand::Run(args) => {
            let asked = updates.ask(&args.into_wish()?, &Principal::local(), "local").await?;
            context.screen.note(&format!("Update {}. Ctrl-C stops it before its next machine.", asked.id));
            let over = carry_out(&updates, vec![asked.id], context).await?;
            over.first().map_or(Ok(Done::Nowhere), |run| update_show::run(run, context).map(|()| done(run)))
        }
        UpdateCommand::List(args) => {
            let filter = UpdateFilter { open: args.open, limit: args.limit, ..UpdateFilter::default() };
            update_show::list(&updates.list(&filter).await?, context)
        }
        UpdateCommand::Show(args) => {
            update_show::run(&updates.get(&args.id.into()).await?, context).map(|()| Done::Whole)
        }
        UpdateCommand::Cancel(args) => cancel(&updates, &args.id.into(), context).await,
        UpdateCommand::Resume(args) => resume(&updates, args, context).await,
        UpdateCommand::Schedule(command) => update_schedule::run(command, context).await,
        UpdateCommand::Redundant(command) => update_schedule::redundant(command, context).await,
    }
}

async fn cancel(updates: &Updates, id: &UpdateId, context: &Context) -> Result<Done, Failure> {
    updates.cancel(id, &Principal::local(), "local").await?;
    if context.screen.is_json() {
        context.screen.document(&updates.get(id).await?)?;
    } else {
        context.screen.line("It stops before its next machine; those that have begun are seen to their end.")?;
    }
    Ok(Done::Whole)
}

async fn resume(updates: &Updates, args: ResumeArgs, context: &Context) -> Result<Done, Failure> {
    let mut ids: Vec<UpdateId> = args.ids.into_iter().map(UpdateId::from).collect();
    if ids.is_empty() {
        let open = UpdateFilter { open: true, limit: 200, ..UpdateFilter::default() };
        ids.extend(updates.list(&open).await?.into_iter().map(|run| run.id));
    }
    let over = carry_out(updates, ids, context).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": over }))?;
    } else if over.is_empty() {
        context.screen.line("Nothing is left to go on with.")?;
    }
    let well = over.iter().filter(|run| done(run) == Done::Whole).count();
    Ok(Done::of(well, over.len() - well))
}

/// Carries some out here, or follows them where another process does, each to its end; says how far each machine got.
async fn carry_out(updates: &Updates, ids: Vec<UpdateId>, context: &Context) -> Result<Vec<UpdateRun>, Failure> {
    let leave = CancellationToken::new();
    // Tasks of their own, each going on while this one writes.
    let mut carrying = JoinSet::new();
    for id in ids.clone() {
        let (updates, leave) = (updates.clone(), leave.clone());
        carrying.spawn(async move { updates.see_through(&id, &leave).await });
    }
    let (mut over, mut asked_to_stop, mut told) = (Vec::new(), false, BTreeMap::new());
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            ended = carrying.join_next() => match ended {
                Some(ended) => over.push(ended.map_err(io::Error::other)??),
                None => break,
            },
            _ = ticks.tick() => tell(updates, &ids, &mut told, context).await?,
            _ = tokio::signal::ctrl_c() => {
                if asked_to_stop {
                    context.screen.note("Leaving it where it is. Next: reanimator update resume");
                    leave.cancel();
                }
                asked_to_stop = true;
                context.screen.note("Stopping before the next machine; what has begun is seen to its end. Ctrl-C again to leave.");
                for id in &ids {
                    match updates.cancel(id, &Principal::local(), "local").await {
                        Err(error) if error.kind() != ErrorKind::Conflict => return Err(error.into()),
                        Ok(()) | Err(_) => {}
                    }
                }
            }
        }
    }
    tell(updates, &ids, &mut told, context).await?;
    Ok(over)
}

/// Says what is new of each machine: on stdout, beside a document on stderr.
async fn tell(
    updates: &Updates,
    ids: &[UpdateId],
    told: &mut BTreeMap<(UpdateId, u32), String>,
    context: &Context,
) -> Result<(), Failure> {
    for id in ids {
        let run = updates.get(id).await?;
        for target in run.targets {
            let now = target.outcome();
            let known = told.insert((id.clone(), target.number), now.clone());
            if known.as_ref() == Some(&now) || known.is_none() && now == "not begun" {
                continue;
            }
            let line = format!("{}: {now}", target.name);
            if context.screen.is_json() {
                context.complain(format!("{}\n", crate::screen::harmless(&line)).as_bytes());
            } else {
                context.screen.line(&context.screen.text(&line))?;
            }
        }
    }
    Ok(())
}

/// What its end comes to: 3 where some machines failed.
fn done(run: &UpdateRun) -> Done {
    let line = run.line();
    match (line.failed, line.well) {
        (0, _) if run.state.is_over() && line.over == line.machines && line.skipped < line.machines.max(1) => {
            Done::Whole
        }
        (_, 0) => Done::Nowhere,
        _ => Done::Partly,
    }
}
