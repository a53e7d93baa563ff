//! Reanimator reaches hosts, sees their state, decides on a plan and acts on it.

pub mod access;
pub mod clock;
pub mod collect;
pub mod error;
pub mod fleet;
pub mod host;
pub mod model;
pub mod store;
pub mod transport;
pub mod workflows;

pub use error::{Error, ErrorKind, Fingerprint, Result, message, report};
pub use fleet::{Fleet, FleetOptions};
