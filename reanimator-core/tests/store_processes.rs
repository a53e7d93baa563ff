//! The store under processes that are killed, that use it at once, and whose disk is full.
//!
//! Each test starts this very test program again as the other process, with the work to do as the name of an ignored
//! test.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use reanimator_core::{
    ErrorKind,
    model::{
        ChangeFilter, Connection, Entity, EntityKind, GuestId, Host, HostId, Link, NewChange, Reach, SshReach, Sudo,
        Telemetry, TelemetryQuery,
    },
    store::{
        AccessStore, AuditEntry, ChangeStore, ConnectionStore, FactsStore, HostStore, KeySource, LeaseHolder,
        MetaStore, MetricRow, NewFacts, Retention, Sample, SecretStore, SqliteStore, StateStore, TelemetryStore,
    },
};
use secrecy::ExposeSecret;

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";
const TTL: Duration = Duration::from_secs(3600);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

async fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, KeySource::File).await.unwrap()
}

fn holder() -> LeaseHolder {
    let pid = std::process::id();
    LeaseHolder { id: format!("server {pid}"), pid, host: "pi".into(), address: "127.0.0.1:8420".into() }
}

/// This program again, doing the ignored test `work` on `directory`.
fn again(program: &str, arguments: &[&str], work: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", work])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

fn this_program() -> String {
    std::env::current_exe().unwrap().into_os_string().into_string().unwrap()
}

fn given_directory() -> PathBuf {
    std::env::var_os(DIRECTORY).unwrap().into()
}

/// Says a word on a line of its own: the test harness leaves its own line open.
fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{word}").unwrap();
    out.flush().unwrap();
}

/// A line from the other process that begins so; what the test harness prints besides is passed over.
fn next<'a>(lines: &mut impl Iterator<Item = std::io::Result<String>>, words: &'a [&'a str]) -> (&'a str, String) {
    for line in lines {
        let line = line.unwrap();
        if let Some(word) = words.iter().find(|word| line.starts_with(**word)) {
            return (word, line[word.len()..].to_owned());
        }
    }
    panic!("the other process ended without saying any of {words:?}");
}

/// Two programs at one data directory, each with half of the changes, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn of_changes_to_one_host_at_once_none_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [open(directory.path()).await, open(directory.path()).await];
    let (host, connection) = host(1);
    stores[0].save_host_with_connection(&host, &connection, &[]).await.unwrap();
    let edits = (0..40).map(|number| {
        let edit = move |host: &mut Host| host.tags.extend([format!("t{number}")]);
        stores[number % 2].edit_host(&host.id, Box::new(edit))
    });
    for edited in futures::future::join_all(edits).await {
        edited.unwrap();
    }
    assert_eq!(stores[1].host(&host.id).await.unwrap().unwrap().tags.len(), 40);
}

fn host(number: u32) -> (Host, Connection) {
    let connection = Connection {
        id: format!("c-{number}").into(),
        name: format!("host {number}"),
        credentials_changed_at: None,
        reach: Reach::Ssh(SshReach {
            address: "192.0.2.1".into(),
            port: 22,
            user: "root".into(),
            jumps: vec![],
            use_agent: false,
            key_files: Vec::new(),
            sudo: Sudo::None,
            host_key: None,
        }),
    };
    let host = Host {
        id: HostId(format!("h-{number}")),
        name: format!("host {number}"),
        groups: Default::default(),
        tags: Default::default(),
        maintenance: false,
        links: vec![Link::Ssh { connection: connection.id.clone() }],
    };
    (host, connection)
}

fn audit(number: u32) -> AuditEntry {
    let [who, from, what, outcome] = ["local:root", "local", "host add", "ok"].map(str::to_owned);
    AuditEntry { at: at(0), who, from, what, on: number.to_string(), outcome }
}

/// Serves and writes without end, and says each number once all of it is stored.
#[tokio::test]
#[ignore = "the other process of a test below"]
async fn process_that_writes() {
    let store = open(&given_directory()).await;
    store.acquire_server_lease(&holder(), Timestamp::now(), TTL).await.unwrap();
    let begin = u32::try_from(store.hosts().await.unwrap().len()).unwrap();
    say("begins");
    for number in begin.. {
        let (host, connection) = host(number);
        let secret = ("password".to_owned(), format!("secret of {number}").into());
        store.save_host_with_connection(&host, &connection, &[secret]).await.unwrap();
        store.append_audit(&audit(number)).await.unwrap();
        let telemetry = Telemetry { cpu_percent: Some(f64::from(number)), ..Telemetry::default() };
        store.put_telemetry(&[(host.id.clone(), telemetry)]).await.unwrap();
        let values = MetricRow::default().with("cpu_percent", f64::from(number));
        store.append_samples(&[Sample { entity: host.id.into(), at: at(0), values }]).await.unwrap();
        say(&format!("stored {number}"));
    }
}

struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(directory: &Path) -> Self {
        Self::start_doing("process_that_writes", directory)
    }

    fn start_doing(work: &str, directory: &Path) -> Self {
        let mut child = again(&this_program(), &[], work, directory).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        next(&mut lines, &["begins"]);
        Self { child, lines }
    }

    /// Waits for some more numbers, kills, and says all that were said to be stored.
    fn kill_after(mut self, numbers: usize) -> Vec<u32> {
        let mut stored: Vec<u32> =
            (0..numbers).map(|_| next(&mut self.lines, &["stored "]).1.parse().unwrap()).collect();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest = self.lines.map_while(Result::ok);
        stored.extend(rest.filter_map(|line| line.strip_prefix("stored ")?.parse::<u32>().ok()));
        stored
    }
}

#[tokio::test]
async fn what_a_killed_server_said_was_stored_is_there_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut said = vec![];
    for round in 0..12 {
        said.extend(Writer::start(directory.path()).kill_after(1 + round % 5));
        let last = *said.last().unwrap();
        let store = open(directory.path()).await;
        let hosts = store.hosts().await.unwrap();
        let stored = u32::try_from(hosts.len()).unwrap();
        // One more than it said may be stored: it was killed before it could say so.
        assert!((last + 1..=last + 2).contains(&stored), "{stored} hosts after {last} was stored");
        assert_eq!(store.connections().await.unwrap().len(), hosts.len(), "a host has its connection");
        for number in 0..stored {
            let secret = store.get_secret(&format!("c-{number}"), "password").await.unwrap();
            assert_eq!(secret.unwrap().expose_secret(), format!("secret of {number}"));
        }
        let trail = store.audit(None, 1000).await.unwrap();
        let metrics = ["cpu_percent".to_owned()];
        for number in &said {
            let id = HostId(format!("h-{number}"));
            let value = Some(f64::from(*number));
            assert!(trail.iter().any(|row| row.entry == audit(*number)));
            assert_eq!(store.telemetry(&id).await.unwrap().unwrap().cpu_percent, value);
            let history = store.history(&id, &metrics, at(0), at(1), 1).await.unwrap();
            assert_eq!(history["cpu_percent"][0].1, value);
        }
        store.close().await;
    }
}

/// Counts in facts and their changes, and packs the history of 120 guests over and over, without end.
#[tokio::test]
#[ignore = "the other process of a test below"]
async fn process_that_keeps_up() {
    let store = open(&given_directory()).await;
    let begin = store.facts("guest:c:1").await.unwrap().first().map_or(0, |facts| facts.json.parse::<u32>().unwrap());
    say("begins");
    for number in begin + 1.. {
        let hour = i64::from(number) * 3600;
        let sample = |guest: u32, second: i64| Sample {
            entity: Entity::Guest(GuestId(format!("c:{guest}"))),
            at: at(hour + second),
            values: MetricRow::new(EntityKind::Guest).with("cpu_percent", f64::from(number)),
        };
        let samples: Vec<Sample> = (0..120).flat_map(|guest| [sample(guest, 0), sample(guest, 30)]).collect();
        store.append_samples(&samples).await.unwrap();
        let facts =
            NewFacts { entity: "guest:c:1".into(), section: "count".into(), at: at(0), json: number.to_string() };
        let change = NewChange {
            entity: "guest:c:1".into(),
            field: "count".into(),
            old_value: Some((number - 1).to_string()),
            new_value: Some(number.to_string()),
            created_at: at(0),
        };
        store.put_facts_with_changes(&[facts], &[change]).await.unwrap();
        say(&format!("stored {number}"));
        while store.roll_up_and_prune(at(hour + 10), &keep_all()).await.unwrap().more {}
    }
}

fn keep_all() -> Retention {
    let long = Duration::from_secs(1_000_000_000);
    Retention { samples: long, minutes: long, quarters: long, six_hours: long }
}

#[tokio::test]
async fn a_killed_upkeep_loses_no_sample_and_facts_have_just_their_changes() {
    let directory = tempfile::tempdir().unwrap();
    let mut said = 0;
    for round in 0..8 {
        let stored = Writer::start_doing("process_that_keeps_up", directory.path()).kill_after(1 + round * 3);
        said = stored.last().copied().unwrap_or(said);
        let store = open(directory.path()).await;
        let count: u32 = store.facts("guest:c:1").await.unwrap()[0].json.parse().unwrap();
        assert!((said..=said + 1).contains(&count), "{count} after {said} was stored");
        let filter = ChangeFilter { limit: 1_000, ..ChangeFilter::default() };
        let changes = store.changes(&filter).await.unwrap();
        let values: Vec<u32> =
            changes.iter().map(|change| change.new_value.clone().unwrap().parse().unwrap()).collect();
        assert_eq!(values, (1..=count).rev().collect::<Vec<_>>(), "each change once");
        for guest in [0, 99, 100, 119] {
            let query = TelemetryQuery {
                entity: Entity::Guest(GuestId(format!("c:{guest}"))),
                metrics: vec!["cpu_percent".into()],
                from: at(3_600),
                to: at(i64::from(said + 1) * 3_600),
                step: Some(Duration::from_secs(3_600)),
            };
            let series = store.query(&query).await.unwrap();
            let seen: Vec<f64> = series.metrics["cpu_percent"].mean.iter().flatten().copied().collect();
            let expected: Vec<f64> = (1..=said).map(f64::from).collect();
            assert_eq!(seen, expected, "of guest {guest}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_second_server_is_refused_until_the_first_is_gone_and_others_may_use_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let server = Writer::start(directory.path());
    let pid = server.child.id();
    let store = open(directory.path()).await;
    let refused = store.acquire_server_lease(&holder(), Timestamp::now(), TTL).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let words = reanimator_core::report(&refused);
    assert!(words.contains(&format!("process {pid} on pi, listening on 127.0.0.1:8420")), "{words}");
    assert_eq!(store.server(Timestamp::now()).await.unwrap().unwrap().pid, pid);
    // What a command line does meanwhile.
    for number in 0..50 {
        store.put_setting(&format!("key {number}"), Some("value")).await.unwrap();
        store.hosts().await.unwrap();
    }
    let stored = server.kill_after(5);
    assert!(store.hosts().await.unwrap().len() >= stored.len());
    assert_eq!(store.setting("key 49").await.unwrap().as_deref(), Some("value"));
    // Its lease would last another hour; its lock went with it.
    store.acquire_server_lease(&holder(), Timestamp::now(), TTL).await.unwrap();
}

/// On a small disk of its own, in a name space of its own, so that nothing is left of it.
#[tokio::test]
#[ignore = "the other process of a test below"]
async fn process_whose_disk_is_full() {
    let directory = given_directory();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&directory).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return say("no disk");
    }
    let store = open(&directory).await;
    let (first, connection) = host(0);
    let secret = ("password".to_owned(), "secret".into());
    store.save_host_with_connection(&first, &connection, &[secret]).await.unwrap();
    let ballast = directory.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write(&[0; 4096]).is_ok() {}

    let big = "x".repeat(100_000);
    let mut kept = vec![];
    let error = loop {
        let key = format!("setting {}", kept.len());
        match store.put_setting(&key, Some(&big)).await {
            Ok(()) => kept.push(key),
            Err(error) => break error,
        }
        assert!(kept.len() < 100, "the disk is not full");
    };
    let words = reanimator_core::report(&error);
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(words.contains("reanimator.db") && words.contains("room"), "{words}");
    let big_telemetry = Telemetry {
        networks: vec![reanimator_core::model::NetworkRate { name: big.clone(), ..Default::default() }],
        ..Telemetry::default()
    };
    let error = store.put_telemetry(&[(first.id.clone(), big_telemetry.clone())]).await.unwrap_err();
    assert!(reanimator_core::report(&error).contains("telemetry.db"));
    assert_eq!(store.hosts().await.unwrap(), std::slice::from_ref(&first));
    for key in &kept {
        assert!(store.setting(key).await.unwrap().is_some(), "{key} was stored");
    }

    std::fs::remove_file(&ballast).unwrap();
    drop(file);
    store.put_setting("after", Some(&big)).await.unwrap();
    store.put_telemetry(&[(first.id.clone(), big_telemetry)]).await.unwrap();
    store.close().await;
    let store = open(&directory).await;
    assert_eq!(store.hosts().await.unwrap(), [first]);
    assert_eq!(store.setting("after").await.unwrap(), Some(big));
    assert!(store.get_secret("c-0", "password").await.unwrap().is_some());
    say("done");
}

#[test]
fn a_full_disk_is_named_loses_nothing_and_ends_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let program = this_program();
    let mut said = vec![];
    for namespaces in [&["--mount"][..], &["--user", "--map-root-user", "--mount"]] {
        let arguments = [namespaces, &["--", &program]].concat();
        let output = again("unshare", &arguments, "process_whose_disk_is_full", directory.path()).output();
        let output = output.expect("unshare (util-linux) is needed for a full disk");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.lines().any(|line| line == "done") {
            assert!(output.status.success(), "{text}");
            return;
        }
        said.push(format!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        assert!(!text.contains("panicked") && !text.contains("FAILED"), "{said:?}");
    }
    panic!("no disk could be made to fill: it takes root, or a kernel that lets users make name spaces: {said:?}");
}
