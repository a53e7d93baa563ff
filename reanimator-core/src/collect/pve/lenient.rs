//! Reading what Perl writes: numbers as text, booleans as 0 and 1, nothing as `null`, `""` or not there at all.

use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result};

/// The fields of one object. Each is read as what is wanted, and is `None` when it cannot be.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of `value`, if it is an object.
    pub fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// The field as it is; `null` is none.
    pub fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty; a number as its digits.
    pub fn text(self, name: &str) -> Option<String> {
        text(self.value(name)?)
    }

    /// A finite number, as number or as text.
    pub fn number(self, name: &str) -> Option<f64> {
        number(self.value(name)?)
    }

    /// A count of something: a number that is not negative, rounded.
    pub fn count(self, name: &str) -> Option<u64> {
        count(self.value(name)?)
    }

    /// A boolean, as `true`, 1, "1", "yes" or "on" and their opposites.
    pub fn flag(self, name: &str) -> Option<bool> {
        flag(self.value(name)?)
    }

    /// The fields of an object within.
    pub fn object(self, name: &str) -> Option<Self> {
        Self::of(self.value(name)?)
    }

    /// The elements of a list within.
    pub fn list(self, name: &str) -> &'a [Value] {
        self.value(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// All fields that are not `null`, by name.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value))
    }
}

/// The rows of a list; `null` is an empty one. What is no object in it is left out.
///
/// # Errors
/// [`ErrorKind::Protocol`] when it is no list.
pub fn rows<'a>(data: &'a Value, what: &str) -> Result<Vec<Fields<'a>>> {
    match data {
        Value::Null => Ok(Vec::new()),
        Value::Array(rows) => Ok(rows.iter().filter_map(Fields::of).collect()),
        other => Err(unexpected(other, what, "a list")),
    }
}

/// The fields of an answer that is one object.
///
/// # Errors
/// [`ErrorKind::Protocol`] when it is none.
pub fn object<'a>(data: &'a Value, what: &str) -> Result<Fields<'a>> {
    Fields::of(data).ok_or_else(|| unexpected(data, what, "an object"))
}

fn unexpected(data: &Value, what: &str, wanted: &str) -> Error {
    let kind = match data {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::new(ErrorKind::Protocol, format!("read {what}")).because(format!("it is {kind} where {wanted} was expected"))
}

/// See [`Fields::text`].
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// See [`Fields::number`].
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// See [`Fields::count`].
pub fn count(value: &Value) -> Option<u64> {
    let whole = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within the range just before")]
    let rounded = || number(value).filter(|n| (0.0..1.8e19).contains(n)).map(|n| n.round() as u64);
    whole.or_else(rounded)
}

/// See [`Fields::flag`].
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thing_is_read_whichever_way_it_is_written() {
        let data = json!({"a": 1, "b": "1", "c": true, "d": "", "e": null, "f": "1.98", "g": "NaN", "h": -3, "i": [], "j": "on", "k": 2.6});
        let fields = Fields::of(&data).unwrap();
        assert_eq!(
            ["a", "b", "c", "d", "e", "x", "j"].map(|name| fields.flag(name)),
            [Some(true), Some(true), Some(true), None, None, None, Some(true)]
        );
        assert_eq!(
            ["a", "b", "d", "f", "g", "i"].map(|name| fields.number(name)),
            [Some(1.0), Some(1.0), None, Some(1.98), None, None]
        );
        assert_eq!(["a", "b", "h", "k", "g"].map(|name| fields.count(name)), [Some(1), Some(1), None, Some(3), None]);
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|name| fields.text(name)),
            [Some("1".to_owned()), Some("1".to_owned()), None, None, None]
        );
    }

    #[test]
    fn an_answer_of_another_shape_says_what_it_is() {
        let error = rows(&json!("<html>"), "the cluster's resources").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(error.to_string(), "could not read the cluster's resources: it is a text where a list was expected");
        assert_eq!(rows(&Value::Null, "x").unwrap().len(), 0);
        assert_eq!(rows(&json!([1, null, {"a": 1}, "x"]), "x").unwrap().len(), 1);
    }
}
