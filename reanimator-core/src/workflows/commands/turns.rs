//! Whose turn it is: so many at once, and whoever has fewest running is next.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::{Error, ErrorKind, Result};

/// Runs that go on at once in one process.
pub const AT_ONCE: usize = 8;
/// Runs that may wait for their turn.
pub const MOST_WAITING: usize = 64;

/// Turns of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<Queue>>);

/// A turn, from when it is asked for until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    number: u64,
    has_come: CancellationToken,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    running: BTreeMap<u64, String>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    who: String,
    come: CancellationToken,
}

impl Turns {
    /// Asks for a turn.
    ///
    /// # Errors
    /// `Busy` where too many wait already.
    pub(super) fn take(&self, who: &str) -> Result<Turn> {
        self.with(|queue| {
            if queue.waiting.len() >= MOST_WAITING {
                return Err(Error::new(ErrorKind::Busy, "run the command")
                    .because(format!("{AT_ONCE} commands run and {MOST_WAITING} wait already"))
                    .next("wait until some have ended, or stop one"));
            }
            queue.next += 1;
            let (number, come) = (queue.next, CancellationToken::new());
            queue.waiting.push_back(Waiting { number, who: who.to_owned(), come: come.clone() });
            queue.call();
            Ok(Turn { turns: self.clone(), number, has_come: come })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Queue) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queue {
    /// Calls as many as may run: of those who wait, whoever has fewest running, and of these who came first.
    fn call(&mut self) {
        while self.running.len() < AT_ONCE {
            let has = |who: &str| self.running.values().filter(|other| *other == who).count();
            let next = self.waiting.iter().enumerate().min_by_key(|(place, waiting)| (has(&waiting.who), *place));
            let Some(next) = next.map(|(place, _)| place).and_then(|place| self.waiting.remove(place)) else { return };
            self.running.insert(next.number, next.who);
            next.come.cancel();
        }
    }
}

impl Turn {
    /// Whether it has come.
    pub(super) fn is_now(&self) -> bool {
        self.has_come.is_cancelled()
    }

    /// Waits until it has.
    pub(super) async fn come(&self) {
        self.has_come.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.with(|queue| {
            queue.running.remove(&self.number);
            queue.waiting.retain(|waiting| waiting.number != self.number);
            queue.call();
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_fewest_running_is_next() {
        let turns = Turns::default();
        let mut ada: Vec<Turn> = (0..AT_ONCE + 2).map(|_| turns.take("ada").unwrap()).collect();
        assert_eq!(ada.iter().filter(|turn| turn.is_now()).count(), AT_ONCE);
        let bob = turns.take("bob").unwrap();
        assert!(!bob.is_now());
        drop(ada.remove(0));
        assert!(bob.is_now() && !ada[AT_ONCE - 1].is_now(), "bob has none running, though ada came before");
        drop(bob);
        assert!(ada[AT_ONCE - 1].is_now() && !ada[AT_ONCE].is_now(), "who came first is first");
    }

    #[test]
    fn no_more_than_so_many_wait() {
        let turns = Turns::default();
        let all: Vec<Turn> = (0..AT_ONCE + MOST_WAITING).map(|_| turns.take("ada").unwrap()).collect();
        assert_eq!(turns.take("bob").unwrap_err().kind(), ErrorKind::Busy);
        drop(all);
        assert!(turns.take("bob").unwrap().is_now());
    }
}
