//! The built program as a test runs it: in a home of its own, and as a server that can be killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A program of this workspace, where cargo has built it.
///
/// # Panics
/// When it is not built: cargo builds the programs of the package under test only.
#[must_use]
pub fn built(name: &str, package: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test program has a path");
    let mut folders = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    folders.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("the program {name} is not built beside {}: run `cargo build -p {package}`", own.display())
    })
}

/// A home and a data directory, with nothing in it of the person who runs the tests.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    /// An empty one.
    ///
    /// # Panics
    /// When there is no room for temporary files.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    #[must_use]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// The fleet's directory in it.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A file in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A program about to run in it.
    pub fn command<S: AsRef<OsStr>>(&self, program: &Path, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("USER", "tester")
            .env("REANIMATOR_DATA_DIR", self.data_dir())
            .stdin(Stdio::null())
            .args(words);
        command
    }

    /// What `reanimator WORDS --json` prints.
    ///
    /// # Panics
    /// When it fails, with what it said.
    pub fn json<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Value {
        let mut command = self.command(&built("reanimator", "reanimator-cli"), words);
        document(command.arg("--json"))
    }

    /// The same of a command that fails, and says in its document why.
    ///
    /// # Panics
    /// When it succeeds, or prints no document.
    pub fn json_of_failure<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Value {
        let mut command = self.command(&built("reanimator", "reanimator-cli"), words);
        let done = command.arg("--json").output().expect("the program runs");
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success(), "it succeeded: {said}");
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("no document: {error}: {said}"))
    }
}

impl Home {
    /// What a command that fails says on standard error.
    ///
    /// # Panics
    /// When it succeeds.
    pub fn refusal<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> String {
        let done = self.command(&built("reanimator", "reanimator-cli"), words).output().expect("the program runs");
        assert!(!done.status.success(), "it succeeded: {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8_lossy(&done.stderr).into_owned()
    }

    /// Brings a Proxmox cluster into its fleet by the command line; says what was found.
    ///
    /// # Panics
    /// When it cannot be connected.
    pub fn connect(&self, url: &str, token: &str, fingerprint: &str) -> Value {
        let file = self.path().join("token");
        std::fs::write(&file, token).expect("a file can be written in it");
        let source = format!("--token=file:{}", file.display());
        self.json(["proxmox", "connect", url, &source, "--accept-certificate", fingerprint])
    }
}

/// The Python that has the module in it: `make test` installs it before the lab's turn. Without it the others are
/// compared, which the tests say.
#[must_use]
pub fn python() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("REANIMATOR_PYTHON") {
        return Some(given.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let python = target.join("venv/bin/python");
    let looked = Command::new(&python).args(["-c", "import reanimator"]).output();
    looked.is_ok_and(|done| done.status.success()).then_some(python)
}

/// The JSON document that a command prints.
///
/// # Panics
/// When it fails, with what it said.
pub fn document(command: &mut Command) -> Value {
    let done = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?} failed: {said}{complained}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{command:?} printed no document: {error}: {said}"))
}

/// `reanimator serve` as a process. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
    token: String,
}

impl Server {
    /// Starts it on a free port, and makes a token to ask it with.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(home: &Home, token_name: &str) -> Self {
        Self::start_for(home, token_name, "viewer")
    }

    /// The same with a token of a role.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_for(home: &Home, token_name: &str, role: &str) -> Self {
        let token = home.json(["token", "create", token_name, "--role", role]);
        let words = ["serve", "--listen", "127.0.0.1:0", "--json"];
        let mut command = home.command(&built("reanimator", "reanimator-cli"), words);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its standard output is a pipe");
        // The document is printed over several lines; the last one is the closing brace alone.
        for next in BufReader::new(stdout).lines() {
            let next = next.expect("the server says where it is");
            line.push_str(&next);
            if next == "}" || serde_json::from_str::<Value>(&line).is_ok() {
                break;
            }
        }
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self { child, address: text(&ready["address"]), token: text(&token["token"]) }
    }

    /// What it answers to `GET path`.
    ///
    /// # Panics
    /// When it answers anything but a document with a status of success.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "")
    }

    /// What it answers to `POST path` with a document.
    ///
    /// # Panics
    /// As `get`.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, &body.to_string())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let asked = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(&self.address)?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                self.address,
                self.token,
                body.len()
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = asked().unwrap_or_else(|error| panic!("the server does not answer: {error}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.starts_with("HTTP/1.1 2"), "{answer}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Ends it with SIGKILL: it can do nothing about it.
    ///
    /// # Panics
    /// When it has ended by itself before.
    pub fn kill(mut self) {
        assert!(matches!(self.child.try_wait(), Ok(None)), "the server ended by itself");
        self.child.kill().expect("the server can be killed");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; either way nothing of it is left.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
