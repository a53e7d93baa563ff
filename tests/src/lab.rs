//! The lab's hosts, as a test sees them.
//!
//! `tests/lab/lab up 3 > FILE` started them, and `REANIMATOR_LAB=FILE` says where they are written down. A test pulls
//! a host's plug with [`LabHost::unplug`] and holds on to what that returns: dropped, it puts the plug back, so that a
//! test which fails half-way leaves a whole lab to the next one.
//!
//! ```no_run
//! let hosts = reanimator_tests::lab::hosts();
//! let pulled = hosts[1].unplug();
//! // ... hosts[1] is silent, the others are not ...
//! drop(pulled);
//! ```

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use reanimator_core::transport::ssh::fingerprint_of;
use serde::Deserialize;
use serde_json::Value;

use crate::program::Home;

/// The password that the lab's user `asks` needs for sudo and may log in with.
pub const ASKS_PASSWORD: &str = "wake the dead";

/// One real host. Its people and what each is good for: `tests/lab/README.md`.
#[derive(Clone, Debug, Deserialize)]
pub struct LabHost {
    /// What the lab and the host itself call it.
    pub name: String,
    /// Its address on the lab's network.
    pub address: String,
    /// Where its sshd listens.
    pub port: u16,
    /// An account with `/bin/sh` and passwordless sudo.
    pub user: String,
    /// The path of the private key that opens every account.
    pub key: PathBuf,
    /// The host's public key, in OpenSSH's form, as the host itself told it.
    pub host_key: String,
}

/// The hosts of the running lab.
///
/// # Panics
/// When `REANIMATOR_LAB` is not set or does not name a file of hosts. A lab test without a lab is a failure.
#[must_use]
pub fn hosts() -> Vec<LabHost> {
    let file = std::env::var_os("REANIMATOR_LAB")
        .expect("REANIMATOR_LAB names no file: `tests/lab/lab up 3 > FILE`, then REANIMATOR_LAB=FILE");
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", Path::new(&file).display()));
    text.lines()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not a line of `lab up`: {error}: {line}"))
        })
        .collect()
}

impl LabHost {
    /// Adds it to the fleet of a home by the command line, its key pinned, with `sudo -n`.
    ///
    /// # Panics
    /// When it cannot be added.
    pub fn add_to(&self, home: &Home) {
        let fingerprint = fingerprint_of(&self.host_key).expect("the lab tells a host key");
        let target = format!("{}@{}:{}", self.user, self.address, self.port);
        let key = self.key.display().to_string();
        let how = ["--name", &self.name, "--key", &key, "--no-agent", "--sudo", "nopasswd"];
        let words = ["host", "add", &target].into_iter().chain(how).chain(["--accept-host-key", &fingerprint]);
        home.json(words);
    }

    /// Pulls the host's network plug until the returned value is dropped.
    #[must_use = "the plug goes back as soon as this is dropped"]
    pub fn unplug(&self) -> Disturbed {
        lab("unplug", &self.name);
        Disturbed { name: self.name.clone(), mend: "plug" }
    }

    /// Freezes the host until the returned value is dropped: its kernel takes connections, and nobody speaks.
    #[must_use = "the host goes on as soon as this is dropped"]
    pub fn pause(&self) -> Disturbed {
        lab("pause", &self.name);
        Disturbed { name: self.name.clone(), mend: "resume" }
    }
}

/// The lab's power supply: it starts hosts that reboot, and those that are woken by a magic packet on the lab's network.
/// Dropped, it ends, and hosts that are off are switched on.
#[derive(Debug)]
pub struct PowerSupply {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl PowerSupply {
    /// Starts it, and returns when it listens.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use = "it ends as soon as this is dropped"]
    pub fn start() -> Self {
        let mut child = Command::new(program())
            .arg("keep")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", program().display()));
        let told = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut supply = Self { child, told };
        assert_eq!(supply.next(), serde_json::json!({"ready": true}));
        supply
    }

    /// What it did next: `{"rebooted": NAME}`, `{"packet": MAC, "host": NAME, "sender": ADDRESS}`.
    ///
    /// # Panics
    /// When it has ended.
    #[expect(clippy::should_implement_trait, reason = "it has no end that is not a failure")]
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.told.read_line(&mut line).expect("its output is text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`lab keep` said {line:?}: {error}"))
    }
}

impl Drop for PowerSupply {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait();
        hosts().iter().for_each(|host| lab("start", &host.name));
        if !std::thread::panicking() {
            assert!(ended.expect("it was started here").success(), "`lab keep` failed");
        }
    }
}

/// A host that is unplugged or paused. Dropped, it is whole again.
#[derive(Debug)]
pub struct Disturbed {
    name: String,
    mend: &'static str,
}

impl Drop for Disturbed {
    fn drop(&mut self) {
        lab(self.mend, &self.name);
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/lab")
}

/// Runs one command of `tests/lab/lab`.
fn lab(verb: &str, name: &str) {
    let program = program();
    let done = Command::new(&program)
        .args([verb, name])
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let said = String::from_utf8_lossy(&done.stderr);
    // A second panic while a failing test unwinds would hide what failed.
    if !done.status.success() && !std::thread::panicking() {
        panic!("`lab {verb} {name}` failed: {said}");
    }
}
