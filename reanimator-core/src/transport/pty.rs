//! A terminal towards a machine: what people type goes in, what is shown comes out, and the two do not wait for each
//! other.
//!
//! Every way that has terminals (SSH, this machine, the console of Proxmox) makes a [`Pty`]. Both directions hold a few
//! pieces and no more: who does not read what is shown holds up the far side, and a far side that does not read what is
//! typed holds up who types. Dropping all of it hangs up.

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{mpsc, oneshot};

use super::Exit;
use crate::{Error, ErrorKind, Result, model::TerminalSize};

/// The kind of terminal that programs are told: what every terminal emulator of today understands.
pub const TERM: &str = "xterm-256color";

/// The largest piece that is passed on at once, in bytes.
pub const LARGEST_PIECE: usize = 32 * 1024;

/// How many pieces wait in each direction.
const PIECES: usize = 4;

/// An open terminal.
pub struct Pty {
    /// Where one types.
    pub keys: PtyKeys,
    /// What is shown, piece by piece; ends when the terminal does.
    pub screen: mpsc::Receiver<Bytes>,
    /// Resolves when the terminal has ended: how. Read what is shown meanwhile.
    pub exit: BoxFuture<'static, Result<Exit>>,
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty").finish_non_exhaustive()
    }
}

/// Where one types. Cheap to clone; when the last one is dropped, the terminal is hung up.
#[derive(Clone, Debug)]
pub struct PtyKeys(mpsc::Sender<Typed>);

impl PtyKeys {
    /// Types bytes, whole; waits while the far side does not take them.
    ///
    /// # Errors
    /// `Cancelled` when the terminal has ended.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> Result<()> {
        let mut rest: Bytes = bytes.into();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(LARGEST_PIECE));
            self.0.send(Typed::Bytes(piece)).await.map_err(|_| over("type into the terminal"))?;
        }
        Ok(())
    }

    /// Gives the terminal another size.
    ///
    /// # Errors
    /// `Invalid` for a size that no terminal has, `Cancelled` when the terminal has ended.
    pub async fn resize(&self, size: TerminalSize) -> Result<()> {
        self.0.send(Typed::Size(size.checked()?)).await.map_err(|_| over("give the terminal another size"))
    }
}

fn over(attempt: &str) -> Error {
    Error::new(ErrorKind::Cancelled, attempt).because("it has ended").next("open another one")
}

/// What comes from those who type.
#[derive(Debug)]
pub(crate) enum Typed {
    /// Bytes.
    Bytes(Bytes),
    /// Another size.
    Size(TerminalSize),
}

/// The side of a terminal that its machine is at.
#[derive(Debug)]
pub(crate) struct Far {
    /// What is typed; `None` when it was hung up.
    pub(crate) typed: mpsc::Receiver<Typed>,
    /// Where what is shown goes.
    pub(crate) screen: mpsc::Sender<Bytes>,
    /// Where the end is told.
    pub(crate) exit: oneshot::Sender<Result<Exit>>,
}

/// A terminal, and the side of it that somebody has to serve.
pub(crate) fn pair() -> (Pty, Far) {
    let (keys, typed) = mpsc::channel(PIECES);
    let (shown, screen) = mpsc::channel(PIECES);
    let (told, exit) = oneshot::channel();
    let exit = async move { exit.await.unwrap_or_else(|_| Err(over("wait for the terminal's end"))) };
    (Pty { keys: PtyKeys(keys), screen, exit: exit.boxed() }, Far { typed, screen: shown, exit: told })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_paste_goes_in_pieces_and_waits_for_its_reader() {
        let (pty, mut far) = pair();
        let paste = Bytes::from(vec![b'x'; LARGEST_PIECE * (PIECES + 3) + 1]);
        let mut sending = Box::pin(pty.keys.send(paste.clone()));
        assert!(futures::poll!(&mut sending).is_pending(), "it does not wait for its reader");
        let reading = async {
            let mut came = Vec::new();
            while came.len() < paste.len() {
                match far.typed.recv().await.unwrap() {
                    Typed::Bytes(piece) => came.extend_from_slice(&piece),
                    Typed::Size(size) => panic!("nobody asked for {size}"),
                }
            }
            came
        };
        let (sent, came) = tokio::join!(sending, reading);
        sent.unwrap();
        assert_eq!(came, paste);
    }

    #[tokio::test]
    async fn what_has_ended_takes_no_more() {
        let (pty, far) = pair();
        drop(far);
        assert_eq!(pty.keys.send("x").await.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(pty.exit.await.unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
