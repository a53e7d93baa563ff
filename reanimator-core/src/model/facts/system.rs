//! How the operating system is: units, time, boots, sessions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Watched;

/// How the operating system is: units, time, boots, sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct System {
    /// What started first and starts the rest: `systemd`, `openrc`, `runit`, `s6`, or the name of process 1.
    pub init: Option<String>,
    /// Its version: `252.39-1~deb12u2`.
    pub init_version: Option<String>,
    /// What systemd says of the whole: `running`, `degraded`, `starting`, `maintenance`.
    pub state: Option<String>,
    /// Units that systemd has in memory.
    pub units: Option<u64>,
    /// Units and services that failed or crashed. `None` where nobody could say.
    pub failed: Option<Vec<FailedUnit>>,
    /// When the kernel started, by the machine's own clock. A container shows its host's, where nothing hides it.
    pub booted_at: Option<Timestamp>,
    /// Processes, kernel threads among them.
    pub processes: Option<u64>,
    /// Who is logged in at a terminal. `None` where nobody could say.
    pub sessions: Option<Vec<Session>>,
    /// How it boots, and when it did.
    pub boot: Option<Boot>,
    /// Whether a restart is due.
    pub reboot: Option<Reboot>,
    /// How its clock is kept right.
    pub time: Option<Time>,
}

/// A unit that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FailedUnit {
    /// `backup.service`.
    pub name: String,
    /// What it says it is.
    pub description: Option<String>,
    /// How it failed: `exit-code`, `timeout`, `oom-kill`, `crashed`.
    pub result: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Somebody logged in at a terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Session {
    /// `root`.
    pub user: String,
    /// `pts/0`, `tty1`.
    pub terminal: String,
    /// The address or name that they came from; `None` at the machine itself.
    pub from: Option<String>,
    /// Since when, to the minute.
    pub since: Option<Timestamp>,
}

/// How a machine boots, and when it did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Boot {
    /// By which firmware. `None` where there is neither, as on a Raspberry Pi or in a container.
    pub mode: Option<BootMode>,
    /// Whether UEFI checked what it started.
    pub secure_boot: Option<bool>,
    /// The kernel's name for this boot.
    pub id: Option<String>,
    /// The last boots that the journal remembers, oldest first; the present one is the last.
    pub recent: Vec<PastBoot>,
}

/// The firmware that started a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BootMode {
    /// UEFI.
    Uefi,
    /// A PC's BIOS, or UEFI that plays one.
    Bios,
}

impl BootMode {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uefi => "uefi",
            Self::Bios => "bios",
        }
    }
}

/// From a boot to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PastBoot {
    /// The first line in the journal.
    pub from: Timestamp,
    /// The last line: when it went down, or when it was looked at.
    pub to: Timestamp,
}

/// Whether a restart is due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Reboot {
    /// Whether it is.
    pub needed: bool,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The packages that ask for it, where they are named.
    pub packages: Vec<String>,
    /// The kernel that runs: `6.1.0-27-amd64`.
    pub kernel_running: Option<String>,
    /// The newest one of its kind that is installed.
    pub kernel_installed: Option<String>,
}

/// How a machine's clock is kept right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Time {
    /// `Europe/Berlin`.
    pub zone: Option<String>,
    /// Whether the kernel or the service takes the clock for right.
    pub synchronized: Option<bool>,
    /// Whether systemd is told to keep it so.
    pub ntp: Option<bool>,
    /// What keeps it: `chrony`, `systemd-timesyncd`, `ntpd`, `openntpd`, `ptp4l`.
    pub service: Option<String>,
    /// How far the clock is from its source, in seconds, in either direction. Told by chrony alone.
    pub offset_seconds: Option<f64>,
    /// Steps from a reference clock. Told by chrony alone.
    pub stratum: Option<u64>,
}

impl Watched for System {
    fn watched(&self) -> BTreeMap<String, String> {
        let mut watched = BTreeMap::new();
        let mut put = |name: String, value: Option<String>| {
            if let Some(value) = value {
                watched.insert(name, value);
            }
        };
        let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
        for unit in self.failed.iter().flatten() {
            let result =
                unit.result.as_deref().map_or_else(|| "failed".to_owned(), |result| format!("failed ({result})"));
            put(format!("unit {}", unit.name), Some(result));
        }
        put("init".into(), self.init.clone());
        if let Some(boot) = &self.boot {
            put("boot mode".into(), boot.mode.map(|mode| mode.as_str().to_owned()));
            put("secure boot".into(), boot.secure_boot.map(yes));
            put("booted".into(), boot.recent.last().map(|boot| boot.from.to_string()));
        }
        if let Some(reboot) = &self.reboot {
            let why = if reboot.reasons.is_empty() { yes(reboot.needed) } else { reboot.reasons.join("; ") };
            put("reboot needed".into(), Some(why));
        }
        if let Some(time) = &self.time {
            put("time zone".into(), time.zone.clone());
            put("time synchronised".into(), time.synchronized.map(yes));
            put("time service".into(), time.service.clone());
        }
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_fails_and_a_restart_that_is_due_are_worth_an_entry_and_a_session_is_not() {
        let system = System {
            failed: Some(vec![FailedUnit {
                name: "backup.service".into(),
                result: Some("exit-code".into()),
                ..FailedUnit::default()
            }]),
            sessions: Some(vec![Session::default()]),
            processes: Some(80),
            reboot: Some(Reboot { needed: true, reasons: vec!["a newer kernel".into()], ..Reboot::default() }),
            ..System::default()
        };
        let watched = system.watched();
        assert_eq!(watched.get("unit backup.service").map(String::as_str), Some("failed (exit-code)"));
        assert_eq!(watched.get("reboot needed").map(String::as_str), Some("a newer kernel"));
        assert_eq!(watched.len(), 2);
    }
}
