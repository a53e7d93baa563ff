//! Runs on this very machine, over a store of their own.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{path::Path, time::Duration};

use super::*;
use crate::{FleetOptions, store::OpenCommand};

async fn commands(directory: &Path) -> Commands {
    Commands::new(Fleet::open(FleetOptions::new(directory)).await.unwrap())
}

fn new(command: &str) -> NewCommand {
    NewCommand { command: command.into(), on: "all".into(), ..NewCommand::default() }
}

fn ada() -> By {
    By { who: "ada".into(), from: "local".into() }
}

async fn outcomes(commands: &Commands) -> Vec<String> {
    let entries = commands.inner.fleet.access().audit(None, 10).await.unwrap();
    entries.into_iter().map(|entry| format!("{} {}", entry.entry.what, entry.entry.outcome)).collect()
}

#[tokio::test]
async fn the_trail_says_where_and_which_command_whoever_asked() {
    let directory = tempfile::tempdir().unwrap();
    let commands = commands(directory.path()).await;
    let run = commands.start(new("true"), &ada()).await.unwrap();
    commands.wait(&run.id).await.unwrap();
    commands.start(new(" "), &ada()).await.unwrap_err();
    let entries = commands.inner.fleet.access().audit(None, 10).await.unwrap();
    let shapes: Vec<(&str, &str)> =
        entries.iter().map(|row| (row.entry.what.as_str(), row.entry.on.as_str())).collect();
    assert_eq!(shapes, [("exec", "all:  "), ("exec", "all: true"), ("exec", "all: true")]);
}

/// Waits until a view is as wanted.
async fn until(commands: &Commands, id: &CommandId, wanted: impl Fn(&CommandView) -> bool) -> Arc<CommandView> {
    let seen = async {
        loop {
            let view = commands.view(id).await.unwrap();
            if wanted(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap()
}

#[tokio::test]
async fn a_run_is_kept_with_what_hosts_answered() {
    let directory = tempfile::tempdir().unwrap();
    let first = commands(directory.path()).await;
    let run = first.start(new("printf 'a\\377'; echo wrong >&2; exit 3"), &ada()).await.unwrap();
    let over = first.wait(&run.id).await.unwrap();
    assert_eq!((over.state, over.hosts, over.ok, over.failed), (CommandState::Done, 1, 0, 1));
    assert_eq!(outcomes(&first).await[..2], ["exec failed on 1 of 1", "exec started"]);
    first.inner.fleet.close().await;

    let second = commands(directory.path()).await;
    let view = second.view(&run.id).await.unwrap();
    assert_eq!((view.run.state, view.groups[0].status), (CommandState::Done, Some(3)));
    assert_eq!((view.groups[0].stdout.as_str(), view.groups[0].stderr.as_str()), ("a\u{fffd}", "wrong\n"));
    let answer = second.answer(&run.id, &view.groups[0].hosts[0].id).await.unwrap();
    assert_eq!(answer.stdout, b"a\xff");
    assert_eq!(second.list(None, 10).await.unwrap(), std::slice::from_ref(&view.run));
    assert_eq!(second.view(&"nothing".into()).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn lines_arrive_while_it_runs_and_stopping_ends_it_on_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let commands = commands(directory.path()).await;
    let mark = directory.path().join("mark").display().to_string();
    let run =
        commands.start(new(&format!("echo $$ >{mark}; echo first; sleep 1000; echo last")), &ada()).await.unwrap();
    let view = until(&commands, &run.id, |view| view.groups.iter().any(|group| group.stdout == "first\n")).await;
    assert!(view.groups[0].running && view.run.state == CommandState::Running);
    let stopped = commands.stop(&run.id, &ada()).await.unwrap();
    assert_eq!(stopped.state, CommandState::Stopped);
    let pid = std::fs::read_to_string(&mark).unwrap();
    let gone = async {
        while Path::new("/proc").join(pid.trim()).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the process on the host is ended");
    let view = commands.view(&run.id).await.unwrap();
    assert_eq!((view.groups[0].stdout.as_str(), view.run.state), ("first\n", CommandState::Stopped));
    assert_eq!(view.groups[0].error.as_ref().map(|error| error.kind), Some(ErrorKind::Cancelled));
    assert!(outcomes(&commands).await.contains(&"exec stop ok".to_owned()));
    assert_eq!(commands.stop(&run.id, &ada()).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn another_process_may_stop_it() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, other) = (commands(directory.path()).await, commands(directory.path()).await);
    let run = ours.start(new("sleep 1000"), &ada()).await.unwrap();
    other.stop(&run.id, &ada()).await.unwrap();
    let over = tokio::time::timeout(Duration::from_secs(10), ours.wait(&run.id)).await.unwrap().unwrap();
    assert_eq!(over.state, CommandState::Stopped);
}

#[tokio::test]
async fn what_a_process_that_ended_has_left_is_interrupted_with_what_had_come() {
    let directory = tempfile::tempdir().unwrap();
    let commands = commands(directory.path()).await;
    let run = commands.start(new("echo half; sleep 1000"), &ada()).await.unwrap();
    until(&commands, &run.id, |view| !view.groups.is_empty()).await;
    commands.close().await;
    let view = commands.view(&run.id).await.unwrap();
    assert_eq!((view.run.state, view.groups[0].stdout.as_str()), (CommandState::Interrupted, "half\n"));

    // As a process leaves it that was killed.
    let dead =
        CommandRun { id: CommandId::generate(), state: CommandState::Running, ended_at: None, ..view.run.clone() };
    let owner = "process 1 on elsewhere, x/y/z".to_owned();
    let now = commands.inner.fleet.now();
    let open = OpenCommand { run: dead.clone(), owner, owned_until: now + Duration::from_secs(60) };
    commands.inner.fleet.store().add_command(&open, &[]).await.unwrap();
    commands.tidy().await.unwrap();
    assert_eq!(commands.get(&dead.id).await.unwrap().state, CommandState::Running, "its lease is good");
    let late = OpenCommand { run: CommandRun { id: CommandId::generate(), ..dead }, owned_until: now, ..open };
    commands.inner.fleet.store().add_command(&late, &[]).await.unwrap();
    commands.tidy().await.unwrap();
    assert_eq!(commands.get(&late.run.id).await.unwrap().state, CommandState::Interrupted);
    assert!(outcomes(&commands).await[0].contains("interrupted after 0 answers"));
}

#[tokio::test]
async fn what_takes_too_long_is_ended_and_keeps_what_it_had_said() {
    let directory = tempfile::tempdir().unwrap();
    let commands = commands(directory.path()).await;
    let slow = NewCommand { time_limit_seconds: Some(1), ..new("echo half; sleep 1000") };
    let run = commands.start(slow, &ada()).await.unwrap();
    commands.wait(&run.id).await.unwrap();
    let view = commands.view(&run.id).await.unwrap();
    assert_eq!(view.groups[0].stdout, "half\n");
    assert_eq!(view.groups[0].error.as_ref().map(|error| error.kind), Some(ErrorKind::Timeout));
}

#[tokio::test]
async fn output_without_end_is_cut_and_what_is_wrong_is_refused_and_noted() {
    let directory = tempfile::tempdir().unwrap();
    let commands = commands(directory.path()).await;
    let much = NewCommand { output_limit_bytes: Some(1000), ..new("yes | head -c 200000") };
    let run = commands.start(much, &ada()).await.unwrap();
    assert_eq!(commands.wait(&run.id).await.unwrap().ok, 1);
    let view = commands.view(&run.id).await.unwrap();
    assert_eq!((view.groups[0].stdout.len(), view.groups[0].stdout_cut_at), (1000, Some(1000)));
    for wrong in
        [new(" "), NewCommand { on: "nobody".into(), ..new("true") }, NewCommand { on: "[".into(), ..new("true") }]
    {
        assert!(commands.start(wrong.clone(), &ada()).await.is_err(), "{wrong:?}");
    }
    assert_eq!(commands.list(None, 10).await.unwrap().len(), 1);
}
