//! Whether a host answers, by each of the ways to it, and since which start of its system.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::EffectName;
use crate::{
    Error, ErrorKind, Result,
    fleet::HostWays,
    host::{Host as _, LinuxHost as _, linux::LinuxMachine, pve::PveApi},
    transport::{Command, http::Request},
};

/// How long a host may take to say that it is there.
const ASKED_WITHIN: Duration = Duration::from_secs(6);
/// By how much the start of a node may seem to move: its uptime comes in whole seconds, and late.
const START_WANDERS: i64 = 30;

/// Says which start of its system a machine is in, who asks, and what became of an order that was left there.
///
/// The kernel's id of its start is not enough: containers share the kernel. When their first process began is.
const QUESTION: &str = r#"boot=$(cat /proc/sys/kernel/random/boot_id) || exit 1
echo "boot:$boot.$(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)"
echo "uid:$(id -u)"
order=/run/$1
[ -n "$1" ] && [ -d "$order" ] || exit 0
echo order:
[ -f "$order/status" ] || exit 0
echo "status:$(cat "$order/status")"
echo "said:$(head -c 500 "$order/said" | tr '\n' ' ')"
"#;

/// What came of asking by one way.
#[derive(Debug)]
pub(super) enum Heard<T> {
    /// It answered.
    Said(T),
    /// Nobody answered.
    Silent(Error),
    /// Somebody answered, and that was of no use.
    Odd(Error),
}

/// What a shell said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByShell {
    /// Which start of its system it is in.
    pub(super) boot: String,
    /// The user that asked; 0 is root.
    pub(super) uid: String,
    /// Whether the order of this effect was left there.
    pub(super) ordered: bool,
    /// How the order ended, where it did: its exit status, and what it said.
    pub(super) ended: Option<(i32, String)>,
}

/// What a host answered, by each way there is.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) shell: Option<Heard<ByShell>>,
    /// For how long the node has been up, in seconds.
    pub(super) api: Option<Heard<u64>>,
}

/// Asks a host by every way at once.
pub(super) async fn ask(ways: &HostWays, name: &EffectName) -> Answer {
    let shell = async {
        match &ways.machine {
            Some(machine) => Some(heard(ask_shell(machine, name).await)),
            None => None,
        }
    };
    let api = async {
        match &ways.node {
            Some(node) => Some(heard(uptime(node.api.as_ref(), &node.name).await)),
            None => None,
        }
    };
    let (shell, api) = tokio::join!(shell, api);
    if let (Some(Heard::Silent(_)), Some(machine)) = (&shell, &ways.machine) {
        // The next look is to be a new one, rather than to be told that this one failed.
        machine.close().await;
    }
    Answer { shell, api }
}

fn heard<T>(result: Result<T>) -> Heard<T> {
    match result {
        Ok(said) => Heard::Said(said),
        Err(error) if error.kind().is_retryable() => Heard::Silent(error),
        Err(error) => Heard::Odd(error),
    }
}

async fn ask_shell(machine: &LinuxMachine, name: &EffectName) -> Result<ByShell> {
    let command = Command::argv(["sh", "-c", QUESTION, "sh", name.as_str()]).time_limit(ASKED_WITHIN);
    let output = machine.run(command).await?;
    if !output.success() {
        return Err(Error::new(ErrorKind::Protocol, "ask the host since when it is up")
            .because(output.stderr.text().trim().to_owned()));
    }
    read(&output.stdout.text()).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "ask the host since when it is up").because("the answer has no boot in it")
    })
}

fn read(text: &str) -> Option<ByShell> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let status = value("status").and_then(|status| status.trim().parse().ok());
    let said = value("said").unwrap_or_default().trim().to_owned();
    Some(ByShell {
        boot: value("boot").filter(|boot| !boot.is_empty())?.to_owned(),
        uid: value("uid").unwrap_or_default().to_owned(),
        ordered: value("order").is_some(),
        ended: status.map(|status| (status, said)),
    })
}

async fn uptime(api: &dyn PveApi, node: &str) -> Result<u64> {
    let status = api.call(Request::get(["nodes", node, "status"]).time_limit(ASKED_WITHIN)).await?;
    status.get("uptime").and_then(Value::as_u64).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "ask the node since when it is up").because("the answer has no uptime in it")
    })
}

/// Whether its cluster calls a node offline; none where nobody else can be asked.
pub(super) async fn is_offline(ways: &HostWays) -> Option<bool> {
    let node = ways.node.as_ref()?;
    let status = node.api.call(Request::get(["cluster", "status"]).time_limit(ASKED_WITHIN)).await.ok()?;
    let rows = status.as_array()?.iter();
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut nodes = rows.filter(|row| text(row, "type").as_deref() == Some("node"));
    let own = nodes.find(|row| text(row, "name").as_ref() == Some(&node.name))?;
    own.get("online").and_then(Value::as_i64).map(|online| online == 0)
}

impl Answer {
    /// Whether nobody answers by any way.
    pub(super) fn is_silent(&self) -> bool {
        let shell = matches!(self.shell, None | Some(Heard::Silent(_)));
        shell && matches!(self.api, None | Some(Heard::Silent(_)))
    }

    /// Whether it can be worked with: by its API where it is a node, else by its shell.
    pub(super) fn is_up(&self) -> bool {
        match &self.api {
            Some(heard) => matches!(heard, Heard::Said(_)),
            None => matches!(self.shell, Some(Heard::Said(_))),
        }
    }

    /// What its shell said.
    pub(super) fn by_shell(&self) -> Option<&ByShell> {
        if let Some(Heard::Said(said)) = &self.shell { Some(said) } else { None }
    }

    /// For how long it has been up, by its API.
    pub(super) fn by_api(&self) -> Option<u64> {
        if let Some(Heard::Said(uptime)) = self.api { Some(uptime) } else { None }
    }

    /// Why it does not answer as it should, the oddest first.
    pub(super) fn error(self) -> Option<Error> {
        let error = |heard: Heard<()>| match heard {
            Heard::Said(()) => None,
            Heard::Odd(error) => Some((0, error)),
            Heard::Silent(error) => Some((1, error)),
        };
        let both = self.shell.map(Heard::unit).into_iter().chain(self.api.map(Heard::unit));
        both.filter_map(error).min_by_key(|(order, _)| *order).map(|(_, error)| error)
    }

    /// What tells this start of its system from the next one, for [`Answer::has_started_anew`]; `second` is now.
    pub(super) fn as_before(&self, second: i64) -> Value {
        json!({ "boot": self.by_shell().map(|said| &said.boot), "uptime_seconds": self.by_api(), "at": second })
    }

    /// Whether it has started anew since `before`: by its shell where that spoke then, else by its uptime. None where one
    /// of those that spoke then says nothing now; `second` is now.
    pub(super) fn has_started_anew(&self, before: &Value, second: i64) -> Option<bool> {
        let uptime = before.get("uptime_seconds").and_then(Value::as_u64);
        let by_uptime = match uptime {
            Some(uptime) => {
                let at = before.get("at").and_then(Value::as_i64).unwrap_or(second);
                Some(is_another_start((uptime, at), (self.by_api()?, second)))
            }
            None => None,
        };
        match before.get("boot").and_then(Value::as_str) {
            Some(boot) => Some(self.by_shell()?.boot != boot),
            None => by_uptime,
        }
    }
}

impl<T> Heard<T> {
    fn unit(self) -> Heard<()> {
        match self {
            Self::Said(_) => Heard::Said(()),
            Self::Silent(error) => Heard::Silent(error),
            Self::Odd(error) => Heard::Odd(error),
        }
    }
}

/// Whether two uptimes, each with the second it was seen at, are of different starts.
fn is_another_start((old, old_at): (u64, i64), (new, new_at): (u64, i64)) -> bool {
    let start = |uptime: u64, at: i64| at.saturating_sub(i64::try_from(uptime).unwrap_or(i64::MAX));
    new < old || start(new, new_at) > start(old, old_at).saturating_add(START_WANDERS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn by_shell(boot: &str) -> Answer {
        Answer { shell: Some(Heard::Said(ByShell { boot: boot.into(), ..ByShell::default() })), api: None }
    }

    #[test]
    fn what_a_shell_says_is_read() {
        let text = "boot:ab.12\nuid:0\norder:\nstatus:1\nsaid:Access denied \n";
        let said = read(text).unwrap();
        assert_eq!((said.boot.as_str(), said.uid.as_str(), said.ordered), ("ab.12", "0", true));
        assert_eq!(said.ended, Some((1, "Access denied".to_owned())));
        assert_eq!(read("boot:ab.12\nuid:1000\n").unwrap().ended, None);
        assert_eq!(read("sh: cannot open\n"), None);
    }

    #[test]
    fn a_new_start_is_told_by_whoever_spoke_before() {
        let before = by_shell("a.1").as_before(100);
        assert_eq!(by_shell("a.1").has_started_anew(&before, 200), Some(false));
        assert_eq!(by_shell("a.9").has_started_anew(&before, 200), Some(true));
        let silent = || Some(Heard::Silent(Error::new(ErrorKind::Timeout, "ask")));
        assert_eq!(Answer { shell: silent(), api: None }.has_started_anew(&before, 200), None);
        let api = |uptime| Answer { shell: None, api: Some(Heard::Said(uptime)) };
        let before = api(50).as_before(100);
        assert_eq!(api(148).has_started_anew(&before, 200), Some(false), "two seconds late");
        assert_eq!(api(3).has_started_anew(&before, 200), Some(true));
        assert_eq!(api(60).has_started_anew(&before, 200), Some(true), "longer up than it was then");
    }

    #[test]
    fn silence_is_that_of_all_ways() {
        let silent = || Heard::Silent(Error::new(ErrorKind::Unreachable, "connect"));
        let odd = Answer { shell: Some(silent()), api: Some(Heard::Odd(Error::new(ErrorKind::AuthFailed, "log in"))) };
        assert!(!odd.is_silent() && !odd.is_up());
        assert_eq!(odd.error().unwrap().kind(), ErrorKind::AuthFailed);
        assert!(Answer { shell: Some(silent()), api: None }.is_silent());
    }
}
