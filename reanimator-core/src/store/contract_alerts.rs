//! What every store must keep to, continued: alert rules and alerts.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use crate::{
    ErrorKind,
    model::{
        Alert, AlertFilter, AlertRule, AlertState, Event, EventKind, Notice, NoticeKind, NoticeLevel, Resolution,
        attention::AttentionLevel, default_rules,
    },
};

use super::{Store, contract::at};

fn alert(number: i64, entity: &str) -> Alert {
    Alert {
        id: format!("{number:04}"),
        rule: "offline".into(),
        revision: 0,
        kind: "offline".into(),
        level: AttentionLevel::Critical,
        entity: entity.into(),
        name: "wéb".into(),
        item: String::new(),
        text: "it does not answer".into(),
        values: Default::default(),
        state: AlertState::Active,
        since: at(number),
        raised_at: at(number),
        at: at(number),
        value: None,
        times: 1,
        acknowledged_by: None,
        acknowledged_at: None,
        comment: String::new(),
        resolved_at: None,
        resolution: None,
    }
}

fn over(alert: &Alert, seconds: i64) -> Alert {
    Alert {
        state: AlertState::Resolved,
        resolved_at: Some(at(seconds)),
        resolution: Some(Resolution::Well),
        ..alert.clone()
    }
}

fn ids(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.id.as_str()).collect()
}

pub(crate) async fn alert_rules(store: &dyn Store) {
    assert_eq!(store.alert_rules().await.unwrap(), []);
    assert!(store.seed_alert_rules(&default_rules()).await.unwrap());
    assert!(!store.seed_alert_rules(&default_rules()).await.unwrap());
    let rules = store.alert_rules().await.unwrap();
    assert_eq!(rules.len(), default_rules().len());
    let twice = store.insert_alert_rule(&rules[0]).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Conflict);
    let name = rules[0].name.clone();
    let renamed = |rule: AlertRule| Ok(AlertRule { name: "another".into(), enabled: false, ..rule });
    let changed = store.edit_alert_rule(&name, Box::new(renamed)).await.unwrap();
    assert!(changed.name == name && !changed.enabled);
    assert!(store.alert_rules().await.unwrap().contains(&changed));
    for rule in &rules {
        store.remove_alert_rule(&rule.name).await.unwrap();
    }
    assert_eq!(store.remove_alert_rule(&name).await.unwrap_err().kind(), ErrorKind::NotFound);
    let nobody = store.edit_alert_rule(&name, Box::new(Ok)).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    assert!(!store.seed_alert_rules(&default_rules()).await.unwrap(), "what was removed stays away");
    assert_eq!(store.alert_rules().await.unwrap(), []);
}

pub(crate) async fn alerts(store: &dyn Store) {
    let [one, two, three] = [alert(1, "host:a"), alert(2, "host:b"), alert(3, "host:a")];
    let event = Event { kind: EventKind::AlertRaised, at: at(1), data: serde_json::json!({ "id": "0001" }) };
    let notice = Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, "web is away", at(1));
    store.write_alerts(&[one.clone(), two.clone()], &[event], std::slice::from_ref(&notice)).await.unwrap();
    assert_eq!(store.events(0, 10).await.unwrap().len(), 1);
    assert_eq!(store.notices(10).await.unwrap()[0].notice, notice);
    // What people say stays, whatever the loop writes afterwards.
    let said = |alert: Alert| {
        let (by, comment) = (Some("ada".to_owned()), "I look".to_owned());
        Ok(Alert { state: AlertState::Acknowledged, acknowledged_by: by, comment, ..alert })
    };
    store.edit_alert("0001", Box::new(said)).await.unwrap();
    assert_eq!(store.edit_alert("nobody", Box::new(Ok)).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.write_alerts(&[Alert { text: "still".into(), ..one.clone() }, three.clone()], &[], &[]).await.unwrap();
    let known = store.alert("0001").await.unwrap().unwrap();
    assert_eq!(
        (known.state, known.text.as_str(), known.comment.as_str()),
        (AlertState::Acknowledged, "still", "I look")
    );
    assert_eq!(ids(&store.acknowledged_alerts().await.unwrap()), ["0001"]);
    store.write_alerts(&[over(&one, 50)], &[], &[]).await.unwrap();
    let known = store.alert("0001").await.unwrap().unwrap();
    assert_eq!((known.state, known.acknowledged_by.as_deref()), (AlertState::Resolved, Some("ada")));
    assert_eq!(store.acknowledged_alerts().await.unwrap(), []);
    assert_eq!(store.alert("nobody").await.unwrap(), None);

    let all = AlertFilter { limit: 10, ..AlertFilter::default() };
    let found = async |filter: AlertFilter| {
        let found = store.alerts(&filter).await.unwrap();
        ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(all.clone()).await, ["0003", "0002", "0001"]);
    assert_eq!(found(AlertFilter { open: Some(true), ..all.clone() }).await, ["0003", "0002"]);
    assert_eq!(found(AlertFilter { open: Some(false), ..all.clone() }).await, ["0001"]);
    assert_eq!(found(AlertFilter { entity: Some("host:a".into()), ..all.clone() }).await, ["0003", "0001"]);
    assert_eq!(found(AlertFilter { rule: Some("none".into()), ..all.clone() }).await, [""; 0]);
    assert_eq!(found(AlertFilter { before: Some("0003".into()), limit: 1, ..all.clone() }).await, ["0002"]);
    assert_eq!(ids(&store.alerts_since(at(49)).await.unwrap()), ["0001", "0002", "0003"]);
    assert_eq!(ids(&store.alerts_since(at(50)).await.unwrap()), ["0002", "0003"]);

    assert_eq!(store.prune_alerts(at(50)).await.unwrap(), 0);
    assert_eq!(store.prune_alerts(at(1_000)).await.unwrap(), 1, "what goes on is old and stays");
    assert_eq!(found(all).await, ["0003", "0002"]);
}
