//! The program `apprise`, for the hundred other services, where it is installed.
//!
//! Its addresses hold passwords: they go to it over its standard input, never on its command line and onto no disk. What it
//! connects to it finds by itself, so the guard of addresses can only look at the addresses before, and refuses those whose
//! host cannot be told; and services that act on this very machine (`syslog://`, `dbus://`) are taken only by a target that
//! may lie inside. What it says is passed on without its addresses and all that they are made of.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use url::form_urlencoded;

use super::{Message, Secrets, apprise_hosts, guard};
use crate::{
    Error, ErrorKind, Result,
    model::{NoticeLevel, NotifyTarget},
    transport::http::excerpt,
};

/// The program.
const PROGRAM: &str = "apprise";
/// How long it may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// As much of what it says is read, in bytes.
const SAID_LIMIT: u64 = 16 * 1024;
/// As many addresses a target may have.
const MOST_URLS: usize = 50;
/// As much text is handed to it, in bytes: it stands on its command line.
const LONGEST_TEXT: usize = 16 * 1024;
/// The shortest part of an address that is taken out of what it says, in bytes: shorter ones are in too many words.
const SHORTEST_PART: usize = 4;
/// What shows something on this machine's own screen or in its own log.
const LOCAL: [&str; 9] = ["syslog", "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "file"];

/// What it is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    words: Vec<String>,
    urls: String,
}

/// Hands the message over to it.
pub(super) async fn send(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<String> {
    let urls = check(target, secrets.need("urls", target)?)?;
    for url in &urls {
        guarded(url, target).await?;
    }
    let program = find(std::env::var_os("PATH").unwrap_or_default()).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("run {PROGRAM}"))
            .because("it is not installed on this machine")
            .next("install the package apprise, or use another kind of target")
    })?;
    match tokio::time::timeout(TIME_LIMIT, run(&program, &call(message, &urls))).await {
        Ok(ran) => ran,
        Err(_) => Err(Error::new(ErrorKind::Timeout, format!("run {PROGRAM}"))
            .because(format!("it did not end within {} s", TIME_LIMIT.as_secs()))
            .next("check the services that it is to reach; some may have been told")),
    }
}

/// Its addresses, each of which is one.
fn check(target: &NotifyTarget, lines: &str) -> Result<Vec<String>> {
    let refuse = |cause: &str| {
        Error::new(ErrorKind::Invalid, format!("read the addresses of {PROGRAM}"))
            .on(&*target.name)
            .because(cause)
            .next("write one address a line, as its documentation has them: service://...")
    };
    let urls: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if urls.is_empty() || urls.len() > MOST_URLS {
        return Err(refuse(&format!("there are {} of them, where 1 to {MOST_URLS} can be", urls.len())));
    }
    for url in &urls {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '+';
        if scheme.is_empty() || !scheme.chars().all(fits) || url.contains(char::is_control) {
            return Err(refuse("a line is no address"));
        }
        if url.split([' ', ',']).skip(1).any(|word| word.contains("://")) {
            return Err(refuse("a line holds more than one address"));
        }
        if LOCAL.contains(&scheme.to_ascii_lowercase().as_str()) && !target.allow_inside {
            let cause = format!("{scheme}:// acts on this very machine, and the target may not lie inside");
            return Err(refuse(&cause));
        }
    }
    Ok(urls.into_iter().map(str::to_owned).collect())
}

/// Refuses an address that leads inside, as far as that can be seen, and one whose host cannot be told.
async fn guarded(url: &str, target: &NotifyTarget) -> Result<()> {
    let hosts = match apprise_hosts::hosts(url) {
        Ok(hosts) => hosts,
        Err(_) if target.allow_inside => return Ok(()),
        Err(cause) => {
            return Err(Error::new(ErrorKind::Denied, format!("read the addresses of {PROGRAM}"))
                .on(&*target.name)
                .because(format!("of one, whether it leads inside cannot be told: {cause}"))
                .next("write it in another way, or let an admin allow this target to lie inside (allow_inside)"));
        }
    };
    for host in hosts {
        match guard::addresses(&host, 80, target.allow_inside).await {
            Err(error) if error.kind() == ErrorKind::Denied => return Err(error),
            // A name that nobody has leads nowhere: it says so itself.
            _ => {}
        }
    }
    Ok(())
}

fn find(path: impl AsRef<std::ffi::OsStr>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs =
        |file: &PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(PROGRAM)).find(runs)
}

fn call(message: &Message, urls: &[String]) -> Call {
    let kind = match message.level {
        NoticeLevel::Critical => "failure",
        NoticeLevel::Warning => "warning",
        NoticeLevel::Notice => "info",
        NoticeLevel::Ok => "success",
    };
    let text = super::message::cut(message.body().to_owned(), LONGEST_TEXT);
    let words = [
        "--config=/dev/stdin".to_owned(),
        "--recursion-depth=0".to_owned(),
        "--input-format=text".to_owned(),
        format!("--notification-type={kind}"),
        format!("--title={}", message.title),
        format!("--body={text}"),
    ];
    Call { words: words.map(|word| word.replace('\0', "")).to_vec(), urls: urls.join("\n") + "\n" }
}

async fn run(program: &Path, call: &Call) -> Result<String> {
    let failed = |error| Error::new(ErrorKind::Internal, format!("run {}", program.display())).from_source(error);
    let mut child = Command::new(program)
        .args(&call.words)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        // It reads and writes nothing of the person who runs the service.
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // One that ends without reading says so by its status.
            let _ = stdin.write_all(call.urls.as_bytes()).await;
        }
    };
    let ((), out, err) = tokio::join!(tell, said(stdout), said(stderr));
    let status = child.wait().await.map_err(failed)?;
    judge(status, &[out, err].concat(), &call.urls)
}

/// The beginning of what it says; the rest is read and left.
async fn said(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(mut stream) = stream {
        // What cannot be read is as good as nothing said: the status decides.
        let _ = (&mut stream).take(SAID_LIMIT).read_to_end(&mut said).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    said
}

/// What it says, without the addresses and what they are made of: hosts, users, passwords, tokens.
fn taken_out(urls: &str, said: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for url in urls.lines() {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        parts.extend([url, rest].map(str::to_owned));
        let is_between = |letter: char| !letter.is_alphanumeric() && !"-_.~%+!$*".contains(letter);
        for part in rest.split(is_between) {
            let plain = form_urlencoded::parse(part.as_bytes()).map(|(part, _)| part.into_owned());
            parts.extend(plain.chain([part.to_owned()]));
        }
    }
    parts.retain(|part| part.len() >= SHORTEST_PART);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.dedup();
    parts.iter().fold(said.to_owned(), |said, part| said.replace(part.as_str(), "[redacted]"))
}

fn judge(status: ExitStatus, said: &[u8], urls: &str) -> Result<String> {
    if status.success() {
        return Ok(format!("{PROGRAM} says that all were told"));
    }
    let said = taken_out(urls, &String::from_utf8_lossy(said));
    let code = status.code().map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
    Err(Error::new(ErrorKind::Unreachable, format!("send by {PROGRAM}"))
        .because(format!("it ended with {code}: {}", excerpt(said.as_bytes())))
        .next("check its addresses, and whether the services behind them are up"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::notify::message::tests::message;

    fn target(allow_inside: bool) -> NotifyTarget {
        let way = serde_json::json!({ "kind": "apprise" });
        serde_json::from_value(serde_json::json!({ "name": "many", "way": way, "allow_inside": allow_inside })).unwrap()
    }

    #[test]
    fn its_addresses_are_on_no_command_line() {
        let urls = ["json://ada:s3cret@example.org/".to_owned(), "discord://id/s3cret".to_owned()];
        let call = call(&message(), &urls);
        assert!(!call.words.iter().any(|word| word.contains("s3cret")), "{call:?}");
        assert_eq!(call.urls, "json://ada:s3cret@example.org/\ndiscord://id/s3cret\n");
        assert!(call.words.contains(&"--title=Größe: pve1 does not answer".to_owned()));
        assert!(call.words.contains(&"--notification-type=failure".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for lines in [
            "",
            "include /etc/passwd",
            "urls:",
            "tag=json://x",
            "a b://x",
            &"json://x\n".repeat(51),
            "json://x, syslog://",
        ] {
            assert_eq!(check(&target(true), lines).unwrap_err().kind(), ErrorKind::Invalid, "{lines:?}");
        }
        assert!(check(&target(false), "SysLog://").is_err());
        assert_eq!(check(&target(true), " syslog:// \n\njson://x/").unwrap(), ["syslog://", "json://x/"]);
    }

    #[tokio::test]
    async fn addresses_inside_are_refused_where_they_can_be_seen() {
        for url in [
            "json://127.0.0.1:8080/x",
            "xml://user:pass@localhost/",
            "json://[::1]/",
            "json://169.254.169.254",
            "mailto://u:p@192.0.2.1?smtp=127.0.0.1",
            "json://192.0.2.1#@127.0.0.1/",
        ] {
            assert_eq!(guarded(url, &target(false)).await.unwrap_err().kind(), ErrorKind::Denied, "{url}");
            guarded(url, &target(true)).await.unwrap();
        }
        guarded("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", &target(false)).await.unwrap();
    }

    #[test]
    fn what_it_says_holds_nothing_of_its_addresses() {
        let urls = "json://ada:s3cr%40et@example.org/hook\ndiscord://41742/JHMHI8qB-e7bk\n";
        let said = b"Unparseable URL json://ada:s3cr%40et@example.org/hook; no s3cr@et at /41742/JHMHI8qB-e7bk, too";
        let report = crate::report(&judge(ExitStatus::from_raw(256), said, urls).unwrap_err());
        for part in ["s3cr", "41742", "JHMHI8qB", "example.org"] {
            assert!(!report.contains(part), "{part} is in {report}");
        }
        assert!(report.contains("Unparseable URL [redacted]"), "{report}");
        assert!(!call(&message(), &[]).words.contains(&"--verbose".to_owned()));
    }

    #[test]
    fn where_it_is_not_it_is_not_found_and_its_status_counts() {
        assert_eq!(find("/nonexistent:relative"), None);
        let error = judge(ExitStatus::from_raw(256), b"no luck", "").unwrap_err();
        assert!(crate::report(&error).contains("status 1: \"no luck\""), "{error}");
        assert!(judge(ExitStatus::from_raw(0), b"", "").is_ok());
    }
}
