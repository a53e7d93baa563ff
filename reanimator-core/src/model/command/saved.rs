//! A command that is kept under a name, to be run again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NewCommand;
use crate::{Error, ErrorKind, Result};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;

/// A command that is kept under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SavedCommand {
    /// Its name, unique: letters, digits and `. _ -`.
    pub name: String,
    /// The command line.
    pub command: String,
    /// The selector that it is meant for. Defaults to none: it is chosen when it is run.
    #[serde(default)]
    pub on: String,
    /// Runs it as root. Defaults to no.
    #[serde(default)]
    pub sudo: bool,
    /// After so many seconds it is ended on each host. Defaults to 60, up to a day.
    #[serde(default = "sixty")]
    pub time_limit_seconds: u64,
    /// What people say of it. Defaults to nothing.
    #[serde(default)]
    pub comment: String,
    /// Who saved it last; what a client says of it is not read.
    #[serde(default)]
    pub saved_by: String,
    /// When; what a client says of it is not read.
    #[serde(default)]
    pub saved_at: Timestamp,
}

const fn sixty() -> u64 {
    60
}

impl SavedCommand {
    /// Refuses one that could never be run.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |cause: &str, next: String| {
            let attempt = format!("save the command {:?}", self.name.chars().take(LONGEST_NAME).collect::<String>());
            Err(Error::new(ErrorKind::Invalid, attempt).because(cause).next(next))
        };
        let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        if self.name.is_empty() || self.name.chars().count() > LONGEST_NAME || !self.name.chars().all(fits) {
            return refuse("the name does not fit", format!("use 1 to {LONGEST_NAME} letters, digits and . _ -"));
        }
        if self.comment.chars().count() > LONGEST_COMMENT || self.comment.chars().any(char::is_control) {
            let next = format!("use one line of up to {LONGEST_COMMENT} characters");
            return refuse("the comment is too long, or has a line break", next);
        }
        self.new_command(None).check()
    }

    /// What is to be run: on these hosts, or on those that it is meant for.
    pub fn new_command(&self, on: Option<&str>) -> NewCommand {
        NewCommand {
            command: self.command.clone(),
            on: on.unwrap_or(&self.on).to_owned(),
            sudo: self.sudo,
            time_limit_seconds: Some(self.time_limit_seconds),
            ..NewCommand::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_saved_command_is_checked_when_it_is_saved() {
        let saved = |text: serde_json::Value| serde_json::from_value::<SavedCommand>(text).unwrap();
        let fine = saved(serde_json::json!({ "name": "up-time", "command": "uptime" }));
        assert!(fine.check().is_ok());
        assert_eq!((fine.time_limit_seconds, fine.new_command(Some("web*")).on.as_str()), (60, "web*"));
        for wrong in [
            SavedCommand { name: "a b".into(), ..fine.clone() },
            SavedCommand { name: String::new(), ..fine.clone() },
            SavedCommand { command: "  ".into(), ..fine.clone() },
            SavedCommand { comment: "two\nlines".into(), ..fine.clone() },
            SavedCommand { time_limit_seconds: 0, ..fine },
        ] {
            assert_eq!(wrong.check().map_err(|error| error.kind()), Err(ErrorKind::Invalid), "{wrong:?}");
        }
    }
}
