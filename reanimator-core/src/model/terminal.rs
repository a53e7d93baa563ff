//! Terminals: a shell or a console of a machine, open for people to type in, and what was recorded of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Machine, ids::TerminalId};
use crate::{Error, ErrorKind, Result};

/// The widest and the highest that a terminal may be. A screen of 8K with the smallest letters stays below.
pub const LARGEST_SIDE: u16 = 1000;

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalSize {
    /// Characters in a line.
    pub cols: u16,
    /// Lines.
    pub rows: u16,
}

impl Default for TerminalSize {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

impl TerminalSize {
    /// The size, where a terminal may have it.
    ///
    /// # Errors
    /// `Invalid` when a side is nought or longer than [`LARGEST_SIDE`].
    pub fn checked(self) -> Result<Self> {
        let fits = |side| (1..=LARGEST_SIDE).contains(&side);
        if fits(self.cols) && fits(self.rows) {
            return Ok(self);
        }
        Err(Error::new(ErrorKind::Invalid, format!("make a terminal of {self} characters"))
            .because(format!("each side may be 1 to {LARGEST_SIDE}"))
            .next("use another size"))
    }
}

/// `80x24`
impl std::fmt::Display for TerminalSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.cols, self.rows)
    }
}

/// How a terminal reaches its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TerminalWay {
    /// A login shell over SSH, on a connection of its own.
    Ssh,
    /// A login shell on this very machine.
    Local,
    /// The console that Proxmox has of a guest or a node.
    Console,
}

impl TerminalWay {
    /// As it stands in JSON and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Local => "local",
            Self::Console => "console",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTerminal {
    /// Of which machine: `host:ID` or `guest:CONNECTION:VMID`.
    pub machine: Machine,
    /// Characters in a line. Defaults to 80.
    #[serde(default = "default_cols")]
    pub cols: u16,
    /// Lines. Defaults to 24.
    #[serde(default = "default_rows")]
    pub rows: u16,
    /// Whether what is shown is recorded. Defaults to what the settings say.
    #[serde(default)]
    pub record: Option<bool>,
}

fn default_cols() -> u16 {
    TerminalSize::default().cols
}

fn default_rows() -> u16 {
    TerminalSize::default().rows
}

impl NewTerminal {
    /// A terminal of the usual size.
    pub fn new(machine: Machine) -> Self {
        let TerminalSize { cols, rows } = TerminalSize::default();
        Self { machine, cols, rows, record: None }
    }

    /// Its size.
    pub fn size(&self) -> TerminalSize {
        TerminalSize { cols: self.cols, rows: self.rows }
    }
}

/// A terminal that is open, or was until a while ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// Of which machine.
    pub machine: Machine,
    /// What that is called.
    pub name: String,
    /// How it is reached.
    pub way: TerminalWay,
    /// Who opened it: a user's name, `token:NAME`.
    pub who: String,
    /// From where: an address.
    pub from: String,
    /// When.
    pub opened_at: Timestamp,
    /// Its size now.
    pub size: TerminalSize,
    /// How many look at it now.
    pub viewers: u32,
    /// Whether it is recorded.
    pub recorded: bool,
    /// How much was typed, in bytes.
    pub bytes_in: u64,
    /// How much was shown, in bytes.
    pub bytes_out: u64,
    /// How it ended; none while it is open.
    pub ended: Option<TerminalEnd>,
}

/// How a terminal ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalEnd {
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub why: String,
    /// Whether it was lost or broke off, in place of ending.
    pub failed: bool,
    /// The exit status of the shell, where it ended by itself and a status is known.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
}

impl TerminalEnd {
    /// The error of a terminal that was lost or broke off; none of one that ended.
    pub fn error(&self, name: &str) -> Option<Error> {
        self.failed.then(|| {
            Error::new(ErrorKind::Unreachable, "keep the terminal open")
                .on(name)
                .because(&self.why)
                .next("open it again; what ran in it was hung up")
        })
    }
}

/// What was shown in a terminal, kept in a file (asciicast, version 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recording {
    /// The id of the terminal that it is of.
    pub id: TerminalId,
    /// Of which machine.
    pub machine: String,
    /// What that was called.
    pub name: String,
    /// Who opened the terminal.
    pub who: String,
    /// From where.
    pub from: String,
    /// When it begins.
    pub started_at: Timestamp,
    /// How large the file is.
    pub bytes: u64,
    /// Whether it took all that a recording may, 64 MiB, before the terminal's end: the rest is not in it.
    #[serde(default)]
    pub cut: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_bounds() {
        for (cols, rows) in [(1, 1), (80, 24), (LARGEST_SIDE, LARGEST_SIDE)] {
            assert!(TerminalSize { cols, rows }.checked().is_ok(), "{cols}x{rows}");
        }
        for (cols, rows) in [(0, 24), (80, 0), (LARGEST_SIDE + 1, 24), (80, u16::MAX)] {
            let error = TerminalSize { cols, rows }.checked().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{cols}x{rows}");
        }
    }

    #[test]
    fn what_is_not_said_has_the_usual_value() {
        let new: NewTerminal = serde_json::from_str(r#"{"machine":"host:h1"}"#).unwrap();
        assert_eq!(new, NewTerminal::new("host:h1".parse().unwrap()));
        assert!(serde_json::from_str::<NewTerminal>(r#"{"machine":"host:h1","colour":1}"#).is_err());
    }
}
