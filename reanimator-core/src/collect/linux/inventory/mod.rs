//! Slow facts of a Linux machine: what is asked, and what the answers mean.
//!
//! A collector is a pair: `questions()`, a few lines for a POSIX shell, and `parse(&Answers)`, a pure function from what
//! they said to facts and to what could not be seen. All questions that are due go to the host as one [`script`], in one
//! `exec`; one that fails, hangs or lacks its tool costs the others nothing.
//!
//! | collector | facts |
//! |---|---|
//! | [`hardware`] | CPU, memory modules, firmware, PCI, USB |
//! | [`sensors`] | temperatures, fans, power |
//! | [`disks`] | block devices, SMART, LVM, RAID, ZFS, btrfs |
//! | [`network`] | interfaces, routes, name servers |
//! | [`system`] | units, time, boots, sessions |
//! | [`updates`] | packages that could be newer |
//! | [`containers`] | Docker and Podman |
//! | [`listeners`] | sockets that wait for others, and whose they are |
//!
//! Questions hold no single quote, no backslash, no line break and no `!`, so that they survive any login shell as one
//! single-quoted word; a test holds them to it. They ask for JSON where the tool has it, and are read here, not there.

pub mod ask;
pub mod containers;
pub mod disks;
pub mod hardware;
pub mod listeners;
pub mod network;
pub mod sensors;
pub mod system;
pub mod updates;
pub(in crate::collect::linux) mod words;

pub use ask::{Answer, Answers, Question, script};
