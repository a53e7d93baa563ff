//! Processors and memory of VMs and containers.
//!
//! A container takes the change at once. A running VM takes it at once where its `hotplug` setting lets it: memory as it is;
//! CPUs up to the places that it was started with, by how many of them are plugged in (`vcpus`). Whatever else is changed
//! is written down and waits for a restart, which the outcome says.

mod plan;

use async_trait::async_trait;
use serde_json::{Value, json};

use self::plan::{Seen, Setting};
use super::{
    super::{Check, Effect, Said},
    place::{Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::guest_config,
    fleet::Fleet,
    model::{Action, GuestChange, GuestId, GuestKind},
    transport::http::Request,
};

pub(super) use plan::Sizes;

/// By what a change that needs no task is found again: the configuration itself.
const HANDLE: &str = "config";

/// A change of what one guest is given.
pub(super) struct ScaleEffect {
    at: Place,
    wanted: Sizes,
    words: String,
}

impl ScaleEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, action: &Action, wanted: Sizes) -> Result<Self> {
        let at = Place::of(fleet, id, "scale guest").await?;
        Ok(Self { words: action.words_with(|_| at.name.clone()), at, wanted })
    }

    async fn look(&self) -> Result<Seen> {
        let (config, data) = self.at.config().await?;
        let waiting = self.at.api.call(Request::get(self.at.path(&["pending"]))).await?;
        let now = self.at.current().await?;
        let nodes = self.at.rows("node").await?.nodes;
        let node = nodes.into_iter().find(|node| node.name == self.at.node).map(|node| node.figures);
        Ok(Seen {
            kind: self.at.kind,
            digest: data.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned(),
            config,
            waiting: guest_config::pending(&waiting)?,
            runs: now.get("status").and_then(Value::as_str) == Some("running"),
            used_bytes: now.get("mem").and_then(Value::as_u64),
            node: self.at.node.clone(),
            node_cpus: node.and_then(|node| node.cpus),
            node_bytes: node.and_then(|node| node.memory_total),
        })
    }

    /// What is sent: what is to be set, and what is to have its default again.
    fn request(&self, settings: &[Setting], digest: &str) -> Request {
        let path = self.at.path(&["config"]);
        let mut request = match self.at.kind {
            // In a task, as plugging takes its time.
            GuestKind::Qemu => Request::post(path),
            GuestKind::Lxc => Request::put(path),
        };
        for setting in settings {
            request = match &setting.to {
                Some(value) => request.param(setting.name.as_str(), value.as_str()),
                None => request.param("delete", setting.name.as_str()),
            };
        }
        request.param("digest", digest)
    }
}

#[async_trait]
impl Effect for ScaleEffect {
    async fn check(&self) -> Result<Check> {
        let seen = self.look().await?;
        if let Some(problem) = self.wanted.problem(&seen) {
            return Ok(self.at.refuse(&problem));
        }
        let settings = self.wanted.settings(&seen);
        if settings.is_empty() {
            return Ok(Check::Already(seen.words()));
        }
        if let Some(lock) = &seen.config.lock {
            return Ok(self.at.refuse(&format!("is locked by Proxmox: {lock}")));
        }
        let newest = self.at.newest_task().await?;
        Ok(Check::Ready {
            calls: vec![said(&self.request(&settings, &seen.digest))],
            before: json!({
                "node": self.at.node, "newest_task": newest, "digest": seen.digest, "settings": settings,
                "sizes": self.wanted.before(&seen, &settings),
            }),
        })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let settings: Vec<Setting> = read(before, "settings")?;
        let digest = before.get("digest").and_then(Value::as_str).unwrap_or_default();
        let data = self.at.api.call(self.request(&settings, digest)).await?;
        Ok(data.as_str().unwrap_or(HANDLE).to_owned())
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        if self.at.kind == GuestKind::Qemu {
            return self.at.find(before, &["qmconfig"]).await;
        }
        Ok(self.wanted.settings(&self.look().await?).is_empty().then(|| HANDLE.to_owned()))
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        if handle == HANDLE { Ok(()) } else { task::follow(self.at.api.as_ref(), handle, said).await }
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let seen = self.look().await?;
        if self.wanted.settings(&seen).is_empty() {
            return Ok(seen.words());
        }
        Err(Error::new(ErrorKind::Conflict, self.words.clone())
            .because(format!("it was written, and yet {}", seen.words()))
            .next("look at it with `reanimator guest show`"))
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let Sizes { cores, memory_mib, balloon_mib } = read::<Option<Sizes>>(before, "sizes").ok()??;
        let change = GuestChange::Scale { cores, memory_mib, balloon_mib };
        Some(Action::Guest { id: self.at.id.clone(), change })
    }
}

fn read<T: serde::de::DeserializeOwned>(before: &Value, name: &str) -> Result<T> {
    serde_json::from_value(before.get(name).cloned().unwrap_or_default())
        .map_err(|error| Error::new(ErrorKind::Internal, "read what was there before").from_source(error))
}
