//! Updates of many machines. Every write of an owner names its generation, and is refused when another one has come.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, Transaction, sqlite::SqliteRow};

use crate::{
    Error, ErrorKind, Result,
    model::{RedundantSet, UnreadableSchedule, UpdateFilter, UpdateId, UpdateRun, UpdateSchedule, UpdateTarget},
    store::{ScheduleEdit, UpdateHold, UpdateStore},
};

use super::{
    SqliteStore, commit, database, from_json,
    lease::{Claim, UPDATES, end},
    to_json,
};

/// Updates in one answer.
const MOST: u32 = 200;

#[async_trait]
impl UpdateStore for SqliteStore {
    async fn add_update(&self, run: &UpdateRun) -> Result<()> {
        let attempt = "store an update";
        let mut transaction = self.main.begin(attempt).await?;
        self.insert_update(&mut transaction, attempt, run).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn add_update_of(
        &self,
        schedule: &str,
        due: Timestamp,
        made: std::result::Result<&UpdateRun, &str>,
    ) -> Result<bool> {
        let attempt = "store an update that a schedule makes";
        let mut transaction = self.main.begin(attempt).await?;
        let Some(known) = self.schedule_in(&mut transaction, attempt, schedule).await? else { return Ok(false) };
        if known.done_until.is_some_and(|done| done >= due) {
            return Ok(false);
        }
        let (schedule, notice) = known.done_with(due, made);
        self.put_schedule(&mut transaction, attempt, &schedule).await?;
        if let Ok(run) = made {
            self.insert_update(&mut transaction, attempt, run).await?;
        }
        if let Some(notice) = notice {
            self.put_notices(&mut transaction, attempt, &[notice.bounded()]).await?;
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(true)
    }

    async fn update(&self, id: &UpdateId) -> Result<Option<UpdateRun>> {
        let attempt = "read an update";
        let mut reader = self.main.reader().begin().await.map_err(self.main.failed(attempt))?;
        self.read_update(&mut reader, id).await
    }

    async fn updates(&self, filter: &UpdateFilter) -> Result<Vec<UpdateRun>> {
        let attempt = "read the updates";
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, owner, generation, cancel, data FROM updates WHERE true");
        if filter.open {
            query.push(" AND open = 1");
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before.as_str());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(filter.limit.min(MOST));
        // One transaction, so that heads and machines are of one time.
        let mut reader = self.main.reader().begin().await.map_err(self.main.failed(attempt))?;
        let rows = query.build().fetch_all(&mut *reader).await.map_err(self.main.failed(attempt))?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut run = self.update_head(row)?;
            run.targets = self.targets_of(&mut reader, &run.id).await?;
            runs.push(run);
        }
        Ok(runs)
    }

    async fn newest_update(&self) -> Result<Option<UpdateId>> {
        let newest: Option<String> = sqlx::query_scalar("SELECT id FROM updates ORDER BY id DESC LIMIT 1")
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read which update is the newest"))?;
        Ok(newest.map(UpdateId))
    }

    async fn forget_updates(&self, keep: u32) -> Result<u64> {
        let attempt = "remove old updates";
        let mut transaction = self.main.begin(attempt).await?;
        let old: Vec<String> =
            sqlx::query_scalar("SELECT id FROM updates WHERE open = 0 ORDER BY id DESC LIMIT 1000 OFFSET ?")
                .bind(keep)
                .fetch_all(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        for id in &old {
            for statement in ["DELETE FROM update_targets WHERE update_id = ?", "DELETE FROM updates WHERE id = ?"] {
                sqlx::query(statement).bind(id).execute(&mut *transaction).await.map_err(self.main.failed(attempt))?;
            }
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(old.len() as u64)
    }

    async fn open_updates(&self, now: Timestamp) -> Result<Vec<(UpdateId, Option<String>)>> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT id, CASE WHEN owned_until > ? THEN owner END FROM updates WHERE open = 1 ORDER BY id LIMIT 1000",
        )
        .bind(now.as_millisecond())
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read which updates are not over"))?;
        Ok(rows.into_iter().map(|(id, owner)| (UpdateId(id), owner)).collect())
    }

    async fn take_update(
        &self,
        id: &UpdateId,
        owner: &str,
        dead: Option<&str>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(UpdateRun, UpdateHold)> {
        let attempt = "take an update over";
        let mut transaction = self.main.begin(attempt).await?;
        let Some(run) = self.read_update(&mut transaction, id).await? else {
            return Err(Error::new(ErrorKind::NotFound, attempt).on(id.as_str()).because("there is no such update"));
        };
        let claim = Claim { owner, dead, now, ttl };
        let generation = UPDATES.take(&self.main, &mut transaction, attempt, id.as_str(), claim).await?;
        commit(&self.main, attempt, transaction).await?;
        let owner = Some(owner.to_owned());
        Ok((UpdateRun { owner, generation, ..run }, UpdateHold { id: id.clone(), generation }))
    }

    async fn keep_update(&self, hold: &UpdateHold, now: Timestamp, ttl: Duration) -> Result<bool> {
        let attempt = "go on with an update";
        let mut transaction = self.holding_update(hold, attempt).await?;
        let cancel: bool = sqlx::query_scalar("UPDATE updates SET owned_until = ? WHERE id = ? RETURNING cancel")
            .bind(end(now, ttl))
            .bind(hold.id.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(cancel)
    }

    async fn leave_update(&self, hold: &UpdateHold) -> Result<()> {
        UPDATES.leave(&self.main, "let go of an update", hold.id.as_str(), hold.generation).await
    }

    async fn write_update(&self, hold: &UpdateHold, run: &UpdateRun) -> Result<()> {
        let attempt = "write down how far an update got";
        let mut transaction = self.holding_update(hold, attempt).await?;
        let was_open: bool = sqlx::query_scalar("SELECT open FROM updates WHERE id = ?")
            .bind(hold.id.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if let Some(notice) = run.end_notice().filter(|_| was_open) {
            self.put_notices(&mut transaction, attempt, &[notice.bounded()]).await?;
        }
        sqlx::query("UPDATE updates SET data = ?, open = ? WHERE id = ?")
            .bind(update_data(run)?)
            .bind(!run.state.is_over())
            .bind(hold.id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn write_update_target(&self, hold: &UpdateHold, target: &UpdateTarget) -> Result<()> {
        let attempt = "write down how far a machine of an update got";
        let mut transaction = self.holding_update(hold, attempt).await?;
        self.put_target(&mut transaction, attempt, &hold.id, target).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn cancel_update(&self, id: &UpdateId) -> Result<bool> {
        let attempt = "note that an update is to stop";
        let mut transaction = self.main.begin(attempt).await?;
        let noted = sqlx::query("UPDATE updates SET cancel = 1 WHERE id = ? AND open = 1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(noted.rows_affected() > 0)
    }

    async fn update_schedules(&self) -> Result<Vec<std::result::Result<UpdateSchedule, UnreadableSchedule>>> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT name, data FROM update_schedules ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the schedules of updates"))?;
        let read = |(name, data): (String, String)| {
            serde_json::from_str(&data).map_err(|error| UnreadableSchedule::new(name, &error.to_string()))
        };
        Ok(rows.into_iter().map(read).collect())
    }

    async fn insert_update_schedule(&self, schedule: &UpdateSchedule) -> Result<()> {
        let attempt = "store a schedule of updates";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO update_schedules (name, data) VALUES (?, ?)")
            .bind(&schedule.name)
            .bind(to_json("a schedule of updates", schedule)?)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match database::is_duplicate(&error) {
                true => Error::new(ErrorKind::Conflict, attempt)
                    .because(format!("one is called {:?} already", schedule.name))
                    .next("choose another name, or change that one"),
                false => self.main.failed(attempt)(error),
            })?;
        commit(&self.main, attempt, transaction).await
    }

    async fn edit_update_schedule(&self, name: &str, edit: ScheduleEdit) -> Result<UpdateSchedule> {
        let attempt = "change a schedule of updates";
        let mut transaction = self.main.begin(attempt).await?;
        let known = self.schedule_in(&mut transaction, attempt, name).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, attempt)
                .because(format!("none is called {name:?}"))
                .next("see `reanimator update schedule list`")
        })?;
        let schedule = UpdateSchedule { name: name.to_owned(), ..edit(known)? };
        self.put_schedule(&mut transaction, attempt, &schedule).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(schedule)
    }

    async fn remove_update_schedule(&self, name: &str) -> Result<bool> {
        self.remove_by_name("remove a schedule of updates", "DELETE FROM update_schedules WHERE name = ?", name).await
    }

    async fn redundant_sets(&self) -> Result<Vec<RedundantSet>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM redundant_sets ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the redundant sets"))?;
        rows.iter().map(|data| from_json(&self.main, "redundant set", data)).collect()
    }

    async fn put_redundant_set(&self, set: &RedundantSet) -> Result<()> {
        let attempt = "store a redundant set";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO redundant_sets (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
        )
        .bind(&set.name)
        .bind(to_json("a redundant set", set)?)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn remove_redundant_set(&self, name: &str) -> Result<bool> {
        self.remove_by_name("remove a redundant set", "DELETE FROM redundant_sets WHERE name = ?", name).await
    }
}

impl SqliteStore {
    async fn insert_update(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        run: &UpdateRun,
    ) -> Result<()> {
        sqlx::query("INSERT INTO updates (id, open, generation, cancel, data) VALUES (?, 1, 0, 0, ?)")
            .bind(run.id.as_str())
            .bind(update_data(run)?)
            .execute(&mut **transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        for target in &run.targets {
            self.put_target(transaction, attempt, &run.id, target).await?;
        }
        Ok(())
    }

    async fn put_target(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        id: &UpdateId,
        target: &UpdateTarget,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO update_targets (update_id, number, data) VALUES (?, ?, ?)
             ON CONFLICT (update_id, number) DO UPDATE SET data = excluded.data",
        )
        .bind(id.as_str())
        .bind(target.number)
        .bind(to_json("a machine of an update", target)?)
        .execute(&mut **transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        Ok(())
    }

    /// Begins to write as the update's owner.
    async fn holding_update(&self, hold: &UpdateHold, attempt: &str) -> Result<Transaction<'static, Sqlite>> {
        UPDATES.begin(&self.main, attempt, hold.id.as_str(), hold.generation).await
    }

    async fn read_update(&self, connection: &mut SqliteConnection, id: &UpdateId) -> Result<Option<UpdateRun>> {
        let row = sqlx::query("SELECT id, owner, generation, cancel, data FROM updates WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(self.main.failed("read an update"))?;
        let Some(row) = row else { return Ok(None) };
        let mut run = self.update_head(&row)?;
        run.targets = self.targets_of(connection, id).await?;
        Ok(Some(run))
    }

    fn update_head(&self, row: &SqliteRow) -> Result<UpdateRun> {
        let read = || -> Result<_, sqlx::Error> {
            Ok((
                row.try_get::<String, _>("data")?,
                row.try_get::<Option<String>, _>("owner")?,
                row.try_get::<i64, _>("generation")?,
                row.try_get::<bool, _>("cancel")?,
            ))
        };
        let (data, owner, generation, cancel) = read().map_err(self.main.failed("read an update"))?;
        let run: UpdateRun = from_json(&self.main, "update", &data)?;
        Ok(UpdateRun { owner, generation, cancel, ..run })
    }

    async fn targets_of(&self, connection: &mut SqliteConnection, id: &UpdateId) -> Result<Vec<UpdateTarget>> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT data FROM update_targets WHERE update_id = ? ORDER BY number")
                .bind(id.as_str())
                .fetch_all(connection)
                .await
                .map_err(self.main.failed("read the machines of an update"))?;
        rows.iter().map(|data| from_json(&self.main, "machine of an update", data)).collect()
    }

    async fn schedule_in(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        name: &str,
    ) -> Result<Option<UpdateSchedule>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM update_schedules WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        let read = |data: String| {
            serde_json::from_str(&data).map_err(|error| {
                let next = UnreadableSchedule::new(name.to_owned(), "").next;
                Error::new(ErrorKind::Storage, "read a stored schedule of updates")
                    .on(name)
                    .next(next)
                    .from_source(error)
            })
        };
        data.map(read).transpose()
    }

    async fn put_schedule(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        schedule: &UpdateSchedule,
    ) -> Result<()> {
        sqlx::query("UPDATE update_schedules SET data = ? WHERE name = ?")
            .bind(to_json("a schedule of updates", schedule)?)
            .bind(&schedule.name)
            .execute(&mut **transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        Ok(())
    }

    async fn remove_by_name(&self, attempt: &str, statement: &'static str, name: &str) -> Result<bool> {
        let mut transaction = self.main.begin(attempt).await?;
        let removed =
            sqlx::query(statement).bind(name).execute(&mut *transaction).await.map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(removed.rows_affected() > 0)
    }
}

/// An update as it is stored: its machines have a table of their own.
fn update_data(run: &UpdateRun) -> Result<String> {
    to_json("an update", &UpdateRun { targets: Vec::new(), ..run.clone() })
}

/// Leaves in a data directory nothing that makes sense of this schedule.
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
pub(crate) async fn break_update_schedule(data_dir: &std::path::Path, name: &str) {
    let mut connection = database::connect(&data_dir.join("reanimator.db")).await.unwrap();
    let broken = sqlx::query("UPDATE update_schedules SET data = '{\"name\":' WHERE name = ?").bind(name);
    assert_eq!(broken.execute(&mut connection).await.unwrap().rows_affected(), 1);
}
