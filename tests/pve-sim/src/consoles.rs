//! What is behind a console: a real shell on a real terminal, on this machine, in an empty folder of its own.
//!
//! The real one asks for a name and a password first; this one is in at once.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use pty_process::{Command, Size};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};

/// The ports that consoles have.
pub(crate) const FIRST_PORT: u16 = 5900;
pub(crate) const LAST_PORT: u16 = 5999;

/// The largest message that pveproxy passes on.
const LARGEST: usize = 64 * 1024;

/// A console that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    /// Whose: a guest's number or a node's name.
    pub(crate) name: String,
    /// Who asked.
    pub(crate) user: String,
    pub(crate) is_token: bool,
    pub(crate) ticket: String,
    /// When its ticket has run out.
    pub(crate) until: f64,
    /// What it says in place of a shell.
    pub(crate) refused: Option<String>,
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves a console to who has come in, until one side ends it.
pub(crate) async fn serve(console: Console, upgraded: Upgraded) {
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    if let Err(error) = attend(&console, &mut socket).await {
        tracing::debug!(%error, console = console.name, "a console broke off");
    }
    // Who is gone needs no farewell.
    let _ = socket.close(None).await;
}

async fn attend(console: &Console, socket: &mut Socket) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Ok(Some(first)) = tokio::time::timeout(Duration::from_secs(10), socket.next()).await else { return Ok(()) };
    let greeting = format!("{}:{}\n", console.user, console.ticket);
    if first?.into_data() != greeting.as_bytes() || console.is_token {
        return Ok(());
    }
    socket.send(Message::binary(Bytes::from_static(b"OK"))).await?;
    if let Some(words) = &console.refused {
        socket.send(Message::binary(Bytes::from(format!("{words}\r\n")))).await?;
        return Ok(());
    }
    let home = tempfile::Builder::new().prefix("pve-sim-console-").tempdir()?;
    let (mut pty, pts) = pty_process::open()?;
    pty.resize(Size::new(24, 80))?;
    let mut child = Command::new("/bin/sh")
        .arg("-i")
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("PS1", format!("root@{}:~# ", console.name))
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8")
        .current_dir(home.path())
        .kill_on_drop(true)
        .spawn(pts)?;
    let mut packets = Packets::default();
    let mut piece = vec![0; 16 * 1024];
    let (mut read, mut write) = pty.split();
    loop {
        tokio::select! {
            shown = read.read(&mut piece) => match shown {
                Ok(length @ 1..) => socket.send(Message::binary(Bytes::copy_from_slice(&piece[..length]))).await?,
                _ => break,
            },
            message = socket.next() => {
                let Some(message) = message else { break };
                let message = message?;
                if message.is_close() {
                    break;
                }
                let data = message.into_data();
                if data.len() > LARGEST {
                    break;
                }
                packets.0.extend_from_slice(&data);
                while let Some(packet) = packets.next()? {
                    match packet {
                        Packet::Data(bytes) => write.write_all(&bytes).await?,
                        Packet::Size(cols, rows) => write.resize(Size::new(rows, cols))?,
                        Packet::Ping => {}
                    }
                }
            }
            _ = child.wait() => {
                // Its last words.
                while let Ok(Ok(length @ 1..)) = tokio::time::timeout(Duration::from_millis(50), read.read(&mut piece)).await {
                    socket.send(Message::binary(Bytes::copy_from_slice(&piece[..length]))).await?;
                }
                break;
            }
        }
    }
    Ok(())
}

/// What came, as far as it is not whole.
#[derive(Default)]
struct Packets(BytesMut);

#[derive(Debug, PartialEq)]
enum Packet {
    Data(Bytes),
    Size(u16, u16),
    Ping,
}

impl Packets {
    /// The next whole one: `0:LENGTH:BYTES`, `1:COLS:ROWS:`, `2`.
    fn next(&mut self) -> Result<Option<Packet>, String> {
        let kind = match self.0.first() {
            None => return Ok(None),
            Some(b'2') => {
                self.0.advance(1);
                return Ok(Some(Packet::Ping));
            }
            Some(kind @ (b'0' | b'1')) => *kind,
            Some(other) => return Err(format!("no message begins with {other}")),
        };
        let mut fields = self.0.splitn(if kind == b'0' { 3 } else { 4 }, |byte| *byte == b':');
        let _kind = fields.next();
        let number = |field: &[u8]| -> Result<usize, String> {
            let text = std::str::from_utf8(field).map_err(|error| error.to_string())?;
            text.parse().map_err(|error| format!("{text:?}: {error}"))
        };
        let (Some(first), Some(second)) = (fields.next(), fields.next()) else { return Ok(None) };
        if kind == b'1' {
            if fields.next().is_none() {
                return Ok(None);
            }
            let (cols, rows) = (number(first)?, number(second)?);
            self.0.advance(4 + first_len(cols) + first_len(rows));
            let side = |number| u16::try_from(number).map_err(|_| format!("{number} is no side"));
            return Ok(Some(Packet::Size(side(cols)?, side(rows)?)));
        }
        let length = number(first)?;
        if second.len() < length {
            return Ok(None);
        }
        let head = 3 + first.len();
        self.0.advance(head);
        Ok(Some(Packet::Data(self.0.split_to(length).freeze())))
    }
}

/// How long a number is in digits.
fn first_len(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_whole_in_whatever_pieces() {
        let sent = "0:5:grün1:91:33:20:0:0:2:a:";
        let mut packets = Packets::default();
        let mut came = Vec::new();
        for byte in sent.as_bytes() {
            packets.0.extend_from_slice(&[*byte]);
            while let Some(packet) = packets.next().unwrap() {
                came.push(packet);
            }
        }
        let data = |text: &'static str| Packet::Data(Bytes::from_static(text.as_bytes()));
        assert_eq!(came, [data("grün"), Packet::Size(91, 33), Packet::Ping, data(""), data("a:")]);
        packets.0.extend_from_slice(b"7");
        assert!(packets.next().is_err());
    }
}
