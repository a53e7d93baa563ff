//! An update being carried out: how far it got on each machine, and what came of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PassedOver, UpdateWish, Vitals};
use crate::model::{
    facts::updates::PendingPackage,
    ids::{GuestId, HostId, OperationId, UpdateId},
    machine::Machine,
    operation::OperationState,
    packages::PackageReport,
};

/// An update of many machines, being carried out or over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateRun {
    /// Its id.
    pub id: UpdateId,
    /// What it is, for people: `update 12 machines: hosts group:web`.
    pub title: String,
    /// What is wanted.
    pub wish: UpdateWish,
    /// How far it got.
    pub state: UpdateState,
    /// What is waited for, or why it ended as it did, for people.
    pub note: Option<String>,
    /// Who asked for it: a user's name, `token:NAME`, `local:USER`.
    pub requested_by: String,
    /// From where: an address, `local`, or `schedule NAME`.
    pub requested_from: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The schedule that it was made by.
    #[serde(default)]
    pub schedule: Option<String>,
    /// When its first machine began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether it was asked to stop before the next machine.
    #[serde(default)]
    pub cancel: bool,
    /// The process that carries it out, as far as its lease goes.
    #[serde(default)]
    pub owner: Option<String>,
    /// How often it changed hands.
    #[serde(default)]
    pub generation: i64,
    /// Machines that were named and are not updated.
    #[serde(default)]
    pub passed_over: Vec<PassedOver>,
    /// Its machines, in order: wave by wave.
    #[serde(default)]
    pub targets: Vec<UpdateTarget>,
}

/// How far an update got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    /// Nothing was done yet.
    Waiting,
    /// Machines are being updated.
    Running,
    /// All machines are as they should be.
    Done,
    /// Some machine failed; what was updated before stays so.
    Failed,
    /// It was stopped between machines.
    Cancelled,
}

/// A machine of an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateTarget {
    /// Its place in the run, counted from 0.
    pub number: u32,
    /// Which machine.
    pub machine: Machine,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Its wave, counted from 1.
    pub wave: u32,
    /// Whether that wave goes first alone.
    pub canary: bool,
    /// Why it stands where it stands.
    pub why: String,
    /// Whether Reanimator itself runs on it, or in it.
    #[serde(default)]
    pub own: bool,
    /// The guest that it is, where it is one.
    #[serde(default)]
    pub guest: Option<GuestId>,
    /// The node that it is, where it is one.
    #[serde(default)]
    pub node: Option<HostId>,
    /// Whether it was in maintenance before: then it is neither emptied nor taken out of it.
    #[serde(default)]
    pub in_maintenance: bool,
    /// What it may not share with another that is updated at the same time: `cluster:ID` of a node, `set:NAME`.
    #[serde(default)]
    pub apart: BTreeSet<String>,
    /// Clusters that it is a part of: two updates never touch one at once.
    #[serde(default)]
    pub ground: BTreeSet<String>,
    /// How far it got.
    pub state: TargetState,
    /// What is being done with it.
    #[serde(default)]
    pub phase: Option<UpdatePhase>,
    /// The operations that were asked for. Each is written down before it is asked for.
    #[serde(default)]
    pub steps: Vec<UpdateStep>,
    /// What would be installed, as it was seen when its lists were fresh; 500 at most.
    #[serde(default)]
    pub pending: Vec<PendingPackage>,
    /// How many those are.
    #[serde(default)]
    pub pending_count: u64,
    /// Of those, the ones that close a security hole, where that is known.
    #[serde(default)]
    pub security_count: Option<u64>,
    /// Whether a restart was due by what is pending, or wanted already.
    #[serde(default)]
    pub restart_due: bool,
    /// What showed that it was well before.
    #[serde(default)]
    pub vitals: Option<Vitals>,
    /// Until when it must be well again.
    #[serde(default)]
    pub well_until: Option<Timestamp>,
    /// What was changed, package by package.
    #[serde(default)]
    pub report: Option<PackageReport>,
    /// Whether a snapshot of ours is there.
    #[serde(default)]
    pub has_snapshot: bool,
    /// Whether it was emptied, and is in maintenance by us.
    #[serde(default)]
    pub evacuated: bool,
    /// Whether it was started anew.
    #[serde(default)]
    pub restarted: bool,
    /// Whether it went back to its snapshot.
    #[serde(default)]
    pub rolled_back: bool,
    /// Why it failed.
    #[serde(default)]
    pub failure: Option<String>,
    /// What else there is to say: packages that are held, what could not be seen.
    #[serde(default)]
    pub notes: Vec<String>,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

/// What a machine of an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A machine with a shell, which may be a guest too.
    Host,
    /// A node of a Proxmox cluster.
    Node,
    /// A container.
    Container,
    /// A VM.
    Vm,
}

/// How far a machine got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TargetState {
    /// Nothing was done.
    Pending,
    /// It is being updated.
    Running,
    /// It is updated and well.
    Updated,
    /// It had nothing to install, and is untouched.
    Current,
    /// It was passed over, and is untouched.
    Skipped,
    /// It failed.
    Failed,
    /// It failed, and is what it was before.
    RolledBack,
}

/// What is being done with a machine, in this order; what does not apply is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpdatePhase {
    /// It is looked whether it may be updated.
    Check,
    /// The lists of packages are fetched.
    Refresh,
    /// It is looked what is to be installed, and whether a restart is due.
    Survey,
    /// A snapshot or a backup is made.
    Safety,
    /// The node is emptied.
    Evacuate,
    /// Packages are installed.
    Upgrade,
    /// It is started anew.
    Restart,
    /// It is waited until it is well.
    Health,
    /// The node is filled again.
    Return,
    /// The guest goes back to its snapshot.
    RollBack,
    /// The snapshot is deleted.
    Tidy,
}

/// An operation that an update asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateStep {
    /// For what.
    pub phase: UpdatePhase,
    /// Its id, given before it was asked for.
    pub operation: OperationId,
    /// How it ended; none while it goes on.
    pub state: Option<OperationState>,
    /// When it was written down.
    pub asked_at: Timestamp,
    /// When its end was heard of.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

/// An update in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateLine {
    /// Its id.
    pub id: UpdateId,
    /// What it is, for people.
    pub title: String,
    /// How far it got.
    pub state: UpdateState,
    /// What is waited for, or why it ended as it did.
    pub note: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// The schedule that it was made by.
    pub schedule: Option<String>,
    /// When its first machine began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How many machines it is about.
    pub machines: usize,
    /// How many are over, however they ended.
    pub over: usize,
    /// How many are updated, or had nothing to install.
    pub well: usize,
    /// How many failed, those that are what they were before among them.
    pub failed: usize,
    /// How many were passed over.
    pub skipped: usize,
    /// How many packages are not as they were.
    pub packages: u64,
    /// The names of those that are being updated.
    pub running: Vec<String>,
}

/// Which updates are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateFilter {
    /// Only those that are not over.
    pub open: bool,
    /// Only those that were asked for before this one, for the next page.
    pub before: Option<UpdateId>,
    /// At most so many; the store gives at most 200.
    pub limit: u32,
}

impl UpdateState {
    /// Whether nothing is being done any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TargetState {
    /// Whether nothing more is done with it.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Whether it is as it should be.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Updated | Self::Current)
    }

    /// Whether it failed.
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::RolledBack)
    }

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Updated => "updated",
            Self::Current => "current",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl TargetKind {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Node => "node",
            Self::Container => "container",
            Self::Vm => "vm",
        }
    }
}

impl UpdatePhase {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Refresh => "refresh",
            Self::Survey => "survey",
            Self::Safety => "safety",
            Self::Evacuate => "evacuate",
            Self::Upgrade => "upgrade",
            Self::Restart => "restart",
            Self::Health => "health",
            Self::Return => "return",
            Self::RollBack => "roll-back",
            Self::Tidy => "tidy",
        }
    }

    /// Whether an operation is asked for; else it is looked only.
    pub const fn is_operation(self) -> bool {
        !matches!(self, Self::Check | Self::Survey | Self::Health)
    }
}

impl UpdateTarget {
    /// A machine of which nothing was done.
    pub fn new(number: u32, machine: Machine, name: impl Into<String>, kind: TargetKind) -> Self {
        Self {
            number,
            guest: match &machine {
                Machine::Guest(id) => Some(id.clone()),
                Machine::Host(_) => None,
            },
            machine,
            name: name.into(),
            kind,
            wave: 1,
            canary: false,
            why: String::new(),
            own: false,
            node: None,
            in_maintenance: false,
            apart: BTreeSet::new(),
            ground: BTreeSet::new(),
            state: TargetState::Pending,
            phase: None,
            steps: Vec::new(),
            pending: Vec::new(),
            pending_count: 0,
            security_count: None,
            restart_due: false,
            vitals: None,
            well_until: None,
            report: None,
            has_snapshot: false,
            evacuated: false,
            restarted: false,
            rolled_back: false,
            failure: None,
            notes: Vec::new(),
            started_at: None,
            ended_at: None,
        }
    }

    /// The operation that was asked for in a phase, if one was.
    pub fn step(&self, phase: UpdatePhase) -> Option<&UpdateStep> {
        self.steps.iter().rev().find(|step| step.phase == phase)
    }

    /// What was changed and stays so: nothing of one that went back to its snapshot.
    pub fn lasting(&self) -> Option<&PackageReport> {
        self.report.as_ref().filter(|_| !self.rolled_back)
    }

    /// What came of it, in words.
    pub fn outcome(&self) -> String {
        let restarted = if self.restarted { ", started anew" } else { "" };
        match (self.state, &self.failure) {
            (TargetState::Pending, _) => "not begun".to_owned(),
            (TargetState::Running, _) => self.phase.map_or("begun", UpdatePhase::as_str).to_owned(),
            (TargetState::Updated, _) => {
                let changed = self.report.as_ref().map_or(0, |report| report.changed_count);
                format!("{changed} packages changed{restarted}")
            }
            (TargetState::Current, _) => "nothing to install".to_owned(),
            (TargetState::Skipped | TargetState::Failed, failure) => failure.clone().unwrap_or_default(),
            (TargetState::RolledBack, failure) => {
                format!("rolled back: {}", failure.clone().unwrap_or_default())
            }
        }
    }
}

impl UpdateRun {
    /// A new one, of which nothing is done and which has no machines yet.
    pub fn new(wish: UpdateWish, requested_by: impl Into<String>, from: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id: UpdateId::generate(),
            title: String::new(),
            wish,
            state: UpdateState::Waiting,
            note: None,
            requested_by: requested_by.into(),
            requested_from: from.into(),
            requested_at: now,
            schedule: None,
            started_at: None,
            ended_at: None,
            cancel: false,
            owner: None,
            generation: 0,
            passed_over: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// The run in one line.
    pub fn line(&self) -> UpdateLine {
        let count = |is: fn(TargetState) -> bool| self.targets.iter().filter(|target| is(target.state)).count();
        let running = self.targets.iter().filter(|target| target.state == TargetState::Running);
        UpdateLine {
            id: self.id.clone(),
            title: self.title.clone(),
            state: self.state,
            note: self.note.clone(),
            requested_by: self.requested_by.clone(),
            requested_at: self.requested_at,
            schedule: self.schedule.clone(),
            started_at: self.started_at,
            ended_at: self.ended_at,
            machines: self.targets.len(),
            over: count(TargetState::is_over),
            well: count(TargetState::is_well),
            failed: count(TargetState::is_bad),
            skipped: count(|state| state == TargetState::Skipped),
            packages: self.targets.iter().filter_map(|target| Some(target.lasting()?.changed_count)).sum(),
            running: running.map(|target| target.name.clone()).collect(),
        }
    }

    /// The name of the snapshots that it makes.
    pub fn snapshot_name(&self) -> String {
        let id: String = self.id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
        format!("update-{}", &id[id.len().saturating_sub(12)..])
    }

    /// Whether two runs touch the same ground, so that one waits for the other: a machine, a cluster, a redundant set.
    pub fn clashes(&self, other: &Self) -> bool {
        let grounds = |run: &Self| -> BTreeSet<String> {
            let open = run.targets.iter().filter(|target| !target.state.is_over());
            open.flat_map(|target| {
                let guest = target.guest.iter().map(|id| format!("guest:{id}"));
                let own = [target.machine.to_string()].into_iter().chain(guest);
                own.chain(target.apart.iter().cloned()).chain(target.ground.iter().cloned()).collect::<Vec<_>>()
            })
            .collect()
        };
        !grounds(self).is_disjoint(&grounds(other))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_counts_for_nothing() {
        let report: PackageReport = serde_json::from_value(serde_json::json!({
            "manager": "apt", "changes": [], "changed_count": 3, "kept_files": [], "left": [], "reboot_wanted": false,
            "reboot_reasons": [], "services": [], "failures": [],
        }))
        .unwrap();
        let target = |number: u32, rolled_back| UpdateTarget {
            report: Some(report.clone()),
            rolled_back,
            ..UpdateTarget::new(number, Machine::Host("h1".into()), "web1", TargetKind::Host)
        };
        let run = UpdateRun::new(UpdateWish::default(), "ada", "local", Timestamp::UNIX_EPOCH);
        let run = UpdateRun { targets: vec![target(0, false), target(1, true)], ..run };
        assert_eq!(run.line().packages, 3);
    }
}
