//! Tags of VMs and containers.
//!
//! The whole list is written at once, so it is written only where the configuration is the one that was read: what others
//! have changed meanwhile is never lost. Tags that differ in capitals only are one, as clusters have it unless told
//! otherwise.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said, texts},
};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Action, GuestChange, GuestId},
    transport::http::Request,
};

/// By what a change that needs no task is found again: the configuration itself.
const HANDLE: &str = "config";

/// A change of one guest's tags.
pub(super) struct TagEffect {
    at: Place,
    add: Vec<String>,
    remove: Vec<String>,
    words: String,
}

impl TagEffect {
    pub(super) async fn new(
        fleet: &Fleet,
        id: &GuestId,
        action: &Action,
        add: &[String],
        remove: &[String],
    ) -> Result<Self> {
        let at = Place::of(fleet, id, "tag guest").await?;
        Ok(Self { words: action.words_with(|_| at.name.clone()), at, add: add.to_vec(), remove: remove.to_vec() })
    }

    /// What is missing, and what is there and should not be.
    fn difference(&self, tags: &[String]) -> (Vec<String>, Vec<String>) {
        let mut missing: Vec<String> = Vec::new();
        for tag in &self.add {
            if !has(tags, tag) && !has(&missing, tag) {
                missing.push(tag.clone());
            }
        }
        (missing, tags.iter().filter(|tag| has(&self.remove, tag)).cloned().collect())
    }

    fn request(&self, before: &Value) -> Request {
        let mut tags = texts(before, "tags");
        tags.retain(|tag| !has(&self.remove, tag));
        tags.extend(texts(before, "missing"));
        let request = Request::put(self.at.path(&["config"]));
        let request =
            if tags.is_empty() { request.param("delete", "tags") } else { request.param("tags", tags.join(";")) };
        request.param("digest", before.get("digest").and_then(Value::as_str).unwrap_or_default())
    }

    fn problem(&self) -> Option<String> {
        if self.add.is_empty() && self.remove.is_empty() {
            return Some("is to get no tag and to lose none: name some".to_owned());
        }
        if let Some(tag) = self.add.iter().chain(&self.remove).find(|tag| !is_tag(tag)) {
            return Some(format!(
                "cannot have the tag {tag:?}: a letter, digit or _, then letters, digits, _, -, + and ."
            ));
        }
        let both = self.add.iter().find(|tag| has(&self.remove, tag));
        both.map(|tag| format!("is to get the tag {tag} and to lose it: choose one"))
    }
}

#[async_trait]
impl Effect for TagEffect {
    async fn check(&self) -> Result<Check> {
        if let Some(problem) = self.problem() {
            return Ok(self.at.refuse(&problem));
        }
        let (config, data) = self.at.config().await?;
        let (missing, surplus) = self.difference(&config.tags);
        if missing.is_empty() && surplus.is_empty() {
            return Ok(Check::Already(tagged(&config.tags)));
        }
        if let Some(lock) = &config.lock {
            return Ok(self.at.refuse(&format!("is locked by Proxmox: {lock}")));
        }
        let before = json!({
            "tags": config.tags, "missing": missing, "surplus": surplus, "digest": data.get("digest"),
        });
        Ok(Check::Ready { calls: vec![said(&self.request(&before))], before })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        self.at.api.call(self.request(before)).await?;
        Ok(HANDLE.to_owned())
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        let (missing, surplus) = self.difference(&self.at.config().await?.0.tags);
        Ok((missing.is_empty() && surplus.is_empty()).then(|| HANDLE.to_owned()))
    }

    async fn follow(&self, _handle: &str, _said: &(dyn Said + Sync)) -> Result<()> {
        Ok(())
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let tags = self.at.config().await?.0.tags;
        let (missing, surplus) = self.difference(&tags);
        if missing.is_empty() && surplus.is_empty() {
            return Ok(tagged(&tags));
        }
        Err(Error::new(ErrorKind::Conflict, self.words.clone())
            .because(format!("it was written, and yet {}", tagged(&tags)))
            .next("look whether something else changes its tags"))
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let change = GuestChange::Tag { add: texts(before, "surplus"), remove: texts(before, "missing") };
        Some(Action::Guest { id: self.at.id.clone(), change })
    }
}

/// Whether somebody else has written the configuration since it was read.
pub(super) fn is_outdated(error: &Error) -> bool {
    crate::report(error).contains("checksum mismatch")
}

fn has(tags: &[String], tag: &str) -> bool {
    tags.iter().any(|known| known.eq_ignore_ascii_case(tag))
}

fn tagged(tags: &[String]) -> String {
    if tags.is_empty() { "it has no tags".to_owned() } else { format!("its tags are {}", tags.join(", ")) }
}

/// As Proxmox's `pve-tag`.
fn is_tag(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(first) && text.chars().all(|c| first(c) || "-+.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_proxmox_takes() {
        for tag in ["a", "Prod", "1", "_x", "rented-2026", "c++", "v1.2"] {
            assert!(is_tag(tag), "{tag}");
        }
        for tag in ["", "-a", ".a", "a b", "a;b", "a,b", "ä", "a/b", "a\n"] {
            assert!(!is_tag(tag), "{tag}");
        }
    }
}
