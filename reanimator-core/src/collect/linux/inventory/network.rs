//! Collector of [`Network`].

use super::{Answers, Question};
use crate::model::facts::{Read, network::Network};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Network> {
    let _ = answers;
    Read::default()
}
