//! Checks parameters against the facts, in the wording of the real API.
//!
//! Called for every request after the permission check and before the handler.
//! It refuses what the real API refuses: unknown and missing parameters, wrong
//! types, values outside an enumeration, a pattern, a length or a range, and
//! property strings such as `net0=virtio,bridge=vmbr0` with parts that do not
//! fit. Named formats are in [`formats`](crate::formats).

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json::{Map, Value};

use crate::facts::Method;
use crate::formats;
use crate::params::{Params, plain};
use crate::refusal::Refusal;

/// Paths whose facts list no parameters although the API takes some; what the
/// documentation names is not checked here but by the handler.
const OPEN: [&str; 2] = ["/cluster/ha/rules", "/cluster/ha/rules/{rule}"];

const NOT_IN_SCHEMA: &str = "property is not defined in schema and the schema does not allow additional properties";
const MISSING: &str = "property is missing and it is not optional";

type Errors = BTreeMap<String, String>;

/// Checks a call's parameters.
///
/// # Errors
/// Status 400 with a text for each parameter that does not fit.
pub(crate) fn check(template: &str, method: &Method, params: &Params) -> Result<(), Refusal> {
    let mut errors = Errors::new();
    let values: BTreeMap<String, Value> = params.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let open = OPEN.contains(&template) && method.parameters.len() <= 1;
    check_object("", &method.parameters, &values, open, &mut errors);
    if errors.is_empty() { Ok(()) } else { Err(Refusal::parameters(errors)) }
}

/// The schema for a name: its own, or that of its family (`net[n]` for `net0`).
fn schema_for<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    schema.get(name).or_else(|| {
        let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        (stem.len() < name.len()).then(|| schema.get(&format!("{stem}[n]")))?
    })
}

fn check_object(
    path: &str,
    schema: &Map<String, Value>,
    values: &BTreeMap<String, Value>,
    open: bool,
    errors: &mut Errors,
) {
    for (name, property) in schema {
        if !name.ends_with("[n]") {
            check_property(values.get(name), property, &joined(path, name), errors);
        }
    }
    for (name, value) in values {
        let Some(property) = schema_for(schema, name) else {
            if !open {
                add(errors, &joined(path, name), NOT_IN_SCHEMA);
            }
            continue;
        };
        if !schema.contains_key(name) {
            check_property(Some(value), property, &joined(path, name), errors);
        }
        if let Some(needed) = property.get("requires").and_then(Value::as_str)
            && !values.contains_key(needed)
        {
            let text = format!("missing property - '{}' requires this property", joined(path, name));
            add(errors, &joined(path, needed), &text);
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn add(errors: &mut Errors, path: &str, text: &str) {
    errors
        .entry(path.to_owned())
        .and_modify(|before| {
            before.push_str("\\n");
            before.push_str(text);
        })
        .or_insert_with(|| text.to_owned());
}

fn check_property(value: Option<&Value>, schema: &Value, path: &str, errors: &mut Errors) {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        if !truthy(schema.get("optional")) && schema.get("alias").is_none() {
            add(errors, path, MISSING);
        }
        return;
    };
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
    if let Err(text) = check_type(kind, value) {
        add(errors, path, &text);
        return;
    }
    if let Value::Array(list) = value {
        if let Some(items) = schema.get("items") {
            for (index, item) in list.iter().enumerate() {
                check_property(Some(item), items, &format!("{path}[{index}]"), errors);
            }
        }
        return;
    }
    if let Err(text) = check_text(&plain(value), schema, path) {
        add(errors, path, &text);
    }
}

fn truthy(value: Option<&Value>) -> bool {
    value.is_some_and(|value| plain(value) == "1")
}

fn check_type(kind: &str, value: &Value) -> Result<(), String> {
    let is_list = matches!(value, Value::Array(_) | Value::Object(_));
    let text = plain(value);
    let fits = match kind {
        "array" => {
            return if value.is_array() { Ok(()) } else { Err(format!("type check ('{kind}') failed")) };
        }
        "object" => {
            return if value.is_object() { Ok(()) } else { Err(format!("type check ('{kind}') failed")) };
        }
        _ if is_list => return Err(format!("type check ('{kind}') failed - got ARRAY")),
        "boolean" => text == "0" || text == "1",
        "integer" => is_integer(&text),
        "number" => is_number(&text),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("type check ('{kind}') failed - got '{text}'")) }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn check_text(text: &str, schema: &Value, path: &str) -> Result<(), String> {
    match schema.get("format") {
        Some(Value::String(name)) => {
            formats::check(name, text).map_err(|why| format!("invalid format - {why}\n"))?;
        }
        Some(Value::Object(parts)) => {
            check_property_string(text, parts, path).map_err(|why| format!("invalid format - {why}\n"))?;
        }
        _ => {}
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && !matches(pattern, text)
    {
        return Err("value does not match the regex pattern".to_owned());
    }
    let length = text.chars().count() as f64;
    if let Some(most) = limit(schema, "maxLength").filter(|most| length > *most) {
        return Err(format!("value may only be {most} characters long"));
    }
    if let Some(least) = limit(schema, "minLength").filter(|least| length < *least) {
        return Err(format!("value must be at least {least} characters long"));
    }
    if is_number(text) {
        let number: f64 = text.parse().unwrap_or_default();
        if let Some(most) = limit(schema, "maximum").filter(|most| number > *most) {
            return Err(format!("value must have a maximum value of {most}"));
        }
        if let Some(least) = limit(schema, "minimum").filter(|least| number < *least) {
            return Err(format!("value must have a minimum value of {least}"));
        }
    }
    match schema.get("enum").and_then(Value::as_array) {
        Some(allowed) if !allowed.iter().any(|entry| plain(entry) == text) => {
            let names: Vec<String> = allowed.iter().map(plain).collect();
            Err(format!("value '{text}' does not have a value in the enumeration '{}'", names.join(", ")))
        }
        _ => Ok(()),
    }
}

fn limit(schema: &Value, name: &str) -> Option<f64> {
    schema.get(name).and_then(|value| plain(value).parse().ok())
}

/// Whether a whole text matches a pattern. One that this regex engine does not
/// know (a few use Perl's own means) passes everything.
fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled
        .entry(pattern.to_owned())
        .or_insert_with(|| {
            let plain = pattern.replace("(?^i:", "(?i:").replace("(?^u:", "(?:").replace("(?^:", "(?:");
            Regex::new(&format!("^(?:{plain})$")).ok()
        })
        .as_ref()
        .is_none_or(|regex| regex.is_match(text))
}

/// Reads `key=value,key=value` against the schema of its parts.
fn check_property_string(text: &str, parts: &Map<String, Value>, path: &str) -> Result<(), String> {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    let mut default_used = false;
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        match part.split_once('=') {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                put_part(&mut values, parts, key, value)?;
            }
            Some(_) => return Err("missing key in comma-separated list property".to_owned()),
            None => {
                let key = parts
                    .iter()
                    .find(|(_, schema)| truthy(schema.get("default_key")))
                    .map(|(key, _)| key.clone())
                    .ok_or("value without key, but schema does not define a default key")?;
                if default_used || values.contains_key(&key) {
                    return Err(format!("duplicate key in comma-separated list property: {key}"));
                }
                default_used = true;
                values.insert(key, Value::from(part));
            }
        }
    }
    let mut errors = Errors::new();
    check_object(path, parts, &values, false, &mut errors);
    if errors.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = errors.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    Err(format!("format error\n{}", lines.join("\n")))
}

fn put_part(
    values: &mut BTreeMap<String, Value>,
    parts: &Map<String, Value>,
    key: &str,
    value: &str,
) -> Result<(), String> {
    if values.contains_key(key) {
        return Err(format!("duplicate key in comma-separated list property: {key}"));
    }
    let mut key = key.to_owned();
    let mut schema = schema_for(parts, &key);
    if let Some(alias) = schema.and_then(|schema| schema.get("alias")).map(plain) {
        if let Some(also) = schema.and_then(|schema| schema.get("keyAlias")).map(plain) {
            if values.contains_key(&also) {
                return Err(format!("key alias '{also}' is already defined"));
            }
            values.insert(also, Value::from(key.as_str()));
        }
        schema = parts.get(&alias);
        key = alias;
    }
    let Some(schema) = schema else {
        return Err(format!("invalid key in comma-separated list property: {key}"));
    };
    let boolean = schema.get("type").and_then(Value::as_str) == Some("boolean");
    let value = match value.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" if boolean => "1",
        "0" | "off" | "no" | "false" if boolean => "0",
        _ => value,
    };
    values.insert(key, Value::from(value));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::facts::facts;

    fn errors(method: &str, path: &str, form: &str) -> Value {
        let path: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let found = facts().find(method, &path).unwrap();
        let mut params = Params::from_form(form);
        for (name, value) in found.params.iter() {
            params.set(name, value.clone());
        }
        match check(found.template, found.method, &params) {
            Ok(()) => Value::Null,
            Err(refusal) => refusal.body.unwrap()["errors"].clone(),
        }
    }

    #[test]
    fn the_recorded_refusal_of_a_bad_create() {
        let got = errors("POST", "/nodes/pve1/qemu", "vmid=abc&memory=x&bogus=1");
        let recorded: Value = serde_json::from_str(include_str!("../recordings/err_param_verify.json")).unwrap();
        assert_eq!(got, recorded["body"]["errors"]);
    }

    #[test]
    fn a_good_create_passes() {
        let form = "vmid=9000&name=tmpl-debian12&memory=1024&cores=2&cpu=x86-64-v2-AES\
            &ostype=l26&scsi0=local%3A1%2Cformat%3Dqcow2&scsihw=virtio-scsi-single\
            &ide2=none%2Cmedia%3Dcdrom&net0=virtio%2Cbridge%3Dvmbr0&serial0=socket\
            &vga=serial0&tags=template&kvm=0";
        assert_eq!(errors("POST", "/nodes/pve1/qemu", form), Value::Null);
    }

    #[test]
    fn ranges_enumerations_and_missing_ones_are_refused() {
        assert_eq!(
            errors("GET", "/cluster/resources", "type=host"),
            serde_json::json!({"type": "value 'host' does not have a value in the enumeration 'vm, storage, node, sdn'"})
        );
        assert_eq!(errors("POST", "/nodes/pve1/status", ""), serde_json::json!({"command": MISSING}));
        assert_eq!(
            errors("GET", "/nodes/pve1/qemu/7/config", "")["vmid"],
            "invalid format - value does not look like a valid VM ID\n"
        );
        let low = errors("PUT", "/nodes/pve1/qemu/100/config", "memory=8");
        assert_eq!(
            low["memory"],
            "invalid format - format error\nmemory.current: value must have a minimum value of 16\n"
        );
        assert_eq!(
            errors("GET", "/nodes/pve1/tasks", "errors=maybe")["errors"],
            "type check ('boolean') failed - got 'maybe'"
        );
    }

    #[test]
    fn property_strings_know_their_keys() {
        let bad = errors("PUT", "/nodes/pve1/qemu/100/config", "net0=virtio%2Cbrigde%3Dvmbr0");
        assert_eq!(bad["net0"], "invalid format - invalid key in comma-separated list property: brigde\n");
        let mac = "net0=virtio%3DBC%3A24%3A11%3A98%3AF3%3A13%2Cbridge%3Dvmbr0";
        assert_eq!(errors("PUT", "/nodes/pve1/qemu/100/config", mac), Value::Null);
    }
}
