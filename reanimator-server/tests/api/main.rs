//! The service from outside: every route, every role, the live events, TLS.
#![allow(clippy::unwrap_used, missing_docs)]

mod backup;
mod common;
mod credentials;
mod dashboard;
mod fleet;
mod groups;
mod live;
mod operations;
mod roles;
mod scripts;
mod service;
mod session;
mod settings;
mod telemetry;
mod updates;
mod uploads;
mod windows;
