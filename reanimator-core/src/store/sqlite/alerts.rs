//! Alert rules and alerts.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, Transaction};

use crate::{
    Error, ErrorKind, Result,
    model::{Alert, AlertFilter, AlertRule, AlertState, Event, Notice},
    store::{AlertEdit, AlertRuleEdit, AlertStore},
};

use super::{SqliteStore, commit, database, from_json, to_json};

/// Alerts in one answer.
const MOST: u32 = 1_000;
/// Alerts that a new process remembers: twice as many as may go on at once.
const REMEMBERED: u32 = 20_000;
/// Says that the first rules were given.
const SEEDED: &str = "alert_rules_given";

#[async_trait]
impl AlertStore for SqliteStore {
    async fn alert_rules(&self) -> Result<Vec<AlertRule>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM alert_rules ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the alert rules"))?;
        rows.iter().map(|data| from_json(&self.main, "alert rule", data)).collect()
    }

    async fn seed_alert_rules(&self, rules: &[AlertRule]) -> Result<bool> {
        let attempt = "store the first alert rules";
        let failed = self.main.failed(attempt);
        const GIVEN: &str = "SELECT 1 FROM settings WHERE key = ?";
        // Nobody waits for a writer each time that a fleet is opened.
        let given: Option<i64> =
            sqlx::query_scalar(GIVEN).bind(SEEDED).fetch_optional(self.main.reader()).await.map_err(&failed)?;
        if given.is_some() {
            return Ok(false);
        }
        let mut transaction = self.main.begin(attempt).await?;
        let given: Option<i64> =
            sqlx::query_scalar(GIVEN).bind(SEEDED).fetch_optional(&mut *transaction).await.map_err(&failed)?;
        if given.is_some() {
            return Ok(false);
        }
        sqlx::query("INSERT INTO settings (key, value) VALUES (?, 'yes')")
            .bind(SEEDED)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        for rule in rules {
            sqlx::query("INSERT INTO alert_rules (name, data) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
                .bind(&rule.name)
                .bind(to_json("an alert rule", rule)?)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(true)
    }

    async fn insert_alert_rule(&self, rule: &AlertRule) -> Result<()> {
        let attempt = "store an alert rule";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO alert_rules (name, data) VALUES (?, ?)")
            .bind(&rule.name)
            .bind(to_json("an alert rule", rule)?)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match database::is_duplicate(&error) {
                true => Error::new(ErrorKind::Conflict, attempt)
                    .because(format!("one is called {:?} already", rule.name))
                    .next("choose another name, or change that one"),
                false => self.main.failed(attempt)(error),
            })?;
        commit(&self.main, attempt, transaction).await
    }

    async fn edit_alert_rule(&self, name: &str, edit: AlertRuleEdit) -> Result<AlertRule> {
        let attempt = "change an alert rule";
        let mut transaction = self.main.begin(attempt).await?;
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM alert_rules WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        let data = data.ok_or_else(|| missing_rule(attempt, name))?;
        let rule = AlertRule { name: name.to_owned(), ..edit(from_json(&self.main, "alert rule", &data)?)? };
        sqlx::query("UPDATE alert_rules SET data = ? WHERE name = ?")
            .bind(to_json("an alert rule", &rule)?)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(rule)
    }

    async fn remove_alert_rule(&self, name: &str) -> Result<()> {
        let attempt = "remove an alert rule";
        let mut transaction = self.main.begin(attempt).await?;
        let removed = sqlx::query("DELETE FROM alert_rules WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if removed.rows_affected() == 0 {
            return Err(missing_rule(attempt, name));
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT data FROM alerts WHERE true");
        match filter.open {
            Some(true) => drop(query.push(" AND state <> 'resolved'")),
            Some(false) => drop(query.push(" AND state = 'resolved'")),
            None => {}
        }
        if let Some(rule) = &filter.rule {
            query.push(" AND rule = ").push_bind(rule);
        }
        if let Some(entity) = &filter.entity {
            query.push(" AND entity = ").push_bind(entity);
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(filter.limit.min(MOST));
        let rows: Vec<String> = query
            .build_query_scalar()
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the alerts"))?;
        rows.iter().map(|data| from_json(&self.main, "alert", data)).collect()
    }

    async fn alert(&self, id: &str) -> Result<Option<Alert>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM alerts WHERE id = ?")
            .bind(id)
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read an alert"))?;
        data.map(|data| from_json(&self.main, "alert", &data)).transpose()
    }

    async fn alerts_since(&self, after: Timestamp) -> Result<Vec<Alert>> {
        // The newest of too many count.
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT data FROM (
                 SELECT id, data FROM alerts WHERE state <> 'resolved'
                 UNION ALL SELECT id, data FROM alerts WHERE state = 'resolved' AND resolved_at > ?1
                 ORDER BY id DESC LIMIT ?2
             ) ORDER BY id",
        )
        .bind(after.as_millisecond())
        .bind(REMEMBERED)
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read the alerts of late"))?;
        rows.iter().map(|data| from_json(&self.main, "alert", data)).collect()
    }

    async fn acknowledged_alerts(&self) -> Result<Vec<Alert>> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT data FROM alerts WHERE state <> 'resolved' AND state = 'acknowledged' ORDER BY id LIMIT ?",
        )
        .bind(REMEMBERED)
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read the acknowledged alerts"))?;
        rows.iter().map(|data| from_json(&self.main, "alert", data)).collect()
    }

    async fn write_alerts(&self, alerts: &[Alert], events: &[Event], notices: &[Notice]) -> Result<()> {
        if alerts.is_empty() && events.is_empty() && notices.is_empty() {
            return Ok(());
        }
        let attempt = "store alerts";
        let mut transaction = self.main.begin(attempt).await?;
        for alert in alerts {
            let said = self.stored_alert(&mut transaction, attempt, &alert.id).await?;
            let alert = said.map_or_else(|| alert.clone(), |said| with_what_was_said(alert.clone(), said));
            self.put_alert(&mut transaction, attempt, &alert).await?;
        }
        for event in events {
            sqlx::query("INSERT INTO events (at, data) VALUES (?, ?)")
                .bind(event.at.as_millisecond())
                .bind(to_json("an event", event)?)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        }
        self.put_notices(&mut transaction, attempt, notices).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn edit_alert(&self, id: &str, edit: AlertEdit) -> Result<Alert> {
        let attempt = "change an alert";
        let mut transaction = self.main.begin(attempt).await?;
        let stored = self.stored_alert(&mut transaction, attempt, id).await?;
        let stored = stored.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, attempt)
                .on(id)
                .because("there is none with this id")
                .next("see `alert list`")
        })?;
        let alert = Alert { id: id.to_owned(), ..edit(stored)? };
        self.put_alert(&mut transaction, attempt, &alert).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(alert)
    }

    async fn prune_alerts(&self, before: Timestamp) -> Result<u64> {
        let attempt = "delete old alerts";
        let mut transaction = self.main.begin(attempt).await?;
        let deleted = sqlx::query(
            "DELETE FROM alerts WHERE id IN
                 (SELECT id FROM alerts WHERE state = 'resolved' AND resolved_at < ? ORDER BY resolved_at LIMIT 10000)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(deleted.rows_affected())
    }
}

impl SqliteStore {
    async fn stored_alert(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        attempt: &str,
        id: &str,
    ) -> Result<Option<Alert>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM alerts WHERE id = ?")
            .bind(id)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        data.map(|data| from_json(&self.main, "alert", &data)).transpose()
    }

    async fn put_alert(&self, transaction: &mut Transaction<'_, Sqlite>, attempt: &str, alert: &Alert) -> Result<()> {
        sqlx::query(
            "INSERT INTO alerts (id, rule, entity, state, resolved_at, data) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, resolved_at = excluded.resolved_at, data = excluded.data",
        )
        .bind(&alert.id)
        .bind(&alert.rule)
        .bind(&alert.entity)
        .bind(alert.state.as_str())
        .bind(alert.resolved_at.map(Timestamp::as_millisecond))
        .bind(to_json("an alert", alert)?)
        .execute(&mut **transaction)
        .await
        .map(drop)
        .map_err(self.main.failed(attempt))
    }
}

/// The loop knows how an alert goes on, people what they said of it.
fn with_what_was_said(alert: Alert, said: Alert) -> Alert {
    let state = match (alert.state, said.state) {
        (AlertState::Active, AlertState::Acknowledged) => AlertState::Acknowledged,
        (state, _) => state,
    };
    Alert {
        state,
        acknowledged_by: said.acknowledged_by,
        acknowledged_at: said.acknowledged_at,
        comment: said.comment,
        ..alert
    }
}

fn missing_rule(attempt: &str, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, attempt)
        .because(format!("none is called {name:?}"))
        .next("see `reanimator alert rule list`")
}
