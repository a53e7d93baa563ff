//! Collector of [`Hardware`].

use super::{Answers, Question};
use crate::model::facts::{Read, hardware::Hardware};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Hardware> {
    let _ = answers;
    Read::default()
}
