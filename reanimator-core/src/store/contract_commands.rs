//! What every store must keep to, continued: runs of commands and saved commands.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use crate::model::{AnswerState, CommandAnswer, CommandId, CommandRun, CommandState, HostId, SavedCommand};

use super::{KeptCommands, OpenCommand, Store, contract::at};

fn run(id: &str, seconds: i64) -> CommandRun {
    CommandRun {
        id: CommandId::from(id),
        command: "uptime".into(),
        on: "all".into(),
        sudo: false,
        time_limit_seconds: 60,
        output_limit_bytes: 1024,
        requested_by: "ada".into(),
        requested_from: "local".into(),
        requested_at: at(seconds),
        ended_at: None,
        state: CommandState::Running,
        hosts: 2,
        ok: 0,
        failed: 0,
    }
}

fn open(run: &CommandRun) -> OpenCommand {
    OpenCommand { run: run.clone(), owner: "p1".into(), owned_until: at(100) }
}

fn answer(host: &str, stdout: &[u8]) -> CommandAnswer {
    CommandAnswer {
        state: AnswerState::Over,
        status: Some(0),
        stdout: stdout.to_vec(),
        stderr: b"\xff\0".to_vec(),
        stdout_cut_at: Some(7),
        milliseconds: 12,
        ..CommandAnswer::waiting(HostId::from(host), host)
    }
}

pub(crate) async fn commands(store: &dyn Store) {
    let first = run("1", 1);
    let waiting = [CommandAnswer::waiting("a".into(), "a"), CommandAnswer::waiting("b".into(), "b")];
    store.add_command(&open(&first), &waiting).await.unwrap();
    assert_eq!(store.command_answers(&first.id).await.unwrap(), waiting);
    assert_eq!(store.open_commands().await.unwrap(), [open(&first)]);

    let further = CommandRun { ok: 1, ..first.clone() };
    assert!(store.write_command(&further, "p1", &[answer("b", b"one\n")]).await.unwrap());
    assert!(!store.write_command(&further, "p2", &[answer("b", b"two\n")]).await.unwrap(), "it is another's");
    assert_eq!(store.command(&first.id).await.unwrap(), Some(further.clone()));
    assert_eq!(store.command_answers(&first.id).await.unwrap(), [waiting[0].clone(), answer("b", b"one\n")]);
    assert_eq!(store.command_answer(&first.id, &"b".into()).await.unwrap(), Some(answer("b", b"one\n")));
    assert_eq!(store.command_answer(&first.id, &"c".into()).await.unwrap(), None);

    assert!(!store.keep_command(&first.id, "p1", at(200)).await.unwrap());
    assert_eq!(store.open_commands().await.unwrap()[0].owned_until, at(200));
    assert!(store.wish_command_stopped(&first.id).await.unwrap());
    assert!(store.keep_command(&first.id, "p1", at(300)).await.unwrap());
    let over = CommandRun { state: CommandState::Stopped, ended_at: Some(at(9)), ..further };
    assert!(store.write_command(&over, "p1", &[]).await.unwrap());
    assert!(!store.write_command(&over, "p1", &[answer("a", b"late")]).await.unwrap(), "it is over");
    assert!(!store.wish_command_stopped(&first.id).await.unwrap());
    assert!(store.open_commands().await.unwrap().is_empty());

    store.add_command(&open(&run("2", 2)), &[]).await.unwrap();
    let ids = |runs: Vec<CommandRun>| runs.into_iter().map(|run| run.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.commands(None, 10).await.unwrap()), ["2", "1"]);
    assert_eq!(ids(store.commands(Some(&"2".into()), 10).await.unwrap()), ["1"]);
    assert_eq!(ids(store.commands(None, 1).await.unwrap()), ["2"]);
    assert_eq!(store.command(&"nothing".into()).await.unwrap(), None);
}

pub(crate) async fn retention(store: &dyn Store) {
    // What does not shrink, so that its size is known.
    let mut noise = 7_u32;
    let mut block = || -> Vec<u8> {
        (0..10_000)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .collect()
    };
    for number in 1..=6 {
        let run = run(&number.to_string(), number);
        store.add_command(&open(&run), &[answer("a", &block())]).await.unwrap();
        if number != 2 {
            let over = CommandRun { state: CommandState::Done, ..run };
            store.write_command(&over, "p1", &[]).await.unwrap();
        }
    }
    let left = || async { store.commands(None, 10).await.unwrap().into_iter().map(|run| run.id.0).collect::<Vec<_>>() };
    let all = KeptCommands { since: at(0), runs: 10, bytes: 1 << 30 };
    assert_eq!(store.prune_commands(&all).await.unwrap(), 0);
    assert_eq!(store.prune_commands(&KeptCommands { since: at(2), ..all }).await.unwrap(), 1);
    assert_eq!(left().await, ["6", "5", "4", "3", "2"]);
    assert_eq!(store.prune_commands(&KeptCommands { runs: 3, ..all }).await.unwrap(), 1);
    assert_eq!(left().await, ["6", "5", "4", "2"], "one that is not over stays");
    assert_eq!(store.prune_commands(&KeptCommands { bytes: 25_000, ..all }).await.unwrap(), 1);
    assert_eq!(left().await, ["6", "5", "2"]);
    assert!(store.command_answers(&"4".into()).await.unwrap().is_empty(), "answers go with their run");
}

pub(crate) async fn saved(store: &dyn Store) {
    let saved = |name: &str, command: &str| SavedCommand {
        name: name.into(),
        command: command.into(),
        on: "web*".into(),
        sudo: true,
        time_limit_seconds: 5,
        comment: "what it is for".into(),
        saved_by: "ada".into(),
        saved_at: at(5),
    };
    assert!(!store.replace_saved_command(&saved("b", "true")).await.unwrap());
    assert!(store.add_saved_command(&saved("b", "true")).await.unwrap());
    assert!(store.add_saved_command(&saved("a", "uptime")).await.unwrap());
    assert!(!store.add_saved_command(&saved("a", "false")).await.unwrap());
    assert!(store.replace_saved_command(&saved("b", "false")).await.unwrap());
    assert_eq!(store.saved_commands().await.unwrap(), [saved("a", "uptime"), saved("b", "false")]);
    assert!(store.delete_saved_command("a").await.unwrap());
    assert!(!store.delete_saved_command("a").await.unwrap());
}
