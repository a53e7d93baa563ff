//! What the running service uses with fifty terminals open, each looked at over its WebSocket, beside fifty `ssh -tt`.
//!
//! Both sides have the same sshd, the same shell and the same words typed. Memory is the kernel's proportional count
//! (Pss), so that what the fifty clients share is counted once. Idle is a while in which nothing is shown; the flood is
//! the same numbers counted in each.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::{SinkExt as _, StreamExt as _, future::try_join_all};
use reanimator_core::{
    access::Role,
    model::{Reach, SshReach, Sudo},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{
    Result,
    memory::{Service, open, record_hosts},
    processes,
    report::{Report, milliseconds},
    sshd::Sshd,
};

/// As many as are open.
const TERMINALS: usize = 50;
/// What the flood counts to in each: some 0.6 MB.
const COUNT: u32 = 100_000;
/// How long it is looked at while nothing is shown.
const IDLE: Duration = Duration::from_secs(10);
/// How long all may take to open, or the flood to come.
const LIMIT: Duration = Duration::from_secs(120);

/// Opens them, and measures.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let sshd = Sshd::start()?;
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let data = directory.path().join("data");
    record_hosts(&data, vec![reach(&sshd)])?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (token, host) = runtime.block_on(admin(&data))?;
    let (mut service, address) = Service::start_with_address(&data)?;
    let pid = service.id();
    let ours = runtime.block_on(async {
        let before = memory_kb(pid)?;
        let mut terminals = try_join_all((0..TERMINALS).map(|_| Open::new(&address, &token, &host))).await?;
        let memory = memory_kb(pid)? - before;
        let (idle, _) = spent(&[pid], async {
            tokio::time::sleep(IDLE).await;
            Ok(())
        })
        .await?;
        let flood = try_join_all(terminals.iter_mut().map(Open::flood));
        let (flood, bytes) = spent(&[pid], async { tokio::time::timeout(LIMIT, flood).await? }).await?;
        Result::<_, crate::Error>::Ok(Used { memory, idle, flood, bytes: bytes.iter().sum() })
    })?;
    service.still_runs()?;
    drop(service);
    let theirs = clients(&sshd)?;
    let peer = "50 of `ssh -tt`";
    report.add("terminals_50_memory", "MB", &[ours.memory / 1000.0], Some((peer, &[theirs.memory / 1000.0])))?;
    let per_second = |used: &Used| milliseconds(used.idle) / IDLE.as_secs_f64();
    report.add("terminals_50_cpu_idle", "ms/s", &[per_second(&ours)], Some((peer, &[per_second(&theirs)])))?;
    let per_megabyte = |used: &Used| milliseconds(used.flood) / (used.bytes as f64 / 1e6);
    report.add("terminals_50_cpu_shown", "ms/MB", &[per_megabyte(&ours)], Some((peer, &[per_megabyte(&theirs)])))
}

/// What one side used.
struct Used {
    /// In KB, for all fifty.
    memory: f64,
    idle: Duration,
    flood: Duration,
    /// What the flood showed.
    bytes: u64,
}

async fn spent<T>(pids: &[u32], work: impl Future<Output = Result<T>>) -> Result<(Duration, T)> {
    let before = processes::times_of(pids);
    let done = work.await?;
    Ok(((processes::times_of(pids) - before).own, done))
}

/// Proportional memory in KB.
fn memory_kb(pid: u32) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("the kernel tells no Pss")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1.024)
}

fn reach(sshd: &Sshd) -> Reach {
    Reach::Ssh(SshReach {
        address: "127.0.0.1".to_owned(),
        port: sshd.port,
        user: sshd.user.clone(),
        jumps: Vec::new(),
        use_agent: false,
        key_files: vec![sshd.file("key").display().to_string()],
        sudo: Sudo::None,
        host_key: Some(sshd.host_key.clone()),
    })
}

/// A token for everything, and the id of the host.
async fn admin(data: &Path) -> Result<(String, String)> {
    let fleet = open(data).await?;
    let token = fleet.access().create_token("bench", Role::Admin, fleet.now()).await?;
    let host = fleet.status().await?.hosts.first().ok_or("there is no host")?.id.to_string();
    fleet.close().await;
    Ok((token.expose_secret().to_owned(), host))
}

/// A prompt that nothing else shows, written so that its echo is none; and a flood with its end.
const PLAIN: &str = "exec env PS1='rea''dy> ' sh\n";
const READY: &str = "ready> ";

fn flood() -> String {
    format!("seq 1 {COUNT}\n")
}

/// A terminal of ours that is looked at.
struct Open {
    socket: WebSocketStream<TcpStream>,
    at: u64,
    last: Vec<u8>,
}

impl Open {
    async fn new(address: &str, token: &str, host: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let body = json!({ "machine": format!("host:{host}") }).to_string();
        let head = format!(
            "POST /api/v1/terminals HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let document = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let terminal: Value = serde_json::from_str(document).map_err(|error| format!("{error}: {answer}"))?;
        let id = terminal["id"].as_str().ok_or_else(|| format!("no terminal: {answer}"))?;
        let mut request = format!("ws://{address}/api/v1/terminals/{id}/ws?says=true").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let (socket, _) = client_async(request, TcpStream::connect(address).await?).await?;
        let mut open = Self { socket, at: 0, last: Vec::new() };
        open.until_ready(PLAIN).await?;
        Ok(open)
    }

    async fn flood(&mut self) -> Result<u64> {
        let before = self.at;
        self.until_ready(&flood()).await?;
        Ok(self.at - before)
    }

    /// Types, and looks until the prompt is there again.
    async fn until_ready(&mut self, line: &str) -> Result<()> {
        self.last.clear();
        self.socket.send(Message::binary(line.as_bytes().to_vec())).await?;
        while let Some(message) = self.socket.next().await {
            if let Message::Binary(bytes) = message? {
                self.at += bytes.len() as u64;
                self.last.extend_from_slice(&bytes);
                self.last.drain(..self.last.len().saturating_sub(READY.len()));
                self.socket.send(Message::text(json!({ "type": "seen", "at": self.at }).to_string())).await?;
                if self.last == READY.as_bytes() {
                    return Ok(());
                }
            }
        }
        Err("a terminal ended".into())
    }
}

/// One `ssh -tt`. Dropped, it is ended.
struct Client(Child);

impl Client {
    fn start(sshd: &Sshd) -> Result<Self> {
        let known = sshd.file("known_hosts");
        std::fs::write(&known, format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key))?;
        let child = Command::new("ssh")
            .args(["-tt", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(sshd.file("key"))
            .args(["-p", &sshd.port.to_string()])
            .arg(format!("{}@127.0.0.1", sshd.user))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut client = Self(child);
        client.until_ready(PLAIN)?;
        Ok(client)
    }

    fn until_ready(&mut self, line: &str) -> Result<u64> {
        let stdin = self.0.stdin.as_mut().ok_or("ssh has no standard input")?;
        stdin.write_all(line.as_bytes())?;
        stdin.flush()?;
        let stdout = self.0.stdout.as_mut().ok_or("ssh has no standard output")?;
        let (mut piece, mut last, mut all) = (vec![0; 64 * 1024], Vec::new(), 0);
        let began = Instant::now();
        while last != READY.as_bytes() {
            let length = stdout.read(&mut piece)?;
            if length == 0 || began.elapsed() > LIMIT {
                return Err("ssh ended, or shows nothing".into());
            }
            all += length as u64;
            last.extend_from_slice(&piece[..length]);
            last.drain(..last.len().saturating_sub(READY.len()));
        }
        Ok(all)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The same with fifty clients of OpenSSH, each read by a thread as a terminal would.
fn clients(sshd: &Sshd) -> Result<Used> {
    let mut clients = (0..TERMINALS).map(|_| Client::start(sshd)).collect::<Result<Vec<_>>>()?;
    let pids: Vec<u32> = clients.iter().map(|client| client.0.id()).collect();
    let memory = pids.iter().map(|pid| memory_kb(*pid)).sum::<Result<f64>>()?;
    let before = processes::times_of(&pids);
    std::thread::sleep(IDLE);
    let idle = (processes::times_of(&pids) - before).own;
    let before = processes::times_of(&pids);
    let line = flood();
    let bytes = std::thread::scope(|scope| {
        let line = line.as_str();
        let running: Vec<_> = clients.iter_mut().map(|client| scope.spawn(move || client.until_ready(line))).collect();
        let ended = running.into_iter().map(|thread| thread.join().map_err(|_| "a reader broke".to_owned()));
        ended.map(|read| read?).sum::<Result<u64>>()
    })?;
    let flood = (processes::times_of(&pids) - before).own;
    Ok(Used { memory, idle, flood, bytes })
}
