//! Commands on many hosts, in the audit trail twice: when they begin, and with what came of them. Whoever reads it knows
//! of a command that was begun and never seen to end.

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use tokio::{runtime::Handle, task::JoinHandle};

use super::{ExecAnswer, ExecRequest, Fleet};
use crate::{Result, access};

/// What stands in the trail for a command that has begun.
pub const STARTED: &str = "started";

/// A line of the audit trail before it is known what came of it.
#[derive(Clone, Debug)]
pub struct TrailLine {
    /// Who: a user's name, `token:NAME`, `local:USER`.
    pub who: String,
    /// From where: an address, or `local`.
    pub from: String,
    /// What: `exec`.
    pub what: String,
    /// On what: a selector.
    pub on: String,
}

impl Fleet {
    /// As [`exec`](Self::exec), with a line in the audit trail at the beginning, and another one at the end: `ok`, on how
    /// many hosts it failed, or after how many answers nobody waited any more.
    ///
    /// # Errors
    /// As [`exec`](Self::exec), noted too; `Storage` when it cannot be noted: then it is not done.
    pub async fn exec_audited(&self, request: ExecRequest, line: TrailLine) -> Result<BoxStream<'static, ExecAnswer>> {
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
            if let Err(error) = fleet.note(&line, &outcome).await {
                tracing::error!(error = %crate::report(&error), what = %line.what, "the end of a command is not noted");
            }
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
