//! What speaks against an action before it begins, asked in one place. No rule is known here yet.

use crate::{
    Result,
    fleet::Fleet,
    model::{Action, Objection},
};

/// What speaks against an action while others are in flight.
pub(crate) async fn objections(_fleet: &Fleet, _action: &Action, _in_flight: &[Action]) -> Result<Vec<Objection>> {
    Ok(Vec::new())
}
