//! `alert` and `alert rule` as people type them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::Home;

#[test]
fn rules_are_listed_added_changed_tried_and_removed() {
    let home = Home::new();
    let list = home.run(&["alert", "rule", "list"]);
    for word in ["disk-filling", "full within 72 h by its trend", "does not answer for 2 min", "critical"] {
        assert!(list.contains(word), "{word} is not in {list}");
    }
    let tried = home.run(&[
        "alert",
        "rule",
        "add",
        "busy",
        "--hosts",
        "all",
        "--metric",
        "cpu_percent",
        "--enter",
        "95",
        "--leave",
        "80",
        "--for",
        "10m",
        "--dry-run",
    ]);
    assert!(tried.contains("it covers 1 thing") && tried.contains("would have rung 0 times"), "{tried}");
    home.refused(&["alert", "rule", "show", "busy"], 1);
    let made = home.json(&[
        "alert",
        "rule",
        "add",
        "busy",
        "--hosts",
        "all",
        "--metric",
        "cpu_percent",
        "--enter",
        "95",
        "--leave",
        "80",
        "--for",
        "10m",
    ]);
    assert_eq!(made["words"], "cpu_percent at or above 95 for 10 min, until 80");
    // What is not given stays as it was.
    let change = |more: &[&str]| home.json(&[&["alert", "rule", "change", "busy"], more].concat())["words"].clone();
    assert_eq!(change(&["--enter", "90"]), "cpu_percent at or above 90 for 10 min, until 80");
    assert_eq!(change(&["--for", "5m"]), "cpu_percent at or above 90 for 5 min, until 80");
    assert_eq!(
        change(&["--metric", "memory_percent", "--enter", "99"]),
        "memory_percent at or above 99 for 5 min, until 80"
    );
    home.refused(&["alert", "rule", "change", "busy", "--enter", "70"], 2);
    home.refused(&["alert", "rule", "change", "busy", "--least", "critical"], 2);
    home.refused(&["alert", "rule", "add", "x", "--hosts", "all", "--enter", "90"], 2);
    home.refused(&["alert", "rule", "add", "x", "--hosts", "all", "--metric", "cpu_percent"], 2);
    let changed = home.json(&["alert", "rule", "change", "busy", "--offline", "--for", "90s", "--level", "critical"]);
    assert_eq!(
        (changed["words"].as_str(), changed["rule"]["level"].as_str()),
        (Some("does not answer for 90 s"), Some("critical"))
    );
    assert_eq!(home.json(&["alert", "rule", "test", "busy"])["covers"], 1);
    home.run(&["alert", "rule", "remove", "busy"]);
    home.refused(&["alert", "rule", "test", "busy"], 1);
    // What does not fit together is said before anything is done.
    home.refused(&["alert", "rule", "add", "x", "--hosts", "all"], 2);
    home.refused(&["alert", "rule", "add", "x", "--hosts", "all", "--offline", "--enter", "3"], 2);
    home.refused(&["alert", "rule", "add", "x", "--hosts", "all", "--attention", "no-such-kind"], 2);
}

#[test]
fn without_a_server_no_alert_goes_on() {
    let home = Home::new();
    assert_eq!(home.run(&["alert", "list"]).trim(), "No alert goes on.");
    assert_eq!(home.json(&["alert", "history", "--about", "cluster:lab"])["items"], serde_json::json!([]));
    home.refused(&["alert", "show", "nothing"], 1);
    home.refused(&["alert", "ack", "nothing", "--comment", "I look"], 1);
}
