//! Work that goes on by itself, in the shell of this machine.
#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc, time::Duration};

use reanimator_core::{
    collect::linux::job::{JobEnd, JobEndReason, JobSpec, JobState, Look, Started},
    host::linux::{Jobs, LinuxMachine},
    transport::{Become, Command, Local, Transport as _},
};

/// Longer than any job here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Jobs under a folder of this test alone; each call makes another, as another process would.
fn jobs(folder: &Path) -> Jobs {
    LinuxMachine::new(Arc::new(Local::new()), Become::No).jobs().under(folder.to_string_lossy())
}

async fn until(jobs: &Jobs, name: &str, well: impl Fn(&Look) -> bool) -> Look {
    let looking = async {
        loop {
            let look = jobs.look(name, Some(0)).await.unwrap();
            if well(&look) {
                return look;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap()
}

async fn end(jobs: &Jobs, name: &str) -> (JobEnd, Look) {
    let look = until(jobs, name, |look| !matches!(look.state, JobState::Running)).await;
    let JobState::Ended(end) = look.state else { panic!("{look:?}") };
    (end, look)
}

fn is_there(word: &str) -> impl Future<Output = bool> + '_ {
    // The brackets keep it from finding itself.
    let pattern = format!("[{}]{}", &word[..1], &word[1..]);
    let command = Command::shell(format!("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '{pattern}'"));
    async move { Local::new().run(command).await.unwrap().stdout.text().trim() != "0" }
}

#[tokio::test]
async fn a_job_is_begun_once_and_found_again_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("count");
    let body = format!("echo one >>'{}'; echo out; echo err >&2; exit 3", counted.display());
    let spec = JobSpec::new("twice", body);
    assert_eq!(jobs(folder.path()).look("twice", None).await.unwrap().state, JobState::Absent);
    assert_eq!(jobs(folder.path()).start(&spec).await.unwrap(), Started::Now);
    assert_eq!(jobs(folder.path()).start(&spec).await.unwrap(), Started::Before);
    let (ended, look) = end(&jobs(folder.path()), "twice").await;
    assert_eq!((ended.status, ended.why, ended.is_well()), (Some(3), JobEndReason::Itself, false));
    assert_eq!((look.output.as_slice(), look.size, look.cut), (b"out\nerr\n".as_slice(), 8, false));
    assert_eq!(jobs(folder.path()).start(&spec).await.unwrap(), Started::Before);

    jobs(folder.path()).forget("twice").await.unwrap();
    let look = jobs(folder.path()).look("twice", None).await.unwrap();
    assert_eq!((look.state, look.size), (JobState::Ended(ended), 0), "how it ended stays");
    assert_eq!(jobs(folder.path()).start(&spec).await.unwrap(), Started::Before);
    assert_eq!(std::fs::read_to_string(counted).unwrap(), "one\n");
}

#[tokio::test]
async fn many_that_start_one_job_at_once_start_one() {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("count");
    let spec = JobSpec::new("crowd", format!("echo one >>'{}'", counted.display()));
    let started = futures::future::join_all((0..8).map(|_| {
        let (jobs, spec) = (jobs(folder.path()), spec.clone());
        async move { jobs.start(&spec).await }
    }));
    assert!(started.await.iter().all(Result::is_ok));
    end(&jobs(folder.path()), "crowd").await;
    assert_eq!(std::fs::read_to_string(counted).unwrap(), "one\n");
}

#[tokio::test]
async fn a_job_outlives_whoever_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let spec = JobSpec::new("orphan", format!("echo begun; until [ -e '{}' ]; do sleep 0.05; done", gate.display()));
    // The shell of the start is ended as a broken connection ends it, once the job has begun.
    let text = spec.start(Some(&folder.path().to_string_lossy())).unwrap();
    let mut shell = std::process::Command::new("sh").stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut shell.stdin.as_ref().unwrap(), text.as_bytes()).unwrap();
    until(&jobs(folder.path()), "orphan", |look| look.output == b"begun\n").await;
    shell.kill().unwrap();
    shell.wait().unwrap();
    let look = jobs(folder.path()).look("orphan", Some(2)).await.unwrap();
    assert_eq!((look.state, look.from, look.output.as_slice()), (JobState::Running, 2, b"gun\n".as_slice()));
    assert_eq!(jobs(folder.path()).look("orphan", None).await.unwrap().from, 2, "it is known how far it was read");
    std::fs::write(gate, "").unwrap();
    assert!(end(&jobs(folder.path()), "orphan").await.0.is_well());
}

#[tokio::test]
async fn a_start_that_is_cut_off_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spec = JobSpec::new("half", "true");
    let text = spec.start(Some(&folder.path().to_string_lossy())).unwrap();
    for length in [text.len() / 3, text.len() - 300, text.len() - 3] {
        let command = Command::shell("exec sh").stdin(text[..length].to_owned());
        Local::new().run(command).await.unwrap();
        assert_eq!(jobs(folder.path()).look("half", None).await.unwrap().state, JobState::Absent);
    }
}

#[tokio::test]
async fn what_a_job_is_given_arrives_as_it_is_and_stands_on_no_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "'\"\\ $(touch pwned) `id`; exit 7\n\u{1F480} $HOME %s \\n !!";
    let gate = folder.path().join("gate");
    let body = format!("printf '%s|%s' \"$GIVEN\" \"$name\"; until [ -e '{}' ]; do sleep 0.05; done", gate.display());
    let spec = JobSpec::new("given", body)
        .variable("GIVEN", hostile)
        .variable("name", "tell-nobody-0815")
        .variable("job", "/");
    jobs(folder.path()).start(&spec).await.unwrap();
    until(&jobs(folder.path()), "given", |look| look.size > 0).await;
    assert!(!is_there("tell-nobody-0815").await, "no command line shows it");
    let kept = Command::argv(["grep", "-rl", "tell-nobody-0815", &*folder.path().to_string_lossy()]);
    let kept = Local::new().run(kept).await.unwrap().stdout.text();
    assert_eq!(kept, format!("{}\n", folder.path().join("given/log").display()));
    std::fs::write(gate, "").unwrap();
    let (ended, look) = end(&jobs(folder.path()), "given").await;
    assert!(ended.is_well());
    assert_eq!(String::from_utf8(look.output).unwrap(), format!("{hostile}|tell-nobody-0815"));
}

#[tokio::test]
async fn what_a_job_writes_is_bounded_and_one_that_writes_without_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let limited = JobSpec { output_limit: 4096, ..JobSpec::new("much", "seq 1 100000; echo done >&2; exit 4") };
    jobs(folder.path()).start(&limited).await.unwrap();
    let (ended, look) = end(&jobs(folder.path()), "much").await;
    assert_eq!((ended.status, look.size, look.cut), (Some(4), 4096, true), "the rest is thrown away, and it goes on");
    assert!(look.output.starts_with(b"1\n2\n"));

    jobs(folder.path()).start(&JobSpec { output_limit: 4096, ..JobSpec::new("endless", "yes") }).await.unwrap();
    let (ended, look) = end(&jobs(folder.path()), "endless").await;
    assert_eq!((ended.status, look.size, look.cut), (Some(141), 4096, true));
    assert!(ended.words().contains("without end"), "{}", ended.words());
}

#[tokio::test]
async fn a_job_beyond_its_time_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let sleep = format!("sleep 777{}", std::process::id());
    let spec = JobSpec::new("slow", format!("echo a; {sleep} & {sleep}")).time_limit(Duration::from_secs(1));
    jobs(folder.path()).start(&spec).await.unwrap();
    let (ended, look) = end(&jobs(folder.path()), "slow").await;
    assert_eq!((ended.why, look.output.as_slice()), (JobEndReason::Time, b"a\n".as_slice()));
    assert!(!is_there(&sleep).await);
}

#[tokio::test]
async fn a_job_is_stopped_and_one_that_has_not_begun_never_will() {
    let folder = tempfile::tempdir().unwrap();
    let sleep = format!("sleep 778{}", std::process::id());
    jobs(folder.path()).start(&JobSpec::new("stopped", format!("{sleep} & {sleep}"))).await.unwrap();
    jobs(folder.path()).stop("stopped").await.unwrap();
    let (ended, _) = end(&jobs(folder.path()), "stopped").await;
    assert_eq!(ended.why, JobEndReason::Stopped);
    assert!(!is_there(&sleep).await);

    jobs(folder.path()).stop("never").await.unwrap();
    assert_eq!(jobs(folder.path()).start(&JobSpec::new("never", "true")).await.unwrap(), Started::Before);
    assert_eq!(end(&jobs(folder.path()), "never").await.0.why, JobEndReason::Stopped);
}

#[tokio::test]
async fn a_job_whose_host_was_started_anew_or_that_was_killed_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, file: &str| folder.path().join(name).join(file);
    jobs(folder.path()).start(&JobSpec::new("before", "exec sleep 60")).await.unwrap();
    let boot = std::fs::read_to_string(at("before", "boot")).unwrap();
    std::fs::write(at("before", "boot"), format!("another-{boot}")).unwrap();
    let look = jobs(folder.path()).look("before", None).await.unwrap();
    assert_eq!(look.state, JobState::Unknown { rebooted: true });
    std::fs::write(at("before", "boot"), boot).unwrap();

    let pid = |file: &str| std::fs::read_to_string(at("before", file)).unwrap().split(' ').next().unwrap().to_owned();
    until(&jobs(folder.path()), "before", |_| at("before", "group").exists()).await;
    let kill = format!("kill -KILL {} -{}", pid("claimed"), pid("group"));
    Local::new().run(Command::shell(kill)).await.unwrap();
    let look = until(&jobs(folder.path()), "before", |look| look.state != JobState::Running).await;
    assert_eq!(look.state, JobState::Unknown { rebooted: false });
    assert_eq!(jobs(folder.path()).start(&JobSpec::new("before", "true")).await.unwrap(), Started::Before);
}

#[tokio::test]
async fn what_a_job_leaves_behind_does_not_hold_up_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let sleep = format!("sleep 21{}", std::process::id() % 1000);
    jobs(folder.path()).start(&JobSpec::new("left", format!("{sleep} & echo gone"))).await.unwrap();
    let (ended, look) = end(&jobs(folder.path()), "left").await;
    assert!(ended.is_well() && look.output == b"gone\n");
    jobs(folder.path()).stop("left").await.unwrap();
    Local::new()
        .run(Command::shell(format!("kill -KILL -$(cut -d' ' -f1 '{}')", folder.path().join("left/group").display())))
        .await
        .unwrap();
}

#[tokio::test]
async fn another_interpreter_reads_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let spec = JobSpec {
        interpreter: vec!["sed".into(), "-n".into(), "s/^a/b/p".into()],
        ..JobSpec::new("sed", "abc\nxyz\n")
    };
    jobs(folder.path()).start(&spec).await.unwrap();
    assert_eq!(end(&jobs(folder.path()), "sed").await.1.output, b"bbc\n");
}

#[tokio::test]
async fn a_user_that_is_not_there_is_refused_and_nothing_begins() {
    let folder = tempfile::tempdir().unwrap();
    let spec = JobSpec { user: Some("nobody-of-this-name".into()), ..JobSpec::new("who", "true") };
    let error = jobs(folder.path()).start(&spec).await.unwrap_err();
    assert!(reanimator_core::report(&error).contains("nobody-of-this-name"), "{error}");
    assert_eq!(jobs(folder.path()).look("who", None).await.unwrap().state, JobState::Absent);
}
