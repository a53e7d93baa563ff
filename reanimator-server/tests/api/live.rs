//! The running service on a real socket: events, TLS, and its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::{Principal, Role},
    fleet::HostEdit,
    model::{Action, NewOperation, UnitVerb},
    operation::Operations,
};
use reanimator_server::{Ready, ServerOptions, Tls, serve};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};
use tokio_util::sync::CancellationToken;

use crate::common::{ADMIN, PASSWORD, open_fleet};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Whatever is waited for here comes within this, or not at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service on a socket of its own.
struct Running {
    fleet: Fleet,
    ready: Ready,
    stop: CancellationToken,
    ended: JoinHandle<Result<()>>,
    _dir: TempDir,
}

impl Running {
    async fn start(options: ServerOptions) -> Self {
        Self::over(options, false).await
    }

    async fn over(options: ServerOptions, with_this_machine: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fleet = open_fleet(dir.path(), with_this_machine).await;
        let stop = CancellationToken::new();
        let (tell, told) = oneshot::channel();
        let ended = tokio::spawn(serve(fleet.clone(), on_a_free_port(options), stop.clone(), |ready| {
            tell.send(ready).unwrap();
        }));
        let ready = soon(told).await.unwrap();
        Self { fleet, ready, stop, ended, _dir: dir }
    }

    async fn token(&self, role: Role) -> String {
        self.fleet
            .access()
            .create_token(role.as_str(), role, self.fleet.now())
            .await
            .unwrap()
            .expose_secret()
            .to_owned()
    }

    /// Opens the event stream with these headers; the refusal's status where it is refused.
    async fn listen(&self, headers: &[(&'static str, &str)]) -> std::result::Result<Socket, u16> {
        let mut request = format!("ws://{}/api/v1/events", self.ready.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match soon(connect_async(request)).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn end(self) {
        self.stop.cancel();
        soon(self.ended).await.unwrap().unwrap();
    }
}

fn on_a_free_port(options: ServerOptions) -> ServerOptions {
    ServerOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..options }
}

async fn soon<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, coming).await.expect("it comes in time")
}

/// The next event of one of these types; others may come between.
async fn next_of(socket: &mut Socket, kinds: &[&str]) -> Value {
    loop {
        let message = soon(socket.next()).await.unwrap().unwrap();
        if let Message::Text(text) = message {
            let event: Value = serde_json::from_str(&text).unwrap();
            if kinds.contains(&event["type"].as_str().unwrap()) {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn an_operation_is_carried_out_and_told_from_its_start_to_its_end() {
    let service = Running::over(ServerOptions::default(), true).await;
    let bearer = format!("Bearer {}", service.token(Role::Viewer).await);
    let mut socket = service.listen(&[("authorization", &bearer)]).await.unwrap();
    next_of(&mut socket, &["connected"]).await;
    let host = service.fleet.status().await.unwrap().hosts.remove(0).id;
    let action = Action::Unit { host, unit: "no-such-thing.service".into(), verb: UnitVerb::Start };
    let new = NewOperation { steps: vec![action.into()], ..NewOperation::default() };
    let asked = Operations::new(service.fleet.clone()).ask(new, &Principal::local(), "local").await.unwrap();
    for kind in ["operation:started", "operation:ended"] {
        let event = next_of(&mut socket, &[kind]).await;
        assert_eq!(event["data"]["id"], asked.id.as_str());
        assert!(kind.ends_with("started") || event["data"]["state"] == "failed", "{event}");
    }
    service.end().await;
}

/// With which code the service ends the stream.
async fn close_code(socket: &mut Socket) -> CloseCode {
    loop {
        if let Message::Close(frame) = soon(socket.next()).await.unwrap().unwrap() {
            return frame.unwrap().code;
        }
    }
}

/// One plain request over an open stream; the whole answer.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn everything_comes_first_and_then_what_changes() {
    let service = Running::start(ServerOptions::default()).await;
    let bearer = format!("Bearer {}", service.token(Role::Viewer).await);
    let mut socket = service.listen(&[("authorization", &bearer)]).await.unwrap();
    let first = next_of(&mut socket, &["connected", "host:added"]).await;
    assert_eq!(first["type"], "connected");
    assert_eq!(first["data"]["hosts"], serde_json::json!([]));
    assert_eq!(first["data"]["totals"]["hosts"]["total"], 0);

    let host = add(&service.fleet, "web1").await;
    let added = next_of(&mut socket, &["host:added"]).await;
    assert_eq!(added["data"]["name"], "web1");
    assert!(added["at"].as_str().unwrap().ends_with('Z'));
    let change = HostEdit { maintenance: Some(true), ..HostEdit::default() };
    service.fleet.update_host(&host, change).await.unwrap();
    let updated = next_of(&mut socket, &["host:updated"]).await;
    assert_eq!(updated["data"]["state"], "maintenance");
    service.fleet.remove_host(&host).await.unwrap();
    let removed = next_of(&mut socket, &["host:removed"]).await;
    assert_eq!(removed["data"]["id"], host);

    service.stop.cancel();
    assert_eq!(close_code(&mut socket).await, CloseCode::Away);
    service.end().await;
}

async fn add(fleet: &Fleet, name: &str) -> String {
    let new = reanimator_core::fleet::NewHost {
        name: Some(name.to_owned()),
        unchecked: true,
        port: 1,
        ..reanimator_core::fleet::NewHost::new("127.0.0.1")
    };
    fleet.add_host(new).await.unwrap().id.to_string()
}

#[tokio::test]
async fn strangers_and_foreign_pages_hear_nothing() {
    let service = Running::start(ServerOptions::default()).await;
    assert_eq!(service.listen(&[]).await.err(), Some(401));
    assert_eq!(service.listen(&[("authorization", "Bearer rnm_forged")]).await.err(), Some(401));

    let cookie = log_in(&service).await;
    let own = format!("http://{}", service.ready.address);
    assert_eq!(service.listen(&[("cookie", &cookie), ("origin", "http://evil.example")]).await.err(), Some(403));
    assert!(service.listen(&[("cookie", &cookie), ("origin", &own)]).await.is_ok());

    let token = service.fleet.access().create_token("probe", Role::Viewer, service.fleet.now()).await.unwrap();
    let bearer = format!("Bearer {}", token.expose_secret());
    assert_eq!(service.listen(&[("authorization", &bearer), ("origin", "http://evil.example")]).await.err(), Some(403));
    assert!(service.listen(&[("authorization", &bearer)]).await.is_ok());
    assert!(service.listen(&[("authorization", &bearer), ("origin", &own)]).await.is_ok());
    service.end().await;
}

/// Sets the service up over its link, and gives the cookie.
async fn log_in(service: &Running) -> String {
    let link = service.ready.setup_link.clone().unwrap();
    let (page, token) = link.split_once('#').unwrap();
    assert_eq!(page, format!("{}/setup", service.ready.url));
    let body = serde_json::json!({ "token": token, "username": ADMIN, "password": PASSWORD }).to_string();
    let request = format!(
        "POST /api/v1/setup HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        service.ready.address,
        body.len()
    );
    let answer = ask(TcpStream::connect(service.ready.address).await.unwrap(), &request).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_that_says_too_much_is_let_go() {
    let service = Running::start(ServerOptions::default()).await;
    let bearer = format!("Bearer {}", service.token(Role::Viewer).await);
    let mut socket = service.listen(&[("authorization", &bearer)]).await.unwrap();
    next_of(&mut socket, &["connected"]).await;
    socket.send(Message::text("x".repeat(1024 * 1024))).await.unwrap();
    let ended = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
    };
    soon(ended).await;
    service.end().await;
}

#[tokio::test]
async fn at_the_end_open_streams_end_and_do_not_claim_to_be_done() {
    let service = Running::over(ServerOptions::default(), true).await;
    let token = service.token(Role::Admin).await;
    let body = serde_json::json!({ "command": "sleep 600", "on": "all", "time_limit_seconds": 600 }).to_string();
    let request = format!(
        "POST /api/v1/exec HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        service.ready.address,
        body.len()
    );
    let mut stream = TcpStream::connect(service.ready.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    service.end().await;
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(!String::from_utf8(answer).unwrap().contains("done"));
}

#[tokio::test]
async fn a_second_service_on_the_same_data_is_refused() {
    let first = Running::start(ServerOptions::default()).await;
    let fleet = open_fleet(first.fleet.data_dir(), false).await;
    let second = serve(fleet, on_a_free_port(ServerOptions::default()), CancellationToken::new(), |_| {
        panic!("the second one is never ready");
    });
    let error: Error = soon(second).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(reanimator_core::report(&error).contains(&first.ready.url), "{}", reanimator_core::report(&error));
    first.end().await;
}

#[tokio::test]
async fn beyond_loopback_it_wants_tls_or_a_clear_word() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = open_fleet(dir.path(), false).await;
    let options = ServerOptions { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..ServerOptions::default() };
    let error = soon(serve(fleet, options, CancellationToken::new(), |_| ())).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.next_step().unwrap().contains("--tls"));
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = ServerOptions { listen, ..ServerOptions::default() };
    let serving = serve(open_fleet(dir.path(), false).await, options, CancellationToken::new(), |_| ());
    let error = soon(serving).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains(&listen.to_string()));
}

#[tokio::test]
async fn under_tls_the_printed_fingerprint_is_the_certificate_s() {
    let service = Running::start(ServerOptions { tls: Tls::SelfMade, ..ServerOptions::default() }).await;
    assert!(service.ready.url.starts_with("https://127.0.0.1:"));
    let fingerprint = service.ready.fingerprint.clone().unwrap();
    let health = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    let stream = connect_pinned(service.ready.address, &fingerprint).await.unwrap();
    let answer = ask(stream, health).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("strict-transport-security"), "{answer}");
    assert!(answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
    let other = fingerprint.replace(['A', '1'], "B");
    assert!(connect_pinned(service.ready.address, &other).await.is_err());
    service.end().await;
}

async fn connect_pinned(
    address: SocketAddr,
    fingerprint: &str,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pin = Pinned { fingerprint: fingerprint.to_owned(), algorithms: provider.signature_verification_algorithms };
    let config = client_config(provider, pin);
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await?;
    soon(tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

fn client_config(provider: Arc<CryptoProvider>, pin: Pinned) -> ClientConfig {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin))
        .with_no_client_auth()
}

/// Takes the one certificate with this fingerprint.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let shown: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        match shown.join(":") == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::Error::General("another certificate".into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
