//! Changes to the world, as operations.

use reanimator_core::{
    Fleet, Result,
    access::Principal,
    action::guard,
    model::{MaintenanceWish, OperationFilter, OperationId, RuleView},
    operation::Operations,
    workflows::maintenance,
};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::Plain,
    arguments::{Json, Terms},
};

/// Carries steps out, and gives the operation when it is over; or only asks for them.
pub(crate) async fn operate(fleet: Fleet, terms: Terms, wait: bool) -> Result<Plain> {
    let operations = Operations::new(fleet);
    let asked = operations.ask(terms.into_operation()?, &Principal::local(), "local").await?;
    if !wait {
        return Plain::of(&asked);
    }
    Plain::of(&operations.see_through(&asked.id, &CancellationToken::new()).await?)
}

/// Takes a host into maintenance or out of it; the wish is JSON.
pub(crate) async fn maintain(fleet: Fleet, host: String, wish: Json, wait: bool) -> Result<Plain> {
    let (host, wish) = (fleet.host(&host).await?.host.id, wish.read::<MaintenanceWish>("what is wanted of the host")?);
    let asked = maintenance::ask(&fleet, &host, &wish, &Principal::local(), "local").await?;
    if !wait {
        return Plain::of(&asked);
    }
    Plain::of(&Operations::new(fleet).see_through(&asked.id, &CancellationToken::new()).await?)
}

/// Says what that would come to.
pub(crate) async fn maintain_dry_run(fleet: Fleet, host: String, wish: Json) -> Result<Plain> {
    let (host, wish) = (fleet.host(&host).await?.host.id, wish.read::<MaintenanceWish>("what is wanted of the host")?);
    Plain::of(&maintenance::dry_run(&fleet, &host, &wish).await?)
}

/// Says what would be done.
pub(crate) async fn dry_run(fleet: Fleet, terms: Terms) -> Result<Plain> {
    Plain::of(&Operations::new(fleet).dry_run(&terms.into_operation()?).await?)
}

/// Some operations, the newest first.
pub(crate) async fn operations(fleet: Fleet, open: bool, before: Option<String>, limit: u32) -> Result<Plain> {
    let filter = OperationFilter { open, before: before.map(OperationId), limit };
    Plain::of(&Operations::new(fleet).list(&filter).await?)
}

/// One operation.
pub(crate) async fn operation(fleet: Fleet, id: String) -> Result<Plain> {
    Plain::of(&Operations::new(fleet).get(&id.into()).await?)
}

/// What one said.
pub(crate) async fn operation_lines(fleet: Fleet, id: String, after: i64) -> Result<Plain> {
    let (operations, id) = (Operations::new(fleet), id.into());
    operations.get(&id).await?;
    Plain::of(&operations.lines(&id, after).await?)
}

/// Stops one before its next step.
pub(crate) async fn cancel(fleet: Fleet, id: String) -> Result<Plain> {
    let (operations, id) = (Operations::new(fleet), id.into());
    operations.cancel(&id, &Principal::local(), "local").await?;
    Plain::of(&operations.get(&id).await?)
}

/// Takes back what one did, and gives it when that is over.
pub(crate) async fn undo(fleet: Fleet, id: String) -> Result<Plain> {
    let (operations, id) = (Operations::new(fleet), id.into());
    operations.undo(&id, &Principal::local(), "local").await?;
    Plain::of(&operations.see_through(&id, &CancellationToken::new()).await?)
}

/// Goes on with whatever nobody carries out any more; gives the ids of those that were tried.
pub(crate) async fn resume(fleet: Fleet) -> Result<Plain> {
    Plain::of(&Operations::new(fleet).resume_orphans().await?)
}

/// Where a guest could go.
pub(crate) async fn guest_targets(fleet: Fleet, guest: String, node: Option<String>) -> Result<Plain> {
    let id = fleet.guest(node.as_deref(), &guest).await?.id;
    Plain::of(&guard::targets(&fleet, &id).await?)
}

/// The rules by which nothing is harmed.
pub(crate) async fn rules() -> Result<Plain> {
    Plain::of(&RuleView::all())
}
