//! Recorded answers: what a transport said once, said again without it.
//!
//! A [`Recorder`] stands before any transport, of a shell or of HTTP, and writes each exchange as one line of JSON; a
//! [`Replay`] answers from that file. Secrets never reach the file: the given ones are blanked out wherever they show up;
//! a command's standard input, the password for sudo and the headers of a request are not written at all.
//!
//! The same command, or request, gets its recorded answers in their order, and the last one again and again. A started command is
//! replayed by lines: as many lines on its input as were written then bring the next recorded piece of output. What was
//! never recorded is an error that names the command.
//!
//! ```
//! use reanimator_core::transport::{Command, Local, Recorder, Replay, Transport};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let file = directory.path().join("local.jsonl");
//! let recorder = Recorder::create(Local::new(), &file, Vec::new())?;
//! recorder.run(Command::shell("echo once")).await?;
//! let replay = Replay::open(&file)?;
//! assert_eq!(replay.run(Command::shell("echo once")).await?.stdout.text(), "once\n");
//! # Ok(())
//! # }
//! ```

mod http;
mod record;
mod tape;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use http::{HttpAsked, HttpRun};
pub use record::Recorder;
use tape::{Asked, Entry, Run, Session, Step};

use super::command::{Command, Output};
use super::running::shorten;
use super::{Exit, Process, Transport};
use crate::{Error, ErrorKind, Result};

/// How much a replayed stream holds ahead of its reader.
const PIPE_BYTES: usize = 1024 * 1024;

/// Answers out of a recording.
#[derive(Debug)]
pub struct Replay {
    label: String,
    runs: Mutex<HashMap<Asked, Answers<Run>>>,
    sessions: Mutex<HashMap<Asked, Answers<Session>>>,
    http: Mutex<HashMap<HttpAsked, Answers<HttpRun>>>,
}

/// Recorded answers to one command, and which of them comes next.
#[derive(Debug)]
struct Answers<T> {
    all: Vec<T>,
    next: usize,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { all: Vec::new(), next: 0 }
    }
}

impl<T: Clone> Answers<T> {
    fn take(&mut self) -> Option<T> {
        let answer = self.all.get(self.next.min(self.all.len().saturating_sub(1))).cloned();
        self.next += 1;
        answer
    }
}

impl Replay {
    /// Reads a recording.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is no recorded exchange.
    pub fn open(path: &Path) -> Result<Self> {
        let attempt = || format!("read the recording {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::NotFound, attempt()).because(error.to_string()).from_source(error)
        })?;
        Self::parse(&text).map_err(|error| error.on(path.display().to_string()))
    }

    /// Takes a recording as text.
    ///
    /// # Errors
    /// When a line of it is no recorded exchange.
    pub fn parse(text: &str) -> Result<Self> {
        let label = "replay".to_owned();
        let mut replay = Self { label, runs: Mutex::default(), sessions: Mutex::default(), http: Mutex::default() };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let entry = serde_json::from_str(line).map_err(|error| {
                Error::new(ErrorKind::Invalid, format!("read line {} of a recording", number + 1))
                    .because(error.to_string())
                    .next("record it anew")
            })?;
            match entry {
                Entry::Recorded { label } => replay.label = label,
                Entry::Run { asked, answer } => lock(&replay.runs).entry(asked).or_default().all.push(answer),
                Entry::Session { asked, answer } => lock(&replay.sessions).entry(asked).or_default().all.push(answer),
                Entry::Http { asked, answer } => lock(&replay.http).entry(asked).or_default().all.push(answer),
            }
        }
        Ok(replay)
    }

    fn unknown(&self, what: &str, command: &Command) -> Error {
        Error::new(ErrorKind::NotFound, format!("{what} `{}` out of a recording", shorten(&command.text)))
            .on(&self.label)
            .because("it was never recorded")
            .next("record the exchange anew, with this command in it")
    }
}

#[async_trait]
impl Transport for Replay {
    fn label(&self) -> String {
        self.label.clone()
    }

    async fn run(&self, command: Command) -> Result<Output> {
        let answer = lock(&self.runs).get_mut(&Asked::of(&command)).and_then(Answers::take);
        answer.ok_or_else(|| self.unknown("run", &command))?.output(command.output_limit)
    }

    async fn start(&self, command: Command) -> Result<Process> {
        let session = lock(&self.sessions).get_mut(&Asked::of(&command)).and_then(Answers::take);
        Ok(play(session.ok_or_else(|| self.unknown("start", &command))?))
    }

    async fn close(&self) {}
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn play(session: Session) -> Process {
    let (stdin, asked) = tokio::io::duplex(PIPE_BYTES);
    let (answers, stdout) = tokio::io::duplex(PIPE_BYTES);
    let (mut errors, stderr) = tokio::io::duplex(PIPE_BYTES);
    let exit = Exit { status: session.status, signal: session.signal.clone() };
    let playing = tokio::spawn(async move {
        // A reader that has gone needs no answer.
        let _not_read = errors.write_all(&session.stderr.0).await;
        drop(errors);
        answer_lines(&session.steps, asked, answers).await;
    });
    let exit = async move {
        playing
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "replay a started command").because(error.to_string()))?;
        Ok(exit)
    };
    Process { stdin: Box::pin(stdin), stdout: Box::pin(stdout), stderr: Box::pin(stderr), exit: exit.boxed() }
}

/// Answers each recorded question when as many lines have come in as it had; the last answer serves all that follow.
async fn answer_lines(steps: &[Step], mut asked: DuplexStream, mut answers: DuplexStream) {
    let mut steps = steps.iter().peekable();
    let mut lines = 0;
    let mut piece = [0; 4096];
    // What was said before anything was asked.
    if let Some(greeting) = steps.next_if(|step| step.asked.0.is_empty())
        && answers.write_all(&greeting.answered.0).await.is_err()
    {
        return;
    }
    while let Ok(length @ 1..) = asked.read(&mut piece).await {
        lines += count_lines(&piece[..length]);
        while let Some(step) = steps.peek() {
            let wanted = count_lines(&step.asked.0).max(1);
            if lines < wanted {
                break;
            }
            lines -= wanted;
            if answers.write_all(&step.answered.0).await.is_err() {
                return;
            }
            let last = steps.clone().nth(1).is_none();
            if !last {
                steps.next();
            }
        }
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
