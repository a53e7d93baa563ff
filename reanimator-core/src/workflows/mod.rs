//! What people want done, built from the rooms below and nothing else. Each workflow is a folder of its own.

pub mod alerts;
pub mod commands;
pub mod live;
pub mod maintenance;
pub mod notify;
pub mod operations;
pub mod shell;
pub mod update;
