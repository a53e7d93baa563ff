//! Collector of [`Updates`].

use super::{Answers, Question};
use crate::model::facts::{Read, updates::Updates};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Updates> {
    let _ = answers;
    Read::default()
}
