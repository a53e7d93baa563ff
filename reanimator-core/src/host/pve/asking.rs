//! Questions asked one after the other, each of which may fail by itself.

use std::time::Duration;

use serde_json::Value;

use super::PveApi;
use crate::{Error, ErrorKind, Result, model::Unseen, transport::http::Request};

/// How long one question about facts may take: they are not awaited by a round.
pub(super) const FACTS_LIMIT: Duration = Duration::from_secs(20);

/// A row of questions to one API, counted.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    api: &'a dyn PveApi,
    /// How many were asked.
    pub(super) requests: u32,
    /// What was not seen, and why.
    pub(super) unseen: Vec<Unseen>,
    /// Why the rest is not asked.
    gone: Option<String>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(api: &'a dyn PveApi) -> Self {
        Self { api, requests: 0, unseen: Vec::new(), gone: None }
    }

    /// Asks, and counts.
    pub(super) async fn call(&mut self, request: Request) -> Result<Value> {
        self.requests += 1;
        self.api.call(request).await
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
    ) -> Result<Option<T>> {
        if let Some(why) = &self.gone {
            self.unseen.push(Unseen::new(what, format!("not asked: {why}")));
            return Ok(None);
        }
        let data = self.call(request.time_limit(FACTS_LIMIT)).await?;
        read(&data).map(Some)
    }

    /// Notes that `what` was not seen because of `error`.
    pub(super) fn note(&mut self, what: &str, error: &Error) {
        let why = crate::message(error);
        if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::AuthFailed) {
            self.gone = Some(why.clone());
        }
        self.unseen.push(Unseen::new(what, why));
    }
}
