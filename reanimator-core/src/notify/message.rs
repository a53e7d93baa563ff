//! What is sent: one notice as it is, or several as one message.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::{Notice, NoticeLevel};

/// As many notices are told in one message; of those beyond only the number is.
const MOST_TOLD: usize = 50;
/// As much text as a message has, in bytes.
const LONGEST_TEXT: usize = 32 * 1024;

/// A message to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who it is: the same again where it is sent again.
    pub id: String,
    /// When the newest notice in it came about.
    pub at: Timestamp,
    /// The worst level of its notices.
    pub level: NoticeLevel,
    /// All of it in one line.
    pub title: String,
    /// All of it in plain text.
    pub text: String,
    /// The notices that it tells, oldest first.
    pub notices: Vec<Notice>,
}

impl Message {
    /// A message of these notices, of which there is at least one. `seed` says which message it is.
    pub fn new(notices: Vec<Notice>, seed: &str) -> Self {
        let level = notices.iter().map(|notice| notice.level).min().unwrap_or(NoticeLevel::Ok);
        let at = notices.iter().map(|notice| notice.at).max().unwrap_or(Timestamp::UNIX_EPOCH);
        let (title, text) = match notices.as_slice() {
            [notice] => (notice.title.clone(), whole(notice)),
            several => (sum(several), digest(several)),
        };
        let id = Sha256::digest(seed).iter().take(16).fold(String::new(), |mut id, byte| {
            // Writing into a String never fails.
            let _ = write!(id, "{byte:02x}");
            id
        });
        Self { id, at, level, title, text: cut(text, LONGEST_TEXT), notices }
    }

    /// The line under which a mail comes, or what a phone shows: `[critical] pve1 does not answer`.
    pub fn subject(&self) -> String {
        format!("[{}] {}", self.level.as_str(), self.title)
    }

    /// Where there is more to see: where its only notice says so.
    pub fn url(&self) -> Option<&str> {
        let web = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
        let [notice] = self.notices.as_slice() else { return None };
        notice.url.as_deref().filter(web)
    }

    /// The text, or where it has none the title.
    pub(crate) fn body(&self) -> &str {
        if self.text.is_empty() { &self.title } else { &self.text }
    }
}

/// A notice by itself.
fn whole(notice: &Notice) -> String {
    let parts = [Some(notice.text.as_str()), notice.url.as_deref()];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

/// `5 notices: 2 critical, 1 warning, 2 ok`.
fn sum(notices: &[Notice]) -> String {
    let count = |level| notices.iter().filter(|notice| notice.level == level).count();
    let counted = NoticeLevel::ALL.into_iter().map(|level| (level, count(level))).filter(|(_, count)| *count > 0);
    let counted: Vec<String> = counted.map(|(level, count)| format!("{count} {}", level.as_str())).collect();
    format!("{} notices: {}", notices.len(), counted.join(", "))
}

/// A line for each, the worst first, and under it the beginning of its text.
fn digest(notices: &[Notice]) -> String {
    let mut sorted: Vec<&Notice> = notices.iter().collect();
    sorted.sort_by_key(|notice| (notice.level, notice.at));
    let mut text = String::new();
    for notice in sorted.iter().take(MOST_TOLD) {
        let at = notice.at.strftime("%Y-%m-%d %H:%M UTC");
        // Writing into a String never fails.
        let _ = writeln!(text, "[{}] {} ({at})", notice.level.as_str(), notice.title);
        for line in notice.text.lines().take(3) {
            let _ = writeln!(text, "    {line}");
        }
    }
    if let Some(more) = sorted.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        let _ = writeln!(text, "and {more} more");
    }
    text.trim_end().to_owned()
}

/// A text that is no longer than so many bytes, cut between two letters.
pub(crate) fn cut(text: String, bytes: usize) -> String {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes.saturating_sub(3)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
pub(crate) mod tests {
    use super::*;
    use crate::model::NoticeKind;

    pub(crate) fn notice(title: &str, level: NoticeLevel) -> Notice {
        let at = "2026-11-26T12:00:00Z".parse().unwrap();
        Notice::new(NoticeKind::AlertRaised, level, title, at).saying("since noon\nsecond line")
    }

    pub(crate) fn message() -> Message {
        let url = Some("https://fleet.example.org/hosts/h1".to_owned());
        let notice = Notice { url, ..notice("Größe: pve1 does not answer", NoticeLevel::Critical).about("host:h1") };
        Message::new(vec![notice], "seed")
    }

    #[test]
    fn one_notice_is_told_as_it_is() {
        let message = message();
        assert_eq!(message.subject(), "[critical] Größe: pve1 does not answer");
        assert_eq!(message.text, "since noon\nsecond line\n\nhttps://fleet.example.org/hosts/h1");
        assert_eq!(message.id.len(), 32);
    }

    #[test]
    fn several_are_summed_up_with_the_worst_first() {
        let notices = vec![
            notice("all well", NoticeLevel::Ok),
            notice("disk full", NoticeLevel::Critical),
            notice("disk filling", NoticeLevel::Warning),
        ];
        let message = Message::new(notices, "seed");
        assert_eq!(message.subject(), "[critical] 3 notices: 1 critical, 1 warning, 1 ok");
        let lines: Vec<&str> = message.text.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(lines[0], "[critical] disk full (2026-11-26 12:00 UTC)");
        assert!(lines[2].starts_with("[ok] all well"), "{lines:?}");
        assert_eq!(message.url(), None);
    }

    #[test]
    fn a_flood_stays_small() {
        let notices = (0..1_000).map(|number| notice(&format!("n{number}"), NoticeLevel::Warning)).collect();
        let message = Message::new(notices, "seed");
        assert!(message.text.ends_with("and 950 more") && message.text.len() <= LONGEST_TEXT, "{}", message.text.len());
        assert_eq!(cut("ééé".to_owned(), 5), "é…");
    }
}
