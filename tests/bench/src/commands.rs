//! One command on a hundred hosts as a job of the running service: from the request to the last line, as the page asks.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use linux_sim::{Options, Sim, SimHost};
use reanimator_core::model::Role;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::{
    Result,
    memory::{Service, online, open, reaches, record_hosts},
    processes,
    report::{Report, milliseconds},
};

/// As many hosts are asked.
const HOSTS: usize = 100;
/// Runs of each.
const SAMPLES: usize = 5;
/// How often the view is asked for: the page asks 400 ms after it was told that something new has come.
const LOOK: Duration = Duration::from_millis(10);
/// How long all hosts may take to be online, and one run to be over.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures it beside OpenSSH under `xargs`, which asks the same hosts. Each is a machine of its own: one that is reached in
/// a hundred ways would be one host.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let sim = runtime.block_on(Sim::start(Options { hosts: HOSTS, ..Options::default() }))?;
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let data = directory.path().join("data");
    record_hosts(&data, reaches(&sim))?;
    let token = runtime.block_on(async {
        let fleet = open(&data).await?;
        let token = fleet.access().create_token("bench", Role::Admin, fleet.now()).await?;
        fleet.close().await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(token)
    })?;
    let (mut service, address) = Service::start_with_address(&data)?;
    let began = Instant::now();
    while runtime.block_on(online(&data))? < HOSTS {
        service.still_runs()?;
        if began.elapsed() > LIMIT {
            return Err("not every host was online in time".into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let (mut ours, mut openssh) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        ours.push(milliseconds(once(&address, token.expose_secret(), HOSTS)?));
        openssh.push(milliseconds(by_openssh(&sim, directory.path())?));
    }
    report.add("command_100_hosts_ms", "ms", &ours, Some(("ssh under xargs -P 20", &openssh)))
}

/// How long `ssh` takes for all of them, twenty at once.
fn by_openssh(sim: &Sim, directory: &Path) -> Result<Duration> {
    let line = |host: &SimHost| format!("{} {} {}@{}\n", host.port, host.key.display(), host.user, host.address);
    let list = directory.join("hosts");
    std::fs::write(&list, sim.hosts().iter().map(line).collect::<String>())?;
    let ssh = "exec ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
               -o LogLevel=ERROR -p \"$0\" -i \"$1\" \"$2\" uptime";
    let mut command = Command::new("xargs");
    command.arg("-a").arg(&list).args(["-P", "20", "-L", "1", "sh", "-c", ssh]);
    let spent = processes::run(&mut command, LIMIT)?;
    match spent.stdout.matches("load average").count() {
        HOSTS => Ok(spent.wall),
        answers => Err(format!("{answers} of {HOSTS} hosts answered ssh").into()),
    }
}

/// From the request to the moment at which the view holds every answer.
fn once(address: &str, token: &str, hosts: usize) -> Result<Duration> {
    let began = Instant::now();
    let body = r#"{"command":"uptime","on":"group:bench"}"#;
    let run = ask(address, token, "POST", "/api/v1/commands", body)?;
    let path = format!("/api/v1/commands/{}", run["id"].as_str().ok_or("the run has no id")?);
    loop {
        let view = ask(address, token, "GET", &path, "")?;
        if view["state"] == "done" {
            return match view["ok"].as_u64() == Some(hosts as u64) {
                true => Ok(began.elapsed()),
                false => Err(format!("{} of {hosts} hosts answered", view["ok"]).into()),
            };
        }
        if began.elapsed() > LIMIT {
            return Err("the run was not over in time".into());
        }
        std::thread::sleep(LOOK);
    }
}

fn ask(address: &str, token: &str, method: &str, path: &str, body: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("the service answers without a body")?;
    Ok(serde_json::from_str(body)?)
}
