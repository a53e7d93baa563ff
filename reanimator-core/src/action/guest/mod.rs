//! VMs and containers.

mod backup;
mod clone;
mod delete;
mod disk;
mod migrate;
mod moving;
mod place;
mod power;
mod remote_migrate;
mod scale;
mod snapshot;
mod tag;
pub(super) mod task;

use super::Effect;
use crate::{
    Error, Result,
    fleet::Fleet,
    model::{Action, GuestChange, GuestId},
};

pub(super) use place::{Place, said};
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
    let action = || Action::Guest { id: id.clone(), change: change.clone() };
    Ok(match change {
        GuestChange::Scale { cores, memory_mib, balloon_mib } => {
            let wanted = scale::Sizes { cores: *cores, memory_mib: *memory_mib, balloon_mib: *balloon_mib };
            Box::new(scale::ScaleEffect::new(fleet, id, &action(), wanted).await?)
        }
        GuestChange::GrowDisk { disk, to_gib } => {
            Box::new(disk::GrowEffect::new(fleet, id, &action(), disk, *to_gib).await?)
        }
        GuestChange::Clone { .. } => Box::new(clone::CloneEffect::new(fleet, id, &action()).await?),
        GuestChange::BackUp { storage, mode, notes } => {
            Box::new(backup::BackupEffect::new(fleet, id, &action(), storage, *mode, notes).await?)
        }
        GuestChange::Tag { add, remove } => Box::new(tag::TagEffect::new(fleet, id, &action(), add, remove).await?),
        GuestChange::Delete { confirm, purge } => {
            Box::new(delete::DeleteEffect::new(fleet, id, confirm, *purge).await?)
        }
        GuestChange::Start
        | GuestChange::Stop
        | GuestChange::Shutdown { .. }
        | GuestChange::Reboot { .. }
        | GuestChange::Suspend
        | GuestChange::Resume
        | GuestChange::Migrate { .. }
        | GuestChange::RemoteMigrate { .. } => return Err(super::no_way(&action())),
    })
}

/// Whether a change was refused since the guest is not any more what was seen: another took the number of a clone, another
/// wrote the configuration.
pub(super) fn is_outdated(change: &GuestChange, error: &Error) -> bool {
    match change {
        GuestChange::Clone { vmid: None, .. } => clone::is_taken(error),
        GuestChange::Tag { .. } | GuestChange::Scale { .. } => tag::is_outdated(error),
        GuestChange::Start
        | GuestChange::Stop
        | GuestChange::Shutdown { .. }
        | GuestChange::Reboot { .. }
        | GuestChange::Suspend
        | GuestChange::Resume
        | GuestChange::Migrate { .. }
        | GuestChange::RemoteMigrate { .. }
        | GuestChange::GrowDisk { .. }
        | GuestChange::Clone { .. }
        | GuestChange::BackUp { .. }
        | GuestChange::Delete { .. } => false,
    }
}
