//! Prepared scripts on the command line, run on this very machine.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, text};
use serde_json::{Value, json};

const BODY: &str = "printf 'whom=%s\\n' \"$REANIMATOR_PARAM_WHOM\"; echo \"on $REANIMATOR_HOST\"; exit \"$CODE\"\n";

fn create(home: &Home, more: &[&str]) -> Value {
    std::fs::write(home.path().join("greet"), BODY).unwrap();
    let file = home.path().join("greet").display().to_string();
    let words = ["script", "create", "greet", "--file", &file, "--risk", "low"];
    let parameters =
        ["--param", "whom:text,required,max=60", "--param", "code:integer,min=0,max=9,default=0,variable=CODE"];
    home.json(&[&words[..], &parameters, more].concat())
}

fn run(home: &Home, code: i32, more: &[&str]) -> Value {
    let name = home.this_machine();
    let words = [&["script", "run", "greet", "--on", &name, "--json"][..], more].concat();
    serde_json::from_slice(&home.reanimator(words).assert().code(code).get_output().stdout).unwrap()
}

fn said(home: &Home, operation: &Value) -> Vec<String> {
    let id = operation["id"].as_str().unwrap();
    let followed = home.reanimator(["op", "follow", id]).assert();
    text(&followed.get_output().stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_script_is_defined_run_changed_and_removed() {
    let home = Home::new();
    let defined = create(&home, &[]);
    assert_eq!(home.json(&["script", "show", "greet"]), defined);
    let shown = home.run(&["script", "show", "greet"]);
    assert!(shown.contains("must be given") && shown.contains("number from 0 to 9"), "{shown}");

    let dry = run(&home, 0, &["--set", "whom=x", "--dry-run"]);
    assert_eq!((&dry["risk"], &dry["steps"][0]["refused"]), (&json!("low"), &json!([])), "{dry}");
    let done = run(&home, 0, &["--set", "whom='\"; $(reboot) `id` \u{1F480}"]);
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["steps"][0]["action"]["version"], defined["version"]);
    let lines = said(&home, &done);
    assert!(lines.iter().any(|line| line.ends_with("whom='\"; $(reboot) `id` \u{1F480}")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(&format!("on {}", home.this_machine()))), "{lines:?}");
    let failed = run(&home, 1, &["--set", "whom=x", "--set", "code=7"]);
    assert!(failed["steps"][0]["outcome"].as_str().unwrap().contains("status 7"), "{failed}");

    let edited = home.json(&["script", "edit", "greet", "--description", "says hello", "--time-limit", "5"]);
    assert_eq!((&edited["limit_seconds"], &edited["parameters"]), (&json!(5), &defined["parameters"]));
    assert_ne!(edited["version"], defined["version"]);
    std::fs::write(home.path().join("greet.json"), edited.to_string()).unwrap();
    let from = home.path().join("greet.json").display().to_string();
    assert_eq!(home.json(&["script", "create", "again", "--from", &from])["limit_seconds"], 5);
    assert_eq!(home.json(&["script", "list"])["items"].as_array().unwrap().len(), 2);
    home.json(&["script", "delete", "again"]);
    home.refused(&["script", "show", "again"], 1);
    let trail = home.json(&["audit", "list"]);
    let done: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert!(["script create", "script change", "script remove"].iter().all(|what| done.contains(what)), "{trail}");
}

#[test]
fn what_a_script_does_not_take_is_refused_before_anything_runs() {
    let home = Home::new();
    create(&home, &[]);
    let name = home.this_machine();
    let with = |values: &[&str]| {
        let sets: Vec<&str> = values.iter().flat_map(|value| ["--set", value]).collect();
        home.refused(&[&["script", "run", "greet", "--on", &name][..], &sets].concat(), 2)
    };
    for (values, word) in [
        (&[][..], "whom must be given"),
        (&["whom=x", "code=10"][..], "code is above 9"),
        (&["whom=x", "code=1;id"][..], "code is no whole number"),
        (&["whom=x", "PATH=/tmp"][..], "no parameter \"PATH\""),
        (&["whom"][..], "there is no = in it"),
    ] {
        assert!(with(values).contains(word), "{values:?}: {}", with(values));
    }
    assert!(with(&[&format!("whom={}", "x".repeat(61))]).contains("more than 60 characters"));
    let stored: Vec<Value> = home.json(&["op", "list"])["items"].as_array().unwrap().clone();
    assert!(stored.is_empty(), "{stored:?}");
    home.json(&["script", "edit", "greet", "--hosts", "group:elsewhere"]);
    let failed = run(&home, 1, &["--set", "whom=x"]);
    assert!(failed["note"].as_str().unwrap().contains("only on group:elsewhere"), "{failed}");
    home.refused(&["script", "edit", "greet", "--param", "a:number"], 2);
    home.refused(&["script", "create", "empty"], 2);
}

#[test]
fn what_is_destructive_takes_its_name() {
    let home = Home::new();
    create(&home, &[]);
    home.json(&["script", "edit", "greet", "--risk", "destructive"]);
    let name = home.this_machine();
    let words = ["script", "run", "greet", "--on", &name];
    assert!(home.refused(&words, 2).contains("--confirm greet"));
    home.refused(&[&words[..], &["--confirm", "other"]].concat(), 2);
    assert_eq!(run(&home, 0, &["--set", "whom=x", "--confirm", "greet"])["state"], "done");
}
