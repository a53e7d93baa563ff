//! Snapshots of VMs and containers: made, deleted, gone back to.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Action, GuestId, GuestKind, SnapshotVerb},
    transport::http::Request,
};

/// What Proxmox takes as a snapshot's name.
const LONGEST_NAME: usize = 40;

/// What is wanted of a snapshot.
pub(in crate::action) struct Wanted {
    pub(in crate::action) name: String,
    pub(in crate::action) verb: SnapshotVerb,
    pub(in crate::action) memory: bool,
    pub(in crate::action) description: String,
}

/// A change of one snapshot.
pub(in crate::action) struct SnapshotEffect {
    at: Place,
    wanted: Wanted,
    words: String,
}

/// What snapshots there are.
struct Seen {
    names: Vec<String>,
    /// The one that the guest as it is now comes from.
    parent: Option<String>,
}

impl SnapshotEffect {
    pub(in crate::action) async fn new(
        fleet: &Fleet,
        guest: &GuestId,
        action: &Action,
        wanted: Wanted,
    ) -> Result<Self> {
        let at = Place::of(fleet, guest, "act on a snapshot of guest").await?;
        Ok(Self { words: action.words_with(|_| at.name.clone()), at, wanted })
    }

    async fn look(&self) -> Result<Seen> {
        let data = self.at.api.call(Request::get(self.at.path(&["snapshot"]))).await?;
        let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut seen = Seen { names: Vec::with_capacity(rows.len()), parent: None };
        for row in rows {
            match text(row, "name") {
                // The state now stands among them, as one that is called so.
                Some(name) if name == "current" => seen.parent = text(row, "parent"),
                Some(name) => seen.names.push(name),
                None => {}
            }
        }
        Ok(seen)
    }

    fn request(&self) -> Request {
        let name = self.wanted.name.as_str();
        match self.wanted.verb {
            SnapshotVerb::Create => {
                let request = Request::post(self.at.path(&["snapshot"])).param("snapname", name);
                let described = !self.wanted.description.is_empty();
                let request =
                    if described { request.param("description", self.wanted.description.as_str()) } else { request };
                let memory = self.wanted.memory && self.at.kind == GuestKind::Qemu;
                if memory { request.param("vmstate", "1") } else { request }
            }
            SnapshotVerb::Delete => Request::delete(self.at.path(&["snapshot", name])),
            SnapshotVerb::RollBack => Request::post(self.at.path(&["snapshot", name, "rollback"])),
        }
    }

    fn task_kind(&self) -> String {
        let verb = match self.wanted.verb {
            SnapshotVerb::Create => "snapshot",
            SnapshotVerb::Delete => "delsnapshot",
            SnapshotVerb::RollBack => "rollback",
        };
        format!("{}{verb}", if self.at.kind == GuestKind::Qemu { "qm" } else { "vz" })
    }

    fn refuse(&self, why: &str) -> Result<Check> {
        Ok(Check::Refused(vec![format!("guest {} {why}", self.at.name)]))
    }
}

#[async_trait]
impl Effect for SnapshotEffect {
    async fn check(&self) -> Result<Check> {
        let name = self.wanted.name.as_str();
        if !is_name(name) {
            return Ok(Check::Refused(vec![format!(
                "{name:?} is no name of a snapshot: a letter, then letters, digits, _ and -, 2 to {LONGEST_NAME} in all"
            )]));
        }
        let seen = self.look().await?;
        match (self.wanted.verb, seen.names.iter().any(|known| known == name)) {
            (SnapshotVerb::Create, true) => return self.refuse(&format!("has a snapshot {name} already")),
            (SnapshotVerb::Delete, false) => return Ok(Check::Already(format!("there is no snapshot {name}"))),
            (SnapshotVerb::RollBack, false) => return self.refuse(&format!("has no snapshot {name}")),
            _ => {}
        }
        if let Some(lock) = self.at.current().await?.get("lock").and_then(Value::as_str) {
            return self.refuse(&format!("is locked by Proxmox: {lock}"));
        }
        let newest = self.at.newest_task().await?;
        Ok(Check::Ready {
            before: json!({ "node": self.at.node, "newest_task": newest, "parent": seen.parent }),
            calls: vec![said(&self.request())],
        })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        self.at.begin(self.request(), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        self.at.find(before, &[&self.task_kind()]).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        task::stop(self.at.api.as_ref(), handle).await
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let (seen, name) = (self.look().await?, &self.wanted.name);
        let is_there = seen.names.contains(name);
        let (well, text) = match self.wanted.verb {
            SnapshotVerb::Create => (is_there, "it is there"),
            SnapshotVerb::Delete => (!is_there, "it is gone"),
            SnapshotVerb::RollBack => (seen.parent.as_ref() == Some(name), "it is what it was then"),
        };
        if well {
            return Ok(text.to_owned());
        }
        Err(Error::new(ErrorKind::Conflict, self.words.clone())
            .because("its task ended well, and yet the list of snapshots does not show it")
            .next("look at its snapshots with `reanimator guest show`"))
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        match self.wanted.verb {
            SnapshotVerb::Create => Some(Action::Snapshot {
                guest: self.at.id.clone(),
                name: self.wanted.name.clone(),
                verb: SnapshotVerb::Delete,
                memory: false,
                description: String::new(),
            }),
            SnapshotVerb::Delete | SnapshotVerb::RollBack => None,
        }
    }
}

/// As Proxmox's `pve-configid`; and `current` is what it calls the state now.
fn is_name(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (2..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(rest)
        && name != "current"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshots_name_is_what_proxmox_takes() {
        for name in ["before", "a1", "pre-update_2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "a", "1a", "current", "a b", "a/b", "..", "ä1", &"a".repeat(41)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
