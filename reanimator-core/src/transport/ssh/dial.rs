//! Reaching a host: name, TCP, each jump host in turn, the host's key, the log-in. Each step with its own words when it
//! fails, and all of them within one time limit.

use std::borrow::Cow;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use russh::{ChannelOpenFailure, Preferred};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::auth::Ways;
use super::known_hosts::{Known, fingerprint};
use super::target::{Hop, SshTarget};
use crate::{Error, ErrorKind, Fingerprint, Result};

/// A silent connection is asked this often whether it still lives, and given up after [`KEEPALIVES`] without an answer.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVES: usize = 3;

/// How much may be under way from a host where somebody types, and how many pieces of it wait for their reader.
const TYPING_WINDOW: u32 = 256 * 1024;
const TYPING_PIECES: usize = 8;

/// A way to a host, logged in.
pub(super) struct Link {
    /// The session with the host itself.
    pub(super) handle: Handle<Client>,
    /// What each hop showed, the host's own last.
    pub(super) shown: Vec<Fingerprint>,
    /// Why the session ended, once it has.
    pub(super) ending: Ending,
    /// The sessions with the jump hosts, kept alive beneath.
    _jumps: Vec<Handle<Client>>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// Why a session ended, told once by the side that notices.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending(Arc<Mutex<Option<String>>>);

impl Ending {
    fn tell(&self, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Why, as far as is known.
    pub(super) fn why(&self) -> String {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.unwrap_or_else(|| "the connection was closed".to_owned())
    }
}

/// Our side of an SSH session.
#[derive(Debug)]
pub(super) struct Client {
    known: Known,
    verdict: Arc<Mutex<Option<Result<Fingerprint>>>>,
    ending: Ending,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = shown.public_key();
        let verdict = self.known.judge(&key).map(|()| fingerprint(&key));
        let trusted = verdict.is_ok();
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        Ok(trusted)
    }

    async fn disconnected(&mut self, reason: client::DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        match reason {
            client::DisconnectReason::ReceivedDisconnect(said) => {
                self.ending.tell(format!("the server ended the connection: {}", said.message.trim()));
                Ok(())
            }
            client::DisconnectReason::Error(error) => {
                self.ending.tell(said(&error));
                Err(error)
            }
        }
    }
}

/// A target whose first host has answered: nothing was said to it yet.
pub(super) struct Reached<'a> {
    target: &'a SshTarget,
    stream: TcpStream,
    deadline: Deadline,
}

/// Connects to the first host on the way.
///
/// # Errors
/// With the hop's label, what was attempted, why it failed and what to do next.
pub(super) async fn reach(target: &SshTarget) -> Result<Reached<'_>> {
    let deadline = Deadline { at: Instant::now() + target.connect_limit, limit: target.connect_limit };
    let first = target.jumps.first().unwrap_or(&target.host);
    let stream = tcp(first, deadline).await.map_err(|error| error.on(first.label()))?;
    Ok(Reached { target, stream, deadline })
}

impl Reached<'_> {
    /// Goes all the way and logs in. That there is nothing to log in with is said last: a host that is no SSH server or
    /// shows another key is the greater news.
    ///
    /// # Errors
    /// As [`reach`].
    pub(super) async fn log_in(self, ways: &Result<Arc<Ways>>) -> Result<Link> {
        let Self { target, stream, deadline } = self;
        let mut hops = target.jumps.iter().chain([&target.host]);
        let Some(first) = hops.next() else { return Err(Error::new(ErrorKind::Internal, "find a host to connect to")) };
        let mut link = session(first, target, stream, ways, deadline).await.map_err(|error| error.on(first.label()))?;
        for hop in hops {
            let through = async {
                let stream = tunnel(&link.handle, hop, deadline).await?;
                session(hop, target, stream, ways, deadline).await
            };
            let Link { handle, shown, ending, .. } = through.await.map_err(|error| error.on(hop.label()))?;
            link._jumps.push(std::mem::replace(&mut link.handle, handle));
            link.shown.extend(shown);
            link.ending = ending;
        }
        Ok(link)
    }
}

#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    async fn hold<T>(self, attempt: impl Fn() -> String, silent: &str, step: impl Future<Output = T>) -> Result<T> {
        tokio::time::timeout_at(self.at, step).await.map_err(|_| {
            Error::new(ErrorKind::Timeout, attempt())
                .because(format!("{silent} within {:?}", self.limit))
                .next("check that the host is up and that no firewall swallows the connection")
        })
    }
}

async fn tcp(hop: &Hop, deadline: Deadline) -> Result<TcpStream> {
    let attempt = || format!("connect to {}", hop.place());
    let lookup = tokio::net::lookup_host((hop.address.as_str(), hop.port));
    let addresses = deadline.hold(attempt, "the name was not resolved", lookup).await?.map_err(|error| {
        Error::new(ErrorKind::Unreachable, attempt())
            .because(format!("the name {} does not resolve", hop.address))
            .next("check the name, or use the address")
            .from_source(error)
    })?;
    let connecting = async {
        let mut last = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| std::io::Error::other("the name has no address")))
    };
    let stream = deadline.hold(attempt, "nothing answered", connecting).await?.map_err(|error| {
        let next = match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "check that sshd runs there and that the port is right",
            _ => "check the address and the network between",
        };
        Error::new(ErrorKind::Unreachable, attempt()).because(plain(&error)).next(next).from_source(error)
    })?;
    // Only costs speed where it is refused.
    let _slower = stream.set_nodelay(true);
    Ok(stream)
}

/// A stream to `hop` through the session with the host before it.
async fn tunnel(
    before: &Handle<Client>,
    hop: &Hop,
    deadline: Deadline,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let attempt = || format!("connect to {} through the jump host", hop.place());
    let opening = before.channel_open_direct_tcpip(&hop.address, u32::from(hop.port), "127.0.0.1", 0);
    let channel = deadline.hold(attempt, "the jump host did not answer", opening).await?.map_err(|error| {
        let (cause, next) = match &error {
            russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
                ("the jump host does not forward", "allow TCP forwarding there (AllowTcpForwarding)")
            }
            russh::Error::ChannelOpenFailure(_) => {
                ("the jump host cannot reach it", "check the address and port as the jump host sees them")
            }
            _ => ("the connection to the jump host was lost", "try again"),
        };
        Error::new(ErrorKind::Unreachable, attempt()).because(cause).next(next).from_source(error)
    })?;
    Ok(channel.into_stream())
}

/// Key exchange, host key, log-in.
async fn session<S>(
    hop: &Hop,
    target: &SshTarget,
    stream: S,
    ways: &Result<Arc<Ways>>,
    deadline: Deadline,
) -> Result<Link>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let known = hop.host_keys.known(&hop.address, hop.port).await?;
    let mut config = client::Config {
        nodelay: true,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        preferred: Preferred { key: Cow::Owned(key_order(&known)), ..Preferred::DEFAULT },
        ..client::Config::default()
    };
    if target.interactive {
        (config.window_size, config.channel_buffer_size) = (TYPING_WINDOW, TYPING_PIECES);
    }
    let config = Arc::new(config);
    let (verdict, ending) = (Arc::new(Mutex::new(None)), Ending::default());
    let client = Client { known, verdict: verdict.clone(), ending: ending.clone() };
    let attempt = || format!("talk SSH with {}", hop.place());
    let talking = client::connect_stream(config, stream, client);
    let connected = deadline.hold(attempt, "it accepted the connection but never spoke SSH", talking).await?;
    let shown = match verdict.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(verdict) => Some(verdict?),
        None => None,
    };
    let (mut handle, shown) = match (connected, shown) {
        (Ok(handle), Some(shown)) => (handle, shown),
        (Ok(_), None) => return Err(Error::new(ErrorKind::Protocol, attempt()).because("it showed no host key")),
        (Err(error), _) => return Err(no_session(attempt(), &error).from_source(error)),
    };
    let ways = ways.as_ref().map_err(Error::copied)?;
    let silent = "it did not answer the log-in";
    deadline.hold(|| format!("log in as {}", hop.user), silent, ways.log_in(&mut handle, &hop.user)).await??;
    Ok(Link { handle, shown: vec![shown], ending, _jumps: Vec::new() })
}

/// The host key types to ask for, the known ones first. SHA-1 signatures are not taken.
fn key_order(known: &Known) -> Vec<Algorithm> {
    let usual = Preferred::DEFAULT.key.iter().filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }));
    let wanted = known.key_types().flat_map(|algorithm| match algorithm {
        Algorithm::Rsa { .. } => {
            vec![Algorithm::Rsa { hash: Some(HashAlg::Sha512) }, Algorithm::Rsa { hash: Some(HashAlg::Sha256) }]
        }
        other => vec![other],
    });
    let mut order: Vec<Algorithm> = Vec::new();
    for algorithm in wanted.chain(usual.cloned()) {
        if !order.contains(&algorithm) && Preferred::DEFAULT.key.contains(&algorithm) {
            order.push(algorithm);
        }
    }
    order
}

fn no_session(attempt: String, error: &russh::Error) -> Error {
    match error {
        russh::Error::Version => Error::new(ErrorKind::Protocol, attempt)
            .because("what answers there is not an SSH server")
            .next("check the port"),
        russh::Error::NoCommonAlgo { kind, theirs, .. } => Error::new(ErrorKind::Protocol, attempt)
            .because(format!("no common algorithm ({kind:?}); it offers {}", theirs.join(", ")))
            .next("update the SSH server there"),
        russh::Error::IO(_) | russh::Error::Disconnect | russh::Error::HUP => {
            Error::new(ErrorKind::Unreachable, attempt)
                .because("it closed the connection before the key exchange was done")
                .next("check that it is an SSH server that lets this address in (MaxStartups, fail2ban, AllowUsers)")
        }
        other => Error::new(ErrorKind::Protocol, attempt).because(other.to_string()).next("check the port"),
    }
}

fn said(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => "the server has fallen silent".to_owned(),
        russh::Error::Disconnect | russh::Error::HUP => "the connection was closed".to_owned(),
        russh::Error::IO(error) => plain(error),
        other => other.to_string(),
    }
}

/// An I/O error without the number that the system puts behind it.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
