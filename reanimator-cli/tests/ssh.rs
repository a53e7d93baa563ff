//! Hosts behind a real sshd on loopback: who it is has to be said once, and a changed key is refused.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::Write,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{Home, text};

/// An sshd with keys of its own; ended when dropped.
struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "client", "other"] {
            keygen(folder.path().join(name));
        }
        Self::run_in(folder)
    }

    fn run_in(folder: tempfile::TempDir) -> Self {
        let port = common::closed_port();
        let child = run(&folder, port, "host");
        Self { folder, port, child }
    }

    /// One more, that lets the same key in.
    fn beside(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "other"] {
            keygen(folder.path().join(name));
        }
        std::fs::copy(self.path("client.pub"), folder.path().join("client.pub")).unwrap();
        Self::run_in(folder)
    }

    /// Stops it and starts it again with another host key.
    fn change_key(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = run(&self.folder, self.port, "other");
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn fingerprint(&self, name: &str) -> String {
        let output = Command::new("ssh-keygen").args(["-lf", &self.path(&format!("{name}.pub"))]).output().unwrap();
        text(&output.stdout).split_whitespace().nth(1).unwrap().to_owned()
    }

    /// What `host add` takes to get in, but for the host key.
    fn words(&self) -> Vec<String> {
        let target = format!("{}@127.0.0.1:{}", account(), self.port);
        ["host", "add", &target, "--no-agent", "--key", &self.path("client")].map(str::to_owned).into()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(folder: &tempfile::TempDir, port: u16, host_key: &str) -> Child {
    let at = folder.path().display();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {at}/{host_key}\nAuthorizedKeysFile {at}/client.pub\nPidFile none\n\
         StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv HOME={at}\n"
    );
    let file = folder.path().join("sshd_config");
    std::fs::write(&file, config).unwrap();
    // As root it wants this folder, which Debian makes at boot only.
    drop(std::fs::create_dir_all("/run/sshd"));
    let child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f", file.to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "sshd does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn keygen(path: PathBuf) {
    let words = ["-q", "-t", "ed25519", "-N", "", "-f"];
    assert!(Command::new("ssh-keygen").args(words).arg(path).status().unwrap().success());
}

fn account() -> String {
    text(&Command::new("id").arg("-un").output().unwrap().stdout).trim().to_owned()
}

#[test]
fn an_unknown_key_is_shown_and_accepted_only_by_its_fingerprint() {
    let (home, sshd) = (Home::new(), Sshd::start());
    let fingerprint = sshd.fingerprint("host");
    let words = sshd.words();

    let refused = home.reanimator(&words).assert().code(1).stdout("");
    let stderr = text(&refused.get_output().stderr);
    assert!(stderr.contains(&format!("--accept-host-key {fingerprint}")), "{stderr}");

    let wrong = home.reanimator(words.iter().map(String::as_str).chain(["--accept-host-key", "SHA256:wrong"]));
    drop({ wrong }.assert().code(1));
    assert_eq!(home.json(&["host", "list"])["total"], 1, "nothing is stored before the connection worked");

    let right = ["--accept-host-key", &fingerprint, "--json"];
    let added = home.reanimator(words.iter().map(String::as_str).chain(right)).assert().success();
    let host: serde_json::Value = serde_json::from_slice(&added.get_output().stdout).unwrap();
    assert!(host["via"].as_array().unwrap().contains(&"ssh".into()), "{host}");
    assert_eq!(home.json(&["host", "test", host["name"].as_str().unwrap()])["ok"], true);
}

#[test]
fn with_json_the_fingerprint_is_a_field() {
    let (home, sshd) = (Home::new(), Sshd::start());
    let refused = home.reanimator(sshd.words().iter().map(String::as_str).chain(["--json"])).assert().code(1);
    let document: serde_json::Value = serde_json::from_slice(&refused.get_output().stderr).unwrap();
    assert_eq!(document["error"]["kind"], "host-key-unknown");
    assert_eq!(document["error"]["fingerprint"], sshd.fingerprint("host"));
    assert_eq!(document["error"]["key_type"], "ssh-ed25519");
}

#[test]
fn at_a_terminal_it_asks_and_takes_only_a_full_yes() {
    let (home, sshd) = (Home::new(), Sshd::start());
    for (answer, worked) in [("y", false), ("yes", true)] {
        // `script` gives the program a terminal and types for us.
        let line = format!("{} {}", env!("CARGO_BIN_EXE_reanimator"), sshd.words().join(" "));
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("HOME", home.path())
            .env("REANIMATOR_DATA_DIR", home.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        writeln!(keyboard, "{answer}").unwrap();
        let output = child.wait_with_output().unwrap();
        drop(keyboard);
        let seen = text(&output.stdout);
        assert!(seen.contains(&sshd.fingerprint("host")), "{seen}");
        assert_eq!(output.status.success(), worked, "{answer}: {seen}");
    }
}

#[test]
fn a_changed_key_is_refused_until_it_is_trusted() {
    let (home, mut sshd) = (Home::new(), Sshd::start());
    let (old, new) = (sshd.fingerprint("host"), sshd.fingerprint("other"));
    let words = sshd.words();
    let name = ["--accept-host-key", &old, "--name", "far", "--unchecked"];
    home.reanimator(words.iter().map(String::as_str).chain(name)).assert().success();
    home.run(&["host", "trust", "far", "--accept-host-key", &old]);
    home.run(&["exec", "true", "--on", "far"]);

    sshd.change_key();
    let stderr = {
        let output = home.reanimator(["exec", "true", "--on", "far"]).assert().code(1);
        text(&output.get_output().stderr)
    };
    assert!(stderr.contains("error: far: "), "{stderr}");

    let stderr = home.refused(&["host", "trust", "far"], 1);
    assert!(stderr.contains(&format!("--accept-host-key {new}")), "{stderr}");
    home.refused(&["host", "trust", "far", "--accept-host-key", &old], 1);
    home.run(&["host", "trust", "far", "--accept-host-key", &new]);
    home.run(&["exec", "true", "--on", "far"]);
}

#[test]
fn each_host_on_the_way_is_known_by_its_own_key() {
    let (home, jump) = (Home::new(), Sshd::start());
    let far = jump.beside();
    let target = format!("{}@127.0.0.1:{}", account(), far.port);
    let over = format!("{}@127.0.0.1:{}", account(), jump.port);
    let mut words = ["host", "add", &target, "--no-agent", "--jump", &over, "--key", &jump.path("client")]
        .map(str::to_owned)
        .to_vec();
    for sshd in [&jump, &far] {
        let fingerprint = sshd.fingerprint("host");
        let stderr = text(&home.reanimator(&words).assert().code(1).get_output().stderr);
        assert!(stderr.contains(&format!("--accept-host-key {fingerprint}")), "{stderr}");
        words.extend(["--accept-host-key".to_owned(), fingerprint]);
    }
    home.reanimator(&words).assert().success();
}

#[test]
fn ctrl_c_ends_the_command_on_the_far_host_too() {
    let (home, sshd) = (Home::new(), Sshd::start());
    let name = ["--accept-host-key", &sshd.fingerprint("host"), "--name", "far", "--unchecked"];
    home.reanimator(sshd.words().iter().map(String::as_str).chain(name)).assert().success();
    home.run(&["host", "trust", "far", "--accept-host-key", &sshd.fingerprint("host")]);
    // A length of sleep that no other process has.
    let sleep = format!("100{}", std::process::id());
    let mut child = Command::new(env!("CARGO_BIN_EXE_reanimator"))
        .args(["exec", &format!("sleep {sleep}"), "--on", "far", "--time-limit", "1h"])
        .env("HOME", home.path())
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(|| sleeping(&sleep));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    until(|| !sleeping(&sleep));
}

fn sleeping(seconds: &str) -> bool {
    Command::new("pgrep").args(["-fx", &format!("sleep {seconds}")]).output().unwrap().status.success()
}

fn until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}
