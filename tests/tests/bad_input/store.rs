//! Trouble under the fleet itself: its disk, its file, and another server at it.

use std::{io::Write as _, path::PathBuf, process::Command, time::Duration};

use reanimator_core::{
    ErrorKind, Fleet, FleetOptions,
    model::{Event, EventKind},
    report,
    workflows::live::{LiveLoop, LiveOptions},
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{Ward, complains};

/// Where the other process of a test works.
const DIRECTORY: &str = "BAD_INPUT_DIRECTORY";

fn live() -> LiveOptions {
    LiveOptions { interval: Duration::from_millis(300), ..LiveOptions::default() }
}

/// Waits until a host was seen later than `after`.
async fn seen_after(events: &mut broadcast::Receiver<Event>, after: jiff::Timestamp) {
    let seen = async {
        loop {
            let event = events.recv().await.unwrap();
            let at = event.data["observed_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
            if matches!(event.kind, EventKind::HostOnline | EventKind::HostUpdated) && at > Some(after) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.expect("this machine is still seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_is_damaged() {
    for damage in [&b"this is not a database"[..], &[0xff; 8192], b""] {
        let ward = Ward::open().await;
        let database = ward.fleet.data_dir().join("reanimator.db");
        ward.fleet.close().await;
        let mut file = std::fs::OpenOptions::new().write(true).open(&database).unwrap();
        file.write_all(damage).unwrap();
        if damage.is_empty() {
            // Cut off in the middle.
            let half = file.metadata().unwrap().len() / 2 + 1000;
            file.set_len(half).unwrap();
        }
        drop(file);
        let before = std::fs::read(&database).unwrap();

        let error = Fleet::open(FleetOptions::new(ward.fleet.data_dir())).await.unwrap_err();
        complains(&error, ErrorKind::Storage, &database.display().to_string(), &["damaged", "backup"]);
        assert!(std::fs::read(&database).unwrap() == before, "it is kept as it is, never overwritten");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_data_directory() {
    let ward = Ward::open().await;
    let mut events = ward.fleet.events();
    let stop = CancellationToken::new();
    let options = LiveOptions { address: "http://127.0.0.1:8420".to_owned(), ..live() };
    let first = tokio::spawn(LiveLoop::new(ward.fleet.clone(), options).run(stop.clone()));
    seen_after(&mut events, jiff::Timestamp::MIN).await;

    let other = Fleet::open(FleetOptions::new(ward.fleet.data_dir())).await.unwrap();
    let error = LiveLoop::new(other.clone(), live()).run(CancellationToken::new()).await.unwrap_err();
    let text = report(&error);
    assert_eq!(error.kind(), ErrorKind::Conflict, "{text}");
    let who = format!("{}", std::process::id());
    assert!(text.contains("http://127.0.0.1:8420") && text.contains(&who) && text.contains("Next: "), "{text}");

    // Whoever was refused may still read, and the first server goes on.
    seen_after(&mut events, ward.fleet.now()).await;
    assert!(other.status().await.unwrap().hosts[0].observed_at.is_some());
    stop.cancel();
    first.await.unwrap().unwrap();
}

/// On a small disk of its own, in a name space of its own, so that nothing is left of it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of the next test"]
async fn process_whose_disk_fills_up() {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).unwrap());
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&directory).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return say("no disk");
    }
    let fleet = Fleet::open(FleetOptions::new(&directory)).await.unwrap();
    let own = fleet.status().await.unwrap().hosts.remove(0).name;
    let mut events = fleet.events();
    let stop = CancellationToken::new();
    let server = tokio::spawn(LiveLoop::new(fleet.clone(), live()).run(stop.clone()));
    seen_after(&mut events, jiff::Timestamp::MIN).await;

    let mut ballast = std::fs::File::create(directory.join("ballast")).unwrap();
    while ballast.write(&[0; 4096]).is_ok() {}
    let error = loop {
        // What is free within the database's own files takes some more.
        if let Err(error) = fleet.observe(&own).await {
            break error;
        }
    };
    assert!(error.subject().unwrap().starts_with(directory.to_str().unwrap()), "{}", report(&error));
    complains(&error, ErrorKind::Storage, error.subject().unwrap(), &["no room is left", "make room"]);
    // Nobody is blind: this machine is still observed, and shown.
    seen_after(&mut events, fleet.now()).await;
    let shown = fleet.status().await.unwrap().hosts.remove(0);
    assert!(shown.problem.is_none() && shown.age_seconds.is_some_and(|age| age < 10.0), "{shown:?}");

    std::fs::remove_file(directory.join("ballast")).unwrap();
    drop(ballast);
    let room = fleet.now();
    let reader = Fleet::open(FleetOptions::new(&directory)).await.unwrap();
    let written = async {
        while reader.status().await.unwrap().hosts[0].observed_at < Some(room) {
            events.recv().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written).await.expect("with room it is written again");
    stop.cancel();
    server.await.unwrap().unwrap();
    say("done");
}

#[test]
fn a_full_disk_under_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
    let mut said = vec![];
    for namespaces in [&["--mount"][..], &["--user", "--map-root-user", "--mount"]] {
        let output = Command::new("unshare")
            .args(namespaces)
            .args(["--", &program, "--ignored", "--exact", "--nocapture", "store::process_whose_disk_fills_up"])
            .env(DIRECTORY, directory.path())
            .output()
            .expect("unshare (util-linux) is needed for a full disk");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if text.lines().any(|line| line == "done") {
            assert!(output.status.success(), "{text}{errors}");
            return;
        }
        said.push(format!("{text}{errors}"));
        assert!(!errors.contains("panicked") && !text.contains("FAILED"), "{}", said.concat());
    }
    panic!("no disk could be made to fill: it takes root, or a kernel that lets users make name spaces: {said:?}");
}

/// Says a word on a line of its own: the test harness leaves its own line open.
fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{word}").unwrap();
    out.flush().unwrap();
}
