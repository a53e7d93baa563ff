//! Whom notices go to, and what was sent.

use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::Principal,
    model::{DeliveryFilter, DeliveryState, NotifySecrets, NotifyTarget, NotifyTargetChange},
};

use super::audited;
use crate::{answer::Plain, arguments::Json};

/// All targets.
pub(crate) async fn notify_targets(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.notify_targets(true).await?)
}

/// One target.
pub(crate) async fn notify_target(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.notify_target(&name, true).await?)
}

/// Makes a target.
pub(crate) async fn create_notify_target(fleet: Fleet, target: Json, secrets: Option<Json>) -> Result<Plain> {
    let target: NotifyTarget = target.read("the target")?;
    let secrets = read_secrets(secrets)?;
    let on = format!("{} ({})", target.name, target.way.kind());
    Plain::of(&audited(&fleet, "notify add", &on, fleet.create_notify_target(target, secrets)).await?)
}

/// Changes a target; what is absent stays.
pub(crate) async fn change_notify_target(
    fleet: Fleet,
    name: String,
    change: Json,
    secrets: Option<Json>,
) -> Result<Plain> {
    let change: NotifyTargetChange = change.read("the change of a target")?;
    let changing = fleet.change_notify_target(&name, change, read_secrets(secrets)?);
    Plain::of(&audited(&fleet, "notify change", &name, changing).await?)
}

/// Removes a target.
pub(crate) async fn remove_notify_target(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "notify remove", &name, fleet.remove_notify_target(&name)).await
}

/// Sends a message to a target at once.
pub(crate) async fn test_notify_target(fleet: Fleet, name: String) -> Result<Plain> {
    let who = Principal::local().who();
    Plain::of(&audited(&fleet, "notify test", &name, fleet.test_notify_target(&name, &who)).await?)
}

/// What was sent, and what waits.
pub(crate) async fn notifications(
    fleet: Fleet,
    target: Option<String>,
    state: Option<String>,
    before: Option<i64>,
    limit: u32,
) -> Result<Plain> {
    let state = state.as_deref().map(read_state).transpose()?;
    Plain::of(&fleet.deliveries(&DeliveryFilter { target, state, before, limit }).await?)
}

fn read_secrets(secrets: Option<Json>) -> Result<NotifySecrets> {
    secrets.map_or_else(|| Ok(NotifySecrets::default()), |secrets| secrets.read("the secrets of a target"))
}

fn read_state(text: &str) -> Result<DeliveryState> {
    serde_json::from_value(text.into()).map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("read the state {text:?}"))
            .because("there is none of that name")
            .next("use waiting, sent, failed or dropped")
    })
}
