//! What a script is given: checked against its definition, and put into variables.

use std::collections::BTreeMap;

use super::{ParameterKind, Script, check};
use crate::{Error, ErrorKind, Result};

/// How much all values together may hold.
const MOST_BYTES: usize = 64 * 1024;

impl Script {
    /// Its environment, from what is given by the names of its parameters.
    ///
    /// # Errors
    /// `Invalid`, with everything that is missing, unknown or not as it must be.
    pub fn environment(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        let mut faults: Vec<String> = given
            .keys()
            .filter(|name| !self.parameters.iter().any(|parameter| parameter.name == **name))
            .map(|name| format!("it has no parameter {:?}", name.chars().take(40).collect::<String>()))
            .collect();
        let mut environment = BTreeMap::new();
        for parameter in &self.parameters {
            let value = given.get(&parameter.name).or(parameter.default.as_ref());
            if let Some(why) = value.and_then(|value| parameter.kind.refusal(value)) {
                faults.push(format!("{} {why}", parameter.name));
            }
            if value.is_none() && parameter.required {
                faults.push(format!("{} must be given", parameter.name));
            }
            environment.insert(parameter.variable(), value.cloned().unwrap_or_default());
        }
        if environment.values().map(String::len).sum::<usize>() > MOST_BYTES {
            faults.push(format!("it is given more than {MOST_BYTES} bytes"));
        }
        if faults.is_empty() {
            return Ok(environment);
        }
        faults.truncate(10);
        Err(Error::new(ErrorKind::Invalid, format!("run the script {}", self.name))
            .because(faults.join("; "))
            .next(format!("see `reanimator script show {}`", self.name)))
    }
}

impl ParameterKind {
    /// Why a value is not taken.
    pub(super) fn refusal(&self, value: &str) -> Option<String> {
        if value.contains('\0') {
            return Some("has a NUL in it".into());
        }
        match self {
            Self::Text { max_length, pattern } => {
                if value.chars().count() > usize::try_from(*max_length).unwrap_or(usize::MAX) {
                    return Some(format!("has more than {max_length} characters"));
                }
                let pattern = pattern.as_ref()?;
                let matches = check::whole(pattern).is_ok_and(|whole| whole.is_match(value));
                (!matches).then(|| format!("is not as {pattern} says"))
            }
            Self::Integer { min, max } => match plain_number(value) {
                None => Some("is no whole number".into()),
                Some(number) if min.is_some_and(|min| number < min) => {
                    Some(format!("is below {}", min.unwrap_or_default()))
                }
                Some(number) if max.is_some_and(|max| number > max) => {
                    Some(format!("is above {}", max.unwrap_or_default()))
                }
                Some(_) => None,
            },
            Self::Choice { values } => {
                (!values.iter().any(|known| known == value)).then(|| format!("is none of {}", values.join(", ")))
            }
            Self::Boolean => (!matches!(value, "true" | "false")).then(|| "is neither true nor false".into()),
        }
    }
}

/// A number as it is written by everybody: no `+`, no blank, no leading zero, which a shell would take for octal.
fn plain_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
