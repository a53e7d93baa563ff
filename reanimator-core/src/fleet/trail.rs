//! Commands on many hosts, in the audit trail twice: when they begin, and with what came of them. Whoever reads it knows
//! of a command that was begun and never seen to end.

use std::time::Duration;

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{ExecAnswer, ExecRequest, Fleet};
use crate::{
    Result,
    access::{self, Principal},
};

/// What stands in the trail for a command that has begun.
pub const STARTED: &str = "started";

/// What stands in the trail as what was done, where a command was run.
const EXEC: &str = "exec";

/// How long it is waited before an end that could not be noted is tried again.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];

/// Who asks for something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// A user's name, `token:NAME`, `local:USER`.
    pub who: String,
    /// An address, or `local`.
    pub from: String,
}

impl By {
    /// Who has started this program.
    #[must_use]
    pub fn local() -> Self {
        Self { who: Principal::local().who(), from: "local".to_owned() }
    }

    /// The line of the audit trail of what they do.
    #[must_use]
    pub fn line(&self, what: impl Into<String>, on: impl Into<String>) -> TrailLine {
        TrailLine { who: self.who.clone(), from: self.from.clone(), what: what.into(), on: on.into() }
    }

    /// The line of a command, the same whoever asks for it: `exec` on `SELECTOR: COMMAND`.
    pub(crate) fn exec(&self, on: &str, command: &str) -> TrailLine {
        self.line(EXEC, format!("{on}: {command}"))
    }
}

/// A line of the audit trail before it is known what came of it.
#[derive(Clone, Debug)]
pub struct TrailLine {
    /// Who: a user's name, `token:NAME`, `local:USER`.
    pub who: String,
    /// From where: an address, or `local`.
    pub from: String,
    /// What: `exec`.
    pub what: String,
    /// On what: a selector and the command.
    pub on: String,
}

impl Fleet {
    /// As [`exec`](Self::exec), with a line in the audit trail at the beginning, and another one at the end: `ok`, on how
    /// many hosts it failed, or after how many answers nobody waited any more.
    ///
    /// # Errors
    /// As [`exec`](Self::exec), noted too; `Storage` when it cannot be noted: then it is not done.
    pub async fn exec_audited(&self, request: ExecRequest, by: &By) -> Result<BoxStream<'static, ExecAnswer>> {
        let line = by.exec(&request.on.to_string(), &request.command);
        match self.exec(request).await {
            Ok(answers) => {
                self.note(&line, STARTED).await?;
                let watched = Watched { fleet: self.clone(), line, answers, ok: 0, failed: 0, over: false };
                Ok(stream::unfold(watched, Watched::next).boxed())
            }
            Err(error) => {
                self.note(&line, access::outcome(Some(&error))).await?;
                Err(error)
            }
        }
    }

    /// Writes a line, and what came of it.
    pub(crate) async fn note(&self, line: &TrailLine, outcome: &str) -> Result<()> {
        let TrailLine { who, from, what, on } = line;
        self.access().record(who, from, what, on, outcome, self.now()).await
    }

    /// The same for the end of something. As nothing else says that it ended, it is tried again for some seconds. Whether it
    /// is noted; where it is not, that is in the log.
    pub(crate) async fn note_end(&self, line: &TrailLine, outcome: &str) -> bool {
        match again_and_again(|| self.note(line, outcome)).await {
            Ok(()) => true,
            Err(error) => {
                let TrailLine { what, on, .. } = line;
                tracing::error!(error = %crate::report(&error), %what, %on, %outcome, "an end is not noted");
                false
            }
        }
    }
}

/// Tries until it succeeds, or has failed once more than there are times in [`AGAIN`].
async fn again_and_again<F: Future<Output = Result<()>>>(attempt: impl Fn() -> F) -> Result<()> {
    for pause in AGAIN {
        let Err(error) = attempt().await else { return Ok(()) };
        tracing::warn!(error = %crate::report(&error), "an end could not be noted, and is tried again");
        tokio::time::sleep(pause).await;
    }
    attempt().await
}

/// Answers on their way, counted.
struct Watched {
    fleet: Fleet,
    line: TrailLine,
    answers: BoxStream<'static, ExecAnswer>,
    ok: usize,
    failed: usize,
    over: bool,
}

impl Watched {
    async fn next(mut self) -> Option<(ExecAnswer, Self)> {
        if let Some(answer) = self.answers.next().await {
            *if answer.success() { &mut self.ok } else { &mut self.failed } += 1;
            return Some((answer, self));
        }
        self.over = true;
        let outcome = match self.failed {
            0 => access::outcome(None).to_owned(),
            failed => format!("failed on {failed} of {}", self.ok + failed),
        };
        match self.write(outcome) {
            // On its own: who hangs up at this very moment does not take the line away.
            Some(writing) => drop(writing.await),
            None => tracing::error!(what = %self.line.what, "nothing runs that could note the end of a command"),
        }
        None
    }

    /// Begins to note what came of it; `None` where no runtime is left.
    fn write(&self, outcome: String) -> Option<JoinHandle<()>> {
        let (fleet, line) = (self.fleet.clone(), self.line.clone());
        let noting = async move {
            fleet.note_end(&line, &outcome).await;
        };
        Handle::try_current().ok().map(|runtime| runtime.spawn(noting))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.over {
            let answers = self.ok + self.failed;
            // Nobody is left to wait for it; without a runtime everything ends, and the line at the beginning stands.
            drop(self.write(format!("stopped after {answers} answers")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{Error, ErrorKind};

    #[tokio::test(start_paused = true)]
    async fn an_end_is_noted_once_it_can_be_and_not_tried_for_ever() {
        for (failures, tries, noted) in [(0, 1, true), (2, 3, true), (99, AGAIN.len() + 1, false)] {
            let tried = Cell::new(0);
            let attempt = || {
                tried.set(tried.get() + 1);
                let succeeds = tried.get() > failures;
                std::future::ready(if succeeds { Ok(()) } else { Err(Error::new(ErrorKind::Busy, "note it")) })
            };
            assert_eq!((again_and_again(attempt).await.is_ok(), tried.get()), (noted, tries));
        }
    }

    #[test]
    fn a_command_has_one_shape() {
        let by = By { who: "ada".into(), from: "local".into() };
        let line = by.exec("all", "uname -r");
        assert_eq!((line.who.as_str(), line.what.as_str(), line.on.as_str()), ("ada", "exec", "all: uname -r"));
    }
}
