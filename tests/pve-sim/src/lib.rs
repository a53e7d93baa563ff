//! A Proxmox VE look-alike over HTTPS, for tests that need a real network peer.
//!
//! It serves clusters of nodes with guests and storages, each node at an
//! address and with a certificate of its own, and refuses what the real API
//! refuses: every request is checked against the facts of the API (paths,
//! methods, parameters, permissions). Writes change real state through tasks
//! with UPIDs, figures move with time, and [`Control`] makes things fail.
//!
//! It runs in a test ([`Sim::start`], stopped when dropped) or as the program
//! `pve-sim`, which prints one line of JSON and serves until it is ended.
//! Answers have the shapes recorded from the genuine API; what was not recorded
//! has the shape of the API's own description and says `unrecorded` in its
//! source.
//!
//! ```no_run
//! # async fn example() -> Result<(), pve_sim::Error> {
//! let sim = pve_sim::Sim::start(pve_sim::Options::default()).await?;
//! let info = sim.info();
//! println!("{} with {}", info.url, info.token);
//! sim.control().node_down(&info.nodes[1].name).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The nodes listen on consecutive loopback addresses with one port where that
//! is free, so the `ip` in `/cluster/status` with that port reaches the node.

mod access;
mod check;
mod control;
mod facts;
mod faults;
mod figures;
mod formats;
mod ha_manager;
mod login;
mod machines;
mod manager;
mod params;
mod power;
mod refusal;
mod remote;
mod routes;
mod seed;
mod seed_facts;
mod server;
mod shells;
pub mod shim;
mod ssh;
mod state;
mod tasks;
mod tls;
mod tools;
mod uploads;
mod world;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use control::Control;
pub use faults::Order;

use seed::{Place, Plan, Secrets};
use tls::Identity;
use world::{Boot, Door, World};

/// The most nodes a cluster has: real ones do not go beyond.
pub const MOST_NODES: u32 = 32;

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the first node listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many clusters. Defaults to 1.
    pub clusters: u32,
    /// Nodes per cluster, at most [`MOST_NODES`]; one node is in no cluster.
    /// Defaults to 3.
    pub nodes: u32,
    /// Guests per cluster. Defaults to 8.
    pub guests: u32,
    /// What the guests and the load curves are made from. Defaults to 1.
    pub seed: u64,
    /// How long a failed log-in is held back. Defaults to 3 s, as it is.
    pub login_delay: Duration,
    /// How long the shortest task takes; others are multiples of it.
    /// Defaults to 1 s.
    pub task_time: Duration,
    /// Whether each node answers SSH too. Defaults to no.
    pub ssh: bool,
    /// The program `pve-sim`, which SSH needs for the commands of the nodes.
    /// Defaults to the one beside this program.
    pub program: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            clusters: 1,
            nodes: 3,
            guests: 8,
            seed: 1,
            login_delay: Duration::from_secs(3),
            task_time: Duration::from_secs(1),
            ssh: false,
            program: None,
        }
    }
}

/// How to reach what is simulated.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// The first node, such as `https://127.0.0.1:8006`.
    pub url: String,
    /// A token that may do everything: `root@pam!sim=SECRET`.
    pub token: String,
    /// A token to which nothing is granted.
    pub token_without_acl: String,
    /// The first node's certificate: SHA-256, upper-case pairs and colons.
    pub fingerprint: String,
    /// `root@pam`.
    pub user: String,
    /// The password of that user.
    pub password: String,
    /// The control address.
    pub control: String,
    /// Every node of every cluster.
    pub nodes: Vec<NodeInfo>,
}

/// How to reach one node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeInfo {
    /// The name of its cluster.
    pub cluster: String,
    /// Its own name.
    pub name: String,
    /// Its API.
    pub url: String,
    /// Its certificate: SHA-256, upper-case pairs and colons.
    pub fingerprint: String,
    /// Its SSH server, where there is one.
    pub ssh: Option<SshInfo>,
}

/// How to reach a node by SSH.
#[derive(Clone, Debug, Serialize)]
pub struct SshInfo {
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `root`.
    pub user: String,
    /// The password of that user.
    pub password: String,
    /// A private key that is let in as well, in OpenSSH's form.
    pub key: String,
    /// The server's public key, in OpenSSH's form.
    pub host_key: String,
}

/// What one node has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// At its own address.
    pub taken: u64,
    /// Passed on to it by another node of its cluster, because they were about it.
    pub passed_on: u64,
}

/// Why the simulation could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address could not be listened at.
    #[error("cannot listen at {address}; choose a free address or port 0")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate for {node}: {why}")]
    Certificate {
        /// For which node.
        node: String,
        /// Why not.
        why: String,
    },
    /// The nodes' SSH servers cannot be made ready.
    #[error("{0}")]
    Ssh(String),
    /// The options do not make sense.
    #[error("{0}")]
    Options(String),
    /// An order to the control address does not make sense.
    #[error("{0}")]
    Order(String),
}

/// A running simulation; stops when dropped.
pub struct Sim {
    info: Info,
    control: Control,
    stop: watch::Sender<bool>,
}

impl Sim {
    /// Starts to serve, and returns when all addresses answer.
    ///
    /// # Errors
    /// Where an address cannot be listened at or the options do not fit.
    pub async fn start(options: Options) -> Result<Self, Error> {
        if options.nodes == 0 || options.nodes > MOST_NODES || options.clusters == 0 {
            return Err(Error::Options(format!(
                "there must be a cluster, with 1 to {MOST_NODES} nodes; make more clusters instead"
            )));
        }
        let secret = || uuid::Uuid::new_v4().to_string();
        let secrets = Secrets { password: secret(), token: secret(), stranger: secret() };
        let (stop, stopped) = watch::channel(false);
        let (control_listener, address) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let control_url = format!("http://{address}");
        let mut built = build(&options, &secrets).await?;
        let ssh = if options.ssh { open_ssh(&options, &secrets, &control_url, &mut built).await? } else { Vec::new() };
        let world = Arc::new(World::new(built.clusters, built.doors, options.login_delay));
        for (door, at) in built.listeners.into_iter().enumerate() {
            tokio::spawn(server::serve(Arc::clone(&world), door, at, stopped.clone()));
        }
        for (door, (server, at)) in ssh.into_iter().enumerate() {
            let server = Arc::new(server);
            let work = move |stream| Arc::clone(&server).connection(stream);
            tokio::spawn(server::listen(Arc::clone(&world), door, 1, at, stopped.clone(), work));
        }
        for cluster in 0..world.cluster_count() {
            tokio::spawn(power::keep(Arc::clone(&world), cluster, stopped.clone()));
        }
        let control = Control { world };
        tokio::spawn(control::serve(control.clone(), control_listener, stopped));
        let first = &built.nodes[0];
        let info = Info {
            url: first.url.clone(),
            token: format!("root@pam!sim={}", secrets.token),
            token_without_acl: format!("root@pam!stranger={}", secrets.stranger),
            fingerprint: first.fingerprint.clone(),
            user: "root@pam".to_owned(),
            password: secrets.password,
            control: control_url,
            nodes: built.nodes,
        };
        Ok(Self { info, control, stop })
    }

    /// How to reach it.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The requests that each node has seen so far, in the order of [`Info::nodes`].
    pub fn requests(&self) -> Vec<Requests> {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let doors = self.control.world.doors.iter();
        doors.map(|door| Requests { taken: count(&door.taken), passed_on: count(&door.passed_on) }).collect()
    }

    /// The means to make it fail.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[derive(Default)]
struct Built {
    clusters: Vec<state::Cluster>,
    doors: Vec<Door>,
    listeners: Vec<(TcpListener, SocketAddr)>,
    nodes: Vec<NodeInfo>,
}

async fn build(options: &Options, secrets: &Secrets) -> Result<Built, Error> {
    let mut built = Built::default();
    let mut wanted = options.listen;
    for cluster in 0..options.clusters as usize {
        let mut places = Vec::new();
        for node in 0..options.nodes as usize {
            let (listener, address) = listen_near(wanted, built.listeners.is_empty()).await?;
            wanted = after(if built.listeners.is_empty() { address } else { wanted });
            let name = seed::node_name(cluster, node);
            let ip = address.ip().to_string();
            let (identity, certificate) = Identity::new(&name, &ip)?;
            built.nodes.push(NodeInfo {
                cluster: format!("sim{}", cluster + 1),
                name: name.clone(),
                url: format!("https://{address}"),
                fingerprint: certificate.fingerprint.clone(),
                ssh: None,
            });
            built.doors.push(Door {
                cluster,
                node,
                name,
                ip: ip.clone(),
                address: address.to_string(),
                identity,
                wanted: watch::Sender::new(true),
                open: (0..=usize::from(options.ssh)).map(|_| watch::Sender::new(true)).collect(),
                taken: AtomicU64::new(0),
                passed_on: AtomicU64::new(0),
                boot: Mutex::default(),
            });
            built.listeners.push((listener, address));
            places.push(Place { ip, fingerprint: certificate.fingerprint, certificate_pem: certificate.pem });
        }
        let plan = Plan {
            index: cluster,
            guests: options.guests,
            seed: options.seed,
            pace: options.task_time.as_secs_f64(),
            now: world::now(),
        };
        built.clusters.push(seed::cluster(&plan, places, secrets));
    }
    Ok(built)
}

type Listening = (TcpListener, SocketAddr);

/// An SSH server for every node, at a free port of the node's address.
async fn open_ssh(
    options: &Options,
    secrets: &Secrets,
    control: &str,
    built: &mut Built,
) -> Result<Vec<(ssh::Server, Listening)>, Error> {
    let shells = shells::Shells::new(shells::find_program(options.program.clone())?)?;
    let key = ssh::new_key();
    let written = key.to_openssh(LineEnding::LF).map_err(|error| Error::Ssh(format!("cannot write a key: {error}")))?;
    let keys = ssh::Keys { user: "root", password: secrets.password.clone(), key: key.public_key().clone() };
    let mut servers = Vec::new();
    for (index, node) in built.nodes.iter_mut().enumerate() {
        let ip = built.listeners[index].1.ip();
        let seed = built.clusters[built.doors[index].cluster].seed ^ index as u64;
        let shell = shells.node(&node.name, seed, control)?;
        built.doors[index].boot = Mutex::new(Boot { noted: None, file: Some(shell.boot_id()) });
        let (server, host_key) = ssh::server(keys.clone(), shell)?;
        let at = listen(SocketAddr::new(ip, 0)).await?;
        node.ssh = Some(SshInfo {
            address: ip.to_string(),
            port: at.1.port(),
            user: keys.user.to_owned(),
            password: keys.password.clone(),
            key: written.to_string(),
            host_key,
        });
        servers.push((server, at));
    }
    Ok(servers)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Listens at the wanted address; all but the first take another port where
/// that one is taken.
async fn listen_near(wanted: SocketAddr, first: bool) -> Result<(TcpListener, SocketAddr), Error> {
    match listen(wanted).await {
        Err(_) if !first => listen(SocketAddr::new(wanted.ip(), 0)).await,
        outcome => outcome,
    }
}

/// The next address: the next of loopback with the same port, elsewhere the
/// next port.
fn after(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_loopback() => {
            let mut next = u32::from(ip) + 1;
            while matches!(next & 0xff, 0 | 255) {
                next += 1;
            }
            SocketAddr::new(IpAddr::V4(Ipv4Addr::from(next)), address.port())
        }
        ip => SocketAddr::new(ip, address.port().saturating_add(1)),
    }
}
