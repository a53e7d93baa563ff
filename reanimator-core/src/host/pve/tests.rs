//! Logging in, against a server that answers as Proxmox does; whole clusters, against recorded answers.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Credentials, ProxmoxCluster, ProxmoxNode, PveApi, PveHttps, Pvesh};
use crate::{
    Error, ErrorKind, Result,
    host::Host,
    model::{ConnectionId, GuestStatus, Unseen},
    transport::{
        Become, Captured, Command, Output, Process, Transport,
        http::{
            Request,
            test_server::{Asked, Reply, TestServer},
        },
    },
};

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/pve/", $name, ".json"))
    };
}

fn version() -> Request {
    Request::get(["version"])
}

fn good(_: &Asked) -> Reply {
    Reply::json("200 OK", recording!("version"))
}

fn token(server: &TestServer) -> PveHttps {
    PveHttps::new(&[server.endpoint()], Credentials::token("root@pam!test", "5ec2e7".to_owned().into())).unwrap()
}

fn ticket(server: &TestServer) -> PveHttps {
    PveHttps::new(&[server.endpoint()], Credentials::password("root@pam", "hunter2".to_owned().into())).unwrap()
}

#[tokio::test]
async fn a_token_travels_in_its_header_and_is_shown_nowhere() {
    let server = TestServer::start(good).await;
    let api = token(&server);
    assert_eq!(api.call(version()).await.unwrap()["version"], "9.1.8");
    let head = server.asked.lock().unwrap()[0].head.clone();
    assert!(head.contains("authorization: PVEAPIToken=root@pam!test=5ec2e7"), "{head}");
    assert!(!format!("{api:?}").contains("5ec2e7"));
}

#[tokio::test]
async fn a_refused_token_is_tried_once_however_many_ask() {
    let server = TestServer::start(|_| Reply::json("401 Authentication failed!", "")).await;
    let api = Arc::new(token(&server));
    let asks = (0..8).map(|_| {
        let api = Arc::clone(&api);
        tokio::spawn(async move { api.call(version()).await.unwrap_err() })
    });
    for error in futures::future::join_all(asks).await {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::AuthFailed);
        let said = crate::report(&error);
        assert!(said.contains("Authentication failed!") && !said.contains("5ec2e7"), "{said}");
    }
    assert_eq!(server.lines().len(), 1);
    api.allow_login_again().await;
    api.call(version()).await.unwrap_err();
    assert_eq!(server.lines().len(), 2);
}

/// Answers as pveproxy does to who holds the ticket `PVE:n`, which is what the `n`th login got.
fn ticket_server(counter: Arc<AtomicUsize>, good_from: usize) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        if asked.line == "POST /api2/json/access/ticket" {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            let data =
                json!({"data": {"ticket": format!("PVE:{number}"), "CSRFPreventionToken": format!("csrf-{number}")}});
            return Reply::json("200 OK", &data.to_string());
        }
        let number =
            asked.head.split("PVEAuthCookie=PVE%3A").nth(1).and_then(|rest| rest.lines().next()).unwrap_or("0");
        let csrf = asked.line.starts_with("GET") || asked.head.contains(&format!("csrfpreventiontoken: csrf-{number}"));
        match (number.parse::<usize>().unwrap() >= good_from, csrf) {
            (true, true) => Reply::json("200 OK", r#"{"data":null}"#),
            (true, false) => Reply::json("401 Permission denied - invalid csrf token", ""),
            (false, _) => Reply::json("401 No ticket", ""),
        }
    }
}

#[tokio::test]
async fn a_ticket_is_fetched_once_and_changes_carry_the_csrf_token() {
    let logins = Arc::new(AtomicUsize::new(0));
    let server = TestServer::start(ticket_server(Arc::clone(&logins), 1)).await;
    let api = Arc::new(ticket(&server));
    let asks = (0..6).map(|n| {
        let api = Arc::clone(&api);
        let request = if n % 2 == 0 { version() } else { Request::post(["x"]) };
        tokio::spawn(async move { api.call(request).await.unwrap() })
    });
    for answer in futures::future::join_all(asks).await {
        assert_eq!(answer.unwrap(), Value::Null);
    }
    assert_eq!(logins.load(Ordering::SeqCst), 1);
    assert_eq!(server.asked.lock().unwrap()[0].body, "username=root%40pam&password=hunter2");
    assert!(!format!("{api:?}").contains("hunter2") && !format!("{api:?}").contains("PVE:"));
}

#[tokio::test]
async fn a_ticket_is_renewed_by_itself_before_it_runs_out() {
    let logins = Arc::new(AtomicUsize::new(0));
    let server = TestServer::start(ticket_server(Arc::clone(&logins), 1)).await;
    let api = ticket(&server).renewing_after(Duration::ZERO);
    api.call(version()).await.unwrap();
    api.call(version()).await.unwrap();
    let bodies: Vec<_> = server.asked.lock().unwrap().iter().map(|asked| asked.body.clone()).collect();
    assert_eq!(bodies, ["username=root%40pam&password=hunter2", "", "username=root%40pam&password=PVE%3A1", ""]);
}

#[tokio::test]
async fn a_ticket_that_ran_out_unseen_is_fetched_again_once() {
    let logins = Arc::new(AtomicUsize::new(0));
    let server = TestServer::start(ticket_server(Arc::clone(&logins), 2)).await;
    ticket(&server).call(version()).await.unwrap();
    assert_eq!(logins.load(Ordering::SeqCst), 2);
    let never = TestServer::start(ticket_server(Arc::new(AtomicUsize::new(0)), usize::MAX)).await;
    let api = ticket(&never);
    assert_eq!(api.call(version()).await.unwrap_err().kind(), ErrorKind::AuthFailed);
    assert_eq!(api.call(version()).await.unwrap_err().kind(), ErrorKind::AuthFailed);
    assert_eq!(never.lines().len(), 4, "two logins, two requests, and then no more");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let server = TestServer::start(|_| {
        Reply::json("401 authentication failure", r#"{"data":null,"message":"authentication failure\n"}"#)
    })
    .await;
    let api = ticket(&server);
    for _ in 0..3 {
        let error = api.call(version()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthFailed);
        assert!(error.to_string().contains("log in as root@pam: authentication failure"), "{error}");
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_second_factor_answers_the_challenge() {
    let handler = |asked: &Asked| match asked.body.contains("tfa-challenge=PVE%3A%21tfa%21x") {
        _ if asked.line.starts_with("GET") => Reply::json("200 OK", r#"{"data":1}"#),
        true if asked.body.contains("password=totp%3A123456") => {
            Reply::json("200 OK", r#"{"data":{"ticket":"PVE:whole","CSRFPreventionToken":"c"}}"#)
        }
        true => Reply::json("401 authentication failure", ""),
        false => Reply::json("200 OK", r#"{"data":{"ticket":"PVE:!tfa!x","NeedTFA":1}}"#),
    };
    let server = TestServer::start(handler).await;
    let error = ticket(&server).call(version()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(error.to_string().contains("second factor"), "{error}");
    let credentials =
        Credentials::password("root@pam", "hunter2".to_owned().into()).with_otp(Some("123456".to_owned().into()));
    let api = PveHttps::new(&[server.endpoint()], credentials).unwrap();
    assert_eq!(api.call(version()).await.unwrap(), 1);
}

#[test]
fn credentials_that_cannot_be_right_are_refused_before_anything_is_sent() {
    let endpoint = crate::model::Endpoint { url: "https://192.0.2.7:8006".to_owned(), fingerprint: None, node: None };
    for (id, secret) in [("root@pam", "x"), ("test", "x"), ("root@pam!test", "a\nb")] {
        let error = PveHttps::new(std::slice::from_ref(&endpoint), Credentials::token(id, secret.to_owned().into()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{id}");
    }
}

/// Answers out of a table; what is not there is refused as pveproxy refuses.
#[derive(Debug, Default)]
struct Recorded(BTreeMap<&'static str, &'static str>);

#[async_trait]
impl PveApi for Recorded {
    async fn call(&self, request: Request) -> Result<Value> {
        let path = request.path.join("/");
        match self.0.get(path.as_str()) {
            Some(&"595") => {
                Err(Error::new(ErrorKind::Unreachable, "ask").on(request.path[1].clone()).because("no route to host"))
            }
            Some(body) => Ok(serde_json::from_str::<Value>(body).unwrap()["data"].take()),
            None => {
                Err(Error::new(ErrorKind::Denied, format!("ask {request}")).because("the login lacks Sys.Audit on /"))
            }
        }
    }

    fn label(&self) -> String {
        "recorded".to_owned()
    }

    fn unseen(&self) -> Vec<Unseen> {
        vec![Unseen::new("the API at pve9:8006", "connection refused")]
    }
}

async fn observe(table: &[(&'static str, &'static str)]) -> crate::model::ClusterSnapshot {
    let api = Arc::new(Recorded(table.iter().copied().collect()));
    let cluster = ProxmoxCluster::new(ConnectionId::from("c1"), api);
    let snapshot = cluster.observe(Timestamp::from_second(1_800_000_000).unwrap()).await.unwrap();
    let back: crate::model::ClusterSnapshot = serde_json::from_value(serde_json::to_value(&snapshot).unwrap()).unwrap();
    assert_eq!(back, snapshot);
    snapshot
}

#[tokio::test]
async fn a_healthy_cluster_is_seen_whole() {
    let seen = observe(&[
        ("cluster/status", recording!("ok_cluster_status")),
        ("cluster/resources", recording!("ok_cluster_resources")),
        ("nodes/pve2/status", "595"),
        ("nodes/pve3/status", recording!("ok_nodes_pve3_status")),
    ])
    .await;
    assert_eq!((seen.cluster.as_deref(), seen.quorate), (Some("labcluster"), Some(true)));
    let [pve2, pve3] = seen.nodes.as_slice() else { panic!("{:?}", seen.nodes) };
    assert_eq!(
        (pve3.online, pve3.ip.as_deref(), pve3.telemetry.load.map(|load| load[0])),
        (true, Some("10.98.0.13"), Some(3.80))
    );
    assert_eq!(pve3.identity.proxmox_version.as_deref(), Some("9.1.8"));
    assert_eq!((pve3.guests.running, pve3.guests.total), (2, 2));
    assert_eq!((&pve3.problem, pve3.unseen.len()), (&None, 0));
    // The node that does not answer has the figures that the cluster knows of it, and says what is missing.
    assert_eq!((pve2.online, pve2.telemetry.cpu_percent, pve2.telemetry.cpus), (true, Some(100.0), Some(2)));
    assert_eq!(pve2.telemetry.memory.as_ref().unwrap().used_bytes.0, 3_475_566_592);
    assert_eq!(pve2.problem.as_ref().unwrap().kind, ErrorKind::Unreachable);
    assert_eq!(pve2.unseen[0].what, "load, swap, kernel and version");
    let app1 = &seen.guests[0];
    assert_eq!((app1.id.0.as_str(), app1.node.as_str(), app1.status), ("c1:200", "pve3", GuestStatus::Running));
    assert!((app1.cpu_percent.unwrap() - 27.2).abs() < 0.1);
    assert_eq!(seen.unseen, [Unseen::new("the API at pve9:8006", "connection refused")]);
}

#[tokio::test]
async fn a_dead_node_is_dead_with_its_last_known_guests() {
    let seen = observe(&[
        ("cluster/status", recording!("pve3down_cluster_status")),
        ("cluster/resources", recording!("pve3down_cluster_resources")),
        ("nodes/pve2/status", recording!("node_status")),
    ])
    .await;
    assert_eq!(seen.quorate, Some(false));
    let pve3 = &seen.nodes[1];
    assert_eq!((pve3.name.as_str(), pve3.online, pve3.guests.total), ("pve3", false, 2));
    assert_eq!((pve3.telemetry.cpu_percent, &pve3.telemetry.memory), (None, &None));
    assert_eq!(pve3.problem.as_ref().unwrap().kind, ErrorKind::Unreachable);
    assert_eq!(seen.guests.len(), 2);
    assert!(seen.unseen.contains(&Unseen::new("guests on pve3", "the node is offline; they are as last known")));
    // Its own storage went with it; the other's is still there.
    let told: Vec<_> = seen.storages.iter().map(|s| (s.id.as_str(), s.active)).collect();
    assert_eq!(told, [("c1:pve2:local", true), ("c1:pve3:local", false)]);
}

#[tokio::test]
async fn a_login_without_rights_is_not_an_empty_cluster() {
    let seen = observe(&[("cluster/resources", recording!("cluster_resources_token_no_acl"))]).await;
    assert_eq!((seen.cluster, seen.quorate, seen.guests.len()), (None, None, 0));
    assert!(seen.nodes[0].online);
    assert_eq!(seen.nodes[0].problem.as_ref().unwrap().kind, ErrorKind::Denied);
    let what: Vec<_> = seen.unseen.iter().map(|unseen| unseen.what.as_str()).collect();
    assert_eq!(
        what,
        ["the API at pve9:8006", "the cluster's name, quorum and addresses", "guests, storages and figures"]
    );
}

#[tokio::test]
async fn a_shared_storage_is_one() {
    let resources = r#"{"data":[
        {"type":"node","node":"a","status":"offline"},{"type":"node","node":"b","status":"online"},
        {"type":"storage","storage":"nas","node":"a","shared":1,"status":"available","plugintype":"nfs","maxdisk":10,"disk":1},
        {"type":"storage","storage":"nas","node":"b","shared":"1","status":"available","plugintype":"nfs","maxdisk":10,"disk":2},
        {"type":"storage","storage":"local","node":"b","shared":0,"status":"unknown"}]}"#;
    let seen = observe(&[("cluster/resources", resources)]).await;
    let told: Vec<_> = seen
        .storages
        .iter()
        .map(|s| (s.id.as_str(), s.shared, s.active, s.space.map(|space| space.used_bytes.0)))
        .collect();
    assert_eq!(told, [("c1:b:local", false, false, None), ("c1:nas", true, true, Some(2))]);
    assert_eq!(seen.storages[1].nodes, ["a", "b"]);
}

#[tokio::test]
async fn guests_are_identified_by_their_configurations() {
    let api = Arc::new(Recorded(BTreeMap::from([
        ("cluster/resources", recording!("cluster_resources")),
        ("nodes/pve1/qemu/100/config", recording!("qemu_config")),
        ("nodes/pve1/lxc/101/config", recording!("lxc_config")),
    ])));
    let cluster = ProxmoxCluster::new(ConnectionId::from("c1"), api);
    let seen = cluster.observe(Timestamp::UNIX_EPOCH).await.unwrap();
    let mut known = cluster.guest_identities(&seen.guests, Timestamp::now()).await;
    known.sort_by(|a, b| a.0.cmp(&b.0));
    let told: Vec<_> =
        known.iter().map(|(id, who)| (id.0.as_str(), who.macs.as_slice(), who.smbios_uuid.is_some())).collect();
    assert_eq!(
        told,
        [
            ("c1:100", &["bc:24:11:98:f3:13".to_owned()][..], true),
            ("c1:101", &["bc:24:11:8d:ef:fa".to_owned()][..], false)
        ]
    );
}

/// A machine that answers to commands out of a table; a command that is not there is not found.
#[derive(Debug, Default)]
struct Scripted {
    answers: BTreeMap<&'static str, (u32, &'static str)>,
    ran: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Scripted {
    fn label(&self) -> String {
        "scripted".to_owned()
    }

    async fn run(&self, command: Command) -> Result<Output> {
        self.ran.lock().unwrap().push(command.text.clone());
        let captured = |text: &str| Captured { bytes: text.as_bytes().to_vec(), cut_at: None };
        Ok(match self.answers.get(command.text.as_str()) {
            Some((0, text)) => Output { status: Some(0), stdout: captured(text), ..Output::default() },
            Some((status, text)) => Output { status: Some(*status), stderr: captured(text), ..Output::default() },
            None => Output { status: Some(127), stderr: captured("sh: 1: command not found"), ..Output::default() },
        })
    }

    async fn start(&self, _: Command) -> Result<Process> {
        Err(Error::new(ErrorKind::Invalid, "start"))
    }

    async fn close(&self) {}
}

fn pvesh(answers: &[(&'static str, (u32, &'static str))]) -> (Arc<Scripted>, Arc<Pvesh>) {
    let transport = Arc::new(Scripted { answers: answers.iter().copied().collect(), ran: Mutex::default() });
    (Arc::clone(&transport), Arc::new(Pvesh::new(transport, Become::No)))
}

#[tokio::test]
async fn pvesh_answers_as_the_api_does() {
    let resources = r#"[{"type":"node","node":"pve1","status":"online","maxcpu":2},{"type":"lxc","vmid":101,"node":"pve1","status":"running","name":"web1"}]"#;
    let status = r#"{"cpu":0.5,"loadavg":["1","2","3"],"pveversion":"pve-manager/9.1.8/a8e2"}"#;
    let (_, api) = pvesh(&[
        ("pvesh get /cluster/resources --output-format json", (0, resources)),
        (
            "pvesh get /cluster/status --output-format json",
            (0, r#"[{"type":"node","name":"pve1","online":1,"local":1}]"#),
        ),
        ("pvesh get /nodes/pve1/status --output-format json", (0, status)),
        ("pvesh get /nodes/pve1/network --output-format json", (0, r#"[{"iface":"enx001122334455"}]"#)),
    ]);
    let seen = ProxmoxCluster::new(ConnectionId::from("c"), Arc::clone(&api) as _)
        .observe(Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!((seen.nodes[0].telemetry.load, seen.guests[0].name.as_deref()), (Some([1.0, 2.0, 3.0]), Some("web1")));
    assert_eq!(seen.unseen, []);
    let node = ProxmoxNode::new("pve1", api).observe(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(node.identity.macs, ["00:11:22:33:44:55"]);
}

#[tokio::test]
async fn without_pvesh_plain_commands_tell_what_they_know_and_say_so() {
    let (_, api) = pvesh(&[
        ("cat /proc/sys/kernel/hostname", (0, "pve1.example.org\n")),
        ("pveversion", (0, "pve-manager/8.2.4/faa83925c9641325 (running kernel: 6.8.4-2-pve)\n")),
        ("pct list", (0, "VMID       Status     Lock         Name\n101        running                 web1\n")),
        ("pvesm status", (0, "Name Type Status Total Used Available %\nlocal dir active 100 50 50 50.00%\n")),
    ]);
    assert_eq!(api.call(version()).await.unwrap()["version"], "8.2.4");
    let seen = ProxmoxCluster::new(ConnectionId::from("c"), api).observe(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((seen.nodes[0].name.as_str(), seen.nodes[0].online, seen.guests.len()), ("pve1", true, 1));
    assert_eq!(seen.storages[0].space.unwrap().used_bytes.0, 50 * 1024);
    let what: Vec<_> = seen.unseen.iter().map(|unseen| unseen.what.as_str()).collect();
    assert!(what.contains(&"other nodes, CPU figures and shared storages"), "{what:?}");
    assert!(what.contains(&"what `qm list` says"), "{what:?}");
}

#[tokio::test]
async fn what_pvesh_refuses_is_told_as_the_api_tells_it() {
    let (transport, api) = pvesh(&[
        (
            "pvesh get /nodes/pve1/qemu/5/config --output-format json",
            (2, "Configuration file 'nodes/pve1/qemu-server/5.conf' does not exist\n"),
        ),
        ("pvesh get /nope --output-format json", (2, "No 'get' handler defined for '/nope'\n")),
        ("pvesh get /nodes --output-format json", (1, "please run as root\n")),
        (
            "pvesh get /nodes/pve3/status --output-format json",
            (255, "ssh: connect to host 10.98.0.13 port 22: No route to host\n"),
        ),
        ("pvesh get /nodes/pve1/lxc --output-format json", (0, "not json\n")),
        ("pvesh create /nodes/pve1/lxc/101/status/start --output-format json", (0, "starting\n\"UPID:pve1:x\"\n")),
    ]);
    use ErrorKind::*;
    for (path, kind, subject) in [
        ("nodes/pve1/qemu/5/config", NotFound, "scripted"),
        ("nope", NotFound, "scripted"),
        ("nodes", Denied, "scripted"),
        ("nodes/pve3/status", Unreachable, "pve3"),
        ("nodes/pve1/lxc", Protocol, "scripted"),
        ("access", NotFound, "scripted"),
    ] {
        let error = api.call(Request::get(path.split('/'))).await.unwrap_err();
        assert_eq!((error.kind(), error.subject()), (kind, Some(subject)), "{error}");
    }
    let started = api.call(Request::post(["nodes", "pve1", "lxc", "101", "status", "start"])).await.unwrap();
    assert_eq!(started, "UPID:pve1:x");
    let before = transport.ran.lock().unwrap().len();
    let secret = Request::post(["access", "password"]).secret("password", "hunter2".to_owned().into());
    assert_eq!(api.call(secret).await.unwrap_err().kind(), Invalid);
    assert_eq!(api.call(Request::get(["nodes", "a/../b"])).await.unwrap_err().kind(), Invalid);
    assert_eq!(transport.ran.lock().unwrap().len(), before);
    let odd = Request::put(["x"]).param("description", "it's; $(rm -rf /)");
    api.call(odd).await.unwrap_err();
    assert_eq!(
        transport.ran.lock().unwrap().last().unwrap(),
        r"pvesh set /x --description 'it'\''s; $(rm -rf /)' --output-format json"
    );
}
