//! What rules look at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Forecast;
use crate::model::{
    AlertRule,
    attention::{Attention, AttentionKind},
};

/// A rule, and what it covers now.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    /// The rule.
    pub rule: &'a AlertRule,
    /// Which of the subjects it looks at, by their places.
    pub covers: Vec<usize>,
}

/// Something as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// What it is: `host:ID`, `guest:ID`, `storage:ID`, `cluster:ID`.
    pub entity: String,
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub presence: Presence,
    /// Its figures, those that were seen just now and no others.
    pub figures: BTreeMap<String, f64>,
    /// What needs somebody.
    pub troubles: Vec<Attention>,
    /// Kinds of trouble of which nobody knows now whether it has them: that none is told says nothing.
    pub unseen: BTreeSet<AttentionKind>,
    /// The ends of its certificates, however far ahead.
    pub certificates: Vec<Attention>,
    /// How full it will be, where that is known.
    pub forecast: Option<Forecast>,
}

/// Whether something answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Here,
    /// It does not.
    Away {
        /// When it last did, where that is known.
        since: Option<Timestamp>,
    },
    /// Nobody knows: nothing is said of it.
    Unknown,
    /// Somebody looks after it by hand: nothing is said of it.
    Maintenance,
}

impl Subject {
    /// Something that answers and of which nothing else is known.
    pub fn new(entity: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            entity: entity.into(),
            name: name.into(),
            presence: Presence::Here,
            figures: BTreeMap::new(),
            troubles: Vec::new(),
            unseen: BTreeSet::new(),
            certificates: Vec::new(),
            forecast: None,
        }
    }

    /// With a figure.
    #[must_use]
    pub fn with(mut self, metric: &str, value: f64) -> Self {
        self.figures.insert(metric.to_owned(), value);
        self
    }
}
