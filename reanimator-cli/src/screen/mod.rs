//! What people and programs get to see: one document of JSON, or tables and lines.
//!
//! Text from elsewhere goes through [`harmless()`] before anybody reads it, so that neither a host nor whoever named a thing
//! can drive a terminal, also one at the other end of a pipe. What commands on hosts wrote passes through as it came where
//! stdout is no terminal, and JSON writes controls out by itself.

mod harmless;
pub(crate) mod outline;
mod table;
pub(crate) mod words;

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

use anstream::{AutoStream, ColorChoice};
use owo_colors::OwoColorize;
use serde::Serialize;

pub(crate) use harmless::{harmless, harmless_bytes};
pub(crate) use table::{Cell, Column, Table};

/// Whether, and in which colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// What `--color`, the terminal and `NO_COLOR` say for stdout.
    pub(crate) fn for_stdout() -> Self {
        Self { on: AutoStream::choice(&io::stdout()) != ColorChoice::Never }
    }

    /// The same for stderr.
    pub(crate) fn for_stderr() -> Self {
        Self { on: AutoStream::choice(&io::stderr()) != ColorChoice::Never }
    }

    /// Whether there are colours.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self { on: false }
    }

    /// As it should be.
    pub(crate) fn good(self, text: &str) -> String {
        if self.on { text.green().to_string() } else { text.to_owned() }
    }

    /// Needs a look.
    pub(crate) fn warn(self, text: &str) -> String {
        if self.on { text.yellow().to_string() } else { text.to_owned() }
    }

    /// Broken.
    pub(crate) fn bad(self, text: &str) -> String {
        if self.on { text.red().bold().to_string() } else { text.to_owned() }
    }

    /// Said louder.
    pub(crate) fn strong(self, text: &str) -> String {
        if self.on { text.bold().to_string() } else { text.to_owned() }
    }
}

/// Stdout as this run sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    json: bool,
    terminal: bool,
    /// Colours for what goes to stdout.
    pub(crate) paint: Paint,
}

impl Screen {
    /// Looks at stdout; `json` asks for one document.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: io::stdout().is_terminal(), paint: Paint::for_stdout() }
    }

    /// Neither JSON nor a terminal nor colours.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { json: false, terminal: false, paint: Paint::never() }
    }

    /// Whether one document of JSON is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a terminal shows what we print.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Prints the document.
    pub(crate) fn document(&self, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
        text.push(b'\n');
        self.bytes(&text)
    }

    /// Prints one line of ours.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Prints a table, or `nothing` where it has no rows.
    pub(crate) fn table(&self, table: &Table, nothing: &str) -> io::Result<()> {
        if table.is_empty() {
            return self.line(nothing);
        }
        self.bytes(table.render(self).as_bytes())
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// A name or text from elsewhere, made harmless.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        harmless(text)
    }

    /// Says something to the person, on stderr, and only where one reads along.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            // A note that nobody can read is no failure.
            let _ = writeln!(io::stderr(), "{}", harmless_bytes(text.as_bytes()));
        }
    }
}
