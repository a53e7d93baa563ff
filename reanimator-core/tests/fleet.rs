//! The fleet over this very machine: opened, observed, kept, and live.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{path::Path, time::Duration};

use futures::StreamExt;
use reanimator_core::{
    ErrorKind, Fleet, FleetOptions,
    fleet::{ExecRequest, HostEdit, ImportFormat, ImportedState, NewHost, Selector},
    model::{EventKind, HostKind, HostState},
    workflows::live::{LiveLoop, LiveOptions},
};
use tokio_util::sync::CancellationToken;

async fn open(directory: &Path) -> Fleet {
    Fleet::open(FleetOptions::new(directory)).await.unwrap()
}

fn quick() -> LiveOptions {
    LiveOptions { interval: Duration::from_millis(200), records: Duration::from_millis(50), ..LiveOptions::default() }
}

/// Waits for an event that is told, for ten seconds at most.
async fn told(
    events: &mut tokio::sync::broadcast::Receiver<reanimator_core::model::Event>,
    wanted: impl Fn(&reanimator_core::model::Event) -> bool,
) -> reanimator_core::model::Event {
    let waiting = async {
        loop {
            let event = events.recv().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("the event is told in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_directory_has_this_machine_and_sees_it() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let status = fleet.status().await.unwrap();
    assert_eq!(status.hosts.len(), 1);
    let host = &status.hosts[0];
    assert_eq!(
        (host.state, host.cpu_percent, host.via.as_slice()),
        (HostState::Unknown, None, &["local".to_owned()][..])
    );

    let seen = fleet.observe(&host.name).await.unwrap();
    assert_eq!(seen.host.state, HostState::Online);
    assert!(
        seen.host.cpu_percent.is_some_and(|percent| (0.0..=100.0).contains(&percent)),
        "{:?}",
        seen.host.cpu_percent
    );
    let memory = seen.host.memory.unwrap();
    assert!(memory.total_bytes.0 > 64 << 20 && memory.used_bytes < memory.total_bytes);
    assert!(seen.host.disk.unwrap().total_bytes.0 > 0);
    assert_eq!(seen.identity.unwrap().machine_id.map(|id| id.len()), Some(32));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_is_there_after_a_restart_and_for_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let name = fleet.status().await.unwrap().hosts[0].name.clone();
    let shown = fleet.observe(&name).await.unwrap().host;
    // A second fleet on the same directory stands for another process; the first is not even closed.
    let again = open(directory.path()).await.status().await.unwrap().hosts.remove(0);
    assert_eq!(
        (again.cpu_percent, again.observed_at, again.state),
        (shown.cpu_percent, shown.observed_at, HostState::Online)
    );
    assert_eq!(again.id, shown.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_loop_keeps_it_fresh_and_takes_in_what_others_add() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let mut events = fleet.events();
    let stop = CancellationToken::new();
    let live = tokio::spawn(LiveLoop::new(fleet.clone(), quick()).run(stop.clone()));
    let first = told(&mut events, |event| event.kind == EventKind::HostOnline).await.data["observed_at"].clone();
    told(&mut events, |event| event.kind == EventKind::HostUpdated && event.data["observed_at"] != first).await;

    let other = open(directory.path()).await;
    let error = LiveLoop::new(other.clone(), quick()).run(CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{}", reanimator_core::report(&error));

    let mut new = NewHost::new("127.0.0.1");
    (new.port, new.name, new.unchecked) = (1, Some("closed".into()), true);
    new.auth.password = Some("secret".to_owned().into());
    other.add_host(new).await.unwrap();
    told(&mut events, |event| event.kind == EventKind::HostAdded && event.data["name"] == "closed").await;
    let offline = told(&mut events, |event| event.kind == EventKind::HostOffline).await;
    assert_eq!(offline.data["name"], "closed");
    assert_eq!(offline.data["problem"]["kind"], "unreachable");
    let hosts = fleet.status().await.unwrap().hosts;
    assert!(hosts.iter().any(|host| host.name != "closed" && host.state == HostState::Online));

    other.remove_host("closed").await.unwrap();
    told(&mut events, |event| event.kind == EventKind::HostRemoved).await;
    stop.cancel();
    live.await.unwrap().unwrap();
    let cpu = ["cpu_percent".to_owned()];
    let (from, to) = (fleet.now() - Duration::from_secs(60), fleet.now());
    let id = &hosts.iter().find(|host| host.name != "closed").unwrap().id;
    let history = fleet.history(id.as_str(), &cpu, from, to, 10).await.unwrap();
    assert!(history["cpu_percent"].iter().any(|(_, value)| value.is_some()), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_runs_where_it_can_and_says_why_where_it_cannot() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let mut new = NewHost::new("127.0.0.1");
    (new.port, new.name, new.unchecked) = (1, Some("closed".into()), true);
    new.auth.password = Some("secret".to_owned().into());
    fleet.add_host(new).await.unwrap();
    let request = ExecRequest::new("printf '%s' \"it's $((6*7))\"; exit 3", Selector::all());
    let answers: Vec<_> = fleet.exec(request).await.unwrap().collect().await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        match answer.outcome {
            Ok(output) => assert_eq!((output.stdout.text().as_str(), output.status), ("it's 42", Some(3))),
            Err(error) => {
                assert_eq!((answer.host.as_str(), error.kind()), ("closed", ErrorKind::Unreachable));
                assert_eq!(error.subject(), Some("closed"));
                assert!(error.next_step().is_some());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_can_be_changed_and_bad_names_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let name = fleet.status().await.unwrap().hosts[0].name.clone();
    let change = HostEdit { name: Some("größe".into()), groups: Some(["home".into()].into()), ..HostEdit::default() };
    assert_eq!(fleet.update_host(&name, change).await.unwrap().name, "größe");
    assert_eq!(fleet.select(&"group:home".parse().unwrap()).await.unwrap().len(), 1);
    let bad = HostEdit { name: Some("a b\n".into()), ..HostEdit::default() };
    assert_eq!(fleet.update_host("größe", bad).await.unwrap_err().kind(), ErrorKind::Invalid);
    let maintenance = HostEdit { maintenance: Some(true), ..HostEdit::default() };
    assert_eq!(fleet.update_host("größe", maintenance).await.unwrap().state, HostState::Maintenance);
    assert_eq!(fleet.status().await.unwrap().hosts[0].kind, HostKind::Linux);
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_stays_removed() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let name = fleet.status().await.unwrap().hosts[0].name.clone();
    fleet.remove_host(&name).await.unwrap();
    assert_eq!(open(directory.path()).await.status().await.unwrap().hosts, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_is_imported_once() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let text = "[web]\nweb[1:2] ansible_host=127.0.0.1 ansible_port=1\nwin ansible_connection=winrm\n";
    let dry = fleet.import(ImportFormat::AnsibleIni, text, true).await.unwrap();
    assert_eq!((dry.added, fleet.status().await.unwrap().hosts.len()), (0, 1));
    let done = fleet.import(ImportFormat::AnsibleIni, text, false).await.unwrap();
    assert_eq!(done.added, 2);
    let again = fleet.import(ImportFormat::AnsibleIni, text, false).await.unwrap();
    let states: Vec<_> = again.found.iter().map(|host| (host.name.as_str(), host.state)).collect();
    assert_eq!(
        states,
        [("web1", ImportedState::Known), ("web2", ImportedState::Known), ("win", ImportedState::Invalid)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_hosts_are_imported_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = open(directory.path()).await;
    let text: String = (0..2000).map(|number| format!("web{number} ansible_host=192.0.2.1\n")).collect();
    let mut events = fleet.events();
    let report = fleet.import(ImportFormat::AnsibleIni, &text, false).await.unwrap();
    assert_eq!((report.added, report.found.len()), (2000, 2000));
    assert_eq!(fleet.status().await.unwrap().hosts.len(), 2001);
    let told = std::iter::from_fn(|| events.try_recv().ok()).filter(|event| event.kind == EventKind::HostAdded);
    assert_eq!(told.count(), 2000);
    // Once more, nothing is new.
    let again = fleet.import(ImportFormat::AnsibleIni, &text, false).await.unwrap();
    assert!(again.added == 0 && again.found.iter().all(|host| host.state == ImportedState::Known));
}
