//! Alerts and their rules as people see and change them.

mod notices;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::notices::{hosts_of, notice};
use super::{Fleet, GuestSelector, NamedSelector, Selector};
use crate::{
    Error, ErrorKind, Result,
    alert::{Transition, derived_percent},
    model::{
        Alert, AlertCondition, AlertFilter, AlertRule, AlertRuleChange, AlertState, EntityKind, EventKind, Notice,
        default_rules,
    },
    store::metric_index,
};

/// Rules that there may be.
const MOST_RULES: usize = 200;
/// The longest comment on an alert, in characters.
const LONGEST_COMMENT: usize = 500;

/// A rule, and what it comes to now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertRuleView {
    /// The rule.
    pub rule: AlertRule,
    /// When it is met, in words.
    pub words: String,
    /// How many alerts of it go on.
    pub open: usize,
}

impl Fleet {
    /// Alerts, the newest first.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>> {
        self.store().alerts(filter).await
    }

    /// One alert.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn alert(&self, id: &str) -> Result<Alert> {
        self.store().alert(id).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "find the alert")
                .on(id)
                .because("there is none with this id, or it was over long ago")
                .next("see `reanimator alert list`")
        })
    }

    /// Says that somebody knows of an alert. Who says so again says it anew.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for the comment; `Conflict` where it is over; `Storage`.
    pub async fn acknowledge_alert(&self, id: &str, who: &str, comment: &str) -> Result<Alert> {
        let comment = comment.trim().to_owned();
        if comment.chars().count() > LONGEST_COMMENT || comment.chars().any(char::is_control) {
            return Err(Error::new(ErrorKind::Invalid, "acknowledge the alert")
                .because("the comment is too long, or has a line break")
                .next(format!("use one line of up to {LONGEST_COMMENT} characters")));
        }
        let (by, now) = (who.to_owned(), self.now());
        let edit = move |alert: Alert| match alert.is_open() {
            true => Ok(Alert {
                state: AlertState::Acknowledged,
                acknowledged_by: Some(by),
                acknowledged_at: Some(now),
                comment,
                ..alert
            }),
            false => Err(Error::new(ErrorKind::Conflict, "acknowledge the alert")
                .on(alert.id)
                .because("it is over")
                .next("see `reanimator alert list` for those that go on")),
        };
        let alert = self.store().edit_alert(id, Box::new(edit)).await?;
        let event = self.event(EventKind::AlertAcknowledged, &alert);
        self.store().append_events(event.as_slice()).await?;
        self.acknowledged_here(|ids| ids.insert(alert.id.clone()));
        self.tell(EventKind::AlertAcknowledged, &alert);
        Ok(alert)
    }

    /// Alerts that were acknowledged in this process since this was asked last.
    pub(crate) fn take_acknowledged_here(&self) -> BTreeSet<String> {
        self.acknowledged_here(std::mem::take)
    }

    fn acknowledged_here<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        change(&mut self.inner.acknowledged.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// All rules, by name.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn alert_rules(&self) -> Result<Vec<AlertRuleView>> {
        let open = AlertFilter { open: Some(true), limit: u32::MAX, ..AlertFilter::default() };
        let open = self.store().alerts(&open).await?;
        let view = |rule: AlertRule| AlertRuleView {
            words: rule.condition.to_string(),
            open: open.iter().filter(|alert| alert.rule == rule.name).count(),
            rule,
        };
        Ok(self.store().alert_rules().await?.into_iter().map(view).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn alert_rule(&self, name: &str) -> Result<AlertRuleView> {
        self.alert_rules().await?.into_iter().find(|view| view.rule.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find the alert rule {name:?}"))
                .because("none is called so")
                .next("see `reanimator alert rule list`")
        })
    }

    /// Makes a rule.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong; `Conflict` where one is called so already; `Storage`.
    pub async fn create_alert_rule(&self, rule: AlertRule) -> Result<AlertRuleView> {
        // One that is made anew under an old name is not the old one: what that raised is over.
        let revision = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        let rule = AlertRule { built_in: false, revision, ..rule };
        check_alert_rule(&rule)?;
        if self.store().alert_rules().await?.len() >= MOST_RULES {
            return Err(Error::new(ErrorKind::Conflict, "make an alert rule")
                .because(format!("there are {MOST_RULES} already"))
                .next("remove one that nobody needs"));
        }
        self.store().insert_alert_rule(&rule).await?;
        self.alert_rule(&rule.name).await
    }

    /// Changes a rule; what is absent stays. Where it looks at something else then, or in another way, it begins anew: what
    /// it had raised resolves and says so.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong: then nothing is changed. `NotFound`, `Storage`.
    pub async fn change_alert_rule(&self, name: &str, change: AlertRuleChange) -> Result<AlertRuleView> {
        let edit = move |rule: AlertRule| {
            let rule = rule.with(change);
            check_alert_rule(&rule)?;
            Ok(rule)
        };
        self.store().edit_alert_rule(name, Box::new(edit)).await?;
        self.alert_rule(name).await
    }

    /// Removes a rule. What it had raised resolves and says so.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_alert_rule(&self, name: &str) -> Result<()> {
        self.store().remove_alert_rule(name).await
    }

    /// Gives a fleet that never had any its first rules.
    pub(super) async fn give_first_alert_rules(&self) -> Result<()> {
        self.store().seed_alert_rules(&default_rules()).await.map(drop)
    }

    /// Writes down what became of alerts, with what is to be said of it, and tells those who listen.
    ///
    /// # Errors
    /// `Storage`: then nothing of it was written or told.
    pub(crate) async fn write_down_alerts(&self, transitions: &[Transition]) -> Result<()> {
        if transitions.is_empty() {
            return Ok(());
        }
        let alerts: Vec<Alert> = transitions.iter().map(|each| each.alert().clone()).collect();
        let told = transitions.iter().filter_map(|each| match each {
            Transition::Raised(alert) | Transition::Returned(alert) => self.event(EventKind::AlertRaised, alert),
            Transition::Resolved(alert) => self.event(EventKind::AlertResolved, alert),
            Transition::Renewed(_) => None,
        });
        let events: Vec<_> = told.collect();
        let (storages, places) = self.read(|world| (world.storages(), world.node_places()));
        let notice = |each| notice(each, |entity| hosts_of(entity, &storages, &places));
        let notices: Vec<Notice> = transitions.iter().filter_map(notice).collect();
        self.store().write_alerts(&alerts, &events, &notices).await?;
        events.into_iter().for_each(|event| self.pass_on(event));
        Ok(())
    }
}

/// Refuses a rule that could not be kept: by itself, by its selectors, by its figure.
///
/// # Errors
/// `Invalid`, naming what is wrong.
pub fn check_alert_rule(rule: &AlertRule) -> Result<()> {
    rule.check()?;
    if let Some(hosts) = &rule.hosts
        && hosts.parse::<Selector>()?.asks_for_state()
    {
        return Err(Error::new(ErrorKind::Invalid, format!("take the alert rule {:?}", rule.name))
            .because("`state:` says something else every moment")
            .next("choose hosts by name, group, tag, kind or cluster"));
    }
    if let Some(guests) = &rule.guests {
        guests.parse::<GuestSelector>()?;
    }
    for names in [&rule.storages, &rule.clusters].into_iter().flatten() {
        names.parse::<NamedSelector>()?;
    }
    let chosen = [
        (rule.hosts.is_some(), EntityKind::Host),
        (rule.guests.is_some(), EntityKind::Guest),
        (rule.storages.is_some(), EntityKind::Storage),
    ];
    let kinds: Vec<EntityKind> = chosen.into_iter().filter_map(|(chosen, kind)| chosen.then_some(kind)).collect();
    let refuse = |cause: String, next: &str| {
        Err(Error::new(ErrorKind::Invalid, format!("take the alert rule {:?}", rule.name)).because(cause).next(next))
    };
    match &rule.condition {
        AlertCondition::Threshold { metric, .. } => {
            if let Some(kind) = kinds.iter().find(|kind| !is_figure(**kind, metric)) {
                return refuse(
                    format!("{metric:?} is no figure of a {kind}"),
                    "name a figure of the history, or memory_percent, swap_percent, disk_percent",
                );
            }
            if rule.clusters.is_some() {
                return refuse("clusters have no figures".to_owned(), "choose hosts, guests or storages");
            }
        }
        AlertCondition::Filling { .. } if rule.clusters.is_some() => {
            return refuse("clusters do not fill".to_owned(), "choose hosts, guests or storages");
        }
        AlertCondition::Offline { .. } if rule.storages.is_some() => {
            return refuse("storages do not answer".to_owned(), "choose hosts, guests or clusters");
        }
        AlertCondition::Filling { .. }
        | AlertCondition::Offline { .. }
        | AlertCondition::Attention { .. }
        | AlertCondition::Certificate { .. } => {}
    }
    Ok(())
}

/// Whether a rule may name that figure of such a thing.
fn is_figure(kind: EntityKind, metric: &str) -> bool {
    let derived = match (kind, metric) {
        (EntityKind::Storage, "disk_percent") => true,
        _ => derived_percent(metric).is_some_and(|(part, _)| metric_index(kind, part).is_some()),
    };
    derived || metric_index(kind, metric).is_some()
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::FleetOptions;

    async fn fleet(directory: &std::path::Path) -> Fleet {
        Fleet::open(FleetOptions::new(directory)).await.unwrap()
    }

    fn rule(text: serde_json::Value) -> AlertRule {
        serde_json::from_value(text).unwrap()
    }

    #[tokio::test]
    async fn a_new_fleet_has_rules_and_what_is_removed_stays_away() {
        let directory = tempfile::tempdir().unwrap();
        let first = fleet(directory.path()).await;
        assert_eq!(first.alert_rules().await.unwrap().len(), default_rules().len());
        for rule in default_rules() {
            check_alert_rule(&rule).unwrap();
        }
        first.remove_alert_rule("offline").await.unwrap();
        first.close().await;
        let second = fleet(directory.path()).await;
        assert_eq!(second.alert_rule("offline").await.unwrap_err().kind(), ErrorKind::NotFound);
        let off = serde_json::from_value(serde_json::json!({ "enabled": false })).unwrap();
        let changed = second.change_alert_rule("memory", off).await.unwrap();
        assert!(!changed.rule.enabled && changed.rule.built_in && changed.rule.revision == 1);
    }

    #[tokio::test]
    async fn rules_are_made_and_refused_by_their_fault() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        let busy = serde_json::json!({ "name": "busy", "hosts": "all", "built_in": true, "condition":
            { "kind": "threshold", "metric": "cpu_percent", "enter": 95, "leave": 80 } });
        let made = fleet.create_alert_rule(rule(busy.clone())).await.unwrap();
        assert!(!made.rule.built_in && made.rule.revision > 0, "{made:?}");
        assert_eq!(fleet.create_alert_rule(rule(busy.clone())).await.unwrap_err().kind(), ErrorKind::Conflict);
        for (what, value, word) in [
            ("name", serde_json::json!("a b"), "letters"),
            ("hosts", serde_json::json!("["), "pattern"),
            ("hosts", serde_json::json!("state:online"), "state:"),
            ("storages", serde_json::json!("all"), "figure of a storage"),
            ("clusters", serde_json::json!("all"), "clusters"),
            ("condition", serde_json::json!({ "kind": "threshold", "metric": "no", "enter": 1, "leave": 1 }), "\"no\""),
            (
                "condition",
                serde_json::json!({ "kind": "threshold", "metric": "load1", "enter": 1, "leave": 2 }),
                "further",
            ),
        ] {
            let mut text = busy.clone();
            text["name"] = "other".into();
            text[what] = value;
            let error = fleet.create_alert_rule(rule(text)).await.unwrap_err();
            let report = crate::report(&error);
            assert!(error.kind() == ErrorKind::Invalid && report.contains(word), "{report}");
        }
    }
}
