//! Plain records that the store keeps and that are no nouns of the fleet.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ConnectionId, Event, HostId, Role};

use super::metrics::MetricRow;

/// The figures of one host at one time, for the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub host: HostId,
    /// When, by our clock.
    pub at: Timestamp,
    /// What.
    pub values: MetricRow,
}

/// How long figures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Every sample. Defaults to 2 days.
    pub samples: std::time::Duration,
    /// Minimum, average and maximum over 5 minutes each. Defaults to 400 days, so that a year can be compared.
    pub averages: std::time::Duration,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self { samples: std::time::Duration::from_secs(2 * DAY), averages: std::time::Duration::from_secs(400 * DAY) }
    }
}

/// What one round of upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Rows of averages made.
    pub averaged: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Whether there is more to do: call again.
    pub more: bool,
}

/// A cluster as it was last seen, as its owner wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCluster {
    /// The connection of the cluster.
    pub connection: ConnectionId,
    /// When it was seen.
    pub at: Timestamp,
    /// The state as JSON.
    pub state: String,
}

/// An event with its place in the order.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Rises with each event; the cursor for the next page.
    pub number: i64,
    /// What happened.
    pub event: Event,
}

/// A person who can log in.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The name, unique.
    pub name: String,
    /// The password's argon2id hash, as a PHC string.
    pub password_hash: String,
    /// What the person may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("name", &self.name)
            .field("password_hash", &"[redacted]")
            .field("role", &self.role)
            .field("created_at", &self.created_at)
            .finish()
    }
}

/// The SHA-256 of a secret that was random to begin with: all that is kept of cookies and tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash([redacted])")
    }
}

/// A person's log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Hash of the cookie.
    pub hash: SecretHash,
    /// Whose.
    pub user: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A program's key to the HTTP interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The name, unique.
    pub name: String,
    /// Hash of the token.
    pub hash: SecretHash,
    /// What the program may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Something that somebody did or tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a user's name, `token:NAME`, `local:USER`.
    pub who: String,
    /// From where: an address, or `local`.
    pub from: String,
    /// What: `host add`, `exec`, `login`.
    pub what: String,
    /// On what: a host's name, a selector; empty where it concerns nothing in particular.
    pub on: String,
    /// What came of it: `ok`, or the kind of failure.
    pub outcome: String,
}

/// An audit entry with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Rises with each entry; the cursor for the next page.
    pub number: i64,
    /// What was done.
    pub entry: AuditEntry,
}

/// Who serves a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseHolder {
    /// Unique for each start of a server.
    pub id: String,
    /// Its process.
    pub pid: u32,
    /// The machine it runs on.
    pub host: String,
    /// Where it listens.
    pub address: String,
}

impl fmt::Display for LeaseHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}, listening on {}", self.pid, self.host, self.address)
    }
}
