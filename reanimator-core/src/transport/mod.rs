//! The only room that opens a socket or a process towards a host.
//!
//! A [`Transport`] runs commands on one host: over SSH, on this machine, or out of a recording. Whoever calls says *what* to run ([`Command`]), with which limits, and gets
//! the answer whole ([`Output`]) or as streams ([`Process`]). Words for the remote shell are quoted in one place,
//! [`quote`].
//!

pub mod command;
pub mod http;
mod local;
mod local_pty;
pub mod probe;
pub mod pty;
pub mod quote;
mod replay;
mod running;
pub mod shell;
pub mod ssh;
mod sudo;

use std::pin::Pin;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub use command::{Become, Captured, Command, Output, Tap};
pub use local::Local;
pub use pty::{Pty, PtyKeys};
pub use replay::{Recorder, Replay};
pub use ssh::{Ssh, SshCredentials, SshTarget};

use crate::{Error, ErrorKind, Result, model::TerminalSize};

/// A way to run commands on one host. Cheap to call from many tasks at once.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// What to call this way in sentences: `ssh root@192.0.2.1:22`, `local`.
    fn label(&self) -> String;

    /// Runs a command to its end and returns everything it said.
    ///
    /// # Errors
    /// When the host cannot be reached or the command exceeds its time limit (the remote process is ended then). A
    /// command that fails is not an error here: see [`Output::status`].
    async fn run(&self, command: Command) -> Result<Output>;

    /// Starts a command and hands out its streams. The time limit of the command bounds the start only.
    ///
    /// # Errors
    /// When the host cannot be reached or refuses to start it.
    async fn start(&self, command: Command) -> Result<Process>;

    /// Opens a terminal with a login shell there, on a connection of its own: what it shows holds up nothing else.
    ///
    /// # Errors
    /// When the host cannot be reached or gives no terminal; `Invalid` where this way has none.
    async fn open_pty(&self, size: TerminalSize) -> Result<Pty> {
        Err(Error::new(ErrorKind::Invalid, format!("open a terminal of {size}"))
            .on(self.label())
            .because("this way of reaching it has no terminals")
            .next("add the host's SSH access with `reanimator host add`"))
    }

    /// Lets go of what is kept open. The next call opens it again.
    async fn close(&self);
}

/// A running command. Dropping it closes its streams; a remote command ends by itself when its input ends.
pub struct Process {
    /// The command's standard input. Shut it down to say that nothing more comes.
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    /// The command's standard output.
    pub stdout: Pin<Box<dyn AsyncRead + Send>>,
    /// The command's standard error.
    pub stderr: Pin<Box<dyn AsyncRead + Send>>,
    /// Resolves when the command has ended. Read the streams meanwhile: a full stream holds the command up.
    pub exit: BoxFuture<'static, Result<Exit>>,
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// The exit status, where it ended by itself.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}
