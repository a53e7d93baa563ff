//! A file that is put on a storage from here.
//!
//! What begins it is the sending itself, which takes long and says how far it is: so it is done while it is followed. Whoever
//! comes back after a kill asks the cluster first: for a task that puts this very file there, or the file itself with all
//! its bytes. A connection that broke off has left nothing there, since a node begins when it has the whole file.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    super::{Check, Effect, Said, guest::task},
    shelf::Shelf,
};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::Action,
    transport::http::{FormFile, Request},
};

/// What a slow line carries in a second: the time that sending may take is reckoned by it.
const SLOWEST: u64 = 128 * 1024;
/// What is added to it, for the node to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(120);
/// How often it is looked how far it is; a line is said for each tenth.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LINES: u64 = 10;
/// How long a request of a killed process may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// How long a task may take its sums before it says which file it is about.
const NAMES_WITHIN: Duration = Duration::from_secs(600);
/// What a task says when it begins to copy.
const TARGET: &str = "target file: ";

/// Putting a file there.
pub(super) struct UploadEffect {
    fleet: Fleet,
    at: Shelf,
    /// The id that the file got when it was handed over.
    file: String,
    /// Whether this process has just begun it: then nobody has sent anything yet.
    fresh: AtomicBool,
}

/// What was known before, and by what it is found again: kept in the journal as the state before and as the handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sending {
    size: u64,
    sha256: String,
    /// The tasks that copied something before: none of them is this one's.
    known: Vec<String>,
}

/// How far the cluster got by itself.
enum Found {
    /// A task that puts it there.
    Task(String),
    /// All of it is there.
    There,
    /// Nothing.
    Nothing,
}

impl UploadEffect {
    pub(super) fn new(fleet: &Fleet, at: Shelf, file: &str) -> Self {
        Self { fleet: fleet.clone(), at, file: file.to_owned(), fresh: AtomicBool::new(false) }
    }

    fn attempt(&self) -> String {
        format!("upload {} to {} of {}", self.at.name, self.at.storage, self.at.node)
    }

    fn request(&self, sending: &Sending) -> Request {
        let limit = Duration::from_secs(sending.size / SLOWEST) + ANSWERS_WITHIN;
        Request::post(self.at.path("upload"))
            .param("content", self.at.content.as_str())
            .param("checksum-algorithm", "sha256")
            .param("checksum", sending.sha256.as_str())
            .time_limit(limit)
    }

    /// What the journal kept.
    fn sending(&self, kept: &Value) -> Result<Sending> {
        Sending::deserialize(kept).map_err(|error| {
            Error::new(ErrorKind::Internal, self.attempt())
                .because("the journal does not say what is sent")
                .from_source(error)
        })
    }

    /// Sends the file and says how far it is; gives the task that the node begins then.
    async fn send(&self, sending: &Sending, said: &(dyn Said + Sync)) -> Result<String> {
        let (_, path) = self.fleet.whole_upload(&self.file)?;
        let sent = Arc::new(AtomicU64::new(0));
        let (field, name) = ("filename".to_owned(), self.at.name.clone());
        let file = FormFile { field, name, path, size: sending.size, sent: sent.clone() };
        let mut sends = self.at.api.call(self.request(sending).with_file(file));
        let (mut ticks, mut told) = (tokio::time::interval(LOOK_EVERY), 0);
        let data = loop {
            tokio::select! {
                answer = &mut sends => break answer?,
                _ = ticks.tick() => {
                    let part = sent.load(Ordering::Relaxed).saturating_mul(LINES) / sending.size.max(1);
                    if part > told {
                        told = part;
                        said.line(&format!("{} % of {} bytes are sent", told * 100 / LINES, sending.size)).await;
                    }
                }
            }
        };
        said.line(&format!("all {} bytes are sent", sending.size)).await;
        let upid = data.as_str().map(str::to_owned);
        upid.ok_or_else(|| {
            Error::new(ErrorKind::Protocol, self.attempt()).because(format!("the answer is no task: {data}"))
        })
    }

    /// The tasks of the cluster that copy something, as far as it remembers: whichever node was handed the file runs it.
    async fn copies(&self) -> Result<Vec<String>> {
        let data = self.at.api.call(Request::get(["cluster", "tasks"])).await?;
        let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |row: &Value, name: &str| Some(row.get(name)?.as_str()?.to_owned());
        let is_copy = |row: &&Value| text(row, "type").as_deref() == Some("imgcopy");
        Ok(rows.iter().filter(is_copy).filter_map(|row| text(row, "upid")).collect())
    }

    /// Asks the cluster how far it got.
    async fn look(&self, sending: &Sending) -> Result<Found> {
        for upid in self.copies().await?.into_iter().filter(|upid| !sending.known.contains(upid)) {
            if self.is_ours(&upid).await? {
                return Ok(Found::Task(upid));
            }
        }
        Ok(if self.at.size().await? == Some(sending.size) { Found::There } else { Found::Nothing })
    }

    /// Whether a task puts this very file there: it says so once it has taken its sums.
    async fn is_ours(&self, upid: &str) -> Result<bool> {
        let node = task::node_of(upid)?;
        let give_up = Instant::now() + NAMES_WITHIN;
        let ends = format!("/{}", self.at.name);
        loop {
            let log =
                self.at.api.call(Request::get(["nodes", node, "tasks", upid, "log"]).param("limit", "50")).await?;
            let rows = log.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut lines = rows.iter().filter_map(|row| row.get("t").and_then(Value::as_str));
            if let Some(target) = lines.find_map(|line| line.strip_prefix(TARGET)) {
                let of_node = rows.iter().any(|row| {
                    row.get("t").and_then(Value::as_str).and_then(|line| line.strip_prefix("target node: "))
                        == Some(self.at.node.as_str())
                });
                return Ok(target.trim().ends_with(&ends) && of_node);
            }
            let status = self.at.api.call(Request::get(["nodes", node, "tasks", upid, "status"])).await?;
            if status.get("status").and_then(Value::as_str) != Some("running") || Instant::now() > give_up {
                // It ended before it put anything anywhere.
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[async_trait]
impl Effect for UploadEffect {
    async fn check(&self) -> Result<Check> {
        let (upload, _) = self.fleet.whole_upload(&self.file)?;
        if let Some(fault) = self.at.fault(Some(upload.size)).await? {
            return Ok(Check::Refused(vec![fault]));
        }
        match self.at.size().await? {
            Some(there) if there == upload.size => {
                let volume = self.at.volume();
                return Ok(Check::Already(format!("{volume} is there already, with the same {there} bytes")));
            }
            Some(there) => {
                return Ok(Check::Refused(vec![format!(
                    "{} is there already, with {there} bytes rather than {}: delete it there, or choose another name",
                    self.at.volume(),
                    upload.size
                )]));
            }
            None => {}
        }
        let sha256 = upload.sha256.clone().unwrap_or_default();
        let sending = Sending { size: upload.size, sha256, known: self.copies().await? };
        let request = self.request(&sending);
        let call =
            format!("POST /{} (form: {}, filename={})", request.path.join("/"), request.encoded_params(), self.at.name);
        let before = serde_json::to_value(&sending)
            .map_err(|error| Error::new(ErrorKind::Internal, self.attempt()).from_source(error))?;
        Ok(Check::Ready { before, calls: vec![call] })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        self.fresh.store(true, Ordering::Relaxed);
        Ok(before.to_string())
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        Ok(match self.look(&self.sending(before)?).await? {
            Found::Task(_) | Found::There => Some(before.to_string()),
            Found::Nothing => None,
        })
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let kept: Value = serde_json::from_str(handle).unwrap_or_default();
        let sending = self.sending(&kept)?;
        let mut found = Found::Nothing;
        if !self.fresh.swap(false, Ordering::Relaxed) {
            found = self.look(&sending).await?;
            if matches!(found, Found::Nothing) {
                tokio::time::sleep(ON_ITS_WAY).await;
                found = self.look(&sending).await?;
            }
        }
        let upid = match found {
            Found::There => return Ok(()),
            Found::Task(upid) => upid,
            Found::Nothing => match self.send(&sending, said).await {
                Ok(upid) => upid,
                // The answer was lost; the file may not have been.
                Err(error) if error.kind().is_retryable() => match self.look(&sending).await? {
                    Found::Task(upid) => upid,
                    Found::There => return Ok(()),
                    Found::Nothing => return Err(error),
                },
                Err(error) => return Err(error),
            },
        };
        task::follow(self.at.api.as_ref(), &upid, said).await
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        let kept: Value = serde_json::from_str(handle).unwrap_or_default();
        match self.look(&self.sending(&kept)?).await? {
            Found::Task(upid) => task::stop(self.at.api.as_ref(), &upid).await,
            // What was on its way ended with its connection.
            Found::There | Found::Nothing => Ok(true),
        }
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let text = self.at.confirm(Some(self.sending(before)?.size)).await?;
        // What is on the storage is needed here no more.
        self.fleet.drop_upload(&self.file)?;
        Ok(text)
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}
