//! What all ways to move a guest share: what it is doing, in which way it moves, and the task that moves it.
//!
//! For a guest that high availability manages, Proxmox's own task only hands the wish on and ends at once; the manager
//! then begins the migration in one of its rounds, as a task of its own. That one is found and followed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use super::{super::Said, place::Place, task};
use crate::{
    Error, ErrorKind, Result,
    host::pve::PveApi,
    model::{GuestKind, MigrationMode},
    transport::http::Request,
};

/// How often it is looked again.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long high availability may take to begin: some of its rounds, of ten seconds each. One that says that it is about
/// to migrate may take as long as it wants: a node moves few guests at once.
const BEGINS_WITHIN: Duration = Duration::from_secs(120);
/// The kind of the task that hands a migration on to high availability.
const HANDED_ON: &str = "hamigrate";

/// What a guest is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Now {
    /// `running`, `stopped`, `paused`.
    pub(super) state: String,
    /// By what it is locked: `backup`, `migrate`.
    pub(super) lock: Option<String>,
    /// Whether high availability manages it.
    pub(super) managed: bool,
}

impl Now {
    /// Reads the answer of `status/current`.
    pub(super) fn of(data: &Value, name: &str) -> Result<Self> {
        let text = |field: &str| data.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let state = text("status").ok_or_else(|| {
            Error::new(ErrorKind::Protocol, format!("see what guest {name} is doing")).because("it has no status")
        })?;
        let paused = matches!(text("qmpstatus"), Some("paused" | "suspended"));
        let managed = data.pointer("/ha/managed").is_some_and(|value| value == 1 || value == true || value == "1");
        Ok(Self {
            state: if paused { "paused" } else { state }.to_owned(),
            lock: text("lock").map(str::to_owned),
            managed,
        })
    }

    /// Whether it takes up memory where it is.
    pub(super) fn runs(&self) -> bool {
        self.state != "stopped"
    }
}

/// In which way a guest moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// While it runs.
    Live,
    /// It is shut down, moved, and started.
    Restart,
    /// While it does not run.
    Offline,
}

impl Way {
    /// The way of a mode, for such a guest as it is; else why not, to be said of the guest.
    pub(super) fn of(mode: MigrationMode, kind: GuestKind, runs: bool) -> Result<Self, &'static str> {
        match (mode, kind, runs) {
            (MigrationMode::Auto | MigrationMode::Live, GuestKind::Qemu, true) => Ok(Self::Live),
            (MigrationMode::Auto | MigrationMode::Restart, GuestKind::Lxc, true) => Ok(Self::Restart),
            (MigrationMode::Auto | MigrationMode::Offline, _, false) => Ok(Self::Offline),
            (MigrationMode::Live, GuestKind::Lxc, _) => {
                Err("is a container, and those cannot move live: choose restart, or offline")
            }
            (MigrationMode::Restart, GuestKind::Qemu, _) => {
                Err("is a VM, and restart mode is for containers: choose live, or offline")
            }
            (MigrationMode::Live | MigrationMode::Restart, _, false) => Err("does not run: choose offline"),
            (MigrationMode::Offline, GuestKind::Qemu, true) => Err("runs: shut it down first, or choose live"),
            (MigrationMode::Offline, GuestKind::Lxc, true) => Err("runs: shut it down first, or choose restart"),
        }
    }
}

/// The kind of the task that moves a guest.
pub(super) const fn task_kind(kind: GuestKind) -> &'static str {
    match kind {
        GuestKind::Qemu => "qmigrate",
        GuestKind::Lxc => "vzmigrate",
    }
}

/// The kinds of tasks that a migration shows up as.
pub(super) const fn task_kinds(kind: GuestKind) -> [&'static str; 2] {
    [HANDED_ON, task_kind(kind)]
}

/// Follows the task that moves a guest to `node`, and where it hands the wish on, the one that comes of it.
pub(super) async fn follow(at: &Place, node: &str, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
    follow_task(at.api.as_ref(), handle, said).await?;
    if task::kind_and_start(handle).is_none_or(|(kind, _)| kind != HANDED_ON) {
        return Ok(());
    }
    said.line("high availability moves it, in one of its next rounds").await;
    match handed_on(at, node, handle).await? {
        Some(child) => follow_task(at.api.as_ref(), &child, said).await,
        None => Ok(()),
    }
}

/// Follows one task. The verdict of a migration says only that it was aborted: why stands in its log.
pub(super) async fn follow_task(api: &dyn PveApi, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
    let heard = Heard { said, reason: Mutex::default() };
    let followed = task::follow(api, handle, &heard).await;
    let reason = heard.reason.into_inner().unwrap_or_else(PoisonError::into_inner);
    followed.map_err(|error| match reason {
        Some(reason) => error.noting(reason),
        None => error,
    })
}

/// Passes lines on, and remembers the last one that tells of an error.
struct Heard<'a> {
    said: &'a (dyn Said + Sync),
    reason: Mutex<Option<String>>,
}

#[async_trait]
impl Said for Heard<'_> {
    async fn line(&self, text: &str) {
        if let Some(reason) = reason(text) {
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        }
        self.said.line(text).await;
    }
}

/// What a line of a migration's log says of an error: `... ERROR: migration aborted (duration 00:00:01): no route`.
fn reason(line: &str) -> Option<String> {
    let (before, text) = line.split_once("ERROR: ")?;
    // The last line of every log repeats the verdict.
    (!before.ends_with("TASK ")).then(|| text.trim().to_owned())
}

/// The task that high availability begins; none where the guest arrives without one.
async fn handed_on(at: &Place, node: &str, handle: &str) -> Result<Option<String>> {
    let mut give_up = tokio::time::Instant::now() + BEGINS_WITHIN;
    loop {
        match look(at, node, handle).await {
            Ok(Awaited::Task(upid)) => return Ok(Some(upid)),
            Ok(Awaited::Arrived) => return Ok(None),
            Ok(Awaited::Queued) => give_up = tokio::time::Instant::now() + BEGINS_WITHIN,
            Ok(Awaited::Nothing) if tokio::time::Instant::now() > give_up => {
                return Err(Error::new(ErrorKind::Timeout, format!("migrate guest {} to {node}", at.name))
                    .because(format!(
                        "high availability took the wish, and has not begun within {} s",
                        BEGINS_WITHIN.as_secs()
                    ))
                    .next(
                        "look at `ha-manager status` on a node: its service may be in error, or its rules forbid it",
                    ));
            }
            Err(error) if !error.kind().is_retryable() || tokio::time::Instant::now() > give_up => return Err(error),
            Ok(Awaited::Nothing) | Err(_) => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What came of a wish that high availability took.
enum Awaited {
    Task(String),
    Arrived,
    /// It says that it is about to.
    Queued,
    Nothing,
}

async fn look(at: &Place, node: &str, handle: &str) -> Result<Awaited> {
    if let Some(upid) = task::begun_by(at.api.as_ref(), handle, &at.vmid, &[task_kind(at.kind)]).await? {
        return Ok(Awaited::Task(upid));
    }
    if at.node_now().await?.as_deref() == Some(node) {
        return Ok(Awaited::Arrived);
    }
    match at.api.call(Request::get(["cluster", "ha", "status", "current"])).await {
        Ok(data) if is_queued(&data, at) => Ok(Awaited::Queued),
        // Who may not read it waits as long as it usually takes.
        Err(error) if error.kind() != ErrorKind::Denied => Err(error),
        Ok(_) | Err(_) => Ok(Awaited::Nothing),
    }
}

fn is_queued(data: &Value, at: &Place) -> bool {
    let sid = format!("{}:{}", if at.kind == GuestKind::Qemu { "vm" } else { "ct" }, at.vmid);
    let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |row: &&Value| row.get("sid").and_then(Value::as_str) == Some(&sid);
    let is_moving =
        |name: &str, row: &Value| matches!(row.get(name).and_then(Value::as_str), Some("migrate" | "relocate"));
    rows.iter().filter(of).any(|row| is_moving("crm_state", row) || is_moving("state", row))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_mode_is_for_some_guests_only() {
        use GuestKind::{Lxc, Qemu};
        let way = |mode, kind, runs| Way::of(mode, kind, runs).ok();
        for (kind, runs, wanted) in [
            (Qemu, true, Way::Live),
            (Lxc, true, Way::Restart),
            (Qemu, false, Way::Offline),
            (Lxc, false, Way::Offline),
        ] {
            assert_eq!(way(MigrationMode::Auto, kind, runs), Some(wanted));
        }
        assert_eq!(way(MigrationMode::Live, Qemu, true), Some(Way::Live));
        assert_eq!(way(MigrationMode::Restart, Lxc, true), Some(Way::Restart));
        assert_eq!(way(MigrationMode::Offline, Lxc, false), Some(Way::Offline));
        for (mode, kind, runs) in [
            (MigrationMode::Live, Lxc, true),
            (MigrationMode::Live, Qemu, false),
            (MigrationMode::Restart, Qemu, true),
            (MigrationMode::Restart, Lxc, false),
            (MigrationMode::Offline, Qemu, true),
            (MigrationMode::Offline, Lxc, true),
        ] {
            assert_eq!(way(mode, kind, runs), None, "{mode:?} {kind:?} {runs}");
        }
    }

    #[test]
    fn why_a_migration_failed_stands_in_its_log() {
        let line = "2026-01-02 03:04:05 ERROR: migration aborted (duration 00:00:01): No route to host";
        assert_eq!(reason(line).unwrap(), "migration aborted (duration 00:00:01): No route to host");
        assert_eq!((reason("TASK ERROR: migration aborted"), reason("TASK OK")), (None, None));
    }

    #[test]
    fn who_manages_it_is_read_as_perl_writes_it() {
        let now = |ha| Now::of(&json!({ "status": "running", "qmpstatus": "paused", "ha": ha }), "mail").unwrap();
        assert!(now(json!({ "managed": 1 })).managed && now(json!({ "managed": "1" })).managed);
        assert!(!now(json!({ "managed": 0 })).managed && !now(json!({})).managed);
        assert_eq!(now(json!({})).state, "paused");
        assert!(Now::of(&json!({}), "mail").is_err());
    }
}
