//! Reaching hosts over SSH: log-ins, host keys, jump hosts, and every way in which it fails.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod support;

use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use reanimator_core::transport::ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget};
use reanimator_core::transport::{Command, Transport};
use reanimator_core::{Error, ErrorKind, report};
use support::password_server::{self, Asks, PASSWORD};
use support::sshd::{Sshd, free_port, output_of};

async fn failure(host: &Ssh) -> Error {
    host.run(Command::shell("true")).await.expect_err("it should not have worked")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_each_kind_are_let_in_with_and_without_a_passphrase() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        for passphrase in ["", "open sesame"] {
            let mut credentials = SshCredentials::key(sshd.allow_new_key(kind, passphrase));
            credentials.passphrase = Some(passphrase.to_owned()).filter(|it| !it.is_empty()).map(Into::into);
            let host = Ssh::new(sshd.target(), credentials);
            assert_eq!(host.run(Command::shell("echo in")).await.unwrap().stdout.text(), "in\n", "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_missing_passphrase_is_said() {
    let sshd = Sshd::start();
    let mut credentials = SshCredentials::key(sshd.allow_new_key("ed25519", "open sesame"));
    let error = failure(&Ssh::new(sshd.target(), credentials.clone())).await;
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(report(&error).contains("no passphrase was given"), "{}", report(&error));
    credentials.passphrase = Some("sesame, please".into());
    let error = failure(&Ssh::new(sshd.target(), credentials)).await;
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(report(&error).contains("passphrase is wrong"), "{}", report(&error));
    assert!(!format!("{} {error:?}", report(&error)).contains("please"));
}

#[tokio::test(flavor = "multi_thread")]
async fn key_files_and_the_agent_are_let_in() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.key_files = vec![sshd.file("client")];
    assert!(Ssh::new(target, SshCredentials::default()).run(Command::shell("true")).await.unwrap().success());

    // All of several are tried, in their order; one that is not there is passed over.
    let old = sshd.file("old");
    std::fs::copy(sshd.file("host"), &old).unwrap();
    let mut target = sshd.target();
    target.key_files = vec![sshd.file("nowhere"), old, sshd.file("client")];
    assert!(Ssh::new(target, SshCredentials::default()).run(Command::shell("true")).await.unwrap().success());

    let socket = sshd.file("agent");
    let mut agent = Program::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !socket.exists() {
        assert!(Instant::now() < until, "ssh-agent did not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut target = sshd.target();
    target.use_agent = true;
    target.agent_socket = Some(socket.clone());
    let error = failure(&Ssh::new(target.clone(), SshCredentials::default())).await;
    assert!(report(&error).contains("the agent holds no keys"), "{}", report(&error));
    for kind in ["rsa", "ed25519"] {
        let key = sshd.file(&format!("extra-{kind}-0"));
        sshd.allow_new_key(kind, "");
        let add = |flag: &[&str]| {
            let added = Program::new("ssh-add").args(flag).arg(&key).env("SSH_AUTH_SOCK", &socket).output().unwrap();
            assert!(added.status.success(), "{added:?}");
        };
        add(&["-q"]);
        assert!(
            Ssh::new(target.clone(), SshCredentials::default()).run(Command::shell("true")).await.unwrap().success()
        );
        add(&["-q", "-d"]);
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_was_replaced_is_read_at_the_next_log_in() {
    let sshd = Sshd::start();
    let file = sshd.file("rotated");
    std::fs::copy(sshd.file("host"), &file).unwrap();
    let mut target = sshd.target();
    target.key_files = vec![file.clone()];
    let host = Ssh::new(target, SshCredentials::default());
    assert_eq!(failure(&host).await.kind(), ErrorKind::AuthFailed);
    std::fs::copy(sshd.file("client"), &file).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while let Err(error) = host.run(Command::shell("true")).await {
        assert!(Instant::now() < until, "{}", report(&error));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_on_the_way_is_said_before_what_is_missing_here() {
    let sshd = Sshd::start();
    let error = failure(&Ssh::new(sshd.target(), SshCredentials::default())).await;
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(report(&error).contains("neither a key nor an agent nor a password"), "{}", report(&error));

    let mut target = sshd.target();
    target.host.host_keys = HostKeyPolicy::default();
    let error = failure(&Ssh::new(target, SshCredentials::default())).await;
    assert_eq!(error.kind(), ErrorKind::HostKeyUnknown, "{}", report(&error));

    let mut target = sshd.target();
    target.host.port = free_port();
    let error = failure(&Ssh::new(target, SshCredentials::default())).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{}", report(&error));
    assert!(report(&error).contains("connection refused"), "{}", report(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_answer_what_asks_for_a_password_and_nothing_else() {
    for (asks, password, kind) in [
        (Asks::Password, PASSWORD, None),
        (Asks::OneQuestion, PASSWORD, None),
        (Asks::Password, "wrong", Some(ErrorKind::AuthFailed)),
        (Asks::OneQuestion, "wrong", Some(ErrorKind::AuthFailed)),
        (Asks::TwoQuestions, PASSWORD, Some(ErrorKind::AuthFailed)),
    ] {
        let host = password_host(asks, SshCredentials::password(password)).await;
        let error = host.connect().await.err();
        assert_eq!(error.as_ref().map(Error::kind), kind, "{asks:?} {password}: {error:?}");
        if asks == Asks::TwoQuestions {
            assert!(report(&error.unwrap()).contains("Password: / Code:"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_enough_is_followed_by_the_password() {
    let sshd = Sshd::start();
    let credentials = SshCredentials { password: Some(PASSWORD.into()), ..SshCredentials::key(sshd.key.clone()) };
    password_host(Asks::KeyAndPassword, credentials.clone()).await.connect().await.unwrap();
    let host = password_host(Asks::KeyAndPassword, SshCredentials { password: None, ..credentials }).await;
    let error = host.connect().await.unwrap_err();
    assert!(report(&error).contains("taken, but not enough"), "{}", report(&error));
}

async fn password_host(asks: Asks, credentials: SshCredentials) -> Ssh {
    let port = password_server::start(asks).await;
    let mut hop = Hop::new("127.0.0.1", port, "ann");
    hop.host_keys = HostKeyPolicy::default();
    let shown = Ssh::new(SshTarget::new(hop.clone()), credentials.clone()).connect().await.unwrap_err();
    Ssh::new(SshTarget::new(hop).accepting(&shown.fingerprint().unwrap().sha256), credentials)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_log_in_says_what_was_tried_and_what_is_offered() {
    let sshd = Sshd::start();
    let stranger = Sshd::start();
    let host = Ssh::new(sshd.target(), SshCredentials::key(stranger.key.clone()));
    let error = failure(&host).await;
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert_eq!(error.subject(), Some(format!("{}@127.0.0.1:{}", sshd.user, sshd.port).as_str()));
    let text = report(&error);
    assert!(text.contains("refused key (ssh-ed25519)") && text.contains("it offers publickey"), "{text}");
    let error = failure(&Ssh::new(sshd.target(), SshCredentials::default())).await;
    assert_eq!(error.kind(), ErrorKind::AuthFailed, "{}", report(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_key_is_shown_and_taken_only_by_its_fingerprint() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.host.host_keys = HostKeyPolicy { known_hosts: vec![sshd.file("none")], ..HostKeyPolicy::default() };
    let credentials = SshCredentials::key(sshd.key.clone());
    let error = failure(&Ssh::new(target.clone(), credentials.clone())).await;
    assert_eq!(error.kind(), ErrorKind::HostKeyUnknown);
    let shown = error.fingerprint().unwrap().clone();
    assert_eq!(shown.public_key.as_deref(), Some(sshd.host_key.as_str()));
    let theirs = output_of(Program::new("ssh-keygen").arg("-lf").arg(sshd.file("host.pub")));
    assert!(theirs.contains(&shown.sha256), "{theirs} {shown:?}");

    let error = failure(&Ssh::new(target.clone().accepting("SHA256:other"), credentials.clone())).await;
    assert_eq!(error.kind(), ErrorKind::HostKeyUnknown);
    let host = Ssh::new(target.accepting(&shown.sha256), credentials);
    host.connect().await.unwrap();
    assert_eq!(host.host_key(), Some(shown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_is_refused_whatever_is_accepted() {
    let mut sshd = Sshd::start();
    let (before, credentials) = (sshd.target(), SshCredentials::key(sshd.key.clone()));
    let old = sshd.client();
    old.connect().await.unwrap();
    for kind in ["ed25519", "ecdsa"] {
        sshd.change_host_key(kind);
        let now = output_of(Program::new("ssh-keygen").arg("-lf").arg(sshd.file("host.pub")));
        let now = now.split(' ').nth(1).unwrap();
        let error = failure(&Ssh::new(before.clone().accepting(now), credentials.clone())).await;
        // A server without the pinned type has no key that could be the pinned one.
        assert_eq!(error.kind(), ErrorKind::HostKeyChanged, "{kind}: {}", report(&error));
        let text = report(&error);
        assert!(text.contains(now) && text.contains(&old.host_key().unwrap().sha256), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_hosts_are_asked_hashed_ones_too() {
    let sshd = Sshd::with("HostKeyAlgorithms ssh-ed25519,ecdsa-sha2-nistp256");
    let known = sshd.file("known_hosts");
    std::fs::write(&known, format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key)).unwrap();
    let mut target = sshd.target();
    target.host.host_keys = HostKeyPolicy { known_hosts: vec![known.clone()], ..HostKeyPolicy::default() };
    let host = || Ssh::new(target.clone(), SshCredentials::key(sshd.key.clone()));
    host().connect().await.unwrap();
    let hashed = Program::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&known).output().unwrap();
    assert!(hashed.status.success() && std::fs::read_to_string(&known).unwrap().starts_with("|1|"));
    host().connect().await.unwrap();
    let stranger = Sshd::start();
    std::fs::write(&known, format!("[127.0.0.1]:{} {}\n", sshd.port, stranger.host_key)).unwrap();
    let error = failure(&host()).await;
    assert_eq!(error.kind(), ErrorKind::HostKeyChanged);
    assert!(report(&error).contains("known_hosts line 1"), "{}", report(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn jump_hosts_are_gone_through_and_checked_each() {
    let (first, second, last) = (Sshd::start(), Sshd::start(), Sshd::start());
    for other in [&second, &last] {
        std::fs::copy(first.file("authorized_keys"), other.file("authorized_keys")).unwrap();
    }
    let mut target = last.target();
    target.jumps = vec![first.target().host, second.target().host];
    let credentials = SshCredentials::key(first.key.clone());
    let host = Ssh::new(target.clone(), credentials.clone());
    let output = host.run(Command::shell("cat").stdin(vec![b'x'; 3_000_000]).output_limit(4_000_000)).await.unwrap();
    assert_eq!(output.stdout.bytes.len(), 3_000_000);
    assert_eq!(host.host_keys().len(), 3);
    assert_eq!(host.host_key().unwrap().public_key.as_deref(), Some(last.host_key.as_str()));

    target.jumps[1].host_keys = HostKeyPolicy::default();
    let error = failure(&Ssh::new(target.clone(), credentials.clone())).await;
    assert_eq!(error.kind(), ErrorKind::HostKeyUnknown);
    assert_eq!(error.subject(), Some(second.target().host.label().as_str()));

    target.jumps.truncate(1);
    target.host.port = free_port();
    let error = failure(&Ssh::new(target, credentials)).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(report(&error).contains("the jump host cannot reach it"), "{}", report(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_says_why() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web_port = web.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = web.accept().await {
            tokio::io::AsyncWriteExt::write_all(&mut stream, &b"HTTP/1.1 400 Bad Request\r\n".repeat(300))
                .await
                .unwrap();
        }
    });
    for (address, port, kind, words) in [
        ("127.0.0.1", free_port(), ErrorKind::Unreachable, "connection refused"),
        ("no-such-host.invalid", 22, ErrorKind::Unreachable, "the name no-such-host.invalid does not resolve"),
        ("127.0.0.1", silent.local_addr().unwrap().port(), ErrorKind::Timeout, "never spoke SSH within 500ms"),
        ("127.0.0.1", web_port, ErrorKind::Protocol, "not an SSH server"),
    ] {
        let mut target = SshTarget::new(Hop::new(address, port, "ann"));
        target.connect_limit = Duration::from_millis(500);
        let began = Instant::now();
        let error = failure(&Ssh::new(target, SshCredentials::password("x"))).await;
        let text = report(&error);
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(words) && text.contains(&format!("ann@{address}:{port}")), "{text}");
        assert!(error.next_step().is_some(), "{text}");
        assert!(began.elapsed() < Duration::from_secs(5), "{text}");
    }
}
