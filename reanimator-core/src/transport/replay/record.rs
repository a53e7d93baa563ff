//! Standing before a transport and writing down what passes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use futures::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::http::blank_exchange;
use super::lock;
use super::tape::{Answered, Asked, Bytes, Entry, Failed, Run, Session, Step};
use crate::transport::command::{Become, Command, Output};
use crate::transport::http::HttpTransport;
use crate::transport::{Process, Transport};
use crate::{Error, ErrorKind, Result};

/// What stands where a secret stood.
pub(super) const BLANK: &str = "[secret]";

/// Passes everything on to a transport, and writes it down.
#[derive(Debug)]
pub struct Recorder<T> {
    inner: T,
    tape: Arc<Tape>,
}

struct Tape {
    file: Mutex<File>,
    secrets: Vec<SecretString>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}

impl<T: Transport> Recorder<T> {
    /// Records into a new file; `secrets` are blanked out wherever they show up.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn create(inner: T, path: &Path, secrets: Vec<SecretString>) -> Result<Self> {
        let label = inner.label();
        Self::begin(inner, label, path, secrets)
    }
}

impl<T: HttpTransport> Recorder<T> {
    /// Records HTTP into a new file; `secrets` are blanked out beside everything that logs in.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn of_http(inner: T, path: &Path, secrets: Vec<SecretString>) -> Result<Self> {
        let label = inner.endpoint();
        Self::begin(inner, label, path, secrets)
    }
}

impl<T> Recorder<T> {
    fn begin(inner: T, label: String, path: &Path, secrets: Vec<SecretString>) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("begin the recording {}", path.display()))
                .because(error.to_string())
                .next("name a file that does not exist yet, in a folder that may be written to")
                .from_source(error)
        })?;
        let tape = Arc::new(Tape { file: Mutex::new(file), secrets });
        tape.write(Entry::Recorded { label }, &Become::No)?;
        Ok(Self { inner, tape })
    }

    pub(super) fn inner(&self) -> &T {
        &self.inner
    }

    /// Writes an exchange down; `sent` are the secrets that went along with it.
    pub(super) fn note(&self, entry: Entry, sent: &[&str]) -> Result<()> {
        self.tape.write_without(entry, sent)
    }
}

#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    fn label(&self) -> String {
        self.inner.label()
    }

    async fn run(&self, command: Command) -> Result<Output> {
        let (asked, become_root) = (Asked::of(&command), command.become_root.clone());
        let outcome = self.inner.run(command).await;
        let answer = match &outcome {
            Ok(output) => Run::Answered(Answered {
                status: output.status,
                signal: output.signal.clone(),
                stdout: Bytes(output.stdout.bytes.clone()),
                stderr: Bytes(output.stderr.bytes.clone()),
                stdout_cut_at: output.stdout.cut_at,
                stderr_cut_at: output.stderr.cut_at,
            }),
            Err(error) => Run::Failed { failed: Failed { kind: error.kind(), said: crate::message(error) } },
        };
        self.tape.write(Entry::Run { asked, answer }, &become_root)?;
        outcome
    }

    async fn start(&self, command: Command) -> Result<Process> {
        let (asked, become_root) = (Asked::of(&command), command.become_root.clone());
        let process = self.inner.start(command).await?;
        let session = Arc::new(Recording { tape: self.tape.clone(), asked, become_root, heard: Mutex::default() });
        let (at_exit, exit) = (session.clone(), process.exit);
        Ok(Process {
            stdin: Box::pin(Listening { stream: process.stdin, to: session.clone(), errors: false }),
            stdout: Box::pin(Listening { stream: process.stdout, to: session.clone(), errors: false }),
            stderr: Box::pin(Listening { stream: process.stderr, to: session, errors: true }),
            exit: async move {
                let ended = exit.await?;
                let mut heard = lock(&at_exit.heard);
                (heard.status, heard.signal) = (ended.status, ended.signal.clone());
                drop(heard);
                Ok(ended)
            }
            .boxed(),
        })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

impl Tape {
    /// Writes one line, without secrets.
    fn write(&self, entry: Entry, become_root: &Become) -> Result<()> {
        let sudo = match become_root {
            Become::SudoPassword(password) => Some(password.expose_secret()),
            Become::No | Become::Sudo => None,
        };
        self.write_without(entry, sudo.as_slice())
    }

    /// Writes one line, without the tape's secrets and without these.
    fn write_without(&self, mut entry: Entry, more: &[&str]) -> Result<()> {
        let known = self.secrets.iter().map(ExposeSecret::expose_secret);
        let secrets: Vec<&str> = known.chain(more.iter().copied()).collect();
        blank_entry(&mut entry, &secrets);
        let failed = |cause: String| {
            Error::new(ErrorKind::Storage, "write a recording").because(cause).next("check the disk it is written to")
        };
        let mut line = serde_json::to_vec(&entry).map_err(|error| failed(error.to_string()))?;
        line.push(b'\n');
        lock(&self.file).write_all(&line).map_err(|error| failed(error.to_string()).from_source(error))
    }
}

fn blank_entry(entry: &mut Entry, secrets: &[&str]) {
    let in_text = |text: &mut String| *text = secrets.iter().fold(text.clone(), |text, secret| blank(text, secret));
    let in_bytes = |bytes: &mut Bytes| {
        bytes.0 = secrets.iter().fold(std::mem::take(&mut bytes.0), |bytes, secret| blank_bytes(bytes, secret));
    };
    match entry {
        Entry::Recorded { label } => in_text(label),
        Entry::Run { asked, answer } => {
            in_text(&mut asked.command);
            match answer {
                Run::Answered(answered) => {
                    in_bytes(&mut answered.stdout);
                    in_bytes(&mut answered.stderr);
                }
                Run::Failed { failed } => in_text(&mut failed.said),
            }
        }
        Entry::Session { asked, answer } => {
            in_text(&mut asked.command);
            in_bytes(&mut answer.stderr);
            for step in &mut answer.steps {
                in_bytes(&mut step.asked);
                in_bytes(&mut step.answered);
            }
        }
        Entry::Http { asked, answer } => blank_exchange(asked, answer, secrets),
    }
}

pub(super) fn blank(text: String, secret: &str) -> String {
    if secret.is_empty() { text } else { text.replace(secret, BLANK) }
}

pub(super) fn blank_bytes(bytes: Vec<u8>, secret: &str) -> Vec<u8> {
    let secret = secret.as_bytes();
    if secret.is_empty() || bytes.len() < secret.len() {
        return bytes;
    }
    let mut blanked = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        blanked.extend_from_slice(&rest[..at]);
        blanked.extend_from_slice(BLANK.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    blanked.extend_from_slice(rest);
    blanked
}

/// A started command under record; written down when the last of its streams is let go.
struct Recording {
    tape: Arc<Tape>,
    asked: Asked,
    become_root: Become,
    heard: Mutex<Session>,
}

impl Recording {
    fn asked(&self, bytes: &[u8]) {
        let steps = &mut lock(&self.heard).steps;
        match steps.last_mut() {
            // A question goes on until its line is complete, or until it was answered.
            Some(step) if step.answered.is_empty() && !step.asked.0.ends_with(b"\n") => {
                step.asked.0.extend_from_slice(bytes);
            }
            _ => steps.push(Step { asked: Bytes(bytes.to_vec()), answered: Bytes::default() }),
        }
    }

    fn answered(&self, bytes: &[u8], errors: bool) {
        let session = &mut *lock(&self.heard);
        if errors {
            session.stderr.0.extend_from_slice(bytes);
        } else if let Some(step) = session.steps.last_mut() {
            step.answered.0.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            session.steps.push(Step { asked: Bytes::default(), answered: Bytes(bytes.to_vec()) });
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let answer = std::mem::take(&mut *lock(&self.heard));
        let entry = Entry::Session { asked: self.asked.clone(), answer };
        if let Err(error) = self.tape.write(entry, &self.become_root) {
            tracing::error!(%error, "a started command is missing in the recording");
        }
    }
}

/// A stream that is listened in on.
struct Listening<S> {
    stream: S,
    to: Arc<Recording>,
    errors: bool,
}

impl AsyncRead for Listening<Pin<Box<dyn AsyncRead + Send>>> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let outcome = ready!(self.stream.as_mut().poll_read(cx, buf));
        self.to.answered(&buf.filled()[before..], self.errors);
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Listening<Pin<Box<dyn AsyncWrite + Send>>> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let outcome = ready!(self.stream.as_mut().poll_write(cx, buf));
        if let Ok(written) = outcome {
            self.to.asked(&buf[..written]);
        }
        Poll::Ready(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
