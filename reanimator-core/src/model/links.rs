//! Two records that may be one machine.

use serde::{Deserialize, Serialize};

use super::ids::{HostId, MatchId};

/// A pair of records, the evidence for and against their being one machine, and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Match {
    /// Its id.
    pub id: MatchId,
    /// The host.
    pub host: HostId,
    /// The other record, as a stable key: `host:ID` or `guest:CONNECTION:VMID`.
    pub other: String,
    /// What speaks for it: `same MAC bc:24:11:...`.
    pub evidence: Vec<String>,
    /// What speaks against it: `different machine-id`.
    pub against: Vec<String>,
    /// What was decided.
    pub verdict: Verdict,
}

/// What was said of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nobody has said yet.
    #[default]
    Asked,
    /// One machine.
    Same,
    /// Two machines.
    Different,
}
