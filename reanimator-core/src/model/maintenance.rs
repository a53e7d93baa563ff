//! A host that is emptied and taken into maintenance, or taken out of it and filled again.

use serde::{Deserialize, Serialize};

use super::{
    ids::{GuestId, HostId},
    operation::NewOperation,
    rule::{Objection, Rule},
};

/// What is wanted of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MaintenanceWish {
    /// Its guests are moved away, and nothing new is put on it.
    Enter {
        /// Hosts that take the guests. Defaults to all nodes of its cluster that may.
        #[serde(default)]
        targets: Vec<HostId>,
        /// Whether guests that do not run are moved too. Defaults to not.
        #[serde(default)]
        stopped: bool,
        /// Whether disks that only it has are copied along. Defaults to not: guests with such stay.
        #[serde(default)]
        local_disks: bool,
        /// Whether it is gone on with where guests must stay. Defaults to not.
        #[serde(default)]
        leave_behind: bool,
        /// Whether it is shut down in the end. Defaults to not.
        #[serde(default)]
        shutdown: bool,
        /// Rules that an admin does not want kept this time. Defaults to none.
        #[serde(default)]
        overrides: Vec<Rule>,
    },
    /// It is used again.
    Leave {
        /// Whether it is woken first. Defaults to not.
        #[serde(default)]
        wake: bool,
        /// Whether the guests come back that were moved away when it was last taken into maintenance. Defaults to not.
        #[serde(default)]
        bring_back: bool,
        /// Rules that an admin does not want kept this time. Defaults to none.
        #[serde(default)]
        overrides: Vec<Rule>,
    },
}

impl MaintenanceWish {
    /// Rules that are not to be kept.
    pub fn overrides(&self) -> &[Rule] {
        match self {
            Self::Enter { overrides, .. } | Self::Leave { overrides, .. } => overrides,
        }
    }
}

/// How a wish is fulfilled: what goes where and why, and what stays and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MaintenancePlan {
    /// Guests that are moved, in order.
    pub moves: Vec<Move>,
    /// Guests that stay where they are.
    pub stays: Vec<Stay>,
    /// The steps.
    pub operation: NewOperation,
}

/// A guest that is moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Move {
    /// Which.
    pub guest: GuestId,
    /// Its name.
    pub name: String,
    /// Where to.
    pub to: HostId,
    /// The name of that.
    pub to_name: String,
    /// Why there.
    pub why: String,
}

/// A guest that stays where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stay {
    /// Which.
    pub guest: GuestId,
    /// Its name.
    pub name: String,
    /// Whether that is well: it does not run, or is moved by high availability itself.
    pub is_well: bool,
    /// Why.
    pub why: String,
    /// What speaks against each host that it could go to.
    pub refused: Vec<RefusedTarget>,
}

/// A host that a guest cannot go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedTarget {
    /// Which.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// What speaks against it.
    pub objections: Vec<Objection>,
}
