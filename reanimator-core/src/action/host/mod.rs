//! Hosts, and what runs on them.

mod compose;
mod container;
mod container_update;
mod engine;
mod job;
mod unit;

pub(super) use compose::ComposeEffect;
pub(super) use container::ContainerEffect;
pub(super) use unit::UnitEffect;
