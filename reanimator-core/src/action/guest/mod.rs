//! VMs and containers.

mod place;
mod power;
mod snapshot;
pub(super) mod task;

use super::Effect;
use crate::{
    Result,
    fleet::Fleet,
    model::{Action, GuestChange, GuestId},
};

pub(super) use place::said;
pub(super) use snapshot::{SnapshotEffect, Wanted};

/// The effect of a change of one guest.
pub(super) async fn effect(fleet: &Fleet, id: &GuestId, change: &GuestChange) -> Result<Box<dyn Effect>> {
    if let Some(power) = power::Power::of(change) {
        return Ok(Box::new(power::PowerEffect::new(fleet, id, power).await?));
    }
    Err(super::not_yet(&Action::Guest { id: id.clone(), change: change.clone() }))
}
