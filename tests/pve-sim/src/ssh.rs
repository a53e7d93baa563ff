//! SSH: each node runs what it is told in a real `/bin/sh`.
//!
//! The shell finds `pvesh`, `qm` and the like first in its PATH: small scripts
//! that ask the simulation. What tells one machine from another (`machine-id`,
//! the host name, addresses of network cards) is each node's own where it is
//! read by `grep`, `cat`, `hostname` or `id`; everything else, such as `/proc`,
//! is of the machine that all of this runs on.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, Sig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

use crate::Error;
use crate::shells::Shell;

/// What opens a node's door.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The only user.
    pub(crate) user: &'static str,
    pub(crate) password: String,
    pub(crate) key: PublicKey,
}

/// One node's SSH server.
pub(crate) struct Server {
    pub(crate) config: Arc<Config>,
    pub(crate) keys: Keys,
    pub(crate) shell: Shell,
}

/// A new key.
pub(crate) fn new_key() -> PrivateKey {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    seed[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

/// A server with a host key of its own; also gives that key in OpenSSH's form.
///
/// # Errors
/// Where the key cannot be written.
pub(crate) fn server(keys: Keys, shell: Shell) -> Result<(Server, String), Error> {
    let key = new_key();
    let written = key.public_key().to_openssh();
    let public = written.map_err(|error| Error::Ssh(format!("cannot write a host key: {error}")))?;
    let config = Config {
        keys: vec![key],
        nodelay: true,
        auth_rejection_time: Duration::from_millis(50),
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..Config::default()
    };
    Ok((Server { config: Arc::new(config), keys, shell }, public))
}

impl Server {
    /// Serves one connection until it ends.
    pub(crate) async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let handler = Visitor { server: Arc::clone(&self), channels: HashMap::new() };
        let session = russh::server::run_stream(Arc::clone(&self.config), stream, handler).await;
        let ended = match session {
            Ok(session) => session.await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an SSH session ended");
        }
    }
}

struct Visitor {
    server: Arc<Server>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Visitor {
    fn is_user(&self, user: &str) -> bool {
        user == self.server.keys.user
    }

    fn start(&mut self, id: ChannelId, command: Option<Vec<u8>>, session: &mut Session) -> Result<(), russh::Error> {
        let Some(channel) = self.channels.remove(&id) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let shell = self.server.shell.clone();
        tokio::spawn(async move {
            if let Err(error) = run(channel, command, &shell).await {
                tracing::debug!(%error, "a command broke off");
            }
        });
        Ok(())
    }
}

fn decide(accepted: bool) -> Auth {
    if accepted { Auth::Accept } else { Auth::reject() }
}

impl Handler for Visitor {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(decide(self.is_user(user) && password == self.server.keys.password))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = key.public_key.key_data() == self.server.keys.key.key_data();
        Ok(decide(self.is_user(user) && known))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        self.start(id, Some(data.to_vec()), session)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.start(id, None, session)
    }
}

/// Runs a command (or a shell that reads its input) on a channel.
async fn run(channel: Channel<Msg>, command: Option<Vec<u8>>, shell: &Shell) -> std::io::Result<()> {
    let (read, write) = channel.split();
    let mut child = spawn(command, shell)?;
    let group = child.id();
    let output = copy(child.stdout.take(), write.make_writer());
    let errors = copy(child.stderr.take(), write.make_writer_ext(Some(1)));
    let input = feed(read, child.stdin.take(), group);
    let work = async {
        let (_, _, status) = tokio::join!(output, errors, child.wait());
        status
    };
    let status = tokio::select! {
        status = work => status?,
        () = input => {
            kill(group, "KILL").await;
            return Ok(());
        }
    };
    let code = status.code().unwrap_or(255);
    let _ = write.exit_status(u32::try_from(code).unwrap_or(255)).await;
    let _ = write.eof().await;
    let _ = write.close().await;
    Ok(())
}

fn spawn(command: Option<Vec<u8>>, shell: &Shell) -> std::io::Result<Child> {
    let mut process = Command::new("/bin/sh");
    if let Some(command) = command {
        process.arg("-c").arg(OsString::from_vec(command));
    }
    process
        .env_clear()
        .envs(shell.environment())
        .current_dir(shell.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn copy(from: Option<impl tokio::io::AsyncRead + Unpin>, to: impl tokio::io::AsyncWrite) {
    if let Some(mut from) = from {
        let mut to = std::pin::pin!(to);
        // An end of the channel is seen by whoever reads from it.
        let _ = tokio::io::copy(&mut from, &mut to).await;
    }
}

/// Passes on what the other side sends, until it closes the channel.
async fn feed(mut read: ChannelReadHalf, mut stdin: Option<ChildStdin>, group: Option<u32>) {
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                if let Some(pipe) = &mut stdin
                    && pipe.write_all(&data).await.is_err()
                {
                    stdin = None;
                }
            }
            ChannelMsg::Eof => stdin = None,
            ChannelMsg::Signal { signal } => {
                let name = match signal {
                    Sig::TERM => "TERM",
                    Sig::INT => "INT",
                    Sig::HUP => "HUP",
                    _ => "KILL",
                };
                kill(group, name).await;
            }
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// Ends a command with everything that it started.
async fn kill(group: Option<u32>, signal: &str) {
    if let Some(group) = group {
        let line = format!("kill -{signal} -{group}");
        let _ = Command::new("/bin/sh").arg("-c").arg(line).stderr(Stdio::null()).status().await;
    }
}
