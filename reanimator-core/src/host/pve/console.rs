//! The console that Proxmox has of a guest or of a node: `termproxy` starts it, and a WebSocket at `vncwebsocket` leads to
//! it.
//!
//! Source: the API's description, and the protocol in the README of pve-xtermjs. The first message is `USER:TICKET` with a
//! line end, the answer `OK`. Then what is typed goes as `0:LENGTH:BYTES`, a size as `1:COLS:ROWS:`, a sign of life as
//! `2`; what is shown comes as it is. Proxmox VE 9.1.8 closes it before the `OK` for who is logged in with an API token
//! (seen on a real one); with a ticket it goes on.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{PveApi, refusal};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::lenient::{self, Fields},
    model::{GuestKind, TerminalSize},
    transport::{
        Exit, Pty,
        http::{Request, Socket},
        pty::{Far, Typed, pair},
    },
};

/// The subprotocol that pveproxy wants.
const PROTOCOL: &str = "binary";

/// How long the console may take to say `OK`.
const GREETING: Duration = Duration::from_secs(15);

/// How often a sign of life is given: the far side closes a console that is silent for long.
const ALIVE: Duration = Duration::from_secs(25);

/// The largest message that is sent: pveproxy closes the connection at 64 KiB, and the console's own buffer is smaller.
const LARGEST_MESSAGE: usize = 4096;

/// The serial ports that a VM may have.
const SERIAL_PORTS: [&str; 4] = ["serial0", "serial1", "serial2", "serial3"];

/// Of what a console is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConsoleOf<'a> {
    /// The node itself.
    Node,
    /// A guest on it.
    Guest {
        /// VM or container.
        kind: GuestKind,
        /// Its number.
        vmid: &'a str,
    },
}

impl ConsoleOf<'_> {
    fn path(self, node: &str, below: &[&str]) -> Vec<String> {
        let mut path = vec!["nodes".to_owned(), node.to_owned()];
        if let Self::Guest { kind, vmid } = self {
            path.extend([kind.as_str().to_owned(), vmid.to_owned()]);
        }
        path.extend(below.iter().map(|part| (*part).to_owned()));
        path
    }

    /// What starts it.
    fn starting(self, node: &str) -> Request {
        Request::post(self.path(node, &["termproxy"]))
    }

    /// What leads to it.
    fn socket(self, node: &str, ticket: &Ticket) -> Request {
        Request::get(self.path(node, &["vncwebsocket"]))
            .param("port", &ticket.port)
            .secret("vncticket", ticket.ticket.clone())
    }
}

/// What a console is entered with.
#[derive(Debug)]
struct Ticket {
    user: String,
    port: String,
    ticket: SecretString,
}

impl Ticket {
    fn read(data: &Value) -> Result<Self> {
        let fields = lenient::object(data, "the console's ticket")?;
        let text = |name: &str| {
            fields.text(name).ok_or_else(|| {
                Error::new(ErrorKind::Protocol, "read the console's ticket").because(format!("it has no {name}"))
            })
        };
        Ok(Self { user: text("user")?, port: text("port")?, ticket: text("ticket")?.into() })
    }

    fn greeting(&self) -> SecretString {
        format!("{}:{}\n", self.user, self.ticket.expose_secret()).into()
    }
}

/// Opens the console of a guest or a node.
///
/// # Errors
/// `Conflict` for a guest that does not run or a VM without a serial port, `Denied` where the log-in may not, and what
/// keeps the API from answering.
pub(crate) async fn open(api: &dyn PveApi, node: &str, of: ConsoleOf<'_>, size: TerminalSize) -> Result<Pty> {
    let size = size.checked()?;
    if let ConsoleOf::Guest { .. } = of {
        check(api, node, of).await?;
    }
    let ticket = Ticket::read(&api.call(of.starting(node)).await?)?;
    let mut socket = api.open_socket(of.socket(node, &ticket), PROTOCOL).await?;
    let greeted = tokio::time::timeout(GREETING, greet(&mut socket, &ticket)).await;
    let first = match greeted {
        Ok(Ok(Some(first))) => first,
        Ok(Ok(None)) => return Err(closed(api, node)),
        // It cuts the connection without a word.
        Ok(Err(error)) if is_end(&error) => return Err(closed(api, node)),
        Ok(Err(error)) => return Err(lost(&error).on(node)),
        Err(_) => {
            return Err(Error::new(ErrorKind::Timeout, "open the console")
                .on(node)
                .because(format!("it did not let us in within {} s", GREETING.as_secs()))
                .next("try again; look at the node's task log if it stays so"));
        }
    };
    let (near, far) = pair();
    tokio::spawn(serve(*socket, far, first, size));
    Ok(near)
}

/// What is certain to fail is refused with what to do, in place of a console that says it and closes.
async fn check(api: &dyn PveApi, node: &str, of: ConsoleOf<'_>) -> Result<()> {
    let ConsoleOf::Guest { kind, vmid } = of else { return Ok(()) };
    let status = api.call(Request::get(of.path(node, &["status", "current"]))).await?;
    let refuse = |cause: String, next: &str| {
        Err(Error::new(ErrorKind::Conflict, "open the console").on(vmid).because(cause).next(next))
    };
    let runs = Fields::of(&status).and_then(|fields| fields.text("status"));
    if runs.as_deref().is_some_and(|status| status != "running") {
        return refuse("it is stopped".to_owned(), "start it first: `reanimator guest start`");
    }
    if kind == GuestKind::Lxc {
        return Ok(());
    }
    // As the VM runs, which may not be as it is written down.
    let config = api.call(Request::get(of.path(node, &["config"])).param("current", "1")).await?;
    let fields = Fields::of(&config);
    let has_port = |name: &str| fields.and_then(|fields| fields.text(name)).as_deref() == Some("socket");
    if SERIAL_PORTS.into_iter().any(has_port) {
        return Ok(());
    }
    refuse(
        "it is a VM without a serial port, and a console of text needs one".to_owned(),
        "give it one (`qm set VMID --serial0 socket`), start it anew, and let its system use ttyS0; or add its SSH access",
    )
}

/// Shows the ticket; what came behind the `OK`, or none where it was closed.
async fn greet(
    socket: &mut Socket,
    ticket: &Ticket,
) -> std::result::Result<Option<Bytes>, tokio_tungstenite::tungstenite::Error> {
    socket.send(Message::binary(Bytes::from(ticket.greeting().expose_secret().to_owned()))).await?;
    let mut said = BytesMut::new();
    while let Some(message) = socket.next().await {
        match message? {
            Message::Binary(bytes) => said.extend_from_slice(&bytes),
            Message::Text(text) => said.extend_from_slice(text.as_bytes()),
            Message::Close(_) => return Ok(None),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        if said.len() >= 2 {
            return Ok(said.starts_with(b"OK").then(|| said.split_off(2).freeze()));
        }
    }
    Ok(None)
}

fn closed(api: &dyn PveApi, node: &str) -> Error {
    let error = Error::new(ErrorKind::Denied, "open the console").on(node);
    if api.has_token() {
        return error
            .because("Proxmox closed it: the connection is logged in with an API token, and its console takes none")
            .next("add the machine's own SSH access, or connect the cluster with a user and password for consoles");
    }
    error
        .because("Proxmox closed it without letting us in")
        .next("check that the log-in has VM.Console (Sys.Console for a node) there, and look at the node's task log")
}

fn lost(error: &tokio_tungstenite::tungstenite::Error) -> Error {
    Error::new(ErrorKind::Unreachable, "keep the console open")
        .because(refusal::one_line(&error.to_string()))
        .next("check the node and the network between, then open it again")
}

/// Carries both ways until the far side closes or nobody is left.
async fn serve(socket: Socket, far: Far, first: Bytes, size: TerminalSize) {
    let Far { typed, screen, exit } = far;
    let (write, read) = socket.split();
    let ended = tokio::select! {
        ended = hear(read, &screen, first) => ended,
        failed = feed(write, typed, size) => failed,
    };
    drop(screen);
    let _nobody_asks = exit.send(ended);
}

async fn hear(mut read: SplitStream<Socket>, screen: &tokio::sync::mpsc::Sender<Bytes>, first: Bytes) -> Result<Exit> {
    if !first.is_empty() && screen.send(first).await.is_err() {
        return Ok(Exit::default());
    }
    while let Some(message) = read.next().await {
        let bytes = match message {
            Ok(Message::Binary(bytes)) => bytes,
            Ok(Message::Text(text)) => text.into(),
            Ok(Message::Close(_)) => break,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
            // It cuts the connection where it has ended, without a word.
            Err(error) if is_end(&error) => break,
            Err(error) => return Err(lost(&error)),
        };
        if screen.send(bytes).await.is_err() {
            break;
        }
    }
    Ok(Exit::default())
}

fn is_end(error: &tokio_tungstenite::tungstenite::Error) -> bool {
    use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => true,
        Error::Protocol(error) => matches!(error, ProtocolError::ResetWithoutClosingHandshake),
        Error::Io(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    }
}

/// Ends when it was hung up, or when the connection was lost.
async fn feed(
    mut write: SplitSink<Socket, Message>,
    mut typed: tokio::sync::mpsc::Receiver<Typed>,
    size: TerminalSize,
) -> Result<Exit> {
    write.send(Message::binary(resize(size))).await.map_err(|error| lost(&error))?;
    loop {
        let sent = match tokio::time::timeout(ALIVE, typed.recv()).await {
            Err(_) => write.send(Message::binary(Bytes::from_static(b"2"))).await,
            Ok(Some(Typed::Size(size))) => write.send(Message::binary(resize(size))).await,
            Ok(Some(Typed::Bytes(bytes))) => {
                let mut sent = Ok(());
                for piece in bytes.chunks(LARGEST_MESSAGE) {
                    sent = write.send(Message::binary(data(piece))).await;
                    if sent.is_err() {
                        break;
                    }
                }
                sent
            }
            Ok(None) => {
                // Gone already is as good.
                let _closed = write.send(Message::Close(None)).await;
                return Ok(Exit::default());
            }
        };
        if let Err(error) = sent {
            return if is_end(&error) { Ok(Exit::default()) } else { Err(lost(&error)) };
        }
    }
}

/// `0:LENGTH:BYTES`
fn data(bytes: &[u8]) -> Bytes {
    let mut message = format!("0:{}:", bytes.len()).into_bytes();
    message.extend_from_slice(bytes);
    message.into()
}

/// `1:COLS:ROWS:`
fn resize(size: TerminalSize) -> Bytes {
    format!("1:{}:{}:", size.cols, size.rows).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_far_side_reads_them() {
        assert_eq!(data("grün".as_bytes()), "0:5:grün".as_bytes());
        assert_eq!(resize(TerminalSize { cols: 91, rows: 33 }), "1:91:33:");
    }

    #[test]
    fn a_ticket_is_sent_as_it_came_and_never_shown() {
        let recorded = serde_json::json!({
            "port": "5901", "ticket": "PVEVNC:00000000::EXA+M/PLE=", "user": "root@pam!test",
            "upid": "UPID:pve1:00000F22:00067844:6B010109:vncproxy:101:root@pam!test:",
        });
        let ticket = Ticket::read(&recorded).unwrap();
        assert_eq!(ticket.greeting().expose_secret(), "root@pam!test:PVEVNC:00000000::EXA+M/PLE=\n");
        assert!(!format!("{ticket:?}").contains("EXA"));
        let of = ConsoleOf::Guest { kind: GuestKind::Lxc, vmid: "101" };
        let request = of.socket("pve1", &ticket);
        assert_eq!(request.to_string(), "GET /nodes/pve1/lxc/101/vncwebsocket");
        assert_eq!(request.encoded_params(), "port=5901&vncticket=PVEVNC%3A00000000%3A%3AEXA%2BM%2FPLE%3D");
        assert_eq!(ConsoleOf::Node.starting("pve1").to_string(), "POST /nodes/pve1/termproxy");
        // The description says that the port is a number.
        let number = serde_json::json!({"port": 5901, "ticket": "x", "user": "root@pam"});
        assert_eq!(Ticket::read(&number).unwrap().port, "5901");
    }
}
