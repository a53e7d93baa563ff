//! Terminals as people use them: a real sshd with real programs behind a running service, looked at over its WebSocket;
//! and consoles of the look-alike's guests.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod consoles;
mod people;
mod programs;
#[path = "../support/mod.rs"]
mod support;

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Role,
    fleet::{AuditWords, NewHost},
    model::{HostView, Machine},
};
use reanimator_server::{ServerOptions, serve};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error as SocketError, Message, client::IntoClientRequest as _},
};
use tokio_util::sync::CancellationToken;

/// Whatever is waited for here comes within this, or not at all.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, coming).await.expect("it comes in time")
}

/// A service with people in it.
pub(crate) struct Service {
    pub(crate) fleet: Fleet,
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    stop: CancellationToken,
    ended: JoinHandle<reanimator_core::Result<()>>,
    directory: TempDir,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = FleetOptions {
            with_this_machine: false,
            home: Some(directory.path().to_owned()),
            ..FleetOptions::new(directory.path())
        };
        let fleet = Fleet::open(options).await.unwrap();
        let stop = CancellationToken::new();
        let (tell, told) = oneshot::channel();
        let options = ServerOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerOptions::default() };
        let ended = tokio::spawn(serve(fleet.clone(), options, stop.clone(), |ready| tell.send(ready).unwrap()));
        let ready = soon(told).await.unwrap();
        let admin = token(&fleet, Role::Admin).await;
        Self { fleet, address: ready.address, admin, stop, ended, directory }
    }

    pub(crate) async fn add(&self, new: NewHost) -> HostView {
        self.fleet.add_host(new).await.unwrap()
    }

    /// Asks as the bearer of a token; status and document.
    pub(crate) async fn ask(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let authorization = format!("authorization: Bearer {token}\r\n");
        let (head, text) =
            self.exchange(method, path, &authorization, &body.map(|body| body.to_string()).unwrap_or_default()).await;
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        (
            status.unwrap_or_else(|| panic!("no status: {head}")),
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// One request on a connection of its own; the head and the body of what is answered.
    pub(crate) async fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
        let exchanging = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                self.address,
                body.len()
            );
            stream.write_all((head + body).as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answer = soon(exchanging).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_owned(), body.to_owned())
    }

    /// Opens a terminal of 80 by 24; its id.
    pub(crate) async fn open(&self, machine: &Machine) -> String {
        let (status, terminal) = self.try_open(machine).await;
        assert_eq!(status, 201, "{terminal}");
        terminal["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn try_open(&self, machine: &Machine) -> (u16, Value) {
        let body = json!({ "machine": machine, "cols": 80, "rows": 24 });
        self.ask(&self.admin, "POST", "/api/v1/terminals", Some(body)).await
    }

    /// Looks at a terminal, from a byte on.
    pub(crate) async fn look(&self, id: &str, from: Option<u64>) -> Screen {
        let bearer = format!("Bearer {}", self.admin);
        let socket = self.socket(id, from, &[("authorization", &bearer)]).await.unwrap();
        Screen { socket, at: 0, taken: 0, typed: 0, shown: Vec::new() }
    }

    /// The same with these headers; the refusal's status where it is refused.
    pub(crate) async fn socket(
        &self,
        id: &str,
        from: Option<u64>,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, u16> {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let url = format!("ws://{}/api/v1/terminals/{id}/ws?says=true{from}", self.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match soon(connect_async(request)).await {
            Ok((socket, _)) => Ok(socket),
            Err(SocketError::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The lines of the audit trail about terminals, oldest first: who, what, on what, outcome.
    pub(crate) async fn trail(&self) -> Vec<[String; 4]> {
        let words = AuditWords { what: Some("terminal*".into()), ..AuditWords::default() };
        let rows = self.fleet.audit(&words, None, 500).await.unwrap();
        let line = |row: reanimator_core::store::StoredAuditEntry| {
            let entry = row.entry;
            [entry.who, entry.what, entry.on, entry.outcome]
        };
        rows.into_iter().rev().map(line).collect()
    }

    /// Ends it; gives its data directory, which goes when that is dropped.
    pub(crate) async fn end(self) -> TempDir {
        self.stop.cancel();
        soon(self.ended).await.unwrap().unwrap();
        self.directory
    }
}

pub(crate) async fn token(fleet: &Fleet, role: Role) -> String {
    let made = fleet.access().create_token(role.as_str(), role, fleet.now()).await.unwrap();
    made.expose_secret().to_owned()
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One who looks at a terminal, and says what was seen.
pub(crate) struct Screen {
    pub(crate) socket: Socket,
    /// How many bytes were shown since the terminal's beginning.
    pub(crate) at: u64,
    /// How many typed bytes were taken.
    pub(crate) taken: u64,
    pub(crate) typed: u64,
    pub(crate) shown: Vec<u8>,
}

/// What comes over the WebSocket.
#[derive(Debug)]
pub(crate) enum Came {
    Bytes(usize),
    News(Value),
    Closed(u16),
}

impl Screen {
    pub(crate) async fn next(&mut self) -> Came {
        loop {
            match soon(self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.at += bytes.len() as u64;
                    self.shown.extend_from_slice(&bytes);
                    self.order(json!({ "type": "seen", "at": self.at })).await;
                    return Came::Bytes(bytes.len());
                }
                Some(Ok(Message::Text(text))) => {
                    let news: Value = serde_json::from_str(&text).unwrap();
                    match news["type"].as_str().unwrap() {
                        "attached" | "lost" => self.at = news["at"].as_u64().unwrap(),
                        "taken" => self.taken = news["bytes"].as_u64().unwrap(),
                        _ => {}
                    }
                    return Came::News(news);
                }
                Some(Ok(Message::Close(frame))) => return Came::Closed(frame.map_or(0, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Came::Closed(0),
            }
        }
    }

    pub(crate) async fn order(&mut self, order: Value) {
        // Who is gone is heard of by who reads.
        let _gone = self.socket.send(Message::text(order.to_string())).await;
    }

    pub(crate) async fn type_in(&mut self, text: impl AsRef<[u8]>) {
        let bytes = text.as_ref().to_vec();
        self.typed += bytes.len() as u64;
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    /// Reads until the text is shown; all that was since the last time.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = find(&self.shown, text.as_bytes()) {
                let rest = self.shown.split_off(at + text.len());
                let shown = std::mem::replace(&mut self.shown, rest);
                return String::from_utf8_lossy(&shown).into_owned();
            }
            match self.next().await {
                Came::Bytes(_) => {}
                Came::News(news) if news["type"] != "ended" => {}
                other => {
                    panic!("{other:?} before {text:?}; {:?}", String::from_utf8_lossy(&self.shown))
                }
            }
        }
    }

    /// Reads until the terminal has ended: how.
    pub(crate) async fn ended(&mut self) -> Value {
        loop {
            match self.next().await {
                Came::News(news) if news["type"] == "ended" => return news,
                Came::Closed(code) => panic!("closed with {code} and no word of its end"),
                _ => {}
            }
        }
    }

    /// A plain shell with a prompt that nothing else shows. It is written in two parts, so that the echo is none.
    pub(crate) async fn plain_shell(&mut self) {
        self.type_in("exec env PS1='rea''dy> ' sh\n").await;
        self.until("ready> ").await;
    }
}

pub(crate) fn find(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

pub(crate) fn machine(host: &HostView) -> Machine {
    Machine::Host(host.id.clone())
}
