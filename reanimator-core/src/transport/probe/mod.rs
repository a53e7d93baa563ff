//! Packets to who is no transport of ours: a machine that sleeps.

pub mod wake;
