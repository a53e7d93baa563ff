//! The audit trail as people ask for it: some of its entries, or all of them as a file for other programs.

use std::{collections::VecDeque, fmt::Write as _};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};

use super::{Fleet, parse_time};
use crate::{
    Error, ErrorKind, Result,
    store::{AuditEntry, AuditFilter, StoredAuditEntry},
};

/// The longest pattern, in bytes, and how often `*` may be in it: each makes the search longer.
const LONGEST_PATTERN: usize = 300;
const MOST_STARS: usize = 8;
/// Entries that are read at once for a file.
const PAGE: u32 = 1_000;

/// Which entries, in the words of a person or a web address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditWords {
    /// Who: a user's name, `token:NAME`, `local:USER`. `*` stands for anything, and `!` before it takes all others.
    pub who: Option<String>,
    /// From where, likewise: an address, or `local`.
    pub from: Option<String>,
    /// What, likewise: `host add`, `operation*`.
    pub what: Option<String>,
    /// On what, likewise.
    pub on: Option<String>,
    /// With what outcome, likewise: `ok`, `!ok`.
    pub outcome: Option<String>,
    /// From then on: a time (RFC 3339) or how long ago (`7d`).
    pub since: Option<String>,
    /// Before then.
    pub until: Option<String>,
}

/// As what the trail is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AuditFormat {
    /// A table: a line of names, then a line for each entry. What a spreadsheet would take for a formula has a `'` before
    /// it.
    #[default]
    Csv,
    /// A JSON document on each line.
    Jsonl,
}

impl AuditFormat {
    /// As what a browser is told it is.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
        }
    }

    /// How a file of it ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

impl Fleet {
    /// The newest entries that are wanted before the one numbered `before`, newest first.
    ///
    /// # Errors
    /// `Invalid` for words that are no time, and for patterns that are too long; `Storage`.
    pub async fn audit(&self, words: &AuditWords, before: Option<i64>, limit: u32) -> Result<Vec<StoredAuditEntry>> {
        let filter = AuditFilter { before, ..self.audit_filter(words)? };
        self.store().find_audit(&filter, limit).await
    }

    /// All entries that are wanted, oldest first, as the parts of a file: however many there are, only some are in memory.
    ///
    /// # Errors
    /// As [`audit`](Self::audit); what goes wrong later is in the stream, which then ends.
    pub fn export_audit(&self, words: &AuditWords, format: AuditFormat) -> Result<BoxStream<'static, Result<String>>> {
        let filter = AuditFilter { after: Some(0), ..self.audit_filter(words)? };
        let head = if format == AuditFormat::Csv { HEAD.to_owned() } else { String::new() };
        let start = Export { fleet: self.clone(), filter, format, waiting: VecDeque::from([head]), over: false };
        Ok(stream::unfold(start, Export::next).boxed())
    }

    fn audit_filter(&self, words: &AuditWords) -> Result<AuditFilter> {
        let now = self.now();
        let text = |text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(|text| checked(text).map(str::to_owned)).transpose()
        };
        let time = |text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(|text| parse_time(text, now)).transpose()
        };
        Ok(AuditFilter {
            who: text(&words.who)?,
            from: text(&words.from)?,
            what: text(&words.what)?,
            on: text(&words.on)?,
            outcome: text(&words.outcome)?,
            since: time(&words.since)?,
            until: time(&words.until)?,
            before: None,
            after: None,
        })
    }
}

fn checked(pattern: &str) -> Result<&str> {
    if pattern.len() <= LONGEST_PATTERN && pattern.matches('*').count() <= MOST_STARS {
        return Ok(pattern);
    }
    Err(Error::new(ErrorKind::Invalid, "read a pattern for the audit trail")
        .because(format!("it is longer than {LONGEST_PATTERN} bytes, or has more than {MOST_STARS} *"))
        .next("make it shorter"))
}

/// A trail on its way into a file.
struct Export {
    fleet: Fleet,
    filter: AuditFilter,
    format: AuditFormat,
    waiting: VecDeque<String>,
    over: bool,
}

impl Export {
    async fn next(mut self) -> Option<(Result<String>, Self)> {
        loop {
            if let Some(part) = self.waiting.pop_front() {
                if part.is_empty() {
                    continue;
                }
                return Some((Ok(part), self));
            }
            if self.over {
                return None;
            }
            match self.read().await {
                Ok(part) => self.waiting.push_back(part),
                Err(error) => {
                    self.over = true;
                    return Some((Err(error), self));
                }
            }
        }
    }

    /// The next entries as text.
    async fn read(&mut self) -> Result<String> {
        let rows = self.fleet.store().find_audit(&self.filter, PAGE).await?;
        self.over = rows.len() < PAGE as usize;
        self.filter.after = rows.last().map_or(self.filter.after, |last| Some(last.number));
        let mut text = String::new();
        for row in &rows {
            match self.format {
                AuditFormat::Csv => csv_line(&row.entry, &mut text),
                AuditFormat::Jsonl => {
                    let json = serde_json::to_string(&row.entry).map_err(|error| {
                        Error::new(ErrorKind::Internal, "write the audit trail as JSON").from_source(error)
                    })?;
                    text.push_str(&json);
                    text.push('\n');
                }
            }
        }
        Ok(text)
    }
}

/// The names of the columns.
const HEAD: &str = "at,who,from,what,on,outcome\n";

fn csv_line(entry: &AuditEntry, text: &mut String) {
    let AuditEntry { at, who, from, what, on, outcome } = entry;
    // Writing to a string does not fail.
    let _written = write!(text, "{at}");
    for cell in [who, from, what, on, outcome] {
        text.push(',');
        csv_cell(cell, text);
    }
    text.push('\n');
}

/// A cell, quoted where it must be. A spreadsheet reads what begins with one of these signs as a formula, and runs it.
fn csv_cell(cell: &str, text: &mut String) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = cell.contains(['"', ',', '\n', '\r']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    if quoted {
        text.push('"');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut cell = String::new();
        csv_cell(text, &mut cell);
        cell
    }

    #[test]
    fn no_cell_begins_a_formula_and_each_is_quoted_once() {
        assert_eq!(cell("host add"), "host add");
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(cell(bad), format!("'{bad}"));
        }
        assert_eq!(cell("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
        assert_eq!(cell("\r=1"), "\"'\r=1\"");
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_long_trail_is_exported_whole_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(crate::FleetOptions::new(directory.path())).await.unwrap();
        let now = fleet.now();
        for number in 0..2_345 {
            let who = if number % 2 == 0 { "ada" } else { "bob" };
            fleet.access().record(who, "local", "exec", &format!("{number}"), "ok", now).await.unwrap();
        }
        let export = async |words: AuditWords, format| {
            let parts: Vec<_> = fleet.export_audit(&words, format).unwrap().collect().await;
            parts.into_iter().collect::<Result<String>>().unwrap()
        };
        let all = export(AuditWords::default(), AuditFormat::Csv).await;
        let numbers: Vec<_> = all.lines().skip(1).filter_map(|line| line.split(',').nth(4)).collect();
        assert_eq!(numbers, (0..2_345).map(|number| number.to_string()).collect::<Vec<_>>());
        let bobs = AuditWords { who: Some("!a*".into()), since: Some("1h".into()), ..AuditWords::default() };
        let bobs = export(bobs, AuditFormat::Jsonl).await;
        assert_eq!(bobs.lines().count(), 1_172);
        assert!(bobs.lines().all(|line| serde_json::from_str::<AuditEntry>(line).unwrap().who == "bob"));
        let later = AuditWords { since: Some("2999-01-01T00:00:00Z".into()), ..AuditWords::default() };
        assert_eq!(export(later, AuditFormat::Csv).await, HEAD);
        let stars = AuditWords { on: Some("*a".repeat(9)), ..AuditWords::default() };
        assert_eq!(fleet.audit(&stars, None, 1).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
}
