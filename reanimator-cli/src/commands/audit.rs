//! `audit`: what was done, by whom: listed newest first, or exported as a file.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt as _;
use reanimator_core::{
    Error, ErrorKind,
    fleet::{AuditFormat, AuditWords},
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was done, newest first
    List(ListArgs),
    /// Export what was done as a file, oldest first, however long it is
    Export(ExportArgs),
}

/// Which entries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which entries: * stands for anything, ! before it takes all others")]
pub(crate) struct WhichArgs {
    /// Only what these did: a user's name, token:NAME, local:USER
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only what was done from there: an address, or local
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Only this: `host add`, `operation*`
    #[arg(long, value_name = "WHAT")]
    what: Option<String>,
    /// Only what was done to it
    #[arg(long, value_name = "ON")]
    on: Option<String>,
    /// Only with this outcome: ok, !ok
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only from then on: a time (RFC 3339) or how long ago (7d)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl WhichArgs {
    fn into_words(self) -> AuditWords {
        let Self { who, from, what, on, outcome, since, until } = self;
        AuditWords { who, from, what, on, outcome, since, until }
    }
}

/// What `audit export` takes.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// As what
    #[arg(long, default_value = "csv")]
    format: Format,
    /// Into which file, which must be new [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    which: WhichArgs,
}

/// What can be exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for spreadsheets
    Csv,
    /// A JSON document on each line
    Jsonl,
}

/// What `audit list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How many entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    which: WhichArgs,
}

/// Carries out the command.
pub(crate) async fn run(command: AuditCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        AuditCommand::List(args) => list(args, context).await,
        AuditCommand::Export(args) => export(args, context).await,
    }
}

async fn export(args: ExportArgs, context: &Context) -> Result<Done, Failure> {
    let format = match args.format {
        Format::Csv => AuditFormat::Csv,
        Format::Jsonl => AuditFormat::Jsonl,
    };
    let (fleet, words) = (context.fleet().await?, args.which.into_words());
    let begin = async { fleet.export_audit(&words, format) };
    let mut parts = context.audited(&fleet, "audit export", format.extension(), begin).await?;
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(new_file(path)?),
        None => Box::new(io::stdout()),
    };
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        let part = part?;
        out.write_all(part.as_bytes())?;
        bytes += part.len();
    }
    out.flush()?;
    match &args.output {
        Some(path) if context.screen.is_json() => {
            context.screen.document(&json!({ "file": path, "bytes": bytes, "format": format }))?;
        }
        Some(path) => context.screen.note(&format!("Wrote {bytes} bytes to {}.", path.display())),
        None => {}
    }
    Ok(Done::Whole)
}

fn new_file(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::File::create_new(path).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("write {}", path.display()))
            .next("name a new file in a folder that can be written to")
            .from_source(error)
            .into()
    })
}

async fn list(args: ListArgs, context: &Context) -> Result<Done, Failure> {
    let entries = context.fleet().await?.audit(&args.which.into_words(), None, args.limit).await?;
    if context.screen.is_json() {
        let items: Vec<_> = entries.iter().map(|stored| &stored.entry).collect();
        context.screen.document(&json!({ "items": items }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("AT"),
        Column::words("WHO"),
        Column::words("FROM").keep(1),
        Column::words("WHAT"),
        Column::words("ON"),
        Column::words("OUTCOME"),
    ]);
    for stored in &entries {
        let entry = &stored.entry;
        let outcome = Cell::from(entry.outcome.as_str());
        table.row([
            words::moment(entry.at).into(),
            entry.who.as_str().into(),
            entry.from.as_str().into(),
            entry.what.as_str().into(),
            entry.on.as_str().into(),
            if entry.outcome == "ok" { outcome.good() } else { outcome.bad() },
        ]);
    }
    context.screen.table(&table, "Nothing was done yet.")?;
    Ok(Done::Whole)
}
