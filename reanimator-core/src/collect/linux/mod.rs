//! Linux: what `/proc`, `/sys` and `df` say.
//!
//! | collector | asks | gives |
//! |---|---|---|
//! | [`watch`] | one line to a shell that stays | a [`watch::Sample`] of counters, every 10 s |
//! | [`identity`] | one command | who the machine is, every 15 min |
//! | [`file_systems`] | `/proc/self/mounts`, then `df` | room and inodes, every minute |
//! | [`inventory`] | one script of many questions | hardware, disks, units, updates and more, every minute or quarter of an hour |
//! | [`job`] | a script to start work that goes on by itself | how it stands, and what it wrote |
//! | [`engine`] | container engines and Compose, just before something is done | one container or project as it is, and what changes it |
//! | [`packages`] | a script that knows all package managers, just before something is done | what is pending, what changes it, what changed |
//!
//! [`rates`] makes [`Telemetry`](crate::model::Telemetry) out of two samples.

pub mod engine;
pub mod file_systems;
pub mod identity;
pub mod inventory;
pub mod job;
pub mod packages;
pub mod rates;
pub mod vitals;
pub mod watch;
