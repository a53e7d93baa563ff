//! One file per resource; every handler converts, calls the core, and shows.
//!
//! A new resource is a new file with a `routes()` like its siblings', merged in [`crate::openapi::api`]. Each
//! handler starts with the role it needs, and its `#[utoipa::path]` says the same as `x-role`.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod credentials;
pub(crate) mod dashboard;
pub(crate) mod exec;
pub(crate) mod groups;
pub(crate) mod guests;
pub(crate) mod health;
pub(crate) mod hosts;
pub(crate) mod maintenance;
pub(crate) mod matches;
pub(crate) mod nodes;
pub(crate) mod operations;
pub(crate) mod proxmox;
pub(crate) mod scripts;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod storages;
pub(crate) mod telemetry;
pub(crate) mod tokens;
pub(crate) mod updates;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod windows;
