//! This machine through the transport trait, and recordings of it.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use reanimator_core::transport::{Become, Command, Local, Recorder, Replay, Transport};
use reanimator_core::{ErrorKind, report};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[tokio::test]
async fn everything_comes_back_apart() {
    let local = Local::new();
    let output = local.run(Command::shell("cat; echo oops >&2; exit 3").stdin("in\n")).await.unwrap();
    assert_eq!((output.stdout.text().as_str(), output.stderr.text().as_str()), ("in\n", "oops\n"));
    assert_eq!((output.status, output.signal), (Some(3), None));
    let output = local.run(Command::shell("kill -KILL $$")).await.unwrap();
    assert_eq!((output.status, output.signal.as_deref()), (None, Some("KILL")));
    let output = local.run(Command::shell("exit 2").stdin(vec![0; 5_000_000])).await.unwrap();
    assert_eq!(output.status, Some(2));
    let output = local.run(Command::shell("(sleep 0.3; echo late) & echo early")).await.unwrap();
    assert_eq!(output.stdout.text(), "early\nlate\n");
}

#[tokio::test]
async fn a_command_beyond_its_limits_is_ended_with_its_group() {
    let local = Local::new();
    for text in ["sleep NNN & sleep NNN", "trap '' TERM; sleep NNN; sleep NNN", "sleep NNN & exit 0"] {
        let sleep = format!("sleep 555{}", std::process::id());
        let command = Command::shell(text.replace("sleep NNN", &sleep)).time_limit(Duration::from_millis(200));
        let error = local.run(command).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        gone(&sleep).await;
    }
    let output = local.run(Command::shell("yes $((5 * 11))").output_limit(10)).await.unwrap();
    assert_eq!((output.stdout.cut_at, output.success()), (Some(10), false));
    gone("yes 55").await;
}

#[tokio::test]
async fn a_command_that_is_no_longer_waited_for_is_ended() {
    let sleep = format!("sleep 666{}", std::process::id());
    let local = Local::new();
    let run = local.run(Command::shell(format!("{sleep}; true")));
    assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err());
    gone(&sleep).await;
    let process = Local::new().start(Command::shell(format!("{sleep}; true"))).await.unwrap();
    drop(process);
    gone(&sleep).await;
}

#[tokio::test]
async fn what_is_left_running_on_purpose_stays() {
    let sleep = format!("sleep 0.777{}", std::process::id());
    let output = Local::new().run(Command::shell(format!("{sleep} >/dev/null 2>&1 & echo $!"))).await.unwrap();
    let pid = output.stdout.text().trim().to_owned();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    gone(&sleep).await;
}

#[tokio::test]
async fn sudo_that_is_refused_says_what_to_do() {
    let command = |how| Command::shell("id -u").become_root(how).time_limit(Duration::from_secs(20));
    match Local::new().run(command(Become::Sudo)).await {
        Ok(output) => assert_eq!(output.stdout.text(), "0\n"),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::AuthFailed | ErrorKind::Denied), "{}", report(&error));
            assert!(error.next_step().is_some());
        }
    }
}

#[tokio::test]
async fn a_recording_answers_as_the_machine_did_and_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.jsonl");
    let recorder = Recorder::create(Local::new(), &file, vec!["hunter2".into()]).unwrap();
    assert_eq!(Recorder::create(Local::new(), &file, Vec::new()).unwrap_err().kind(), ErrorKind::Storage);
    let count = format!("echo x >>{0}/n; wc -l <{0}/n", folder.path().display());
    let secret = Command::shell("cat; printf '\\377' >&2; echo the hunter2").stdin("hunter2 swordfish");
    recorder.run(Command::shell(&count)).await.unwrap();
    recorder.run(Command::shell(&count)).await.unwrap();
    recorder.run(secret.clone()).await.unwrap();
    recorder.run(Command::shell("sleep 5").time_limit(Duration::from_millis(50))).await.unwrap_err();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2"), "{text}");

    let replay = Replay::open(&file).unwrap();
    assert_eq!(replay.label(), "local");
    for expected in ["1", "2", "2"] {
        assert_eq!(replay.run(Command::shell(&count)).await.unwrap().stdout.text().trim(), expected);
    }
    let output = replay.run(Command::shell(secret.text.replace("hunter2", "[secret]"))).await.unwrap();
    assert_eq!(output.stderr.bytes, [255]);
    let error = replay.run(Command::shell("sleep 5")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = replay.run(Command::shell("never seen")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(report(&error).contains("`never seen`"), "{}", report(&error));
}

#[tokio::test]
async fn a_recorded_conversation_is_answered_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.jsonl");
    let recorder = Recorder::create(Local::new(), &file, Vec::new()).unwrap();
    let watch = Command::shell("n=0; echo hello; while read -r line; do n=$((n + 1)); echo \"$line $n\"; done; exit 5");
    assert_eq!(converse(&recorder, &watch, 2).await, ["hello", "tick 1", "tick 2"]);
    let replay = Replay::open(&file).unwrap();
    // The last answer serves all that follow, and the recording can be used again.
    for _ in 0..2 {
        assert_eq!(converse(&replay, &watch, 3).await, ["hello", "tick 1", "tick 2", "tick 2"]);
    }
}

async fn converse(host: &impl Transport, command: &Command, ticks: usize) -> Vec<String> {
    let mut process = host.start(command.clone()).await.unwrap();
    let mut lines = BufReader::new(process.stdout).lines();
    let mut heard = vec![lines.next_line().await.unwrap().unwrap()];
    for _ in 0..ticks {
        process.stdin.write_all(b"tick\n").await.unwrap();
        heard.push(lines.next_line().await.unwrap().unwrap());
    }
    process.stdin.shutdown().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None);
    assert_eq!(process.exit.await.unwrap().status, Some(5));
    heard
}

async fn gone(command: &str) {
    let wanted = command.replace(' ', "\0") + "\0";
    let until = Instant::now() + Duration::from_secs(5);
    let runs = || {
        let mut entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries.any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == wanted.as_bytes()))
    };
    while runs() {
        assert!(Instant::now() < until, "`{command}` still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
