//! One command on a hundred hosts: cold, and over connections that are kept.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use reanimator_core::model::{Reach, SshReach};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    memory::record_hosts,
    peers::{self, LIMIT, Masters},
    processes::{self, Spent},
    report::{Report, milliseconds},
    sshd::{self, Sshd},
    workers,
};

/// Runs of each client, as long as there is time.
const SAMPLES: usize = 5;

/// How long all cold runs, and all warm runs, may take together.
const BUDGET: Duration = Duration::from_secs(45);

/// What a client has to know, as JSON for workers and Python alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) addresses: Vec<String>,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) key_file: PathBuf,
    pub(crate) known_hosts: PathBuf,
    pub(crate) host_key: String,
    /// How many hosts at once.
    pub(crate) parallel: usize,
    /// How often each is asked when warm.
    pub(crate) rounds: usize,
    /// The server, to see what it costs.
    pub(crate) sshd: u32,
}

/// The hundred addresses, written down for each client in its own way.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) spec: Spec,
    pub(crate) spec_file: PathBuf,
    pub(crate) address_file: PathBuf,
    pub(crate) directory: PathBuf,
}

impl Setting {
    pub(crate) fn new(sshd: &Sshd) -> Result<Self> {
        let addresses: Vec<String> = sshd::addresses().collect();
        let known: String =
            addresses.iter().map(|address| format!("[{address}]:{} {}\n", sshd.port, sshd.host_key)).collect();
        std::fs::write(sshd.file("known_hosts"), known)?;
        std::fs::write(sshd.file("addresses"), addresses.join("\n") + "\n")?;
        let spec = Spec {
            addresses,
            port: sshd.port,
            user: sshd.user.clone(),
            key_file: sshd.file("key"),
            known_hosts: sshd.file("known_hosts"),
            host_key: sshd.host_key.clone(),
            parallel: 64,
            rounds: 10,
            sshd: sshd.pid(),
        };
        std::fs::write(sshd.file("spec.json"), serde_json::to_string(&spec)?)?;
        Ok(Self {
            spec,
            spec_file: sshd.file("spec.json"),
            address_file: sshd.file("addresses"),
            directory: sshd.file(""),
        })
    }

    fn hosts(&self) -> f64 {
        self.spec.addresses.len() as f64
    }
}

/// The samples of one client, and why there are no more.
#[derive(Debug, Default)]
struct Samples {
    cpu: Vec<f64>,
    wall: Vec<f64>,
    why_not: Option<String>,
}

impl Samples {
    /// Takes one sample in; a client that failed once is not asked again.
    fn take(&mut self, hosts: f64, run: impl FnOnce() -> Result<Spent>) {
        if self.why_not.is_some() {
            return;
        }
        match run() {
            Ok(spent) => {
                self.cpu.push(milliseconds(spent.cpu) / hosts);
                self.wall.push(milliseconds(spent.wall));
            }
            Err(error) => self.why_not = Some(error.to_string()),
        }
    }

    fn note(&self, name: &str, report: &mut Report) {
        if let Some(why) = &self.why_not {
            report.note(format!("{name} is missing: {why}"));
        }
    }
}

/// A new connection to each host, one command, and away.
pub(crate) fn cold(setting: &Setting, report: &mut Report) -> Result<()> {
    let hosts = setting.hosts();
    let (mut ours, mut program) = (Samples::default(), Samples::default());
    let (mut openssh, mut asyncssh) = (Samples::default(), Samples::default());
    let reanimator = program_with_hosts(setting, "data");
    let python = peers::python().ok_or("there is no asyncssh: run tests/venv");
    let began = Instant::now();
    for _ in 0..SAMPLES {
        ours.take(hosts, || workers::start("cold", &setting.spec_file));
        program.take(hosts, || match &reanimator {
            Ok((binary, data)) => {
                let mut command = Command::new(binary);
                command.arg("--data-dir").arg(data).args(["exec", "uptime", "--on", "group:bench"]);
                let spent = processes::run(&mut command, LIMIT)?;
                let answers = spent.stdout.matches("load average").count() as f64;
                if answers == hosts { Ok(spent) } else { Err(format!("{answers} hosts answered").into()) }
            }
            Err(why) => Err(why.to_string().into()),
        });
        asyncssh.take(hosts, || peers::asyncssh_cold(setting, python.as_ref().map_err(|why| why.to_string())?));
        openssh.take(hosts, || peers::openssh_cold(setting));
        if began.elapsed() > BUDGET {
            break;
        }
    }
    for (samples, name) in
        [(&ours, "our transport"), (&program, "reanimator exec"), (&openssh, "OpenSSH"), (&asyncssh, "asyncssh")]
    {
        samples.note(name, report);
    }
    let beside_openssh = "OpenSSH under xargs -P 20";
    report.add("exec_cold_cpu_per_host", "ms", &ours.cpu, Some(("asyncssh", &asyncssh.cpu)))?;
    report.aim("exec_cold_cpu_per_host", 2.0);
    report.add("exec_cold_cpu_per_host_beside_openssh", "ms", &ours.cpu, Some((beside_openssh, &openssh.cpu)))?;
    report.add("exec_cold_cpu_per_host_program", "ms", &program.cpu, Some(("our transport alone", &ours.cpu)))?;
    report.add("exec_cold_wall_100_hosts", "ms", &ours.wall, Some(("asyncssh", &asyncssh.wall)))?;
    report.add("exec_cold_wall_100_hosts_beside_openssh", "ms", &ours.wall, Some((beside_openssh, &openssh.wall)))?;
    report.add("exec_cold_wall_100_hosts_program", "ms", &program.wall, Some(("asyncssh", &asyncssh.wall)))
}

/// The same command over connections that are there already.
pub(crate) fn warm(setting: &Setting, report: &mut Report) -> Result<()> {
    let hosts = setting.hosts();
    let (mut cpu, mut wall, mut needed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut openssh, mut asyncssh_cpu, mut asyncssh_wall) = (Samples::default(), Vec::new(), Vec::new());
    let (python, masters) = (peers::python(), Masters::start(setting));
    let began = Instant::now();
    for _ in 0..SAMPLES {
        let ours: workers::WarmAnswer = serde_json::from_str(&workers::start("warm", &setting.spec_file)?.stdout)?;
        cpu.push(ours.cpu_ms / hosts);
        wall.push(ours.wall_ms);
        needed.push(ours.sshd_cpu_ms / std::thread::available_parallelism()?.get() as f64);
        openssh.take(hosts, || masters.as_ref().map_err(|why| why.to_string())?.round(setting));
        if let Some(python) = &python {
            match peers::asyncssh_warm(setting, python) {
                Ok(theirs) => {
                    asyncssh_cpu.push(theirs.cpu_ms / hosts);
                    asyncssh_wall.push(theirs.wall_ms);
                }
                Err(why) => report.note(format!("a warm run of asyncssh failed: {why}")),
            }
        }
        if began.elapsed() > BUDGET {
            break;
        }
    }
    openssh.note("OpenSSH with ControlMaster", report);
    report.add("exec_warm_cpu_per_host", "ms", &cpu, Some(("OpenSSH with ControlMaster", &openssh.cpu)))?;
    report.add("exec_warm_cpu_per_host_beside_asyncssh", "ms", &cpu, Some(("asyncssh", &asyncssh_cpu)))?;
    report.add("exec_warm_wall_100_hosts", "ms", &wall, Some(("OpenSSH with ControlMaster", &openssh.wall)))?;
    report.add("exec_warm_wall_100_hosts_beside_asyncssh", "ms", &wall, Some(("asyncssh", &asyncssh_wall)))?;
    report.add("exec_warm_wall_beside_sshd", "ms", &wall, Some(("sshd's own CPU time over all CPUs", &needed)))
}

/// The program and a data directory of that name that knows the hundred hosts.
pub(crate) fn program_with_hosts(setting: &Setting, name: &str) -> Result<(PathBuf, PathBuf)> {
    let binary = workers::program().ok_or("it was not built beside the bench (cargo build -p reanimator-cli)")?;
    let (data, spec) = (setting.directory.join(name), &setting.spec);
    let reaches = spec.addresses.iter().map(|address| {
        Reach::Ssh(SshReach {
            address: address.clone(),
            port: spec.port,
            user: spec.user.clone(),
            jumps: Vec::new(),
            use_agent: false,
            key_files: vec![spec.key_file.display().to_string()],
            sudo: reanimator_core::model::Sudo::None,
            host_key: Some(spec.host_key.clone()),
        })
    });
    record_hosts(&data, reaches.collect())?;
    Ok((binary, data))
}
