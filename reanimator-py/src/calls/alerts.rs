//! Alerts, and the rules that say when somebody is told.

use reanimator_core::{
    Fleet, Result,
    access::Principal,
    model::{AlertFilter, AlertRule, AlertRuleChange},
    workflows::alerts::try_rule,
};

use super::audited;
use crate::{answer::Plain, arguments::Json};

/// Alerts, the newest first.
pub(crate) async fn alerts(fleet: Fleet, filter: AlertFilter) -> Result<Plain> {
    Plain::of(&fleet.alerts(&filter).await?)
}

/// One alert.
pub(crate) async fn alert(fleet: Fleet, id: String) -> Result<Plain> {
    Plain::of(&fleet.alert(&id).await?)
}

/// Says that somebody knows of an alert.
pub(crate) async fn acknowledge_alert(fleet: Fleet, id: String, comment: String) -> Result<Plain> {
    let who = Principal::local().who();
    let acknowledge = fleet.acknowledge_alert(&id, &who, &comment);
    Plain::of(&audited(&fleet, "alert acknowledge", &id, acknowledge).await?)
}

/// All rules.
pub(crate) async fn alert_rules(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.alert_rules().await?)
}

/// One rule.
pub(crate) async fn alert_rule(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.alert_rule(&name).await?)
}

/// Makes a rule.
pub(crate) async fn add_alert_rule(fleet: Fleet, rule: Json) -> Result<Plain> {
    let rule: AlertRule = rule.read("the alert rule")?;
    let on = format!("{}: {}", rule.name, rule.condition);
    Plain::of(&audited(&fleet, "alert rule add", &on, fleet.create_alert_rule(rule)).await?)
}

/// Changes a rule; what is absent stays.
pub(crate) async fn change_alert_rule(fleet: Fleet, name: String, change: Json) -> Result<Plain> {
    let change: AlertRuleChange = change.read("the change of an alert rule")?;
    Plain::of(&audited(&fleet, "alert rule change", &name, fleet.change_alert_rule(&name, change)).await?)
}

/// Removes a rule.
pub(crate) async fn remove_alert_rule(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "alert rule remove", &name, fleet.remove_alert_rule(&name)).await
}

/// Tries a rule. Nothing is changed.
pub(crate) async fn test_alert_rule(fleet: Fleet, rule: Json) -> Result<Plain> {
    Plain::of(&try_rule(&fleet, rule.read("the alert rule")?).await?)
}
