//! Whom notices go to: made, changed and removed by admins, tried, and how each is doing.

use std::{collections::BTreeSet, time::Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fleet, GuestSelector, Selector};
use crate::{
    Error, ErrorKind, Result,
    model::{
        Delivery, DeliveryFilter, DeliveryState, Notice, NoticeKind, NoticeLevel, NotifySecrets, NotifyTarget,
        NotifyTargetChange,
        attention::{Attention, AttentionKind, AttentionLevel, Trouble},
        notify_target,
    },
    notify::{self, Message, Secrets},
};

/// As many targets as there can be.
const MOST: usize = 100;
/// A target that could not be reached so often in a row needs somebody.
const FAILS: u32 = 3;

/// A target, and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotifyTargetView {
    /// Its name.
    pub name: String,
    /// How it is reached: `email`, `webhook`, `ntfy`, `gotify`, `apprise`.
    pub kind: String,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Until when it is not to be disturbed; none where it may be now.
    pub quiet_until: Option<Timestamp>,
    /// How many notices wait for it.
    pub waiting: u64,
    /// How often the oldest of these could not be sent.
    pub tries: u32,
    /// When the newest notice that is over was sent or given up.
    pub last_at: Option<Timestamp>,
    /// What became of it.
    pub last_state: Option<DeliveryState>,
    /// What went wrong last, where something did since.
    pub trouble: Option<String>,
    /// All that is set, for admins alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<NotifyTarget>,
    /// The names of its secrets, for admins alone. The secrets themselves are never given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
}

/// What came of trying a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotifyTestReport {
    /// What the far side answered.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

impl Fleet {
    /// All targets, by name; with what is set only where `whole`.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn notify_targets(&self, whole: bool) -> Result<Vec<NotifyTargetView>> {
        let mut views = Vec::new();
        for target in self.store().notify_targets().await? {
            views.push(self.notify_view(target, whole).await?);
        }
        Ok(views)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn notify_target(&self, name: &str, whole: bool) -> Result<NotifyTargetView> {
        let target = self.find_target(name).await?;
        self.notify_view(target, whole).await
    }

    /// Makes a target.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong; `Conflict` where one is called so already; `Storage`.
    pub async fn create_notify_target(&self, target: NotifyTarget, secrets: NotifySecrets) -> Result<NotifyTargetView> {
        check(&target)?;
        if self.store().notify_targets().await?.len() >= MOST {
            return Err(Error::new(ErrorKind::Conflict, "make a target")
                .because(format!("there are {MOST} already"))
                .next("remove one that is not needed"));
        }
        let (mut stored, _) = secrets.sorted(&target.way)?;
        let (way, url) = target.way.sealed();
        stored.extend(url.map(|url| ("url".to_owned(), url)));
        let target = NotifyTarget { way, ..target };
        self.store().insert_notify_target(&target, &stored).await?;
        self.notify_view(target, true).await
    }

    /// Changes a target; what is absent stays. Where it is reached in another way, its secrets are given anew.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong: then nothing is changed. `NotFound`, `Storage`.
    pub async fn change_notify_target(
        &self,
        name: &str,
        change: NotifyTargetChange,
        secrets: NotifySecrets,
    ) -> Result<NotifyTargetView> {
        let before = self.find_target(name).await?;
        let way = change.way.clone().unwrap_or_else(|| before.way.clone());
        let (mut stored, mut deleted) = secrets.sorted(&way)?;
        let (shown, url) = way.sealed();
        stored.extend(url.map(|url| ("url".to_owned(), url)));
        if moved(&before.way, &shown) {
            // What was for one place is not sent to another.
            let given = |name: &&str| stored.iter().any(|(stored, _)| stored == name);
            deleted.extend(notify_target::SECRET_NAMES.into_iter().chain(["url"]).filter(|name| !given(name)));
        }
        let way = change.way.is_some().then_some(shown);
        let change = NotifyTargetChange { way, ..change };
        let edit = move |target: NotifyTarget| {
            let target = target.with(change);
            check(&target)?;
            Ok(target)
        };
        let target = self.store().edit_notify_target(name, Box::new(edit), &stored, &deleted).await?;
        self.notify_view(target, true).await
    }

    /// Removes a target with its secrets. What waits for it is not sent.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_notify_target(&self, name: &str) -> Result<()> {
        self.store().remove_notify_target(name).await
    }

    /// Sends a message to a target at once, whatever it wants and whether it is quiet. It stands among the deliveries.
    ///
    /// # Errors
    /// `NotFound`, and why it could not be sent.
    pub async fn test_notify_target(&self, name: &str, who: &str) -> Result<NotifyTestReport> {
        let target = self.find_target(name).await?;
        let secrets = self.notify_secrets(name).await?;
        let now = self.now();
        let text = format!("{who} tries whether notices reach {name}. If you read this, they do.");
        let notice = Notice::new(NoticeKind::Test, NoticeLevel::Notice, "A test from Reanimator", now)
            .saying(text)
            .keyed(format!("test:{name}:{now}"))
            .bounded();
        let delivery = Delivery { tries: 1, first_try_at: Some(now), ..Delivery::new(name, notice.clone(), now) };
        let message = Message::new(vec![notice], &format!("test {name} {now}"));
        let begun = Instant::now();
        let sent = notify::send(&target, &secrets, &message).await;
        let (state, note) = match &sent {
            Ok(answer) => (DeliveryState::Sent, answer.clone()),
            Err(error) => (DeliveryState::Failed, crate::message(error)),
        };
        self.store().give_out(0, &[delivery.ended(state, Some(note), self.now())]).await?;
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        sent.map(|answer| NotifyTestReport { answer, milliseconds })
    }

    /// What was sent, and what waits; the newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
        self.store().deliveries(filter).await
    }

    async fn find_target(&self, name: &str) -> Result<NotifyTarget> {
        self.store().notify_targets().await?.into_iter().find(|target| target.name == name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            Error::new(ErrorKind::NotFound, format!("find the target {name:?}"))
                .because("none is called so")
                .next("see `reanimator notify list`")
        })
    }

    async fn notify_view(&self, target: NotifyTarget, whole: bool) -> Result<NotifyTargetView> {
        let store = self.store();
        let name = target.name.clone();
        let waiting = store.waiting_targets().await?.into_iter().find(|(waits, _)| *waits == name);
        let oldest = match &waiting {
            Some(_) => store.waiting_deliveries(&name, 1).await?.pop(),
            None => None,
        };
        let last = self.last_of(&name).await?;
        let failed = |delivery: &Delivery| delivery.state == DeliveryState::Failed;
        let trouble = oldest.as_ref().and_then(|oldest| oldest.note.clone());
        let trouble = trouble.or_else(|| last.as_ref().filter(|last| failed(last)).and_then(|last| last.note.clone()));
        let secrets = if whole { Some(store.secret_names(&target.owner()).await?) } else { None };
        Ok(NotifyTargetView {
            kind: target.way.kind().to_owned(),
            enabled: target.enabled,
            quiet_until: target.quiet_until(self.now())?,
            waiting: waiting.map_or(0, |(_, count)| count),
            tries: oldest.map_or(0, |oldest| oldest.tries),
            last_at: last.as_ref().and_then(|last| last.ended_at),
            last_state: last.map(|last| last.state),
            trouble,
            target: whole.then_some(target),
            secrets,
            name,
        })
    }

    /// The newest delivery that was sent or given up.
    async fn last_of(&self, name: &str) -> Result<Option<Delivery>> {
        let mut last: Option<Delivery> = None;
        for state in [DeliveryState::Sent, DeliveryState::Failed] {
            let filter = DeliveryFilter { target: Some(name.to_owned()), state: Some(state), before: None, limit: 1 };
            let newest = self.store().deliveries(&filter).await?.pop();
            last = newest.into_iter().chain(last).max_by_key(|each| each.ended_at);
        }
        Ok(last)
    }

    /// The secrets of a target, opened.
    pub(crate) async fn notify_secrets(&self, name: &str) -> Result<Secrets> {
        let owner = notify_target::owner(name);
        let mut secrets = Vec::new();
        for secret in self.store().secret_names(&owner).await? {
            if let Some(opened) = self.store().get_secret(&owner, &secret).await? {
                secrets.push((secret, opened));
            }
        }
        Ok(Secrets::new(secrets))
    }

    /// The things that a target's selection means, as notices name them; none where it has no selection.
    pub(crate) async fn chosen_by(&self, target: &NotifyTarget) -> Result<Option<BTreeSet<String>>> {
        let which = &target.which;
        if which.hosts.is_none() && which.guests.is_none() {
            return Ok(None);
        }
        let guests = self.guests().await?;
        let hosts = self.read(|world| world.views(self.now()));
        let mut chosen = BTreeSet::new();
        if let Some(text) = &which.hosts {
            let selector: Selector = text.parse()?;
            chosen.extend(hosts.iter().filter(|host| selector.covers(host)).map(|host| format!("host:{}", host.id)));
        }
        if let Some(text) = &which.guests {
            let selector: GuestSelector = text.parse()?;
            chosen.extend(
                guests.iter().filter(|guest| selector.covers(guest)).map(|guest| format!("guest:{}", guest.id)),
            );
        }
        Ok(Some(chosen))
    }

    /// Targets that cannot be reached, as what needs somebody.
    pub(super) async fn silent_targets(&self) -> Result<Vec<Attention>> {
        let mut silent = Vec::new();
        for (name, count) in self.store().waiting_targets().await?.into_iter().take(MOST) {
            let oldest = self.store().waiting_deliveries(&name, 1).await?.pop();
            let Some(oldest) = oldest.filter(|oldest| oldest.tries >= FAILS) else { continue };
            let why = oldest.note.unwrap_or_default();
            let what = format!("notices do not reach {name}: {why}");
            let trouble = Trouble::new(AttentionKind::Notify, AttentionLevel::Warning, what)
                .with("target", &name)
                .with("count", count)
                .with("error", why)
                .since(oldest.first_try_at);
            silent.push(trouble.of(format!("notify:{name}"), name.as_str()));
        }
        Ok(silent)
    }
}

/// Whether another place is meant, to which secrets of the one before must not go.
fn moved(before: &crate::model::NotifyWay, after: &crate::model::NotifyWay) -> bool {
    use crate::model::NotifyWay::{Apprise, Email, Gotify, Ntfy, Webhook};
    match (before, after) {
        (Email { server: a, port: x, .. }, Email { server: b, port: y, .. }) => a != b || x != y,
        (Webhook { url: a }, Webhook { url: b }) => a != b,
        (Ntfy { server: a, .. }, Ntfy { server: b, .. }) | (Gotify { server: a }, Gotify { server: b }) => a != b,
        (Apprise {}, Apprise {}) => false,
        _ => true,
    }
}

/// Refuses a target that could not be kept.
fn check(target: &NotifyTarget) -> Result<()> {
    target.check()?;
    let which = &target.which;
    if let Some(hosts) = &which.hosts
        && hosts.parse::<Selector>()?.asks_for_state()
    {
        return Err(Error::new(ErrorKind::Invalid, format!("take the target {:?}", target.name))
            .because("`state:` says something else every moment")
            .next("choose hosts by name, group, tag, kind or cluster"));
    }
    which.guests.as_deref().map(str::parse::<GuestSelector>).transpose().map(drop)
}
