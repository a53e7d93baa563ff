//! Plain records that the store keeps and that are no nouns of the fleet.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ConnectionId, Entity, Event, OperationId, Role};

use super::metrics::MetricRow;

/// The figures of one host, guest or storage at one time, for the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub entity: Entity,
    /// When, by our clock.
    pub at: Timestamp,
    /// What. A row of the same kind as the entity.
    pub values: MetricRow,
}

/// How long figures are kept, the coarser the longer. Each tier is made of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Every sample. Defaults to 24 hours.
    pub samples: Duration,
    /// Minimum, average and maximum over 1 minute each. Defaults to 7 days.
    pub minutes: Duration,
    /// The same over 15 minutes. Defaults to 90 days.
    pub quarters: Duration,
    /// The same over 6 hours. Defaults to 2 years.
    pub six_hours: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            samples: Duration::from_secs(DAY),
            minutes: Duration::from_secs(7 * DAY),
            quarters: Duration::from_secs(90 * DAY),
            six_hours: Duration::from_secs(2 * 365 * DAY),
        }
    }
}

/// How much room the data takes on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreSizes {
    /// Hosts, what is known of them, events, changes, people and the audit trail, with what is not yet merged into the
    /// file.
    pub database_bytes: u64,
    /// The history of figures, likewise.
    pub history_bytes: u64,
}

/// What one round of upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Samples packed.
    pub packed: u64,
    /// Points of coarser tiers made.
    pub averaged: u64,
    /// Chunks of points deleted: an hour or more of one series each.
    pub deleted: u64,
    /// Whether there is more to do: call again.
    pub more: bool,
}

/// A section of facts to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFacts {
    /// Of what: `host:ID`, `guest:ID`, `storage:ID`.
    pub entity: String,
    /// Which ones: `hardware`, `disks`.
    pub section: String,
    /// When they were seen.
    pub at: Timestamp,
    /// The facts as JSON.
    pub json: String,
}

/// A section of facts as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFacts {
    /// Of what.
    pub entity: String,
    /// Which ones.
    pub section: String,
    /// When they were seen.
    pub at: Timestamp,
    /// The facts as JSON.
    pub json: String,
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

/// Which entries of the audit trail are wanted. Texts are patterns: `*` stands for anything, and `!` before one takes all
/// but those that fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who.
    pub who: Option<String>,
    /// From where.
    pub from: Option<String>,
    /// What.
    pub what: Option<String>,
    /// On what.
    pub on: Option<String>,
    /// With what outcome.
    pub outcome: Option<String>,
    /// At that time or later.
    pub since: Option<Timestamp>,
    /// Before that time.
    pub until: Option<Timestamp>,
    /// With a smaller number than this, the newest first.
    pub before: Option<i64>,
    /// With a larger number than this, the oldest first.
    pub after: Option<i64>,
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

/// The right to carry out an operation, until another process has taken it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationHold {
    /// Which one.
    pub id: OperationId,
    /// The how-manieth owner this is.
    pub generation: i64,
}

/// What somebody wishes of an operation that another process may be carrying out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To stop before the next step.
    Cancel,
    /// To take back what was done.
    Undo,
}
