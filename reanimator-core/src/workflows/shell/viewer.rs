//! Somebody who looks at a terminal, and types in it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::session::{AHEAD, Session, Tide};
use crate::{
    Result,
    model::{Terminal, TerminalEnd, TerminalSize},
    transport::pty::LARGEST_PIECE,
};

/// What a viewer sees next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What was shown, and the number of the byte behind it.
    Bytes {
        /// What was shown.
        bytes: Bytes,
        /// How many bytes were shown until then since the terminal's beginning.
        at: u64,
    },
    /// So much is gone that this viewer has not seen: clear the screen, and go on.
    Lost {
        /// How many bytes.
        bytes: u64,
    },
    /// Somebody has given the terminal this size.
    Size(TerminalSize),
    /// It has ended; nothing follows.
    Ended(TerminalEnd),
}

/// Somebody who looks at a terminal. Dropped, it has left.
#[derive(Debug)]
pub struct Viewer {
    hands: Hands,
    tide: watch::Receiver<Tide>,
    seeing: watch::Receiver<u64>,
    at: u64,
    lost: u64,
    size: TerminalSize,
    over: bool,
    /// Whether it says itself how much it has seen; else what it was given counts as seen.
    says: bool,
}

/// What a viewer types with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hands {
    session: Arc<Session>,
    number: u64,
}

impl Hands {
    /// Types bytes; waits while the far side does not take them.
    ///
    /// # Errors
    /// `Conflict` or `Cancelled` when the terminal has ended.
    pub async fn type_in(&self, bytes: impl Into<Bytes>) -> Result<()> {
        self.session.type_in(bytes.into()).await
    }

    /// Gives the terminal another size, for all who look at it.
    ///
    /// # Errors
    /// `Invalid` for a size that no terminal has; as [`type_in`](Self::type_in).
    pub async fn resize(&self, size: TerminalSize) -> Result<()> {
        self.session.resize(size).await
    }

    /// The terminal as it is now.
    pub fn terminal(&self) -> Terminal {
        self.session.view()
    }

    /// Says that everything before byte number `at` was seen: more may come.
    pub fn seen(&self, at: u64) {
        self.session.seen(self.number, at);
    }
}

impl Viewer {
    pub(super) fn enter(session: Arc<Session>, from: Option<u64>, says: bool) -> Self {
        let tide = session.tide.subscribe();
        let size = tide.borrow().size;
        let (number, seeing, at, lost) = session.enter(from);
        Self { hands: Hands { session, number }, tide, seeing, at, lost, size, over: false, says }
    }

    /// What it types with.
    pub fn hands(&self) -> Hands {
        self.hands.clone()
    }

    /// The terminal as it is now.
    pub fn terminal(&self) -> Terminal {
        self.hands.terminal()
    }

    /// The number of the byte that it sees next.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What it sees next; none behind the end. Dropped while it waits, nothing is lost.
    pub async fn next(&mut self) -> Option<Seen> {
        if self.over {
            return None;
        }
        loop {
            if self.lost > 0 {
                return Some(Seen::Lost { bytes: std::mem::take(&mut self.lost) });
            }
            let Tide { size, over, .. } = *self.tide.borrow_and_update();
            if size != self.size {
                self.size = size;
                return Some(Seen::Size(size));
            }
            let open = !self.says || self.at.saturating_sub(*self.seeing.borrow_and_update()) < AHEAD;
            if open {
                match self.hands.session.piece(self.at, LARGEST_PIECE) {
                    Ok(Some(bytes)) => {
                        self.at += bytes.len() as u64;
                        if !self.says {
                            self.hands.seen(self.at);
                        }
                        return Some(Seen::Bytes { bytes, at: self.at });
                    }
                    Ok(None) if over => {
                        self.over = true;
                        return self.terminal().ended.map(Seen::Ended);
                    }
                    Ok(None) => {}
                    Err((lost, goes_on)) => {
                        (self.lost, self.at) = (lost, goes_on);
                        continue;
                    }
                }
            }
            tokio::select! {
                // Both live as long as the session, which this one holds.
                _ = self.tide.changed() => {}
                _ = self.seeing.changed(), if !open => {}
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.hands.session.leave(self.hands.number);
    }
}
