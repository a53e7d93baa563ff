//! The whole fleet at once: five hundred Linux hosts and eight clusters with twenty-five hundred guests, kept live by one
//! service, looked at by fifty people, and what each host and node pays for it.
//!
//! Hosts and clusters are simulated in this process, over real SSH and HTTPS; the service and the people are processes
//! of their own. They all share the machine's CPUs, which makes the times of answers worse than they would be alone.

mod clients;
mod own_cost;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pve_sim::Requests;
use reanimator_core::{
    fleet::{NewProxmox, ProxmoxSecret},
    model::Role,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) use clients::ask as ask_as_clients;

use crate::{
    Result,
    memory::{Service, open, reaches, record_hosts},
    processes,
    report::{Report, say},
};

const HOSTS: usize = 500;
const CLUSTERS: u32 = 8;
/// In each cluster.
const NODES: u32 = 6;
/// In each cluster: a few more than fifty on a node.
const GUESTS: u32 = 313;

/// How long the fleet may take to be there, with its first facts.
const LIMIT: Duration = Duration::from_secs(300);

/// Facts of every host are there when nothing was added for so long.
const QUIET: Duration = Duration::from_secs(15);

/// What the first facts needed is used again or given back by then.
const SETTLING: Duration = Duration::from_secs(20);

/// How long the steady state is watched: as many rounds of the facts that are asked every minute as of those that are not.
const WATCHED: Duration = Duration::from_secs(120);

/// Measures all of it.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    own_cost::measure(report)?;
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let runtime = Runtime::new()?;
    let hosts = runtime.block_on(linux_sim::Sim::start(linux_sim::Options { hosts: HOSTS, ..Default::default() }))?;
    let clusters = runtime.block_on(pve_sim::Sim::start(pve_sim::Options {
        // Hosts are below 127.77.
        listen: ([127, 78, 0, 1], 0).into(),
        clusters: CLUSTERS,
        nodes: NODES,
        guests: GUESTS,
        ..Default::default()
    }))?;
    let data = directory.path().join("data");
    record_hosts(&data, reaches(&hosts))?;
    let token = runtime.block_on(connect(&data, &clusters))?;
    let (mut service, address) = Service::start_with_address(&data)?;
    let asker = clients::Asker { address, token };
    let online = wait(&runtime, &asker, &mut service, report)?;
    let before = clusters.requests();
    steady(&mut service, report)?;
    nodes(&before, &clusters.requests(), report)?;
    let values = clients::run(&asker, directory.path())?;
    let floor = [values.health_p95_ms];
    report.add("panorama_query_p95", "ms", &[values.p95_ms], Some(("the same clients asking for /health", &floor)))?;
    report.aim("panorama_query_p95", 100.0);
    let each: Vec<String> = values.by_path.iter().map(|(path, ms)| format!("{path} {ms:.1} ms")).collect();
    report.note(format!(
        "{} clients without a pause got {:.0} answers a second; p95 of each query: {}",
        clients::CLIENTS,
        values.per_second,
        each.join(", ")
    ));
    report.note(format!("the fleet: {online} hosts online, {} guests in {CLUSTERS} clusters", CLUSTERS * GUESTS));
    service.still_runs()
}

/// Connects every cluster, and makes a token for those who look.
async fn connect(data: &Path, sim: &pve_sim::Sim) -> Result<SecretString> {
    let fleet = open(data).await?;
    let info = sim.info();
    for node in info.nodes.iter().step_by(NODES as usize) {
        let new = NewProxmox {
            url: node.url.clone(),
            name: None,
            auth: ProxmoxSecret::Token(SecretString::from(info.token.clone())),
            accept_certificate: Some(node.fingerprint.clone()),
            dry_run: false,
        };
        fleet.connect_proxmox(new).await?;
    }
    let token = fleet.access().create_token("bench", Role::Viewer, Timestamp::now()).await?;
    fleet.close().await;
    Ok(token)
}

/// Waits until everything is online and the first facts are there; says how many hosts are.
fn wait(runtime: &Runtime, asker: &clients::Asker, service: &mut Service, report: &mut Report) -> Result<u64> {
    let (began, wanted) = (Instant::now(), HOSTS as u64 + u64::from(CLUSTERS * NODES));
    let (mut all_online, mut seen, mut since) = (None, 0, Instant::now());
    let mut online = 0;
    while began.elapsed() < LIMIT {
        service.still_runs()?;
        if let Ok(overview) = runtime.block_on(asker.get("/api/v1/dashboard/overview")) {
            online = overview["hosts"]["online"].as_u64().unwrap_or_default();
        }
        // Interfaces come with the facts that are asked least often.
        let network = runtime.block_on(asker.get("/api/v1/network?limit=1")).unwrap_or(Value::Null);
        let interfaces = network["total"].as_u64().unwrap_or_default();
        if interfaces != seen {
            (seen, since) = (interfaces, Instant::now());
        }
        if online >= wanted && all_online.is_none() {
            all_online = Some(began.elapsed().as_secs_f64());
        }
        if all_online.is_some() && seen > 0 && since.elapsed() > QUIET {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    match all_online {
        Some(seconds) => report.add("panorama_online_after", "s", &[seconds], None)?,
        None => report.note(format!("only {online} of {wanted} hosts were online after {LIMIT:?}")),
    }
    let facts = began.elapsed().saturating_sub(QUIET).as_secs_f64();
    report.add("panorama_facts_after", "s", &[facts], None)?;
    say(&format!("{online} hosts online, {seen} interfaces known"))?;
    std::thread::sleep(SETTLING);
    Ok(online)
}

/// CPU and memory of the service while nobody looks.
fn steady(service: &mut Service, report: &mut Report) -> Result<()> {
    let (before, watched) = (processes::times(&service.pid()), Instant::now());
    std::thread::sleep(WATCHED);
    service.still_runs()?;
    let used = (processes::times(&service.pid()) - before).all();
    report.add("panorama_cpu", "cores", &[used.as_secs_f64() / watched.elapsed().as_secs_f64()], None)?;
    report.aim("panorama_cpu", 1.0);
    report.add("panorama_rss", "MB", &[processes::resident_kb(service.id())? / 1000.0], None)?;
    report.aim("panorama_rss", 300.0);
    Ok(())
}

/// What the busiest node saw meanwhile, and all of them together.
fn nodes(before: &[Requests], after: &[Requests], report: &mut Report) -> Result<()> {
    let minutes = WATCHED.as_secs_f64() / 60.0;
    let seen = |requests: &Requests| (requests.taken + requests.passed_on) as f64;
    let each: Vec<f64> =
        before.iter().zip(after).map(|(before, after)| (seen(after) - seen(before)) / minutes).collect();
    let busiest = each.iter().copied().fold(0.0, f64::max);
    report.add("panorama_requests_per_node_busiest", "/min", &[busiest], None)?;
    report.aim("panorama_requests_per_node_busiest", 20.0);
    report.add("panorama_requests_per_node", "/min", &each, None)?;
    report.aim("panorama_requests_per_node", 20.0);
    let passed: u64 = before.iter().zip(after).map(|(before, after)| after.passed_on - before.passed_on).sum();
    let all: u64 = before.iter().zip(after).map(|(before, after)| after.taken - before.taken).sum();
    report.note(format!(
        "of {all} requests to Proxmox nodes {passed} were passed on to another node; each counts at both"
    ));
    Ok(())
}

impl clients::Asker {
    fn secret(&self) -> &str {
        self.token.expose_secret()
    }
}
