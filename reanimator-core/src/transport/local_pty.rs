//! A terminal on this machine: a login shell of the account that runs this program.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _, process::ExitStatus, time::Duration};

use bytes::Bytes;
use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Child,
    sync::mpsc,
};

use super::{
    local::exit_of,
    pty::{Far, LARGEST_PIECE, Pty, TERM, Typed, pair},
};
use crate::{Error, ErrorKind, Result, model::TerminalSize};

/// How long what was still shown when the shell ended may take to be read: something it left behind may go on for ever.
const REST: Duration = Duration::from_millis(250);

/// How long a shell that was hung up gets to end.
const POLITE: Duration = Duration::from_secs(2);

/// Opens a terminal of a size.
///
/// # Errors
/// `Denied` when this machine gives no terminal or starts no shell.
pub(super) fn open(size: TerminalSize) -> Result<Pty> {
    let size = size.checked()?;
    let account = Account::own();
    let (master, slave) = pty_process::open().map_err(|error| refused("open a terminal", error))?;
    master.resize(as_size(size)).map_err(|error| refused("give a terminal its size", error))?;
    let name = account.shell.rsplit('/').next().unwrap_or("sh").to_owned();
    let child = pty_process::Command::new(&account.shell)
        .arg0(format!("-{name}"))
        .env_clear()
        .envs(account.environment())
        .current_dir(if std::path::Path::new(&account.home).is_dir() { &account.home } else { "/" })
        .kill_on_drop(true)
        .spawn(slave)
        .map_err(|error| refused(&format!("start {}", account.shell), error))?;
    let (near, far) = pair();
    let (read, write) = master.into_split();
    tokio::spawn(serve(child, read, write, far));
    Ok(near)
}

fn refused(attempt: &str, error: pty_process::Error) -> Error {
    Error::new(ErrorKind::Denied, attempt)
        .because(error.to_string())
        .next("check that this machine has free terminals (/dev/pts), memory and process slots")
        .from_source(error)
}

fn as_size(size: TerminalSize) -> Size {
    Size::new(size.rows, size.cols)
}

/// Carries both ways until the shell has ended or nobody is left.
async fn serve(mut child: Child, read: OwnedReadPty, write: OwnedWritePty, far: Far) {
    let Far { typed, screen, exit } = far;
    let leader = child.id();
    let mut showing = Box::pin(show(read, screen));
    let ended = tokio::select! {
        status = child.wait() => {
            // The last words are read by whoever waits for them; what the shell left behind is not.
            let _goes_on_without_us = tokio::time::timeout(REST, &mut showing).await;
            Some(status)
        }
        () = feed(write, typed) => None,
        // Nobody looks any more, or the shell has closed its terminal.
        () = &mut showing => None,
    };
    let status = match ended {
        Some(status) => status,
        None => {
            drop(showing);
            hang_up(&mut child, leader).await
        }
    };
    let told = status.map(exit_of).map_err(|error| {
        Error::new(ErrorKind::Internal, "wait for the shell to end").because(error.to_string()).from_source(error)
    });
    let _nobody_asks = exit.send(told);
}

async fn show(mut read: OwnedReadPty, screen: mpsc::Sender<Bytes>) {
    let mut piece = vec![0; LARGEST_PIECE];
    // A terminal whose last process has ended answers EIO on Linux: that is its end.
    while let Ok(length @ 1..) = read.read(&mut piece).await {
        if screen.send(Bytes::copy_from_slice(&piece[..length])).await.is_err() {
            return;
        }
    }
}

/// Ends when it was hung up.
async fn feed(mut write: OwnedWritePty, mut typed: mpsc::Receiver<Typed>) {
    let mut works = true;
    while let Some(next) = typed.recv().await {
        works &= match next {
            Typed::Bytes(bytes) if works => write.write_all(&bytes).await.is_ok(),
            Typed::Size(size) if works => write.resize(as_size(size)).is_ok(),
            // The shell has ended; that is told by its status.
            Typed::Bytes(_) | Typed::Size(_) => true,
        };
    }
}

/// Ends the shell with what runs in front of it: politely, then for sure.
async fn hang_up(child: &mut Child, leader: Option<u32>) -> std::io::Result<ExitStatus> {
    let group = leader.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // Gone already is as good.
    let signal = |signal| group.is_some_and(|group| kill_process_group(group, signal).is_ok());
    if signal(Signal::HUP)
        && let Ok(status) = tokio::time::timeout(POLITE, child.wait()).await
    {
        return status;
    }
    signal(Signal::KILL);
    child.wait().await
}

/// The account that this program runs as.
struct Account {
    name: String,
    home: String,
    shell: String,
}

impl Account {
    /// As the system knows it, and not the environment, which anybody may set to anything.
    fn own() -> Self {
        let uid = std::fs::metadata("/proc/self").map(|process| process.uid().to_string()).unwrap_or_default();
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self::find(&accounts, &uid)
    }

    fn find(accounts: &str, uid: &str) -> Self {
        let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let own = fields.into_iter().find(|fields| fields.get(2) == Some(&uid)).unwrap_or_default();
        let field = |index: usize, usual: &str| {
            let text = own.get(index).copied().unwrap_or_default();
            if text.is_empty() { usual.to_owned() } else { text.to_owned() }
        };
        Self { name: field(0, "unknown"), home: field(5, "/"), shell: field(6, "/bin/sh") }
    }

    /// What a log-in would set. Nothing of this program's own environment goes along.
    fn environment(&self) -> BTreeMap<&'static str, String> {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let language = std::env::var("LANG").unwrap_or_else(|_| "C.UTF-8".to_owned());
        BTreeMap::from([
            ("HOME", self.home.clone()),
            ("LANG", language),
            ("LOGNAME", self.name.clone()),
            ("PATH", path.to_owned()),
            ("SHELL", self.shell.clone()),
            ("TERM", TERM.to_owned()),
            ("USER", self.name.clone()),
        ])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    /// Reads until the text was shown; says all that was.
    async fn until(pty: &mut Pty, text: &str) -> String {
        let mut shown = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&shown).contains(text) {
                shown.extend_from_slice(&pty.screen.recv().await.expect("the terminal ended"));
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), reading).await;
        assert!(in_time.is_ok(), "{text:?} was not shown: {}", String::from_utf8_lossy(&shown));
        String::from_utf8_lossy(&shown).into_owned()
    }

    #[tokio::test]
    async fn a_shell_sees_its_terminal_and_tells_its_status() {
        let mut pty = open(TerminalSize { cols: 91, rows: 33 }).unwrap();
        pty.keys.send("stty size; echo $TERM; exec sh\n").await.unwrap();
        until(&mut pty, "33 91").await;
        pty.keys.resize(TerminalSize { cols: 101, rows: 44 }).await.unwrap();
        pty.keys.send("stty size; echo gr\u{fc}n | tr -d '\\n' | wc -c; exit 7\n").await.unwrap();
        let shown = until(&mut pty, "44 101").await + &until(&mut pty, "5").await;
        assert!(shown.contains("gr\u{fc}n"), "{shown}");
        while pty.screen.recv().await.is_some() {}
        assert_eq!(pty.exit.await.unwrap().status, Some(7));
    }

    #[tokio::test]
    async fn what_is_hung_up_ends_with_what_runs_in_it() {
        let mut pty = open(TerminalSize::default()).unwrap();
        pty.keys.send("echo pid=$$=; exec sleep 1000\n").await.unwrap();
        let shown = until(&mut pty, "=\r\n").await;
        let pid: u32 = shown.rsplit("pid=").next().and_then(|rest| rest.split('=').next()).unwrap().parse().unwrap();
        let Pty { keys, screen, exit } = pty;
        drop((keys, screen));
        let exit = tokio::time::timeout(Duration::from_secs(20), exit).await.unwrap().unwrap();
        assert!(exit.signal.is_some() || exit.status.is_some(), "{exit:?}");
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} still runs");
    }

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:,,,:/home/ada:\n";
        let (root, ada, none) = (Account::find(accounts, "0"), Account::find(accounts, "1000"), Account::find("", "5"));
        assert_eq!((root.name.as_str(), root.shell.as_str()), ("root", "/bin/bash"));
        assert_eq!((ada.home.as_str(), ada.shell.as_str()), ("/home/ada", "/bin/sh"));
        assert_eq!((none.home.as_str(), none.shell.as_str()), ("/", "/bin/sh"));
        assert!(!root.environment().contains_key("REANIMATOR_DATA_DIR"));
    }
}
