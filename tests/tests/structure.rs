//! The rooms of the core: arrows go down only, and what parses or decides waits for nothing.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};

/// Rooms from the ground up. A room may use those on lower floors, and itself; rooms of one floor do not know each
/// other, but for `fleet`, which holds the door to `access`.
const FLOORS: [&[&str]; 8] = [
    &["model"],
    &["transport", "decide", "alert"],
    &["collect"],
    &["host", "store"],
    &["access", "notify"],
    &["fleet"],
    &["action"],
    &["operation"],
];

/// Above the rooms named in [`FLOORS`], in this order.
const TOP: [&str; 2] = ["workflows", "testkit"];

/// Rooms that only compute: no runtime, no sockets.
const PURE: [&str; 4] = ["model", "collect", "decide", "alert"];

fn floor(room: &str) -> Option<usize> {
    let above = || TOP.iter().position(|top| *top == room).map(|place| FLOORS.len() + place);
    FLOORS.iter().position(|rooms| rooms.contains(&room)).or_else(above)
}

/// Each source file of the core with the room it stands in.
fn files() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reanimator-core/src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let room = inside.iter().next().unwrap().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == "rs") && inside.iter().count() > 1 {
                found.push((room, path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 40, "the core's sources are not where this test looks");
    found
}

/// The code alone: no comments, and nothing from the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The rooms that a file names: `crate::room`, and the heads of `use crate::{...}`.
fn rooms_used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            used.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            continue;
        };
        let (mut depth, mut head, mut word) = (1, true, String::new());
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                c if head && (c.is_alphanumeric() || c == '_') => word.push(c),
                _ => {}
            }
            // The head of an entry ends at its first colon; the next entry begins behind a comma on this level.
            if head && (":,{}".contains(c)) && !word.is_empty() {
                used.push(std::mem::take(&mut word));
                head = false;
            }
            head |= depth == 1 && c == ',';
            if depth == 0 {
                break;
            }
        }
    }
    used
}

#[test]
fn arrows_go_down_only() {
    let mut upward = Vec::new();
    for (room, path, text) in files() {
        let own = floor(&room).unwrap_or_else(|| panic!("{room} is a room that FLOORS does not name"));
        for used in rooms_used(&code(&text)) {
            if used != room && floor(&used).is_some_and(|below| below >= own) {
                upward.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn what_computes_waits_for_nothing() {
    let mut found = Vec::new();
    for (room, path, text) in files() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        for runtime in ["tokio::", "reqwest::", "russh::", "async fn"] {
            if code(&text).contains(runtime) {
                found.push(format!("{} has {runtime}", path.display()));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_reading_of_uses_is_right() {
    let code =
        "use crate::{\n    Error,\n    collect::pve::{node, guest},\n    fleet::Fleet,\n};\nlet a = crate::store::x();";
    let used = rooms_used(code);
    assert!(["collect", "fleet", "store"].iter().all(|room| used.iter().any(|each| each == room)), "{used:?}");
    assert!(!used.iter().any(|each| each == "pve" || each == "node"), "{used:?}");
}
