//! Histories and timelines on the command line, and questions that make no sense.

#![allow(clippy::unwrap_used)]

mod common;

use common::Home;

/// A complaint names the thing, the cause, and what to do next.
fn complaint(home: &Home, words: &[&str], code: i32, thing: &str) {
    let stderr = home.refused(words, code);
    assert!(stderr.starts_with("error: ") && stderr.contains(thing), "{words:?}: {stderr}");
    assert!(stderr.contains("next: "), "{words:?}: {stderr}");
}

#[test]
fn a_history_is_a_table_csv_or_json() {
    let home = Home::new();
    let name = home.this_machine();
    assert!(home.run(&["host", "history", &name]).contains("Nothing was seen in that time."));
    home.run(&["host", "show", &name, "--observe"]);
    let words = ["host", "history", &name, "--metric", "load1,memory_used", "--from", "10m", "--step", "10s"];
    let table = home.run(&words);
    assert!(table.contains("memory_used") && table.contains("iB"), "{table}");
    let series = home.json(&words);
    assert_eq!(series["metrics"]["load1"]["mean"].as_array().unwrap().len(), series["times"].as_array().unwrap().len());
    let csv = home.run(&[&words[..], &["--csv"]].concat());
    let mut lines = csv.lines();
    let head = "time,load1_min,load1_mean,load1_max,memory_used_min,memory_used_mean,memory_used_max";
    assert_eq!(lines.next(), Some(head));
    assert_eq!(lines.clone().count(), series["times"].as_array().unwrap().len());
    assert!(lines.any(|line| line.ends_with(",,,,,,")), "a gap is empty: {csv}");
    home.refused(&[&words[..], &["--csv", "--json"]].concat(), 2);
}

#[test]
fn a_question_that_makes_no_sense_is_answered_with_a_way_on() {
    let home = Home::new();
    let name = home.this_machine();
    for (words, thing) in [
        (["--metric", "cpu"].as_slice(), "\"cpu\""),
        (&["--metric", "load1,'; DROP TABLE"], "DROP TABLE"),
        (&["--from", "1h", "--to", "2h"], "end"),
        (&["--from", "2026-02-01T00:00:00Z", "--to", "2026-01-31T00:00:00Z"], "end"),
        (&["--from", "yesterday"], "yesterday"),
        (&["--step", "0"], "\"0\""),
        (&["--step", "1ms"], "1ms"),
        (&["--step", "1.5s"], "1.5s"),
        (&["--from", "3650d", "--step", "10s"], "10000"),
    ] {
        complaint(&home, &[&["host", "history", &name], words].concat(), 2, thing);
    }
    home.run(&["host", "history", &name, "--from", "3650d"]);
}

#[test]
fn a_name_of_any_text_is_at_most_not_found() {
    let home = Home::new();
    for name in ["nobody", "'; DROP TABLE hosts", "\"quoted\"", "two\nlines", "Straße 東京", "guest:100", "../x"] {
        let shown = name.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap();
        for noun in ["host", "guest", "storage"] {
            complaint(&home, &[noun, "history", name], 1, shown);
        }
        for noun in ["host", "guest"] {
            complaint(&home, &[noun, "timeline", name], 1, shown);
        }
    }
    let escape = home.refused(&["host", "history", "\u{1b}[31mred"], 1);
    assert!(!escape.contains('\u{1b}'), "what was typed does not colour the terminal: {escape:?}");
    assert_eq!(home.json(&["host", "list"])["total"], 1);
}

#[test]
fn a_timeline_of_a_machine_just_seen_is_empty() {
    let home = Home::new();
    let name = home.this_machine();
    home.run(&["host", "show", &name, "--observe"]);
    assert!(home.run(&["host", "timeline", &name]).contains("Nothing has changed"));
    let timeline = home.json(&["host", "timeline", &name, "--field", "*", "--limit", "1000"]);
    assert_eq!(timeline["items"], serde_json::json!([]));
    home.refused(&["host", "timeline", &name, "--limit", "0"], 2);
    home.refused(&["host", "timeline", &name, "--limit", "1001"], 2);
}
