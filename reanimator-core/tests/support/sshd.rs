//! A real sshd on loopback, with keys and configuration of its own in a temporary directory.
//!
//! Runs as root and as an ordinary account; whoever runs the tests is who logs in.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reanimator_core::transport::ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget};
use tempfile::TempDir;

/// How long sshd may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A running sshd. Stopped when dropped.
pub struct Sshd {
    directory: TempDir,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// The private key that is let in, as text.
    pub key: String,
    /// Its host key, as a public key line.
    pub host_key: String,
    /// Who logs in.
    pub user: String,
    child: Option<Child>,
}

impl Sshd {
    /// Starts with the usual configuration.
    pub fn start() -> Self {
        Self::with("")
    }

    // The account's own start-up files would be read for each command, and may take long.
    /// Starts with more lines for `sshd_config`; the first mention of an option counts, so these win.
    pub fn with(lines: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        keygen(&at.join("host"), "ed25519", "");
        keygen(&at.join("client"), "ed25519", "");
        std::fs::copy(at.join("client.pub"), at.join("authorized_keys")).unwrap();
        let port = free_port();
        let config = format!(
            "{lines}\nListenAddress 127.0.0.1:{port}\nHostKey {host}\nPidFile none\nAuthorizedKeysFile {keys}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nMaxStartups 200\nLogLevel VERBOSE\nSetEnv HOME={home}\n",
            home = at.display(),
            host = at.join("host").display(),
            keys = at.join("authorized_keys").display(),
        );
        std::fs::write(at.join("sshd_config"), config).unwrap();
        let mut sshd = Self {
            key: std::fs::read_to_string(at.join("client")).unwrap(),
            host_key: public_line(&at.join("host.pub")),
            user: output_of(Command::new("id").arg("-un")),
            directory,
            port,
            child: None,
        };
        sshd.run();
        sshd
    }

    /// Lets one more key in; gives its private half.
    pub fn allow_new_key(&self, kind: &str, passphrase: &str) -> String {
        let path = self.file(&format!("extra-{kind}-{}", passphrase.len()));
        keygen(&path, kind, passphrase);
        let mut keys = std::fs::OpenOptions::new().append(true).open(self.file("authorized_keys")).unwrap();
        writeln!(keys, "{}", public_line(&path.with_extension("pub"))).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    /// Gives the server another host key, and starts it again.
    pub fn change_host_key(&mut self, kind: &str) {
        self.stop();
        for old in ["host", "host.pub"] {
            std::fs::remove_file(self.file(old)).unwrap();
        }
        keygen(&self.file("host"), kind, "");
        self.host_key = public_line(&self.file("host.pub"));
        self.run();
    }

    /// A file in the server's directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the server wrote into its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// The way to it, with the right host key pinned.
    pub fn target(&self) -> SshTarget {
        let mut hop = Hop::new("127.0.0.1", self.port, &self.user);
        hop.host_keys = HostKeyPolicy::pinned(&self.host_key);
        SshTarget::new(hop)
    }

    /// A client with the right key.
    pub fn client(&self) -> Ssh {
        Ssh::new(self.target(), SshCredentials::key(self.key.clone()))
    }

    /// Starts the server where it was before.
    pub fn run(&mut self) {
        // As root sshd wants its empty directory, which only its service makes.
        if self.user == "root" {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f"])
            .arg(self.file("sshd_config"))
            .arg("-E")
            .arg(self.file("log"))
            .stdin(Stdio::null())
            .spawn()
            .expect("sshd is needed for these tests: install openssh-server");
        self.child = Some(child);
        let until = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "sshd did not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops the listener and every connection that it serves.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let servers = servers_below(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        for pid in servers {
            // One that ended by itself is as good.
            let _gone = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port on which nothing listens right now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Makes a key pair.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-a", "1"])
        .args(if kind == "rsa" { &["-b", "2048"][..] } else { &[] })
        .arg("-f")
        .arg(path)
        .status()
        .expect("ssh-keygen is needed for these tests: install openssh-client");
    assert!(made.success());
}

fn public_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// The server's own processes below a process, and not what they run for their users.
fn servers_below(pid: u32) -> Vec<u32> {
    let below = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let below = below.split_whitespace().filter_map(|pid| pid.parse().ok());
    let is_server =
        |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("sshd"));
    below.filter(is_server).flat_map(|child| [vec![child], servers_below(child)].concat()).collect()
}

/// What a command prints, without the newline.
pub fn output_of(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}
