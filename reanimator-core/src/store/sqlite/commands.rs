//! Runs of commands with their answers, and saved commands.

use std::io::{Read as _, Write as _};

use async_trait::async_trait;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, Transaction, query::Query, sqlite::SqliteArguments};

use crate::{
    Error, ErrorKind, Result,
    model::{CommandAnswer, CommandId, CommandRun, HostId, SavedCommand},
    store::{CommandStore, KeptCommands, OpenCommand},
};

use super::{SqliteStore, commit, from_json, timestamp, to_json};

/// Runs in one answer.
const MOST: u32 = 1_000;
/// What one host's output may unfold to: both streams as large as they may be.
const MOST_BYTES: u64 = 2 * crate::model::command::LARGEST_OUTPUT + 16;
/// As many answers, and about as many bytes of what hosts have written, as go into one transaction: between two of them
/// others may write.
const TOGETHER: usize = 200;
const BYTES_TOGETHER: usize = 4 * 1024 * 1024;
/// Fast: text shrinks to a fifth already.
const LEVEL: Compression = Compression::new(2);

#[async_trait]
impl CommandStore for SqliteStore {
    async fn add_command(&self, open: &OpenCommand, answers: &[CommandAnswer]) -> Result<()> {
        let attempt = "store a run of a command";
        let OpenCommand { run, owner, owned_until } = open;
        let answers = rows(answers).await?;
        let mut transaction = self.main.begin(attempt).await?;
        sqlx::query(
            "INSERT INTO command_runs (id, requested_at, open, stop, owner, owned_until, data)
             VALUES (?, ?, 1, 0, ?, ?, ?)",
        )
        .bind(run.id.as_str())
        .bind(run.requested_at.as_millisecond())
        .bind(owner)
        .bind(owned_until.as_millisecond())
        .bind(to_json("a run of a command", run)?)
        .execute(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        self.put_answers(&mut transaction, attempt, &run.id, &answers).await?;
        commit(&self.main, attempt, transaction).await
    }

    async fn write_command(&self, run: &CommandRun, owner: &str, answers: &[CommandAnswer]) -> Result<bool> {
        let attempt = "write down how far a command got";
        let mut portions = portions(answers);
        let last = portions.pop().unwrap_or_default();
        for portion in portions {
            if !self.add_answers(attempt, &run.id, owner, portion).await? {
                return Ok(false);
            }
        }
        let last = rows(last).await?;
        let mut transaction = self.main.begin(attempt).await?;
        let written = sqlx::query("UPDATE command_runs SET data = ?, open = ? WHERE id = ? AND owner = ? AND open = 1")
            .bind(to_json("a run of a command", run)?)
            .bind(!run.state.is_over())
            .bind(run.id.as_str())
            .bind(owner)
            .execute(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        if written.rows_affected() == 0 {
            return Ok(false);
        }
        self.put_answers(&mut transaction, attempt, &run.id, &last).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(true)
    }

    async fn keep_command(&self, id: &CommandId, owner: &str, until: Timestamp) -> Result<bool> {
        let attempt = "go on with a command";
        let mut transaction = self.main.begin(attempt).await?;
        let stop: Option<bool> = sqlx::query_scalar(
            "UPDATE command_runs SET owned_until = ? WHERE id = ? AND owner = ? AND open = 1 RETURNING stop",
        )
        .bind(until.as_millisecond())
        .bind(id.as_str())
        .bind(owner)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(stop.unwrap_or(false))
    }

    async fn wish_command_stopped(&self, id: &CommandId) -> Result<bool> {
        let query = sqlx::query("UPDATE command_runs SET stop = 1 WHERE id = ? AND open = 1").bind(id.as_str());
        self.change("note that a command is to be stopped", query).await
    }

    async fn command(&self, id: &CommandId) -> Result<Option<CommandRun>> {
        let row: Option<String> = sqlx::query_scalar("SELECT data FROM command_runs WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a run of a command"))?;
        row.map(|data| from_json(&self.main, "run of a command", &data)).transpose()
    }

    async fn commands(&self, before: Option<&CommandId>, limit: u32) -> Result<Vec<CommandRun>> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT data FROM command_runs WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2")
                .bind(before.map(CommandId::as_str))
                .bind(limit.min(MOST))
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read the runs of commands"))?;
        rows.iter().map(|data| from_json(&self.main, "run of a command", data)).collect()
    }

    async fn open_commands(&self) -> Result<Vec<OpenCommand>> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT data, owner, owned_until FROM command_runs WHERE open = 1 ORDER BY id LIMIT 10000")
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read which commands are not over"))?;
        let open = |(data, owner, until): (String, String, i64)| {
            let run = from_json(&self.main, "run of a command", &data)?;
            Ok(OpenCommand { run, owner, owned_until: timestamp(until)? })
        };
        rows.into_iter().map(open).collect()
    }

    async fn command_answers(&self, id: &CommandId) -> Result<Vec<CommandAnswer>> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT data, output FROM command_answers WHERE run = ? ORDER BY number")
                .bind(id.as_str())
                .fetch_all(self.main.reader())
                .await
                .map_err(self.main.failed("read what hosts answered"))?;
        rows.iter().map(|(data, output)| self.answer_of(data, output)).collect()
    }

    async fn command_answer(&self, id: &CommandId, host: &HostId) -> Result<Option<CommandAnswer>> {
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT data, output FROM command_answers WHERE run = ? AND host = ?")
                .bind(id.as_str())
                .bind(host.as_str())
                .fetch_optional(self.main.reader())
                .await
                .map_err(self.main.failed("read what a host answered"))?;
        row.map(|(data, output)| self.answer_of(&data, &output)).transpose()
    }

    async fn prune_commands(&self, kept: &KeptCommands) -> Result<u64> {
        let query = sqlx::query(
            "DELETE FROM command_runs WHERE open = 0 AND id IN (
                SELECT id FROM (
                    SELECT id, requested_at, ROW_NUMBER() OVER newest AS place, SUM(size) OVER newest AS bytes
                    FROM (
                        SELECT id, requested_at,
                            (SELECT COALESCE(SUM(LENGTH(output)), 0) FROM command_answers WHERE run = id) AS size
                        FROM command_runs
                    )
                    WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)
                )
                WHERE requested_at < ? OR place > ? OR bytes > ?
            )",
        )
        .bind(kept.since.as_millisecond())
        .bind(kept.runs)
        .bind(i64::try_from(kept.bytes).unwrap_or(i64::MAX));
        self.changed_rows("delete old runs of commands", query).await
    }

    async fn saved_commands(&self) -> Result<Vec<SavedCommand>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM saved_commands ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the saved commands"))?;
        rows.iter().map(|data| from_json(&self.main, "saved command", data)).collect()
    }

    async fn add_saved_command(&self, command: &SavedCommand) -> Result<bool> {
        let query = sqlx::query("INSERT INTO saved_commands (name, data) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
            .bind(&command.name)
            .bind(to_json("a saved command", command)?);
        self.change("save a command", query).await
    }

    async fn replace_saved_command(&self, command: &SavedCommand) -> Result<bool> {
        let query = sqlx::query("UPDATE saved_commands SET data = ?2 WHERE name = ?1")
            .bind(&command.name)
            .bind(to_json("a saved command", command)?);
        self.change("change a saved command", query).await
    }

    async fn delete_saved_command(&self, name: &str) -> Result<bool> {
        self.change("delete a saved command", sqlx::query("DELETE FROM saved_commands WHERE name = ?").bind(name)).await
    }
}

/// An answer as it lies in the table.
#[derive(Debug)]
struct Row {
    host: HostId,
    data: String,
    output: Vec<u8>,
}

impl SqliteStore {
    /// Writes some of the answers of a run that goes on. Whether it is still its owner's, and is not over.
    async fn add_answers(
        &self,
        attempt: &str,
        run: &CommandId,
        owner: &str,
        answers: &[CommandAnswer],
    ) -> Result<bool> {
        let answers = rows(answers).await?;
        let mut transaction = self.main.begin(attempt).await?;
        let theirs: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM command_runs WHERE id = ? AND owner = ? AND open = 1")
                .bind(run.as_str())
                .bind(owner)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(self.main.failed(attempt))?;
        if theirs.is_none() {
            return Ok(false);
        }
        self.put_answers(&mut transaction, attempt, run, &answers).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(true)
    }

    async fn put_answers(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        attempt: &str,
        run: &CommandId,
        answers: &[Row],
    ) -> Result<()> {
        let connection: &mut SqliteConnection = transaction;
        for answer in answers {
            sqlx::query(
                "INSERT INTO command_answers (run, host, data, output) VALUES (?, ?, ?, ?)
                 ON CONFLICT (run, host) DO UPDATE SET data = excluded.data, output = excluded.output",
            )
            .bind(run.as_str())
            .bind(answer.host.as_str())
            .bind(&answer.data)
            .bind(&answer.output)
            .execute(&mut *connection)
            .await
            .map_err(self.main.failed(attempt))?;
        }
        Ok(())
    }

    fn answer_of(&self, data: &str, output: &[u8]) -> Result<CommandAnswer> {
        let answer: CommandAnswer = from_json(&self.main, "answer", data)?;
        let (stdout, stderr) = unpacked(output).ok_or_else(|| {
            Error::new(ErrorKind::Storage, "read what a host answered")
                .on(self.main.path().display().to_string())
                .because("it is damaged")
                .next("run the command again; other runs are not touched by it")
        })?;
        Ok(CommandAnswer { stdout, stderr, ..answer })
    }

    /// Whether it changed anything.
    async fn change(&self, attempt: &str, query: Query<'_, Sqlite, SqliteArguments>) -> Result<bool> {
        Ok(self.changed_rows(attempt, query).await? > 0)
    }

    async fn changed_rows(&self, attempt: &str, query: Query<'_, Sqlite, SqliteArguments>) -> Result<u64> {
        let mut transaction = self.main.begin(attempt).await?;
        let done = query.execute(&mut *transaction).await.map_err(self.main.failed(attempt))?;
        commit(&self.main, attempt, transaction).await?;
        Ok(done.rows_affected())
    }
}

/// The answers in their order, in portions for one transaction each.
fn portions(answers: &[CommandAnswer]) -> Vec<&[CommandAnswer]> {
    let (mut portions, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (number, answer) in answers.iter().enumerate() {
        let its_bytes = answer.stdout.len() + answer.stderr.len();
        if number > from && (number - from >= TOGETHER || bytes + its_bytes > BYTES_TOGETHER) {
            portions.push(&answers[from..number]);
            (from, bytes) = (number, 0);
        }
        bytes += its_bytes;
    }
    if from < answers.len() {
        portions.push(&answers[from..]);
    }
    portions
}

/// The answers as they lie in the table. They are packed where that holds nobody up, and before anybody waits for the
/// database.
async fn rows(answers: &[CommandAnswer]) -> Result<Vec<Row>> {
    if answers.is_empty() {
        return Ok(Vec::new());
    }
    let answers = answers.to_vec();
    let row = |answer: CommandAnswer| {
        let data = to_json("an answer", &answer.without_output())?;
        Ok(Row { data, output: packed(&answer), host: answer.host_id })
    };
    let packing = tokio::task::spawn_blocking(move || answers.into_iter().map(row).collect::<Result<Vec<Row>>>());
    packing.await.map_err(|error| Error::new(ErrorKind::Internal, "pack what hosts answered").from_source(error))?
}

/// Both streams: nothing where nothing was written, else how long stdout is, stdout and stderr, compressed.
fn packed(answer: &CommandAnswer) -> Vec<u8> {
    if answer.stdout.is_empty() && answer.stderr.is_empty() {
        return Vec::new();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
    let length = (answer.stdout.len() as u64).to_le_bytes();
    let written = [&length[..], &answer.stdout, &answer.stderr].iter().try_for_each(|part| encoder.write_all(part));
    match written.and_then(|()| encoder.finish()) {
        Ok(packed) => packed,
        Err(error) => unreachable!("writing to memory failed: {error}"),
    }
}

/// The same back; none where it is damaged or larger than anything that is written.
fn unpacked(packed: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if packed.is_empty() {
        return Some((Vec::new(), Vec::new()));
    }
    let mut plain = Vec::new();
    DeflateDecoder::new(packed).take(MOST_BYTES).read_to_end(&mut plain).ok()?;
    let (length, streams) = plain.split_first_chunk::<8>()?;
    let (stdout, stderr) = streams.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((stdout.to_vec(), stderr.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_goes_in_portions_and_nothing_is_left_out() {
        let answer = |number: usize, bytes: usize| CommandAnswer {
            stdout: vec![b'x'; bytes],
            ..CommandAnswer::waiting(number.to_string().as_str().into(), "h")
        };
        let sizes = |answers: &[CommandAnswer]| portions(answers).iter().map(|some| some.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [] as [usize; 0]);
        let small: Vec<CommandAnswer> = (0..2 * TOGETHER + 1).map(|number| answer(number, 1)).collect();
        assert_eq!(sizes(&small), [TOGETHER, TOGETHER, 1]);
        let large: Vec<CommandAnswer> = (0..3).map(|number| answer(number, BYTES_TOGETHER / 2)).collect();
        assert_eq!(sizes(&large), [2, 1]);
        let huge = [answer(0, 1), answer(1, 2 * BYTES_TOGETHER), answer(2, 1)];
        assert_eq!(sizes(&huge), [1, 1, 1]);
        assert_eq!(portions(&huge).concat(), huge);
    }

    #[test]
    fn what_is_damaged_is_not_believed() {
        let answer = CommandAnswer {
            stdout: b"out\xff".repeat(1000),
            stderr: b"err".to_vec(),
            ..CommandAnswer::waiting("h".into(), "h")
        };
        let whole = packed(&answer);
        assert!(whole.len() < 200, "{}", whole.len());
        assert_eq!(unpacked(&whole), Some((answer.stdout, answer.stderr)));
        assert_eq!(unpacked(&whole[..whole.len() / 2]), None);
        assert_eq!(unpacked(b"nonsense"), None);
    }
}
