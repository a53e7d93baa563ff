//! What a recording holds, line by line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::http::{HttpAsked, HttpRun};
use crate::transport::command::{Become, Captured, Command, Output};
use crate::{Error, ErrorKind, Result};

/// One line of a recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// The first line: what was recorded.
    Recorded {
        /// The transport's label.
        label: String,
    },
    /// A command that was run to its end.
    Run { asked: Asked, answer: Run },
    /// A command that was started and spoken with.
    Session { asked: Asked, answer: Session },
    /// A request over HTTP.
    Http { asked: HttpAsked, answer: HttpRun },
}

/// What makes two commands the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) command: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) as_root: bool,
}

impl Asked {
    pub(super) fn of(command: &Command) -> Self {
        Self { command: command.text.clone(), as_root: !matches!(command.become_root, Become::No) }
    }
}

/// How a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Run {
    Failed { failed: Failed },
    Answered(Answered),
}

/// An error as words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) kind: ErrorKind,
    pub(super) said: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) status: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
    pub(super) stdout: Bytes,
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) stderr: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stdout_cut_at: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stderr_cut_at: Option<usize>,
}

impl Run {
    /// The answer again, within the limit that is asked for now.
    pub(super) fn output(self, limit: usize) -> Result<Output> {
        let answered = match self {
            Self::Answered(answered) => answered,
            Self::Failed { failed } => {
                return Err(Error::new(failed.kind, "run it when it was recorded").because(failed.said));
            }
        };
        let captured = |bytes: Bytes, cut_at| {
            let mut captured = Captured::default();
            captured.push(&bytes.0, limit);
            captured.cut_at = captured.cut_at.or(cut_at);
            captured
        };
        Ok(Output {
            status: answered.status,
            signal: answered.signal,
            stdout: captured(answered.stdout, answered.stdout_cut_at),
            stderr: captured(answered.stderr, answered.stderr_cut_at),
        })
    }
}

/// A conversation with a started command.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) stderr: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
}

/// Something asked on stdin, and what stdout said then.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Step {
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) asked: Bytes,
    pub(super) answered: Bytes,
}

/// Bytes that are written as text where they are text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Binary { base64: String },
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()),
            Err(_) => Written::Binary { base64: STANDARD.encode(&self.0) },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Binary { base64 } => STANDARD.decode(base64).map(Self).map_err(serde::de::Error::custom),
        }
    }
}
