//! Operations and their journal. Every write of an owner names its generation, and is refused when another one has come.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, Transaction, sqlite::SqliteRow};

use crate::{
    Error, ErrorKind, Result,
    model::{Operation, OperationFilter, OperationId, OperationLine, OperationState, Step},
    store::{OperationHold, OperationStore, Slot, Wish},
};

use super::{
    SqliteStore, commit, from_json,
    lease::{Claim, OPERATIONS, end},
    timestamp, to_json,
};

/// Operations, or lines, in one answer.
const MOST: u32 = 1_000;
/// Characters of a line that are kept.
const LINE: usize = 2_000;
/// Lines of one operation that are kept; older ones go first.
const LINES: i64 = 10_000;

#[async_trait]
impl OperationStore for SqliteStore {
    async fn add_operation(&self, operation: &Operation) -> Result<()> {
        let attempt = "store an operation";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("INSERT INTO operations (id, open, generation, cancel, undo, data) VALUES (?, 1, 0, 0, 0, ?)")
            .bind(operation.id.as_str())
            .bind(head(operation)?)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        for step in &operation.steps {
            self.put_step(&mut transaction, attempt, &operation.id, step).await?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>> {
        let mut reader = self.main.reader().acquire().await.map_err(self.main.failed("read an operation"))?;
        self.read(&mut reader, id).await
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Operation>> {
        let attempt = "read the operations";
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, owner, generation, cancel, undo, data FROM operations WHERE true");
        if filter.open {
            query.push(" AND open = 1");
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before.as_str());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(filter.limit.min(MOST));
        // One transaction, so that heads and steps are of one time.
        let mut reader = self.main.reader().begin().await.map_err(self.main.failed(attempt))?;
        let rows = query.build().fetch_all(&mut *reader).await.map_err(self.main.failed(attempt))?;
        let mut operations = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut operation = self.head_of(row)?;
            operation.steps = self.steps(&mut reader, &operation.id).await?;
            operations.push(operation);
        }
        Ok(operations)
    }

    async fn open_operations(&self, now: Timestamp) -> Result<Vec<(OperationId, Option<String>)>> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT id, CASE WHEN owned_until > ? THEN owner END FROM operations WHERE open = 1 ORDER BY id LIMIT 10000",
        )
        .bind(now.as_millisecond())
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read which operations are not over"))?;
        Ok(rows.into_iter().map(|(id, owner)| (OperationId(id), owner)).collect())
    }

    async fn take_operation(
        &self,
        id: &OperationId,
        owner: &str,
        dead: Option<&str>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(Operation, OperationHold)> {
        let attempt = "take an operation over";
        let mut transaction = self.main.begin(attempt).await?;
        let Some(operation) = self.read(&mut transaction, id).await? else {
            return Err(Error::new(ErrorKind::NotFound, attempt).on(id.as_str()).because("there is no such operation"));
        };
        let claim = Claim { owner, dead, now, ttl };
        let generation = OPERATIONS.take(&self.main, &mut transaction, attempt, id.as_str(), claim).await?;
        commit(&self.main, attempt, transaction).await?;
        let owner = Some(owner.to_owned());
        Ok((Operation { owner, generation, ..operation }, OperationHold { id: id.clone(), generation }))
    }

    async fn keep_operation(&self, hold: &OperationHold, now: Timestamp, ttl: Duration) -> Result<Vec<Wish>> {
        let attempt = "go on with an operation";
        let mut transaction = self.holding(hold, attempt).await?;
        let (cancel, undo): (bool, bool) =
            sqlx::query_as("UPDATE operations SET owned_until = ? WHERE id = ? RETURNING cancel, undo")
                .bind(end(now, ttl))
                .bind(hold.id.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok([(cancel, Wish::Cancel), (undo, Wish::Undo)]
            .into_iter()
            .filter_map(|(is, wish)| is.then_some(wish))
            .collect())
    }

    async fn leave_operation(&self, hold: &OperationHold) -> Result<()> {
        OPERATIONS.leave(&self.main, "let go of an operation", hold.id.as_str(), hold.generation).await
    }

    async fn lock_things(&self, hold: &OperationHold, things: &[String]) -> Result<Option<(String, OperationId)>> {
        let attempt = "lock what an operation acts upon";
        let mut transaction = self.holding(hold, attempt).await?;
        for thing in things {
            let holder: Option<String> = sqlx::query_scalar(
                "INSERT INTO operation_things (thing, operation) VALUES (?, ?)
                 ON CONFLICT (thing) DO UPDATE SET thing = excluded.thing RETURNING operation",
            )
            .bind(thing)
            .bind(hold.id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
            if let Some(holder) = holder.filter(|holder| *holder != hold.id.0) {
                // Dropped without a commit: all or none.
                return Ok(Some((thing.clone(), OperationId(holder))));
            }
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(None)
    }

    async fn take_slots(
        &self,
        hold: &OperationHold,
        step: u32,
        slots: &[Slot],
        now: Timestamp,
    ) -> Result<Option<Slot>> {
        let attempt = "take a slot for a step";
        let mut transaction = self.holding(hold, attempt).await?;
        for slot in slots {
            sqlx::query("INSERT INTO operation_slots (name, operation, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(&slot.name)
                .bind(hold.id.as_str())
                .bind(step)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
            let taken: u32 = sqlx::query_scalar(
                "SELECT count(*) FROM operation_slots
                 JOIN operations ON operations.id = operation_slots.operation
                 JOIN operation_steps
                   ON operation_steps.operation = operation_slots.operation AND number = operation_slots.step
                 WHERE name = ? AND (owned_until > ? OR json_extract(operation_steps.data, '$.state') <> 'pending')",
            )
            .bind(&slot.name)
            .bind(now.as_millisecond())
            .fetch_one(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
            if taken > slot.most.max(1) {
                // Dropped without a commit: all or none.
                return Ok(Some(slot.clone()));
            }
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(None)
    }

    async fn close_gate(
        &self,
        hold: &OperationHold,
        step: u32,
        gate: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<OperationId>> {
        let attempt = "close a gate behind a step";
        let mut transaction = self.holding(hold, attempt).await?;
        let closed = sqlx::query(
            "INSERT INTO operation_gates (name, operation, step, until) VALUES (?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE
             SET operation = excluded.operation, step = excluded.step, until = excluded.until
             WHERE until <= ? OR (operation = excluded.operation AND step = excluded.step)
                OR NOT EXISTS (SELECT 1 FROM operations WHERE id = operation_gates.operation AND owned_until > ?)",
        )
        .bind(gate)
        .bind(hold.id.as_str())
        .bind(step)
        .bind(end(now, ttl))
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        if closed.rows_affected() == 0 {
            let other: String = sqlx::query_scalar("SELECT operation FROM operation_gates WHERE name = ?")
                .bind(gate)
                .fetch_one(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
            return Ok(Some(OperationId(other)));
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(None)
    }

    async fn break_gate(&self, gate: &str, closed_by: &OperationId) -> Result<()> {
        let attempt = "open a gate that a process that died has closed";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("DELETE FROM operation_gates WHERE name = ? AND operation = ?")
            .bind(gate)
            .bind(closed_by.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn open_gate(&self, hold: &OperationHold, step: u32, gate: &str) -> Result<()> {
        let attempt = "open a gate behind a step";
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query("DELETE FROM operation_gates WHERE name = ? AND operation = ? AND step = ?")
            .bind(gate)
            .bind(hold.id.as_str())
            .bind(step)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await
    }

    async fn steps_in_flight(&self) -> Result<Vec<(OperationId, Step)>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT operation, operation_steps.data FROM operation_steps
             JOIN operations ON operations.id = operation AND open = 1
             WHERE json_extract(operation_steps.data, '$.state') IN ('intended', 'begun')
             ORDER BY operation, number",
        )
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read which steps are being taken"))?;
        // What scripts among them are given is nobody's business here.
        rows.into_iter().map(|(id, data)| Ok((OperationId(id), from_json(&self.main, "step", &data)?))).collect()
    }

    async fn write_operation(&self, hold: &OperationHold, operation: &Operation) -> Result<()> {
        let attempt = "write down how far an operation got";
        // A wish to undo that comes in the last moment is still to be heard.
        let (open, may_be_undone) = (!operation.state.is_over(), operation.state != OperationState::Undone);
        let mut transaction = self.holding(hold, attempt).await?;
        sqlx::query("UPDATE operations SET data = ?, open = (? OR (undo = 1 AND ?)) WHERE id = ?")
            .bind(head(operation)?)
            .bind(open)
            .bind(may_be_undone)
            .bind(hold.id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if !open {
            for statement in [
                "DELETE FROM operation_things WHERE operation = ?",
                "DELETE FROM operation_slots WHERE operation = ?",
                "DELETE FROM operation_gates WHERE operation = ?",
            ] {
                sqlx::query(statement)
                    .bind(hold.id.as_str())
                    .execute(&mut *transaction)
                    .await
                    .map_err(self.main.failed(attempt))?;
            }
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn write_step(&self, hold: &OperationHold, step: &Step) -> Result<()> {
        let attempt = "write down how far a step got";
        let mut transaction = self.holding(hold, attempt).await?;
        self.put_step(&mut transaction, attempt, &hold.id, step).await?;
        if step.state.is_over() {
            sqlx::query("DELETE FROM operation_slots WHERE operation = ? AND step = ?")
                .bind(hold.id.as_str())
                .bind(step.number)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn say(&self, hold: &OperationHold, step: Option<u32>, text: &str, now: Timestamp) -> Result<i64> {
        let attempt = "write down what an operation said";
        let mut transaction = self.holding(hold, attempt).await?;
        let failed = self.main.failed(attempt);
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO operation_lines (operation, at, step, text) VALUES (?, ?, ?, ?) RETURNING number",
        )
        .bind(hold.id.as_str())
        .bind(now.as_millisecond())
        .bind(step)
        .bind(text.chars().take(LINE).collect::<String>())
        .fetch_one(&mut *transaction)
        .await
        .map_err(&failed)?;
        if number % 100 == 0 {
            sqlx::query(
                "DELETE FROM operation_lines WHERE operation = ? AND number <= (SELECT number FROM operation_lines
                 WHERE operation = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
            )
            .bind(hold.id.as_str())
            .bind(hold.id.as_str())
            .bind(LINES)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(number)
    }

    async fn operation_lines(&self, id: &OperationId, after: i64, limit: u32) -> Result<Vec<OperationLine>> {
        let rows: Vec<(i64, i64, Option<u32>, String)> = sqlx::query_as(
            "SELECT number, at, step, text FROM operation_lines WHERE operation = ? AND number > ? ORDER BY number LIMIT ?",
        )
        .bind(id.as_str())
        .bind(after)
        .bind(limit.min(MOST))
        .fetch_all(self.main.reader())
        .await
        .map_err(self.main.failed("read what an operation said"))?;
        let line = |(number, at, step, text)| Ok(OperationLine { number, at: timestamp(at)?, step, text });
        rows.into_iter().map(line).collect()
    }

    async fn wish(&self, id: &OperationId, wish: Wish) -> Result<bool> {
        let attempt = "note what is wished of an operation";
        let mut transaction = self.main.begin(attempt).await?;
        let statement = match wish {
            Wish::Cancel => "UPDATE operations SET cancel = 1 WHERE id = ? AND open = 1",
            Wish::Undo => "UPDATE operations SET undo = 1, open = 1 WHERE id = ?",
        };
        let noted = sqlx::query(statement)
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(noted.rows_affected() > 0)
    }
}

impl SqliteStore {
    /// Begins to write as the operation's owner.
    async fn holding(&self, hold: &OperationHold, attempt: &str) -> Result<Transaction<'static, Sqlite>> {
        OPERATIONS.begin(&self.main, attempt, hold.id.as_str(), hold.generation).await
    }

    async fn read(&self, connection: &mut SqliteConnection, id: &OperationId) -> Result<Option<Operation>> {
        let row = sqlx::query("SELECT id, owner, generation, cancel, undo, data FROM operations WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(self.main.failed("read an operation"))?;
        let Some(row) = row else { return Ok(None) };
        let mut operation = self.head_of(&row)?;
        operation.steps = self.steps(connection, id).await?;
        Ok(Some(operation))
    }

    fn head_of(&self, row: &SqliteRow) -> Result<Operation> {
        let read = || -> Result<_, sqlx::Error> {
            Ok((
                row.try_get::<String, _>("data")?,
                row.try_get::<Option<String>, _>("owner")?,
                row.try_get::<i64, _>("generation")?,
                row.try_get::<bool, _>("cancel")?,
                row.try_get::<bool, _>("undo")?,
            ))
        };
        let (data, owner, generation, cancel, undo) = read().map_err(self.main.failed("read an operation"))?;
        let operation: Operation = from_json(&self.main, "operation", &data)?;
        Ok(Operation { owner, generation, cancel, undo, ..operation })
    }

    async fn steps(&self, connection: &mut SqliteConnection, id: &OperationId) -> Result<Vec<Step>> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT data FROM operation_steps WHERE operation = ? ORDER BY number")
                .bind(id.as_str())
                .fetch_all(&mut *connection)
                .await
                .map_err(self.main.failed("read an operation's steps"))?;
        let mut steps = Vec::with_capacity(rows.len());
        for data in &rows {
            let mut step: Step = from_json(&self.main, "step", data)?;
            self.open_parameters(connection, id, &mut step).await?;
            steps.push(step);
        }
        Ok(steps)
    }

    async fn put_step(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        id: &OperationId,
        step: &Step,
    ) -> Result<()> {
        let step = self.seal_parameters(transaction, id, step).await?;
        sqlx::query(
            "INSERT INTO operation_steps (operation, number, data) VALUES (?, ?, ?)
             ON CONFLICT (operation, number) DO UPDATE SET data = excluded.data",
        )
        .bind(id.as_str())
        .bind(step.number)
        .bind(to_json("a step", &step)?)
        .execute(&mut **transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        Ok(())
    }
}

/// An operation as it is stored: its steps have a table of their own.
fn head(operation: &Operation) -> Result<String> {
    to_json("an operation", &Operation { steps: Vec::new(), ..operation.clone() })
}
