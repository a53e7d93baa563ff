//! A terminal in this one: the program runs on a real terminal, which `script` makes.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, text};

/// Runs the program's words on a terminal, with these keys typed.
fn on_a_terminal(home: &Home, words: &str, keys: &str) -> std::process::Output {
    let line = format!("{} {words}", env!("CARGO_BIN_EXE_reanimator"));
    let mut command = assert_cmd::Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .env("SHELL", "/bin/sh")
        .timeout(std::time::Duration::from_secs(60))
        .write_stdin(keys.to_owned());
    command.output().unwrap()
}

#[test]
fn it_ends_as_the_shell_over_there_and_is_noted_and_recorded() {
    let home = Home::new();
    let name = home.this_machine();
    let done = on_a_terminal(&home, &format!("shell {name} --record"), "echo gr\u{fc}n-$((40+2)); exit 7\n");
    let shown = text(&done.stdout);
    assert_eq!(done.status.code(), Some(7), "{shown}");
    assert!(shown.contains("gr\u{fc}n-42"), "{shown}");

    let what: Vec<_> = home.json(&["audit", "list", "--what", "terminal*"])["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["what"].as_str().unwrap().to_owned(), entry["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let noted = [("terminal close", "ok"), ("terminal attach", "ok"), ("terminal open", "started")];
    assert_eq!(what, noted.map(|(what, outcome)| (what.to_owned(), outcome.to_owned())));

    let recordings = home.json(&["shell", "--recordings"]);
    let id = recordings["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(home.run(&["shell", "--recordings"]).contains(&id));
    let file = home.path().join("copy.cast");
    home.run(&["shell", "--save-recording", &id, file.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("gr\u{fc}n-42"));
    assert!(home.refused(&["shell", "--save-recording", &id, file.to_str().unwrap()], 2).contains("copy.cast"));
    home.run(&["shell", "--delete-recording", &id]);
    assert_eq!(home.json(&["shell", "--recordings"])["items"], serde_json::json!([]));
    home.refused(&["shell", "--delete-recording", &id], 1);
}

#[test]
fn a_line_that_begins_with_tilde_and_dot_hangs_up() {
    let home = Home::new();
    let name = home.this_machine();
    let done = on_a_terminal(&home, &format!("shell {name}"), "~.");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stdout));
    let trail = home.json(&["audit", "list", "--what", "terminal close"]);
    assert!(trail["items"][0]["on"].as_str().unwrap().contains("the service stopped"), "{trail}");
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let home = Home::new();
    let name = home.this_machine();
    let said = home.refused(&["shell", &name], 2);
    assert!(said.contains("a terminal is for people") && said.contains("reanimator exec"), "{said}");
    let none = on_a_terminal(&home, "shell nobody", "");
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stdout).contains("neither a host nor a guest is called so"), "{}", text(&none.stdout));
}
