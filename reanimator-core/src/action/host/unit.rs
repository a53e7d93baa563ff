//! systemd units of hosts: services and what starts them, and mounts.
//!
//! Targets, slices and scopes hold others, up to the whole host and all its guests; some services do nothing but switch
//! the host off. Those are refused: what they do is an action of its own, with rules of its own.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::{Check, Effect, EffectName, Said};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    host::{LinuxHost as _, linux::LinuxMachine},
    model::{Action, HostId, UnitVerb},
    transport::Command,
};

/// Kinds of units that are changed. All others hold more than themselves, or come and go by themselves.
const KINDS: [&str; 5] = ["service", "socket", "timer", "path", "mount"];

/// Services that do nothing but take the whole host down.
const ENDS_HOST: [&str; 12] = [
    "systemd-poweroff",
    "systemd-reboot",
    "systemd-halt",
    "systemd-kexec",
    "systemd-soft-reboot",
    "systemd-exit",
    "systemd-suspend",
    "systemd-hibernate",
    "systemd-hybrid-sleep",
    "systemd-suspend-then-hibernate",
    "rescue",
    "emergency",
];

/// A change of one unit.
pub(in crate::action) struct UnitEffect {
    machine: Arc<LinuxMachine>,
    host: HostId,
    host_name: String,
    unit: String,
    verb: UnitVerb,
    /// The transient unit that carries it out: it outlives our connection, and there is one of a name.
    name: String,
}

/// What `systemctl show` says of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    /// Its own name: what it was asked by may be another one of it.
    id: String,
    load: String,
    active: String,
    file: String,
    invocation: String,
    result: String,
}

impl UnitEffect {
    pub(in crate::action) async fn new(
        fleet: &Fleet,
        host: &HostId,
        unit: &str,
        verb: UnitVerb,
        name: &EffectName,
    ) -> Result<Self> {
        let (host_name, machine) = fleet.machine_with_shell(host).await?;
        let unit = unit_name(unit)?;
        allowed(&unit, verb)?;
        Ok(Self { machine, host: host.clone(), host_name, unit, verb, name: format!("{}.service", name.as_str()) })
    }

    async fn run(&self, words: &[&str], root: bool) -> Result<String> {
        let mut command = Command::argv(words);
        if root {
            command = command.become_root(self.machine.root());
        }
        let output = self.machine.run(command).await?;
        let attempt = || Error::new(ErrorKind::Protocol, words.join(" ")).on(self.host_name.clone());
        if output.success() {
            return Ok(output.stdout.text());
        }
        Err(attempt().because(output.stderr.text().trim().to_owned()))
    }

    async fn show(&self, unit: &str) -> Result<Shown> {
        let properties = "--property=Id,LoadState,ActiveState,UnitFileState,InvocationID,Result";
        Ok(shown(&self.run(&["systemctl", "show", properties, "--", unit], false).await?))
    }

    fn words(&self) -> Vec<String> {
        let own = format!("--unit={}", self.name);
        [
            "systemd-run",
            &own,
            "--remain-after-exit",
            "--quiet",
            "--no-ask-password",
            "--",
            "systemctl",
            self.verb.as_str(),
            "--",
            &self.unit,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn is_there(&self, shown: &Shown) -> bool {
        match self.verb {
            UnitVerb::Start => shown.active == "active",
            UnitVerb::Stop => matches!(shown.active.as_str(), "inactive" | "failed"),
            UnitVerb::Enable => matches!(shown.file.as_str(), "enabled" | "enabled-runtime"),
            UnitVerb::Disable => shown.file == "disabled",
            UnitVerb::Restart => false,
        }
    }

    fn refuse(&self, why: &str) -> Check {
        Check::Refused(vec![format!("{} on {} {why}", self.unit, self.host_name)])
    }
}

#[async_trait]
impl Effect for UnitEffect {
    async fn check(&self) -> Result<Check> {
        let shown = self.show(&self.unit).await?;
        match shown.load.as_str() {
            "loaded" => {}
            "not-found" => return Ok(self.refuse("is not there")),
            "masked" => return Ok(self.refuse("is masked: unmask it on the host first")),
            other => return Ok(self.refuse(&format!("cannot be used: systemd calls it {other}"))),
        }
        if !shown.id.is_empty()
            && let Err(error) = allowed(&shown.id, self.verb)
        {
            return Ok(self.refuse(&format!("is {}: {}", shown.id, crate::report(&error))));
        }
        if self.is_there(&shown) {
            return Ok(Check::Already(format!("it is {} already", self.done())));
        }
        if matches!(self.verb, UnitVerb::Enable | UnitVerb::Disable)
            && !matches!(shown.file.as_str(), "enabled" | "disabled")
        {
            return Ok(self.refuse(&format!("cannot be switched: its file is {}", shown.file)));
        }
        let before = json!({ "active": shown.active, "file": shown.file, "invocation": shown.invocation });
        Ok(Check::Ready { before, calls: vec![self.words().join(" ")] })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        let words = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run(&words, true).await?;
        Ok(self.name.clone())
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        let shown = self.show(&self.name).await?;
        Ok((shown.load == "loaded").then(|| self.name.clone()))
    }

    async fn follow(&self, handle: &str, _said: &(dyn Said + Sync)) -> Result<()> {
        loop {
            let shown = self.show(handle).await?;
            match shown.active.as_str() {
                "activating" | "reloading" => tokio::time::sleep(std::time::Duration::from_millis(500)).await,
                "failed" => {
                    let why =
                        self.run(&["systemctl", "status", "--lines=5", "--no-pager", "--", &self.unit], false).await;
                    self.forget(handle).await;
                    return Err(Error::new(ErrorKind::Protocol, format!("{} {}", self.verb, self.unit))
                        .on(self.host_name.clone())
                        .because(format!("systemd says: {}", shown.result))
                        .next(why.unwrap_or_else(|_| format!("see `journalctl -u {}` there", self.unit))));
                }
                // It ended; or the host has started anew and forgotten it: the world is looked at next.
                _ => {
                    self.forget(handle).await;
                    return Ok(());
                }
            }
        }
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let shown = self.show(&self.unit).await?;
        let was = before.get("invocation").and_then(Value::as_str).unwrap_or_default();
        let well = match self.verb {
            UnitVerb::Restart => shown.active == "active" && shown.invocation != was,
            UnitVerb::Start | UnitVerb::Stop | UnitVerb::Enable | UnitVerb::Disable => self.is_there(&shown),
        };
        if well {
            return Ok(format!("it is {}", self.done()));
        }
        Err(Error::new(ErrorKind::Conflict, format!("{} {}", self.verb, self.unit))
            .on(self.host_name.clone())
            .because(format!("it is {} ({}) afterwards", shown.active, shown.result))
            .next(format!("see `journalctl -u {}` there", self.unit)))
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let was_active = before.get("active").and_then(Value::as_str) == Some("active");
        let verb = match self.verb {
            UnitVerb::Start => UnitVerb::Stop,
            UnitVerb::Stop if was_active => UnitVerb::Start,
            UnitVerb::Enable => UnitVerb::Disable,
            UnitVerb::Disable => UnitVerb::Enable,
            UnitVerb::Stop | UnitVerb::Restart => return None,
        };
        Some(Action::Unit { host: self.host.clone(), unit: self.unit.clone(), verb })
    }
}

impl UnitEffect {
    /// Lets systemd forget the transient unit, which stays so that it is found again.
    async fn forget(&self, handle: &str) {
        for verb in ["stop", "reset-failed"] {
            if let Err(error) = self.run(&["systemctl", verb, "--", handle], true).await {
                tracing::debug!(unit = handle, error = %crate::report(&error), "a transient unit is not forgotten");
            }
        }
    }

    fn done(&self) -> &'static str {
        match self.verb {
            UnitVerb::Start => "active",
            UnitVerb::Stop => "stopped",
            UnitVerb::Restart => "active again",
            UnitVerb::Enable => "enabled",
            UnitVerb::Disable => "disabled",
        }
    }
}

/// A unit's name with its kind: `nginx` is `nginx.service`.
fn unit_name(text: &str) -> Result<String> {
    let well = !text.is_empty()
        && text.len() <= 255
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c));
    if !well {
        return Err(Error::new(ErrorKind::Invalid, format!("read the unit {text:?}"))
            .because("names of units hold letters, digits, and : - _ . \\ @")
            .next("see `systemctl list-units` there"));
    }
    Ok(if text.contains('.') { text.to_owned() } else { format!("{text}.service") })
}

/// Refuses a unit that is more than itself.
fn allowed(unit: &str, verb: UnitVerb) -> Result<()> {
    let (stem, kind) = unit.rsplit_once('.').unwrap_or((unit, "service"));
    let refuse = |cause: String| {
        Err(Error::new(ErrorKind::Invalid, format!("{verb} {unit}"))
            .because(cause)
            .next("shut the host down with `reanimator host shutdown`, guests with `reanimator guest shutdown`"))
    };
    if !KINDS.contains(&kind) {
        return refuse(format!("only units of these kinds are changed: {}", KINDS.join(", ")));
    }
    let ends = kind == "service" && (ENDS_HOST.contains(&stem) || stem.starts_with("systemd-suspend-"));
    if ends && matches!(verb, UnitVerb::Start | UnitVerb::Restart | UnitVerb::Enable) {
        return refuse("it takes the whole host down".to_owned());
    }
    Ok(())
}

fn shown(text: &str) -> Shown {
    let mut shown = Shown::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let place = match name {
            "Id" => &mut shown.id,
            "LoadState" => &mut shown.load,
            "ActiveState" => &mut shown.active,
            "UnitFileState" => &mut shown.file,
            "InvocationID" => &mut shown.invocation,
            "Result" => &mut shown.result,
            _ => continue,
        };
        value.clone_into(place);
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_units_name_is_checked_and_completed() {
        assert_eq!(unit_name("nginx").unwrap(), "nginx.service");
        assert_eq!(unit_name("getty@tty1.service").unwrap(), "getty@tty1.service");
        for text in ["", "-H", "a b", "a;reboot", "$(reboot)", "a\n"] {
            assert_eq!(unit_name(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }

    #[test]
    fn what_takes_more_down_than_itself_is_no_unit_to_change() {
        for unit in [
            "poweroff.target",
            "rescue.target",
            "kexec.target",
            "multi-user.target",
            "qemu.slice",
            "system.slice",
            "lxc.slice",
            "101.scope",
            "dev-sda.swap",
            "sys-module-fuse.device",
            "systemd-poweroff.service",
            "systemd-reboot.service",
            "systemd-suspend.service",
            "rescue.service",
            "a.b",
        ] {
            for verb in [UnitVerb::Start, UnitVerb::Restart] {
                let error = allowed(unit, verb).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "{unit}");
                assert!(crate::report(&error).contains("`reanimator host shutdown`"), "{unit}");
            }
        }
        for unit in ["qemu.slice", "101.scope", "multi-user.target"] {
            assert!(allowed(unit, UnitVerb::Stop).is_err(), "{unit}");
        }
        for unit in ["nginx.service", "ssh.socket", "fstrim.timer", "cups.path", "mnt-data.mount", "getty@tty1.service"]
        {
            assert!(allowed(unit, UnitVerb::Restart).is_ok(), "{unit}");
        }
    }

    #[test]
    fn what_systemctl_shows_is_read() {
        let text =
            "Result=success\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nInvocationID=ab12\nOther=x\n";
        let read = shown(text);
        assert_eq!((read.load.as_str(), read.active.as_str(), read.invocation.as_str()), ("loaded", "active", "ab12"));
    }
}
