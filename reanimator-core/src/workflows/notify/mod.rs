//! Telling people: notices are handed over, given to the targets that want them, and sent.
//!
//! [`hand_over`] writes a notice into the store and returns; whatever happens then, it is not lost. [`NotifyLoop`] runs in
//! a server: it makes notices of operations that ended, gives notices to targets, and sends what is due. A notice is written
//! down as sent after the target has taken it: one that was taken just before the program died is sent once more, with the
//! same id. What cannot be sent is tried again for a day.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::{model::{Notice, NoticeKind, NoticeLevel}, workflows::notify};
//! let notice = Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, "pve1 does not answer", fleet.now());
//! notify::hand_over(&fleet, &notice.about("host:h1").keyed("alert:offline:h1")).await?;
//! # Ok(()) }
//! ```

mod ended;
mod plan;
mod routing;
#[cfg(all(test, feature = "sqlite"))]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    task::{Id, JoinSet},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use self::{ended::Told, plan::Plan};
use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Delivery, DeliveryState, Notice, NoticeLevel, NotifyTarget, Operation, OperationFilter},
    notify::{self, Message, Secrets},
    operation::Operations,
};

/// How often the store is looked into: what it costs is a few small queries while there is nothing to do.
const EVERY: Duration = Duration::from_secs(1);
/// As many notices are given out at each look.
const AT_ONCE: u32 = 500;
/// As many deliveries to one target are planned at each look.
const PLANNED: u32 = 1_000;
/// As many may wait for one target; those beyond are given up.
const MOST_WAITING: u64 = 5_000;
/// Up to so many where it is critical: a flood of others must not push it out.
const MOST_CRITICAL: u64 = 10_000;
/// How many of what is over is kept of each target.
const KEPT: u32 = 1_000;
/// How often what is beyond that is deleted.
const PRUNED_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How long sendings that are under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);
/// Operations that are read at once, and how many such pages.
const PAGE: u32 = 50;
const PAGES: usize = 100;
/// Up to where operations were told, in the store.
const OPERATIONS: &str = "operations";

/// Takes a notice, to be sent to whoever wants it. When this returns, it is written down: the loop in a server sends it,
/// however often that is killed before.
///
/// # Errors
/// `Storage` when it could not be written down.
pub async fn hand_over(fleet: &Fleet, notice: &Notice) -> Result<()> {
    fleet.store().append_notices(&[notice.clone().bounded()], None).await
}

/// The loop.
#[derive(Debug)]
pub struct NotifyLoop {
    fleet: Fleet,
    operations: Operations,
    sending: JoinSet<()>,
    /// To whom something is being sent.
    busy: BTreeMap<Id, String>,
    began_at: Timestamp,
    pruned_at: Option<Timestamp>,
}

impl NotifyLoop {
    /// A loop over what this fleet has to say.
    pub fn new(fleet: Fleet) -> Self {
        let (operations, began_at) = (Operations::new(fleet.clone()), fleet.now());
        Self { fleet, operations, sending: JoinSet::new(), busy: BTreeMap::new(), began_at, pruned_at: None }
    }

    /// Runs until `stop`; then lets what is being sent end for a moment. What is not sent waits for the next server.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = self.sending.join_next_with_id() => {
                    self.note_end(ended);
                    continue;
                }
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look().await {
                tracing::error!(error = %crate::report(&error), "notices cannot be given out");
            }
        }
        let ending = async { while self.sending.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ending).await.is_err() {
            tracing::warn!("notices that were being sent are sent again by the next server");
        }
    }

    fn note_end(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "the task that sends notices broke");
                error.id()
            }
        };
        self.busy.remove(&id);
    }

    /// One look: what ended becomes notices, notices go to targets, and what is due is sent.
    async fn look(&mut self) -> Result<()> {
        self.tell_of_operations().await?;
        let targets = self.fleet.store().notify_targets().await?;
        self.give_out(&targets).await?;
        for (name, _) in self.fleet.store().waiting_targets().await? {
            if self.busy.values().any(|busy| *busy == name) {
                continue;
            }
            match targets.iter().find(|target| target.name == name) {
                Some(target) if target.enabled => self.send_what_is_due(target).await?,
                _ => self.drop_all(&name).await?,
            }
        }
        self.prune().await
    }

    async fn tell_of_operations(&self) -> Result<()> {
        let store = self.fleet.store();
        let kept = store.notify_cursor(OPERATIONS).await?;
        let told: Option<Told> = kept.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?;
        let now = self.fleet.now();
        let seen = self.seen(told.as_ref()).await?;
        let (next, notices) = match &told {
            Some(told) => told.with(&seen, now),
            None => Told::first(&seen, self.began_at, now),
        };
        if told.as_ref() == Some(&next) && notices.is_empty() {
            return Ok(());
        }
        let notices: Vec<Notice> = notices.into_iter().map(Notice::bounded).collect();
        let next = serde_json::to_string(&next).map_err(unreadable)?;
        store.append_notices(&notices, Some((OPERATIONS, &next))).await
    }

    /// Operations that go on, that went on when they were last seen, and that are new since.
    async fn seen(&self, told: Option<&Told>) -> Result<Vec<Operation>> {
        let open = OperationFilter { open: true, limit: 1_000, ..OperationFilter::default() };
        let mut seen = self.operations.list(&open).await?;
        for id in told.into_iter().flat_map(|told| &told.open) {
            if seen.iter().any(|each| each.id == *id) {
                continue;
            }
            match self.operations.get(id).await {
                Ok(operation) => seen.push(operation),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let newest = self.operations.list(&OperationFilter { limit: 1, ..OperationFilter::default() }).await?;
        let is_known = |told: &Told| newest.first().is_none_or(|newest| !told.is_new(&newest.id));
        if told.is_some_and(is_known) {
            return Ok(seen);
        }
        let mut filter = OperationFilter { limit: PAGE, ..OperationFilter::default() };
        for _ in 0..PAGES {
            let page = self.operations.list(&filter).await?;
            let Some(last) = page.last().map(|each| each.id.clone()) else { break };
            let more = told.is_some_and(|told| told.is_new(&last));
            let new = page.into_iter().filter(|each| told.is_none_or(|told| told.is_new(&each.id)));
            for operation in new.collect::<Vec<_>>() {
                if !seen.iter().any(|each| each.id == operation.id) {
                    seen.push(operation);
                }
            }
            if !more {
                break;
            }
            filter.before = Some(last);
        }
        Ok(seen)
    }

    /// Gives notices to the targets that want them.
    async fn give_out(&self, targets: &[NotifyTarget]) -> Result<()> {
        let store = self.fleet.store();
        let notices = store.notices(AT_ONCE).await?;
        let Some(last) = notices.last().map(|notice| notice.number) else { return Ok(()) };
        let mut waiting: BTreeMap<String, u64> = store.waiting_targets().await?.into_iter().collect();
        let now = self.fleet.now();
        let mut chosen: Vec<Option<BTreeSet<String>>> = Vec::new();
        for target in targets {
            chosen.push(self.fleet.chosen_by(target).await?);
        }
        let mut deliveries = Vec::new();
        for stored in &notices {
            let wanting = targets.iter().zip(&chosen);
            let wanting = wanting.filter(|(target, chosen)| routing::wants(target, chosen.as_ref(), &stored.notice));
            for (target, _) in wanting {
                let count = waiting.entry(target.name.clone()).or_default();
                let delivery = Delivery::new(&*target.name, stored.notice.clone(), now);
                let is_critical = stored.notice.level == NoticeLevel::Critical;
                deliveries.push(match *count < if is_critical { MOST_CRITICAL } else { MOST_WAITING } {
                    true => delivery,
                    false => delivery.ended(DeliveryState::Failed, Some(format!("{count} wait already")), now),
                });
                *count += 1;
            }
        }
        store.give_out(last, &deliveries).await
    }

    async fn send_what_is_due(&mut self, target: &NotifyTarget) -> Result<()> {
        let store = self.fleet.store();
        let mut waiting = store.waiting_deliveries(&target.name, PLANNED).await?;
        if waiting.len() >= PLANNED as usize
            && let Some(last) = waiting.last().map(|last| last.number)
        {
            // Behind so much that waits for the end of quiet hours, what goes through would not be seen.
            waiting.extend(store.waiting_critical(&target.name, last, PLANNED).await?);
        }
        let Plan { send, dropped } = plan::plan(target, waiting, self.fleet.now())?;
        store.update_deliveries(&dropped).await?;
        if send.is_empty() {
            return Ok(());
        }
        let secrets = self.fleet.notify_secrets(&target.name).await?;
        let sending = Sending { fleet: self.fleet.clone(), target: target.clone(), secrets };
        let task = self.sending.spawn(async move {
            if let Err(error) = sending.send_all(send).await {
                tracing::error!(error = %crate::report(&error), "what became of notices cannot be written down");
            }
        });
        self.busy.insert(task.id(), target.name.clone());
        Ok(())
    }

    /// What waits for a target that is switched off, or gone.
    async fn drop_all(&self, name: &str) -> Result<()> {
        let store = self.fleet.store();
        let now = self.fleet.now();
        let why = Some("the target was switched off".to_owned());
        let over = |delivery: Delivery| delivery.ended(DeliveryState::Dropped, why.clone(), now);
        let waiting = store.waiting_deliveries(name, PLANNED).await?;
        store.update_deliveries(&waiting.into_iter().map(over).collect::<Vec<_>>()).await
    }

    async fn prune(&mut self) -> Result<()> {
        let now = self.fleet.now();
        if self.pruned_at.is_some_and(|at| now.duration_since(at) < PRUNED_EVERY) {
            return Ok(());
        }
        self.pruned_at = Some(now);
        self.fleet.store().prune_deliveries(KEPT).await.map(drop)
    }
}

/// Messages on their way to one target.
#[derive(Debug)]
struct Sending {
    fleet: Fleet,
    target: NotifyTarget,
    secrets: Secrets,
}

impl Sending {
    /// Sends one after the other. One that is refused for what is in it does not stop those behind it; all else does.
    async fn send_all(&self, messages: Vec<Vec<Delivery>>) -> Result<()> {
        let mut messages = messages.into_iter();
        while let Some(deliveries) = messages.next() {
            let notices = deliveries.iter().map(|delivery| delivery.notice.clone()).collect();
            let message = Message::new(notices, &plan::seed(&self.target, &deliveries));
            let sent = notify::send(&self.target, &self.secrets, &message).await;
            let now = self.fleet.now();
            let store = self.fleet.store();
            let error = match sent {
                Ok(answer) => {
                    let sent = deliveries.into_iter().map(|each| plan::after_success(each, &answer, now));
                    store.update_deliveries(&sent.collect::<Vec<_>>()).await?;
                    continue;
                }
                Err(error) => error,
            };
            let why = crate::message(&error);
            tracing::warn!(target = %self.target.name, error = %crate::report(&error), "a notice could not be sent");
            let mut failed = deliveries;
            if error.kind() != ErrorKind::Invalid {
                failed.extend(messages.by_ref().flatten());
            }
            let failed = failed.into_iter().map(|each| plan::after_failure(each, &why, now));
            store.update_deliveries(&failed.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Storage, "read up to where operations were told").from_source(error)
}
