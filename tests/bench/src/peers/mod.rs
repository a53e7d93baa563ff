//! What we stand beside: OpenSSH's own client under `xargs`, and asyncssh from PyPI.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Result,
    fan_out::Setting,
    processes::{self, Spent},
    report,
};

/// How long one run of a peer may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How many clients `xargs` runs at once.
const AT_ONCE: &str = "20";

/// The words of an `ssh` that asks nobody and reads no configuration.
fn ssh_words(setting: &Setting) -> Vec<String> {
    let spec = &setting.spec;
    let options = [
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        format!("UserKnownHostsFile={}", spec.known_hosts.display()),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
    ];
    let mut words: Vec<String> = ["ssh", "-F", "none", "-n", "-i"].map(str::to_owned).into();
    words.push(spec.key_file.display().to_string());
    words.extend(["-p".to_owned(), spec.port.to_string(), "-l".to_owned(), spec.user.clone()]);
    words.extend(options.into_iter().flat_map(|option| ["-o".to_owned(), option]));
    words
}

fn xargs(setting: &Setting, words: &[String], last: &[&str]) -> Command {
    let mut command = Command::new("xargs");
    command.arg("-a").arg(&setting.address_file).args(["-P", AT_ONCE, "-I", "{}"]).args(words).args(last);
    command
}

/// `ssh ADDRESS uptime` a hundred times, twenty at once.
pub(crate) fn openssh_cold(setting: &Setting) -> Result<Spent> {
    let spent = processes::run(&mut xargs(setting, &ssh_words(setting), &["{}", "uptime"]), LIMIT)?;
    all_answered(setting, spent)
}

fn all_answered(setting: &Setting, spent: Spent) -> Result<Spent> {
    let answers = spent.stdout.matches("load average").count();
    let wanted = setting.spec.addresses.len();
    if answers == wanted { Ok(spent) } else { Err(format!("{answers} of {wanted} hosts answered").into()) }
}

/// A hundred kept connections of OpenSSH's own. Dropped, they end.
#[derive(Debug)]
pub(crate) struct Masters {
    words: Vec<String>,
    pids: Vec<u32>,
}

impl Masters {
    /// Connects.
    pub(crate) fn start(setting: &Setting) -> Result<Self> {
        let directory = setting.directory.join("masters");
        std::fs::create_dir_all(&directory)?;
        let mut words = ssh_words(setting);
        words.extend(["-S".to_owned(), directory.join("{}").display().to_string()]);
        // The masters go on in the background and would hold a pipe open.
        let mut child = xargs(setting, &words, &["-M", "-N", "-f", "{}"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let until = std::time::Instant::now() + LIMIT;
        while child.try_wait()?.is_none() {
            if std::time::Instant::now() > until {
                child.kill()?;
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let masters = Self { words, pids: processes::called(&directory.display().to_string()) };
        let wanted = setting.spec.addresses.len();
        match masters.pids.len() {
            found if found == wanted => Ok(masters),
            found => Err(format!("{found} of {wanted} ControlMasters came up").into()),
        }
    }

    /// One command on each host over what is there already. CPU of the clients and of the masters.
    pub(crate) fn round(&self, setting: &Setting) -> Result<Spent> {
        let before = processes::times_of(&self.pids);
        let spent = processes::run(&mut xargs(setting, &self.words, &["{}", "uptime"]), LIMIT)?;
        let masters = (processes::times_of(&self.pids) - before).own;
        let spent = all_answered(setting, spent)?;
        Ok(Spent { cpu: spent.cpu + masters, ..spent })
    }
}

impl Drop for Masters {
    fn drop(&mut self) {
        for pid in &self.pids {
            // What ended by itself is as good.
            let _gone = Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        }
    }
}

/// What a warm client says of itself.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Warm {
    pub(crate) cpu_ms: f64,
    pub(crate) wall_ms: f64,
}

/// asyncssh's Python, where `tests/venv` has made it.
pub(crate) fn python() -> Option<PathBuf> {
    let python = report::target().join("venv/bin/python");
    let mut ask = Command::new(&python);
    ask.args(["-c", "import asyncssh"]).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success()).then_some(python)
}

fn asyncssh(setting: &Setting, python: &PathBuf, mode: &str) -> Result<Spent> {
    let mut command = Command::new(python);
    command.args(["-c", include_str!("asyncssh_client.py"), mode]).arg(&setting.spec_file);
    processes::run(&mut command, LIMIT)
}

/// Connect, ask, leave.
pub(crate) fn asyncssh_cold(setting: &Setting, python: &PathBuf) -> Result<Spent> {
    asyncssh(setting, python, "cold")
}

/// Ask over connections that are there already.
pub(crate) fn asyncssh_warm(setting: &Setting, python: &PathBuf) -> Result<Warm> {
    Ok(serde_json::from_str(&asyncssh(setting, python, "warm")?.stdout)?)
}
