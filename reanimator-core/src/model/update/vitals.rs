//! What shows that a machine is well: what runs on it, and where it listens.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What shows that a machine is well, at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Vitals {
    /// Services that are to run from the start of the system, and run; none where it has no systemd that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<BTreeSet<String>>,
    /// Units that have failed; none where it has no systemd that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<BTreeSet<String>>,
    /// Where it listens: `tcp/22`, `udp/53`; none where that was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listeners: Option<BTreeSet<String>>,
}

/// What is not as it was before, or not as it should be: one thing for each, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwell(pub Vec<String>);
