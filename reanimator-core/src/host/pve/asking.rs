//! Questions asked one after the other, each of which may fail by itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{ProxmoxCluster, budget::Purpose};
use crate::{Error, ErrorKind, Result, model::Unseen, transport::http::Request};

/// How long one question about facts may take: they are not awaited by a round.
pub(super) const FACTS_LIMIT: Duration = Duration::from_secs(20);

/// How long answers wait for the rest of their row.
const ANSWERS_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// How many questions of a row may run out of time before the rest is not asked.
const LATE_ANSWERS: u32 = 2;

/// A row of questions that was begun: what has been answered so far. The rest is asked when the nodes may be asked again.
#[derive(Debug)]
pub(super) struct Begun {
    /// Since when.
    pub(super) at: Timestamp,
    answers: BTreeMap<String, Result<Value, Arc<Error>>>,
}

impl Begun {
    pub(super) fn new(at: Timestamp) -> Self {
        Self { at, answers: BTreeMap::new() }
    }

    /// Whether its answers are too old to be finished.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.at).abs() >= ANSWERS_WAIT
    }
}

/// A row of questions to one cluster, counted.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    cluster: &'a ProxmoxCluster,
    now: Timestamp,
    /// How many were asked.
    pub(super) requests: u32,
    /// What was not seen, and why.
    pub(super) unseen: Vec<Unseen>,
    /// Why the rest is not asked.
    gone: Option<String>,
    late: u32,
    /// What an earlier turn has got answered, where this row is asked in turns: no more than nodes may be asked.
    begun: Option<Begun>,
    /// Whether something must wait for another turn.
    waits: bool,
}

impl<'a> Asking<'a> {
    /// Questions that are asked at once, all of them.
    pub(super) fn new(cluster: &'a ProxmoxCluster, now: Timestamp) -> Self {
        Self { cluster, now, requests: 0, unseen: Vec::new(), gone: None, late: 0, begun: None, waits: false }
    }

    /// Questions that go on where `begun` ended, as far as the nodes may be asked now.
    pub(super) fn in_turns(cluster: &'a ProxmoxCluster, now: Timestamp, begun: Begun) -> Self {
        Self { begun: Some(begun), ..Self::new(cluster, now) }
    }

    /// What is to be kept for the next turn, where something waits for it.
    pub(super) fn waiting(&mut self) -> Option<Begun> {
        self.begun.take().filter(|_| self.waits)
    }

    /// Asks, and counts.
    pub(super) async fn call(&mut self, request: Request) -> Result<Value> {
        self.requests += 1;
        self.cluster.ask(request, Purpose::Facts, self.now).await
    }

    /// Asks for `what`; a failure becomes a note. Where nobody answers at all, the rest is not asked: each question
    /// would wait as long.
    pub(super) async fn ask<T>(
        &mut self,
        what: &str,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T>,
    ) -> Option<T> {
        self.answer(what, request, read).await.unwrap_or_else(|error| {
            self.note(what, &error);
            None
        })
    }

    /// The same, where a failure may mean that there is nothing to see: `Err` is for the caller to judge.
    pub(super) async fn answer<T>(
        &mut self,
        what: &str,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T>,
    ) -> Result<Option<T>, Arc<Error>> {
        if self.begun.is_none() {
            return self.answer_now(what, request, read).await;
        }
        let known = self.begun.as_ref().and_then(|begun| begun.answers.get(what));
        if let Some(answer) = known {
            return read(answer.as_ref().map_err(Arc::clone)?).map(Some).map_err(Arc::new);
        }
        if self.gone.is_none() && self.cluster.room(&request, self.now) == 0 {
            self.waits = true;
            return Ok(None);
        }
        let answer = match self.answer_now(what, request, |data| Ok(data.clone())).await {
            Ok(Some(data)) => Ok(data),
            Ok(None) => return Ok(None),
            Err(error) => Err(error),
        };
        let begun = self.begun.as_mut();
        match begun.map(|begun| &*begun.answers.entry(what.to_owned()).or_insert(answer)) {
            Some(Ok(data)) => read(data).map(Some).map_err(Arc::new),
            Some(Err(error)) => Err(Arc::clone(error)),
            None => Ok(None),
        }
    }

    /// Asks at once, whatever the nodes were asked lately.
    pub(super) async fn answer_now<T>(
        &mut self,
        what: &str,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T>,
    ) -> Result<Option<T>, Arc<Error>> {
        if let Some(why) = &self.gone {
            self.unseen.push(Unseen::new(what, format!("not asked: {why}")));
            return Ok(None);
        }
        let data = self.call(request.time_limit(FACTS_LIMIT)).await?;
        read(&data).map(Some).map_err(Arc::new)
    }

    /// The same; a failure becomes a note.
    pub(super) async fn ask_now<T>(
        &mut self,
        what: &str,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T>,
    ) -> Option<T> {
        self.answer_now(what, request, read).await.unwrap_or_else(|error| {
            self.note(what, &error);
            None
        })
    }

    /// Notes that `what` was not seen because of `error`.
    pub(super) fn note(&mut self, what: &str, error: &Error) {
        let why = crate::message(error);
        self.late += u32::from(error.kind() == ErrorKind::Timeout);
        if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::AuthFailed) || self.late >= LATE_ANSWERS {
            self.gone = Some(why.clone());
        }
        self.unseen.push(Unseen::new(what, why));
    }
}
