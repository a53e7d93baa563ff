//! Work on a host that outlives our connection, as effects use it: begun once, found again, followed to its end.
//!
//! An effect that takes longer than seconds there holds a [`Job`] and passes its own calls on:
//!
//! ```text
//! begin   -> job.begin()             starts it, or finds that it was started before
//! find    -> job.find()              tells whether it had begun
//! follow  -> job.follow(said)        passes on what it writes, line by line, until it ends
//! confirm -> job.end() ; job.forget()    how it ended; then what it left there is removed
//! ```
//!
//! A follower that was killed goes on with the line after the last that it passed on. [`Job::forget`] leaves how the job
//! ended, so all of it may be asked again.

use std::time::Duration;

use tokio::time::Instant;

use super::super::Said;
use crate::{
    Error, ErrorKind, Result,
    collect::linux::job::{JobEnd, JobSpec, JobState, Look},
    host::linux::{Jobs, LinuxMachine},
};

/// How often a job is looked at: soon at first, then ever less.
const LOOK_SOONEST: Duration = Duration::from_millis(100);
const LOOK_LATEST: Duration = Duration::from_secs(2);

/// How long a host may be silent before a job on it is given up as unknown: a reboot fits in.
const SILENCE: Duration = Duration::from_secs(600);

/// A job of one host on its way.
pub(in crate::action) struct Job {
    jobs: Jobs,
    host_name: String,
    spec: JobSpec,
}

impl Job {
    /// A job of a machine; nothing is sent.
    pub(in crate::action) fn new(machine: &LinuxMachine, host_name: &str, spec: JobSpec) -> Self {
        Self { jobs: machine.jobs(), host_name: host_name.to_owned(), spec }
    }

    /// Refuses what the host could not do, in words for people.
    pub(in crate::action) async fn refusals(&self) -> Result<Vec<String>> {
        // What no host could take is known without asking one.
        if let Err(error) = self.spec.start(None) {
            return Ok(vec![crate::message(&error)]);
        }
        let limited = self.spec.needs_systemd();
        let why = if limited { self.jobs.unlimited().await? } else { None };
        let refuse =
            |why| format!("{} cannot keep the limits of memory, processes or system files: {why}", self.host_name);
        Ok(why.map(refuse).into_iter().collect())
    }

    /// Begins it, or finds that it has begun before.
    pub(in crate::action) async fn begin(&self) -> Result<String> {
        self.jobs.start(&self.spec).await.map_err(|error| error.renamed(self.host_name.clone()))?;
        Ok(self.spec.name.clone())
    }

    /// Whether it had begun.
    pub(in crate::action) async fn find(&self) -> Result<Option<String>> {
        let look = self.look(None).await?;
        Ok((look.state != JobState::Absent).then(|| self.spec.name.clone()))
    }

    /// Waits until it has ended, passes on each line that it writes, and says how it ended.
    ///
    /// # Errors
    /// When nobody knows how it ended; when the host is silent for too long.
    pub(in crate::action) async fn follow(&self, said: &(dyn Said + Sync)) -> Result<JobEnd> {
        let (mut place, mut wait) = (None, LOOK_SOONEST);
        let mut silent_since = None;
        loop {
            let look = match self.look(place).await {
                Ok(look) => look,
                Err(error) if error.kind().is_retryable() => {
                    let since = *silent_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > SILENCE {
                        return Err(error);
                    }
                    tokio::time::sleep(LOOK_LATEST).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            silent_since = None;
            let over = !matches!(look.state, JobState::Running);
            let taken = whole_lines(&look.output, over);
            for line in lines(&look.output[..taken]) {
                said.line(&line).await;
            }
            let at = look.from + u64::try_from(taken).unwrap_or_default();
            place = Some(at);
            if taken > 0 {
                wait = LOOK_SOONEST;
            }
            let more = taken > 0 && at < look.size;
            if over && !more {
                // What was passed on is noted there, for whoever follows next.
                self.look(place).await?;
                if look.cut {
                    said.line(&format!("(it wrote more than {} bytes; the rest is not kept)", look.size)).await;
                }
                return self.ended(&look);
            }
            if !more {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LOOK_LATEST);
            }
        }
    }

    /// How it ended.
    ///
    /// # Errors
    /// When it did not, or nobody knows how.
    pub(in crate::action) async fn end(&self) -> Result<JobEnd> {
        self.ended(&self.look(None).await?)
    }

    /// The last lines of what it wrote, as far as the host still has them.
    pub(in crate::action) async fn last_lines(&self, count: usize) -> Vec<String> {
        let last = async {
            let size = self.look(None).await?.size;
            self.look(Some(size.saturating_sub(LONGEST_LINE as u64))).await
        };
        match last.await {
            Ok(look) => {
                let mut last = lines(&look.output);
                last.retain(|line| !line.trim().is_empty());
                last.split_off(last.len().saturating_sub(count))
            }
            Err(error) => {
                tracing::debug!(job = self.spec.name, error = %crate::report(&error), "its last lines are not known");
                Vec::new()
            }
        }
    }

    /// Ends it, and all that it started.
    pub(in crate::action) async fn stop(&self) -> Result<()> {
        self.jobs.stop(&self.spec.name).await.map_err(|error| error.renamed(self.host_name.clone()))
    }

    /// Removes what it left on the host, but for how it ended. A failure is noted only: a later start cleans up.
    pub(in crate::action) async fn forget(&self) {
        if let Err(error) = self.jobs.forget(&self.spec.name).await {
            tracing::debug!(job = self.spec.name, error = %crate::report(&error), "what a job left is not removed");
        }
    }

    async fn look(&self, from: Option<u64>) -> Result<Look> {
        self.jobs.look(&self.spec.name, from).await.map_err(|error| error.renamed(self.host_name.clone()))
    }

    fn ended(&self, look: &Look) -> Result<JobEnd> {
        let cause = match look.state {
            JobState::Ended(end) => return Ok(end),
            JobState::Running => "it still goes on",
            JobState::Absent => "the host knows nothing of it: what it left there was removed",
            JobState::Unknown { rebooted: true } => {
                "the host was started anew meanwhile, and nobody noted how far it got"
            }
            JobState::Unknown { rebooted: false } => "it is not there any more, and nobody noted how it ended",
        };
        Err(Error::new(ErrorKind::Conflict, format!("learn what came of the job {}", self.spec.name))
            .on(self.host_name.clone())
            .because(cause)
            .next("look at the host, and begin it anew if it is needed"))
    }
}

/// How much of what was read is whole lines: all of it at the end, or where a line is longer than what is read at once.
fn whole_lines(output: &[u8], over: bool) -> usize {
    match output.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => at + 1,
        None if over || output.len() >= LONGEST_LINE => output.len(),
        None => 0,
    }
}

/// What is taken as a line without its end.
const LONGEST_LINE: usize = 4096;

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_passed_on_once_it_is_whole() {
        assert_eq!(whole_lines(b"one\ntwo\nthr", false), 8);
        assert_eq!(whole_lines(b"thr", false), 0);
        assert_eq!(whole_lines(b"thr", true), 3);
        assert_eq!(whole_lines(&[b'x'; LONGEST_LINE], false), LONGEST_LINE);
        assert_eq!(lines(b"a\r\n\xff\n"), ["a", "\u{fffd}"]);
    }
}
