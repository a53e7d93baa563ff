//! Names that programs use for things. All are opaque strings outside this crate.

use serde::{Deserialize, Serialize};

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// A new id, in the order of creation (UUID version 7).
            pub fn generate() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

string_id! {
    /// A host of the fleet.
    HostId
}
string_id! {
    /// A way to reach a host or a whole Proxmox cluster.
    ConnectionId
}
string_id! {
    /// A pair of records that may be one machine.
    MatchId
}

string_id! {
    /// An operation: one change to the world, or several, being carried out.
    OperationId
}

string_id! {
    /// An update of many machines.
    UpdateId
}

/// A guest: the connection of its cluster and its number there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct GuestId(pub String);

impl GuestId {
    /// The id of guest `vmid` of the cluster behind `connection`.
    pub fn new(connection: &ConnectionId, vmid: u32) -> Self {
        Self(format!("{connection}:{vmid}"))
    }

    /// The connection of its cluster.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.0.rsplit_once(':').map(|(connection, _)| ConnectionId::from(connection))
    }

    /// Its number there, as text.
    pub fn vmid(&self) -> &str {
        self.0.rsplit_once(':').map_or(self.0.as_str(), |(_, vmid)| vmid)
    }

    /// The connection and the number in it; none where it is no such id.
    pub fn parts(&self) -> Option<(ConnectionId, u32)> {
        let (connection, vmid) = self.0.rsplit_once(':')?;
        Some((ConnectionId::from(connection), vmid.parse().ok()?))
    }
}

impl std::fmt::Display for GuestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
