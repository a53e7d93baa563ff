//! `exec`: one command on many hosts. Answers are shown as they come, each line with its host's name; what hosts print
//! on stdout goes to stdout, what they print on stderr and what went wrong goes to stderr.

use std::{io, time::Duration};

use clap::Args;
use futures::StreamExt;
use reanimator_core::{
    Error, ErrorKind,
    fleet::{ExecAnswer, ExecRequest, group_answers},
    transport::{Captured, Output},
};
use serde_json::{Value, json};

use crate::{
    context::Context,
    failure::{Done, Failure, error_document, error_lines},
    screen::{Paint, harmless, harmless_bytes, words},
};

/// How long hosts get to end what was begun on them: the two seconds that a command has between being asked and being
/// made to end, and the way there.
const ENDING: Duration = Duration::from_secs(3);

/// What `exec` takes.
#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// The command line, for the hosts' sh: pipes, variables and all
    command: String,
    /// Where: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR")]
    on: String,
    /// Show equal answers once, when all have come
    #[arg(long)]
    group: bool,
    /// As root
    #[arg(long)]
    sudo: bool,
    /// How long it may take on each host before it is ended there: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    time_limit: Duration,
    /// How many hosts at once [default: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    parallel: Option<u16>,
    /// How many bytes of each stream are kept per host [default: 1 MiB]
    #[arg(long, value_name = "BYTES")]
    output_limit: Option<usize>,
}

/// Carries it out.
pub(crate) async fn run(args: ExecArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let request = request(&args)?;
    let line = context.line(format!("exec: {}", args.command), args.on.clone());
    let mut answers = fleet.exec_audited(request, line).await?;
    let mut stop = std::pin::pin!(told_to_stop());
    let collect = args.group || context.screen.is_json();
    let progress = if collect {
        context.progress(fleet.select(&args.on.parse()?).await?.len(), "hosts answered")
    } else {
        indicatif::ProgressBar::hidden()
    };
    let (mut kept, mut ok, mut failed) = (Vec::new(), 0, 0);
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            () = &mut stop => {
                progress.finish_and_clear();
                drop(answers);
                let_end(context).await;
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
            show(&answer, context)?;
        }
    }
    progress.finish_and_clear();
    if context.screen.is_json() {
        context.screen.document(&document(&args, &kept, ok, failed))?;
    } else if args.group {
        show_groups(&kept, context)?;
    }
    Ok(Done::of(ok, failed))
}

fn request(args: &ExecArgs) -> Result<ExecRequest, Error> {
    let mut request = ExecRequest::new(&args.command, args.on.parse()?);
    request.time_limit = args.time_limit;
    request.sudo = args.sudo;
    if let Some(parallel) = args.parallel {
        request.parallel = usize::from(parallel);
    }
    if let Some(limit) = args.output_limit {
        request.output_limit = limit;
    }
    Ok(request)
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
        .because(format!("you stopped it after {}", words::count(answered, "answer")))
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
fn show(answer: &ExecAnswer, context: &Context) -> io::Result<()> {
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
fn document(args: &ExecArgs, answers: &[ExecAnswer], ok: usize, failed: usize) -> Value {
    let answers: Vec<Value> = answers.iter().map(answer_document).collect();
    json!({ "command": args.command, "on": args.on, "answers": answers, "ok": ok, "failed": failed })
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
