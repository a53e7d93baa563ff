//! What people want done, built from the rooms below and nothing else. Each workflow is a folder of its own.

pub mod live;
pub mod maintenance;
pub mod operations;
pub mod update;
