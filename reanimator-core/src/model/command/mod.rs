//! A command on many hosts as a job: what was asked for, what each host answered, and what all answers have in common.
//!
//! Plain data and pure functions. [`CommandView::of`] puts equal answers together and says how the odd ones differ from the
//! largest group; every frontend shows that one view.

mod difference;
mod groups;
mod saved;
mod view;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{CommandId, HostId};
use crate::{Error, ErrorKind, Result};

pub use difference::{Difference, DifferenceKind, DifferenceLine};
pub(crate) use groups::{Said, together};
pub use saved::SavedCommand;
pub use view::{CommandGroup, CommandHost, CommandView};

/// The longest command line, in bytes.
pub const LONGEST_COMMAND: usize = 120 * 1024;
/// The longest selector, in bytes: every host of a large fleet by its id.
pub const LONGEST_SELECTOR: usize = 512 * 1024;
/// How long a command may take at most: a day.
pub const LONGEST_SECONDS: u64 = 24 * 3600;
/// As much output as may be kept of each stream of one host.
pub const LARGEST_OUTPUT: u64 = 16 * 1024 * 1024;

/// A command that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCommand {
    /// A line for the hosts' `sh`.
    pub command: String,
    /// A selector: on which hosts.
    pub on: String,
    /// Runs it as root. Defaults to no.
    #[serde(default)]
    pub sudo: bool,
    /// After so many seconds it is ended on each host. Defaults to 60, up to a day.
    #[serde(default)]
    pub time_limit_seconds: Option<u64>,
    /// As many bytes as are kept of each stream of each host. Defaults to 1 MiB, up to 16 MiB; less where there are many hosts.
    #[serde(default)]
    pub output_limit_bytes: Option<u64>,
    /// On how many hosts at once. Defaults to 64.
    #[serde(default)]
    pub parallel: Option<u16>,
}

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CommandState {
    /// Others run; it waits for its turn.
    Waiting,
    /// Not every host has answered.
    Running,
    /// Every host has answered, or failed to.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The process that carried it out ended before it. What had come until then is kept; what began on hosts may have gone
    /// on there.
    Interrupted,
}

impl CommandState {
    /// Whether nothing more comes.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// Its name: `running`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One command on many hosts, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandRun {
    /// Its id; ids are in the order of creation.
    pub id: CommandId,
    /// The command line.
    pub command: String,
    /// The selector.
    pub on: String,
    /// Whether as root.
    pub sudo: bool,
    /// How many seconds each host may take.
    pub time_limit_seconds: u64,
    /// As many bytes as are kept of each stream of each host.
    pub output_limit_bytes: u64,
    /// Who asked: a user's name, `token:NAME`, `local:USER`.
    pub requested_by: String,
    /// From where: an address, or `local`.
    pub requested_from: String,
    /// When.
    pub requested_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How far it got.
    pub state: CommandState,
    /// On how many hosts.
    pub hosts: u32,
    /// On how many of them it ended with status 0.
    pub ok: u32,
    /// On how many it ended otherwise, or gave no answer.
    pub failed: u32,
}

/// How far one host got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AnswerState {
    /// It was not asked yet, or not at all where the run is over.
    Waiting,
    /// The command runs there, as far as is known.
    Running,
    /// It has answered, or there is an error that says why not.
    Over,
}

/// What one host answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandAnswer {
    /// The host.
    pub host_id: HostId,
    /// Its name.
    pub host: String,
    /// How far it got.
    pub state: AnswerState,
    /// The exit status; null where there is none.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// What it wrote to stdout, so far. In JSON, what is not UTF-8 is `U+FFFD`.
    #[serde(serialize_with = "as_text", skip_deserializing, default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, so far.
    #[serde(serialize_with = "as_text", skip_deserializing, default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub stderr: Vec<u8>,
    /// Where stdout was cut, in bytes.
    pub stdout_cut_at: Option<u64>,
    /// Where stderr was cut, in bytes.
    pub stderr_cut_at: Option<u64>,
    /// Why there is no answer.
    pub error: Option<CommandTrouble>,
    /// How long it took.
    pub milliseconds: u64,
}

/// Why a host gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandTrouble {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What was attempted, on what, and why it failed.
    pub message: String,
    /// What to do next.
    pub next: Option<String>,
}

/// One of the two streams that a command writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What is told to those who listen: nothing of what was run, as viewers listen too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandNews {
    /// Of which run.
    pub id: CommandId,
    /// How far it got.
    pub state: CommandState,
    /// On how many hosts.
    pub hosts: u32,
    /// On how many of them it ended with status 0.
    pub ok: u32,
    /// On how many it ended otherwise, or gave no answer.
    pub failed: u32,
}

impl NewCommand {
    /// Refuses what could not be run. The selector is read where hosts are known.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: String, next: &str| {
            Err(Error::new(ErrorKind::Invalid, "run the command").because(cause).next(next))
        };
        if self.command.trim().is_empty() || self.command.contains('\0') {
            let cause = "the command is empty or holds a NUL character".to_owned();
            return refuse(cause, "give a command line for sh");
        }
        if self.command.len() > LONGEST_COMMAND {
            let cause = format!("the command has {} bytes, more than {LONGEST_COMMAND}", self.command.len());
            return refuse(cause, "make it a prepared script, which may be longer");
        }
        if self.on.len() > LONGEST_SELECTOR {
            let cause = format!("the selector has {} bytes, more than {LONGEST_SELECTOR}", self.on.len());
            return refuse(cause, "name a group or a tag");
        }
        within("time_limit_seconds", self.time_limit_seconds, LONGEST_SECONDS)?;
        within("output_limit_bytes", self.output_limit_bytes, LARGEST_OUTPUT)?;
        within("parallel", self.parallel.map(u64::from), u64::from(u16::MAX))
    }
}

fn within(name: &str, value: Option<u64>, most: u64) -> Result<()> {
    match value {
        Some(value) if !(1..=most).contains(&value) => Err(Error::new(ErrorKind::Invalid, "run the command")
            .because(format!("{name} is {value}; it may be 1 to {most}"))
            .next("leave it out for the usual one")),
        _ => Ok(()),
    }
}

impl CommandRun {
    /// What is told of it.
    pub fn news(&self) -> CommandNews {
        let Self { id, state, hosts, ok, failed, .. } = self;
        CommandNews { id: id.clone(), state: *state, hosts: *hosts, ok: *ok, failed: *failed }
    }
}

impl CommandAnswer {
    /// One of a host that was not asked yet.
    pub fn waiting(host_id: HostId, host: impl Into<String>) -> Self {
        Self {
            host_id,
            host: host.into(),
            state: AnswerState::Waiting,
            status: None,
            signal: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stdout_cut_at: None,
            stderr_cut_at: None,
            error: None,
            milliseconds: 0,
        }
    }

    /// Whether the command ended there with status 0.
    pub fn is_success(&self) -> bool {
        self.state == AnswerState::Over && self.status == Some(0) && self.error.is_none()
    }

    /// The same of a run that was over before it: it runs no more as far as is known, and says why nothing more comes.
    #[must_use]
    pub fn left_by(mut self, run: CommandState) -> Self {
        if self.state == AnswerState::Running && run.is_over() {
            self.state = AnswerState::Over;
            self.error = Some(CommandTrouble {
                kind: ErrorKind::Cancelled,
                message: format!("the command was {run} before it had answered"),
                next: Some("look at what it has done there before it is run again".to_owned()),
            });
        }
        self
    }

    /// The same without what it wrote.
    #[must_use]
    pub fn without_output(&self) -> Self {
        let Self { host_id, host, status, signal, stdout_cut_at, stderr_cut_at, error, .. } = self;
        Self {
            state: self.state,
            status: *status,
            signal: signal.clone(),
            stdout_cut_at: *stdout_cut_at,
            stderr_cut_at: *stderr_cut_at,
            error: error.clone(),
            milliseconds: self.milliseconds,
            ..Self::waiting(host_id.clone(), host.as_str())
        }
    }
}

impl From<&Error> for CommandTrouble {
    fn from(error: &Error) -> Self {
        let next = error.next_step().map(str::to_owned);
        Self { kind: error.kind(), message: crate::message(error), next }
    }
}

impl fmt::Display for CommandState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn as_text<S: Serializer>(bytes: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_run_is_refused_by_its_fault() {
        let fine = NewCommand { command: "uptime".into(), on: "all".into(), ..NewCommand::default() };
        assert!(fine.check().is_ok());
        for (wrong, word) in [
            (NewCommand { command: " \n".into(), ..fine.clone() }, "empty"),
            (NewCommand { command: "a\0b".into(), ..fine.clone() }, "NUL"),
            (NewCommand { command: "x".repeat(LONGEST_COMMAND + 1), ..fine.clone() }, "bytes"),
            (NewCommand { on: "x".repeat(LONGEST_SELECTOR + 1), ..fine.clone() }, "selector"),
            (NewCommand { time_limit_seconds: Some(0), ..fine.clone() }, "time_limit_seconds"),
            (NewCommand { time_limit_seconds: Some(LONGEST_SECONDS + 1), ..fine.clone() }, "time_limit_seconds"),
            (NewCommand { output_limit_bytes: Some(LARGEST_OUTPUT + 1), ..fine.clone() }, "output_limit_bytes"),
            (NewCommand { parallel: Some(0), ..fine }, "parallel"),
        ] {
            let refused = wrong.check().map_err(|error| crate::report(&error));
            assert!(refused.as_ref().is_err_and(|report| report.contains(word)), "{refused:?}");
        }
    }

    #[test]
    fn what_viewers_hear_says_nothing_of_what_was_run() {
        let run = CommandRun {
            id: "1".into(),
            command: "secret-command".into(),
            on: "secret-hosts".into(),
            sudo: false,
            time_limit_seconds: 60,
            output_limit_bytes: 1,
            requested_by: "ada".into(),
            requested_from: "local".into(),
            requested_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            state: CommandState::Running,
            hosts: 3,
            ok: 1,
            failed: 0,
        };
        let told = serde_json::to_string(&run.news()).unwrap_or_default();
        assert!(told.contains("\"running\"") && !told.contains("secret") && !told.contains("ada"), "{told}");
    }
}
