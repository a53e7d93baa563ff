//! A machine of the fleet: a host, or a guest of a cluster.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    action::Thing,
    ids::{GuestId, HostId},
};
use crate::{Error, ErrorKind, Result};

/// A machine with a system of its own. As text it is `host:ID` or `guest:CONNECTION:VMID`, in JSON and on paths too.
///
/// ```
/// use reanimator_core::model::{GuestId, Machine};
/// let machine: Machine = "guest:c1:101".parse()?;
/// assert_eq!(machine, Machine::Guest(GuestId("c1:101".into())));
/// assert_eq!(machine.to_string(), "guest:c1:101");
/// # Ok::<(), reanimator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Machine {
    /// A host.
    Host(HostId),
    /// A VM or container.
    Guest(GuestId),
}

impl Machine {
    /// The same, as what actions are upon.
    pub const fn thing(&self) -> Thing<'_> {
        match self {
            Self::Host(id) => Thing::Host(id),
            Self::Guest(id) => Thing::Guest(id),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(id) => write!(f, "host:{id}"),
            Self::Guest(id) => write!(f, "guest:{id}"),
        }
    }
}

impl FromStr for Machine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let guest = |id: &str| Some(GuestId(id.to_owned())).filter(|id| id.parts().is_some());
        let machine = match text.split_once(':') {
            Some(("host", id)) if !id.is_empty() => Some(Self::Host(id.into())),
            Some(("guest", id)) => guest(id).map(Self::Guest),
            _ => None,
        };
        machine.ok_or_else(|| {
            let start: String = text.chars().take(60).collect();
            Error::new(ErrorKind::Invalid, format!("read {start:?} as a machine"))
                .because("it names neither a host nor a guest")
                .next("write host:ID or guest:CONNECTION:VMID")
        })
    }
}

impl TryFrom<String> for Machine {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map_err(|error| crate::message(&error))
    }
}

impl From<Machine> for String {
    fn from(machine: Machine) -> Self {
        machine.to_string()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Machine {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.description(Some("`host:ID` or `guest:CONNECTION:VMID`.")).examples(["guest:c1:101"]).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Machine {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_written_as_it_is_read() {
        for text in ["host:h1", "guest:c1:101"] {
            let machine: Machine = text.parse().unwrap();
            assert_eq!(machine.to_string(), text);
            let json = serde_json::to_string(&machine).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
        }
        for text in ["", "h1", "host:", "guest:c1", "guest:c1:x", "thing:1"] {
            let error = text.parse::<Machine>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        }
    }
}
