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

use std::path::{Path, PathBuf};
use std::process::Command;

use reanimator_core::transport::ssh::fingerprint_of;
use serde::Deserialize;

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

/// Runs one command of `tests/lab/lab`.
fn lab(verb: &str, name: &str) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/lab");
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
