//! One real sshd on a hundred loopback addresses, with keys and configuration of its own.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Result, processes};

const START_LIMIT: Duration = Duration::from_secs(10);

/// The hundred addresses at which it is asked.
pub(crate) fn addresses() -> impl Iterator<Item = String> {
    (1..=100).map(|last| format!("127.0.0.{last}"))
}

/// A running sshd. Dropped, it is gone with all its connections.
#[derive(Debug)]
pub(crate) struct Sshd {
    directory: TempDir,
    child: Child,
    pub(crate) port: u16,
    pub(crate) host_key: String,
    pub(crate) user: String,
}

impl Sshd {
    /// Starts it for whoever runs the bench. sshd takes sixteen addresses to listen on at most, so it listens on all
    /// there are, and lets in loopback alone. The account's own start-up files stay out: its HOME is an empty folder, so
    /// that its shell starts as fast as a clean account's `/bin/sh`.
    pub(crate) fn start() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let at = directory.path();
        keygen(&at.join("host"))?;
        keygen(&at.join("key"))?;
        std::fs::create_dir(at.join("home"))?;
        std::fs::copy(at.join("key.pub"), at.join("authorized_keys"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = format!(
            "ListenAddress 0.0.0.0:{port}\nAllowUsers *@127.0.0.0/8\nHostKey {at}/host\nPidFile none\n\
             AuthorizedKeysFile {at}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nMaxStartups 400\nUseDNS no\nSetEnv HOME={at}/home\n",
            at = at.display(),
        );
        std::fs::write(at.join("sshd_config"), config)?;
        let user = text_of(Command::new("id").arg("-un"))?;
        if user == "root" {
            // As root sshd wants its empty folder, which only its service makes.
            std::fs::create_dir_all("/run/sshd")?;
        }
        let mut child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f"])
            .arg(at.join("sshd_config"))
            .arg("-E")
            .arg(at.join("log"))
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start /usr/sbin/sshd (install openssh-server): {error}"))?;
        let until = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if child.try_wait()?.is_some() || Instant::now() > until {
                return Err(format!("sshd did not start: {}", std::fs::read_to_string(at.join("log"))?).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let public = std::fs::read_to_string(at.join("host.pub"))?;
        let host_key = public.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        Ok(Self { directory, child, port, host_key, user })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let pids = processes::tree(self.child.id());
        // What ended by itself is as good.
        for pid in pids {
            let _gone = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        let _reaped = self.child.wait();
    }
}

fn keygen(path: &Path) -> Result<()> {
    text_of(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f"]).arg(path))
        .map(|_| ())
}

/// What a program prints, without the newline.
fn text_of(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{:?} failed: {}", command.get_program(), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
