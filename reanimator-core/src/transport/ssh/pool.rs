//! One connection per host: opened when it is first needed, shared, opened again after it was lost. After a failure the
//! next attempt waits longer each time; who asks meanwhile is told at once what went wrong and when it is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::auth::Ways;
use super::connection::{Connection, SessionLimit};
use super::dial::reach;
use super::end::Undertaker;
use super::target::{SshCredentials, SshTarget};
use crate::{Error, Fingerprint, Result};

/// The back-off's first and last step. The real wait is a random part of it, so that a fleet does not come back at once.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The connection to one host.
pub(super) struct Pool {
    pub(super) target: Arc<SshTarget>,
    credentials: SshCredentials,
    limit: Arc<SessionLimit>,
    state: Mutex<State>,
    shown: std::sync::Mutex<Vec<Fingerprint>>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    ways: Option<Arc<Ways>>,
    failure: Option<Failure>,
}

struct Failure {
    error: Error,
    times: u32,
    next: Instant,
}

impl Pool {
    pub(super) fn new(target: SshTarget, credentials: SshCredentials) -> Self {
        let limit = Arc::new(SessionLimit::new(target.sessions));
        let (target, state, shown) = (Arc::new(target), Mutex::default(), std::sync::Mutex::default());
        Self { target, credentials, limit, state, shown }
    }

    /// The connection, opened now if there is none, and who ends commands on it.
    pub(super) async fn connection(&self) -> Result<(Arc<Connection>, Undertaker)> {
        let mut state = self.state.lock().await;
        if let Some(connection) = state.connection.take_if(|connection| !connection.is_alive()) {
            tracing::debug!(host = %self.target.host.label(), why = connection.link.ending.why(), "connection lost");
        }
        let connection = match &state.connection {
            Some(connection) => connection.clone(),
            None => self.open(&mut state).await?,
        };
        let ways = self.ways(&mut state).await?;
        Ok((connection, Undertaker { target: self.target.clone(), ways }))
    }

    async fn open(&self, state: &mut State) -> Result<Arc<Connection>> {
        if let Some(failure) = &state.failure {
            let wait = failure.next.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Err(waiting(&failure.error));
            }
        }
        // The network first: whoever has nothing to log in with wants to know that nobody answers all the same.
        let opened = async {
            let reached = reach(&self.target).await?;
            let ways = self.ways_anew(state).await;
            reached.log_in(&ways).await
        };
        match opened.await {
            Ok(link) => {
                self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&link.shown);
                let connection = Arc::new(Connection::new(link, self.limit.clone()));
                state.connection = Some(connection.clone());
                state.failure = None;
                Ok(connection)
            }
            Err(error) => {
                let times = state.failure.as_ref().map_or(0, |failure| failure.times) + 1;
                let next = Instant::now() + wait_after(times, rand::random());
                state.failure = Some(Failure { error: error.copied(), times, next });
                Err(error)
            }
        }
    }

    /// The opened keys, as they were for the last log-in.
    async fn ways(&self, state: &mut State) -> Result<Arc<Ways>> {
        match &state.ways {
            Some(ways) => Ok(ways.clone()),
            None => self.ways_anew(state).await,
        }
    }

    /// The opened keys. Key files are read for each log-in, since somebody may have put new ones there; a slow
    /// passphrase is paid once for each key.
    async fn ways_anew(&self, state: &mut State) -> Result<Arc<Ways>> {
        let ways = Arc::new(Ways::gather(&self.target, &self.credentials, state.ways.as_deref()).await?);
        state.ways = Some(ways.clone());
        Ok(ways)
    }

    /// Forgets a connection that turned out to be dead.
    pub(super) async fn forget(&self, dead: &Arc<Connection>) {
        let mut state = self.state.lock().await;
        state.connection.take_if(|connection| Arc::ptr_eq(connection, dead));
    }

    /// Closes the connection, and forgets past failures.
    pub(super) async fn close(&self) {
        let State { connection, .. } = std::mem::take(&mut *self.state.lock().await);
        if let Some(connection) = connection {
            connection.close().await;
        }
    }

    pub(super) fn shown(&self) -> Vec<Fingerprint> {
        self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn sessions(&self) -> usize {
        self.limit.get()
    }

    pub(super) fn credentials(&self) -> &SshCredentials {
        &self.credentials
    }
}

/// Exponential back-off with full jitter. `luck` lies in 0..1.
fn wait_after(times: u32, luck: f64) -> Duration {
    let ceiling = FIRST_WAIT.saturating_mul(1 << times.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    ceiling.mul_f64(luck)
}

/// The last failure again, while nobody tries. It is stored and shown for long: it must not count seconds.
fn waiting(last: &Error) -> Error {
    last.copied().noting("this was the last attempt's outcome; it is tried again by itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_meanwhile_counts_no_seconds() {
        let told = crate::report(&waiting(&Error::new(crate::ErrorKind::Timeout, "connect").because("silence")));
        assert!(told.contains("silence; this was the last attempt's outcome"), "{told}");
        assert!(!told.contains(|sign: char| sign.is_ascii_digit()), "{told}");
    }

    #[test]
    fn waits_double_up_to_a_minute_and_are_spread() {
        assert_eq!(wait_after(1, 1.0), Duration::from_secs(1));
        assert_eq!(wait_after(4, 1.0), Duration::from_secs(8));
        assert_eq!(wait_after(40, 1.0), Duration::from_secs(60));
        assert_eq!(wait_after(4, 0.25), Duration::from_secs(2));
        assert_eq!(wait_after(4, 0.0), Duration::ZERO);
    }
}
