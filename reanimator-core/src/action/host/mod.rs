//! Hosts, and what runs on them.

mod job;
mod script;
mod unit;

pub(super) use script::{Asked, ScriptEffect};
pub(super) use unit::UnitEffect;
