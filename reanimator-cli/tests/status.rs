//! `status`: the contract of its document, and what people see.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;

use common::Home;
use serde_json::Value;

/// Every field that the contract names for a host.
const HOST_FIELDS: [&str; 27] = [
    "id",
    "name",
    "kind",
    "state",
    "address",
    "groups",
    "tags",
    "cluster",
    "cpu_percent",
    "cpus",
    "load",
    "memory",
    "swap",
    "disk",
    "network",
    "uptime_seconds",
    "os",
    "kernel",
    "proxmox_version",
    "guests",
    "guest_of",
    "observed_at",
    "age_seconds",
    "via",
    "clock_skew_seconds",
    "problem",
    "unseen",
];

/// Every field that the contract names for the sums.
const TOTALS_FIELDS: [&str; 9] =
    ["hosts", "guests", "cpus", "cpu_percent", "memory", "swap", "disk", "network", "observed_at"];

fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn sorted<const N: usize>(mut names: [&'static str; N]) -> Vec<&'static str> {
    names.sort_unstable();
    names.into()
}

#[test]
fn the_document_is_the_contract() {
    let home = Home::new();
    let status = home.json(&["status", "--observe"]);
    assert_eq!(fields(&status), ["at", "hosts", "totals"]);
    let host = &status["hosts"][0];
    assert_eq!(fields(host), sorted(HOST_FIELDS));
    assert_eq!(fields(&status["totals"]), sorted(TOTALS_FIELDS));
    assert!(host["id"].is_string());
    assert_eq!(host["kind"], "linux");
    assert_eq!(host["state"], "online");
    assert_eq!(host["memory"]["source"], "MemAvailable");
    assert!(host["memory"]["total_bytes"].as_u64().unwrap() > 0);
    assert!(host["observed_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(status["totals"]["hosts"]["online"], 1);
}

#[test]
fn what_was_never_seen_is_null_and_not_zero() {
    let home = Home::new();
    let host = home.json(&["status"])["hosts"][0].clone();
    assert_eq!(host["cpu_percent"], Value::Null);
    assert_eq!(host["memory"], Value::Null);
    assert_eq!(host["state"], "unknown");
}

#[test]
fn people_see_every_host_and_the_sums() {
    let home = Home::new();
    home.add_silent_host("silent");
    let output = home.reanimator(["status", "--observe"]).assert().code(3);
    let text = common::text(&output.get_output().stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("HOST"), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("silent") && line.contains("never")), "{text}");
    assert!(text.contains("2 hosts, 1 online"), "{text}");
    assert!(text.contains("CPU "), "{text}");
    assert!(!text.contains('\x1b'), "no colours where no terminal is");
    assert!(common::text(&output.get_output().stderr).contains("silent: could not"));
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let home = Home::new();
    assert!(home.run(&["status", "--color", "always"]).contains("\x1b["));
    assert!(!home.run(&["status", "--color", "never"]).contains("\x1b["));
}

#[test]
fn watching_needs_a_terminal() {
    let home = Home::new();
    assert!(home.refused(&["status", "--watch"], 2).contains("stdout is no terminal"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let home = Home::new();
    home.run(&["status"]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_reanimator"))
        .args(["exec", "yes | head -c 3000000", "--on", "all", "--output-limit", "3000000"])
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(common::text(&output.stderr), "");
    assert!(output.status.success());
}
