//! Changes to the world, as data: they can be stored, shown, refused, and carried out later by another process.

mod guest;
mod host;
mod storage;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::{
    ids::{GuestId, HostId},
    machine::Machine,
    packages::PackagesChange,
    role::Role,
};

pub use guest::{BackupMode, GuestChange, MigrationMode};
pub use host::{ContainerVerb, HostChange, UnitVerb, container_name};
pub use storage::{StorageChange, StorageContent};

/// One change to the world: what, on what, with which bounds.
///
/// ```
/// use reanimator_core::model::{Action, GuestChange, Risk};
/// let action: Action = serde_json::from_str(r#"{"on":"guest","id":"c1:101","do":"shutdown","limit_seconds":60}"#)?;
/// assert_eq!(action.risk(), Risk::Disruptive);
/// assert_eq!(action.thing(), "guest:c1:101");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "on", rename_all = "kebab-case")]
pub enum Action {
    /// Something with a VM or container.
    Guest {
        /// Which one.
        id: GuestId,
        /// What.
        #[serde(flatten)]
        change: GuestChange,
    },
    /// Something with a snapshot of a VM or container.
    Snapshot {
        /// Of which one.
        guest: GuestId,
        /// What the snapshot is called: a letter, then letters, digits, `_` and `-`, up to 40.
        name: String,
        /// What.
        #[serde(rename = "do")]
        verb: SnapshotVerb,
        /// Whether the memory of a running VM is taken too. Defaults to not; only for making one.
        #[serde(default)]
        memory: bool,
        /// What people say of it. Defaults to nothing; only for making one.
        #[serde(default)]
        description: String,
    },
    /// Something with a host.
    Host {
        /// Which one.
        id: HostId,
        /// What.
        #[serde(flatten)]
        change: HostChange,
    },
    /// Something with a systemd unit of a host.
    Unit {
        /// On which host.
        host: HostId,
        /// Which one: `nginx.service`.
        unit: String,
        /// What.
        #[serde(rename = "do")]
        verb: UnitVerb,
    },
    /// Something with a container of Docker or Podman on a host.
    Container {
        /// On which host.
        host: HostId,
        /// Its name; where both engines have one of it, `docker:NAME` or `podman:NAME`.
        name: String,
        /// What.
        #[serde(rename = "do")]
        verb: ContainerVerb,
        /// The id of an image that is there, for it to be updated to; by this an update is taken back. Defaults to the
        /// newest of the same name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// Something with all containers of a project of Compose on a host.
    Compose {
        /// On which host.
        host: HostId,
        /// Its name.
        project: String,
        /// What.
        #[serde(rename = "do")]
        verb: ContainerVerb,
    },
    /// Runs a prepared script on a host.
    Script {
        /// On which host.
        host: HostId,
        /// The script's name.
        script: String,
        /// What it is given, by the names of its parameters.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
        /// Which version of it. Defaults to the newest, which is written down when it is asked for; another one is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// Something with the packages of a host or guest.
    Packages {
        /// Of which one.
        machine: Machine,
        /// What.
        #[serde(flatten)]
        change: PackagesChange,
    },
    /// Puts a file on a storage of a node.
    Storage {
        /// Of which node.
        host: HostId,
        /// On which one.
        storage: String,
        /// As what.
        content: StorageContent,
        /// What the file is called there.
        name: String,
        /// How it comes there.
        #[serde(flatten)]
        change: StorageChange,
    },
}

/// What can be done with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotVerb {
    /// Makes it.
    Create,
    /// Deletes it.
    Delete,
    /// Makes the guest what it was then; what came later is gone.
    RollBack,
}

/// How much an action may cost those who use what it acts upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing: nobody notices.
    None,
    /// Hardly anything, and it can be taken back.
    Low,
    /// A service is away for a while.
    Disruptive,
    /// Something is gone for good.
    Destructive,
}

impl Risk {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }

    /// The least role that may take it.
    pub const fn needs(self) -> Role {
        match self {
            Self::None | Self::Low | Self::Disruptive => Role::Operator,
            Self::Destructive => Role::Admin,
        }
    }
}

impl Action {
    /// What it may cost.
    pub const fn risk(&self) -> Risk {
        match self {
            Self::Guest { change, .. } => change.risk(),
            Self::Snapshot { verb, .. } => match verb {
                SnapshotVerb::Create => Risk::Low,
                SnapshotVerb::Delete | SnapshotVerb::RollBack => Risk::Destructive,
            },
            Self::Host { change, .. } => change.risk(),
            Self::Unit { verb, .. } => verb.risk(),
            Self::Container { verb, .. } | Self::Compose { verb, .. } => verb.risk(),
            // Who may run a script is the script's own matter.
            Self::Script { .. } => Risk::Disruptive,
            Self::Packages { change, .. } => change.risk(),
            Self::Storage { .. } => Risk::Low,
        }
    }

    /// What taking it back may cost: a clone is deleted, and so is a snapshot.
    pub const fn undo_risk(&self) -> Risk {
        match self {
            Self::Guest { change: GuestChange::Clone { .. }, .. }
            | Self::Snapshot { verb: SnapshotVerb::Create, .. } => Risk::Destructive,
            _ => Risk::Disruptive,
        }
    }

    /// The guest or host that it acts upon.
    pub const fn on(&self) -> Thing<'_> {
        match self {
            Self::Guest { id, .. } | Self::Snapshot { guest: id, .. } => Thing::Guest(id),
            Self::Host { id: host, .. }
            | Self::Unit { host, .. }
            | Self::Container { host, .. }
            | Self::Compose { host, .. }
            | Self::Script { host, .. }
            | Self::Storage { host, .. } => Thing::Host(host),
            Self::Packages { machine, .. } => machine.thing(),
        }
    }

    /// What it acts upon, for locks: two operations never act on one thing at once.
    pub fn thing(&self) -> String {
        match self.on() {
            Thing::Guest(id) => format!("guest:{id}"),
            Thing::Host(id) => format!("host:{id}"),
        }
    }

    /// What it is, with ids in place of names: `shut down guest c1:101`.
    pub fn words(&self) -> String {
        self.words_with(|thing| thing.id().to_owned())
    }

    /// What it is, with the names that `name` gives.
    pub fn words_with(&self, name: impl Fn(Thing<'_>) -> String) -> String {
        let on = name(self.on());
        let host = |id: &HostId| name(Thing::Host(id));
        match self {
            Self::Guest { change, .. } => change.words(&on, host),
            Self::Snapshot { name: snapshot, verb, .. } => match verb {
                SnapshotVerb::Create => format!("make snapshot {snapshot} of guest {on}"),
                SnapshotVerb::Delete => format!("delete snapshot {snapshot} of guest {on}"),
                SnapshotVerb::RollBack => format!("roll guest {on} back to snapshot {snapshot}"),
            },
            Self::Host { change, .. } => change.words(&on, host),
            Self::Unit { unit, verb, .. } => format!("{verb} {unit} on {on}"),
            Self::Container { name: container, image: Some(image), .. } => {
                format!("put container {container} on {on} back to image {}", short(image))
            }
            Self::Container { name: container, verb, image: None, .. } => {
                format!("{verb} container {container} on {on}")
            }
            Self::Compose { project, verb, .. } => format!("{verb} project {project} on {on}"),
            Self::Script { script, .. } => format!("run script {script} on {on}"),
            Self::Packages { change, .. } => change.words(&on),
            Self::Storage { storage, name: file, change, .. } => match change {
                StorageChange::Upload { .. } => format!("upload {file} to {storage} of {on}"),
                StorageChange::Download { .. } => format!("download {file} to {storage} of {on}"),
            },
        }
    }
}

/// Reads an action that somebody asks for: a field that it does not have is refused, as it may be a slip of the pen with
/// which something else would be done. What is kept is read without this, so that other versions can read it too.
pub(super) fn asked<'de, D: Deserializer<'de>>(given: D) -> Result<Action, D::Error> {
    let given = Value::deserialize(given)?;
    let action = Action::deserialize(&given).map_err(|error| D::Error::custom(format!("the action: {error}")))?;
    let known = serde_json::to_value(&action).map_err(D::Error::custom)?;
    // What is null is not given.
    let strange = |(name, value): (&String, &Value)| {
        (!value.is_null() && known.get(name).is_none()).then(|| name.chars().take(40).collect::<String>())
    };
    match given.as_object().and_then(|fields| fields.iter().find_map(strange)) {
        Some(name) => Err(D::Error::custom(format!("the action to {} has no field {name:?}", action.words()))),
        None => Ok(action),
    }
}

/// An image's id as engines show it: twelve digits, without the kind of digest.
fn short(image: &str) -> String {
    image.trim_start_matches("sha256:").chars().take(12).collect()
}

/// A guest or host that an action names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing<'a> {
    /// A guest.
    Guest(&'a GuestId),
    /// A host.
    Host(&'a HostId),
}

impl<'a> Thing<'a> {
    /// Its id.
    pub fn id(self) -> &'a str {
        match self {
            Self::Guest(id) => &id.0,
            Self::Host(id) => id.as_str(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn an_action_says_what_on_what_and_stays_readable_as_json() {
        let shutdown = Action::Guest {
            id: GuestId("c1:101".into()),
            change: GuestChange::Shutdown { limit_seconds: 60, then_stop: false },
        };
        let json = r#"{"on":"guest","id":"c1:101","do":"shutdown"}"#;
        assert_eq!(serde_json::from_str::<Action>(json).unwrap(), shutdown);
        assert_eq!(shutdown.words_with(|_| "mail".into()), "shut down guest mail");

        let unit = Action::Unit { host: "h1".into(), unit: "nginx.service".into(), verb: UnitVerb::Restart };
        let json = r#"{"on":"unit","host":"h1","unit":"nginx.service","do":"restart"}"#;
        assert_eq!(serde_json::to_string(&unit).unwrap(), json);
        assert_eq!(
            (unit.words_with(|_| "web1".into()), unit.thing()),
            ("restart nginx.service on web1".into(), "host:h1".into())
        );
    }

    #[test]
    fn a_snapshot_is_made_lightly_and_neither_deleted_nor_gone_back_to_so() {
        let json = r#"{"on":"snapshot","guest":"c1:101","name":"before","do":"roll-back"}"#;
        let back: Action = serde_json::from_str(json).unwrap();
        assert_eq!((back.risk(), back.thing()), (Risk::Destructive, "guest:c1:101".into()));
        assert_eq!(back.words_with(|_| "mail".into()), "roll guest mail back to snapshot before");
        let make: Action = serde_json::from_str(&json.replace("roll-back", "create")).unwrap();
        assert_eq!(
            (make.risk(), make.words_with(|_| "mail".into())),
            (Risk::Low, "make snapshot before of guest mail".into())
        );
    }

    #[test]
    fn a_container_is_put_back_to_an_image_by_its_id() {
        let json = r#"{"on":"container","host":"h1","name":"web","do":"update"}"#;
        let update: Action = serde_json::from_str(json).unwrap();
        assert_eq!((serde_json::to_string(&update).unwrap(), update.risk()), (json.into(), Risk::Disruptive));
        assert_eq!(update.words(), "update container web on h1");
        let json = json.replace('}', r#","image":"sha256:0123456789abcdef"}"#);
        let back: Action = serde_json::from_str(&json).unwrap();
        assert_eq!(back.words(), "put container web on h1 back to image 0123456789ab");
    }

    #[test]
    fn a_slip_of_the_pen_is_told_where_it_is_asked_for_and_passed_over_where_it_is_kept() {
        let given = serde_json::json!({"on": "guest", "id": "c1:101", "do": "shutdown", "limitseconds": 1});
        assert!(serde_json::from_value::<Action>(given.clone()).is_ok());
        let error = asked(given).unwrap_err().to_string();
        assert_eq!(error, r#"the action to shut down guest c1:101 has no field "limitseconds""#);
        for well in [
            r#"{"on":"guest","id":"c1:101","do":"scale","cores":2,"memory_mib":512,"balloon_mib":256}"#,
            r#"{"on":"guest","id":"c1:101","do":"scale","cores":2,"memory_mib":null}"#,
            r#"{"on":"guest","id":"c1:101","do":"start"}"#,
            r#"{"on":"host","id":"h1","do":"wake","through":"h2"}"#,
            r#"{"on":"script","host":"h1","script":"s","parameters":{"any":"x"},"version":"1"}"#,
            r#"{"on":"packages","machine":"host:h1","do":"upgrade","exclude":[]}"#,
            r#"{"on":"storage","host":"h1","storage":"s","content":"iso","name":"a.iso","do":"upload","file":"1"}"#,
        ] {
            asked(serde_json::from_str::<Value>(well).unwrap()).unwrap();
        }
        let strange = r#"{"on":"guest","id":"c1:101","do":"start","foo":1}"#;
        asked(serde_json::from_str::<Value>(strange).unwrap()).unwrap_err();
    }

    #[test]
    fn what_disrupts_takes_an_operator() {
        assert!(Risk::None < Risk::Low && Risk::Disruptive < Risk::Destructive);
        assert_eq!(Risk::Disruptive.needs(), Role::Operator);
        assert_eq!(Risk::Destructive.needs(), Role::Admin);
    }
}
