//! What the login may do: `/access/permissions`.
//!
//! Proxmox answers who may see nothing with empty lists, not with a refusal: "empty" is not "none".

use std::collections::BTreeMap;

use serde_json::Value;

use super::lenient::{self, Fields};
use crate::{Result, transport::http::Request};

/// What to ask for.
pub fn request() -> Request {
    Request::get(["access", "permissions"])
}

/// Privileges by path, each with whether it is handed on to the paths below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(Vec<(String, BTreeMap<String, bool>)>);

impl Rights {
    /// Whether there is no right at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `privilege` is held on any path at or below `path` (`/vms` for some guest).
    pub fn any_below(&self, path: &str, privilege: &str) -> bool {
        let is_below = |other: &str| {
            other == "/" || other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().any(|(other, privileges)| is_below(other) && privileges.contains_key(privilege))
    }

    /// Whether `privilege` is held on `path` itself.
    pub fn on(&self, path: &str, privilege: &str) -> bool {
        self.0.iter().any(|(other, privileges)| other == path && privileges.contains_key(privilege))
    }

    /// Whether `privilege` is held on `path` and handed on to what is below.
    fn hands_on(&self, path: &str, privilege: &str) -> bool {
        self.0.iter().any(|(other, privileges)| other == path && privileges.get(privilege) == Some(&true))
    }

    /// Whether `privilege` is held on all below `path`, on what has rights of its own as well.
    pub fn all_below(&self, path: &str, privilege: &str) -> bool {
        let is_below = |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        self.hands_on(path, privilege)
            && self.0.iter().all(|(other, privileges)| !is_below(other) || privileges.contains_key(privilege))
    }

    /// Whether this login is told of all backups on that storage: what it may not use is left out without a word.
    pub fn see_all_backups(&self, storage: &str) -> bool {
        let own = format!("/storage/{storage}");
        let is_own = self.0.iter().any(|(path, _)| *path == own);
        let on_storage =
            |privilege| if is_own { self.on(&own, privilege) } else { self.hands_on("/storage", privilege) };
        on_storage("Datastore.Allocate")
            || (on_storage("Datastore.AllocateSpace") && self.all_below("/vms", "VM.Backup"))
    }
}

/// Reads the answer: a right is listed whether it is handed on below or not.
///
/// # Errors
/// When it is neither an object nor nothing.
pub fn rights(data: &Value) -> Result<Rights> {
    // Perl writes an empty hash as a list now and then.
    if data.is_null() || data.as_array().is_some_and(Vec::is_empty) {
        return Ok(Rights::default());
    }
    let held = lenient::object(data, "the permissions")?.iter().filter_map(|(path, privileges)| {
        let fields = Fields::of(privileges)?;
        let handed_on = |name: &str| fields.flag(name).unwrap_or(false);
        let names: BTreeMap<String, bool> = fields.iter().map(|(name, _)| (name.to_owned(), handed_on(name))).collect();
        (!names.is_empty()).then(|| (path.to_owned(), names))
    });
    Ok(Rights(held.collect()))
}
