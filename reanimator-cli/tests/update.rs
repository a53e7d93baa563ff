//! Updates by calendar from the command line; no machine is updated here.

#![allow(clippy::unwrap_used)]

mod common;

use common::Home;
use serde_json::json;

#[test]
fn what_a_schedule_does_is_changed_flag_by_flag() {
    let home = Home::new();
    let edit = |words: &[&str]| home.json(&[&["update", "schedule", "edit", "nights"][..], words].concat());
    let create = ["update", "schedule", "create", "nights", "--at", "03:30", "--zone", "Europe/Berlin", "--on", "all"];
    let made = home.json(&[&create[..], &["--exclude", "linux-*", "--backup", "pbs", "--canary", "2"]].concat());
    let wish = &made["schedule"]["wish"];
    assert_eq!((&wish["exclude"], &wish["canary"]), (&json!(["linux-*"]), &json!(2)));

    let changed = edit(&["--security-only", "--exclude", "grub*", "--no-restart", "--at-once", "5"]);
    let mut expected = made.clone();
    expected["schedule"]["wish"]["security_only"] = json!(true);
    expected["schedule"]["wish"]["exclude"] = json!(["grub*"]);
    expected["schedule"]["wish"]["reboot"] = json!("never");
    expected["schedule"]["wish"]["wave_size"] = json!(5);
    expected["schedule"]["done_until"] = changed["schedule"]["done_until"].clone();
    assert_eq!(changed, expected);

    let back =
        edit(&["--without", "security-only", "--without", "no-restart", "--without", "exclude", "--at", "04:00"]);
    assert_eq!(back["times"], "daily 04:00 Europe/Berlin");
    let wish = &back["schedule"]["wish"];
    let now = [&wish["security_only"], &wish["reboot"], &wish["exclude"], &wish["wave_size"], &wish["safety"]];
    assert_eq!(now, [&json!(false), &json!("if-needed"), &json!([]), &json!(5), &made["schedule"]["wish"]["safety"]]);

    // Only its times: the rest stays as it is.
    assert_eq!(edit(&["--disable"])["schedule"]["wish"], *wish);
    let said = home.refused(&["update", "schedule", "edit", "nights", "--without", "on"], 2);
    assert!(said.contains("next: "), "{said}");
    let said = home.refused(&["update", "schedule", "edit", "nights", "--on", "nobody"], 1);
    assert!(said.contains("nobody"), "{said}");
    assert_eq!(home.json(&["update", "schedule", "show", "nights"])["schedule"]["wish"], *wish);
    home.refused(&["update", "schedule", "edit", "nobody", "--security-only"], 1);
}
