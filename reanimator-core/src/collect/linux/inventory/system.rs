//! Collector of [`System`].

use super::{Answers, Question};
use crate::model::facts::{Read, system::System};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<System> {
    let _ = answers;
    Read::default()
}
