#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::ErrorKind;

fn script() -> Script {
    serde_json::from_value(json!({
        "name": "grow", "body": "true\n",
        "parameters": [
            { "name": "path", "type": "text", "required": true, "max_length": 40, "pattern": "/srv/[a-z/]+" },
            { "name": "size-gb", "type": "integer", "min": 1, "max": 100, "default": "5" },
            { "name": "how", "type": "choice", "values": ["fast", "it's slow"], "variable": "HOW" },
            { "name": "force", "type": "boolean" },
            { "name": "note", "type": "text" },
        ],
    }))
    .unwrap()
}

fn given(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_is_given_comes_into_variables_as_it_is() {
    let hostile = "'\"\\ $(reboot) `id`; rm -rf /\n\u{1F480}";
    let values = given(&[("path", "/srv/data"), ("how", "it's slow"), ("note", hostile)]);
    let environment = script().environment(&values).unwrap();
    assert_eq!(environment["REANIMATOR_PARAM_PATH"], "/srv/data");
    assert_eq!(environment["REANIMATOR_PARAM_SIZE_GB"], "5");
    assert_eq!(environment["HOW"], "it's slow");
    assert_eq!(environment["REANIMATOR_PARAM_FORCE"], "");
    assert_eq!(environment["REANIMATOR_PARAM_NOTE"], hostile);
}

#[test]
fn what_is_not_as_defined_is_refused() {
    for (name, value) in [
        ("path", "/etc/passwd"),
        ("path", "/srv/a\n/etc"),
        ("path", "/srv/a\n"),
        ("path", "x/srv/a"),
        ("size-gb", "0"),
        ("size-gb", "101"),
        ("size-gb", "1; reboot"),
        ("size-gb", "007"),
        ("size-gb", " 7"),
        ("size-gb", "99999999999999999999"),
        ("how", "slow"),
        ("force", "yes"),
        ("note", "a\0b"),
        ("other", "x"),
        ("PATH", "/tmp"),
    ] {
        let mut values = given(&[("path", "/srv/data")]);
        values.insert(name.to_owned(), value.to_owned());
        let error = script().environment(&values).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name}={value:?}");
        assert!(crate::report(&error).contains(name), "{error}");
    }
    assert!(crate::report(&script().environment(&given(&[])).unwrap_err()).contains("path must be given"));
    let long = "\u{e4}".repeat(1001);
    assert!(script().environment(&given(&[("path", "/srv/a"), ("note", &long)])).is_err());
    assert!(script().environment(&given(&[("path", "/srv/a"), ("note", &long[2..])])).is_ok());
}

#[test]
fn a_definition_that_makes_no_sense_is_refused() {
    assert!(script().check().is_ok());
    let with = |field: &str, value: serde_json::Value| {
        let mut whole = serde_json::to_value(script()).unwrap();
        whole[field] = value;
        serde_json::from_value::<Script>(whole)
            .map_err(|error| error.to_string())
            .and_then(|script| script.check().map_err(|error| error.to_string()))
    };
    for (field, value) in [
        ("name", json!("../x")),
        ("name", json!("")),
        ("body", json!(" ")),
        ("body", json!("a\0")),
        ("body", json!("x".repeat(70_000))),
        ("interpreter", json!([])),
        ("interpreter", json!(["sh"])),
        ("user", json!("root; id")),
        ("limit_seconds", json!(0)),
        ("output_bytes", json!(1)),
        ("memory_mb", json!(1)),
        ("tasks", json!(0)),
        ("unknown", json!(1)),
        ("parameters", json!([{ "name": "a b", "type": "text" }])),
        ("parameters", json!([{ "name": "a", "type": "text", "variable": "PATH" }])),
        ("parameters", json!([{ "name": "a", "type": "text", "variable": "LD_PRELOAD" }])),
        ("parameters", json!([{ "name": "a", "type": "text", "variable": "A=B" }])),
        ("parameters", json!([{ "name": "a", "type": "text" }, { "name": "A", "type": "boolean" }])),
        ("parameters", json!([{ "name": "a", "type": "text", "pattern": "(" }])),
        ("parameters", json!([{ "name": "a", "type": "text", "pattern": "a)|(b" }])),
        ("parameters", json!([{ "name": "a", "type": "integer", "min": 2, "max": 1 }])),
        ("parameters", json!([{ "name": "a", "type": "integer", "default": "x" }])),
        ("parameters", json!([{ "name": "a", "type": "choice", "values": [] }])),
        ("parameters", json!([{ "name": "a", "type": "boolean", "required": true, "default": "true" }])),
    ] {
        assert!(with(field, value.clone()).is_err(), "{field}: {value}");
    }
}

#[test]
fn who_may_run_it_is_its_role_or_who_is_named() {
    let open = script();
    assert!(open.may_run("ada", Role::Operator) && !open.may_run("ada", Role::Viewer));
    let named = Script { users: vec!["ada".into(), "token:ci".into()], risk: Risk::Destructive, ..script() };
    assert!(named.may_run("ada", Role::Operator) && named.may_run("token:ci", Role::Operator));
    assert!(!named.may_run("bob", Role::Operator) && named.may_run("bob", Role::Admin));
    assert!(!named.may_run("ada", Role::Viewer));
    let dangerous = Script { risk: Risk::Destructive, ..script() };
    assert!(!dangerous.may_run("ada", Role::Operator) && dangerous.may_run("ada", Role::Admin));
    assert!(!Script { role: Role::Admin, ..script() }.may_run("ada", Role::Operator));
}

#[test]
fn a_version_changes_with_anything_of_it() {
    let stored = |script| StoredScript::new(script, "ada", Timestamp::UNIX_EPOCH);
    let first = stored(script());
    assert_eq!((first.version.len(), &first.version), (12, &stored(script()).version));
    assert_ne!(first.version, stored(Script { body: "false\n".into(), ..script() }).version);
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<StoredScript>(&text).unwrap(), first);
}
