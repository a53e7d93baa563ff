//! A host that is shut down, started anew, or laid to sleep.
//!
//! A node is asked by its cluster's API, which also stops its guests in their order. What has a shell only is asked by a
//! command there that outlives our connection: it leaves its order in `/run`, under a name by which it is found again and
//! which is given once. Whether it took effect is told by the host's silence, and by another start of its system.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{Check, Effect, EffectName, Said, guest::said},
    answer::{Answer, ask, is_offline},
};
use crate::{
    Error, ErrorKind, Result,
    fleet::{Fleet, HostWays},
    host::LinuxHost as _,
    model::{Action, HostChange, HostId},
    transport::{Become, Command, http::Request},
};

/// How often a host is asked whether it is still there, or there again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So many times in a row nobody answers before a host counts as silent.
const SILENT_TIMES: u32 = 3;
/// How long a node may take to stop its guests, and itself.
const OFF_WITHIN: Duration = Duration::from_secs(15 * 60);
/// The same, and to be there again: the self-test of a server takes minutes.
const BACK_WITHIN: Duration = Duration::from_secs(25 * 60);
/// How long falling asleep may take.
const ASLEEP_WITHIN: Duration = Duration::from_secs(120);
/// How long a host may answer that was silent when it was looked for, until it is clear that it was never asked.
const ASKED_AFTER_ALL: Duration = Duration::from_secs(60);

/// How a handle came: the request was sent; or the host was silent when it was looked for.
const ASKED: &str = "asked";
const WAS_SILENT: &str = "silent";

/// Leaves an order in `/run`, once, and has it carried out when we are gone. `$1` is the verb, `$2` the start of the
/// system that is meant, `$3` the name of the order.
const ORDER: &str = r#"boot=$(cat /proc/sys/kernel/random/boot_id).$(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)
[ "$boot" = "$2" ] || { echo 'it has started anew meanwhile' >&2; exit 3; }
has() { command -v "$1" >/dev/null 2>&1; }
order=/run/$3
case $1 in
poweroff) plain='shutdown -P now' ;;
reboot) plain='shutdown -r now' ;;
suspend) plain=pm-suspend ;;
esac
if [ -d /run/systemd/system ] && has systemctl; then set -- systemctl "$1"
elif has "${plain%% *}"; then set -- $plain
elif [ "$1" = suspend ]; then set -- sh -c 'echo mem >/sys/power/state'
elif has "$1"; then set -- "$1"
else echo "it has neither systemctl nor shutdown" >&2; exit 127; fi
mkdir "$order" 2>/dev/null || { [ -d "$order" ] && exit 0; echo "/run cannot be written" >&2; exit 1; }
away=nohup
has setsid && away=setsid
$away sh -c 'sleep 1; "$@" >"$0/said" 2>&1; echo $? >"$0/status"' "$order" "$@" </dev/null >/dev/null 2>&1 &
"#;

/// Says what a machine knows of sleep, and in what it runs.
const SLEEP: &str = r#"echo "states:$(cat /sys/power/state 2>/dev/null)"
echo "container:$(systemd-detect-virt -c 2>/dev/null)""#;

/// What of a host's changes is one of its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    Shutdown,
    Reboot,
    Suspend,
}

/// A change of one host's power.
pub(super) struct PowerEffect {
    ways: HostWays,
    fleet: Fleet,
    power: Power,
    name: EffectName,
}

/// By which way it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Api,
    Shell,
}

impl Power {
    /// As `systemctl` calls it.
    const fn verb(self) -> &'static str {
        match self {
            Self::Shutdown => "poweroff",
            Self::Reboot => "reboot",
            Self::Suspend => "suspend",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Shutdown => "shut down",
            Self::Reboot => "reboot",
            Self::Suspend => "suspend",
        }
    }

    const fn within(self) -> Duration {
        match self {
            Self::Shutdown => OFF_WITHIN,
            Self::Reboot => BACK_WITHIN,
            Self::Suspend => ASLEEP_WITHIN,
        }
    }
}

impl PowerEffect {
    pub(super) async fn new(fleet: &Fleet, id: &HostId, power: Power, name: &EffectName) -> Result<Self> {
        Ok(Self { ways: fleet.host_ways(id).await?, fleet: fleet.clone(), power, name: name.clone() })
    }

    async fn ask(&self) -> Answer {
        ask(&self.ways, &self.name).await
    }

    fn now(&self) -> i64 {
        self.fleet.now().as_second()
    }

    fn attempt(&self) -> String {
        format!("{} host {}", self.power.words(), self.ways.name)
    }

    fn refuse(&self, why: &str) -> Check {
        Check::Refused(vec![format!("{} {why}", self.ways.name)])
    }

    fn failed(&self, cause: impl Into<String>, next: &str) -> Error {
        Error::new(ErrorKind::Conflict, self.attempt()).because(cause).next(next)
    }

    /// The way that is taken: a node is asked by its API where that answers, unless the API does not know how.
    fn by(&self, answer: &Answer) -> Option<By> {
        let by_api = self.power != Power::Suspend && answer.by_api().is_some();
        by_api.then_some(By::Api).or(answer.by_shell().map(|_| By::Shell))
    }

    fn request(&self) -> Option<Request> {
        let node = self.ways.node.as_ref()?;
        let command = if self.power == Power::Reboot { "reboot" } else { "shutdown" };
        Some(Request::post(["nodes", &node.name, "status"]).param("command", command))
    }

    /// Why the shell could not do it, if it could not.
    async fn shell_refuses(&self, answer: &Answer) -> Result<Option<String>> {
        let Some(machine) = &self.ways.machine else { return Ok(None) };
        let is_root = answer.by_shell().is_some_and(|said| said.uid == "0");
        if !is_root && matches!(machine.root(), Become::No) {
            return Ok(Some(
                "is reached as an account that is not root: let it use sudo, or give root's access".to_owned(),
            ));
        }
        if self.power != Power::Suspend {
            return Ok(None);
        }
        let text = machine.run(Command::argv(["sh", "-c", SLEEP])).await?.stdout.text();
        Ok(cannot_sleep(&text))
    }

    /// Takes the order back that came to nothing.
    async fn forget(&self) {
        let Some(machine) = &self.ways.machine else { return };
        let order = format!("/run/{}", self.name.as_str());
        let gone = machine.run(Command::argv(["rm", "-rf", "--", &order]).become_root(machine.root())).await;
        if let Err(error) = gone {
            tracing::debug!(host = %self.ways.name, error = %crate::report(&error), "an order stays in /run");
        }
    }

    /// Whether it ended badly, as the order itself says.
    async fn order_failed(&self, answer: &Answer) -> Option<Error> {
        let (status, said) = answer.by_shell()?.ended.clone().filter(|(status, _)| *status != 0)?;
        self.forget().await;
        let cause = if said.is_empty() { format!("it ended with status {status}") } else { format!("it says: {said}") };
        Some(self.failed(cause, "look at `journalctl -b` there"))
    }

    /// Waits until nobody answers any more.
    async fn until_silent(&self, said: &(dyn Said + Sync)) -> Result<()> {
        let give_up = Instant::now() + self.power.within();
        let mut times = 0;
        loop {
            let answer = self.ask().await;
            times = if answer.is_silent() { times + 1 } else { 0 };
            // A node that is silent to us may still be stopping its guests.
            if times >= SILENT_TIMES && is_offline(&self.ways).await != Some(false) {
                said.line("it does not answer any more").await;
                return Ok(());
            }
            if let Some(error) = self.order_failed(&answer).await {
                return Err(error);
            }
            if Instant::now() > give_up {
                let minutes = self.power.within().as_secs() / 60;
                let why = format!("it still answers after {minutes} minutes");
                return Err(self.failed(why, "look at what holds it up there: `systemctl list-jobs`"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until it answers, and has started anew.
    async fn until_back(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let handle: Value = serde_json::from_str(handle).unwrap_or_default();
        let before = handle.get("before").cloned().unwrap_or_default();
        let was_asked = handle.get("how").and_then(Value::as_str) != Some(WAS_SILENT);
        let began = Instant::now();
        let (mut was_silent, mut same_since) = (false, None);
        loop {
            let answer = self.ask().await;
            if answer.is_silent() && !was_silent {
                said.line("it does not answer any more").await;
                was_silent = true;
            }
            match answer.has_started_anew(&before, self.now()) {
                Some(true) if answer.is_up() => {
                    said.line("it answers again").await;
                    return Ok(());
                }
                Some(false) => {
                    let since = *same_since.get_or_insert_with(Instant::now);
                    if !was_asked && since.elapsed() > ASKED_AFTER_ALL {
                        return Err(self.failed("it was out of reach, and was never asked to", "ask once more"));
                    }
                }
                Some(true) | None => same_since = None,
            }
            if let Some(error) = self.order_failed(&answer).await {
                return Err(error);
            }
            if began.elapsed() > self.power.within() {
                let minutes = self.power.within().as_secs() / 60;
                let next = "look at its console";
                return Err(match answer.error() {
                    Some(error) => {
                        self.failed(format!("it is not back after {minutes} minutes"), next).from_source(error)
                    }
                    None => self.failed(format!("it has not started anew within {minutes} minutes"), next),
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[async_trait]
impl Effect for PowerEffect {
    async fn check(&self) -> Result<Check> {
        let answer = self.ask().await;
        if answer.is_silent() {
            return Ok(match self.power {
                Power::Reboot => self.refuse("does not answer: it is off, or out of reach"),
                Power::Shutdown | Power::Suspend => {
                    Check::Already("it does not answer: it is off already, or out of reach".to_owned())
                }
            });
        }
        let calls = match self.by(&answer) {
            Some(By::Api) => self.request().iter().map(said).collect(),
            Some(By::Shell) => match self.shell_refuses(&answer).await? {
                Some(why) => return Ok(self.refuse(&why)),
                None => vec![format!("systemctl {}, or shutdown where there is no systemd", self.power.verb())],
            },
            None if self.power == Power::Suspend && answer.by_api().is_some() => {
                return Ok(
                    self.refuse("is reached by its cluster's API, which cannot let it sleep: add its SSH access")
                );
            }
            None => {
                let silence = || Error::new(ErrorKind::Unreachable, self.attempt());
                return Err(answer.error().unwrap_or_else(silence).renamed(self.ways.name.clone()));
            }
        };
        let mut before = answer.as_before(self.now());
        before["by"] = json!(if self.by(&answer) == Some(By::Api) { "api" } else { "shell" });
        Ok(Check::Ready { before, calls })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let by_api = before.get("by").and_then(Value::as_str) == Some("api");
        match (self.request(), &self.ways.node, &self.ways.machine) {
            (Some(request), Some(node), _) if by_api => {
                node.api.call(request).await?;
            }
            (_, _, Some(machine)) => {
                let boot = before.get("boot").and_then(Value::as_str).unwrap_or_default();
                let words = ["sh", "-c", ORDER, "sh", self.power.verb(), boot, self.name.as_str()];
                let output = machine.run(Command::argv(words).become_root(machine.root())).await?;
                if !output.success() {
                    return Err(self.failed(output.stderr.text().trim().to_owned(), "do it on the host itself"));
                }
            }
            _ => return Err(self.failed("the way to it is gone", "see `reanimator host show`")),
        }
        Ok(handle(ASKED, before))
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let answer = self.ask().await;
        if answer.is_silent() {
            return Ok(Some(handle(WAS_SILENT, before)));
        }
        let ordered = answer.by_shell().is_some_and(|said| said.ordered);
        if ordered || answer.has_started_anew(before, self.now()) == Some(true) {
            return Ok(Some(handle(ASKED, before)));
        }
        match self.by(&answer) {
            Some(_) => Ok(None),
            None => Err(answer.error().unwrap_or_else(|| Error::new(ErrorKind::Unreachable, self.attempt()))),
        }
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        match self.power {
            Power::Shutdown | Power::Suspend => self.until_silent(said).await,
            Power::Reboot => self.until_back(handle, said).await,
        }
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let answer = self.ask().await;
        let anew = answer.has_started_anew(before, self.now());
        match self.power {
            Power::Reboot if anew == Some(true) => Ok("it has started anew, and answers".to_owned()),
            Power::Reboot => Err(self.failed("it does not answer as it did before", "look at its console")),
            Power::Shutdown | Power::Suspend if answer.is_silent() => Ok(match is_offline(&self.ways).await {
                Some(true) => "it does not answer any more, and its cluster calls it offline".to_owned(),
                Some(false) | None => "it does not answer any more".to_owned(),
            }),
            Power::Shutdown | Power::Suspend => Err(self.failed(
                "it was silent, and answers again",
                "see what has woken it: a timer, its board's settings, somebody",
            )),
        }
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        let change = match self.power {
            Power::Shutdown | Power::Suspend => HostChange::Wake { through: None },
            Power::Reboot => return None,
        };
        Some(Action::Host { id: self.ways.id.clone(), change })
    }
}

/// By what it is found again: how it began, and what was there before, which tells when it has started anew.
fn handle(how: &str, before: &Value) -> String {
    json!({ "how": how, "before": before }).to_string()
}

/// Why a machine cannot sleep, if it cannot, by what it said of itself.
fn cannot_sleep(text: &str) -> Option<String> {
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default();
    let container = value("container").trim();
    if !container.is_empty() && container != "none" {
        return Some(format!("is a container ({container}): only the machine under it can sleep"));
    }
    let knows = value("states").split_whitespace().any(|state| matches!(state, "mem" | "standby" | "freeze"));
    (!knows).then(|| "cannot sleep: its kernel knows no such state".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_machines_that_know_how_are_laid_to_sleep() {
        assert_eq!(cannot_sleep("states:freeze mem disk\ncontainer:none\n"), None);
        assert_eq!(cannot_sleep("states:mem\ncontainer:\n"), None);
        let why = |text| cannot_sleep(text).unwrap_or_default();
        assert!(why("states:freeze mem\ncontainer:docker\n").starts_with("is a container (docker)"));
        assert!(why("states:disk\ncontainer:none\n").contains("no such state"));
        assert!(why("").contains("no such state"));
    }
}
