//! Collector of [`Network`].
//!
//! `ip -j -d addr` gives interfaces with their kinds and addresses; `/sys/class/net` adds speed, duplex and driver, and
//! stands in for the kinds where `ip` knows no JSON (iproute2 before 4.13, busybox): addresses are then read from text.
//! Routes are asked for as text everywhere, because lines can be counted on the host: a router may have a million.

mod interfaces;
mod routes;
mod sysfs;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests;

use super::{Answers, Question, disks::plain};
use crate::model::facts::{Read, network::Network};

/// What is asked.
pub fn questions() -> Vec<Question> {
    vec![interfaces::question(), sysfs::question(), routes::question(), routes::names_question()]
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Network> {
    let mut unseen = Vec::new();
    let mut facts = Network { interfaces: interfaces::parse(answers, &mut unseen), ..Network::default() };
    facts.routes = routes::parse(answers, &mut unseen);
    routes::parse_names(answers, &mut facts, &mut unseen);
    Read { facts, unseen }
}
