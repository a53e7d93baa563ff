//! `exec` without a command: what was run before, and commands that are kept under a name.

use std::io;

use reanimator_core::{
    access::Principal,
    fleet::By,
    model::{
        CommandGroup, CommandRun, CommandState, CommandView, Difference, DifferenceKind, OutputStream, SavedCommand,
    },
    workflows::commands::Commands,
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, harmless_bytes, words},
};

/// Runs that `--history` shows.
const SHOWN: u32 = 50;
/// Characters of a command in a table.
const SHORT: usize = 60;

/// What was run before, the newest first.
pub(super) async fn history(commands: &Commands, context: &Context) -> Result<Done, Failure> {
    // Runs whose process has died are told as what they are.
    commands.tidy().await?;
    let runs = commands.list(None, SHOWN).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": runs }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("ID"),
        Column::words("AT").keep(2),
        Column::words("WHO").keep(1),
        Column::words("STATE"),
        Column::number("OK"),
        Column::number("FAILED"),
        Column::words("COMMAND"),
    ]);
    for run in &runs {
        table.row([
            run.id.as_str().into(),
            words::moment(run.requested_at).into(),
            run.requested_by.as_str().into(),
            state(run),
            run.ok.to_string().into(),
            run.failed.to_string().into(),
            short(&run.command).into(),
        ]);
    }
    context.screen.table(&table, "No command was run yet.")?;
    Ok(Done::Whole)
}

/// One of them with its answers, equal ones together.
pub(super) async fn show(commands: &Commands, id: String, context: &Context) -> Result<Done, Failure> {
    commands.tidy().await?;
    let view = commands.view(&id.into()).await?;
    if context.screen.is_json() {
        context.screen.document(view.as_ref())?;
        return Ok(Done::Whole);
    }
    let line = |name: &str, text: &str| context.screen.line(&format!("{name:<10}{}", context.screen.text(text)));
    line("Command", &view.run.command)?;
    line("On", &short(&view.run.on))?;
    line("By", &format!("{} at {}", view.run.requested_by, words::moment(view.run.requested_at)))?;
    line("State", view.run.state.as_str())?;
    show_view(&view, context)?;
    Ok(Done::Whole)
}

/// Stops one, whichever process carries it out.
pub(super) async fn stop(commands: &Commands, id: String, context: &Context) -> Result<Done, Failure> {
    let run = commands.stop(&id.into(), &By::local()).await?;
    if context.screen.is_json() {
        context.screen.document(&run)?;
    } else {
        context.screen.line("It is being ended on the hosts where it still runs.")?;
    }
    Ok(Done::Whole)
}

/// All saved commands.
pub(super) async fn saved_list(context: &Context) -> Result<Done, Failure> {
    let saved = context.fleet().await?.saved_commands().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": saved }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("ON").keep(2),
        Column::words("LIMIT").keep(3),
        Column::words("COMMAND"),
        Column::words("COMMENT").keep(1),
    ]);
    for saved in &saved {
        table.row([
            saved.name.as_str().into(),
            short(&saved.on).into(),
            format!("{} s", saved.time_limit_seconds).into(),
            short(&saved.command).into(),
            saved.comment.as_str().into(),
        ]);
    }
    context.screen.table(&table, "No command is saved.")?;
    Ok(Done::Whole)
}

/// Keeps a command under a name.
pub(super) async fn save(command: SavedCommand, context: &Context) -> Result<(), Failure> {
    let fleet = context.fleet().await?;
    let on = format!("{}: {}", command.name, command.command);
    let who = Principal::local().who();
    context.audited(&fleet, "exec save", &on, fleet.save_command(command, &who)).await.map(drop)
}

/// Keeps one no longer.
pub(super) async fn forget(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "exec unsave", name, fleet.remove_saved_command(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "name": name }))?;
    }
    Ok(Done::Whole)
}

/// The largest group once, the others as how they differ from it.
pub(super) fn show_view(view: &CommandView, context: &Context) -> io::Result<()> {
    for group in &view.groups {
        show_group(group, context)?;
    }
    if !view.waiting.is_empty() {
        let names: Vec<&str> = view.waiting.iter().map(|host| host.name.as_str()).collect();
        let title = format!("== {}, nothing said: {} ==", words::count(names.len(), "host"), names.join(", "));
        context.screen.line(&context.screen.paint.strong(&context.screen.text(&title)))?;
    }
    Ok(())
}

fn show_group(group: &CommandGroup, context: &Context) -> io::Result<()> {
    let names: Vec<&str> = group.hosts.iter().map(|host| host.name.as_str()).collect();
    let odd = match (&group.difference, group.majority) {
        (_, true) => "",
        (Some(_), _) => ", otherwise",
        (None, _) => "",
    };
    let title = format!("== {}{odd}: {} ==", words::count(names.len(), "host"), names.join(", "));
    context.screen.line(&context.screen.paint.strong(&context.screen.text(&title)))?;
    if let Some(error) = &group.error {
        context.screen.line(&context.screen.paint.bad(&context.screen.text(&error.message)))?;
    }
    match &group.difference {
        Some(difference) => show_difference(difference, context)?,
        None => {
            for text in [&group.stdout, &group.stderr] {
                show_text(text, context)?;
            }
        }
    }
    for (stream, cut_at) in [("stdout", group.stdout_cut_at), ("stderr", group.stderr_cut_at)] {
        if let Some(bytes) = cut_at {
            context.screen.line(&context.screen.paint.warn(&format!("{stream} cut at {bytes} bytes")))?;
        }
    }
    match (&group.signal, group.status) {
        _ if group.error.is_some() || group.running => Ok(()),
        (Some(signal), _) => {
            context.screen.line(&context.screen.paint.bad(&format!("ended by SIG{}", context.screen.text(signal))))
        }
        (None, Some(0)) => Ok(()),
        (None, Some(status)) => context.screen.line(&context.screen.paint.bad(&format!("exit status {status}"))),
        (None, None) => context.screen.line(&context.screen.paint.bad("ended without a status")),
    }
}

fn show_text(text: &str, context: &Context) -> io::Result<()> {
    let safe = if context.screen.is_terminal() { harmless_bytes(text.as_bytes()) } else { text.to_owned() };
    let mut bytes = safe.into_bytes();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    context.screen.bytes(&bytes)
}

fn show_difference(difference: &Difference, context: &Context) -> io::Result<()> {
    let paint = context.screen.paint;
    if difference.lines.is_empty() {
        return context.screen.line("  (the same output)");
    }
    for line in &difference.lines {
        let text = context.screen.text(&line.text);
        let stream = if line.stream == OutputStream::Stderr { "stderr: " } else { "" };
        let shown = match line.kind {
            DifferenceKind::Same => format!("  {stream}{text}"),
            DifferenceKind::Added => paint.good(&format!("+ {stream}{text}")),
            DifferenceKind::Removed => paint.bad(&format!("- {stream}{text}")),
            DifferenceKind::Skipped => format!("  ... {} the same", words::count(line.count as usize, "line")),
        };
        context.screen.line(&shown)?;
    }
    if difference.cut {
        context.screen.line(&paint.warn("  more lines differ than are shown"))?;
    }
    Ok(())
}

fn state(run: &CommandRun) -> Cell {
    let cell = Cell::from(run.state.as_str());
    match run.state {
        CommandState::Done if run.failed == 0 => cell.good(),
        CommandState::Interrupted => cell.bad(),
        CommandState::Done | CommandState::Stopped | CommandState::Waiting | CommandState::Running => cell,
    }
}

fn short(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
