//! A home and a data directory for one test, and the program run in them.

#![allow(dead_code, clippy::unwrap_used, reason = "not every test file uses every helper")]

use std::{ffi::OsStr, path::Path};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// Nothing of the person who runs the tests gets in: own home, own data directory, no agent.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, about to run.
    pub(crate) fn reanimator<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reanimator"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("USER", "tester")
            .env("REANIMATOR_DATA_DIR", self.path().join("data"))
            .timeout(std::time::Duration::from_secs(60))
            .args(words);
        command
    }

    /// What it printed, after it did what it should.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        text(&self.reanimator(words).assert().success().get_output().stdout)
    }

    /// The document it printed with `--json`, and nothing else.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let output = self.reanimator(words.iter().chain(&["--json"])).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    }

    /// What it complained about, with that exit code and nothing on stdout.
    pub(crate) fn refused(&self, words: &[&str], code: i32) -> String {
        let output = self.reanimator(words).assert().code(code).stdout("");
        text(&output.get_output().stderr)
    }

    /// The only host of a new fleet: this machine.
    pub(crate) fn this_machine(&self) -> String {
        self.json(&["host", "list"])["items"][0]["name"].as_str().unwrap().to_owned()
    }

    /// Adds a host where nothing answers, without looking.
    pub(crate) fn add_silent_host(&self, name: &str) {
        let target = format!("127.0.0.1:{}", closed_port());
        self.reanimator(["host", "add", &target, "--name", name, "--unchecked", "--password-stdin"])
            .write_stdin("unused\n")
            .assert()
            .success();
    }
}

/// A port of this machine at which nobody listens.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
