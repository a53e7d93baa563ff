//! Backups of the data directory, made and put back by the program.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::Home;
use serde_json::Value;

const PASSPHRASE: &str = "correct horse battery";

/// A fleet with a host, a person and a backup of both in `backup.age`; its passphrase is in `passphrase`.
fn backed_up() -> Home {
    let home = Home::new();
    fs::write(home.path().join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
    home.add_silent_host("web1");
    let add = home.reanimator(["user", "add", "ada", "--role", "admin", "--password-stdin"]);
    { add }.write_stdin("correct horse battery\n").assert().success();
    let made = home.json(&words(&home, "create"));
    assert_eq!((&made["backup"]["hosts"], &made["backup"]["users"]), (&Value::from(2), &Value::from(1)));
    home
}

/// `backup VERB backup.age --passphrase-file passphrase`, with whole paths.
fn words(home: &Home, verb: &str) -> Vec<&'static str> {
    let path = |name: &str| home.path().join(name).display().to_string().leak() as &'static str;
    let verb = verb.to_owned().leak() as &'static str;
    vec!["backup", verb, path("backup.age"), "--passphrase-file", path("passphrase")]
}

fn scratch(data: &std::path::Path) -> usize {
    let names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("scratch-")).count()
}

#[test]
fn a_backup_is_made_shown_and_restored_into_an_empty_directory() {
    let home = backed_up();
    assert_eq!(fs::metadata(home.path().join("backup.age")).unwrap().mode() & 0o777, 0o600);
    let shown = home.run(&words(&home, "show"));
    assert!(shown.contains("2 hosts") && shown.contains("1 user") && shown.contains("with history"), "{shown}");

    let elsewhere = home.path().join("elsewhere").display().to_string();
    let mut restore = words(&home, "restore");
    restore.extend(["--data-dir", &elsewhere]);
    assert_eq!(home.json(&restore)["hosts"], 2);
    let list = home.json(&["host", "list", "--data-dir", &elsewhere]);
    assert_eq!(list, home.json(&["host", "list"]));
    assert_eq!(home.json(&["user", "list", "--data-dir", &elsewhere])["items"][0]["name"], "ada");
    assert_eq!(scratch(elsewhere.as_ref()), 0);
    let trail = home.json(&["audit", "list", "--data-dir", &elsewhere]);
    let what: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(what[0], "backup restore");
    assert!(what.contains(&"user add"), "{what:?}");
}

#[test]
fn what_is_there_is_replaced_only_when_that_was_said() {
    let home = backed_up();
    home.run(&["host", "remove", "web1"]);
    let refused = home.refused(&words(&home, "restore"), 2);
    assert!(refused.contains("--yes"), "{refused}");
    assert_eq!(home.json(&["host", "list"])["total"], 1);
    let mut restore = words(&home, "restore");
    restore.push("--yes");
    home.run(&restore);
    assert_eq!(home.json(&["host", "list"])["total"], 2);
}

#[test]
fn a_wrong_passphrase_a_cut_file_and_a_file_that_is_there_are_refused() {
    let home = backed_up();
    let there = home.refused(&words(&home, "create"), 1);
    assert!(there.contains("there is a file of that name"), "{there}");
    let file = home.path().join("backup.age");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert!(home.refused(&words(&home, "show"), 2).contains("cut off or damaged"));
    fs::write(&file, &whole).unwrap();
    fs::write(home.path().join("passphrase"), "another horse battery").unwrap();
    let elsewhere = home.path().join("elsewhere");
    let mut restore = words(&home, "restore");
    let data_dir = elsewhere.display().to_string();
    restore.extend(["--data-dir", &data_dir]);
    assert!(home.refused(&restore, 2).contains("passphrase"));
    assert!(!elsewhere.exists(), "something was made for nothing");
    fs::write(home.path().join("passphrase"), "too short").unwrap();
    assert!(home.refused(&words(&home, "create"), 2).contains("12 characters"));
}

#[test]
fn a_restore_beside_a_server_is_refused_and_a_backup_is_not() {
    let home = backed_up();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_reanimator"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("HOME", home.path())
        .env("REANIMATOR_DATA_DIR", home.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(serve.stdout.as_mut().unwrap()), &mut line).unwrap();
    fs::remove_file(home.path().join("backup.age")).unwrap();
    home.run(&words(&home, "create"));
    let mut restore = words(&home, "restore");
    restore.push("--yes");
    let refused = home.refused(&restore, 1);
    serve.kill().unwrap();
    serve.wait().unwrap();
    assert!(refused.contains("served already") && refused.contains("on its page"), "{refused}");
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_or_the_new_whole() {
    let home = backed_up();
    let data = home.path().join("data");
    home.run(&["host", "set", "web1", "--name", "renamed"]);
    let program = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reanimator"));
        command.args(words).env("HOME", home.path()).env("REANIMATOR_DATA_DIR", &data);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut restore = words(&home, "restore");
    restore.push("--yes");
    let began = Instant::now();
    assert!(program(&restore).status().unwrap().success());
    let whole = began.elapsed();
    let (mut old, mut new) = (0, 0);
    for part in 0..10 {
        home.run(&["host", "set", "web1", "--name", "renamed"]);
        let mut child = program(&restore).spawn().unwrap();
        std::thread::sleep(whole * part / 9 + Duration::from_millis(1));
        child.kill().unwrap();
        child.wait().unwrap();
        let list = home.json(&["host", "list"]);
        assert_eq!(list["total"], 2);
        assert_eq!(scratch(&data), 0, "a folder was left");
        match list["items"].as_array().unwrap().iter().any(|host| host["name"] == "renamed") {
            true => old += 1,
            false => {
                new += 1;
                continue;
            }
        }
        home.run(&["host", "set", "renamed", "--name", "web1"]);
    }
    assert!(old > 0, "{old} old, {new} new: none was killed before its end");
}
