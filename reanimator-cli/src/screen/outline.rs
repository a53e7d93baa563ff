//! Facts of any shape for people: names with their values, lists of things as small tables, nothing that is not known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::words;

/// Things in a list shown side by side have at most so many columns; more are shown one under the other.
const MOST_COLUMNS: usize = 9;

/// What names a thing stands before what is said of it.
const FIRST: [&str; 12] = [
    "name",
    "id",
    "disk_name",
    "device",
    "slot",
    "chip",
    "label",
    "address",
    "package",
    "mount_point",
    "state",
    "status",
];

/// A column is cut at this many characters.
const WIDEST: usize = 48;

/// The value as indented lines.
pub(crate) fn outline(value: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(fields) = value {
        object(fields, "", 0, &mut text);
    }
    text
}

/// Whether there is nothing in it that is known.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.iter().all(is_empty),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The fields that are known: what names the thing first.
fn known(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut known: Vec<_> = fields.iter().filter(|(_, value)| !is_empty(value)).collect();
    known.sort_by_key(|(name, _)| place(name));
    known
}

fn object(fields: &Map<String, Value>, unit: &str, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let fields = known(fields);
    let width = fields.iter().filter(|(_, value)| inline(value).is_some()).map(|(name, _)| spoken(name).len()).max();
    for (name, value) in &fields {
        if let Some(line) = inline(value) {
            let width = width.unwrap_or(0);
            // What is kept by name under `cache_bytes` is in bytes.
            let unit = if unit.is_empty() { name.as_str() } else { unit };
            text.push_str(&format!("{indent}{:<width$}  {}\n", spoken(name), with_unit(unit, &line, value)));
        }
    }
    for (name, value) in fields {
        match value {
            Value::Object(inner) if inline(value).is_none() => {
                text.push_str(&format!("{indent}{}\n", spoken(name)));
                let unit = if name.ends_with("_bytes") { name.as_str() } else { "" };
                object(inner, unit, depth + 1, text);
            }
            Value::Array(items) if inline(value).is_none() && !items.is_empty() => {
                text.push_str(&format!("{indent}{}\n", spoken(name)));
                list(items, depth + 1, text);
            }
            _ => {}
        }
    }
}

fn list(items: &[Value], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let rows: Vec<BTreeMap<&str, String>> = items.iter().filter_map(row).collect();
    let mut names: Vec<&str> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(known).map(|(name, _)| name) {
        let filled = rows.iter().any(|row| row.get(name.as_str()).is_some_and(|cell| !cell.is_empty()));
        if filled && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if rows.len() < items.len() || names.len() > MOST_COLUMNS {
        for item in items {
            match item {
                Value::Object(fields) => {
                    object(fields, "", depth, text);
                    text.push('\n');
                }
                other => text.push_str(&format!("{indent}{}\n", inline(other).unwrap_or_default())),
            }
        }
        return;
    }
    let cell = |row: &BTreeMap<&str, String>, name: &str| row.get(name).cloned().unwrap_or_default();
    let widths: Vec<usize> = names
        .iter()
        .map(|name| {
            let cells = rows.iter().map(|row| cell(row, name).chars().count());
            cells.chain([spoken(name).chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        text.push_str(&format!("{indent}{}\n", padded.join("  ").trim_end()));
    };
    line(names.iter().map(|name| spoken(name).to_uppercase()).collect());
    for row in &rows {
        line(names.iter().map(|name| cell(row, name)).collect());
    }
}

/// A thing as one row, where all its values fit into cells.
fn row(item: &Value) -> Option<BTreeMap<&str, String>> {
    let fields = item.as_object()?;
    fields
        .iter()
        .map(|(name, value)| match value {
            Value::Null => Some((name.as_str(), String::new())),
            Value::Array(items) if items.is_empty() => Some((name.as_str(), String::new())),
            Value::Object(inner) if inner.is_empty() => Some((name.as_str(), String::new())),
            value => {
                let text = with_unit(name, &inline(value)?, value);
                let cut = if text.chars().count() > WIDEST {
                    text.chars().take(WIDEST - 1).chain(['…']).collect()
                } else {
                    text
                };
                Some((name.as_str(), cut))
            }
        })
        .collect()
}

/// The value in one line; `None` for what takes more, and for what is not known.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(truth) => Some(if *truth { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.parse::<Timestamp>().map_or_else(|_| text.clone(), words::moment)),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Array(_) => None,
                item => inline(item),
            })
            .collect::<Option<Vec<_>>>()
            .map(|words| words.join(", ")),
    }
}

/// A figure in the unit that its name says.
fn with_unit(name: &str, text: &str, value: &Value) -> String {
    let Some(number) = value.as_f64() else { return text.to_owned() };
    let unit = |suffix: &str| name == suffix.trim_start_matches('_') || name.ends_with(suffix);
    match name {
        _ if unit("mtu_bytes") => text.to_owned(),
        _ if unit("_bytes_per_second") => format!("{}/s", reanimator_core::model::Bytes(number.max(0.0) as u64)),
        _ if unit("_bytes") && number >= 0.0 => reanimator_core::model::Bytes(number as u64).to_string(),
        _ if unit("_seconds") => words::span(number),
        _ if unit("_percent") => format!("{number:.1} %"),
        _ if unit("_celsius") || unit("_c") => format!("{number:.1} °C"),
        _ if unit("_gb") => format!("{number} GiB"),
        _ if unit("_mb") => format!("{number} MiB"),
        _ => text.to_owned(),
    }
}

/// A field's name as people say it, without the unit that its value shows.
fn spoken(name: &str) -> String {
    let bare = ["_bytes_per_second", "_bytes", "_seconds", "_percent", "_celsius", "_gb", "_mb"]
        .iter()
        .find_map(|unit| name.strip_suffix(unit));
    bare.unwrap_or(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_read_as_an_outline_without_what_is_not_known() {
        let value = json!({
            "model": "Xeon", "total_bytes": 1_073_741_824u64, "board": null, "flags": ["aes", "vmx"], "none": [],
            "at": "2026-01-02T03:04:05.678901Z", "read_bytes_per_second": 2048.5,
            "bios": {"vendor": "ACME", "secure": true},
            "disks": [
                {"name": "sda", "size_bytes": 1024, "serial": null},
                {"name": "nvme0n1", "size_bytes": 2048, "serial": null}
            ]
        });
        assert_eq!(
            outline(&value),
            "at     2026-01-02 03:04:05Z\nflags  aes, vmx\nmodel  Xeon\nread   2.0 KiB/s\ntotal  1.0 GiB\nbios\n  secure  yes\n  vendor  ACME\ndisks\n  NAME     SIZE\n  \
             sda      1.0 KiB\n  nvme0n1  2.0 KiB\n"
        );
    }

    #[test]
    fn things_that_hold_more_are_shown_one_under_the_other() {
        let value = json!({"pools": [{"name": "tank", "disks": [{"name": "sda"}]}]});
        assert_eq!(outline(&value), "pools\n  name  tank\n  disks\n    NAME\n    sda\n\n");
    }
}
