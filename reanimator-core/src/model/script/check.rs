//! Whether a definition makes sense.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use super::{Parameter, ParameterKind, Script};
use crate::{Error, ErrorKind, Result};

/// How long a body may be.
const LONGEST_BODY: usize = 64 * 1024;
/// Parameters that a script may have, and characters of one of them.
const MOST_PARAMETERS: usize = 50;
const LONGEST_TEXT: u32 = 20_000;
/// How long a script may run: a week.
const LONGEST_RUN: u32 = 7 * 24 * 60 * 60;
/// How much of what it writes may be kept.
const MOST_OUTPUT: u32 = 8 << 20;
/// How much a compiled pattern may take.
const PATTERN_SIZE: usize = 256 * 1024;

/// Variables that change what the interpreter is or does, rather than what it is given.
const KEPT_FREE: [&str; 12] = [
    "PATH",
    "HOME",
    "IFS",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "UID",
    "EUID",
    "PPID",
    "GROUPS",
    "REANIMATOR_BODY",
];

impl Script {
    /// Refuses a definition that makes no sense.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong with it.
    pub fn check(&self) -> Result<()> {
        self.faults().map_or(Ok(()), |cause| {
            let name: String = self.name.chars().take(60).collect();
            Err(Error::new(ErrorKind::Invalid, format!("define the script {name:?}")).because(cause))
        })
    }

    fn faults(&self) -> Option<String> {
        if !is_name(&self.name, 60) {
            return Some("its name may hold letters, digits, - and _, begins with a letter, and has up to 60".into());
        }
        if self.body.trim().is_empty() || self.body.len() > LONGEST_BODY {
            return Some(format!("its text has {} bytes, and 1 to {LONGEST_BODY} are possible", self.body.len()));
        }
        if self.body.contains('\0') || self.interpreter.iter().any(|word| word.contains('\0')) {
            return Some("a NUL is in it".into());
        }
        if self.interpreter.is_empty() || !self.interpreter[0].starts_with('/') || self.interpreter.len() > 10 {
            return Some("its interpreter is a path, such as /bin/sh, and up to 9 arguments".into());
        }
        if self.description.chars().count() > 2_000 || self.users.len() > 200 || self.hosts.len() > 2_000 {
            return Some("its description, its list of users or its selector of hosts is too long".into());
        }
        if let Some(user) = self.user.as_ref().filter(|user| !is_user(user)) {
            return Some(format!("{user:?} is no name of a user"));
        }
        self.limits().or_else(|| self.parameter_faults())
    }

    fn limits(&self) -> Option<String> {
        if !(1..=LONGEST_RUN).contains(&self.limit_seconds) {
            return Some(format!("limit_seconds is {}, and 1 to {LONGEST_RUN} are possible", self.limit_seconds));
        }
        if !(512..=MOST_OUTPUT).contains(&self.output_bytes) {
            return Some(format!("output_bytes is {}, and 512 to {MOST_OUTPUT} are possible", self.output_bytes));
        }
        if self.memory_mb.is_some_and(|memory| memory < 8) {
            return Some("memory_mb is below 8, with which no shell starts".into());
        }
        (self.tasks == Some(0)).then(|| "tasks is 0, with which nothing starts".into())
    }

    fn parameter_faults(&self) -> Option<String> {
        if self.parameters.len() > MOST_PARAMETERS {
            return Some(format!("it has more than {MOST_PARAMETERS} parameters"));
        }
        let (mut names, mut variables) = (BTreeSet::new(), BTreeSet::new());
        self.parameters.iter().find_map(|parameter| {
            let fault = if !names.insert(&parameter.name) || !variables.insert(parameter.variable()) {
                Some("it or its variable is there twice".to_owned())
            } else {
                parameter.fault()
            };
            fault.map(|fault| format!("its parameter {:?}: {fault}", parameter.name))
        })
    }
}

impl Parameter {
    fn fault(&self) -> Option<String> {
        if !is_name(&self.name, 40) {
            return Some("its name may hold letters, digits, - and _, begins with a letter, and has up to 40".into());
        }
        let variable = self.variable();
        let plain = variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || !variable.starts_with(|c: char| c.is_ascii_alphabetic()) || variable.len() > 80 {
            return Some(format!("{variable:?} cannot be the name of a variable"));
        }
        if KEPT_FREE.contains(&variable.as_str()) || variable.starts_with("LD_") {
            return Some(format!("{variable} says how programs run, and is not given by people"));
        }
        if self.required && self.default.is_some() {
            return Some("it is required and has a default".into());
        }
        if self.secret && self.default.is_some() {
            return Some("it is a secret and has a default, which everybody may read".into());
        }
        if let Some(fault) = self.kind.fault() {
            return Some(fault);
        }
        let default = self.default.as_ref()?;
        self.kind.refusal(default).map(|why| format!("its default {why}"))
    }
}

impl ParameterKind {
    fn fault(&self) -> Option<String> {
        match self {
            Self::Text { max_length, pattern } => {
                if !(1..=LONGEST_TEXT).contains(max_length) {
                    return Some(format!("max_length is {max_length}, and 1 to {LONGEST_TEXT} are possible"));
                }
                let pattern = whole(pattern.as_ref()?);
                pattern.err().map(|error| format!("its pattern is no regular expression: {error}"))
            }
            Self::Integer { min: Some(min), max: Some(max) } if min > max => {
                Some(format!("no number is from {min} to {max}"))
            }
            Self::Choice { values } if values.is_empty() || values.len() > 500 => {
                Some("a choice has 1 to 500 values".into())
            }
            Self::Choice { values } if values.iter().any(|value| value.contains('\0') || value.len() > 1_000) => {
                Some("a value of the choice is too long or has a NUL in it".into())
            }
            Self::Integer { .. } | Self::Choice { .. } | Self::Boolean => None,
        }
    }
}

/// A pattern that the whole text must match.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    // By itself first: `a)|(b` would be well within the brackets.
    RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build()?;
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(PATTERN_SIZE).build()
}

fn is_name(name: &str, longest: usize) -> bool {
    name.len() <= longest
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_user(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
