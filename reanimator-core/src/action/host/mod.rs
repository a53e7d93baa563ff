//! Hosts, and what runs on them.

mod unit;

pub(super) use unit::UnitEffect;
