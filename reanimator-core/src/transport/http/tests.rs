//! The client against a server that does whatever a server may do.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::sync::Notify;

use super::{
    Client, HttpTransport as _, Request, Settings, probe,
    test_server::{Reply, TestServer},
};
use crate::{ErrorKind, model::Endpoint};

fn client(endpoints: &[Endpoint]) -> Client {
    let settings = Settings { connect_limit: Duration::from_secs(2), ..Settings::new("/api2/json") };
    Client::new(endpoints, &settings).unwrap()
}

fn ok() -> Reply {
    Reply::json("200 OK", r#"{"data":1}"#)
}

fn version() -> Request {
    Request::get(["version"]).time_limit(Duration::from_secs(20))
}

/// An address where nothing listens.
async fn closed() -> Endpoint {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    Endpoint {
        url: format!("https://{}", listener.local_addr().unwrap()),
        fingerprint: Some("00".repeat(32)),
        node: None,
    }
}

#[tokio::test]
async fn the_pinned_certificate_is_believed() {
    let server = TestServer::start(|_| ok()).await;
    let answer = client(&[server.endpoint()]).send(&version(), &HeaderMap::new()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (200, &br#"{"data":1}"#[..]));
    assert_eq!(server.lines(), ["GET /api2/json/version"]);
}

#[tokio::test]
async fn an_unknown_certificate_is_shown_and_nothing_is_sent() {
    let server = TestServer::start(|_| ok()).await;
    let endpoint = Endpoint { fingerprint: None, ..server.endpoint() };
    let error = client(&[endpoint]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateUnknown);
    assert_eq!(error.fingerprint().unwrap().sha256, server.fingerprint);
    assert_eq!(error.subject(), Some(server.address.to_string().as_str()));
    assert_eq!(server.lines(), [""; 0]);
    let shown = probe(&server.endpoint().url, Duration::from_secs(5)).await.unwrap();
    assert_eq!((shown.fingerprint.sha256, shown.trusted), (server.fingerprint.clone(), false));
}

#[tokio::test]
async fn a_changed_certificate_is_refused_and_nothing_is_sent() {
    let server = TestServer::start(|_| ok()).await;
    let endpoint = Endpoint { fingerprint: Some("AB".repeat(32)), ..server.endpoint() };
    let error = client(&[endpoint]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateChanged);
    assert_eq!(error.fingerprint().unwrap().sha256, server.fingerprint);
    assert!(error.to_string().contains("where AB:AB:"), "{error}");
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn the_next_endpoint_answers_when_the_first_cannot() {
    let server = TestServer::start(|_| ok()).await;
    let dead = closed().await;
    let client = client(&[dead.clone(), server.endpoint()]);
    for _ in 0..2 {
        assert_eq!(client.send(&version(), &HeaderMap::new()).await.unwrap().status, 200);
    }
    assert_eq!(client.endpoint(), server.address.to_string());
    let troubles = client.troubles();
    assert_eq!(troubles.len(), 1);
    assert!(dead.url.ends_with(&troubles[0].0));
    assert!(troubles[0].1.message.contains("connection refused"), "{troubles:?}");
    // Fail-over is for connections: a change is carried to the next endpoint too, since nothing was sent.
    assert_eq!(client.send(&Request::post(["x"]), &HeaderMap::new()).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_its_status() {
    let first = TestServer::start(|_| Reply::json("595 No route to host", "")).await;
    let second = TestServer::start(|_| ok()).await;
    let client = client(&[first.endpoint(), second.endpoint()]);
    let answer = client.send(&version(), &HeaderMap::new()).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (595, "No route to host"));
    assert_eq!(second.lines().len(), 0);
}

#[tokio::test]
async fn when_none_answers_all_are_named() {
    let dead = [closed().await, closed().await];
    let error = client(&dead).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    for endpoint in &dead {
        assert!(error.to_string().contains(endpoint.url.trim_start_matches("https://")), "{error}");
    }
    // What is the same for all is said once.
    assert_eq!(error.to_string().matches("could not ask").count(), 1, "{error}");
    assert_eq!(error.to_string().matches("connection refused").count(), 1, "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_says_so() {
    let endpoint = Endpoint { url: "https://no-such-host.invalid:8006".to_owned(), fingerprint: None, node: None };
    let error = client(&[endpoint]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::Unreachable, Some("no-such-host.invalid:8006")));
    assert!(error.to_string().contains("lookup"), "{error}");
}

#[tokio::test]
async fn a_port_that_never_speaks_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint {
        url: format!("https://{}", listener.local_addr().unwrap()),
        fingerprint: Some("00".repeat(32)),
        node: None,
    };
    let settings = Settings { connect_limit: Duration::from_millis(200), ..Settings::new("/") };
    let client = Client::new(&[endpoint], &settings).unwrap();
    let error = client.send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_without_tls_is_no_riddle() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _sent = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        }
    });
    let endpoint = Endpoint { url: format!("https://{address}"), fingerprint: None, node: None };
    let error = client(&[endpoint]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    task.abort();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn silence_ends_at_the_time_limit_and_the_next_endpoint_has_the_next_request() {
    let silent = TestServer::start(|_| Reply::Silence).await;
    let server = TestServer::start(|_| ok()).await;
    let client = client(&[silent.endpoint(), server.endpoint()]);
    let limited = version().time_limit(Duration::from_millis(300));
    let error = client.send(&limited, &HeaderMap::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::Timeout, Some(silent.address.to_string().as_str())));
    assert_eq!(client.send(&version(), &HeaderMap::new()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_read_that_was_cut_off_is_asked_once_more() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let server = TestServer::start(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Cut,
        _ => ok(),
    })
    .await;
    assert_eq!(client(&[server.endpoint()]).send(&version(), &HeaderMap::new()).await.unwrap().status, 200);
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_change_that_was_cut_off_is_never_sent_again() {
    let first = TestServer::start(|_| Reply::Cut).await;
    let second = TestServer::start(|_| ok()).await;
    let client = client(&[first.endpoint(), second.endpoint()]);
    for request in [Request::post(["x"]), Request::put(["x"]), Request::delete(["x"])] {
        let error = client.send(&request, &HeaderMap::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.next_step().unwrap().contains("before asking again"));
    }
    assert_eq!((first.lines().len(), second.lines().len()), (3, 0));
}

#[tokio::test]
async fn half_a_body_is_shown() {
    let server = TestServer::start(|_| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"data\":[{\"vmid\":100,".to_vec())
    })
    .await;
    let error = client(&[server.endpoint()]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains(r#"breaks off after 21 bytes: "{\"data\":[{\"vmid\":100,""#), "{error}");
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let server = TestServer::start(|_| {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.extend(b"y\n".repeat(100_000));
        Reply::Bytes(bytes)
    })
    .await;
    let settings = Settings { body_limit: 10_000, ..Settings::new("/") };
    let client = Client::new(&[server.endpoint()], &settings).unwrap();
    let error = client.send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("longer than 10000 bytes"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TestServer::start(|_| ok()).await;
    let target = elsewhere.endpoint().url;
    let server = TestServer::start(move |_| {
        Reply::Bytes(format!("HTTP/1.1 302 Found\r\nLocation: {target}/\r\nContent-Length: 0\r\n\r\n").into_bytes())
    })
    .await;
    let error = client(&[server.endpoint()]).send(&version(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains(&elsewhere.address.to_string()), "{error}");
    assert_eq!(elsewhere.lines().len(), 0);
}

#[tokio::test]
async fn at_most_five_requests_are_under_way() {
    let go = Arc::new(Notify::new());
    let told = Arc::clone(&go);
    let server = TestServer::start(move |_| {
        let Reply::Bytes(bytes) = ok() else { return Reply::Cut };
        Reply::Held(Arc::clone(&told), bytes)
    })
    .await;
    let client = Arc::new(client(&[server.endpoint()]));
    let asks: Vec<_> = (0..12)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.send(&version(), &HeaderMap::new()).await.unwrap().status })
        })
        .collect();
    let mut most = 0;
    while server.asked.lock().unwrap().len() < 12 || server.under_way.load(Ordering::SeqCst) > 0 {
        most = most.max(server.under_way.load(Ordering::SeqCst));
        if most >= 5 {
            go.notify_one();
        }
        tokio::task::yield_now().await;
    }
    for ask in asks {
        assert_eq!(ask.await.unwrap(), 200);
    }
    assert_eq!(most, 5);
}

#[tokio::test]
async fn parameters_of_a_change_travel_in_the_body_with_the_headers_that_log_in() {
    let server = TestServer::start(|_| ok()).await;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("PVEAPIToken=a@pve!b=c"))]);
    let request = Request::put(["x"]).param("features", "nesting=1");
    assert_eq!(client(&[server.endpoint()]).send(&request, &headers).await.unwrap().status, 200);
    let asked = server.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("PUT /api2/json/x", "features=nesting%3D1"));
    assert!(asked.head.contains("authorization: PVEAPIToken=a@pve!b=c"), "{}", asked.head);
    assert!(asked.head.contains("application/x-www-form-urlencoded"), "{}", asked.head);
}

#[test]
fn addresses_that_cannot_be_right_are_refused() {
    for url in ["http://pve1:8006", "pve1:8006", "https://", "https://root@pve1:8006", "ftp://pve1"] {
        let endpoint = Endpoint { url: url.to_owned(), fingerprint: None, node: None };
        let error = Client::new(&[endpoint], &Settings::new("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
    }
}

/// Two nodes, `a` asked first, and what asks them.
async fn two_nodes() -> (TestServer, TestServer, Client) {
    let (a, b) = (TestServer::start(|_| ok()).await, TestServer::start(|_| ok()).await);
    let named = |server: &TestServer, name: &str| Endpoint { node: Some(name.to_owned()), ..server.endpoint() };
    let client = client(&[named(&a, "a"), named(&b, "b")]);
    (a, b, client)
}

fn about(node: &str) -> Request {
    Request::get(["nodes", node, "status"]).time_limit(Duration::from_secs(20))
}

#[tokio::test]
async fn what_is_asked_about_a_node_is_asked_there() {
    let (a, b, client) = two_nodes().await;
    let none = HeaderMap::new();
    for request in [about("b"), version(), about("a"), about("elsewhere")] {
        client.send(&request, &none).await.unwrap();
    }
    assert_eq!(b.lines(), ["GET /api2/json/nodes/b/status"]);
    assert_eq!(a.lines().len(), 3);
    assert_eq!(client.seen_by(&about("b")), ["b"]);
    assert_eq!(client.seen_by(&version()), ["a"]);
    // It is sent on from the first one.
    assert_eq!(client.seen_by(&about("elsewhere")), ["a", "elsewhere"]);
}

#[tokio::test]
async fn where_a_node_does_not_answer_another_is_asked_about_it_and_stays_the_first() {
    let server = TestServer::start(|_| ok()).await;
    let first = Endpoint { node: Some("a".to_owned()), ..server.endpoint() };
    let down = Endpoint { node: Some("b".to_owned()), ..closed().await };
    let client = client(&[first, down]);
    for _ in 0..2 {
        client.send(&about("b"), &HeaderMap::new()).await.unwrap();
    }
    assert_eq!(server.lines().len(), 2);
    assert_eq!(client.endpoint(), server.address.to_string());
    assert_eq!(client.seen_by(&about("b")), ["a", "b"], "it rests");
}

#[tokio::test]
async fn a_node_that_keeps_silent_is_asked_about_elsewhere_next() {
    let first = TestServer::start(|_| ok()).await;
    let silent = TestServer::start(|_| Reply::Silence).await;
    let named = |server: &TestServer, name: &str| Endpoint { node: Some(name.to_owned()), ..server.endpoint() };
    let client = client(&[named(&first, "a"), named(&silent, "b")]);
    let late = || about("b").time_limit(Duration::from_millis(500));
    let error = client.send(&late(), &HeaderMap::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::Timeout, Some(silent.address.to_string().as_str())));
    client.send(&late(), &HeaderMap::new()).await.unwrap();
    assert_eq!((client.endpoint(), first.lines().len()), (first.address.to_string(), 1));
}

#[tokio::test]
async fn whose_address_an_endpoint_has_is_learnt() {
    let server = TestServer::start(|_| ok()).await;
    let client = client(&[server.endpoint()]);
    assert_eq!(client.seen_by(&version()), [server.address.to_string()]);
    client.learn(&[("x".to_owned(), "127.0.0.2".to_owned()), ("a".to_owned(), server.address.ip().to_string())]);
    assert_eq!(client.seen_by(&version()), ["a"]);
}
