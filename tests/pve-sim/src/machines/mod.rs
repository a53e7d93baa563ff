//! Guests and nodes that have packages: the real apt and dpkg work on them, each in a folder of its own.
//!
//! A machine is made when somebody looks into it for the first time, so that thousands cost nothing. It has its own database
//! of dpkg, its own lists and settings of apt (`APT_CONFIG`, `DPKG_ROOT`, `DPKG_ADMINDIR`), and tiny packages without
//! maintainer scripts out of repositories beside it. It begins out of date. A snapshot copies it, and rolling back brings
//! it back. The order `spoil` has the next upgrade of a guest bring a service that fails.
//!
//! What else a command sees (`/proc`, the time) is of the machine that all of this runs on.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("machines.sh");
/// Commands that a machine has of its own.
const TOOLS: [(&str, &str); 3] = [
    ("systemctl", include_str!("systemctl")),
    ("systemd-run", include_str!("systemd-run")),
    ("id", include_str!("id")),
];
/// How much of what an agent's command says is kept, as the agent does.
const AGENT_OUTPUT: usize = 16 << 20;

/// What the agent says of one command.
type CommandState = Arc<Mutex<Value>>;

/// The machines of one cluster.
#[derive(Clone, Default)]
pub(crate) struct Machines(Arc<Inner>);

#[derive(Default)]
struct Inner {
    folder: Mutex<Option<TempDir>>,
    /// What guest agents were told to run, by guest and process.
    commands: Mutex<HashMap<(u32, u64), CommandState>>,
}

impl Machines {
    /// Makes a machine that is not there yet, and gives the environment of its commands.
    pub(crate) fn enter(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        let mut folder = self.folder();
        let folder = prepared(&mut folder)?;
        script(folder, &["make", &text(folder), name])?;
        Ok(environment(folder, name))
    }

    /// Keeps what a machine is under the name of a snapshot.
    pub(crate) fn keep(&self, name: &str, snapshot: &str) -> Result<(), String> {
        self.known("keep", name, snapshot)
    }

    /// Makes a machine what it was at a snapshot.
    pub(crate) fn roll_back(&self, name: &str, snapshot: &str) -> Result<(), String> {
        self.known("back", name, snapshot)
    }

    /// Throws away what was kept.
    pub(crate) fn throw_away(&self, name: &str, snapshot: &str) -> Result<(), String> {
        self.known("drop", name, snapshot)
    }

    /// Has the next upgrade of a machine bring a service that fails.
    pub(crate) fn spoil(&self, name: &str) -> Result<(), String> {
        let mut folder = self.folder();
        let folder = prepared(&mut folder)?;
        script(folder, &["spoil", &text(folder), name])
    }

    /// Something with a snapshot; nothing where no machine was ever looked into.
    fn known(&self, verb: &str, name: &str, snapshot: &str) -> Result<(), String> {
        match self.folder().as_ref() {
            Some(folder) => script(folder.path(), &[verb, &text(folder.path()), name, snapshot]),
            None => Ok(()),
        }
    }

    fn folder(&self) -> MutexGuard<'_, Option<TempDir>> {
        self.0.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a command in a VM as its guest agent would, and gives the number of its process.
    pub(crate) fn agent_exec(&self, vmid: u32, command: &[String], input: &str) -> u64 {
        let state = Arc::new(Mutex::new(json!({"exited": 0})));
        let pid = {
            let mut commands = self.0.commands.lock().unwrap_or_else(PoisonError::into_inner);
            let pid = 1000 + commands.len() as u64;
            commands.insert((vmid, pid), Arc::clone(&state));
            pid
        };
        let (machines, command, input) = (self.clone(), command.to_vec(), input.to_owned());
        std::thread::spawn(move || {
            let done = machines.enter(&vmid.to_string()).and_then(|environment| ran(&command, &input, &environment));
            let said = done.unwrap_or_else(|error| json!({"exited": 1, "exitcode": 127, "err-data": error}));
            *state.lock().unwrap_or_else(PoisonError::into_inner) = said;
        });
        pid
    }

    /// What became of it; none where no such process is known.
    pub(crate) fn agent_status(&self, vmid: u32, pid: u64) -> Option<Value> {
        let commands = self.0.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let state = commands.get(&(vmid, pid))?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Runs a command to its end.
fn ran(command: &[String], input: &str, environment: &BTreeMap<String, String>) -> Result<Value, String> {
    let (program, arguments) = command.split_first().ok_or("there is no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("Failed to execute child process \"{program}\": {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read all of it is no failure.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let mut said = json!({"exited": 1, "exitcode": output.status.code().unwrap_or(0)});
    for (name, bytes) in [("out", output.stdout), ("err", output.stderr)] {
        if !bytes.is_empty() {
            let kept = &bytes[..bytes.len().min(AGENT_OUTPUT)];
            said[format!("{name}-data")] = json!(String::from_utf8_lossy(kept));
        }
        if bytes.len() > AGENT_OUTPUT {
            said[format!("{name}-truncated")] = json!(1);
        }
    }
    Ok(said)
}

/// The folder of all machines, with the commands in it.
fn prepared(folder: &mut Option<TempDir>) -> Result<&Path, String> {
    if folder.is_none() {
        let failed = |error: std::io::Error| format!("cannot make a folder for machines: {error}");
        let new = tempfile::Builder::new().prefix("pve-sim-machines-").tempdir().map_err(failed)?;
        let bin = new.path().join("bin");
        fs::create_dir(&bin).map_err(failed)?;
        for (name, text) in TOOLS {
            fs::write(bin.join(name), text).map_err(failed)?;
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).map_err(failed)?;
        }
        *folder = Some(new);
    }
    folder.as_ref().map(TempDir::path).ok_or_else(|| "there is no folder for machines".to_owned())
}

/// What the commands of a machine get.
fn environment(folder: &Path, name: &str) -> BTreeMap<String, String> {
    let root: PathBuf = folder.join("machines").join(name).join("now");
    let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", text(&folder.join("bin")));
    let variables = [
        ("PATH", path),
        ("HOME", text(&root)),
        ("USER", "root".to_owned()),
        ("LOGNAME", "root".to_owned()),
        ("container", "lxc".to_owned()),
        ("APT_CONFIG", text(&root.join("etc/apt/apt.conf"))),
        ("DPKG_ROOT", text(&root)),
        ("DPKG_ADMINDIR", text(&root.join("var/lib/dpkg"))),
        ("REANIMATOR_JOBS", text(&root.join("var/lib/reanimator-jobs"))),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn script(folder: &Path, words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).arg("machines").args(words).current_dir(folder).stdin(Stdio::null());
    let done = command.output().map_err(|error| format!("cannot make a machine: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("cannot {} machine {}: {}", words[0], words[2], String::from_utf8_lossy(&done.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(environment: &BTreeMap<String, String>, line: &str) -> String {
        let command = ["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()];
        let said = ran(&command, "", environment).unwrap_or_default();
        said["out-data"].as_str().unwrap_or_default().trim().to_owned()
    }

    #[test]
    fn real_tools_upgrade_a_machine_and_a_snapshot_brings_it_back() {
        let machines = Machines::default();
        assert_eq!(machines.keep("101", "none"), Ok(()));
        let inside = machines.enter("101").unwrap_or_default();
        assert_eq!(run(&inside, "dpkg-query -W -f '${Package} ${Version},'"), "greeter 1.0,libgreet 1.0,web 1.0,");
        assert_eq!(machines.keep("101", "before"), Ok(()));
        let pending = run(&inside, "apt-get -s dist-upgrade | grep ^Inst");
        assert!(pending.contains("Inst libgreet [1.0] (1.1 Debian-Security:12/stable-security [all])"), "{pending}");
        run(&inside, "apt-get -y -o Dpkg::Options::=--force-confold dist-upgrade </dev/null");
        assert_eq!(run(&inside, "dpkg-query -W -f '${Version},'"), "1.1,1.1,1.1,");
        let other = machines.enter("102").unwrap_or_default();
        assert_eq!(run(&other, "dpkg-query -W -f '${Version},'"), "1.0,1.0,1.0,");
        assert_eq!(machines.roll_back("101", "before"), Ok(()));
        assert_eq!(run(&inside, "dpkg-query -W -f '${Version},'"), "1.0,1.0,1.0,");
    }

    #[test]
    fn a_spoiled_machine_fails_after_its_upgrade() {
        let machines = Machines::default();
        let inside = machines.enter("101").unwrap_or_default();
        assert_eq!(run(&inside, "systemctl is-system-running; systemctl --failed"), "running");
        assert_eq!(machines.spoil("101"), Ok(()));
        run(&inside, "apt-get -y -o Dpkg::Options::=--force-confold dist-upgrade </dev/null");
        assert_eq!(run(&inside, "systemctl is-system-running"), "degraded");
        assert!(run(&inside, "systemctl --failed").starts_with("web.service loaded failed"));
    }
}
