//! `shell`: a terminal of a host or a guest in this one, and what was recorded of terminals.
//!
//! This terminal is made raw while the other one is shown in it, and is put back whatever happens. Its size is passed on.
//! A line that begins with `~.` hangs up, as with `ssh`. The exit code is that of the shell over there.

use std::{
    io::{self, IsTerminal, Read as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use reanimator_core::{
    Error, ErrorKind,
    fleet::By,
    model::{NewTerminal, TerminalEnd, TerminalId, TerminalSize},
    workflows::shell::{Hands, Seen, Terminals, Viewer},
};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

use crate::{
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table, words},
};

/// As many keystrokes and pastes as wait for the far side.
const PIECES: usize = 8;

/// What `shell` takes.
#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    /// Of which machine: a host's or a guest's name, a guest's number, host:ID or guest:CONNECTION:VMID
    #[arg(required_unless_present_any = ["recordings", "save_recording", "delete_recording"])]
    machine: Option<String>,
    /// Record what is shown (what is typed is not)
    #[arg(long, conflicts_with = "no_record")]
    record: bool,
    /// Record nothing, whatever the settings say
    #[arg(long)]
    no_record: bool,
    /// List what was recorded
    #[arg(long, conflicts_with = "machine")]
    recordings: bool,
    /// Write a recording into a new file, for a player of asciicast
    #[arg(long, num_args = 2, value_names = ["ID", "FILE"], conflicts_with = "machine")]
    save_recording: Option<Vec<String>>,
    /// Delete a recording
    #[arg(long, value_name = "ID", conflicts_with = "machine")]
    delete_recording: Option<String>,
}

/// Carries it out.
pub(crate) async fn run(args: ShellArgs, context: &Context) -> Result<Done, Failure> {
    if args.recordings {
        return list(context).await;
    }
    if let Some([id, file]) = args.save_recording.as_deref() {
        return save(id.as_str().into(), file.into(), context).await;
    }
    if let Some(id) = args.delete_recording {
        return delete(id.into(), context).await;
    }
    let called = args.machine.unwrap_or_default();
    let attempt = format!("open a terminal of {called}");
    if !io::stdin().is_terminal() || context.screen.is_json() {
        return Err(usage(
            &attempt,
            "a terminal is for people: standard input is none, or JSON is wanted",
            "run a command with `reanimator exec`, or start this in a terminal",
        ));
    }
    let size = own_size();
    let fleet = context.fleet().await?;
    let machine = fleet.machine_called(&called).await?;
    let record = (args.record || args.no_record).then_some(args.record);
    let new = NewTerminal { machine, cols: size.cols, rows: size.rows, record };
    let terminals = Terminals::new(fleet);
    terminals.tidy().await?;
    let by = By::local();
    let terminal = terminals.open(new, &by).await?;
    let viewer = terminals.attach(&terminal.id, None, true, &by).await?;
    let shown = show(viewer).await;
    // Its end is in the audit trail before this program ends.
    terminals.stop().await;
    let end = match shown? {
        Some(end) => end,
        None => return Ok(Done::Whole),
    };
    finish(&terminal.name, &end, context)
}

fn finish(name: &str, end: &TerminalEnd, context: &Context) -> Result<Done, Failure> {
    if let Some(error) = end.error(name) {
        return Err(error.into());
    }
    if end.status.is_none() {
        context.screen.note(&format!("{name}: {}", end.why));
    }
    // What the system gives is one byte; a signal counts as no success.
    let failed_by_signal = u32::from(end.signal.is_some());
    let code = end.status.unwrap_or(failed_by_signal);
    Ok(Done::Far(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Shows the terminal in this one until it has ended, or none where it was hung up from here.
async fn show(mut viewer: Viewer) -> Result<Option<TerminalEnd>, Failure> {
    let _raw = Raw::make()?;
    let typing = tokio::spawn(type_in(viewer.hands()));
    let (hands, mut out) = (viewer.hands(), tokio::io::stdout());
    let showing = async {
        while let Some(seen) = viewer.next().await {
            match seen {
                Seen::Bytes { bytes, at } => {
                    out.write_all(&bytes).await?;
                    out.flush().await?;
                    hands.seen(at);
                }
                Seen::Ended(end) => return Ok(Some(end)),
                // Only this one looks at it, so it decides on the size and loses nothing.
                Seen::Size(_) | Seen::Lost { .. } => {}
            }
        }
        Ok(None)
    };
    tokio::select! {
        shown = showing => shown,
        _hung_up = typing => Ok(None),
        () = told_to_stop() => Ok(None),
    }
}

/// Passes on what is typed here, and the size of this terminal, until `~.` is typed or nothing more can be.
async fn type_in(hands: Hands) {
    let (typed, mut pieces) = mpsc::channel::<Vec<u8>>(PIECES);
    // A thread of its own, which goes with the process: reading from a terminal cannot be broken off.
    std::thread::spawn(move || {
        let (mut piece, mut stdin) = (vec![0; 16 * 1024], io::stdin().lock());
        while let Ok(length @ 1..) = stdin.read(&mut piece) {
            if typed.blocking_send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    let Ok(mut resized) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()) else { return };
    let mut escape = Escape::default();
    loop {
        let done = tokio::select! {
            piece = pieces.recv() => {
                let Some(piece) = piece else { return };
                let (bytes, hang_up) = escape.pass(&piece);
                let done = hands.type_in(bytes).await;
                if hang_up {
                    return;
                }
                done
            }
            Some(()) = resized.recv() => hands.resize(own_size()).await,
        };
        if done.is_err() {
            // It has ended; whoever shows it sees that.
            return std::future::pending().await;
        }
    }
}

/// Looks for `~.` at the beginning of a line; `~~` there is one `~`.
#[derive(Debug)]
struct Escape {
    line_begins: bool,
    held: bool,
}

impl Default for Escape {
    fn default() -> Self {
        Self { line_begins: true, held: false }
    }
}

impl Escape {
    /// What is to be passed on, and whether to hang up then.
    fn pass(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len() + 1);
        for byte in typed {
            if std::mem::take(&mut self.held) {
                match byte {
                    b'.' => return (passed, true),
                    b'~' => {}
                    _ => passed.push(b'~'),
                }
            } else if self.line_begins && *byte == b'~' {
                self.held = true;
                continue;
            }
            passed.push(*byte);
            self.line_begins = matches!(byte, b'\r' | b'\n');
        }
        (passed, false)
    }
}

/// This terminal in raw mode, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn make() -> Result<Self, Failure> {
        let refused = |error: rustix::io::Errno| {
            Error::new(ErrorKind::Internal, "prepare this terminal").because(error.to_string())
        };
        let before = tcgetattr(io::stdin()).map_err(refused)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).map_err(refused)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Colours, the other screen, a hidden cursor, mouse and paste reports: whatever the far side left switched on.
        const PLAIN: &[u8] = b"\x1b[0m\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\r";
        let mut out = io::stdout();
        // A terminal that is gone needs nothing put back.
        let _gone = out.write_all(PLAIN).and_then(|()| out.flush());
        let _gone = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

fn own_size() -> TerminalSize {
    let usual = TerminalSize::default();
    let size = tcgetwinsize(io::stdin()).ok();
    let size = size.map(|size| TerminalSize { cols: size.ws_col, rows: size.ws_row });
    size.and_then(|size| size.checked().ok()).unwrap_or(usual)
}

/// Resolves at SIGTERM or SIGHUP: this terminal is put back then too.
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

async fn list(context: &Context) -> Result<Done, Failure> {
    let recordings = context.fleet().await?.recordings().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": recordings }))?;
        return Ok(Done::Whole);
    }
    let columns = ["ID", "MACHINE", "WHO", "FROM", "BEGUN", "SIZE"].map(Column::words);
    let mut table = Table::new(columns);
    for recording in &recordings {
        let cut = if recording.cut { ", cut" } else { "" };
        let size = format!("{}{cut}", words::figure("memory_used", recording.bytes as f64));
        table.row([
            Cell::from(recording.id.as_str()),
            recording.name.as_str().into(),
            recording.who.as_str().into(),
            recording.from.as_str().into(),
            words::moment(recording.started_at).as_str().into(),
            size.as_str().into(),
        ]);
    }
    context.screen.table(&table, "Nothing was recorded.")?;
    Ok(Done::Whole)
}

async fn save(id: TerminalId, to: PathBuf, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let saving = async {
        let from = fleet.recording_file(&id).await?;
        let refused = |error: io::Error| {
            Error::new(ErrorKind::Invalid, format!("write {}", to.display()))
                .because(error.to_string())
                .next("name a new file in a folder that you may write in")
        };
        let mut options = tokio::fs::OpenOptions::new();
        let mut new = options.write(true).create_new(true).mode(0o600).open(&to).await.map_err(refused)?;
        let mut file = tokio::fs::File::open(from).await.map_err(refused)?;
        tokio::io::copy(&mut file, &mut new).await.map_err(refused)?;
        new.sync_all().await.map_err(refused)
    };
    context.audited(&fleet, "recording read", id.as_str(), saving).await?;
    context.screen.note(&format!("Written to {}.", to.display()));
    Ok(Done::Whole)
}

async fn delete(id: TerminalId, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "recording delete", id.as_str(), fleet.delete_recording(&id)).await?;
    context.screen.note("Deleted.");
    Ok(Done::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pieces: &[&str]) -> (String, bool) {
        let mut escape = Escape::default();
        let mut all = Vec::new();
        for piece in pieces {
            let (bytes, hang_up) = escape.pass(piece.as_bytes());
            all.extend(bytes);
            if hang_up {
                return (String::from_utf8_lossy(&all).into_owned(), true);
            }
        }
        (String::from_utf8_lossy(&all).into_owned(), false)
    }

    #[test]
    fn only_a_line_that_begins_with_tilde_and_dot_hangs_up() {
        assert_eq!(passed(&["~."]), (String::new(), true));
        assert_eq!(passed(&["ls\r", "~", "."]), ("ls\r".into(), true));
        assert_eq!(passed(&["cp ~.x y\r"]), ("cp ~.x y\r".into(), false));
        assert_eq!(passed(&["~~.\r"]), ("~.\r".into(), false));
        assert_eq!(passed(&["~/bin/x\r"]), ("~/bin/x\r".into(), false));
        assert_eq!(passed(&["a\r~b\r"]), ("a\r~b\r".into(), false));
    }
}
