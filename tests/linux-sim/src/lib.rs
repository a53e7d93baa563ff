//! Many believable Linux hosts in one process, behind real SSH.
//!
//! Each host has a listener of its own on a loopback address, a host key, a name, a machine-id and a MAC of its own,
//! and figures that are a pure function of the seed and of the time ([`Machine`]): load rises and falls, counters grow
//! with it, a reboot starts them again. It answers the watching shell, the commands that the core asks once, its
//! questions for slow facts, and the plain commands of [`commands`]; it has no shell, and says `not found` to the rest.
//!
//! For scale figures and for faults that no real machine has on demand ([`Fault`]). What a real shell does with a
//! command is tested against a real sshd, not here.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use linux_sim::{Fault, Options, Sim};
//! let sim = Sim::start(Options { hosts: 3, ..Options::default() }).await?;
//! println!("{}", serde_json::to_string(&sim.hosts()[0])?);
//! sim.fault(1, Fault::Silent);
//! # Ok(()) }
//! ```

mod answers;
pub mod commands;
mod facts;
mod machine;
mod server;

use std::{
    collections::BTreeSet,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
};

use rand::RngCore as _;
use russh::keys::{PrivateKey, ssh_key};
use serde::Serialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use machine::{Figures, Machine};
use server::Served;

/// Who logs in at every host.
pub const USER: &str = "root";

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many hosts. Defaults to 1.
    pub hosts: usize,
    /// The same seed gives the same hosts, host keys included. Defaults to 1.
    pub seed: u64,
    /// The first host's address; the others follow one by one. Defaults to 127.77.0.1.
    pub base: Ipv4Addr,
    /// The port of every host. Defaults to 0: a free one for each.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { hosts: 1, seed: 1, base: Ipv4Addr::new(127, 77, 0, 1), port: 0 }
    }
}

/// Where a host is and how to get in, as the lab says it too.
#[derive(Clone, Debug, Serialize)]
pub struct SimHost {
    /// What it calls itself.
    pub name: String,
    /// Its loopback address.
    pub address: String,
    /// Where it listens.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// The private key that opens every host; gone when the simulation ends.
    pub key: PathBuf,
    /// Its public key line.
    pub host_key: String,
}

/// What may be wrong with a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    Clear,
    /// Takes connections and says nothing; what runs already no longer answers.
    Silent,
    /// Drops every connection and listens no more.
    Refuse,
    /// Drops every connection, and its counters start at zero. Over at once; an earlier fault is over too.
    Reboot,
    /// Says two megabytes that are no text, whatever it is asked.
    Garbage,
    /// Ends in the middle of an answer.
    HalfFrame,
    /// Its clock is an hour ahead.
    ClockOff,
    /// Never ends what it says.
    Endless,
}

/// Running hosts. Dropped, they are gone.
#[derive(Debug)]
pub struct Sim {
    hosts: Vec<SimHost>,
    served: Vec<Arc<Served>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _directory: TempDir,
}

impl Sim {
    /// Starts every host; each listens when this returns.
    ///
    /// # Errors
    /// When the addresses leave the loopback, one of them is taken, or there are not enough file descriptors.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let _as_high_as_allowed = raise_descriptor_limit();
        let directory = tempfile::Builder::new().prefix("linux-sim-").tempdir()?;
        let (key, allowed) = client_key(&directory)?;
        let stop = CancellationToken::new();
        let mut sim = Self {
            hosts: Vec::with_capacity(options.hosts),
            served: Vec::with_capacity(options.hosts),
            tasks: TaskTracker::new(),
            stop,
            _directory: directory,
        };
        for index in 0..options.hosts {
            let address = address(options.base, index)?;
            let listener = TcpListener::bind(SocketAddr::new(address, options.port)).await?;
            let host_key = seeded_key(options.seed, index);
            let machine = Machine::generate(options.seed, index);
            sim.hosts.push(SimHost {
                name: machine.name().to_owned(),
                address: address.to_string(),
                port: listener.local_addr()?.port(),
                user: USER.to_owned(),
                key: key.clone(),
                host_key: host_key.public_key().to_openssh().map_err(std::io::Error::other)?,
            });
            let served =
                Served::new(machine, host_key, allowed.clone(), listener.local_addr()?, sim.stop.child_token());
            sim.tasks.spawn(served.clone().run(listener));
            sim.served.push(served);
        }
        Ok(sim)
    }

    /// The hosts in order.
    pub fn hosts(&self) -> &[SimHost] {
        &self.hosts
    }

    /// Breaks or mends one host; the others go on.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn fault(&self, index: usize, fault: Fault) {
        self.served[index].break_with(fault);
    }

    /// Lets a host's root file system be so full from now on, 0 to 1, and grow by so much in an hour.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn fill(&self, index: usize, share: f64, per_hour: f64) {
        self.served[index].fill(share, per_hour);
    }

    /// What a host's figures are right now: what a client should see.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn figures(&self, index: usize) -> Figures {
        self.served[index].figures()
    }

    /// The questions for facts that were asked of any host and have no answer here.
    pub fn unknown_questions(&self) -> Vec<String> {
        let all: BTreeSet<String> = self.served.iter().flat_map(|served| served.unknown()).collect();
        all.into_iter().collect()
    }

    /// Ends every host, and waits until the last connection is gone.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn address(base: Ipv4Addr, index: usize) -> std::io::Result<IpAddr> {
    let address = u32::try_from(index).ok().and_then(|index| u32::from(base).checked_add(index)).map(Ipv4Addr::from);
    address.filter(Ipv4Addr::is_loopback).map(IpAddr::V4).ok_or_else(|| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            format!("host {index} from {base} on would leave 127.0.0.0/8: start lower or take fewer hosts"),
        )
    })
}

/// A key that opens every host, written where only we read it.
fn client_key(directory: &TempDir) -> std::io::Result<(PathBuf, ssh_key::PublicKey)> {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&seed));
    let path = directory.path().join("key");
    let text = key.to_openssh(ssh_key::LineEnding::LF).map_err(std::io::Error::other)?;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
    Ok((path, key.public_key().clone()))
}

/// A host's key. It guards nothing, so it may come out of the seed: a host that starts again is the same host.
fn seeded_key(seed: u64, index: usize) -> PrivateKey {
    let mut bytes = [0; 32];
    machine::random(seed, index, 1).fill_bytes(&mut bytes);
    PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&bytes))
}

/// Each host takes a listener and a connection.
fn raise_descriptor_limit() -> Result<(), rustix::io::Errno> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
}
