//! What a store keeps of alert rules and alerts.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Result,
    model::{Alert, AlertFilter, AlertRule, Event, Notice},
};

/// What is to become of a rule, which is handed in as it is at that moment. What it refuses is not done at all.
pub type AlertRuleEdit = Box<dyn FnOnce(AlertRule) -> Result<AlertRule> + Send>;

/// What is to become of an alert, likewise.
pub type AlertEdit = Box<dyn FnOnce(Alert) -> Result<Alert> + Send>;

/// Rules and alerts.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// All rules, by name.
    async fn alert_rules(&self) -> Result<Vec<AlertRule>>;

    /// Adds these rules to a fleet that was never given any; says whether it did. Later on nothing is added, also when
    /// all were removed.
    async fn seed_alert_rules(&self, rules: &[AlertRule]) -> Result<bool>;

    /// Adds a rule.
    ///
    /// # Errors
    /// `Conflict` where one is called so already.
    async fn insert_alert_rule(&self, rule: &AlertRule) -> Result<()>;

    /// Changes a rule as it is at that moment; its name stays. Gives it as it is then.
    ///
    /// # Errors
    /// `NotFound`, and what `edit` refuses.
    async fn edit_alert_rule(&self, name: &str, edit: AlertRuleEdit) -> Result<AlertRule>;

    /// Removes a rule.
    ///
    /// # Errors
    /// `NotFound`.
    async fn remove_alert_rule(&self, name: &str) -> Result<()>;

    /// The alerts that are wanted, newest first.
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>>;

    /// One alert.
    async fn alert(&self, id: &str) -> Result<Option<Alert>>;

    /// Alerts that go on, and those that resolved after that time: in the order in which they were raised.
    async fn alerts_since(&self, after: Timestamp) -> Result<Vec<Alert>>;

    /// Alerts that go on and that somebody knows of.
    async fn acknowledged_alerts(&self) -> Result<Vec<Alert>>;

    /// Puts alerts in place of what was stored of them, with what happened and the notices that are to be sent of it: all
    /// of it or nothing. What people have said of an alert stays.
    async fn write_alerts(&self, alerts: &[Alert], events: &[Event], notices: &[Notice]) -> Result<()>;

    /// Changes an alert as it is at that moment. Gives it as it is then.
    ///
    /// # Errors
    /// `NotFound`, and what `edit` refuses.
    async fn edit_alert(&self, id: &str, edit: AlertEdit) -> Result<Alert>;

    /// Deletes alerts that resolved before that time, at most 10,000 at each call; says how many.
    async fn prune_alerts(&self, before: Timestamp) -> Result<u64>;
}
