//! What is measured of ours: this program, called again as `reanimator-bench worker NAME FILE`.

use std::{
    path::{Path, PathBuf},
    process::Command as Program,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use jiff::Timestamp;
use reanimator_core::{
    Fleet, FleetOptions,
    collect::linux::watch,
    host::{Host, linux::LinuxMachine},
    transport::{
        Become, Command, Transport,
        ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget},
    },
    workflows::live::{LiveLoop, LiveOptions},
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    fan_out::Spec,
    panorama,
    processes::{self, Spent},
    report::{median, milliseconds, say},
};

const LIMIT: Duration = Duration::from_secs(60);

/// Hosts that are observed at once, and how often each.
const TICK_HOSTS: usize = 20;
const TICK_ROUNDS: usize = 100;
const EXEC_ROUNDS: usize = 10;

/// What the warm worker says: per round over all hosts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WarmAnswer {
    pub(crate) cpu_ms: f64,
    pub(crate) wall_ms: f64,
    pub(crate) sshd_cpu_ms: f64,
}

/// What the tick worker says: per observation; `host` is the shell there and what it starts, `sshd` its connection.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TickAnswer {
    pub(crate) cpu_ms: f64,
    pub(crate) host_ms: f64,
    pub(crate) sshd_ms: f64,
    pub(crate) exec_cpu_ms: f64,
    pub(crate) exec_host_ms: f64,
    pub(crate) exec_sshd_ms: f64,
}

/// `reanimator`, where it was built beside this program.
pub(crate) fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name("reanimator");
    program.exists().then_some(program)
}

/// A worker, not yet started.
pub(crate) fn command(name: &str, file: &Path) -> Result<Program> {
    let mut command = Program::new(std::env::current_exe()?);
    command.args(["worker", name]).arg(file);
    Ok(command)
}

/// Runs a worker to its end.
pub(crate) fn start(name: &str, file: &Path) -> Result<Spent> {
    processes::run(&mut command(name, file)?, LIMIT)
}

/// Is a worker.
pub(crate) fn run(name: &str, file: &str) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    if name == "live" {
        return runtime.block_on(live(file));
    }
    if name == "clients" {
        return runtime.block_on(panorama::ask_as_clients(file));
    }
    let spec: Spec = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    match name {
        "cold" => runtime.block_on(cold(&spec)),
        "warm" => say(&serde_json::to_string(&runtime.block_on(warm(&spec))?)?),
        "tick" => say(&serde_json::to_string(&runtime.block_on(tick(&spec))?)?),
        other => Err(format!("there is no worker {other}").into()),
    }
}

fn client(spec: &Spec, address: &str) -> Ssh {
    let mut hop = Hop::new(address, spec.port, &spec.user);
    hop.host_keys = HostKeyPolicy::pinned(&spec.host_key);
    let mut target = SshTarget::new(hop);
    target.key_files = vec![spec.key_file.clone()];
    Ssh::new(target, SshCredentials::default())
}

async fn ask(host: &Ssh) -> Result<()> {
    let output = host.run(Command::shell("uptime")).await?;
    if output.success() && output.stdout.text().contains("load average") {
        Ok(())
    } else {
        Err(format!("{output:?}").into())
    }
}

async fn each(hosts: &[Ssh], parallel: usize) -> Result<()> {
    stream::iter(hosts.iter().map(ask)).buffer_unordered(parallel).try_collect::<Vec<()>>().await.map(|_| ())
}

fn clients(spec: &Spec) -> Vec<Ssh> {
    spec.addresses.iter().map(|address| client(spec, address)).collect()
}

/// Connect, ask, leave.
async fn cold(spec: &Spec) -> Result<()> {
    let clients = clients(spec);
    let visits = clients.iter().map(|host| async {
        ask(host).await?;
        host.close().await;
        Ok(())
    });
    stream::iter(visits).buffer_unordered(spec.parallel).try_collect::<Vec<()>>().await.map(|_| ())
}

/// Ask over connections that are there already.
async fn warm(spec: &Spec) -> Result<WarmAnswer> {
    let clients = clients(spec);
    each(&clients, spec.parallel).await?;
    let sshd = || processes::times_of(&processes::tree(spec.sshd)).all();
    let (ours_before, sshd_before) = (processes::times("self").own, sshd());
    let mut walls = Vec::new();
    for _ in 0..spec.rounds {
        let began = Instant::now();
        each(&clients, spec.parallel).await?;
        walls.push(milliseconds(began.elapsed()));
    }
    let cpu = processes::times("self").own - ours_before;
    let rounds = spec.rounds as f64;
    Ok(WarmAnswer {
        cpu_ms: milliseconds(cpu) / rounds,
        wall_ms: median(&walls).unwrap_or_default(),
        sshd_cpu_ms: milliseconds(sshd().saturating_sub(sshd_before)) / rounds,
    })
}

/// Observe over kept shells; then ask the same with a command of its own each time.
async fn tick(spec: &Spec) -> Result<TickAnswer> {
    let hosts: Vec<Ssh> = spec.addresses.iter().take(TICK_HOSTS).map(|address| client(spec, address)).collect();
    let machines: Vec<LinuxMachine> =
        hosts.iter().map(|host| LinuxMachine::new(Arc::new(host.clone()), Become::No)).collect();
    // The same moment each time: what is asked once a minute is asked once.
    let now = Timestamp::now();
    try_join_all(machines.iter().map(|machine| machine.observe(now))).await?;
    let below = processes::tree(spec.sshd);
    let (shells, servers): (Vec<u32>, Vec<u32>) =
        below.into_iter().partition(|pid| processes::command_line(*pid).contains(watch::MARKER));
    if shells.len() != TICK_HOSTS {
        return Err(format!("{} watching shells where {TICK_HOSTS} are expected", shells.len()).into());
    }
    let look = || (processes::times("self"), processes::times_of(&shells), processes::times_of(&servers));
    let before = look();
    for _ in 0..TICK_ROUNDS {
        try_join_all(machines.iter().map(|machine| machine.observe(now))).await?;
    }
    let ticked = look();
    for _ in 0..EXEC_ROUNDS {
        try_join_all(hosts.iter().map(|host| host.run(Command::shell(watch::script()).stdin(watch::request(1)))))
            .await?;
    }
    let executed = look();
    let per_tick = |time: Duration| milliseconds(time) / (TICK_HOSTS * TICK_ROUNDS) as f64;
    let per_exec = |time: Duration| milliseconds(time) / (TICK_HOSTS * EXEC_ROUNDS) as f64;
    Ok(TickAnswer {
        cpu_ms: per_tick((ticked.0 - before.0).own),
        host_ms: per_tick((ticked.1 - before.1).all()),
        sshd_ms: per_tick((ticked.2 - before.2).own),
        exec_cpu_ms: per_exec((executed.0 - ticked.0).own),
        exec_host_ms: per_exec((executed.2 - ticked.2).children),
        exec_sshd_ms: per_exec((executed.2 - ticked.2).own),
    })
}

/// The live loop without the service around it.
async fn live(data: &str) -> Result<()> {
    let fleet = Fleet::open(FleetOptions::new(data)).await?;
    Ok(LiveLoop::new(fleet, LiveOptions::default()).run(CancellationToken::new()).await?)
}
