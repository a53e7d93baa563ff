//! One connection and the commands that run over it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Sig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use super::dial::Link;
use super::end::Undertaker;
use crate::transport::command::{Become, Command};
use crate::transport::running::{Running, Stop};
use crate::transport::sudo::{Listener, Next};
use crate::transport::{Exit, shell};
use crate::{Error, ErrorKind, Result};

/// How much of a stream waits here for its reader. Beyond it the whole connection waits: SSH has one pipe for all.
const PIPE_BYTES: usize = 8 * 1024 * 1024;

/// A reader that takes nothing for this long, while its pipe is full, loses its command: it holds up all the others.
const STALLED: Duration = Duration::from_secs(60);

/// How long a command whose streams were all dropped may take to end by itself.
const RELEASED: Duration = Duration::from_secs(1);

/// How long a command that is told to stop may take to say which process group it is.
const ANNOUNCING: Duration = Duration::from_secs(2);

/// How long the server may take to close a channel after the command was ended.
const CLOSING: Duration = Duration::from_secs(1);

/// How long commands may take to be ended before their connection is closed: TERM, two seconds, KILL.
const CLOSING_LIMIT: Duration = Duration::from_secs(4);

/// A server that refuses a session although there is room may still be clearing up behind the last one. The pause
/// doubles each time: 1.3 s in all.
const OPEN_TRIES: u32 = 8;
const OPEN_PAUSE: Duration = Duration::from_millis(5);

/// How many sessions the server lets us open at once: learnt, and remembered over reconnects.
#[derive(Debug)]
pub(super) struct SessionLimit(AtomicUsize);

impl SessionLimit {
    pub(super) fn new(sessions: usize) -> Self {
        Self(AtomicUsize::new(sessions.max(1)))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// One fewer; false when that would go below what was `proven` to work.
    fn lower(&self, proven: usize) -> bool {
        let lowest = proven.max(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now > lowest).then(|| now - 1)).is_ok()
    }
}

/// A link with its sessions counted.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: Link,
    slots: Arc<Semaphore>,
    limit: Arc<SessionLimit>,
    open: AtomicUsize,
    /// The most sessions that were ever open here at once.
    proven: AtomicUsize,
}

/// Why a command did not start.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// The connection is gone; nothing was run, so it may be tried again over a new one.
    Lost(String),
    /// It will not start here.
    Refused(Error),
}

impl Connection {
    pub(super) fn new(link: Link, limit: Arc<SessionLimit>) -> Self {
        Self { link, slots: Arc::new(Semaphore::new(limit.get())), limit, open: 0.into(), proven: 0.into() }
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.link.handle.is_closed()
    }

    /// Says goodbye. Commands that nobody waits for any more are given a moment to be ended first; what still runs then
    /// loses its streams.
    pub(super) async fn close(&self) {
        let ended = async {
            while self.open.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _in_time = tokio::time::timeout(CLOSING_LIMIT, ended).await;
        let _gone_already = self.link.handle.disconnect(Disconnect::ByApplication, "", "en").await;
    }

    /// Starts a command within the session limit. Once the server runs it, what is left of it is cleared up whatever
    /// happens to the caller.
    pub(super) async fn launch(
        self: Arc<Self>,
        command: &Command,
        undertaker: Undertaker,
    ) -> Result<Running, NotStarted> {
        let line = shell::exec_line(&command.text, &command.become_root);
        check_line(&line).map_err(NotStarted::Refused)?;
        let patience = command.time_limit;
        let slot = tokio::time::timeout(patience, self.slots.clone().acquire_owned()).await;
        let Ok(Ok(slot)) = slot else { return Err(NotStarted::Refused(busy(self.limit.get(), patience))) };
        let (become_root, connection) = (command.become_root.clone(), self.clone());
        // A task of its own: an opening that nobody waits for any more must still be closed again.
        let opening = tokio::spawn(async move { connection.start(slot, line, become_root, undertaker).await });
        // Not "lost": the opening goes on by itself, and what it may still start must not be started twice.
        let Ok(opened) = tokio::time::timeout(patience, opening).await else {
            return Err(NotStarted::Refused(
                Error::new(ErrorKind::Timeout, "open a session")
                    .because(format!(
                        "no answer within {} s on a connection that worked before",
                        patience.as_secs_f32()
                    ))
                    .next("check whether the machine hangs or the network drops packets"),
            ));
        };
        opened.unwrap_or_else(|error| {
            Err(NotStarted::Refused(Error::new(ErrorKind::Internal, "open a session").because(error.to_string())))
        })
    }

    async fn start(
        self: Arc<Self>,
        slot: OwnedSemaphorePermit,
        line: String,
        become_root: Become,
        undertaker: Undertaker,
    ) -> Result<Running, NotStarted> {
        let (channel, slot) = self.open(slot).await?;
        let (read, write) = channel.split();
        if write.exec(true, line).await.is_err() {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(NotStarted::Lost(self.link.ending.why()));
        }
        let stop = Stop::default();
        let (listener, group) = Listener::new(become_root.clone());
        let announced = (!matches!(become_root, Become::No)).then(|| group.clone());
        let (stdin_near, stdin_far) = tokio::io::duplex(64 * 1024);
        let (stdout_near, stdout_far) = tokio::io::duplex(PIPE_BYTES);
        let (stderr_near, stderr_far) = tokio::io::duplex(PIPE_BYTES);
        let (told, exit) = oneshot::channel();
        let session = Session {
            connection: self.clone(),
            read,
            write,
            stdin: stdin_far,
            stdout: stdout_far,
            stderr: stderr_far,
            listener,
            group,
            become_root,
            stop: stop.clone(),
            undertaker,
        };
        tokio::spawn(async move {
            let ended = session.finish().await;
            self.open.fetch_sub(1, Ordering::Relaxed);
            drop(slot);
            let _nobody_asks = told.send(ended);
        });
        let exit = async move {
            exit.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "wait for the command to end")))
        };
        Ok(Running::new(stop, announced, stdin_near, stdout_near, stderr_near, exit.boxed()))
    }

    /// Opens a session; learns when the server allows fewer than we thought.
    async fn open(&self, mut slot: OwnedSemaphorePermit) -> Result<(Channel<Msg>, OwnedSemaphorePermit), NotStarted> {
        let mut tries = 0;
        loop {
            match self.link.handle.channel_open_session().await {
                Ok(channel) => {
                    let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
                    self.proven.fetch_max(open, Ordering::Relaxed);
                    return Ok((channel, slot));
                }
                Err(russh::Error::ChannelOpenFailure(reason)) => {
                    tracing::debug!(?reason, limit = self.limit.get(), "the server refuses one more session");
                    if self.limit.lower(self.proven.load(Ordering::Relaxed)) {
                        slot.forget();
                        slot = self.slots.clone().acquire_owned().await.map_err(|_| NotStarted::Lost(self.why()))?;
                        continue;
                    }
                    // So many have been open before: the server is still clearing up behind the last one.
                    tries += 1;
                    if tries == OPEN_TRIES {
                        return Err(NotStarted::Refused(no_session(&format!("{reason:?}"))));
                    }
                    tokio::time::sleep(OPEN_PAUSE * (1 << tries)).await;
                }
                Err(_) => return Err(NotStarted::Lost(self.why())),
            }
        }
    }

    /// Opens a session beside the counted ones, for ending a command.
    pub(super) async fn open_spare(&self) -> Option<Channel<Msg>> {
        self.link.handle.channel_open_session().await.ok()
    }

    fn why(&self) -> String {
        self.link.ending.why()
    }
}

fn check_line(line: &str) -> Result<()> {
    if line.contains('\0') {
        return Err(Error::new(ErrorKind::Invalid, "run a command with a NUL byte in it")
            .because("no shell can be given one")
            .next("send such data over its standard input"));
    }
    if line.len() > shell::LONGEST_LINE {
        return Err(Error::new(ErrorKind::Invalid, format!("run a command of {} bytes", line.len()))
            .because(format!("a command line has at most {} bytes, quoted", shell::LONGEST_LINE))
            .next("send long data over its standard input"));
    }
    Ok(())
}

fn busy(limit: usize, patience: Duration) -> Error {
    Error::new(ErrorKind::Busy, "open a session")
        .because(format!("all {limit} sessions that the server allows were in use for {patience:?}"))
        .next("wait for running commands to end, or raise MaxSessions in the server's sshd_config")
}

fn no_session(reason: &str) -> Error {
    Error::new(ErrorKind::Denied, "open a session")
        .because(format!("the server lets us in but opens no session ({reason})"))
        .next("check MaxSessions and ForceCommand in the server's sshd_config")
}

/// A running command on its channel, and everything that has to be done while it lives.
struct Session {
    connection: Arc<Connection>,
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    stdin: DuplexStream,
    stdout: DuplexStream,
    stderr: DuplexStream,
    listener: Listener,
    group: watch::Receiver<Option<u32>>,
    become_root: Become,
    stop: Stop,
    undertaker: Undertaker,
}

impl Session {
    async fn finish(self) -> Result<Exit> {
        let Self { connection, read, write, stdin, stdout, stderr, listener, mut group, become_root, stop, undertaker } =
            self;
        let gate = (!matches!(become_root, Become::No)).then(|| group.clone());
        let hearing = Hearing { read, write: &write, stdout, stderr, listener, stop: &stop };
        let feeding = async {
            feed(&write, stdin, gate).await;
            std::future::pending::<Heard>().await
        };
        let work = async {
            tokio::select! {
                heard = hearing.finish() => heard,
                never = feeding => never,
            }
        };
        tokio::pin!(work);
        let ending = async {
            stopped(&stop).await;
            let known = announced(&mut group).await;
            let ended = undertaker.end(&connection, known, &become_root).await;
            tokio::time::sleep(CLOSING).await;
            ended
        };
        let heard = tokio::select! {
            heard = &mut work => heard,
            ended = ending => {
                // Whatever fled from the group may hold the channel open; it is closed all the same.
                let _closed_already = write.close().await;
                return ended.map(|()| Exit { status: None, signal: Some("KILL".to_owned()) });
            }
        };
        heard.verdict(&connection)
    }
}

/// The process group. A command that is told to stop right away may still be about to say who it is.
async fn announced(group: &mut watch::Receiver<Option<u32>>) -> Option<u32> {
    let waiting = group.wait_for(Option::is_some);
    tokio::time::timeout(ANNOUNCING, waiting).await.ok()?.ok().and_then(|group| *group)
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

/// Carries the command's input, once it has become root where it should.
async fn feed(write: &ChannelWriteHalf<Msg>, mut stdin: DuplexStream, gate: Option<watch::Receiver<Option<u32>>>) {
    if let Some(mut gate) = gate
        && gate.wait_for(Option::is_some).await.is_err()
    {
        return;
    }
    // Grows for those who send much; a watching shell is sent a line at a time, and there are thousands.
    let mut size = 1024;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        piece.reserve(size);
        match stdin.read_buf(&mut piece).await {
            Ok(read @ 1..) => {
                if read >= size {
                    size = (size * 4).min(64 * 1024);
                }
                if write.data_bytes(Bytes::copy_from_slice(&piece)).await.is_err() {
                    return;
                }
            }
            // The far end learns of a lost connection by itself.
            _ => {
                let _gone = write.eof().await;
                return;
            }
        }
    }
}

/// Takes in everything that the server says of one command.
struct Hearing<'a> {
    read: ChannelReadHalf,
    write: &'a ChannelWriteHalf<Msg>,
    stdout: DuplexStream,
    stderr: DuplexStream,
    listener: Listener,
    stop: &'a Stop,
}

/// What was heard by the time the channel was closed.
struct Heard {
    exit: Exit,
    closed: bool,
    refused: bool,
    stalled: bool,
    listener: Listener,
}

impl Hearing<'_> {
    async fn finish(mut self) -> Heard {
        let (mut exit, mut closed, mut refused, mut stalled) = (Exit::default(), false, false, false);
        // Data may follow the exit status; only the end of the channel is the end.
        while let Some(message) = self.read.wait().await {
            let delivered = match message {
                ChannelMsg::Data { data } => deliver(&mut self.stdout, &data).await,
                ChannelMsg::ExtendedData { data, .. } => {
                    let (passed, next) = self.listener.hear(&data);
                    self.act(next).await;
                    deliver(&mut self.stderr, &passed).await
                }
                ChannelMsg::ExitStatus { exit_status } => {
                    exit.status = Some(exit_status);
                    true
                }
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    exit.signal = Some(name_of(signal_name));
                    true
                }
                ChannelMsg::Failure => {
                    refused = true;
                    break;
                }
                ChannelMsg::Close => {
                    closed = true;
                    break;
                }
                _ => true,
            };
            if !delivered && !stalled {
                stalled = true;
                self.stop.now.cancel();
            }
        }
        let rest = self.listener.rest();
        deliver(&mut self.stderr, &rest).await;
        if refused {
            let _gone = self.write.close().await;
        }
        Heard { exit, closed, refused, stalled, listener: self.listener }
    }

    async fn act(&self, next: Next) {
        // A channel that closes meanwhile ends the loop by itself.
        let _closing = match next {
            Next::Go => Ok(()),
            Next::Password(line) => self.write.data_bytes(line).await,
            Next::GiveUp => self.write.eof().await,
        };
    }
}

impl Heard {
    fn verdict(self, connection: &Connection) -> Result<Exit> {
        if self.refused {
            return Err(Error::new(ErrorKind::Denied, "run a command")
                .because("the server refuses to run commands for this account")
                .next("check ForceCommand and the account's shell there"));
        }
        if self.stalled {
            return Err(Error::new(ErrorKind::Cancelled, "deliver a command's output")
                .because(format!("nobody read it for {STALLED:?}, and it held up every other command"))
                .next("read all streams of a started command, or use a connection of its own"));
        }
        if let Some(refusal) = self.listener.refusal() {
            return Err(refusal);
        }
        if !self.closed && self.exit == Exit::default() {
            return Err(Error::new(ErrorKind::Unreachable, "finish the command")
                .because(format!("{}; whether the command ran to its end is not known", connection.why()))
                .next("check the host, then whether the command did its work, before it is run again"));
        }
        Ok(self.exit)
    }
}

/// Whether the piece was taken, or is wanted by nobody. False when its reader has stalled.
async fn deliver(to: &mut DuplexStream, piece: &[u8]) -> bool {
    if piece.is_empty() {
        return true;
    }
    // An error means that the reader has dropped its end, which is its right.
    tokio::time::timeout(STALLED, to.write_all(piece)).await.is_ok()
}

pub(super) fn name_of(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        named => format!("{named:?}"),
    }
}
