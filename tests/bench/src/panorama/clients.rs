//! Fifty people who look at dashboards at once, each over one kept connection: a process of its own.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{
    Result,
    report::{milliseconds, say},
    workers,
};

/// How many look at once.
pub(crate) const CLIENTS: usize = 50;

/// How long they look, after as long to warm up a tenth of it.
const LOOKING: Duration = Duration::from_secs(20);

/// How long they ask for health alone.
const HEALTH: Duration = Duration::from_secs(3);

/// What they look at, in turn, each client from another one on.
const QUERIES: [&str; 12] = [
    "/api/v1/dashboard/overview",
    "/api/v1/dashboard/nodes",
    "/api/v1/dashboard/nodes?sort=-cpu_percent&limit=50",
    "/api/v1/dashboard/nodes?filter=state:online&fields=name,state,cpu_percent,ram_percent&limit=1000",
    "/api/v1/dashboard/vms?sort=-ram_percent&limit=100",
    "/api/v1/dashboard/vms?filter=status:running&sort=name&limit=200",
    "/api/v1/dashboard/vms?sort=uptime_seconds&fields=vmid,name,node,status&limit=500",
    "/api/v1/storage?sort=-used_percent&limit=50",
    "/api/v1/storage?filter=shared:true",
    "/api/v1/network?sort=node&limit=100",
    "/api/v1/network?filter=state:up&sort=-speed_mbps&limit=50",
    "/api/v1/proxmox/clusters",
];

/// Who asks, and where.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) address: String,
    pub(crate) token: SecretString,
}

#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    address: String,
    token: String,
}

/// What all clients together saw.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) p95_ms: f64,
    pub(crate) health_p95_ms: f64,
    pub(crate) per_second: f64,
    /// The 95th percentile of each query.
    pub(crate) by_path: BTreeMap<String, f64>,
}

impl Asker {
    /// What is answered to one question.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let mut client = Client::connect(&self.address, self.secret()).await?;
        Ok(serde_json::from_slice(&client.get(path).await?)?)
    }
}

/// Runs the clients to their end.
pub(crate) fn run(asker: &Asker, directory: &Path) -> Result<Seen> {
    let file = directory.join("clients.json");
    let spec = Spec { address: asker.address.clone(), token: asker.secret().to_owned() };
    std::fs::write(&file, serde_json::to_vec(&spec)?)?;
    Ok(serde_json::from_str(&workers::start("clients", &file)?.stdout)?)
}

/// Is those clients.
pub(crate) async fn ask(file: &str) -> Result<()> {
    let spec: Spec = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    look(&spec, &QUERIES, LOOKING / 10).await?;
    let began = Instant::now();
    let by_path = look(&spec, &QUERIES, LOOKING).await?;
    let seconds = began.elapsed().as_secs_f64();
    let health = look(&spec, &["/health"], HEALTH).await?;
    let all: Vec<f64> = by_path.values().flatten().copied().collect();
    let seen = Seen {
        p95_ms: p95(&all),
        health_p95_ms: p95(&health.into_values().flatten().collect::<Vec<_>>()),
        per_second: all.len() as f64 / seconds,
        by_path: by_path.iter().map(|(path, times)| (path.clone(), p95(times))).collect(),
    };
    say(&serde_json::to_string(&seen)?)
}

/// All clients at once; the times in milliseconds by what was asked.
async fn look(spec: &Spec, queries: &[&str], how_long: Duration) -> Result<BTreeMap<String, Vec<f64>>> {
    let until = Instant::now() + how_long;
    let each = try_join_all((0..CLIENTS).map(|number| one(spec, queries, number, until))).await?;
    let mut by_path: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (path, time) in each.into_iter().flatten() {
        by_path.entry(path).or_default().push(time);
    }
    Ok(by_path)
}

async fn one(spec: &Spec, queries: &[&str], number: usize, until: Instant) -> Result<Vec<(String, f64)>> {
    let mut client = Client::connect(&spec.address, &spec.token).await?;
    let mut times = Vec::new();
    for path in queries.iter().cycle().skip(number) {
        let began = Instant::now();
        if began > until {
            break;
        }
        client.get(path).await?;
        times.push(((*path).to_owned(), milliseconds(began.elapsed())));
    }
    Ok(times)
}

fn p95(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * 95 / 100).copied().unwrap_or_default()
}

/// One kept connection.
struct Client {
    sender: http1::SendRequest<Empty<Bytes>>,
    address: String,
    bearer: String,
}

impl Client {
    async fn connect(address: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, address: address.to_owned(), bearer: format!("Bearer {token}") })
    }

    /// The body of an answer that is no refusal.
    async fn get(&mut self, path: &str) -> Result<Bytes> {
        self.sender.ready().await?;
        let request = Request::get(path)
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, &self.bearer)
            .body(Empty::new())?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        match status.is_success() {
            true => Ok(body),
            false => Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into()),
        }
    }
}
