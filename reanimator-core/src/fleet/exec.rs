//! One command on many hosts: bounded fan-out, answers as they come.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream::BoxStream};

use super::{Fleet, Selector};
use crate::{
    Error, ErrorKind, Result,
    host::LinuxHost as _,
    model::{
        HostId, OutputStream,
        command::{Said, together},
    },
    transport::{Become, Command, Output, Tap},
};

/// A command and where to run it.
#[derive(Clone, Debug)]
pub struct ExecRequest {
    /// The command line for `sh`.
    pub command: String,
    /// On which hosts.
    pub on: Selector,
    /// How long each host may take. Defaults to 60 s.
    pub time_limit: Duration,
    /// How much of each stream is kept. Defaults to 1 MiB.
    pub output_limit: usize,
    /// Run as root, in the way the host was set up for.
    pub sudo: bool,
    /// How many hosts at once. Defaults to 64.
    pub parallel: usize,
    /// Who hears of it while it runs. Defaults to nobody.
    pub listener: Option<ExecListener>,
}

/// Hears of a command on many hosts while it runs.
#[derive(Clone)]
pub struct ExecListener(Arc<dyn Listen>);

/// What is heard.
pub trait Listen: Send + Sync {
    /// A host is asked now.
    fn begun(&self, host: &HostId);

    /// A host has written more, up to the output limit.
    fn said(&self, host: &HostId, stream: OutputStream, piece: &[u8]);
}

impl ExecListener {
    /// Lets somebody hear.
    pub fn new(listener: Arc<dyn Listen>) -> Self {
        Self(listener)
    }

    fn tap(&self, host: &HostId) -> Tap {
        let (listener, host) = (self.0.clone(), host.clone());
        Tap::new(move |stream, piece| listener.said(&host, stream, piece))
    }
}

impl fmt::Debug for ExecListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecListener").finish_non_exhaustive()
    }
}

impl ExecRequest {
    /// A command with the default limits.
    pub fn new(command: impl Into<String>, on: Selector) -> Self {
        Self {
            command: command.into(),
            on,
            time_limit: crate::transport::command::DEFAULT_TIME_LIMIT,
            output_limit: crate::transport::command::DEFAULT_OUTPUT_LIMIT,
            sudo: false,
            parallel: 64,
            listener: None,
        }
    }
}

/// One host's answer.
#[derive(Debug)]
pub struct ExecAnswer {
    /// Whose.
    pub host_id: HostId,
    /// Its name.
    pub host: String,
    /// What it said, or why it did not.
    pub outcome: Result<Output>,
    /// How long it took.
    pub took: Duration,
}

impl ExecAnswer {
    /// Whether the command ran there and ended with status 0.
    pub fn success(&self) -> bool {
        self.outcome.as_ref().is_ok_and(Output::success)
    }

    fn said(&self) -> Said<'_> {
        let output = self.outcome.as_ref().ok();
        let cut_at = |at: Option<usize>| at.map(|bytes| bytes as u64);
        let error = self.outcome.as_ref().err();
        Said {
            status: output.and_then(|output| output.status),
            signal: output.and_then(|output| output.signal.as_deref()),
            streams: output.map_or([&[], &[]], |output| [&output.stdout.bytes, &output.stderr.bytes]),
            cut_at: output.map_or([None; 2], |output| [cut_at(output.stdout.cut_at), cut_at(output.stderr.cut_at)]),
            error: error.map(|error| Said::trouble(error.kind(), &crate::message(error), &self.host)),
        }
    }
}

/// Hosts that answered alike.
#[derive(Debug)]
pub struct AnswerGroup<'a> {
    /// Their names, in order.
    pub hosts: Vec<&'a str>,
    /// The answer of each of them.
    pub answer: &'a ExecAnswer,
}

/// Puts equal answers together, the largest group first.
pub fn group_answers(answers: &[ExecAnswer]) -> Vec<AnswerGroup<'_>> {
    let groups = together(answers, ExecAnswer::said, |answer| answer.host.as_str());
    groups
        .into_iter()
        .filter_map(|answers| {
            let hosts = answers.iter().map(|answer| answer.host.as_str()).collect();
            Some(AnswerGroup { hosts, answer: answers.first().copied()? })
        })
        .collect()
}

impl Fleet {
    /// Runs a command on the hosts a selector means; each answer comes as soon as its host has given it. Dropping the
    /// stream ends the commands that still run.
    ///
    /// # Errors
    /// `NotFound` for a name that is no host, `Invalid` when the selector means none or a limit is nought. What
    /// happens on one host is in its answer and harms no other.
    pub async fn exec(&self, request: ExecRequest) -> Result<BoxStream<'static, ExecAnswer>> {
        let invalid = |cause: &str, next: &str| {
            Err(Error::new(ErrorKind::Invalid, format!("run the command on \"{}\"", request.on))
                .because(cause)
                .next(next))
        };
        let chosen = self.chosen(&request.on).await?;
        if chosen.is_empty() {
            return invalid("it means no host", "see `reanimator host list` for hosts, groups and tags");
        }
        if request.command.trim().is_empty() || request.command.contains('\0') {
            return invalid("the command is empty or holds a NUL character", "give a command line for sh");
        }
        if request.time_limit.is_zero() || request.parallel == 0 {
            return invalid("a limit is nought", "give each host some time, and run on one host at least");
        }
        let command =
            Command::shell(&request.command).time_limit(request.time_limit).output_limit(request.output_limit);
        let (sudo, listener) = (request.sudo, request.listener);
        let answers = chosen.into_iter().map(move |(view, machine)| {
            let command = match &listener {
                Some(listener) => command.clone().tap(listener.tap(&view.id)),
                None => command.clone(),
            };
            let listener = listener.clone();
            async move {
                let started = Instant::now();
                if let Some(ExecListener(listener)) = listener {
                    listener.begun(&view.id);
                }
                let outcome = match machine {
                    Some(machine) => {
                        let root = if sudo { machine.root() } else { Become::No };
                        machine.run(command.become_root(root)).await
                    }
                    None => Err(Error::new(ErrorKind::Invalid, "run the command")
                        .because("it is reached by its cluster's API only, which runs no commands")
                        .next("add its SSH access with `reanimator host add`")),
                };
                let outcome = outcome.map_err(|error| error.renamed(view.name.clone()));
                ExecAnswer { host_id: view.id, host: view.name, outcome, took: started.elapsed() }
            }
        });
        Ok(futures::stream::iter(answers).buffer_unordered(request.parallel).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Captured;

    fn answer(host: &str, text: &str) -> ExecAnswer {
        let stdout = Captured { bytes: text.as_bytes().to_vec(), cut_at: None };
        ExecAnswer {
            host_id: HostId::from(host),
            host: host.into(),
            outcome: Ok(Output { status: Some(0), stdout, ..Output::default() }),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn equal_answers_stand_together_and_the_odd_one_last() {
        let failed = |host: &str| ExecAnswer {
            outcome: Err(Error::new(ErrorKind::Timeout, "run the command").on(host)),
            ..answer(host, "")
        };
        let answers =
            [answer("a", "1"), answer("d", "2"), answer("c", "1"), failed("x"), failed("y"), answer("b", "1")];
        let groups: Vec<String> = group_answers(&answers).iter().map(|group| group.hosts.join(" ")).collect();
        assert_eq!(groups, ["a b c", "x y", "d"]);
    }
}
