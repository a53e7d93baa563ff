//! Reading values from tools that write numbers now as numbers, now as text, and nothing as `null`, `""` or `-`.

use serde_json::Value;

use crate::model::units::Bytes;

/// The longest text that is kept.
const TEXT_LIMIT: usize = 256;

/// A text without control characters and blanks around it, cut to what a page can show; nothing where nothing is left.
pub(in super::super) fn clip(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(TEXT_LIMIT).collect();
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty() && text != "-")
}

/// A text, or a number as its digits.
pub(in super::super) fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => clip(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A finite number.
pub(in super::super) fn number(object: &Value, name: &str) -> Option<f64> {
    match object.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A count: a whole number that is not negative.
pub(in super::super) fn count(object: &Value, name: &str) -> Option<u64> {
    match object.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A count of bytes.
pub(super) fn bytes(object: &Value, name: &str) -> Option<Bytes> {
    count(object, name).map(Bytes)
}

/// A number from 0 to 100.
pub(super) fn percent(object: &Value, name: &str) -> Option<f64> {
    number(object, name).filter(|percent| (0.0..=100.0).contains(percent))
}

/// A boolean, also as 0 and 1.
pub(in super::super) fn flag(object: &Value, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_u64().and_then(|n| digit(&n.to_string())),
        Value::String(text) => digit(text),
        _ => None,
    }
}

/// `0` and `1`.
pub(in super::super) fn digit(text: &str) -> Option<bool> {
    match text.trim() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// A list; an empty one where there is none.
pub(in super::super) fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The JSON documents of a text, one after the other, up to the first that is none.
pub(super) fn documents(text: &str) -> impl Iterator<Item = Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok)
}
