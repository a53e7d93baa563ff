//! What a service can be told, and what it tells when it is up.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use reanimator_core::workflows::live::LiveOptions;

/// The port that nobody has to name.
const DEFAULT_PORT: u16 = 8420;

/// How the service listens, and to whom.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen. Defaults to `127.0.0.1:8420`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether and with which certificate it speaks TLS. Defaults to [`Tls::Off`].
    pub tls: Tls,
    /// Whether it may listen beyond loopback without TLS. Defaults to no.
    pub allow_plain: bool,
    /// Names besides loopback's own under which it may be called while it listens on loopback (behind a proxy), and
    /// which a self-made certificate names too. Defaults to none.
    pub allowed_hosts: Vec<String>,
    /// Whether the first admin may be made over HTTP with a one-time link. Defaults to yes.
    pub allow_setup: bool,
    /// How the live loop observes.
    pub live: LiveOptions,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            tls: Tls::Off,
            allow_plain: false,
            allowed_hosts: Vec::new(),
            allow_setup: true,
            live: LiveOptions::default(),
        }
    }
}

/// Whether the service speaks TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// It does not.
    #[default]
    Off,
    /// With a given certificate.
    Files {
        /// The chain, PEM.
        certificate: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
    },
    /// With one that it makes for itself once and keeps in the data directory.
    SelfMade,
}

/// A service that is up.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    /// What to open: `http://127.0.0.1:8420`.
    pub url: String,
    /// While nobody can log in yet: the link that makes the first admin. Whoever has it becomes admin, so print it
    /// on the console and nowhere else.
    pub setup_link: Option<String>,
    /// SHA-256 of the certificate, `AA:BB:...`, under TLS.
    pub fingerprint: Option<String>,
}
