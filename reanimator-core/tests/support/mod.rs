//! What several integration tests share.

pub mod password_server;
pub mod sshd;
