//! Where an SSH server is, as whom to log in, and with what: plain values.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::known_hosts::HostKeyPolicy;
use crate::model::connection::SshReach;

/// How long reaching a host may take: name, TCP, key exchange and log-in together, through all jump hosts.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How many commands run over one connection at once. OpenSSH allows 10 sessions unless told otherwise; two stay free
/// for ending commands.
pub const SESSIONS: usize = 8;

/// Where an SSH server is and as whom to log in there.
#[derive(Clone, Debug)]
pub struct SshTarget {
    /// The host itself.
    pub host: Hop,
    /// Hosts to go through, first one first. They get the same keys and passwords as the host.
    pub jumps: Vec<Hop>,
    /// Whether the running SSH agent is asked.
    pub use_agent: bool,
    /// The agent's socket. Defaults to `SSH_AUTH_SOCK`.
    pub agent_socket: Option<PathBuf>,
    /// Private key files to read at the log-in, `~` understood.
    pub key_files: Vec<PathBuf>,
    /// Defaults to [`CONNECT_LIMIT`].
    pub connect_limit: Duration,
    /// Defaults to [`SESSIONS`]; lowered by itself when the server allows fewer.
    pub sessions: usize,
    /// Whether somebody types there: then little is under way at once, so that a key which stops a flood is felt soon.
    /// Defaults to no.
    pub interactive: bool,
}

/// One host on the way, the last one included.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Name or address.
    pub address: String,
    /// Its SSH port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// Which key it may show.
    pub host_keys: HostKeyPolicy,
}

impl Hop {
    /// A host whose key is looked up in the user's and the system's `known_hosts`.
    pub fn new(address: impl Into<String>, port: u16, user: impl Into<String>) -> Self {
        Self { address: address.into(), port, user: user.into(), host_keys: HostKeyPolicy::system() }
    }

    /// `root@192.0.2.1:22`
    pub fn label(&self) -> String {
        format!("{}@{}", self.user, self.place())
    }

    /// `192.0.2.1:22`, `[2001:db8::1]:22`
    pub fn place(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

impl SshTarget {
    /// A host without jump hosts.
    pub fn new(host: Hop) -> Self {
        Self {
            host,
            jumps: Vec::new(),
            use_agent: false,
            agent_socket: None,
            key_files: Vec::new(),
            connect_limit: CONNECT_LIMIT,
            sessions: SESSIONS,
            interactive: false,
        }
    }

    /// Accepts an unknown host key with this fingerprint (`SHA256:...`), wherever on the way it is shown.
    #[must_use]
    pub fn accepting(mut self, fingerprint: &str) -> Self {
        for hop in self.jumps.iter_mut().chain([&mut self.host]) {
            hop.host_keys.accept = Some(fingerprint.to_owned());
        }
        self
    }
}

impl From<&SshReach> for SshTarget {
    fn from(reach: &SshReach) -> Self {
        let hop = |address: &str, port, user: &str, pinned: &Option<String>| {
            let mut hop = Hop::new(address, port, user);
            hop.host_keys.pinned.clone_from(pinned);
            hop
        };
        let mut target = Self::new(hop(&reach.address, reach.port, &reach.user, &reach.host_key));
        target.jumps =
            reach.jumps.iter().map(|jump| hop(&jump.address, jump.port, &jump.user, &jump.host_key)).collect();
        target.use_agent = reach.use_agent;
        target.key_files = reach.key_files.iter().map(PathBuf::from).collect();
        target
    }
}

/// What to log in with. All are optional; what is there is tried in this order, after which the password also answers
/// a keyboard-interactive question.
#[derive(Clone, Debug, Default)]
pub struct SshCredentials {
    /// A private key as text.
    pub key_pem: Option<SecretString>,
    /// Opens the private key, and the key files.
    pub passphrase: Option<SecretString>,
    /// The account's password.
    pub password: Option<SecretString>,
    /// What `sudo` asks for.
    pub sudo_password: Option<SecretString>,
}

impl SshCredentials {
    /// A private key as text, without a passphrase.
    pub fn key(pem: impl Into<SecretString>) -> Self {
        Self { key_pem: Some(pem.into()), ..Self::default() }
    }

    /// A password.
    pub fn password(password: impl Into<SecretString>) -> Self {
        Self { password: Some(password.into()), ..Self::default() }
    }
}
