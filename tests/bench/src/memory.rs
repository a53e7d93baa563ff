//! What the running service holds and uses with five hundred hosts connected.

use std::{
    collections::BTreeSet,
    io::BufReader,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reanimator_core::{
    Fleet, FleetOptions,
    model::{Connection, ConnectionId, Host, HostId, HostState, Link, Reach, SshReach, Sudo},
};

use serde_json::Value;

use crate::{
    Result, processes,
    report::{Report, milliseconds},
    workers,
};

const HOSTS: usize = 500;

/// How long all hosts may take to be online.
const ONLINE_LIMIT: Duration = Duration::from_secs(90);

/// Two rounds of the live loop: what the start needed is used again or given back by then.
const SETTLING: Duration = Duration::from_secs(20);

/// Starts the service without hosts and with five hundred, and takes the difference.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let sim = runtime.block_on(linux_sim::Sim::start(linux_sim::Options { hosts: HOSTS, ..Default::default() }))?;
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let (empty, full) = (directory.path().join("empty"), directory.path().join("full"));
    record_hosts(&full, reaches(&sim))?;
    record_hosts(&empty, Vec::new())?;
    let mut alone = Service::start(&empty)?;
    let mut with_hosts = Service::start(&full)?;
    let began = Instant::now();
    let online = loop {
        with_hosts.still_runs()?;
        let online = runtime.block_on(online(&full))?;
        if online == HOSTS || began.elapsed() > ONLINE_LIMIT {
            break online;
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    if online < HOSTS {
        report.note(format!("only {online} of {HOSTS} simulated hosts were online after {ONLINE_LIMIT:?}"));
    }
    report.add("serve_500_hosts_online_after", "s", &[began.elapsed().as_secs_f64()], None)?;
    std::thread::sleep(SETTLING);
    let (before, watched) = (processes::times(&with_hosts.pid()), Instant::now());
    std::thread::sleep(SETTLING);
    let used = (processes::times(&with_hosts.pid()) - before).own;
    let observations = watched.elapsed().as_secs_f64() / 10.0 * online as f64;
    alone.still_runs()?;
    let (base, whole) = (processes::resident_kb(alone.child.id())?, processes::resident_kb(with_hosts.child.id())?);
    report.note(format!("memory and CPU with {HOSTS} hosts are of {}", with_hosts.name));
    report.add("serve_500_hosts_rss", "MB", &[whole / 1000.0], Some(("the same without hosts", &[base / 1000.0])))?;
    report.add("serve_memory_per_host", "KB", &[(whole - base) / online.max(1) as f64], None)?;
    report.aim("serve_memory_per_host", 120.0);
    report.add("serve_cpu_per_observation", "ms", &[milliseconds(used) / observations.max(1.0)], None)
}

/// A running service. Dropped, it is ended.
pub(crate) struct Service {
    child: Child,
    name: &'static str,
}

impl Service {
    /// `reanimator serve`, or the live loop alone where the program was not built.
    fn start(data: &Path) -> Result<Self> {
        let (mut command, name) = match workers::program() {
            Some(program) => {
                let mut command = Command::new(program);
                command.arg("--data-dir").arg(data).args(["serve", "--listen", "127.0.0.1:0"]);
                (command, "`reanimator serve`")
            }
            None => {
                (workers::command("live", data)?, "the live loop alone: `reanimator` was not built beside the bench")
            }
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { child, name })
    }

    /// Starts `reanimator serve`, and says where it listens.
    pub(crate) fn start_with_address(data: &Path) -> Result<(Self, String)> {
        let program = workers::program().ok_or("`reanimator` was not built beside the bench")?;
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data).args(["serve", "--listen", "127.0.0.1:0", "--json"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut service = Self { child, name: "`reanimator serve`" };
        let stdout = service.child.stdout.take().ok_or("the service has no standard output")?;
        let ready = serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter::<Value>().next();
        let ready = ready.ok_or("the service does not say where it listens")??;
        let address = ready["address"].as_str().ok_or("the service listens nowhere")?.to_owned();
        Ok((service, address))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => Err(format!("{} ended by itself ({status})", self.name).into()),
            None => Ok(()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, and was told so then.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// How many of the hosts of a bench are online.
pub(crate) async fn online(data: &Path) -> Result<usize> {
    let fleet = open(data).await?;
    let status = fleet.status().await?;
    fleet.close().await;
    // The service adds the machine that it runs on by itself.
    let ours = |groups: &BTreeSet<String>| groups.contains("bench");
    Ok(status.hosts.iter().filter(|host| host.state == HostState::Online && ours(&host.groups)).count())
}

/// The fleet in this directory, without the machine that this runs on.
pub(crate) async fn open(data: &Path) -> Result<Fleet> {
    let mut options = FleetOptions::new(data);
    options.with_this_machine = false;
    Ok(Fleet::open(options).await?)
}

/// The way to each simulated host.
pub(crate) fn reaches(sim: &linux_sim::Sim) -> Vec<Reach> {
    let reach = |host: &linux_sim::SimHost| {
        Reach::Ssh(SshReach {
            address: host.address.clone(),
            port: host.port,
            user: host.user.clone(),
            jumps: Vec::new(),
            use_agent: false,
            key_files: vec![host.key.display().to_string()],
            sudo: Sudo::None,
            host_key: Some(host.host_key.clone()),
        })
    };
    sim.hosts().iter().map(reach).collect()
}

/// Makes a data directory that knows these hosts, their keys pinned, in the group `bench`.
pub(crate) fn record_hosts(data: &Path, reaches: Vec<Reach>) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let fleet = open(data).await?;
        for (number, reach) in reaches.into_iter().enumerate() {
            let name = format!("bench{number}");
            let connection =
                Connection { id: ConnectionId::generate(), name: name.clone(), reach, credentials_changed_at: None };
            let host = Host {
                id: HostId::generate(),
                name,
                groups: ["bench".to_owned()].into(),
                tags: BTreeSet::new(),
                maintenance: false,
                links: vec![Link::Ssh { connection: connection.id.clone() }],
            };
            fleet.store().save_host_with_connection(&host, &connection, &[]).await?;
        }
        fleet.close().await;
        Ok(())
    })
}
