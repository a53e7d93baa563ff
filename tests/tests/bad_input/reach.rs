//! Hosts that cannot be reached, or are not who they were.

use std::time::Instant;

use futures::StreamExt;
use reanimator_core::{
    ErrorKind,
    fleet::{ExecRequest, NewHost, Selector},
    model::HostState,
};

use super::{
    Ward, complains,
    support::{
        other_machine, ssh_host, ssh_host_with,
        sshd::{Sshd, free_port, keygen},
    },
};

/// A host with a password that is asked for nowhere.
fn somewhere(address: &str, port: u16) -> NewHost {
    let mut new = NewHost::new(address);
    (new.port, new.name) = (port, Some("web1".to_owned()));
    new.auth.agent = false;
    new.auth.password = Some("open sesame".to_owned().into());
    new
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve() {
    let ward = Ward::open().await;
    let words = ["no-such-host.invalid", "does not resolve"];
    ward.refuses(somewhere("no-such-host.invalid", 22), ErrorKind::Unreachable, &words).await;
    ward.runs_everywhere_else("web1", ErrorKind::Unreachable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_closed() {
    let ward = Ward::open().await;
    let port = free_port();
    let words = [&format!("127.0.0.1:{port}"), "connection refused"];
    ward.refuses(somewhere("127.0.0.1", port), ErrorKind::Unreachable, &words).await;
    ward.runs_everywhere_else("web1", ErrorKind::Unreachable).await;
}

/// Whoever has no key at hand wants to know first that nobody answers there.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_closed_to_somebody_with_nothing_to_log_in_with() {
    let (ward, port) = (Ward::open().await, free_port());
    let mut new = somewhere("127.0.0.1", port);
    (new.auth.agent, new.auth.key, new.auth.password) = (false, None, None);
    ward.refuses(new, ErrorKind::Unreachable, &["connection refused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_a_host_leaves_alone_what_runs_there() {
    let (ward, sshd) = (Ward::open().await, other_machine(""));
    ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap();
    let request = ExecRequest::new("sleep 1; echo well", Selector::name("web1"));
    let answers = tokio::spawn(ward.fleet.exec(request).await.unwrap().collect::<Vec<_>>());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let tested = ward.fleet.test_host("web1").await.unwrap();
    assert!(tested.ok, "{tested:?}");
    let answer = answers.await.unwrap().remove(0);
    assert_eq!(answer.outcome.unwrap().stdout.text(), "well\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_accepts_and_never_speaks() {
    let ward = Ward::open().await;
    // The kernel takes the connections; nobody ever reads them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut new = somewhere("127.0.0.1", silent.local_addr().unwrap().port());
    new.unchecked = true;
    ward.fleet.add_host(new).await.unwrap();
    let began = Instant::now();
    ward.suffers("web1", ErrorKind::Timeout, &["127.0.0.1", "within"]).await;
    // Two misses make it offline, and a pulled plug must show within 30 s.
    assert!(began.elapsed().as_secs() < 25, "{:?}", began.elapsed());
    ward.runs_everywhere_else("web1", ErrorKind::Timeout).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_let_in() {
    let (ward, sshd) = (Ward::open().await, Sshd::start());
    keygen(&sshd.file("stranger"), "ed25519", "");
    let stranger = std::fs::read_to_string(sshd.file("stranger")).unwrap();
    let words = ["log in as", &sshd.user];
    ward.refuses(ssh_host_with("web1", &sshd, stranger.into()), ErrorKind::AuthFailed, &words).await;
    ward.runs_everywhere_else("web1", ErrorKind::AuthFailed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_that_is_wrong() {
    let (ward, sshd) = (Ward::open().await, Sshd::start());
    let mut new = ssh_host_with("web1", &sshd, sshd.allow_new_key("ed25519", "open sesame").into());
    new.auth.passphrase = Some("sesame, please".to_owned().into());
    ward.refuses(new, ErrorKind::AuthFailed, &["passphrase is wrong"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_has_changed() {
    let (ward, mut sshd) = (Ward::open().await, other_machine(""));
    let known = sshd.fingerprint().unwrap();
    assert_eq!(ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap().state, HostState::Online);

    sshd.change_host_key("ed25519");
    let new = sshd.fingerprint().unwrap();
    ward.suffers("web1", ErrorKind::HostKeyChanged, &[&known, &new]).await;
    let shown = ward.shown("web1").await;
    assert!(shown.memory.is_some() && shown.observed_at.is_some(), "what was seen before is still shown: {shown:?}");
    // It comes back by an explicit word for exactly this key, and by no other.
    let error = ward.fleet.trust_host("web1", Some(&known)).await.unwrap_err();
    complains(&error, ErrorKind::Conflict, "web1", &[&known, &new]);
    ward.look("web1").await.unwrap_err();
    ward.fleet.trust_host("web1", Some(&new)).await.unwrap();
    assert_eq!(ward.look("web1").await.unwrap().host.state, HostState::Online);
}
