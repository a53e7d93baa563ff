//! What somebody has protected: it is neither disrupted nor destroyed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whoever bears this tag is protected, as if by hand.
pub const PROTECTED_TAG: &str = "protected";

/// A guest or host that is protected by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Protection {
    /// What is protected, as [`Action::thing`](super::Action::thing) names it: `guest:c1:101`, `host:ID`.
    pub thing: String,
    /// Why, for people.
    pub reason: String,
    /// Who protected it; a tag where it is protected by one.
    pub by: String,
    /// Since when; none where it is protected by a tag.
    pub since: Option<Timestamp>,
}

/// For people, of something that stands before it: `mail` + ` is protected by ada: the mail of everyone`.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is protected by {}", self.by)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}
