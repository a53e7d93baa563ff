//! How selectors are written, whatever they choose from: terms joined by commas or blanks each add, `a&b` takes what is both,
//! `!x` takes away.

use std::fmt;

use globset::{Glob, GlobMatcher};

use crate::{Error, Result};

/// The longest selector that is read.
const LENGTH_LIMIT: usize = 64 * 1024;

/// Makes the error of a text that is no selector, from the text and what is wrong with it.
pub(super) type Invalid = fn(&str, &str) -> Error;

/// The terms of a selector, with the conditions of its kind.
#[derive(Clone, Debug)]
pub(super) struct Terms<C>(Vec<Term<C>>);

/// Conditions that must all hold; what meets them is added or taken away.
#[derive(Clone, Debug)]
struct Term<C> {
    take_away: bool,
    conditions: Vec<C>,
}

impl<C> Terms<C> {
    /// What meets one condition.
    pub(super) fn one(condition: C) -> Self {
        Self(vec![Term { take_away: false, conditions: vec![condition] }])
    }

    pub(super) fn parse(text: &str, invalid: Invalid, condition: fn(&str) -> Result<C>) -> Result<Self> {
        if text.len() > LENGTH_LIMIT {
            return Err(invalid(text, "it is too long"));
        }
        let term = |term: &str| {
            let (take_away, rest) = term.strip_prefix('!').map_or((false, term), |rest| (true, rest));
            let conditions = rest.split('&').map(condition).collect::<Result<_>>()?;
            Ok(Term { take_away, conditions })
        };
        let terms = text.split([',', ' ', '\t', '\n']).filter(|term| !term.is_empty()).map(term);
        let terms: Vec<Term<C>> = terms.collect::<Result<_>>()?;
        match terms.is_empty() {
            true => Err(invalid(text, "it is empty")),
            false => Ok(Self(terms)),
        }
    }

    /// All conditions, in order.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &C> {
        self.0.iter().flat_map(|term| &term.conditions)
    }

    /// Whether something is meant of which each condition `holds` or not. Where all terms take away, all else is meant.
    pub(super) fn mean(&self, holds: impl Fn(&C) -> bool) -> bool {
        let start = self.0.iter().all(|term| term.take_away);
        self.0.iter().fold(start, |meant, term| match term.conditions.iter().all(&holds) {
            true => !term.take_away,
            false => meant,
        })
    }
}

impl<C: fmt::Display> fmt::Display for Terms<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let not = if term.take_away { "!" } else { "" };
            let conditions: Vec<String> = term.conditions.iter().map(ToString::to_string).collect();
            write!(f, "{comma}{not}{}", conditions.join("&"))?;
        }
        Ok(())
    }
}

/// A pattern such as `web*`.
pub(super) fn glob(text: &str, invalid: Invalid) -> Result<GlobMatcher> {
    Glob::new(text)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| invalid(text, "it is no pattern").from_source(error))
}
