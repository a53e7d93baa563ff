//! A command while it runs: its streams, the two ways to stop it, and how its whole answer is collected.
//!
//! Every transport that has real processes starts a [`Running`] and shares what is here, so that limits mean the same
//! over SSH and on this machine.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::command::{Captured, Command, Output, Tap};
use super::{Exit, Process};
use crate::{Error, ErrorKind, Result, model::OutputStream};

/// How long the ending of a command may take before we no longer wait for it.
const ENDING_LIMIT: Duration = Duration::from_secs(8);

/// Output beyond the kept part is read and thrown away up to this much per stream; then the command is ended: a program
/// that prints without end would only burn both machines until its time limit.
pub(super) const ENDLESS: u64 = 64 * 1024 * 1024;

/// How a running command is told to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// End the process group now.
    pub(super) now: CancellationToken,
    /// Nobody holds any of the streams any more: close the input, and end what does not end by itself.
    pub(super) released: CancellationToken,
}

/// A command that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// What its holder sees.
    pub(super) process: Process,
    /// How it is stopped.
    pub(super) stop: Stop,
    /// Where it says that it has become root; `None` where that was not asked.
    group: Option<watch::Receiver<Option<u32>>>,
}

impl Running {
    /// Puts a process together whose streams, once all of them are dropped, release the command.
    pub(super) fn new(
        stop: Stop,
        group: Option<watch::Receiver<Option<u32>>>,
        stdin: impl AsyncWrite + Send + 'static,
        stdout: impl AsyncRead + Send + 'static,
        stderr: impl AsyncRead + Send + 'static,
        exit: BoxFuture<'static, Result<Exit>>,
    ) -> Self {
        let guard = Arc::new(stop.released.clone().drop_guard());
        let held = guard.clone();
        let process = Process {
            stdin: Box::pin(Held { stream: Box::pin(stdin), _guard: guard.clone() }),
            stdout: Box::pin(Held { stream: Box::pin(stdout), _guard: guard.clone() }),
            stderr: Box::pin(Held { stream: Box::pin(stderr), _guard: guard }),
            exit: async move {
                let ended = exit.await;
                drop(held);
                ended
            }
            .boxed(),
        };
        Self { process, stop, group }
    }

    /// Hands the streams out, once the command has become root where it should.
    ///
    /// # Errors
    /// When it could not become root, or did not within the command's time limit.
    pub(super) async fn begun(mut self, command: &Command) -> Result<Process> {
        let Some(mut group) = self.group.take() else { return Ok(self.process) };
        let announced = tokio::time::timeout(command.time_limit, group.wait_for(Option::is_some)).await;
        match announced.map(|announced| announced.is_ok()) {
            Ok(true) => Ok(self.process),
            // It ended without announcing itself; `exit` knows why.
            Ok(false) => Err(match self.process.exit.await {
                Err(error) => error,
                Ok(_) => Error::new(ErrorKind::Denied, format!("start `{}`", shorten(&command.text)))
                    .because("it ended before it began"),
            }),
            Err(_) => {
                self.stop.now.cancel();
                Err(too_slow::<()>(&command.text, command.time_limit, Err(())))
            }
        }
    }

    /// Feeds the command its input, collects everything it says, and ends it when it exceeds its limits or when the
    /// returned future is dropped.
    pub(super) async fn finish(self, command: Command, label: &str) -> Result<Output> {
        let Self { process, stop, .. } = self;
        let Process { stdin, stdout, stderr, exit } = process;
        let (limit, tap) = (command.output_limit, command.tap.clone());
        let hear = |stream| tap.as_ref().map(|tap| (tap, stream));
        let work = async {
            let stdout = capture(stdout, limit, &stop, hear(OutputStream::Stdout));
            let stderr = capture(stderr, limit, &stop, hear(OutputStream::Stderr));
            let answer = async { tokio::join!(stdout, stderr, exit) };
            let (answer, ()) = tokio::join!(answer, feed(stdin, command.stdin));
            answer
        };
        tokio::pin!(work);
        // Declared behind the streams, so that it speaks before they are released.
        let end_when_dropped = stop.now.clone().drop_guard();
        let (stdout, stderr, exit) = tokio::select! {
            answer = &mut work => answer,
            () = tokio::time::sleep(command.time_limit) => {
                stop.now.cancel();
                let ended = tokio::time::timeout(ENDING_LIMIT, &mut work).await.map(|(.., exit)| exit);
                return Err(match ended {
                    // It never began; that is the cause, and not the time.
                    Ok(Err(error)) if matches!(error.kind(), ErrorKind::AuthFailed | ErrorKind::Denied) => error,
                    ended => too_slow(&command.text, command.time_limit, ended).on(label),
                });
            }
        };
        end_when_dropped.disarm();
        let Exit { status, signal } = exit?;
        Ok(Output { status, signal, stdout, stderr })
    }
}

fn too_slow<T>(text: &str, limit: Duration, ended: Result<Result<Exit>, T>) -> Error {
    let fate = match ended {
        Ok(Ok(_)) => "it was ended".to_owned(),
        Ok(Err(error)) => format!("it could not be ended for sure: {}", crate::message(&error)),
        Err(_) => "it was told to end but did not answer".to_owned(),
    };
    Error::new(ErrorKind::Timeout, format!("finish `{}` within {limit:?}", shorten(text)))
        .because(format!("it was still running; {fate}"))
        .next("give it a longer time limit, or find out what it waits for")
}

/// The beginning of a command, fit for one line of an error.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// A command may end without reading its input; that is its own business.
async fn feed(mut stdin: Pin<Box<dyn AsyncWrite + Send>>, bytes: Vec<u8>) {
    if stdin.write_all(&bytes).await.is_ok() {
        let _closed_already = stdin.shutdown().await;
    }
}

async fn capture(
    mut stream: Pin<Box<dyn AsyncRead + Send>>,
    limit: usize,
    stop: &Stop,
    heard: Option<(&Tap, OutputStream)>,
) -> Captured {
    let mut captured = Captured::default();
    let mut piece = vec![0; 32 * 1024];
    let mut dropped = 0_u64;
    // A stream that breaks has ended; why is told by `exit`.
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        let kept = captured.push(&piece[..length], limit);
        if let Some((tap, stream)) = heard.filter(|_| kept > 0) {
            tap.hear(stream, &piece[..kept]);
        }
        dropped += (length - kept) as u64;
        if dropped > ENDLESS {
            stop.now.cancel();
        }
    }
    captured
}

/// A stream that keeps the command from being released.
struct Held<T> {
    stream: Pin<Box<T>>,
    _guard: Arc<DropGuard>,
}

impl<T: AsyncRead> AsyncRead for Held<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buf)
    }
}

impl<T: AsyncWrite> AsyncWrite for Held<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
