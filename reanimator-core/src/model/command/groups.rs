//! Equal answers together: one way for those that are all there and for those that still come.

use std::collections::BTreeMap;

use super::CommandAnswer;
use crate::ErrorKind;

/// What an answer says: two that say the same are one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said<'a> {
    /// The exit status.
    pub(crate) status: Option<u32>,
    /// The signal.
    pub(crate) signal: Option<&'a str>,
    /// What was written to stdout and stderr.
    pub(crate) streams: [&'a [u8]; 2],
    /// Where they were cut.
    pub(crate) cut_at: [Option<u64>; 2],
    /// What kind of error, and its words without the host's name.
    pub(crate) error: Option<(&'static str, String)>,
}

impl<'a> Said<'a> {
    /// What an answer says that is over. Errors of one kind stand together: their words name addresses, which differ.
    pub(super) fn of(answer: &'a CommandAnswer) -> Self {
        let error = answer.error.as_ref();
        Self {
            status: answer.status,
            signal: answer.signal.as_deref(),
            streams: [&answer.stdout, &answer.stderr],
            cut_at: [answer.stdout_cut_at, answer.stderr_cut_at],
            error: error.map(|error| (error.kind.as_str(), String::new())),
        }
    }

    /// An error, without the name of the host that every such error holds.
    pub(crate) fn trouble(kind: ErrorKind, message: &str, host: &str) -> (&'static str, String) {
        (kind.as_str(), message.replace(host, ""))
    }
}

/// Puts those together that say the same, each group by name, the largest group first.
pub(crate) fn together<'a, T, K: Ord>(
    items: impl IntoIterator<Item = &'a T>,
    says: impl Fn(&'a T) -> K,
    name: impl Fn(&'a T) -> &'a str,
) -> Vec<Vec<&'a T>> {
    let mut groups: BTreeMap<K, Vec<&'a T>> = BTreeMap::new();
    for item in items {
        groups.entry(says(item)).or_default().push(item);
    }
    let mut groups: Vec<Vec<&'a T>> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort_by_key(|item| name(item)));
    groups.sort_by(|a, b| {
        b.len().cmp(&a.len()).then_with(|| a.iter().map(|item| name(item)).cmp(b.iter().map(|item| name(item))))
    });
    groups
}
