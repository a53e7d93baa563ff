//! Carrying operations out before a person's eyes: a dry run, lines as they come, Ctrl-C, and how it ended.
//!
//! The operation is carried out by this process. Where a server took it first, it is followed there; should that one die,
//! this process takes it over.

use std::{collections::BTreeMap, io, time::Duration};

use clap::Args;
use reanimator_core::{
    ErrorKind, Result,
    access::Principal,
    model::{NewOperation, NewStep, Operation, OperationId, OperationLine, OperationState, Rule, Step, StepState},
    operation::{DryRun, DryStep, Operations},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, harmless, words},
};

/// How often it is looked for new lines.
pub(super) const LINES_EVERY: Duration = Duration::from_millis(250);

/// How steps are to be taken.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Go on in spite of a rule; may be given several times, and stands in the audit trail (see `op rules`)
    #[arg(long = "override", value_name = "RULE")]
    overrides: Vec<Rule>,
    /// How long each step may take; without it what is usual for such a step
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=604_800))]
    step_limit: Option<u32>,
}

impl How {
    /// Steps to be taken in this way.
    pub(super) fn plan(&self, steps: Vec<NewStep>) -> NewOperation {
        let limited = |step: NewStep| NewStep { limit_seconds: self.step_limit.or(step.limit_seconds), ..step };
        let steps = steps.into_iter().map(limited).collect();
        NewOperation { steps, overrides: self.overrides.clone(), ..NewOperation::default() }
    }
}

/// Says what would be done by some steps, or takes them and follows them to their end.
pub(super) async fn run(steps: Vec<NewStep>, how: &How, context: &Context) -> Result<Done, Failure> {
    carry_out_plan(how.plan(steps), how.dry_run, context).await
}

/// The same of a plan that was made elsewhere.
pub(super) async fn carry_out_plan(new: NewOperation, dry_run: bool, context: &Context) -> Result<Done, Failure> {
    let operations = Operations::new(context.fleet().await?);
    if dry_run {
        return show_dry_run(&operations.dry_run(&new, &Principal::local()).await?, &new.overrides, context);
    }
    let asked = operations.ask(new, &Principal::local(), "local").await?;
    follow_asked(&asked, context).await
}

/// Carries out what was asked for, and shows it to its end.
pub(super) async fn follow_asked(asked: &Operation, context: &Context) -> Result<Done, Failure> {
    let operations = Operations::new(context.fleet().await?);
    context.screen.note(&format!("Operation {}. Ctrl-C stops it before its next step.", asked.id));
    let mut over = carry_out(&operations, std::slice::from_ref(&asked.id), true, context).await?;
    let over = over.swap_remove(0);
    if context.screen.is_json() {
        context.screen.document(&over)?;
    }
    Ok(done(&over))
}

/// Carries some out at the same time, each to its end, and shows their lines. Those that live elsewhere are followed with
/// `others`, else left there.
pub(super) async fn carry_out(
    operations: &Operations,
    ids: &[OperationId],
    others: bool,
    context: &Context,
) -> Result<Vec<Operation>, Failure> {
    let leave = CancellationToken::new();
    // Tasks of their own, each going on while this one writes: they share one store, and none may hold it up.
    let mut carrying = JoinSet::new();
    for id in ids {
        carrying.spawn(to_its_end(operations.clone(), id.clone(), others, leave.clone()));
    }
    let mut log = Log::of(operations, ids, context);
    let mut ticks = tokio::time::interval(LINES_EVERY);
    let (mut over, mut asked_to_stop) = (Vec::new(), false);
    loop {
        tokio::select! {
            ended = carrying.join_next() => match ended {
                Some(ended) => over.push(ended.map_err(io::Error::other)??),
                None => break,
            },
            _ = ticks.tick() => log.show().await?,
            _ = tokio::signal::ctrl_c() => {
                if asked_to_stop {
                    context.screen.note("Leaving it where it is. Next: reanimator op resume");
                    leave.cancel();
                }
                asked_to_stop = true;
                context.screen.note("Stopping before the next step; what has begun is seen to its end. Ctrl-C again to leave.");
                for id in ids {
                    stop(operations, id).await?;
                }
            }
        }
    }
    log.show().await?;
    Ok(over)
}

/// Asks one to stop; one that has just ended needs it no more.
async fn stop(operations: &Operations, id: &OperationId) -> Result<()> {
    match operations.cancel(id, &Principal::local(), "local").await {
        Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn to_its_end(
    operations: Operations,
    id: OperationId,
    others: bool,
    leave: CancellationToken,
) -> Result<Operation> {
    if others {
        return operations.see_through(&id, &leave).await;
    }
    match operations.carry_out_until(&id, &leave).await {
        Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Conflict) => operations.get(&id).await,
        other => other,
    }
}

/// Lines of operations, as they come.
pub(super) struct Log<'a> {
    operations: &'a Operations,
    /// The number of the last line that was shown, of each.
    shown: BTreeMap<OperationId, i64>,
    context: &'a Context,
}

impl<'a> Log<'a> {
    /// From their beginning.
    pub(super) fn of(operations: &'a Operations, ids: &[OperationId], context: &'a Context) -> Self {
        Self { operations, shown: ids.iter().map(|id| (id.clone(), 0)).collect(), context }
    }

    /// Shows what is new.
    pub(super) async fn show(&mut self) -> Result<(), Failure> {
        let several = self.shown.len() > 1;
        for (id, shown) in &mut self.shown {
            for line in self.operations.lines(id, *shown).await? {
                *shown = line.number;
                let label = if several { format!("{id} ") } else { String::new() };
                say(&format!("{label}{}", as_text(&line)), self.context)?;
            }
        }
        Ok(())
    }
}

/// On stdout; beside a document on stderr.
fn say(text: &str, context: &Context) -> io::Result<()> {
    if context.screen.is_json() {
        context.complain(format!("{}\n", harmless(text)).as_bytes());
        return Ok(());
    }
    context.screen.line(&context.screen.text(text))
}

/// `04:01:36Z 2 stop guest mail: it is stopped`, with the step's number as people count.
fn as_text(line: &OperationLine) -> String {
    let step = line.step.map_or_else(String::new, |step| format!("{} ", step + 1));
    format!("{} {step}{}", line.at.strftime("%H:%M:%SZ"), line.text)
}

/// What its end comes to.
pub(super) fn done(operation: &Operation) -> Done {
    match operation.state {
        OperationState::Done => Done::Whole,
        OperationState::Undone if operation.note.is_none() => Done::Whole,
        OperationState::Undone => Done::Partly,
        _ => {
            let well = operation.steps.iter().filter(|step| step.state.is_well()).count();
            Done::of(well, (operation.steps.len() - well).max(1))
        }
    }
}

/// How an operation's state looks.
pub(super) fn state(operation: &Operation) -> Cell {
    let cell = Cell::from(operation.state.as_str());
    match operation.state {
        OperationState::Done => cell.good(),
        OperationState::Failed => cell.bad(),
        OperationState::Waiting | OperationState::Running | OperationState::Undoing => cell.warn(),
        OperationState::Cancelled | OperationState::Undone => cell.dim(),
    }
}

/// How a step's state looks.
pub(super) fn step_state(step: &Step) -> Cell {
    let cell = Cell::from(step.state.as_str());
    match step.state {
        StepState::Done | StepState::Already => cell.good(),
        StepState::Failed => cell.bad(),
        StepState::Intended | StepState::Begun => cell.warn(),
        StepState::Pending | StepState::Skipped => cell.dim(),
    }
}

pub(super) fn show_dry_run(dry: &DryRun, overrides: &[Rule], context: &Context) -> Result<Done, Failure> {
    let refused = refused(dry, overrides);
    if context.screen.is_json() {
        context.screen.document(dry)?;
    } else {
        let mut table = Table::new([
            Column::number("STEP"),
            Column::words("WHAT"),
            Column::words("RISK").keep(1),
            Column::words("WOULD"),
        ]);
        for (number, step) in dry.steps.iter().enumerate() {
            let would = would(step, overrides);
            table.row([(number + 1).to_string().into(), step.words.as_str().into(), step.risk.as_str().into(), would]);
        }
        context.screen.table(&table, "Nothing would be done.")?;
        context
            .screen
            .line(&format!("{} would be taken; nothing was done.", words::count(dry.steps.len() - refused, "step")))?;
    }
    Ok(done_of_dry_run(dry, overrides))
}

/// What a dry run comes to.
pub(super) fn done_of_dry_run(dry: &DryRun, overrides: &[Rule]) -> Done {
    let refused = refused(dry, overrides);
    Done::of(dry.steps.len() - refused, refused)
}

fn refused(dry: &DryRun, overrides: &[Rule]) -> usize {
    dry.steps.iter().filter(|step| step.is_refused(overrides)).count()
}

/// What a step would come to.
fn would(step: &DryStep, overrides: &[Rule]) -> Cell {
    if let Some(why) = &step.already {
        return Cell::from(format!("do nothing: {why}")).dim();
    }
    let objections = step.objections.iter().map(|objection| format!("{} (rule {})", objection.why, objection.rule));
    if step.is_refused(overrides) {
        let why: Vec<String> = step.refused.iter().cloned().chain(objections).collect();
        return Cell::from(format!("be refused: {}", why.join("; "))).bad();
    }
    let calls = step.calls.join("; ");
    let passed: Vec<String> = objections.collect();
    if passed.is_empty() {
        return Cell::from(calls);
    }
    Cell::from(format!("{calls}, in spite of: {}", passed.join("; "))).warn()
}
