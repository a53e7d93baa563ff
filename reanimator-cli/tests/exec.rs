//! `exec` on this very machine and on hosts that do not answer.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, text};

#[test]
fn every_line_carries_the_name_of_its_host() {
    let home = Home::new();
    let name = home.this_machine();
    let output = home.reanimator(["exec", "echo one; echo two; echo wrong >&2", "--on", "all"]).assert().success();
    assert_eq!(text(&output.get_output().stdout), format!("{name}: one\n{name}: two\n"));
    assert_eq!(text(&output.get_output().stderr), format!("{name}: wrong\n"));
}

#[test]
fn a_command_that_fails_everywhere_is_1() {
    let home = Home::new();
    let name = home.this_machine();
    let output = home.reanimator(["exec", "exit 7", "--on", "all"]).assert().code(1);
    assert_eq!(text(&output.get_output().stderr), format!("{name}: exit status 7\n"));
}

#[test]
fn a_command_that_fails_somewhere_is_3_and_harms_no_other_host() {
    let home = Home::new();
    let name = home.this_machine();
    home.add_silent_host("silent");
    let output = home.reanimator(["exec", "echo fine", "--on", "all"]).assert().code(3);
    assert_eq!(text(&output.get_output().stdout), format!("{name}: fine\n"));
    let stderr = text(&output.get_output().stderr);
    assert!(stderr.contains("error: silent: could not"), "{stderr}");
    assert!(stderr.contains("next: "), "{stderr}");
}

#[test]
fn the_document_holds_every_answer() {
    let home = Home::new();
    home.add_silent_host("silent");
    let output = home.reanimator(["exec", "echo out; exit 3", "--on", "all", "--json"]).assert().code(1);
    let document: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(document["ok"], 0);
    assert_eq!(document["failed"], 2);
    let answers = document["answers"].as_array().unwrap();
    let of = |name: &str| answers.iter().find(|answer| answer["host"] == name).unwrap();
    assert_eq!(of("silent")["error"]["kind"], "unreachable");
    assert_eq!(of("silent")["status"], serde_json::Value::Null);
    let local = answers.iter().find(|answer| answer["host"] != "silent").unwrap();
    assert_eq!((&local["status"], &local["stdout"]), (&3.into(), &"out\n".into()));
}

#[test]
fn equal_answers_are_shown_once() {
    let home = Home::new();
    let name = home.this_machine();
    let stdout = home.run(&["exec", "echo same", "--on", "all", "--group"]);
    assert_eq!(stdout, format!("== 1 host: {name} ==\nsame\n"));
}

#[test]
fn what_takes_too_long_is_ended() {
    let home = Home::new();
    let stderr = {
        let output = home.reanimator(["exec", "sleep 1000", "--on", "all", "--time-limit", "1s"]).assert().code(1);
        text(&output.get_output().stderr)
    };
    assert!(stderr.contains("within 1s") && stderr.contains("next: "), "{stderr}");
}

#[test]
fn too_much_output_is_cut_and_said() {
    let home = Home::new();
    let output =
        home.reanimator(["exec", "yes | head -c 100000", "--on", "all", "--output-limit", "1000"]).assert().success();
    assert!(text(&output.get_output().stderr).contains("stdout cut at 1000 bytes"));
}

#[test]
fn bytes_pass_as_they_are_where_no_terminal_is() {
    let home = Home::new();
    let output = home.reanimator(["exec", r"printf '\033[31mred\377\n'", "--on", "all"]).assert().success();
    assert!(output.get_output().stdout.ends_with(b"\x1b[31mred\xff\n"));
}

#[test]
fn no_host_drives_the_terminal() {
    let home = Home::new();
    // `script` gives the program a terminal.
    let program = env!("CARGO_BIN_EXE_reanimator");
    let line = format!(r#"{program} exec "printf '\033]0;owned\007\033[2J\n'" --on all"#);
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let seen = text(&output.stdout);
    assert!(seen.contains(r"\x1b]0;owned\x07\x1b[2J"), "{seen:?}");
    assert!(!seen.contains("\x1b]0;"), "{seen:?}");
}

#[test]
fn a_name_that_is_no_host_lists_near_ones() {
    let home = Home::new();
    home.add_silent_host("webserver");
    let stderr = home.refused(&["exec", "true", "--on", "webservr"], 1);
    assert!(stderr.contains("webserver"), "{stderr}");
}

#[test]
fn a_command_is_in_the_audit_trail() {
    let home = Home::new();
    home.run(&["exec", "true", "--on", "all"]);
    home.reanimator(["exec", "false", "--on", "all"]).assert().code(1);
    let entries = home.json(&["audit", "list"])["items"].clone();
    // The newest first: how it ended, that it began.
    for (entry, on, outcome) in [
        (&entries[0], "all: false", "failed on 1 of 1"),
        (&entries[1], "all: false", "started"),
        (&entries[2], "all: true", "ok"),
        (&entries[3], "all: true", "started"),
    ] {
        assert_eq!((&entry["what"], &entry["on"], &entry["outcome"]), (&"exec".into(), &on.into(), &outcome.into()));
        assert!(entry["who"].as_str().unwrap().starts_with("local:"));
    }
}

#[test]
fn a_test_of_a_host_is_in_the_audit_trail() {
    let home = Home::new();
    let name = home.json(&["host", "list"])["items"][0]["name"].as_str().unwrap().to_owned();
    home.run(&["host", "test", &name]);
    let entry = home.json(&["audit", "list"])["items"][0].clone();
    assert_eq!((&entry["what"], &entry["on"], &entry["outcome"]), (&"host test".into(), &name.into(), &"ok".into()));
}

#[test]
fn what_was_run_is_kept_and_shown_again() {
    let home = Home::new();
    let name = home.this_machine();
    home.add_silent_host("silent");
    let document = home.reanimator(["exec", "echo kept; exit 3", "--on", "all", "--json"]).assert().code(1);
    let document: serde_json::Value = serde_json::from_slice(&document.get_output().stdout).unwrap();
    let id = document["id"].as_str().unwrap();
    let items = home.json(&["exec", "--history"])["items"].clone();
    assert_eq!((&items[0]["id"], &items[0]["state"], &items[0]["failed"]), (&id.into(), &"done".into(), &2.into()));
    let shown = home.json(&["exec", "--show", id]);
    assert_eq!(
        (&shown["groups"][0]["stdout"], &shown["groups"][1]["error"]["kind"]),
        (&"kept\n".into(), &"unreachable".into())
    );
    let text = home.run(&["exec", "--show", id]);
    assert!(text.contains(&format!("== 1 host: {name} ==\nkept\nexit status 3\n")), "{text}");
    assert!(home.refused(&["exec", "--stop", id], 1).contains("done"));
    assert!(home.refused(&["exec", "--show", "nothing"], 1).contains("next: "));
}

#[test]
fn the_odd_ones_are_shown_by_how_they_differ() {
    let home = Home::new();
    let name = home.this_machine();
    let stdout = home.run(&["exec", "echo same", "--on", "all", "--diff"]);
    assert_eq!(stdout, format!("== 1 host: {name} ==\nsame\n"));
    let document = home.json(&["exec", "echo same", "--on", "all", "--diff"]);
    assert_eq!((&document["groups"][0]["majority"], &document["ok"]), (&true.into(), &1.into()));
}

#[test]
fn a_command_is_kept_under_a_name_and_run_again() {
    let home = Home::new();
    let name = home.this_machine();
    assert_eq!(home.run(&["exec", "echo $((40 + 2))", "--on", "all", "--save", "sum"]), format!("{name}: 42\n"));
    assert_eq!(home.run(&["exec", "--saved", "sum"]), format!("{name}: 42\n"));
    assert_eq!(home.run(&["exec", "--saved", "sum", "--on", &name]), format!("{name}: 42\n"));
    assert_eq!(home.json(&["exec", "--saved-list"])["items"][0]["name"], "sum");
    home.run(&["exec", "--forget", "sum"]);
    assert!(home.refused(&["exec", "--saved", "sum"], 1).contains("sum"));
    home.refused(&["exec", "true", "--on", "all", "--save", "a b"], 2);
}

#[test]
fn a_command_or_something_else_but_not_both() {
    let home = Home::new();
    for words in [
        &["exec"] as &[&str],
        &["exec", "true"],
        &["exec", "true", "--on", "all", "--history"],
        &["exec", "true", "--on", "all", "--saved", "x"],
        &["exec", "--history", "--saved-list"],
        &["exec", "true", "--on", "all", "--diff", "--group"],
    ] {
        home.refused(words, 2);
    }
}

#[test]
fn ctrl_c_ends_what_runs_there_and_the_run_is_told_as_stopped() {
    let home = Home::new();
    home.run(&["host", "list"]);
    let mark = home.path().join("mark");
    let text = format!("echo $$ >{}; exec sleep 1000", mark.display());
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_reanimator"))
        .args(["exec", &text, "--on", "all"])
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .env("HOME", home.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let wait_until = |what: &str, is: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !is() {
            assert!(began.elapsed() < std::time::Duration::from_secs(30), "{what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    let pid = || std::fs::read_to_string(&mark).unwrap_or_default().trim().to_owned();
    wait_until("it begins", &|| !pid().is_empty());
    std::process::Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(1));
    let process = std::path::Path::new("/proc").join(pid());
    wait_until("the process on the host ends", &|| !process.exists());
    assert_eq!(home.json(&["exec", "--history"])["items"][0]["state"], "stopped");
}
