//! What containers and projects of Compose have in common: commands on their host, and the last words of what failed.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    super::{EffectName, Said},
    job::Job,
};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::{engine::Now, job::JobSpec},
    fleet::Fleet,
    host::{LinuxHost as _, linux::LinuxMachine},
    model::HostId,
    transport::{Command, Output},
};

/// Lines that a failure repeats.
const LAST_WORDS: usize = 12;

/// The host of an effect, and the job that carries it out there.
pub(super) struct Place {
    pub(super) machine: Arc<LinuxMachine>,
    pub(super) host: HostId,
    pub(super) host_name: String,
    /// What the job and all that it makes are called.
    pub(super) effect: String,
    /// What the job said last.
    last: Mutex<Vec<String>>,
}

impl Place {
    pub(super) async fn new(fleet: &Fleet, host: &HostId, name: &EffectName) -> Result<Self> {
        let (host_name, machine) = fleet.machine_with_shell(host).await?;
        let effect = name.as_str().to_owned();
        Ok(Self { machine, host: host.clone(), host_name, effect, last: Mutex::default() })
    }

    /// The job of this effect; what it does matters only to its beginning.
    pub(super) fn job(&self, body: impl Into<String>) -> Job {
        self.job_of(JobSpec::new(self.effect.clone(), body))
    }

    pub(super) fn job_of(&self, spec: JobSpec) -> Job {
        Job::new(&self.machine, &self.host_name, spec)
    }

    /// Runs a program as root, and gives what it said, well or not.
    pub(super) async fn ask<S: AsRef<str>>(&self, words: &[S]) -> Result<Output> {
        self.run(Command::argv(words)).await
    }

    /// The same with limits of its own.
    pub(super) async fn run(&self, command: Command) -> Result<Output> {
        self.machine.run(command.become_root(self.machine.root())).await
    }

    /// What a program said that must end well.
    pub(super) async fn text<S: AsRef<str>>(&self, words: &[S], attempt: &str) -> Result<String> {
        let output = self.ask(words).await?;
        if output.success() {
            return Ok(output.stdout.text());
        }
        let said = output.stderr.text();
        let said =
            said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it failed without a word");
        Err(self.error(ErrorKind::Denied, attempt).because(said.to_owned()))
    }

    pub(super) fn error(&self, kind: ErrorKind, attempt: &str) -> Error {
        Error::new(kind, attempt).on(self.host_name.clone())
    }

    /// Follows the job to its end, however that is: it is judged by what is there afterwards.
    pub(super) async fn follow(&self, said: &(dyn Said + Sync)) -> Result<()> {
        let heard = Heard { said, last: &self.last };
        match self.job("").follow(&heard).await {
            // Nobody knows how it ended: the world does.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            other => other.map(drop),
        }
    }

    /// How the job ended, where it did not end well.
    pub(super) async fn failure(&self) -> Result<Option<String>> {
        match self.job("").end().await {
            Ok(end) if end.is_well() => Ok(None),
            Ok(end) => Ok(Some(end.words())),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(Some(crate::message(&error))),
            Err(error) => Err(error),
        }
    }

    /// The last words of the job, for people.
    pub(super) fn last_words(&self) -> Option<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (!last.is_empty()).then(|| last.join("; "))
    }

    /// The last that a container wrote; its engine not answering is no reason to say nothing at all.
    pub(super) async fn log_of(&self, now: &Now) -> String {
        let words = [now.engine.as_str(), "logs", "--tail", "10", &now.id];
        let text = match self.ask(&words).await {
            Ok(output) => format!("{}{}", output.stdout.text(), output.stderr.text()),
            Err(error) => crate::message(&error),
        };
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() { "it wrote nothing".to_owned() } else { format!("it wrote: {}", lines.join("; ")) }
    }
}

/// Passes lines on, and keeps the last.
struct Heard<'a> {
    said: &'a (dyn Said + Sync),
    last: &'a Mutex<Vec<String>>,
}

#[async_trait]
impl Said for Heard<'_> {
    async fn line(&self, text: &str) {
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() >= LAST_WORDS {
                last.remove(0);
            }
            last.push(text.to_owned());
        }
        self.said.line(text).await;
    }
}
