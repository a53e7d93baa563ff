//! Collector of [`Disks`].

use super::{Answers, Question};
use crate::model::facts::{Read, disks::Disks};

/// What is asked.
pub fn questions() -> Vec<Question> {
    Vec::new()
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Disks> {
    let _ = answers;
    Read::default()
}
