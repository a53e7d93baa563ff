//! Work that outlives our connection to a host: started by a name, found again by it.
//!
//! What is sent, and how it runs there, is in [`collect::linux::job`](crate::collect::linux::job).

use std::{sync::Arc, time::Duration};

use crate::{
    Error, ErrorKind, Result,
    collect::linux::job::{self, JobSpec, Look, Started},
    transport::{Become, Command, Output, Transport},
};

/// How long it may take to stop one: it is asked first, and its unit too.
const STOP_TIME_LIMIT: Duration = Duration::from_secs(60);

/// Jobs of one machine.
///
/// Each call may be made twice, and by another process: a job is found by its name, also after a restart on either side.
///
/// ```no_run
/// use reanimator_core::{collect::linux::job::{JobSpec, JobState}, host::linux::LinuxMachine};
/// # async fn example(machine: &LinuxMachine) -> reanimator_core::Result<()> {
/// let jobs = machine.jobs();
/// jobs.start(&JobSpec::new("upgrade-1", "apt-get --yes upgrade")).await?;
/// // Any time later, over another connection:
/// let look = jobs.look("upgrade-1", Some(0)).await?;
/// if let JobState::Ended(end) = look.state {
///     println!("{}: {}", end.words(), String::from_utf8_lossy(&look.output));
///     jobs.forget("upgrade-1").await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Jobs {
    transport: Arc<dyn Transport>,
    become_root: Become,
    base: Option<String>,
}

impl Jobs {
    pub(super) fn new(transport: Arc<dyn Transport>, become_root: Become) -> Self {
        Self { transport, become_root, base: None }
    }

    /// With the directories of jobs in `base`. Defaults to `/var/lib/reanimator-jobs`, or `~/.local/state/reanimator/jobs`
    /// where we are not root.
    #[must_use]
    pub fn under(mut self, base: impl Into<String>) -> Self {
        self.base = Some(base.into());
        self
    }

    /// Starts a job, unless one of its name was started before.
    ///
    /// # Errors
    /// `Invalid` for a job that no host could take, `Denied` where this host does not (no such user, no systemd to keep
    /// a limit, no room), and what the way there says: then nobody knows whether it began, and [`look`](Self::look)
    /// tells, or starting it again.
    pub async fn start(&self, spec: &JobSpec) -> Result<Started> {
        let text = spec.start(self.base.as_deref())?;
        let attempt = format!("start the job {}", spec.name);
        let output = self.run(Command::shell("exec sh").stdin(text)).await?;
        job::started(&output.stdout.text()).ok_or_else(|| {
            Error::new(ErrorKind::Denied, attempt).on(self.transport.label()).because(complaint(&output))
        })
    }

    /// How a job stands, and what it wrote from a place on, up to [`job::CHUNK`]. Without a place, from the one that was
    /// asked for last, by whomever.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn look(&self, name: &str, from: Option<u64>) -> Result<Look> {
        let attempt = format!("look at the job {name}");
        let output = self.run(Command::shell(job::look(self.base.as_deref(), name, from)?)).await?;
        job::parse(&output.stdout.bytes).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, attempt).on(self.transport.label()).because(complaint(&output))
        })
    }

    /// Stops a job and all that it started; one that has not begun never will.
    ///
    /// # Errors
    /// When the host does not do so.
    pub async fn stop(&self, name: &str) -> Result<()> {
        let command = Command::shell(job::stop(self.base.as_deref(), name)?).time_limit(STOP_TIME_LIMIT);
        self.done(command, &format!("stop the job {name}")).await
    }

    /// Removes what a job that ended left there, but for how it ended, which stays for a week: whoever was killed before
    /// that was noted asks again, and does not start it again.
    ///
    /// # Errors
    /// When the host does not do so.
    pub async fn forget(&self, name: &str) -> Result<()> {
        let command = Command::shell(job::forget(self.base.as_deref(), name)?);
        self.done(command, &format!("forget the job {name}")).await
    }

    /// Why limits of memory and processes could not be kept there; none where they can.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn unlimited(&self) -> Result<Option<&'static str>> {
        let output = self.run(Command::shell(job::LIMITS)).await?;
        Ok(match output.stdout.text().trim() {
            "yes" => None,
            "account" => Some("it is not root's account that we have there"),
            _ => Some("it has no systemd"),
        })
    }

    async fn done(&self, command: Command, attempt: &str) -> Result<()> {
        let output = self.run(command).await?;
        if output.success() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Denied, attempt).on(self.transport.label()).because(complaint(&output)))
    }

    async fn run(&self, command: Command) -> Result<Output> {
        self.transport.run(command.become_root(self.become_root.clone())).await
    }
}

/// The last of what a shell said against it.
fn complaint(output: &Output) -> String {
    let said = output.stderr.text();
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let ended = || match output.status {
        Some(status) => format!("its shell ended with status {status} and without a word"),
        None => "its shell was ended".to_owned(),
    };
    last.map_or_else(ended, str::to_owned)
}
