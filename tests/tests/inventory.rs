//! Every question of every collector, held to the rules that let it pass through any login shell and any `sh`.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::OnceLock,
};

use reanimator_core::{
    collect::linux::inventory::{
        Question, ask::answers, containers, disks, hardware, listeners, network, script, sensors, system, updates,
    },
    model::facts::{
        system::{Boot, PastBoot, System},
        updates::Updates,
    },
};

/// What each collector asks, in each of its ways of asking.
fn questions() -> Vec<(&'static str, Vec<Question>)> {
    // What a host said goes back into these two.
    let boot = Boot {
        id: Some("44d0dbd1-c4a0-4728-86fe-851e95d49caf".into()),
        recent: vec![PastBoot::default()],
        ..Boot::default()
    };
    let known = System { boot: Some(boot), ..System::default() };
    let now = jiff::Timestamp::now();
    let counted =
        Updates { pending: Some(0), counted_at: Some(now), stamp: Some("3922229062 886".into()), ..Updates::default() };
    vec![
        ("hardware", hardware::questions()),
        ("sensors", sensors::questions()),
        ("disks", disks::questions()),
        ("network", network::questions()),
        ("system", system::questions()),
        ("system, slow", system::slow_questions(None)),
        ("system, slow, again", system::slow_questions(Some(&known))),
        ("updates", updates::questions()),
        ("updates, again", updates::questions_after(Some(&counted), now)),
        ("containers", containers::questions()),
        ("listeners", listeners::questions()),
    ]
}

/// All questions that one script may hold: each name once.
fn all() -> Vec<Question> {
    let mut by_name = BTreeMap::new();
    for question in questions().into_iter().flat_map(|(_, questions)| questions) {
        by_name.entry(question.name).or_insert(question);
    }
    by_name.into_values().collect()
}

/// The shells of this machine that a host may have as `sh`.
fn shells() -> Vec<Vec<&'static str>> {
    let known = [vec!["sh"], vec!["dash"], vec!["bash"], vec!["bash", "--posix"], vec!["busybox", "ash"], vec!["ksh"]];
    let runs = |shell: &Vec<&str>| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).args(["-c", "exit 0"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    known.into_iter().filter(runs).collect()
}

fn run(shell: &[&str], script: &str, locale: &str) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", script]).env("LANG", locale).env("LC_ALL", locale).env("LANGUAGE", "de");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{shell:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The answers in the machine's plainest shell, asked once for all tests that compare with them.
fn plain() -> &'static str {
    static PLAIN: OnceLock<String> = OnceLock::new();
    PLAIN.get_or_init(|| run(&["sh"], &script(&all()), "C"))
}

#[test]
fn a_question_passes_as_one_single_quoted_word() {
    for (collector, questions) in questions() {
        for Question { name, tool, text } in questions {
            let bad = |c: char| ['\'', '\\', '!'].contains(&c) || c.is_control() || !c.is_ascii();
            assert!(!text.contains(bad), "{collector}: {name} holds {:?}", text.chars().find(|c| bad(*c)));
            let of_word = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            assert!(!name.is_empty() && name.chars().all(of_word), "{collector}: the name {name:?}");
            assert!(tool.is_none_or(|tool| tool.chars().all(of_word)), "{collector}: the tool {tool:?}");
        }
    }
}

#[test]
fn no_two_questions_have_one_name() {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (way, questions) in questions() {
        let collector = way.split(',').next().unwrap();
        let mut own: Vec<&str> = questions.iter().map(|question| question.name).collect();
        own.sort_unstable();
        let count = own.len();
        own.dedup();
        assert_eq!(count, own.len(), "{way} asks twice by one name");
        for name in own {
            assert_eq!(*seen.entry(name).or_insert(collector), collector, "{name} is asked by two");
        }
    }
}

#[test]
fn a_script_is_short_enough_for_one_argument() {
    // Linux takes 128 KiB in one argument, and a login shell quotes it again.
    let length = script(&all()).len();
    assert!(length < 60_000, "{length} bytes");
}

#[test]
fn every_shell_reads_every_question() {
    for shell in shells() {
        for (collector, questions) in questions() {
            for question in questions {
                let script = script(std::slice::from_ref(&question));
                let output = Command::new(shell[0]).args(&shell[1..]).args(["-n", "-c", &script]).output().unwrap();
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{shell:?} on {collector}, {}: {complaint}", question.name);
            }
        }
    }
}

#[test]
fn every_shell_ends_every_answer() {
    for shell in shells() {
        let said = if shell == ["sh"] { plain().to_owned() } else { run(&shell, &script(&all()), "C") };
        let answers = answers(&said);
        for Question { name, .. } in all() {
            let answer = answers.get(name).unwrap_or_else(|| panic!("{shell:?} gave no answer to {name}"));
            assert!(answer.status.is_some(), "{shell:?}: the answer to {name} has no end");
            let complaint = answer.complaint.to_lowercase();
            let wrong = ["syntax", "unexpected", "bad substitution", "unterminated", "bad option", "invalid option"];
            assert!(!wrong.iter().any(|word| complaint.contains(word)), "{shell:?} on {name}: {complaint}");
        }
    }
}

#[test]
fn questions_survive_a_login_shell() {
    // As the SSH transport sends them: one single-quoted word for the shell of the account.
    let script = script(&all());
    let command = format!("sh -c '{script}'");
    for shell in shells() {
        let answers = answers(&run(&shell, &command, "C"));
        for Question { name, .. } in all() {
            assert!(answers.get(name).is_some_and(|answer| answer.status.is_some()), "{shell:?}: {name}");
        }
    }
}

#[test]
fn the_hosts_language_does_not_matter() {
    let german = answers(&run(&["sh"], &script(&all()), "de_DE.UTF-8"));
    let plain = answers(plain());
    for Question { name, .. } in all() {
        let (german, plain) = (german.get(name).unwrap(), plain.get(name).unwrap());
        assert_eq!((german.status, &german.complaint), (plain.status, &plain.complaint), "{name}");
        // Figures move from one to the other; words do not.
        let words = |text: &str| {
            let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 3);
            words.map(str::to_lowercase).collect::<std::collections::BTreeSet<_>>()
        };
        let (german, plain) = (words(&german.text), words(&plain.text));
        let new = german.difference(&plain).count();
        assert!(new <= 3 + plain.len() / 10, "{name} answers in other words: {:?}", german.difference(&plain));
    }
}
