//! Notices at real receivers: a mail server, a receiver of HTTP, and the program apprise.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod receiver;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use reanimator_core::{
    Fleet, FleetOptions,
    model::{Notice, NoticeKind, NoticeLevel},
    workflows::notify,
};
use reanimator_tests::program::{Home, Server, built, document};
use receiver::{Http, Mail};
use serde_json::{Value, json};

/// The target by these words of the command line, with secrets from the environment.
fn add(home: &Home, name: &str, words: &[&str], secrets: &[(&str, &str)]) -> Value {
    let mut command = home.command(&built("reanimator", "reanimator-cli"), ["notify", "add", name, "--json"]);
    document(command.args(words).envs(secrets.iter().copied()))
}

fn hand_over(home: &Home, notices: &[Notice]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(home.data_dir()) };
        let fleet = Fleet::open(options).await.unwrap();
        for notice in notices {
            notify::hand_over(&fleet, notice).await.unwrap();
        }
        fleet.close().await;
    });
}

fn alert(title: &str) -> Notice {
    Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, title, jiff::Timestamp::now())
        .saying("since noon\nsecond line")
        .about("host:h1")
        .keyed(title)
}

#[test]
fn webhook_ntfy_and_gotify_get_what_their_documentation_says() {
    let (home, receiver) = (Home::new(), Http::start(200));
    let url = &receiver.url;
    let hook = format!("{url}/hook/secret-path?key=secret-key");
    let secrets = [("KEY", "s3cret"), ("HEADERS", "X-Team: ops"), ("TOKEN", "tk_AbCdEf")];
    let inside = ["--allow-inside", "yes"];
    add(
        &home,
        "hook",
        &[&["--webhook", &hook, "--signing-key=env:KEY", "--headers=env:HEADERS"][..], &inside].concat(),
        &secrets,
    );
    add(
        &home,
        "phone",
        &[&["--ntfy", "fleet", "--ntfy-server", url, "--token=env:TOKEN"][..], &inside].concat(),
        &secrets,
    );
    let gotify = format!("{url}/base");
    add(&home, "desk", &[&["--gotify", &gotify, "--token=env:TOKEN"][..], &inside].concat(), &secrets);
    for name in ["hook", "phone", "desk"] {
        home.json(["notify", "test", name]);
    }
    let (hook, ntfy, gotify) = (receiver.next(), receiver.next(), receiver.next());

    assert_eq!(hook.line, "POST /hook/secret-path?key=secret-key HTTP/1.1");
    assert_eq!(hook.header("content-type"), Some("application/json"));
    assert_eq!(hook.header("x-team"), Some("ops"));
    let document = hook.json();
    assert_eq!((document["version"].as_u64(), document["title"].as_str()), (Some(1), Some("A test from Reanimator")));
    assert_eq!(document["notices"][0]["kind"], "test");
    let signed = format!("{}.{}", hook.header("x-reanimator-timestamp").unwrap(), hook.body);
    assert_eq!(hook.header("x-reanimator-signature").unwrap(), format!("sha256={}", hmac("s3cret", &signed)));

    assert_eq!(ntfy.line, "POST / HTTP/1.1");
    assert_eq!(ntfy.header("authorization"), Some("Bearer tk_AbCdEf"));
    let document = ntfy.json();
    assert_eq!((document["topic"].as_str(), document["priority"].as_u64()), (Some("fleet"), Some(3)));

    assert_eq!(gotify.line, "POST /base/message HTTP/1.1");
    assert_eq!(gotify.header("x-gotify-key"), Some("tk_AbCdEf"));
    assert_eq!(gotify.json()["priority"], 3);

    // What is given out again holds no secret; nor does the trail.
    let all = format!(
        "{}{}{}",
        home.json(["notify", "list"]),
        home.json(["notify", "history"]),
        home.json(["audit", "list"])
    );
    for secret in ["s3cret", "tk_AbCdEf", "secret-path", "secret-key", "X-Team"] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    assert!(all.contains("notify test"), "{all}");
}

/// By another program than the one that is tested.
fn hmac(key: &str, text: &str) -> String {
    let code = "import hmac,sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), 'sha256').hexdigest())";
    let done = Command::new("python3").args(["-c", code, key, text]).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_lies_inside_is_refused_and_no_redirect_is_followed() {
    let (home, receiver) = (Home::new(), Http::start(302));
    let port = receiver.url.rsplit_once(':').unwrap().1;
    for (name, host) in [
        ("loopback", "127.0.0.1"),
        ("name", "localhost"),
        ("six", "[::1]"),
        ("mapped", "[::ffff:127.0.0.1]"),
        ("number", "2130706433"),
        ("metadata", "169.254.169.254"),
    ] {
        add(&home, name, &["--webhook", &format!("http://{host}:{port}/x")], &[]);
        let refusal = home.refusal(["notify", "test", name]);
        assert!(refusal.contains("allow_inside"), "{name}: {refusal}");
    }
    assert!(receiver.rest().is_empty(), "nobody was asked");
    add(&home, "allowed", &["--webhook", &format!("{}/x", receiver.url), "--allow-inside", "yes"], &[]);
    let refusal = home.refusal(["notify", "test", "allowed"]);
    assert!(refusal.contains("no redirect is followed"), "{refusal}");
    receiver.next();
    assert!(receiver.rest().is_empty(), "it was asked once");
}

/// A certificate for 127.0.0.1 and localhost, its key, and the authority that vouches for it.
fn identity(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("mail.pem"), folder.join("mail.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

/// `notify test mail`, with these certificates trusted.
fn try_mail(home: &Home, trusted: Option<&Path>) -> Result<Value, String> {
    let mut command = home.command(&built("reanimator", "reanimator-cli"), ["notify", "test", "mail", "--json"]);
    if let Some(trusted) = trusted {
        command.env("SSL_CERT_FILE", trusted);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complained = String::from_utf8_lossy(&done.stderr);
    if done.status.success() { Ok(serde_json::from_str(&said).unwrap()) } else { Err(format!("{said}{complained}")) }
}

#[test]
fn a_mail_server_gets_a_plain_mail_also_protected_and_with_a_log_in() {
    for mode in ["none", "starttls", "tls"] {
        let home = Home::new();
        let (certificate, key) = identity(home.path());
        let server = Mail::start(mode, (mode != "none").then_some((certificate.as_path(), key.as_path())));
        let port = server.port.to_string();
        let mut words =
            vec!["--email", "ops@example.org", "--email", "ada@example.org", "--mail-from", "fleet@example.org"];
        words.extend(["--mail-server", "localhost", "--mail-port", &port, "--mail-tls", mode, "--allow-inside", "yes"]);
        if mode != "none" {
            words.extend(["--user", "ada", "--password=env:PASSWORD"]);
        }
        add(&home, "mail", &words, &[("PASSWORD", "s3cret")]);
        if mode != "none" {
            let refused = try_mail(&home, None).unwrap_err();
            assert!(refused.contains("trust"), "a certificate that nobody vouches for: {refused}");
        }
        let report = try_mail(&home, Some(&certificate)).unwrap_or_else(|error| panic!("{mode}: {error}"));
        assert!(report["answer"].as_str().unwrap().contains("taken"), "{report}");
        let mail = server.next();
        assert_eq!(mail["from"], "fleet@example.org");
        assert_eq!(mail["to"], json!(["ops@example.org", "ada@example.org"]));
        assert_eq!(
            (mail["tls"].as_bool(), mail["user"].as_str()),
            (Some(mode != "none"), (mode != "none").then_some("ada"))
        );
        let text = mail["mail"].as_str().unwrap();
        assert!(text.contains("Subject: [notice] A test from Reanimator"), "{text}");
        assert!(text.contains("Content-Type: text/plain; charset=utf-8") && !text.contains("<html"), "{text}");
        if mode != "none" {
            let mut command =
                home.command(&built("reanimator", "reanimator-cli"), ["notify", "change", "mail", "--json"]);
            document(command.arg("--password=env:PASSWORD").env("PASSWORD", "wr0ngpass"));
            let refused = try_mail(&home, Some(&certificate)).unwrap_err();
            assert!(refused.contains("auth-failed") && !refused.contains("wr0ngpass"), "{refused}");
        }
    }
}

#[test]
fn apprise_tells_what_it_is_given_and_its_addresses_stand_on_no_command_line() {
    let (home, receiver) = (Home::new(), Http::start(200));
    let address = format!("{}/apprise\n", receiver.url.replace("http://", "json://ada:s3cret@"));
    let file = home.path().join("urls");
    std::fs::write(&file, address).unwrap();
    let source = format!("--apprise=file:{}", file.display());
    add(&home, "many", &[&source], &[]);
    let refusal = home.refusal(["notify", "test", "many"]);
    assert!(refusal.contains("allow_inside"), "{refusal}");
    home.json(["notify", "change", "many", "--allow-inside", "yes"]);
    home.json(["notify", "test", "many"]);
    let request = receiver.next();
    assert_eq!(request.line, "POST /apprise HTTP/1.1");
    assert_eq!(request.json()["title"], "A test from Reanimator");
    assert!(request.header("authorization").is_some_and(|login| login.starts_with("Basic ")));

    let mut command = home.command(&built("reanimator", "reanimator-cli"), ["notify", "test", "many"]);
    let done = command.env("PATH", "/nonexistent").output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("not installed"), "{said}");
}

#[test]
fn what_was_handed_over_before_a_server_died_is_sent_by_the_next_once() {
    let home = Home::new();
    // Nobody listens there yet, and the port stays ours.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    drop(listener);
    add(&home, "hook", &["--webhook", &url, "--allow-inside", "yes", "--gather", "0"], &[]);
    let server = Server::start(&home, "first");
    hand_over(&home, &[alert("pve1 does not answer"), alert("disk full")]);
    until("it was tried", || {
        home.json(["notify", "history"])["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|each| each["tries"].as_u64() > Some(0))
    });
    server.kill();
    // One more while no server runs.
    hand_over(&home, &[alert("backup too old")]);

    let address = url.strip_prefix("http://").unwrap().strip_suffix("/x").unwrap();
    let receiver = Http::on(TcpListener::bind(address).unwrap(), 200);
    let server = Server::start(&home, "second");
    let mut titles: Vec<String> =
        (0..3).map(|_| receiver.next().json()["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    assert_eq!(titles, ["backup too old", "disk full", "pve1 does not answer"]);
    until("all is written down as sent", || {
        let items = home.json(["notify", "history", "--state", "sent"]);
        items["items"].as_array().unwrap().len() == 3
    });
    server.kill();
    let _third = Server::start(&home, "third");
    until("the third server looked", || home.json(["notify", "history", "--state", "waiting"])["items"] == json!([]));
    assert!(receiver.rest().is_empty(), "nothing is sent twice");
}

#[test]
fn an_operation_that_failed_is_told() {
    let (home, receiver) = (Home::new(), Http::start(200));
    let url = format!("{}/secret-path", receiver.url);
    add(&home, "hook", &["--webhook", &url, "--allow-inside", "yes", "--gather", "0"], &[]);
    let server = Server::start_for(&home, "admin", "admin");
    let host = home.json(["status"])["hosts"][0]["id"].as_str().unwrap().to_owned();
    let action = json!({ "on": "unit", "host": host, "unit": "reanimator-no-such.service", "do": "restart" });
    let asked = server.post("/api/v1/operations", &json!({ "title": "restart it", "steps": [{ "action": action }] }));
    let told = receiver.next().json();
    assert_eq!(told["notices"][0]["kind"], "operation-ended", "{told}");
    assert_eq!(told["notices"][0]["fields"]["operation"], asked["id"]);
    assert!(told["title"].as_str().unwrap().ends_with("failed"), "{told}");
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < patience, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
