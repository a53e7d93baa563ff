//! Commands to send, and pure parsers of what comes back. Knows no host.
//!
//! Each collector is a pair: a text for a shell or a path of an API, and a function from the answer to facts. Nothing
//! here waits, opens or remembers anything, so each parser is tested against a recording.

pub mod linux;
pub mod pve;
