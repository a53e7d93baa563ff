//! VMs and containers.

mod migrate;
mod moving;
mod place;
mod power;
mod remote_migrate;
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
    if let Some(migration) = migrate::Wanted::of(change) {
        return Ok(Box::new(migrate::MigrateEffect::new(fleet, id, migration).await?));
    }
    if let Some(migration) = remote_migrate::Wanted::of(change) {
        return Ok(Box::new(remote_migrate::RemoteMigrateEffect::new(fleet, id, migration).await?));
    }
    Err(super::not_yet(&Action::Guest { id: id.clone(), change: change.clone() }))
}
