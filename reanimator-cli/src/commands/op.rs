//! `op`: operations, whichever process carries them out.

use clap::{Args, Subcommand};
use reanimator_core::{
    access::Principal,
    model::{Operation, OperationFilter, OperationId, RuleView},
    operation::Operations,
};
use serde_json::json;

use super::operate::{self, Log};
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with operations.
#[derive(Debug, Subcommand)]
pub(crate) enum OpCommand {
    /// List operations, the newest first
    List(ListArgs),
    /// Show an operation, step by step
    Show(IdArgs),
    /// Show what an operation says, from its beginning until it is over
    Follow(IdArgs),
    /// Stop an operation before its next step; what is done stays done
    Cancel(IdArgs),
    /// Take back what an operation did, as far as it can be
    Undo(IdArgs),
    /// Go on with operations whose process has died
    Resume(ResumeArgs),
    /// List the rules by which nothing is harmed
    Rules,
}

/// What `op list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those that are not over
    #[arg(long)]
    open: bool,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Which operation.
#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The operation's id
    id: String,
}

/// What `op resume` takes.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The operations' ids; without one, all that are not over and that nobody carries out
    ids: Vec<String>,
}

/// Carries out the command.
pub(crate) async fn run(command: OpCommand, context: &Context) -> Result<Done, Failure> {
    let operations = Operations::new(context.fleet().await?);
    match command {
        OpCommand::List(args) => list(&operations, &args, context).await,
        OpCommand::Show(args) => show(&operations, &args.id.into(), context).await,
        OpCommand::Follow(args) => follow(&operations, &args.id.into(), context).await,
        OpCommand::Cancel(args) => cancel(&operations, &args.id.into(), context).await,
        OpCommand::Undo(args) => undo(&operations, &args.id.into(), context).await,
        OpCommand::Resume(args) => resume(&operations, args, context).await,
        OpCommand::Rules => rules(context),
    }
}

fn rules(context: &Context) -> Result<Done, Failure> {
    let rules = RuleView::all();
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": rules }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([Column::words("RULE"), Column::words("WHAT IT ASKS FOR")]);
    for rule in &rules {
        table.row([rule.id.as_str().into(), rule.sentence.as_str().into()]);
    }
    context.screen.table(&table, "No rules.")?;
    Ok(Done::Whole)
}

async fn list(operations: &Operations, args: &ListArgs, context: &Context) -> Result<Done, Failure> {
    let filter = OperationFilter { open: args.open, limit: args.limit, ..OperationFilter::default() };
    let found = operations.list(&filter).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": found }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("ID"),
        Column::words("AT").keep(2),
        Column::words("WHO").keep(1),
        Column::words("STATE"),
        Column::number("DONE").keep(3),
        Column::words("WHAT"),
    ]);
    for operation in &found {
        table.row([
            operation.id.as_str().into(),
            words::moment(operation.requested_at).into(),
            operation.requested_by.as_str().into(),
            operate::state(operation),
            words::percent(operation.percent).into(),
            operation.title.as_str().into(),
        ]);
    }
    context.screen.table(&table, "No operations.")?;
    Ok(Done::Whole)
}

async fn show(operations: &Operations, id: &OperationId, context: &Context) -> Result<Done, Failure> {
    let operation = operations.get(id).await?;
    if context.screen.is_json() {
        context.screen.document(&operation)?;
        return Ok(Done::Whole);
    }
    let line = |name: &str, text: &str| context.screen.line(&format!("{name:<10}{}", context.screen.text(text)));
    line("What", &operation.title)?;
    line("Asked by", &format!("{} at {}", operation.requested_by, words::moment(operation.requested_at)))?;
    line("State", operation.state.as_str())?;
    if let Some(owner) = operation.owner.as_ref().filter(|_| !operation.state.is_over()) {
        line("By", owner)?;
    }
    if let Some(note) = &operation.note {
        line("Note", note)?;
    }
    show_steps(&operation, context).await
}

async fn show_steps(operation: &Operation, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let mut table = Table::new([
        Column::number("STEP"),
        Column::words("WHAT"),
        Column::words("STATE"),
        Column::words("OUTCOME").keep(1),
    ]);
    for step in &operation.steps {
        table.row([
            (step.number + 1).to_string().into(),
            fleet.words_of(&step.action).await?.into(),
            operate::step_state(step),
            Cell::known(step.outcome.as_deref()),
        ]);
    }
    context.screen.table(&table, "It has no steps.")?;
    Ok(Done::Whole)
}

async fn follow(operations: &Operations, id: &OperationId, context: &Context) -> Result<Done, Failure> {
    let mut log = Log::of(operations, std::slice::from_ref(id), context);
    loop {
        let operation = operations.get(id).await?;
        log.show().await?;
        if operation.state.is_over() && !operation.is_wished() {
            return end(&operation, context);
        }
        tokio::time::sleep(operate::LINES_EVERY).await;
    }
}

async fn cancel(operations: &Operations, id: &OperationId, context: &Context) -> Result<Done, Failure> {
    operations.cancel(id, &Principal::local(), "local").await?;
    let operation = operations.get(id).await?;
    if context.screen.is_json() {
        context.screen.document(&operation)?;
    } else {
        context.screen.line("It stops before its next step; what has begun is seen to its end.")?;
    }
    Ok(Done::Whole)
}

async fn undo(operations: &Operations, id: &OperationId, context: &Context) -> Result<Done, Failure> {
    operations.undo(id, &Principal::local(), "local").await?;
    let over = operate::carry_out(operations, std::slice::from_ref(id), true, context).await?;
    over.first().map_or(Ok(Done::Nowhere), |operation| end(operation, context))
}

async fn resume(operations: &Operations, args: ResumeArgs, context: &Context) -> Result<Done, Failure> {
    let named = !args.ids.is_empty();
    let mut ids: Vec<OperationId> = args.ids.into_iter().map(OperationId::from).collect();
    if !named {
        let open = OperationFilter { open: true, limit: 1_000, ..OperationFilter::default() };
        ids.extend(operations.list(&open).await?.into_iter().map(|operation| operation.id));
    }
    for id in &ids {
        operations.get(id).await?;
    }
    let over = operate::carry_out(operations, &ids, named, context).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": over }))?;
    } else if ids.is_empty() {
        context.screen.line("Nothing is left to go on with.")?;
    }
    let well = over.iter().filter(|operation| operate::done(operation) == Done::Whole).count();
    Ok(Done::of(well, over.len() - well))
}

fn end(operation: &Operation, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(operation)?;
    }
    Ok(operate::done(operation))
}
