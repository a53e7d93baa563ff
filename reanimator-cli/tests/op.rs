//! Operations on the command line: on this very machine, and on what is not there.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, text};
use serde_json::Value;

#[test]
fn without_operations_there_is_nothing_to_show_or_to_go_on_with() {
    let home = Home::new();
    assert_eq!(home.run(&["op", "list"]), "No operations.\n");
    assert_eq!(home.run(&["op", "resume"]), "Nothing is left to go on with.\n");
    assert_eq!(home.json(&["op", "list", "--open"])["items"], serde_json::json!([]));
    for verb in ["show", "follow", "cancel", "undo", "resume"] {
        let stderr = home.refused(&["op", verb, "nothing"], 1);
        assert!(stderr.contains("nothing") && stderr.contains("next: "), "{verb}: {stderr}");
    }
}

#[test]
fn what_cannot_be_done_is_said_beforehand_and_fails_afterwards() {
    let home = Home::new();
    let name = home.this_machine();
    let words = ["host", "unit", "restart", "no-such-thing", "--on", &name];
    let dry = home.reanimator(words.iter().chain(&["--dry-run"])).assert().code(1);
    let dry = text(&dry.get_output().stdout);
    assert!(dry.contains(&format!("restart no-such-thing on {name}")) && dry.contains("be refused: "), "{dry}");
    assert_eq!(home.run(&["op", "list"]), "No operations.\n", "a dry run leaves nothing behind");

    let failed = home.reanimator(words.iter().chain(&["--json"])).assert().code(1);
    let failed: Value = serde_json::from_slice(&failed.get_output().stdout).unwrap();
    assert_eq!((&failed["state"], &failed["steps"][0]["state"]), (&"failed".into(), &"failed".into()));
    let id = failed["id"].as_str().unwrap();
    assert_eq!(home.json(&["op", "show", id]), failed_as_stored(&failed));
    let followed = home.reanimator(["op", "follow", id]).assert().code(1);
    assert!(text(&followed.get_output().stdout).contains("failed: step 1: "));
    assert!(home.refused(&["op", "cancel", id], 1).contains("it is over: failed"));
    let trail = home.json(&["audit", "list"]);
    let outcomes: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["conflict", "failed", "started"], "{trail}");
}

#[test]
fn what_cannot_be_taken_back_is_not_done_unasked() {
    let home = Home::new();
    let stderr = home.refused(&["guest", "stop", "nobody"], 1);
    assert!(stderr.contains("could not find the guest \"nobody\""), "{stderr}");
    home.refused(&["guest", "snapshot", "delete", "before", "nobody"], 1);
    home.refused(&["guest", "snapshot", "delete", "before"], 2);
    home.refused(&["guest", "shutdown", "nobody", "--limit", "0"], 2);
    assert!(home.refused(&["guest", "migrate", "nobody", "--to", "nowhere"], 1).contains("nowhere"));
    home.refused(&["guest", "migrate", "nobody"], 2);
    home.refused(&["guest", "migrate", "nobody", "--to", "pve2", "--mode", "hover"], 2);
    home.refused(&["guest", "remote-migrate", "nobody", "--to", "pve2", "--storage", "tank"], 2);
    assert!(home.refused(&["host", "unit", "start", "nginx", "--on", "group:none"], 2).contains("no host is meant"));
}

#[test]
fn what_others_named_drives_no_terminal_not_even_behind_a_pipe() {
    let home = Home::new();
    home.refused(&["script", "delete", "no\x1b[2J\nbody\u{9b}1m"], 1);
    let listed = home.run(&["audit", "list"]);
    assert!(listed.contains("no\\x1b[2J\\nbody\\x9b1m"), "{listed}");
    assert!(!listed.chars().any(|c| c.is_control() && c != '\n'), "{listed:?}");
    assert_eq!(listed.lines().count(), 2, "{listed}");
}

/// Once it is over nobody holds it.
fn failed_as_stored(operation: &Value) -> Value {
    let mut stored = operation.clone();
    stored["owner"] = Value::Null;
    stored
}
