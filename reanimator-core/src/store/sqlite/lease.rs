//! Who carries something out: an owner, until when, and the how-manieth it is. Whoever took it over has made those before it
//! strangers, however late they wake up.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::{commit, database::Database};
use crate::{Error, ErrorKind, Result};

/// A table whose rows are owned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leased {
    generation: &'static str,
    holder: &'static str,
    take: &'static str,
    leave: &'static str,
}

macro_rules! leased {
    ($table:literal) => {
        Leased {
            generation: concat!("SELECT generation FROM ", $table, " WHERE id = ?"),
            holder: concat!("SELECT owner, owned_until, generation FROM ", $table, " WHERE id = ?"),
            take: concat!("UPDATE ", $table, " SET owner = ?, owned_until = ?, generation = ? WHERE id = ?"),
            leave: concat!("UPDATE ", $table, " SET owner = NULL, owned_until = NULL WHERE id = ? AND generation = ?"),
        }
    };
}

pub(super) const OPERATIONS: Leased = leased!("operations");
pub(super) const UPDATES: Leased = leased!("updates");

/// Who wants to carry something out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) owner: &'a str,
    /// An owner that is known to live no more, whatever its lease says.
    pub(super) dead: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) ttl: Duration,
}

impl Leased {
    /// Begins to write as the owner of that generation.
    pub(super) async fn begin(
        self,
        database: &Database,
        attempt: &str,
        id: &str,
        generation: i64,
    ) -> Result<Transaction<'static, Sqlite>> {
        let mut transaction = database.begin(attempt).await?;
        let known: Option<i64> = sqlx::query_scalar(self.generation)
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(database.failed(attempt))?;
        if known == Some(generation) {
            return Ok(transaction);
        }
        Err(Error::new(ErrorKind::Conflict, attempt)
            .on(id)
            .because("another process has taken it over")
            .next("leave it to that one"))
    }

    /// Makes somebody the owner of what is there and that nobody holds, and tells the how-manieth it is.
    pub(super) async fn take(
        self,
        database: &Database,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        id: &str,
        claim: Claim<'_>,
    ) -> Result<i64> {
        let (holder, until, generation): (Option<String>, Option<i64>, i64) = sqlx::query_as(self.holder)
            .bind(id)
            .fetch_one(&mut **transaction)
            .await
            .map_err(database.failed(attempt))?;
        let lives = until.unwrap_or(0) > claim.now.as_millisecond();
        if let Some(other) = holder.filter(|other| Some(other.as_str()) != claim.dead && lives) {
            return Err(Error::new(ErrorKind::Busy, attempt)
                .on(id)
                .because(format!("{other} carries it out"))
                .next("wait; when that process has died, its lease ends within a minute"));
        }
        let generation = generation + 1;
        sqlx::query(self.take)
            .bind(claim.owner)
            .bind(end(claim.now, claim.ttl))
            .bind(generation)
            .bind(id)
            .execute(&mut **transaction)
            .await
            .map_err(database.failed(attempt))?;
        Ok(generation)
    }

    /// Lets go; what another one has taken over stays with that one.
    pub(super) async fn leave(self, database: &Database, attempt: &str, id: &str, generation: i64) -> Result<()> {
        let mut transaction = database.begin(attempt).await?;
        sqlx::query(self.leave)
            .bind(id)
            .bind(generation)
            .execute(&mut *transaction)
            .await
            .map_err(database.failed(attempt))?;
        commit(database, attempt, transaction).await
    }
}

/// When a lease ends, in milliseconds.
pub(super) fn end(now: Timestamp, ttl: Duration) -> i64 {
    now.as_millisecond().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}
