//! Collector of [`Sensors`].

use super::{Answers, Question};
use crate::model::facts::{Read, sensors::Sensors};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Sensors> {
    let _ = answers;
    Read::default()
}
