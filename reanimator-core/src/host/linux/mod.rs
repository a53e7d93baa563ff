//! A Linux machine over any transport: this one, one behind SSH, or a recorded one.
//!
//! The figures come from the [watching shell](crate::collect::linux::watch), one round trip each. Slower facts are
//! asked apart and less often, and network file systems in the background, so that a file server that is gone never
//! holds up the figures.

mod contained;
mod facts;
mod job;
#[cfg(test)]
mod listeners_tests;
mod session;
mod space;

pub use self::{contained::Contained, job::Jobs};

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use self::{session::Session, space::SpaceWatch};
use super::{Capabilities, Host, LinuxHost, Observation};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::{identity, rates, watch::Sample},
    model::Unseen,
    transport::{Become, Command, Output, Transport},
};

/// How long one sample may take over a kept shell before the host counts as silent. With an
/// interval of 10.5 s at most, two misses are known 29.2 s after the last good look: the next one begins by 10.5 and is
/// missed by 16.5; the one after begins by 21 and has [`CONNECT_TIME_LIMIT`]; 0.2 s for writing it down.
pub const SAMPLE_TIME_LIMIT: Duration = Duration::from_secs(6);

/// How long a sample may take where the connection has to be made first.
pub const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(8);

/// How old identity may get before it is asked again.
const IDENTITY_EVERY: Duration = Duration::from_secs(15 * 60);

/// How long identity may take: `systemd-detect-virt` and `pveversion` are the slow ones.
const IDENTITY_TIME_LIMIT: Duration = Duration::from_secs(6);

/// How long slower facts may hold up an observation whose figures are there.
const NOTE_TIME_LIMIT: Duration = Duration::from_secs(8);

/// The wait between the first two samples, so that the first observation has rates already.
const FIRST_RATE_AFTER: Duration = Duration::from_millis(500);

/// A clock that is this far from ours is worth a word.
const SKEW_WORTH_A_WORD: u64 = 60;

/// A Linux machine.
#[derive(Debug)]
pub struct LinuxMachine {
    transport: Arc<dyn Transport>,
    become_root: Become,
    state: Mutex<State>,
    space: SpaceWatch,
    kept: Mutex<facts::Kept>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    /// The latest sample, and the one before it: rates over a few milliseconds would be noise.
    latest: Option<Sample>,
    older: Option<Sample>,
    identity: Option<Known>,
}

/// Identity, and when it was asked.
#[derive(Debug)]
struct Known {
    at: Timestamp,
    answer: identity::Answer,
    skew: Option<i64>,
}

impl LinuxMachine {
    /// A machine behind `transport`; `become_root` is used for facts that need root.
    pub fn new(transport: Arc<dyn Transport>, become_root: Become) -> Self {
        Self {
            space: SpaceWatch::new(transport.clone()),
            transport,
            become_root,
            state: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// How commands become root here.
    pub fn root(&self) -> Become {
        self.become_root.clone()
    }

    /// Work that goes on by itself there, as root where we may become that.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.transport.clone(), self.become_root.clone())
    }

    /// The transport underneath.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// One sample over the kept shell. One that broke since the last time (the host restarted, say) is no news of the
    /// host: another is started at once, and what keeps it from starting is what is told.
    async fn sample(&self, state: &mut State) -> Result<Sample> {
        let was_kept = state.session.is_some();
        match self.sample_once(state).await {
            Err(error) if was_kept && error.kind() != ErrorKind::Timeout => {
                tracing::debug!(host = %self.transport.label(), error = %crate::message(&error), "the watching shell broke");
                self.sample_once(state).await
            }
            result => result,
        }
    }

    /// One sample; a shell that fails is dropped, and the next call starts another.
    async fn sample_once(&self, state: &mut State) -> Result<Sample> {
        let limit = if state.session.is_some() { SAMPLE_TIME_LIMIT } else { CONNECT_TIME_LIMIT };
        let taken = async {
            if state.session.is_none() {
                state.session = Some(Session::start(self.transport.as_ref()).await?);
            }
            match state.session.as_mut() {
                Some(session) => session.sample().await,
                None => Err(Error::new(ErrorKind::Internal, "start the watching shell")),
            }
        };
        let result = match tokio::time::timeout(limit, taken).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(ErrorKind::Timeout, "read the host's figures")
                .on(self.transport.label())
                .because(format!("no answer within {} s", limit.as_secs()))
                .next("check whether the machine hangs (load, disks) or the network drops packets")),
        };
        if result.is_err() {
            state.session = None;
            (state.latest, state.older) = (None, None);
        }
        result
    }

    async fn identify(&self, now: Timestamp) -> Result<Known> {
        let command = Command::shell(identity::command()).time_limit(IDENTITY_TIME_LIMIT);
        let output = self.transport.run(command.clone().become_root(self.become_root.clone())).await;
        let output = match (output, &self.become_root) {
            // An account that may not become root still has a name.
            (Err(error), Become::Sudo | Become::SudoPassword(_)) if !error.kind().is_retryable() => {
                tracing::warn!(host = %self.transport.label(), error = %crate::message(&error), "identity without root");
                self.transport.run(command).await?
            }
            (output, _) => output?,
        };
        let answer = identity::parse(&output.stdout.text());
        let skew = answer.clock.map(|clock| clock.saturating_sub(now.as_second()));
        let skew = skew.filter(|skew| skew.unsigned_abs() > SKEW_WORTH_A_WORD);
        Ok(Known { at: now, answer, skew })
    }
}

#[async_trait]
impl Host for LinuxMachine {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shell: true, proxmox: false }
    }

    async fn observe(&self, now: Timestamp) -> Result<Observation> {
        let mut state = self.state.lock().await;
        let mut sample = self.sample(&mut state).await?;
        if state.latest.is_none() {
            state.latest = Some(sample);
            tokio::time::sleep(FIRST_RATE_AFTER).await;
            sample = self.sample(&mut state).await?;
        }
        let mut late = Vec::new();
        let due = |at: Timestamp| now.duration_since(at).unsigned_abs() >= IDENTITY_EVERY;
        if state.identity.as_ref().is_none_or(|known| due(known.at)) {
            // The figures are there: who it is may come later.
            match tokio::time::timeout(NOTE_TIME_LIMIT, self.identify(now)).await {
                Ok(Ok(known)) => state.identity = Some(known),
                Ok(Err(error)) => late.push(Unseen::new("identity", crate::message(&error))),
                Err(_) => late.push(Unseen::new("identity", "it took too long to say")),
            }
        }
        let too_soon = state.latest.as_ref().is_some_and(|latest| rates::is_too_soon(latest, &sample));
        let before = if too_soon { &state.older } else { &state.latest };
        let mut observation = Observation {
            telemetry: rates::telemetry(before.as_ref(), &sample),
            unseen: sample.unseen.clone(),
            ..Observation::default()
        };
        if let Some(known) = &state.identity {
            observation.identity = known.answer.identity.clone();
            observation.unseen.extend(known.answer.unseen.iter().cloned());
            observation.clock_skew_seconds = known.skew;
        }
        observation.telemetry.at = Some(now);
        observation.telemetry.cpus = observation.identity.cpus;
        observation.unseen.append(&mut late);
        if tokio::time::timeout(NOTE_TIME_LIMIT, self.space.add_to(&mut observation, now)).await.is_err() {
            observation.unseen.push(Unseen::new("file systems", "it took too long to measure them"));
        }
        if !too_soon {
            state.older = state.latest.replace(sample);
        }
        Ok(observation)
    }

    async fn close(&self) {
        self.state.lock().await.session = None;
        self.transport.close().await;
    }
}

#[async_trait]
impl LinuxHost for LinuxMachine {
    async fn run(&self, command: Command) -> Result<Output> {
        self.transport.run(command).await
    }
}
