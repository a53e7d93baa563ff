//! A notice on its way to one target, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::notice::Notice;

/// A notice for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Rises with each one; the cursor for the next page.
    #[serde(default)]
    pub number: i64,
    /// For which target.
    pub target: String,
    /// What is told.
    pub notice: Notice,
    /// How far it got.
    pub state: DeliveryState,
    /// When it was given to the target.
    pub queued_at: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// When it was first tried.
    #[serde(default)]
    pub first_try_at: Option<Timestamp>,
    /// Before when it is not tried again.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// When it was sent, given up or dropped.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// What went wrong last, or why it was dropped.
    #[serde(default)]
    pub note: Option<String>,
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is gathered, waits for the end of quiet hours, or is tried again later.
    Waiting,
    /// It was taken by the target, maybe in one message with others.
    Sent,
    /// It was given up.
    Failed,
    /// It was not needed: something newer about the same matter took its place, or it was over before it was told.
    Dropped,
}

/// Which deliveries are wanted; the newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryFilter {
    /// Only for this target.
    pub target: Option<String>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those before this one, for the next page.
    pub before: Option<i64>,
    /// At most so many. Defaults to 0; the store gives at most 1,000.
    pub limit: u32,
}

impl DeliveryState {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl Delivery {
    /// A notice that was just given to a target. It has no number yet.
    pub fn new(target: impl Into<String>, notice: Notice, now: Timestamp) -> Self {
        Self {
            number: 0,
            target: target.into(),
            notice,
            state: DeliveryState::Waiting,
            queued_at: now,
            tries: 0,
            first_try_at: None,
            next_try_at: None,
            ended_at: None,
            note: None,
        }
    }

    /// The same, over.
    #[must_use]
    pub fn ended(self, state: DeliveryState, note: Option<String>, now: Timestamp) -> Self {
        Self { state, note, next_try_at: None, ended_at: Some(now), ..self }
    }
}
