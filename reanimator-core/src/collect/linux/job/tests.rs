#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use super::*;

const RUNNING: &str =
    "claimed\nlives\nLoadState=loaded\nActiveState=active\nResult=success\nfrom 2\nsize 7\n@log\nllo\nyou";

fn state_of(head: &str) -> JobState {
    parse(format!("{head}\nfrom 0\n@log\n").as_bytes()).unwrap().state
}

fn end(status: Option<u32>, why: JobEndReason) -> JobState {
    JobState::Ended(JobEnd { status, why, at: None })
}

#[test]
fn what_a_job_wrote_is_kept_byte_by_byte() {
    let look = parse(RUNNING.as_bytes()).unwrap();
    assert_eq!((look.state, look.from, look.size, look.cut), (JobState::Running, 2, 7, false));
    assert_eq!(look.output, b"llo\nyou");
    let look = parse(b"claimed\nlives\ncut\nfrom 0\nsize 9\n@log\n@log\n\xff\0\n").unwrap();
    assert!(look.cut && look.output == b"@log\n\xff\0\n");
}

#[test]
fn how_a_job_ended_is_read() {
    let JobState::Ended(ended) = state_of("claimed\nexit 3 1764150000") else { panic!("it ended") };
    assert_eq!((ended.status, ended.why, ended.at), (Some(3), JobEndReason::Itself, Some(1_764_150_000)));
    assert_eq!(state_of("claimed\nlives\nexit 143\nwhy timeout"), end(Some(143), JobEndReason::Time));
    assert_eq!(state_of("claimed\nActiveState=failed\nResult=oom-kill"), end(None, JobEndReason::Memory));
    assert_eq!(state_of("claimed\nActiveState=deactivating\nResult=oom-kill"), JobState::Running);
    assert_eq!(state_of("claimed\nwhy stopped"), end(None, JobEndReason::Stopped));
    assert_eq!(state_of("claimed\nrebooted\nexit 0 5").clone(), {
        JobState::Ended(JobEnd { status: Some(0), why: JobEndReason::Itself, at: Some(5) })
    });
}

#[test]
fn what_nobody_noted_is_not_called_well() {
    assert_eq!(state_of("claimed\nrebooted\nlives"), JobState::Unknown { rebooted: true });
    assert_eq!(state_of("claimed\nActiveState=inactive\nResult=success"), JobState::Unknown { rebooted: false });
    assert_eq!(state_of(""), JobState::Absent);
    assert_eq!(parse(b"absent\n").unwrap().state, JobState::Absent);
    for half in ["", "claimed\nlives\n", "claimed\n@log\n"] {
        assert_eq!(parse(half.as_bytes()), None, "{half}");
    }
}

#[test]
fn an_end_is_told_in_words() {
    let words = |status, why| JobEnd { status, why, at: None }.words();
    assert_eq!(words(Some(3), JobEndReason::Itself), "it ended with status 3");
    assert_eq!(words(Some(137), JobEndReason::Itself), "it ended by signal 9 (KILL)");
    assert_eq!(words(Some(143), JobEndReason::Time), "it took longer than it may, and was ended");
    assert!(!JobEnd { status: Some(0), why: JobEndReason::Stopped, at: None }.is_well());
}

#[test]
fn limits_become_properties_of_a_unit() {
    let spec = JobSpec {
        memory_limit: Some(64 << 20),
        tasks_limit: Some(5),
        protect_system: true,
        ..JobSpec::new("j", "true").time_limit(Duration::from_secs(60))
    };
    assert_eq!(
        spec.properties(),
        [
            "--property=RuntimeMaxSec=90",
            "--property=TimeoutStopSec=10",
            "--property=MemoryMax=67108864",
            "--property=MemorySwapMax=0",
            "--property=TasksMax=15",
            "--property=ProtectSystem=full",
        ]
    );
    assert!(spec.start(None).unwrap().contains("'its limit of memory and its limit of processes and it away"));
}

#[test]
fn what_no_host_could_take_is_refused() {
    let ok = JobSpec::new("job-1", "true");
    assert!(ok.start(None).is_ok());
    let refused = [
        JobSpec { name: "../x".into(), ..ok.clone() },
        JobSpec { name: "-x".into(), ..ok.clone() },
        JobSpec { name: String::new(), ..ok.clone() },
        JobSpec { body: "a\0b".into(), ..ok.clone() },
        JobSpec { user: Some("a;b".into()), ..ok.clone() },
        JobSpec { user: Some("-r".into()), ..ok.clone() },
        JobSpec { interpreter: Vec::new(), ..ok.clone() },
        ok.clone().variable("A-B", "x"),
        ok.clone().variable("UID", "0"),
        ok.clone().variable("A", "\0"),
        ok.clone().variable("A", "x".repeat(LONGEST_VALUE + 1)),
    ];
    for spec in refused {
        assert_eq!(spec.start(None).unwrap_err().kind(), ErrorKind::Invalid, "{spec:?}");
    }
    assert!(look(None, "a/b", None).is_err() && stop(None, "").is_err() && forget(None, "$x").is_err());
}

#[test]
fn nothing_of_an_environment_is_in_debug() {
    let spec = JobSpec::new("j", "true").variable("TOKEN", "s3cret");
    assert!(!format!("{spec:?}").contains("s3cret"));
}
