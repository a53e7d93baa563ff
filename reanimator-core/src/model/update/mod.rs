//! The update of many machines in one run: what is wanted, how it is planned, how far it got, and when it recurs.
//!
//! An [`UpdateWish`] names machines and how careful one is with them; [`UpdatePlan`] says what that comes to, and does
//! nothing; an [`UpdateRun`] is being carried out, wave by wave; an [`UpdateSchedule`] makes a run of its wish by calendar.
//! [`decide::update`](crate::decide::update) orders and steps, [`workflows::update`](crate::workflows::update) carries out.

mod plan;
mod run;
mod schedule;
mod told;
mod vitals;

use serde::{Deserialize, Serialize};

use super::{packages::PackagesChange, rule::Rule};
use crate::{Error, ErrorKind, Result};

pub use plan::{PassedOver, PlannedTarget, PlannedWave, UpdatePlan};
pub use run::{
    TargetKind, TargetState, UpdateFilter, UpdateLine, UpdatePhase, UpdateRun, UpdateState, UpdateStep, UpdateTarget,
};
pub use schedule::{RedundantSet, ScheduleOutcome, UnreadableSchedule, UpdateSchedule};
pub use vitals::{Unwell, Vitals};

/// The most machines of one run.
pub const MOST_TARGETS: usize = 1_000;
/// The most machines that are updated at once.
const WIDEST_WAVE: u32 = 50;
/// Characters of a selector.
const LONGEST_SELECTOR: usize = 4_000;
/// Characters of a command by which health is checked.
const LONGEST_COMMAND: usize = 2_000;
/// The longest that a machine may take to be well again: a day.
const LONGEST_WAIT: u32 = 24 * 60 * 60;

/// What is wanted of an update.
///
/// ```
/// use reanimator_core::model::{Safety, UpdateWish};
/// let wish: UpdateWish = serde_json::from_str(r#"{"hosts":"group:web","guests":"tag:prod","safety":{"by":"snapshot"}}"#)?;
/// wish.check()?;
/// assert_eq!((wish.safety, wish.wave_size), (Safety::Snapshot, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpdateWish {
    /// Which hosts, as in selectors: `group:web,!db1`. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Which guests: `tag:prod&kind:lxc`. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<String>,
    /// Only what closes a security hole. Defaults to everything.
    pub security_only: bool,
    /// Packages that stay as they are, by name, with `*` and `?`. Defaults to none.
    pub exclude: Vec<String>,
    /// What is made of a guest before it is updated. Defaults to nothing.
    pub safety: Safety,
    /// Whether guests come before their node or after it. Defaults to before.
    pub order: GuestOrder,
    /// How many machines go first, alone: where one of them fails, the run stops, whatever `on_failure` says. Defaults to 1.
    pub canary: u32,
    /// Which machines those are, by name or id. Defaults to those that come first.
    pub canaries: Vec<String>,
    /// How many are updated at once. Defaults to 3.
    pub wave_size: u32,
    /// What becomes of those that have not begun when one fails. Defaults to stop.
    pub on_failure: OnFailure,
    /// Whether a machine is started anew. Defaults to: where its packages ask for it.
    pub reboot: RebootWish,
    /// How many seconds a machine may take to be back once it is started anew. Defaults to 1800: the self-test of a server
    /// takes minutes.
    pub restart_within_seconds: u32,
    /// Whether a node is emptied before it is started anew, and filled again afterwards. Defaults to so; without, a node
    /// with running guests is refused where a restart is due.
    pub evacuate: bool,
    /// Whether disks that only a node has are copied along when it is emptied. Defaults to not: a node whose guests have
    /// such is refused where a restart is due.
    pub local_disks: bool,
    /// A guest whose newest backup is older than so many days is not touched. Defaults to no matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_backup_days: Option<u32>,
    /// How a machine shows that it is well afterwards.
    pub health: HealthWish,
    /// Rules that an admin does not want kept this time. Defaults to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Rule>,
}

/// What is made of a guest before it is updated. Hosts that are no guests have nothing of the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Safety {
    /// Nothing.
    #[default]
    None,
    /// A snapshot: the guest goes back to it where its update fails, and it is deleted in the end.
    Snapshot,
    /// A backup, which stays.
    Backup {
        /// On which storage.
        storage: String,
    },
}

/// Whether guests come before their node or after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GuestOrder {
    /// Before.
    #[default]
    GuestsFirst,
    /// After.
    GuestsLast,
}

/// What becomes of those that have not begun when one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// They stay untouched; those that have begun are seen to their end.
    #[default]
    Stop,
    /// They are updated all the same, but for other nodes of the same cluster and others of the same redundant set.
    GoOn,
}

/// Whether a machine is started anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RebootWish {
    /// Where its packages ask for it.
    #[default]
    IfNeeded,
    /// Not at all; the report says who wants it.
    Never,
}

/// How a machine shows that it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HealthWish {
    /// Within how many seconds. Defaults to 300.
    pub within_seconds: u32,
    /// Whether units that ran must run, and none may have failed anew. Defaults to so.
    pub units: bool,
    /// Whether ports that were listened on must be listened on. Defaults to so.
    pub listeners: bool,
    /// A command that must end with status 0 there, as root; it takes an admin, as every command does. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Default for HealthWish {
    fn default() -> Self {
        Self { within_seconds: 300, units: true, listeners: true, command: None }
    }
}

impl Default for UpdateWish {
    fn default() -> Self {
        Self {
            hosts: None,
            guests: None,
            security_only: false,
            exclude: Vec::new(),
            safety: Safety::None,
            order: GuestOrder::GuestsFirst,
            canary: 1,
            canaries: Vec::new(),
            wave_size: 3,
            on_failure: OnFailure::Stop,
            reboot: RebootWish::IfNeeded,
            restart_within_seconds: 1_800,
            evacuate: true,
            local_disks: false,
            newest_backup_days: None,
            health: HealthWish::default(),
            overrides: Vec::new(),
        }
    }
}

impl UpdateWish {
    /// Refuses what could never be carried out. Whom it names is not looked at here.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: String, next: &str| {
            Err(Error::new(ErrorKind::Invalid, "plan an update").because(cause).next(next.to_owned()))
        };
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        if !given(&self.hosts) && !given(&self.guests) {
            return refuse("it names no machines".to_owned(), "say which hosts or which guests are updated");
        }
        let selectors = [&self.hosts, &self.guests].into_iter().flatten();
        if selectors.clone().any(|text| text.chars().count() > LONGEST_SELECTOR) {
            return refuse(format!("a selector has more than {LONGEST_SELECTOR} characters"), "use groups or tags");
        }
        if self.wave_size == 0 || self.wave_size > WIDEST_WAVE || self.canary > WIDEST_WAVE {
            return refuse(
                format!("1 to {WIDEST_WAVE} machines can be updated at once, and 0 to {WIDEST_WAVE} go first"),
                "choose a number in between",
            );
        }
        if self.canaries.len() > WIDEST_WAVE as usize || self.canaries.iter().any(|name| name.chars().count() > 200) {
            return refuse("too many canaries, or one with too long a name".to_owned(), "name a few machines");
        }
        let waits = [self.health.within_seconds, self.restart_within_seconds];
        if waits.iter().any(|seconds| !(1..=LONGEST_WAIT).contains(seconds)) {
            return refuse(format!("1 to {LONGEST_WAIT} seconds can be waited for"), "choose some in between");
        }
        if self.newest_backup_days.is_some_and(|days| days == 0 || days > 3_650) {
            return refuse("a backup may be 1 to 3650 days old".to_owned(), "choose a number in between");
        }
        let command = self.health.command.as_deref();
        if command.is_some_and(|text| text.trim().is_empty() || text.len() > LONGEST_COMMAND || text.contains('\0')) {
            return refuse(
                format!("the command for health is empty, or longer than {LONGEST_COMMAND} bytes"),
                "write a short one, or a script there that it calls",
            );
        }
        if matches!(&self.safety, Safety::Backup { storage } if storage.is_empty() || storage.len() > 100) {
            return refuse("the storage for backups has no name, or too long a one".to_owned(), "name a storage");
        }
        self.change().check()
    }

    /// What is done with the packages of each machine.
    pub fn change(&self) -> PackagesChange {
        PackagesChange::Upgrade { security_only: self.security_only, exclude: self.exclude.clone() }
    }

    /// Whom it names, for people: `hosts group:web, guests tag:prod`.
    pub fn whom(&self) -> String {
        let hosts = self.hosts.iter().map(|text| format!("hosts {text}"));
        let guests = self.guests.iter().map(|text| format!("guests {text}"));
        hosts.chain(guests).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_carried_out_is_refused_by_its_fault() {
        let wish = |text: serde_json::Value| serde_json::from_value::<UpdateWish>(text).unwrap();
        for (text, word) in [
            (serde_json::json!({}), "no machines"),
            (serde_json::json!({ "hosts": " " }), "no machines"),
            (serde_json::json!({ "hosts": "all", "wave_size": 0 }), "at once"),
            (serde_json::json!({ "hosts": "all", "canary": 51 }), "at once"),
            (serde_json::json!({ "hosts": "all", "health": { "within_seconds": 0 } }), "seconds"),
            (serde_json::json!({ "hosts": "all", "health": { "command": " " } }), "command"),
            (serde_json::json!({ "hosts": "all", "exclude": ["$(x)"] }), "fits no package"),
            (serde_json::json!({ "hosts": "all", "newest_backup_days": 0 }), "days"),
            (serde_json::json!({ "guests": "all", "safety": { "by": "backup", "storage": "" } }), "storage"),
            (serde_json::json!({ "hosts": "a".repeat(5_000) }), "characters"),
        ] {
            let error = wish(text).check().unwrap_err();
            let report = crate::report(&error);
            assert!(error.kind() == ErrorKind::Invalid && report.contains(word), "{report}");
        }
        wish(serde_json::json!({ "guests": "tag:prod" })).check().unwrap();
        serde_json::from_value::<UpdateWish>(serde_json::json!({ "host": "all" })).unwrap_err();
    }
}
