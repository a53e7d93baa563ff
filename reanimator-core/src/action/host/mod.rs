//! Hosts, and what runs on them.

mod job;
mod unit;

pub(super) use unit::UnitEffect;
