#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    session::{AHEAD, SCROLLBACK},
    *,
};
use crate::{
    FleetOptions,
    model::{Machine, TerminalSize, TerminalWay},
    store::AuditEntry,
    transport::{
        Exit,
        pty::{Far, Typed, pair},
    },
};

/// Whatever is waited for comes within this, or not at all.
const SOON: Duration = Duration::from_secs(30);

async fn soon<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, coming).await.expect("it comes in time")
}

struct Desk {
    fleet: Fleet,
    session: Arc<Session>,
    far: Far,
    serving: tokio::task::JoinHandle<bool>,
    _directory: tempfile::TempDir,
}

/// A session whose far side the test plays.
async fn desk(patience: Patience) -> Desk {
    recorded_desk(patience, None).await
}

/// A terminal that nobody has looked at yet.
fn about() -> Terminal {
    Terminal {
        id: TerminalId::generate(),
        machine: Machine::Host("h1".into()),
        name: "web1".into(),
        way: TerminalWay::Ssh,
        who: "ada".into(),
        from: "192.0.2.7".into(),
        opened_at: Timestamp::UNIX_EPOCH,
        size: TerminalSize::default(),
        viewers: 0,
        recorded: false,
        bytes_in: 0,
        bytes_out: 0,
        ended: None,
    }
}

async fn recorded_desk(patience: Patience, recorder: Option<Recorder>) -> Desk {
    let directory = tempfile::tempdir().unwrap();
    let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory.path()) };
    let fleet = Fleet::open(options).await.unwrap();
    let (pty, far) = pair();
    let about = Terminal { recorded: recorder.is_some(), ..about() };
    let session = Arc::new(Session::new(about, pty.keys));
    let serving = tokio::spawn(session.clone().serve(fleet.clone(), pty.screen, pty.exit, recorder, patience));
    Desk { fleet, session, far, serving, _directory: directory }
}

async fn show(far: &Far, text: &str) {
    soon(far.screen.send(Bytes::copy_from_slice(text.as_bytes()))).await.unwrap();
}

/// Looks until the text was seen; says all that was.
async fn see(viewer: &mut Viewer, text: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        match soon(viewer.next()).await.unwrap() {
            Seen::Bytes { bytes, .. } => seen.extend_from_slice(&bytes),
            other => panic!("{other:?} before {text:?}"),
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn who_comes_back_sees_what_was_missed() {
    let desk = desk(Patience::default()).await;
    let mut first = Viewer::enter(desk.session.clone(), None, false);
    show(&desk.far, "one ").await;
    assert_eq!(see(&mut first, "one ").await, "one ");
    let at = first.at();
    drop(first);
    show(&desk.far, "two ").await;
    let mut all = Viewer::enter(desk.session.clone(), None, false);
    assert_eq!(see(&mut all, "two ").await, "one two ");
    let mut again = Viewer::enter(desk.session.clone(), Some(at), false);
    assert_eq!(see(&mut again, "two ").await, "two ");
    show(&desk.far, "three").await;
    // Both see it: one terminal, several viewers.
    assert_eq!((see(&mut all, "three").await, see(&mut again, "three").await), ("three".into(), "three".into()));
}

#[tokio::test]
async fn a_flood_goes_as_fast_as_its_viewer_looks_and_no_faster() {
    let Desk { session, far, .. } = desk(Patience::default()).await;
    let mut slow = Viewer::enter(session.clone(), None, true);
    let piece = Bytes::from(vec![b'y'; 16 * 1024]);
    let mut sent = 0_u64;
    // Sends until nobody takes any more.
    while tokio::time::timeout(Duration::from_millis(300), far.screen.send(piece.clone())).await.is_ok() {
        sent += piece.len() as u64;
        assert!(sent < 4 * AHEAD, "a viewer who looks at nothing holds nothing up");
    }
    assert!(sent >= AHEAD, "{sent}");
    let mut got = 0;
    while got < AHEAD {
        let Seen::Bytes { bytes, at } = soon(slow.next()).await.unwrap() else { panic!("bytes") };
        got += bytes.len() as u64;
        slow.hands().seen(at);
    }
    soon(far.screen.send(piece.clone())).await.unwrap();
    // A fast one beside it: the slow one holds nobody up, and is told what it lost.
    let fast = Viewer::enter(session.clone(), None, false);
    let reading = tokio::spawn(async move {
        let mut fast = fast;
        while fast.next().await.is_some() {}
    });
    for _ in 0..2 * SCROLLBACK / piece.len() + 1 {
        soon(far.screen.send(piece.clone())).await.unwrap();
    }
    reading.abort();
    let at = slow.at();
    slow.hands().seen(at);
    let mut lost = 0;
    while lost == 0 {
        match soon(slow.next()).await.unwrap() {
            Seen::Lost { bytes } => lost = bytes,
            Seen::Bytes { at, .. } => slow.hands().seen(at),
            other => panic!("{other:?}"),
        }
    }
    assert!(lost > 0);
}

#[tokio::test]
async fn what_is_typed_and_the_size_arrive_in_order_and_all_are_told_of_the_size() {
    let Desk { session, mut far, .. } = desk(Patience::default()).await;
    let (mut one, other) = (Viewer::enter(session.clone(), None, false), Viewer::enter(session.clone(), None, false));
    let size = TerminalSize { cols: 100, rows: 50 };
    other.hands().resize(size).await.unwrap();
    other.hands().type_in("ls\n").await.unwrap();
    assert!(matches!(soon(far.typed.recv()).await, Some(Typed::Size(came)) if came == size));
    assert!(matches!(soon(far.typed.recv()).await, Some(Typed::Bytes(bytes)) if bytes == "ls\n"));
    assert_eq!(soon(one.next()).await, Some(Seen::Size(size)));
    let view = session.view();
    assert_eq!((view.size, view.bytes_in, view.viewers), (size, 3, 2));
    let wrong = other.hands().resize(TerminalSize { cols: 0, rows: 1 }).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Invalid);
}

async fn trail(fleet: &Fleet) -> Vec<AuditEntry> {
    let found = fleet.audit(&crate::fleet::AuditWords::default(), None, 100).await.unwrap();
    found.into_iter().map(|row| row.entry).collect()
}

#[tokio::test]
async fn the_end_is_told_and_noted() {
    let Desk { fleet, session, far, serving, _directory } = desk(Patience::default()).await;
    let mut viewer = Viewer::enter(session.clone(), None, false);
    show(&far, "bye").await;
    let Far { screen, exit, .. } = far;
    drop(screen);
    exit.send(Ok(Exit { status: Some(3), signal: None })).unwrap();
    assert_eq!(see(&mut viewer, "bye").await, "bye");
    let Some(Seen::Ended(end)) = soon(viewer.next()).await else { panic!("it ends") };
    assert_eq!((end.status, end.why.as_str()), (Some(3), "exit status 3"));
    assert_eq!(soon(viewer.next()).await, None);
    assert!(serving.await.unwrap(), "it is noted");
    let [line] = trail(&fleet).await.try_into().unwrap();
    assert_eq!((line.who.as_str(), line.from.as_str(), line.what.as_str()), ("ada", "192.0.2.7", "terminal close"));
    assert!(line.on.starts_with("web1 (host:h1, ssh)"), "{}", line.on);
    assert!(
        line.on.contains(": exit status 3 after") && line.on.ends_with("0 bytes typed, 3 bytes shown"),
        "{}",
        line.on
    );
    assert_eq!(viewer.hands().type_in("x").await.unwrap_err().kind(), ErrorKind::Conflict);
}

/// How it ends under a patience, with or without somebody who looks.
async fn ends(patience: Patience, looks: bool) -> String {
    let Desk { session, far, serving, _directory, .. } = desk(patience).await;
    let viewer = looks.then(|| Viewer::enter(session.clone(), None, false));
    let Far { mut typed, exit, .. } = far;
    // The far side ends when it is hung up.
    assert!(soon(typed.recv()).await.is_none());
    exit.send(Ok(Exit::default())).unwrap();
    soon(serving).await.unwrap();
    drop(viewer);
    // One that has ended is shown for as long as one would stay that nobody looks at.
    match patience.unseen > SOON {
        true => assert!(!session.is_past()),
        false => {
            let past = async {
                while !session.is_past() {
                    tokio::task::yield_now().await;
                }
            };
            soon(past).await;
        }
    }
    session.view().ended.unwrap().why
}

#[tokio::test]
async fn what_is_left_alone_ends_by_itself() {
    let long = Duration::from_secs(3600);
    let unseen = Patience { unseen: Duration::from_millis(10), idle: long };
    assert!(ends(unseen, false).await.starts_with("nobody looked at it for"));
    let idle = Patience { unseen: long, idle: Duration::from_millis(10) };
    assert!(ends(idle, true).await.starts_with("nobody typed for"));
}

#[tokio::test]
async fn a_recording_that_breaks_off_is_called_so() {
    let recorder = Recorder::without_room().await.unwrap();
    let Desk { fleet, far, serving, _directory, .. } = recorded_desk(Patience::default(), Some(recorder)).await;
    show(&far, "bye").await;
    let Far { screen, exit, .. } = far;
    drop(screen);
    exit.send(Ok(Exit::default())).unwrap();
    soon(serving).await.unwrap();
    let [line] = trail(&fleet).await.try_into().unwrap();
    assert!(line.on.contains(", recorded, recording broke off: "), "{}", line.on);
}

/// What is said of a recording that takes `most` bytes, in which these texts are shown: in the trail, and in the list.
async fn recorded(most: u64, texts: &[&str]) -> (String, bool) {
    let directory = tempfile::tempdir().unwrap();
    let keeper = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    let path = keeper.new_recording(&about().id).await.unwrap();
    let recorder = Recorder::begin(&path, &about()).await.unwrap().of_at_most(most);
    let Desk { fleet, far, serving, _directory, .. } = recorded_desk(Patience::default(), Some(recorder)).await;
    for text in texts {
        show(&far, text).await;
    }
    let Far { screen, exit, .. } = far;
    drop(screen);
    exit.send(Ok(Exit::default())).unwrap();
    soon(serving).await.unwrap();
    let [line] = trail(&fleet).await.try_into().unwrap();
    let [recording] = keeper.recordings().await.unwrap().try_into().unwrap();
    assert!(recording.bytes < most + 200, "{}", recording.bytes);
    (line.on, recording.cut)
}

#[tokio::test]
async fn a_recording_that_is_full_is_called_cut() {
    let (on, cut) = recorded(700, &["a", &"b".repeat(700), "c", &"d".repeat(700)]).await;
    assert!(on.contains(", recorded, recording cut at 64 MiB: "), "{on}");
    assert!(cut);
    // What people see is no marker, whatever it looks like.
    let marker = format!("[1.0,\"m\",\"{}\"]", crate::fleet::CUT);
    let (on, cut) = recorded(7000, &["a", &"b".repeat(700), &format!("\n{marker}\n"), &marker]).await;
    assert!(on.contains(", recorded: "), "{on}");
    assert!(!cut);
}

#[tokio::test]
async fn the_end_of_a_terminal_whose_process_died_is_noted_once() {
    let desk = desk(Patience::default()).await;
    let (fleet, session) = (&desk.fleet, &desk.session);
    let terminals = Terminals::new(fleet.clone());
    let mark = Mark::make(fleet.data_dir(), &session.view()).await.unwrap();
    terminals.tidy().await.unwrap();
    assert_eq!(trail(fleet).await.len(), 0, "its process lives");
    // As it is when the process is killed: the lock goes, the file stays.
    drop(mark);
    terminals.tidy().await.unwrap();
    terminals.tidy().await.unwrap();
    let [line] = trail(fleet).await.try_into().unwrap();
    assert_eq!((line.who.as_str(), line.from.as_str(), line.what.as_str()), ("ada", "192.0.2.7", "terminal close"));
    assert_eq!(line.outcome, "interrupted");
    let on = format!("web1 (host:h1, ssh), terminal {}: the process that served it has died", session.view().id);
    assert_eq!(line.on, on);
}

#[tokio::test]
async fn terminals_of_this_machine_are_opened_recorded_listed_and_closed() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    let name = fleet.status().await.unwrap().hosts.remove(0).name;
    let terminals = Terminals::new(fleet.clone());
    let by = By { who: "ada".into(), from: "local".into() };
    let machine = fleet.machine_called(&name).await.unwrap();
    let new = NewTerminal { record: Some(true), ..NewTerminal::new(machine) };
    let terminal = terminals.open(new, &by).await.unwrap();
    assert_eq!((terminal.way, terminal.name.as_str(), terminal.recorded), (TerminalWay::Local, name.as_str(), true));
    let mut viewer = terminals.attach(&terminal.id, None, false, &by).await.unwrap();
    viewer.hands().type_in("echo gr\u{fc}n-$((40+2))\n").await.unwrap();
    see(&mut viewer, "gr\u{fc}n-42").await;
    assert_eq!(terminals.list().len(), 1);
    soon(terminals.close(&terminal.id, &by)).await.unwrap();
    let end = terminals.get(&terminal.id).unwrap().ended.unwrap();
    assert_eq!(end.why, "closed by ada");

    let [recording] = fleet.recordings().await.unwrap().try_into().unwrap();
    assert_eq!((recording.id.clone(), recording.who.as_str()), (terminal.id.clone(), "ada"));
    let file = fleet.recording_file(&recording.id).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut shown = String::new();
    for line in text.lines().skip(1) {
        let (_, kind, piece): (f64, String, String) = serde_json::from_str(line).unwrap();
        if kind == "o" {
            shown.push_str(&piece);
        }
    }
    assert!(shown.contains("gr\u{fc}n-42"), "{text}");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fleet.delete_recording(&recording.id).await.unwrap();
    assert_eq!(fleet.recordings().await.unwrap(), []);

    let what: Vec<String> =
        trail(&fleet).await.into_iter().rev().map(|line| format!("{} {}", line.what, line.outcome)).collect();
    assert_eq!(what, ["terminal open started", "terminal attach ok", "terminal close ok"]);
    terminals.stop().await;
    assert_eq!(std::fs::read_dir(directory.path().join("terminals")).unwrap().count(), 0, "nothing is left to note");
    // Once more closes what has ended: it is forgotten.
    terminals.close(&terminal.id, &by).await.unwrap();
    assert_eq!(terminals.get(&terminal.id).unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_and_noted() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    let terminals = Terminals::new(fleet.clone());
    let by = By { who: "ada".into(), from: "local".into() };
    let nobody = terminals.open(NewTerminal::new("host:nobody".parse().unwrap()), &by).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    let guest = terminals.open(NewTerminal::new("guest:c1:101".parse().unwrap()), &by).await.unwrap_err();
    assert_eq!(guest.kind(), ErrorKind::NotFound);
    let lines = trail(&fleet).await;
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.what == "terminal open" && line.outcome == "not-found"), "{lines:?}");
    assert_eq!(fleet.machine_called("nobody").await.unwrap_err().kind(), ErrorKind::NotFound);
    terminals.stop().await;
    assert_eq!(
        terminals.open(NewTerminal::new("host:x".parse().unwrap()), &by).await.unwrap_err().kind(),
        ErrorKind::Busy
    );
}
