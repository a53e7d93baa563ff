//! Power of VMs and containers.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Action, GuestChange, GuestId, GuestKind},
    transport::http::Request,
};

/// How long a guest may take to be what its task has made it. High availability takes up to two of its rounds.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What of a guest's changes is one of its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    Start,
    Stop,
    Shutdown { limit_seconds: u32, then_stop: bool },
    Reboot { limit_seconds: u32 },
    Suspend,
    Resume,
}

/// A change of one guest's power, where it is now.
pub(super) struct PowerEffect {
    fleet: Fleet,
    at: Place,
    power: Power,
    /// The same in words: `shut down guest mail`.
    words: String,
}

/// What a guest is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Now {
    /// `running`, `stopped`, `paused`.
    state: String,
    /// By what it is locked: `backup`, `migrate`.
    lock: Option<String>,
    uptime_seconds: u64,
}

impl Power {
    /// None where it is something else.
    pub(super) const fn of(change: &GuestChange) -> Option<Self> {
        Some(match change {
            GuestChange::Start => Self::Start,
            GuestChange::Stop => Self::Stop,
            GuestChange::Shutdown { limit_seconds, then_stop } => {
                Self::Shutdown { limit_seconds: *limit_seconds, then_stop: *then_stop }
            }
            GuestChange::Reboot { limit_seconds } => Self::Reboot { limit_seconds: *limit_seconds },
            GuestChange::Suspend => Self::Suspend,
            GuestChange::Resume => Self::Resume,
            GuestChange::Migrate { .. }
            | GuestChange::RemoteMigrate { .. }
            | GuestChange::Scale { .. }
            | GuestChange::GrowDisk { .. }
            | GuestChange::Clone { .. }
            | GuestChange::BackUp { .. }
            | GuestChange::Tag { .. }
            | GuestChange::Delete { .. } => return None,
        })
    }
}

/// What a guest is instead of what was wanted.
struct Instead {
    words: String,
    /// Whether it stays so.
    is_final: bool,
}

impl PowerEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, power: Power) -> Result<Self> {
        let at = Place::of(fleet, id, &format!("{} guest", verb(power))).await?;
        let words = format!("{} guest {}", verb(power), at.name);
        Ok(Self { fleet: fleet.clone(), at, power, words })
    }

    async fn look(&self) -> Result<Now> {
        let data = self.at.current().await?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let state = text("status").ok_or_else(|| {
            Error::new(ErrorKind::Protocol, format!("see what guest {} is doing", self.at.name))
                .because("it has no status")
        })?;
        let paused = matches!(text("qmpstatus"), Some("paused" | "suspended"));
        Ok(Now {
            state: if paused { "paused" } else { state }.to_owned(),
            lock: text("lock").map(str::to_owned),
            uptime_seconds: data.get("uptime").and_then(Value::as_u64).unwrap_or(0),
        })
    }

    fn request(&self) -> Request {
        let verb = verb(self.power);
        let request = Request::post(self.at.path(&["status", verb]));
        match self.power {
            Power::Shutdown { limit_seconds, then_stop } => {
                let request = request.param("timeout", limit_seconds.to_string());
                if then_stop { request.param("forceStop", "1") } else { request }
            }
            Power::Reboot { limit_seconds } => request.param("timeout", limit_seconds.to_string()),
            Power::Start | Power::Stop | Power::Suspend | Power::Resume => request,
        }
    }

    /// The kinds of tasks that it may show up as: its own, and that of high availability.
    fn task_kinds(&self) -> Vec<String> {
        let verb = verb(self.power);
        vec![format!("{}{verb}", if self.at.kind == GuestKind::Qemu { "qm" } else { "vz" }), format!("ha{verb}")]
    }

    /// What its task has made of a guest.
    fn came_of_it(&self, before: &Value, now: &Now) -> Result<String, Instead> {
        let wanted = wanted(self.power).unwrap_or("running");
        if now.state != wanted {
            return Err(Instead { words: format!("it is {}", now.state), is_final: false });
        }
        if !matches!(self.power, Power::Reboot { .. }) {
            return Ok(format!("it is {wanted}"));
        }
        let seen_at = before.get("seen_at").and_then(|at| serde_json::from_value::<Timestamp>(at.clone()).ok());
        let passed = seen_at.map(|at| self.fleet.now().duration_since(at).unsigned_abs().as_secs());
        let was = before.get("uptime_seconds").and_then(Value::as_u64).unwrap_or(0);
        if started_since(was, now.uptime_seconds, passed) {
            return Ok("it has started anew".to_owned());
        }
        let words = format!("it has been running for {} s, as if nothing had happened", now.uptime_seconds);
        Err(Instead { words, is_final: true })
    }

    fn refuse(&self, why: &str) -> Check {
        Check::Refused(vec![format!("guest {} {why}", self.at.name)])
    }
}

#[async_trait]
impl Effect for PowerEffect {
    async fn check(&self) -> Result<Check> {
        let now = self.look().await?;
        let state = now.state.as_str();
        if wanted(self.power).is_some_and(|wanted| wanted == state) {
            return Ok(Check::Already(format!("it is {state} already")));
        }
        if let Some(lock) = &now.lock {
            return Ok(self.refuse(&format!("is locked by Proxmox: {lock}")));
        }
        match (self.power, state) {
            (Power::Start, "paused") => return Ok(self.refuse("is paused: resume it instead")),
            (Power::Reboot { .. } | Power::Suspend, "stopped") => return Ok(self.refuse("does not run")),
            (Power::Resume, "stopped") => return Ok(self.refuse("does not run: start it instead")),
            (Power::Shutdown { .. } | Power::Reboot { .. }, "paused") => {
                return Ok(self.refuse("is paused, and cannot hear: resume it first"));
            }
            _ => {}
        }
        let newest = self.at.newest_task().await?;
        let request = self.request();
        Ok(Check::Ready {
            before: json!({
                "node": self.at.node, "state": state, "uptime_seconds": now.uptime_seconds, "newest_task": newest,
                "seen_at": self.fleet.now(),
            }),
            calls: vec![said(&request)],
        })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        self.at.begin(self.request(), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let kinds = self.task_kinds();
        self.at.find(before, &kinds.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        task::stop(self.at.api.as_ref(), handle).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let give_up = tokio::time::Instant::now() + SETTLES_WITHIN;
        loop {
            match self.look().await.map(|now| self.came_of_it(before, &now)) {
                Ok(Ok(text)) => return Ok(text),
                Ok(Err(instead)) if instead.is_final || tokio::time::Instant::now() > give_up => {
                    return Err(Error::new(ErrorKind::Conflict, self.words.clone())
                        .because(format!("its task ended well, and yet {}", instead.words))
                        .next("look at its console"));
                }
                Err(error) if !error.kind().is_retryable() || tokio::time::Instant::now() > give_up => {
                    return Err(error);
                }
                Ok(Err(_)) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let was = before.get("state").and_then(Value::as_str);
        let change = match (self.power, was) {
            (Power::Start, _) => GuestChange::Shutdown { limit_seconds: 60, then_stop: false },
            (Power::Stop | Power::Shutdown { .. }, Some("running")) => GuestChange::Start,
            (Power::Suspend, _) => GuestChange::Resume,
            (Power::Resume, _) => GuestChange::Suspend,
            // A guest that was paused is not what it was when it is started anew.
            (Power::Stop | Power::Shutdown { .. } | Power::Reboot { .. }, _) => return None,
        };
        Some(Action::Guest { id: self.at.id.clone(), change })
    }
}

/// Whether a guest has started since it was seen: it is up for less long than then, or no longer than has passed. A VM's
/// uptime is that of its process, which a reboot over the API ends.
fn started_since(was: u64, uptime: u64, passed: Option<u64>) -> bool {
    uptime < was || passed.is_none_or(|passed| uptime <= passed.saturating_add(1))
}

const fn verb(power: Power) -> &'static str {
    match power {
        Power::Start => "start",
        Power::Stop => "stop",
        Power::Shutdown { .. } => "shutdown",
        Power::Reboot { .. } => "reboot",
        Power::Suspend => "suspend",
        Power::Resume => "resume",
    }
}

/// The state that a change leads to; none where it leads to the one before.
const fn wanted(power: Power) -> Option<&'static str> {
    match power {
        Power::Start | Power::Resume => Some("running"),
        Power::Stop | Power::Shutdown { .. } => Some("stopped"),
        Power::Suspend => Some("paused"),
        Power::Reboot { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::started_since;

    #[test]
    fn a_guest_has_started_anew_where_it_is_up_for_less_long() {
        assert!(started_since(86_400, 3, Some(12)));
        assert!(started_since(86_400, 3_600, Some(7_200)), "found again long after");
        assert!(started_since(2, 5, Some(12)), "it was young already");
        assert!(!started_since(86_400, 86_412, Some(12)));
        assert!(!started_since(5, 17, Some(12)));
    }
}
