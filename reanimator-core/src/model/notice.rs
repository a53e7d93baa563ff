//! Notices: what alerts, operations and updates have to say to people, before anybody decided whom to tell.
//!
//! A notice is handed over with [`workflows::notify::hand_over`](crate::workflows::notify::hand_over), which writes it down
//! at once; who hears of it, and when, is a matter of the targets.
//!
//! ```
//! use reanimator_core::model::{Notice, NoticeKind, NoticeLevel};
//! let now = "2026-11-26T12:00:00Z".parse()?;
//! let notice = Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, "pve1 does not answer", now)
//!     .about("host:h1")
//!     .keyed("alert:offline:host:h1")
//!     .with("host", "pve1");
//! assert_eq!(serde_json::to_value(&notice)?["kind"], "alert-raised");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest title, in characters: what a phone shows, and then some.
const LONGEST_TITLE: usize = 200;
/// The longest text, in characters.
const LONGEST_TEXT: usize = 4_000;
/// The longest key, entity, web address, or name and value of a field, in characters.
const LONGEST_WORD: usize = 500;
/// As many fields as a notice has at most.
const MOST_FIELDS: usize = 40;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// When it came about.
    pub at: Timestamp,
    /// What kind of thing is told.
    pub kind: NoticeKind,
    /// How bad it is.
    pub level: NoticeLevel,
    /// It in one line.
    pub title: String,
    /// All of it, in lines of plain text; may be empty.
    #[serde(default)]
    pub text: String,
    /// What it is about: `host:ID`, `guest:ID`; none where it is about nothing in particular.
    #[serde(default)]
    pub entity: Option<String>,
    /// The matter that it belongs to: of notices with the same key the newest says how it stands.
    pub key: String,
    /// Where there is more to see.
    #[serde(default)]
    pub url: Option<String>,
    /// More about it, for programs: the host's name, a figure, a limit. `things` may name several entities, with commas.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// What kind of thing is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// An alert was raised.
    AlertRaised,
    /// An alert is over.
    AlertResolved,
    /// An operation ended, however it did.
    OperationEnded,
    /// A run of updates ended, however it did.
    UpdateEnded,
    /// Somebody tries whether a target can be reached.
    Test,
}

/// How bad it is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NoticeLevel {
    /// Something does not work.
    Critical,
    /// Something will not work for long, or did not work out.
    Warning,
    /// Worth knowing.
    Notice,
    /// All is well, or well again.
    Ok,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AlertRaised, Self::AlertResolved, Self::OperationEnded, Self::UpdateEnded, Self::Test];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlertRaised => "alert-raised",
            Self::AlertResolved => "alert-resolved",
            Self::OperationEnded => "operation-ended",
            Self::UpdateEnded => "update-ended",
            Self::Test => "test",
        }
    }
}

impl NoticeLevel {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Warning, Self::Notice, Self::Ok];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Ok => "ok",
        }
    }
}

impl Notice {
    /// One with a title and nothing more; it is a matter of its own.
    pub fn new(kind: NoticeKind, level: NoticeLevel, title: impl Into<String>, at: Timestamp) -> Self {
        let title = title.into();
        let key = format!("{}:{title}", kind.as_str());
        Self { at, kind, level, title, text: String::new(), entity: None, key, url: None, fields: BTreeMap::new() }
    }

    /// With a text.
    #[must_use]
    pub fn saying(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// About something.
    #[must_use]
    pub fn about(self, entity: impl Into<String>) -> Self {
        Self { entity: Some(entity.into()), ..self }
    }

    /// Of that matter.
    #[must_use]
    pub fn keyed(self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self }
    }

    /// With a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.fields.insert(name.to_owned(), value.to_string());
        self
    }

    /// No longer than it may be: what is too much is cut off, as a notice cut short is better than none. The title is one
    /// line, and no control characters are left but line breaks in the text.
    #[must_use]
    pub fn bounded(self) -> Self {
        let word = |text: String| line(&text, LONGEST_WORD);
        let fields = self.fields.into_iter().take(MOST_FIELDS).map(|(name, value)| (word(name), word(value)));
        let text = self.text.replace("\r\n", "\n");
        let text: String =
            text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect();
        Self {
            title: line(&self.title, LONGEST_TITLE),
            text: cut(text, LONGEST_TEXT),
            entity: self.entity.map(word),
            key: word(self.key),
            url: self.url.map(word),
            fields: fields.collect(),
            ..self
        }
    }

    /// What it is about: its entity, and the things that it names besides.
    pub fn things(&self) -> impl Iterator<Item = &str> {
        let more = self.fields.get("things").map(String::as_str).unwrap_or_default();
        let more = more.split(',').map(str::trim).filter(|thing| !thing.is_empty());
        self.entity.as_deref().into_iter().chain(more)
    }
}

/// One line: line breaks and other control characters become spaces.
fn line(text: &str, longest: usize) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    cut(spaced.trim().to_owned(), longest)
}

fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_bounded_and_has_one_line_of_title() {
        let mut notice = Notice::new(NoticeKind::Test, NoticeLevel::Ok, "a\r\nBcc: x\u{7}", Timestamp::UNIX_EPOCH)
            .saying(format!("{}\r\nend\u{1b}[2J", "é".repeat(9_000)));
        for number in 0..100 {
            notice = notice.with(&number.to_string(), "v".repeat(9_000));
        }
        let bounded = notice.bounded();
        assert_eq!(bounded.title, "a  Bcc: x");
        assert_eq!(bounded.text.chars().count(), LONGEST_TEXT + 1);
        assert_eq!(bounded.fields.len(), MOST_FIELDS);
        assert!(bounded.fields.values().all(|value| value.chars().count() == LONGEST_WORD + 1));
        let short = Notice::new(NoticeKind::Test, NoticeLevel::Ok, "t", Timestamp::UNIX_EPOCH).saying("a\r\nb\u{1b}[c");
        assert_eq!(short.bounded().text, "a\nb[c");
    }

    #[test]
    fn names_in_json_are_those_of_as_str() {
        for kind in NoticeKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for level in NoticeLevel::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
    }

    #[test]
    fn it_is_about_its_entity_and_the_things_it_names() {
        let notice = Notice::new(NoticeKind::Test, NoticeLevel::Ok, "t", Timestamp::UNIX_EPOCH);
        assert_eq!(notice.things().count(), 0);
        let notice = notice.about("host:a").with("things", "guest:c:1, host:b");
        assert_eq!(notice.things().collect::<Vec<_>>(), ["host:a", "guest:c:1", "host:b"]);
    }
}
