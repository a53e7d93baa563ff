//! A host over SSH.
//!
//! One connection per host is opened when it is first needed and kept alive; commands share it, within the number of
//! sessions that the server allows. The host's key is checked before anything is said ([`HostKeyPolicy`]); an unknown
//! one is told with its fingerprint and taken only when somebody accepts exactly that fingerprint.
//!
//! A command that exceeds its time limit, prints without end or is no longer waited for is ended on the host, with its
//! whole process group. Bulk data belongs on a connection of its own ([`Ssh::sibling`]): SSH has one pipe for all, and a
//! stream that nobody reads holds up the others.
//!
//! ```no_run
//! use reanimator_core::transport::ssh::{Hop, Ssh, SshCredentials, SshTarget};
//! use reanimator_core::transport::{Command, Transport};
//! # async fn example() -> reanimator_core::Result<()> {
//! let mut target = SshTarget::new(Hop::new("192.0.2.1", 22, "root"));
//! target.use_agent = true;
//! let host = Ssh::new(target, SshCredentials::default());
//! println!("{}", host.run(Command::argv(["uname", "-a"])).await?.stdout.text());
//! # Ok(())
//! # }
//! ```

mod auth;
mod config;
mod connection;
mod dial;
mod end;
mod known_hosts;
mod pattern;
mod pool;
mod pty;
mod target;

use std::sync::Arc;

use async_trait::async_trait;

pub use auth::default_key_files;
pub use config::{HostOptions, SshConfig};
pub use known_hosts::{HostKeyPolicy, fingerprint_of};
pub use target::{CONNECT_LIMIT, Hop, SESSIONS, SshCredentials, SshTarget};

use super::command::{Become, Command, Output};
use super::running::Running;
use super::{Process, Pty, Transport};
use crate::model::connection::Sudo;
use crate::{Error, ErrorKind, Fingerprint, Result, model::TerminalSize};
use connection::NotStarted;
use pool::Pool;

/// One host over SSH. Cheap to clone: clones share the connection.
#[derive(Clone)]
pub struct Ssh {
    pool: Arc<Pool>,
}

impl Ssh {
    /// A host that is connected to when it is first needed.
    pub fn new(target: SshTarget, credentials: SshCredentials) -> Self {
        Self { pool: Arc::new(Pool::new(target, credentials)) }
    }

    /// Connects now, if there is no connection yet.
    ///
    /// # Errors
    /// When the host cannot be reached, its key is not trusted, or it refuses the log-in.
    pub async fn connect(&self) -> Result<()> {
        self.pool.connection().await.map(|_| ()).map_err(|error| error.on(self.host_label()))
    }

    /// The key that the host showed, once it was connected to: what to pin.
    pub fn host_key(&self) -> Option<Fingerprint> {
        self.pool.shown().pop()
    }

    /// The keys that each jump host and the host itself showed, in the order of the way.
    pub fn host_keys(&self) -> Vec<Fingerprint> {
        self.pool.shown()
    }

    /// How many commands run at once, as learnt from the server.
    pub fn sessions(&self) -> usize {
        self.pool.sessions()
    }

    /// The same host over a connection of its own: for bulk data, file transfers, terminals.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::new((*self.pool.target).clone(), self.pool.credentials().clone())
    }

    /// A terminal with a login shell, or with `command` in its place, on a connection of its own.
    ///
    /// # Errors
    /// When the host cannot be reached, or gives no terminal.
    pub async fn open_pty(&self, size: TerminalSize, command: Option<&str>) -> Result<Pty> {
        let mut target = (*self.pool.target).clone();
        target.interactive = true;
        let pool = Pool::new(target, self.pool.credentials().clone());
        pty::open(&pool, size, command).await.map_err(|error| error.on(self.host_label()))
    }

    /// How to become root there, for [`Command::become_root`]. root itself need not.
    pub fn root(&self, sudo: Sudo) -> Become {
        match sudo {
            _ if self.pool.target.host.user == "root" => Become::No,
            Sudo::None => Become::No,
            Sudo::NoPassword => Become::Sudo,
            Sudo::Password => match &self.pool.credentials().sudo_password {
                Some(password) => Become::SudoPassword(password.clone()),
                None => Become::Sudo,
            },
        }
    }

    async fn launch(&self, command: &Command) -> Result<Running> {
        let (connection, undertaker) = self.pool.connection().await?;
        match connection.clone().launch(command, undertaker).await {
            Ok(running) => return Ok(running),
            Err(NotStarted::Refused(error)) => {
                if error.kind() == ErrorKind::Timeout {
                    self.pool.forget(&connection).await;
                }
                return Err(error);
            }
            Err(NotStarted::Lost(_)) => self.pool.forget(&connection).await,
        }
        // Nothing was run yet: a connection that died while it was idle is replaced once.
        let (connection, undertaker) = self.pool.connection().await?;
        connection.launch(command, undertaker).await.map_err(|error| match error {
            NotStarted::Refused(error) => error,
            NotStarted::Lost(why) => Error::new(ErrorKind::Unreachable, "open a session")
                .because(why)
                .next("check the host's sshd log: it ends connections right after the log-in"),
        })
    }

    fn host_label(&self) -> String {
        self.pool.target.host.label()
    }
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ssh").field(&self.host_label()).finish()
    }
}

#[async_trait]
impl Transport for Ssh {
    fn label(&self) -> String {
        format!("ssh {}", self.host_label())
    }

    async fn run(&self, command: Command) -> Result<Output> {
        let label = self.host_label();
        match self.launch(&command).await {
            Ok(running) => running.finish(command, &label).await.map_err(|error| error.on(label)),
            Err(error) => Err(error.on(label)),
        }
    }

    async fn start(&self, command: Command) -> Result<Process> {
        let started = async { self.launch(&command).await?.begun(&command).await };
        started.await.map_err(|error| error.on(self.host_label()))
    }

    async fn open_pty(&self, size: TerminalSize) -> Result<Pty> {
        self.open_pty(size, None).await
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
