//! Hosts that answer nonsense, too much, too little, or with another time. Real sshds, with a login that spoils what
//! they say.

use futures::StreamExt;
use reanimator_core::{
    ErrorKind,
    fleet::{ExecRequest, Selector},
    model::{HostState, Unseen},
};

use super::{
    Ward, complains,
    support::{behind, other_machine, ssh_host},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_garbage() {
    let (ward, sshd) = (Ward::open().await, behind("head -c 1000000 /dev/urandom"));
    ward.refuses(ssh_host("web1", &sshd), ErrorKind::Protocol, &["ended half-way"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_garbage_than_a_sample_may_be() {
    let (ward, sshd) = (Ward::open().await, behind("cat /dev/urandom"));
    ward.refuses(ssh_host("web1", &sshd), ErrorKind::Protocol, &["more than 1048576 bytes"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output() {
    let (ward, sshd) = (Ward::open().await, behind("yes"));
    ward.refuses(ssh_host("web1", &sshd), ErrorKind::Protocol, &["more than 1048576 bytes"]).await;
    // A command that never ends is cut where its host can be told to end it, and where it cannot that is said.
    let mut request = ExecRequest::new("yes", Selector::all());
    request.output_limit = 10_000;
    let answers: Vec<_> = ward.fleet.exec(request).await.unwrap().collect().await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        match answer.outcome {
            Ok(output) => {
                let said = (answer.host, output.stdout.bytes.len(), output.stdout.cut_note());
                assert_eq!(said, (ward.own.clone(), 10_000, Some("cut at 10000 bytes".to_owned())));
                assert!(!output.success());
            }
            Err(error) => complains(&error, ErrorKind::Protocol, "web1", &["end the command"]),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stops_half_way() {
    let script = "read -r _ number; printf '@begin %s\\n/proc/uptime:17.0 ' \"$number\"";
    let (ward, sshd) = (Ward::open().await, behind(script));
    ward.refuses(ssh_host("web1", &sshd), ErrorKind::Protocol, &["ended half-way", "/proc/uptime:17.0"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_at_all() {
    let (ward, sshd) = (Ward::open().await, behind("exit 0"));
    ward.refuses(ssh_host("web1", &sshd), ErrorKind::Protocol, &["ended without an answer"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_not_utf_8() {
    // Three bytes that are no letter, in a figure and in the system's name.
    let sshd = other_machine(
        "-e 's|^/proc/uptime:|&\\xff\\xfe\\xfd|' -e 's|^\\(/etc/os-release:PRETTY_NAME=\\).*|\\1\"\\xffrank\\xe9n\"|'",
    );
    let ward = Ward::open().await;
    ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap();
    let seen = ward.look("web1").await.unwrap().host;
    assert_eq!((seen.state, seen.uptime_seconds), (HostState::Online, None));
    assert!(seen.memory.is_some() && seen.load.is_some(), "the rest is seen: {seen:?}");
    assert_eq!(seen.os.as_deref(), Some("\u{fffd}rank\u{fffd}n"));
    for (what, why) in [
        ("uptime", "/proc/uptime is not in the form that Linux gives it"),
        ("CPU use and rates", "they are counted over /proc/uptime, which was not seen"),
    ] {
        assert!(seen.unseen.contains(&Unseen::new(what, why)), "{:?}", seen.unseen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proc_files_that_are_missing() {
    let (ward, sshd) = (Ward::open().await, other_machine("-e '/^.proc.meminfo/d' -e '/^.proc.stat/d'"));
    ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap();
    let seen = ward.look("web1").await.unwrap().host;
    // Not seen is not zero.
    assert_eq!((seen.state, &seen.memory, seen.swap, seen.cpu_percent), (HostState::Online, &None, None, None));
    assert!(seen.load.is_some() && seen.uptime_seconds.is_some(), "the rest is seen: {seen:?}");
    for (what, file) in [("memory", "/proc/meminfo"), ("CPU", "/proc/stat")] {
        let why = Unseen::new(what, format!("{file} could not be read"));
        assert!(seen.unseen.contains(&why), "{:?}", seen.unseen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_an_hour_off() {
    // GNU sed's `e` runs the line that it has made.
    let sshd = other_machine("-e 's/^clock:.*/echo clock:$(($(date +%s) + 3600))/e'");
    let ward = Ward::open().await;
    ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap();
    let seen = ward.look("web1").await.unwrap().host;
    let skew = seen.clock_skew_seconds.expect("the skew is told");
    assert!((3540..=3660).contains(&skew), "{skew}");
    // Ages are by our clock.
    assert_eq!((seen.state, seen.age_seconds.map(|age| age < 60.0)), (HostState::Online, Some(true)));
    assert_eq!(ward.shown(&ward.own).await.clock_skew_seconds, None);
}
