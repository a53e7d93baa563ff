//! Commands over SSH against a real sshd on loopback.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod support;

use std::time::{Duration, Instant};

use reanimator_core::transport::{Command, Transport};
use reanimator_core::{ErrorKind, report};
use support::sshd::Sshd;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_apart() {
    let sshd = Sshd::start();
    let host = sshd.client();
    let output = host.run(Command::shell("cat; echo oops >&2; exit 3").stdin("in\n")).await.unwrap();
    assert_eq!((output.stdout.text().as_str(), output.stderr.text().as_str()), ("in\n", "oops\n"));
    assert_eq!((output.status, output.signal), (Some(3), None));
    let output = host.run(Command::shell("kill -KILL $$")).await.unwrap();
    assert!(output.signal.as_deref() == Some("KILL") || output.status == Some(137), "{output:?}");
    assert_eq!(host.host_key().unwrap().public_key.as_deref(), Some(sshd.host_key.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_exit_status_is_not_lost() {
    let sshd = Sshd::start();
    let output = sshd.client().run(Command::shell("(sleep 1; echo late) & echo early; exit 4")).await.unwrap();
    assert_eq!((output.stdout.text().as_str(), output.status), ("early\nlate\n", Some(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_command_is_driven_line_by_line() {
    let sshd = Sshd::start();
    let mut process =
        sshd.client().start(Command::shell("while read -r line; do echo \"<$line>\"; done; exit 7")).await.unwrap();
    let mut lines = BufReader::new(&mut process.stdout).lines();
    for word in ["one", "two"] {
        process.stdin.write_all(format!("{word}\n").as_bytes()).await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), format!("<{word}>"));
    }
    process.stdin.shutdown().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None);
    let mut errors = String::new();
    process.stderr.read_to_string(&mut errors).await.unwrap();
    assert_eq!(errors, "");
    assert_eq!(process.exit.await.unwrap().status, Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_of_input_arrive_whole() {
    let sshd = Sshd::start();
    let bytes = vec![7; 50_000_000];
    let output = sshd.client().run(Command::shell("wc -c").stdin(bytes)).await.unwrap();
    assert_eq!(output.stdout.text().trim(), "50000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_nobody_reads_holds_nothing_up() {
    let sshd = Sshd::start();
    let output = sshd.client().run(Command::shell("exit 2").stdin(vec![0; 20_000_000])).await.unwrap();
    assert_eq!(output.status, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_kept_as_it_is_and_cut_where_it_is_too_long() {
    let sshd = Sshd::start();
    let command = Command::shell("head -c 1000000 /dev/urandom | tee /dev/stderr").output_limit(600_000);
    let output = sshd.client().run(command).await.unwrap();
    assert_eq!((output.stdout.bytes.len(), output.stdout.cut_at), (600_000, Some(600_000)));
    assert_eq!(output.stderr.bytes, output.stdout.bytes);
    assert!(output.stdout.text().contains('\u{fffd}'));
    assert!(output.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output_is_cut_and_the_command_ended() {
    let sshd = Sshd::start();
    let host = sshd.client();
    let output = host.run(Command::shell("yes $((6 * 7))").output_limit(1000)).await.unwrap();
    assert_eq!((output.stdout.bytes.len(), output.stdout.cut_at, output.success()), (1000, Some(1000), false));
    gone("yes 42").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beyond_its_time_limit_is_ended_with_its_group() {
    let sshd = Sshd::start();
    let host = sshd.client();
    for (nth, text) in [
        "sleep 111NNN",
        "sh -c 'sleep 111NNN & sleep 111NNN'",
        "trap '' TERM; sleep 111NNN; sleep 111NNN",
        "sleep 111NNN & exit 0",
        "nohup sleep 111NNN",
    ]
    .into_iter()
    .enumerate()
    {
        let mark = format!("{}{nth}", sshd.port);
        let command = Command::shell(text.replace("NNN", &mark)).time_limit(Duration::from_millis(500));
        let error = host.run(command).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{text}");
        assert!(report(&error).contains("it was ended"), "{}", report(&error));
        gone(&format!("sleep 111{mark}")).await;
    }
    // The sessions are free again.
    for _ in 0..20 {
        assert!(host.run(Command::shell("true")).await.unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_no_longer_waited_for_is_ended() {
    let sshd = Sshd::start();
    let host = sshd.client();
    let command = format!("sleep 222{}", sshd.port);
    let waiting = tokio::spawn({
        let (host, command) = (host.clone(), command.clone());
        async move { host.run(Command::shell(format!("{command}; true"))).await }
    });
    present(&command).await;
    waiting.abort();
    gone(&command).await;
    let process = host.start(Command::shell(format!("{command}; true"))).await.unwrap();
    present(&command).await;
    drop(process);
    gone(&command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_commands_share_one_connection() {
    let sshd = Sshd::start();
    let host = sshd.client();
    let runs = (0..20).map(|n| {
        let host = host.clone();
        async move { host.run(Command::shell(format!("sleep 0.1; echo {n}"))).await.unwrap().stdout.text() }
    });
    let answers = futures::future::join_all(runs).await;
    assert_eq!(answers, (0..20).map(|n| format!("{n}\n")).collect::<Vec<_>>());
    assert_eq!(sshd.log().matches("Accepted publickey").count(), 1, "{}", sshd.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_session_limit_is_learnt() {
    let sshd = Sshd::with("MaxSessions 3");
    let host = sshd.client();
    let runs = (0..20).map(|_| host.run(Command::shell("sleep 0.1")));
    for output in futures::future::join_all(runs).await {
        assert!(output.unwrap().success());
    }
    assert_eq!(host.sessions(), 3);
    // With no session to spare a command is still ended for sure.
    let sshd = Sshd::with("MaxSessions 1");
    let host = sshd.client();
    let sleep = format!("sleep 333{}", sshd.port);
    let error = host.run(Command::shell(&sleep).time_limit(Duration::from_millis(300))).await.unwrap_err();
    assert!(report(&error).contains("it was ended"), "{}", report(&error));
    gone(&sleep).await;
    assert!(host.run(Command::shell("true")).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_back_is_found_again() {
    let mut sshd = Sshd::start();
    let host = sshd.client();
    assert!(host.run(Command::shell("true")).await.unwrap().success());
    let sleep = format!("sleep 444{}", sshd.port);
    let running = tokio::spawn({
        let (host, sleep) = (host.clone(), sleep.clone());
        async move { host.run(Command::shell(sleep)).await }
    });
    present(&sleep).await;
    sshd.stop();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{}", report(&error));
    assert!(report(&error).contains("is not known"), "{}", report(&error));
    for pid in running_as(&sleep) {
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
    }
    let error = host.run(Command::shell("true")).await.unwrap_err();
    assert!(report(&error).contains("refused"), "{}", report(&error));
    // During the back-off the answer comes at once; it says that it is the last attempt's.
    let mut told = false;
    sshd.run();
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match host.run(Command::shell("echo back")).await {
            Ok(output) => break assert_eq!(output.stdout.text(), "back\n"),
            Err(error) => told |= report(&error).contains("the last attempt's outcome"),
        }
        assert!(Instant::now() < until, "never came back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(told, "no failure during the back-off was seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_arrive_as_they_are() {
    let sshd = Sshd::start();
    let host = sshd.client();
    for word in
        ["it's", "$(id) `id` $HOME", "a\nb\n", "\\ \\\\ \\n", "!! \" ; & | > * ? ~ # %s", "ü ß 漢字 😀", "", "-n"]
    {
        let output = host.run(Command::argv(["printf", "%s", word])).await.unwrap();
        assert_eq!(output.stdout.text(), word);
        for shell in ["dash", "bash", "busybox ash"] {
            let argv = shell.split(' ').chain(["-c", "printf %s \"$1\"", "sh", word]);
            let output = host.run(Command::argv(argv)).await.unwrap();
            assert_eq!(output.stdout.text(), word, "{shell}: {output:?}");
        }
    }
}

/// Waits until no process has this command line any more.
async fn gone(command: &str) {
    wait_for(command, false).await;
}

async fn present(command: &str) {
    wait_for(command, true).await;
}

async fn wait_for(command: &str, wanted: bool) {
    let until = Instant::now() + Duration::from_secs(5);
    while running_as(command).is_empty() == wanted {
        assert!(Instant::now() < until, "`{command}` runs: {}", !wanted);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The processes with exactly this command line.
fn running_as(command: &str) -> Vec<String> {
    let wanted = command.replace(' ', "\0") + "\0";
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let is_it = |entry: &std::fs::DirEntry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == wanted.as_bytes())
    };
    entries.filter(is_it).map(|entry| entry.file_name().into_string().unwrap()).collect()
}
