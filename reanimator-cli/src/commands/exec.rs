//! `exec`: one command on many hosts. Answers are shown as they come, each line with its host's name; what hosts print
//! on stdout goes to stdout, what they print on stderr and what went wrong goes to stderr. Each run is kept for a while.

use std::{io, time::Duration};

use clap::Args;
use futures::StreamExt;
use reanimator_core::{
    Error, ErrorKind,
    fleet::{By, ExecAnswer, group_answers},
    model::{CommandId, CommandState, NewCommand, SavedCommand, command::LARGEST_OUTPUT},
    transport::{Captured, Output},
    workflows::commands::Commands,
};
use serde_json::{Value, json};

use super::exec_past;
use crate::{
    context::Context,
    failure::{Done, Failure, error_document, error_lines, usage},
    screen::{Paint, harmless, harmless_bytes, words},
};

/// How long hosts get to end what was begun on them: the two seconds that a command has between being asked and being
/// made to end, and the way there.
const ENDING: Duration = Duration::from_secs(3);

/// What each host may take where that is not said.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How much of each stream is kept per host where that is not said: 1 MiB.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// What `exec` takes.
#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// The command line, for the hosts' sh: pipes, variables and all
    #[arg(required_unless_present_any = ["saved", "history", "show", "stop", "saved_list", "forget"])]
    command: Option<String>,
    /// Where: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR",
          required_unless_present_any = ["saved", "history", "show", "stop", "saved_list", "forget"])]
    on: Option<String>,
    /// Show equal answers once, when all have come
    #[arg(long)]
    group: bool,
    /// Show what most hosts answered once, and of the others how they differ from it, when all have come
    #[arg(long, conflicts_with = "group")]
    diff: bool,
    /// As root
    #[arg(long)]
    sudo: bool,
    /// How long it may take on each host before it is ended there: 30s, 5m, 1h [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    time_limit: Option<Duration>,
    /// How many hosts at once [default: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    parallel: Option<u16>,
    /// How many bytes of each stream are kept per host [default: 1 MiB]
    #[arg(long, value_name = "BYTES")]
    output_limit: Option<usize>,
    /// Keep the command under this name too, with where, as whom and how long
    #[arg(long, value_name = "NAME", requires = "command")]
    save: Option<String>,
    /// Run the command that is kept under this name
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    saved: Option<String>,
    #[command(flatten)]
    past: PastArgs,
}

/// What is done with earlier runs and saved commands, and runs nothing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Instead of a command")]
#[group(multiple = false, conflicts_with_all = ["command", "on", "saved"])]
struct PastArgs {
    /// List what was run before, the newest first
    #[arg(long)]
    history: bool,
    /// Show a run with its answers, and how the odd ones differ from the others
    #[arg(long, value_name = "ID")]
    show: Option<String>,
    /// Stop a run, whichever process carries it out
    #[arg(long, value_name = "ID")]
    stop: Option<String>,
    /// List the commands that are kept under a name
    #[arg(long)]
    saved_list: bool,
    /// Keep the command of this name no longer
    #[arg(long, value_name = "NAME")]
    forget: Option<String>,
}

/// Carries it out.
pub(crate) async fn run(args: ExecArgs, context: &Context) -> Result<Done, Failure> {
    let commands = Commands::new(context.fleet().await?);
    let PastArgs { history, show, stop, saved_list, forget } = &args.past;
    match (history, show, stop, saved_list, forget) {
        (true, ..) => exec_past::history(&commands, context).await,
        (_, Some(id), ..) => exec_past::show(&commands, id.clone(), context).await,
        (_, _, Some(id), ..) => exec_past::stop(&commands, id.clone(), context).await,
        (.., true, _) => exec_past::saved_list(context).await,
        (.., Some(name)) => exec_past::forget(name, context).await,
        _ => {
            let done = carry_out(&args, &commands, context).await;
            commands.close().await;
            done
        }
    }
}

async fn carry_out(args: &ExecArgs, commands: &Commands, context: &Context) -> Result<Done, Failure> {
    let new = new_command(args, context).await?;
    let mut stop = std::pin::pin!(told_to_stop());
    let (command, on) = (new.command.clone(), new.on.clone());
    let (run, mut answers) = commands.follow(new, args.output_limit.unwrap_or(OUTPUT_LIMIT), &By::local()).await?;
    let collect = args.group || args.diff || context.screen.is_json();
    let progress =
        if collect { context.progress(run.hosts as usize, "hosts answered") } else { indicatif::ProgressBar::hidden() };
    let (mut kept, mut ok, mut failed) = (Vec::new(), 0, 0);
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            () = &mut stop => {
                progress.finish_and_clear();
                drop(answers);
                end(commands, &run.id, context).await?;
                return Err(stopped(ok + failed));
            }
        };
        let Some(answer) = answer else { break };
        progress.inc(1);
        if answer.success() {
            ok += 1
        } else {
            failed += 1
        }
        if collect {
            kept.push(answer);
        } else {
            show_answer(&answer, context)?;
        }
    }
    progress.finish_and_clear();
    let over = commands.wait(&run.id).await?;
    if context.screen.is_json() {
        let mut document = document(&command, &on, &kept, ok, failed);
        document["id"] = json!(run.id);
        if args.diff {
            document["groups"] = json!(commands.view(&run.id).await?.groups);
        }
        context.screen.document(&document)?;
    } else if args.diff {
        exec_past::show_view(commands.view(&run.id).await?.as_ref(), context)?;
    } else if args.group {
        show_groups(&kept, context)?;
    }
    if over.state != CommandState::Done {
        // Somebody else stopped it.
        return Err(stopped(ok + failed));
    }
    Ok(Done::of(ok, failed))
}

/// What is to be run: what was given, or what is kept under a name with what was given in its place.
async fn new_command(args: &ExecArgs, context: &Context) -> Result<NewCommand, Failure> {
    let base = match &args.saved {
        Some(name) => context.fleet().await?.saved_command(name).await?.new_command(None),
        None => NewCommand::default(),
    };
    let limit = args.time_limit.map(|limit| limit.as_secs()).or(base.time_limit_seconds);
    let new = NewCommand {
        command: args.command.clone().unwrap_or(base.command),
        on: args.on.clone().unwrap_or(base.on),
        sudo: args.sudo || base.sudo,
        time_limit_seconds: Some(limit.unwrap_or(TIME_LIMIT.as_secs())),
        output_limit_bytes: args.output_limit.map(|bytes| (bytes as u64).clamp(1, LARGEST_OUTPUT)),
        parallel: args.parallel,
    };
    if new.on.trim().is_empty() {
        return Err(usage("run the command", "it is not said where", "give --on SELECTOR"));
    }
    if let Some(name) = &args.save {
        let saved = json!({
            "name": name, "command": new.command, "on": new.on, "sudo": new.sudo,
            "time_limit_seconds": new.time_limit_seconds,
        });
        let saved: SavedCommand = serde_json::from_value(saved)
            .map_err(|error| Error::new(ErrorKind::Internal, "save the command").from_source(error))?;
        exec_past::save(saved, context).await?;
    }
    Ok(new)
}

/// Ends it on the hosts, and waits for that.
async fn end(commands: &Commands, id: &CommandId, context: &Context) -> Result<(), Error> {
    match commands.stop(id, &By::local()).await {
        // It was over in that very moment.
        Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let_end(context).await;
    Ok(())
}

/// Waits while the hosts end what was begun there, unless Ctrl-C comes once more.
async fn let_end(context: &Context) {
    context.screen.note("Ending it on the hosts that have not answered. Press Ctrl-C again to leave at once.");
    tokio::select! {
        () = tokio::time::sleep(ENDING) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Resolves at SIGINT, SIGTERM or SIGHUP.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = kinds.into_iter().filter_map(|kind| signal(kind).ok());
    let waits: Vec<_> = signals.map(|mut signal| Box::pin(async move { signal.recv().await })).collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures::future::select_all(waits).await;
}

fn stopped(answered: usize) -> Failure {
    Error::new(ErrorKind::Cancelled, "wait for every host")
        .because(format!("it was stopped after {}", words::count(answered, "answer")))
        .next("hosts that had not answered may have carried the command out all the same: look before you run it again")
        .into()
}

/// `30s`, `5m`, `1h`, or seconds.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit.trim() {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err("use seconds, or a number with s, m or h: 30s, 5m, 1h".into()),
    };
    let seconds: u64 = number.parse().map_err(|_| "use a whole number with s, m or h: 30s, 5m, 1h")?;
    match seconds.saturating_mul(unit) {
        0 => Err("it must be longer than nothing".into()),
        limit if limit > 24 * 3600 => Err("a day is the longest".into()),
        limit => Ok(Duration::from_secs(limit)),
    }
}

/// One answer, as soon as it is there.
fn show_answer(answer: &ExecAnswer, context: &Context) -> io::Result<()> {
    let name = context.screen.paint.strong(&context.screen.text(&answer.host));
    match &answer.outcome {
        Ok(output) => {
            context.screen.bytes(&labelled(&name, &output.stdout, context.screen.is_terminal()))?;
            context.complain(&remarks(&answer.host, output));
        }
        Err(error) => context.complain(error_lines(error, Paint::for_stderr()).as_bytes()),
    }
    Ok(())
}

/// What goes to stderr: the host's own stderr, then what is to be said about how it ended.
fn remarks(host: &str, output: &Output) -> Vec<u8> {
    let paint = Paint::for_stderr();
    let terminal = io::IsTerminal::is_terminal(&io::stderr());
    let shown = if terminal { harmless(host).into_owned() } else { host.to_owned() };
    let mut text = labelled(&paint.strong(&shown), &output.stderr, terminal);
    for (stream, captured) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if let Some(note) = captured.cut_note() {
            text.extend(format!("{shown}: {stream} {note}\n").into_bytes());
        }
    }
    if !output.success() {
        text.extend(format!("{shown}: {}\n", paint.bad(&ending(output))).into_bytes());
    }
    text
}

/// `exit status 2`, `ended by SIGKILL`.
fn ending(output: &Output) -> String {
    match (&output.signal, output.status) {
        (Some(signal), _) => format!("ended by SIG{}", harmless(signal)),
        (None, Some(status)) => format!("exit status {status}"),
        (None, None) => "ended without a status".to_owned(),
    }
}

/// Each line with `label: ` before it. Bytes stay as they are unless a terminal shows them.
fn labelled(label: &str, stream: &Captured, terminal: bool) -> Vec<u8> {
    let safe = terminal.then(|| harmless_bytes(&stream.bytes).into_bytes());
    let bytes = safe.as_deref().unwrap_or(&stream.bytes);
    let mut text = Vec::with_capacity(bytes.len() + 64);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(label.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(line);
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

/// Equal answers once, under the names of their hosts; failures to stderr.
fn show_groups(answers: &[ExecAnswer], context: &Context) -> io::Result<()> {
    for group in group_answers(answers) {
        let names = context.screen.text(&group.hosts.join(", ")).into_owned();
        let title = format!("== {}: {names} ==", words::count(group.hosts.len(), "host"));
        match &group.answer.outcome {
            Ok(output) => {
                context.screen.line(&context.screen.paint.strong(&title))?;
                context.screen.bytes(&unlabelled(&output.stdout, context.screen.is_terminal()))?;
                context.complain(&remarks(&group.hosts.join(", "), output));
            }
            Err(error) => {
                context.complain(format!("{}\n", harmless(&title)).as_bytes());
                context.complain(error_lines(error, Paint::for_stderr()).as_bytes());
            }
        }
    }
    Ok(())
}

fn unlabelled(stream: &Captured, terminal: bool) -> Vec<u8> {
    let mut bytes = if terminal { harmless_bytes(&stream.bytes).into_bytes() } else { stream.bytes.clone() };
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes
}

/// All answers as one document; each as the HTTP interface gives it.
fn document(command: &str, on: &str, answers: &[ExecAnswer], ok: usize, failed: usize) -> Value {
    let answers: Vec<Value> = answers.iter().map(answer_document).collect();
    json!({ "command": command, "on": on, "answers": answers, "ok": ok, "failed": failed })
}

fn answer_document(answer: &ExecAnswer) -> Value {
    let output = answer.outcome.as_ref().ok();
    json!({
        "host_id": answer.host_id,
        "host": answer.host,
        "status": output.and_then(|output| output.status),
        "signal": output.and_then(|output| output.signal.as_deref()),
        "stdout": output.map(|output| output.stdout.text()).unwrap_or_default(),
        "stderr": output.map(|output| output.stderr.text()).unwrap_or_default(),
        "stdout_cut_at": output.and_then(|output| output.stdout.cut_at),
        "stderr_cut_at": output.and_then(|output| output.stderr.cut_at),
        "error": answer.outcome.as_ref().err().map(error_document),
        "milliseconds": u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(bytes: &[u8]) -> Captured {
        Captured { bytes: bytes.to_vec(), cut_at: None }
    }

    #[test]
    fn every_line_says_whose_it_is() {
        assert_eq!(labelled("web1", &captured(b"a\n\nb"), true), b"web1: a\nweb1: \nweb1: b\n");
        assert_eq!(labelled("web1", &captured(b""), true), b"");
    }

    #[test]
    fn only_a_terminal_is_protected() {
        assert_eq!(labelled("h", &captured(b"\x1b[2J\xff\n"), true), "h: \\x1b[2J\u{fffd}\n".as_bytes());
        assert_eq!(labelled("h", &captured(b"\x1b[2J\xff\n"), false), b"h: \x1b[2J\xff\n");
    }

    #[test]
    fn times_have_units_and_an_end() {
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("5m"), Ok(Duration::from_secs(300)));
        for wrong in ["", "0s", "soon", "1d", "25h", "99999999999999999999h"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
