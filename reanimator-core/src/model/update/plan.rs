//! What an update would come to.

use serde::{Deserialize, Serialize};

use super::{TargetKind, UpdateWish};
use crate::model::{machine::Machine, packages::PackageSurvey, rule::Objection};

/// What an update would come to, as things are. Nothing was done but to look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatePlan {
    /// What was wanted.
    pub wish: UpdateWish,
    /// Wave by wave, in order.
    pub waves: Vec<PlannedWave>,
    /// Machines that were named and are not updated.
    pub passed_over: Vec<PassedOver>,
    /// How many machines have something to do.
    pub machines: usize,
    /// How many packages would be installed, on all machines together.
    pub packages: u64,
    /// Of those, the ones that close a security hole, where that is known.
    pub security: u64,
    /// How many machines would be started anew, as far as pending packages tell.
    pub restarts: usize,
    /// How many machines something speaks against.
    pub refused: usize,
}

/// Machines that are updated at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedWave {
    /// Its place, counted from 1.
    pub number: u32,
    /// Whether it is the one that goes first alone.
    pub canary: bool,
    /// Who is in it.
    pub targets: Vec<PlannedTarget>,
}

/// A machine that would be updated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedTarget {
    /// Which.
    pub machine: Machine,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Why it stands where it stands.
    pub why: String,
    /// Whether Reanimator itself runs on it, or in it.
    #[serde(default)]
    pub own: bool,
    /// What its package manager says; none where it could not be asked.
    pub survey: Option<PackageSurvey>,
    /// How many packages would be installed.
    pub wanted: u64,
    /// Of those, the ones that close a security hole, where that is known.
    pub security: u64,
    /// Whether it would be started anew, as far as pending packages tell.
    pub restart: bool,
    /// What would be done, in order.
    pub steps: Vec<String>,
    /// Why it would be refused; empty where it would not.
    pub refused: Vec<String>,
    /// What rules say against it, those too that would be overridden.
    pub objections: Vec<Objection>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// A machine that was named and is not updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassedOver {
    /// Which.
    pub machine: Machine,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}
