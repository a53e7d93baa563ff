//! What changed, for those who listen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One change: `{type, at, data}` on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// What kind of change.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The thing as it is now.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Value,
}

/// The kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventKind {
    /// First frame to a new listener: everything as it is.
    #[serde(rename = "connected")]
    Connected,
    /// A host was added.
    #[serde(rename = "host:added")]
    HostAdded,
    /// New figures of a host.
    #[serde(rename = "host:updated")]
    HostUpdated,
    /// A host answers again.
    #[serde(rename = "host:online")]
    HostOnline,
    /// A host missed too many observations.
    #[serde(rename = "host:offline")]
    HostOffline,
    /// A host was removed.
    #[serde(rename = "host:removed")]
    HostRemoved,
    /// Something about a host differs from last time: `{id, changes}`.
    #[serde(rename = "host:changed")]
    HostChanged,
    /// The sums over the fleet.
    #[serde(rename = "totals:updated")]
    TotalsUpdated,
    /// A guest appeared.
    #[serde(rename = "guest:added")]
    GuestAdded,
    /// A guest changed: status, node, name.
    #[serde(rename = "guest:updated")]
    GuestUpdated,
    /// A guest is gone.
    #[serde(rename = "guest:removed")]
    GuestRemoved,
    /// Something about a guest differs from last time: `{id, changes}`.
    #[serde(rename = "guest:changed")]
    GuestChanged,
    /// An operation was asked for.
    #[serde(rename = "operation:started")]
    OperationStarted,
    /// An operation got further, or changed hands.
    #[serde(rename = "operation:updated")]
    OperationUpdated,
    /// An operation is over, however it ended.
    #[serde(rename = "operation:ended")]
    OperationEnded,
    /// An update of many machines was asked for.
    #[serde(rename = "update:started")]
    UpdateStarted,
    /// An update of many machines got further.
    #[serde(rename = "update:updated")]
    UpdateUpdated,
    /// An update of many machines is over, however it ended.
    #[serde(rename = "update:ended")]
    UpdateEnded,
}

impl EventKind {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::HostAdded => "host:added",
            Self::HostUpdated => "host:updated",
            Self::HostOnline => "host:online",
            Self::HostOffline => "host:offline",
            Self::HostRemoved => "host:removed",
            Self::HostChanged => "host:changed",
            Self::TotalsUpdated => "totals:updated",
            Self::GuestAdded => "guest:added",
            Self::GuestUpdated => "guest:updated",
            Self::GuestRemoved => "guest:removed",
            Self::GuestChanged => "guest:changed",
            Self::OperationStarted => "operation:started",
            Self::OperationUpdated => "operation:updated",
            Self::OperationEnded => "operation:ended",
            Self::UpdateStarted => "update:started",
            Self::UpdateUpdated => "update:updated",
            Self::UpdateEnded => "update:ended",
        }
    }
}
