//! What a store keeps of telling people: targets with their secrets, notices that were handed over, and their deliveries.

use async_trait::async_trait;

use super::NamedSecret;
use crate::{
    Result,
    model::{Delivery, DeliveryFilter, Notice, NotifyTarget},
};

/// What is to become of a target, which is handed in as it is at that moment. What it refuses is not done at all.
pub type NotifyTargetEdit = Box<dyn FnOnce(NotifyTarget) -> Result<NotifyTarget> + Send>;

/// A notice that was handed over and not yet given to targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredNotice {
    /// Rises with each notice.
    pub number: i64,
    /// What is told.
    pub notice: Notice,
}

/// Targets, notices and deliveries. A notice is never between two places: each step is one transaction.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait NotifyStore: Send + Sync {
    /// All targets, by name.
    async fn notify_targets(&self) -> Result<Vec<NotifyTarget>>;

    /// Adds a target with its secrets: all of it or nothing.
    ///
    /// # Errors
    /// `Conflict` where one is called so already.
    async fn insert_notify_target(&self, target: &NotifyTarget, secrets: &[NamedSecret]) -> Result<()>;

    /// Changes a target as it is at that moment, with its secrets: some stored, others deleted. Its name stays. Gives it as
    /// it is then.
    ///
    /// # Errors
    /// `NotFound`, and what `edit` refuses.
    async fn edit_notify_target(
        &self,
        name: &str,
        edit: NotifyTargetEdit,
        stored: &[NamedSecret],
        deleted: &[&str],
    ) -> Result<NotifyTarget>;

    /// Removes a target with its secrets and all its deliveries.
    ///
    /// # Errors
    /// `NotFound`.
    async fn remove_notify_target(&self, name: &str) -> Result<()>;

    /// Takes notices, and notes with them up to where the thing `cursor` names was told: all of it or nothing.
    async fn append_notices(&self, notices: &[Notice], cursor: Option<(&str, &str)>) -> Result<()>;

    /// The first `limit` notices that were not yet given to targets, oldest first.
    async fn notices(&self, limit: u32) -> Result<Vec<StoredNotice>>;

    /// Gives notices out: takes those up to the one numbered `through` away, and adds deliveries in their place.
    async fn give_out(&self, through: i64, deliveries: &[Delivery]) -> Result<()>;

    /// The first `limit` deliveries to a target that wait, oldest first.
    async fn waiting_deliveries(&self, target: &str, limit: u32) -> Result<Vec<Delivery>>;

    /// The first `limit` critical deliveries to a target that wait, of those numbered above `after`; oldest first.
    async fn waiting_critical(&self, target: &str, after: i64, limit: u32) -> Result<Vec<Delivery>>;

    /// The targets for which something waits, whether they are still there or not, and how much.
    async fn waiting_targets(&self) -> Result<Vec<(String, u64)>>;

    /// Writes down how deliveries stand now. Those that are gone are left out silently.
    async fn update_deliveries(&self, deliveries: &[Delivery]) -> Result<()>;

    /// Those that are wanted, newest first.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>>;

    /// Of what is over, keeps the newest `keep` of each target and deletes the rest, at most 10,000 at each call; says how
    /// many.
    async fn prune_deliveries(&self, keep: u32) -> Result<u64>;

    /// Up to where something was told.
    async fn notify_cursor(&self, name: &str) -> Result<Option<String>>;
}
