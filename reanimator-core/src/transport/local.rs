//! This machine, through the same trait: no SSH, no network.
//!
//! Every command runs in a process group of its own, and the whole group is ended with it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::process::{Child, ChildStdin};
use tokio::sync::{oneshot, watch};

use super::command::{Become, Command, Output};
use super::running::{Running, Stop, shorten};
use super::sudo::{Listener, Next};
use super::{Exit, Process, Pty, Transport, local_pty, shell};
use crate::{Error, ErrorKind, Result, model::TerminalSize};

const LABEL: &str = "local";

/// How much stands between the program and its reader.
const PIPE_BYTES: usize = 64 * 1024;

/// How long a program gets between "please end" and its end.
const POLITE: Duration = Duration::from_secs(2);

/// How long a program whose streams were all dropped may take to end by itself.
const RELEASED: Duration = Duration::from_secs(1);

/// This machine.
///
/// ```
/// use reanimator_core::transport::{Command, Local, Transport};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> reanimator_core::Result<()> {
/// let output = Local::new().run(Command::argv(["echo", "it's me"])).await?;
/// assert_eq!(output.stdout.text(), "it's me\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Local {
    /// This machine.
    pub const fn new() -> Self {
        Self
    }

    fn launch(command: &Command) -> Result<Running> {
        let mut child = tokio::process::Command::new("sh")
            .arg("-c")
            .arg(shell::script(&command.text, &command.become_root))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_start(&command.text, error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::new(ErrorKind::Internal, "open the streams of a command").on(LABEL));
        };
        let stop = Stop::default();
        let (listener, group) = Listener::new(command.become_root.clone());
        let (stdin_near, stdin_far) = tokio::io::duplex(PIPE_BYTES);
        let (stderr_near, stderr_far) = tokio::io::duplex(PIPE_BYTES);
        let announced = (!matches!(command.become_root, Become::No)).then(|| group.clone());
        let (told, exit) = oneshot::channel();
        let watching = Watching {
            child,
            become_root: command.become_root.clone(),
            stdin,
            from: stdin_far,
            stderr: Box::new(stderr),
            to: stderr_far,
            listener,
            group,
            stop: stop.clone(),
        };
        tokio::spawn(watching.finish(told));
        let exit = async move { exit.await.unwrap_or_else(|_| Err(lost())) }.boxed();
        Ok(Running::new(stop, announced, stdin_near, stdout, stderr_near, exit))
    }
}

#[async_trait]
impl Transport for Local {
    fn label(&self) -> String {
        LABEL.to_owned()
    }

    async fn run(&self, command: Command) -> Result<Output> {
        Self::launch(&command)?.finish(command, LABEL).await
    }

    async fn start(&self, command: Command) -> Result<Process> {
        Self::launch(&command)?.begun(&command).await.map_err(|error| error.on(LABEL))
    }

    async fn open_pty(&self, size: TerminalSize) -> Result<Pty> {
        local_pty::open(size).map_err(|error| error.on(LABEL))
    }

    async fn close(&self) {}
}

/// A child process and all that has to be done while it lives.
struct Watching {
    child: Child,
    become_root: Become,
    stdin: ChildStdin,
    from: DuplexStream,
    stderr: Box<dyn AsyncRead + Send + Unpin>,
    to: DuplexStream,
    listener: Listener,
    group: watch::Receiver<Option<u32>>,
    stop: Stop,
}

impl Watching {
    async fn finish(self, told: oneshot::Sender<Result<Exit>>) {
        let Self { mut child, become_root, stdin, from, stderr, to, listener, group, stop } = self;
        let leader = child.id();
        let gate = (!matches!(become_root, Become::No)).then(|| group.clone());
        let (password, passwords) = tokio::sync::mpsc::channel(1);
        let feeding = async {
            feed(stdin, from, gate, passwords).await;
            std::future::pending().await
        };
        let ending = async {
            let (status, listener) = tokio::join!(child.wait(), listen(stderr, to, listener, password));
            let status = status.map_err(|error| lost().because(error.to_string()))?;
            listener.refusal().map_or_else(|| Ok(exit_of(status)), |refusal| Err(refusal.on(LABEL)))
        };
        let exit = tokio::select! {
            exit = ending => Some(exit),
            never = feeding => never,
            () = stopped(&stop) => None,
        };
        let Some(exit) = exit else {
            let announced = *group.borrow();
            end(&mut child, leader, announced, become_root).await;
            let exit = tokio::time::timeout(POLITE, child.wait()).await;
            let _nobody_asks = told.send(match exit {
                Ok(Ok(status)) => Ok(exit_of(status)),
                Ok(Err(error)) => Err(lost().because(error.to_string())),
                Err(_) => Err(lost().because("it does not end, not even when killed")),
            });
            return;
        };
        let _nobody_asks = told.send(exit);
        // What it left in its group may still hold its stdout; that is stopped only when somebody says so.
        tokio::select! {
            biased;
            () = stop.now.cancelled() => end(&mut child, leader, None, Become::No).await,
            () = stop.released.cancelled() => {}
        }
    }
}

async fn stopped(stop: &Stop) {
    tokio::select! {
        () = stop.now.cancelled() => {}
        () = async {
            stop.released.cancelled().await;
            tokio::time::sleep(RELEASED).await;
        } => {}
    }
}

/// Carries input to the child: passwords first, and the command's own once it has announced itself.
async fn feed(
    mut stdin: ChildStdin,
    mut from: DuplexStream,
    gate: Option<watch::Receiver<Option<u32>>>,
    mut passwords: tokio::sync::mpsc::Receiver<Vec<u8>>,
) {
    if let Some(mut gate) = gate {
        loop {
            tokio::select! {
                begun = async { gate.wait_for(Option::is_some).await.is_ok() } => {
                    if begun { break } else { return }
                }
                password = passwords.recv() => match password {
                    Some(line) => if stdin.write_all(&line).await.is_err() { return },
                    None => return,
                },
            }
        }
    }
    // A command may end without reading all of its input.
    let _closed_early = tokio::io::copy(&mut from, &mut stdin).await;
}

async fn listen(
    mut stderr: Box<dyn AsyncRead + Send + Unpin>,
    mut to: DuplexStream,
    mut listener: Listener,
    password: tokio::sync::mpsc::Sender<Vec<u8>>,
) -> Listener {
    let mut password = Some(password);
    let mut piece = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        let (passed, next) = listener.hear(&piece[..length]);
        match next {
            Next::Go => {}
            Next::Password(line) => {
                if let Some(password) = &password {
                    let _ended_meanwhile = password.send(line).await;
                }
            }
            Next::GiveUp => password = None,
        }
        pass_on(&mut to, &passed).await;
    }
    pass_on(&mut to, &listener.rest()).await;
    listener
}

/// Nobody need read stderr.
async fn pass_on(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    if !bytes.is_empty() {
        let _not_read = to.write_all(bytes).await;
    }
}

/// Ends the group of `leader`, and the group behind sudo where there is one: politely, then for sure.
async fn end(child: &mut Child, leader: Option<u32>, announced: Option<u32>, become_root: Become) {
    if !matches!(become_root, Become::No)
        && let Some(group) = announced
    {
        let kill = Command::shell(shell::end_group(group)).become_root(become_root).time_limit(POLITE * 3);
        if let Ok(running) = Local::launch(&kill)
            && let Err(error) = Box::pin(running.finish(kill, LABEL)).await
        {
            tracing::warn!(%error, group, "could not end a command that runs as root");
        }
    }
    let Some(group) = leader.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else { return };
    if kill_process_group(group, Signal::TERM).is_err() {
        return;
    }
    let polite = tokio::time::Instant::now() + POLITE;
    while tokio::time::Instant::now() < polite {
        // A dead child stays in its group until it is asked for.
        let _still_running = child.try_wait();
        if test_kill_process_group(group).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Gone in between is as good as ended.
    let _gone = kill_process_group(group, Signal::KILL);
}

pub(super) fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    Exit { status: status.code().and_then(|code| u32::try_from(code).ok()), signal: status.signal().map(signal_name) }
}

fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        other => return other.to_string(),
    };
    name.to_owned()
}

fn cannot_start(text: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Denied, format!("start `{}`", shorten(text)))
        .on(LABEL)
        .because(error.to_string())
        .next("check that this machine has a shell, memory and free process slots")
        .from_source(error)
}

fn lost() -> Error {
    Error::new(ErrorKind::Internal, "wait for a command").on(LABEL)
}
