//! What to run, and what came back: plain values.

use std::{fmt, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::quote;
use crate::model::OutputStream;

/// How long a command may take unless told otherwise.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60);

/// How much of each stream is kept unless told otherwise: 1 MiB.
pub const DEFAULT_OUTPUT_LIMIT: usize = 1024 * 1024;

/// One command for a host's shell, with its limits.
#[derive(Clone, Debug)]
pub struct Command {
    /// The text handed to `sh`, quoted already.
    pub text: String,
    /// Bytes for its standard input. Defaults to none: the input is closed at once.
    pub stdin: Vec<u8>,
    /// How long it may take before it is ended. Defaults to [`DEFAULT_TIME_LIMIT`].
    pub time_limit: Duration,
    /// How many bytes of stdout and of stderr each are kept. Defaults to [`DEFAULT_OUTPUT_LIMIT`].
    pub output_limit: usize,
    /// As whom to run it. Defaults to the login account.
    pub become_root: Become,
    /// Who hears what it says while it runs. Defaults to nobody.
    pub tap: Option<Tap>,
}

/// Hears what a command says, piece by piece as it comes and up to its output limit. It is called where the output is read,
/// and holds that up while it does not return.
#[derive(Clone)]
pub struct Tap(Arc<Hear>);

type Hear = dyn Fn(OutputStream, &[u8]) + Send + Sync;

impl Tap {
    /// A tap that calls this.
    pub fn new(hear: impl Fn(OutputStream, &[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn hear(&self, stream: OutputStream, piece: &[u8]) {
        (self.0)(stream, piece);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

/// Whether and how to become root first.
#[derive(Clone, Debug, Default)]
pub enum Become {
    /// Stay the login account.
    #[default]
    No,
    /// `sudo -n`: fails rather than asks.
    Sudo,
    /// `sudo` with a password over stdin, never in argv.
    SudoPassword(SecretString),
}

impl Command {
    /// A command line for `sh`, taken as it is: pipes, variables and all.
    pub fn shell(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            stdin: Vec::new(),
            time_limit: DEFAULT_TIME_LIMIT,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            become_root: Become::No,
            tap: None,
        }
    }

    /// A program and its arguments; each arrives exactly as given, whatever is in it.
    pub fn argv<I, S>(words: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        Self::shell(quote::join(words))
    }

    /// With these bytes on its standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Ended after this long.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Each stream cut at this many bytes.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Heard by somebody while it runs.
    #[must_use]
    pub fn tap(mut self, tap: Tap) -> Self {
        self.tap = Some(tap);
        self
    }

    /// Run as root.
    #[must_use]
    pub fn become_root(mut self, how: Become) -> Self {
        self.become_root = how;
        self
    }
}

/// Everything a command said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status, where the command ended by itself.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`: `KILL`, `TERM`.
    pub signal: Option<String>,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

impl Output {
    /// Whether it ended by itself with status 0.
    pub fn success(&self) -> bool {
        self.status == Some(0)
    }
}

/// One stream, kept up to a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// What was kept.
    pub bytes: Vec<u8>,
    /// Where it was cut, if it was longer.
    pub cut_at: Option<usize>,
}

impl Captured {
    /// The text, with anything that is not UTF-8 replaced by `U+FFFD`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Takes in the next piece; returns how much of it was kept.
    pub fn push(&mut self, piece: &[u8], limit: usize) -> usize {
        let room = limit.saturating_sub(self.bytes.len());
        let kept = piece.len().min(room);
        self.bytes.extend_from_slice(&piece[..kept]);
        if kept < piece.len() {
            self.cut_at = Some(limit);
        }
        kept
    }

    /// A note for people when it was cut: `cut at 1048576 bytes`.
    pub fn cut_note(&self) -> Option<String> {
        self.cut_at.map(|bytes| format!("cut at {bytes} bytes"))
    }
}
