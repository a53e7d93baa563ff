//! Words that a host said, cut to a bearable length and read without trust.

use jiff::Timestamp;

/// The longest text that is kept of one fact.
const LENGTH: usize = 300;

/// The text without control characters and blanks around it, cut to a bearable length; `None` where nothing is left.
pub(in crate::collect::linux) fn clip(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(LENGTH).collect();
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What follows `name:` in each line that starts so.
pub(in crate::collect::linux) fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// The time that is so many seconds after 1970: `None` for what no clock of a running machine shows.
pub(in crate::collect::linux) fn seconds(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)
}

/// `yes` and `no`.
pub(in crate::collect::linux) fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The numbers of a version in order: `6.1.0-27-amd64` is `[6, 1, 0, 27, 64]`.
pub(in crate::collect::linux) fn natural(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}
