//! Whose figures are kept, how they are asked for, and what comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, ErrorKind};

use super::{GuestId, HostId};

/// What sort of thing an [`Entity`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// A machine.
    Host,
    /// A virtual machine or container.
    Guest,
    /// A storage of a Proxmox cluster.
    Storage,
    /// All of it, as if it were one computer.
    Fleet,
}

impl EntityKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Host, Self::Guest, Self::Storage, Self::Fleet];

    /// `host`, `guest`, `storage`, `fleet`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Guest => "guest",
            Self::Storage => "storage",
            Self::Fleet => "fleet",
        }
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that has a history: written `host:ID`, `guest:ID`, `storage:ID`, or `fleet` for all of it.
///
/// ```
/// use reanimator_core::model::{Entity, EntityKind};
/// let guest: Entity = "guest:c1:100".parse()?;
/// assert_eq!(guest.kind(), EntityKind::Guest);
/// assert_eq!(guest.to_string(), "guest:c1:100");
/// # Ok::<(), reanimator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// A machine of the fleet.
    Host(HostId),
    /// A guest of a cluster.
    Guest(GuestId),
    /// A storage of a cluster, by its id in the fleet.
    Storage(String),
    /// The whole fleet.
    Fleet,
}

impl Entity {
    /// What sort of thing it is.
    pub fn kind(&self) -> EntityKind {
        match self {
            Self::Host(_) => EntityKind::Host,
            Self::Guest(_) => EntityKind::Guest,
            Self::Storage(_) => EntityKind::Storage,
            Self::Fleet => EntityKind::Fleet,
        }
    }

    /// The guest that it is.
    pub fn guest(&self) -> Option<&GuestId> {
        match self {
            Self::Guest(id) => Some(id),
            Self::Host(_) | Self::Storage(_) | Self::Fleet => None,
        }
    }
}

impl From<HostId> for Entity {
    fn from(id: HostId) -> Self {
        Self::Host(id)
    }
}

impl From<GuestId> for Entity {
    fn from(id: GuestId) -> Self {
        Self::Guest(id)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: &dyn fmt::Display = match self {
            Self::Host(id) => id,
            Self::Guest(id) => id,
            Self::Storage(id) => id,
            Self::Fleet => return f.write_str(self.kind().as_str()),
        };
        write!(f, "{}:{id}", self.kind())
    }
}

impl FromStr for Entity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == EntityKind::Fleet.as_str() {
            return Ok(Self::Fleet);
        }
        match text.split_once(':') {
            Some(("host", id)) if !id.is_empty() => Ok(Self::Host(id.into())),
            Some(("guest", id)) if !id.is_empty() => Ok(Self::Guest(GuestId(id.to_owned()))),
            Some(("storage", id)) if !id.is_empty() => Ok(Self::Storage(id.to_owned())),
            _ => Err(Error::new(ErrorKind::Invalid, "read the name of something with a history")
                .on(text)
                .because("it is none of host:ID, guest:ID, storage:ID, fleet")
                .next("write it so, with the id that lists show")),
        }
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom(format!("{text:?} is none of host:ID, guest:ID, storage:ID, fleet")))
    }
}

/// Which part of a history is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryQuery {
    /// Whose.
    pub entity: Entity,
    /// Names of the figures; none stands for all that are kept of such a thing.
    pub metrics: Vec<String>,
    /// From then on.
    pub from: Timestamp,
    /// Up to but not including then.
    pub to: Timestamp,
    /// How far apart the points are, in whole seconds from 1 on. Defaults to what makes a chart: a few hundred points.
    pub step: Option<Duration>,
}

/// A history in columns, as tables and data frames take it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// Whose.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "guest:c1:100"))]
    pub entity: Entity,
    /// Seconds from one point to the next: what was asked for, or more where nothing finer is left or was ever seen.
    pub step_seconds: u64,
    /// When the span of each point begins, the same for all figures; each is a multiple of the step since 1970.
    pub times: Vec<Timestamp>,
    /// For each figure its columns, as long as `times`.
    pub metrics: BTreeMap<String, Columns>,
}

/// One figure over time. A span in which it was not seen is `None` in all three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Columns {
    /// The least in each span.
    pub min: Vec<Option<f64>>,
    /// The average over each span.
    pub mean: Vec<Option<f64>>,
    /// The most in each span.
    pub max: Vec<Option<f64>>,
}

/// Of which things the same figure is wanted as short lines, as tables show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentQuery {
    /// Whose.
    pub entities: BTreeSet<Entity>,
    /// The name of the figure, which each of their kinds has to have.
    pub metric: String,
    /// From then on.
    pub from: Timestamp,
    /// Up to but not including then.
    pub to: Timestamp,
    /// How many points each line has at most.
    pub points: usize,
}

/// The same figure of many things as short lines with the same times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recent {
    /// The name of the figure.
    pub metric: String,
    /// When the first step begins: a multiple of the step since 1970, so that lines asked for again agree.
    pub from: Timestamp,
    /// When the last step ends, which may be after what was asked for.
    pub to: Timestamp,
    /// Seconds from one point to the next.
    pub step_seconds: u64,
    /// For each thing the average over each step; a step in which it was not seen is null.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Vec<Option<f64>>>))]
    pub series: BTreeMap<Entity, Vec<Option<f64>>>,
    /// What was asked for and is not in the fleet.
    pub unknown: Vec<String>,
}

/// A figure as it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: f64,
}

/// The newest reading of each figure of one entity; a figure that was not seen lately is absent.
pub type Latest = BTreeMap<String, Reading>;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_a_word_with_its_kind() {
        for text in ["host:0198", "guest:c1:100", "storage:c1/pve1/local-zfs", "fleet"] {
            let entity: Entity = text.parse().unwrap();
            assert_eq!(entity.to_string(), text);
            let json = serde_json::to_string(&entity).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), entity);
        }
        for text in ["", "host", "host:", "node:1", "Host:1", ":1", "fleet:", "Fleet"] {
            assert_eq!(text.parse::<Entity>().unwrap_err().kind(), ErrorKind::Invalid, "{text:?}");
        }
    }
}
