//! Hosts, and what runs on them.

mod answer;
mod compose;
mod container;
mod container_update;
mod engine;
pub(super) mod job;
mod maintenance;
mod power;
mod script;
mod unit;
mod wake;

use super::{Effect, EffectName};
use crate::{
    Result,
    fleet::Fleet,
    model::{HostChange, HostId},
};

pub(super) use compose::ComposeEffect;
pub(super) use container::ContainerEffect;
pub(crate) use maintenance::is_ha_told;
pub(super) use script::{Asked, ScriptEffect};
pub(super) use unit::UnitEffect;

/// The effect of a change of a host as a whole.
pub(super) async fn effect(
    fleet: &Fleet,
    id: &HostId,
    change: &HostChange,
    name: &EffectName,
) -> Result<Box<dyn Effect>> {
    Ok(match change {
        HostChange::Shutdown => Box::new(power::PowerEffect::new(fleet, id, power::Power::Shutdown, name).await?),
        HostChange::Reboot => Box::new(power::PowerEffect::new(fleet, id, power::Power::Reboot, name).await?),
        HostChange::Suspend => Box::new(power::PowerEffect::new(fleet, id, power::Power::Suspend, name).await?),
        HostChange::Wake { through } => Box::new(wake::WakeEffect::new(fleet, id, through.as_ref(), name).await?),
        HostChange::EnterMaintenance => Box::new(maintenance::MaintenanceEffect::new(fleet, id, true).await?),
        HostChange::LeaveMaintenance => Box::new(maintenance::MaintenanceEffect::new(fleet, id, false).await?),
    })
}
