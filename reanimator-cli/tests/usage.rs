//! Wrong use: exit code 2, an error that says what to do, and no secret in any of it.

#![allow(clippy::unwrap_used)]

mod common;

use common::Home;
use serde_json::Value;

#[test]
fn a_word_that_there_is_not_is_2() {
    let home = Home::new();
    assert!(home.refused(&["resurrect"], 2).contains("resurrect"));
    assert!(home.refused(&["exec", "true"], 2).contains("--on"));
    assert!(home.refused(&["exec", "true", "--on", "all", "--time-limit", "soon"], 2).contains("30s"));
}

#[test]
fn with_json_errors_are_documents_too() {
    let home = Home::new();
    for words in [&["resurrect", "--json"][..], &["exec", "true", "--on", "kind:toaster", "--json"][..]] {
        let document: Value = serde_json::from_str(&home.refused(words, 2)).unwrap();
        assert_eq!(document["error"]["kind"], "invalid", "{document}");
    }
    let document: Value = serde_json::from_str(&home.refused(&["host", "show", "nobody", "--json"], 1)).unwrap();
    assert_eq!(document["error"]["kind"], "not-found");
}

#[test]
fn help_and_version_are_no_failure() {
    let home = Home::new();
    assert!(home.run(&["--help"]).contains("exec"));
    assert!(home.run(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_secret_in_argv_is_refused_and_not_repeated() {
    let home = Home::new();
    for words in [
        &["host", "add", "127.0.0.1", "--password=hunter2"][..],
        &["user", "add", "eve", "--password=hunter2"][..],
        &["proxmox", "connect", "https://127.0.0.1", "--token=a@b!c=hunter2"][..],
    ] {
        let stderr = home.refused(words, 2);
        assert!(stderr.contains("=stdin"), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}

#[test]
fn nothing_is_asked_where_nobody_is() {
    let home = Home::new();
    let stderr = home.refused(&["user", "add", "eve"], 2);
    assert!(stderr.contains("stdin is no terminal"), "{stderr}");
    assert!(stderr.contains("--password=stdin"), "{stderr}");
    let stderr = home.refused(&["proxmox", "connect", "https://127.0.0.1:8006"], 2);
    assert!(stderr.contains("--token"), "{stderr}");
}

#[test]
fn a_damaged_store_is_refused_and_kept() {
    let home = Home::new();
    home.run(&["status"]);
    let data = home.path().join("data");
    let database = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")))
        .unwrap();
    std::fs::write(&database, b"garbage, not a database at all").unwrap();
    for suffix in ["-wal", "-shm"] {
        let mut path = database.clone().into_os_string();
        path.push(suffix);
        drop(std::fs::remove_file(path));
    }
    let stderr = home.refused(&["status"], 1);
    assert!(stderr.contains("error: "), "{stderr}");
    assert_eq!(std::fs::read(&database).unwrap(), b"garbage, not a database at all");
}
